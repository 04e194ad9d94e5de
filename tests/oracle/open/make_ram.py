#!/usr/bin/env python3
"""Tiny RAM and RAM++ of random weights, built by the authors' own classes, with what their
generate_tag says of one photograph: what test_taggers.c compares with. The models and cards are
written by tools/convert/export_ram.py.

    pip install torch torchvision transformers timm scipy onnx
    tests/oracle/open/make_ram.py CODE                 (a checkout of recognize-anything)

NAME.tags: every class as "score said label", said 1 when generate_tag names it. The code is run as
it is but for its sizes (12 tags, vectors of 32 instead of 512, two Swin layers) and for imports
that newer packages no longer have.
"""

import json
import pathlib
import shutil
import sys
import tempfile
import types

import numpy as np
import torch
import transformers
from PIL import Image

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "tools/convert"))
import export_ram  # noqa: E402

SIZE = 224
PICTURE = Image.open(HERE.parents[2] / "samples/budgerigar.jpg").convert("RGB")
TAGS = [
    "bird",
    "green",
    "branch",
    "sky",
    "leaf",
    "parrot",
    "tree",
    "stand",
    "sit",
    "tail",
    "water",
    "beak",
]
THRESHOLDS = [0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.5, 0.5, 0.45, 0.55]


class Base(torch.nn.Module):
    """What the code's BERT needs of the PreTrainedModel of its time."""

    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, config):
        super().__init__()
        self.config = config

    def init_weights(self):
        pass

    def resize_token_embeddings(self, n):
        pass

    def invert_attention_mask(self, mask):
        return (1 - mask[:, None, None, :].float()) * -1e9

    def get_head_mask(self, mask, n):
        return [None] * n


def stand_ins():
    """For modules and names that the code imports and that are gone, or do nothing in inference."""
    import timm.layers as layers

    for name, contents in {
        "clip": {"clip": None},
        "fairscale.nn.checkpoint.checkpoint_activations": {"checkpoint_wrapper": None},
        "timm.models.hub": {"download_cached_file": None},
        "timm.models.registry": {"register_model": lambda f: f},
        "timm.models.layers": {
            k: getattr(layers, k) for k in ("DropPath", "to_2tuple", "trunc_normal_")
        },
        "timm.models.helpers": {"named_apply": None, "adapt_input_conv": None},
        "transformers.file_utils": {"ModelOutput": transformers.utils.ModelOutput},
    }.items():
        parts = name.split(".")
        for i in range(1, len(parts)):
            sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(parts[i - 1]))
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(contents)
    utils = transformers.modeling_utils
    utils.apply_chunking_to_forward = lambda f, size, dim, *x: f(*x)
    utils.PreTrainedModel = Base
    utils.find_pruneable_heads_and_indices = utils.prune_linear_layer = None


def small_code(code, folder):
    shutil.copytree(pathlib.Path(code) / "ram", folder / "ram")
    package = folder / "ram"
    (package / "__init__.py").write_text("")
    (package / "models/__init__.py").write_text("")
    for name in ("ram", "ram_plus"):
        file = package / f"models/{name}.py"
        file.write_text(file.read_text().replace("512", "32"))
    utils = package / "models/utils.py"
    utils.write_text(
        utils.read_text().replace("from transformers import BertTokenizer", "BertTokenizer = None")
    )
    (package / "data/ram_tag_list.txt").write_text("\n".join(TAGS))
    (package / "data/ram_tag_list_chinese.txt").write_text("\n".join(TAGS))
    (package / "data/ram_tag_list_threshold.txt").write_text("\n".join(map(str, THRESHOLDS)))
    swin = package / "configs/swin/config_swinB_224.json"
    swin.write_text(
        json.dumps(
            dict(
                json.loads(swin.read_text()),
                vision_width=16,
                embed_dim=8,
                depths=[1, 1],
                num_heads=[2, 2],
            )
        )
    )
    for name in ("q2l_config.json", "med_config.json"):
        file = package / "configs" / name
        file.write_text(
            json.dumps(
                dict(
                    json.loads(file.read_text()),
                    hidden_size=16,
                    intermediate_size=16,
                    num_hidden_layers=1,
                    num_attention_heads=2,
                    vocab_size=40,
                    max_position_embeddings=8,
                )
            )
        )
    sys.path.insert(0, str(folder))


class Tokenizer:
    """Of training; only its length is asked for."""

    input_ids = [0, 1]

    def __len__(self):
        return 40

    def __call__(self, text):
        return self


def tiny(module, name, descriptions):
    module.init_tokenizer = lambda kind: Tokenizer()
    torch.manual_seed(5)
    model = getattr(module, name)(image_size=SIZE, vit="swin_b").eval()
    model.label_embed = torch.nn.Parameter(torch.randn(len(TAGS) * descriptions, 32))
    for layer in (model.fc, model.image_proj, model.wordvec_proj):
        torch.nn.init.normal_(layer.weight, std=0.5)  # spread the scores over both sides
    return model


def write(name, model, transform):
    export_ram.export(
        model,
        SIZE,
        HERE / name,
        {"labels": "ram-tiny.labels.txt", "thresholds": "ram-tiny.thresholds.txt"},
    )
    pixels = transform(PICTURE)[None]
    with torch.no_grad():
        said = model.generate_tag(pixels)[0][0].split(" | ")
        scores = torch.sigmoid(export_ram.Logits(model)(pixels))[0]
    lines = [f"{float(s):.6f} {int(t in said)} {t}\n" for t, s in zip(TAGS, scores)]
    assert 2 < len(said) < 10 and np.ptp(scores.numpy()) > 0.2, lines
    (HERE / f"{name}.tags").write_text("".join(lines))


def main():
    stand_ins()
    with tempfile.TemporaryDirectory() as folder:
        small_code(sys.argv[1], pathlib.Path(folder))
        import ram.models.ram as ram
        import ram.models.ram_plus as plus
        from ram.transform import get_transform

        write("tiny-ram", tiny(ram, "RAM", 1), get_transform(SIZE))
        write("tiny-ram-plus", tiny(plus, "RAM_plus", 3), get_transform(SIZE))
    (HERE / "ram-tiny.labels.txt").write_text("".join(t + "\n" for t in TAGS))
    (HERE / "ram-tiny.thresholds.txt").write_text("".join(f"{t}\n" for t in THRESHOLDS))


if __name__ == "__main__":
    main()
