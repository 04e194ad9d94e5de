"""What the program may write and delete: nothing that it did not make. Every wrong -o is one line,
and nothing is touched.

DF_BINARY=build/densefusion python3 tests/output/test_output.py
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BINARY = os.path.abspath(os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion")))
# Stages that need no model: the files are the same in kind, and a run takes a moment.
SKIP = ["--skip", "embed,cluster,dedup,select,tag,detect,read", "--filter.min_side=1"]


def fingerprint(root):
    """Every name below a folder with its kind, permissions, time and bytes; links are not
    followed."""
    found = []
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            state = os.lstat(path)
            what = os.readlink(path) if stat.S_ISLNK(state.st_mode) else ""
            if stat.S_ISREG(state.st_mode):
                with open(path, "rb") as file:
                    what = hashlib.sha256(file.read()).hexdigest()
            found.append((os.path.relpath(path, root), state.st_mode, state.st_mtime_ns, what))
    return sorted(found)


def put(path, text="mine\n"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Case(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        self.photos = self.at("photos")
        os.mkdir(self.photos)
        for name in ["clock.jpg", "two-dogs.jpg"]:
            shutil.copy(os.path.join(SOURCE, "samples", name), self.photos)

    def at(self, *names):
        return os.path.join(self.root, *names)

    def shim(self, *source):
        """Builds a shim of the tests, without the sanitizers that the program may have."""
        built = self.at(source[-1] + ".so")
        source = os.path.join(SOURCE, "tests", *source)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
        return built

    def densefusion(self, *arguments, **more):
        more.setdefault("cwd", self.root)
        return subprocess.run(
            [BINARY, *arguments], capture_output=True, text=True, timeout=120, check=False, **more
        )

    def run_on(self, out, *arguments, photos=None, **more):
        return self.densefusion("run", photos or self.photos, "-o", out, *SKIP, *arguments, **more)

    def must(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def dataset(self, name="out", *arguments):
        self.must(self.run_on(self.at(name), *arguments))
        return self.at(name)


class WrongOutputs(Case):
    """Each with its one line, and nothing touched in the whole tree that the test can see."""

    def refuse(self, arguments, words=None, **more):
        before = fingerprint(self.root)
        result = self.densefusion(*arguments, **more)
        self.assertNotEqual(result.returncode, 0, f"{arguments}: not refused")
        self.assertEqual(len(result.stderr.strip("\n").split("\n")), 1, result.stderr)
        self.assertEqual(result.stdout, "")
        if words:
            self.assertIn(words, result.stderr, arguments)
        self.assertEqual(fingerprint(self.root), before, f"{arguments}: something was touched")
        return result

    def refuse_run(self, out, words=None, photos=None, **more):
        return self.refuse(["run", photos or self.photos, "-o", out, *SKIP], words, **more)

    def foreign_folders(self):
        """Folders that people have, by name."""
        made = {
            "home": [".bashrc", "Documents/letter.txt"],
            "holiday": ["a.jpg", "b.jpg"],
            "checkout": [".git/HEAD", "README.md", "src/main.c"],
            "site": ["report/index.html", "report/thumbs/me.jpg"],
            "work": ["captions.jsonl"],
            "other": ["captions.jsonl.tmp"],
            "coco": ["export/coco.json"],
            "results": ["stats/stats.json", "filter/part-mine.txt"],
            "kaggle": ["dataset.json"],
            "hidden": [".hidden"],
            "downloads": ["dataset.lock.zip"],
            "scratch": ["dataset.tmp/0123456789ab/1"],
            "locked": ["dataset.lock"],
            "numpy": ["part-00000.npy", "part-00000.parquet"],
            "venv": ["pyvenv.cfg", "bin/python"],
            "list": ["dataset.files.bak"],
            "deep": ["a/b/c/d"],
            "empty file": ["x"],
        }
        for name, files in made.items():
            for file in files:
                put(self.at(name, file))
        os.mkdir(self.at("holder"))
        os.mkdir(self.at("holder", "empty"))
        return list(made) + ["holder"]

    def test_folders_of_others(self):
        for name in self.foreign_folders():
            with self.subTest(name):
                self.refuse_run(self.at(name), "nothing was changed")
        for spelling in ["home/", "./home", "home//", "home/.", "home/../home", "holder/empty/.."]:
            with self.subTest(spelling):
                self.refuse_run(spelling, "nothing was changed")
        self.refuse_run(".", "nothing was changed", cwd=self.at("home"))
        self.refuse_run("..", "nothing was changed", cwd=self.at("home", "Documents"))
        self.refuse_run(os.path.join("..", "holiday"), "nothing was changed", cwd=self.at("home"))

    def test_folders_of_the_system(self):
        for name in ["/", "/etc", "/usr", "/proc", "/dev", "/tmp/.."]:
            with self.subTest(name):
                self.refuse_run(name)
                self.assertFalse(os.path.exists(os.path.join(name, "dataset.files")))

    def test_files_and_things_that_are_no_folder(self):
        put(self.at("file.txt"))
        put(self.at("captions.jsonl"), "{}\n")
        os.mkfifo(self.at("fifo"))
        os.symlink("file.txt", self.at("to-a-file"))
        os.symlink("nowhere", self.at("dangling"))
        os.symlink("loop", self.at("loop"))
        put(self.at("holiday", "a.jpg"))
        os.symlink("holiday", self.at("to-photos"))
        for name in [
            "file.txt",
            "captions.jsonl",
            "fifo",
            "to-a-file",
            "dangling",
            "loop",
            "to-photos",
            "file.txt/",
            "file.txt/out",
            "to-photos/",
            "dangling/out",
            "/dev/null",
            "/dev/stdout",
            "photos/clock.jpg",
        ]:
            with self.subTest(name):
                self.refuse_run(name)

    def test_places_that_are_not_there(self):
        os.mkdir(self.at("mnt"))
        for name in [
            "mnt/disk/out",
            "mnt/disk/deep/out",
            "nowhere/out",
            "/nowhere/densefusion/out",
        ]:
            with self.subTest(name):
                self.refuse_run(name, "disk is mounted")

    def test_words_that_are_no_path(self):
        for name, words in [
            ("", "no name"),
            ("~/out", "~"),
            ("~", "~"),
            ("~root/x", "~"),
            ("s3://bucket/out", "local folder"),
            ("hf://datasets/me/x", "local folder"),
            ("https://example.org/out", "local folder"),
            ("file:///tmp/out", "local folder"),
            ("a\nb", "control"),
            ("a\x1b[2Jb", "control"),
            ("a\rb", "control"),
            ("x" * 300, None),
            ("y/" * 3000 + "z", None),
        ]:
            with self.subTest(name[:40]):
                self.assertNotIn("\x1b", self.refuse_run(name, words).stderr)
        self.refuse(["run", self.photos, "-o"])
        self.refuse(["run", self.photos, "-o", "--dry-run"])
        self.refuse(["run", self.photos, "-o", self.at("new"), "--filtre.min_side=1"])
        self.refuse(["run", self.photos, "-o", self.at("new"), "--to", "nothing"])

    def test_the_input_and_the_output(self):
        out = self.dataset()
        self.refuse_run(self.photos, "both the input and the output")
        self.refuse_run("photos", "both the input and the output", photos="photos/../photos")
        self.refuse_run(out, "lies in the output", photos=os.path.join(out, "report", "thumbs"))
        self.refuse_run(out, "lies in the output", photos=os.path.join(out, "captions.jsonl"))
        self.refuse_run(self.at("new"), "a dataset of densefusion", photos=out)
        os.symlink(os.path.join(out, "report"), self.at("page"))
        self.refuse_run(out, "lies in the output", photos=self.at("page"))
        self.refuse_run(self.at("new"), "No such file", photos=self.at("no-photos"))
        self.assertFalse(os.path.exists(self.at("new")))

    def test_datasets_of_another_kind(self):
        put(self.at("old", "dataset.json"), json.dumps({"version": 1, "stages": {}}))
        put(self.at("old", "ingest", "part-00000.parquet"))
        self.refuse_run(self.at("old"), "older version")
        for command in ["status", "filter", "show", "cost", "clusters"]:
            with self.subTest(command):
                self.refuse(
                    [command, self.at("old")] + (["00000-000000"] if command == "show" else []),
                    "dataset",
                )
        out = self.dataset()
        made = json.loads(read(os.path.join(out, "dataset.json")))
        made["version"] += 1
        put(os.path.join(out, "dataset.json"), json.dumps(made))
        self.refuse_run(out, "not a densefusion dataset of version")
        put(os.path.join(out, "dataset.json"), "no JSON")
        self.refuse_run(out, "not a densefusion dataset of version")

    def test_the_list_of_files_is_a_link(self):
        put(self.at("list.txt"))
        os.mkdir(self.at("trap"))
        os.symlink("../list.txt", self.at("trap", "dataset.files"))
        self.refuse_run(self.at("trap"), "dataset.files")

    def test_other_commands_that_write(self):
        out = self.dataset()
        put(self.at("mine", "batch-0000.jsonl"))
        put(self.at("mine", "notes.txt"))
        self.refuse(["meta", out, "-o", self.at("mine")], "nothing was changed")
        self.refuse(["meta", out, "-o", out])
        self.refuse(
            [
                "batch",
                "write",
                out,
                "-o",
                self.at("mine"),
                "--caption.engine=openai",
                "--caption.model=m",
            ],
            "nothing was changed",
        )
        self.refuse(
            ["batch", "write", out, "-o", out, "--caption.engine=openai", "--caption.model=m"]
        )
        self.refuse(["batch", "submit", self.at("mine"), "--caption.openai.url=http://127.0.0.1:9"])
        self.refuse(["batch", "fetch", out, "--caption.openai.url=http://127.0.0.1:9"])
        self.refuse(
            ["metadata", os.path.join(out, "export", "captions.parquet"), "-o", self.at("mine")]
        )
        self.refuse(["kmeans", "map", self.at("mine")])
        for stage in ["filter", "caption", "report", "export"]:
            with self.subTest(stage):
                self.refuse([stage, self.at("mine")], "no dataset")

    def test_a_working_folder_of_metadata_is_not_anybodys(self):
        out = self.dataset()
        table = os.path.join(out, "export", "captions.parquet")
        put(self.at("kept.tmp", "part-00000.parquet"))
        put(self.at("kept.tmp", "spill", "duckdb_mine"))
        self.refuse(["metadata", table, "-o", self.at("kept")], "nothing was changed")
        os.symlink("photos", self.at("linked.tmp"))
        self.refuse(["metadata", table, "-o", self.at("linked")], "nothing was changed")
        put(self.at("there", "a.txt"))
        self.refuse(["metadata", table, "-o", self.at("there")], "exists")

    def test_read_only(self):
        os.mkdir(self.at("sealed"))
        os.chmod(self.at("sealed"), 0o555)
        before = fingerprint(self.root)
        more = {} if os.geteuid() else {"user": 65534}
        os.chmod(self.root, 0o755)
        try:
            result = self.run_on(self.at("sealed"), **more)
        except PermissionError:
            self.skipTest("the build folder is closed to other users")
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(len(result.stderr.strip().split("\n")), 1)
        self.assertEqual(fingerprint(self.root), before)


class Owned(Case):
    """Inside a dataset: files of others stay, links are not followed."""

    def test_files_of_others_stay(self):
        out = self.dataset()
        mine = [
            "report/thumbs/me.jpg",
            "filter/part-mine.txt",
            "filter/part-00099.parquet.bak",
            "export/mine.json",
            "notes.txt",
            "report/data/images-9999.js",
            "caption/part-00000.txt",
            "look/part-mine.partial",
            "filter/part-old.tmp",
            "export/tag/part-00000.parquet",
            "export/tuning/train.json",
        ]
        for name in mine:
            put(os.path.join(out, name))
        before = {name: os.stat(os.path.join(out, name)).st_mtime_ns for name in mine}
        self.must(self.run_on(out, "--filter.max_aspect=9"))
        self.must(self.run_on(out, "--report.side=96", "--report.images=1"))
        for name in mine:
            with self.subTest(name):
                self.assertEqual(read(os.path.join(out, name)), "mine\n")
                self.assertEqual(os.stat(os.path.join(out, name)).st_mtime_ns, before[name])

    def test_a_file_in_the_way_is_not_replaced(self):
        for name in [
            "captions.jsonl",
            "export/llava.json",
            "report/index.html",
            "stats/stats.json",
            "caption/part-00000.parquet",
            "filter/part-00000.parquet",
        ]:
            with self.subTest(name):
                out = self.at("way-" + name.replace("/", "-"))
                self.must(self.run_on(out, "--to", "ingest"))
                put(os.path.join(out, name))
                result = self.run_on(out)
                self.assertEqual(read(os.path.join(out, name)), "mine\n")
                self.assertNotEqual(result.returncode, 0)
                self.assertEqual(len(result.stderr.strip().split("\n")[-1:]), 1)
                self.assertIn(name, result.stderr)
                os.remove(os.path.join(out, name))
                self.must(self.run_on(out))

    def test_links_are_not_followed(self):
        put(self.at("elsewhere", "part-00000.parquet"))
        put(self.at("elsewhere", "part-mine.txt"))
        put(self.at("elsewhere", "me.jpg"))
        put(self.at("target.txt"))
        before = fingerprint(self.at("elsewhere"))
        for name in [
            "filter",
            "look",
            "caption",
            "report",
            "export",
            "stats",
            "fuse/evidence",
            "report/thumbs",
            "report/data",
            "dataset.tmp",
        ]:
            with self.subTest(name):
                out = self.dataset("to-" + name.replace("/", "-"))
                path = os.path.join(out, name)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                os.symlink(self.at("elsewhere"), path)
                result = self.run_on(
                    out,
                    "--filter.max_aspect=9",
                    "--report.side=96",
                    "--export.instruction=What?",
                    "--stats.top=3",
                )
                self.assertNotEqual(result.returncode, 0)
                self.assertIn("link", result.stderr)
                self.assertEqual(fingerprint(self.at("elsewhere")), before)
        for name in [
            "captions.jsonl",
            "captions.jsonl.tmp",
            "export/llava.json",
            "report/index.html",
            "dataset.lock",
            "caption/part-00000.parquet.tmp",
            "dataset.json.tmp",
        ]:
            with self.subTest(name):
                out = self.dataset("of-" + name.replace("/", "-"))
                path = os.path.join(out, name)
                if os.path.lexists(path):
                    os.remove(path)
                os.symlink(self.at("target.txt"), path)
                self.run_on(
                    out, "--filter.max_aspect=9", "--report.side=96", "--export.instruction=What?"
                )
                self.assertEqual(read(self.at("target.txt")), "mine\n")

    def test_nothing_else_is_touched(self):
        """The README's sentence: with every stage and command, from a working folder, a home and a
        /tmp of its own."""
        for name in ["home", "tmp", "here"]:
            put(self.at(name, "mine.txt"))
        made = ["out", "meta", "files", "kept"]
        others = {name for name in os.listdir(self.root) if name not in made}
        before = {name: fingerprint(self.at(name)) for name in others}
        more = {
            "cwd": self.at("here"),
            "env": {"PATH": os.environ["PATH"], "HOME": self.at("home"), "TMPDIR": self.at("tmp")},
        }
        out, ask = self.at("out"), [
            "--caption.engine=openai",
            "--caption.model=m",
            "--caption.openai.url=http://127.0.0.1:9",
        ]
        for arguments in [
            ["run", self.photos, "-o", out, "--dedup.eps=0.1", "--export.evidence=true"],
            ["status", out],
            ["show", out, "clock.jpg"],
            ["clusters", out],
            ["cost", out],
            ["run", "-o", out, "--dry-run", *ask],
            ["meta", out, "-o", self.at("meta")],
            ["kmeans", "map", out],
            ["kmeans", "reduce", out],
            ["batch", "write", out, "-o", self.at("files"), *ask],
            ["batch", "submit", self.at("files"), *ask],
            ["batch", "merge", out, self.at("here", "mine.txt")],
            ["run", "-o", out, "--parts", "0"],
            ["caption", out, "--caption.openai.retries=0", *ask],
            ["models"],
            ["models", "--verify"],
            [
                "metadata",
                os.path.join(out, "ingest", "part-00000.parquet"),
                "-o",
                self.at("kept"),
                "--min_side=1",
            ],
            ["--help"],
        ]:
            result = self.densefusion(*arguments, **more)
            with self.subTest(arguments[0]):
                self.assertIn(result.returncode, (0, 1), result.stderr)
                self.assertEqual({name: fingerprint(self.at(name)) for name in others}, before)
        self.assertEqual(set(os.listdir(self.root)) - others - set(made), set())

    def test_the_list_tells_what_is_ours(self):
        out = self.dataset()
        listed = {
            line[2:]
            for line in read(os.path.join(out, "dataset.files")).splitlines()
            if line.startswith("+ ")
        }
        there = {name for name, mode, _, _ in fingerprint(out) if stat.S_ISREG(mode)}
        self.assertEqual(there - listed, {"dataset.files", "dataset.lock"})
        self.assertEqual(listed - there, set())

    def test_what_killed_processes_left_goes(self):
        out = self.dataset()
        put(os.path.join(out, "dataset.tmp", "0123456789ab", "17"))
        put(
            os.path.join(
                out, "dataset.tmp", "0123456789ab", "import-tag", "duckdb_temp_storage.tmp"
            )
        )
        self.must(self.run_on(out, "--filter.max_aspect=9"))
        self.assertFalse(os.path.exists(os.path.join(out, "dataset.tmp")))

    def test_an_interrupted_beginning_is_taken_up(self):
        os.mkdir(self.at("out"))
        put(self.at("out", "dataset.files"), "# torn")
        self.dataset()
        self.dataset("whole")
        self.assertEqual(
            read(self.at("out", "dataset.files")), read(self.at("whole", "dataset.files"))
        )

    def test_a_folder_may_be_new_empty_or_linked(self):
        os.mkdir(self.at("empty"))
        os.mkdir(self.at("big"))
        os.symlink("big", self.at("link"))
        for name in ["new", "empty", "link", "photos/out", "a'b", "c*d", "k=v", "new2/"]:
            with self.subTest(name):
                self.must(self.run_on(self.at(name)))
                self.assertTrue(os.path.exists(self.at(name, "captions.jsonl")))


if __name__ == "__main__":
    unittest.main()
