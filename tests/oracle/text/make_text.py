"""Tiny ONNX models in the shapes of PaddleOCR's, with cards, for tests without the real weights.

    python3 tests/oracle/text/make_text.py        (needs numpy and onnx; writes beside itself, same
    bytes each time)

tiny-map       [1, 3, h, w] -> [1, 1, h, w]: text is what is not white
tiny-letters   [1, 3, 48, w] -> [1, w, 6]: the class of a column is its mean grey, in steps of 1/5
from white (blank) to black tiny-letters5  the same with 5 classes, tiny-letters4 with 4: the
dictionary of 4 characters is with space, without, complete;
               tiny-letters3 has too few
tiny-turned    [1, 3, 48, 192] -> [1, 2]: upside down where the right half is darker than the left
tiny-nothing   as tiny-letters, but every probability is NaN
"""

import hashlib
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent


def save(name, nodes, weights, shape, out_shape, card):
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out_shape)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    data = model.SerializeToString(deterministic=True)
    (HERE / f"{name}.onnx").write_bytes(data)
    (HERE / f"{name}.yaml").write_text(
        f"name: {name}\ndecoder: text\nfile: {name}.onnx\nsha256: {hashlib.sha256(data).hexdigest()}\n"
        f"licence: Apache-2.0\nsource: make_text.py\nchannels: bgr\nmean: [127.5, 127.5, 127.5]\nstd: [127.5, 127.5, 127.5]\n{card}"
    )


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], **attributes)


def letters(name, n_classes, labels, poison=0.0):
    """Probability falls with the distance between the column's mean grey (-1 to 1) and the class's
    own."""
    nodes = [
        node("ReduceMean", ["x"], "mean", axes=[1, 2], keepdims=0),
        node("Unsqueeze", ["mean", "last"], "columns"),
        node("Sub", ["columns", "levels"], "apart"),
        node("Abs", ["apart"], "distance"),
        node("Mul", ["distance", "sharp"], "logits"),
        node("Softmax", ["logits"], "p", axis=2),
        node("Div", ["p", "one"], "y"),
    ]
    levels = 1 - 0.4 * np.arange(n_classes, dtype=np.float32)
    weights = {
        "last": np.array([2], np.int64),
        "levels": levels.reshape(1, 1, -1),
        "sharp": np.float32(-600),
        "one": np.float32(np.nan if poison else 1),
    }
    save(
        name,
        nodes,
        weights,
        [1, 3, 48, "w"],
        [1, "w", n_classes],
        f"task: text-recognise\nheight: 48\nlabels: {labels}\nthreshold: 0.5\ndecode:\n  width_min: 1\n  width_step: 1\n",
    )


def main():
    save(
        "tiny-map",
        [
            node("ReduceMean", ["x"], "mean", axes=[1], keepdims=1),
            node("Sub", ["mean", "light"], "more"),
            node("Mul", ["more", "sharp"], "logits"),
            node("Sigmoid", ["logits"], "y"),
        ],
        {"light": np.float32(0.8), "sharp": np.float32(-20)},
        [1, 3, "h", "w"],
        [1, 1, "h", "w"],
        "task: text-detect\nthreshold: 0.5\ndecode:\n  limit_side: 32\n  max_side: 4096\n  max_boxes: 6000\n  dilate: 0\n  unclip: 0.4\n",
    )
    save(
        "tiny-turned",
        [
            node("ReduceMean", ["x"], "columns", axes=[0, 1, 2], keepdims=0),
            node("Mul", ["columns", "half"], "signed"),
            node("ReduceMean", ["signed"], "more", axes=[0], keepdims=1),
            node("Mul", ["more", "pair"], "logits"),
            node("Unsqueeze", ["logits", "first"], "rows"),
            node("Softmax", ["rows"], "y", axis=1),
        ],
        {
            "half": np.repeat(np.float32([1, -1]), 96),
            "pair": np.float32([-200, 200]),
            "first": np.array([0], np.int64),
        },
        [1, 3, 48, 192],
        [1, 2],
        "task: text-orient\nwidth: 192\nheight: 48\nthreshold: 0.9\n",
    )
    (HERE / "abcd.labels.txt").write_text("a\nb\nc\nd\n", encoding="utf-8")
    for n in (6, 5, 4):
        letters(f"tiny-letters{'' if n == 6 else n}", n, "abcd.labels.txt")
    letters("tiny-letters3", 3, "abcd.labels.txt")
    letters("tiny-nothing", 6, "abcd.labels.txt", poison=1)


if __name__ == "__main__":
    main()
