"""WordNet's nouns for physical things as a list of kinds: which words name the same thing, and what
it is a kind of.

Reads data.noun and index.noun of WordNet 3.0 (Fellbaum 1998); src/language/kinds.c reads the
result, a line a kind:

    PARENT WORD|WORD|...

PARENT is the line number of the kind above it (0: the first kind; -: none). A word that begins with
'*' means this kind when nothing else is said: it is the most frequent of its senses among physical
things. Proper names are left out.
"""

import pathlib

ROOT = "physical_entity"


def read_kinds(path):
    """Offset -> (words, offset of the first kind above, whether it is an instance: a proper
    name)."""
    kinds = {}
    for line in path.read_text("ascii").splitlines():
        if line.startswith("  "):  # the licence
            continue
        fields = line.split(" | ")[0].split()
        n_words = int(fields[3], 16)
        words = fields[4 : 4 + 2 * n_words : 2]
        pointers = fields[5 + 2 * n_words :]
        above = [
            (pointers[i], pointers[i + 1])
            for i in range(0, len(pointers) - 3, 4)
            if pointers[i] in ("@", "@i")
        ]
        kinds[fields[0]] = (
            words,
            above[0][1] if above else None,
            any(kind == "@i" for kind, _ in above),
        )
    return kinds


def read_senses(path):
    """Word -> the offsets of its kinds, the most frequent first."""
    senses = {}
    for line in path.read_text("ascii").splitlines():
        if not line.startswith("  "):
            fields = line.split()
            senses[fields[0]] = fields[-int(fields[2]) :]
    return senses


def is_below(kinds, offset, root):
    while offset and offset != root:
        offset = kinds[offset][1]
    return offset is not None


def convert(data, out):
    folder = pathlib.Path(data).parent
    kinds, senses = read_kinds(folder / "data.noun"), read_senses(folder / "index.noun")
    root = senses[ROOT][0]
    things = [o for o in sorted(kinds) if is_below(kinds, o, root) and not kinds[o][2]]
    line_of = {offset: i for i, offset in enumerate(things)}
    first = {
        word: next((o for o in offsets if o in line_of), None) for word, offsets in senses.items()
    }
    with open(out, "w", encoding="ascii", newline="\n") as file:
        file.write(
            "# Kinds of physical things, from WordNet 3.0, Copyright 2006 by Princeton University. "
            "tools/convert/wordnet.py\n"
        )
        for offset in things:
            words, above, _ = kinds[offset]
            marked = (
                "*" * (first[w.lower()] == offset) + w.lower().replace("_", " ") for w in words
            )
            file.write(f"{line_of.get(above, '-')} {'|'.join(marked)}\n")
