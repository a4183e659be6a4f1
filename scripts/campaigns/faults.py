#!/usr/bin/env python3
"""Fails single system calls of `vidpairs extract`, one run for each, and checks what is left.

For each kind of call (open, read, write, fsync, rename, truncate) and each error (EIO, ENOSPC, EINTR, half of the bytes), the
n-th call on a file of the output folder fails, for n over the whole run or an even sample of it. The run must

- end with code 0 and the bytes of an undisturbed run, or
- end with code 2 and a sentence; the same command must then resume to the bytes of an undisturbed run.

Reads of clips are tried too: a clip that cannot be read may be refused (code 1 or a line of refused.jsonl), and
`--retry-refused` must then give as many pairs as an undisturbed run.

    cargo build -p vidpairs
    scripts/campaigns/faults.py target/debug/vidpairs [--most 40]

Needs a C compiler and ffmpeg.
"""

import argparse
import filecmp
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


class Campaign:
    def __init__(self, program: Path, folder: Path, most: int):
        self.program, self.folder, self.most = program, folder, most
        self.shim = folder / "faults.so"
        source = Path(__file__).with_name("faults.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self.shim, source, "-ldl"], check=True)
        (folder / "pipeline.toml").write_text(PIPELINE)
        (folder / "clips").mkdir()
        for name, frames in [("a", 40), ("b", 70), ("c", 50)]:
            video = "testsrc2=s=64x48:r=30"
            args = ["-v", "error", "-f", "lavfi", "-i", video, "-frames:v", str(frames), "-c:v", "libx264", "-g", "10"]
            subprocess.run(["ffmpeg", *args, "-pix_fmt", "yuv420p", folder / "clips" / f"{name}.mp4"], check=True)
        self.figures: dict[str, dict[str, int]] = {}
        self.bad: list[str] = []
        ran = self.extract("expected", {})
        assert ran.returncode == 0, ran.stderr

    def extract(self, out: str, faults: dict[str, str], *more: str) -> subprocess.CompletedProcess:
        env = {name: value for name, value in os.environ.items() if name != "RUST_BACKTRACE"}
        if faults:
            env |= {"LD_PRELOAD": str(self.shim), **faults}
        args = ["extract", "pipeline.toml", "--source", "clips", "--out", out, "--workers", "2", *more]
        return subprocess.run(
            [self.program, *args], cwd=self.folder, env=env, capture_output=True, text=True, timeout=120
        )

    def is_same(self, out: str) -> bool:
        expected, found = self.folder / "expected", self.folder / out
        names = sorted(os.listdir(expected))
        if sorted(os.listdir(found)) != names:
            return False
        return filecmp.cmpfiles(expected, found, names, shallow=False)[0] == names

    def pairs(self, out: str) -> int:
        return json.loads((self.folder / out / "dataset.json").read_text())["totals"]["records"]

    def calls(self, call: str, root: Path, resumes: bool) -> int:
        """Number of calls of an undisturbed run."""
        self.fresh("count", resumes)
        count = self.folder / "count.txt"
        self.extract("count", {"FAULT_CALL": call, "FAULT_ROOT": str(root), "FAULT_COUNT": str(count)})
        return int(count.read_text())

    def fresh(self, out: str, resumes: bool) -> None:
        """Empties `out`, or puts a stopped run there."""
        path = self.folder / out
        shutil.rmtree(path, ignore_errors=True)
        if resumes:
            shutil.copytree(self.folder / "stopped", path)

    def stop(self) -> None:
        """Leaves a run in `stopped` that failed in the middle."""
        root = str(self.folder / "stopped")
        num = self.calls("fsync", self.folder / "count", False)
        faults = {"FAULT_CALL": "fsync", "FAULT_ROOT": root, "FAULT_KIND": "EIO", "FAULT_AT": str(num // 2)}
        assert self.extract("stopped", faults).returncode == 2

    def run(self, call: str, kind: str, where: str, resumes: bool, stays: bool) -> None:
        root = self.folder / where
        num = self.calls(call, self.folder / "count" if where == "out" else root, resumes)
        step = max(1, -(-num // self.most))
        name = f"{call} {kind}{' from then on' if stays else ''} in {where}{', resumed' if resumes else ''}"
        figures = {"calls": num, "runs": 0, "same bytes": 0, "a sentence, then resumed": 0, "refused, then retried": 0}
        for at in range(1, num + 1, step):
            self.fresh("out", resumes)
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
        ran = self.extract("out", faults)
        if ran.returncode == 0 and self.is_same("out"):
            figures["same bytes"] += 1
            return None
        said = ran.stderr.strip()
        last = said.splitlines()[-1] if said else ""
        if ran.returncode == 2:
            if not last.startswith("vidpairs: ") or "internal error" in said or "panicked" in said:
                return f"no sentence: {said!r}"
            again = self.extract("out", {})
            if again.returncode != 0 or not self.is_same("out"):
                return f"{said!r}, then resumed with code {again.returncode} and other bytes: {again.stderr!r}"
            figures["a sentence, then resumed"] += 1
            return None
        if ran.returncode in (0, 1) and (self.folder / "out" / "refused.jsonl").stat().st_size > 0:
            again = self.extract("out", {}, "--retry-refused")
            if again.returncode != 0 or self.pairs("out") != self.pairs("expected"):
                return f"refused, then retried with code {again.returncode}: {again.stderr!r}"
            figures["refused, then retried"] += 1
            return None
        return f"code {ran.returncode} and other bytes: {said!r}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--most", type=int, default=40, help="most runs for each kind of fault")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(args.program.resolve(), Path(folder).resolve(), args.most)
        campaign.stop()
        for call, kinds in KINDS.items():
            for kind in kinds:
                campaign.run(call, kind, "out", resumes=call in ("open", "read", "truncate"), stays=False)
        campaign.run("write", "ENOSPC", "out", resumes=False, stays=True)
        for call in ("open", "rename"):
            campaign.run(call, "EIO", "out", resumes=call == "rename", stays=False)
        for kind in KINDS["read"]:
            campaign.run("read", kind, "clips", resumes=False, stays=False)
    runs = sum(figures["runs"] for figures in campaign.figures.values())
    print(f"{runs} runs, {len(campaign.bad)} of them wrong")
    sys.exit(1 if campaign.bad else 0)


if __name__ == "__main__":
    main()
