"""Tiny ONNX models, their cards, and what a plain NumPy reading of the same definitions expects of
them.

    python3 tests/oracle/vision/make_vision.py        (needs numpy and onnx; writes beside itself,
    same bytes each time)

test_preprocess, test_card, test_onnx and test_experts read the results. Nothing here follows the C
code's way: resizing is two dense matrices, suppression works on the whole overlap matrix.
"""

import hashlib
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)


def save(name, nodes, weights, inputs, outputs, **metadata):
    graph = helper.make_graph(
        nodes, name, inputs, outputs, [numpy_helper.from_array(v, k) for k, v in weights.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {"purpose": "a test", **metadata})
    onnx.checker.check_model(model)
    data = model.SerializeToString(deterministic=True)
    (HERE / f"{name}.onnx").write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def card(name, task, decoder, sha256, body):
    (HERE / f"{name}.yaml").write_text(
        f"name: {name}\ntask: {task}\ndecoder: {decoder}\nfile: {name}.onnx\nsha256: {sha256}\n"
        f"licence: MIT\nsource: made by make_vision.py\n{body}"
    )


def tensor(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant_model(name, input_shape, outputs, **metadata):
    """A model that answers `outputs` whatever it sees."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    weights = {"zero": np.float32(0)}
    for key, value in outputs.items():
        weights[key + "_value"] = value
        nodes.append(helper.make_node("Add", [key + "_value", "nothing"], [key]))
    return save(
        name,
        nodes,
        weights,
        [tensor("image", input_shape)],
        [tensor(k, v.shape) for k, v in outputs.items()],
        **metadata,
    )


# --- a picture, the same as in test_vision.h
# --------------------------------------------------------------------


def picture(width, height):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((x * 7 + y * 13 + c * 50 + (x * y) % 31) % 256).astype(np.float64)


def resize_matrix(n_in, n_out):
    scale = n_in / n_out
    support = max(scale, 1.0)
    centre = (np.arange(n_out)[:, None] + 0.5) * scale
    weights = np.maximum(0, 1 - np.abs(np.arange(n_in)[None, :] + 0.5 - centre) / support)
    return weights / weights.sum(1, keepdims=True)


def resize(image, width, height):
    rows = np.einsum("oy,yxc->oxc", resize_matrix(image.shape[0], height), image)
    return np.einsum("ox,yxc->yoc", resize_matrix(image.shape[1], width), rows)


def preprocess_cases():
    image = picture(23, 17)
    stretched = resize(image, 8, 6)  # rgb, nchw
    want = (stretched - [10, 20, 30]) / [2, 4, 8]
    want.transpose(2, 0, 1).astype("<f4").tofile(HERE / "stretch.f32")

    w, h = 23 * 12 // 17, 12  # crop: short edge to 12, centre 10 x 8
    x0, y0 = (w - 10) // 2, (h - 8) // 2
    cropped = resize(image, w, h)[y0 : y0 + 8, x0 : x0 + 10, ::-1]  # bgr, nhwc
    ((cropped - 127) / 128).astype("<f4").tofile(HERE / "crop.f32")

    fitted = np.zeros((20, 20, 3))  # fit: 23 x 17 into 20 x 20 is 20 x 15
    fitted[:15] = (resize(image, 20, 15) - 100) / 50
    fitted.transpose(2, 0, 1).astype("<f4").tofile(HERE / "fit.f32")


# --- detectors



def suppress(boxes, iou):
    """boxes: rows of score, label, x0, y0, x1, y1. Kept rows by falling score."""
    boxes = boxes[np.argsort(-boxes[:, 0], kind="stable")]
    x0, y0, x1, y1 = boxes[:, 2:].T
    area = (x1 - x0) * (y1 - y0)
    both = np.clip(np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0), 0, None) * np.clip(
        np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0), 0, None
    )
    rivals = (both / (area[:, None] + area[None, :] - both) > iou) & (
        boxes[:, 1][:, None] == boxes[:, 1][None, :]
    )
    keep = np.ones(len(boxes), bool)
    for i in range(len(boxes)):
        if keep[i]:
            keep[i + 1 :] &= ~rivals[i, i + 1 :]
    return boxes[keep]


def write_boxes(name, boxes, labels, scale_x, scale_y, width, height):
    with open(HERE / f"{name}.boxes", "w") as out:
        for score, label, x0, y0, x1, y1 in boxes:
            x = np.clip([x0 * scale_x, x1 * scale_x], 0, width)
            y = np.clip([y0 * scale_y, y1 * scale_y], 0, height)
            if labels[int(label)] and x[1] - x[0] >= 1 and y[1] - y[0] >= 1:
                out.write(
                    f"{labels[int(label)]} {score:.6f} {x[0]:.4f} {y[0]:.4f} {x[1]:.4f} {y[1]:.4f}\n"
                )


def nanodet():
    labels, strides, bins, side = ["cat", "", "dog"], [8, 16], 5, 64
    outputs, found = {}, []
    for s in strides:
        n = (side // s) ** 2
        outputs[f"scores{s}"] = rng.random((1, n, 3)).astype(np.float32)
    for s in strides:
        n = (side // s) ** 2
        outputs[f"sides{s}"] = rng.normal(0, 2, (1, n, 4 * bins)).astype(np.float32)
        cell = np.arange(n)
        centre = np.stack([(cell % (side // s) + 0.5) * s, (cell // (side // s) + 0.5) * s], 1)
        p = np.exp(outputs[f"sides{s}"][0].reshape(n, 4, bins).astype(np.float64))
        reach = (p / p.sum(2, keepdims=True)) @ np.arange(bins) * s
        scores = outputs[f"scores{s}"][0].astype(np.float64)
        found.append(
            np.column_stack(
                [scores.max(1), scores.argmax(1), centre - reach[:, :2], centre + reach[:, 2:]]
            )
        )
    found = np.concatenate(found)
    boxes = suppress(found[found[:, 0] >= 0.6], 0.3)
    write_boxes("tiny-nanodet", boxes[:100], labels, 200 / side, 100 / side, 200, 100)
    (HERE / "three.labels.txt").write_text("cat\nmonster\t\npoodle\tdog\n")
    sha = constant_model("tiny-nanodet", [1, 3, side, side], outputs)
    card(
        "tiny-nanodet",
        "detect",
        "nanodet",
        sha,
        "input: image\nwidth: 64\nheight: 64\nlabels: three.labels.txt\nthreshold: 0.6\niou: 0.3\n"
        "decode:\n  strides: [8, 16]\n  bins: 5\n",
    )


def centernet():
    labels, side, n = ["cat", "", "dog"], 64, 16
    scores = (rng.random((n, n, 3)) * 0.9).astype(np.float32)
    sides = rng.uniform(1, 12, (n, n, 4)).astype(np.float32)
    padded = np.pad(scores, ((1, 1), (1, 1), (0, 0)), constant_values=-1)
    highest = np.max([padded[v : v + n, u : u + n] for v in range(3) for u in range(3)], axis=0)
    y, x, label = np.nonzero((scores == highest) & (scores >= 0.5))
    reach = sides[y, x].astype(np.float64)
    centre = np.stack([x * 4.0, y * 4.0], 1)
    found = np.column_stack(
        [scores[y, x, label], label, centre - reach[:, :2], centre + reach[:, 2:]]
    )
    write_boxes(
        "tiny-centernet", suppress(found, 0.3)[:100], labels, 200 / side, 100 / side, 200, 100
    )
    sha = constant_model("tiny-centernet", [1, side, side, 3], {"scores": scores, "sides": sides})
    card(
        "tiny-centernet",
        "detect",
        "centernet",
        sha,
        "layout: nhwc\nwidth: 64\nheight: 64\nlabels: three.labels.txt\nthreshold: 0.5\niou: 0.3\n",
    )


def spots():
    """A detector with a known answer: a cell of 4 x 4 pixels that is red throughout is the middle
    of a cat of 3 x 3 cells. A picture with a blue pixel has no answer."""
    nodes = [
        helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Split", ["planes", "ones"], ["red", "green", "blue"], axis=1),
        helper.make_node("Neg", ["red"], ["dark"]),
        helper.make_node("MaxPool", ["dark"], ["darkest"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Mul", ["darkest", "weights"], ["each"]),  # a column per label
        helper.make_node("ReduceMax", ["blue"], ["bluest"], keepdims=1),
        helper.make_node("Sub", ["limit", "bluest"], ["room"]),
        helper.make_node("Sqrt", ["room"], ["root"]),
        helper.make_node("Mul", ["root", "zero"], ["nothing"]),
        helper.make_node("Add", ["each", "nothing"], ["sum"]),
        helper.make_node("Transpose", ["sum"], ["scores"], perm=[0, 2, 3, 1]),
        helper.make_node("Add", ["sides_value", "nothing"], ["sides"]),
    ]
    sides = np.tile(np.array([4, 4, 8, 8], np.float32), (1, 16, 16, 1))
    weights = {
        "ones": np.array([1, 1, 1], np.int64),
        "weights": np.array([-1 / 255, 0, 0], np.float32).reshape(1, 3, 1, 1),
        "limit": np.float32(250),
        "zero": np.float32(0),
        "sides_value": sides,
    }
    sha = save(
        "tiny-spots",
        nodes,
        weights,
        [tensor("image", [1, 64, 64, 3])],
        [tensor("scores", [1, 16, 16, 3]), tensor("sides", [1, 16, 16, 4])],
    )
    card(
        "tiny-spots",
        "detect",
        "centernet",
        sha,
        "layout: nhwc\nwidth: 64\nheight: 64\nlabels: three.labels.txt\nthreshold: 0.95\niou: 0.3\n",
    )


# --- classifiers
# -------------------------------------------------------------------------------------------------


def classes():
    weight = rng.normal(0, 1, (3, 5)).astype(np.float32)
    sha = save(
        "tiny-classes",
        [
            helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("Gemm", ["flat", "w"], ["logits"]),
        ],
        {"w": weight},
        [tensor("image", ["n", 3, 8, 8])],
        [tensor("logits", ["n", 5])],
    )
    (HERE / "five.labels.txt").write_text(
        "pug\tdog\nbeagle\tdog\ntable\nspider web\t\npoodle\tdog\n"
    )
    body = (
        "input: image\nwidth: 8\nheight: 8\nmean: [100, 100, 100]\nstd: [50, 50, 50]\n"
        "labels: five.labels.txt\nthreshold: 0.01\n"
    )
    card("tiny-classes", "tag", "classes", sha, body + "decode: {softmax: 1}\n")
    card("tiny-logits", "tag", "classes", sha, body)  # forgot the softmax
    text = (HERE / "tiny-logits.yaml").read_text().replace("tiny-logits.onnx", "tiny-classes.onnx")
    (HERE / "tiny-logits.yaml").write_text(text)
    z = ((np.array([100.0, 150.0, 120.0]) - 100) / 50) @ weight.astype(np.float64)
    p = np.exp(z) / np.exp(z).sum()
    tags = sorted([("dog", p[0] + p[1] + p[4]), ("table", p[2])], key=lambda t: -t[1])
    (HERE / "tiny-classes.tags").write_text("".join(f"{n} {v:.6f}\n" for n, v in tags))


def odd_ones():
    sha = constant_model(
        "tiny-nan", [1, 3, 8, 8], {"p": np.array([[0.1, np.nan, 0.2]], np.float32)}
    )
    card("tiny-nan", "tag", "classes", sha, "width: 8\nheight: 8\nlabels: three.labels.txt\n")
    sha = constant_model("tiny-four", [1, 3, 8, 8], {"p": np.full((1, 4), 0.25, np.float32)})
    card("tiny-four", "tag", "classes", sha, "width: 8\nheight: 8\nlabels: three.labels.txt\n")
    sha = constant_model(
        "tiny-inf", [1, 3, 8, 8], {"p": np.array([[0.1, np.inf, 0.2]], np.float32)}
    )
    card("tiny-inf", "tag", "classes", sha, "width: 8\nheight: 8\nlabels: three.labels.txt\n")
    card(
        "tiny-inf-safety",
        "safety",
        "classes",
        sha,
        "width: 8\nheight: 8\nlabels: three.labels.txt\n",
    )
    text = (
        (HERE / "tiny-inf-safety.yaml").read_text().replace("tiny-inf-safety.onnx", "tiny-inf.onnx")
    )
    (HERE / "tiny-inf-safety.yaml").write_text(text)
    sha = save(
        "tiny-text-nan",
        [
            helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1),
            helper.make_node("Mul", ["grey", "nan"], ["map"]),
        ],
        {"nan": np.float32(np.nan)},
        [tensor("image", [1, 3, "h", "w"])],
        [tensor("map", [1, 1, "h", "w"])],
    )
    card("tiny-text-nan", "text-detect", "text", sha, "decode: {limit_side: 32, max_side: 64}\n")
    sha = constant_model(
        "tiny-text-rec", [1, 3, 48, "w"], {"p": np.zeros((1, 1, 4), np.float32)}, character="a\nb"
    )
    card("tiny-text-rec", "text-recognise", "text", sha, "height: 48\n")
    (HERE / "safety.labels.txt").write_text("safe\nunsafe\n")
    sha = constant_model("tiny-unsafe", [1, 3, 8, 8], {"p": np.array([[0.25, 0.75]], np.float32)})
    card(
        "tiny-unsafe",
        "safety",
        "classes",
        sha,
        "width: 8\nheight: 8\nlabels: safety.labels.txt\nthreshold: 0\n",
    )
    save(
        "tiny-free",
        [
            helper.make_node("ReduceSum", ["image"], ["sum"], keepdims=0),
            helper.make_node("Shape", ["image"], ["shape"]),
        ],
        {},
        [tensor("image", [1, 3, "h", "w"])],
        [tensor("sum", []), tensor("shape", [4], TensorProto.INT64)],
    )


preprocess_cases()
nanodet()
centernet()
spots()
classes()
odd_ones()
