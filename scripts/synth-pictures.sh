#!/usr/bin/env bash
# The pictures of rendered sets in docs/pictures: a small set of each kind with a fixed seed, its page, and
# a picture of the page.
#
#     scripts/synth-pictures.sh [DIR]
#
# DIR keeps the sets and their pages; without it they are made in a scratch folder and removed. Needs the
# objects of scripts/fetch-objects.sh, Chromium and ffmpeg. Backgrounds are painted, so the pictures are
# subject to the licences of the objects only. VIDPAIRS names the program, CHROMIUM the browser.
set -euo pipefail

what=pictures
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/lib/script.sh"

kept=$(folder_argument "$@")
cd "$(dirname "$0")/.."
pictures=$PWD/docs/pictures
max_bytes=250000
width=1200

chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[[ -n $chromium ]] || fail "no Chromium: apt-get install chromium, or name yours with CHROMIUM=/path"
need ffmpeg
objects=${XDG_CACHE_HOME:-$HOME/.cache}/vidpairs/objects
[[ -d $objects ]] || fail "no objects in $objects: run scripts/fetch-objects.sh"
vidpairs=$(vidpairs_program)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
out=${kept:-$scratch/sets}
mkdir -p "$out" "$pictures"
# Messages on a page name the objects' files: by a path that is the same everywhere.
ln -sfn "$objects" "$out/objects"

# Renders the set $1 with the options after $2, and takes a picture of the top $2 px of its page.
picture() {
    local kind=$1 height=$2 shot=$scratch/shot.png picture=$pictures/synth-$1.jpg quality
    shift 2
    say "rendering $kind"
    (cd "$out" && "$vidpairs" synth --kind "$kind" --out "$kind" --objects objects --seed 7 \
        --gallery "$kind.html" --quiet "$@")
    timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$scratch/profile" --hide-scrollbars --window-size="$width,$height" \
        --screenshot="$shot" "file://$out/$kind.html" >"$scratch/log" 2>&1 ||
        fail "Chromium failed: $(tail -n 1 "$scratch/log")"
    # The best quality that is small enough.
    for quality in 2 3 4 5 6 8 10 13 16; do
        ffmpeg -nostdin -loglevel error -y -i "$shot" -q:v "$quality" -update 1 "$picture"
        if (($(stat -c %s "$picture") <= max_bytes)); then break; fi
    done
    (($(stat -c %s "$picture") <= max_bytes)) || fail "$picture is larger than $max_bytes bytes"
    say "$picture, $(stat -c %s "$picture") bytes"
}

picture trackingnet 1900 --videos 6 --held-out-videos 2 --frames 60 --container zip
picture got10k 1900 --videos 6 --held-out-videos 2 --frames 40 --occlusion 0.8 --leaving 0.4
picture aloi 1400 --num-objects 3
picture pascal3d 1500 --num-objects 2 --half both --categories car,chair,dog
picture coco 2200 --images 9 --held-out-images 3
if [[ -n $kept ]]; then say "the sets and their pages: $kept"; fi
