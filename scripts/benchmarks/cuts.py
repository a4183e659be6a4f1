#!/usr/bin/env python3
"""Precision, recall and cost of shot-cut detectors on clips joined with known transitions and traps.

usage: cuts.py [--work DIR] [--seed N] [--make-only] CLIPS VIDPAIRS OUT.json

CLIPS: the folder that `scripts/fetch-clips.sh --all` fills. VIDPAIRS: the program, built for release. Needs ffmpeg with libx264 and
scripts/benchmarks/cuts-requirements.txt. docs/CUTS.md describes the clips, the traps, the rule of a match, and the figures.

The joined clips are made once in --work (default .media/cuts) from --seed (default 20); give another seed another folder. One half,
of its own sources, sets the thresholds ("tuning"); the other half gives the figures ("held out").
"""
import argparse
import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from scenedetect import AdaptiveDetector, ContentDetector, detect

WIDTH, HEIGHT, FPS = 480, 272, 25
REELS, SEGMENTS = 10, 14

# First frames of the shots of each source clip, found by eye; the last number ends its last shot. Clips of two halves share neither
# place nor author's setup. Left out: g1.avi and g2.avi (16 frames each), Principe_inertie.avi and Effet_force_magnetique.ogv (the table
# of Force_constante.avi again).
SHOTS = {
    "tuning": {
        "bikes.mp4": [0, 30, 76, 137, 187, 242],
        "cup.mp4": [0, 217],
        "balle-jbart.mp4": [0, 255],
        "tree.avi": [0, 68],
        "realshort.mp4": [0, 36],
        "vtest.avi": [0, 795],
        "Force_constante.avi": [2, 26],
    },
    "held out": {
        "Megamind.avi": [1, 98, 154, 200, 270],
        "cityCC0.mpg": [0, 116, 190],
        "cockatoo.mp4": [0, 280],
        "bigbuckbunny.mp4": [0, 132],
        "box.mp4": [0, 455],
        "carphone_pristine.mp4": [0, 120],
        "balle1-vp9.avi": [0, 295],
        "franck.mp4": [0, 1200],
    },
}
# Clips as they are, with the first frames of their later shots.
NATURAL = {
    "tuning": {"bikes.mp4": [30, 76, 137, 187, 242], "tree.avi": [], "cup.mp4": [], "vtest.avi": []},
    "held out": {"Megamind.avi": [1, 98, 154, 200], "cityCC0.mpg": [116], "cockatoo.mp4": [], "box.mp4": [], "bigbuckbunny.mp4": []},
}
JOINS = {"hard": 0.4, "dissolve": 0.35, "fade through black": 0.17, "fade through white": 0.08}
TRAPS = ["flash", "pan", "occluder", "shake", "zoom", "lighting ramp", "lighting step"]
TRAP_SHARE = 0.6


# Making the clips.

def frames_of(clip, start, end):
    """The frames `start..end` of a clip, `N x HEIGHT x WIDTH x 3`, scaled and cropped to fill."""
    fill = f"scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=increase:flags=area,crop={WIDTH}:{HEIGHT},setsar=1"
    pick = f"select='between(n,{start},{end - 1})',{fill}"
    # A packet of box.mp4 is damaged: ffmpeg says so and goes on.
    command = ["ffmpeg", "-v", "fatal", "-nostdin", "-i", clip, "-vf", pick, "-fps_mode", "passthrough", "-frames:v", str(end - start),
               "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3).copy()


def window(frame, left, top, share):
    """The part of a frame of `share` of its sides, at `left`, `top` as shares of the rest, at full size."""
    width, height = WIDTH * share, HEIGHT * share
    x, y = left * (WIDTH - width), top * (HEIGHT - height)
    matrix = np.float32([[1 / share, 0, -x / share], [0, 1 / share, -y / share]])
    return cv2.warpAffine(frame, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def lit(frame, gain, toward=0.0):
    return np.clip(frame * (gain * (1 - toward)) + 255 * toward, 0, 255).astype(np.uint8)


def trap(name, frames, chance, first, last):
    """Puts a trap into the frames between `first` and `last`, and gives its first frame and the one after its last."""
    room = last - first
    if name == "flash":
        at, length, strength = chance.integers(first, last - 2), chance.integers(1, 4), chance.uniform(0.6, 1.0)
        for place in range(at, at + length):
            frames[place] = lit(frames[place], 1, strength)
    elif name == "pan":
        length = min(int(chance.integers(9, 26)), room)
        at, top = chance.integers(first, last - length + 1), chance.uniform()
        ways = np.clip((np.arange(len(frames)) - at) / length, 0, 1)
        if chance.uniform() < 0.5:
            ways = 1 - ways
        for place, way in enumerate(ways):
            frames[place] = window(frames[place], way, top, 0.5)
    elif name == "occluder":
        length = min(int(chance.integers(8, 25)), room)
        at, share, level = chance.integers(first, last - length + 1), chance.uniform(0.5, 1.2), int(chance.integers(5, 50))
        mirrored = chance.uniform() < 0.5
        for place in range(at, at + length):
            way = (place - at + 1) / (length + 1)
            middle = (way if not mirrored else 1 - way) * WIDTH * (1 + share) - WIDTH * share / 2
            axes = (int(WIDTH * share / 2), int(HEIGHT * 0.9))
            cv2.ellipse(frames[place], (int(middle), HEIGHT // 2), axes, 0, 0, 360, (level, level, level + 8), -1)
    elif name == "shake":
        length = min(int(chance.integers(12, 31)), room)
        at = chance.integers(first, last - length + 1)
        for place in range(len(frames)):
            left, top = chance.uniform(size=2) if at <= place < at + length else (0.5, 0.5)
            frames[place] = window(frames[place], left, top, 0.88)
    elif name == "zoom":
        length = min(int(chance.integers(10, 31)), room)
        at, share, center = chance.integers(first, last - length + 1), chance.uniform(0.4, 0.6), chance.uniform(0.3, 0.7, size=2)
        ways = np.clip((np.arange(len(frames)) - at) / length, 0, 1)
        if chance.uniform() < 0.5:
            ways = 1 - ways
        for place, way in enumerate(ways):
            frames[place] = window(frames[place], *center, share**way)
    else:
        length = min(int(chance.integers(5, 21)), room) if name == "lighting ramp" else int(chance.integers(1, 3))
        at, gain = chance.integers(first, last - length + 1), chance.uniform(0.35, 0.65)
        ways = np.clip((np.arange(len(frames)) - at + 1) / length, 0, 1)
        if chance.uniform() < 0.5:
            ways = 1 - ways
        for place, way in enumerate(ways):
            frames[place] = lit(frames[place], gain**way)
    return int(at), int(at + length)


def make_reel(path, clips, shots, chance):
    """Writes a clip of joined segments, and gives its transitions and traps."""
    encode = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS),
              "-i", "-", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-threads", "1", "-pix_fmt", "yuv420p", path]
    encoder = subprocess.Popen([part if part != "-nostdin" else "-nostats" for part in map(str, encode)], stdin=subprocess.PIPE)
    transitions, traps, num, before, last_shot = [], [], 0, None, None

    def write(frames):
        nonlocal num
        for frame in frames:
            encoder.stdin.write(frame.tobytes())
        num += len(frames)

    for number in range(SEGMENTS):
        choices = [shot for shot in shots if shot != last_shot]
        last_shot = clip, start, end = choices[chance.integers(len(choices))]
        length = min(int(chance.integers(40, 80)), end - start)
        start += int(chance.integers(end - start - length + 1))
        frames = frames_of(clips / clip, start, start + length)
        join = str(chance.choice(list(JOINS), p=list(JOINS.values()))) if number else None
        # A dissolve takes frames of both sides; a short source gives it fewer.
        num_mixed = int(chance.integers(5, 26))
        if join != "dissolve" or before is None:
            num_mixed = 0
        num_mixed = min(num_mixed, len(frames) // 3, len(before) // 3 if before is not None else 0)
        fade_out, hold, fade_in = (int(chance.integers(5, 13)), int(chance.integers(0, 9)), int(chance.integers(5, 13)))
        room_before = num_mixed or (fade_in if join and join.startswith("fade") else 0)
        name, wanted = str(chance.choice(TRAPS)), chance.uniform() < TRAP_SHARE
        first, last = room_before + 5, len(frames) - 5 - len(frames) // 3
        if wanted and last - first >= 8:
            span = trap(name, frames, chance, first, last)
        else:
            span = None
        taken = 0  # frames of this segment that are written with the transition
        if join is None:
            pass
        elif join == "dissolve" and num_mixed >= 5:
            write(before[:-num_mixed])
            transitions.append({"kind": join, "start": num, "end": num + num_mixed})
            ways = (np.arange(num_mixed, dtype=np.float32) + 1) / (num_mixed + 1)
            ways = ways[:, None, None, None]
            write((before[-num_mixed:] * (1 - ways) + frames[:num_mixed] * ways + 0.5).astype(np.uint8))
            taken = num_mixed
        elif join.startswith("fade"):
            level = 0 if "black" in join else 255
            fade_out, fade_in = min(fade_out, len(before) // 3), min(fade_in, len(frames) // 3)
            write(before[:-fade_out])
            transitions.append({"kind": join, "start": num, "end": num + fade_out + hold + fade_in})
            for place, frame in enumerate(before[-fade_out:]):
                way = (place + 1) / (fade_out + 1)
                write([(frame * (1 - way) + level * way + 0.5).astype(np.uint8)])
            write([np.full((HEIGHT, WIDTH, 3), level, np.uint8)] * hold)
            for place, frame in enumerate(frames[:fade_in]):
                way = (place + 1) / (fade_in + 1)
                write([(level * (1 - way) + frame * way + 0.5).astype(np.uint8)])
            taken = fade_in
        else:
            write(before)
            transitions.append({"kind": "hard", "start": num, "end": num})
        before = frames[taken:]
        if span:
            traps.append({"kind": name, "start": num - taken + span[0], "end": num - taken + span[1]})
    write(before)
    encoder.stdin.close()
    if encoder.wait():
        sys.exit(f"ffmpeg could not encode {path}")
    return {"frames": num, "transitions": transitions, "traps": traps}


def make_all(clips, work, seed):
    """The clips of both halves: `{half: [{path, transitions, ...}]}`; made if `work` lacks them."""
    truth_file = work / "truth.json"
    if truth_file.is_file():
        return json.loads(truth_file.read_text())
    work.mkdir(parents=True, exist_ok=True)
    truth = {}
    for half, number in zip(SHOTS, range(2)):
        shots = [(clip, *bounds) for clip, starts in SHOTS[half].items() for bounds in zip(starts, starts[1:])]
        shots = [shot for shot in shots if shot[2] - shot[1] >= 20]
        truth[half] = []
        for reel in range(REELS):
            path = work / f"{half.replace(' ', '-')}-{reel:02}.mp4"
            made = make_reel(path, clips, shots, np.random.default_rng([seed, number, reel]))
            truth[half].append({"path": str(path), **made})
            print(path, made["frames"], "frames", flush=True)
        for clip, firsts in NATURAL[half].items():
            transitions = [{"kind": "hard", "start": first, "end": first} for first in firsts]
            truth[half].append({"path": str(clips / clip), "transitions": transitions, "traps": []})
    truth_file.write_text(json.dumps(truth, indent=1))
    return truth


# Scoring.

SLACK = 2


def score(clip, found, slack=SLACK):
    """What the detections of one clip are: `{transition: frame}`, and the false ones.

    A transition is found if a detection lies in it, or at most `slack` frames beside it. A second detection there counts neither way;
    any other detection is false.
    """
    hits, false = {}, []
    for frame in found:
        near = [place for place, cut in enumerate(clip["transitions"]) if cut["start"] - slack <= frame <= cut["end"] + slack]
        if near:
            hits.setdefault(near[0], frame)
        else:
            false.append(frame)
    return hits, false


def figures(clips, found, slack=SLACK):
    """Precision, recall and F1 of the detections of all clips, recall by kind of transition, and false detections by trap."""
    num_hits = num_false = 0
    kinds, traps = {}, {}
    for clip, frames in zip(clips, found):
        hits, false = score(clip, frames, slack)
        num_hits, num_false = num_hits + len(hits), num_false + len(false)
        for place, cut in enumerate(clip["transitions"]):
            kind = kinds.setdefault(cut["kind"], [0, 0])
            kind[0] += place in hits
            kind[1] += 1
        for trap in clip["traps"]:
            traps.setdefault(trap["kind"], [0, 0])[1] += 1
        for frame in false:
            around = [trap["kind"] for trap in clip["traps"] if trap["start"] - SLACK <= frame <= trap["end"] + SLACK]
            traps.setdefault(around[0] if around else "none", [0, 0])[0] += 1
    num_true = sum(num for _, num in kinds.values())
    return {
        "precision": round(num_hits / max(num_hits + num_false, 1), 3),
        "recall": round(num_hits / num_true, 3),
        "f1": round(2 * num_hits / (num_hits + num_false + num_true), 3),
        "transitions": num_true,
        "found": {kind: f"{hit} of {num}" for kind, (hit, num) in sorted(kinds.items())},
        "false": num_false,
        "false_by_trap": {kind: f"{num} in {of}" if of else num for kind, (num, of) in sorted(traps.items())},
    }


def place_of(cut):
    """The frame that stands for a cut of ours: the first of the shot after, or the middle of a gradual one."""
    return cut["after"] if cut["kind"] == "hard" else (cut["before"] + cut["after"] + 1) // 2


# The detectors: each gives the detected frames of every clip.

def of_vidpairs(program, clips, every=1):
    result = subprocess.run([program, "cuts", "--quiet", "--json", "--every", str(every), *(clip["path"] for clip in clips)], check=True,
                            stdout=subprocess.PIPE)
    return [[place_of(cut) for cut in video["cuts"]] for video in json.loads(result.stdout)["videos"]]


def of_scenedetect(make, clips):
    """PySceneDetect with a new detector for each clip."""
    found = []
    for clip in clips:
        scenes = detect(clip["path"], make())
        found.append([start.frame_num for start, _ in scenes[1:]])
    return found


def scdet_scores(clips):
    """The score of every frame by FFmpeg's scdet."""
    found = []
    for clip in clips:
        command = ["ffmpeg", "-v", "fatal", "-nostdin", "-i", clip["path"], "-vf", "scdet=threshold=0,metadata=print:file=-", "-fps_mode",
                   "passthrough", "-f", "null", "-"]
        lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        found.append([float(line.split("=")[1]) for line in lines if line.startswith("lavfi.scd.score=")])
    return found


def above(scores, threshold):
    return [[frame for frame, value in enumerate(clip) if value >= threshold] for clip in scores]


THRESHOLDS = {
    "PySceneDetect content": (27.0, [10.0, 14.0, 18.0, 22.0, 32.0, 40.0], lambda threshold: ContentDetector(threshold=threshold)),
    "PySceneDetect adaptive": (3.0, [1.5, 2.0, 2.5, 4.0, 5.0], lambda threshold: AdaptiveDetector(adaptive_threshold=threshold)),
    "FFmpeg scdet": (10.0, [2.0, 3.0, 4.0, 6.0, 8.0, 14.0, 18.0, 24.0], None),
}


def measure_peers(truth):
    results = {}
    for name, (default, others, make) in THRESHOLDS.items():
        scores = {half: scdet_scores(clips) for half, clips in truth.items()} if make is None else {}
        known = {}

        def run(half, threshold):
            if (half, threshold) not in known:
                found = above(scores[half], threshold) if scores else of_scenedetect(lambda: make(threshold), truth[half])
                known[half, threshold] = figures(truth[half], found)
            return known[half, threshold]

        best = max([default, *others], key=lambda threshold: run("tuning", threshold)["f1"])
        for label, threshold in {"default": default, "tuned": best}.items():
            results[f"{name}, {label}"] = {"threshold": threshold, **{half: run(half, threshold) for half in truth}}
            print(f"{name}, {label}, {threshold}:", results[f"{name}, {label}"]["held out"], flush=True)
    return results


def measure_ours(program, truth):
    results = {}
    for every in (1, 2, 4):
        # What was not looked at cannot be placed more exactly.
        slack = max(SLACK, every - 1)
        of = {half: figures(clips, of_vidpairs(program, clips, every), slack) for half, clips in truth.items()}
        results["vidpairs" if every == 1 else f"vidpairs, every {every} frames"] = of
        print(f"vidpairs, every {every}:", of["held out"], flush=True)
    return results


# Cost.

COST_CLIPS = ["bigbuckbunny.mp4", "cockatoo.mp4", "box.mp4"]


def cost_clip(clips, work):
    """One H.264 file of 640 x 360 px."""
    path = work / "cost.mp4"
    if not path.is_file():
        inputs = [part for clip in COST_CLIPS for part in ("-i", clips / clip)]
        scaled = "".join(f"[{number}:v]scale=640:360,setsar=1,fps=25,format=yuv420p[v{number}];" for number in range(len(COST_CLIPS)))
        joined = "".join(f"[v{number}]" for number in range(len(COST_CLIPS))) + f"concat=n={len(COST_CLIPS)}:v=1[v]"
        command = ["ffmpeg", "-v", "fatal", "-nostdin", "-y", *inputs, "-filter_complex", scaled + joined, "-map", "[v]", "-c:v", "libx264",
                   "-crf", "23", path]
        subprocess.run(list(map(str, command)), check=True)
    return path


def seconds_of(command):
    """CPU seconds of a process."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before = used()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return used() - before


READ = "import cv2, sys; v = cv2.VideoCapture(sys.argv[1])\nwhile v.read()[0]: pass"
DETECT = "import sys; from scenedetect import *; detect(sys.argv[1], {}())"


def measure_cost(program, path, rounds=5):
    """CPU seconds of whole processes, medians over rounds in turns. Of ours, the command reads the file twice: once to index it."""
    null = ["ffmpeg", "-threads", "1", "-nostdin", "-i", path]
    commands = {
        "vidpairs cuts": [program, "cuts", "--workers", "1", path],
        "vidpairs cuts, every 1000 frames": [program, "cuts", "--workers", "1", "--every", "1000", path],
        "ffmpeg, decode only": [*null, "-f", "null", "-"],
        "ffmpeg, scdet": [*null, "-vf", "scdet", "-f", "null", "-"],
        "OpenCV, decode only": [sys.executable, "-c", READ, path],
        "PySceneDetect content": [sys.executable, "-c", DETECT.format("ContentDetector"), path],
        "PySceneDetect adaptive": [sys.executable, "-c", DETECT.format("AdaptiveDetector"), path],
    }
    times = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds_of(command))
    return {name: round(statistics.median(seconds), 3) for name, seconds in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(".media/cuts"), metavar="DIR")
    parser.add_argument("--seed", type=int, default=20, metavar="N")
    parser.add_argument("--make-only", action="store_true", help="make the clips, and measure nothing")
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("vidpairs", type=Path, metavar="VIDPAIRS")
    parser.add_argument("out", type=Path, metavar="OUT.json")
    arguments = parser.parse_args()
    truth = make_all(arguments.clips, arguments.work, arguments.seed)
    if arguments.make_only:
        return
    results = {
        "clips": {half: {"clips": len(clips), "transitions": sum(len(clip["transitions"]) for clip in clips),
                         "traps": sum(len(clip["traps"]) for clip in clips)} for half, clips in truth.items()},
        "detectors": {**measure_ours(arguments.vidpairs, truth), **measure_peers(truth)},
        "cpu_seconds": measure_cost(arguments.vidpairs, cost_clip(arguments.clips, arguments.work)),
    }
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
