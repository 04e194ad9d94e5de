#!/usr/bin/env python3
"""RAM++ or RAM as ONNX with its model card, from the authors' code and weights. Works offline.

    pip install torch torchvision timm fairscale onnx and what the code's requirements.txt asks for
    tools/convert/export_ram.py CODE ram_plus_swin_large_14m.pth share/models/ram-plus
    tools/convert/export_ram.py CODE ram_swin_large_14m.pth share/models/ram --kind ram

CODE is a checkout of recognize-anything. Written are NAME.onnx, whose output is a logit for each of
the 4,585 tags, and NAME.yaml; ram.labels.txt and ram.thresholds.txt are there already.
docs/EXTENDING.md.
"""

import argparse
import hashlib
import pathlib
import sys

import torch


class Logits(torch.nn.Module):
    """What generate_tag computes before it compares with the thresholds, of one image."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def labels(self, image_tokens):
        """A vector for each tag: RAM++ weighs a tag's descriptions by how well they fit the
        image."""
        m, count = self.model, self.model.num_class
        vectors = m.label_embed
        if hasattr(m, "reweight_scale"):
            image = image_tokens[:, 0, :]
            image = image / image.norm(dim=-1, keepdim=True)
            fit = (m.reweight_scale.exp() * image @ vectors.t()).view(count, -1)
            vectors = (
                torch.softmax(fit, dim=1)[:, :, None] * vectors.view(count, fit.shape[1], -1)
            ).sum(dim=1)
        return torch.relu(m.wordvec_proj(vectors))[None]

    def forward(self, pixels):
        m = self.model
        tokens = m.image_proj(m.visual_encoder(pixels))
        seen = m.tagging_head(
            encoder_embeds=self.labels(tokens),
            encoder_hidden_states=tokens,
            encoder_attention_mask=torch.ones(tokens.shape[:-1], dtype=torch.long),
            return_dict=False,
            mode="tagging",
        )
        return m.fc(seen[0]).squeeze(-1)


def export(model, size, to, files):
    to = pathlib.Path(to)
    file = to.with_name(to.name + ".onnx")
    with torch.no_grad():
        torch.onnx.export(
            Logits(model).eval(),
            (torch.zeros(1, 3, size, size),),
            str(file),
            opset_version=17,
            input_names=["pixel_values"],
            output_names=["logits"],
            dynamo=False,
        )
    card = {
        "name": to.name,
        "task": "tag",
        "decoder": "classes",
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
        "source": "recognize-anything; tools/convert/export_ram.py",
        "input": "pixel_values",
        "resize": "stretch",
        "interpolation": "bilinear",
        "width": size,
        "height": size,
        "channels": "rgb",
        "layout": "nchw",
        "mean": [123.675, 116.28, 103.53],
        "std": [58.395, 57.12, 57.375],
        **files,
        "decode": "\n  sigmoid: 1",
    }
    to.with_name(to.name + ".yaml").write_text(
        "".join(f"{key}: {value}\n" for key, value in card.items())
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("code", help="checkout of recognize-anything")
    parser.add_argument("weights", help=".pth file")
    parser.add_argument("to", help="path of the card without .yaml")
    parser.add_argument("--kind", choices=["ram_plus", "ram"], default="ram_plus")
    parser.add_argument("--vit", choices=["swin_l", "swin_b"], default="swin_l")
    parser.add_argument("--size", type=int, default=384)
    options = parser.parse_args()
    sys.path.insert(0, options.code)
    import ram.models

    model = getattr(ram.models, options.kind)(
        pretrained=options.weights, image_size=options.size, vit=options.vit
    )
    export(
        model,
        options.size,
        options.to,
        {"labels": "ram.labels.txt", "thresholds": "ram.thresholds.txt"},
    )


if __name__ == "__main__":
    main()
