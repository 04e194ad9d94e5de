"""The converted models against a second implementation: NumPy straight from the published weights,
layer by layer as their authors wrote them, on a real photograph; and known photographs must get
their known classes.

    python3 tests/oracle/convert/test_convert.py DOWNLOADS

DOWNLOADS holds the published packages' members (efficientnet-lite2-9656183e.pth, nanodet.json and
.bin, centernet.json and .bin). Without it only the known photographs are tested. Run it after a
change in tools/convert.
"""

import pathlib
import sys
import unittest

import numpy as np
import onnxruntime
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path[:0] = [str(HERE), str(SOURCE / "tools" / "convert")]
import numpy_ops as ops  # noqa: E402
from tfjs_model import TfjsModel  # noqa: E402
from torch_checkpoint import read_checkpoint  # noqa: E402

MODELS = SOURCE / "share" / "models"
DOWNLOADS = None
TAGS = {"coffee.jpg": "espresso", "picos-de-europa.jpg": "alp", "paint-brushes.jpg": "paintbrush"}
OBJECTS = {"astronaut.png": "person", "cameraman.webp": "person", "coffee.jpg": "cup"}
# float32 sums in another order: relative to the largest value of each output.
TOLERANCE = 2e-4


def photo(name):
    return Image.open(SOURCE / "samples" / name).convert("RGB")


def stretched(name, side):
    return np.asarray(photo(name).resize((side, side), Image.BILINEAR), np.float32)


def cropped(name, short=292, side=260):
    image = photo(name)
    scale = short / min(image.size)
    image = image.resize([round(n * scale) for n in image.size], Image.BICUBIC)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return (np.asarray(image.crop((left, top, left + side, top + side)), np.float32) - 127) / 128


def nanodet_input(name):
    bgr = stretched(name, 416)[..., ::-1]
    pixels = (bgr - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
    return pixels.transpose(2, 0, 1)[None].astype(np.float32)


def run(model, pixels):
    session = onnxruntime.InferenceSession(
        MODELS / f"{model}.onnx", providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"image": pixels})


def labels(file):
    return [line.split("\t")[0] for line in (MODELS / file).read_text().splitlines()]


# --- EfficientNet-Lite2 as its paper writes it: batch normalisation unfolded
# ------------------------------------------


def efficientnet(weights, x):
    def norm(x, name):
        mean, variance, gain, bias = (
            weights[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gain + bias

    def conv(x, name, stride=1):
        kernel = weights[name + ".weight"].transpose(2, 3, 1, 0)  # [h, w, in, out]
        if "depthwise" in name:
            return ops.depthwise(x, kernel.transpose(0, 1, 3, 2), (stride, stride), "SAME")
        return ops.conv(x, kernel, (stride, stride), "SAME")

    def relu6(x):
        return np.clip(x, 0, 6)

    x = relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    firsts = {1: 2, 4: 2, 7: 2, 11: 1, 15: 2, 20: 1}  # first block of a stage: its stride
    for i in range(21):
        block, y = f"_blocks.{i}", x
        if i > 0:
            y = relu6(norm(conv(y, block + "._expand_conv"), block + "._bn0"))
        y = relu6(norm(conv(y, block + "._depthwise_conv", firsts.get(i, 1)), block + "._bn1"))
        y = norm(conv(y, block + "._project_conv"), block + "._bn2")
        x = y + x if i > 0 and i not in firsts else y
    embedding = relu6(norm(conv(x, "_conv_head"), "_bn1")).mean(axis=(1, 2))
    logits = embedding @ weights["_fc.weight"].T + weights["_fc.bias"]
    odds = np.exp(logits - logits.max())
    return odds / odds.sum(), embedding


# --- TensorFlow.js graphs, node by node
# ------------------------------------------------------------------------------


class Interpreter:
    def __init__(self, model, image):
        self.model, self.image, self.values = model, image, {}

    def value(self, reference):
        name, _, index = reference.partition(":")
        if name not in self.values:
            node = self.model.nodes[name]
            self.values[name] = self.image if node.op == "Placeholder" else self.run(node)
        value = self.values[name]
        return value[int(index or 0)] if isinstance(value, list) else value

    def run(self, node):
        if node.op == "Const":
            return self.model.weights[node.name]
        a = [self.value(name) for name in node.inputs]
        strides, padding = (node.attribute("strides") or [1] * 4)[1:3], node.attribute("padding")
        if "Conv" in node.op:
            return self.fused(
                node,
                a,
                (ops.depthwise if "epthwise" in node.op else ops.conv)(
                    a[0], a[1], strides, padding
                ),
            )
        plain = {
            "Add": lambda: a[0] + a[1],
            "AddV2": lambda: a[0] + a[1],
            "Mul": lambda: a[0] * a[1],
            "Identity": lambda: a[0],
            "Relu": lambda: np.maximum(a[0], 0),
            "Relu6": lambda: np.clip(a[0], 0, 6),
            "Sigmoid": lambda: 1 / (1 + np.exp(-a[0])),
            "LeakyRelu": lambda: np.where(a[0] > 0, a[0], a[0] * node.attribute("alpha", 0.2)),
            "Mean": lambda: a[0].mean(
                axis=tuple(a[1].reshape(-1)), keepdims=node.attribute("keep_dims", False)
            ),
            "ConcatV2": lambda: np.concatenate(a[:-1], int(a[-1])),
            "SplitV": lambda: np.split(a[0], np.cumsum(a[1])[:-1], int(a[2])),
            "Transpose": lambda: a[0].transpose(a[1]),
            "Reshape": lambda: a[0].reshape(a[1]),
            "Pad": lambda: np.pad(a[0], a[1]),
            "PadV2": lambda: np.pad(a[0], a[1], constant_values=float(a[2])),
            "SparseToDense": lambda: sparse(*a),
            "MaxPool": lambda: ops.max_pool(
                a[0], tuple(node.attribute("ksize")[1:3]), strides, padding
            ),
            "ResizeBilinear": lambda: ops.resize_bilinear(
                a[0], a[1], node.attribute("half_pixel_centers", False)
            ),
        }
        return plain[node.op]()

    @staticmethod
    def fused(node, arguments, y):
        steps = node.attribute("fused_ops", [])
        if "BiasAdd" in steps:
            y = y + arguments[2]
        if "Relu6" in steps:
            return np.clip(y, 0, 6)
        return np.maximum(y, 0) if "Relu" in steps else y


def sparse(indices, shape, values, default):
    dense = np.full(shape, default)
    for index, value in zip(indices, np.broadcast_to(values, len(indices))):
        dense[tuple(np.atleast_1d(index))] = value
    return dense


class SecondImplementation(unittest.TestCase):
    def setUp(self):
        if DOWNLOADS is None:
            self.skipTest("no folder of downloads was given")

    def assert_close(self, got, expected):
        self.assertEqual(got.shape, expected.shape)
        self.assertLess(np.abs(got - expected).max(), TOLERANCE * max(1, np.abs(expected).max()))

    def test_efficientnet(self):
        pixels = cropped("two-dogs.jpg")[None]
        expected = efficientnet(
            read_checkpoint(DOWNLOADS / "efficientnet-lite2-9656183e.pth"), pixels
        )
        for got, want in zip(run("efficientnet-lite2", pixels.transpose(0, 3, 1, 2)), expected):
            self.assert_close(got, want)

    def test_nanodet(self):
        pixels = nanodet_input("two-dogs.jpg")
        graph = Interpreter(TfjsModel(DOWNLOADS / "nanodet.json"), pixels)
        for i, got in enumerate(run("nanodet", pixels)):
            self.assert_close(got, graph.value(f"Identity_{i}" if i else "Identity"))

    def test_centernet(self):
        pixels = stretched("two-dogs.jpg", 512)[None]
        graph = Interpreter(TfjsModel(DOWNLOADS / "centernet.json"), pixels)
        for got, name in zip(run("centernet", pixels), ("tower_0/keypoints", "tower_0/wh")):
            self.assert_close(got, graph.value(name))


class KnownPhotographs(unittest.TestCase):
    def test_tags(self):
        names = labels("imagenet-1k.labels.txt")
        for name, expected in TAGS.items():
            probabilities = run("efficientnet-lite2", cropped(name).transpose(2, 0, 1)[None])[0][0]
            self.assertEqual(names[probabilities.argmax()], expected, name)
            self.assertAlmostEqual(float(probabilities.sum()), 1, places=4)

    def test_detectors(self):
        names = labels("coco-80.labels.txt")
        for name, expected in OBJECTS.items():
            scores = np.concatenate(run("nanodet", nanodet_input(name))[:3], axis=1)[0].max(axis=0)
            self.assertEqual(names[scores.argmax()], expected, name)
            peaks = run("centernet", stretched(name, 512)[None])[0][0].max(axis=(0, 1))
            self.assertEqual(names[peaks.argmax()], expected, name)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        DOWNLOADS = pathlib.Path(sys.argv.pop())
    unittest.main()
