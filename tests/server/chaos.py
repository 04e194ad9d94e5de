"""Kills a captioning run again and again and counts what came of it. The server's log has a line
per answer that it sent whole: the request's hash, which its caption also holds ("numbered HASH"),
prompt and completion tokens."""

import base64
import collections
import glob
import io
import json
import os
import random
import re
import subprocess
import tarfile
import time

TINY = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAQABABAREA"
    "/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJico"
    "KSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo"
    "6erx8vP09fb3+Pn6/9oACAEBAAA/AM6Cz9q0ILP2q/BZ+1MutRs7HKbvOmHGxOcHnqe3I+vtX//Z"
)
CONCURRENCY = 64


def write_tar(path, n, jpeg=TINY):
    """A WebDataset of n images with distinct bytes (a comment each) and distinct alt-text."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for i in range(n):
            image = jpeg[:2] + b"\xff\xfe\x00\x0c%010d" % i + jpeg[2:]
            for name, data in (("%08d.jpg" % i, image), ("%08d.txt" % i, b"picture number %d" % i)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def read_log(path, start=0):
    with open(path, encoding="ascii") as file:
        file.seek(start)
        return [line.split() for line in file if line.endswith("\n")]


def count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def journalled(out):
    found = set()
    for path in glob.glob(os.path.join(out, "caption", "*.journal")):
        with open(path, encoding="utf-8") as file:
            found.update(re.findall(r"numbered ([0-9a-f]{16})", file.read()))
    return found


def chaos(binary, tar, out, n, kills, url, log):
    """Runs to the end through `kills` kill -9. Returns what a test asserts."""
    command = [
        binary,
        "run",
        tar,
        "-o",
        out,
        "--to",
        "export",
        "--filter.min_side=1",
        "--skip",
        "embed,cluster,dedup,select,tag,detect,read,look",
        "--caption.engine=openai",
        "--caption.openai.url=" + url,
        "--caption.openai.concurrency=%d" % CONCURRENCY,
        "--caption.openai.retries=20",
    ]
    open(log, "a", encoding="ascii").close()
    asked_again, dice = 0, random.Random(7)
    for kill in range(kills):
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        goal = n * (kill + 1) // (kills + 1) + dice.randrange(max(1, n // (4 * kills)))
        while count_lines(log) < goal and run.poll() is None:
            time.sleep(0.02 if n < 10000 else 0.2)
        run.kill()
        if run.wait() not in (-9, 0):
            raise AssertionError(run.stderr.read().decode())
        run.stderr.close()
        time.sleep(0.5)  # what was in flight is answered by now
        kept, size = journalled(out), os.path.getsize(log)
        if kill > 0:
            asked_again += len({line[0] for line in read_log(log, before[1])} & before[0])
        before = (kept, size)
    last = subprocess.run(command, capture_output=True, text=True, check=False)
    if last.returncode:
        raise AssertionError(last.stderr)
    asked_again += len({line[0] for line in read_log(log, before[1])} & before[0])
    with open(os.path.join(out, "captions.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    answers = read_log(log)
    twice = sum(count - 1 for count in collections.Counter(line[0] for line in answers).values())
    return {
        "rows": len(rows),
        "images": len({row["image"] for row in rows}),
        "captions": len({row["caption"] for row in rows}),
        "answers": len(answers),
        "asked_again_though_kept": asked_again,
        "asked_twice": twice,
        "in_flight_at_kills": kills * CONCURRENCY,
        "tokens_of_server": sum(int(p) + int(c) for _, p, c in answers),
    }
