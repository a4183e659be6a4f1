#!/usr/bin/env bash
# The paper's claim in small: encoders trained on single frames, on pairs of frames, on annotated objects and on regions that a tracker
# followed, with equally many images, steps and views; measured on objects that no training video shows (docs/RESULTS.md).
#
#     scripts/experiments/claim.sh [DIR]
#
# DIR (.media/claim) holds afterwards the rendered videos (world) and test sets, shards, a run for each method and seed, the folders
# invariance and probe, and the results: claim.json, claim.csv, claim.md and the page claim.html. What is there stays, and a stopped run is
# resumed. It takes some hours on two cores.
# VIDPAIRS names the program (target/release/vidpairs, with vidpairs-torch beside it). SEEDS ("1 2 3") are the seeds. JOBS (the number of
# cores) is the number of trainings at a time; each computes on one core, so that the results do not depend on it.
set -euo pipefail

what=claim
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/../lib/script.sh"
# With the time since the start.
say() { printf 'claim: %d:%02d  %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

dir=$(folder_argument "$@")
cd "$(dirname "$0")/../.."
out=${dir:-$PWD/.media/claim}
vidpairs=$(vidpairs_program)
read -ra seeds <<<"${SEEDS:-1 2 3}"
jobs=${JOBS:-$(nproc)}
claim() { python3 scripts/experiments/claim.py "$@"; }

scripts/fetch-objects.sh
mkdir -p "$out"

say "rendering 2,000 videos of training objects"
"$vidpairs" synth --kind got10k --out "$out/world" --seed 11 --videos 2000 --held-out-videos 0 --frames 40 --fps 30 --size 192x144 \
    --turn 180 --occlusion 0.3 --leaving 0 --quiet
say "rendering test images of held-out objects: viewpoints and light, occlusion, scenes"
"$vidpairs" synth --kind aloi --out "$out/aloi" --seed 13 --num-objects 200 --quiet
"$vidpairs" synth --kind got10k --out "$out/got10k" --seed 14 --videos 0 --held-out-videos 150 --frames 40 --size 192x144 --occlusion 1 \
    --leaving 0 --quiet
"$vidpairs" synth --kind voc --out "$out/voc" --seed 15 --images 1500 --held-out-images 1500 --objects-per-image 1-3 --size 256x192 \
    --categories chair,person,cabinet,sofa,table,tree,desk,bed,car --quiet

# extract NAME PIPELINE SOURCE FOLDER [OPTION...]
extract() {
    say "extracting $1 from $3"
    "$vidpairs" extract "pipelines/claim/$2.toml" --source "$out/$3" --out "$out/$4/$1" --quiet "${@:5}"
}
# All methods see the videos of which the tracker and the annotation give pairs.
extract ground-truth-tracks ground-truth-tracks world tried
extract region-tracker region-tracker world tried
claim choose "$out/world" "$out/shared" "$out"/tried/*
for pairs in baseline frame-temporal ground-truth-tracks region-tracker; do
    extract "$pairs" "$pairs" shared shards
done
# The control that crops objects, but hardly lets time pass.
extract ground-truth-near ground-truth-tracks shared shards --set pairs.k=1

# train NAME PIPELINE SHARDS SEED [OPTION...]: in the background, at most $jobs at a time. A failed one ends the script.
train() {
    local name=$1-$4
    names_wanted+=("$name")
    models+=(--weights "$name=$out/runs/$name/backbone.safetensors")
    if ((${#started[@]} >= jobs)); then
        wait "${started[0]}"
        started=("${started[@]:1}")
    fi
    say "training $name"
    "$vidpairs" train "pipelines/claim/$2.toml" --shards "$out/shards/$3" --out "$out/runs/$name" --set seed="$4" --device cpu \
        --workers 1 --quiet "${@:5}" &
    started+=($!)
}
# A training that is stopped writes a checkpoint first.
trap 'kill $(jobs -rp) 2>/dev/null || true; wait' EXIT
mkdir -p "$out/runs"
models=() names_wanted=() started=()
for seed in "${seeds[@]}"; do
    # Initial weights that do not change, with batch-norm statistics of the training images.
    train untrained baseline baseline "$seed" --set train.learning_rate=1e-12 --set train.epochs=2
    for method in baseline frame-temporal ground-truth-tracks region-tracker; do
        train "$method" "$method" "$method" "$seed"
    done
    train ground-truth-near ground-truth-tracks ground-truth-near "$seed"
    # The jigsaw of PIRL comes from the later frame, so it has the shards of frame-temporal.
    train pirl pirl frame-temporal "$seed"
    train supervised ground-truth-tracks ground-truth-tracks "$seed" --set train.method=supervised
done
for training in "${started[@]}"; do wait "$training"; done

# Features are cached, but the scores would be computed again.
is_older() {
    local names
    names=$(python3 -c 'import json, sys; print(*(model["name"] for model in json.load(open(sys.argv[1]))["models"]))' "$1" 2>/dev/null)
    [[ $names != "${names_wanted[*]}" || -n $(find "$out"/runs/*/backbone.safetensors -newer "$1") ]]
}
if is_older "$out/invariance/invariance.json"; then
    say "measuring invariances"
    "$vidpairs" invariance --data aloi-viewpoint="$out/aloi" --data aloi-direction="$out/aloi" --data aloi-color="$out/aloi" \
        --data got10k-occlusion="$out/got10k/val" "${models[@]}" --out "$out/invariance" --device cpu --quiet
fi
if is_older "$out/probe/probe.json"; then
    say "probing classes"
    "$vidpairs" probe --data voc07-boxes="$out/voc/VOCdevkit" "${models[@]}" --out "$out/probe" --set probe.size=128 \
        --set 'probe.stages=["layer4"]' --set 'probe.probes=["svm"]' --device cpu --quiet
fi
claim analyse "$out" "$out/claim"
claim table "$out/claim" >"$out/claim.md"
# From there, so that the page names no folder of this machine.
(cd "$out" && "$vidpairs" report runs shards invariance probe --out claim.html --title "The claim in small")
cat "$out/claim.md"
say "the results: $out/claim.json, $out/claim.csv, $out/claim.md, and the page $out/claim.html"
