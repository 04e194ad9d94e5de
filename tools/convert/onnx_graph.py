"""A small builder for ONNX graphs: nodes are added in order, constants are shared by name."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8


class GraphBuilder:
    def __init__(self, name):
        self.name = name
        self.nodes = []
        self.constants = {}
        self.inputs = []
        self.outputs = []

    def input(self, name, shape):
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, value, name, shape):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, name, array):
        array = np.ascontiguousarray(array)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        known = self.constants.setdefault(name, array)
        assert np.array_equal(known, array), f"two different constants named {name}"
        return name

    def add(self, op, inputs, n_outputs=1, **attributes):
        """Adds a node; returns the name of its output, or the list of names when it has several."""
        stem = f"{op.lower()}_{len(self.nodes)}"
        outputs = [f"{stem}_{i}" for i in range(n_outputs)] if n_outputs > 1 else [stem]
        self.nodes.append(helper.make_node(op, inputs, outputs, **attributes))
        return outputs if n_outputs > 1 else outputs[0]

    def clip6(self, value):
        return self.add(
            "Clip",
            [value, self.constant("zero", np.float32(0)), self.constant("six", np.float32(6))],
        )

    def save(self, path):
        """Same inputs, same bytes: the model cards pin the SHA-256 of what this writes."""
        used = {name for node in self.nodes for name in node.input}
        initializers = [
            numpy_helper.from_array(array, name)
            for name, array in self.constants.items()
            if name in used
        ]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, initializers)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model)
        with open(path, "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
