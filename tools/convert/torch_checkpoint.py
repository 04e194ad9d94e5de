"""Reads a PyTorch checkpoint of the legacy kind (three pickles, the state, the storages) with NumPy
alone.

Only tensors are rebuilt; any other class in the pickle is refused, so a foreign file cannot run
code.
"""

import collections
import pickle
import struct

import numpy as np

STORAGE_TYPES = {"FloatStorage": np.float32, "HalfStorage": np.float16, "LongStorage": np.int64}
Tensor = collections.namedtuple("Tensor", "storage offset shape strides")


class _NoClasses(pickle.Unpickler):
    """For the parts that hold only numbers, strings, lists and dictionaries."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"unexpected {module}.{name} in a checkpoint")


class _StateUnpickler(pickle.Unpickler):
    def __init__(self, file):
        super().__init__(file)
        self.types = {}

    def find_class(self, module, name):
        if module == "torch" and name in STORAGE_TYPES:
            return name
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: Tensor(
                storage, offset, shape, strides
            )
        raise pickle.UnpicklingError(f"unexpected {module}.{name} in a checkpoint")

    def persistent_load(self, pid):
        _, storage_type, key = pid[:3]
        self.types[key] = STORAGE_TYPES[storage_type]
        return key


def read_checkpoint(path):
    """Returns a dictionary of parameter name -> array."""
    with open(path, "rb") as file:
        for _ in ("magic", "protocol", "system"):
            _NoClasses(file).load()
        unpickler = _StateUnpickler(file)
        state = unpickler.load()
        storages = {}
        for key in _NoClasses(file).load():
            (count,) = struct.unpack("<q", file.read(8))
            dtype = np.dtype(unpickler.types[key])
            storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return {name: _as_array(tensor, storages[tensor.storage]) for name, tensor in state.items()}


def _as_array(tensor, storage):
    # Strides matter: these tensors were saved non-contiguous, in the order of the framework they
    # came from.
    strides = [stride * storage.itemsize for stride in tensor.strides]
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides))
    if last >= storage.size:
        raise ValueError("a tensor reaches beyond its storage")
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides).copy()
