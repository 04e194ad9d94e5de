"""Reads what people wrote of the pictures, and what a dataset says of them. Parquet by DuckDB's own
library, no package needed."""

import csv
import ctypes
import json
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def truth(folder=ROOT / 'tests/truth', fold='all'):
    """image name -> its line, of every *.jsonl of the folder."""
    lines = [
        json.loads(line)
        for file in sorted(Path(folder).glob('*.jsonl'))
        for line in file.read_text(encoding='utf-8').splitlines()
    ]
    return {r['image']: r for r in lines if fold in ('all', r['fold'])}


class Duck:
    """A DuckDB in memory; rows of a query as dictionaries of text."""

    def __init__(self):
        self.lib = ctypes.CDLL(
            os.environ.get('DUCKDB_LIBRARY', str(ROOT / '.deps/lib/libduckdb.so'))
        )
        self.lib.duckdb_result_error.restype = ctypes.c_char_p
        self.db, self.con = ctypes.c_void_p(), ctypes.c_void_p()
        if self.lib.duckdb_open(None, ctypes.byref(self.db)) or self.lib.duckdb_connect(
            self.db, ctypes.byref(self.con)
        ):
            raise RuntimeError('no DuckDB')

    def run(self, sql):
        result = ctypes.create_string_buffer(256)
        failed = self.lib.duckdb_query(self.con, sql.encode(), result)
        words = (self.lib.duckdb_result_error(result) or b'').decode() if failed else ''
        self.lib.duckdb_destroy_result(result)
        if failed:
            raise RuntimeError(words)

    def rows(self, sql):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'rows.csv')
            self.run(f"COPY ({sql}) TO '{path}' (FORMAT csv, HEADER, NULLSTR '')")
            with open(path, encoding='utf-8', newline='') as file:
                return list(csv.DictReader(file))


def number(text):
    return float(text) if text else None


class Dataset:
    """Evidence by image name: self.tags, .boxes, .lines, .fused_tags, .fused_boxes, .fused_lines.
    An item is a dictionary with label, score, source, box (x0, y0, x1, y1 or None), count."""

    def __init__(self, folder):
        self.folder, self.duck = Path(folder), Duck()
        self.names = {
            (r['part'], r['row']): os.path.basename(r['path'])
            for r in self.table('ingest', '"row", path')
        }
        self.tags = self.items('tag', 'tag AS label, score, source')
        self.boxes = self.items('detect', '* EXCLUDE (filename)')
        self.lines = self.items(
            'read',
            'text AS label, score, least(x0, x1, x2, x3) AS x0, least(y0, y1, y2, y3) AS y0, '
            'greatest(x0, x1, x2, x3) AS x1, greatest(y0, y1, y2, y3) AS y1',
        )
        fused = self.items('fuse/evidence', '* EXCLUDE (filename, text), text AS label')
        self.fused_tags, self.fused_boxes, self.fused_lines = (
            {name: [i for i in items if i['kind'] == kind] for name, items in fused.items()}
            for kind in ('tag', 'box', 'line')
        )

    def table(self, stage, columns):
        files = sorted((self.folder / stage).glob('part-*.parquet'))
        if not files:
            return []
        listed = ', '.join("'" + str(f).replace("'", "''") + "'" for f in files)
        return self.duck.rows(
            f"SELECT regexp_extract(filename, 'part-(\\d+)', 1) AS part, {columns} "
            f"FROM read_parquet([{listed}], filename = true)"
        )

    def items(self, stage, columns):
        by_name = {name: [] for name in self.names.values()}
        seen = self.table(stage, columns if columns.startswith('*') else '"row", ' + columns)
        for r in seen:
            box = tuple(number(r[k]) for k in ('x0', 'y0', 'x1', 'y1')) if r.get('x0') else None
            by_name[self.names[r['part'], r['row']]].append(
                {
                    'label': r['label'],
                    'score': number(r['score']),
                    'source': r.get('source') or '',
                    'kind': r.get('kind'),
                    'count': max(1, int(r.get('count') or 1)),
                    'box': box,
                }
            )
        return by_name
