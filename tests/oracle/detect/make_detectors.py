#!/usr/bin/env python3
"""Tiny detectors of random weights from the classes of transformers, torchvision, YOLOX and EVA-02,
and what their own code finds with them in a picture that needs no resizing: what test_detectors.c
compares with. Cards are written by tools/convert/export_detector.py.

    pip install torch transformers torchvision timm onnx
    tests/oracle/detect/make_detectors.py [YOLOX]
    tests/oracle/detect/make_detectors.py --eva02 EVA/EVA-02/det

YOLOX is a folder with the authors' code (needs loguru, opencv-python, psutil, tabulate): without it
the tiny-yolox fixtures stay.
--eva02 makes tiny-eva02 alone, for the authors' code is a fork of Detectron2 that needs older
packages: docs/EXTENDING.md. The picture is ../open/picture.rgb, 96 x 64. NAME.boxes: "score x0 y0
x1 y1 class" by falling score, cut at its edges.
"""

import argparse
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
import export_detector  # noqa: E402

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


def shorten(graph, names):
    del graph.value_info[:]
    for node in graph.node:
        node.name = node.doc_string = ""
        for ends in (node.input, node.output):
            ends[:] = [end and names.setdefault(end, f"{len(names):x}") for end in ends]
        for branch in [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]:
            shorten(branch, names)
            for end in branch.output:
                end.name = names[end.name]
    for weight in graph.initializer:
        weight.name = names.setdefault(weight.name, f"{len(names):x}")


def shrink(name):
    """Short names within the graph, which are most of such a small file; the card's sha256
    follows."""
    file, card = HERE / f"{name}.onnx", HERE / f"{name}.yaml"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    model = onnx.load(file)
    shorten(model.graph, {end.name: end.name for end in [*model.graph.input, *model.graph.output]})
    onnx.checker.check_model(model)
    data = model.SerializeToString(deterministic=True)
    file.write_bytes(data)
    card.write_text(card.read_text().replace(before, hashlib.sha256(data).hexdigest()))


def edit_card(name, threshold, old="", new=""):
    card = HERE / f"{name}.yaml"
    card.write_text(
        card.read_text()
        .replace("threshold: 0.5", f"threshold: {threshold}")
        .replace(old, new)
        .replace(
            "licence: unknown\nsource: unknown", "licence: MIT\nsource: made by make_detectors.py"
        )
    )


def write_boxes(name, found):
    lines = []
    for i in torch.argsort(-found["scores"], stable=True):
        box = found["boxes"][i].double().clip(min=0)
        x0, y0, x1, y1 = [
            float(v)
            for v in torch.minimum(box, torch.tensor([WIDTH, HEIGHT] * 2, dtype=torch.double))
        ]
        if x1 - x0 >= 1 and y1 - y0 >= 1 and NAMES[int(found["labels"][i])] != "N/A":
            lines.append(
                f"{float(found['scores'][i]):.6f} {x0:.4f} {y0:.4f} {x1:.4f} {y1:.4f} "
                f"{NAMES[int(found['labels'][i])]}\n"
            )
    print(
        name,
        len(found["scores"]),
        "found,",
        len(lines),
        "written",
        {line.split(" ", 5)[5].strip() for line in lines},
    )
    assert len(lines) > 4
    (HERE / f"{name}.boxes").write_text("".join(lines))


def detr(name, model, processor):
    export_detector.export(model, processor, HERE / name, "five.labels.txt")
    shrink(name)
    pixels = processor(images=PICTURE, return_tensors="pt")["pixel_values"]
    assert pixels.shape == (1, 3, HEIGHT, WIDTH), pixels.shape
    with torch.no_grad():
        out = model(pixel_values=pixels)
    best = (
        processor.post_process_object_detection(out, threshold=0, target_sizes=[(HEIGHT, WIDTH)])[
            0
        ]["scores"]
        .sort()
        .values
    )
    threshold = round(float(best[4] + best[5]) / 2, 5)  # of 20 answers, five are too weak
    edit_card(name, threshold)
    write_boxes(
        name,
        processor.post_process_object_detection(
            out, threshold=threshold, target_sizes=[(HEIGHT, WIDTH)]
        )[0],
    )


def write_card(name, decoder, body):
    file = HERE / f"{name}.onnx"
    (HERE / f"{name}.yaml").write_text(
        f"name: {name}\ntask: detect\ndecoder: {decoder}\nfile: {file.name}\nsha256: {hashlib.sha256(file.read_bytes()).hexdigest()}\n"
        f"licence: MIT\nsource: made by make_detectors.py\nlabels: five.labels.txt\n{body}"
    )


def faster_rcnn():
    """torchvision's two-stage detector, whose graph resizes, normalises and suppresses by itself:
    class 0 is background."""
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.rpn import AnchorGenerator

    backbone = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 8, 8), torch.nn.ReLU())
    backbone.out_channels = 8
    torch.manual_seed(4)
    model = FasterRCNN(
        backbone,
        min_size=HEIGHT,
        max_size=WIDTH,
        rpn_anchor_generator=AnchorGenerator(((16, 32),), ((0.5, 1.0),)),
        rpn_post_nms_top_n_test=50,
        box_detections_per_img=20,
        box_roi_pool=torchvision.ops.MultiScaleRoIAlign(["0"], 2, 2),
        box_head=torchvision.models.detection.faster_rcnn.TwoMLPHead(32, 16),
        box_predictor=torchvision.models.detection.faster_rcnn.FastRCNNPredictor(
            16, len(NAMES) + 1
        ),
    )
    spread(model, 4, 0.2)
    pixels = torch.from_numpy(PICTURE).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        found = model([pixels])[0]
    threshold = round(float(found["scores"].min()) + 1e-4, 5)
    export_detector.export_two_stage(model, HERE / "tiny-rcnn", "five.labels.txt", HEIGHT, WIDTH)
    edit_card("tiny-rcnn", threshold, "class_offset: 0", "class_offset: 1")
    keep = found["scores"] >= threshold
    write_boxes(
        "tiny-rcnn",
        {
            "boxes": found["boxes"][keep],
            "scores": found["scores"][keep],
            "labels": found["labels"][keep] - 1,
        },
    )


def yolox(folder):
    """The authors' network and their post-processing. Its grids are decoded by the card, or in the
    graph (tiny-yolox-pixels)."""
    sys.path.insert(0, folder)
    from yolox.models import YOLOX, YOLOPAFPN, YOLOXHead
    from yolox.utils.boxes import postprocess

    strides = [8, 16, 32]
    model = YOLOX(
        YOLOPAFPN(0.33, 0.03125, in_channels=[256, 512, 1024]),
        YOLOXHead(len(NAMES), 0.03125, strides, [256, 512, 1024]),
    )
    for m in model.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.eps = 1e-3
    spread(model, 3, 0.3)
    pixels = torch.from_numpy(np.ascontiguousarray(PICTURE[:, :, ::-1].transpose(2, 0, 1))).float()[
        None
    ]
    padded = torch.full((1, 3, 96, 96), 114.0)  # right and below
    padded[:, :, :HEIGHT] = pixels
    with torch.no_grad():
        seen = model.backbone(padded)
        for k, (x, stem) in enumerate(
            zip(seen, model.head.stems)
        ):  # answers of about 1, for scores on all sides
            for convs, heads in (
                (model.head.cls_convs, [model.head.cls_preds]),
                (model.head.reg_convs, [model.head.obj_preds, model.head.reg_preds]),
            ):
                for head in heads:
                    head[k].weight /= head[k](convs[k](stem(x))).std()
                    head[k].bias.zero_()
        best = model(padded)[0]
        threshold = round(float((best[:, 4] * best[:, 5:].amax(1)).sort().values[-40]) + 1e-5, 5)
        found = postprocess(model(padded), len(NAMES), threshold, 0.45)[0]
        for name, decoded in (("tiny-yolox", False), ("tiny-yolox-pixels", True)):
            model.head.decode_in_inference = decoded
            torch.onnx.export(
                model,
                (padded,),
                str(HERE / f"{name}.onnx"),
                opset_version=17,
                dynamo=False,
                input_names=["images"],
                output_names=["output"],
            )
            write_card(
                name,
                "yolox",
                "input: images\nresize: fit\npad: 114\nwidth: 96\nheight: 96\nchannels: bgr\n"
                f"threshold: {threshold}\niou: 0.45\n"
                + ("" if decoded else f"decode:\n  strides: {strides}\n"),
            )
            shrink(name)
            write_boxes(
                name,
                {"boxes": found[:, :4], "scores": found[:, 4] * found[:, 5], "labels": found[:, 6]},
            )


def even_out(layer, size):
    """Each answer of the layer about 0 and of this size on the whole, in what it is asked first."""

    def first(layer, inputs, answer):
        done.remove()
        over = [d for d in range(answer.dim()) if d != 1]
        scale, middle = size / answer.std(over), answer.mean(over)
        layer.weight *= scale.reshape(-1, *[1] * (layer.weight.dim() - 1))
        layer.bias.copy_(scale * (layer.bias - middle))
        return layer(inputs[0])

    done = layer.register_forward_hook(first)


def eva02(folder):
    """The paper's detector by the authors' config for LVIS, made small: windows, then the whole; a
    square; three stages."""
    export_detector.leave_out("wandb", "mmcv", "mmcv.ops")
    sys.path.insert(0, folder)
    from detectron2.config import LazyConfig, instantiate
    from detectron2.layers import ShapeSpec

    config = LazyConfig.load(
        f"{folder}/projects/ViTDet/configs/eva2_mim_to_lvis/"
        "eva2_lvis_cascade_mask_rcnn_vitdet_l_8attn_win32_1536_lrd0p8.py"
    ).model
    config.backbone.net.update(
        img_size=WIDTH,
        embed_dim=8,
        depth=2,
        num_heads=2,
        window_size=4,
        window_block_indexes=[0],
        pretrain_img_size=64,
        drop_path_rate=0,
        use_act_checkpoint=False,
        xattn=False,
    )
    config.backbone.update(out_channels=8, square_pad=WIDTH)
    config.proposal_generator.head.in_channels = 8
    config.proposal_generator.anchor_generator.sizes = [[12], [24], [48], [64], [96]]
    config.proposal_generator.post_nms_topk = (40, 40)
    heads = config.roi_heads
    heads.num_classes = len(NAMES)
    heads.box_pooler.update(
        output_size=3, canonical_box_size=24
    )  # so that such small boxes come from all levels
    for head, predictor in zip(heads.box_heads, heads.box_predictors):
        head.update(
            input_shape=ShapeSpec(channels=8, height=3, width=3), conv_dims=[8], fc_dims=[16]
        )
        predictor.update(
            input_shape=ShapeSpec(channels=16), test_topk_per_image=20, use_fed_loss=False
        )
    heads.mask_head.update(input_shape=ShapeSpec(channels=8, width=14, height=14), conv_dims=[8, 8])
    torch.manual_seed(5)
    model = spread(instantiate(config), 5)
    for p in model.parameters():
        if p.dim() == 1:  # biases, too, which are zero else
            p.data += 0.2 * torch.randn_like(p)
    even_out(model.backbone.net.patch_embed.proj, 1)
    even_out(model.proposal_generator.rpn_head.objectness_logits, 2)
    even_out(model.proposal_generator.rpn_head.anchor_deltas, 0.3)
    for predictor in model.roi_heads.box_predictor:
        even_out(predictor.cls_score, 2)
        even_out(predictor.bbox_pred, 2)
    pixels = torch.from_numpy(PICTURE.transpose(2, 0, 1).copy())
    with torch.no_grad():
        model.inference([{"image": pixels}])
        found = model.inference([{"image": pixels, "height": HEIGHT, "width": WIDTH}])[0][
            "instances"
        ]
    threshold = round(float(found.scores.min()) + 1e-4, 5)
    export_detector.export_detectron2(model, HERE / "tiny-eva02", "five.labels.txt", HEIGHT, WIDTH)
    shrink("tiny-eva02")
    edit_card("tiny-eva02", threshold)
    keep = found.scores >= threshold
    write_boxes(
        "tiny-eva02",
        {
            "boxes": found.pred_boxes.tensor[keep],
            "scores": found.scores[keep],
            "labels": found.pred_classes[keep],
        },
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("yolox", metavar="YOLOX", nargs="?")
    parser.add_argument("--eva02", metavar="FOLDER")
    options = parser.parse_args()
    if options.eva02:
        return eva02(options.eva02)
    torch.manual_seed(1)  # of what spread() leaves as it was
    (HERE / "five.labels.txt").write_text(
        export_detector.label_lines(hf.PretrainedConfig(id2label=NAMES))
    )
    backbone = hf.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    common = dict(
        backbone_config=backbone,
        id2label=NAMES,
        encoder_hidden_dim=8,
        encoder_in_channels=[8, 8, 8],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=8,
        num_queries=20,
        decoder_in_channels=[8, 8, 8],
        decoder_ffn_dim=16,
        decoder_layers=2,
        decoder_attention_heads=2,
        decoder_n_points=2,
        hidden_expansion=0.5,
        num_denoising=0,
    )
    size = {"height": HEIGHT, "width": WIDTH}
    rt = hf.RTDetrImageProcessor(size=size)
    detr("tiny-rtdetr", spread(hf.RTDetrForObjectDetection(hf.RTDetrConfig(**common)), 2, 0.5), rt)
    detr(
        "tiny-rtdetrv2",
        spread(hf.RTDetrV2ForObjectDetection(hf.RTDetrV2Config(**common)), 2, 0.5),
        rt,
    )
    backbone = hf.HGNetV2Config(
        stem_channels=[3, 8, 8],
        stage_in_channels=[8, 8, 8, 8],
        stage_mid_channels=[4, 4, 4, 4],
        stage_out_channels=[8, 8, 8, 8],
        stage_num_blocks=[1] * 4,
        stage_numb_of_layers=[1] * 4,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        embedding_size=8,
        out_features=["stage2", "stage3", "stage4"],
    )
    detr(
        "tiny-dfine",
        spread(
            hf.DFineForObjectDetection(
                hf.DFineConfig(
                    **{
                        **common,
                        "backbone_config": backbone,
                        "decoder_n_points": [2, 2, 2],
                        "max_num_bins": 8,
                        "lqe_hidden_dim": 8,
                    }
                )
            ),
            7,
        ),
        rt,
    )
    backbone = hf.ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage4"],
    )
    detr(
        "tiny-detr",
        spread(
            hf.DetrForObjectDetection(
                hf.DetrConfig(
                    backbone_config=backbone,
                    use_timm_backbone=False,
                    use_pretrained_backbone=False,
                    backbone=None,
                    id2label=NAMES,
                    d_model=16,
                    encoder_layers=1,
                    decoder_layers=1,
                    encoder_ffn_dim=16,
                    decoder_ffn_dim=16,
                    encoder_attention_heads=2,
                    decoder_attention_heads=2,
                    num_queries=20,
                )
            ),
            8,
        ),
        hf.DetrImageProcessor(size={"shortest_edge": HEIGHT, "longest_edge": WIDTH}),
    )
    backbone = hf.RfDetrDinov2Config(
        image_size=64,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        patch_size=16,
        num_windows=2,
        out_indices=[1, 2],
    )
    detr(
        "tiny-rfdetr",
        spread(
            hf.RfDetrForObjectDetection(
                hf.RfDetrConfig(
                    backbone_config=backbone,
                    id2label=NAMES,
                    d_model=8,
                    num_queries=20,
                    group_detr=1,
                    decoder_layers=1,
                    decoder_ffn_dim=16,
                    decoder_self_attention_heads=2,
                    decoder_cross_attention_heads=2,
                    decoder_n_points=2,
                    c2f_num_blocks=1,
                )
            ),
            9,
            0.5,
        ),
        hf.RfDetrImageProcessor(size=size),
    )
    faster_rcnn()
    if options.yolox:
        yolox(options.yolox)


if __name__ == "__main__":
    main()
