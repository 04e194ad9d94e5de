#!/usr/bin/env python3
"""Images a second and peak memory of each expert, ours beside the same models in Python, one after
the other.

    VENV/bin/python bench/experts.py build/densefusion FOLDER [--only tag ...] [--threads 2]
    [--rounds 2]

FOLDER holds photographs. VENV has what bench/peer_experts.py asks for. Ours is the whole program
(start, model, decoding, tables). The peer's time begins after its models are loaded and one image
is done (ratio), or with its process too
(whole_ratio); its better way of two counts: an image at a time on all threads, or an image a
thread. The fastest of the rounds counts. Prints CSV and the load.
"""

import argparse
import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
STAGES = ["safety", "embed", "tag", "detect", "read"]
WHOLE = [
    "--detect.slices=0",
    "--filter.min_side=0",
    "--filter.max_aspect=1000",
    "--filter.duplicates=false",
]
SKIP = "--skip=cluster,dedup,select"


def measure(command):
    """Seconds, CPU seconds and peak MB of a program."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    words = child.stderr.read().decode(errors="replace")
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)}\n{words}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def ours(args, expert, scratch):
    out = f"{scratch}/out"
    base = [args.program, "run", args.folder, "-o", out, f"-j{args.threads}", *WHOLE]
    if expert == "safety":
        return measure([*base, "--to=filter", "--ingest.hash=false", "--filter.safety=1"])
    measure([*base, "--to=filter"])
    skip = SKIP if expert == "embed" else SKIP + ",embed"
    before = [s for s in ("tag", "detect") if STAGES.index(s) < STAGES.index(expert)]
    return measure([*base, f"--from={expert}", f"--to={expert}", ",".join([skip, *before])])


def peer(args, expert, workers):
    began = time.perf_counter()
    got = subprocess.run(
        [
            sys.executable,
            HERE / "peer_experts.py",
            args.models,
            args.folder,
            "--only",
            expert,
            "--threads",
            str(args.threads),
            "--workers",
            str(workers),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    whole = time.perf_counter() - began
    row = next(csv.DictReader(got.stdout.splitlines()))
    return (
        float(row["seconds"]),
        float(row["cpu_s"]),
        float(row["peak_mb"]),
        int(row["images"]),
        whole,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--models", default=HERE.parent / "share" / "models")
    parser.add_argument("--only", action="append", choices=STAGES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    print(
        "expert,images,ours_per_s,peer_per_s,ratio,whole_ratio,ours_per_cpu_s,peer_per_cpu_s,cpu_ratio,ours_mb,peer_mb,load"
    )
    for expert in args.only or STAGES:
        mine, theirs = [], []
        for _ in range(args.rounds):
            with tempfile.TemporaryDirectory() as scratch:
                mine.append(ours(args, expert, scratch))
            theirs += [peer(args, expert, workers) for workers in (1, args.threads)]
        n = theirs[0][3]
        a, b = min(mine), min(theirs)
        a_cpu, b_cpu = min(m[1] for m in mine), min(t[1] for t in theirs)
        print(
            f"{expert},{n},{n / a[0]:.2f},{n / b[0]:.2f},{b[0] / a[0]:.2f},"
            f"{min(t[4] for t in theirs) / a[0]:.2f},{n / a_cpu:.2f},{n / b_cpu:.2f},"
            f"{b_cpu / a_cpu:.2f},{max(m[2] for m in mine):.0f},{b[2]:.0f},{os.getloadavg()[0]:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
