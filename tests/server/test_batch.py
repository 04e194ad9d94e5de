"""Batch files: written, submitted to a double of the batch API, polled, fetched and merged, in any
order and with what goes wrong.

DF_BINARY=build/densefusion python3 tests/server/test_batch.py
"""

import base64
import json
import os
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evidence import BINARY, EvidenceCase  # noqa: E402
from server import Loopback  # noqa: E402

IMAGES = 6


class Api(Loopback):
    """The files and batches of OpenAI's API, on loopback. expire: custom_ids (by order) that get no
    answer."""

    def __init__(self, expire=(), stall_create_s=0.0, refuse=False, pieces=1, pause_s=0.0):
        """pieces, pause_s: a file goes out in so many, with pauses between."""
        self.pieces, self.pause_s = pieces, pause_s
        self.files, self.batches, self.creations, self.lock = {}, {}, 0, threading.Lock()
        self.expire, self.stall_create_s, self.refuse, self.done = (
            set(expire),
            stall_create_s,
            refuse,
            False,
        )
        self.authorizations = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.authorizations.add(self.headers["Authorization"])
                if outer.refuse:
                    return self.send(429, {"error": {"message": "Enqueued token limit reached"}})
                if self.path == "/v1/files":
                    return self.send(200, outer.upload(self.headers["Content-Type"], body))
                return self.send(200, outer.create(json.loads(body)))

            def do_GET(self):
                if self.path.startswith("/v1/files/"):
                    return self.send(200, outer.files[self.path.split("/")[3]])
                if self.path.startswith("/v1/batches?"):
                    after = re.search("after=([^&]*)", self.path)
                    return self.send(200, outer.list(after and after.group(1)))
                return self.send(200, outer.state(self.path.split("/")[3]))

            def send(self, code, body):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                try:
                    self.send_response(code)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    step = -(-len(data) // outer.pieces) if isinstance(body, bytes) else len(data)
                    for i in range(0, len(data), step or 1):
                        self.wfile.write(data[i : i + step])
                        time.sleep(outer.pause_s if step < len(data) else 0)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        super().__init__(Handler)

    def upload(self, content_type, body):
        boundary = re.search("boundary=(.*)", content_type).group(1).encode()
        parts = [p for p in body.split(b"--" + boundary) if b"\r\n\r\n" in p]
        fields = {
            re.search(rb'name="([^"]*)"', p).group(1): p.split(b"\r\n\r\n", 1)[1][:-2]
            for p in parts
        }
        assert fields[b"purpose"] == b"batch"
        with self.lock:
            name = "file-%d" % len(self.files)
            self.files[name] = fields[b"file"]
        return {"id": name}

    def create(self, request):
        assert (
            request["endpoint"] == "/v1/chat/completions" and request["completion_window"] == "24h"
        )
        with self.lock:
            self.creations += 1
            name = "batch_%d" % len(self.batches)
            self.batches[name] = {
                "id": name,
                "input_file_id": request["input_file_id"],
                "metadata": request["metadata"],
            }
        time.sleep(self.stall_create_s)
        return {"id": name}

    def list(self, after):
        """Two a page, newest first."""
        names = sorted(self.batches, reverse=True)
        start = names.index(after) + 1 if after else 0
        return {
            "data": [self.batches[n] for n in names[start : start + 2]],
            "has_more": start + 2 < len(names),
        }

    def state(self, name):
        batch = self.batches[name]
        if not self.done:
            return {**batch, "status": "in_progress"}
        answers, errors = [], []
        for line in self.files[batch["input_file_id"]].splitlines():
            request = json.loads(line)
            number = len(answers) + len(errors)
            if number in self.expire:
                errors.append(
                    {
                        "custom_id": request["custom_id"],
                        "response": None,
                        "error": {
                            "code": "batch_expired",
                            "message": "This request could not be executed",
                        },
                    }
                )
            else:
                answers.append(
                    {
                        "custom_id": request["custom_id"],
                        "error": None,
                        "response": {
                            "status_code": 200,
                            "body": {
                                "model": "talker",
                                "usage": {"prompt_tokens": 1000, "completion_tokens": 10},
                                "choices": [
                                    {
                                        "finish_reason": "stop",
                                        "message": {
                                            "content": "A plain wall %s."
                                            % request["custom_id"][6:12]
                                        },
                                    }
                                ],
                            },
                        },
                    }
                )
        random.Random(3).shuffle(answers)
        self.files[name + "-out"] = "".join(json.dumps(a) + "\n" for a in answers).encode()
        self.files[name + "-err"] = "".join(json.dumps(a) + "\n" for a in errors).encode()
        ids = {
            "output_file_id": name + "-out",
            **({"error_file_id": name + "-err"} if errors else {}),
        }
        return {**batch, "status": "completed" if not errors else "expired", **ids}


class Batch(EvidenceCase):
    images = IMAGES

    def setUp(self):
        super().setUp()
        self.files = self.out + "-files"

    def call(self, *command, code=0, env=None):
        done = subprocess.run(
            [BINARY, *command],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **(env or {})},
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    OPTIONS = ["--caption.engine=openai", "--caption.model=m"]

    def write(self, folder=None, *more):
        return self.call(
            "batch", "write", self.out, "-o", folder or self.files, *self.OPTIONS, *more
        )

    def lines(self, folder=None):
        found = []
        for name in sorted(
            n for n in os.listdir(folder or self.files) if re.fullmatch(r"batch-\d+\.jsonl", n)
        ):
            with open(os.path.join(folder or self.files, name), encoding="utf-8") as f:
                found += [json.loads(line) for line in f]
        return found

    def captions(self):
        self.call("caption", self.out, *self.OPTIONS, "--caption.openai.url=none")
        rows = [
            json.loads(self.call("show", self.out, "0-%d" % i, "--json").stdout)
            for i in range(IMAGES)
        ]
        return [(row["caption"][0]["caption"], row["caption"][0]["key"]) for row in rows]

    def answers(self):
        return [
            os.path.join(self.files, n)
            for n in sorted(os.listdir(self.files))
            if n.startswith(("answers", "errors"))
        ]

    def test_there_and_back(self):
        self.assertIn("%d requests in 1 files" % IMAGES, self.write().stdout)
        with Api() as api:
            url, key = "--caption.openai.url=" + api.url, {"OPENAI_API_KEY": "sk-batch-1"}
            self.assertIn(
                "1 batches are new", self.call("batch", "submit", self.files, url, env=key).stdout
            )
            self.assertIn(
                "0 batches are new", self.call("batch", "submit", self.files, url, env=key).stdout
            )
            self.assertEqual((api.creations, api.authorizations), (1, {"Bearer sk-batch-1"}))
            self.assertIn(
                "1 batches are still open",
                self.call("batch", "poll", self.files, url, env=key).stdout,
            )
            self.assertIn(
                "0 files are new", self.call("batch", "fetch", self.files, url, env=key).stdout
            )
            api.done = True
            self.assertIn(
                "1 files are new", self.call("batch", "fetch", self.files, url, env=key).stdout
            )
            self.assertIn(
                "0 files are new", self.call("batch", "fetch", self.files, url, env=key).stdout
            )
        self.assertIn(
            "%d answers taken" % IMAGES,
            self.call("batch", "merge", self.out, *self.answers()).stdout,
        )
        self.assertIn(
            "0 answers taken, %d known" % IMAGES,
            self.call("batch", "merge", self.out, *self.answers()).stdout,
        )
        for i, (text, _) in enumerate(self.captions()):
            self.assertEqual(text, "A plain wall %06d." % i)  # each its own, whatever the order
        self.assertEqual(
            subprocess.run(
                ["grep", "-r", "sk-batch-1", self.out, self.files], capture_output=True
            ).stdout,
            b"",
        )

    def test_a_request_is_what_the_server_would_be_asked(self):
        self.write()
        for i, line in enumerate(self.lines()):
            self.assertEqual(
                (line["method"], line["url"], line["body"]["model"]),
                ("POST", "/v1/chat/completions", "m"),
            )
            self.assertRegex(line["custom_id"], "^00000-%06d-[0-9a-f]{32}$" % i)
            uri = line["body"]["messages"][0]["content"][1]["image_url"]["url"]
            self.assertEqual(base64.b64decode(uri.split(",", 1)[1])[:2], b"\xff\xd8")
        other = self.files + "2"
        self.write(other)
        self.assertEqual(self.lines(other), self.lines())

    def test_what_expired_is_written_again(self):
        self.write()
        with Api(expire={1, 4}) as api:
            api.done = True
            url = "--caption.openai.url=" + api.url
            self.call("batch", "submit", self.files, url)
            self.call("batch", "fetch", self.files, url)
        done = self.call("batch", "merge", self.out, *self.answers())
        self.assertIn(
            "%d answers taken, 0 known already, 2 without an answer" % (IMAGES - 2), done.stdout
        )
        self.assertIn("could not be executed", done.stderr)
        left = self.call("caption", self.out, *self.OPTIONS, "--caption.openai.url=none", code=1)
        self.assertIn("batch write", left.stderr)
        again = self.files + "-again"
        self.write(again)
        self.assertEqual(
            [line["custom_id"][6:12] for line in self.lines(again)], ["000001", "000004"]
        )

    def test_a_changed_prompt_is_asked_again_and_the_ledger_knows_the_discount(self):
        self.test_there_and_back()
        self.assertIn("0 requests", self.write(self.files + "2").stdout)
        self.assertIn(
            "%d requests" % IMAGES, self.write(self.files + "3", "--caption.max_tokens=99").stdout
        )
        prices = os.path.join(self.folder, "prices.yaml")
        with open(prices, "w", encoding="utf-8") as f:
            f.write(
                "prices:\n  - model: talker\n    input: 100\n    output: 1000\n    batch: 0.5\n"
            )
        line = json.loads(self.call("cost", self.out, "--json", "--prices", prices).stdout)[
            "models"
        ][0]
        self.assertEqual((line["batch"], line["answers"]), (True, IMAGES))
        self.assertAlmostEqual(line["dollars"], IMAGES * (1000 * 100 + 10 * 1000) / 1e6 / 2)

    def test_lines_of_others_and_none_at_all(self):
        self.write()
        own = self.lines()[0]["custom_id"]
        good = {
            "custom_id": own,
            "error": None,
            "response": {
                "status_code": 200,
                "body": {
                    "model": "t",
                    "choices": [{"finish_reason": "stop", "message": {"content": "A wall."}}],
                },
            },
        }
        refused = {
            "custom_id": self.lines()[1]["custom_id"],
            "response": {"status_code": 400, "body": {"error": {"message": "no <b>"}}},
        }
        hostile = [
            {**good, "custom_id": name}
            for name in (
                "",
                "99999-000000-" + "0" * 32,
                "00000-../../x-" + "0" * 32,
                own[:-1] + "Z",
                own + "0",
                None,
                7,
            )
        ]
        path = os.path.join(self.folder, "mixed.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            for line in [
                refused,
                *hostile,
                good,
                {**good, "response": {**good["response"], "body": {}}},
            ]:
                f.write(json.dumps(line) + "\n")
            f.write(
                "\n{\"custom_id\": \n[]\nnull\n\x00\n" + "[" * 100000 + "\n" + json.dumps(good)[:40]
            )
        told = self.call("batch", "merge", self.out, path)
        self.assertRegex(
            told.stdout,
            r"1 answers taken, 1 known already, 1 without an answer, 13 not of this dataset",
        )
        self.assertIn("HTTP 400: no <b>", told.stderr)

    def test_files_are_cut_by_requests(self):
        self.write()
        whole = self.lines()
        cut = self.files + "cut"
        done = self.write(cut, "--caption.openai.batch_requests=4")
        self.assertIn("in 2 files", done.stdout)
        with open(os.path.join(cut, "batch-0000.jsonl"), encoding="utf-8") as f:
            self.assertEqual(len(f.readlines()), 4)
        self.assertEqual(self.lines(cut), whole)

    def test_a_folder_with_batch_files_is_left_alone(self):
        done = self.call(
            "batch",
            "write",
            self.out,
            "-o",
            self.files,
            *self.OPTIONS,
            "--caption.image_bytes=10000",
            "--caption.image_side=64"
        )
        self.assertIn("1 files", done.stdout)
        refused = self.call("batch", "write", self.out, "-o", self.files, *self.OPTIONS, code=2)
        self.assertIn("give another folder", refused.stderr)

    def test_a_kill_while_the_batch_is_made(self):
        self.write()
        with Api(stall_create_s=1.0) as api:
            command = [BINARY, "batch", "submit", self.files, "--caption.openai.url=" + api.url]
            run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not api.creations:
                time.sleep(0.01)
            run.send_signal(signal.SIGKILL)
            run.wait()
            for i in range(3):  # others came after it: it is on the list's second page
                api.batches["batch_%d" % (5 + i)] = {
                    "id": "batch_%d" % (5 + i),
                    "metadata": {"densefusion": "0" * 32},
                }
            self.call("batch", "submit", self.files, "--caption.openai.url=" + api.url)
            self.assertEqual(api.creations, 1)
            with open(os.path.join(self.files, "batches.json"), encoding="utf-8") as f:
                self.assertEqual(json.load(f)["batches"]["batch-0000.jsonl"]["batch"], "batch_0")

    def test_a_file_may_take_as_long_as_it_moves(self):
        self.write()
        with Api(pieces=6, pause_s=0.5) as api:
            api.done = True
            url = ("--caption.openai.url=" + api.url, "--caption.openai.timeout_s=1")
            self.call("batch", "submit", self.files, *url)
            self.assertIn("1 files are new", self.call("batch", "fetch", self.files, *url).stdout)
            self.assertIn(
                "%d answers taken" % IMAGES,
                self.call("batch", "merge", self.out, *self.answers()).stdout,
            )
            os.remove(self.answers()[0])
            api.pause_s = 30  # a file that stands still is given up
            done = self.call("batch", "fetch", self.files, *url, code=1)
            self.assertIn("less than 100 bytes a second", done.stderr)
            self.assertEqual(self.answers(), [])

    def test_lines_that_are_too_long(self):
        self.write()
        good = {
            "custom_id": self.lines()[0]["custom_id"],
            "response": {
                "status_code": 200,
                "body": {"choices": [{"message": {"content": "A wall."}}]},
            },
        }
        path = os.path.join(self.folder, "long.jsonl")
        for fill in (b"a", b"\0"):
            with open(path, "wb") as f:
                f.write(
                    json.dumps(good).encode()
                    + b"\n\n"
                    + fill * (64 << 20)
                    + b"a\n"
                    + json.dumps(good).encode()
                    + b"\n"
                )
            done = self.call("batch", "merge", self.out, path, code=1)
            self.assertIn("long.jsonl line 3: the line is longer than 64 MiB", done.stderr)

    def test_no_memory_for_a_line_is_not_the_end_of_the_file(self):
        def small():
            resource.setrlimit(resource.RLIMIT_DATA, (48 << 20, 48 << 20))

        def merge(bytes_of_line):
            path = os.path.join(self.folder, "large.jsonl")
            with open(path, "wb") as f:
                f.write(b"{}\n" + b"a" * bytes_of_line + b"\n")
            return subprocess.run(
                [BINARY, "batch", "merge", self.out, path],
                capture_output=True,
                text=True,
                preexec_fn=small,
                check=False,
            )

        if merge(9).returncode:
            self.skipTest("this build needs more memory to start")
        done = merge(60 << 20)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("large.jsonl: out of memory", done.stderr)

    def test_a_file_that_cannot_be_read_has_no_end(self):
        self.write()
        done = self.call(
            "batch", "merge", self.out, "/proc/self/mem", code=1
        )  # a regular file whose first byte is EIO
        self.assertIn("/proc/self/mem: Input/output error", done.stderr)

    def test_paid_answers_that_tell_no_count(self):
        self.write()
        path, prices = os.path.join(self.folder, "uncounted.jsonl"), os.path.join(
            self.folder, "prices.yaml"
        )
        with open(path, "w", encoding="utf-8") as f:
            for i, usage in enumerate(
                (
                    {},
                    {"usage": {"prompt_tokens": -5, "completion_tokens": -9}},
                    {"usage": {"prompt_tokens": 9}},
                )
            ):
                f.write(
                    json.dumps(
                        {
                            "custom_id": self.lines()[i]["custom_id"],
                            "response": {
                                "status_code": 200,
                                "body": {
                                    "model": "talker",
                                    "choices": [{"message": {"content": "A wall \ud83d"}}],
                                    **usage,
                                },
                            },
                        }
                    )
                    + "\n"
                )
        self.assertIn("3 answers taken", self.call("batch", "merge", self.out, path).stdout)
        with open(prices, "w", encoding="utf-8") as f:
            f.write("prices:\n  - model: talker\n    input: 1\n    output: 10\n")
        line = json.loads(self.call("cost", self.out, "--json", "--prices", prices).stdout)[
            "models"
        ][0]
        self.assertEqual((line["answers"], line["answers_without_usage"]), (3, 3))
        self.assertGreater(line["dollars"], 3 * 0.3)

    def test_a_server_that_refuses(self):
        self.write()
        with Api(refuse=True) as api:
            done = self.call(
                "batch", "submit", self.files, "--caption.openai.url=" + api.url, code=1
            )
            self.assertEqual(len(done.stderr.strip().splitlines()), 1)
            self.assertIn("HTTP 429: Enqueued token limit reached", done.stderr)
        self.call("batch", "submit", self.files, "--caption.openai.url=http://127.0.0.1:9", code=1)
        self.assertIn(
            "no folder of batch files",
            self.call(
                "batch", "poll", self.folder, "--caption.openai.url=http://127.0.0.1:9", code=2
            ).stderr,
        )


class Large(EvidenceCase):
    """More than one file may have, 200 million bytes."""

    images, options = 205, ["--skip=embed,cluster,dedup,select,tag,detect,read"]
    pad = 1000000  # bytes more in each request

    @classmethod
    def fill(cls):
        for i in range(cls.images):
            head = struct.pack(
                "<2sIHHIIiiHHIIiiII", b"BM", 3126, 0, 0, 54, 40, 32, 32, 1, 24, *[0] * 6
            )
            with open(os.path.join(cls.photos, "%03d.bmp" % i), "wb") as f:
                f.write(head + bytes([i, 99, 0]) * 32 * 32)

    def test_files_are_cut_by_bytes(self):
        config, files = os.path.join(self.folder, "c.yaml"), os.path.join(self.folder, "files")
        with open(config, "w", encoding="utf-8") as f:
            f.write("caption:\n  engine: openai\n  model: m\n  openai:\n    extra: '")
            f.write(json.dumps({"pad": "a" * self.pad}) + "'\n")
        subprocess.run(
            [BINARY, "batch", "write", self.out, config, "-o", files],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        sizes, lines = [], 0
        for name in ("batch-0000.jsonl", "batch-0001.jsonl"):
            sizes.append(os.path.getsize(os.path.join(files, name)))
            with open(os.path.join(files, name), "rb") as f:
                lines += sum(1 for _ in f)
        self.assertEqual(lines, self.images)
        self.assertLessEqual(sizes[0], 200000000)
        self.assertGreater(sizes[0] + self.pad + 10000, 200000000)


if __name__ == "__main__":
    unittest.main()
