#!/usr/bin/env bash
# Kills workers that share one output folder at random moments, and compares the merged data set with that of one machine.
#
#     scripts/cluster/check_kills.sh [--store] [ROUNDS [SEED]]
#
# With --store the output folder is in an object store: s3s-fs on this machine, which is killed and started again once a round. In every fifth
# round each worker has a scratch folder of its own, as on a machine of its own: what another one left is then taken over after a minute.
#
# In each of the ROUNDS [20] three workers go through all parts, so that they also meet on the same part. Processes of theirs are killed
# with SIGKILL at random moments, four times a round; then they end, and the parts are merged. The SEED [1] decides the moments. VIDPAIRS
# names the program [target/release/vidpairs]. About five minutes on two cores, half an hour with --store.
set -euo pipefail

is_stored=no
if [[ ${1-} == --store ]]; then is_stored=yes; shift; fi
what=kills rounds=${1:-20} RANDOM=${2:-1}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { echo "usage: $0 [--store] [ROUNDS [SEED]]" >&2; exit 1; }
# shellcheck source=scripts/cluster/checks.sh
source "$(dirname "$0")/checks.sh"
# With its workers, and without catching its own signal.
trap 'trap - TERM; kill -TERM 0' INT TERM
parts=5 out=$work/pairs made=$work/pairs
if [[ $is_stored == yes ]]; then
    serve_s3
    out=s3://bucket/pairs made=$served/bucket/pairs
fi

# A worker with a scratch folder and parts: every part until it is complete, the others first if another worker has it.
worker() {
    local scratch=$1 todo=("${@:2}") part error
    while ((${#todo[@]} > 0)); do
        part=${todo[0]} todo=("${todo[@]:1}")
        if ! error=$("$vidpairs" extract -q --workers 1 "$work/pipeline.toml" --source "$work/clips.jsonl" --out "$out" \
            --part "$part/$parts" --scratch "$scratch" 2>&1); then
            case $error in
            # Killed: bash tells nothing else of it here.
            "") ;;
            # The store was killed; it comes back.
            *"gave up after"*) [[ $is_stored == yes ]] || return 1 ;;
            *"another vidpairs is writing to"*) sleep 0.5 ;;
            *) printf 'part %s: %s\n' "$part" "$error" >>"$work/errors"; return 1 ;;
            esac
            todo+=("$part")
        fi
    done
}

make_clips 5
kills=0
for ((round = 1; round <= rounds; round++)); do
    rm -rf "$made" "$work"/scratch*
    workers=() scratch=$work/scratch
    for order in "0 1 2 3 4" "1 0 4 3 2" "0 3 4 1 2"; do
        if ((round % 5 == 0)); then scratch=$work/scratch${#workers[@]}; fi
        # shellcheck disable=SC2086
        worker "$scratch" $order &
        workers+=($!)
    done
    for _ in 1 2 3 4; do
        sleep "0.$((100 + RANDOM % 900))"
        # The program that one of the workers runs at this moment, if any; it may be below a subshell.
        pid=${workers[RANDOM % 3]}
        victim=$(pgrep -x vidpairs -P "$pid,$(pgrep -d, -P "$pid")" | head -n 1) || continue
        if kill -KILL "$victim" 2>/dev/null; then kills=$((kills + 1)); fi
    done
    if [[ $is_stored == yes ]]; then restart_s3; fi
    for pid in "${workers[@]}"; do wait "$pid" || fail "a worker failed in round $round: $(cat "$work/errors" 2>/dev/null)"; done
    "$vidpairs" status -q "$out" || fail "round $round: parts are not complete"
    "$vidpairs" merge -q "$out"
    say "round $round, $kills kills so far: $(same_as_one_machine "$made")"
done
((kills > 0)) || fail "nothing was killed: the program is too fast for these clips"
rm -rf "$work"
say "passed in $((SECONDS - started)) s: $rounds rounds, $kills kills"
