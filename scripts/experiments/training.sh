#!/usr/bin/env bash
# Shows that training learns: trains a small MoCo on pairs of objects from rendered and from real video, on two cores, and measures the
# accuracy of a kNN on objects that the encoder never saw, before and after training.
#
#     scripts/experiments/training.sh [DIR]
#
# DIR (.media/training) holds afterwards 1,000 rendered videos of training objects, their pairs, images of held-out objects in a folder
# for each object and in one for each class, and three runs of nine minutes or less each: DIR/run-object, DIR/run-class, and DIR/run-real on
# regions of real clips. What is there stays.
# Pillow, which cuts objects out, is installed into DIR/python.
# VIDPAIRS names the program (target/release/vidpairs, with vidpairs-torch beside it).
set -euo pipefail

what=training
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/../lib/script.sh"

dir=$(folder_argument "$@")
cd "$(dirname "$0")/../.."
out=${dir:-$PWD/.media/training}
vidpairs=$(vidpairs_program)

scripts/fetch-objects.sh
mkdir -p "$out"
python=$out/python/bin/python
# An environment without Pillow was stopped while it was made.
if ! "$python" -c 'import PIL' 2>/dev/null; then
    say "Pillow, into $out/python"
    python3 -m venv "$out/python"
    "$python" -m pip install --quiet pillow==13.0.0
fi

say "rendering videos of training objects, held-out objects from all sides, and both in clutter"
"$vidpairs" synth --kind trackingnet --out "$out/videos" --seed 5 --videos 1000 --held-out-videos 1 --frames 40 \
    --size 160x120 --container zip --turn 180 --occlusion 0.2 --leaving 0 --quiet
"$vidpairs" synth --kind aloi --out "$out/aloi" --num-objects 30 --quiet
"$vidpairs" synth --kind pascal3d --half both --out "$out/pascal3d" --num-objects 12 --size 128x128 --elevations 0,30 --quiet

# The views of an object every 15 degrees. The kNN's bank has the front half; the queries are the back half.
for object in "$out"/aloi/png2/*/; do
    name=$(basename "$object")
    mkdir -p "$out/by-object/$name"
    for degrees in $(seq 0 15 345); do
        ln -sfn "$object${name}_r$degrees.png" "$out/by-object/$name/"
    done
done
# The objects of a class, cut out. The kNN's bank has those of the training half; the queries are held-out ones.
"$python" scripts/experiments/by_class.py "$out/pascal3d" "$out/by-class"

say "extracting pairs of objects 10 frames apart"
"$vidpairs" extract pipelines/ground-truth-tracks-small.toml --source "$out/videos" --out "$out/pairs" \
    --set pairs.k=10 --set pairs.per_video=5 --set pairs.with_frames=false --set pairs.box_scale=1.2 --set pairs.min_box_px=16

settings=(--device cpu --workers 2 --set augment.size=32 --set train.temperature=0.1 --set train.knn_images=4000)
for by in object class; do
    say "training, kNN by $by"
    "$vidpairs" train pipelines/ground-truth-tracks-small.toml --shards "$out/pairs" --out "$out/run-$by" --knn "$out/by-$by" \
        "${settings[@]}" --set train.epochs=30 --set train.knn_epochs=6
done

say "regions of real clips, followed for 30 frames; kNN by class of the same rendered objects"
scripts/fetch-clips.sh --all
"$vidpairs" extract pipelines/region-tracker-small.toml --source .media/all --out "$out/pairs-real" --set source.kind=videos \
    --set pairs.k=30 --set pairs.stride=15 --set pairs.with_frames=false
"$vidpairs" train pipelines/region-tracker-small.toml --shards "$out/pairs-real" --out "$out/run-real" --knn "$out/by-class" \
    --set source.kind=videos "${settings[@]}" --set train.epochs=60 --set train.knn_epochs=15

python3 scripts/experiments/curve.py "$out/run-object" "$out/run-class" >"$out/curve.svg"
say "the curve: $out/curve.svg"
