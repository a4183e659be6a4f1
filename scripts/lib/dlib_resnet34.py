#!/usr/bin/env python3
"""dlib's ResNet-34, trained on ImageNet, computed as dlib computes it.

usage: dlib_resnet34.py check MODEL.dnn PHOTOGRAPHS     (packages: scripts/lib/encoders.txt)
       dlib_resnet34.py features MODEL.dnn CACHED.npz OUT.npz

check: top-1 and top-5 on photographs whose names end in the index of their class; fails below 17 of 20.
features: features of the images of CACHED.npz, a file of OUT/features that `vidpairs invariance` or `vidpairs probe` wrote for another
encoder, with the same labels: for `--features` of the same command. Images and boxes are resized to squares of 227 px, dlib's size.

It has the blocks and channels of torchvision's resnet34 but is another network: strides have no padding, and shortcuts between stages are
average pooling with zeros for the new channels instead of convolutions. Under torchvision's names its features would be wrong (7 of the
20 photographs instead of 18), so it is not converted.

Source: dlib's examples/dnn_imagenet_ex.cpp, dlib/dnn/layers.h and dlib/cuda/tensor.h.
"""
import json
import re
import sys
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps

SIDE = 227
MEAN = torch.tensor([122.782, 117.001, 104.298]).view(3, 1, 1)
STAGES = [(64, 3), (128, 4), (256, 6), (512, 3)]
MIN_RIGHT = 17


class Reader:
    """dlib's serialisation: numbers as a length and bytes, tensors as four sides and floats."""

    def __init__(self, content, at):
        self.content, self.at = content, at

    def integer(self):
        head = self.content[self.at]
        length = head & 0x0F
        value = int.from_bytes(self.content[self.at + 1 : self.at + 1 + length], "little")
        self.at += 1 + length
        return -value if head & 0x80 else value

    def tensor(self):
        if (version := self.integer()) != 2:
            sys.exit(f"byte {self.at}: a tensor of version {version}; expected 2")
        count = int(numpy.prod([self.integer() for _ in range(4)]))
        values = torch.from_numpy(numpy.frombuffer(self.content, "<f4", count, self.at).copy())
        self.at += 4 * count
        return values


class Network:
    def __init__(self, path):
        content = Path(path).read_bytes()

        def places(name):
            mark = bytes([1, len(name)]) + name
            return [Reader(content, match.end()) for match in re.finditer(re.escape(mark), content)]

        self.convolutions, self.affines = [], []
        for reader in places(b"con_4"):
            values = reader.tensor()
            num, height, width, stride, _, padding, _ = (reader.integer() for _ in range(7))
            weight = values[:-num].view(num, -1, height, width)
            self.convolutions.append((weight, values[-num:], stride, padding))
        for reader in places(b"affine_"):
            self.affines.append([half.view(1, -1, 1, 1) for half in reader.tensor().chunk(2)])
        (reader,) = places(b"fc_2")
        num_classes, num_features = reader.integer(), reader.integer()
        self.classifier = reader.tensor().view(num_features + 1, num_classes)
        if (len(self.convolutions), len(self.affines)) != (33, 33):
            sys.exit(f"{path} is not dlib's ResNet-34: {len(self.convolutions)} convolutions; expected 33")

    def features(self, images):
        layers = iter(zip(self.convolutions, self.affines))

        def layer(maps):
            (weight, bias, stride, padding), (scale, shift) = next(layers)
            return F.conv2d(maps, weight, bias, stride, padding) * scale + shift

        maps = F.max_pool2d(F.relu(layer(images)), 3, 2)
        for stage, (width, num_blocks) in enumerate(STAGES):
            for block in range(num_blocks):
                residual = layer(F.relu(layer(maps)))
                if stage > 0 and block == 0:
                    maps = F.avg_pool2d(maps, 2, 2)
                    maps = F.pad(maps, (0, 0, 0, 0, 0, width - maps.shape[1]))
                # A sum of maps of two sizes is as large as the larger one.
                height = max(maps.shape[2], residual.shape[2])
                maps, residual = (F.pad(it, (0, height - it.shape[3], 0, height - it.shape[2])) for it in (maps, residual))
                maps = F.relu(maps + residual)
        return maps.mean((2, 3))

    def classify(self, features):
        return features @ self.classifier[:-1] + self.classifier[-1]


def view(path, region=None):
    """The box of an image, or all of it, as a square."""
    image = Image.open(path)
    if region:
        x, y, width, height = region
        image = image.crop(tuple(round(it) for it in (x, y, x + width, y + height)))
    else:
        image = ImageOps.exif_transpose(image)
    pixels = numpy.array(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    return (torch.from_numpy(pixels).permute(2, 0, 1).float() - MEAN) / 256


def check(network, folder):
    files = sorted(Path(folder).glob("imagenet_*.jpg"))
    true = torch.tensor([int(file.stem.rsplit("_", 1)[1]) for file in files])
    scores = network.classify(network.features(torch.stack([view(file) for file in files])))
    found = scores.topk(5).indices == true[:, None]
    num_right, num_near = int(found[:, 0].sum()), int(found.sum())
    print(f"dlib's ResNet-34: top-1 {num_right} of {len(files)}, top-5 {num_near}")
    if num_right < MIN_RIGHT:
        sys.exit(f"expected at least {MIN_RIGHT}")


def write_features(network, cached, out):
    stored = numpy.load(cached)
    images = json.loads(stored["about"].tobytes())["images"]
    rows = [images[image] for image in stored["image"]]
    features = []
    for start in range(0, len(rows), 64):
        batch = torch.stack([view(row["path"], row.get("region")) for row in rows[start : start + 64]])
        features.append(network.features(batch).numpy())
    labels = {name: stored[name] for name in ("instance", "class", "split") if name in stored}
    numpy.savez(out, feat=numpy.concatenate(features), **labels)


def main():
    command, model, *rest = sys.argv[1:]
    network = Network(model)
    with torch.no_grad():
        {"check": check, "features": write_features}[command](network, *rest)


if __name__ == "__main__":
    main()
