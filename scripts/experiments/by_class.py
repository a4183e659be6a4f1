#!/usr/bin/env python3
"""Cuts the objects out of rendered images into a folder for each class, for a kNN: training objects are its bank, held-out objects its queries.

    scripts/experiments/by_class.py PASCAL3D DIR

PASCAL3D is what `vidpairs synth --kind pascal3d --half both` made. DIR/<class>/ gets the boxes of images of training objects (`a000.jpg` and
so on) and of as many of held-out ones (`b000.jpg`), evenly spaced, at most 90 of each, so that the first half of a class in the order of the
names shows training objects alone. Boxes are a fifth larger than the truth. Classes without three training objects are left out.
Needs Pillow.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from PIL import Image

MOST_IMAGES = 90
FEWEST_TRAINING_OBJECTS = 3
SCALE = 1.2
MIN_SIDE_PX = 12


def is_usable(image: dict) -> bool:
    box = image["box_xywh"]
    return "_imagenet/" in image["image"] and box is not None and image["visible_share"] > 0.9 and min(box[2:]) >= MIN_SIDE_PX


def object_of(root: Path, image: dict) -> Image.Image:
    x, y, width, height = image["box_xywh"]
    left, top = x - (SCALE - 1) / 2 * width, y - (SCALE - 1) / 2 * height
    corners = left, top, left + SCALE * width, top + SCALE * height
    return Image.open(root / image["image"]).convert("RGB").crop(tuple(round(corner) for corner in corners))


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(f"by_class.py: {len(sys.argv) - 1} arguments; usage: scripts/experiments/by_class.py PASCAL3D DIR")
    root, out = Path(sys.argv[1]), Path(sys.argv[2])
    images = defaultdict(list)
    for line in (root / "truth.jsonl").read_text().splitlines():
        image = json.loads(line)
        if is_usable(image):
            images[image["category"], image["half"]].append(image)
    for category in sorted({category for category, _ in images}):
        training, held_out = (images[category, half] for half in ("training", "held-out"))
        if len({image["object"] for image in training}) < FEWEST_TRAINING_OBJECTS or not held_out:
            continue
        number = min(MOST_IMAGES, len(training), len(held_out))
        folder = out / category
        folder.mkdir(parents=True, exist_ok=True)
        for letter, half in (("a", training), ("b", held_out)):
            for place in range(number):
                path = folder / f"{letter}{place:03}.jpg"
                if not path.exists():
                    object_of(root, half[place * len(half) // number]).save(path, quality=92)


main()
