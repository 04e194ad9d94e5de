#!/usr/bin/env python3
"""Maps of text probability from the real detectors, and the boxes that rapidocr's post-processing
finds in them.

    pip install rapidocr==3.10.0 onnxruntime; tests/oracle/text_map.py      writes
    tests/data/text_map.bin

A family of models has numbers of its own: PP-OCRv6 small, tiny, v5 and v4 (share/models has the
cards). A record a map: float32 map_threshold, threshold, unclip, dilate; int32 width, height,
n_boxes, n_runs; n_runs pairs of bytes: count, level (p = level / 32, so that both sides see the
same numbers); float32 [n_boxes, 9]: four corners x, y in map pixels, score. The pages are drawn
here, with text of several sizes and turns.
"""

import pathlib
import struct

import numpy as np
from PIL import Image, ImageDraw, ImageFont
import onnxruntime
from rapidocr.ch_ppocr_det.utils import DBPostProcess

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent.parent / "share" / "models"
# detector -> map_threshold, threshold, unclip, dilate; v4 and v5 also with the numbers of their own
# releases
USUAL, OWN = (0.3, 0.5, 1.6, True), (0.3, 0.6, 1.5, False)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
WORDS = "HARBOUR Bakery Open 9 to 5 No parking Platform 12 Lindenallee Exit Tickets 48.50 Please wait here".split()


def page(seed, width, height, turns):
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height), tuple(int(v) for v in rng.integers(180, 256, 3)))
    for k in range(10):
        text = " ".join(rng.choice(WORDS, rng.integers(1, 4)))
        font = ImageFont.truetype(FONT, int(rng.integers(10, 34)))
        box = font.getbbox(text)
        piece = Image.new("L", (box[2] + 8, box[3] + 8))
        ImageDraw.Draw(piece).text((4, 4), text, 255, font)
        piece = piece.rotate(float(rng.choice(turns)), expand=True)
        at = (int(rng.integers(0, max(1, width - piece.width))), k * height // 10)
        image.paste(tuple(int(v) for v in rng.integers(0, 90, 3)), at, piece)
    return image


def runs(level):
    """Pairs of bytes count, level."""
    flat = level.ravel()
    ends = np.append(np.flatnonzero(np.diff(flat)) + 1, flat.size)
    out, at = bytearray(), 0
    for end in ends:
        while at < end:
            count = min(255, end - at)
            out += bytes((count, flat[at]))
            at += count
    return bytes(out)


def main():
    cases = [
        ("ppocr-det-small", USUAL, 1, 320, 320, [0]),
        ("ppocr-det-small", USUAL, 2, 320, 416, [0, 3, -4]),
        ("ppocr-det-small", USUAL, 3, 416, 320, [0, 15, -20, 35]),
        ("ppocr-det-small", USUAL, 4, 416, 416, [0, 90, 60, -70]),
        ("ppocr-det-small", USUAL, 5, 352, 352, [0, 8]),
        ("ppocr-det-tiny", (0.2, 0.4, 1.4, False), 6, 352, 320, [0, -12, 90]),
        ("ppocr-v5-det-mobile", USUAL, 7, 352, 352, [0, 20]),
        ("ppocr-v5-det-mobile", OWN, 8, 320, 352, [0, 90, -8]),
        ("ppocr-v4-det-mobile", USUAL, 9, 352, 352, [0, -25]),
        ("ppocr-v4-det-mobile", OWN, 10, 352, 320, [0, 90, 5]),
    ]
    out = b""
    for name, numbers, seed, width, height, turns in cases:
        session = onnxruntime.InferenceSession(str(MODELS / f"{name}.onnx"))
        threshold, box_threshold, unclip, dilate = numbers
        process = DBPostProcess(threshold, box_threshold, 1000, unclip, "fast", dilate)
        pixels = np.asarray(page(seed, width, height, turns))[:, :, ::-1].astype(np.float32)
        (p,) = session.run(
            None,
            {session.get_inputs()[0].name: ((pixels / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]},
        )
        level = np.rint(p[0, 0] * 32).clip(0, 32).astype(np.uint8)
        boxes, scores = process((level.astype(np.float32) / 32)[None, None], (height, width))
        rows = np.hstack(
            [np.asarray(boxes, np.float32).reshape(-1, 8), np.asarray(scores, np.float32)[:, None]]
        )
        packed = runs(level)
        out += (
            struct.pack("<4f4i", *numbers, width, height, len(rows), len(packed) // 2)
            + packed
            + rows.astype("<f4").tobytes()
        )
        print(name, seed, len(rows), "boxes")
    (HERE.parent / "data" / "text_map.bin").write_bytes(out)


if __name__ == "__main__":
    main()
