"""Runs the commands of docs/TUTORIAL.md in order, and compares what they print with what it shows.

In a ```console block, `$ ` begins a command, `> ` goes on with it, and the lines after it are its
output. A line `...` stands for any lines, ` ...` at the end of a line for the rest of it. In
```console numbers, numbers may be others.

DF_BINARY=build/densefusion python3 tests/tutorial/test_tutorial.py
"""

import os
import re
import subprocess
import tempfile
import unittest

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BINARY = os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion"))
BLOCK = re.compile(r"^```console( numbers)?\n(.*?)^```$", re.S | re.M)
NUMBER = re.compile(r"\d+(\.\d+)?")


def commands(text):
    """(command, lines that it should print, whether numbers may differ), in order."""
    found = []
    for block in BLOCK.finditer(text):
        for line in block.group(2).splitlines():
            if line.startswith("$ "):
                found.append((line[2:], [], bool(block.group(1))))
            elif line.startswith("> "):
                command, output, loose = found[-1]
                found[-1] = (command + "\n" + line[2:], output, loose)
            else:
                found[-1][1].append(line)
    return found


def pattern(line, loose):
    """A regular expression for one shown line."""
    cut = line.endswith(" ...")
    text = re.escape(line[:-4] if cut else line)
    if loose:
        text = re.sub(r"\d+(\\\.\d+)?", lambda number: NUMBER.pattern, text)
        text = re.sub(r"(\\ )+", r" +", text)  # a wider number moves a column
    return text + (".*" if cut else "")


def whole_pattern(lines, loose):
    parts = [r"(?:.*\n)*?" if line == "..." else pattern(line, loose) + r"\n" for line in lines]
    return "".join(parts) + r"\Z" if lines else ""


class Tutorial(unittest.TestCase):
    def run_all(self, folder):
        os.symlink(os.path.join(SOURCE, "samples"), os.path.join(folder, "samples"))
        os.mkdir(os.path.join(folder, "bin"))
        os.symlink(BINARY, os.path.join(folder, "bin", "densefusion"))
        environment = dict(os.environ, PATH=f"{folder}/bin:{os.environ['PATH']}")
        with open(os.path.join(SOURCE, "docs", "TUTORIAL.md"), encoding="utf-8") as file:
            steps = commands(file.read())
        self.assertGreater(len(steps), 10)
        for command, lines, loose in steps:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, 0, f"$ {command}\n{done.stdout}")
            if not re.match(whole_pattern(lines, loose), done.stdout):
                self.fail(f"$ {command}\nprints\n{done.stdout}\nand not\n" + "\n".join(lines))

    def test_every_command_works_and_prints_what_is_shown(self):
        with tempfile.TemporaryDirectory() as folder:
            self.run_all(folder)


class Patterns(unittest.TestCase):
    """What the comparison above lets pass, and what not."""

    def fits(self, shown, printed, loose=False):
        return re.match(whole_pattern(shown, loose), printed) is not None

    def test_lines_must_be_there_in_order(self):
        self.assertTrue(self.fits(["a", "b"], "a\nb\n"))
        self.assertFalse(self.fits(["a", "b"], "b\na\n"))
        self.assertFalse(self.fits(["a"], "a\nb\n"))
        self.assertFalse(self.fits(["a", "b"], "a\nx\nb\n"))
        self.assertTrue(self.fits(["...", "b", "..."], "a\nb\nc\n"))
        self.assertFalse(self.fits(["...", "b", "..."], "a\nc\n"))

    def test_a_line_may_be_cut(self):
        self.assertTrue(self.fits(["score 1 ..."], "score 1  x 2\n"))
        self.assertFalse(self.fits(["score 1 ..."], "score 2  x 2\n"))

    def test_numbers_differ_only_where_the_block_says_so(self):
        self.assertTrue(self.fits(["dog 0.81  x 7"], "dog 0.8  x 12\n", loose=True))
        self.assertFalse(self.fits(["dog 0.81  x 7"], "dog 0.8  x 12\n"))
        self.assertFalse(self.fits(["dog 0.81"], "cat 0.81\n", loose=True))


if __name__ == "__main__":
    unittest.main()
