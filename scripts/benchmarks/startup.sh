#!/usr/bin/env bash
# What starting vidpairs costs: wall time, processor time and memory of commands that do next to nothing, and the shared
# libraries of each program.
#
#     scripts/benchmarks/startup.sh [FOLDER]
#
# FOLDER holds the program `vidpairs` and the programs beside it (target/release). `ffmpeg -version` is measured as a baseline.
# Every figure is the median of 20 runs of each command in turns, after one that warms the page cache; the memory is the peak
# resident size that the kernel reports, shared libraries included. Clips are fetched where they are missing.
set -euo pipefail

say() { printf 'startup: %s\n' "$*"; }
fail() {
    printf 'startup: %s\n' "$*" >&2
    exit 1
}

(($# <= 1)) || fail "$# arguments; usage: scripts/benchmarks/startup.sh [FOLDER]"
folder=$(realpath -m "${1:-${CARGO_TARGET_DIR:-$(dirname "$0")/../../target}/release}")
cd "$(dirname "$0")/../.."
[[ -x $folder/vidpairs ]] || fail "no program $folder/vidpairs: cargo build --release, or name the folder of yours"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
scripts/fetch-clips.sh --small "$scratch/clips" >/dev/null
"$folder/vidpairs" extract pipelines/smoke.toml --source "$scratch/clips/bikes.mp4" --out "$scratch/shards" --quiet
say "the shards to verify: $(du -b -c "$scratch"/shards/*.tar | tail -n 1 | cut -f 1) bytes from one clip"

python3 - "$folder/vidpairs" "$scratch/shards" <<'END'
"""Prints the table."""
import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import time

ROUNDS = 20
PR_SET_CHILD_SUBREAPER = 36
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def checked(command, status):
    code = os.waitstatus_to_exitcode(status)
    if code:
        sys.exit(f"startup: `{' '.join(command)}` ends with exit code {code}")


def times(command):
    """Wall and processor time of a run, ms."""
    start = time.perf_counter()
    process = subprocess.Popen(command, **QUIET)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    checked(command, status)
    return 1e3 * wall, 1e3 * (usage.ru_utime + usage.ru_stime)


def peak(command):
    """Peak resident size of a run, MB.

    The kernel counts in what a process held before it became another program, and a child of Python begins as a copy of Python.
    So a shell starts the program and ends; the program becomes a child of this process, and has held no more than the shell.
    """
    shell = subprocess.Popen(["sh", "-c", '"$@" &', "sh", *command], **QUIET)
    shell.wait()
    _, status, usage = os.wait4(-1, 0)
    checked(command, status)
    return usage.ru_maxrss * 1024 / 1e6


def main():
    vidpairs, shards = sys.argv[1:]
    commands = {
        "vidpairs --help": [vidpairs, "--help"],
        "vidpairs --version": [vidpairs, "--version"],
        "vidpairs verify": [vidpairs, "verify", shards],
        "vidpairs train --help": [vidpairs, "train", "--help"],
    }
    if shutil.which("ffmpeg"):
        commands["ffmpeg -version"] = ["ffmpeg", "-version"]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit("startup: this kernel gives no orphans to a process that asks for them")
    found = {name: [] for name in commands}
    for command in commands.values():
        times(command)
    for _ in range(ROUNDS):
        for name, command in commands.items():
            found[name].append((*times(command), peak(command)))
    print("\n| | wall, ms | user and system, ms | peak resident, MB |\n|---|---|---|---|")
    for name, runs in found.items():
        wall, processor, memory = map(statistics.median, zip(*runs))
        print(f"| `{name}` | {wall:.1f} | {processor:.1f} | {memory:.1f} |")
    if "ffmpeg -version" not in commands:
        print("\nThere is no ffmpeg here: no baseline.")


main()
END

# The programs beside vidpairs, and the baseline.
programs=()
for program in "$folder"/vidpairs*; do
    if [[ -f $program && -x $program ]]; then programs+=("$program"); fi
done
if command -v ffmpeg >/dev/null; then programs+=("$(command -v ffmpeg)"); fi
printf '\n| | shared libraries | |\n|---|---|---|\n'
for program in "${programs[@]}"; do
    libraries=$(ldd "$program") || fail "ldd cannot read $program"
    among='neither libtorch nor OpenCV'
    case $libraries in
    *libtorch*libopencv_* | *libopencv_*libtorch*) among='libtorch and OpenCV' ;;
    *libtorch*) among=libtorch ;;
    *libopencv_*) among=OpenCV ;;
    esac
    # shellcheck disable=SC2016 # backticks are Markdown
    printf '| `%s` | %d | %s |\n' "$(basename "$program")" "$(wc -l <<<"$libraries")" "$among"
done
