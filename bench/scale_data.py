"""A dataset of synthetic vectors as `embed` leaves it, for `densefusion cluster`, `dedup` and
`select` at scale: python scale_data.py OUT N DIM PART_ROWS [random]   (needs numpy and duckdb)

Clustered vectors as in kmeans_data.py, with 20,000 subjects; one row in ten is nearly the row
before it. Everything that ingest and filter would have said is there too, so that nothing but the
vectors is made up. docs/SCALE.md.
"""

import json
import os
import sys

import duckdb
import numpy as np

out, n, d, part_rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
for stage in ("ingest", "filter", "embed"):
    os.makedirs(f"{out}/{stage}", exist_ok=True)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


rng = np.random.default_rng(1)
spectrum = ((1 + np.arange(d)) ** -0.35).astype(np.float32)
common = unit(rng.standard_normal(d, dtype=np.float32) * (1 + 6 * (rng.random(d) < 0.01))).astype(
    np.float32
)
topics = unit(rng.standard_normal((200, d), dtype=np.float32) * spectrum[rng.permutation(d)])
subjects = unit(rng.standard_normal((20000, d), dtype=np.float32) * spectrum[rng.permutation(d)])
centre = (
    np.float32(np.sqrt(0.30)) * common
    + np.float32(np.sqrt(0.15)) * topics[rng.integers(0, 200, 20000)]
)
size = rng.lognormal(0, 1, 20000)
size /= size.sum()
tail = spectrum[rng.permutation(d)]


def vectors(part, m):
    own_rng = np.random.default_rng([2, part])
    s = own_rng.choice(20000, m, p=size)
    own = own_rng.uniform(0.18, 0.32, m).astype(np.float32)[:, None]
    noise = unit(own_rng.standard_normal((m, d), dtype=np.float32) * tail)
    x = unit(centre[s] + np.sqrt(own) * subjects[s] + np.sqrt(0.55 - own) * noise)
    copies = np.flatnonzero(own_rng.random(m - 1) < 0.1) + 1
    x[copies] = unit(
        x[copies - 1] + 0.2 * unit(own_rng.standard_normal((len(copies), d), dtype=np.float32))
    )
    return x.astype(np.float16)


db = duckdb.connect()
for part, first in enumerate(range(0, n, part_rows)):
    m = min(part_rows, n - first)
    np.save(f"{out}/embed/part-{part:05d}.npy", vectors(part, m))
    row = f"FROM range({m}) t(i)"
    db.execute(
        f"COPY (SELECT i AS \"row\", NULL::BIGINT AS phash, NULL::VARCHAR AS problem {row}) TO '{out}/embed/part-{part:05d}.parquet'"
    )
    db.execute(
        f"COPY (SELECT i AS \"row\", true AS kept, NULL::VARCHAR AS reason, NULL::VARCHAR AS detail {row}) TO "
        f"'{out}/filter/part-{part:05d}.parquet'"
    )
    db.execute(
        f"COPY (SELECT i AS \"row\", '{part:05d}/' || i || '.jpg' AS path, '.' AS source, NULL::BIGINT AS \"offset\", NULL::BIGINT AS size, "
        f"NULL::VARCHAR AS hash, 'jpeg' AS format, 512 + (i * 7919) % 2048 AS width, 512 + (i * 104729) % 2048 AS height, 1::BIGINT AS orientation, "
        f"NULL::VARCHAR AS alt_text, NULL::VARCHAR AS url, NULL::VARCHAR AS problem, NULL::VARCHAR AS detail {row}) TO "
        f"'{out}/ingest/part-{part:05d}.parquet'"
    )
with open(f"{out}/dataset.json", "w") as file:
    json.dump(
        {
            "version": 1,
            "input": "",
            "stages": {s: {"fingerprint": "synthetic\n"} for s in ("ingest", "filter", "embed")},
        },
        file,
    )
