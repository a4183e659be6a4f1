#!/usr/bin/env python3
"""Extraction beside bare decoding and beside the same work in Python, on the same clips, in turns.

usage: extract.py [--rounds N] [--peer EXTRACT.py] [--work DIR] VIDPAIRS CLIPS_DIR

VIDPAIRS: a release build. CLIPS_DIR: the clips of `scripts/fetch-clips.sh --small`, from which longer
ones are made (h264, 640 x 360, as x264 encodes by default). --peer: a script with the arguments
`frames WORKERS VIDEO...` that makes the same pairs with PyAV, OpenCV and webdataset; its interpreter
is $PEER_PYTHON, else python3. Every figure is the median over the rounds; ratios are medians of the
rounds' ratios, since a round's runs share the machine's mood.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORKERS = 2
K = 60


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def make_clip(sources, target, frames, keyint, extra=()):
    """A clip of `frames` frames, the sources one after the other, again and again."""
    if target.exists():
        return
    partial = target.with_suffix(".part.mp4")
    inputs, chain = [], ""
    for place, source in enumerate(sources):
        inputs += ["-stream_loop", "-1", "-t", "8", "-i", source]
        chain += f"[{place}:v]scale=640:360,setsar=1,fps=30,format=yuv420p[v{place}];"
    chain += "".join(f"[v{place}]" for place in range(len(sources)))
    chain += f"concat=n={len(sources)}:v=1,loop=loop=-1:size=32767[out]"
    ffmpeg(*inputs, "-filter_complex", chain, "-map", "[out]", "-frames:v", frames,
           "-c:v", "libx264", "-g", keyint, *extra, partial)
    partial.rename(target)


def make_long_clip(source, target, repeats):
    if target.exists():
        return
    partial = target.with_suffix(".part.mp4")
    ffmpeg("-stream_loop", repeats - 1, "-i", source, "-c", "copy", partial)
    partial.rename(target)


def bare_decode(clips):
    """Each process decodes its half of the clips, one thread each."""
    halves = [clips[worker::WORKERS] for worker in range(WORKERS)]
    start = time.perf_counter()
    shells = []
    for half in halves:
        lines = [f"ffmpeg -v error -nostdin -threads 1 -i '{clip}' -map 0:v -f null -" for clip in half]
        shells.append(subprocess.Popen(["sh", "-c", " && ".join(lines)]))
    if any(shell.wait() for shell in shells):
        sys.exit("ffmpeg failed")
    return time.perf_counter() - start


def ours(vidpairs, clips, work, pairs):
    """Seconds, and the summary. `pairs`: lines of the table [pairs]."""
    out, listing, pipeline = work / "out", work / "clips.txt", work / "pipeline.toml"
    shutil.rmtree(out, ignore_errors=True)
    listing.write_text("".join(f"{clip}\n" for clip in clips))
    pipeline.write_text(
        f'[source]\nkind = "videos"\n[pairs]\nkind = "frames"\nk = {K}\n{pairs}\n'
        "[images]\nshort_side = 256\nquality = 90\n"
    )
    command = [vidpairs, "extract", pipeline, "--source", listing, "--out", out,
               "--workers", str(WORKERS), "--json", "--quiet"]
    start = time.perf_counter()
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    return time.perf_counter() - start, json.loads(done.stdout)


def peer(script, clips):
    """Seconds of the peer's own clock (without its start), and its line."""
    python = os.environ.get("PEER_PYTHON", "python3")
    command = [python, script, "frames", str(WORKERS), *map(str, clips)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(re.search(r"seconds=([\d.]+)", done.stdout)[1]), done.stdout.strip()


def row(name, frames, times, against=None):
    middle = statistics.median(times)
    ratio = ""
    if against:
        ratio = f"{statistics.median(other / own for own, other in zip(times, against)):.2f}"
    print(f"| {name} | {middle:.2f} | {frames / middle:,.0f} | {ratio} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vidpairs")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer")
    parser.add_argument("--work", type=Path, help="where made clips stay (default: a temporary folder)")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp(prefix="vidpairs-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    sources = [arguments.clips / name for name in ("bikes.mp4", "bigbuckbunny.mp4", "cockatoo.mp4")]
    dense = []
    for place in range(4):
        dense.append(work / f"dense-{place}.mp4")
        make_clip(sources[place % 3:] + sources[:place % 3], dense[-1], 3001, 250)
    keyed, long = work / "keyed.mp4", work / "long.mp4"
    make_clip(sources, keyed, 3000, 60)
    make_long_clip(keyed, long, 10)

    print("### A pair every 60 frames: every frame must be decoded\n")
    print(f"4 clips, {4 * 3001:,} frames, {WORKERS} workers, {arguments.rounds} rounds\n")
    decode, own, other = [], [], []
    for _ in range(arguments.rounds):
        decode.append(bare_decode(dense))
        own.append(ours(arguments.vidpairs, dense, work, f"stride = {K}")[0])
        if arguments.peer:
            other.append(peer(arguments.peer, dense)[0])
    print("| | seconds | frames/s | times as fast as |\n|---|---|---|---|")
    row("bare decoding (`ffmpeg -threads 1 -f null`, two processes)", 4 * 3001, decode)
    row("vidpairs, beside bare decoding", 4 * 3001, own, decode)
    if other:
        row("Python peer", 4 * 3001, other)
        row("vidpairs, beside the peer", 4 * 3001, own, other)

    print("\n### The same without B-frames: every frame is a reference\n")
    plain = []
    for place in range(4):
        plain.append(work / f"plain-{place}.mp4")
        make_clip(sources[place % 3:] + sources[:place % 3], plain[-1], 3001, 250, ("-bf", "0"))
    decode, own = [], []
    for _ in range(arguments.rounds):
        decode.append(bare_decode(plain))
        own.append(ours(arguments.vidpairs, plain, work, f"stride = {K}")[0])
    print("| | seconds | frames/s | times as fast as |\n|---|---|---|---|")
    row("bare decoding", 4 * 3001, decode)
    row("vidpairs, beside bare decoding", 4 * 3001, own, decode)

    print("\n### One pair of a long video\n")
    print(f"1 clip, 30,000 frames, a keyframe every 60, {WORKERS} workers\n")
    own, other = [], []
    for _ in range(arguments.rounds):
        own.append(ours(arguments.vidpairs, [long], work, "per_video = 1")[0])
        if arguments.peer:
            other.append(peer(arguments.peer, [long])[0])
    print("| | seconds | frames/s of the clip | times as fast as |\n|---|---|---|---|")
    if other:
        row("Python peer (decodes all)", 30000, other)
    row("vidpairs, beside the peer", 30000, own, other or None)


if __name__ == "__main__":
    main()
