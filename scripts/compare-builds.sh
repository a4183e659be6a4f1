#!/usr/bin/env bash
# Checks that two builds of vidpairs write the same bytes: every command runs with both on the same small inputs, and what it
# writes and prints is compared.
#
#     scripts/compare-builds.sh [--keep DIR] OLD NEW
#
# OLD and NEW are folders that hold the program `vidpairs`, built with all features (OpenCV may be missing), and the programs
# beside it, such as target/release. Clips and objects are fetched where they are missing. Prints a line for each comparison,
# `same` or `DIFFERENT` with the file and its first difference, and exits with 1 if anything differs or a command fails.
# Takes about two minutes on two cores. --keep keeps the results of both builds in DIR, a new or empty folder.
#
# OLD works in DIR/old, NEW in DIR/new, under the same relative paths. Inputs that a command makes for another (rendered sets,
# shards, weights) are OLD's for both, so that one difference does not cause others.
set -euo pipefail

workers=2 # The sums of libtorch depend on the number of threads.

say() { printf '\ncompare: %s\n' "$*"; }
fail() {
    printf 'compare: %s\n' "$*" >&2
    exit 1
}

usage='usage: scripts/compare-builds.sh [--keep DIR] OLD NEW'
kept='' folders=()
while (($# > 0)); do
    case $1 in
    --keep)
        (($# >= 2)) || fail "--keep names no folder; $usage"
        kept=$(realpath -m "$2")
        shift
        ;;
    -*) fail "$1 is no option; $usage" ;;
    *) folders+=("$(realpath -m "$1")") ;;
    esac
    shift
done
((${#folders[@]} == 2)) || fail "${#folders[@]} folders; $usage"
declare -A program=([old]=${folders[0]}/vidpairs [new]=${folders[1]}/vidpairs)
for side in old new; do
    [[ -x ${program[$side]} ]] || fail "no program ${program[$side]}; $usage"
done
cd "$(dirname "$0")/.."
pipelines=$PWD/pipelines golden=$PWD/tests/golden compare_outputs=$PWD/scripts/lib/compare_outputs.py

if [[ -n $kept ]]; then
    mkdir -p "$kept"
    [[ -z $(ls -A "$kept") ]] || fail "$kept is not empty"
    work=$kept
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"/{old,new}/said
left_out=$work/left-out
: >"$left_out"
num_checks=0 num_bad=0

part_started=
# Ends the part before, with its time, and begins the part $1.
part() {
    if [[ -n $part_started ]]; then printf 'compare: %d s\n' "$((SECONDS - part_started))"; fi
    part_started=$SECONDS
    say "$1"
}

# Runs `vidpairs $2...` of the build $1 in that build's folder, and returns its exit code. Stdout goes to said/$said, stderr to
# said/$name.err.
run() {
    local side=$1
    shift
    (cd "$work/$side" && "${program[$side]}" "$@" >"said/$said" 2>"said/$name.err")
}

# Runs `vidpairs $3...` with both builds, and compares stdout and the file or folder $2 that the command writes (`-` for none).
# $1 is the name of the comparison.
check() {
    local label=$1 result=$2 side code name said failures=0 paths=()
    shift 2
    name=${label//[ \/]/-} said=${label//[ \/]/-}.txt
    if [[ " $* " == *" --json "* ]]; then said=$name.json; fi
    for side in old new; do
        code=0
        run "$side" "$@" || code=$?
        if ((code != 0)); then
            printf 'FAILED: %s: %s ends with exit code %d\n' "$label" "${side^^}" "$code"
            sed 's/^/    /' "$work/$side/said/$name.err"
            failures=$((failures + 1))
        fi
    done
    num_checks=$((num_checks + 1))
    if ((failures > 0)); then
        num_bad=$((num_bad + 1))
        return
    fi
    if [[ $result != - ]]; then paths+=("$result"); fi
    compare "$label" "${paths[@]}" "said/$said"
}

# Runs `vidpairs $3...`, which must end with exit code $2, with both builds, and compares stdout and stderr. $1 is the name of
# the comparison.
check_refusal() {
    local label=$1 expected=$2 side code name said failures=0
    shift 2
    name=${label//[ \/]/-} said=${label//[ \/]/-}.txt
    for side in old new; do
        code=0
        run "$side" "$@" || code=$?
        if ((code != expected)); then
            printf 'FAILED: %s: %s ends with exit code %d; expected %d\n' "$label" "${side^^}" "$code" "$expected"
            sed 's/^/    /' "$work/$side/said/$name.err"
            failures=$((failures + 1))
        fi
    done
    num_checks=$((num_checks + 1))
    if ((failures > 0)); then
        num_bad=$((num_bad + 1))
        return
    fi
    compare "$label" "said/$said" "said/$name.err"
}

# Compares the files and folders $2... of both builds, and prints the line for the comparison $1.
compare() {
    local label=$1
    shift
    python3 "$compare_outputs" --left-out "$left_out" "$label" "$work/old" "$work/new" "$@" || num_bad=$((num_bad + 1))
}

extract() {
    local kind=$1 pipeline=$2 source=$3
    shift 3
    check "extract $kind" "shards/$kind" extract "$pipelines/$pipeline" --source "$source" --out "shards/$kind" \
        --workers "$workers" --json "$@"
}

synth() {
    local kind=$1
    shift
    check "synth $kind" "synth/$kind" synth --kind "$kind" --out "synth/$kind" --seed 3 --workers "$workers" --json "$@"
}

train() {
    local run=$1 shards=$2
    shift 2
    check "train $run" "runs/$run" train "$pipelines/smoke.toml" --shards "../old/shards/$shards" --out "runs/$run" \
        --device cpu --workers "$workers" --json --set train.log_steps=1 --set train.checkpoint_steps=10 "$@"
}

invariance() {
    local name=$1
    shift
    check "invariance $name" "invariance/$name" invariance --out "invariance/$name" --workers "$workers" --json \
        --set invariance.resamples=200 "$@"
}

has_opencv() { [[ -x $(dirname "${program[$1]}")/vidpairs-opencv ]] || "${program[$1]}" --version | grep -q OpenCV; }

scripts/fetch-clips.sh --small "$work/inputs/clips"
scripts/fetch-objects.sh

part "synth: a set of each kind"
synth trackingnet --videos 3 --held-out-videos 1 --frames 24 --size 160x120 --gallery trackingnet.html
synth got10k --videos 2 --held-out-videos 1 --frames 30 --size 160x120
synth aloi --num-objects 4
synth pascal3d --half both --categories car,chair --num-objects 1 --azimuths 6 --elevations 0,30 --size 96x96
compare "the gallery of synth trackingnet" trackingnet.html

part "extract: each kind of pairs"
extract frames smoke.toml ../inputs/clips
extract images smoke.toml ../inputs/clips --set pairs.kind=images
extract lossless smoke.toml ../inputs/clips --set images.codec=rgb-zstd --set pairs.per_video=2
extract tracks ground-truth-tracks-small.toml ../old/synth/trackingnet --set pairs.k=6 --set pairs.min_box_px=12
extract regions region-tracker-small.toml ../inputs/clips --set source.kind=videos --set pairs.k=12 --set pairs.per_video=5
# A clip that breaks off in the middle, one without its index, which lies at the end, and a file that is no video.
mkdir "$work/inputs/damaged"
ffmpeg -v error -nostdin -i "$work/inputs/clips/bikes.mp4" -c copy "$work/inputs/bikes.mkv"
head -c 300000 "$work/inputs/bikes.mkv" >"$work/inputs/damaged/half.mkv"
head -c 300000 "$work/inputs/clips/bikes.mp4" >"$work/inputs/damaged/no-index.mp4"
cp "$pipelines/smoke.toml" "$work/inputs/damaged/no-video.mp4"
extract damaged smoke.toml ../inputs/damaged --set 'extract.max_refused="100%"'
opencv=none
if has_opencv old || has_opencv new; then opencv=some; fi
if [[ $opencv == some ]]; then
    extract regions-opencv region-tracker-small.toml ../inputs/clips --set source.kind=videos --set pairs.k=6 \
        --set pairs.per_video=1 --set proposals.kind=selective-search --set tracker.name=kcf
fi

part "inspect and verify"
for kind in frames regions; do
    check "inspect $kind" - inspect "../old/shards/$kind"
    check "inspect $kind --json" "$kind.html" inspect "../old/shards/$kind" --json --gallery "$kind.html"
    check "inspect $kind --record" - inspect "../old/shards/$kind" --record 3
    check "verify $kind --json" - verify "../old/shards/$kind" --json
done

part "train: 20 steps on the CPU"
train moco-v2 frames --knn ../old/synth/aloi/png2 --set train.knn_images=100 --set train.epochs=5
train moco-v2-regions regions --set pairs.kind=regions --set train.queue=16 --set train.epochs=5
train pirl frames --set train.method=pirl --set train.negatives=16 --set train.epochs=5

part "invariance"
cp "$golden"/npz/things_in_{words,numbers}.npz "$golden/weights/moco_legacy.pth.tar" "$work/inputs/"
invariance features --features words=../inputs/things_in_words.npz --features numbers=../inputs/things_in_numbers.npz
invariance weights --weights moco=../old/runs/moco-v2/backbone.safetensors --weights pirl=../old/runs/pirl/backbone.safetensors \
    --data aloi-viewpoint=../old/synth/aloi --data aloi-color=../old/synth/aloi --set invariance.size=32 --device cpu

part "track"
trackers=(dcf)
if [[ $opencv == some ]]; then trackers+=(kcf); fi
for tracker in "${trackers[@]}"; do
    check "track $tracker" "track/$tracker" track --data got10k=../old/synth/got10k --splits train,val --tracker "$tracker" \
        --out "track/$tracker" --workers "$workers" --json
done

part "export"
for to in moco/pth.tar detectron2/pkl vissl/torch torchvision/safetensors; do
    check "export to ${to%/*}" "exported-${to%/*}.${to#*/}" export --weights ../old/runs/moco-v2/backbone.safetensors \
        --to "${to%/*}" --out "exported-${to%/*}.${to#*/}"
done
check "export from torch.save" from-torch.pth export --weights ../inputs/moco_legacy.pth.tar --to torchvision \
    --out from-torch.pth --json

part "refusals: exit codes and messages"
if [[ -d $work/old/shards/frames ]]; then
    cp -r "$work/old/shards/frames" "$work/inputs/damaged-shards"
    chmod u+w "$work"/inputs/damaged-shards/*.tar
    # In the middle of an image: no header of the tar is there.
    printf 'damage' | dd of="$work/inputs/damaged-shards/pairs-000000.tar" bs=1 seek=2000 conv=notrunc status=none
fi
check_refusal "verify damaged shards" 2 verify ../inputs/damaged-shards --workers "$workers"
check_refusal "an unknown key" 2 extract "$pipelines/smoke.toml" --source ../inputs/clips --out refused --set pairs.per_vidoe=4
check_refusal "no such source" 2 extract "$pipelines/smoke.toml" --source ../inputs/none --out refused
check_refusal "an unknown option" 2 train --shard ../old/shards/frames
check_refusal "no such shards" 2 train "$pipelines/smoke.toml" --shards ../inputs/none --out refused --device cpu
check_refusal "no such weights" 2 export --weights ../inputs/none.pth --to moco --out refused.pth
printf 'compare: %d s\n' "$((SECONDS - part_started))"

say "left out of the comparisons, where it differed:"
sort -u "$left_out"
cat <<'END'
stderr of commands that succeed: progress, with wall times
Paths are compared: both builds read the same inputs and write to the same relative paths.
END
if [[ $opencv == none ]]; then echo "kcf and selective search: neither build has OpenCV"; fi
if [[ -n $kept ]]; then say "the results of both builds: $kept"; fi
say "$num_checks commands in $SECONDS s"
if ((num_bad > 0)); then fail "$num_bad comparisons differ or could not be made"; fi
