#!/usr/bin/env python3
"""Fails single system calls of a command of vidpairs, one run for each, and checks what is left.

For each kind of call (open, read, write, fsync, rename, truncate) and each error (EIO, ENOSPC, EINTR, half of the bytes), the
n-th call on a file of the output folder fails, for n over the whole run or an even sample of it. The run must

- end with code 0 and the bytes of an undisturbed run, or
- end with code 2 and a sentence; the same command must then resume to the bytes of an undisturbed run.

For extract, reads of clips are tried too: a clip that cannot be read may be refused (code 1 or a line of refused.jsonl), and
`--retry-refused` must then give as many pairs as an undisturbed run.

    cargo build --workspace
    scripts/campaigns/faults.py target/debug/vidpairs [--most 40] [COMMAND...]

COMMAND is extract, synth, track, train or invariance [default: all]. Wall times are not compared (scripts/lib/compare_outputs.py). Needs a
C compiler and ffmpeg.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PIPELINE = """
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 4
stride = 15
regions_per_frame = 2
min_box_px = 12
[proposals]
kind = "grid"
[tracker]
min_confidence_mean = 0.0
min_confidence_last = 0.0
[images]
short_side = 32
[shards]
max_records = 5
"""
KINDS = {
    "open": ["EIO", "EMFILE"],
    "read": ["EIO", "EINTR", "SHORT"],
    "write": ["EIO", "ENOSPC", "EINTR", "SHORT"],
    "fsync": ["EIO", "ENOSPC"],
    "rename": ["EIO", "ENOSPC"],
    "truncate": ["EIO"],
}


# Arguments and the parts of `out` that are compared. Without `--workers 1` libtorch sums in another order.
COMMANDS = {
    "extract": (["extract", "../inputs/pipeline.toml", "--source", "../inputs/clips", "--workers", "2"], ["out"]),
    "synth": (
        "synth --kind trackingnet --videos 2 --held-out-videos 1 --frames 6 --size 96x72 --seed 3 --workers 2".split(),
        ["out"],
    ),
    "track": ("track --data got10k=../inputs/set --splits train,val --tracker dcf --workers 2".split(), ["out"]),
    "train": (
        "train ../inputs/train.toml --shards ../inputs/shards --device cpu --workers 1".split(),
        ["out/run.json", "out/checkpoints", "out/backbone.safetensors", "out/metrics.jsonl"],
    ),
    "invariance": (
        "invariance --weights a=../inputs/backbone.safetensors --data aloi-color=../inputs/objects --set invariance.size=32 "
        "--set invariance.resamples=100 --device cpu --workers 1".split(),
        # A lock that cannot be removed at the end harms nobody.
        ["out/invariance.json", "out/scores.csv", "out/report.html", "out/features"],
    ),
}
TRAIN = """
[source]
kind = "videos"
[pairs]
kind = "regions"
[augment]
size = 16
[train]
method = "moco-v2"
network = "resnet18"
width = 4
stem = "small"
batch = 4
groups = 2
queue = 8
epochs = 2
checkpoint_steps = 2
log_steps = 1
"""


def make_inputs(program: Path, inputs: Path) -> None:
    (inputs / "clips").mkdir(parents=True)
    (inputs / "pipeline.toml").write_text(PIPELINE)
    (inputs / "train.toml").write_text(TRAIN)
    for name, frames in [("a", 40), ("b", 70), ("c", 50)]:
        video = "testsrc2=s=64x48:r=30"
        args = ["-v", "error", "-f", "lavfi", "-i", video, "-frames:v", str(frames), "-c:v", "libx264", "-g", "10"]
        subprocess.run(["ffmpeg", *args, "-pix_fmt", "yuv420p", inputs / "clips" / f"{name}.mp4"], check=True)
    shards = ["extract", "pipeline.toml", "--source", "clips", "--out", "shards"]
    first_run = ["train", "train.toml", "--shards", "shards", "--out", "run", "--device", "cpu", "--set", "train.epochs=1"]
    for args in [
        "synth --kind got10k --videos 2 --held-out-videos 1 --frames 12 --size 96x72 --seed 3 --out set".split(),
        "synth --kind aloi --num-objects 2 --out objects".split(),
        shards,
        first_run,
    ]:
        subprocess.run([program, *args, "--quiet"], cwd=inputs, check=True, stdout=subprocess.DEVNULL)
    shutil.copy(inputs / "run" / "backbone.safetensors", inputs)


class Campaign:
    """The trials of one command. Each of its folders holds what one run writes, in `out`."""

    def __init__(self, command: str, program: Path, folder: Path, most: int):
        self.command, self.program, self.folder, self.most = command, program, folder, most
        self.shim = folder / "faults.so"
        self.args, self.compared = COMMANDS[command]
        self.figures: dict[str, dict[str, int]] = {}
        self.bad: list[str] = []
        for name in ("expected", "count", "stopped", "faulted"):
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).mkdir()
        ran = self.start("expected", {})
        assert ran.returncode == 0, ran.stderr

    def start(self, where: str, faults: dict[str, str], *more: str) -> subprocess.CompletedProcess:
        env = {name: value for name, value in os.environ.items() if name != "RUST_BACKTRACE"}
        if faults:
            env |= {"LD_PRELOAD": str(self.shim), **faults}
        return subprocess.run(
            [self.program, *self.args, "--out", "out", *more],
            cwd=self.folder / where, env=env, capture_output=True, text=True, timeout=240,
        )

    def is_same(self) -> bool:
        compare = Path(__file__).parents[1] / "lib" / "compare_outputs.py"
        args = [sys.executable, compare, self.command, self.folder / "expected", self.folder / "faulted", *self.compared]
        return subprocess.run(args, stdout=subprocess.DEVNULL).returncode == 0

    def pairs(self, where: str) -> int:
        return json.loads((self.folder / where / "out" / "dataset.json").read_text())["totals"]["records"]

    def calls(self, call: str, root: Path, resumes: bool) -> int:
        """Number of calls of an undisturbed run."""
        self.fresh("count", resumes)
        count = self.folder / "count.txt"
        self.start("count", {"FAULT_CALL": call, "FAULT_ROOT": str(root), "FAULT_COUNT": str(count)})
        return int(count.read_text())

    def fresh(self, where: str, resumes: bool) -> None:
        """Empties the folder `where`, or puts a stopped run there."""
        path = self.folder / where / "out"
        shutil.rmtree(path, ignore_errors=True)
        if resumes:
            shutil.copytree(self.folder / "stopped" / "out", path)

    def stop(self) -> None:
        """Leaves a run in `stopped` that failed in the middle."""
        root = str(self.folder / "stopped" / "out")
        num = self.calls("fsync", self.folder / "count" / "out", False)
        faults = {"FAULT_CALL": "fsync", "FAULT_ROOT": root, "FAULT_KIND": "EIO", "FAULT_AT": str(num // 2)}
        assert self.start("stopped", faults).returncode == 2

    def run(self, call: str, kind: str, where: str, resumes: bool, stays: bool) -> None:
        is_out = where == "out"
        root = self.folder / ("faulted/out" if is_out else where)
        num = self.calls(call, self.folder / "count" / "out" if is_out else root, resumes)
        step = max(1, -(-num // self.most))
        name = f"{self.command}: {call} {kind}{' from then on' if stays else ''} in {where}{', resumed' if resumes else ''}"
        figures = {"calls": num, "runs": 0, "same bytes": 0, "a sentence, then resumed": 0, "refused, then retried": 0}
        for at in range(1, num + 1, step):
            self.fresh("faulted", resumes)
            faults = {"FAULT_CALL": call, "FAULT_ROOT": str(root), "FAULT_KIND": kind, "FAULT_AT": str(at)}
            if stays:
                faults["FAULT_STAYS"] = "1"
            figures["runs"] += 1
            try:
                problem = self.problem(faults, figures)
            except subprocess.TimeoutExpired:
                problem = "it hung"
            if problem:
                self.bad.append(f"{name}, call {at} of {num}: {problem}")
                print(self.bad[-1], flush=True)
        self.figures[name] = figures
        print(name, figures, flush=True)

    def problem(self, faults: dict[str, str], figures: dict[str, int]) -> str | None:
        ran = self.start("faulted", faults)
        if ran.returncode == 0 and self.is_same():
            figures["same bytes"] += 1
            return None
        said = ran.stderr.strip()
        last = said.splitlines()[-1] if said else ""
        if ran.returncode == 2:
            if not last.startswith("vidpairs") or "internal error" in said or "panicked" in said:
                return f"no sentence: {said!r}"
            again = self.start("faulted", {})
            if again.returncode != 0 or not self.is_same():
                return f"{said!r}, then resumed with code {again.returncode} and other bytes: {again.stderr!r}"
            figures["a sentence, then resumed"] += 1
            return None
        refused = self.folder / "faulted" / "out" / "refused.jsonl"
        if self.command == "extract" and ran.returncode in (0, 1) and refused.stat().st_size > 0:
            again = self.start("faulted", {}, "--retry-refused")
            if again.returncode != 0 or self.pairs("faulted") != self.pairs("expected"):
                return f"refused, then retried with code {again.returncode}: {again.stderr!r}"
            figures["refused, then retried"] += 1
            return None
        return f"code {ran.returncode} and other bytes: {said!r}"


    def run_all(self) -> None:
        # The results of `invariance` are begun anew: there is no stopped run.
        resumes = self.command != "invariance"
        if resumes:
            self.stop()
        for call, kinds in KINDS.items():
            for kind in kinds:
                self.run(call, kind, "out", resumes=resumes and call in ("open", "read", "truncate"), stays=False)
        self.run("write", "ENOSPC", "out", resumes=False, stays=True)
        # The calls of the other kind of run; `invariance` has one kind.
        if resumes:
            self.run("open", "EIO", "out", resumes=False, stays=False)
            self.run("rename", "EIO", "out", resumes=True, stays=False)
        if self.command == "extract":
            for kind in KINDS["read"]:
                self.run("read", kind, "inputs/clips", resumes=False, stays=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help="extract, synth, track, train or invariance [default: all]")
    parser.add_argument("--most", type=int, default=40, help="most runs for each kind of fault")
    args = parser.parse_intermixed_args()
    unknown = [command for command in args.commands if command not in COMMANDS]
    if unknown:
        parser.error(f"unknown command {unknown[0]}; expected one of {', '.join(COMMANDS)}")
    runs, bad = 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder, program = Path(temporary).resolve(), args.program.resolve()
        shim = Path(__file__).with_name("faults.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", folder / "faults.so", shim, "-ldl"], check=True)
        make_inputs(program, folder / "inputs")
        for command in args.commands or COMMANDS:
            campaign = Campaign(command, program, folder, args.most)
            campaign.run_all()
            runs += sum(figures["runs"] for figures in campaign.figures.values())
            bad += len(campaign.bad)
    print(f"{runs} runs, {bad} of them wrong")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
