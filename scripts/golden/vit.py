#!/usr/bin/env python3
"""Features of vision transformers by timm: the golden numbers of crates/vidpairs-torch/tests/invariance/vit.rs.

usage: vit.py OUT_DIR      (tests/golden/vit; packages: scripts/golden/requirements.txt)

Writes vit.json: for each case the names and shapes of a file of weights, and the features that timm computes with them. Weights and
images are not stored: a formula makes them from name and place, here and in the test. Files with the names of DINOv2 and DINOv3 are
converted by timm's own filters.
"""
import json
import math
import sys
from pathlib import Path

import timm
import torch
from timm.models import eva, vision_transformer

STREAMS = 1009
IMAGE_STREAM = 7
SMALL = 0.02  # of tokens before the first block, so that the epsilon of its norm counts
INDICES = [2, 5, 8]  # blocks after a quarter, a half and three quarters of 12


def uniform(shape, stream):
    """Numbers between -1 and 1 that depend on their place and `stream` only."""
    place = torch.arange(math.prod(shape), dtype=torch.float64)
    wave = torch.sin(place * 12.9898 + stream * 78.233) * 4375.85453
    return (2.0 * (wave - torch.floor(wave)) - 1.0).view(shape)


def stream_of(name):
    stream = 0
    for byte in name.encode():
        stream = (stream * 31 + byte) % STREAMS
    return stream


def drawn(name, shape):
    """The tensor `name` of a file of weights."""
    if name.endswith("periods"):
        quarter = shape[0]
        return (100.0 ** (2.0 * torch.arange(quarter, dtype=torch.float64) / (2 * quarter))).float()
    if name.endswith("bias_mask"):
        return torch.ones(3, shape[0] // 3).mul_(torch.tensor([[1.0], [0.0], [1.0]])).flatten()
    values = uniform(shape, stream_of(name))
    last = name.split(".")[-1]
    if len(shape) in (2, 4):
        values = values * math.sqrt(3.0 / math.prod(shape[1:]))
    elif last in ("cls_token", "pos_embed", "reg_token", "position_embeddings") or last.endswith("_tokens"):
        values = SMALL * values
    elif last in ("gamma", "gamma_1", "gamma_2", "lambda1"):
        values = 0.5 + 0.3 * values
    elif last == "weight":
        values = 1.0 + 0.1 * values
    elif last == "bias" or last.endswith("_bias"):
        values = 0.3 * values
    if "patch_embed" in name:
        values = SMALL * values
    return values.float()


def shapes_of(model):
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def drawn_file(shapes):
    return {name: drawn(name, shape) for name, shape in shapes.items()}


def dinov2_shapes(model, grid):
    """Names of facebookresearch/dinov2 for timm's model."""
    shapes = shapes_of(model)
    width = shapes["cls_token"][-1]
    shapes["register_tokens"] = shapes.pop("reg_token")
    shapes["pos_embed"] = (1, grid * grid + 1, width)
    shapes["mask_token"] = (1, width)
    return shapes


def dinov3_shapes(model):
    """Names of facebookresearch/dinov3 for timm's model."""
    shapes = {}
    for name, shape in shapes_of(model).items():
        name = name.replace("reg_token", "storage_tokens").replace("gamma_", "ls")
        if name.endswith("v_bias"):
            continue
        if name.endswith("q_bias"):
            name, shape = name.replace("q_bias", "qkv.bias"), (3 * shape[0],)
            shapes[name.replace("bias", "bias_mask")] = shape
        if ".ls" in name:
            name += ".gamma"
        shapes[name] = shape
    shapes["rope_embed.periods"] = (16,)
    shapes["mask_token"] = (1, shapes["cls_token"][-1])
    return shapes


HUGGING_FACE = [
    ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
    ("blocks.", "encoder.layer."),
    ("attn.proj", "attention.output.dense"),
    ("ls1.gamma", "layer_scale1.lambda1"),
    ("ls2.gamma", "layer_scale2.lambda1"),
]


def hugging_face_name(name):
    whole = {
        "cls_token": "embeddings.cls_token",
        "reg_token": "embeddings.register_tokens",
        "pos_embed": "embeddings.position_embeddings",
        "norm.weight": "layernorm.weight",
        "norm.bias": "layernorm.bias",
    }
    if name in whole:
        return whole[name]
    for ours, theirs in HUGGING_FACE:
        name = name.replace(ours, theirs)
    return name


def hugging_face_file(model, grid):
    """A file with the names of transformers' Dinov2WithRegistersModel, and the same under timm's."""
    theirs, ours = {}, {}
    for name, shape in shapes_of(model).items():
        if name == "pos_embed":
            shape = (1, grid * grid + 1, shape[2])
        if ".attn.qkv." in name:
            parts = []
            for part in ["query", "key", "value"]:
                their_name = hugging_face_name(name.replace("attn.qkv", f"attention.attention.{part}"))
                theirs[their_name] = (shape[0] // 3, *shape[1:])
                parts.append(drawn(their_name, theirs[their_name]))
            ours[name] = torch.cat(parts)
            continue
        their_name = hugging_face_name(name)
        theirs[their_name] = shape
        ours[name] = drawn(their_name, shape)
    # transformers adds the positions before the registers, timm's model has none for the class token.
    positions = ours["pos_embed"]
    ours["cls_token"] = ours["cls_token"] + positions[:, :1]
    ours["pos_embed"] = positions[:, 1:]
    return theirs, ours


def features(model, images):
    """Features of the output by class token and by mean, and of other stages."""
    with torch.no_grad():
        found = {}
        pools = ["token", "avg"] if model.cls_token is not None else ["avg"]
        for pool, key in [("token", "cls"), ("avg", "mean")]:
            if pool in pools:
                model.global_pool = pool
                found[f"layer4 {key}"] = model(images)
        num_prefix = model.num_prefix_tokens
        stages = model.forward_intermediates(
            images, indices=INDICES, return_prefix_tokens=True, output_fmt="NLC", intermediates_only=True
        )
        for number, (patches, prefix) in zip([1, 2, 3], stages if num_prefix else [(it, None) for it in stages]):
            if prefix is not None and model.cls_token is not None:
                found[f"layer{number} cls"] = prefix[:, 0]
            found[f"layer{number} mean"] = patches.mean(1)
        tokens = model._pos_embed(model.patch_embed(images))
        tokens = tokens[0] if isinstance(tokens, tuple) else tokens
        found["stem mean"] = tokens[:, num_prefix:].mean(1)
    return found


def case(label, model, shapes, state, side, text, kept=None, num_images=1):
    model.load_state_dict(state, strict=True)
    model.eval()
    images = (uniform((num_images, 3, side, side), IMAGE_STREAM) * 1.5).float()
    found = {key: rows for key, rows in features(model, images).items() if kept is None or key in kept}
    blocks = "encoder.layer.{}." if any(name.startswith("encoder.") for name in shapes) else "blocks.{}."
    first = blocks.format(0)
    block = {name.removeprefix(first): shape for name, shape in shapes.items() if name.startswith(first)}
    others = {name: shape for name, shape in shapes.items() if not name.startswith(blocks.split("{}")[0])}
    num_blocks = len(model.blocks)
    whole = dict(others)
    for index in range(num_blocks):
        whole |= {blocks.format(index) + part: shape for part, shape in block.items()}
    assert whole == shapes, label
    return {
        "case": label,
        "architecture": text,
        "side_px": side,
        "num_images": num_images,
        "num_blocks": num_blocks,
        "blocks": blocks,
        "block": block,
        "tensors": others,
        "features": {key: rows.flatten().tolist() for key, rows in found.items()},
    }


def create(name, **options):
    return timm.create_model(name, pretrained=False, num_classes=0, **options)


def plain_case(label, name, side, text, kept=None, num_images=1, stored_side=224, **options):
    """A file with timm's names, for images of `stored_side`."""
    shapes = shapes_of(create(name, img_size=stored_side, **options))
    model = create(name, img_size=side, **options)
    state = vision_transformer.checkpoint_filter_fn(drawn_file(shapes), model)
    return case(label, model, shapes, state, side, text, kept, num_images)


def cases():
    output = ["layer4 cls", "layer4 mean"]
    yield plain_case("S/16", "vit_small_patch16_224", 224, "ViT-S/16", output, 2)
    yield plain_case("B/16", "vit_base_patch16_224", 224, "ViT-B/16", output)
    model = create("vit_small_patch14_reg4_dinov2", img_size=224)
    shapes = dinov2_shapes(model, 37)
    state = vision_transformer.checkpoint_filter_fn(drawn_file(shapes), model)
    yield case("DINOv2 S/14 with registers", model, shapes, state, 224, "ViT-S/14 with 4 registers", output)

    tiny = "vit_tiny_patch16_224"
    yield plain_case("stages, positions for a smaller grid", tiny, 96, "ViT-Ti/16")
    yield plain_case("positions for a larger grid", tiny, 144, "ViT-Ti/16", output, stored_side=112)
    yield plain_case(
        "norm after mean pooling", tiny, 64, "ViT-Ti/16", output, stored_side=64, global_pool="avg"
    )
    yield plain_case(
        "no class token", tiny, 64, "ViT-Ti/16, no class token", stored_side=64,
        class_token=False, no_embed_class=True, global_pool="avg", fc_norm=False,
    )
    yield plain_case(
        "registers of timm, patches of 8 px", tiny, 64, "ViT-Ti/8 with 4 registers", output, stored_side=56,
        patch_size=8, reg_tokens=4, no_embed_class=True, init_values=1e-5,
    )
    options = {"patch_size": 14, "reg_tokens": 4, "no_embed_class": True, "init_values": 1e-5}
    model = create(tiny, img_size=70, **options)
    shapes, ours = hugging_face_file(model, 5)
    yield case("DINOv2 of Hugging Face", model, shapes, ours, 70, "ViT-Ti/14 with 4 registers", output)

    dinov3, text = "vit_tiny_patch16_dinov3_qkvb", "ViT-Ti/16 with 4 registers and rotary positions"
    model = create(dinov3)
    shapes = dinov3_shapes(model)
    state = eva.checkpoint_filter_fn(drawn_file(shapes), model)
    yield case("DINOv3", model, shapes, state, 112, text)
    shapes = shapes_of(model)
    yield case("DINOv3 of timm", model, shapes, drawn_file(shapes), 64, text, output)
    model = create(dinov3, qkv_bias=False)
    shapes = shapes_of(model)
    yield case("DINOv3 of timm without biases of queries", model, shapes, drawn_file(shapes), 64, text, output)


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    made = json.loads(json.dumps(list(cases())), parse_float=lambda text: float(f"{float(text):.6g}"))
    versions = {"torch": torch.__version__.split("+")[0], "timm": timm.__version__}
    lines = ",\n".join("  " + json.dumps(it, separators=(",", ":")) for it in made)
    made_by = "scripts/golden/vit.py tests/golden/vit"
    text = f'{{"made_by": "{made_by}", "versions": {json.dumps(versions)}, "cases": [\n{lines}\n]}}\n'
    (out / "vit.json").write_text(text)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
