"""Runs that meet in one dataset, and runs that are killed at each rename.

DF_BINARY=build/densefusion python3 tests/output/test_together.py
"""

import array
import filecmp
import glob
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_output import BINARY, SKIP, SOURCE, Case, fingerprint, read  # noqa: E402

PARTS = ["--ingest.part_rows=2", "-j", "1"]


def same_files(case, one, other):
    """All files of two datasets have the same bytes; the datasets lie in folders of their own."""
    compared = filecmp.dircmp(one, other)
    case.assertEqual((compared.left_only, compared.right_only), ([], []), (one, other))
    for name in compared.common_files:
        with open(os.path.join(one, name), "rb") as a, open(os.path.join(other, name), "rb") as b:
            case.assertEqual(a.read(), b.read(), os.path.join(other, name))
    for name in compared.common_dirs:
        same_files(case, os.path.join(one, name), os.path.join(other, name))


class Together(Case):
    """A run is stopped in the middle of its part (SIGSTOP); others come."""

    def setUp(self):
        super().setUp()
        for i in range(4):  # large enough that a part takes a moment
            shutil.copy(
                os.path.join(SOURCE, "samples", "two-dogs.jpg"),
                os.path.join(self.photos, f"more{i}.jpg"),
            )
        self.out = self.at("out")
        self.must(self.run_on(self.out, "--to", "ingest", *PARTS))

    def begin(self, *arguments):
        """A run that has taken its parts and is asleep."""
        for _ in range(20):
            process = subprocess.Popen(
                [BINARY, "run", "-o", self.out, *SKIP, *PARTS, *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while process.poll() is None and not glob.glob(
                os.path.join(self.out, "filter", "part-*")
            ):
                time.sleep(0.0005)
            if process.poll() is None:
                process.send_signal(signal.SIGSTOP)
                if not os.path.exists(os.path.join(self.out, "check", "part-00000.parquet")):
                    self.addCleanup(self.end, process)
                    return process
                process.send_signal(signal.SIGCONT)
            process.wait()
            shutil.rmtree(self.out)
            self.must(self.run_on(self.out, "--to", "ingest", *PARTS))
        self.fail("no run could be stopped in its middle")
        return None

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.wait()

    def refused(self, result, words):
        self.assertNotIn(result.returncode, (0, -signal.SIGKILL))
        self.assertEqual(len(result.stderr.strip().split("\n")), 1, result.stderr)
        self.assertIn(words, result.stderr)

    def again(self, *arguments):
        return self.densefusion("run", "-o", self.out, *SKIP, *PARTS, *arguments)

    def test_a_part_has_one_owner(self):
        process = self.begin("--parts", "0")
        before = fingerprint(self.out)
        self.refused(self.again("--parts", "0"), "another run is at work on part 0")
        self.refused(self.again("--parts", "0-2"), "another run is at work on part 0")
        self.refused(self.again(), "another densefusion run is at work")
        self.refused(self.densefusion("caption", self.out), "another densefusion run is at work")
        self.assertEqual(
            [f for f in fingerprint(self.out) if "dataset.tmp" not in f[0]],
            [f for f in before if "dataset.tmp" not in f[0]],
        )
        self.must(self.again("--parts", "1-2"))
        self.end(process)
        self.assertEqual(process.returncode, 0)
        self.must(self.again())
        self.must(self.run_on(self.at("whole"), *PARTS))
        same_files(self, self.at("whole"), self.out)

    def test_runs_that_share_agree(self):
        process = self.begin("--parts", "0")
        made = read(os.path.join(self.out, "dataset.json"))
        for option in ["--filter.max_aspect=9", "--fuse.max_boxes=3", "--caption.seed=3"]:
            with self.subTest(option):
                self.refused(self.again("--parts", "1", option), "other options")
        self.assertEqual(read(os.path.join(self.out, "dataset.json")), made)
        self.assertFalse(os.path.exists(os.path.join(self.out, "filter", "part-00001.parquet")))
        self.end(process)
        self.must(self.again("--parts", "1", "--filter.max_aspect=9"))  # alone, it may begin anew
        self.assertFalse(os.path.exists(os.path.join(self.out, "filter", "part-00000.parquet")))

    def test_a_killed_owner_owns_nothing(self):
        process = self.begin("--parts", "0")
        process.kill()
        process.wait()
        self.must(self.again("--parts", "0"))
        self.must(self.again())
        self.must(self.run_on(self.at("whole"), *PARTS))
        same_files(self, self.at("whole"), self.out)


class Killed(Case):
    """kill -9 before and after each rename of a stage leaves nothing that an undisturbed run does
    not."""

    def setUp(self):
        super().setUp()
        self.preload = self.shim("output", "kill_at.c")

    def many(self, n):
        photos = self.at("many")
        os.mkdir(photos)
        for i in range(n):
            shutil.copy(
                os.path.join(SOURCE, "samples", "two-dogs-small.jpg"),
                os.path.join(photos, f"{i:03}.jpg"),
            )
        os.mkdir(self.at("vectors"))
        with open(self.at("vectors", "v.npy"), "wb") as file:
            draw = random.Random(7)
            header = ("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 8), }" % n).ljust(
                117
            ) + "\n"
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
            array.array("f", [draw.gauss(0, 1) for _ in range(n * 8)]).tofile(file)
        return photos

    def kill_at_each_rename(self, stage, out, *options):
        """out: a dataset in which the stage comes next."""
        whole, hits = self.at("whole-" + stage), 0
        shutil.copytree(out, whole)
        go = ["--from", stage, "--to", stage, *options]
        self.must(self.densefusion("run", "-o", whole, *go))
        for at in [x for n in range(1, 100) for x in (-n, n)]:
            cut = self.at("cut")
            shutil.copytree(out, cut)
            result = self.densefusion(
                "run",
                "-o",
                cut,
                *go,
                env={**os.environ, "LD_PRELOAD": self.preload, "DF_KILL_AT": str(at)},
            )
            if result.returncode == 0:
                break
            self.assertEqual(result.returncode, -signal.SIGKILL, result.stderr)
            hits += 1
            self.must(self.densefusion("run", "-o", cut, *go))
            with self.subTest(f"{stage}, killed at rename {at}"):
                same_files(self, whole, cut)
            shutil.rmtree(cut)
        self.assertGreater(hits, 1)
        shutil.rmtree(self.at("cut"), ignore_errors=True)
        return whole

    def test_curation(self):
        photos = self.many(24)
        common = ["--filter.min_side=1", "--filter.duplicates=false", "--ingest.part_rows=8"]
        out = self.at("out")
        result = self.run_on(
            out,
            *common,
            "--to",
            "embed",
            "--skip",
            "cluster",
            "--embed.model=",
            "--embed.from=" + self.at("vectors"),
            photos=photos,
        )
        self.must(result)
        out = self.kill_at_each_rename(
            "cluster", out, *common, "--cluster.k=4", "--cluster.iters=3"
        )
        out = self.kill_at_each_rename("dedup", out, *common, "--dedup.eps=0.2")
        self.kill_at_each_rename("select", out, *common, "--select.total=9")

    def test_look_to_report(self):
        out = self.dataset("out", "--to", "look")
        for stage in ["fuse", "caption", "check", "stats", "export", "report"]:
            out = self.kill_at_each_rename(stage, out, *SKIP)


if __name__ == "__main__":
    unittest.main()
