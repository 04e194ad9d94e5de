"""A longer function has a sentence above it, a file says at its top what it holds, and neither
speaks of the program's objects as of persons.

python3 tests/layout/test_comments.py
"""

import glob
import os
import re
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")
LINES = 12
# Rooms that keep the rules about words; the others join as they are rewritten.
ROOMS = (
    "base",
    "cli",
    "evidence",
    "expert",
    "image",
    "io",
    "judge",
    "language",
    "model",
    "vector",
    "vision",
)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
PERSON = re.compile(r"\b(who|whom|whose)\b", re.I)


def sources(rooms, *endings):
    """(path below src, text) of the files of some rooms."""
    for room in rooms:
        for path in sorted(glob.glob(f"{SOURCE}/{room}/**/*", recursive=True)):
            if path.endswith(endings):
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, SOURCE), file.read()


def static_functions(lines):
    """(index of the first line, lines of the body) of every static function.

    What headers declare has its comment there."""
    for brace, line in enumerate(lines):
        if line != "{":
            continue
        at = brace
        while at > 0 and not re.search(r"^$|^#|[;}]$|\*/$", lines[at - 1]):
            at -= 1
        if re.search(r"\bstatic\b", " ".join(lines[at:brace])):
            yield at, lines.index("}", brace) - brace - 1


def is_comment(line):
    """The end of a comment, not the heading of a section."""
    return line.endswith("*/") and "----" not in line


class Comments(unittest.TestCase):
    def test_long_functions_say_what_they_do(self):
        silent, found = [], 0
        for path, text in sources(sorted(os.listdir(SOURCE)), ".c"):
            lines = text.split("\n")
            for at, length in static_functions(lines):
                found += 1
                if length > LINES and not is_comment(lines[at - 1]):
                    silent.append(f"{path}:{at + 1}")
        self.assertEqual(silent, [])
        self.assertGreater(found, 1000)

    def test_files_say_what_they_hold(self):
        bare = [path for path, text in sources(ROOMS, ".c", ".h") if not text.startswith("/*")]
        self.assertEqual(bare, [])

    def test_objects_are_no_persons(self):
        persons = [
            f"{path}: {' '.join(comment.split())}"
            for path, text in sources(ROOMS, ".c", ".h")
            for comment in COMMENT.findall(text)
            if PERSON.search(comment)
        ]
        self.assertEqual(persons, [])


if __name__ == "__main__":
    unittest.main()
