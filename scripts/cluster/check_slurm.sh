#!/usr/bin/env bash
# Runs extract.sbatch on a Slurm of this machine alone, with a time limit that strikes, and compares the result with that of one machine.
#
#     scripts/cluster/check_slurm.sh [SECONDS]
#
# SECONDS [80] is how long one thread works on a part: longer than the limit, Slurm's smallest, of one minute. On a busy machine less is enough.
# Needs root, or sudo without a password, to install Debian's slurmctld, slurmd, slurm-client and munge where they are missing, and to run one
# controller and one node: in a temporary folder, on the loopback interface, under ports of their own. They end with the script, and nothing is left
# but the packages. VIDPAIRS names the program [target/release/vidpairs]. About fifteen minutes on two cores.
set -euo pipefail

what=slurm
[[ ${1:-80} =~ ^[1-9][0-9]*$ ]] || { echo "usage: $0 [SECONDS]" >&2; exit 1; }
if ((EUID != 0)); then
    echo "slurm: starting again as root, by sudo"
    exec sudo -n --preserve-env=VIDPAIRS,CARGO_TARGET_DIR,TMPDIR "$0" "$@"
fi
# shellcheck source=scripts/cluster/checks.sh
source "$(dirname "$0")/checks.sh"
parts=6 out=$work/pairs

packages=(slurmctld slurmd slurm-client munge)
for program in slurmctld slurmd sbatch munged; do
    if ! command -v $program >/dev/null; then
        say "installing ${packages[*]}"
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >"$work/apt.log" 2>&1 || fail "apt-get failed: see $work/apt.log"
    fi
done

daemons=()
clean() {
    local pid
    if ((${#daemons[@]} > 0)); then
        scancel --full --signal=KILL --user=root 2>/dev/null || true
        for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
        for pid in "${daemons[@]}"; do wait "$pid" 2>/dev/null || true; done
    fi
    rm -rf "$run"
}
# Sockets need a short path, and munge a folder that only its user can write.
run=$(mktemp -d /run/vidpairs-slurm.XXXXXX)
trap clean EXIT
trap 'exit 130' INT TERM
chmod 755 "$run" "$work"

start_slurm() {
    local host port memory
    host=$(hostname -s) memory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
    port=$((20000 + RANDOM % 10000))
    dd if=/dev/urandom of="$run/munge.key" bs=1024 count=1 status=none
    chmod 400 "$run/munge.key"
    munged --foreground --force --key-file="$run/munge.key" --socket="$run/munge.socket" --pid-file="$run/munge.pid" \
        --log-file="$run/munge.log" --seed-file="$run/munge.seed" 2>"$work/munged.log" &
    daemons+=($!)
    cat >"$run/slurm.conf" <<END
ClusterName=check
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
# A requeued task waits as long as a credential is valid, two minutes by default.
AuthInfo=socket=$run/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=$run/state
SlurmdSpoolDir=$run/spool
SlurmctldPidFile=$run/slurmctld.pid
SlurmdPidFile=$run/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
KillWait=5
SchedulerParameters=batch_sched_delay=1,sched_interval=5
NodeName=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 RealMemory=$memory State=UNKNOWN
PartitionName=check Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
    export SLURM_CONF=$run/slurm.conf
    mkdir -p "$run/state" "$run/spool"
    for ((try = 0; try < 50; try++)); do [[ -S $run/munge.socket ]] && break; sleep 0.2; done
    slurmctld -D >"$work/slurmctld.log" 2>&1 &
    daemons+=($!)
    slurmd -D -N "$host" >"$work/slurmd.log" 2>&1 &
    daemons+=($!)
    for ((try = 0; try < 100; try++)); do
        if [[ $(sinfo -h -o %T 2>/dev/null) == idle ]]; then return; fi
        sleep 0.5
    done
    fail "the node does not come up: see slurmctld.log and slurmd.log in $work"
}

# wait_for NAME SECONDS: until no job of that name is in the queue.
wait_for() {
    local until=$((SECONDS + $2))
    while [[ -n $(squeue -h --name="$1") ]]; do
        ((SECONDS < until)) || fail "$1 did not end within $2 s: see $work/logs"
        sleep 2
    done
}

start_slurm
say "slurmctld and slurmd $(slurmctld -V | cut -d' ' -f2) run, on the loopback interface"
make_clips $((parts * ${1:-80}))

# What a user changes: the upper lines alone.
mkdir "$work/logs"
sed -e "s|^#SBATCH --array=.*|#SBATCH --array=0-$((parts - 1))|" -e 's|^#SBATCH --cpus-per-task=.*|#SBATCH --cpus-per-task=1|' \
    -e 's|^#SBATCH --mem=.*|#SBATCH --mem=0|' -e 's|^#SBATCH --time=.*|#SBATCH --time=1|' \
    -e "s|^#SBATCH --output=.*|#SBATCH --output=$work/logs/%a.log|" -e "s|^parts=.*|parts=$parts|" -e "s|^vidpairs=.*|vidpairs=$vidpairs|" \
    -e "s|^pipeline=.*|pipeline=$work/pipeline.toml|" -e "s|^source=.*|source=$work/clips.jsonl|" -e "s|^out=.*|out=$out|" \
    "$cluster/extract.sbatch" >"$work/extract.sbatch"

# Parts have different numbers of clips. The first second of one tells how many each has.
timeout --signal=TERM 1 "$vidpairs" extract -q "$work/pipeline.toml" --source "$work/clips.jsonl" --out "$out" --part 0/$parts 2>/dev/null || true
longest=$(python3 -c 'import json, sys
clips = json.load(open(sys.argv[1]))["clips_of_parts"]
print(*sorted(range(len(clips)), key=clips.__getitem__)[-2:], sep=",")' "$out/parts.json")

# Without the warning of --signal, the limit itself strikes: Slurm ends the tasks, and they are not run again.
say "the two longest parts, $longest, run into their time limit of one minute"
sbatch --parsable --array="$longest" --signal=B:CONT@1 "$work/extract.sbatch" >/dev/null
wait_for vidpairs 240
missing=$("$vidpairs" status -q --json "$out" | python3 -c 'import json, sys; print(json.load(sys.stdin)["missing"])') || true
struck=$(cat "$work"/logs/?.log | grep -c 'CANCELLED.*DUE TO TIME LIMIT' || true)
((struck > 0)) || fail "no time limit struck: see $work/logs"

say "status says --array=$missing; these run, are warned before the limit, and requeue themselves"
# The warning comes up to half a minute early, and a minute has only one.
job=$(sbatch --parsable --array="$missing" --signal=B:USR1@15 "$work/extract.sbatch")
sbatch --parsable --dependency=afterany:"$job" --job-name=merge --output="$work/logs/merge.log" \
    --wrap "'$vidpairs' merge '$out'" >/dev/null
wait_for vidpairs 1500
wait_for merge 60
requeued=$(cat "$work"/logs/?.log | grep -c 'requeueing' || true)
((requeued > 0)) || fail "no task was requeued: see $work/logs"
[[ -e $out/dataset.json ]] || fail "the merge failed: $(cat "$work/logs/merge.log")"
same_as_one_machine "$out"
rm -rf "$work"
say "passed in $((SECONDS - started)) s: the limit ended $struck tasks, and tasks requeued themselves $requeued times"
