#!/usr/bin/env python3
"""What `densefusion embed` does, as one writes it in Python: the peer of docs/SPEED.md.

    pip install onnxruntime pillow numpy
    bench/peer_embed.py share/models/efficientnet-lite2.onnx FOLDER [--threads 2] [--batch 16]
    [--only-model]

Pillow (draft mode, bilinear, centre crop) in a pool of threads ahead of ONNX Runtime on batches;
unit vectors as float16.
--only-model leaves the pictures out: batches of noise. Prints CSV: what, batch, threads, images,
seconds, images/s, CPU seconds. Loading the model and the first batch, which warms up, are outside
the time. The other side:

    build/densefusion run FOLDER -o OUT --to filter -j 2 --filter.duplicates=false && time
    build/densefusion embed OUT -j 2
"""

import argparse
import concurrent.futures
import pathlib
import time

import numpy as np
import onnxruntime
from PIL import Image

SIDE, CROP, MEAN, STD = 292, 260, 127, 128


def load(path):
    image = Image.open(path)
    short = min(image.size)
    image.draft("RGB", tuple(round(s * SIDE / short) for s in image.size))
    image = image.convert("RGB")
    short = min(image.size)
    image = image.resize(tuple(s * SIDE // short for s in image.size), Image.BILINEAR)
    x, y = (image.width - CROP) // 2, (image.height - CROP) // 2
    pixels = np.asarray(image.crop((x, y, x + CROP, y + CROP)), np.float32)
    return ((pixels - MEAN) / STD).transpose(2, 0, 1)


parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("folder")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--only-model", action="store_true")
options = parser.parse_args()
settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = options.threads
session = onnxruntime.InferenceSession(options.model, settings, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
files = sorted(
    p for p in pathlib.Path(options.folder).iterdir() if p.suffix in (".jpg", ".png", ".webp")
)
noise = np.random.default_rng(1).normal(size=(3, CROP, CROP)).astype(np.float32)
read = (lambda path: noise) if options.only_model else load
session.run(["embedding"], {name: np.stack([noise] * options.batch)})

start, cpu, vectors = time.monotonic(), time.process_time(), []
with concurrent.futures.ThreadPoolExecutor(options.threads) as pool:
    batches = [files[i : i + options.batch] for i in range(0, len(files), options.batch)]
    ahead = [pool.submit(read, p) for p in batches[0]]
    for i in range(len(batches)):
        pixels = np.stack([job.result() for job in ahead])
        ahead = [pool.submit(read, p) for p in (batches[i + 1] if i + 1 < len(batches) else [])]
        x = session.run(["embedding"], {name: pixels})[0].astype(np.float64)
        vectors.append((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float16))
spent = time.monotonic() - start
print(
    f"{'model' if options.only_model else 'embed'},{options.batch},{options.threads},{len(files)},{spent:.2f},"
    f"{len(files) / spent:.1f},{time.process_time() - cpu:.2f}"
)
