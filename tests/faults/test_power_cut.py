"""The power goes before each call that changes the disk, and what was not synced is lost: after it
every part is old or new and never between, and the next run gives the bytes of one that was left
alone.

    DF_BINARY=build/densefusion DF_CUT_SHIM=build/power_cut.so DF_TORTURE=all \\
        python3 tests/faults/test_power_cut.py

Twice: with the names as they are (a file has its name and not its bytes), and without those of
folders that were not synced. DF_TORTURE as test_torture.py has it.
"""

import concurrent.futures
import os
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "server"))
from server import Server  # noqa: E402
from test_torture import STAGES, Workshop, files_of, how_many, spread

SHIM = os.path.abspath(os.environ["DF_CUT_SHIM"])


class Cut:
    """One stage."""

    def __init__(self, shop, stage):
        self.shop, self.stage = shop, stage
        self.words, self.before = shop.commands[stage]
        self.files = files_of(shop.at("after-" + stage))
        self.old = files_of(self.before) if self.before else {}

    def settings(self, out, at, lose):
        shadow = out + ".shadow"
        shutil.rmtree(shadow, ignore_errors=True)
        os.mkdir(shadow)
        return {
            "LD_PRELOAD": SHIM,
            "CUT_BELOW": out,
            "CUT_AT": str(at),
            "CUT_LOSE": lose,
            "CUT_SHADOW": shadow,
            "CUT_COUNT": out + ".count",
        }

    def count(self):
        out = self.shop.copy(self.before, self.stage + "-count")
        self.shop.must(self.shop.run(self.words, out, **self.settings(out, 0, "data")))
        with open(out + ".count", encoding="ascii") as file:
            return int(file.read())

    def end(self, at, lose):
        """What is wrong after the power went; None: nothing."""
        out = self.shop.copy(self.before, "%s-%d-%s" % (self.stage, at, lose))
        try:
            wrong = self.wrong_end(out, self.settings(out, at, lose))
        finally:
            shutil.rmtree(out, ignore_errors=True)
            shutil.rmtree(out + ".shadow", ignore_errors=True)
        return wrong and "%s, without power at call %d, %s lost: %s" % (self.stage, at, lose, wrong)

    def wrong_end(self, out, settings):
        done = self.shop.run(self.words, out, **settings)
        if done.returncode != -signal.SIGKILL:
            return "exit code %d\n%s" % (done.returncode, done.stderr)
        between = [name for name, data in files_of(out).items() if self.is_between(name, data)]
        if between:
            return "neither old nor new: " + ", ".join(sorted(between))
        again = self.shop.run(self.words, out)
        if again.returncode != 0:
            return "the next run:\n" + again.stderr
        files = files_of(out)
        names = [n for n in {**files, **self.files} if files.get(n) != self.files.get(n)]
        return "other bytes in " + ", ".join(sorted(names)) if names else None

    def is_between(self, name, data):
        if name.startswith("dataset.") or name.endswith(".partial") or "/work/" in name:
            return False
        return data not in (self.old.get(name), self.files.get(name))


class PaidCut(Cut):
    """Captions by a server: what was paid for is in the journal, in whole lines."""

    def __init__(self, shop, url):
        super().__init__(shop, "caption")
        self.words = [*self.words, "--caption.engine=openai", "--caption.model=m"]
        self.words += ["--caption.url=" + url + "/v1", "--caption.concurrency=1"]

    def wrong_end(self, out, settings):
        done = self.shop.run(self.words, out, **settings)
        if done.returncode != -signal.SIGKILL:
            return "exit code %d\n%s" % (done.returncode, done.stderr)
        for name, data in files_of(out).items():
            whole = data.split(b"\n")[:-1] if name.endswith(".journal") else []
            if not all(line.startswith(b"{") and line.endswith(b"}") for line in whole):
                return "%s: %s" % (name, data)
        again = self.shop.run(self.words, out)
        if again.returncode != 0 or "caption   2 of 2 images" not in again.stdout:
            return "the next run:\n" + again.stdout + again.stderr
        return None


def cut_all(cuts, n):
    """Cuts about n times, evenly, and prints the ends that are wrong, and counts them."""
    wrong = 0
    counts = {cut: cut.count() for cut in cuts}
    share = n / 2 / sum(counts.values())
    work = [
        (cut, at, lose)
        for cut, count in counts.items()
        for at in spread(range(1, count + 1), count * share)
        for lose in ("data", "names")
    ]
    print("%d calls, %d cuts" % (sum(counts.values()), len(work)), flush=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for end in pool.map(lambda w: w[0].end(*w[1:]), work):
            if end:
                print(end, flush=True)
            wrong += end is not None
    return wrong


def main(stages):
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    top = tempfile.mkdtemp(prefix="df-power-", dir=memory)
    try:
        shop = Workshop(top)
        wrong = cut_all([Cut(shop, stage) for stage in stages], how_many(40))
        with Server() as server:
            wrong += cut_all([PaidCut(shop, server.url)], how_many(12))
    finally:
        shutil.rmtree(top)
    print("%d wrong ends" % wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or STAGES))
