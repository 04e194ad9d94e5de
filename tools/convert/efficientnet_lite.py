"""EfficientNet-Lite (Tan & Le 2019, without squeeze-and-excite, ReLU6 for swish) from a checkpoint
to ONNX.

Batch normalisation is folded into the convolutions. Two outputs: class probabilities and the pooled
embedding.
"""

import collections

import numpy as np

from onnx_graph import GraphBuilder

BN_EPSILON = 1e-3
Stage = collections.namedtuple("Stage", "repeats stride expands")

# Depth factor 1.2; the first and the last stage are never deepened.
LITE2_STAGES = (
    Stage(1, 1, False),
    Stage(3, 2, True),
    Stage(3, 2, True),
    Stage(4, 2, True),
    Stage(4, 1, True),
    Stage(5, 2, True),
    Stage(1, 1, True),
)
LITE2_SIDE = 260


class _Network:
    def __init__(self, weights):
        self.weights = weights
        self.graph = GraphBuilder("efficientnet-lite2")

    def conv(self, x, name, norm, stride=1, relu6=True):
        kernel = self.weights[name + ".weight"].astype(np.float64)
        scale, shift = fold_norm(self.weights, norm)
        depthwise = kernel.shape[1] == 1
        side = kernel.shape[2]
        x = self.graph.add(
            "Conv",
            [
                x,
                self.graph.constant(name + ".weight", kernel * scale[:, None, None, None]),
                self.graph.constant(name + ".bias", shift),
            ],
            kernel_shape=[side, side],
            strides=[stride, stride],
            auto_pad="SAME_UPPER",
            group=kernel.shape[0] if depthwise else 1,
        )
        return self.graph.clip6(x) if relu6 else x

    def block(self, x, name, stride, expands):
        y = x
        if expands:
            y = self.conv(y, name + "._expand_conv", name + "._bn0")
        y = self.conv(y, name + "._depthwise_conv", name + "._bn1", stride)
        return self.conv(y, name + "._project_conv", name + "._bn2", relu6=False)


def fold_norm(weights, norm):
    """Batch normalisation as x * scale + shift."""
    parameter = {
        key: weights[f"{norm}.{key}"].astype(np.float64)
        for key in ("weight", "bias", "running_mean", "running_var")
    }
    scale = parameter["weight"] / np.sqrt(parameter["running_var"] + BN_EPSILON)
    return scale, parameter["bias"] - parameter["running_mean"] * scale


def convert(weights, path):
    net = _Network(weights)
    graph = net.graph
    x = graph.input("image", ["n", 3, LITE2_SIDE, LITE2_SIDE])
    x = net.conv(x, "_conv_stem", "_bn0", stride=2)
    index = 0
    for stage in LITE2_STAGES:
        for repeat in range(stage.repeats):
            y = net.block(x, f"_blocks.{index}", stage.stride if repeat == 0 else 1, stage.expands)
            x = graph.add("Add", [y, x]) if repeat > 0 else y
            index += 1
    x = net.conv(x, "_conv_head", "_bn1")
    x = graph.add("Flatten", [graph.add("GlobalAveragePool", [x])], axis=1)
    logits = graph.add(
        "Gemm",
        [
            x,
            graph.constant("_fc.weight", weights["_fc.weight"]),
            graph.constant("_fc.bias", weights["_fc.bias"]),
        ],
        transB=1,
    )
    n_classes, width = weights["_fc.weight"].shape
    graph.output(graph.add("Softmax", [logits], axis=1), "probabilities", ["n", n_classes])
    graph.output(x, "embedding", ["n", width])
    graph.save(path)
