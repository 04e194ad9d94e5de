"""Captions that fail are asked again, told what was wrong: what is asked, what is kept, and what a
kill loses.

DF_BINARY=build/densefusion python3 tests/server/test_again.py
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evidence import BINARY, EvidenceCase  # noqa: E402
from server import Server  # noqa: E402

IMAGES = EvidenceCase.images
GOOD = "A plain wall stands behind it."
OPENING = "The image shows a plain wall."
WORSE = "The image shows a plain wall that appears to be old"  # opening, reasoning, unfinished
LENIENT = [
    "--check.min_object_recall=0",
    "--check.min_text_recall=0",
    "--check.max_invented=1000",
    "--check.max_quotes=1000",
    "--check.duplicates=false",
]


class Talker(Server):
    """Answers the n-th message of a conversation with the n-th text, the last one for all that
    follow."""

    def __init__(self, *texts, delay_s=0.0):
        super().__init__(delay_s=delay_s)
        self.texts, self.usages = texts, []

    def serve(self, handler, request):
        asked = sum(message["role"] == "user" for message in request["messages"])
        text = self.texts[min(asked, len(self.texts)) - 1]
        usage = {
            "prompt_tokens": 1000 * asked + 7,
            "completion_tokens": len(text.split()),
            "prompt_tokens_details": {"cached_tokens": 100 * (asked - 1)},
        }
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
        time.sleep(self.delay_s)
        with self.lock:
            self.at_once -= 1
            self.requests.append((request, dict(handler.headers), handler.path))
            self.usages.append(usage)
        self.send(
            handler,
            200,
            {
                "model": "talker",
                "usage": usage,
                "choices": [
                    {"finish_reason": "stop", "message": {"role": "assistant", "content": text}}
                ],
            },
        )


class Again(EvidenceCase):
    def command(self, server, *more):
        return [
            BINARY,
            "run",
            self.photos,
            "-o",
            self.out,
            "--to=check",
            "--filter.min_side=1",
            "--caption.engine=openai",
            "--caption.openai.url=" + server.url,
            "--caption.model=m",
            "--caption.openai.concurrency=2",
            *LENIENT,
            *more,
        ]

    def run_it(self, server, *more):
        done = subprocess.run(
            self.command(server, *more), capture_output=True, text=True, timeout=120
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def rows(self):
        for i in range(IMAGES):
            shown = subprocess.run(
                [BINARY, "show", self.out, "0-%d" % i, "--json"],
                check=True,
                capture_output=True,
                text=True,
            )
            yield json.loads(shown.stdout)

    def test_it_is_told_what_was_wrong(self):
        with Talker(OPENING, GOOD) as server:
            self.run_it(server, "--caption.ask_again=2")
            self.assertEqual(len(server.requests), 2 * IMAGES)
            asked = [r for r, _, _ in server.requests if len(r["messages"]) == 3]
            self.assertEqual(len(asked), IMAGES)
            for request in asked:
                first, answer, reply = request["messages"]
                self.assertEqual(first["content"][1]["type"], "image_url")
                self.assertEqual(answer, {"role": "assistant", "content": OPENING})
                self.assertIn('"The image shows"', reply["content"])
        for row in self.rows():
            self.assertEqual(
                (row["caption"][0]["caption"], row["caption"][0]["attempts"]), (GOOD, 2)
            )
            self.assertEqual(row["check"][0]["verdict"], "pass")
            self.assertEqual(
                [
                    (a["attempt"], a["caption"], a["reasons"], a["prompt_tokens"])
                    for a in row["caption/attempts"]
                ],
                [(1, OPENING, ["opening"], 1007), (2, GOOD, [], 2007)],
            )

    def test_parts_are_no_borders(self):
        """Four parts of one image, four requests at once: they are asked together, and each part is
        written when it is whole."""
        shutil.rmtree(self.out)
        more = ["--ingest.part_rows=1", "--caption.openai.concurrency=4"]
        with Talker(GOOD, delay_s=0.5) as server:
            self.run_it(server, "--to=fuse", *more)
            self.run_it(server, *more)
            self.assertGreater(server.most_at_once, 1)
            self.assertEqual(len(server.requests), IMAGES)
        for part in range(IMAGES):
            shown = subprocess.run(
                [BINARY, "show", self.out, "%d-0" % part, "--json"],
                check=True,
                capture_output=True,
                text=True,
            )
            self.assertEqual(json.loads(shown.stdout)["caption"][0]["caption"], GOOD)

    def test_by_default_it_is_asked_once(self):
        with Talker(OPENING, GOOD) as server:
            self.run_it(server)
            self.assertEqual(len(server.requests), IMAGES)
        for row in self.rows():
            self.assertEqual(
                (row["caption"][0]["caption"], row["check"][0]["reasons"]), (OPENING, ["opening"])
            )

    def test_when_none_passes_the_best_is_kept(self):
        with Talker(WORSE, OPENING, WORSE) as server:
            self.run_it(server, "--caption.ask_again=2")
            self.assertEqual(len(server.requests), 3 * IMAGES)
        for row in self.rows():
            self.assertEqual(
                (row["caption"][0]["caption"], row["caption"][0]["engine"]), (OPENING, "openai")
            )
            self.assertEqual(
                (row["check"][0]["verdict"], len(row["caption/attempts"])), ("fail", 3)
            )

    def test_or_the_built_in_engine_writes_it(self):
        with Talker(WORSE) as server:
            self.run_it(server, "--caption.ask_again=1", "--caption.on_fail=compose")
        for row in self.rows():
            self.assertEqual(row["caption"][0]["engine"], "compose")
            self.assertNotIn(row["caption"][0]["caption"], (None, "", WORSE))
            self.assertEqual([a["caption"] for a in row["caption/attempts"]], [WORSE, WORSE])

    def test_the_same_caption_on_different_images_is_an_alarm(self):
        with Talker(GOOD) as server:
            done = subprocess.run(
                self.command(server, "--check.duplicates=true"), capture_output=True, text=True
            )
        self.assertIn("1 captions are word for word those of several different images", done.stderr)
        for row in self.rows():
            self.assertEqual(row["check"][0]["reasons"], ["duplicate"])

    def test_what_went_wrong_while_it_was_made(self):
        cases = ("墙壁是灰色的。前面有一条狗，后面有一棵树。", ["short", "language"]), (
            "A wall and a wall and a wall and a wall.",
            ["loop"],
        )
        for seed, (text, reasons) in enumerate(cases):
            with Talker(text, GOOD) as server:
                self.run_it(
                    server,
                    "--caption.ask_again=1",
                    "--check.max_repetition=1",
                    "--caption.seed=%d" % seed,
                )
            for row in self.rows():
                self.assertEqual([a["reasons"] for a in row["caption/attempts"]], [reasons, []])

    def test_other_limits_ask_only_what_they_change(self):
        with Talker(OPENING, GOOD) as server:
            self.run_it(server)
            self.run_it(server, "--caption.ask_again=1")  # the first answers are known
            self.assertEqual(len(server.requests), 2 * IMAGES)
            self.run_it(server, "--caption.ask_again=1", "--check.max_words=100")
            self.assertEqual(len(server.requests), 2 * IMAGES)

    def test_a_kill_between_attempts_asks_nothing_twice(self):
        with Talker(WORSE, OPENING, GOOD, delay_s=0.15) as server:
            run = subprocess.Popen(
                self.command(server, "--caption.ask_again=2"),
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            while len(server.requests) < IMAGES:
                time.sleep(0.01)
            run.send_signal(signal.SIGKILL)
            run.wait()
            time.sleep(0.4)
            self.run_it(server, "--caption.ask_again=2")
            self.assertLessEqual(len(server.requests), 3 * IMAGES + 2)  # two were in flight
        for row in self.rows():
            self.assertEqual(
                (row["caption"][0]["caption"], row["caption"][0]["attempts"]), (GOOD, 3)
            )

    def test_a_second_time_in_vain_does_not_pay_the_first_again(self):
        with Talker(OPENING, GOOD) as server:
            serve, broken = server.serve, []

            def fail_second_turns(handler, request):
                if len(request["messages"]) > 1 and len(broken) < 2:
                    with server.lock:
                        broken.append(request)
                    return server.send(handler, 500, {"error": {"message": "not now"}})
                return serve(handler, request)

            server.serve = fail_second_turns
            self.run_it(
                server, "--caption.ask_again=1", "--caption.openai.retries=0", "--caption.openai.concurrency=1"
            )
            firsts = [r for r, _, _ in server.requests if len(r["messages"]) == 1]
            self.assertEqual(
                (len(firsts), len(server.requests), len(broken)), (IMAGES, 2 * IMAGES, 2)
            )
        for row in self.rows():
            self.assertEqual(
                (row["caption"][0]["caption"], row["caption"][0]["attempts"]), (GOOD, 2)
            )

    def cost(self, prices):
        path = os.path.join(self.folder, "prices.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(prices)
        return subprocess.run(
            [BINARY, "cost", self.out, "--json", "--prices", path], capture_output=True, text=True
        )

    def test_the_ledger_is_what_the_server_counted(self):
        with Talker(WORSE, OPENING, GOOD) as server:
            self.run_it(server, "--caption.ask_again=1")
            self.run_it(
                server, "--caption.ask_again=1", "--caption.seed=3"
            )  # other answers, paid for as well
            sums = {
                key: sum(u[key] for u in server.usages)
                for key in ("prompt_tokens", "completion_tokens")
            }
            cached = sum(u["prompt_tokens_details"]["cached_tokens"] for u in server.usages)
            asked = len(server.usages)
        done = self.cost(
            "prices:\n  - model: other\n    input: 9\n    output: 9\n  - model: talk*\n    input: 2\n    cached: 1\n"
            "    output: 10\n"
        )
        line = json.loads(done.stdout)["models"][0]
        self.assertEqual(
            (line["model"], line["answers"], line["answers_without_usage"]), ("talker", asked, 0)
        )
        self.assertEqual({key: line[key] for key in sums}, sums)
        self.assertEqual(line["cached_tokens"], cached)
        dollars = (
            2 * (sums["prompt_tokens"] - cached) + cached + 10 * sums["completion_tokens"]
        ) / 1e6
        self.assertAlmostEqual(line["dollars"], dollars, places=9)
        unknown = json.loads(
            self.cost("prices:\n  - model: other\n    input: 9\n    output: 9\n").stdout
        )
        self.assertIsNone(unknown["models"][0]["dollars"])

    def prices(self, model):
        path = os.path.join(self.folder, model + ".yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write("prices:\n  - model: %s\n    input: 1\n    output: 1000\n" % model)
        return "--caption.prices=" + path

    def test_no_request_passes_the_budget(self):
        # A request can cost 512 tokens of $1000 a million, and a prompt of at most 60,000 of $1:
        # $0.58. It costs $0.0070.
        with Talker(GOOD) as server:
            done = subprocess.run(
                self.command(
                    server,
                    self.prices("m"),
                    "--caption.budget=0.575",
                    "--caption.max_tokens=512",
                    "--caption.openai.concurrency=64",
                ),
                capture_output=True,
                text=True,
            )
            self.assertEqual(done.returncode, 1)
            self.assertEqual(
                len([line for line in done.stderr.splitlines() if "caption.budget" in line]),
                1,
                done.stderr,
            )
            spent = (
                sum(u["prompt_tokens"] + 1000 * u["completion_tokens"] for u in server.usages) / 1e6
            )
            self.assertGreater(spent, 0)
            self.assertLessEqual(spent, 0.575)
            self.assertLess(len(server.requests), IMAGES)
            self.run_it(
                server, self.prices("m"), "--caption.budget=2", "--caption.openai.concurrency=64"
            )  # waits, asks the rest
            self.assertEqual(len(server.requests), IMAGES)

    def test_a_dry_run_reckons_and_asks_nothing(self):
        with Talker(GOOD) as server:
            before = sorted(os.listdir(self.out))
            told = subprocess.run(
                self.command(server, self.prices("m"), "--dry-run"), capture_output=True, text=True
            ).stdout
            self.assertIn("%d images of m" % IMAGES, told)
            self.assertIn("at most   %d of captions (caption.max_tokens): $" % (512 * IMAGES), told)
            self.assertEqual((server.requests, sorted(os.listdir(self.out))), ([], before))
            self.run_it(server)
            again = self.command(
                server, self.prices("m"), "--dry-run", "--caption.on_fail=compose"
            )  # stale, but all known
            self.assertIn(
                "0 images of m at %s; the journals have %d more" % (server.url, IMAGES),
                subprocess.run(again, capture_output=True, text=True).stdout,
            )

    def test_a_budget_needs_a_price(self):
        with Talker(GOOD) as server:
            done = subprocess.run(
                self.command(server, self.prices("other"), "--caption.budget=1"),
                capture_output=True,
                text=True,
            )
            self.assertEqual((done.returncode, len(server.requests)), (2, 0), done.stderr)
            self.assertIn("caption.budget: no price of", done.stderr)

    def test_prices_that_are_none(self):
        for text, words in (
            ("prices:\n  - model: m\n    input: -1\n    output: 2\n", "line 3"),
            ("prices:\n  - model: m\n    input: 1\n", "entry 1 needs"),
            ("prices:\n  - model: m\n    price: 1\n", "line 3"),
            ("gpt: 3\n", "line 1"),
        ):
            done = self.cost(text)
            self.assertEqual(
                (done.returncode, len(done.stderr.strip().splitlines())), (2, 1), done.stderr
            )
            self.assertIn(words, done.stderr)

    def test_how_it_is_asked_for_is_not_what_it_is(self):
        with Talker(GOOD) as server:
            self.run_it(server)
            part = os.path.join(self.out, "caption", "part-00000.parquet")
            before = os.stat(part).st_mtime_ns
            self.run_it(
                server,
                "--caption.openai.url=http://127.0.0.1:1",
                "--caption.openai.concurrency=5",
                "--caption.openai.retries=2",
                "--caption.openai.timeout_s=9",
            )
            self.assertEqual((len(server.requests), os.stat(part).st_mtime_ns), (IMAGES, before))
            self.run_it(server, "--caption.temperature=0.5")
            self.assertEqual(len(server.requests), 2 * IMAGES)


if __name__ == "__main__":
    unittest.main()
