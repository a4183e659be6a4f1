#!/usr/bin/env bash
# Checks the trained encoders that scripts/fetch-encoders.sh fetched.
#
#     scripts/check-encoders.sh [DIR]
#
# dlib's ResNet-34 must classify the labelled photographs in DIR (.media/encoders). vidpairs must read the
# DINOv2 as what it is, and compute the features that ONNX's reference evaluator computes
# (scripts/golden/encoders.py). PYTHON as for scripts/fetch-encoders.sh; VIDPAIRS names the program
# [${CARGO_TARGET_DIR:-target}/release/vidpairs].
set -euo pipefail

what=encoders
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/lib/script.sh"
dir=$(folder_argument "$@")
python=$(python_program)
cd "$(dirname "$0")/.."
dir=${dir:-$PWD/.media/encoders}
vidpairs=$(vidpairs_program)
"$python" -c 'import PIL, numpy, safetensors, torch' 2>/dev/null ||
    fail "$python lacks packages: make an environment, 'pip install -r scripts/lib/encoders.txt' in it, and set PYTHON"
for file in dinov2-s14.safetensors resnet34-dlib.dnn photographs; do
    [[ -e $dir/$file ]] || fail "no $file in $dir: run scripts/fetch-encoders.sh"
done
"$python" scripts/lib/dlib_resnet34.py check "$dir/resnet34-dlib.dnn" "$dir/photographs"

# Each photograph in three sizes is one set of its class.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" - "$dir/photographs" "$scratch/sets" <<'PYTHON'
import sys
from pathlib import Path
from PIL import Image
for file in sorted(Path(sys.argv[1]).glob("*.jpg")):
    folder = Path(sys.argv[2]) / file.stem.rsplit("_", 1)[1] / file.stem
    folder.mkdir(parents=True)
    for side in (518, 256, 128):
        Image.open(file).resize((side, side)).save(folder / f"{side}.png")
PYTHON
"$vidpairs" invariance --data folders="$scratch/sets" --set invariance.size=518 --weights "$dir/dinov2-s14.safetensors" --out "$scratch/out" \
    --json >"$scratch/results.json"
"$python" - "$scratch/out" tests/golden/encoders/dinov2-s14.npz <<'PYTHON'
import json
import sys
from pathlib import Path
import numpy
out = Path(sys.argv[1])
found = json.loads((out / "invariance.json").read_text())
note, retrieval = found["models"][0]["note"], found["panels"][0]["models"][0]["retrieval"]["value"]
print(f"{note}: the nearest neighbour of {retrieval:.0f} % of the images is of their class")
if note != "ViT-S/14, layer4, class token" or retrieval < 95:
    sys.exit("expected ViT-S/14, layer4, class token, and at least 95 %")
(cache,) = (out / "features").glob("*.npz")
cache, golden = numpy.load(cache), numpy.load(sys.argv[2])
images = [Path(image["path"]) for image in json.loads(bytes(cache["about"]))["images"]]
rows = {images[image].parent.name: row for image, row in zip(cache["image"], cache["feat"]) if images[image].stem == "518"}
off = max(numpy.abs(rows[name] - row).max() / numpy.abs(row).mean() for name, row in zip(golden["name"], golden["feat"]))
print(f"class tokens of {len(golden['name'])} photographs: within {off:.0e} of those of the ONNX model, relative to their mean size")
if off > 1e-3:
    sys.exit("expected at most 1e-3")
PYTHON
