#!/usr/bin/env python3
"""SemDeDup as its published code does it, in NumPy: S = X X^T, the upper triangle, the largest of
each column. The peer of bench/bench_dedup.c; also the machine's own rate of single-precision matrix
products (OpenBLAS).

    OPENBLAS_NUM_THREADS=2 bench/peer_dedup.py [N] [D] [CLUSTERS]

CSV: what, clusters, n, d, seconds, CPU seconds, gflops (of the matrix product: 2 n n d; of the
rule: n n d, as bench_dedup counts), MiB. The other side: build/bench_dedup N D CLUSTERS 2."""

import resource
import sys
import time

import numpy as np


def timed(what, n, d, clusters, flops, work):
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(clusters):
        work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what},{clusters},{n},{d},{seconds:.3f},{cpu:.3f},{clusters * flops / seconds / 1e9:.1f},{mib:.0f}",
        flush=True,
    )


def main():
    n, d, clusters = (int(v) for v in (sys.argv[1:] + ["10000", "512", "3"][len(sys.argv) - 1 :]))
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, d)).astype("f4")
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    out = np.empty((n, n), "f4")

    def rule():
        s = x @ x.T
        np.fill_diagonal(s, 0)
        np.triu(s, 1).max(axis=0)

    np.matmul(x, x.T, out=out)
    print("what,clusters,n,d,seconds,cpu_seconds,gflops,mib")
    timed("sgemm", n, d, clusters, 2 * n * n * d, lambda: np.matmul(x, x.T.copy(), out=out))
    timed("semdedup", n, d, clusters, n * n * d, rule)


if __name__ == "__main__":
    main()
