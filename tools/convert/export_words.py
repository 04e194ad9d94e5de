#!/usr/bin/env python3
"""A model that compares images with words as ONNX with its cards, from a folder of `transformers`.
Works offline.

    pip install torch transformers torchvision onnx
    tools/convert/export_words.py FOLDER share/models/NAME [--labels FILE]

FOLDER holds config.json, preprocessor_config.json, tokenizer.json and the weights of an OWLv2,
OWL-ViT or Grounding DINO detector, or of a CLIP or SigLIP model, which becomes a tagger and needs
--labels: a file beside the card with a label a line. Written are NAME.onnx and NAME.yaml for
images, NAME-text.onnx, NAME-text.yaml and NAME.tokenizer.json for words; Grounding DINO, which
needs onnxscript too, has no -text. `licence` and `source` are still to be filled in.
docs/EXTENDING.md.
"""

import argparse
import hashlib
import os
import pathlib
import shutil

import torch

import export_encoder

# Of each kind: the class that holds all, the most tokens of a text, whether texts are filled up to
# them (else no word sees what comes after it, and nothing is needed there), the words around a
# label.
KINDS = {
    "owlv2": ("Owlv2ForObjectDetection", 16, False, "a photo of a {}"),
    "owlvit": ("OwlViTForObjectDetection", 16, False, "a photo of a {}"),
    "clip": ("CLIPModel", 77, False, "a photo of a {}"),
    "siglip": ("SiglipModel", 64, True, "this is a photo of {}"),
    "grounding-dino": ("GroundingDinoForObjectDetection", 256, False, "{}"),
}


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
        return (
            head.dense0(places),
            head.logit_shift(places)[..., 0],
            head.elu(head.logit_scale(places))[..., 0] + 1,
            m.box_predictor(places, grid),
        )


class Words(torch.nn.Module):
    """A text's vector, which is not yet of unit length."""

    def __init__(self, model, kind):
        super().__init__()
        inner = getattr(model, kind, model)
        self.text, self.projection = inner.text_model, getattr(inner, "text_projection", None)

    def forward(self, ids):
        vector = self.text(input_ids=ids).pooler_output
        return self.projection(vector) if self.projection is not None else vector


def phrase_masks(ids, special_tokens):
    """As transformers' generate_masks_with_special_tokens_and_transfer_map, of operators that ONNX
    has: which tokens see each other, namely those up to the same special token, and each token's
    place in its phrase."""
    n = ids.shape[1]
    at = torch.arange(n)
    is_special = (ids[..., None] == special_tokens).any(-1)[:, None, :]
    following = torch.where(is_special & (at[:, None] <= at), at, n).amin(-1)
    before = torch.where(is_special & (at[:, None] > at), at, -1).amax(-1)
    phrase = (following != 0) & (following < n - 1)
    together = (following[:, :, None] == following[:, None, :]) & phrase[:, None, :]
    return together | (at[:, None] == at), torch.where(phrase, at - before - 1, 0)


class Grounding(torch.nn.Module):
    """A token's logit for each place, and its box. Pixels of zero in all channels are those beside
    a picture that was fitted into the input: no pixel of a picture is the mean of them all, which
    is no whole number. The model's boxes are shares of the picture's sides, ours of the input's."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels, ids):
        mask = (pixels != 0).any(1)
        result = self.model(pixel_values=pixels, input_ids=ids, pixel_mask=mask.long())
        width, height = mask[:, 0, :].float().mean(), mask[:, :, 0].float().mean()
        return result.logits[..., : ids.shape[1]], result.pred_boxes * torch.stack(
            [width, height, width, height]
        )


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write_card(to, card):
    lines = [f"{key}: {value}\n" for key, value in card.items() if key != "decode"]
    lines += ["decode:\n"] * ("decode" in card) + [
        f"  {k}: {v}\n" for k, v in card.get("decode", {}).items()
    ]
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
        torch.onnx.export(
            Words(model, kind).eval(),
            (ids,),
            str(file),
            input_names=["input_ids"],
            output_names=["text_embeds"],
            opset_version=17,
            dynamo=False,
            dynamic_axes=None if filled else {"input_ids": {1: "tokens"}},
        )
    write_card(
        text,
        {
            "name": text.name,
            "task": "text-embed",
            "file": file.name,
            "sha256": sha256(file),
            "licence": "unknown",
            "source": "unknown",
            "input": "input_ids",
            "output": "text_embeds",
            "tokenizer": tokenizer.name,
            "decode": {"tokens": tokens, "pad": pad},
        },
    )


def owl_fields(processor, kind):
    """OWLv2 pads to a square, with the grey that its authors trained it with; OWL-ViT stretches."""
    size = processor.size
    return {
        "resize": "fit" if kind == "owlv2" else "stretch",
        **({"pad": 127.5} if kind == "owlv2" else {}),
        "interpolation": {2: "bilinear", 3: "bicubic"}[int(processor.resample)],
        "width": export_encoder.side(size, "width"),
        "height": export_encoder.side(size, "height"),
        "mean": [round(m * 255, 6) for m in processor.image_mean],
        "std": [round(s * 255, 6) for s in processor.image_std],
    }


def export_owl(model, kind, processor, to, fields):
    fields = {**owl_fields(processor, kind), **fields}
    file = to.with_name(to.name + ".onnx")
    with torch.no_grad():
        torch.onnx.export(
            Owl(model).eval(),
            (torch.zeros(1, 3, fields["height"], fields["width"]),),
            str(file),
            input_names=["pixel_values"],
            output_names=["embeddings", "shift", "scale", "boxes"],
            opset_version=17,
            dynamo=False,
        )
    write_card(
        to,
        {
            "name": to.name,
            "task": "detect",
            "decoder": "owl",
            "file": file.name,
            "sha256": sha256(file),
            "licence": "unknown",
            "source": "unknown",
            "input": "pixel_values",
            "channels": "rgb",
            "layout": "nchw",
            "threshold": 0.2,
            "iou": 0.5,
            **fields,
            "text": to.name + "-text",
            "template": KINDS[kind][3],
        },
    )


def grounding_fields(processor):
    """The model was trained on pictures with a short edge of 800. A square that holds pictures of
    4:3 at that size."""
    side = processor.size["shortest_edge"] * 4 // 3
    return {
        "resize": "fit",
        "interpolation": {2: "bilinear", 3: "bicubic"}[int(processor.resample)],
        "width": side,
        "height": side,
        "mean": [round(m * 255, 6) for m in processor.image_mean],
        "std": [round(s * 255, 6) for s in processor.image_std],
    }


def export_grounding(model, folder, processor, to, fields):
    import onnx
    from transformers.models.grounding_dino import modeling_grounding_dino

    fields = {**grounding_fields(processor), **fields}
    file, tokenizer = to.with_name(to.name + ".onnx"), to.with_name(to.name + ".tokenizer.json")
    shutil.copyfile(pathlib.Path(folder) / "tokenizer.json", tokenizer)
    os.environ["TRANSFORMERS_DISABLE_TORCH_CHECK"] = "1"  # its checks of shapes have no ONNX
    modeling_grounding_dino.generate_masks_with_special_tokens_and_transfer_map = phrase_masks
    free = torch.export.Dim.DYNAMIC
    ids = model.model.special_tokens[[0, 2, 2, 2, 1]][None]  # as long as a text may be, of any ids
    with torch.no_grad():
        torch.onnx.export(
            Grounding(model).eval(),
            (torch.randn(1, 3, fields["height"], fields["width"]), ids),
            str(file),
            input_names=["pixel_values", "input_ids"],
            output_names=["logits", "boxes"],
            dynamo=True,
            dynamic_shapes=({}, {1: free}),
            external_data=False,
            verbose=False,
        )
    graph = onnx.load(file)
    strip_remarks(graph.graph)
    onnx.save(graph, file)
    write_card(
        to,
        {
            "name": to.name,
            "task": "detect",
            "decoder": "grounding",
            "file": file.name,
            "sha256": sha256(file),
            "licence": "unknown",
            "source": "unknown",
            "input": "pixel_values",
            "channels": "rgb",
            "layout": "nchw",
            "threshold": 0.25,
            "iou": 0.5,
            **fields,
            "tokenizer": tokenizer.name,
            "decode": {"tokens": model.config.max_text_len},
        },
    )


def strip_remarks(graph):
    """The exporter writes into each node where in the Python code it comes from."""
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*graph.input, *graph.output]:
        del value.metadata_props[:]
    del graph.value_info[:], graph.metadata_props[:]


def export_tagger(model, kind, folder, to, labels):
    image, output, fields = export_encoder.from_transformers(folder)
    export_encoder.export(image, output, fields, to)
    file = to.with_name(to.name + ".onnx")
    decode = {"scale": round(float(model.logit_scale.exp()), 6)}
    if kind == "siglip":
        decode["bias"] = round(float(model.logit_bias), 6)
    decode["sigmoid" if kind == "siglip" else "softmax"] = 1
    write_card(
        to,
        {
            "name": to.name,
            "task": "tag",
            "decoder": "similarity",
            "file": file.name,
            "sha256": sha256(file),
            "licence": "unknown",
            "source": "unknown",
            "input": "pixel_values",
            "output": output,
            "channels": "rgb",
            "layout": "nchw",
            **fields,
            "text": to.name + "-text",
            "template": KINDS[kind][3],
            "labels": labels,
            "threshold": 0.1,
            "decode": decode,
        },
    )


def export(folder, to, labels=None, fields=None):
    import transformers

    to, kind = (
        pathlib.Path(to),
        transformers.AutoConfig.from_pretrained(folder, local_files_only=True).model_type,
    )
    if kind not in KINDS:
        raise SystemExit(f"{folder}: {kind}: known are {', '.join(sorted(KINDS))}")
    if kind in ("clip", "siglip") and not labels:
        raise SystemExit(f"{folder}: a {kind} tagger needs --labels")
    torch.backends.mha.set_fastpath_enabled(False)  # its operator has no ONNX
    processor = None
    if kind not in ("clip", "siglip"):
        processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    if kind == "grounding-dino":  # its masks are made for the default attention
        model = (
            getattr(transformers, KINDS[kind][0])
            .from_pretrained(folder, local_files_only=True)
            .eval()
        )
        return export_grounding(model, folder, processor, to, fields or {})
    model = (
        getattr(transformers, KINDS[kind][0])
        .from_pretrained(folder, local_files_only=True, attn_implementation="eager")
        .eval()
    )
    export_text(model, kind, folder, to)
    if kind in ("clip", "siglip"):
        export_tagger(model, kind, folder, to, labels)
    else:
        export_owl(model, kind, processor, to, fields or {})


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="of a transformers model")
    parser.add_argument("to", help="path of the card without .yaml")
    parser.add_argument("--labels", help="of a tagger: file beside the card")
    options = parser.parse_args()
    export(options.folder, options.to, options.labels)


if __name__ == "__main__":
    main()
