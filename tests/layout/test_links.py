"""Links between documents lead somewhere: the file is there, and the heading.

python3 tests/layout/test_links.py
"""

import glob
import os
import re
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DOCUMENTS = ["*.md", "docs/*.md", "samples/*.md", "tests/**/*.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.S | re.M)


def documents():
    for pattern in DOCUMENTS:
        yield from sorted(glob.glob(os.path.join(ROOT, pattern), recursive=True))


def read(path):
    with open(path, encoding="utf-8") as file:
        return CODE.sub("", file.read())


def headings(path):
    """The anchors that a page makes of its headings."""
    titles = re.findall(r"^#+ (.*)$", read(path), re.M)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def dead(path):
    for link in LINK.findall(read(path)):
        if link.startswith(("http:", "https:")):
            continue
        name, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(target) or (anchor and anchor not in headings(target)):
            yield f"{os.path.relpath(path, ROOT)}: {link}"


class Links(unittest.TestCase):
    def test_all(self):
        self.assertGreater(len(list(documents())), 15)
        self.assertEqual([link for path in documents() for link in dead(path)], [])


if __name__ == "__main__":
    unittest.main()
