#!/usr/bin/env bash
# Kills workers that share one output folder at random moments, and compares the merged data set with that of one machine.
#
#     scripts/cluster/check_kills.sh [ROUNDS [SEED]]
#
# In each of the ROUNDS [20] three workers go through all parts, so that they also meet on the same part. Processes of theirs are killed
# with SIGKILL at random moments, four times a round; then they end, and the parts are merged. The SEED [1] decides the moments. VIDPAIRS
# names the program [target/release/vidpairs]. About five minutes on two cores.
set -euo pipefail

what=kills rounds=${1:-20} RANDOM=${2:-1}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { echo "usage: $0 [ROUNDS [SEED]]" >&2; exit 1; }
# shellcheck source=scripts/cluster/checks.sh
source "$(dirname "$0")/checks.sh"
# With its workers, and without catching its own signal.
trap 'trap - TERM; kill -TERM 0' INT TERM
parts=5 out=$work/pairs

# A worker: every part until it is complete, the others first if another worker has it.
worker() {
    local todo=("$@") part error
    while ((${#todo[@]} > 0)); do
        part=${todo[0]} todo=("${todo[@]:1}")
        if ! error=$("$vidpairs" extract -q --workers 1 "$work/pipeline.toml" --source "$work/clips.jsonl" --out "$out" \
            --part "$part/$parts" 2>&1); then
            case $error in
            # Killed: bash tells nothing else of it here.
            "") ;;
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
    rm -rf "$out"
    workers=()
    for order in "0 1 2 3 4" "1 0 4 3 2" "0 3 4 1 2"; do
        # shellcheck disable=SC2086
        worker $order &
        workers+=($!)
    done
    for _ in 1 2 3 4; do
        sleep "0.$((100 + RANDOM % 900))"
        # The program that one of the workers runs at this moment, if any; it may be below a subshell.
        pid=${workers[RANDOM % 3]}
        victim=$(pgrep -x vidpairs -P "$pid,$(pgrep -d, -P "$pid")" | head -n 1) || continue
        if kill -KILL "$victim" 2>/dev/null; then kills=$((kills + 1)); fi
    done
    for pid in "${workers[@]}"; do wait "$pid" || fail "a worker failed in round $round: $(cat "$work/errors" 2>/dev/null)"; done
    "$vidpairs" status -q "$out" || fail "round $round: parts are not complete"
    "$vidpairs" merge -q "$out"
    say "round $round, $kills kills so far: $(same_as_one_machine "$out")"
done
((kills > 0)) || fail "nothing was killed: the program is too fast for these clips"
rm -rf "$work"
say "passed in $((SECONDS - started)) s: $rounds rounds, $kills kills"
