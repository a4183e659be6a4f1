#!/usr/bin/env bash
# Everything that must hold before a change lands: set-up, format, lints, docs, tests with all features; lints of all
# targets with each feature alone; lints and tests with none. Stops at the first step that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

# A fresh clone is built once: what makes the next build quicker only costs time and disk.
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
docs() { RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps; }

step "set-up" scripts/setup.sh
step "format" cargo fmt --check
step "lints" lint
step "docs" docs
step "objects" scripts/fetch-objects.sh
step "tests" cargo test --locked --lib --test '*'
step "examples of the docs" cargo test --locked --doc
for feature in extract opencv synth train; do
    step "lints, $feature alone" lint --no-default-features --features "$feature"
done
step "lints, no feature" lint --no-default-features
step "tests, no feature" cargo test --locked --no-default-features --lib
printf '\n== all passed in %d s\n' "$SECONDS"
