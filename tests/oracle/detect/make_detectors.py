#!/usr/bin/env python3
"""Tiny detectors of random weights from the classes of transformers, torchvision and YOLOX, and what their own code finds with them in a
picture that needs no resizing: what test_detectors.c compares with. Cards are written by tools/convert/export_detector.py.

    pip install torch transformers torchvision timm onnx
    tests/oracle/detect/make_detectors.py [YOLOX]

YOLOX is a folder with the authors' code (needs loguru, opencv-python, psutil, tabulate): without it the tiny-yolox fixtures stay.
The picture is ../open/picture.rgb, 96 x 64. NAME.boxes: "score x0 y0 x1 y1 class" by falling score, cut at its edges.
"""
import hashlib
import pathlib
import sys

import numpy as np
import onnx
import torch
import torchvision
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


def edit_card(name, threshold, old="", new=""):
    card = HERE / f"{name}.yaml"
    card.write_text(card.read_text().replace("threshold: 0.5", f"threshold: {threshold}").replace(old, new)
                    .replace("licence: unknown\nsource: unknown", "licence: MIT\nsource: made by make_detectors.py"))


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
    edit_card(name, threshold)
    write_boxes(name, processor.post_process_object_detection(out, threshold=threshold, target_sizes=[(HEIGHT, WIDTH)])[0])


def write_card(name, decoder, body):
    file = HERE / f"{name}.onnx"
    (HERE / f"{name}.yaml").write_text(
        f"name: {name}\ntask: detect\ndecoder: {decoder}\nfile: {file.name}\nsha256: {hashlib.sha256(file.read_bytes()).hexdigest()}\n"
        f"licence: MIT\nsource: made by make_detectors.py\nlabels: five.labels.txt\n{body}")


def faster_rcnn():
    """torchvision's two-stage detector, whose graph resizes, normalises and suppresses by itself: class 0 is background."""
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.rpn import AnchorGenerator
    backbone = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 8, 8), torch.nn.ReLU())
    backbone.out_channels = 8
    torch.manual_seed(4)
    model = FasterRCNN(backbone, min_size=HEIGHT, max_size=WIDTH,
                       rpn_anchor_generator=AnchorGenerator(((16, 32),), ((0.5, 1.0),)), rpn_post_nms_top_n_test=50,
                       box_detections_per_img=20, box_roi_pool=torchvision.ops.MultiScaleRoIAlign(["0"], 2, 2),
                       box_head=torchvision.models.detection.faster_rcnn.TwoMLPHead(32, 16),
                       box_predictor=torchvision.models.detection.faster_rcnn.FastRCNNPredictor(16, len(NAMES) + 1))
    spread(model, 4, 0.2)
    pixels = torch.from_numpy(PICTURE).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        found = model([pixels])[0]
    threshold = round(float(found["scores"].min()) + 1e-4, 5)
    export_detector.export_two_stage(model, HERE / "tiny-rcnn", "five.labels.txt", HEIGHT, WIDTH)
    edit_card("tiny-rcnn", threshold, "class_offset: 0", "class_offset: 1")
    keep = found["scores"] >= threshold
    write_boxes("tiny-rcnn", {"boxes": found["boxes"][keep], "scores": found["scores"][keep], "labels": found["labels"][keep] - 1})


def yolox(folder):
    """The authors' network and their post-processing. Its grids are decoded by the card, or in the graph (tiny-yolox-pixels)."""
    sys.path.insert(0, folder)
    from yolox.models import YOLOX, YOLOPAFPN, YOLOXHead
    from yolox.utils.boxes import postprocess
    strides = [8, 16, 32]
    model = YOLOX(YOLOPAFPN(0.33, 0.03125, in_channels=[256, 512, 1024]), YOLOXHead(len(NAMES), 0.03125, strides, [256, 512, 1024]))
    for m in model.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.eps = 1e-3
    spread(model, 3, 0.3)
    pixels = torch.from_numpy(np.ascontiguousarray(PICTURE[:, :, ::-1].transpose(2, 0, 1))).float()[None]
    padded = torch.full((1, 3, 96, 96), 114.0)                         # right and below
    padded[:, :, :HEIGHT] = pixels
    with torch.no_grad():
        seen = model.backbone(padded)
        for k, (x, stem) in enumerate(zip(seen, model.head.stems)):    # answers of about 1, for scores on all sides
            for convs, heads in ((model.head.cls_convs, [model.head.cls_preds]),
                                 (model.head.reg_convs, [model.head.obj_preds, model.head.reg_preds])):
                for head in heads:
                    head[k].weight /= head[k](convs[k](stem(x))).std()
                    head[k].bias.zero_()
        best = model(padded)[0]
        threshold = round(float((best[:, 4] * best[:, 5:].amax(1)).sort().values[-40]) + 1e-5, 5)
        found = postprocess(model(padded), len(NAMES), threshold, 0.45)[0]
        for name, decoded in (("tiny-yolox", False), ("tiny-yolox-pixels", True)):
            model.head.decode_in_inference = decoded
            torch.onnx.export(model, (padded,), str(HERE / f"{name}.onnx"), opset_version=17, dynamo=False,
                              input_names=["images"], output_names=["output"])
            write_card(name, "yolox", "input: images\nresize: fit\npad: 114\nwidth: 96\nheight: 96\nchannels: bgr\n"
                       f"threshold: {threshold}\niou: 0.45\n" + ("" if decoded else f"decode:\n  strides: {strides}\n"))
            shrink(name)
            write_boxes(name, {"boxes": found[:, :4], "scores": found[:, 4] * found[:, 5], "labels": found[:, 6]})


def main():
    torch.manual_seed(1)                                               # of what spread() leaves as it was
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
    backbone = hf.RfDetrDinov2Config(image_size=64, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2,
                                     patch_size=16, num_windows=2, out_indices=[1, 2])
    detr("tiny-rfdetr", spread(hf.RfDetrForObjectDetection(hf.RfDetrConfig(backbone_config=backbone, id2label=NAMES, d_model=8,
         num_queries=20, group_detr=1, decoder_layers=1, decoder_ffn_dim=16, decoder_self_attention_heads=2,
         decoder_cross_attention_heads=2, decoder_n_points=2, c2f_num_blocks=1)), 9, 0.5),
         hf.RfDetrImageProcessor(size=size))
    faster_rcnn()
    if len(sys.argv) > 1:
        yolox(sys.argv[1])


if __name__ == "__main__":
    main()
