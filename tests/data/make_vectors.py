#!/usr/bin/env python3
"""Vectors as DataComp stores them, in tests/data/vectors: two shards of 5 and 7, one as numpy.savez
and one as numpy.savez_compressed writes it. Vector i is [i + 1, 1, 2] in l14_img and twice that,
negative, in b32_img.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent / "vectors"
every = np.array([[i + 1, 1, 2] for i in range(12)], np.float16)
np.savez(HERE / "00000000.npz", b32_img=-2 * every[:5], l14_img=every[:5])
np.savez_compressed(HERE / "00000001.npz", b32_img=-2 * every[5:], l14_img=every[5:])
