"""Writes an ONNX file from a published model, or WordNet's list of kinds: convert.py NAME SOURCE
OUT; NAME is the model card's name, or wordnet.

Needs numpy and onnx, nothing else. The same source gives the same bytes; the model card pins their
SHA-256.
"""

import sys

import efficientnet_lite
import wordnet
from tfjs_model import TfjsModel
from tfjs_to_onnx import Converter
from torch_checkpoint import read_checkpoint

N_CLASSES, N_BINS = 80, 11  # COCO; bins of NanoDet's distance distribution, each of 4 sides
NANODET_SIDE = 416
NANODET_STRIDES = (8, 16, 32)  # the model's outputs Identity .. Identity_5: classes, then distances
CENTERNET_SIDE, CENTERNET_GRID = 512, 128


def convert_efficientnet(source, out):
    efficientnet_lite.convert(read_checkpoint(source), out)


def convert_nanodet(source, out):
    cells = [(NANODET_SIDE // stride) ** 2 for stride in NANODET_STRIDES]
    outputs = [(f"classes_{stride}", n, N_CLASSES) for stride, n in zip(NANODET_STRIDES, cells)]
    outputs += [(f"distances_{stride}", n, 4 * N_BINS) for stride, n in zip(NANODET_STRIDES, cells)]
    nodes = ["Identity"] + [f"Identity_{i}" for i in range(1, len(outputs))]
    Converter(TfjsModel(source), "nanodet").convert(
        "image",
        [1, 3, NANODET_SIDE, NANODET_SIDE],
        [(node, name, [1, n, width]) for node, (name, n, width) in zip(nodes, outputs)],
        out,
    )


def convert_centernet(source, out):
    grid = [1, CENTERNET_GRID, CENTERNET_GRID]
    Converter(TfjsModel(source), "centernet").convert(
        "image",
        [1, CENTERNET_SIDE, CENTERNET_SIDE, 3],
        [
            ("tower_0/keypoints", "keypoints", grid + [N_CLASSES]),
            ("tower_0/wh", "sides", grid + [4]),
        ],
        out,
    )


CONVERTERS = {
    "efficientnet-lite2": convert_efficientnet,
    "nanodet": convert_nanodet,
    "centernet": convert_centernet,
    "wordnet": wordnet.convert,
}


def main(arguments):
    if len(arguments) != 3 or arguments[0] not in CONVERTERS:
        sys.exit(f"usage: convert.py {{{','.join(CONVERTERS)}}} SOURCE OUT")
    name, source, out = arguments
    CONVERTERS[name](source, out)


if __name__ == "__main__":
    main(sys.argv[1:])
