#!/usr/bin/env python3
"""Writes the DINOv2 in an ONNX model, exported from Hugging Face's transformers by PyTorch, as safetensors.

usage: dinov2_of_onnx.py MODEL.onnx OUT.safetensors      (packages: scripts/lib/encoders.txt)

The exporter keeps the names of biases and norms. It transposes weights of linear layers and names them by number, so they get their
names from the node that multiplies by them. Positions are constants of two nodes: of the class token, and of the patches.
"""
import re
import sys

import numpy
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

PREFIX = "backbone."
NUM_BLOCKS = 12
LINEAR = re.compile(r"^/backbone/(encoder/layer\.\d+/.+)/MatMul$")


def tensors_of(graph):
    stored = {tensor.name: tensor for tensor in graph.initializer}

    def values(name):
        return numpy_helper.to_array(stored[name])

    found = {name.removeprefix(PREFIX): values(name) for name in stored if name.startswith(PREFIX)}
    positions = {}
    for node in graph.node:
        constants = [name for name in node.input if name in stored and name.startswith("onnx::")]
        linear = LINEAR.match(node.name)
        if node.op_type == "MatMul" and linear and constants:
            (weight,) = constants
            found[linear[1].replace("/", ".") + ".weight"] = values(weight).T
        elif node.name.startswith("/backbone/embeddings/") and node.op_type in ("Concat", "Reshape"):
            positions |= {node.op_type: values(name) for name in constants}
    found["embeddings.position_embeddings"] = numpy.concatenate([positions["Concat"], positions["Reshape"]], axis=1)
    return {name: numpy.ascontiguousarray(tensor) for name, tensor in found.items()}


def main():
    model, out = sys.argv[1:]
    tensors = tensors_of(onnx.load(model).graph)
    # 18 of each block, 4 of the embeddings, the norm.
    expected = 18 * NUM_BLOCKS + 4 + 2
    if len(tensors) != expected:
        sys.exit(f"{model}: {len(tensors)} tensors of a DINOv2 found; expected {expected}")
    save_file(tensors, out)


if __name__ == "__main__":
    main()
