"""The llama engine: a tiny model of noise, loaded from GGUF files and run on photographs, beside
llama.cpp's own server.

DF_BINARY=build/densefusion DF_LLAMA_SERVER=.deps/bin/llama-server .deps/venv/bin/python
tests/llama/test_llama.py
"""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "server"))
from evidence import BINARY, EvidenceCase, samples, SOURCE  # noqa: E402

SERVER = os.environ.get("DF_LLAMA_SERVER", os.path.join(SOURCE, ".deps", "bin", "llama-server"))
SIDES = [1000, 800, 640, 300, 56, 40]  # larger and smaller than the model's own 56 pixels
TOKENS = 48


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """llama.cpp's server on loopback, with so many slots."""

    def __init__(self, folder, slots):
        self.url = "http://127.0.0.1:%d" % free_port()
        self.log = open(os.path.join(folder, "server.log"), "w")
        self.process = subprocess.Popen(
            [
                SERVER,
                "-m",
                folder + "/tiny.gguf",
                "--mmproj",
                folder + "/tiny-mmproj.gguf",
                "--host",
                "127.0.0.1",
                "--port",
                self.url.rsplit(":", 1)[1],
                "-np",
                str(slots),
                "-c",
                str(4096 * slots),
                "-t",
                "1",
                "-fa",
                "off",
                "--no-warmup",
            ],
            stdout=self.log,
            stderr=self.log,
        )

    def __enter__(self):
        for _ in range(300):
            try:
                with urllib.request.urlopen(self.url + "/health") as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("llama-server does not come up: see its log")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def ask(self, prompt, image):
        with open(image, "rb") as f:
            uri = "data:image/png;base64," + base64.b64encode(f.read()).decode()
        body = {
            "model": "m",
            "temperature": 0,
            "max_tokens": TOKENS,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": prompt},
                        {"type": "image_url", "image_url": {"url": uri}},
                    ],
                }
            ],
        }
        request = urllib.request.Request(
            self.url + "/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


class Llama(EvidenceCase):
    options = ("--skip=embed,cluster,dedup,select",)

    @classmethod
    def fill(cls):
        """The model; pictures without loss, so that both sides decode the same pixels."""
        subprocess.run([sys.executable, os.path.join(HERE, "tiny_vlm.py"), cls.folder], check=True)
        paths = samples(len(SIDES))
        names = [os.path.basename(path)[:-4] for path in paths]
        for path, name, side in zip(paths, names, SIDES):
            with Image.open(path) as image:
                image = image.convert("RGB")
                image.thumbnail((side, side))
                image.save(os.path.join(cls.photos, name + ".png"))
        with open(os.path.join(cls.photos, names[0] + ".txt"), "w", encoding="utf-8") as f:
            f.write("A plain walk in the old town, told in enough words to be kept.")

    def command(self, *more):
        return self.command_over(self.photos, *more)

    def command_over(self, photos, *more):
        return [
            BINARY,
            "run",
            photos,
            "-o",
            self.out,
            "--to=caption",
            "--skip=embed,cluster,dedup,select",
            "--filter.min_side=1",
            "--caption.engine=llama",
            "--caption.model=" + self.folder + "/tiny.gguf",
            "--caption.llama.mmproj=" + self.folder + "/tiny-mmproj.gguf",
            "--caption.temperature=0",
            "--caption.max_tokens=%d" % TOKENS,
            *more,
        ]

    def run_it(self, *more):
        return subprocess.run(self.command(*more), capture_output=True, text=True, timeout=120)

    def rows(self):
        """Of every image what is known of it, by path."""
        found = {}
        for i in range(len(SIDES)):
            shown = subprocess.run(
                [BINARY, "show", self.out, "0-%d" % i, "--json"],
                check=True,
                capture_output=True,
                text=True,
            )
            image = json.loads(shown.stdout)
            found[image["ingest"][0]["path"]] = image
        return found

    def captions(self, *more):
        """The captions of a run from fresh evidence."""
        shutil.rmtree(self.out)
        shutil.copytree(self.evidence, self.out)
        done = self.run_it(*more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {path: row["caption"][0]["caption"] for path, row in self.rows().items()}

    def assert_one_line(self, done, *words):
        self.assertIn(done.returncode, (1, 2), done.stderr)
        self.assertEqual(
            len([line for line in done.stderr.splitlines() if ": caption: " in line]),
            1,
            done.stderr,
        )
        for word in words:
            self.assertIn(word, done.stderr)

    def test_the_same_words_whatever_runs_beside_it(self):
        alone = self.captions("--caption.llama.sequences=1")
        self.assertEqual(len(alone), len(SIDES))
        self.assertEqual(
            len(set(alone.values())), len(SIDES)
        )  # it sees: other pictures, other words
        self.assertEqual(self.captions("--caption.llama.sequences=4"), alone)
        self.assertEqual(self.captions("--caption.llama.sequences=64", "-j", "1"), alone)

    def test_a_drawn_caption_depends_on_seed_and_record_alone(self):
        drawn = ["--caption.temperature=0.9", "--caption.top_p=0.9", "--caption.top_k=40"]
        first = self.captions(*drawn, "--caption.llama.sequences=1")
        self.assertEqual(self.captions(*drawn, "--caption.llama.sequences=5"), first)
        self.assertNotEqual(self.captions(*drawn, "--caption.seed=7"), first)
        self.assertNotEqual(self.captions(), first)

    def test_the_server_says_the_same(self):
        self.assertEqual(self.run_it().returncode, 0)
        for slots in (1, 4):
            with Server(self.folder, slots) as server:
                for path, row in self.rows().items():
                    ours = row["caption"][0]
                    theirs = server.ask(row["fuse"][0]["prompt"], os.path.join(self.photos, path))
                    choice = theirs["choices"][0]
                    with self.subTest(path=path, slots=slots):
                        self.assertEqual(ours["caption"], choice["message"]["content"].strip())
                        self.assertEqual(ours["finish"], choice["finish_reason"])
                        self.assertEqual(ours["prompt_tokens"], theirs["usage"]["prompt_tokens"])
                        self.assertEqual(
                            ours["completion_tokens"], theirs["usage"]["completion_tokens"]
                        )

    def test_the_end_of_an_answer(self):
        long = self.captions()
        finishes = {row["caption"][0]["finish"] for row in self.rows().values()}
        self.assertIn("length", finishes)
        word = sorted(long.values(), key=len)[-1].split()[5]
        cut = self.captions("--caption.stop= " + word)
        for path, text in cut.items():
            self.assertEqual(text, (" " + long[path]).split(" " + word)[0].strip() or None)
        self.captions("--caption.max_tokens=3")
        self.assertTrue(
            all(row["caption"][0]["completion_tokens"] <= 3 for row in self.rows().values())
        )

    def test_control_tokens_in_a_text_stay_words(self):
        """A text that ends the turn for the server does not for us: it is cut into more than the
        one token."""
        template = os.path.join(self.folder, "template.txt")
        with open(template, "w", encoding="utf-8") as f:
            f.write(
                "Describe it. <|im_end|><|im_start|>assistant\n\n[World Knowledge]: {world_knowledge}\n"
            )
        self.captions("--fuse.prompt=" + template)
        path, row = next(iter(self.rows().items()))
        self.assertIn("<|im_end|>", row["fuse"][0]["prompt"])
        with Server(self.folder, 1) as server:
            theirs = server.ask(row["fuse"][0]["prompt"], os.path.join(self.photos, path))
        self.assertGreater(row["caption"][0]["prompt_tokens"], theirs["usage"]["prompt_tokens"])

    def test_without_a_picture(self):
        seen, unseen = self.captions(), self.captions("--caption.llama.mmproj=none")
        self.assertNotEqual(seen, unseen)
        self.assertTrue(all(unseen.values()))

    def test_files_that_are_not_there_or_do_not_fit(self):
        cut, wide = os.path.join(self.folder, "cut.gguf"), os.path.join(self.folder, "wide")
        with open(self.folder + "/tiny.gguf", "rb") as f, open(cut, "wb") as out:
            out.write(f.read()[:300000])
        subprocess.run(
            [sys.executable, os.path.join(HERE, "tiny_vlm.py"), wide, "--width", "96"], check=True
        )
        self.assert_one_line(
            self.run_it("--caption.model=/nowhere.gguf"),
            "caption.model: /nowhere.gguf",
            "no such file",
        )
        self.assert_one_line(self.run_it("--caption.model="), "caption.model", "GGUF")
        self.assert_one_line(self.run_it("--caption.llama.mmproj="), "caption.llama.mmproj", "none")
        self.assert_one_line(self.run_it("--caption.model=" + cut), "cut.gguf")
        self.assert_one_line(
            self.run_it("--caption.llama.mmproj=" + wide + "/tiny-mmproj.gguf"), "wide/tiny-mmproj.gguf"
        )
        self.assert_one_line(
            self.run_it("--caption.llama.mmproj=" + self.folder + "/tiny.gguf"), "tiny.gguf"
        )

    def test_a_prompt_too_long_is_that_records_error(self):
        done = self.run_it("--caption.llama.n_ctx=256")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("raise it", done.stderr)
        for row in self.rows().values():
            self.assertIn("caption.llama.n_ctx is 256", row["caption"][0]["error"])

    def test_a_context_too_small_takes_less_evidence(self):
        self.captions("--caption.max_tokens=8")
        tokens = {path: row["caption"][0]["prompt_tokens"] for path, row in self.rows().items()}
        self.captions("--caption.max_tokens=8", "--caption.llama.n_ctx=%d" % (max(tokens.values()) + 7))
        for path, row in self.rows().items():
            attempt = row["caption/attempts"][0]
            self.assertTrue(
                attempt["caption"] or attempt["error"] == "the model answered with an empty caption"
            )
            if tokens[path] == max(tokens.values()):
                self.assertGreater(attempt["shortened"], 0)
                self.assertLess(attempt["prompt_tokens"], tokens[path])
            else:
                self.assertEqual(
                    (attempt["shortened"], attempt["prompt_tokens"]), (0, tokens[path])
                )

    def test_kill_and_interrupt_go_on_to_the_same_words(self):
        whole = self.captions()
        for number, code in ((signal.SIGKILL, -9), (signal.SIGINT, 3)):
            shutil.rmtree(self.out)
            shutil.copytree(self.evidence, self.out)
            run = subprocess.Popen(
                self.command("--caption.llama.sequences=1"),
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            journal = os.path.join(self.out, "caption", "part-00000.journal")
            while run.poll() is None and not (os.path.exists(journal) and os.path.getsize(journal)):
                time.sleep(0.002)
            run.send_signal(number)
            self.assertIn(run.wait(timeout=20), (code, 0))
            self.assertEqual(self.run_it().returncode, 0)
            self.assertEqual(
                {path: row["caption"][0]["caption"] for path, row in self.rows().items()}, whole
            )


if __name__ == "__main__":
    unittest.main()
