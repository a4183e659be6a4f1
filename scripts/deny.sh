#!/usr/bin/env bash
# Checks the licences, bans and sources of all dependencies with cargo-deny. Installs cargo-deny into target/tools if it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
tools=$PWD/${CARGO_TARGET_DIR:-target}/tools

if [[ ! -x $tools/bin/cargo-deny ]]; then
    printf 'deny: installing cargo-deny %s into %s\n' "$version" "$tools"
    cargo install --locked --root "$tools" --version "$version" cargo-deny
fi
"$tools/bin/cargo-deny" --locked check licenses bans sources
