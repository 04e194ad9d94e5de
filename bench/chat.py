"""How fast captions are asked for, and how much memory that takes: chat.py BUILD FOLDER [N]
[PYTHON] Makes N (10,000) images of 100 KB in a WebDataset tar, runs everything up to `fuse` without
experts, then `caption` against bench_chat_server on loopback; with PYTHON (that has openai and
httpx) the same job by bench/peer_chat.py beside it. Prints CSV: client, requests, seconds, requests
a second, CPU seconds, peak RSS in MiB. `densefusion` is the whole command, from its start to the
closed part.
    ninja -C build bench_chat_server && python3 bench/chat.py build /tmp/chat 10000 venv/bin/python
"""

import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "server"))
from chaos import write_tar  # noqa: E402

SKIP = ["--filter.min_side=1", "--skip", "embed,cluster,dedup,select,tag,detect,read,look"]


def measure(command):
    """Seconds, CPU seconds, peak RSS in MiB."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, use = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command[:2])}: failed")
    return time.monotonic() - began, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024


def server(build, *options):
    process = subprocess.Popen(
        [os.path.join(build, "bench_chat_server"), *options], stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().strip()


def main(build, folder, n=10000, python=None):
    n = int(n)
    os.makedirs(folder, exist_ok=True)
    tar, evidence, out = (
        os.path.join(folder, name) for name in (f"{n}.tar", f"{n}-evidence", "out")
    )
    photo = os.path.join(HERE, "..", "samples", "dandelions.jpg")
    if not os.path.exists(tar):
        with open(photo, "rb") as file:
            write_tar(tar, n, file.read())
    run = [os.path.join(build, "densefusion"), "run", tar]
    if not os.path.exists(evidence):
        subprocess.run(
            [*run, "-o", evidence, "--to", "fuse", *SKIP], check=True, capture_output=True
        )
    print("client,requests,seconds,requests_s,cpu_s,peak_mib", flush=True)
    chat, url = server(build)
    try:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(evidence, out)
        seconds, cpu, mib = measure(
            [
                *run,
                "-o",
                out,
                "--to",
                "caption",
                *SKIP,
                "--caption.engine=openai",
                "--caption.openai.url=" + url,
            ]
        )
        print(f"densefusion,{n},{seconds:.1f},{n / seconds:.0f},{cpu:.1f},{mib:.0f}", flush=True)
        for peer in ("openai", "httpx") if python else ():
            subprocess.run(
                [
                    python,
                    os.path.join(HERE, "peer_chat.py"),
                    peer,
                    url,
                    tar,
                    os.path.join(folder, peer + ".jsonl"),
                ],
                check=False,
            )
    finally:
        chat.terminate()
        chat.wait()


if __name__ == "__main__":
    main(*sys.argv[1:5])
