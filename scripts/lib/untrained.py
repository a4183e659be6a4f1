#!/usr/bin/env python3
"""A network with random weights, the control of a trained one, as safetensors.

usage: untrained.py resnet34 OUT.safetensors        (packages: scripts/lib/encoders.txt)
       untrained.py TRAINED.safetensors OUT.safetensors

resnet34: torchvision's, as torchvision initialises it: convolutions from N(0, 2 / (outputs x area)) and norms that change nothing.
TRAINED.safetensors: a ViT with the names of Hugging Face's DINOv2, initialised as Hugging Face does: weights, positions and tokens from
N(0, 0.02^2), biases 0, norms and layer scales 1.

The same random numbers in every run.
"""
import sys

import numpy
from safetensors.numpy import load_file, save_file

RESNET34 = [(64, 3), (128, 4), (256, 6), (512, 3)]
VIT_DEVIATION = 0.02


def resnet34(rng):
    tensors = {}

    def layer(convolution, norm, outputs, inputs, side):
        deviation = (2 / (outputs * side * side)) ** 0.5
        tensors[convolution + ".weight"] = rng.normal(0, deviation, (outputs, inputs, side, side))
        for part, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            tensors[f"{norm}.{part}"] = numpy.full(outputs, value)

    layer("conv1", "bn1", 64, 3, 7)
    inputs = 64
    for stage, (outputs, num_blocks) in enumerate(RESNET34, 1):
        for block in range(num_blocks):
            prefix = f"layer{stage}.{block}."
            layer(prefix + "conv1", prefix + "bn1", outputs, inputs, 3)
            layer(prefix + "conv2", prefix + "bn2", outputs, outputs, 3)
            if inputs != outputs:
                layer(prefix + "downsample.0", prefix + "downsample.1", outputs, inputs, 1)
            inputs = outputs
    return tensors


def vit_like(trained, rng):
    def values(name, shape):
        if name.endswith(".bias"):
            return numpy.zeros(shape)
        if "norm" in name or name.endswith(".lambda1"):
            return numpy.ones(shape)
        return rng.normal(0, VIT_DEVIATION, shape)

    return {name: values(name, tensor.shape) for name, tensor in sorted(trained.items())}


def main():
    network, out = sys.argv[1:]
    rng = numpy.random.default_rng(0)
    tensors = resnet34(rng) if network == "resnet34" else vit_like(load_file(network), rng)
    save_file({name: tensor.astype(numpy.float32) for name, tensor in tensors.items()}, out)


if __name__ == "__main__":
    main()
