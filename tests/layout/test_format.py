"""The tables of docs/FORMAT.md and docs/OPTIONS.md are those that the program prints.

DF_BINARY=build/densefusion python3 tests/layout/test_format.py [--update]
"""

import os
import re
import subprocess
import sys
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BINARY = os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion"))
DOCUMENTS = [os.path.join(SOURCE, "docs", name) for name in ("FORMAT.md", "OPTIONS.md")]
BLOCK = re.compile(r"<!-- (table \S+|options) -->\n.*?<!-- end -->\n", re.S)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def blocks(text):
    return {found.group(1): found.group(0) for found in BLOCK.finditer(text)}


def printed():
    return subprocess.run([BINARY, "tables"], check=True, capture_output=True, text=True).stdout


def update():
    made = blocks(printed())
    for path in DOCUMENTS:
        text = BLOCK.sub(lambda found: made[found.group(1)], read(path))
        with open(path, "w", encoding="utf-8") as document:
            document.write(text)


class Format(unittest.TestCase):
    maxDiff = None

    def test_the_documents_hold_what_the_program_prints(self):
        held = {}
        for path in DOCUMENTS:
            held.update(blocks(read(path)))
        made = blocks(printed())
        self.assertEqual(sorted(held), sorted(made))
        for name, block in made.items():
            self.assertEqual(held[name], block, "python3 tests/layout/test_format.py --update")


if __name__ == "__main__":
    if "--update" in sys.argv:
        update()
    else:
        unittest.main()
