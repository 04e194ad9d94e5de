#!/usr/bin/env python3
"""Writes a tiny vision-language model for llama.cpp: real GGUF files of the official architectures,
with weights of noise.

    tiny_vlm.py OUTDIR [--seed 1] [--width 64]

tiny.gguf is a llama of two layers with a small vocabulary of words and the ChatML template;
tiny-mmproj.gguf is a CLIP ViT with LLaVA-1.5's two-layer projector, 56 pixels a side, 16 tokens a
picture, for a language model of --width (another width than 64 makes a projector that does not
fit). What it says means nothing, but depends on picture and prompt, and is the same on every run.
"""

import argparse
import os

import gguf
import numpy as np

DIM, LAYERS, HEADS, FORWARD, CONTEXT = 64, 2, 2, 128, 4096
IMAGE, PATCH, VISION_LAYERS = 56, 14, 3
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
WORDS = """a the one two three small large red blue green white black grey dark bright old cat dog bird horse car boat tree
house road river sky cloud mountain field flower man woman child street wall window table chair cup book sign lamp door bridge
beach snow grass rock is are stands sits runs holds lies with on in near under behind above left right of at photo shadow light
edge foreground background""".split()


def printable_bytes():
    """GPT-2's table from bytes to printable characters: those that print stand for themselves."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in kept else next(others)) for byte in range(256)]


def write(path, architecture, describe, tensors):
    writer = gguf.GGUFWriter(path, architecture)
    describe(writer)
    for name, values in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(values, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def noise(rng, rows, columns, gain=1.0):
    return rng.standard_normal((rows, columns)) * gain / np.sqrt(columns)


def language_model(path, rng):
    words = [
        "\u0120" + word for word in WORDS
    ]  # the character that stands for a space before a word
    tokens = SPECIAL + printable_bytes() + words
    merges = list(dict.fromkeys(f"{w[:i]} {w[i]}" for w in words for i in range(1, len(w))))
    spoken = [i for i, token in enumerate(tokens) if token in {*words, ".", "<|im_end|>"}]
    output = np.zeros((len(tokens), DIM))  # a row of zeros never wins: bytes stay unsaid
    output[spoken] = rng.standard_normal((len(spoken), DIM))
    tensors = {
        "token_embd.weight": rng.standard_normal((len(tokens), DIM)),
        "output_norm.weight": np.ones(DIM),
        "output.weight": output,
    }
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        tensors |= {
            block + "attn_norm.weight": np.ones(DIM),
            block + "ffn_norm.weight": np.ones(DIM),
            block + "attn_q.weight": noise(rng, DIM, DIM, 1.5),
            block + "attn_k.weight": noise(rng, DIM, DIM, 1.5),
            block + "attn_v.weight": noise(rng, DIM, DIM, 2),
            block + "attn_output.weight": noise(rng, DIM, DIM, 2),
            block + "ffn_gate.weight": noise(rng, FORWARD, DIM),
            block + "ffn_up.weight": noise(rng, FORWARD, DIM),
            block + "ffn_down.weight": noise(rng, DIM, FORWARD, 2),
        }

    def describe(w):
        w.add_name("tiny"), w.add_file_type(0), w.add_context_length(
            CONTEXT
        ), w.add_embedding_length(DIM)
        w.add_block_count(LAYERS), w.add_feed_forward_length(FORWARD), w.add_head_count(
            HEADS
        ), w.add_head_count_kv(HEADS)
        w.add_rope_dimension_count(DIM // HEADS), w.add_layer_norm_rms_eps(1e-5), w.add_vocab_size(
            len(tokens)
        )
        w.add_tokenizer_model("gpt2"), w.add_tokenizer_pre("gpt-2"), w.add_token_list(
            tokens
        ), w.add_token_merges(merges)
        control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
        w.add_token_types([control] * len(SPECIAL) + [normal] * (len(tokens) - len(SPECIAL)))
        w.add_bos_token_id(1), w.add_eos_token_id(2), w.add_unk_token_id(0), w.add_pad_token_id(0)
        w.add_add_bos_token(False), w.add_chat_template(CHATML)

    write(path, "llama", describe, tensors)


def projector(path, rng, width):
    one, zero, patches = np.ones(DIM), np.zeros(DIM), (IMAGE // PATCH) ** 2
    tensors = {
        "v.patch_embd.weight": noise(rng, DIM, 3 * PATCH * PATCH, 2).reshape(DIM, 3, PATCH, PATCH),
        "v.position_embd.weight": rng.standard_normal((patches, DIM)) * 0.3,
        "v.pre_ln.weight": one,
        "v.pre_ln.bias": zero,
    }
    for layer in range(VISION_LAYERS):  # LLaVA takes the last but one
        block = f"v.blk.{layer}."
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            tensors |= {f"{block}{name}.weight": noise(rng, DIM, DIM), f"{block}{name}.bias": zero}
        for name in ("ln1", "ln2"):
            tensors |= {f"{block}{name}.weight": one, f"{block}{name}.bias": zero}
        tensors |= {
            block + "ffn_up.weight": noise(rng, FORWARD, DIM),
            block + "ffn_up.bias": np.zeros(FORWARD),
            block + "ffn_down.weight": noise(rng, DIM, FORWARD),
            block + "ffn_down.bias": zero,
        }
    # As large as the rows of words are, so that the picture is heard beside them.
    tensors |= {
        "mm.0.weight": noise(rng, width, DIM),
        "mm.0.bias": np.zeros(width),
        "mm.2.weight": noise(rng, width, width, 1.5),
        "mm.2.bias": np.zeros(width),
    }

    def describe(w):
        w.add_type("mmproj"), w.add_name("tiny"), w.add_file_type(0), w.add_clip_has_vision_encoder(
            True
        )
        w.add_clip_projector_type("mlp"), w.add_vision_image_size(IMAGE), w.add_vision_patch_size(
            PATCH
        )
        w.add_vision_embedding_length(DIM), w.add_vision_feed_forward_length(
            FORWARD
        ), w.add_vision_block_count(VISION_LAYERS)
        w.add_vision_head_count(HEADS), w.add_vision_projection_dim(
            width
        ), w.add_vision_attention_layernorm_eps(1e-5)
        w.add_vision_image_mean([0.5, 0.5, 0.5]), w.add_vision_image_std(
            [0.25, 0.25, 0.25]
        ), w.add_vision_use_gelu(True)

    write(path, "clip", describe, tensors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("outdir")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--width", type=int, default=DIM)
    args = parser.parse_args()
    os.makedirs(args.outdir, exist_ok=True)
    rng = np.random.Generator(np.random.PCG64(args.seed))
    language_model(os.path.join(args.outdir, "tiny.gguf"), rng)
    projector(os.path.join(args.outdir, "tiny-mmproj.gguf"), rng, args.width)


if __name__ == "__main__":
    main()
