#!/usr/bin/env bash
# From nothing to pairs that you can look at: set-up, build, four real clips, shards, one HTML page.
# A second run goes on where the first one stopped.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\ndemo: %s\n' "$*"; }
vidpairs() { "${CARGO_TARGET_DIR:-target}/release/vidpairs" "$@"; }

scripts/setup.sh
say "building"
cargo build --locked --release
scripts/fetch-clips.sh --small .media/small

say "extracting pairs into demo/shards"
vidpairs extract pipelines/smoke.toml --source .media/small --out demo/shards
vidpairs verify demo/shards
vidpairs inspect demo/shards --gallery demo/pairs.html
say "done. The pairs, to look at: $PWD/demo/pairs.html
      The shards, for any WebDataset reader: $PWD/demo/shards"
