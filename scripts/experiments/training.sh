#!/usr/bin/env bash
# Shows that training learns: rendered and real video, pairs of its objects, a small MoCo on two cores, and what a kNN makes of objects
# that the encoder never saw, before and after.
#
#     scripts/experiments/training.sh [DIR]
#
# DIR (.media/training) holds afterwards 1,000 rendered videos of training objects, their pairs, images of held-out objects in a folder
# for each object and in one for each class, and three runs of nine minutes or less each: DIR/run-object, DIR/run-class, and DIR/run-real on
# regions of real clips. What is there stays.
# Pillow, which cuts objects out, is installed into DIR/python.
# VIDPAIRS names the program (target/release/vidpairs, with vidpairs-torch beside it).
set -euo pipefail

say() { printf 'training: %s\n' "$*"; }
fail() {
    printf 'training: %s\n' "$*" >&2
    exit 1
}

(($# <= 1)) || fail "$# arguments; usage: scripts/experiments/training.sh [DIR]"
out=$(realpath -m "${1:-$(dirname "$0")/../../.media/training}")
cd "$(dirname "$0")/../.."
vidpairs=$(realpath -m "${VIDPAIRS:-${CARGO_TARGET_DIR:-target}/release/vidpairs}")
[[ -x $vidpairs ]] || fail "there is no $vidpairs: cargo build --release, or name the program in VIDPAIRS"

scripts/fetch-objects.sh
mkdir -p "$out"
python=$out/python/bin/python
if [[ ! -x $python ]]; then
    say "Pillow, into $out/python"
    python3 -m venv "$out/python"
    "$python" -m pip install --quiet pillow==13.0.0
fi

say "rendering videos of training objects, held-out objects from all sides, and both in clutter"
"$vidpairs" synth --kind trackingnet --out "$out/videos" --seed 5 --videos 1000 --held-out-videos 1 --frames 40 \
    --size 160x120 --container zip --turn 180 --occlusion 0.2 --leaving 0 --quiet
"$vidpairs" synth --kind aloi --out "$out/aloi" --num-objects 30 --quiet
"$vidpairs" synth --kind pascal3d --half both --out "$out/pascal3d" --num-objects 12 --size 128x128 --elevations 0,30 --quiet

# The views of an object every 15 degrees: the front half is known, the back half asked about.
for object in "$out"/aloi/png2/*/; do
    name=$(basename "$object")
    mkdir -p "$out/by-object/$name"
    for degrees in $(seq 0 15 345); do
        ln -sfn "$object${name}_r$degrees.png" "$out/by-object/$name/"
    done
done
# The objects of a class, cut out: those of the training half are known, held-out ones asked about.
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
