#!/usr/bin/env python3
"""A detector as ONNX with its model card, from a folder of `transformers`, from torchvision or
Detectron2. Works offline.

    pip install torch transformers torchvision onnx
    tools/convert/export_detector.py FOLDER share/models/NAME
    tools/convert/export_detector.py --torchvision fasterrcnn_resnet50_fpn_v2 --weights FILE
    share/models/NAME tools/convert/export_detector.py --detectron2 CONFIG.py --weights FILE
    share/models/NAME

FOLDER holds config.json, preprocessor_config.json and the weights of an RT-DETR, RT-DETRv2, D-FINE,
RF-DETR or DETR model. CONFIG.py is a LazyConfig of Detectron2, or of EVA-02/det, which is one;
whichever is installed runs it, on the CPU. Written are NAME.onnx, NAME.labels.txt and NAME.yaml, in
which `licence` and `source` are still to be filled in.
--labels FILE names a file beside the card to use instead. docs/EXTENDING.md.
"""

import argparse
import hashlib
import importlib
import pathlib
import sys
import types

import torch

BILINEAR, BICUBIC = 2, 3  # as Pillow counts them
SOFTMAX = {
    "rt_detr": 0,
    "rt_detr_v2": 0,
    "d_fine": 0,
    "rf_detr": 0,
    "detr": 1,
}  # whether labels exclude each other

LABELS = {
    80: "coco-80.labels.txt",
    1203: "lvis-1203.labels.txt",
}  # of Detectron2, by the number of classes


class Answer(torch.nn.Module):
    """The two outputs that matter."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        result = self.model(pixel_values=pixels)
        return result.logits, result.pred_boxes


def preprocessing(processor):
    """The card's fields from an image processor of transformers."""
    size = {key: value for key, value in dict(processor.size).items() if value}
    scale = 255 if processor.do_normalize else 1 / processor.rescale_factor
    fields = {"interpolation": {BILINEAR: "bilinear", BICUBIC: "bicubic"}[int(processor.resample)]}
    if "height" in size:
        fields.update(resize="stretch", width=size["width"], height=size["height"])
    else:
        fields.update(
            resize="shortest", resize_side=size["shortest_edge"], max_side=size["longest_edge"]
        )
    fields["mean"] = [
        round(m * scale, 6) for m in (processor.image_mean if processor.do_normalize else [0] * 3)
    ]
    fields["std"] = [
        round(s * scale, 6) for s in (processor.image_std if processor.do_normalize else [1] * 3)
    ]
    return fields


def label_lines(config):
    """The model's classes, a line each; what stands for no class is dropped by its empty name."""
    names = [config.id2label[i] for i in range(len(config.id2label))]
    return "".join(f"{name}\t\n" if name == "N/A" else f"{name}\n" for name in names)


def freeze_positions(model, pixels):
    """Position embeddings that are resized for the input become constants: their resizing has no
    ONNX."""
    resizers = [m for m in model.modules() if hasattr(m, "interpolate_pos_encoding")]
    tables = {}
    for m in resizers:

        def record(*args, m=m, resize=m.interpolate_pos_encoding, **named):
            tables[m] = resize(*args, **named).detach()
            return tables[m]

        m.interpolate_pos_encoding = record
    model(pixel_values=pixels)
    for m in resizers:
        m.interpolate_pos_encoding = lambda *args, m=m, **named: tables[m]


def export(model, processor, to, labels=None):
    """TO.onnx, TO.yaml and, without labels, TO.labels.txt."""
    to = pathlib.Path(to)
    file = to.with_name(to.name + ".onnx")
    fields = preprocessing(processor)
    if model.config.model_type not in SOFTMAX:
        raise SystemExit(f"{model.config.model_type}: known are {', '.join(sorted(SOFTMAX))}")
    free = {} if "width" in fields else {2: "height", 3: "width"}
    shape = (fields.get("height", 192), fields.get("width", 256))
    torch.backends.mha.set_fastpath_enabled(False)  # its operator has no ONNX
    with torch.no_grad():
        if not free:
            freeze_positions(model.eval(), torch.zeros(1, 3, *shape))
        torch.onnx.export(
            Answer(model).eval(),
            (torch.zeros(1, 3, *shape),),
            str(file),
            input_names=["pixel_values"],
            output_names=["logits", "boxes"],
            opset_version=17,
            dynamo=False,
            dynamic_axes={"pixel_values": free} if free else None,
        )
    if not labels:
        labels = to.name + ".labels.txt"
        to.with_name(labels).write_text(label_lines(model.config))
    write_card(
        to,
        file,
        {
            "decoder": "detr",
            "input": "pixel_values",
            **fields,
            "labels": labels,
            "decode": "{softmax: %d, max_boxes: %d}"
            % (SOFTMAX[model.config.model_type], model.config.num_queries),
        },
    )


def export_two_stage(model, to, labels, side=800, most=1333):
    """TO.onnx and TO.yaml of a detector of torchvision, whose graph normalises, resizes and
    suppresses by itself."""
    to = pathlib.Path(to)
    file = to.with_name(to.name + ".onnx")
    with torch.no_grad():
        torch.onnx.export(
            model.eval(),
            ([torch.rand(3, side, side)],),
            str(file),
            opset_version=17,
            dynamo=False,
            input_names=["image"],
            output_names=["boxes", "labels", "scores"],
            dynamic_axes={
                "image": {1: "height", 2: "width"},
                "boxes": {0: "n"},
                "labels": {0: "n"},
                "scores": {0: "n"},
            },
        )
    write_card(
        to,
        file,
        {
            "decoder": "boxes",
            "input": "image",
            "resize": "shortest",
            "resize_side": side,
            "max_side": most,
            "std": [255, 255, 255],
            "labels": labels,
            "decode": "{class_offset: 0, max_boxes: 100}",
        },
    )


def leave_out(*modules):
    """Stand-ins for what EVA-02/det imports but needs only for training and for soft suppression,
    which is off."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].soft_nms = None


def from_detectron2(config, weights):
    """The model of a LazyConfig with its weights, and the sides that its test images are resized
    to."""
    leave_out("wandb", "mmcv", "mmcv.ops")
    from detectron2.checkpoint import DetectionCheckpointer
    from detectron2.config import LazyConfig, instantiate

    config = LazyConfig.load(config)
    averaged = config.get("train", {}).get("model_ema", {}).get("enabled", False)

    class Weights(DetectionCheckpointer):
        def _load_model(self, checkpoint):
            if averaged:  # what the authors evaluate, where the file has it
                checkpoint["model"].update(checkpoint.get("ema_state", {}))
            found = super()._load_model(checkpoint)
            if found.missing_keys or found.incorrect_shapes:
                raise SystemExit(
                    f"{weights}: not of this config: {found.missing_keys} {found.incorrect_shapes}"
                )
            return found

    if "use_act_checkpoint" in config.model.backbone.get(
        "net", {}
    ):  # saves memory in training only
        config.model.backbone.net.use_act_checkpoint = False
    model = instantiate(config.model)
    Weights(model).load(weights)
    resize = next(
        a for a in config.dataloader.test.mapper.augmentations if "short_edge_length" in a
    )
    return model, resize.short_edge_length, resize.max_size


def export_detectron2(model, to, labels, side, most):
    """TO.onnx and TO.yaml of a two-stage detector of Detectron2, whose graph normalises, pads and
    suppresses by itself."""
    from detectron2.export import TracingAdapter

    to = pathlib.Path(to)
    file = to.with_name(to.name + ".onnx")
    model.eval()
    model.roi_heads.mask_on = model.roi_heads.keypoint_on = False  # boxes only
    for m in model.modules():
        if hasattr(m, "xattn"):
            m.xattn = False  # the same sums without xformers: it has no ONNX
    best = [m for m in model.modules() if hasattr(m, "test_topk_per_image")][-1].test_topk_per_image

    def boxes(model, pixels):
        found = model.inference([{"image": pixels[0]}], do_postprocess=False)[0]
        return found.pred_boxes.tensor, found.scores, found.pred_classes

    with torch.no_grad():
        pixels = (
            torch.rand(1, 3, side // 2, side * 3 // 4) * 255
        )  # neither side is the one that is padded to
        torch.onnx.export(
            TracingAdapter(model, pixels, boxes).eval(),
            (pixels,),
            str(file),
            opset_version=17,
            dynamo=False,
            input_names=["image"],
            output_names=["boxes", "scores", "classes"],
            dynamic_axes={
                "image": {2: "height", 3: "width"},
                "boxes": {0: "n"},
                "scores": {0: "n"},
                "classes": {0: "n"},
            },
        )
    write_card(
        to,
        file,
        {
            "decoder": "boxes",
            "input": "image",
            "channels": model.input_format.lower(),
            "resize": "shortest",
            "resize_side": side,
            "max_side": most,
            "labels": labels,
            "decode": "{class_offset: 0, max_boxes: %d}" % best,
        },
    )


def write_card(to, file, fields):
    card = {
        "name": to.name,
        "task": "detect",
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "licence": "unknown",
        "source": "unknown",
        "channels": "rgb",
        "layout": "nchw",
        "threshold": 0.5,
        "iou": 1,
        **fields,
    }
    to.with_name(to.name + ".yaml").write_text(
        "".join(f"{key}: {value}\n" for key, value in card.items())
    )


def from_torchvision(name, weights):
    from torchvision.models import get_model

    model = get_model(name, weights=None, weights_backbone=None)
    model.load_state_dict(torch.load(weights, weights_only=True))
    return model


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", help="of a transformers model")
    parser.add_argument("to", help="path of the card without .yaml")
    parser.add_argument("--labels", metavar="FILE", help="beside the card: a class a line")
    parser.add_argument("--torchvision", metavar="NAME", help="torchvision's name of the model")
    parser.add_argument(
        "--detectron2", metavar="CONFIG.py", help="a LazyConfig of Detectron2 or EVA-02/det"
    )
    parser.add_argument(
        "--weights", metavar="FILE", help="of the model of torchvision or Detectron2"
    )
    options = parser.parse_args()
    if [bool(options.folder), bool(options.torchvision), bool(options.detectron2)].count(True) != 1:
        parser.error("either FOLDER, --torchvision or --detectron2")
    if bool(options.folder) == bool(options.weights):
        parser.error("--weights goes with --torchvision or --detectron2")
    if options.torchvision:
        model = from_torchvision(options.torchvision, options.weights)
        return export_two_stage(model, options.to, options.labels or "coco-91.labels.txt")
    if options.detectron2:
        model, side, most = from_detectron2(options.detectron2, options.weights)
        labels = options.labels or LABELS.get(model.roi_heads.num_classes)
        if not labels:
            parser.error(f"--labels: the names of {model.roi_heads.num_classes} classes")
        return export_detectron2(model, options.to, labels, side, most)
    import transformers

    model = transformers.AutoModelForObjectDetection.from_pretrained(
        options.folder, local_files_only=True
    )
    processor = transformers.AutoImageProcessor.from_pretrained(
        options.folder, local_files_only=True
    )
    export(model, processor, options.to, options.labels)


if __name__ == "__main__":
    main()
