#!/usr/bin/env python3
"""Decode and resize of JPEGs to a long side of SIDE px with OpenCV, libvips and Pillow, each its
fastest way: the peers of bench_decode in docs/SPEED.md. On one core, CPU seconds, fastest of the
repeats; a line of CSV a library.

    pip install pillow opencv-python-headless pyvips pyvips-binary
    bench/peer_decode.py SIDE REPEATS FILE...
"""

import os
import sys
import time

os.environ["VIPS_CONCURRENCY"] = "1"
import cv2
import numpy as np
import pyvips
from PIL import Image
import io

cv2.setNumThreads(1)


def fit(width, height, side):
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def opencv(data, side, flags=cv2.IMREAD_REDUCED_COLOR_4):
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return cv2.resize(
        image, fit(image.shape[1], image.shape[0], side), interpolation=cv2.INTER_AREA
    )


def opencv_full(data, side):
    return opencv(data, side, cv2.IMREAD_COLOR)


def vips(data, side):
    return pyvips.Image.thumbnail_buffer(data, side, height=side).write_to_memory()


def pillow(data, side):
    image = Image.open(io.BytesIO(data))
    size = fit(*image.size, side)
    image.draft("RGB", size)
    return image.resize(size, Image.BILINEAR)


side, repeats = int(sys.argv[1]), int(sys.argv[2])
for name, work in (
    ("opencv reduced/4 + area", opencv),
    ("opencv full + area", opencv_full),
    ("vips thumbnail", vips),
    ("pillow draft + bilinear", pillow),
):
    total = 0
    for path in sys.argv[3:]:
        data, best = open(path, "rb").read(), 1e9
        for _ in range(repeats):
            start = time.process_time()
            work(data, side)
            best = min(best, time.process_time() - start)
        total += best
    print(f"{name},{len(sys.argv[3:]) / total:.1f}")
