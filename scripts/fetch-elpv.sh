#!/usr/bin/env bash
# Photographs of solar cells with and without defects (ELPV), out of the package elpv-dataset, as a
# data set of kind `folders` for `vidpairs probe`.
#
#     scripts/fetch-elpv.sh [DIR]
#
# Fetches 91 MB once for all clones, and puts 2,624 grey images of 300 x 300 px into DIR (.media/elpv):
# DIR/train and DIR/test, each with folders functional and defective. Defective means a probability of
# a defect above one half, as in the paper of the data set. Three quarters of the images of each type
# of cell (mono, poly) and each probability are for training: those whose names have the greatest
# SHA-256. Licence of the images: CC BY-NC-SA 4.0; Buerhop-Lutz et al., EU PVSEC 2018.
# PYTHON names a Python with pip [.venv/bin/python, otherwise python3].
set -euo pipefail

what=elpv
# shellcheck source=scripts/lib/packages.sh
source "$(dirname "$0")/lib/packages.sh"
dir=$(folder_argument "$@")
python=$(python_program)
cd "$(dirname "$0")/.."
dir=${dir:-$PWD/.media/elpv}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vidpairs/elpv
[[ -n ${PYTHON-} || -x $python ]] || python=python3
requirement=elpv-dataset==1.0.0.post1
wheel_sha256=85e31c1126ee9b48e62d3a0232c58f58b2d189b0814a45c13642fa0415af4a4c

make_scratch
# Complete, since it comes by a rename.
if [[ ! -d $cache/$requirement ]]; then
    say "fetching $requirement, 91 MB"
    mkdir "$scratch/wheel"
    unpack_wheel "$requirement" "$scratch/wheel" "$wheel_sha256" || fail "$requirement could not be fetched"
    mv -T "$scratch/wheel/elpv_dataset/data" "$cache/$requirement"
fi

"$python" - "$cache/$requirement" "$dir" <<'PYTHON'
import hashlib
import shutil
import sys
from collections import defaultdict
from pathlib import Path

source, out = map(Path, sys.argv[1:])
strata = defaultdict(list)
for line in (source / "labels.csv").read_text().splitlines():
    image, probability, cell_type = line.split()
    strata[cell_type, float(probability)].append(image)
for (_, probability), images in sorted(strata.items()):
    images.sort(key=lambda image: hashlib.sha256(Path(image).name.encode()).hexdigest())
    num_test = round(len(images) / 4)
    for index, image in enumerate(images):
        split = "test" if index < num_test else "train"
        folder = out / split / ("defective" if probability > 0.5 else "functional")
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / Path(image).name
        if not (target.exists() and target.stat().st_size == (source / image).stat().st_size):
            shutil.copyfile(source / image, target)
PYTHON
for split in train test; do
    for class in functional defective; do
        files=("$dir/$split/$class"/*.png)
        say "$split/$class: ${#files[@]} images"
    done
done
say "2,624 images in $dir, CC BY-NC-SA 4.0: Buerhop-Lutz et al., A Benchmark for Visual Identification of Defective Solar Cells, EU PVSEC 2018"
