"""Evidence of a few photographs, made once for a test case; each test goes on from a copy of its
own."""

import os
import shutil
import subprocess
import tempfile
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BINARY = os.environ.get("DF_BINARY", os.path.join(SOURCE, "build", "densefusion"))


def samples(n):
    """Paths of the first n JPEGs of samples/."""
    folder = os.path.join(SOURCE, "samples")
    return [
        os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".jpg")
    ][:n]


class EvidenceCase(unittest.TestCase):
    """photos: the input; evidence: the dataset up to `fuse`; out: this test's copy of it."""

    images = 4
    options = ()  # of the run that makes the evidence

    @classmethod
    def fill(cls):
        """Puts the photographs into cls.photos."""
        for path in samples(cls.images):
            shutil.copy(path, cls.photos)

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.photos = os.path.join(cls.folder, "photos")
        cls.evidence = os.path.join(cls.folder, "evidence")
        os.mkdir(cls.photos)
        cls.fill()
        subprocess.run(
            [
                BINARY,
                "run",
                cls.photos,
                "-o",
                cls.evidence,
                "--to",
                "fuse",
                "--filter.min_side=1",
                *cls.options,
            ],
            check=True,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.out = os.path.join(self.folder, self.id().rsplit(".", 1)[1])
        shutil.copytree(self.evidence, self.out)
