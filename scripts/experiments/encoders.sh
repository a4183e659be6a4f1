#!/usr/bin/env bash
# First figures of trained encoders: the invariances of a DINOv2 ViT-S/14 and of dlib's ResNet-34 on rendered sets, and what classifiers
# find in their features on rendered scenes and on photographs of solar cells. Networks of the same form with random weights are the
# controls. docs/RESULTS.md shows the figures.
#
#     scripts/experiments/encoders.sh [DIR]
#
# DIR (.media/experiment-encoders) gets 6 GB, most of it PyTorch in DIR/python. Takes about half an hour of two idle cores, and resumes: a step that
# was completed is not run again. DIR/steps holds the seconds of each step. The figures: results/encoders.json, as tables DIR/tables.md.
# VIDPAIRS names the program (target/release/vidpairs, with vidpairs-torch beside it).
set -euo pipefail

what=encoders
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/../lib/script.sh"

dir=$(folder_argument "$@")
cd "$(dirname "$0")/../.."
out=${dir:-$PWD/.media/experiment-encoders}
vidpairs=$(vidpairs_program)

# Runs the command $2... as the step $1, unless it was completed before.
step() {
    local name=$1 start=$SECONDS
    shift
    if [[ -f $out/steps/$name ]]; then return; fi
    say "$name"
    "$@"
    echo $((SECONDS - start)) >"$out/steps/$name"
}

mkdir -p "$out/steps" "$out/encoders"
python=$out/python/bin/python
make_python() {
    python3 -m venv "$out/python"
    "$python" -m pip install --quiet -r scripts/lib/encoders.txt
}
step python make_python
PYTHON=$python step fetch-encoders scripts/fetch-encoders.sh "$out/encoders"
PYTHON=$python step fetch-elpv scripts/fetch-elpv.sh "$out/cells"
scripts/fetch-objects.sh

# Trained encoders, and networks of the same form and number of units with random weights.
trained_vit=dinov2-s14=$out/encoders/dinov2-s14.safetensors
untrained_vit=untrained-s14=$out/encoders/untrained-s14.safetensors
untrained_resnet=untrained-resnet34=$out/encoders/untrained-resnet34.safetensors
dlib=$out/encoders/resnet34-dlib.dnn
step untrained-s14 "$python" scripts/lib/untrained.py "${trained_vit#*=}" "${untrained_vit#*=}"
step untrained-resnet34 "$python" scripts/lib/untrained.py resnet34 "${untrained_resnet#*=}"

# Features of dlib's ResNet-34 for the images whose features another encoder has in the folder $1.
features_of_dlib() {
    local cached=("$1"/features/*.npz)
    "$python" scripts/lib/dlib_resnet34.py features "$dlib" "${cached[0]}" "$2"
}

# Invariances on the set $1, --data KIND=PATH. The two ViTs are compared with each other and the two ResNets, since they have the same
# number of units. vidpairs does not compute dlib's network, so the ResNets are compared by stored features.
measure() {
    local at=$out/$1 data=(--data "$1=$2" --set invariance.size=126)
    step "$1" "$vidpairs" invariance "${data[@]}" --weights "$untrained_vit" --weights "$trained_vit" --out "$at/vits" --quiet
    step "$1-untrained-resnet34" "$vidpairs" invariance "${data[@]}" --weights "$untrained_resnet" --out "$at/untrained" --quiet
    step "$1-resnet34-dlib" features_of_dlib "$at/untrained" "$at/resnet34-dlib.npz"
    local untrained=("$at"/untrained/features/*.npz)
    step "$1-resnets" "$vidpairs" invariance --features "untrained-resnet34=${untrained[0]}" \
        --features "resnet34-dlib=$at/resnet34-dlib.npz" --out "$at/resnets" --quiet
}

# Probes $4 on the data $2 (KIND=PATH), named $1, in views of $3 px. Features first, those of each encoder in a folder of its own; then the
# classifiers on the features of all. The untrained ViT is the control of both trained networks.
probe() {
    local name=$1 at=$out/$1 encoder features=() found
    local settings=(--set 'probe.stages=["layer4"]' --set "probe.size=$3" --set probe.view=squash)
    for encoder in "$untrained_vit" "$trained_vit"; do
        step "$name-${encoder%%=*}" "$vidpairs" probe --data "$2" --weights "$encoder" "${settings[@]}" --set 'probe.probes=["svm"]' \
            --set 'probe.svm_costs=[1]' --set probe.resamples=100 --out "$at/${encoder%%=*}" --quiet
        found=("$at/${encoder%%=*}"/features/*.npz)
        features+=(--features "${encoder%%=*}=${found[0]}")
    done
    step "$name-resnet34-dlib" features_of_dlib "$at/dinov2-s14" "$at/resnet34-dlib.npz"
    step "$name" "$vidpairs" probe "${features[@]}" --features "resnet34-dlib=$at/resnet34-dlib.npz" --set "probe.probes=[$4]" \
        --out "$at/all" --quiet
}

step render-aloi "$vidpairs" synth --kind aloi --out "$out/aloi" --num-objects 20 --quiet
for kind in aloi-viewpoint aloi-direction aloi-color; do measure $kind "$out/aloi"; done

step render-pascal3d "$vidpairs" synth --kind pascal3d --out "$out/pascal3d" --num-objects 3 --azimuths 6 --elevations 0 --quiet
measure pascal3d-viewpoint "$out/pascal3d"

step render-got10k "$vidpairs" synth --kind got10k --out "$out/got10k" --videos 0 --held-out-videos 60 --frames 24 --occlusion 1 \
    --leaving 0 --quiet
measure got10k-occlusion "$out/got10k/val"

# Training objects in trainval, other objects of the same classes in test.
step render-voc "$vidpairs" synth --kind voc --out "$out/voc" --images 200 --held-out-images 150 --quiet --categories \
    chair,table,lamp,plant,sofa,bed,cup,bottle,car,person,flower,desk,tree,shelf,cabinet,tvmonitor
probe voc07-boxes "voc07-boxes=$out/voc/VOCdevkit" 126 '"svm", "logistic", "knn"'
probe voc07 "voc07=$out/voc/VOCdevkit" 224 '"svm"'

probe elpv "folders=$out/cells" 224 '"svm", "logistic", "knn"'

"$python" scripts/experiments/encoders.py "$out" "$("$vidpairs" --version)"
mkdir -p results
cp "$out/encoders.json" results
say "the figures: results/encoders.json, $out/tables.md"
