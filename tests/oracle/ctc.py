#!/usr/bin/env python3
"""Probabilities of steps and classes, and what rapidocr's CTC decoder reads in them.

    pip install rapidocr==3.10.0; tests/oracle/ctc.py      writes tests/data/ctc.bin

A record a line: int32 n_steps, n_classes, n; float32 [n_steps, n_classes]; float32 score; int32 [n]
classes. Half of the lines are noise; in the other half a path with runs and blanks stands out.
"""

import pathlib
import struct

import numpy as np
from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode


def main():
    rng = np.random.default_rng(3)
    out = b""
    for k, (steps, classes) in enumerate(
        [(1, 5), (8, 3), (12, 40), (20, 37), (30, 97), (25, 64), (10, 16), (6, 17)]
    ):
        p = rng.random((steps, classes)).astype(np.float32)
        if k % 2 == 0:
            path = np.repeat(rng.choice([0, 1, 2, classes - 1], steps), 2)[:steps]
            p[np.arange(steps), path] += rng.random(steps).astype(np.float32) * 5
        p /= p.sum(1, keepdims=True)
        names = [chr(0x4E00 + i) for i in range(classes - 2)]
        ((text, score),) = CTCLabelDecode(character=names)(p[None])[0]
        ids = [classes - 1 if c == " " else ord(c) - 0x4E00 + 1 for c in text]
        out += struct.pack("<3i", steps, classes, len(ids)) + p.astype("<f4").tobytes()
        out += struct.pack(f"<f{len(ids)}i", score, *ids)
    (pathlib.Path(__file__).resolve().parent.parent / "data" / "ctc.bin").write_bytes(out)


if __name__ == "__main__":
    main()
