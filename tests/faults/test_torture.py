"""Every call fails once: memory that the program asks for, and each kind of system call, over every
stage and command, on four small pictures and models of a few kilobytes.

    DF_BINARY=build/densefusion DF_NTH_SHIM=build/nth.so DF_TORTURE=all \\
        python3 tests/faults/test_torture.py malloc

Of a command with a failed call there are two good ends: exit code 1 with one line that says why, or
exit code 0 with the bytes of a run that was left alone. After it, the same command gives these
bytes.

DF_TORTURE=all fails every call, DF_TORTURE=chains one of each call chain, a number so many of each
kind, evenly spread over the call chains.
"""

import concurrent.futures
import errno
import os
import shutil
import struct
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BINARY = os.path.abspath(os.environ["DF_BINARY"])
SHIM = os.path.abspath(os.environ["DF_NTH_SHIM"])
HOW_MANY = os.environ.get("DF_TORTURE", "")
ONCE, STAYS = "", "1"
KINDS = {
    "malloc": [(errno.ENOMEM, ONCE)],
    "open": [(errno.EIO, STAYS)],
    "read": [(errno.EIO, STAYS)],
    "write": [(errno.EIO, ONCE), (errno.ENOSPC, STAYS)],
    "sync": [(errno.EIO, ONCE)],
    "rename": [(errno.EIO, ONCE)],
    "stat": [(errno.EIO, STAYS)],
    "mmap": [(errno.ENOMEM, STAYS)],
    "close": [(errno.EIO, ONCE)],
    "readdir": [(errno.EIO, STAYS)],
    "change": [(errno.EIO, ONCE)],
    "library": [(errno.ENOMEM, ONCE)],  # memory of jansson and libyaml
    "memory": [(errno.ENOMEM, STAYS)],  # malloc, from the n-th on
}
OPTIONS = (
    "--run.threads=1 --ingest.part_rows=3 --filter.min_side=1 --embed.model=tiny-clip"
    " --cluster.k=2 --dedup.eps=0.01 --select.total=2 --tag.models=tiny-classes,tiny-clip-tagger"
    " --detect.models=tiny-nanodet,tiny-owlv2 --read.detector=tiny-map"
    " --read.recogniser=tiny-letters --read.orienter=tiny-turned"
).split()
STAGES = (
    "ingest filter embed cluster dedup select tag detect read look fuse caption check stats export"
    " report"
).split()
COMMANDS = {
    "status": ["status", "OUT"],
    "show": ["show", "OUT", "00000-000000"],
    "clusters": ["clusters", "OUT"],
    "cost": ["cost", "OUT"],
    "models": ["models", "--models", "MODELS"],
}


def bmp(path, width, height, colour):
    row = (width * 3 + 3) // 4 * 4
    data = b"".join(
        b"".join(bytes(colour(x, y)) for x in range(width)).ljust(row, b"\0") for y in range(height)
    )
    head = struct.pack(
        "<IHHIIiiHHIIiiII",
        54 + len(data),
        0,
        0,
        54,
        40,
        width,
        height,
        1,
        24,
        0,
        len(data),
        *[0] * 4
    )
    with open(path, "wb") as file:
        file.write(b"BM" + head + data)


def put(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def files_of(root):
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, root)] = file.read()
    return found


class Workshop:
    """A folder with pictures, models, and the dataset before and after each stage."""

    def __init__(self, top):
        self.top = top
        os.mkdir(self.at("in"))
        bmp(self.at("in/a.bmp"), 64, 48, lambda x, y: (x * 4 % 256, y * 5 % 256, 200))
        bmp(self.at("in/b.bmp"), 60, 48, lambda x, y: (255 if x > 30 else 10, y * 5 % 256, 20))
        bmp(self.at("in/c.bmp"), 60, 48, lambda x, y: (255 if x > 32 else 10, y * 5 % 256, 20))
        bmp(self.at("in/d.bmp"), 50, 48, lambda x, y: (x * y % 256, 0, 255 - y))
        put(self.at("in/x.jpg"), "no image")
        put(self.at("in/a.txt"), "a red barn")
        put(self.at("in/b.json"), '{"caption": "a blue barn", "url": "http://localhost/b.jpg"}')
        os.mkdir(self.at("models"))
        for folder in ("vision", "encoders", "text", "open", "detect"):
            folder = os.path.join(SOURCE, "tests", "oracle", folder)
            for name in os.listdir(folder):
                if name.startswith(("tiny-", "clip.", "words.", "abcd.", "five.", "three.")):
                    shutil.copy(os.path.join(folder, name), self.at("models"))
        self.commands = {}  # name: arguments, the dataset before
        before = None
        for stage in STAGES:
            self.commands[stage] = (self.stage(stage), before)
            after = self.at("after-" + stage)
            if before:
                shutil.copytree(before, after)
            self.must(self.run(self.commands[stage][0], after))
            before = after
        self.commands.update({name: (words, before) for name, words in COMMANDS.items()})

    def at(self, name):
        return os.path.join(self.top, name)

    def stage(self, name):
        words = ["run", *([self.at("in")] if name == "ingest" else []), "-o", "OUT"]
        return [*words, "--models", "MODELS", *OPTIONS, "--from", name, "--to", name]

    def run(self, words, out, **more):
        words = [{"OUT": out, "MODELS": self.at("models")}.get(word, word) for word in words]
        done = subprocess.run(
            [BINARY, *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, **more},
        )
        done.stdout = done.stdout.replace(out, "OUT")
        done.stderr = done.stderr.replace(out, "OUT")
        return done

    def must(self, done):
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done

    def copy(self, before, name):
        out = self.at(name)
        shutil.rmtree(out, ignore_errors=True)
        if before:
            shutil.copytree(before, out)
        return out

    def fault(self, call, n, how, log):
        return {
            "LD_PRELOAD": SHIM,
            "NTH_CALL": "malloc" if call == "memory" else call,
            "NTH_AT": str(n),
            "NTH_ERRNO": str(how[0]),
            "NTH_STAYS": how[1],
            "NTH_BELOW": self.top + ":" + os.path.join(SOURCE, "share"),
            "NTH_LOG": log,
        }


class Torture:
    """One command and one kind of call."""

    def __init__(self, shop, command, call):
        self.shop, self.command, self.call = shop, command, call
        self.words, self.before = shop.commands[command]
        self.name = command + "-" + call

    def count(self):
        """The chains of the calls of an undisturbed run, in order; and what that run gives."""
        out, log = self.shop.copy(self.before, self.name), self.shop.at(self.name + ".calls")
        self.whole = self.shop.must(
            self.shop.run(self.words, out, **self.shop.fault(self.call, 0, (0, ONCE), log))
        )
        self.files = files_of(out)
        if not os.path.exists(log):
            return []
        with open(log, encoding="ascii") as file:
            return file.read().splitlines()

    def end(self, n, how):
        """What is wrong with the end of a run of which the n-th call failed; None: nothing."""
        name = "%s-%d-%d" % (self.name, n, how[0])
        out, log = self.shop.copy(self.before, name), self.shop.at(name + ".calls")
        try:
            wrong = self.wrong_end(out, self.shop.fault(self.call, n, how, log))
            chain = open(log, encoding="ascii").read().strip() if os.path.exists(log) else ""
            if not wrong:
                return None
            return "%s, %s %d fails with %s: %s\n    at %s" % (
                self.command,
                self.call,
                n,
                errno.errorcode[how[0]],
                wrong,
                chain,
            )
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def wrong_end(self, out, fault):
        done = self.shop.run(self.words, out, **fault)
        usual = self.whole.stderr.splitlines()
        new = [line for line in done.stderr.splitlines() if line not in usual]
        if done.returncode == 0:
            if done.stdout != self.whole.stdout:
                return "exit 0, and it says\n" + done.stdout + done.stderr
            return self.good_end(out)
        if done.returncode != 1:
            return "exit code %d\n%s" % (done.returncode, done.stderr)
        several = self.command == "models"  # a line about each card that needs the file
        if not new or (new[1:] and not several) or not new[0].startswith("densefusion: "):
            return "exit 1, and it says\n" + done.stderr
        again = self.shop.run(self.words, out)
        if again.returncode != 0 or again.stdout != self.whole.stdout:
            return "%s\n  then exit %d and\n%s%s" % (
                new[0],
                again.returncode,
                again.stdout,
                again.stderr,
            )
        return self.difference(out, new[0] + "\n  then")

    def good_end(self, out):
        """A working file that could not be removed stays, until the next run."""
        names = [name for name in self.different(out) if name != "dataset.files"]
        if names and all(name.endswith(".partial") for name in names):
            self.shop.must(self.shop.run(self.words, out))
        return self.difference(out, "exit 0")

    def difference(self, out, when):
        names = self.different(out)
        return "%s, and other bytes in %s" % (when, ", ".join(names)) if names else None

    def different(self, out):
        files = files_of(out)
        return sorted(n for n in {**files, **self.files} if files.get(n) != self.files.get(n))


def chosen(calls, share):
    """Which calls fail: each, or this share of the first ones of their chains."""
    if HOW_MANY == "all":
        return list(range(1, len(calls) + 1))
    first = {}
    for n, chain in enumerate(calls, 1):
        first.setdefault(chain, n)
    different = list(first.values())
    return different if HOW_MANY == "chains" else spread(different, share * len(different))


def how_many(usual):
    return int(HOW_MANY) if HOW_MANY.isdigit() else sys.maxsize if HOW_MANY else usual


def spread(items, n):
    """About n of the items, evenly; at least one, where there is one."""
    step = max(1, len(items) / max(1, n))
    return [items[int(i * step)] for i in range(int(len(items) / step))]


def torture(shop, call, commands):
    """Prints the ends that are wrong, and counts them."""
    tortures = [Torture(shop, command, call) for command in commands]
    calls = {t: t.count() for t in tortures}
    total = sum(len(set(c)) for c in calls.values())
    work = []
    share = how_many(80 if call == "malloc" else 10) / max(1, total)
    for t in tortures:
        work += [(t, n, how) for n in chosen(calls[t], share) for how in KINDS[call]]
    print(
        "%s: %d calls by %d chains, %d runs"
        % (call, sum(map(len, calls.values())), total, len(work)),
        flush=True,
    )
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = 0
        for end in pool.map(lambda w: w[0].end(*w[1:]), work):
            if end:
                print(end, flush=True)
            wrong += end is not None
    return wrong


def main(calls, commands):
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    top = tempfile.mkdtemp(prefix="df-torture-", dir=memory)
    try:
        shop = Workshop(top)
        wrong = sum(torture(shop, call, commands or shop.commands) for call in calls)
    finally:
        shutil.rmtree(top)
    print("%d wrong ends" % wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    WORDS = sys.argv[1:]
    sys.exit(
        main(
            [word for word in WORDS if word in KINDS] or list(KINDS),
            [word for word in WORDS if word not in KINDS],
        )
    )
