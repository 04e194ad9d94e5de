"""faiss-cpu on what bench_kmeans runs on: python peer_kmeans.py FOLDER [iterations] [threads]

FOLDER as kmeans_data.py writes it. Reading and the conversion to float32 are outside its time,
inside ours. Also one assignment pass alone: a flat index of the centroids, searched for the nearest
of every row."""

import resource
import sys
import time

import faiss
import numpy as np

folder = sys.argv[1]
iterations = int(sys.argv[2]) if len(sys.argv) > 2 else 10
faiss.omp_set_num_threads(int(sys.argv[3]) if len(sys.argv) > 3 else 2)
x = np.load(f"{folder}/vectors.npy").astype(np.float32)
start = np.load(f"{folder}/start.npy")
n, d = x.shape
peer = faiss.Kmeans(
    d,
    len(start),
    niter=iterations,
    spherical=True,
    max_points_per_centroid=n,
    min_points_per_centroid=1,
)
began = time.perf_counter()
peer.train(x, init_centroids=start)
seconds = time.perf_counter() - began
index = faiss.IndexFlatIP(d)
index.add(peer.centroids)
began = time.perf_counter()
index.search(x, 1)
one_pass = time.perf_counter() - began
splits = sum(step["nsplit"] for step in peer.iteration_stats)
print(
    f"faiss {faiss.__version__}: {len(peer.obj)} rounds {seconds:.2f} s, one pass {one_pass:.2f} s, objective {peer.obj[-1] / n:.7f}, "
    f"{splits} splits, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
)
