"""What is paid for: a budget is kept whatever a server tells of its counts, and no record that
nobody answers stops every run.

DF_BINARY=build/densefusion python3 tests/server/test_paid.py
"""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evidence import BINARY, EvidenceCase  # noqa: E402
from server import Server  # noqa: E402

HONEST = {"prompt_tokens": 700, "completion_tokens": 20}
# A request can cost 512 tokens of $1000 a million, and a prompt of more than 50,000 and less than
# 60,000 of $1. A cheap name costs nothing much, a dear one ten times as much.
PRICES = """prices:
  - model: m
    input: 1
    output: 1000
  - model: cheap
    input: 0.001
    output: 0.001
  - model: dear
    input: 10
    cached: 0
    output: 10000
"""
LEAST, MOST = 0.562, 0.572


class Meter(Server):
    """Answers with the usage and in the name that a test gives; poison: images (in the order seen)
    that get the fault instead."""

    def __init__(self, usage=None, model="m", poison=(), fault="broken", **more):
        super().__init__(**more)
        self.usage, self.model, self.poison, self.fault, self.seen, self.text = (
            usage,
            model,
            poison,
            fault,
            [],
            "A plain wall.",
        )
        self.http.handle_error = lambda *_: None

    def answer(self, handler, name):
        with self.lock:
            self.seen += [name] if name not in self.seen else []
            spoilt = self.seen.index(name) in self.poison
            self.answered += [] if spoilt else [name]
        if spoilt:
            return getattr(self, "fault_" + self.fault)(handler, name)
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": self.text}}
        usage = {} if self.usage is None else {"usage": self.usage}
        return self.send(handler, 200, {"model": self.model, "choices": [choice], **usage})

    def fault_broken(self, handler, _):
        self.send(handler, 500, {"error": {"message": "it broke in the middle"}})

    def fault_gateway(self, handler, _):
        self.send(handler, 504, b"<html>")

    def fault_half_a_pair(self, handler, _):
        self.send(handler, 200, b'{"choices": [{"message": {"content": "A dog \\ud83d"}}]}')


class Paid(EvidenceCase):
    options = ("--skip", "tag,detect,read,look")

    def command(self, server, *more):
        prices = os.path.join(self.folder, "prices.yaml")
        with open(prices, "w", encoding="utf-8") as f:
            f.write(PRICES)
        self.prices = prices
        return [
            BINARY,
            "run",
            self.photos,
            "-o",
            self.out,
            "--filter.min_side=1",
            *self.options,
            "--caption.engine=openai",
            "--caption.openai.url=" + server.url,
            "--caption.model=m",
            "--caption.openai.retries=1",
            "--caption.prices=" + prices,
            "--to=caption",
            *more,
        ]

    def run_it(self, server, *more, code=0):
        done = subprocess.run(
            self.command(server, *more), capture_output=True, text=True, timeout=120
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def cost(self):
        done = subprocess.run(
            [BINARY, "cost", self.out, "--json", "--prices", self.prices],
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def fresh(self):
        subprocess.run(["rm", "-r", self.out], check=True)
        subprocess.run(["cp", "-r", self.evidence, self.out], check=True)

    def rows(self):
        for i in range(self.images):
            shown = subprocess.run(
                [BINARY, "show", self.out, "0-%d" % i, "--json"],
                check=True,
                capture_output=True,
                text=True,
            )
            yield json.loads(shown.stdout)

    # ---- the budget ----

    def test_what_is_not_told_is_the_most(self):
        untold = (
            None,
            {},
            {"prompt_tokens": -5, "completion_tokens": -9},
            {"prompt_tokens": 1e15, "completion_tokens": 1e15},
            {"prompt_tokens": 700},
            {"prompt_tokens": 0, "completion_tokens": 0},
            {"prompt_tokens": "7", "completion_tokens": "2"},
        )
        for usage in untold:
            with self.subTest(usage=usage), Meter(usage) as server:
                self.fresh()
                done = self.run_it(server, "--caption.budget=1.2", code=1)
                self.assertIn("caption.budget: $1.", done.stderr)
                self.assertEqual(len(server.requests), 2)
                self.assertTrue(2 * 0.51 < self.cost()["dollars"] <= 1.2, self.cost())
        with Meter(None) as server:  # nor by another run
            self.run_it(server, "--caption.budget=1.2", code=1)
            self.assertEqual(len(server.requests), 0)

    def test_the_rest_of_a_count_is_believed(self):
        for usage, dollars in (
            ({"completion_tokens": 20}, 0.02 + LEAST - 0.512),
            ({"prompt_tokens": 1000}, 0.513),
            ({**HONEST, "prompt_tokens_details": {"cached_tokens": 701}}, 0.0207),
            ({**HONEST, "completion_tokens": 5000}, 5.0007),
        ):
            with self.subTest(usage=usage), Meter(usage) as server:
                self.fresh()
                self.run_it(server, "--caption.budget=1000")
                self.assertAlmostEqual(
                    self.cost()["dollars"] / self.images, dollars, delta=MOST - LEAST
                )

    def test_the_dearer_name_counts(self):
        for name, dollars in (
            ("cheap", 0.0207),
            ("m", 0.0207),
            ("nobody-knows", 0.0207),
            ("dear", 0.207),
        ):
            with self.subTest(name=name), Meter(HONEST, name) as server:
                self.fresh()
                self.run_it(server)
                self.assertAlmostEqual(self.cost()["dollars"], self.images * dollars)

    def test_answers_that_cannot_be_used_are_paid_for(self):
        for fault in ("garbage", "cut", "broken"):
            with self.subTest(fault=fault), Meter(HONEST, always=fault) as server:
                self.fresh()
                self.run_it(
                    server,
                    "--caption.budget=1.2",
                    "--caption.openai.retries=1",
                    "--caption.openai.concurrency=1",
                    code=1,
                )
                self.assertEqual(len(server.requests), 2)
                line = self.cost()["models"][0]
                self.assertEqual(
                    (line["model"], line["answers"], line["requests_without_answer"]), ("m", 0, 2)
                )
                self.assertTrue(2 * LEAST < line["dollars"] < 2 * MOST, line)

    def test_refusals_cost_nothing(self):
        with Meter(HONEST, faults=["busy", "busy", "loading", "refused"]) as server:
            self.run_it(server, "--caption.budget=0.66")
            self.assertEqual(self.cost()["models"][0]["requests_without_answer"], 0)
            self.assertAlmostEqual(self.cost()["dollars"], (self.images - 1) * 0.0207)

    def test_a_kill_forgets_nothing(self):
        with Meter(HONEST, delay_s=5) as server:
            run = subprocess.Popen(
                self.command(server, "--caption.budget=1.7"),
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            while len(server.requests) < 2:
                time.sleep(0.01)
            run.send_signal(signal.SIGKILL)
            run.wait()
            asked = len(server.requests)
            server.delay_s = 0
            self.assertTrue(asked * LEAST < self.cost()["dollars"] <= 1.7)
            self.assertEqual(self.cost()["models"][0]["requests_without_answer"], asked)
            self.run_it(server, "--caption.budget=1.7", code=1 if asked == 3 else 0)
            spent = self.cost()
            self.assertLessEqual(spent["dollars"], 1.7)
            self.assertEqual(
                sum(line["requests_without_answer"] for line in spent["models"]), asked
            )

    def test_journal_attempts_and_ledger_agree(self):
        with Meter(HONEST, faults=["garbage", "busy"], delay_s=0.1) as server:
            self.run_it(server)
            line = self.cost()["models"][0]
            self.assertEqual((line["answers"], line["requests_without_answer"]), (self.images, 1))
        attempts = [a for row in self.rows() for a in row["caption/attempts"]]
        self.assertEqual(sum(a["requests"] for a in attempts), len(server.requests))
        for count in ("prompt_tokens", "completion_tokens"):
            self.assertEqual(sum(a[count] for a in attempts), line[count])
        with Meter({"prompt_tokens": -1, "completion_tokens": 1e17}) as server:
            self.run_it(server, "--caption.seed=2")
        self.assertEqual(
            {
                (a["prompt_tokens"], a["completion_tokens"])
                for row in self.rows()
                for a in row["caption/attempts"]
            },
            {(None, None)},
        )

    def test_an_empty_answer_is_kept_though_nobody_counted_it(self):
        with Meter(None) as server:
            server.text = ""
            self.run_it(server)
            self.assertEqual(self.cost()["models"][0]["answers_without_usage"], self.images)
            os.remove(os.path.join(self.out, "caption", "part-00000.parquet"))
            self.run_it(server)
            self.assertEqual(len(server.requests), self.images)

    def test_a_budget_needs_an_end_of_the_answer(self):
        with Meter(HONEST) as server:
            done = self.run_it(
                server, "--caption.budget=9", '--caption.openai.extra={"max_tokens": null}', code=2
            )
            self.assertIn("max_completion_tokens", done.stderr)
            self.run_it(
                server,
                "--caption.budget=0.6",
                '--caption.openai.extra={"max_tokens": null, "max_completion_tokens": 2000}',
                code=1,
            )
            self.assertEqual(len(server.requests), 0)
            self.run_it(server, "--caption.budget=0.3", '--caption.openai.extra={"max_tokens": 100}')

    def test_a_server_of_many_names(self):
        with Meter(HONEST) as server:
            self.run_it(server)
        with open(
            os.path.join(self.out, "caption", "part-00000.journal"), "a", encoding="utf-8"
        ) as journal:
            for i in range(600):
                journal.write(
                    json.dumps(
                        {
                            "key": "%032x" % i,
                            "caption": "A.",
                            "asked": "m",
                            "model": "m-%d" % i,
                            **HONEST,
                        }
                    )
                    + "\n"
                )
        self.assertAlmostEqual(self.cost()["dollars"], (600 + self.images) * 0.0207)

    # ---- records that nobody answers ----

    def test_one_bad_record_does_not_stop_the_run(self):
        cases = (
            (fault, 1, nth)
            for fault, nth in (("broken", 0), ("broken", 3), ("cut", 1), ("gateway", 2))
        )
        for fault, concurrency, nth in cases:
            with self.subTest(fault=fault, nth=nth), Meter(
                HONEST, poison=[nth], fault=fault
            ) as server:
                self.fresh()
                self.run_it(
                    server,
                    "--caption.openai.concurrency=%d" % concurrency,
                    "--caption.openai.retries=0",
                    "--to=export",
                )
                told = [
                    (row["caption"][0]["caption"], row["caption"][0]["error"])
                    for row in self.rows()
                ]
                self.assertEqual(sum(text == "A plain wall." for text, _ in told), self.images - 1)
                self.assertEqual(sum(error is not None for _, error in told), 1)
                self.assertTrue(os.path.exists(os.path.join(self.out, "captions.jsonl")))
                self.assertEqual(len(server.answered), self.images - 1)

    def test_several_bad_records_side_by_side(self):
        with Meter(HONEST, poison=[0, 1, 2]) as server:
            self.run_it(server, "--caption.openai.concurrency=1", "--caption.openai.retries=0")
            self.assertEqual(sum(row["caption"][0]["error"] is not None for row in self.rows()), 3)

    def test_only_a_bad_record_is_new(self):
        with Meter(HONEST, delay_s=0.3) as server:
            self.run_it(server)
            name = server.answered[0]
            with open(
                os.path.join(self.out, "caption", "part-00000.journal"), encoding="utf-8"
            ) as journal:
                lines = journal.readlines()
            with open(
                os.path.join(self.out, "caption", "part-00000.journal"), "w", encoding="utf-8"
            ) as journal:
                journal.writelines([line for line in lines if '"key"' in line][1:])
            os.remove(os.path.join(self.out, "caption", "part-00000.parquet"))
        with Meter(HONEST, poison=[0]) as server:
            self.run_it(server, "--caption.openai.concurrency=64")
            self.assertEqual(
                (len(server.seen), len(server.requests)), (1, 4)
            )  # put off, and asked for again
            self.assertEqual(sum(row["caption"][0]["error"] is not None for row in self.rows()), 1)
        self.assertTrue(name)

    def test_a_server_that_is_down_stops_every_run(self):
        with Meter(HONEST, always="broken") as server:
            for _ in range(3):
                done = self.run_it(server, "--caption.openai.retries=0", code=1)
                self.assertEqual(
                    len([line for line in done.stderr.splitlines() if "it broke" in line]),
                    1,
                    done.stderr,
                )
            server.always = None
            self.run_it(server)
            self.assertEqual(len(set(server.answered)), self.images)

    def test_half_a_character_costs_a_character(self):
        with Meter(HONEST, poison=range(9), fault="half_a_pair") as server:
            self.run_it(server)
            self.assertEqual(len(server.requests), self.images)
            self.assertEqual(
                {row["caption"][0]["caption"] for row in self.rows()}, {"A dog \ufffd"}
            )


if __name__ == "__main__":
    unittest.main()
