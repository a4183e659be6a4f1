#!/usr/bin/env bash
# Fuzzes the readers of foreign bytes, one target after the other.
# usage: scripts/campaigns/fuzz.sh [-r RUNS] [-t SECONDS] [TARGET...]
#   -r RUNS     inputs for each target (default 10000000)
#   -t SECONDS  longest time for each target (default: none)
# Without TARGET all targets of fuzz/ run. The inputs that are found are kept in fuzz/corpus/<target>, and those that fail in
# fuzz/artifacts/<target>. Ends with a table, and with status 1 if any target failed.
set -euo pipefail
cd "$(dirname "$0")/../.."

VERSION=0.13.2
usage() {
    sed -n '2,7s/^# \?//p' "$0"
    exit "$1"
}

runs=10000000 seconds=0
while getopts r:t:h option; do
    case $option in
    r) runs=$OPTARG ;;
    t) seconds=$OPTARG ;;
    h) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
done
shift $((OPTIND - 1))

tool=$PWD/target/tools/bin/cargo-fuzz
if [[ ! -x $tool ]]; then
    echo "installing cargo-fuzz $VERSION into target/tools"
    cargo install --quiet --locked --version "$VERSION" --root target/tools cargo-fuzz
fi
# Without a sanitizer: the readers are safe Rust, in which an index out of bounds is a panic, and stable Rust builds it.
fuzz() { "$tool" fuzz "$1" --fuzz-dir fuzz --sanitizer none "${@:2}"; }

python3 fuzz/seeds.py
targets=("$@")
if ((${#targets[@]} == 0)); then mapfile -t targets < <("$tool" fuzz list --fuzz-dir fuzz); fi
fuzz build
# Panics of libraries that the program turns into errors are faults only if they get out; with a backtrace, the target would end at them.
export RUST_BACKTRACE=0
failed=0 table=
for target in "${targets[@]}"; do
    mkdir -p "fuzz/corpus/$target" "fuzz/seeds/$target"
    log=fuzz/target/$target.log started=$SECONDS state=held
    printf '== %s\n' "$target"
    # An input may take 10 s and 2 GiB; both are faults.
    fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- -runs="$runs" -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -max_len=8192 -print_final_stats=1 >"$log" 2>&1 ||
        { state=FAILED failed=1 && tail -n 20 "$log"; }
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    table+="$target ${executed:-?} $((SECONDS - started)) ${peak:-?} $state"$'\n'
done
column -t -N target,inputs,seconds,peak_MiB,result <<<"$table"
exit "$failed"
