#!/usr/bin/env bash
# Runs ray_extract.py on a Ray cluster of two nodes, of which one dies, and compares the result with that of one machine.
#
#     scripts/cluster/check_ray.sh
#
# The nodes are processes of this machine on the loopback interface. The second is killed with SIGKILL in the middle of a part, while the
# program vidpairs of that node is frozen and keeps its lock for a while, as on a network file system. Then another run is stopped by Ctrl-C
# and started again. Installs Ray into .media/cluster-python. VIDPAIRS names the program [target/release/vidpairs]. About five minutes on
# two cores.
set -euo pipefail

what=ray
# shellcheck source=scripts/cluster/checks.sh
source "$(dirname "$0")/checks.sh"
need setpriv pgrep
parts=6
make_python

nodes='' run=''
clean() {
    [[ -z $run ]] || kill -KILL "$run" 2>/dev/null || true
    # The end of its input ends the cluster, and with it what runs there.
    exec 8>&-
    [[ -z $nodes ]] || wait "$nodes" || true
}
trap clean EXIT
trap 'exit 130' INT TERM

# Two nodes of one core each. Prints their address, and the process of the second.
cat >"$work/nodes.py" <<'END'
import sys
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "node_ip_address": "127.0.0.1"})
second = cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1")
print(cluster.address, second.all_processes["raylet"][0].process.pid, flush=True)
sys.stdin.read()
cluster.shutdown()
END
start_nodes() {
    # Only who reads this file can use the cluster.
    export RAY_AUTH_TOKEN_PATH=$work/token RAY_USAGE_STATS_ENABLED=0 RAY_TMPDIR=$work
    # Ray's setting for a machine by itself: it keeps to the loopback interface.
    export RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0
    "$python" -c 'import secrets; print(secrets.token_hex(32), end="")' >"$work/token"
    mkfifo "$work/input"
    "$python" "$work/nodes.py" <"$work/input" >"$work/nodes" 2>"$work/nodes.log" &
    nodes=$!
    exec 8>"$work/input"
    wait_until 120 "the cluster does not start: see $work/nodes.log" test -s "$work/nodes"
    read -r RAY_ADDRESS raylet <"$work/nodes"
    export RAY_ADDRESS
}

# wait_until SECONDS MESSAGE COMMAND...
wait_until() {
    local until=$((SECONDS + $1)) message=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < until)) || fail "$message"
        sleep 0.5
    done
}

# start_run OUT LOG: ray_extract.py as $run. A shell without job control has its background commands ignore SIGINT; Python takes it back.
start_run() {
    "$python" -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); os.execv(sys.argv[1], sys.argv[1:])' \
        "$python" -B "$cluster/ray_extract.py" "$work/pipeline.toml" --source "$work/clips.jsonl" --out "$1" --parts $parts \
        --vidpairs "$vidpairs" >"$2" 2>&1 &
    run=$!
}

# finished OUT LOG: waits for $run, which must have merged all parts.
finished() {
    wait "$run" || fail "ray_extract.py failed: $(tail -n 3 "$2")"
    same_as_one_machine "$1"
}

# The program on the node of the raylet $1, if it runs there.
program_of() {
    local worker
    for worker in $(pgrep -P "$1"); do pgrep -P "$worker" -x vidpairs && return; done
    return 1
}
# has OUT CONDITION: whether the status of OUT, `status` in Python, is so. `vidpairs status` fails as long as the run is not complete.
has() { { "$vidpairs" status -q --json "$1" || true; } | python3 -c "import json, sys; status = json.load(sys.stdin); sys.exit(not ($2))"; }

start_nodes
say "two nodes at $RAY_ADDRESS"
make_clips 48

out=$work/pairs
start_run "$out" "$work/run.log"
wait_until 120 "no two parts run: see $work/run.log" has "$out" 'status["running"] == 2'
wait_until 60 "no clip is done: see $work/run.log" has "$out" 'status["clips_done"] > 0'
frozen=$(program_of "$raylet") || fail "no part runs on the second node"
kill -STOP "$frozen"
# The worker too: one whose raylet alone is lost works on, and Ray takes its result.
kill -KILL "$raylet" "$(ps -o ppid= -p "$frozen" | tr -d ' ')"
say "killed the second node; its program is frozen and holds its lock"
wait_until 300 "the part of the lost node was not tried again: see $work/run.log" grep -q 'another vidpairs is writing to.*trying again' "$work/run.log"
say "its part was begun on the other node, and waits for the lock: the frozen program gets its signal now"
kill -CONT "$frozen"
wait_until 5 "the program of the lost node did not end" eval "! kill -0 $frozen"
finished "$out" "$work/run.log"

out=$work/stopped
start_run "$out" "$work/stopped.log"
wait_until 120 "no part runs: see $work/stopped.log" has "$out" 'status["clips_done"] > 0'
kill -INT "$run"
code=0
wait "$run" || code=$?
[[ $code == 130 ]] || fail "Ctrl-C gave exit code $code: see $work/stopped.log"
wait_until 10 "a program still runs after Ctrl-C" eval "! pgrep -f -- '--out $out '"
say "Ctrl-C stopped all parts: $("$vidpairs" status "$out" | head -n 1 || true)"
start_run "$out" "$work/resumed.log"
finished "$out" "$work/resumed.log"

clean
trap - EXIT
rm -rf "$work"
say "passed in $((SECONDS - started)) s"
