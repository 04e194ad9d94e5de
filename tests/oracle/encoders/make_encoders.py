#!/usr/bin/env python3
"""Tiny encoders of random weights in the layouts that people use, with what their official
preprocessing and PyTorch make of one photograph: what test_encoder.c compares with. The cards are
written by tools/convert/export_encoder.py.

    pip install torch transformers torchvision onnx open_clip_torch
    tests/oracle/encoders/make_encoders.py

NAME.onnx, NAME.yaml: the model; NAME.pixels: its input, float32 [3, h, w]; NAME.vector: its answer,
float32 [dim].
"""

import hashlib
import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
import transformers as hf
from PIL import Image

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "tools/convert"))
import export_encoder  # noqa: E402

PICTURE = Image.open(HERE.parents[2] / "samples/budgerigar.jpg").convert("RGB")
SMALL = dict(
    hidden_size=8, num_hidden_layers=1, num_attention_heads=2, patch_size=16, image_size=48
)


def save(name, pixels, vector):
    np.asarray(pixels[0], "<f4").tofile(HERE / f"{name}.pixels")
    np.asarray(vector[0], "<f4").tofile(HERE / f"{name}.vector")


def from_transformers(name, model, processor):
    with tempfile.TemporaryDirectory() as folder:
        model.eval().save_pretrained(folder)
        processor.save_pretrained(folder)
        made, output, fields = export_encoder.from_transformers(folder)
    export_encoder.export(made, output, fields, HERE / name)
    pixels = processor(images=PICTURE, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        answer = model(pixels)[output]
    save(name, pixels, answer[:, 0] if fields["pooling"] == "cls" else answer)


def open_clip_layout(name):
    import open_clip

    tower = dict(image_size=48, layers=1, width=8, head_width=4, patch_size=16)
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "tiny.json"
        config.write_text(
            json.dumps(
                {
                    "embed_dim": 12,
                    "vision_cfg": tower,
                    "text_cfg": dict(context_length=4, vocab_size=8, width=8, heads=2, layers=1),
                }
            )
        )
        open_clip.add_model_config(config)
        torch.manual_seed(4)
        model, _, preprocess = open_clip.create_model_and_transforms("tiny")
    made = export_encoder.Output(model.visual.eval(), None)
    export_encoder.export(
        made, "image_features", export_encoder.open_clip_fields(model.visual), HERE / name
    )
    pixels = preprocess(PICTURE)[None]
    with torch.no_grad():
        save(name, pixels, model.encode_image(pixels))


def degenerate(name):
    """Of the mean m of a picture: m, m / (255 - m), 0 m / (m - 100). Black is zero, white infinite,
    grey 100 NaN."""
    import onnx
    from onnx import helper, numpy_helper

    constants = {"white": 255.0, "grey": 100.0, "none": 0.0}
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values"], ["m4"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["m4", "shape"], ["m"]),
        helper.make_node("Sub", ["white", "m"], ["below"]),
        helper.make_node("Div", ["m", "below"], ["b"]),
        helper.make_node("Sub", ["m", "grey"], ["above"]),
        helper.make_node("Mul", ["m", "none"], ["zero"]),
        helper.make_node("Div", ["zero", "above"], ["c"]),
        helper.make_node("Concat", ["m", "b", "c"], ["vector"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("pixel_values", onnx.TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("vector", onnx.TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(np.float32(v), k) for k, v in constants.items()]
        + [numpy_helper.from_array(np.array([1, 1], np.int64), "shape")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    file = HERE / f"{name}.onnx"
    onnx.save(model, file)
    (HERE / f"{name}.yaml").write_text(
        f"name: {name}\ntask: embed\nfile: {name}.onnx\nsha256: {hashlib.sha256(file.read_bytes()).hexdigest()}\n"
        "width: 8\nheight: 8\nlicence: MIT\nsource: made by make_encoders.py\n"
    )


def main():
    torch.manual_seed(1)
    small = {"height": 48, "width": 48}
    from_transformers(
        "tiny-clip",
        hf.CLIPVisionModelWithProjection(
            hf.CLIPVisionConfig(**SMALL, intermediate_size=16, projection_dim=12)
        ),
        hf.CLIPImageProcessor(size={"shortest_edge": 48}, crop_size=small),
    )
    torch.manual_seed(2)
    from_transformers(
        "tiny-siglip",
        hf.SiglipVisionModel(hf.SiglipVisionConfig(**SMALL, intermediate_size=16)),
        hf.SiglipImageProcessor(size=small, resample=3, image_mean=[0.5] * 3, image_std=[0.5] * 3),
    )
    torch.manual_seed(3)
    from_transformers(
        "tiny-dinov2",
        hf.Dinov2Model(hf.Dinov2Config(**SMALL)),
        hf.BitImageProcessor(
            size={"shortest_edge": 56},
            crop_size=small,
            image_mean=[0.485, 0.456, 0.406],
            image_std=[0.229, 0.224, 0.225],
        ),
    )
    open_clip_layout("tiny-open-clip")
    degenerate("degenerate")


if __name__ == "__main__":
    main()
