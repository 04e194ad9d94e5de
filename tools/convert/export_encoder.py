#!/usr/bin/env python3
"""An image encoder as ONNX with its model card, from a folder of `transformers` or from OpenCLIP.
Works offline.

    pip install torch transformers torchvision onnx        (for --open-clip: open_clip_torch instead
    of transformers) tools/convert/export_encoder.py FOLDER share/models/NAME
    tools/convert/export_encoder.py --open-clip EVA02-L-14 --weights FILE share/models/NAME

FOLDER holds config.json, preprocessor_config.json and the weights of a CLIP, SigLIP or DINOv2
model. Written are NAME.onnx and NAME.yaml, in which `licence`, `source` and `eps` are still to be
filled in. docs/EXTENDING.md.
"""

import argparse
import hashlib
import pathlib

import torch

BILINEAR, BICUBIC = 2, 3  # as Pillow counts them


class Output(torch.nn.Module):
    """The one output that matters."""

    def __init__(self, model, name):
        super().__init__()
        self.model, self.name = model, name

    def forward(self, pixels):
        result = self.model(pixels)
        return result[self.name] if self.name else result


def side(size, *names):
    for name in names:
        if getattr(size, name, None) or (isinstance(size, dict) and size.get(name)):
            return size[name] if isinstance(size, dict) else getattr(size, name)
    raise SystemExit(f"no {' or '.join(names)} in {size}")


def preprocessing(processor):
    """The card's fields from an image processor of transformers."""
    scale = 255 if processor.do_normalize else 1 / processor.rescale_factor
    fields = {"interpolation": {BILINEAR: "bilinear", BICUBIC: "bicubic"}[int(processor.resample)]}
    if getattr(processor, "do_center_crop", False):
        fields.update(
            resize="crop",
            resize_side=side(processor.size, "shortest_edge", "height"),
            width=side(processor.crop_size, "width"),
            height=side(processor.crop_size, "height"),
        )
    else:
        fields.update(
            resize="stretch",
            width=side(processor.size, "width"),
            height=side(processor.size, "height"),
        )
    fields["mean"] = [
        round(m * scale, 6) for m in (processor.image_mean if processor.do_normalize else [0] * 3)
    ]
    fields["std"] = [
        round(s * scale, 6) for s in (processor.image_std if processor.do_normalize else [1] * 3)
    ]
    return fields


def from_transformers(folder):
    """Model, the name of its output, and the card's fields."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    kinds = {
        "clip": ("CLIPVisionModelWithProjection", "image_embeds", "none"),
        "clip_vision_model": ("CLIPVisionModelWithProjection", "image_embeds", "none"),
        "siglip": ("SiglipVisionModel", "pooler_output", "none"),
        "siglip_vision_model": ("SiglipVisionModel", "pooler_output", "none"),
        "dinov2": ("Dinov2Model", "last_hidden_state", "cls"),
    }
    if config.model_type not in kinds:
        raise SystemExit(f"{folder}: {config.model_type}: known are {', '.join(sorted(kinds))}")
    name, output, pooling = kinds[config.model_type]
    model = getattr(transformers, name).from_pretrained(folder, local_files_only=True).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    return Output(model, output), output, {**preprocessing(processor), "pooling": pooling}


def open_clip_fields(visual):
    """The card's fields from the settings of an OpenCLIP image tower."""
    settings = visual.preprocess_cfg
    size = settings["size"]
    width, height = (size[1], size[0]) if isinstance(size, (list, tuple)) else (size, size)
    if settings.get("resize_mode", "shortest") == "shortest":
        fields = {
            "resize": "crop",
            "resize_side": min(width, height),
            "width": width,
            "height": height,
        }
    else:
        fields = {"resize": "stretch", "width": width, "height": height}
    return {
        **fields,
        "interpolation": settings["interpolation"],
        "pooling": "none",
        "mean": [round(m * 255, 6) for m in settings["mean"]],
        "std": [round(s * 255, 6) for s in settings["std"]],
    }


def from_open_clip(name, weights):
    import open_clip

    model, _, _ = open_clip.create_model_and_transforms(name, pretrained=weights)
    return Output(model.visual.eval(), None), "image_features", open_clip_fields(model.visual)


def export(model, output, fields, to):
    """TO.onnx and TO.yaml."""
    to = pathlib.Path(to)
    file = to.with_name(to.name + ".onnx")
    torch.backends.mha.set_fastpath_enabled(False)  # its operator has no ONNX
    with torch.no_grad():
        torch.onnx.export(
            model,
            (torch.zeros(1, 3, fields["height"], fields["width"]),),
            str(file),
            input_names=["pixel_values"],
            output_names=[output],
            opset_version=17,
            dynamo=False,
            dynamic_axes={"pixel_values": {0: "batch"}, output: {0: "batch"}},
        )
    card = {
        "name": to.name,
        "task": "embed",
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "licence": "unknown",
        "source": "unknown",
        "input": "pixel_values",
        "output": output,
        "channels": "rgb",
        "layout": "nchw",
        **fields,
    }
    to.with_name(to.name + ".yaml").write_text(
        "".join(f"{key}: {value}\n" for key, value in card.items())
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", help="of a transformers model")
    parser.add_argument("to", help="path of the card without .yaml")
    parser.add_argument("--open-clip", metavar="NAME", help="OpenCLIP's name of the model")
    parser.add_argument("--weights", metavar="FILE", help="of the OpenCLIP model")
    options = parser.parse_args()
    if bool(options.folder) == bool(options.open_clip):
        parser.error("either FOLDER or --open-clip")
    made = (
        from_open_clip(options.open_clip, options.weights)
        if options.open_clip
        else from_transformers(options.folder)
    )
    export(*made, options.to)


if __name__ == "__main__":
    main()
