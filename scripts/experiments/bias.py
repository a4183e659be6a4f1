#!/usr/bin/env python3
"""Chooses the images of the bias experiment, and analyses its scores. Standard library only.

    scripts/experiments/bias.py choose COCO OUT [--seed N] [--min-side PX]
    scripts/experiments/bias.py analyse PROBE OUT
    scripts/experiments/bias.py table OUT

`choose` writes the folder OUT, a data set in the layout of MSCOCO: every image of COCO's train2017 with a usable box, as a symbolic link,
and one of its usable boxes, at random. Whole images and boxes of OUT are therefore equally many and come from the same images. A box is
usable if it is no crowd and its shorter side within the image is at least PX (16).

`analyse` reads PROBE/probe.json, where models are called TRAINING-SEED, and writes OUT.json and OUT.csv: the mAP of each model, means over
seeds, and the difference scenes minus boxes of the same seed. Intervals are Student's at 95 % over the seeds.

`table` prints OUT.json as tables in Markdown.
"""

import argparse
import csv
import json
import os
import random
import shutil
from pathlib import Path

from seeds import header, mean_with_interval, percent, points, rounded, row

ANNOTATIONS = "annotations/instances_train2017.json"
TESTS = {"voc07": "whole images", "voc07-boxes": "boxes"}


def choose(coco: Path, out: Path, seed: int, min_side: float) -> None:
    if out.exists():
        print(f"bias: {out} is there already")
        return
    annotations = json.loads((coco / ANNOTATIONS).read_text())
    images = {image["id"]: image for image in annotations["images"]}
    boxes = {}
    for box in annotations["annotations"]:
        if is_usable(box, images[box["image_id"]], min_side):
            boxes.setdefault(box["image_id"], []).append(box)
    partial = out.with_name(f"{out.name}.partial")
    # A killed run left it.
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "annotations").mkdir(parents=True)
    (partial / "train2017").mkdir()
    for image in boxes:
        name = images[image]["file_name"]
        (partial / "train2017" / name).symlink_to(os.path.relpath(coco / "train2017" / name, out / "train2017"))
    annotations["images"] = [images[image] for image in boxes]
    # A random generator for each image: the box of an image does not depend on the other images.
    annotations["annotations"] = [random.Random(f"{seed} {image}").choice(usable) for image, usable in boxes.items()]
    (partial / ANNOTATIONS).write_text(json.dumps(annotations))
    partial.rename(out)
    print(f"bias: {len(boxes)} of {len(images)} images have a usable box; one box of each is chosen")


def is_usable(box: dict, image: dict, min_side: float) -> bool:
    x, y, width, height = box["bbox"]
    inside_x = min(x + width, image["width"]) - max(x, 0)
    inside_y = min(y + height, image["height"]) - max(y, 0)
    return not box["iscrowd"] and min(inside_x, inside_y) >= min_side


def analyse(probe: Path, out: Path) -> None:
    probed = json.loads((probe / "probe.json").read_text())
    scores = []
    for table in probed["tables"]:
        for model, scored in zip(probed["models"], table["models"]):
            training, seed = model["name"].rsplit("-", 1)
            score = {"training": training, "seed": int(seed), "test": table["kind"], "map": scored["score"]["value"]}
            scores.append(score)
    means, differences = [], []
    trainings = list(dict.fromkeys(score["training"] for score in scores))
    for test in TESTS:
        by_seed = {training: maps_by_seed(scores, training, test) for training in trainings}
        means += [{"training": training, "test": test, **mean_with_interval(by_seed[training])} for training in trainings]
        scenes, boxes = by_seed["scenes"], by_seed["boxes"]
        paired = {seed: scenes[seed] - boxes[seed] for seed in scenes if seed in boxes}
        differences.append({"test": test, "per_seed": paired, **mean_with_interval(paired)})
    whole, cropped = (difference["per_seed"] for difference in differences)
    crossing = {seed: whole[seed] - cropped[seed] for seed in whole}
    result = {
        "program_version": probed["program_version"],
        "probe_settings": probed["settings"],
        "tests": [
            {
                "test": table["kind"],
                "stage": table["stage"],
                "classifier": table["protocol"]["classifier"],
                "metric": table["protocol"]["metric"],
                "view": table["protocol"]["view"],
                "side_px": table["protocol"]["side_px"],
                "classes": len(table["classes"]),
                "train_images": table["train_images"],
                "test_images": table["test_images"],
                "chance": table["chance"],
            }
            for table in probed["tables"]
        ],
        "scores": scores,
        "means": means,
        "scenes_minus_boxes": differences,
        "whole_minus_cropped": {"per_seed": crossing, **mean_with_interval(crossing)},
    }
    Path(f"{out}.json").write_text(json.dumps(result, indent=1) + "\n")
    with open(f"{out}.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["quantity", "training", "test", "seed", "value", "low", "high"])
        for score in scores:
            rows.writerow(["map", score["training"], score["test"], score["seed"], rounded(score["map"]), "", ""])
        for mean in means:
            rows.writerow(["map", mean["training"], mean["test"], "mean", *figures(mean)])
        for difference in differences:
            for seed, value in difference["per_seed"].items():
                rows.writerow(["difference", "scenes-boxes", difference["test"], seed, rounded(value), "", ""])
            rows.writerow(["difference", "scenes-boxes", difference["test"], "mean", *figures(difference)])
        for seed, value in crossing.items():
            rows.writerow(["crossing", "scenes-boxes", "voc07-voc07-boxes", seed, rounded(value), "", ""])
        rows.writerow(["crossing", "scenes-boxes", "voc07-voc07-boxes", "mean", *figures(result["whole_minus_cropped"])])


def maps_by_seed(scores: list, training: str, test: str) -> dict:
    return {score["seed"]: score["map"] for score in scores if (score["training"], score["test"]) == (training, test)}


def figures(mean: dict) -> list:
    return [rounded(mean[key]) for key in ("mean", "low", "high")]


def tables(result: dict) -> list:
    """The lines of all tables."""
    seeds = sorted({score["seed"] for score in result["scores"]})
    lines = header(["training", "test", *(f"seed {seed}" for seed in seeds), "mean", "95 % over seeds"])
    for mean in result["means"]:
        maps = maps_by_seed(result["scores"], mean["training"], mean["test"])
        cells = [percent(maps.get(seed)) for seed in seeds]
        lines.append(row([mean["training"], TESTS[mean["test"]], *cells, *mean_cells(mean, percent)]))
    for test in result["tests"]:
        lines.append(row(["guessing", TESTS[test["test"]], *("" for _ in seeds), percent(test["chance"]), ""]))
    lines += ["", *header(["scenes minus boxes", *(f"seed {seed}" for seed in seeds), "mean", "95 % over seeds"])]
    rows = [(TESTS[difference["test"]], difference) for difference in result["scenes_minus_boxes"]]
    for name, difference in [*rows, ("whole images minus boxes", result["whole_minus_cropped"])]:
        cells = [points(difference["per_seed"].get(str(seed))) for seed in seeds]
        lines.append(row([name, *cells, *mean_cells(difference, points)]))
    return lines


def mean_cells(mean: dict, written) -> list:
    interval = "" if mean["low"] is None else f"{written(mean['low'])} to {written(mean['high'])}"
    return [written(mean["mean"]), interval]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    chosen = commands.add_parser("choose")
    chosen.add_argument("coco", type=Path)
    chosen.add_argument("out", type=Path)
    chosen.add_argument("--seed", type=int, default=0)
    chosen.add_argument("--min-side", type=float, default=16, metavar="PX")
    analysed = commands.add_parser("analyse")
    analysed.add_argument("probe", type=Path)
    analysed.add_argument("out", type=Path)
    commands.add_parser("table").add_argument("out", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "choose":
        choose(arguments.coco, arguments.out, arguments.seed, arguments.min_side)
    elif arguments.command == "analyse":
        analyse(arguments.probe, arguments.out)
    else:
        print("\n".join(tables(json.loads(Path(f"{arguments.out}.json").read_text()))))


if __name__ == "__main__":
    main()
