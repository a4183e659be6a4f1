#!/usr/bin/env python3
"""Features of boxes of images by torchvision's blocks: the golden numbers of crates/vidpairs-torch/tests/invariance/features.rs.

usage: features.py OUT_DIR      (tests/golden/features; packages: scripts/golden/requirements.txt)

Writes image.png and image.jpg, drawn here, 48 x 40 px, and features.json: for each file, box and stage the features of a
ResNet-18 whose first convolution has 16 channels. Its weights are not stored: `fill` of train.py makes them from a formula on both
sides. A box is cut as PIL's `crop` rounds it and clipped to the image, then resized, antialiased, on float tensors, and normalised.
"""
import json
import sys
from pathlib import Path

import torch
import torchvision
from PIL import Image
from torchvision.io import ImageReadMode, decode_image
from torchvision.models.resnet import BasicBlock, conv1x1
from torchvision.transforms.v2 import functional as F

from augment import MEAN, STD, drawn_image
from train import fill

WIDTH, SIDE = 16, 32
BOXES = [None, [6, 5, 30, 20], [10.5, 2.4, 9.2, 33.3], [-7, -2.5, 25, 80]]


class Narrow(torch.nn.Module):
    """torchvision's ResNet-18 with another number of channels, which its own class cannot have."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, WIDTH, 7, 2, 3, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(WIDTH)
        channels = WIDTH
        for stage in range(4):
            out, stride = WIDTH << stage, 1 if stage == 0 else 2
            past = None
            if stride != 1:
                past = torch.nn.Sequential(conv1x1(channels, out, stride), torch.nn.BatchNorm2d(out))
            blocks = [BasicBlock(channels, out, stride, past), BasicBlock(out, out)]
            setattr(self, f"layer{stage + 1}", torch.nn.Sequential(*blocks))
            channels = out

    def forward(self, x):
        maps = {}
        x = torch.nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        maps["stem"] = x
        for layer in ["layer1", "layer2", "layer3", "layer4"]:
            x = maps[layer] = getattr(self, layer)(x)
        maps["pooled"] = x
        return {name: it.mean((2, 3)).flatten().tolist() for name, it in maps.items()}


def view(image, box):
    height, width = image.shape[1:]
    if box:
        x, y, w, h = box
        left, top, right, bottom = (round(it) for it in (x, y, x + w, y + h))
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        image = F.crop(image, top, left, bottom - top, right - left)
    image = F.resize(F.to_dtype(image, torch.float32, scale=True), [SIDE, SIDE], antialias=True)
    return F.normalize(image, MEAN, STD)


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    pixels = Image.fromarray(drawn_image())
    pixels.save(out / "image.png", optimize=True)
    pixels.save(out / "image.jpg", quality=90, subsampling="4:2:0")
    model = Narrow().eval()
    fill(model)
    cases = []
    for file in ["image.png", "image.jpg"]:
        image = decode_image(str(out / file), ImageReadMode.RGB)
        for box in BOXES:
            with torch.no_grad():
                maps = model(view(image, box)[None])
            stages = {name: maps[name] for name in ["stem", "layer3", "pooled"]}
            cases.append({"file": file, "region": box, "stages": stages})
    versions = {"torch": torch.__version__.split("+")[0], "torchvision": torchvision.__version__.split("+")[0]}
    rounded = json.loads(json.dumps(cases), parse_float=lambda text: float(f"{float(text):.7g}"))
    lines = ",\n".join("  " + json.dumps(case) for case in rounded)
    made_by = "scripts/golden/features.py tests/golden/features"
    text = f'{{"made_by": "{made_by}", "versions": {json.dumps(versions)}, "side_px": {SIDE}, "cases": [\n{lines}\n]}}\n'
    (out / "features.json").write_text(text)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
