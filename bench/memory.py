#!/usr/bin/env python3
"""Memory of a long run over pictures of varying size: a line of CSV (images, seconds, RSS MB) every
--every images.

    .deps/venv/bin/python bench/memory.py build/densefusion samples MORE_FOLDERS [--images 5000] [--
    --skip=detect ...]

Pictures are cut and resized from those of the folders (same seed, same pictures), 160 to 1280
pixels a side, then go through the real program: tag, detect, read. What follows -- is given to it
as it is. Needs Pillow.
"""

import argparse
import math
import os
import pathlib
import pty
import random
import re
import shutil
import sys
import tempfile
import time

from PIL import Image

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def make_pictures(folders, n, to):
    """Every picture has a size of its own; text stays readable in many of them."""
    files = sorted(
        p for f in folders for p in pathlib.Path(f).rglob("*") if p.suffix.lower() in SUFFIXES
    )
    dice = random.Random(5)
    sources = []
    for path in files:
        image = Image.open(path).convert("RGB")
        image.thumbnail((2048, 2048))
        sources.append(image)
    for i in range(n):
        image = sources[i % len(sources)]
        width, height = (round(160 * 8 ** dice.random()) for _ in range(2))
        scale = max(width / image.width, height / image.height)
        part = min(
            1.0, scale * math.sqrt(dice.uniform(1, 4))
        )  # how much of the picture fills the frame
        w, h = min(image.width, width / part), min(image.height, height / part)
        x, y = dice.uniform(0, image.width - w), dice.uniform(0, image.height - h)
        image.resize((width, height), Image.BILINEAR, (x, y, x + w, y + h)).save(
            to / f"{i:06}.jpg", quality=85
        )


def rss_mb(pid, field="VmRSS"):
    for line in open(f"/proc/{pid}/status", encoding="ascii"):
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


def follow(command, every):
    """Runs the command on a terminal of its own, for its progress line says how many images are
    done."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    began, told, text = time.monotonic(), 0, b""
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError:
            block = b""
        if not block:
            break
        text = (text + block)[-4000:]
        seen = re.findall(rb"(?:tag|detect|read)[a-z, ]*  (\d+) of \d+", text)
        if seen and int(seen[-1]) >= told + every:
            told = int(seen[-1]) // every * every
            print(
                f"{told},{time.monotonic() - began:.0f},{rss_mb(pid):.0f},{rss_mb(pid, 'VmHWM'):.0f}",
                flush=True,
            )
    status = os.waitpid(pid, 0)[1]
    if status:
        sys.exit(f"{command[0]} failed: {text[-400:].decode(errors='replace')}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--every", type=int, default=500)
    parser.add_argument(
        "--keep", type=pathlib.Path, help="folder for the pictures, used again when it is there"
    )
    argv, extra = sys.argv[1:], []
    if "--" in argv:
        argv, extra = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        pictures = args.keep or pathlib.Path(scratch) / "pictures"
        if not pictures.exists():
            made = pathlib.Path(scratch) / "made"
            made.mkdir()
            make_pictures(args.folders, args.images, made)
            shutil.move(made, pictures)
        print("images,seconds,rss_mb,peak_mb", flush=True)
        follow(
            [
                args.program,
                "run",
                str(pictures),
                "-o",
                f"{scratch}/out",
                "-j2",
                "--to=read",
                "--filter.min_side=0",
                "--filter.max_aspect=1000",
                "--filter.duplicates=false",
                "--skip=embed,cluster,dedup,select",
                *extra,
            ],
            args.every,
        )


if __name__ == "__main__":
    main()
