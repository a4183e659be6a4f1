#!/usr/bin/env python3
"""Extraction beside bare decoding and beside the same work in Python, on the same clips, in turns.

usage: extract.py [--kind frames|regions] [--rounds N] [--frames N] [--csrt-frames N]
                  [--peer EXTRACT.py] [--work DIR] VIDPAIRS CLIPS_DIR

VIDPAIRS: a release build. CLIPS_DIR: the clips of `scripts/fetch-clips.sh --small`, from which longer
ones are made (h264, 640 x 360, as x264 encodes by default). --peer: a script with the arguments
`frames|kcf|csrt WORKERS VIDEO...` that makes the same pairs with PyAV, OpenCV and webdataset; its
interpreter is $PEER_PYTHON, else python3. Every figure is the median over the rounds; ratios are medians
of the rounds' ratios, since a round's runs share the machine's mood.

--kind regions: every 60 frames 4 regions, each followed through 60 frames, in every frame. The peer takes
random boxes of 48 to 160 px and rejects nothing, but drops a box as soon as OpenCV's tracker reports it
lost, and tracks nothing back. vidpairs proposes its regions, and rejects tracklets; a rejected one is not
followed to its end, so it is also run with rules that reject nothing, which follows every region through
every frame. --frames: of each of the 4 clips; --csrt-frames: the same for the peer's csrt, which is so slow
that it gets shorter clips (by default each of the three sources once); ratios are of frames/s.
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
REGIONS = 4


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


def ours(vidpairs, clips, work, pairs, kind="frames"):
    """Seconds, and the summary. `pairs`: lines of the table [pairs], which other tables may follow."""
    out, listing, pipeline = work / "out", work / "clips.txt", work / "pipeline.toml"
    shutil.rmtree(out, ignore_errors=True)
    listing.write_text("".join(f"{clip}\n" for clip in clips))
    pipeline.write_text(
        f'[source]\nkind = "videos"\n[pairs]\nkind = "{kind}"\nk = {K}\n{pairs}\n'
        "[images]\nshort_side = 256\nquality = 90\n"
    )
    command = [vidpairs, "extract", pipeline, "--source", listing, "--out", out,
               "--workers", str(WORKERS), "--json", "--quiet"]
    start = time.perf_counter()
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
    return time.perf_counter() - start, json.loads(done.stdout)


def peer(script, clips, mode="frames"):
    """Seconds of the peer's own clock (without its start), and its line."""
    python = os.environ.get("PEER_PYTHON", "python3")
    command = [python, script, mode, str(WORKERS), *map(str, clips)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(re.search(r"seconds=([\d.]+)", done.stdout)[1]), done.stdout.strip()


def row(name, frames, times, against=None):
    middle = statistics.median(times)
    ratio = ""
    if against:
        ratio = f"{statistics.median(other / own for own, other in zip(times, against)):.2f}"
    print(f"| {name} | {middle:.2f} | {frames / middle:,.0f} | {ratio} |", flush=True)


def dense_clips(work, sources, frames):
    """4 clips, each with the sources in another order; a keyframe where x264 puts it, 250 frames apart at most."""
    clips = []
    for place in range(4):
        clips.append(work / (f"dense-{place}.mp4" if frames == 3001 else f"dense-{place}-{frames}.mp4"))
        make_clip(sources[place % 3:] + sources[:place % 3], clips[-1], frames, 250)
    return clips


def frames(arguments, work, sources):
    dense = dense_clips(work, sources, 3001)
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


# Runs of kind `regions`: name, whole frames stored too, rules that reject nothing.
OURS = (
    ("vidpairs, regions alone", False, False),
    ("vidpairs, with the whole frames", True, False),
    ("vidpairs, regions alone, nothing rejected", False, True),
)
# Every region is followed to its end, and nothing is tracked back.
NO_RULES = "[tracker]\nname = \"dcf\"\n" + "".join(f"{key} = {value}\n" for key, value in {
    "min_confidence": 0, "min_confidence_mean": 0, "min_confidence_last": 0, "max_lost_frames": 100000,
    "max_size_ratio": 100, "max_aspect_ratio": 100, "max_duplicate_iou": 1, "min_forward_backward_iou": 0,
}.items())


def region_pairs(with_frames, is_all_kept):
    """The tables [pairs] (from its second line) and [tracker]."""
    pairs = f"stride = {K}\nregions_per_frame = {REGIONS}\nwith_frames = {str(with_frames).lower()}\n"
    if is_all_kept:
        return pairs + "min_box_px = 1\nmax_box_outside = 1\n" + NO_RULES
    return pairs + '[tracker]\nname = "dcf"\n'


def regions(arguments, work, sources):
    clips, few = dense_clips(work, sources, arguments.frames), []
    peers = []
    if arguments.peer:
        peers.append(("kcf", clips, arguments.frames))
        if arguments.csrt_frames:
            few = dense_clips(work, sources, arguments.csrt_frames)
            peers.append(("csrt", few, arguments.csrt_frames))
    # Frames/s of every round, by run; and what the last round's run said (the same in each).
    rates, pairs, summaries = {}, {}, {}

    def note(name, num_frames, seconds, num_pairs):
        rates.setdefault(name, []).append(num_frames / seconds)
        pairs[name] = num_pairs

    num_frames = 4 * arguments.frames
    for _ in range(arguments.rounds):
        note("bare decoding", num_frames, bare_decode(clips), "")
        for name, with_frames, is_all_kept in OURS:
            seconds, summary = ours(arguments.vidpairs, clips, work, region_pairs(with_frames, is_all_kept), "regions")
            note(name, num_frames, seconds, summary["pairs"])
            summaries[name] = summary
        for mode, its_clips, its_frames in peers:
            seconds, line = peer(arguments.peer, its_clips, mode)
            note(f"Python peer, {mode}", 4 * its_frames, seconds, re.search(r"pairs=(\d+)", line)[1])

    print(f"### {REGIONS} regions every {K} frames, tracked through {K}\n")
    print(f"4 clips, {num_frames:,} frames, {WORKERS} workers, {arguments.rounds} rounds" + (
        f"; csrt on 4 clips, {4 * arguments.csrt_frames:,} frames" if few else "") + "\n")
    others = ["bare decoding", *(f"Python peer, {mode}" for mode, _, _ in peers)]
    print("| | frames/s | pairs | " + " | ".join(f"times {it}" for it in others) + " |")
    print("|---" * (3 + len(others)) + "|")
    for name, its in rates.items():
        cells = [name, f"{statistics.median(its):,.0f}", str(pairs[name])]
        for other in others:
            ratio = statistics.median(own / theirs for own, theirs in zip(its, rates[other]))
            cells.append("" if other == name else f"{ratio:.3g}")
        print("| " + " | ".join(cells) + " |")

    print("\nWhat vidpairs did; updates of trackers back count as well.\n")
    print("| | frames tracked | updates | updates a frame of the clips | tracklets | rejected |\n|---|---|---|---|---|---|")
    for name, summary in summaries.items():
        tracked, updates = summary["frames_tracked"], summary["tracker_updates"]
        reasons = sorted(summary["rejected_tracklets"].items(), key=lambda it: -it[1])
        print(f"| {name} | {tracked:,} | {updates:,} | {updates / num_frames:.2f} | {summary['tracklets']:,} | "
              + (", ".join(f"{num} {reason}" for reason, num in reasons) or "none") + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vidpairs")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kind", choices=("frames", "regions"), default="frames")
    parser.add_argument("--frames", type=int, default=3001, help="of each clip, in kind regions")
    parser.add_argument("--csrt-frames", type=int, default=721, help="of each clip for the peer's csrt; 0: without it")
    parser.add_argument("--peer")
    parser.add_argument("--work", type=Path, help="where made clips stay (default: a temporary folder)")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp(prefix="vidpairs-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    sources = [arguments.clips / name for name in ("bikes.mp4", "bigbuckbunny.mp4", "cockatoo.mp4")]
    if arguments.kind == "frames":
        frames(arguments, work, sources)
    else:
        regions(arguments, work, sources)


if __name__ == "__main__":
    main()
