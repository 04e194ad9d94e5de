"""Second opinion on df_oklab_from_srgb: the published OKLab matrices in NumPy float64. Prints
oklab.csv (r,g,b,L,a,b)."""

import numpy as np

M1 = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
M2 = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

rng = np.random.default_rng(7)
corners = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)])
rgb = np.vstack([corners, rng.integers(0, 256, (192, 3)), rng.integers(0, 12, (24, 3))])
v = rgb / 255.0
linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
lab = np.cbrt(linear @ M1.T) @ M2.T
for (r, g, b), (l, a, bb) in zip(rgb, lab):
    print(f"{r},{g},{b},{l:.9f},{a:.9f},{bb:.9f}")
