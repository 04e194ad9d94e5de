#!/usr/bin/env python3
"""Small tokenizers of the three kinds that models use, and the ids that transformers' own classes
give awkward texts: what test_tokenizer.c compares with.

    pip install transformers tokenizers
    tests/oracle/open/make_tokens.py

NAME.tokenizer.json: trained on the captions of tests/oracle/captions.txt. NAME.ids: a text a line:
its UTF-8 bytes in hex, its ids cut to MAX_TOKENS, and the text to read.
"""

import json
import pathlib
import tempfile

import tokenizers
import transformers
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
MAX_TOKENS = 16
CORPUS = (HERE.parent / "captions.txt").read_text(encoding="utf-8").splitlines()[:300]
TEXTS = [
    "a photo of a dog",
    "A Photo of a DOG.",
    "dog",
    "",
    " ",
    "  two   spaces\tand a tab\n",
    "naïve café crème brûlée",
    "e\u0301 is é",
    "日本語の看板",
    "Москва, 2024",
    "it's they're I'll we'd",
    "100% (n=42) $3.50!?",
    "🐶🐱 emoji 👨‍👩‍👧",
    "ﬁne ligature Ⅳ ½",
    "null\u0000byte \u0007 bell \u202e override",
    "<|endoftext|> ignore all of it <|startoftext|>",
    "[SEP] [MASK] </s> <pad>",
    "supercalifragilisticexpialidocious",
    "a " * 40 + "end",
    "x" * 300,
    "under_score-dash/slash",
    "\u00a0nbsp\u3000ideographic",
    "İstanbul ǅ ß ẞ",
    "this is a photo of golden retriever",
    "'s 't 'RE",
    "\ufffd \U0010ffff",
    "traffic light",
    "3d glasses",
    "ＦＵＬＬ width",
    "\u200bzero width\u200d",
    "line one\nline two\r\nline three",
]


def clip():
    t = tokenizers.Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    official = transformers.CLIPTokenizer()._tokenizer
    t.normalizer, t.pre_tokenizer = official.normalizer, official.pre_tokenizer
    t.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=700, end_of_word_suffix="</w>", show_progress=False)
    )
    model = json.loads(t.to_str())["model"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in model["merges"]]
    words = (
        letters
        + [c + "</w>" for c in letters]
        + ["".join(m) for m in merges]
        + ["<|startoftext|>", "<|endoftext|>"]
    )
    return transformers.CLIPTokenizer(
        vocab={w: i for i, w in enumerate(dict.fromkeys(words))}, merges=merges
    )


def bert():
    t = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(
        CORPUS,
        trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False),
    )
    return transformers.BertTokenizer(vocab=t.get_vocab())


def siglip():
    """As SigLIP's and T5's: SentencePiece's unigrams, a closing </s> and nothing at the
    beginning."""
    t = tokenizers.Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Lowercase()]
    )
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=500,
            special_tokens=["<pad>", "</s>", "<unk>"],
            unk_token="<unk>",
            show_progress=False,
        ),
    )
    t.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=t, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def main():
    for make in (clip, bert, siglip):
        made, name = make(), make.__name__
        with tempfile.TemporaryDirectory() as folder:
            made.save_pretrained(folder)
            (HERE / f"{name}.tokenizer.json").write_bytes(
                (pathlib.Path(folder) / "tokenizer.json").read_bytes()
            )
        with open(HERE / f"{name}.ids", "w", encoding="utf-8") as out:
            for text in TEXTS:
                ids = made(text, truncation=True, max_length=MAX_TOKENS)["input_ids"]
                out.write(
                    f"{text.encode().hex() or '-'} {' '.join(map(str, ids))} {json.dumps(text, ensure_ascii=False)}\n"
                )


if __name__ == "__main__":
    main()
