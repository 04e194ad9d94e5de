"""Folders with names that DuckDB takes for something: whatever a path looks like, the dataset in it
is the same bytes.

DF_BINARY=build/densefusion .deps/venv/bin/python tests/server/test_paths.py
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import numpy
import PIL.Image
import pyarrow
import pyarrow.parquet

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("DF_BINARY", SOURCE / "build" / "densefusion"))
IMAGES = ["a.png", "b.png", "c.png", "d.png"]
# Columns of our tables and of those that people bring; patterns; what makes an address of a path
# that starts with it.
COLUMNS = (
    "kept=0/row=7/problem=x/path=zzz/tag=v2/score=0.5/emb=1/cluster=3/filename=f/df_seq=2/source=laion/width=512/"
    "text=hello/foo=bar/label=dog/x0=1/url=u/key=k/caption=c/verdict=fail/reason=none"
)
PATTERNS = "a[b]\\c*?{d}/[!a]\\/it's \"%41\" $1 #"
STARTS = ["~", "file:", "s3://x", "https://x"]


def paint(folder):
    folder.mkdir(parents=True)
    for i, name in enumerate(IMAGES):
        noise = numpy.random.default_rng(i).integers(0, 255, (5, 5, 3), "uint8")
        PIL.Image.fromarray(noise).resize((460, 450)).save(folder / name)


def fill(folder):
    """Everything that a run can be given, below one folder."""
    paint(folder / "in")
    texts = [f"what is in {name}; here, or there" for name in IMAGES]
    pyarrow.parquet.write_table(
        pyarrow.table({"path": IMAGES, "caption": texts}), folder / "in" / "list.parquet"
    )
    with open(folder / "in" / "list.csv", "w") as csv, open(
        folder / "in" / "list.jsonl", "w"
    ) as lines:
        csv.write("path;caption\n")
        for name, text in zip(IMAGES, texts):
            csv.write(f'{name};"{text}"\n')
            lines.write(json.dumps({"path": name, "caption": text}) + "\n")
    pyarrow.parquet.write_table(
        pyarrow.table({"path": IMAGES, "score": [0.1, 0.9, 0.5, 0.7]}), folder / "scores.parquet"
    )
    (folder / "vectors").mkdir()
    vectors = numpy.random.default_rng(1).normal(size=(len(IMAGES), 8)).astype("float32")
    pyarrow.parquet.write_table(
        pyarrow.table({"emb": list(vectors), "key": IMAGES}), folder / "vectors" / "v.parquet"
    )
    (folder / "tags").mkdir()
    tags = pyarrow.table(
        {"path": IMAGES, "tag": ["hill", "bird", "clock", "cup"], "score": [0.9, 0.8, 0.7, 0.6]}
    )
    pyarrow.parquet.write_table(tags, folder / "tags" / "a.parquet")
    with open(folder / "boxes.csv", "w") as file:
        file.write(
            "path,label,score,x0,y0,x1,y1\n"
            + "".join(f"{name},thing,0.8,10,10,200,200\n" for name in IMAGES)
        )
    with open(folder / "lines.jsonl", "w") as file:
        for name, text in zip(
            IMAGES,
            ["2020-01-02T03:04:05", "12:30", "# one | two", "3D6F0E2A-9C1B-4E5F-8A7B-1C2D3E4F5A6B"],
        ):
            file.write(
                json.dumps(
                    {"path": name, "text": text, "score": 0.9, "x0": 5, "y0": 5, "x1": 90, "y1": 20}
                )
                + "\n"
            )
    urls = {
        "url": [f"http://h/{i}" for i in range(4)],
        "width": [900, 900, 20, 900],
        "height": [800] * 4,
        "text": texts,
    }
    pyarrow.parquet.write_table(pyarrow.table(urls), folder / "urls.parquet")


def tables(out):
    """What a dataset holds, without what tells where it lies or when it was made."""
    kept = [
        path
        for path in sorted(out.rglob("*"))
        if path.suffix in (".parquet", ".npy", ".jsonl") or path.name in ("coco.json", "llava.json")
    ]
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept
    }


class Paths(unittest.TestCase):
    def setUp(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="df-paths-"))
        self.addCleanup(shutil.rmtree, self.base)
        self.home = self.base / "home"
        self.home.mkdir()

    def run_it(self, *arguments):
        done = subprocess.run(
            [BINARY, *map(str, arguments)],
            cwd=self.base,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "HOME": str(self.home)},
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ingested(self, name):
        """name: relative, so that what it starts with is seen."""
        made = {}
        for kind in ("parquet", "csv", "jsonl"):
            self.run_it("run", f"{name}/in/list.{kind}", "-o", f"./{name}/{kind}", "--to", "filter")
            made[kind] = tables(self.base / name / kind)
        self.run_it("metadata", f"{name}/urls.parquet", "-o", f"./{name}/kept", "--min_side=100")
        made["kept"] = tables(self.base / name / "kept")
        made["said"] = [
            self.run_it(*what)
            for what in (("status", f"{name}/csv"), ("show", f"{name}/csv", "c.png"))
        ]
        return made

    def captioned(self, name):
        self.run_it(
            "run",
            f"{name}/in",
            "-o",
            f"{name}/out",
            f"--embed.from={name}/vectors",
            "--embed.field=emb",
            "--embed.key=key",
            "--cluster.k=2",
            "--dedup.eps=0.05",
            "--select.by=score",
            f"--select.scores={name}/scores.parquet",
            "--tag.models=",
            f"--tag.from={name}/tags",
            "--detect.models=",
            f"--detect.from={name}/boxes.csv",
            "--read.detector=",
            f"--read.from={name}/lines.jsonl",
            "--export.evidence=true",
            "-j",
            "2",
        )
        self.run_it(
            "run",
            f"{name}/in",
            "-o",
            f"{name}/again",
            "--skip",
            "embed,cluster,dedup,select,read",
            "--tag.models=",
            f"--tag.from={name}/out",
            "--detect.models=",
            f"--detect.from={name}/out/export/detect",
        )
        said = [self.run_it("clusters", f"{name}/out"), self.run_it("clusters", f"{name}/out", "0")]
        return tables(self.base / name / "out"), tables(self.base / name / "again"), said

    def test_everything_is_the_same(self):
        names = ("plain", f"{COLUMNS}/{PATTERNS}")
        for name in names:
            fill(self.base / name)
        plain, other = [self.ingested(name) for name in names]
        self.assertEqual(other, plain)
        plain, other = [self.captioned(name) for name in names]
        self.assertEqual(other, plain)
        self.assertEqual(
            len((self.base / "plain/out/captions.jsonl").read_text().splitlines()), len(IMAGES)
        )

    def test_a_relative_path_is_local(self):
        fill(self.base / "plain")
        plain = self.ingested("plain")
        for name in STARTS:
            with self.subTest(name):
                fill(self.base / name)
                self.assertEqual(self.ingested(name), plain)
        self.assertEqual(list(self.home.iterdir()), [])


class Lists(unittest.TestCase):
    """What is in a file does not decide how the rest of it is read."""

    def setUp(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="df-paths-"))
        self.addCleanup(shutil.rmtree, self.base)
        paint(self.base / "in")

    def read(self, file):
        return subprocess.run(
            [
                BINARY,
                "run",
                self.base / "in",
                "-o",
                self.base / "out",
                "--to",
                "read",
                "--skip",
                "embed,cluster,dedup,select,tag,detect",
                "--read.detector=",
                f"--read.from={file}",
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )

    def texts(self, file):
        out, done = self.base / "out", self.read(file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.table = pyarrow.parquet.read_table(
            out / "read" / "part-00000.parquet", partitioning=None
        )
        return self.table["text"].to_pylist()

    def test_csv(self):
        file = self.base / "l.csv"
        file.write_text(
            "text,path,x0,y0,x1,y1\n#1 | a; b,a.png,1,1,9,9\n\"say \"\"no\"\", or\",b.png,1,1,9,9\n"
            "'one',c.png,1,1,9,9\n2020-01-01,d.png,1,1,9,9\n"
        )
        self.assertEqual(self.texts(file), ["#1 | a; b", 'say "no", or', "'one'", "2020-01-01"])

    def test_csv_semicolons(self):
        file = self.base / "l.csv"
        file.write_text("text;path;x0;y0;x1;y1\na, b, c, d, e, f, g;a.png;1;1;9;9\n")
        self.assertEqual(self.texts(file), ["a, b, c, d, e, f, g"])

    def test_csv_files_with_other_headers(self):
        folder = self.base / "l"
        folder.mkdir()
        (folder / "1.csv").write_text("text,path,x0,y0,x1,y1\n")
        (folder / "2.csv").write_text("path;y1;x1;y0;x0;text;;text\r\nb.png;9;8;1;0;first;;\r\n")
        (folder / "3.csv").write_text("")
        (folder / "4.csv").write_text("\ufeffpath,text,x0,y0,x1,y1\nb.png,second,0,1,8,9\n")
        self.assertEqual(self.texts(folder), ["first", "second"])
        self.assertEqual(
            [self.table[side].to_pylist() for side in ("x0", "y0", "x2", "y2")],
            [[0, 0], [1, 1], [8, 8], [9, 9]],
        )

    def test_a_broken_row_names_its_file(self):
        folder = self.base / "l"
        folder.mkdir()
        for name, row in (
            ("a", "b.png,x,1,1,9,9"),
            ("b", "b.png,x,1"),
            ("c", 'b.png,"x" y,1,1,9,9'),
        ):
            (folder / f"{name}.csv").write_text(f"path,text,x0,y0,x1,y1\n{row}\n")
        for bad in "bc":
            done = self.read(folder)
            self.assertEqual(
                (done.returncode, f"Line: 2 of {folder}/{bad}.csv" in done.stderr),
                (1, True),
                done.stderr,
            )
            (folder / f"{bad}.csv").unlink()

    def test_json_lines_with_a_late_key(self):
        file = self.base / "l.jsonl"
        rows = [
            {"path": "c.png", "text": "2020-01-01T10:00:00", "x0": 1, "y0": 1, "x1": 9, "y1": 9}
        ] * 20500
        rows += [
            {**rows[0], "path": "d.png", "text": text, "paragraph": 7}
            for text in ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "12:30", ["a"])
        ]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        texts, table = self.texts(file), self.table
        self.assertEqual(
            (texts[0], texts[-3:]), (rows[0]["text"], [rows[-3]["text"], "12:30", '["a"]'])
        )
        self.assertEqual(table["paragraph"].to_pylist()[-3:], [7, 7, 7])


if __name__ == "__main__":
    unittest.main()
