"""Turns a TensorFlow.js graph model into ONNX: the operations that NanoDet and CenterNet use.

Convolutions, pooling and resizing work on NHWC tensors there and on NCHW ones in ONNX. Each is
wrapped in a pair of transpositions; ONNX Runtime removes the pairs that meet.
"""

import numpy as np

from onnx_graph import GraphBuilder

TO_NCHW, TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


class Converter:
    def __init__(self, model, name):
        self.model = model
        self.graph = GraphBuilder(name)
        self.values = {}  # node name -> ONNX value, or list of them
        self.input_name = None

    def convert(self, input_name, input_shape, outputs, path):
        """outputs: (node of the model, name in the ONNX file, shape)."""
        self.input_name = self.graph.input(input_name, input_shape)
        for reference, name, shape in outputs:
            self.graph.output(self.value(reference), name, shape)
        self.graph.save(path)

    def value(self, reference):
        name, _, index = reference.partition(":")
        if name not in self.values:
            self._evaluate(name)
        value = self.values[name]
        return value[int(index or 0)] if isinstance(value, list) else value

    def _evaluate(self, start):
        """Depth first with a stack of its own: the graphs are deeper than Python's recursion
        likes."""
        stack = [start]
        while stack:
            node = self.model.nodes[stack[-1]]
            waiting = (
                []
                if self._is_constant(node)
                else [
                    name
                    for name in (i.split(":")[0] for i in node.inputs)
                    if name not in self.values
                ]
            )
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            if node.name not in self.values:
                self.values[node.name] = self._translate(node)

    def _is_constant(self, node):
        return self.model.constant(node.name) is not None

    def _translate(self, node):
        if node.op == "Placeholder":
            return self.input_name
        if self._is_constant(node):
            return self.graph.constant(node.name, _onnx_numbers(self.model.constant(node.name)))
        method = getattr(self, "_op_" + node.op.lstrip("_"), None)
        if method is None:
            raise ValueError(f"operation {node.op} of {node.name} has no translation")
        return method(node)

    def _arguments(self, node):
        return [self.value(reference) for reference in node.inputs]

    def _parameter(self, node, index):
        return self.model.constant(node.inputs[index])

    def _in_nchw(self, x, function):
        y = function(self.graph.add("Transpose", [x], perm=TO_NCHW))
        return self.graph.add("Transpose", [y], perm=TO_NHWC)

    # --- operations with weights
    # -------------------------------------------------------------------------------

    def _op_Conv2D(self, node):
        kernel = self._parameter(node, 1)  # [h, w, in, out]
        return self._conv(node, kernel.transpose(3, 2, 0, 1), group=1)

    def _op_DepthwiseConv2dNative(self, node):
        kernel = self._parameter(node, 1)  # [h, w, in, multiplier]
        height, width, channels, multiplier = kernel.shape
        kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
        return self._conv(node, kernel, group=channels)

    _op_FusedConv2D = _op_Conv2D
    _op_FusedDepthwiseConv2dNative = _op_DepthwiseConv2dNative

    def _conv(self, node, kernel, group):
        fused = node.attribute("fused_ops", [])
        unknown = set(fused) - {"BiasAdd", "Relu", "Relu6"}
        if unknown:
            raise ValueError(f"{node.name}: fused {sorted(unknown)} has no translation")
        weights = [self.graph.constant(node.name + "/kernel", kernel)]
        if "BiasAdd" in fused:
            weights.append(
                self.graph.constant(node.name + "/bias", self._parameter(node, 2).reshape(-1))
            )

        def convolve(x):
            y = self.graph.add(
                "Conv",
                [x] + weights,
                kernel_shape=list(kernel.shape[2:]),
                group=group,
                strides=node.attribute("strides")[1:3],
                auto_pad=_padding(node),
            )
            if "Relu6" in fused:
                return self.graph.clip6(y)
            return self.graph.add("Relu", [y]) if "Relu" in fused else y

        return self._in_nchw(self.value(node.inputs[0]), convolve)

    # --- operations on a window
    # ---------------------------------------------------------------------------------

    def _op_MaxPool(self, node):
        def pool(x):
            return self.graph.add(
                "MaxPool",
                [x],
                kernel_shape=node.attribute("ksize")[1:3],
                strides=node.attribute("strides")[1:3],
                auto_pad=_padding(node),
            )

        return self._in_nchw(self.value(node.inputs[0]), pool)

    def _op_ResizeBilinear(self, node):
        size = self.graph.constant(
            node.name + "/size", np.asarray(self._parameter(node, 1), np.int64)
        )
        first = self.graph.constant("first", np.array([0], np.int64))
        third = self.graph.constant("third", np.array([2], np.int64))
        rule = "half_pixel" if node.attribute("half_pixel_centers", False) else "asymmetric"

        def resize(x):
            batch_channels = self.graph.add("Slice", [self.graph.add("Shape", [x]), first, third])
            shape = self.graph.add("Concat", [batch_channels, size], axis=0)
            return self.graph.add(
                "Resize", [x, "", "", shape], mode="linear", coordinate_transformation_mode=rule
            )

        return self._in_nchw(self.value(node.inputs[0]), resize)

    def _op_Pad(self, node):
        pads = np.asarray(self._parameter(node, 1), np.int64).T.reshape(
            -1
        )  # all befores, then all afters
        inputs = [self.value(node.inputs[0]), self.graph.constant(node.name + "/pads", pads)]
        if len(node.inputs) > 2:
            inputs.append(
                self.graph.constant(node.name + "/fill", np.float32(self._parameter(node, 2)))
            )
        return self.graph.add("Pad", inputs)

    _op_PadV2 = _op_Pad

    # --- plain operations
    # ---------------------------------------------------------------------------------------

    def _op_Add(self, node):
        return self.graph.add("Add", self._arguments(node))

    _op_AddV2 = _op_Add

    def _op_Mul(self, node):
        return self.graph.add("Mul", self._arguments(node))

    def _op_Identity(self, node):
        return self.value(node.inputs[0])

    def _op_Relu(self, node):
        return self.graph.add("Relu", self._arguments(node))

    def _op_Relu6(self, node):
        return self.graph.clip6(self.value(node.inputs[0]))

    def _op_Sigmoid(self, node):
        return self.graph.add("Sigmoid", self._arguments(node))

    def _op_LeakyRelu(self, node):
        return self.graph.add(
            "LeakyRelu", self._arguments(node), alpha=node.attribute("alpha", 0.2)
        )

    def _op_Mean(self, node):
        axes = [int(axis) for axis in self._parameter(node, 1).reshape(-1)]
        return self.graph.add(
            "ReduceMean",
            [self.value(node.inputs[0])],
            axes=axes,
            keepdims=int(node.attribute("keep_dims", False)),
        )

    def _op_ConcatV2(self, node):
        values = [self.value(reference) for reference in node.inputs[:-1]]
        return self.graph.add("Concat", values, axis=int(self._parameter(node, -1)))

    def _op_SplitV(self, node):
        sizes = np.asarray(self._parameter(node, 1), np.int64)
        inputs = [self.value(node.inputs[0]), self.graph.constant(node.name + "/sizes", sizes)]
        return self.graph.add(
            "Split", inputs, n_outputs=len(sizes), axis=int(self._parameter(node, 2))
        )

    def _op_Transpose(self, node):
        return self.graph.add(
            "Transpose",
            [self.value(node.inputs[0])],
            perm=[int(axis) for axis in self._parameter(node, 1)],
        )

    def _op_Reshape(self, node):
        shape = np.asarray(self._parameter(node, 1), np.int64)
        return self.graph.add(
            "Reshape",
            [self.value(node.inputs[0]), self.graph.constant(node.name + "/shape", shape)],
        )


def _padding(node):
    return {"SAME": "SAME_UPPER", "VALID": "VALID"}[node.attribute("padding")]


def _onnx_numbers(array):
    return array.astype(np.int64) if array.dtype == np.int32 else array
