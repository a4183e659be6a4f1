#!/usr/bin/env bash
# From nothing to pairs that you can look at: set-up, build of the program vidpairs, four real clips, shards, one HTML page. Then builds the
# programs that train and that use OpenCV. A second run resumes where the first one stopped.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\ndemo: %s\n' "$*"; }
vidpairs() { "${CARGO_TARGET_DIR:-target}/release/vidpairs" "$@"; }

scripts/setup.sh
say "building vidpairs"
cargo build --locked --release --bin vidpairs
scripts/fetch-clips.sh --small .media/small

say "extracting pairs into demo/shards"
vidpairs extract pipelines/smoke.toml --source .media/small --out demo/shards
vidpairs verify demo/shards
vidpairs inspect demo/shards --gallery demo/pairs.html
say "the pairs, to look at: $PWD/demo/pairs.html
      the shards, for any WebDataset reader: $PWD/demo/shards"

say "building vidpairs-torch (training) and vidpairs-opencv (OpenCV's trackers)"
cargo build --locked --release
vidpairs --version
