"""The column tables of docs/FORMAT.md are those of src/tables.

DF_BINARY=build/densefusion python3 tests/layout/test_format.py [--update]
"""

import os
import re
import subprocess
import sys
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BINARY = os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion"))
FORMAT = os.path.join(SOURCE, "docs", "FORMAT.md")
BLOCK = re.compile(r"<!-- table (\S+) -->\n.*?<!-- end -->\n", re.S)


def blocks(text):
    return {found.group(1): found.group(0) for found in BLOCK.finditer(text)}


def printed():
    return subprocess.run([BINARY, "tables"], check=True, capture_output=True, text=True).stdout


class Format(unittest.TestCase):
    def test_the_document_holds_what_the_program_prints(self):
        with open(FORMAT, encoding="utf-8") as file:
            self.assertEqual(
                blocks(file.read()),
                blocks(printed()),
                "python3 tests/layout/test_format.py --update",
            )


if __name__ == "__main__":
    if "--update" in sys.argv:
        made = blocks(printed())
        with open(FORMAT, encoding="utf-8") as document:
            text = document.read()
        with open(FORMAT, "w", encoding="utf-8") as document:
            document.write(BLOCK.sub(lambda found: made[found.group(1)], text))
    else:
        unittest.main()
