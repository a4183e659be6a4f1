#!/usr/bin/env python3
"""What PyTorch computes for crates/vidpairs-learn/src/run/probe/linear.rs: steps of linear classifiers on frozen features.

usage: linear.py OUT_FILE    (tests/golden/probe/linear.json; packages: scripts/golden/requirements.txt)

The network takes the mean of each channel of an image, times 20. Images and first weights come from the formula of train.py. Each
learning rate and each of two stages (the second with its features negated) has a classifier of its own, trained by PyTorch's SGD with
momentum 0.9, whose learning rate is divided by 10 after the third of five steps.
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

from train import images, uniform

RATES = [0.3, 30.0]
FACTORS = [1.0, 1.0, 1.0, 0.1, 0.1]
CLASSES, IMAGES, SIDE = 4, 6, 8


def features(step):
    return images(IMAGES, SIDE, step).float().mean((2, 3)) * 20


def classes(step):
    return torch.tensor([(image * 3 + step) % CLASSES for image in range(IMAGES)])


found = []
for rate in RATES:
    for sign in [1.0, -1.0]:
        layer = torch.nn.Linear(3, CLASSES)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(uniform((CLASSES, 3), 1)) * 0.01)
            layer.bias.zero_()
        sgd = torch.optim.SGD(layer.parameters(), lr=rate, momentum=0.9)
        for step, factor in enumerate(FACTORS):
            for group in sgd.param_groups:
                group["lr"] = rate * factor
            sgd.zero_grad()
            F.cross_entropy(layer(sign * features(step)), classes(step)).backward()
            sgd.step()
        found.append({
            "rate": rate,
            "sign": sign,
            "weights": layer.weight.detach().flatten().tolist(),
            "biases": layer.bias.detach().tolist(),
        })
pathlib.Path(sys.argv[1]).write_text(json.dumps({"torch": torch.__version__, "found": found}, indent=1) + "\n")
