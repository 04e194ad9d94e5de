"""Runs the commands of docs/TUTORIAL.md and docs/TROUBLESHOOTING.md in order, and compares what
they print with what is shown.

In a ```console block, `$ ` begins a command, `> ` goes on with it, and the lines after it are its
output. A line `...` stands for any lines, `...` within a line for any words. In ```console numbers,
numbers may be others. In ```console fails, the last line of output is an error of that command.

DF_BINARY=build/densefusion python3 tests/tutorial/test_tutorial.py
"""

import collections
import os
import re
import subprocess
import tempfile
import unittest

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BINARY = os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion"))
BLOCK = re.compile(r"^```console( numbers| fails)?\n(.*?)^```$", re.S | re.M)
ERROR = "densefusion: "

Step = collections.namedtuple("Step", "command lines loose fails")


def steps(text):
    """The commands of a document, in order."""
    found = []
    for kind, block in BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step([line[2:]], [], kind == " numbers", kind == " fails"))
            elif line.startswith("> "):
                found[-1].command.append(line[2:])
            else:
                found[-1].lines.append(line)
    return found


def should_fail(step):
    return step.fails and bool(step.lines) and step.lines[-1].startswith(ERROR)


def pattern(line, loose):
    """A regular expression for one shown line."""
    text = re.escape(line).replace(re.escape("..."), ".*")
    if loose:
        text = re.sub(r"\d+(\\\.\d+)?", lambda number: r"\d+(\.\d+)?", text)
        text = re.sub(r"(\\ )+", " +", text)  # a wider number moves a column
    return text


def whole_pattern(lines, loose):
    parts = [r"(?:.*\n)*?" if line == "..." else pattern(line, loose) + r"\n" for line in lines]
    return "".join(parts) + r"\Z" if lines else ""


class Documents(unittest.TestCase):
    def prepare(self, folder):
        """The samples and the program, as a reader has them."""
        os.symlink(os.path.join(SOURCE, "samples"), os.path.join(folder, "samples"))
        os.mkdir(os.path.join(folder, "bin"))
        os.symlink(BINARY, os.path.join(folder, "bin", "densefusion"))
        return dict(os.environ, PATH=f"{folder}/bin:{os.environ['PATH']}")

    def follow(self, step, folder, environment):
        command = "\n".join(step.command)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        seen = f"$ {command}\n{done.stdout}[exit {done.returncode}]"
        self.assertEqual(done.returncode != 0, should_fail(step), seen)
        if not re.match(whole_pattern(step.lines, step.loose), done.stdout):
            self.fail(seen + "\nis not what is shown:\n" + "\n".join(step.lines))

    def follow_all(self, document):
        with open(os.path.join(SOURCE, "docs", document), encoding="utf-8") as file:
            found = steps(file.read())
        self.assertGreater(len(found), 10)
        with tempfile.TemporaryDirectory() as folder:
            environment = self.prepare(folder)
            for step in found:
                self.follow(step, folder, environment)

    def test_tutorial(self):
        self.follow_all("TUTORIAL.md")

    def test_troubleshooting(self):
        self.follow_all("TROUBLESHOOTING.md")


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
