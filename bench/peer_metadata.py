"""What `densefusion metadata` does, as people script it: peer_metadata.py {make|pandas|duckdb}
LIST.parquet [OUT.parquet]

make writes the list: 5,000,000 rows as LAION has them, a tenth with a URL that came before. pandas
and duckdb keep the rows with a short edge of 448 pixels, an aspect of 4 and punsafe < 0.5, drop
repeated URLs and print rows, seconds and peak memory.
"""

import resource
import sys
import time

ROWS = 5_000_000
MAKE = f"""COPY (SELECT 'https://example' || (hash(u) % 50000) || '.com/images/' || u || '.jpg' AS URL,
  'A photograph of thing number ' || (hash(i + 1) % 100000) || ' taken in ' || (1950 + i % 70) AS TEXT,
  CASE WHEN i % 97 = 0 THEN NULL ELSE (100 + hash(i * 3) % 1900)::INT END AS WIDTH, (100 + hash(i * 7) % 1500)::INT AS HEIGHT,
  ((hash(i * 11) % 10000) / 10000.0)::FLOAT AS similarity, ((hash(i * 13) % 10000) / 10000.0)::FLOAT AS pwatermark,
  ((hash(i * 17) % 10000) / 10000.0)::FLOAT AS punsafe
  FROM (SELECT i, CASE WHEN i % 10 = 9 THEN i - 1 - (hash(i) % 1000)::BIGINT ELSE i END AS u FROM range({ROWS}) r(i)))
  TO '%s' (FORMAT parquet, COMPRESSION snappy)"""
KEEP = """COPY (SELECT * FROM '%s' WHERE URL <> '' AND WIDTH + HEIGHT IS NOT NULL AND least(WIDTH, HEIGHT) >= 448 AND greatest(WIDTH, HEIGHT) <= 4 * least(WIDTH, HEIGHT)
  AND punsafe < 0.5 QUALIFY row_number() OVER (PARTITION BY URL) = 1) TO '%s' (FORMAT parquet, COMPRESSION zstd)"""


def with_pandas(source, out):
    import pandas

    t = pandas.read_parquet(source)
    sides = t[["WIDTH", "HEIGHT"]]
    short, long = sides.min(axis=1, skipna=False), sides.max(axis=1, skipna=False)
    t = t[(t.URL != "") & (short >= 448) & (long <= 4 * short) & (t.punsafe < 0.5)].drop_duplicates(
        "URL"
    )
    t.to_parquet(out, compression="zstd")
    return len(t)


def with_duckdb(source, out):
    import duckdb

    return duckdb.connect(config={"threads": 2}).execute(KEEP % (source, out)).fetchone()[0]


def main():
    what, source, *out = sys.argv[1:]
    if what == "make":
        import duckdb

        duckdb.connect(config={"threads": 2}).execute(MAKE % source)
        return
    start = time.monotonic()
    n = {"pandas": with_pandas, "duckdb": with_duckdb}[what](source, *out)
    print(
        f"{what}: {n} rows kept, {time.monotonic() - start:.2f} s, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


main()
