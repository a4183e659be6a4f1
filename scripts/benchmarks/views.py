#!/usr/bin/env python3
"""Views a second on one core, JPEG decoding included: vidpairs beside torchvision, on the same JPEGs, in turns.

usage: views.py [--rounds N] [--views N] [--recipe moco-v1|moco-v2] [--sides 224,112,64] [--kernel-px N]
                [--make-jpegs CLIPS_DIR] VIEWS JPEG_DIR

VIEWS: the example, built for release (`cargo build --release -p vidpairs-learn --example views`).
JPEG_DIR: a folder of .jpg; --make-jpegs CLIPS_DIR fills it first with frames of the clips of `scripts/fetch-clips.sh
--all`: two a second, at most 24 of each, 376 x 256 px, quality 92, 4:2:0. Needs scripts/golden/requirements.txt; ffmpeg
for --make-jpegs.

torchvision's transforms v2 are measured two ways: on PIL images until the colours are done, and on uint8 tensors from
torchvision's own decoder; the faster of the two is what the ratio is against. One thread each, one program after the other in
every round, timed by the seconds that the processor spent on it (reading the files and starting vidpairs included), so that other
work on the machine counts little; figures are medians over rounds, ratios the medians of the rounds' ratios.
"""
import argparse
import io
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms import v2

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def recipe(name, side, kernel):
    """What comes between decoding and float32, in the order of the papers' own code."""
    crop = v2.RandomResizedCrop(side, scale=(0.2, 1.0), antialias=True)
    if name == "moco-v1":
        return [crop, v2.RandomGrayscale(0.2), v2.ColorJitter(0.4, 0.4, 0.4, 0.4), v2.RandomHorizontalFlip()]
    return [crop, v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8), v2.RandomGrayscale(0.2),
            v2.RandomApply([v2.GaussianBlur(kernel, (0.1, 2.0))], p=0.5), v2.RandomHorizontalFlip()]


def from_pil(*which):
    view = v2.Compose([*recipe(*which), v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    return lambda jpeg: view(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def from_tensor(*which):
    view = v2.Compose([*recipe(*which), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    return lambda jpeg: view(decode_jpeg(torch.frombuffer(bytearray(jpeg), dtype=torch.uint8), ImageReadMode.RGB))


def per_second(view, jpegs, num_views):
    start = time.process_time()
    for number in range(num_views):
        view(jpegs[number % len(jpegs)])
    return num_views / (time.process_time() - start)


def ours(arguments, side, kernel, num_views):
    command = [arguments.views_program, arguments.jpegs, side, num_views, arguments.recipe, kernel]
    before = children_seconds()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return num_views / (children_seconds() - before)


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def make_jpegs(clips, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for clip in sorted(path for path in clips.iterdir() if path.is_file()):
        with tempfile.TemporaryDirectory() as frames:
            scaled = "fps=2,scale=376:256:flags=area"
            # Some of the clips are damaged on purpose: what ffmpeg makes of them is enough.
            subprocess.run(["ffmpeg", "-v", "quiet", "-nostdin", "-i", clip, "-vf", scaled, "-frames:v", "24", f"{frames}/%03d.png"])
            for frame in sorted(Path(frames).glob("*.png")):
                image = Image.open(frame).convert("RGB")
                image.save(folder / f"{clip.stem}-{frame.stem}.jpg", quality=92, subsampling="4:2:0")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--views", type=int, default=300, help="of torchvision, in each round; ten times as many of ours")
    parser.add_argument("--recipe", default="moco-v2", choices=["moco-v1", "moco-v2"])
    parser.add_argument("--sides", default="224,112,64")
    parser.add_argument("--kernel-px", type=int, help="of the blur, on both sides; 23 at 224 px and in proportion by default")
    parser.add_argument("--make-jpegs", type=Path, metavar="CLIPS_DIR")
    parser.add_argument("views_program", type=Path, metavar="VIEWS")
    parser.add_argument("jpegs", type=Path, metavar="JPEG_DIR")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.make_jpegs:
        make_jpegs(arguments.make_jpegs, arguments.jpegs)
    jpegs = [path.read_bytes() for path in sorted(arguments.jpegs.glob("*.jpg"))]
    if not jpegs:
        sys.exit(f"no .jpg in {arguments.jpegs}")
    print(f"{len(jpegs)} JPEGs of {statistics.mean(map(len, jpegs)) / 1000:.1f} kB in the mean, recipe {arguments.recipe}")
    print("| side, px | vidpairs, views/s | torchvision, PIL | torchvision, tensors | ratio to the faster |")
    print("|---|---|---|---|---|")
    for side in map(int, arguments.sides.split(",")):
        kernel = arguments.kernel_px or 2 * max(round(side * 11 / 224), 1) + 1
        peers = [make(arguments.recipe, side, kernel) for make in (from_pil, from_tensor)]
        programs = [lambda: ours(arguments, side, kernel, 10 * arguments.views),
                    *(lambda view=view: per_second(view, jpegs, arguments.views) for view in peers)]
        rounds = [[program() for program in programs] for _ in range(arguments.rounds)]
        figures = [statistics.median(column) for column in zip(*rounds)]
        ratio = statistics.median(mine / max(pil, tensor) for mine, pil, tensor in rounds)
        print(f"| {side} | " + " | ".join(f"{it:.0f}" for it in figures) + f" | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
