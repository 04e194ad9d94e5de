#!/usr/bin/env python3
"""Tiny models of random weights that compare images with words, and what transformers' own code
finds with them in a picture that needs no resizing: what test_words.c compares with. The cards are
written by tools/convert/export_words.py.

    pip install torch transformers torchvision onnx onnxscript tokenizers
    tests/oracle/open/make_tokens.py && tests/oracle/open/make_words.py

picture.rgb: 96 x 64 pixels, of which models that stretch see the left 64 x 64. NAME.boxes: "score
x0 y0 x1 y1 query" by falling score, cut at the picture's edges. NAME.tags: "score label" of every
label.
"""

import pathlib
import sys
import tempfile

import numpy as np
import torch
import transformers as hf
from PIL import Image

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "tools/convert"))
import export_words  # noqa: E402

PICTURE = (
    Image.open(HERE.parents[2] / "samples/budgerigar.jpg")
    .convert("RGB")
    .resize((96, 64), Image.BICUBIC)
)
SQUARE = PICTURE.crop((0, 0, 64, 64))  # for models that stretch
WORDS = ["dog", "red horse", "traffic light", "bird", "tree"]
THRESHOLD = 0.5
TEXT = dict(hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
VISION = dict(
    hidden_size=16,
    intermediate_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    patch_size=16,
    image_size=96,
)


def tokenizer(name):
    if name == "siglip":
        return hf.PreTrainedTokenizerFast(
            tokenizer_file=str(HERE / "siglip.tokenizer.json"),
            pad_token="<pad>",
            eos_token="</s>",
            unk_token="<unk>",
        )
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "tokenizer.json").write_bytes(
            (HERE / f"{name}.tokenizer.json").read_bytes()
        )
        return (hf.BertTokenizer if name == "bert" else hf.CLIPTokenizer).from_pretrained(folder)


def spread(model):
    """Random weights of a size that gives scores on both sides of the threshold."""
    torch.manual_seed(11)
    for name, p in model.named_parameters():
        if p.dim() > 1 and "position" not in name:
            torch.nn.init.normal_(p, std=0.3)
    if hasattr(model, "logit_bias"):
        model.logit_scale.data.fill_(3)
        model.logit_bias.data.fill_(-1)
    return model.eval()


def export(name, model, processor, words, labels=None, fields=None):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
        words.save_pretrained(folder)
        export_words.export(folder, HERE / name, labels, fields)
    (HERE / f"{name}.tokenizer.json").unlink()  # the one of make_tokens.py serves all
    card = HERE / (f"{name}.yaml" if "grounding" in name else f"{name}-text.yaml")
    kind = "siglip" if "siglip" in name else "bert" if "grounding" in name else "clip"
    card.write_text(card.read_text().replace(f"{name}.tokenizer.json", f"{kind}.tokenizer.json"))


def owl(name, model, processor, picture, fields):
    words = tokenizer("clip")
    export(
        name, spread(model), processor, words, fields={**fields, "threshold": THRESHOLD, "iou": 1}
    )
    ids = words(
        [f"a photo of a {w}" for w in WORDS],
        padding="max_length",
        max_length=16,
        return_tensors="pt",
    )
    pixels = processor(images=picture, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        out = model(
            input_ids=ids["input_ids"], attention_mask=ids["attention_mask"], pixel_values=pixels
        )
    found = processor.post_process_object_detection(
        out, threshold=THRESHOLD, target_sizes=[picture.size[::-1]]
    )[0]
    write_boxes(
        name, found, [WORDS[int(label)] for label in found["labels"]], picture, out.logits.shape[1]
    )


def write_boxes(name, found, labels, picture, n_places):
    lines = []
    for i in torch.argsort(-found["scores"], stable=True):
        box = found["boxes"][i].double().clip(min=0)
        x0, y0, x1, y1 = [
            float(v) for v in torch.minimum(box, torch.tensor(picture.size * 2, dtype=torch.double))
        ]
        if x1 - x0 >= 1 and y1 - y0 >= 1:
            lines.append(
                f"{float(found['scores'][i]):.6f} {x0:.4f} {y0:.4f} {x1:.4f} {y1:.4f} {labels[int(i)]}\n"
            )
    print(name, len(lines), "of", n_places, {line.split(" ", 5)[5].strip() for line in lines})
    assert 4 < len(lines) < n_places
    (HERE / f"{name}.boxes").write_text("".join(lines))


def phrase_at(words, text, token):
    """The phrase of the text, whose phrases end with a point, that a token belongs to."""
    begin = words(text, return_offsets_mapping=True)["offset_mapping"][token][0]
    return WORDS[text[:begin].count(".")]


def grounding(name, picture):
    """transformers lets the tokens between phrases tell of places too; we do not, so it is not
    given theirs."""
    from transformers.models.grounding_dino import modeling_grounding_dino

    words, least = tokenizer("bert"), 0.7
    stop = words.convert_tokens_to_ids(".")
    modeling_grounding_dino.SPECIAL_TOKENS = [words.cls_token_id, words.sep_token_id, stop, stop]
    swin = hf.SwinConfig(
        image_size=96,
        embed_dim=4,
        depths=[1, 2, 1, 1],
        num_heads=[1, 1, 1, 1],
        window_size=3,
        mlp_ratio=1,
        out_features=["stage2", "stage3", "stage4"],
    )
    config = hf.GroundingDinoConfig(
        backbone_config=swin,
        text_config=hf.BertConfig(vocab_size=500, max_position_embeddings=64, **TEXT),
        d_model=32,
        num_queries=12,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_text_len=64,
        encoder_n_points=2,
        decoder_n_points=2,
    )
    model = spread(hf.GroundingDinoForObjectDetection(config))
    model.model.decoder.layer_norm.weight.data.fill_(0.3)  # for scores that are not all near 1
    for weight, p in model.named_parameters():
        if "bbox_embed" in weight:
            torch.nn.init.normal_(p, std=0.1)  # and boxes of more than a pixel
    images = hf.GroundingDinoImageProcessor(
        size={"shortest_edge": 64, "longest_edge": 96}, pad_size={"height": 96, "width": 96}
    )
    processor = hf.GroundingDinoProcessor(images, words)
    text = "".join(f"{w}. " for w in WORDS).strip()
    given = processor(images=picture, text=text, return_tensors="pt")
    assert (
        given["pixel_values"].shape == (1, 3, 96, 96) and int(given["pixel_mask"].sum()) == 96 * 64
    )
    with torch.no_grad():
        out = model(**given)
    ids = given["input_ids"][0]
    between = torch.isin(ids, torch.tensor(modeling_grounding_dino.SPECIAL_TOKENS))
    out.logits[0, :, : len(ids)][:, between] = -float("inf")
    answer = dict(threshold=least, target_sizes=[picture.size[::-1]])
    found = processor.post_process_grounded_object_detection(
        out, given["input_ids"], text_threshold=1, **answer
    )[0]
    best = out.logits[0].max(-1)
    labels = []
    for score in found["scores"]:
        place = int(torch.argmin((best.values.sigmoid() - score).abs()))
        token = int(best.indices[place])
        just_below = processor.post_process_grounded_object_detection(
            out, given["input_ids"], text_threshold=float(score) - 1e-6, **answer
        )[0]["text_labels"][len(labels)]
        assert [just_below] == words.batch_decode([[ids[token]]])
        labels.append(phrase_at(words, text, token))
    export(
        name, model, images, words, fields={"width": 96, "height": 96, "threshold": least, "iou": 1}
    )
    write_boxes(name, found, labels, picture, out.logits.shape[1])


def tagger(name, model, processor, picture, words, template, padding):
    (HERE / "words.labels.txt").write_text("".join(w + "\n" for w in WORDS))
    export(name, spread(model), processor, words, labels="words.labels.txt")
    text = words([template.format(w) for w in WORDS], return_tensors="pt", **padding)
    pixels = processor(images=picture, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        logits = model(input_ids=text["input_ids"], pixel_values=pixels).logits_per_image[0]
    scores = torch.sigmoid(logits) if "siglip" in name else torch.softmax(logits, 0)
    print(name, scores)
    (HERE / f"{name}.tags").write_text(
        "".join(f"{float(s):.6f} {w}\n" for s, w in zip(scores, WORDS))
    )


def main():
    torch.manual_seed(3)
    np.asarray(PICTURE).tofile(HERE / "picture.rgb")
    text = dict(
        TEXT, vocab_size=1152, max_position_embeddings=16, bos_token_id=1150, eos_token_id=1151
    )
    side = {"height": 96, "width": 96}
    owl(
        "tiny-owlv2",
        hf.Owlv2ForObjectDetection(
            hf.Owlv2Config(text_config=text, vision_config=VISION, projection_dim=8)
        ),
        hf.Owlv2ImageProcessor(size=side),
        PICTURE,
        {"pad": 0},
    )  # transformers pads with black since its version 5
    grounding("tiny-grounding-dino", PICTURE)
    square, size = dict(VISION, image_size=64), {"height": 64, "width": 64}
    owl(
        "tiny-owlvit",
        hf.OwlViTForObjectDetection(
            hf.OwlViTConfig(text_config=text, vision_config=square, projection_dim=8)
        ),
        hf.OwlViTImageProcessor(size=size),
        SQUARE,
        {},
    )
    small = dict(VISION, image_size=48)
    crop = {"height": 48, "width": 48}
    tagger(
        "tiny-clip-tagger",
        hf.CLIPModel(
            hf.CLIPConfig(
                text_config=dict(text, max_position_embeddings=77, projection_dim=12),
                vision_config=dict(small, projection_dim=12),
                projection_dim=12,
            )
        ),
        hf.CLIPImageProcessor(size={"shortest_edge": 64}, crop_size=crop),
        PICTURE,
        tokenizer("clip"),
        "a photo of a {}",
        {"padding": True},
    )
    tagger(
        "tiny-siglip-tagger",
        hf.SiglipModel(
            hf.SiglipConfig(
                text_config=dict(TEXT, hidden_size=16, vocab_size=600, max_position_embeddings=64),
                vision_config=square,
            )
        ),
        hf.SiglipImageProcessor(size=size, resample=3, image_mean=[0.5] * 3, image_std=[0.5] * 3),
        SQUARE,
        tokenizer("siglip"),
        "this is a photo of {}",
        {"padding": "max_length", "max_length": 64},
    )


if __name__ == "__main__":
    main()
