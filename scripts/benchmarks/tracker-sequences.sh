#!/usr/bin/env bash
# The sequences that trackers are measured on: rendered objects before real video, in GOT-10k's layout.
#
#     scripts/benchmarks/tracker-sequences.sh [DIR [OFFSET]]
#
# DIR (.media/tracker) holds afterwards, for every row of tracker-sequences.tsv, a set of its own: `train`
# to tune on, `val` to look at beside it, with other objects in it. 100 sequences of 120 frames, 640 x 360.
# OFFSET is added to every seed: other scenes with the same options, for a figure that nobody tuned on.
# What is there stays. Fetches clips and objects where they are missing. VIDPAIRS names the program.
set -euo pipefail

say() { printf 'sequences: %s\n' "$*"; }
fail() {
    printf 'sequences: %s\n' "$*" >&2
    exit 1
}

(($# <= 2)) || fail "$# arguments; usage: scripts/benchmarks/tracker-sequences.sh [DIR [OFFSET]]"
offset=${2:-0}
[[ $offset =~ ^[0-9]+$ ]] || fail "OFFSET is $offset; expected a whole number"
out=$(realpath -m "${1:-$(dirname "$0")/../../.media/tracker}")
cd "$(dirname "$0")/../.."
vidpairs=$(realpath -m "${VIDPAIRS:-${CARGO_TARGET_DIR:-target}/release/vidpairs}")
[[ -x $vidpairs ]] || fail "no program at $vidpairs: cargo build --release, or name yours with VIDPAIRS=/path"
scripts/fetch-objects.sh >/dev/null
scripts/fetch-clips.sh --all >/dev/null

# Places without a cut, and without an object in the foreground that a tracker could take for its own.
mkdir -p "$out/backgrounds"
for clip in vtest.avi cockatoo.mp4 cityCC0.mpg tree.avi realshort.mp4 bigbuckbunny.mp4 balle-jbart.mp4; do
    ln -f ".media/all/$clip" "$out/backgrounds/$clip" 2>/dev/null || cp -L ".media/all/$clip" "$out/backgrounds/$clip"
done
while IFS=$'\t' read -r name seed options; do
    [[ $name != \#* ]] || continue
    [[ ! -e $out/$name/synth.json ]] || continue
    say "rendering $name"
    # shellcheck disable=SC2086 # options are words
    "$vidpairs" synth --kind got10k --out "$out/$name" --seed "$((seed + offset))" --size 640x360 --frames 120 \
        --videos 5 --held-out-videos 5 --backgrounds "$out/backgrounds" --quiet $options
done <scripts/benchmarks/tracker-sequences.tsv
say "100 sequences in $out"
