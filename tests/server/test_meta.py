"""densefusion meta: what is drawn, what is asked, and the set that an engine is tuned on.

DF_BINARY=build/densefusion python3 tests/server/test_meta.py
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evidence import BINARY, SOURCE  # noqa: E402
from test_again import GOOD, LENIENT, OPENING, Talker  # noqa: E402


def digest(folder):
    """Of every file below a folder, by path."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return found


class Meta(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """The samples as a curated dataset, their captions by the built-in engine."""
        cls.folder = tempfile.mkdtemp()
        cls.whole = os.path.join(cls.folder, "whole")
        subprocess.run(
            [
                BINARY,
                "run",
                os.path.join(SOURCE, "samples"),
                "-o",
                cls.whole,
                "--to=fuse",
                "--cluster.k=6",
            ],
            check=True,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        cls.images = {}
        for i in range(29):
            shown = subprocess.run(
                [BINARY, "show", cls.whole, "0-%d" % i, "--json"],
                check=True,
                capture_output=True,
                text=True,
            )
            row = json.loads(shown.stdout)
            cls.images[row["ingest"][0]["path"]] = row

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.out = os.path.join(self.folder, self.id().rsplit(".", 1)[1])

    def command(self, *more):
        return [BINARY, "meta", self.whole, "-o", self.out, *LENIENT, *more]

    def run_it(self, *more):
        done = subprocess.run(self.command(*more), capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def served(self, server, *more):
        return self.run_it(
            "--caption.engine=openai", "--caption.openai.url=" + server.url, "--caption.model=m", *more
        )

    def conversations(self, name):
        with open(os.path.join(self.out, "export", "tuning", name), encoding="utf-8") as f:
            return json.load(f)

    def drawn(self):
        return {
            c["image"] for name in ("train.json", "held_out.json") for c in self.conversations(name)
        }

    def kept(self):
        return {path for path, row in self.images.items() if row.get("fuse")}

    def test_a_conversation_is_what_the_tuned_engine_will_be_asked(self):
        with Talker(GOOD) as server:
            self.served(server, "--fuse.draw=9", "--export.held_out=0")
            prompts = [
                request["messages"][0]["content"][0]["text"] for request, _, _ in server.requests
            ]
        self.assertEqual(len(prompts), 9)
        train = self.conversations("train.json")
        self.assertEqual(len(train), 9)
        for c in train:
            human, gpt = c["conversations"]
            engine_prompt = self.images[c["image"]]["fuse"][0][
                "prompt"
            ]  # of a run with fuse.prompt=engine
            self.assertEqual(human, {"from": "human", "value": "<image>\n" + engine_prompt})
            self.assertEqual(gpt, {"from": "gpt", "value": GOOD})
            self.assertNotIn(engine_prompt, prompts)  # the meta prompt is another

    def test_a_draw_of_the_same_seed_grows(self):
        with Talker(GOOD) as server:
            self.served(server, "--fuse.draw=6")
            few = self.drawn()
            self.served(server, "--fuse.draw=15")
            many = self.drawn()
            self.assertEqual(len(server.requests), 15)  # the first six were paid for
            self.served(server, "--fuse.draw=15", "--fuse.draw_seed=1")
        self.assertEqual((len(few), len(many)), (6, 15))
        self.assertLess(few, many)
        self.assertNotEqual(many, self.drawn())
        self.assertLessEqual(many | self.drawn(), self.kept())

    def test_a_draw_is_uniform_over_what_was_kept(self):
        counts = dict.fromkeys(self.kept(), 0)
        for seed in range(16):
            self.run_it("--fuse.draw=12", "--fuse.draw_seed=%d" % seed)
            for path in self.drawn():
                counts[path] += 1
        expected = 16 * 12 / len(counts)
        self.assertEqual(sum(counts.values()), 16 * 12)
        self.assertLess(max(abs(n - expected) for n in counts.values()), 4 * expected**0.5)

    def test_more_than_there_are(self):
        done = self.run_it()
        self.assertIn("fewer than the 100000 asked for", done.stderr)
        self.assertEqual(self.drawn(), self.kept())

    def test_a_cluster_is_on_one_side(self):
        for seed in range(4):
            self.run_it("--export.held_out=0.5", "--export.split_seed=%d" % seed)
            sides = [
                {self.images[c["image"]]["cluster"][0]["cluster"] for c in self.conversations(name)}
                for name in ("train.json", "held_out.json")
            ]
            self.assertEqual(sides[0] & sides[1], set())
            self.assertEqual(
                sides[0] | sides[1],
                {
                    row["cluster"][0]["cluster"]
                    for p, row in self.images.items()
                    if p in self.kept()
                },
            )

    def test_what_failed_is_left_out_and_counted(self):
        with Talker(OPENING) as server:
            done = self.served(server, "--fuse.draw=5")
        self.assertIn("left out: 5 failed the check, 0 have no caption", done.stderr)
        self.assertEqual(self.drawn(), set())

    def test_the_dataset_it_is_made_of_stays_as_it_is(self):
        before = digest(self.whole)
        self.run_it("--fuse.draw=5")
        self.run_it("--fuse.draw=7", "--fuse.max_boxes=3")
        self.assertEqual(digest(self.whole), before)

    def test_a_kill_and_the_same_command_again(self):
        with Talker(GOOD, delay_s=0.05) as server:
            more = [
                "--fuse.draw=12",
                "--export.held_out=0.4",
                "--caption.engine=openai",
                "--caption.openai.url=" + server.url,
                "--caption.model=m",
                "--caption.openai.concurrency=2",
            ]
            self.run_it(*more)
            whole = digest(os.path.join(self.out, "export"))
            for delay in (0.02, 0.05, 0.1, 0.2, 0.3):
                shutil.rmtree(self.out)
                run = subprocess.Popen(
                    self.command(*more), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
                )
                time.sleep(delay)
                run.send_signal(signal.SIGKILL)
                run.wait()
                self.run_it(*more)
                self.assertEqual(digest(os.path.join(self.out, "export")), whole)

    def test_folders_that_are_none(self):
        for whole, words in (
            (os.path.join(self.folder, "nowhere"), "no dataset there"),
            (self.whole, "a dataset of other images"),
        ):
            other = os.path.join(self.folder, "other")
            photos = os.path.join(self.folder, "photos")
            os.makedirs(photos, exist_ok=True)
            shutil.copy(os.path.join(SOURCE, "samples", "two-dogs.jpg"), photos)
            subprocess.run(
                [BINARY, "run", photos, "-o", other, "--to=filter"], check=True, capture_output=True
            )
            done = subprocess.run(
                [BINARY, "meta", whole, "-o", other], capture_output=True, text=True
            )
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
