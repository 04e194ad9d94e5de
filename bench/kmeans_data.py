"""Synthetic embeddings for bench_kmeans and peer_kmeans.py: python kmeans_data.py FOLDER N D K
[noise]

Like the embeddings of a vision encoder: a common direction (0.30 of the energy), 200 topics (0.15),
3,000 subjects
(0.18 to 0.32) with log-normal sizes, and noise of each picture's own (the rest), all with decaying
spectra. `noise`: isotropic noise, the worst case of any bound. Writes vectors.npy (float16 [N, D],
unit rows) and start.npy (float32 [K, D]: rows drawn at random)."""

import sys

import numpy as np

folder, n, d, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
noise = len(sys.argv) > 5 and sys.argv[5] == "noise"
rng = np.random.default_rng(1)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


spectrum = (1 + np.arange(d)) ** -0.35
common = unit(rng.standard_normal(d) * (1 + 6 * (rng.random(d) < 0.01)))
topics = unit(rng.standard_normal((200, d)) * spectrum[rng.permutation(d)])
subjects = unit(rng.standard_normal((3000, d)) * spectrum[rng.permutation(d)])
size = rng.lognormal(0, 1, 3000)
size /= size.sum()
topic_of = rng.integers(0, 200, 3000)
tail = spectrum[rng.permutation(d)]
out = np.lib.format.open_memmap(f"{folder}/vectors.npy", "w+", np.float16, (n, d))
for first in range(0, n, 50000):
    m = min(50000, n - first)
    if noise:
        x = rng.standard_normal((m, d), dtype=np.float32)
    else:
        s = rng.choice(3000, m, p=size)
        own = rng.uniform(0.18, 0.32, m)[:, None]
        x = (
            np.sqrt(0.30) * common
            + np.sqrt(0.15) * topics[topic_of[s]]
            + np.sqrt(own) * subjects[s]
            + np.sqrt(0.55 - own) * unit(rng.standard_normal((m, d)) * tail)
        )
    out[first : first + m] = unit(x)
start = np.sort(rng.choice(n, k, replace=False))
np.save(f"{folder}/start.npy", unit(out[start].astype(np.float32)))
