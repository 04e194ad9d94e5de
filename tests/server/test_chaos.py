"""400 records through 429 storms, cut connections and three kill -9: every row once, nothing that
was kept is asked again. bench/chaos.py does it with 100,000 and 20.

    DF_BINARY=build/densefusion python3 tests/server/test_chaos.py
"""

import hashlib
import json
import os
import random
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chaos import CONCURRENCY, chaos, write_tar  # noqa: E402
from server import Server  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BINARY = os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion"))
N, KILLS = 400, 3


class Chaotic(Server):
    """One request in twenty is cut, storms come in between; more than 16 at once are refused."""

    def __init__(self, log):
        super().__init__(room=16, delay_s=0.005)
        self.log, self.dice = log, random.Random(1)
        self.http.handle_error = lambda *_: None  # a client that was killed

    def answer(self, handler, name):
        text = json.dumps(self.of_thread.request).encode()
        number = hashlib.sha256(text).hexdigest()[:16]
        with self.lock:
            cut, storm = self.dice.random() < 0.05, time.monotonic() % 1 > 0.8
        if storm:
            return self.fault_storm(handler, name)
        if cut:
            return self.fault_cut(handler, name)
        self.send(
            handler,
            200,
            {
                "model": "chaos",
                "usage": {"prompt_tokens": 700, "completion_tokens": 20},
                "choices": [
                    {
                        "finish_reason": "stop",
                        "message": {
                            "content": "A picture numbered %s lies on a plain table." % number
                        },
                    }
                ],
            },
        )
        with self.lock, open(self.log, "a", encoding="ascii") as file:
            file.write("%s 700 20\n" % number)


class Chaos(unittest.TestCase):
    def test_nothing_lost_nothing_doubled(self):
        with tempfile.TemporaryDirectory() as folder:
            tar, out, log = (os.path.join(folder, name) for name in ("images.tar", "out", "log"))
            write_tar(tar, N)
            with Chaotic(log) as server:
                got = chaos(BINARY, tar, out, N, KILLS, server.url, log)
        self.assertEqual((got["rows"], got["images"], got["captions"]), (N, N, N), got)
        self.assertEqual(got["asked_again_though_kept"], 0, got)
        self.assertLessEqual(got["asked_twice"], KILLS * CONCURRENCY, got)
        self.assertGreater(len(server.requests), got["answers"], got)  # there was chaos


if __name__ == "__main__":
    unittest.main()
