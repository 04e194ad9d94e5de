"""100,000 requests through 429 storms, cut connections and 20 kill -9: chaos.py BUILD FOLDER [N]
[KILLS] tests/server/chaos.py kills and counts, bench_chat_server answers: 2 s of every 20 nothing
but 429, one connection in fifty cut.
    ninja -C build densefusion-cli bench_chat_server && python3 bench/chaos.py build /tmp/chaos
    100000 20
"""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "server"))
from chaos import chaos, write_tar  # noqa: E402


def main(build, folder, n=100000, kills=20):
    n, kills = int(n), int(kills)
    os.makedirs(folder, exist_ok=True)
    tar, out, log = (os.path.join(folder, name) for name in (f"{n}.tar", "out", "log"))
    if not os.path.exists(tar):
        write_tar(tar, n)
    server = subprocess.Popen(
        [
            os.path.join(build, "bench_chat_server"),
            "storm_every=20",
            "storm=2",
            "cut=0.02",
            "log=" + log,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    began = time.monotonic()
    try:
        got = chaos(
            os.path.join(build, "densefusion"),
            tar,
            out,
            n,
            kills,
            server.stdout.readline().strip(),
            log,
        )
    finally:
        server.terminate()
        server.wait()
    got["seconds"] = round(time.monotonic() - began)
    print("\n".join(f"{key},{value}" for key, value in got.items()))
    good = (
        got["rows"] == got["images"] == got["captions"] == n and got["asked_again_though_kept"] == 0
    )
    sys.exit(not (good and got["asked_twice"] <= got["in_flight_at_kills"]))


if __name__ == "__main__":
    main(*sys.argv[1:5])
