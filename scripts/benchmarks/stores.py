#!/usr/bin/env python3
"""Times a part of an extraction from and into an object store on this machine (s3s-fs), beside the same part from and into a folder, in turns.

    scripts/benchmarks/stores.py [--turns 5] [--workers 1] [--clips 12] [--kind frames|regions]

VIDPAIRS names the program (target/release/vidpairs). Builds the server. Server and program share the cores of this machine. Prints the medians
and the ratio of the rates, store to folder.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

PIPELINE = """
[source]
kind = "videos"
[pairs]
kind = "KIND"
k = 60
stride = 60
[shards]
max_bytes = "8MiB"
"""
REGIONS = """regions_per_frame = 4
[proposals]
kind = "grid"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--kind", choices=["frames", "regions"], default="frames")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parents[2]
    vidpairs = Path(os.environ.get("VIDPAIRS", root / "target/release/vidpairs")).resolve()
    subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "-p", "vidpairs-store", "--example", "s3_server"], cwd=root, check=True)
    with tempfile.TemporaryDirectory(prefix="vidpairs-stores-") as folder:
        folder = Path(folder)
        pipeline = PIPELINE.replace("KIND", arguments.kind)
        pipeline = pipeline.replace("[shards]", REGIONS + "[shards]") if arguments.kind == "regions" else pipeline
        (folder / "pipeline.toml").write_text(pipeline)
        clips = folder / "served/bucket/clips"
        make_clips(clips, arguments.clips)
        server = subprocess.Popen([root / "target/release/examples/s3_server", folder / "served"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(server.stdout.readline())
        os.environ.update(AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}", AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_REGION="us-east-1")
        places = {"folder": (clips, folder / "pairs"), "store": ("s3://bucket/clips/", "s3://bucket/pairs")}
        seconds = {place: [] for place in places}
        for turn in range(arguments.turns + 1):
            for place, (source, out) in places.items():
                shutil.rmtree(folder / "pairs", ignore_errors=True)
                shutil.rmtree(folder / "served/bucket/pairs", ignore_errors=True)
                took, summary = extract(vidpairs, folder, source, out, arguments.workers)
                if turn > 0:  # the first turn warms the caches
                    seconds[place].append(took)
        server.stdin.close()
        server.wait()
    medians = {place: statistics.median(all_) for place, all_ in seconds.items()}
    print(f"{summary['clips']} clips of {arguments.kind}, {summary['pairs']:,} pairs in {summary['shards']} shards, {summary['bytes'] / 2**20:.0f} MiB; "
          f"folder {medians['folder']:.2f} s, store {medians['store']:.2f} s: {medians['folder'] / medians['store']:.3f}")


def make_clips(folder: Path, num: int) -> None:
    """Clips of 640 x 360, 20 s, as x264 encodes by default."""
    folder.mkdir(parents=True)
    first = folder / "clip 0.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30", "-f", "lavfi", "-i",
                    "mandelbrot=s=640x360:r=30", "-filter_complex", "[0][1]blend=all_mode=average", "-t", "20", "-c:v", "libx264",
                    "-pix_fmt", "yuv420p", first], check=True)
    for number in range(1, num):
        shutil.copy(first, folder / f"clip {number}.mp4")


def extract(vidpairs: Path, folder: Path, source: object, out: object, workers: int) -> tuple[float, dict]:
    command = [vidpairs, "extract", "pipeline.toml", "--source", source, "--out", out, "--part", "0/1", "--workers", str(workers), "--scratch",
               folder / "scratch", "--quiet", "--json"]
    start = time.perf_counter()
    done = subprocess.run([str(word) for word in command], cwd=folder, check=True, stdout=subprocess.PIPE)
    return time.perf_counter() - start, json.loads(done.stdout)


if __name__ == "__main__":
    main()
