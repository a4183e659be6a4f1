#!/usr/bin/env python3
"""Maps of dilated ResNets by PyTorch: the golden numbers of crates/vidpairs-torch/tests/probe/dilated.rs.

usage: dilated.py OUT_FILE    (tests/golden/probe/dilated.json; packages: scripts/golden/requirements.txt)

Networks of 4 channels behind the first convolution, with weights by `fill` of train.py. Strides are replaced by dilation as by torchvision's
`ResNet._make_layer` with `replace_stride_with_dilation=[False, True, True]`: the first block of a dilated layer has the dilation of the layer
before, the others its own. torchvision refuses this for ResNet-18, whose second convolution in that first block has the layer's own
dilation here, as in CSAILVision's `_nostride_dilate`.
"""
import json
import pathlib
import sys

import torch
from torch import nn

from train import fill, uniform

WIDTH, HEIGHT_PX, WIDTH_PX, STEP = 4, 48, 64, 37


class Block(nn.Module):
    def __init__(self, bottleneck, channels, planes, stride, first, own):
        super().__init__()
        out = planes * (4 if bottleneck else 1)

        def three(inputs, stride, dilation):
            return nn.Conv2d(inputs, planes, 3, stride, dilation, dilation, bias=False)

        if bottleneck:
            convs = [nn.Conv2d(channels, planes, 1, bias=False), three(planes, stride, first), nn.Conv2d(planes, out, 1, bias=False)]
        else:
            convs = [three(channels, stride, first), three(planes, 1, own)]
        self.num = len(convs)
        for place, conv in enumerate(convs, 1):
            setattr(self, f"conv{place}", conv)
            setattr(self, f"bn{place}", nn.BatchNorm2d(conv.out_channels))
        self.downsample = None
        # The first block of a layer whose stride was replaced has a downsample without stride.
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = x
        for place in range(1, self.num + 1):
            y = getattr(self, f"bn{place}")(getattr(self, f"conv{place}")(y))
            if place < self.num:
                y = torch.relu(y)
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, bottleneck, blocks):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        channels, dilation = WIDTH, 1
        for stage, num in enumerate(blocks):
            planes, stride, before = WIDTH << stage, 1 if stage == 0 else 2, dilation
            if stage > 1:
                dilation, stride = 2 * dilation, 1
            layer = []
            for block in range(num):
                first = before if block == 0 else dilation
                layer.append(Block(bottleneck, channels, planes, stride if block == 0 else 1, first, dilation))
                channels = planes * (4 if bottleneck else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))

    def forward(self, x):
        maps = {}
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for layer in ["layer1", "layer2", "layer3", "layer4"]:
            x = maps[layer] = getattr(self, layer)(x)
        return maps


cases = []
for name, bottleneck, blocks in [("ResNet-50", True, [3, 4, 6, 3]), ("ResNet-18", False, [2, 2, 2, 2])]:
    network = ResNet(bottleneck, blocks).eval()
    fill(network)
    image = torch.from_numpy(uniform((2, 3, HEIGHT_PX, WIDTH_PX), 7) * 1.5).float()
    with torch.no_grad():
        maps = network(image)
    cases.append({
        "network": name,
        "maps": {layer: {"shape": list(x.shape), "values": x.flatten()[::STEP].tolist()} for layer, x in maps.items()},
    })
found = {"torch": torch.__version__, "cases": cases}
pathlib.Path(sys.argv[1]).write_text(json.dumps(found) + "\n")
