"""A function of more than a dozen lines has a sentence above it.

    python3 tests/layout/test_comments.py
"""

import glob
import os
import re
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")
LINES = 12
# What headers declare has its comment there.
BEGIN = re.compile(r"^static [^=;]*\(")


def functions(lines):
    """(index of the first line, lines of the body) of every static function."""
    at = 0
    while at < len(lines):
        if BEGIN.match(lines[at]):
            brace = at
            while lines[brace] != "{" and not lines[brace].endswith(";"):
                brace += 1
            if lines[brace] == "{":
                end = lines.index("}", brace)
                yield at, end - brace - 1
                at = end
        at += 1


class Comments(unittest.TestCase):
    def test_long_functions_say_what_they_do(self):
        silent, found = [], 0
        for path in sorted(glob.glob(f"{SOURCE}/**/*.c", recursive=True)):
            with open(path, encoding="utf-8") as file:
                lines = file.read().split("\n")
            for at, length in functions(lines):
                found += 1
                if length > LINES and not lines[at - 1].endswith("*/"):
                    silent.append(f"{os.path.relpath(path, SOURCE)}:{at + 1}")
        self.assertEqual(silent, [])
        self.assertGreater(found, 1000)


if __name__ == "__main__":
    unittest.main()
