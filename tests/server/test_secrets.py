"""Keys are sent to the server and to nobody else: not to the terminal, the journal, the tables,
dataset.json or a file of answers, even where the server repeats them.

    DF_BINARY=build/densefusion python3 tests/server/test_secrets.py
"""

import json
import os
import subprocess
import sys
import unittest
from http.server import BaseHTTPRequestHandler

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evidence import BINARY, EvidenceCase  # noqa: E402
from server import Loopback, Server  # noqa: E402

BEARER, QUERY, OTHER = "sk-bearer/0123456789", "q-5ecret%2F77", "tok3n"
SECRETS = (BEARER, BEARER.replace("/", "\\/"), QUERY, "q-5ecret/77", OTHER)


class Parrot(Server):
    """Repeats whatever it was sent, in each place where words of a server are kept or shown."""

    def __init__(self, code=200):
        super().__init__()
        self.code, self.get = code, []

    def answer(self, handler, name):
        said = "; ".join((handler.headers["Authorization"], handler.path, "q-5ecret/77"))
        body = {
            "error": {"message": "x" * 200 + said},
            "model": said,
            "usage": {"prompt_tokens": 700, "completion_tokens": 20},
        }
        if self.code == 200:
            body["choices"] = [{"finish_reason": said, "message": {"content": "A wall. " + said}}]
        self.send(
            handler,
            self.code,
            json.dumps(body).replace("/", "\\/").encode() if self.code == 400 else body,
        )


class Api(Loopback):
    """A batch API that repeats what it is sent."""

    def __init__(self, refuse=False):
        outer = self
        self.paths = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def do_GET(self):
                outer.paths.append(self.path)
                said = self.headers["Authorization"] + self.path
                data = json.dumps(
                    {
                        "id": "file_1",
                        "status": "completed",
                        "output_file_id": "file_1",
                        "said": said,
                        **({"error": {"message": said}} if refuse else {}),
                    }
                ).encode()
                self.send_response(429 if refuse else 200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        super().__init__(Handler)


class Secrets(EvidenceCase):
    images = 2
    options = ("--skip", "tag,detect,read,look")

    def call(self, *command, code=0, key=BEARER):
        env = {**os.environ, "OPENAI_API_KEY": key}
        done = subprocess.run(
            [BINARY, *command], capture_output=True, text=True, timeout=60, env=env
        )
        self.assertEqual(done.returncode, code, done.stderr)
        for secret in SECRETS:
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done

    def run_it(self, url, *more, **how):
        return self.call(
            "run",
            self.photos,
            "-o",
            self.out,
            "--filter.min_side=1",
            *self.options,
            "--to=caption",
            "--caption.engine=openai",
            "--caption.openai.url=" + url,
            "--caption.model=m",
            "--caption.openai.retries=0",
            *more,
            **how
        )

    def assert_nothing_kept(self, *folders):
        for secret in SECRETS:
            found = subprocess.run(
                ["grep", "-rlF", secret, *folders], capture_output=True, text=True, check=False
            )
            self.assertEqual(found.stdout, "", secret)
        for i in range(self.images):
            self.call("show", self.out, "0-%d" % i, "--json")

    def test_a_query_stays_behind_the_path_and_is_shown_nowhere(self):
        query = "?api-version=2024-10-21&api-key=%s&%s" % (QUERY, OTHER)
        for base in ("", "/", "/v1", "/v1/chat/completions", "/v1/chat/completions/"):
            with self.subTest(base=base), Parrot() as server:
                url = server.url + base + query + "#part"
                self.assertIn(
                    "images of m at " + server.url,
                    self.run_it(url, "--dry-run", "--caption.seed=%d" % len(base)).stdout,
                )
                self.run_it(url, "--caption.seed=%d" % len(base))
                self.assertEqual(
                    {path for _, _, path in server.requests}, {"/v1/chat/completions" + query}
                )
                self.assertEqual(
                    {headers["Authorization"] for _, headers, _ in server.requests},
                    {"Bearer " + BEARER},
                )
        self.assert_nothing_kept(self.out)
        self.assertIn(
            "2024-10-21", self.call("show", self.out, "0-0", "--json").stdout
        )  # a version is no secret

    def test_a_server_that_repeats_them_in_a_refusal(self):
        for code, ends in ((400, 0), (500, 1), (401, 1), (302, 1)):
            with self.subTest(code=code), Parrot(code) as server:
                done = self.run_it(
                    server.url + "?key=" + QUERY + "&" + OTHER,
                    "--caption.seed=%d" % code,
                    code=ends,
                )
                self.assertIn("****", done.stderr)
        self.assert_nothing_kept(self.out)

    def test_addresses_that_are_none(self):
        for url in (
            "127.0.0.1:9/v1?key=" + QUERY,
            "ftp://127.0.0.1:9/?key=" + QUERY,
            "me:%s@127.0.0.1:9" % OTHER,
            "http://me:%s@127.0.0.1:9" % OTHER,
            "http://127.0.0.1:9?key=%s,http://127.0.0.1:9?key=%s" % (QUERY, QUERY),
        ):
            with self.subTest(url=url):
                self.run_it(url, code=2)
        self.run_it("http://127.0.0.1:9?key=" + QUERY, code=1)
        with Parrot() as server:
            self.run_it(server.url + "/@accounts/x/chat/completions?key=" + QUERY)
            self.assertEqual(server.requests[0][2], "/@accounts/x/chat/completions?key=" + QUERY)
        self.assert_nothing_kept(self.out)

    def test_more_options_for_the_body(self):
        with Server() as server:
            self.run_it(server.url, '--caption.openai.extra={"api_key": "%s"}' % BEARER)
            self.assertEqual(server.requests[0][0]["api_key"], BEARER)
            self.run_it(
                server.url, '--caption.openai.extra={"api_key": "%s" "x": "%s"}' % (BEARER, OTHER), code=2
            )
        self.assert_nothing_kept(self.out)

    def test_a_key_file_that_others_can_read(self):
        path = os.path.join(self.folder, "key.txt")
        with open(path, "w", encoding="ascii") as f:
            f.write(BEARER + "\n")
        for mode, seed in ((0o644, 1), (0o640, 2), (0o604, 3), (0o600, 4), (0o400, 5)):
            os.chmod(path, mode)
            with self.subTest(mode=oct(mode)), Server() as server:
                told = self.run_it(
                    server.url, "--caption.openai.api_key_file=" + path, "--caption.seed=%d" % seed
                ).stderr
                self.assertEqual("chmod 600 " + path in told, mode & 0o077 != 0, told)
                self.assertEqual(server.requests[0][1]["Authorization"], "Bearer " + BEARER)

    def test_batch_files(self):
        files, query = self.out + "-files", "?api-key=%s&%s" % (QUERY, OTHER)
        self.call(
            "batch", "write", self.out, "-o", files, "--caption.engine=openai", "--caption.model=m"
        )
        with Api() as api:
            for verb in ("submit", "poll", "fetch"):
                self.call("batch", verb, files, "--caption.openai.url=" + api.url + query)
            self.assertTrue(all(path.endswith(query) for path in api.paths), api.paths)
            self.assertIn("/v1/files/file_1/content" + query, api.paths)
        with open(os.path.join(files, "answers-0000.jsonl"), encoding="utf-8") as answers:
            self.assertIn("****", answers.read())
        os.remove(os.path.join(files, "batches.json"))
        with Api(refuse=True) as api:
            self.assertIn(
                "HTTP 429: Bearer ****",
                self.call(
                    "batch", "submit", files, "--caption.openai.url=" + api.url + query, code=1
                ).stderr,
            )
        self.assert_nothing_kept(self.out, files)

    def test_words_that_are_no_secrets(self):
        with Server() as server:
            self.run_it(server.url, key="plain")
        self.assertIn("a plain middle", self.call("show", self.out, "0-0", "--json").stdout)


if __name__ == "__main__":
    unittest.main()
