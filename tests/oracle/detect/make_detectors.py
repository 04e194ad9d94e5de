#!/usr/bin/env python3
"""Tiny detectors of random weights from the classes of transformers, and what its own post-processing finds with them in a
picture that needs no resizing: what test_detectors.c compares with. Cards are written by tools/convert/export_detector.py.

    pip install torch transformers torchvision timm onnx
    tests/oracle/detect/make_detectors.py

The picture is ../open/picture.rgb, 96 x 64. NAME.boxes: "score x0 y0 x1 y1 class" by falling score, cut at its edges.
"""
import hashlib
import pathlib
import sys

import numpy as np
import onnx
import torch
import transformers as hf

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "tools/convert"))
import export_detector                                                 # noqa: E402

WIDTH, HEIGHT = 96, 64
PICTURE = np.fromfile(HERE.parent / "open/picture.rgb", np.uint8).reshape(HEIGHT, WIDTH, 3)
NAMES = dict(enumerate(["cat", "dog", "N/A", "red car", "tree"]))


def spread(model, seed, std=0.3):
    """Random weights of a size that gives scores which differ."""
    torch.manual_seed(seed)
    for name, p in model.named_parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=4 * std if "class" in name else std)
    return model.eval()


def shrink(name):
    """Short names within the graph, which are most of such a small file; the card's sha256 follows."""
    file, card = HERE / f"{name}.onnx", HERE / f"{name}.yaml"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    model = onnx.load(file)
    keep = {end.name: end.name for end in [*model.graph.input, *model.graph.output]}
    del model.graph.value_info[:]
    for node in model.graph.node:
        assert not any(a.type == onnx.AttributeProto.GRAPH for a in node.attribute)
        node.name = node.doc_string = ""
        for ends in (node.input, node.output):
            ends[:] = [end and keep.setdefault(end, f"{len(keep):x}") for end in ends]
    for weight in model.graph.initializer:
        weight.name = keep.setdefault(weight.name, f"{len(keep):x}")
    onnx.checker.check_model(model)
    data = model.SerializeToString(deterministic=True)
    file.write_bytes(data)
    card.write_text(card.read_text().replace(before, hashlib.sha256(data).hexdigest()))


def write_boxes(name, found):
    lines = []
    for i in torch.argsort(-found["scores"], stable=True):
        box = found["boxes"][i].double().clip(min=0)
        x0, y0, x1, y1 = [float(v) for v in torch.minimum(box, torch.tensor([WIDTH, HEIGHT] * 2, dtype=torch.double))]
        if x1 - x0 >= 1 and y1 - y0 >= 1 and NAMES[int(found["labels"][i])] != "N/A":
            lines.append(f"{float(found['scores'][i]):.6f} {x0:.4f} {y0:.4f} {x1:.4f} {y1:.4f} "
                         f"{NAMES[int(found['labels'][i])]}\n")
    print(name, len(found["scores"]), "found,", len(lines), "written", {line.split(" ", 5)[5].strip() for line in lines})
    assert len(lines) > 4
    (HERE / f"{name}.boxes").write_text("".join(lines))


def detr(name, model, processor):
    export_detector.export(model, processor, HERE / name, "five.labels.txt")
    shrink(name)
    pixels = processor(images=PICTURE, return_tensors="pt")["pixel_values"]
    assert pixels.shape == (1, 3, HEIGHT, WIDTH), pixels.shape
    with torch.no_grad():
        out = model(pixel_values=pixels)
    best = processor.post_process_object_detection(out, threshold=0, target_sizes=[(HEIGHT, WIDTH)])[0]["scores"].sort().values
    threshold = round(float(best[4] + best[5]) / 2, 5)                 # of 20 answers, five are too weak
    text = HERE / f"{name}.yaml"
    text.write_text(text.read_text().replace("threshold: 0.5", f"threshold: {threshold}")
                    .replace("licence: unknown\nsource: unknown", "licence: MIT\nsource: made by make_detectors.py"))
    write_boxes(name, processor.post_process_object_detection(out, threshold=threshold, target_sizes=[(HEIGHT, WIDTH)])[0])


def main():
    (HERE / "five.labels.txt").write_text(export_detector.label_lines(hf.PretrainedConfig(id2label=NAMES)))
    backbone = hf.RTDetrResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic",
                                     out_features=["stage2", "stage3", "stage4"])
    common = dict(backbone_config=backbone, id2label=NAMES, encoder_hidden_dim=8, encoder_in_channels=[8, 8, 8],
                  encoder_ffn_dim=16, encoder_attention_heads=2, d_model=8, num_queries=20,
                  decoder_in_channels=[8, 8, 8], decoder_ffn_dim=16, decoder_layers=2, decoder_attention_heads=2,
                  decoder_n_points=2, hidden_expansion=0.5, num_denoising=0)
    size = {"height": HEIGHT, "width": WIDTH}
    rt = hf.RTDetrImageProcessor(size=size)
    detr("tiny-rtdetr", spread(hf.RTDetrForObjectDetection(hf.RTDetrConfig(**common)), 2, 0.5), rt)
    detr("tiny-rtdetrv2", spread(hf.RTDetrV2ForObjectDetection(hf.RTDetrV2Config(**common)), 2, 0.5), rt)
    backbone = hf.HGNetV2Config(stem_channels=[3, 8, 8], stage_in_channels=[8, 8, 8, 8], stage_mid_channels=[4, 4, 4, 4],
                                stage_out_channels=[8, 8, 8, 8], stage_num_blocks=[1] * 4, stage_numb_of_layers=[1] * 4,
                                hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], embedding_size=8,
                                out_features=["stage2", "stage3", "stage4"])
    detr("tiny-dfine", spread(hf.DFineForObjectDetection(hf.DFineConfig(**{**common, "backbone_config": backbone,
                              "decoder_n_points": [2, 2, 2], "max_num_bins": 8, "lqe_hidden_dim": 8})), 7), rt)
    backbone = hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic",
                               out_features=["stage4"])
    detr("tiny-detr", spread(hf.DetrForObjectDetection(hf.DetrConfig(backbone_config=backbone, use_timm_backbone=False,
         use_pretrained_backbone=False, backbone=None, id2label=NAMES, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16,
         decoder_ffn_dim=16, encoder_attention_heads=2, decoder_attention_heads=2, num_queries=20)), 8),
         hf.DetrImageProcessor(size={"shortest_edge": HEIGHT, "longest_edge": WIDTH}))


if __name__ == "__main__":
    main()
