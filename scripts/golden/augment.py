#!/usr/bin/env python3
"""Views as torchvision makes them: the golden numbers of crates/vidpairs-learn/src/augment/tests.

usage: augment.py OUT_DIR        (tests/golden/augment; requirements.txt has the versions)

Writes into OUT_DIR:
  image.rgb    48 x 40 x 3 u8, drawn here
  image.jpg    the same, quality 92, 4:2:0
  decoded.rgb  what torchvision.io.decode_jpeg makes of image.jpg, 48 x 40 x 3 u8
  cases.json   the versions, and the parameters of every case with the place of its samples, in order
  views.f32    samples of all cases: float tensors all the way, normalised, images x side x side x 3, little endian
  views.u8     the same on uint8 tensors, levels before they are normalised

Everything is computed with torchvision.transforms.v2.functional on given parameters; what v2's transforms draw, and how,
is not looked at here. Random numbers are NumPy's, with fixed seeds.
"""
import io
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms.v2 import functional as F

WIDTH, HEIGHT = 48, 40
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
OPS = ["brightness", "contrast", "saturation", "hue"]
ADJUST = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]


def drawn_image():
    """Waves, a coloured square with sharp edges, gray, black and white patches, and grain."""
    rng = np.random.default_rng(2711)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    waves = [128 + 90 * np.sin(x * a + y * b + c) for a, b, c in [(0.31, 0.07, 0), (0.11, -0.23, 1), (-0.05, 0.41, 2)]]
    image = np.stack(waves, axis=-1) + rng.normal(0, 12, (HEIGHT, WIDTH, 3))
    image[8:20, 10:24] = [220, 40, 30]
    image[24:34, 16:22] = [90, 90, 90]
    image[26:32, 24:28] = 0
    image[26:32, 29:33] = 255
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def colors(image, case):
    if case["is_gray"] and case["order"] == "grayscale-then-jitter":
        image = F.rgb_to_grayscale(image, 3)
    if case["jitter"]:
        for op in case["jitter"]["order"]:
            image = ADJUST[op](image, case["jitter"][OPS[op]])
    if case["is_gray"] and case["order"] == "jitter-then-grayscale":
        image = F.rgb_to_grayscale(image, 3)
    if case["sigma_px"]:
        image = F.gaussian_blur(image, [case["kernel_px"]] * 2, [case["sigma_px"]] * 2)
    return image


def crop(image, case, side):
    x, y, w, h = case["region"]
    image = F.resized_crop(image, y, x, h, w, [side, side], antialias=True)
    return F.horizontal_flip(image) if case["is_flipped"] and case["kind"] == "jigsaw" else image


def render(image, case):
    """A list of images: one, or nine patches."""
    side = case["side_px"]
    if case["kind"] == "squash":
        return [F.resize(image, [side, side], antialias=True)]
    if case["kind"] == "center-crop":
        return [F.center_crop(F.resize(image, [case["short_side_px"]], antialias=True), [side, side])]
    if case["kind"] == "jigsaw":
        view = crop(image, case, 3 * case["cell_px"])
        return [colors(F.crop(view, it["top_px"], it["left_px"], side, side), {**it, "order": case["order"]})
                for it in case["patches"]]
    image = colors(crop(image, case, side), case)
    return [F.horizontal_flip(image) if case["is_flipped"] else image]


def color_case(jitter=None, is_gray=False, sigma_px=None, kernel_px=3):
    return {"jitter": jitter, "is_gray": is_gray, "sigma_px": sigma_px, "kernel_px": kernel_px}


def crop_case(name, region=(10, 8, 20, 20), side_px=20, is_flipped=False, order="jitter-then-grayscale", **color):
    return {"name": name, "kind": "crop", "side_px": side_px, "region": list(region), "is_flipped": is_flipped,
            "order": order, **color_case(**color)}


def jitter_case(order=(0, 1, 2, 3), **factors):
    return {"order": list(order), **{op: factors.get(op, 0.0 if op == "hue" else 1.0) for op in OPS}}


def drawn_jitter(rng, hue):
    factors = {op: float(rng.uniform(0.6, 1.4)) for op in OPS[:3]}
    return jitter_case(rng.permutation(4).tolist(), hue=float(rng.uniform(-hue, hue)), **factors)


def drawn_region(rng):
    w, h = int(rng.integers(16, WIDTH + 1)), int(rng.integers(16, HEIGHT + 1))
    return [int(rng.integers(0, WIDTH - w + 1)), int(rng.integers(0, HEIGHT - h + 1)), w, h]


def cases():
    yield crop_case("nothing but normalise")
    for name, region, side in [("half", (0, 0, 48, 40), 20), ("odd sides", (3, 5, 37, 29), 20), ("enlarged", (20, 10, 9, 7), 20),
                               ("a single px", (5, 6, 1, 1), 8), ("to a seventh", (0, 0, 48, 40), 7)]:
        yield crop_case(f"resized crop, {name}", region, side)
    yield crop_case("flip", is_flipped=True)
    yield crop_case("flip of a resized crop", (3, 5, 37, 29), 21, is_flipped=True)
    for op, values in [("brightness", (0.6, 1.4)), ("contrast", (0.6, 1.4)), ("saturation", (0.6, 1.4)),
                       ("hue", (-0.4, -0.1, 0.1, 0.4, 0.5))]:
        for value in values:
            yield crop_case(f"{op} {value}", jitter=jitter_case(**{op: value}))
    yield crop_case("grayscale", is_gray=True)
    for sigma, kernel in [(0.1, 3), (0.7, 3), (2.0, 3), (0.4, 23), (2.0, 23)]:
        yield crop_case(f"blur, sigma {sigma}, kernel {kernel}", sigma_px=sigma, kernel_px=kernel)
    rng = np.random.default_rng(1)
    for number in range(4):
        yield crop_case(f"MoCo v1, {number}", drawn_region(rng), is_flipped=bool(number % 2), order="grayscale-then-jitter",
                        jitter=drawn_jitter(rng, 0.4), is_gray=number == 1)
    for number in range(6):
        yield crop_case(f"MoCo v2, {number}", drawn_region(rng), is_flipped=bool(number % 2), is_gray=number == 2,
                        jitter=drawn_jitter(rng, 0.1) if number != 3 else None,
                        sigma_px=float(rng.uniform(0.1, 2.0)) if number != 4 else None, kernel_px=[3, 23][number % 2])
    spare = 17 - 12
    for is_flipped in (False, True):
        cells = rng.permutation(9).tolist()
        patches = [{"left_px": cell % 3 * 17 + int(rng.integers(0, spare + 1)), "top_px": cell // 3 * 17 + int(rng.integers(0, spare + 1)),
                    **color_case(drawn_jitter(rng, 0.2), bool(place == 4))} for place, cell in enumerate(cells)]
        yield {"name": f"PIRL's jigsaw{', flipped' if is_flipped else ''}", "kind": "jigsaw", "side_px": 12, "cell_px": 17, "region": drawn_region(rng),
               "is_flipped": is_flipped, "order": "jitter-then-grayscale", "patches": patches}
    yield {"name": "squash", "kind": "squash", "side_px": 20}
    for side, short in [(20, 24), (15, 24), (13, 33)]:
        yield {"name": f"centre crop, {side} of {short}", "kind": "center-crop", "side_px": side, "short_side_px": short}


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    pixels = drawn_image()
    (out / "image.rgb").write_bytes(pixels.tobytes())
    jpeg = io.BytesIO()
    Image.fromarray(pixels).save(jpeg, "JPEG", quality=92, subsampling="4:2:0")
    (out / "image.jpg").write_bytes(jpeg.getvalue())
    decoded = decode_jpeg(torch.frombuffer(bytearray(jpeg.getvalue()), dtype=torch.uint8), ImageReadMode.RGB)
    (out / "decoded.rgb").write_bytes(decoded.permute(1, 2, 0).contiguous().numpy().tobytes())

    levels = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    floats = F.to_dtype(levels, torch.float32, scale=True)
    all_floats, all_levels, listed, start = [], [], [], 0
    for case in cases():
        views = torch.stack([F.normalize(it, MEAN, STD) for it in render(floats, case)]).permute(0, 2, 3, 1).contiguous()
        rough = torch.stack(render(levels, case)).permute(0, 2, 3, 1).contiguous()
        assert rough.dtype == torch.uint8 and rough.shape == views.shape
        all_floats.append(views.numpy().astype("<f4").tobytes())
        all_levels.append(rough.numpy().tobytes())
        listed.append({**case, "start": start, "len": views.numel()})
        start += views.numel()
    (out / "views.f32").write_bytes(b"".join(all_floats))
    (out / "views.u8").write_bytes(b"".join(all_levels))
    versions = {"torch": torch.__version__.split("+")[0], "torchvision": torchvision.__version__.split("+")[0],
                "numpy": np.__version__, "pillow": Image.__version__}
    lines = ",\n".join("  " + json.dumps(case) for case in listed)
    made_by = "scripts/golden/augment.py tests/golden/augment"
    text = f'{{"made_by": "{made_by}", "versions": {json.dumps(versions)}, "size": [{WIDTH}, {HEIGHT}], "cases": [\n{lines}\n]}}\n'
    (out / "cases.json").write_text(text)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
