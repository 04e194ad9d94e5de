#!/usr/bin/env python3
"""Detectors whose answer is written down: 10,000 boxes, one of each kind, and what does not fit its
card.

python3 tests/oracle/detect/make_odd.py        (needs numpy and onnx; writes beside itself, same
bytes each time)
"""

import hashlib
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent


def tensor(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def save(name, nodes, weights, outputs, decoder, body, inputs=()):
    size = "" if "resize" in body else "width: 96\nheight: 64\n"
    graph = helper.make_graph(
        nodes,
        name,
        [tensor("image", [1, 3, 64, 96]), *inputs],
        outputs,
        [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    data = model.SerializeToString(deterministic=True)
    (HERE / f"{name}.onnx").write_bytes(data)
    (HERE / f"{name}.yaml").write_text(
        f"name: {name}\ntask: detect\ndecoder: {decoder}\nfile: {name}.onnx\nsha256: {hashlib.sha256(data).hexdigest()}\n"
        f"licence: MIT\nsource: made by make_odd.py\ninput: image\n{size}labels: five.labels.txt\n{body}"
    )


def constant(name, answers, decoder, body, inputs=(), scale=None):
    """A model that answers the same whatever it sees; `scale` names an output and the input that
    multiplies it."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["none"]),
    ]
    weights = {"zero": np.float32(0)}
    for key, value in answers.items():
        weights[key + "_value"] = np.asarray(value, np.float32)
        to = key if not scale or key != scale[0] else "unscaled"
        nodes.append(helper.make_node("Add", [key + "_value", "none"], [to]))
    if scale:
        nodes += [
            helper.make_node("Cast", [scale[1]], ["sides"], to=TensorProto.FLOAT),
            helper.make_node("Concat", ["sides", "sides"], ["four"], axis=1),
            helper.make_node("Mul", ["unscaled", "four"], [scale[0]]),
        ]
    save(
        name,
        nodes,
        weights,
        [tensor(k, np.shape(v)) for k, v in answers.items()],
        decoder,
        body,
        inputs,
    )


def crowd():
    """2,500 places of four labels each (the fifth is not used): scores from 0.9 to nearly 1,
    centres on a grid of 50 x 50."""
    at = np.arange(2500)
    boxes = np.stack(
        [(at % 50 + 0.5) / 50, (at // 50 + 0.5) / 50, np.full(2500, 0.015), np.full(2500, 0.015)], 1
    )
    share = 0.9 + 0.0999 * ((at * 787) % 2500) / 2500
    logits = np.log(share / (1 - share))[:, None] + np.array([[0, 0, -9, 0, 0]])
    constant(
        "tiny-crowd",
        {"logits": logits[None].astype(np.float16), "boxes": boxes[None].astype(np.float16)},
        "detr",
        "threshold: 0.5\niou: 0.5\n",
    )


crowd()
corners = [
    [0.25, 0.25, 0.5, 0.5],
    [0, 0, 0.5, 1],
    [0.1, 0.1, 0.9, 0.9],
    [0.2, 0.2, 0.8, 0.8],
    [0.3, 0.3, 0.7, 0.7],
]
constant(
    "tiny-final",
    {"labels": [[1, 5, 0, 3, 2]], "boxes": [corners], "scores": [[0.9, 0.8, 0.99, 0.95, 0.2]]},
    "boxes",
    "threshold: 0.5\niou: 1\ndecode: {class_offset: 1}\n",
    [tensor("orig_target_sizes", [1, 2], TensorProto.INT64)],
    ("boxes", "orig_target_sizes"),
)
constant(
    "tiny-shares",
    {"a": [1, 5, 0, 3, 2], "b": corners, "c": [0.9, 0.8, 0.99, 0.95, 0.2]},
    "boxes",
    "threshold: 0.5\niou: 1\ndecode: {class_offset: 1, normalised: 1, boxes: 1, scores: 2, classes: 0}\n",
)
constant(
    "odd-class", {"classes": [7], "boxes": [[1, 1, 9, 9]], "scores": [0.9]}, "boxes", "iou: 1\n"
)
constant(
    "odd-shape", {"classes": [1, 2], "boxes": [[1, 1, 9, 9]], "scores": [0.9]}, "boxes", "iou: 1\n"
)
constant("odd-strides", {"rows": np.zeros((1, 30, 10))}, "yolox", "decode: {strides: [8, 16]}\n")
constant(
    "odd-logits",
    {"logits": np.zeros((1, 3, 5)), "boxes": np.zeros((1, 3, 4))},
    "detr",
    "decode: {softmax: 1}\n",
)
final = {"classes": [1], "boxes": [[1, 1, 9, 9]], "scores": [0.9]}
constant("odd-number", final, "boxes", "decode: {max_boxes: 0.5}\n")
constant("odd-resize", final, "boxes", "resize: shortest\nresize_side: 64\n")
constant("odd-inputs", final, "boxes", "iou: 1\n", [tensor("mask", [1, 64, 96])])
