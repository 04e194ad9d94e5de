"""Lines end within 100 columns: C, Python, shell, CMake and prose.

python3 tests/layout/test_width.py
"""

import glob
import os
import re
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COLUMNS = 100
FOLDERS = ("src", "include", "examples", "bench", "tests", "tools")
PRINTED = re.compile(r"^<!-- (table|options).*?^<!-- end -->$", re.S | re.M)  # by the program
CODE = re.compile(r"^```.*?^```$|^    [^\n]*$", re.S | re.M)
LINK = re.compile(r"\]\([^)]*\)")


def text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def numbered(path, content):
    for number, line in enumerate(content.split("\n"), 1):
        yield f"{os.path.relpath(path, ROOT)}:{number}", line


def find(*patterns):
    for pattern in patterns:
        yield from sorted(glob.glob(os.path.join(ROOT, pattern), recursive=True))


def lines(ending):
    for path in find(*(f"{folder}/**/*{ending}" for folder in FOLDERS)):
        yield from numbered(path, text(path))


def is_script(path):
    """Shell, CMake and make: by name, or by a first line that names a shell."""
    if path.endswith((".sh", ".cmake", "CMakeLists.txt", "Makefile")):
        return True
    if not os.path.isfile(path) or "." in os.path.basename(path):
        return False
    return re.match(r"#!.*\b(ba)?sh\b", text(path)[:60]) is not None


def blank(found):
    """Empty lines in its place, so that line numbers stay."""
    return "\n" * found.group(0).count("\n")


def prose(path):
    """The lines of a document that are no table, no code, and no longer for a link alone."""
    content = CODE.sub(blank, PRINTED.sub(blank, text(path)))
    for where, line in numbered(path, content):
        if not line.startswith("|"):
            yield where, LINK.sub("]", line)


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

    def test_scripts(self):
        places = ["*", "cmake/*", ".ci/*", "tools/**/*", "tests/**/*"]
        scripts = {path for path in find(*places) if is_script(path)}
        # Its hash decides whether llama.cpp is built anew: left until that is due.
        scripts.discard(os.path.join(ROOT, "tools/llama/CMakeLists.txt"))
        self.assertGreater(len(scripts), 20)
        wide = [
            where
            for path in sorted(scripts)
            for where, line in numbered(path, text(path))
            if len(line) > COLUMNS
        ]
        self.assertEqual(wide, [])

    def test_prose(self):
        """Tables, code and links aside."""
        documents = list(find("*.md", "docs/*.md", "samples/*.md", "tests/**/*.md"))
        self.assertGreater(len(documents), 15)
        wide = [where for path in documents for where, line in prose(path) if len(line) > COLUMNS]
        self.assertEqual(wide, [])

    def test_prose_is_found_between_code(self):
        """What the test above passes over, and what not."""
        long = "word " * 25
        content = f"```\n{long}\n```\n    {long}\n| {long} |\n{long}\n    code\n[a]({long})\n"
        with tempfile.NamedTemporaryFile("w", suffix=".md") as document:
            document.write(content)
            document.flush()
            wide = [where for where, line in prose(document.name) if len(line) > COLUMNS]
        self.assertEqual([where.split(":")[1] for where in wide], ["6"])


if __name__ == "__main__":
    unittest.main()
