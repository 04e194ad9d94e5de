"""A TensorFlow.js graph model (model.json and its weight files) as nodes and arrays."""

import base64
import json
import os

import numpy as np

WEIGHT_TYPES = {"float32": np.float32, "int32": np.int32, "bool": np.bool_, "float16": np.float16}


class Node:
    def __init__(self, raw):
        self.name = raw["name"]
        self.op = raw["op"]
        self.inputs = [name for name in raw.get("input", []) if not name.startswith("^")]
        self.attributes = raw.get("attr", {})

    def attribute(self, key, default=None):
        """A string, number, boolean, or list of integers or strings; int64s are strings in
        protobuf's JSON."""
        raw = self.attributes.get(key)
        if raw is None:
            return default
        if "list" in raw:
            items = raw["list"]
            return (
                [int(i) for i in items["i"]]
                if "i" in items
                else [_text(s) for s in items.get("s", [])]
            )
        decode = {"s": _text, "i": int, "f": float, "b": bool}
        for kind, function in decode.items():
            if kind in raw:
                return function(raw[kind])
        return default


def _text(value):
    return base64.b64decode(value).decode()


class TfjsModel:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            model = json.load(file)
        self.nodes = {raw["name"]: Node(raw) for raw in model["modelTopology"]["node"]}
        self.weights = {}
        for group in model["weightsManifest"]:
            self._read_group(group, os.path.dirname(path))

    def _read_group(self, group, folder):
        data = b""
        for name in group["paths"]:
            with open(os.path.join(folder, name), "rb") as file:
                data += file.read()
        offset = 0
        for weight in group["weights"]:
            stored = weight.get("quantization", {}).get("dtype", weight["dtype"])
            dtype = np.dtype(WEIGHT_TYPES[stored])
            count = int(np.prod(weight["shape"], dtype=np.int64))
            array = np.frombuffer(data, dtype, count, offset).astype(WEIGHT_TYPES[weight["dtype"]])
            self.weights[weight["name"]] = array.reshape(weight["shape"])
            offset += count * dtype.itemsize

    def node(self, reference):
        """The node of "name" or "name:output"."""
        return self.nodes[reference.split(":")[0]]

    def constant(self, reference):
        """The value of a subgraph of constants, computed; None when it depends on the model's
        input."""
        node = self.node(reference)
        if node.op == "Const":
            return self.weights[node.name]
        fold = {
            "Identity": lambda a: a,
            "Add": np.add,
            "AddV2": np.add,
            "Mul": np.multiply,
            "SparseToDense": _sparse_to_dense,
        }.get(node.op)
        if fold is None:
            return None
        values = [self.constant(name) for name in node.inputs]
        return None if any(value is None for value in values) else fold(*values)


def _sparse_to_dense(indices, shape, values, default):
    dense = np.full(shape, default)
    if indices.size:
        dense[tuple(np.atleast_2d(indices).T)] = values
    return dense
