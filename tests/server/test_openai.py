"""The openai engine against a server that misbehaves: nothing lost, nothing asked twice, one clear
line.

DF_BINARY=build/densefusion python3 tests/server/test_openai.py
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evidence import BINARY, EvidenceCase  # noqa: E402
from server import Server  # noqa: E402

IMAGES = 6


def captions(out):
    with open(os.path.join(out, "captions.jsonl"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class OpenAI(EvidenceCase):
    images = IMAGES

    def command(self, url, *more):
        return [
            BINARY,
            "run",
            self.photos,
            "-o",
            self.out,
            "--filter.min_side=1",
            "--caption.engine=openai",
            "--caption.openai.url=" + url,
            "--caption.model=m",
            "--caption.openai.concurrency=2",
            *more,
        ]

    def run_it(self, url, *more, env=None):
        return subprocess.run(
            self.command(url, *more),
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **(env or {})},
        )

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
            done = self.run_it(server.url, "--caption.openai.timeout_s=1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)

    def test_server_of_garbage_stops_the_stage_and_loses_nothing(self):
        with Server(always="garbage") as server:
            done = self.run_it(server.url, "--caption.openai.retries=1")
            self.assertEqual(done.returncode, 1)
            lines = [line for line in done.stderr.splitlines() if server.url in line]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertIn("It works!", lines[0])
            server.always = None
            again = self.run_it(server.url, "--caption.openai.retries=1")
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
        done = self.run_it("http://127.0.0.1:9", "--caption.openai.retries=1")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            len([line for line in done.stderr.splitlines() if "127.0.0.1:9" in line]),
            1,
            done.stderr,
        )

    def test_a_storm_costs_no_attempts(self):
        with Server(storm_s=4) as server:
            done = self.run_it(server.url, "--caption.openai.retries=1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertLess(
                len(server.requests), IMAGES + 20
            )  # it was left alone for growing pauses

    def test_a_cut_after_a_storm_does_not_end_its_patience(self):
        """The retries alone would be worth half a second; the storm has lasted longer when the
        connection breaks."""
        with Server(["cut"], storm_s=3) as server:
            done = self.run_it(server.url, "--caption.openai.retries=1", "--caption.openai.concurrency=1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertFalse(server.faults)

    def test_a_storm_without_end_stops(self):
        with Server(storm_s=1000) as server:
            done = self.run_it(server.url, "--caption.openai.retries=1", "--caption.openai.patience_s=3")
            self.assertEqual(done.returncode, 1)
            self.assertIn("HTTP 429: rate limit", done.stderr)

    def test_retry_after_is_obeyed_in_both_forms(self):
        for fault, least in (("later", 2), ("later_by_date", 2)):
            with Server([fault, fault]) as server:
                shutil.rmtree(self.out)
                shutil.copytree(self.evidence, self.out)
                done = self.run_it(server.url)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assert_all_captioned(server)
                self.assertEqual(len(server.requests), IMAGES + 2)
                self.assertGreaterEqual(time.monotonic() - server.first, least)

    def test_a_server_with_little_room_is_not_flooded(self):
        with Server(room=2, delay_s=0.1) as server:
            done = self.run_it(server.url, "--caption.openai.concurrency=64")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertEqual(server.most_at_once, 2)

    def test_loris_ends_at_the_timeout(self):
        with Server(["loris"]) as server:
            done = self.run_it(server.url, "--caption.openai.timeout_s=1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)

    def test_content_type_and_ids_do_not_matter(self):
        with Server(["plain_text"]) as server:  # and every answer has the same id
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertEqual(len(server.requests), IMAGES)

    def test_one_record_that_no_server_survives_is_its_own_error(self):
        with Server(delay_s=0.3) as server:
            poisoned = server.serve

            def serve(handler, request):
                if "poison" in request["messages"][0]["content"][0]["text"]:
                    handler.close_connection = True
                    return
                poisoned(handler, request)

            server.serve = serve
            first = sorted(os.listdir(self.photos))[0]
            with open(os.path.join(self.photos, first[:-4] + ".txt"), "w", encoding="utf-8") as alt:
                alt.write("poison")
            shutil.rmtree(self.out)
            done = self.run_it(server.url, "--caption.openai.retries=2", "--skip", "tag,detect,read")
            os.remove(alt.name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(captions(self.out)), IMAGES - 1)
            self.assertIn(first, done.stderr)

    def test_two_servers_share_the_work(self):
        with Server(delay_s=0.2) as one, Server(delay_s=0.2) as other:
            done = self.run_it(one.url + ", " + other.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(captions(self.out)), IMAGES)
            self.assertEqual(len(one.requests) + len(other.requests), IMAGES)
            self.assertGreaterEqual(min(len(one.requests), len(other.requests)), 2)

    def test_a_server_that_is_gone_is_passed_by(self):
        with Server() as server:
            done = self.run_it("http://127.0.0.1:9," + server.url, "--caption.openai.retries=1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)

    def test_a_wrong_key_at_one_of_two_stops(self):
        with Server(delay_s=0.2) as one, Server(always="denied") as other:
            done = self.run_it(one.url + "," + other.url)
            self.assertEqual(done.returncode, 1)
            self.assertIn("set OPENAI_API_KEY or caption.openai.api_key_file", done.stderr)
            self.assertIn(other.url, done.stderr)

    def test_wrong_model_lists_what_there_is(self):
        with Server(always="no_model") as server:
            server.models = ["llava-a", "llava-b"]
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 1)
            self.assertIn(
                "The model `m` does not exist.; it has: llava-a, llava-b; see caption.model",
                done.stderr,
            )
            self.assertLessEqual(len(server.requests), 2)

    def test_context_too_small_shortens_the_evidence(self):
        believe_all = ("--fuse.accept=nanodet=0",)
        with Server() as server:
            self.run_it(server.url, *believe_all)
            texts = sorted(
                (r["messages"][0]["content"][0]["text"] for r, _, _ in server.requests), key=len
            )
        self.assertLess(len(texts[0]), len(texts[-1]))
        with Server(longest=len(texts[-1]) - 1) as server:
            shutil.rmtree(self.out)
            shutil.copytree(self.evidence, self.out)
            done = self.run_it(server.url, *believe_all)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            asked = [r["messages"][0]["content"][0]["text"] for r, _, _ in server.requests]
            self.assertGreater(len(asked), IMAGES)
            self.assertEqual(
                len({text[:500] for text in asked}), 1
            )  # the prefix that servers cache
            shorter = [text for text in asked if text not in texts]
            self.assertTrue(shorter and all(len(text) < len(texts[-1]) for text in shorter))

    def test_sampling_options_arrive(self):
        with Server() as server:
            done = self.run_it(
                server.url,
                "--caption.top_k=40",
                "--caption.top_p=0.9",
                "--caption.stop=END",
                '--caption.openai.extra={"min_p": 0.1, "max_tokens": null}',
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            request = server.requests[0][0]
            self.assertEqual(
                (request["top_k"], request["top_p"], request["stop"], request["min_p"]),
                (40, 0.9, ["END"], 0.1),
            )
            self.assertNotIn("max_tokens", request)
        done = self.run_it("http://me:secret-3@127.0.0.1:9")
        self.assertEqual(done.returncode, 2)
        self.assertIn("caption.openai.url: no name or password", done.stderr)
        self.assertNotIn("secret-3", done.stderr)
        done = self.run_it("http://127.0.0.1:9", '--caption.openai.extra={"messages": []}')
        self.assertEqual(done.returncode, 2)
        self.assertIn('caption.openai.extra: "messages"', done.stderr)

    def test_tls_is_verified(self):
        folder = tempfile.mkdtemp(dir=self.folder)
        key, cert, both = (os.path.join(folder, n) for n in ("key.pem", "cert.pem", "both.pem"))
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                key,
                "-out",
                cert,
            ],
            check=True,
            capture_output=True,
        )
        with open(both, "w", encoding="ascii") as out:
            for path in (key, cert):
                with open(path, encoding="ascii") as file:
                    out.write(file.read())
        with Server(certificate=both) as server:
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 1)
            self.assertIn("caption.openai.ca_file", done.stderr)
            self.assertEqual(len(server.requests), 0)
            done = self.run_it(server.url, "--caption.openai.ca_file=" + cert)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)

    def test_a_full_disk_is_one_line_and_loses_nothing(self):
        def small_disk():
            signal.signal(
                signal.SIGXFSZ, signal.SIG_IGN
            )  # a write beyond the limit fails, as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))

        with Server(words=2000) as server:  # an answer is about 12 KB
            done = subprocess.run(
                self.command(server.url),
                capture_output=True,
                text=True,
                timeout=120,
                preexec_fn=small_disk,
                check=False,
            )
            self.assertEqual(done.returncode, 1)
            self.assertEqual(
                len([line for line in done.stderr.splitlines() if "File too large" in line]),
                1,
                done.stderr,
            )
            kept = len(server.requests)
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertLessEqual(
                len(server.requests), IMAGES + 2
            )  # what could not be kept is asked again
            self.assertGreater(kept, 2)

    def test_kill_loses_only_what_was_in_flight(self):
        with Server(delay_s=0.4) as server:
            run = subprocess.Popen(
                self.command(server.url), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
            while len(server.answered) < 3:
                time.sleep(0.02)
            time.sleep(0.1)
            run.send_signal(signal.SIGKILL)
            run.wait()
            done = self.run_it(server.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_all_captioned(server)
            self.assertLessEqual(len(server.answered), IMAGES + 2)  # two were in flight

    def test_interrupt_stops_and_resumes(self):
        with Server(delay_s=0.4) as server:
            run = subprocess.Popen(
                self.command(server.url),
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
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
