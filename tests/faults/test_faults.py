"""What may pass stops a stage and is asked again; only what is known of one file becomes that row's
reason.

    DF_BINARY=build/densefusion DF_FAULT_SHIM=build/fault-shim.so python3
    tests/faults/test_faults.py

The shim (shim.c) makes one system call of the real program fail. An interrupted run, gone on with,
must end in the bytes of one that was left alone.
"""

import concurrent.futures
import errno
import filecmp
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "server"))
from server import Server  # noqa: E402

BINARY = os.path.abspath(os.environ["DF_BINARY"])
SHIM = os.path.abspath(os.environ["DF_FAULT_SHIM"])
SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "samples")
CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "corpus", "decode")
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "share", "models")
KEEP_ALL = ["--filter.min_side=1", "--filter.max_aspect=1000000", "--run.threads=2"]
NO_MODELS = ["--skip", "embed,cluster,dedup,select,tag,detect,read"]
WHOLE = {}  # parts of runs that were left alone, by input and options


def fault(call, path, code, first=1, count=0):
    return {
        "LD_PRELOAD": SHIM,
        "FAULT_CALL": call,
        "FAULT_PATH": path,
        "FAULT_ERRNO": str(code),
        "FAULT_FROM": str(first),
        "FAULT_COUNT": str(count),
    }


class FaultCase(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="df-faults-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        self.input, self.out = self.at("in"), self.at("out")
        os.makedirs(self.at("in/deep"))
        for sample, name in (
            ("clock", "a"),
            ("coffee", "b"),
            ("bridge", "deep/c"),
            ("raccoon", "deep/d"),
        ):
            shutil.copy(os.path.join(SAMPLES, sample + ".jpg"), self.at("in/%s.jpg" % name))
        with open(self.at("in/a.txt"), "w") as f:
            f.write("a clock on a wall")

    def at(self, name):
        return os.path.join(self.top, name)

    def run_it(self, *args, env=None):
        done = subprocess.run(
            [BINARY, *args],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.said = done.stdout + done.stderr
        return done.returncode

    def go(self, *args, out=None, to="filter", env=None):
        return self.run_it(
            "run", self.input, "-o", out or self.out, "--to", to, *KEEP_ALL, *args, env=env
        )

    def parts(self, out):
        return {os.path.relpath(p, out): p for p in glob.glob(out + "/*/part-*.parquet")}

    def bytes_of_parts(self, out):
        found = {}
        for name, path in self.parts(out).items():
            with open(path, "rb") as f:
                found[name] = f.read()
        return found

    def must_be_as_if_nothing_was(self, *args, to="filter"):
        """Goes on, and compares with a run that was left alone. No part tells where the input is:
        one run will do."""
        self.assertEqual(self.go(*args, to=to), 0, self.said)
        paths = [p for p in glob.glob(self.at("in/**"), recursive=True) if os.path.isfile(p)]
        files = sorted((os.path.relpath(p, self.top), os.path.getsize(p)) for p in paths)
        key = (os.path.basename(self.input), args, to, tuple(files))
        if key not in WHOLE:
            self.assertEqual(self.go(*args, out=self.at("whole"), to=to), 0, self.said)
            WHOLE[key] = self.bytes_of_parts(self.at("whole"))
        self.assertTrue(self.bytes_of_parts(self.out) == WHOLE[key], self.said)

    def must_stop(self, code, *words):
        self.assertEqual(code, 1, self.said)
        lines = [line for line in self.said.splitlines() if line.startswith("densefusion: ")]
        for word in words:
            self.assertIn(word, lines[-1])


class Away(FaultCase):
    """The input, or a part of it, is not there for a while."""

    def away_and_back(self, name, *words, empty=False, to="filter", at=None):
        """Ingested; then `name` is gone, and the next stages run into it; then it is back."""
        self.assertEqual(self.go(to=at or "ingest"), 0, self.said)
        os.rename(self.at(name), self.at("elsewhere"))
        if empty:
            os.mkdir(self.at(name))
        self.must_stop(self.run_it("filter", self.out, *KEEP_ALL), "run again", *words)
        done = [
            len(glob.glob(self.out + "/%s/part-*.parquet" % stage))
            for stage in ("filter", "ingest")
        ]
        self.assertLess(*done)  # the part that needs it is not there
        if empty:
            os.rmdir(self.at(name))
        os.rename(self.at("elsewhere"), self.at(name))
        self.must_be_as_if_nothing_was()

    def test_the_input(self):
        self.away_and_back("in", self.top + "/in", "mounted")

    def test_an_empty_mount_point(self):
        self.away_and_back("in", self.top + "/in is there, but empty", empty=True)

    def test_an_empty_folder_in_it(self):
        self.away_and_back("in/deep", "in/deep is there, but empty", empty=True)

    def test_a_mount_point_with_a_note_in_it(self):
        self.assertEqual(self.go(to="ingest"), 0, self.said)
        os.rename(self.input, self.at("elsewhere"))
        os.mkdir(self.input)
        open(self.at("in/NOT_MOUNTED"), "w").close()
        self.must_stop(
            self.run_it("filter", self.out, *KEEP_ALL),
            "is not there, nor are the 3 images beside it",
        )
        shutil.rmtree(self.input)
        os.rename(self.at("elsewhere"), self.input)
        self.must_be_as_if_nothing_was()

    def test_ingest_again_of_an_empty_mount_point(self):
        self.assertEqual(self.go(), 0, self.said)
        os.rename(self.input, self.at("elsewhere"))
        os.mkdir(self.input)
        self.must_stop(self.go(), "is there, but empty, and had 4 images")

    def test_a_tar_of_several(self):
        with tarfile.open(self.at("in/s.tar"), "w") as tar:
            for name in ("dandelions", "fig-in-bowl"):
                tar.add(os.path.join(SAMPLES, name + ".jpg"), name + ".jpg")
        self.away_and_back("in/s.tar", "in/s.tar", "holds many images")

    def test_the_one_file_that_is_gone_is_missing(self):
        self.assertEqual(self.go(to="ingest"), 0, self.said)
        os.remove(self.at("in/deep/d.jpg"))
        self.assertEqual(self.run_it("filter", self.out, *KEEP_ALL), 0, self.said)
        self.run_it("status", self.out)
        self.assertIn("3 of 4 images, not 1: 1 missing", self.said)

    def test_the_folder_that_is_gone_is_missing(self):
        self.assertEqual(self.go(to="ingest"), 0, self.said)
        shutil.rmtree(self.at("in/deep"))
        self.assertEqual(self.run_it("filter", self.out, *KEEP_ALL), 0, self.said)
        self.run_it("status", self.out)
        self.assertIn("2 of 4 images, not 2: 2 missing", self.said)


class AwayList(FaultCase):
    def list_of(self, *paths):
        self.input = self.at("in/list.csv")
        with open(self.input, "w") as f:
            f.write("path,caption\n" + "".join("%s,words\n" % p for p in paths))

    def stops_and_goes_on(self, name, *words, empty=False):
        os.rename(self.at(name), self.at("elsewhere"))
        if empty:
            os.mkdir(self.at(name))
        self.must_stop(self.go(), *words)
        self.assertEqual(glob.glob(self.out + "/ingest/part-*"), [])
        if empty:
            os.rmdir(self.at(name))
        os.rename(self.at("elsewhere"), self.at(name))
        self.must_be_as_if_nothing_was()

    def test_the_folder_of_all_its_images(self):
        self.list_of("deep/c.jpg", "deep/d.jpg")
        self.stops_and_goes_on("in/deep", "deep/c.jpg", "run again")

    def test_an_empty_folder_of_some(self):
        self.list_of("a.jpg", "deep/c.jpg", "deep/d.jpg")
        self.stops_and_goes_on("in/deep", "in/deep is there, but empty", empty=True)

    def test_a_tar_of_some(self):
        with tarfile.open(self.at("in/s.tar"), "w") as tar:
            tar.add(self.at("in/b.jpg"), "m1.jpg")
        self.list_of("a.jpg", "s.tar/m1.jpg")
        self.stops_and_goes_on("in/s.tar", "list.csv", "s.tar", "bring it back")

    def test_the_one_row_without_a_file_is_missing(self):
        self.list_of("a.jpg", "none.jpg", "deep/c.jpg")
        self.assertEqual(self.go(), 0, self.said)
        self.assertIn("2 of 3 images, not 1: 1 missing", self.said)


class Errors(FaultCase):
    """A system call fails for ever, and then not: the stage stops, names the file, and the next run
    goes on."""

    def stops_and_goes_on(self, env, *words, args=(), to="filter"):
        self.must_stop(self.go(*args, to=to, env=env), *words)
        self.must_be_as_if_nothing_was(*args, to=to)

    def test_a_file_cannot_be_opened(self):
        for code in (errno.EMFILE, errno.ESTALE, errno.ETIMEDOUT):
            with self.subTest(errno.errorcode[code]):
                self.stops_and_goes_on(fault("open", "/b.jpg", code), "b.jpg", "run again")
                shutil.rmtree(self.out)

    def test_filter_cannot_open_it(self):
        self.assertEqual(self.go(to="ingest"), 0, self.said)
        for call in ("open", "read", "stat", "realpath"):
            with self.subTest(call):
                env = fault(call, "/b.jpg", errno.EIO)
                self.must_stop(self.run_it("filter", self.out, *KEEP_ALL, env=env), "b.jpg")
        self.must_be_as_if_nothing_was()

    def test_a_file_breaks_off_by_an_error(self):
        self.stops_and_goes_on(
            fault("read", "/b.jpg", errno.EIO), "b.jpg", "Input/output error", "run again"
        )

    def test_a_sidecar(self):
        self.stops_and_goes_on(fault("open", "/a.txt", errno.EIO), "a.txt")

    def test_a_folder_cannot_be_opened(self):
        self.stops_and_goes_on(fault("open", "/in/deep", errno.EMFILE), "in/deep", "run again")

    def test_a_folder_breaks_off(self):
        self.stops_and_goes_on(
            fault("readdir", "/in/deep", errno.EIO, first=3), "in/deep", "run again"
        )

    def test_an_entry_cannot_be_looked_at(self):
        self.stops_and_goes_on(fault("stat", "d.jpg", errno.EIO), "d.jpg", "run again")

    def test_a_tar_breaks_off_by_an_error(self):
        with tarfile.open(self.at("in/s.tar"), "w") as tar:
            for name in ("a", "b", "deep/c"):
                tar.add(self.at("in/%s.jpg" % name), name.replace("/", "-") + ".jpg")
        self.stops_and_goes_on(fault("read", "/s.tar", errno.EIO, first=3), "s.tar", "run again")

    def test_a_link(self):
        os.symlink("deep/c.jpg", self.at("in/link.jpg"))
        with open(self.at("in/deep/c.jpg"), "ab") as f:
            f.write(b" ")  # not the same bytes as a link to it
        self.stops_and_goes_on(fault("realpath", "link.jpg", errno.EIO), "link.jpg")

    def test_a_file_without_a_name_that_tells(self):
        os.rename(self.at("in/b.jpg"), self.at("in/0a1b2c"))
        self.stops_and_goes_on(fault("read", "/0a1b2c", errno.EIO), "0a1b2c")

    def test_the_pictures_of_the_report(self):
        self.assertEqual(self.go(*NO_MODELS, to="export"), 0, self.said)
        self.must_stop(
            self.go(*NO_MODELS, to="report", env=fault("open", "/b.jpg", errno.EIO, first=1)),
            "b.jpg",
        )
        self.assertEqual(self.go(*NO_MODELS, to="report"), 0, self.said)
        self.assertEqual(len(glob.glob(self.out + "/report/thumbs/*.jpg")), 4)

    def test_cards(self):
        self.assertEqual(self.go(*NO_MODELS, to="look"), 0, self.said)
        self.must_stop(
            self.go(*NO_MODELS, to="fuse", env=fault("open", "nanodet.yaml", errno.EMFILE)),
            "nanodet.yaml",
        )

    def test_captions(self):
        with Server() as server:
            ask = [
                "--caption.engine=openai",
                "--caption.openai.url=" + server.url + "/v1",
                "--caption.model=m",
            ]
            self.assertEqual(self.go(*NO_MODELS, to="fuse"), 0, self.said)
            self.must_stop(
                self.go(*NO_MODELS, *ask, to="caption", env=fault("read", "/b.jpg", errno.EIO)),
                "b.jpg",
            )
            self.assertEqual(self.go(*NO_MODELS, *ask, to="caption"), 0, self.said)
            self.assertRegex(self.said, r"caption +4 of 4 images\n")


class Momentary(FaultCase):
    """One failure that passes is heard of by nobody."""

    def test_once(self):
        for call, path in (
            ("open", "/b.jpg"),
            ("read", "/b.jpg"),
            ("stat", "/b.jpg"),
            ("realpath", "/b.jpg"),
            ("open", "/a.txt"),
            ("open", "/in/deep"),
        ):
            with self.subTest(call + path):
                self.assertEqual(self.go(env=fault(call, path, errno.EIO, count=1)), 0, self.said)
                self.must_be_as_if_nothing_was()
                shutil.rmtree(self.out)


class Known(FaultCase):
    """What is known of one file is its own."""

    def test_what_may_not_be_read_is_one_row(self):
        self.assertEqual(self.go(env=fault("open", "/b.jpg", errno.EACCES)), 0, self.said)
        self.assertIn("3 of 4 images, not 1: 1 unreadable", self.said)


class Memory(FaultCase):
    """No memory for a moment, wherever in the program: the run stops, or what it writes is what it
    is without."""

    def test_ingest(self):
        shutil.copy(os.path.join(SAMPLES, "aitzgorri.txt"), self.at("in/b.txt"))
        with open(self.at("in/deep/c.json"), "w") as f:
            f.write('{"caption": "a bridge", "url": "http://localhost/bridge.jpg"}')
        self.assertEqual(
            self.go("--run.threads=1", out=self.at("whole"), to="ingest"), 0, self.said
        )

        def run(n):
            out = self.at("out%d" % n)
            env = {**os.environ, **fault("malloc", "", errno.ENOMEM, first=n, count=1)}
            done = subprocess.run(
                [BINARY, "run", self.input, "-o", out, "--to", "ingest", "--run.threads=1"],
                env=env,
                capture_output=True,
                text=True,
                timeout=120,
            )
            return n, out, done

        whole = self.parts(self.at("whole"))
        stopped = 0
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for n, out, done in pool.map(run, range(25, 260, 6)):
                self.assertIn(done.returncode, (0, 1), n)
                stopped += done.returncode
                mine = self.parts(out)
                for name in mine if done.returncode else whole:
                    self.assertTrue(filecmp.cmp(mine[name], whole[name], shallow=False), n)
        self.assertGreater(stopped, 5)


def png(width, height):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(
        b"\0" + bytes((x * 7 + y) % 256 for x in range(3 * width)) for y in range(height)
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class Pictures(FaultCase):
    """No picture stops a run, whatever its library says of it."""

    def test_files_that_claim_much(self):
        for path in glob.glob(CORPUS + "/*"):
            shutil.copy(path, self.input)
        self.assertEqual(self.go(*NO_MODELS, to="look"), 0, self.said)
        counts = re.search(r"filter +(\d+) of (\d+) images, not (\d+): .*unreadable", self.said)
        self.assertEqual(int(counts.group(2)), len(os.listdir(CORPUS)) + 4)
        self.assertGreaterEqual(int(counts.group(3)), 8)

    def test_a_picture_that_is_merely_wide(self):
        shutil.copy(CORPUS + "/wide.avif", self.input)
        self.assertEqual(self.go(*NO_MODELS, to="look"), 0, self.said)
        self.assertIn("4 of 5 images, not 1: 1 unreadable", self.said)

    def test_shapes_that_nobody_thought_of(self):
        for width, height in ((1, 1), (20000, 1), (1, 20000)):
            with open(self.at("in/%d-%d.png" % (width, height)), "wb") as f:
                f.write(png(width, height))
        args = ["--filter.duplicates=false"] + (
            NO_MODELS
            if not os.path.exists(MODELS + "/nanodet.onnx")
            else ["--skip", "cluster,dedup,select"]
        )
        self.assertEqual(self.go(*args, to="look"), 0, self.said)
        self.assertIn("7 of 7 images", self.said)


if __name__ == "__main__":
    unittest.main()
