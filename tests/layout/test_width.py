"""Lines end within 100 columns: code, comments and prose.

    python3 tests/layout/test_width.py
"""

import glob
import os
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COLUMNS = 100
FOLDERS = ("src", "include", "examples", "bench", "tests", "tools")


def lines(ending):
    for folder in FOLDERS:
        for path in sorted(glob.glob(f"{ROOT}/{folder}/**/*{ending}", recursive=True)):
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    yield f"{os.path.relpath(path, ROOT)}:{number}", line.rstrip("\n")


class Width(unittest.TestCase):
    def test_c(self):
        wide = [where for end in (".c", ".h") for where, line in lines(end) if len(line) > COLUMNS]
        self.assertEqual(wide, [])

    def test_python(self):
        """A string may be wider: cutting it would only hide what it says."""
        wide = [
            where
            for where, line in lines(".py")
            if len(line) > COLUMNS and '"' not in line and "'" not in line
        ]
        allowed = ("bench/peer_metadata.py", "tests/llama/tiny_vlm.py")  # within a long string
        self.assertEqual([w for w in wide if not w.startswith(allowed)], [])


if __name__ == "__main__":
    unittest.main()
