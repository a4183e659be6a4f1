#!/usr/bin/env bash
# Runs every check that a change must pass: set-up, format, lints, docs, tests of all crates, and the build of vidpairs-torch without
# FFmpeg. Stops at the first step that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

# A fresh clone is built once: incremental compilation only costs time and disk.
if [[ -n ${CI-} ]]; then export CARGO_INCREMENTAL=0; fi

step() {
    local name=$1 started=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@" || {
        printf '\n== FAILED after %d s: %s\n' "$((SECONDS - started))" "$name" >&2
        exit 1
    }
    printf '== %d s: %s\n' "$((SECONDS - started))" "$name"
}

lint() { cargo clippy --locked --all-targets "$@" -- -D warnings; }
loaders() { VIDPAIRS=${VIDPAIRS:-${CARGO_TARGET_DIR:-target}/debug/vidpairs} scripts/external/check.sh; }
docs() { RUSTDOCFLAGS=-Dwarnings cargo doc --locked --workspace --no-deps; }

step "set-up" scripts/setup.sh
step "format" cargo fmt --all --check
step "lints" lint --workspace
step "lints of vidpairs-torch without FFmpeg" lint -p vidpairs-torch
step "docs" docs
step "objects" scripts/fetch-objects.sh
# The programs first: the tests of one package run those of another.
step "programs" cargo build --locked --workspace --bins
step "Python reader" .venv/bin/python -W ignore::ResourceWarning -m unittest discover -s python/tests
step "loaders of others" loaders
step "tests" cargo test --locked --workspace --lib --bins --tests
step "examples of the docs" cargo test --locked --workspace --doc
printf '\n== all passed in %d s\n' "$SECONDS"
