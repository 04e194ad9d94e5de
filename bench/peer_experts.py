#!/usr/bin/env python3
"""The same expert calls as `densefusion run` makes, as one writes them in Python: the peer of
docs/SPEED.md.

    pip install rapidocr==3.10.0 onnxruntime pillow numpy
    bench/peer_experts.py share/models FOLDER [--threads 2] [--workers 1] [--only read]

An image at a time through Pillow, NumPy, ONNX Runtime and rapidocr, all with their defaults but for
the number of threads: EfficientNet-Lite2 (tags), NanoDet and CenterNet (boxes), PP-OCRv6 small with
orientation (text); with --only also open_nsfw (safety) and EfficientNet-Lite2's vector (embed).
bench/experts.py runs it beside ours.
--workers N runs N images beside each other, each with threads / N. Prints one line of CSV: what,
images, seconds, images/s, CPU seconds, peak MB, and counts that show that the work was done. Model
loading and the first image, which warms up, are outside the time.

The other side, on the same folder and machine, one after the other; it does `look` as well, and
skips no image:

    /usr/bin/time -v build/densefusion run FOLDER -o /tmp/out --to=look -j 2 --filter.min_side=0
    --filter.max_aspect=1000
"""

import argparse
import concurrent.futures
import pathlib
import resource
import sys
import threading
import time

import cv2
import numpy as np
import onnxruntime
from PIL import Image
from rapidocr import RapidOCR

COCO_THRESHOLD = 0.35


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options)


def suppress(boxes, scores, labels, iou):
    keep = []
    for label in np.unique(labels):
        at = np.flatnonzero(labels == label)
        at = at[np.argsort(-scores[at])]
        while at.size:
            keep.append(at[0])
            a, b = boxes[at[0]], boxes[at[1:]]
            w = np.clip(np.minimum(a[2], b[:, 2]) - np.maximum(a[0], b[:, 0]), 0, None)
            h = np.clip(np.minimum(a[3], b[:, 3]) - np.maximum(a[1], b[:, 1]), 0, None)
            both = w * h
            area = (a[2] - a[0]) * (a[3] - a[1]) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) - both
            at = at[1:][both / np.maximum(area, 1e-9) <= iou]
    return keep


class Experts:
    def __init__(self, models, threads, only):
        self.only = only
        if self.wants("tag") or self.wants("embed"):
            self.tagger = session(models / "efficientnet-lite2.onnx", threads)
        if "safety" in only:
            self.nsfw = session(models / "open-nsfw.onnx", threads)
        if self.wants("detect"):
            self.nanodet = session(models / "nanodet.onnx", threads)
            self.centernet = session(models / "centernet.onnx", threads)
        if self.wants("read"):
            self.ocr = RapidOCR(
                params={
                    "Global.log_level": "error",
                    "Global.text_score": 0.7,
                    "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                }
            )

    def wants(self, expert):
        return not self.only or expert in self.only

    def lite2(self, image, output):
        scale = 292 / min(image.size)
        small = image.resize(
            (round(image.width * scale), round(image.height * scale)), Image.BICUBIC
        )
        left, top = (small.width - 260) // 2, (small.height - 260) // 2
        x = (np.asarray(small.crop((left, top, left + 260, top + 260)), np.float32) - 127) / 128
        return self.tagger.run([output], {"image": x.transpose(2, 0, 1)[None]})[0][0]

    def tag(self, image):
        return int((self.lite2(image, "probabilities") >= 0.5).sum())

    def embed(self, image):
        x = self.lite2(image, "embedding").astype(np.float64)
        return int(np.isfinite((x / np.linalg.norm(x)).astype(np.float16)).all())

    def safety(self, image):
        scale = 256 / min(image.size)
        small = image.resize(
            (round(image.width * scale), round(image.height * scale)), Image.BILINEAR
        )
        left, top = (small.width - 224) // 2, (small.height - 224) // 2
        x = np.asarray(small.crop((left, top, left + 224, top + 224)), np.float32)[
            :, :, ::-1
        ] - np.float32([104, 117, 123])
        return int(self.nsfw.run(None, {"input:0": np.ascontiguousarray(x[None])})[0][0][1] <= 1)

    def detect_nanodet(self, image):
        x = np.asarray(image.resize((416, 416), Image.BILINEAR), np.float32)[:, :, ::-1]
        x = (x - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
        out = self.nanodet.run(None, {"image": x.astype(np.float32).transpose(2, 0, 1)[None]})
        boxes, scores, labels = [], [], []
        for k, stride in enumerate((8, 16, 32)):
            p, bins = out[k][0], out[k + 3][0].reshape(-1, 4, 11)
            row, label = np.nonzero(p >= COCO_THRESHOLD)
            e = np.exp(bins[row] - bins[row].max(-1, keepdims=True))
            d = (e / e.sum(-1, keepdims=True)) @ np.arange(11) * stride
            side = 416 // stride
            cx, cy = (row % side + 0.5) * stride, (row // side + 0.5) * stride
            boxes.append(np.stack([cx - d[:, 0], cy - d[:, 1], cx + d[:, 2], cy + d[:, 3]], 1))
            scores.append(p[row, label])
            labels.append(label)
        return len(
            suppress(np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels), 0.6)
        )

    def detect_centernet(self, image):
        x = np.asarray(image.resize((512, 512), Image.BILINEAR), np.float32)[None]
        p, sides = (v[0] for v in self.centernet.run(None, {"image": x}))
        around = np.pad(p, ((1, 1), (1, 1), (0, 0)))
        peak = np.max([around[i : i + 128, j : j + 128] for i in range(3) for j in range(3)], 0)
        y, x, label = np.nonzero((p == peak) & (p >= COCO_THRESHOLD))
        s = sides[y, x]
        boxes = np.stack([x * 4 - s[:, 0], y * 4 - s[:, 1], x * 4 + s[:, 2], y * 4 + s[:, 3]], 1)
        return len(suppress(boxes, p[y, x, label], label, 0.5))

    def read(self, image):
        result = self.ocr(np.asarray(image)[:, :, ::-1])
        return 0 if result.txts is None else len(result.txts)

    def __call__(self, path):
        try:
            image = Image.open(path).convert("RGB")
        except OSError:
            return np.zeros(4, int)
        tags = self.tag(image) if self.wants("tag") else 0
        tags += sum(getattr(self, name)(image) for name in ("safety", "embed") if name in self.only)
        boxes = (
            self.detect_nanodet(image) + self.detect_centernet(image) if self.wants("detect") else 0
        )
        return np.array([1, tags, boxes, self.read(image) if self.wants("read") else 0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--only", action="append", choices=["tag", "detect", "read", "safety", "embed"], default=[]
    )
    args = parser.parse_args()
    files = sorted(
        p for p in args.folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}
    )
    if not files:
        sys.exit(f"{args.folder}: no images")
    per_worker = max(1, args.threads // args.workers)
    cv2.setNumThreads(per_worker)
    own = threading.local()
    ready = [Experts(args.models, per_worker, args.only) for _ in range(args.workers)]
    for experts in ready:
        experts(files[0])

    def work(path):
        if not hasattr(own, "experts"):
            own.experts = ready.pop()
        return own.experts(path)

    began, cpu = time.perf_counter(), time.process_time()
    with concurrent.futures.ThreadPoolExecutor(args.workers) as pool:
        n, tags, boxes, lines = sum(pool.map(work, files))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("case,images,seconds,images_per_s,cpu_s,peak_mb,tags,boxes,lines")
    print(
        f"python,{n},{seconds:.2f},{n / seconds:.2f},{time.process_time() - cpu:.1f},{peak:.0f},{tags},{boxes},{lines}"
    )


if __name__ == "__main__":
    main()
