#!/usr/bin/env bash
# From nothing to one page that shows the whole loop, on real clips and on a rendered world: sets up, builds, extracts pairs, trains an encoder
# for minutes, measures what it became invariant to. What is there stays: started again after a stop, the demo goes on where it stopped.
#
#     scripts/demo.sh [DIR]
#
# DIR (demo) holds afterwards the pairs, the training runs, the scores and the page report.html.
set -euo pipefail

what=demo
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/lib/script.sh"

dir=$(folder_argument "$@")
cd "$(dirname "$0")/.."
out=${dir:-$PWD/demo}

scripts/setup.sh
say "building the programs"
cargo build --locked --release
vidpairs=$(vidpairs_program)
started=$SECONDS

trap 'printf "\\ndemo: stopped; start scripts/demo.sh again, and it goes on from here\\n" >&2; exit 130' INT
# step SENTENCE: with the time since the build.
step() { printf '\ndemo, %d:%02d  %s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$*"; }
pipeline=pipelines/demo.toml

step "four real clips: a tracker follows regions for a second, and those that it did not lose become pairs"
scripts/fetch-clips.sh --small .media/small
"$vidpairs" extract pipelines/region-tracker-small.toml --source .media/small --out "$out/clips" \
    --set source.kind=videos --set pairs.k=25 --set pairs.stride=10 --set images.short_side=128
"$vidpairs" verify "$out/clips"
"$vidpairs" inspect "$out/clips" --gallery "$out/clips.html" >"$out/clips.txt"

step "about two minutes: a rendered world, with videos of turning objects to train on, and other objects from all sides and in all lights"
scripts/fetch-objects.sh >"$out/objects.txt"
"$vidpairs" synth --kind trackingnet --out "$out/world" --videos 300 --held-out-videos 0 --frames 40 --size 192x144 --container zip \
    --turn 180 --occlusion 0.2 --leaving 0
"$vidpairs" synth --kind aloi --out "$out/objects" --num-objects 20
"$vidpairs" extract "$pipeline" --source "$out/world" --out "$out/pairs"

step "the control: an untrained network, which is the initial weights after two epochs with a learning rate of almost 0"
train() { "$vidpairs" train "$pipeline" --shards "$out/pairs" --knn "$out/objects/png2" --device cpu "$@"; }
# Batch norm gets the statistics of the images.
train --out "$out/untrained" --set train.epochs=2 --set train.learning_rate=1e-12
step "some minutes: training on pairs of the same object; kNN is the accuracy of recognising objects that no training video shows"
train --out "$out/trained"

step "what both encoders are invariant to: viewpoint, direction and colour of the light"
"$vidpairs" invariance --data aloi-viewpoint="$out/objects" --data aloi-direction="$out/objects" --data aloi-color="$out/objects" \
    --weights untrained="$out/untrained/backbone.safetensors" --weights trained="$out/trained/backbone.safetensors" \
    --out "$out/invariance" --set invariance.size=64 --device cpu

step "one page of all of it"
"$vidpairs" report "$out/clips" "$out/pairs" "$out/untrained" "$out/trained" "$out/invariance" --out "$out/report.html" --title "vidpairs: the demo"
step "done; open this page in a browser:"
printf '\n    file://%s\n\n' "$(realpath "$out/report.html")"
printf 'More pages: all pairs of the clips in %s, units and the images that fire them in %s.\n' "$out/clips.html" "$out/invariance/report.html"
