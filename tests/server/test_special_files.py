#!/usr/bin/env python3
"""A named pipe, a socket or a device in place of any file that is read: one line says so at once.
DF_BINARY is the program."""

import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("DF_BINARY", SOURCE / "build" / "densefusion"))
WORDS = "not a regular file"
NO_MODELS = ["--skip", "embed,cluster,dedup,select,tag,detect,read"]


def picture(path, shade):
    """A BMP of 460 x 450."""
    row = bytes((shade + x // 4) % 256 for x in range(460 * 3))
    size = 54 + 450 * len(row)
    head = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", size, 0, 0, 54, 40, 460, 450, 1, 24, 0, 0, 0, 0, 0, 0
    )
    path.write_bytes(head + b"".join(bytes((b + 3 * y) % 256 for b in row) for y in range(450)))


class SpecialFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix="df-special-"))
        os.chdir(cls.base)
        pathlib.Path("in").mkdir()
        for i in range(2):
            picture(pathlib.Path(f"in/{i}.bmp"), 40 * i)
        head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }".ljust(117) + b"\n"
        pathlib.Path("vectors").mkdir()
        pathlib.Path("vectors/v.npy").write_bytes(
            b"\x93NUMPY\x01\x00"
            + struct.pack("<H", len(head))
            + head
            + struct.pack("<8f", 1, 0, 0, 0, 0, 1, 0, 0)
        )
        given = []
        for stage, models, words in (
            ("tag", "tag.models", "tag"),
            ("detect", "detect.models", "label"),
            ("read", "read.detector", "text"),
        ):
            pathlib.Path(f"{stage}.csv").write_text(
                f"path,{words},x0,y0,x1,y1\n0.bmp,dog,1,1,99,99\n"
            )
            given += [f"--{models}=", f"--{stage}.from={stage}.csv"]
        done = cls.start(
            "run",
            "in",
            "-o",
            "made",
            "--embed.from=vectors",
            *given,
            "--cluster.k=1",
            "--dedup.eps=0.1",
        )
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    def setUp(self):
        """A stage that does not begin has removed what it made before: each test has a dataset of
        its own."""
        shutil.rmtree("out", ignore_errors=True)
        shutil.copytree("made", "out")

    @staticmethod
    def start(*arguments):
        """A program that waits for the other end of a pipe fails by the time limit."""
        return subprocess.run(
            [BINARY, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            stdin=subprocess.DEVNULL,
        )

    def make(self, name, kind="pipe"):
        path = pathlib.Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(name)
        else:
            path.symlink_to("/dev/zero")
        return name

    def refused(self, *arguments, name, words=WORDS):
        done = self.start(*arguments)
        lines = [
            line
            for line in done.stderr.splitlines()
            if " found: " not in line and " rows: " not in line
        ]
        self.assertIn(done.returncode, (1, 2), done.stderr)
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn(words, lines[0])
        self.assertIn(pathlib.Path(name).name, lines[0])

    def test_inputs(self):
        for kind in ("pipe", "socket", "device"):
            for ending in ("tar", "csv", "tsv", "jsonl", "ndjson", "parquet"):
                with self.subTest(f"{kind} {ending}"):
                    name = self.make(f"i.{ending}", kind)
                    self.refused("run", name, "-o", "o", name="zero" if kind == "device" else name)

    def test_what_lies_in_the_input(self):
        pathlib.Path("mixed").mkdir()
        picture(pathlib.Path("mixed/good.bmp"), 9)
        for name in ("good.txt", "good.json", "other.bmp", "more.tar", "list.csv", "socket.bmp"):
            self.make(f"mixed/{name}", "socket" if name == "socket.bmp" else "pipe")
        pathlib.Path("mixed.csv").write_text(
            "path\nmixed/good.bmp\nmixed/other.bmp\nmixed/more.tar/a.bmp\n"
        )
        for what in ("mixed", "mixed.csv"):
            done = self.start("run", what, "-o", f"{what}.out", "--to", "filter")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("1 of ", self.start("status", f"{what}.out").stdout)

    def test_tables(self):
        for kind in ("pipe", "socket", "device"):
            for ending in ("parquet", "csv", "jsonl"):
                self.setUp()
                for stage, models in (
                    ("read", "--read.detector="),
                    ("detect", "--detect.models="),
                    ("tag", "--tag.models="),
                ):
                    with self.subTest(f"{kind} {ending} {stage}"):
                        name = self.make(f"t/t.{ending}", kind)
                        for given in (name, "t"):
                            self.refused(stage, "out", models, f"--{stage}.from={given}", name=name)
                        os.unlink(name)
            with self.subTest(f"{kind} metadata"):
                name = self.make("m/m.parquet", kind)
                for given in (name, "m"):
                    self.refused("metadata", given, "-o", "kept", name=name)

    def test_vectors(self):
        name = self.make("scores.parquet")
        self.refused("select", "out", "--select.by=score", f"--select.scores={name}", name=name)
        for ending in ("npy", "npz", "parquet"):
            with self.subTest(ending):
                name = self.make(f"v{ending}/v.{ending}")
                self.refused(
                    "embed", "out", f"--embed.from=v{ending}", "--embed.field=emb", name=name
                )
        shutil.copytree("vectors", "keyed")
        name = self.make("keyed/v.parquet")
        self.refused("embed", "out", "--embed.from=keyed", "--embed.key=path", name=name)

    def test_captions(self):
        openai = [
            "caption",
            "out",
            "--caption.engine=openai",
            "--caption.openai.url=http://127.0.0.1:1",
            "--caption.model=m",
        ]
        for kind in ("pipe", "socket", "device"):
            with self.subTest(kind):
                name = self.make("special", kind)
                self.refused(*openai, f"--caption.openai.api_key_file={name}", name=name)
                self.refused(*openai, f"--caption.openai.ca_file={name}", name=name)
                self.refused(*openai, f"--caption.prices={name}", "--caption.budget=1", name=name)
                self.refused("cost", "out", f"--prices={name}", name=name)
                self.refused(
                    "caption",
                    "out",
                    "--caption.engine=replay",
                    f"--caption.replay.answers={name}",
                    name=name,
                )
                self.refused("fuse", "out", f"--fuse.prompt={name}", name=name)
                self.refused("batch", "merge", "out", name, name=name)
                name = self.make("special.yaml", kind)
                self.refused("run", "in", "-o", "o", name, name=name)

    @unittest.skipUnless(
        os.environ.get("DF_REFUSE_CGROUP"),
        "DF_REFUSE_CGROUP: tests/server/refuse_cgroup.c, compiled",
    )
    def test_a_library_that_throws(self):
        """From the first opening our own look at the file fails, from the second DuckDB's: that
        throws in a destructor."""
        for first, words in (
            ("1", "/proc/self/cgroup: Permission denied"),
            ("2", "a library gave up"),
        ):
            with self.subTest(first):
                environment = {
                    **os.environ,
                    "LD_PRELOAD": os.environ["DF_REFUSE_CGROUP"],
                    "REFUSE_FROM": first,
                }
                done = subprocess.run(
                    [BINARY, "status", "out"],
                    capture_output=True,
                    text=True,
                    timeout=30,
                    env=environment,
                )
                self.assertEqual(
                    (done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr
                )
                self.assertIn(words, done.stderr)

    def test_parts_of_a_dataset(self):
        self.make("out/ingest/part-00000.parquet")
        for command in (
            ("status", "out"),
            ("show", "out", "0.bmp"),
            ("export", "out"),
            ("run", "in", "-o", "out"),
        ):
            with self.subTest(command[0]):
                self.refused(*command, name="part-00000.parquet")

    @unittest.skipUnless((SOURCE / ".deps/lib/libdf_llama.so").exists(), "llama.cpp is not built")
    def test_models_of_llama(self):
        name = self.make("pipe.gguf")
        llama = ["caption", "out", "--caption.engine=llama"]
        self.refused(*llama, f"--caption.model={name}", "--caption.llama.mmproj=none", name=name)
        pathlib.Path("g.gguf").write_bytes(b"GGUF")
        self.refused(*llama, "--caption.model=g.gguf", f"--caption.llama.mmproj={name}", name=name)

    def test_batch_server(self):
        done = self.start(
            "batch", "write", "out", "-o", "batch", "--caption.engine=openai", "--caption.model=m"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        server = ["--caption.openai.url=http://127.0.0.1:1", "--caption.model=m"]
        name = self.make("special")
        for verb in ("submit", "poll", "fetch"):
            for option in ("api_key_file", "ca_file"):
                with self.subTest(f"{verb} {option}"):
                    self.refused(
                        "batch",
                        verb,
                        "batch",
                        *server,
                        f"--caption.openai.{option}={name}",
                        name=name,
                    )

    def test_models(self):
        vision = SOURCE / "tests" / "oracle" / "vision"
        for broken in ("tiny-nanodet.onnx", "three.labels.txt", "tiny-nanodet.yaml"):
            with self.subTest(broken):
                models = pathlib.Path("models")
                shutil.rmtree(models, ignore_errors=True)
                models.mkdir()
                for name in ("tiny-nanodet.onnx", "three.labels.txt", "tiny-nanodet.yaml"):
                    shutil.copy(vision / name, models)
                self.make(str(models / broken))
                self.refused(
                    "detect",
                    "out",
                    "--models",
                    "models",
                    "--detect.models=tiny-nanodet",
                    name=broken,
                )
                self.start("models", "--models", "models", "--verify")  # no time limit met
        for kind in ("pipe", "socket", "device"):
            with self.subTest(f"install {kind}"):
                name = self.make("special.onnx", kind)
                self.refused(
                    "models",
                    "install",
                    "tiny-nanodet",
                    "--from",
                    name,
                    "--models",
                    str(vision),
                    name=name,
                )

    def test_shared_texts(self):
        for text in (
            "lexicon/kinds.txt",
            "prompts/meta.txt",
            "report/index.html",
            "lexicon/en-lexicon.txt",
        ):
            with self.subTest(text):
                shutil.rmtree("share", ignore_errors=True)
                shutil.copytree(SOURCE / "share", "share", ignore=shutil.ignore_patterns("models"))
                self.make(f"share/{text}")
                self.refused(
                    "run",
                    "in",
                    "-o",
                    "shared",
                    "--share",
                    "share",
                    *NO_MODELS,
                    "--fuse.prompt=meta",
                    name=text,
                )


if __name__ == "__main__":
    unittest.main()
