"""From a list of URLs to a dataset: `densefusion metadata`, img2dataset as PyPI has it against a
server on loopback, `densefusion run`.

DF_BINARY=build/densefusion .deps/venv/bin/python tests/server/test_img2dataset.py
"""

import collections
import glob
import http.server
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy
import PIL.Image
import pyarrow
import pyarrow.parquet

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BINARY = os.path.abspath(os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion")))
# img2dataset's libraries look for news of themselves; the machine may have a proxy, which loopback
# is not behind.
ENVIRONMENT = {
    **os.environ,
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "WANDB_MODE": "disabled",
    "no_proxy": "*",
    "PATH": os.path.dirname(sys.executable) + ":" + os.environ["PATH"],
}
SLOW, BROKEN = "clock.jpg", "broken.jpg"


def size(name):
    with PIL.Image.open(os.path.join(SOURCE, "samples", name)) as image:
        return image.size


def rows(folder, name):
    return [
        row
        for path in sorted(glob.glob(os.path.join(folder, name)))
        for row in pyarrow.parquet.read_table(path).to_pylist()
    ]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = os.path.basename(self.path)
        path = os.path.join(SOURCE, "samples", name)
        if name == SLOW:
            time.sleep(1.5)
        if name != BROKEN and not os.path.isfile(path):
            self.send_error(404)
            return
        body = b"this is no picture"
        if name != BROKEN:
            with open(path, "rb") as file:
                body = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Img2dataset(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.base = f"http://127.0.0.1:{cls.server.server_port}/"
        cls.photos = sorted(
            os.path.basename(p) for p in glob.glob(os.path.join(SOURCE, "samples", "*.jpg"))
        )
        listed = [(cls.base + name, f"alt-text of {name}", *size(name)) for name in cls.photos]
        listed += [
            (cls.base + "gone.jpg", "gone", 900, 900),
            (cls.base + BROKEN, "broken", 900, 900),
            (cls.base + "icon.jpg", "icon", 32, 32),
            listed[0],
            (None, "nowhere", 900, 900),
        ]
        os.mkdir(os.path.join(cls.folder, "list"))
        columns = zip(("URL", "TEXT", "WIDTH", "HEIGHT"), map(list, zip(*listed)))
        pyarrow.parquet.write_table(
            pyarrow.table(dict(columns)), os.path.join(cls.folder, "list", "a.parquet")
        )
        told = cls.run_it([BINARY, "metadata", "list", "-o", "kept", "--min_side=100"])
        cls.funnel, cls.commands = told.split("next:\n")

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        shutil.rmtree(cls.folder)

    @classmethod
    def run_it(cls, command):
        done = subprocess.run(
            command, cwd=cls.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=250
        )
        if done.returncode:
            raise AssertionError(f"{shlex.join(command)}: {done.stderr[-2000:]}")
        return done.stdout

    def fetch(self, form, images=None, **changes):
        """The command that `metadata` printed, with another output format; what it says of each
        row."""
        images = os.path.join(self.folder, images or form)
        command = shlex.split(self.commands.splitlines()[0])
        self.assertEqual(command[0], "img2dataset")
        for flag, value in {"output_format": form, "output_folder": images, **changes}.items():
            command[command.index("--" + flag) + 1] = value
        self.run_it(
            command
            + ["--processes_count", "1", "--thread_count", "16", "--number_sample_per_shard", "12"]
        )
        tables = sorted(glob.glob(os.path.join(images, "*.parquet")))
        return images, [
            row
            for t in tables
            for row in pyarrow.parquet.read_table(t, columns=["url", "status"]).to_pylist()
        ]

    def ingest(self, images):
        out = images + "-out"
        self.run_it([BINARY, "run", images, "-o", out, "--to", "filter", "--filter.min_side=1"])
        return [
            rows(out, name)
            for name in ("ingest/part-*.parquet", "ingest/skipped.parquet", "filter/part-*.parquet")
        ]

    def test_the_funnel(self):
        counts = [int(line.split()[0]) for line in self.funnel.splitlines() if line]
        self.assertEqual(counts, [len(self.photos) + 5, -1, -1, -1, len(self.photos) + 2])

    def check(self, form):
        images, told = self.fetch(form)
        self.assertEqual(
            collections.Counter(row["status"] for row in told),
            {"success": len(self.photos), "failed_to_download": 1, "failed_to_resize": 1},
        )
        found, skipped, kept = self.ingest(images)
        self.assertEqual(
            sorted(row["url"] for row in found), [self.base + name for name in self.photos]
        )
        for row in found:
            name = os.path.basename(row["url"])
            self.assertEqual(row["alt_text"], f"alt-text of {name}")
            self.assertEqual(
                row["size"], os.path.getsize(os.path.join(SOURCE, "samples", name)), name
            )
            self.assertIsNone(row["problem"])
        self.assertTrue(all(row["kept"] for row in kept))
        n_shards = -(-len(told) // 12)
        self.assertEqual(
            collections.Counter(row["reason"] for row in skipped),
            {
                "a table: give it as the input to use it": n_shards,
                "sidecar without an image": n_shards,
            },
        )

    def test_tars(self):
        self.check("webdataset")

    def test_files(self):
        self.check("files")

    def test_vectors_first_pictures_later(self):
        """Vectors made elsewhere decide; only what is selected is fetched."""
        vectors, out = os.path.join(self.folder, "vectors"), os.path.join(self.folder, "curated")
        os.mkdir(vectors)
        n = len(rows(self.folder, "kept/*.parquet"))
        made = numpy.random.default_rng(1).normal(size=(n, 64)).astype(numpy.float32)
        made[5] = made[2]
        numpy.save(os.path.join(vectors, "img_emb_0.npy"), made)
        self.run_it(
            [
                BINARY,
                "run",
                "kept/part-00000.parquet",
                "-o",
                out,
                "--filter.unfetched=true",
                "--filter.min_side=1",
                "--embed.from=" + vectors,
                "--cluster.k=4",
                "--dedup.eps=0.1",
                "--select.per_cluster=3",
                "--skip",
                "tag,detect,read,look,fuse,caption,check",
            ]
        )
        selected = rows(out, "export/selected.parquet")
        self.assertTrue(4 < len(selected) <= 12)
        self.assertFalse(
            {self.photos[2], self.photos[5]} <= {os.path.basename(row["url"]) for row in selected}
        )
        images, told = self.fetch(
            "webdataset",
            "chosen",
            url_list=os.path.join(out, "export", "selected.parquet"),
            url_col="url",
            caption_col="alt_text",
        )
        self.assertEqual(sorted(row["url"] for row in told), sorted(row["url"] for row in selected))
        found = self.ingest(images)[0]
        self.assertEqual(len(found), sum(row["status"] == "success" for row in told))
        self.assertTrue(
            all(row["alt_text"] == "alt-text of " + os.path.basename(row["url"]) for row in found)
        )

    def test_pictures_in_tables_are_refused_in_words(self):
        images, _ = self.fetch("parquet")
        done = subprocess.run(
            [BINARY, "run", images, "-o", images + "-out", "--to", "filter"],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn(
            "no image in it; skipped: 3 a table: give it as the input to use it", done.stderr
        )


if __name__ == "__main__":
    unittest.main()
