#!/usr/bin/env bash
# Bias of the training data, in small: MoCo trained on rendered scenes of several objects, and on one box of each of the same scenes.
# Both are tested on whole images and on boxes of other scenes, with objects that no training image shows (docs/RESULTS.md).
#
#     scripts/experiments/bias.sh [DIR]
#
# DIR (.media/bias) holds afterwards the rendered scenes (coco, voc), the chosen boxes (chosen), shards, a run for each training data and
# seed, the probe, and the results: bias.json, bias.csv and bias.md. What is there stays, and a stopped run is resumed. It takes about an
# hour on two cores.
# VIDPAIRS names the program (target/release/vidpairs, with vidpairs-torch beside it). SEEDS ("1 2 3") are the seeds.
set -euo pipefail

what=bias
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/../lib/script.sh"
# With the time since the start.
say() { printf 'bias: %d:%02d  %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

dir=$(folder_argument "$@")
cd "$(dirname "$0")/../.."
out=${dir:-$PWD/.media/bias}
vidpairs=$(vidpairs_program)
read -ra seeds <<<"${SEEDS:-1 2 3}"
bias() { python3 scripts/experiments/bias.py "$@"; }

# Those of the largest classes that have at least three held-out objects (docs/OBJECTS.md).
classes=chair,person,cabinet,sofa,table,tree,desk,bed,car
scripts/fetch-objects.sh
mkdir -p "$out"

say "rendering training scenes of training objects"
"$vidpairs" synth --kind coco --out "$out/coco" --seed 1 --images 6000 --held-out-images 0 --objects-per-image 3-7 --size 256x192 --quiet
say "rendering test scenes: training objects to fit classifiers, held-out objects to test them"
"$vidpairs" synth --kind voc --out "$out/voc" --seed 3 --images 2000 --held-out-images 2000 --objects-per-image 1-3 --size 256x192 \
    --categories "$classes" --quiet
say "choosing one box of each training scene"
bias choose "$out/coco" "$out/chosen"
for training in scenes boxes; do
    say "extracting $training"
    "$vidpairs" extract "pipelines/bias/$training.toml" --source "$out/chosen" --out "$out/shards-$training" --quiet
done

# train NAME TRAINING SEED [OPTION...]
train() {
    say "training $1-$3"
    "$vidpairs" train "pipelines/bias/$2.toml" --shards "$out/shards-$2" --out "$out/run-$1-$3" --set seed="$3" --device cpu --workers 2 \
        --quiet "${@:4}"
    models+=(--weights "$1-$3=$out/run-$1-$3/backbone.safetensors")
}
models=()
for seed in "${seeds[@]}"; do
    # Initial weights that do not change, with batch-norm statistics of the training images.
    train untrained scenes "$seed" --set train.learning_rate=1e-12 --set train.epochs=2
    train scenes scenes "$seed"
    train boxes boxes "$seed"
done
train supervised boxes "${seeds[0]}" --set train.method=supervised

# Features are cached, but the classifiers would be fitted again.
if [[ ! -f $out/probe/probe.json || -n $(find "$out"/run-*/backbone.safetensors -newer "$out/probe/probe.json") ]]; then
    say "probing on whole images and on boxes"
    "$vidpairs" probe --data voc07="$out/voc/VOCdevkit" --data voc07-boxes="$out/voc/VOCdevkit" "${models[@]}" --out "$out/probe" \
        --set probe.size=128 --set 'probe.stages=["layer4"]' --set 'probe.probes=["svm"]' --device cpu --quiet
fi
bias analyse "$out/probe" "$out/bias"
bias table "$out/bias" >"$out/bias.md"
cat "$out/bias.md"
say "the results: $out/bias.json, $out/bias.csv, $out/bias.md"
