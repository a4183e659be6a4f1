#!/usr/bin/env python3
"""Peak memory of extraction at 1080p: by workers, by length, by number of videos.

usage: memory.py [--work DIR] VIDPAIRS CLIPS_DIR

VIDPAIRS: a release build. CLIPS_DIR: the clips of `scripts/fetch-clips.sh --small`. The peak is the
kernel's (ru_maxrss), shared libraries included.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def make_clips(source, work):
    """A clip of 300 frames as x264 encodes by default, and one ten times as long."""
    short, long = work / "short.mp4", work / "long.mp4"
    if not long.exists():
        ffmpeg("-stream_loop", "-1", "-i", source, "-vf", "scale=1920:1080,setsar=1,format=yuv420p",
               "-frames:v", "300", "-c:v", "libx264", short)
        ffmpeg("-stream_loop", "9", "-i", short, "-c", "copy", work / "long.part.mp4")
        (work / "long.part.mp4").rename(long)
    return short, long


def make_small_clips(work):
    """One minute of 32 x 32 px, and 20 hours: what is left is the list of frames."""
    minute, hours = work / "minute.mp4", work / "hours.mp4"
    if not hours.exists():
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=32x32:r=30", "-frames:v", "1800",
               "-c:v", "libx264", "-preset", "ultrafast", "-g", "60", minute)
        ffmpeg("-stream_loop", "1199", "-i", minute, "-c", "copy", work / "hours.part.mp4")
        (work / "hours.part.mp4").rename(hours)
    return minute, hours


def peak_mib(vidpairs, clips, work, workers, anchors="stride = 30"):
    """Peak memory in MiB of one extraction of `clips`, each listed under a name of its own."""
    out, folder, pipeline = work / "out", work / "source", work / "pipeline.toml"
    for old in (out, folder):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir()
    for place, clip in enumerate(clips):
        os.link(clip, folder / f"{place:03}.mp4")
    pipeline.write_text('[source]\nkind = "videos"\n[pairs]\nkind = "frames"\nk = 60\n' + anchors)
    command = [vidpairs, "extract", pipeline, "--source", folder, "--out", out,
               "--workers", str(workers), "--quiet"]
    process = subprocess.Popen(list(map(str, command)))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"vidpairs failed with {process.returncode}")
    return usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vidpairs")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--work", type=Path, help="where made clips stay (default: a temporary folder)")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp(prefix="vidpairs-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    short, long = make_clips(arguments.clips / "bigbuckbunny.mp4", work)
    print("| workers | videos | frames each | peak, MiB | ceiling, MB |\n|---|---|---|---|---|")
    cases = [(1, [short], 300), (2, [short] * 4, 300), (2, [short] * 40, 300), (2, [long] * 4, 3000),
             (4, [short] * 8, 300), (4, [long] * 4, 3000)]
    for workers, clips, frames in cases:
        peak = peak_mib(arguments.vidpairs, clips, work, workers)
        print(f"| {workers} | {len(clips)} | {frames:,} | {peak:.0f} | {150 + 60 * workers} |", flush=True)

    print("\n| frames of 32 x 32 px, 1 worker, 8 pairs | peak, MiB |\n|---|---|")
    for clip, frames in zip(make_small_clips(work), (1_800, 2_160_000)):
        print(f"| {frames:,} | {peak_mib(arguments.vidpairs, [clip], work, 1, 'per_video = 8'):.0f} |", flush=True)


if __name__ == "__main__":
    main()
