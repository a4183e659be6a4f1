#!/usr/bin/env python3
"""Times `vidpairs status` and `merge` of many parts, and measures time and memory of `vidpairs list` on many names.

    scripts/benchmarks/many_parts.py [--parts 2000] [--names 100000]

VIDPAIRS names the program (target/release/vidpairs). Needs FFmpeg for one small clip, and some hundred megabytes in the temporary folder.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PIPELINE = """
[source]
kind = "videos"
[pairs]
kind = "frames"
k = 5
stride = 5
[images]
short_side = 32
[extract]
max_refused = "100%"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=2000)
    parser.add_argument("--names", type=int, default=100_000)
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parents[2]
    vidpairs = Path(os.environ.get("VIDPAIRS", root / "target/release/vidpairs")).resolve()
    with tempfile.TemporaryDirectory(prefix="vidpairs-parts-") as folder:
        folder = Path(folder)
        (folder / "pipeline.toml").write_text(PIPELINE)
        names(vidpairs, folder, arguments.names)
        parts(vidpairs, folder, arguments.parts)


def names(vidpairs: Path, folder: Path, num: int) -> None:
    """Lists `num` empty files, which have the names of videos."""
    for number in range(num):
        path = folder / "names" / f"{number // 1000:04}" / f"video {number:07}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    seconds, _ = run(vidpairs, "list", "pipeline.toml", "--source", "names", "--out", "names.jsonl", "--quiet", folder=folder)
    mebibytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"list of {num:,} names: {seconds:.2f} s, at most {mebibytes:.0f} MiB")


def parts(vidpairs: Path, folder: Path, num: int) -> None:
    """Looks at `num` parts of as many clips: half of them complete."""
    (folder / "clips").mkdir()
    made = folder / "made.mp4"
    size = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1"]
    subprocess.run(["ffmpeg", "-v", "error", *size, str(made)], check=True)
    for number in range(num):
        os.link(made, folder / "clips" / f"{number:05}.mp4")
    run(vidpairs, "list", "pipeline.toml", "--source", "clips", "--out", "clips.jsonl", "--quiet", folder=folder)
    of = f"{num}"
    extract = ["extract", "pipeline.toml", "--source", "clips.jsonl", "--out", "out", "--workers", "1", "--quiet"]
    for index in range(0, num, 2):
        run(vidpairs, *extract, "--part", f"{index}/{of}", folder=folder)
    seconds, status = run(vidpairs, "status", "out", "--json", folder=folder, code=1)
    found = json.loads(status)
    assert found["complete"] == (num + 1) // 2 and found["not_begun"] == num // 2, found
    print(f"status of {num:,} parts, half of them complete: {seconds:.2f} s")
    for index in range(1, num, 2):
        run(vidpairs, *extract, "--part", f"{index}/{of}", folder=folder)
    seconds, _ = run(vidpairs, "status", "out", folder=folder)
    print(f"status of {num:,} complete parts: {seconds:.2f} s")
    seconds, _ = run(vidpairs, "merge", "out", folder=folder)
    print(f"merge of {num:,} parts: {seconds:.2f} s")
    shutil.rmtree(folder / "out")


def run(*command: object, folder: Path, code: int = 0) -> tuple[float, str]:
    start = time.monotonic()
    ran = subprocess.run([str(part) for part in command], cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == code, f"{command} ended with {ran.returncode}"
    return time.monotonic() - start, ran.stdout


if __name__ == "__main__":
    main()
