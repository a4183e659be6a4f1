#!/usr/bin/env bash
# Kills every resumable command at random moments, resumes it each time, and compares the result byte by byte with that of an
# undisturbed run.
#
#     scripts/campaigns/kills.sh [--programs DIR] [--kills N] [--seed S] [--keep DIR] [COMMAND...]
#
# DIR holds the program `vidpairs` and the programs beside it [default: target/release]. COMMAND is synth, extract, train, track or
# invariance [default: all]. Each is killed with SIGKILL N times [default: 50]: one to three times in a row while it writes one folder,
# after a random share of the time that the undisturbed run took; then it runs to its end. The seed S [default: 1] decides the moments;
# the machine decides what happens at them. Prints a line for each command and each difference, and exits with 1 if anything differs, a
# resumed command fails, or a file of an unfinished run is left. Wall times are not compared (scripts/lib/compare_outputs.py). About a
# quarter of an hour on two cores. --keep keeps inputs and results in DIR, a new or empty folder.
set -euo pipefail

fail() {
    printf 'kills: %s\n' "$*" >&2
    exit 1
}

usage='usage: scripts/campaigns/kills.sh [--programs DIR] [--kills N] [--seed S] [--keep DIR] [COMMAND...]'
programs='' num_kills=50 seed=1 kept='' commands=()
while (($# > 0)); do
    case $1 in
    --programs | --kills | --seed | --keep)
        (($# >= 2)) || fail "$1 has no value; $usage"
        case $1 in
        --programs) programs=$(realpath -m "$2") ;;
        --kills) num_kills=$2 ;;
        --seed) seed=$2 ;;
        --keep) kept=$(realpath -m "$2") ;;
        esac
        shift
        ;;
    synth | extract | train | track | invariance) commands+=("$1") ;;
    *) fail "$1 is neither an option nor a command; $usage" ;;
    esac
    shift
done
[[ $num_kills =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || fail "N and S are whole numbers; $usage"
if ((${#commands[@]} == 0)); then commands=(synth extract train track invariance); fi
cd "$(dirname "$0")/../.."
program=${programs:-$PWD/target/release}/vidpairs pipeline=$PWD/pipelines/smoke.toml
compare_outputs=$PWD/scripts/lib/compare_outputs.py
[[ -x $program ]] || fail "no program $program; $usage"

if [[ -n $kept ]]; then
    mkdir -p "$kept"
    [[ -z $(ls -A "$kept") ]] || fail "$kept is not empty"
    work=$kept
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
mkdir "$work/inputs" "$work/whole" "$work/killed"
inputs=../inputs

# Prints the arguments of a command, one a line; it writes the folder `out`. One thread, as libtorch sums in another order with another
# number, and the moments of kills spread over the work.
arguments() {
    case $1 in
    synth)
        printf '%s\n' synth --kind trackingnet --videos 3 --held-out-videos 1 --frames 10 --size 96x72 --seed 3 --out out
        ;;
    extract)
        printf '%s\n' extract "$pipeline" --source "$inputs/set" --out out --set source.kind=got10k --set pairs.k=4 \
            --set 'shards.max_records=8' --set pairs.per_video=12
        ;;
    train)
        printf '%s\n' train "$pipeline" --shards "$inputs/shards" --out out --device cpu --set source.kind=got10k --set train.epochs=6 \
            --set train.log_steps=1 --set train.checkpoint_steps=3 --knn "$inputs/labelled" --set train.knn_images=60
        ;;
    track)
        printf '%s\n' track --data "got10k=$inputs/set" --splits train,val --tracker dcf --out out
        ;;
    invariance)
        printf '%s\n' invariance --weights "a=$inputs/backbone.safetensors" --data "aloi-viewpoint=$inputs/objects" \
            --data "aloi-color=$inputs/objects" --set invariance.size=32 --set invariance.resamples=200 --device cpu --out out
        ;;
    esac
    printf '%s\n' --workers 1
}

# The parts of `out` that do not depend on how often the run was started: a resumed one starts another event file.
compared() {
    case $1 in
    train) printf '%s\n' out/run.json out/checkpoints out/backbone.safetensors out/metrics.jsonl ;;
    *) printf 'out\n' ;;
    esac
}

# Milliseconds since 1970.
now() { date +%s%3N; }

make_inputs() {
    (
        cd "$work/whole"
        synth() { "$program" synth --seed 3 --quiet "$@"; }
        synth --kind got10k --videos 4 --held-out-videos 1 --frames 30 --size 160x120 --out "$inputs/set"
        synth --kind aloi --num-objects 3 --out "$inputs/objects"
        mapfile -t extract < <(arguments extract)
        "$program" "${extract[@]/#out/$inputs/shards}" --quiet
        ln -s objects/png2 "$inputs/labelled"
        mapfile -t train < <(arguments train)
        "$program" "${train[@]}" --quiet --set train.epochs=1
        mv out/backbone.safetensors "$inputs"
        rm -rf out
    )
}

num_bad=0
# Kills the command $1 as often as asked.
campaign() {
    local command=$1 args start took killed=0 kills_left started=0 ended=0 folders=0 pid after code label paths bad_before=$num_bad
    mapfile -t args < <(arguments "$command")
    mapfile -t paths < <(compared "$command")
    rm -rf "$work/whole/out"
    start=$(now)
    (cd "$work/whole" && "$program" "${args[@]}" >/dev/null 2>"$work/said.err") || fail "$command fails: $(<"$work/said.err")"
    took=$(($(now) - start))
    while ((killed < num_kills)); do
        rm -rf "$work/killed/out"
        folders=$((folders + 1)) kills_left=$((RANDOM % 3 + 1))
        label="$command, folder $folders"
        while ((kills_left > 0 && killed < num_kills)); do
            kills_left=$((kills_left - 1)) started=$((started + 1))
            (cd "$work/killed" && exec "$program" "${args[@]}" >/dev/null 2>"$work/said.err") &
            pid=$!
            after=$((took * RANDOM / 32768))
            sleep "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))"
            kill -KILL "$pid" 2>/dev/null || true
            code=0
            wait "$pid" 2>/dev/null || code=$?
            case $code in
            137) killed=$((killed + 1)) ;;
            0) ended=$((ended + 1)) kills_left=0 ;;
            *)
                printf 'FAILED: %s: exit code %d: %s\n' "$label" "$code" "$(<"$work/said.err")"
                num_bad=$((num_bad + 1)) killed=$((killed + 1)) kills_left=0
                ;;
            esac
        done
        code=0
        (cd "$work/killed" && "$program" "${args[@]}" >/dev/null 2>"$work/said.err") || code=$?
        if ((code != 0)); then
            printf 'FAILED: %s: the resumed run ends with exit code %d: %s\n' "$label" "$code" "$(<"$work/said.err")"
            num_bad=$((num_bad + 1))
            continue
        fi
        python3 "$compare_outputs" "$label" "$work/whole" "$work/killed" "${paths[@]}" >"$work/said.txt" || {
            cat "$work/said.txt"
            num_bad=$((num_bad + 1))
        }
        if [[ -n $(find "$work/killed/out" -name .journal -o -name '*.part') ]]; then
            printf 'LEFT: %s: %s\n' "$label" "$(find "$work/killed/out" -name .journal -o -name '*.part')"
            num_bad=$((num_bad + 1))
        fi
    done
    printf 'kills: %s: killed %d times in %d folders (%d starts ended first; undisturbed %d ms): %d differences\n' "$command" \
        "$killed" "$folders" "$ended" "$took" $((num_bad - bad_before))
}

RANDOM=$seed
make_inputs
for command in "${commands[@]}"; do campaign "$command"; done
printf 'kills: %d s\n' "$SECONDS"
if ((num_bad > 0)); then fail "$num_bad differences"; fi
