"""Exact Lloyd iterations in NumPy (float64), and faiss on the same data: python kmeans.py FOLDER
(needs faiss-cpu)

Writes vectors.npy (float16 [500, 32], unit rows in 15 groups), start.npy (float32 [12, 32]) and
expected.csv: after how many rounds, the objective (mean cosine) by NumPy and by faiss, and for each
row its cluster and the gap to the second.
"""

import sys

import faiss
import numpy as np

folder = sys.argv[1]
rng = np.random.default_rng(5)
n, d, k = 500, 32, 12
groups = rng.standard_normal((15, d))
x = groups[rng.integers(0, 15, n)] + 0.9 * rng.standard_normal((n, d)) + 0.8
x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float16)
start = x[rng.choice(n, k, replace=False)].astype(np.float32)
start /= np.linalg.norm(start, axis=1, keepdims=True)
np.save(f"{folder}/vectors.npy", x)
np.save(f"{folder}/start.npy", start)

x = x.astype(np.float64)
with open(f"{folder}/expected.csv", "w") as out:
    for rounds in (1, 3, 10):
        centroids = start.astype(np.float64)
        for _ in range(rounds):
            cosines = x @ centroids.T
            cluster = cosines.argmax(1)
            assert np.bincount(cluster, minlength=k).min() > 0
            before = centroids
            centroids = np.stack([x[cluster == c].sum(0) for c in range(k)])
            centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
            centroids = centroids.astype(np.float32).astype(np.float64)
        best = np.sort(cosines, 1)
        peer = faiss.Kmeans(
            d, k, niter=rounds, spherical=True, min_points_per_centroid=1, max_points_per_centroid=n
        )
        peer.train(x.astype(np.float32), init_centroids=start)
        out.write(f"{rounds},{best[:, -1].mean():.9f},{peer.obj[rounds - 1] / n:.9f}\n")
        for c, gap in zip(cluster, best[:, -1] - best[:, -2]):
            out.write(f"{c},{gap:.3e}\n")
