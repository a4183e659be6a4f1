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
# shellcheck source=scripts/lib/pictures.sh
source "$(dirname "$0")/lib/pictures.sh"

kept=$(folder_argument "$@")
cd "$(dirname "$0")/.."
pictures=$PWD/docs/pictures
max_bytes=250000
width=1200

chromium=$(chromium_program)
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
    local kind=$1 height=$2 shot=$scratch/shot.png picture=$pictures/synth-$1.jpg
    shift 2
    say "rendering $kind"
    (cd "$out" && "$vidpairs" synth --kind "$kind" --out "$kind" --objects objects --seed 7 \
        --gallery "$kind.html" --quiet "$@")
    screenshot "file://$out/$kind.html" "$width" "$height" "$shot"
    small_jpeg "$shot" "$picture" "$max_bytes"
}

picture trackingnet 1900 --videos 6 --held-out-videos 2 --frames 60 --container zip
picture got10k 1900 --videos 6 --held-out-videos 2 --frames 40 --occlusion 0.8 --leaving 0.4
picture aloi 1400 --num-objects 3
picture pascal3d 1500 --num-objects 2 --half both --categories car,chair,dog
picture coco 2200 --images 9 --held-out-images 3
if [[ -n $kept ]]; then say "the sets and their pages: $kept"; fi
