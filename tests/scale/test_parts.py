"""Ten times the parts take about ten times the work, for every command that looks at a whole
dataset.

    DF_BINARY=build/densefusion DF_PARTS=5000 python3 tests/scale/test_parts.py

The parts are links to one part: what counts is their number. Two measures that other programs on
the machine change little: CPU time, and how often a file is looked for by its name.
"""

import os
import resource
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "output"))
from test_output import BINARY, SKIP, Case, read  # noqa: E402

PARTS = int(os.environ.get("DF_PARTS", "600"))
ASK = ["--caption.engine=openai", "--caption.model=m", "--caption.openai.url=http://127.0.0.1:9"]


def stage(name, *options):
    return ["run", "-o", "OUT", *SKIP, "--from", name, "--to", name, *options]


COMMANDS = {
    "status": ["status", "OUT"],
    "cost": ["cost", "OUT"],
    "caption --dry-run": stage("caption", "--dry-run", *ASK),
    "check": stage("check", "--check.min_words=2"),
    "stats": stage("stats", "--stats.top=7"),
    "export": stage("export", "--export.instruction=What?"),
    "report": stage("report", "--report.images=10"),
}


class Parts(Case):
    def grow(self, one, name, n):
        """A dataset of n parts, each a link to the only part of another."""
        many = self.at(name)
        shutil.copytree(one, many)
        lines = []
        for folder, _, files in os.walk(many):
            for file in files:
                if not file.startswith("part-00000."):
                    continue
                for part in range(1, n):
                    new = os.path.join(folder, file.replace("part-00000.", f"part-{part:05}."))
                    os.link(os.path.join(folder, file), new)
                    lines.append(f"+ {os.path.relpath(new, many)}\n")
        with open(os.path.join(many, "dataset.files"), "a", encoding="utf-8") as file:
            file.writelines(lines)
        return many

    def work(self, command, out):
        """CPU seconds of a command, and its looks for files."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words, count = [out if word == "OUT" else word for word in command], self.at("count")
        done = subprocess.run(
            [BINARY, *words],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            env={**os.environ, "LD_PRELOAD": self.preload, "DF_COUNT": count},
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, int(read(count))

    def test_work_grows_with_the_parts(self):
        os.remove(os.path.join(self.photos, "two-dogs.jpg"))
        self.preload = self.shim("scale", "count_looks.c")
        one = self.dataset("one")
        few, many = self.grow(one, "few", PARTS // 10), self.grow(one, "many", PARTS)
        for name, command in COMMANDS.items():
            with self.subTest(name):
                (few_s, few_looks), (many_s, many_looks) = self.work(command, few), self.work(
                    command, many
                )
                self.assertLess(many_s, 12 * few_s)
                self.assertLess(many_looks, 12 * few_looks)
                print(
                    f"{name}: {PARTS // 10} parts {few_s:.2f} s, {few_looks} looks; {PARTS} parts {many_s:.2f} s, {many_looks} looks",
                    file=sys.stderr,
                )


if __name__ == "__main__":
    unittest.main()
