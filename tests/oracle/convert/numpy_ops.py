"""Convolution, pooling and resizing in plain NumPy on NHWC arrays, as TensorFlow defines them."""

import numpy as np


def same_padding(size, kernel, stride):
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def windows(x, kernel, strides, padding, fill=0.0):
    """[n, rows, columns, channels, kernel height, kernel width]"""
    if padding == "SAME":
        rows, columns = (same_padding(x.shape[i + 1], kernel[i], strides[i]) for i in (0, 1))
        x = np.pad(x, ((0, 0), rows, columns, (0, 0)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    return view[:, :: strides[0], :: strides[1]]


def conv(x, kernel, strides, padding):
    """kernel: [height, width, in, out]"""
    view = windows(x, kernel.shape[:2], strides, padding)
    n, rows, columns = view.shape[:3]
    flat = view.transpose(0, 1, 2, 4, 5, 3).reshape(n * rows * columns, -1)
    return (flat @ kernel.reshape(-1, kernel.shape[3])).reshape(n, rows, columns, -1)


def depthwise(x, kernel, strides, padding):
    """kernel: [height, width, in, 1]"""
    view = windows(x, kernel.shape[:2], strides, padding)
    return np.einsum("nrcdhw,hwd->nrcd", view, kernel[..., 0], optimize=True)


def max_pool(x, kernel, strides, padding):
    return windows(x, kernel, strides, padding, fill=-np.inf).max(axis=(4, 5))


def resize_bilinear(x, size, half_pixel):
    for axis, n in ((1, int(size[0])), (2, int(size[1]))):
        scale = x.shape[axis] / n
        at = (
            np.arange(n) * scale
            if not half_pixel
            else np.maximum((np.arange(n) + 0.5) * scale - 0.5, 0)
        )
        low = np.minimum(at.astype(int), x.shape[axis] - 1)
        high = np.minimum(low + 1, x.shape[axis] - 1)
        weight = (at - low).reshape([-1 if i == axis else 1 for i in range(4)])
        x = np.take(x, low, axis) * (1 - weight) + np.take(x, high, axis) * weight
    return x
