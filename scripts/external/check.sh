#!/usr/bin/env bash
# Reads data sets of four kinds with loaders that people use, compares every byte with Python's tarfile, and prints a table. Then reads a
# data set of one record, and damaged ones.
#
#     scripts/external/check.sh         tarfile, our own reader, webdataset, Hugging Face datasets
#     scripts/external/check.sh all     also DataLoader, DALI, Ray Data, MosaicML streaming, LitData, Energon, ImageFolder; DDP of 2 and 3
#                                       ranks on 1, 5 and 6 shards; and an epoch of lightly-train
#
# PYTHON names a Python with the packages of requirements.txt [.venv/bin/python, from scripts/setup.sh]. `all` installs those and the packages
# of requirements-torch.txt into .media/external-python. PyTorch takes 5 GB there, unless TORCH_PACKAGES names a folder of site-packages that
# holds it in the versions of requirements-torch.txt. VIDPAIRS names the program [target/release/vidpairs].
set -euo pipefail

what=external
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/../lib/script.sh"
python=$(python_program)
cd "$(dirname "$0")/../.."
scripts=$PWD/scripts/external
# A path is made absolute, since the programs start in other folders.
if [[ $python == */* ]]; then python=$(realpath -ms "$python"); fi
case ${1-} in
"") loaders=tarfile,vidpairs,webdataset,datasets ;;
all) loaders=tarfile,vidpairs,webdataset,datasets,torch,dali,streaming,litdata,energon,folder,ray ;;
*) fail "$1 is no set of loaders; usage: $0 [all]" ;;
esac
need ffmpeg python3
vidpairs=$(vidpairs_program)
started=$SECONDS
# Every loader meets paths with spaces.
work=$(mktemp -d "${TMPDIR:-/tmp}/vidpairs external.XXXXXX")
trap 'rm -rf "$work"' EXIT

# $python: an environment with the packages of `all`.
make_python() {
    local folder=$PWD/.media/external-python stamp requirements=("$scripts/requirements.txt" "$scripts/requirements-torch.txt")
    python=$folder/bin/python
    stamp=$(sha256sum "${requirements[@]}" | sha256sum)${TORCH_PACKAGES-}
    if [[ ! -e $folder/stamp || $(<"$folder/stamp") != "$stamp" ]]; then
        say "installing packages into .media/external-python"
        mkdir -p .media
        python3 -m venv --clear "$folder"
        if [[ -n ${TORCH_PACKAGES-} ]]; then
            realpath -e "$TORCH_PACKAGES" >"$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch.pth"
        fi
        "$python" -m pip install --quiet --no-input --disable-pip-version-check "${requirements[@]/#/--requirement=}"
        # Its declared versions of other packages are older than those that datasets needs; it works with these.
        "$python" -m pip install --quiet --no-input --disable-pip-version-check --no-deps mosaicml-streaming==0.13.0
        printf '%s\n' "$stamp" >"$folder/stamp"
    fi
}

# make_pairs NAME KIND [--set KEY=VALUE]...: a data set in $work/pairs/NAME.
make_pairs() {
    local name=$1 kind=$2
    shift 2
    printf '%s\n' 'seed = 7' '[source]' 'kind = "videos"' '[pairs]' "kind = \"$kind\"" 'stride = 2' '[images]' 'short_side = 96' \
        '[shards]' 'max_records = 150' >"$work/$kind.toml"
    "$vidpairs" extract -q "$work/$kind.toml" --source "$work/clips" --out "$work/pairs/$name" "$@"
}

if [[ ${1-} == all ]]; then make_python; fi
"$python" -c 'import datasets, webdataset' 2>/dev/null || fail "$python does not have the packages of scripts/external/requirements.txt: run scripts/setup.sh"
mkdir -p "$work/clips" "$work/pairs"
for length in 8 12 16; do
    ffmpeg -v error -nostdin -f lavfi -i "testsrc2=s=320x240:r=24" -f lavfi -i "mandelbrot=s=320x240:r=24:start_scale=0.$length" \
        -filter_complex "[0][1]blend=all_mode=average" -t "$length" -c:v libx264 -preset ultrafast -g 48 -pix_fmt yuv420p \
        "$work/clips/clip #$length ä.mp4"
done
make_pairs images images
make_pairs frames frames --set pairs.k=12
make_pairs regions regions --set pairs.k=12 --set pairs.with_frames=true --set pairs.stride=4 --set proposals.kind=grid
make_pairs frames-rgb frames --set pairs.k=12 --set images.codec=rgb-zstd
"$vidpairs" extract -q "$work/frames.toml" --source "$work/clips/clip #8 ä.mp4" --out "$work/pairs/one record" --set pairs.k=12 --set pairs.per_video=1
kinds=(images frames regions frames-rgb)
# Another data set in a folder of the same name, which must not be taken for the first, from a cache for example.
mkdir "$work/other"
"$vidpairs" extract -q "$work/frames.toml" --source "$work/clips" --out "$work/other/frames" --set pairs.k=6

if [[ ${1-} == all ]]; then
    for kind in "${kinds[@]}" "one record"; do
        for format in mds litdata energon folder; do
            # No loader of image folders reads rgb-zstd, and export says so.
            [[ $kind-$format != frames-rgb-folder ]] || continue
            "$vidpairs" export -q "$work/pairs/$kind" --to "$format" --out "$work/exports/$kind/$format"
        done
    done
fi

# Nothing is asked of the internet, and caches go with $work.
export PYTHONPATH=$PWD/python HF_HUB_OFFLINE=1 HF_HOME=$work/huggingface HF_DATASETS_DISABLE_PROGRESS_BARS=1
export LITDATA_CACHE_DIR=$work/litdata RAY_USAGE_STATS_ENABLED=0
(cd "$work/pairs" && "$python" -B "$scripts/table.py" --loaders "$loaders" "$work/exports" "${kinds[@]}")
say "a data set of one record"
(cd "$work/pairs" && "$python" -B "$scripts/table.py" --loaders "$loaders" "$work/exports" "one record")
say "damaged and unusual data sets"
"$python" -B -W ignore "$scripts/bad_input.py" "$work/pairs/frames" "$work/pairs/one record" "$work/damaged"
say "another data set, or the export of another, in a folder of the same name"
(cd "$work/other" && "$python" -B "$scripts/table.py" --loaders datasets "$work/exports" frames)

if [[ ${1-} == all ]]; then
    # With `local:` LitData reads copies in its cache, which it finds by the path and by `updated_at` of the index.
    (cd "$work/pairs" && "$python" -B "$scripts/table.py" --loaders litdata "local:$work/exports" frames)
    rm -r "$work/exports/frames/litdata"
    "$vidpairs" export -q "$work/other/frames" --to litdata --out "$work/exports/frames/litdata"
    (cd "$work/other" && "$python" -B "$scripts/table.py" --loaders litdata "local:$work/exports" frames)
    for count in 1 5 6; do "$vidpairs" reshard -q "$work/pairs/frames" --out "$work/resharded/$count" --count "$count"; done
    "$python" -B "$scripts/ddp.py" "$work"/resharded/{1,5,6}
    "$python" -B "$scripts/pretrain_lightly.py" "$work/exports/frames/folder" "$work/lightly" >"$work/lightly.log" 2>&1 ||
        fail "lightly-train failed: $(tail -n 3 "$work/lightly.log")"
    say "lightly-train trained an epoch"
fi
say "passed in $((SECONDS - started)) s"
