#!/usr/bin/env python3
"""A model that compares images with words as ONNX with its cards, from a folder of `transformers`. Works offline.

    pip install torch transformers torchvision onnx
    tools/convert/export_words.py FOLDER share/models/NAME [--labels FILE]

FOLDER holds config.json, preprocessor_config.json, tokenizer.json and the weights of an OWLv2 or OWL-ViT detector, or of a
CLIP or SigLIP model, which becomes a tagger and needs --labels: a file beside the card with a label a line. Written are
NAME.onnx and NAME.yaml for images, NAME-text.onnx, NAME-text.yaml and NAME.tokenizer.json for words. `licence` and `source`
are still to be filled in. docs/EXTENDING.md.
"""
import argparse
import hashlib
import pathlib
import shutil

import torch

import export_encoder

# Of each kind: the class that holds all, the most tokens of a text, whether texts are filled up to them (else no word sees
# what comes after it, and nothing is needed there), the words around a label.
KINDS = {"owlv2": ("Owlv2ForObjectDetection", 16, False, "a photo of a {}"),
         "owlvit": ("OwlViTForObjectDetection", 16, False, "a photo of a {}"),
         "clip": ("CLIPModel", 77, False, "a photo of a {}"),
         "siglip": ("SiglipModel", 64, True, "this is a photo of {}")}


class Owl(torch.nn.Module):
    """What the class head and the box head make of each place, before any query is known."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        m = self.model
        grid = m.image_embedder(pixel_values=pixels)[0]
        places = grid.reshape(1, -1, grid.shape[-1])
        head = m.class_head
        return (head.dense0(places), head.logit_shift(places)[..., 0], head.elu(head.logit_scale(places))[..., 0] + 1,
                m.box_predictor(places, grid))


class Words(torch.nn.Module):
    """A text's vector, which is not yet of unit length."""

    def __init__(self, model, kind):
        super().__init__()
        inner = getattr(model, kind, model)
        self.text, self.projection = inner.text_model, getattr(inner, "text_projection", None)

    def forward(self, ids):
        vector = self.text(input_ids=ids).pooler_output
        return self.projection(vector) if self.projection is not None else vector


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write_card(to, card):
    lines = [f"{key}: {value}\n" for key, value in card.items() if key != "decode"]
    lines += ["decode:\n"] * ("decode" in card) + [f"  {k}: {v}\n" for k, v in card.get("decode", {}).items()]
    to.with_name(to.name + ".yaml").write_text("".join(lines))


def export_text(model, kind, folder, to):
    import transformers
    _, tokens, filled, _ = KINDS[kind]
    words = transformers.PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    pad = words.pad_token_id if filled else -1
    text = to.with_name(to.name + "-text")
    file, tokenizer = text.with_name(text.name + ".onnx"), to.with_name(to.name + ".tokenizer.json")
    shutil.copyfile(pathlib.Path(folder) / "tokenizer.json", tokenizer)
    ids = torch.ones(1, tokens if filled else 5, dtype=torch.long)
    with torch.no_grad():
        torch.onnx.export(Words(model, kind).eval(), (ids,), str(file), input_names=["input_ids"],
                          output_names=["text_embeds"], opset_version=17, dynamo=False,
                          dynamic_axes=None if filled else {"input_ids": {1: "tokens"}})
    write_card(text, {"name": text.name, "task": "text-embed", "file": file.name, "sha256": sha256(file),
                      "licence": "unknown", "source": "unknown", "input": "input_ids", "output": "text_embeds",
                      "tokenizer": tokenizer.name, "decode": {"tokens": tokens, "pad": pad}})


def owl_fields(processor, kind):
    """OWLv2 pads to a square, with the grey that its authors trained it with; OWL-ViT stretches."""
    size = processor.size
    return {"resize": "fit" if kind == "owlv2" else "stretch", **({"pad": 127.5} if kind == "owlv2" else {}),
            "interpolation": {2: "bilinear", 3: "bicubic"}[int(processor.resample)],
            "width": export_encoder.side(size, "width"), "height": export_encoder.side(size, "height"),
            "mean": [round(m * 255, 6) for m in processor.image_mean],
            "std": [round(s * 255, 6) for s in processor.image_std]}


def export_owl(model, kind, processor, to, fields):
    fields = {**owl_fields(processor, kind), **fields}
    file = to.with_name(to.name + ".onnx")
    with torch.no_grad():
        torch.onnx.export(Owl(model).eval(), (torch.zeros(1, 3, fields["height"], fields["width"]),), str(file),
                          input_names=["pixel_values"], output_names=["embeddings", "shift", "scale", "boxes"],
                          opset_version=17, dynamo=False)
    write_card(to, {"name": to.name, "task": "detect", "decoder": "owl", "file": file.name, "sha256": sha256(file),
                    "licence": "unknown", "source": "unknown", "input": "pixel_values", "channels": "rgb",
                    "layout": "nchw", "threshold": 0.2, "iou": 0.5, **fields, "text": to.name + "-text",
                    "template": KINDS[kind][3]})


def export_tagger(model, kind, folder, to, labels):
    image, output, fields = export_encoder.from_transformers(folder)
    export_encoder.export(image, output, fields, to)
    file = to.with_name(to.name + ".onnx")
    decode = {"scale": round(float(model.logit_scale.exp()), 6)}
    if kind == "siglip":
        decode["bias"] = round(float(model.logit_bias), 6)
    decode["sigmoid" if kind == "siglip" else "softmax"] = 1
    write_card(to, {"name": to.name, "task": "tag", "decoder": "similarity", "file": file.name, "sha256": sha256(file),
                    "licence": "unknown", "source": "unknown", "input": "pixel_values", "output": output,
                    "channels": "rgb", "layout": "nchw", **fields, "text": to.name + "-text",
                    "template": KINDS[kind][3], "labels": labels, "threshold": 0.1, "decode": decode})


def export(folder, to, labels=None, fields=None):
    import transformers
    to, kind = pathlib.Path(to), transformers.AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    if kind not in KINDS:
        raise SystemExit(f"{folder}: {kind}: known are {', '.join(sorted(KINDS))}")
    if kind in ("clip", "siglip") and not labels:
        raise SystemExit(f"{folder}: a {kind} tagger needs --labels")
    torch.backends.mha.set_fastpath_enabled(False)                     # its operator has no ONNX
    model = getattr(transformers, KINDS[kind][0]).from_pretrained(folder, local_files_only=True,
                                                                  attn_implementation="eager").eval()
    export_text(model, kind, folder, to)
    if kind in ("clip", "siglip"):
        export_tagger(model, kind, folder, to, labels)
    else:
        processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        export_owl(model, kind, processor, to, fields or {})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="of a transformers model")
    parser.add_argument("to", help="path of the card without .yaml")
    parser.add_argument("--labels", help="of a tagger: file beside the card")
    options = parser.parse_args()
    export(options.folder, options.to, options.labels)


if __name__ == "__main__":
    main()
