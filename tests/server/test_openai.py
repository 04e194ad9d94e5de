"""The openai engine against a server that misbehaves: nothing lost, nothing asked twice, one clear line.

    DF_BINARY=build/densefusion python3 tests/server/test_openai.py
"""
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
from server import Server  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BINARY = os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion"))
IMAGES = 6


def captions(out):
    with open(os.path.join(out, "captions.jsonl"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class OpenAI(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Evidence is made once; each test copies it and runs caption on."""
        cls.folder = tempfile.mkdtemp()
        cls.photos = os.path.join(cls.folder, "photos")
        os.mkdir(cls.photos)
        samples = sorted(n for n in os.listdir(os.path.join(SOURCE, "samples")) if n.endswith(".jpg"))
        for name in samples[:IMAGES]:
            shutil.copy(os.path.join(SOURCE, "samples", name), cls.photos)
        cls.evidence = os.path.join(cls.folder, "evidence")
        subprocess.run([BINARY, "run", cls.photos, "-o", cls.evidence, "--to", "fuse", "--filter.min_side=1"],
                       check=True, stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.out = os.path.join(self.folder, self.id().rsplit(".", 1)[1])
        shutil.copytree(self.evidence, self.out)

    def command(self, url, *more):
        return [BINARY, "run", self.photos, "-o", self.out, "--filter.min_side=1", "--caption.engine=openai",
                "--caption.url=" + url, "--caption.model=m", "--caption.concurrency=2", *more]

    def run_it(self, url, *more, env=None):
        return subprocess.run(self.command(url, *more), capture_output=True, text=True, timeout=120,
                              env={**os.environ, **(env or {})})

    def assert_all_captioned(self, server):
        got = captions(self.out)
        self.assertEqual(len(got), IMAGES)
        self.assertTrue(all(c["caption"].startswith("A picture with the number") for c in got))
        self.assertEqual(len(set(server.answered)), IMAGES)

    def test_plain_conversation(self):
        with Server() as server:
            done = self.run_it(server.url, env={"OPENAI_API_KEY": "sk-secret-1"})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertEqual(len(server.requests), IMAGES)
            request, headers, path = server.requests[0]
            self.assertEqual(path, "/v1/chat/completions")
            self.assertEqual(headers["Authorization"], "Bearer sk-secret-1")
            self.assertIn("[External Information]", request["messages"][0]["content"][0]["text"])
            self.assertNotIn("sk-secret-1", done.stdout + done.stderr)
            again = self.run_it(server.url)
            self.assertEqual((again.returncode, len(server.requests)), (0, IMAGES))
        left = subprocess.run(["grep", "-rl", "sk-secret-1", self.out], capture_output=True)
        self.assertEqual(left.stdout, b"")

    def test_passing_faults_are_tried_again(self):
        with Server(["busy", "cut", "truncated", "garbage", "loading", "busy"]) as server:
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertEqual(len(server.answered), IMAGES)
            self.assertEqual(len(server.requests), IMAGES + 6)

    def test_stall_ends_at_the_timeout(self):
        with Server(["stall"]) as server:
            done = self.run_it(server.url, "--caption.timeout_s=1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)

    def test_server_of_garbage_stops_the_stage_and_loses_nothing(self):
        with Server(always="garbage") as server:
            done = self.run_it(server.url, "--caption.retries=1")
            self.assertEqual(done.returncode, 1)
            lines = [line for line in done.stderr.splitlines() if server.url in line]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertIn("It works!", lines[0])
            server.always = None
            again = self.run_it(server.url, "--caption.retries=1")
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assert_all_captioned(server)

    def test_huge_answer_is_cut_off(self):
        with Server(["huge"]) as server:
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)

    def test_one_refused_record_is_a_row_with_the_servers_words(self):
        with Server(["refused"]) as server:
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("HTTP 400: image has too many <b>tokens</b>", done.stderr)
            self.assertEqual(len(captions(self.out)), IMAGES - 1)

    def test_wrong_key_stops_at_once(self):
        with Server(always="denied") as server:
            done = self.run_it(server.url, env={"OPENAI_API_KEY": "sk-wrong-2"})
            self.assertEqual(done.returncode, 1)
            self.assertIn("Incorrect API key provided", done.stderr)
            self.assertNotIn("sk-wrong-2", done.stdout + done.stderr)
            self.assertLessEqual(len(server.requests), 2)

    def test_no_server(self):
        done = self.run_it("http://127.0.0.1:9", "--caption.retries=1")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len([line for line in done.stderr.splitlines() if "127.0.0.1:9" in line]), 1, done.stderr)

    def test_kill_loses_only_what_was_in_flight(self):
        with Server(delay_s=0.4) as server:
            run = subprocess.Popen(self.command(server.url), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            while len(server.answered) < 3:
                time.sleep(0.02)
            time.sleep(0.1)
            run.send_signal(signal.SIGKILL)
            run.wait()
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertLessEqual(len(server.answered), IMAGES + 2)      # two were in flight

    def test_interrupt_stops_and_resumes(self):
        with Server(delay_s=0.4) as server:
            run = subprocess.Popen(self.command(server.url), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            while len(server.answered) < 2:
                time.sleep(0.02)
            run.send_signal(signal.SIGINT)
            _, err = run.communicate(timeout=20)
            self.assertEqual(run.returncode, 3, err)
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)


if __name__ == "__main__":
    unittest.main()
