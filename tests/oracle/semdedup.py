#!/usr/bin/env python3
"""Writes semdedup.bin: random clusters, and what SemDeDup's published rule says of them.

The rule, transcribed to NumPy from facebookresearch/SemDeDup (semdedup.py,
clustering/sort_clusters.py): items are sorted by cosine distance to the centroid, falling ("hard"),
rising ("easy") or shuffled; S is the matrix of all cosines with a zero diagonal; M = max over rows
of triu(S, 1); an item goes when M > 1 - eps. Ours besides: ties in the sort go by index, the
shuffle is by a hash, and the group rule, here as a search through the graph of pairs.

semdedup.bin, little-endian: number of cases, number of eps, eps (float64); per case: n, dim
(int32), exact (int32), vectors
(float16), cosines to the centroid (float64), and per order (hard, easy, shuffled): order (int8), M
(float32), suppressor
(int8, -1: none), kept (int8, bit e: by eps e), per eps: first of the group (int8)."""

import pathlib
import numpy as np

EPS = [0.02, 0.1, 0.3, 0.4, 0.55]
SEED = 7
MASK = (1 << 64) - 1


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def order_of(to_centroid, which):
    items = range(len(to_centroid))
    if which == "hard":
        return sorted(items, key=lambda i: (to_centroid[i], i))
    if which == "easy":
        return sorted(items, key=lambda i: (-to_centroid[i], i))
    return sorted(items, key=lambda i: (mix(mix(SEED) ^ (100 + i)), i))


def published_rule(x):
    s = x @ x.T
    np.fill_diagonal(s, 0)
    upper = np.triu(s, 1)
    return s, upper.max(axis=0)


def groups(s, eps):
    """First member, in the order, of the connected component of each item."""
    n = len(s)
    linked = s > np.float32(1 - eps)
    first = [-1] * n
    for i in range(n):
        if first[i] >= 0:
            continue
        stack = [i]
        first[i] = i
        while stack:
            a = stack.pop()
            for b in range(n):
                if linked[a, b] and first[b] < 0:
                    first[b] = i
                    stack.append(b)
    return first


def exact_vectors(rng, n, d):
    """Unit vectors whose products are exact in any order of summation: 4^k entries of +-2^-k. Many
    are alike."""
    k = int(rng.integers(0, 3))
    while 4**k > d:
        k -= 1
    pool = np.zeros((max(1, n // 2), d))
    for row in pool:
        row[rng.permutation(d)[: 4**k]] = rng.choice([-1, 1], 4**k) * 2.0**-k
    if k and n > 6:  # near copies: one entry turned round
        for i in range(1, len(pool), 3):
            pool[i] = pool[i - 1]
            at = np.flatnonzero(pool[i])[0]
            pool[i, at] = -pool[i, at]
    return pool[rng.integers(0, len(pool), n)]


def blurred_vectors(rng, n, d):
    """Around a few directions, as clusters of images are."""
    middles = rng.normal(size=(max(1, n // 6), d))
    x = middles[rng.integers(0, len(middles), n)] + rng.normal(size=(n, d)) * rng.choice(
        [0.05, 0.3, 0.6]
    )
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def clear_of_thresholds(m, s):
    values = np.concatenate([m, s.ravel()])
    return all(np.abs(values - (1 - eps)).min() > 1e-5 for eps in EPS)


def main():
    rng = np.random.default_rng(2303)
    cases = []
    while len(cases) < 60:
        i = len(cases)
        n, d = int(rng.integers(1, 70)), int(rng.choice([1, 4, 7, 16, 33, 64]))
        exact = i % 2
        x = exact_vectors(rng, n, d) if exact else blurred_vectors(rng, n, d)
        if i in (5, 6):  # all the same
            x = np.repeat(x[:1], n, axis=0)
        half = x.astype("<f2")
        x = half.astype("f4")
        centroid = x.sum(axis=0)
        centroid /= max(np.linalg.norm(centroid), 1e-9)
        to_centroid = np.round((x @ centroid).astype("<f8"), 3)  # rounded: ties
        s, m = published_rule(x)
        if not exact and not clear_of_thresholds(m, s):
            continue
        cases.append((n, d, exact, half, x, to_centroid))
    with open(pathlib.Path(__file__).with_suffix(".bin"), "wb") as out:
        put = lambda values, kind: out.write(np.asarray(values, dtype=kind).tobytes())
        put([len(cases), len(EPS)], "<i4")
        put(EPS, "<f8")
        for n, d, exact, half, x, to_centroid in cases:
            put([n, d, exact], "<i4")
            out.write(half.tobytes())
            put(to_centroid, "<f8")
            for which in ("hard", "easy", "shuffled"):
                order = order_of(to_centroid, which)
                s, m = published_rule(x[order])
                nearest = [int(s[:j, j].argmax()) if j else -1 for j in range(n)]
                put(order, "i1")
                put(m, "<f4")
                put(nearest, "i1")
                put(sum(~(m > np.float32(1 - eps)) * 2**e for e, eps in enumerate(EPS)), "i1")
                for eps in EPS:
                    put(groups(s, eps), "i1")


if __name__ == "__main__":
    main()
