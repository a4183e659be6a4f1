#!/usr/bin/env python3
"""Analyses the claim experiment. Standard library only.

    scripts/experiments/claim.py choose WORLD OUT SHARDS...
    scripts/experiments/claim.py analyse DIR OUT
    scripts/experiments/claim.py table OUT

`choose` writes the folder OUT, a data set in the layout of GOT-10k: the videos of WORLD/train that gave records in all SHARDS, as links.

`analyse` reads the data sets DIR/shards/*, DIR/invariance/invariance.json and DIR/probe/probe.json, where models are called METHOD-SEED, and
writes OUT.json and OUT.csv: what each data set holds, each score, means over seeds, and the differences to the baseline of the same seed. A
difference has two 95 % intervals:
- over seeds: Student's, of the differences of the seeds,
- over targets: a bootstrap over the targets of the test (objects, or classes for occlusion) of the difference that is the mean over seeds. mAP has
  none.

`table` prints OUT.json as tables in Markdown.
"""

import argparse
import csv
import json
import platform
import os
import random
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from seeds import header, mean_with_interval, percent, points, rounded, row

BASELINE = "baseline"
METHODS = {
    "untrained": "untrained network",
    "baseline": "baseline: one frame",
    "frame-temporal": "frame-temporal",
    "ground-truth-near": "ground-truth tracks, k = 1",
    "ground-truth-tracks": "ground-truth tracks",
    "region-tracker": "region tracker",
    "pirl": "PIRL, frame and later frame",
    "supervised": "supervised control",
}
TESTS = {
    "aloi-viewpoint": "viewpoint",
    "aloi-direction": "light direction",
    "aloi-color": "light colour",
    "got10k-occlusion": "occlusion",
}
NUM_RESAMPLES = 2000
LIST = "list.txt"


def choose(world: Path, out: Path, shards: list) -> None:
    if out.exists():
        print(f"claim: {out} is there already")
        return
    videos = set.intersection(*({record["clip"] for record in records(folder)} for folder in shards))
    names = [name for name in (world / "train" / LIST).read_text().split() if f"train/{name}" in videos]
    partial = out.with_name(f"{out.name}.partial")
    # A killed run left it.
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "train").mkdir(parents=True)
    for name in names:
        (partial / "train" / name).symlink_to(os.path.relpath(world / "train" / name, out / "train"))
    (partial / "train" / LIST).write_text("\n".join(names) + "\n")
    partial.rename(out)
    print(f"claim: {len(names)} videos give records of every kind")


def records(shards: Path) -> Iterator:
    """The metadata of every record."""
    for shard in sorted(shards.glob("pairs-*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    yield json.load(tar.extractfile(member))


def describe(shards: Path, world: Path) -> dict:
    """Numbers of videos, records and whole frames; for boxes, the share of records whose box is on the annotated object in both frames."""
    videos, frames, num_records, num_on_object, has_boxes = set(), set(), 0, 0, False
    truths = {}
    for record in records(shards):
        clip = record["clip"]
        num_records += 1
        videos.add(clip)
        views = [view for view in (record["anchor"], record.get("positive")) if view]
        frames.update((clip, view["frame"]) for view in views)
        if views[0]["box_xywh"]:
            has_boxes = True
            if clip not in truths:
                lines = (world / clip / "groundtruth.txt").read_text().split()
                truths[clip] = [[float(number) for number in line.split(",")] for line in lines]
            num_on_object += all(iou(view["box_xywh"], truths[clip][view["frame"]]) > 0.5 for view in views)
    share = num_on_object / num_records if has_boxes else None
    return {"videos": len(videos), "records": num_records, "frames": len(frames), "share_on_object": share}


def iou(a: list, b: list) -> float:
    width, height = (max(0.0, min(a[i] + a[i + 2], b[i] + b[i + 2]) - max(a[i], b[i])) for i in (0, 1))
    union = a[2] * a[3] + b[2] * b[3] - width * height
    return width * height / union if union > 0 else 0.0


def analyse(folder: Path, out: Path) -> None:
    invariance = json.loads((folder / "invariance" / "invariance.json").read_text())
    probe = json.loads((folder / "probe" / "probe.json").read_text())
    tests = [test for panel in invariance["panels"] for test in tests_of_panel(panel, names_of(invariance))]
    tests += [test_of_table(table, names_of(probe)) for table in probe["tables"]]
    result = {
        "program_version": invariance["program_version"],
        "machine": {"system": platform.platform(), "processor": processor()},
        "data": {shards.name: describe(shards, folder / "shared") for shards in sorted((folder / "shards").iterdir())},
        "settings": {"invariance": invariance["settings"], "probe": probe["settings"]},
        "tests": [],
    }
    for test in tests:
        by_method = by_method_and_seed(test["models"])
        baseline = by_method[BASELINE]
        result["tests"].append({
            **{key: test[key] for key in ("test", "score", "kind", "chance", "ceiling", "images", "targets", "unit")},
            "methods": [method_result(name, by_seed) for name, by_seed in by_method.items()],
            "differences": [
                difference(name, by_seed, baseline) for name, by_seed in by_method.items() if name != BASELINE
            ],
        })
    Path(f"{out}.json").write_text(json.dumps(result, indent=1) + "\n")
    write_csv(result, Path(f"{out}.csv"))


def names_of(results: dict) -> list:
    return [model["name"] for model in results["models"]]


def tests_of_panel(panel: dict, names: list) -> list:
    """RIS of the published code at each K, and retrieval."""
    about = {"kind": panel["kind"], "test": TESTS[panel["kind"]], "images": panel["images"]}
    # Retrieval looks for the same object or video; RIS of occlusion has classes as targets.
    ris_unit = "objects" if panel["is_target_object"] else "classes"
    ris = {}
    for name, scores in zip(names, panel["models"]):
        for score in scores["scores"]:
            if score["version"] == "published-code":
                control = max(score["control_gaussian"], score["control_shuffled"])
                one = {"value": score["value"], "control": control, "of_target": {t["target"]: t["score"] for t in score["per_target"]}}
                found = ris.setdefault(score["k"], {"ceiling": score["ceiling"], "models": {}})
                found["models"][name] = one
    tests = [
        {**about, "targets": panel["targets"], "unit": ris_unit, "score": f"RIS, top {k}", "chance": None, "ceiling": found["ceiling"], "models": found["models"]}
        for k, found in ris.items()
    ]
    retrieval = {}
    for name, scores in zip(names, panel["models"]):
        of_target = {target["target"]: 100 * target["found"] / target["queries"] for target in scores["retrieval_per_target"]}
        retrieval[name] = {"value": scores["retrieval"]["value"], "of_target": of_target}
    targets = len(next(iter(retrieval.values()))["of_target"])
    unit = "objects" if panel["is_target_object"] else "videos"
    tests.append({**about, "targets": targets, "unit": unit, "score": "retrieval", "chance": panel["retrieval_chance"], "ceiling": 100.0, "models": retrieval})
    return tests


def test_of_table(table: dict, names: list) -> dict:
    return {
        "kind": table["kind"],
        "test": "class of held-out objects",
        "score": table["protocol"]["metric"],
        "chance": table["chance"],
        "ceiling": 100.0,
        "images": table["test_images"],
        "targets": len(table["classes"]),
        "unit": "classes",
        "models": {name: {"value": scores["score"]["value"]} for name, scores in zip(names, table["models"])},
    }


def by_method_and_seed(models: dict) -> dict:
    by_method = {}
    for name, scores in models.items():
        method, seed = name.rsplit("-", 1)
        by_method.setdefault(method, {})[seed] = scores
    return by_method


def method_result(name: str, by_seed: dict) -> dict:
    values = {seed: scores["value"] for seed, scores in by_seed.items()}
    controls = [scores["control"] for scores in by_seed.values() if "control" in scores]
    return {"method": name, "per_seed": values, "control": max(controls, default=None), **mean_with_interval(values)}


def difference(name: str, by_seed: dict, baseline: dict) -> dict:
    seeds = [seed for seed in by_seed if seed in baseline]
    if not seeds:
        sys.exit(f"claim: {name} has no seed of {BASELINE}")
    per_seed = {seed: by_seed[seed]["value"] - baseline[seed]["value"] for seed in seeds}
    of_targets = {}
    if all("of_target" in by_seed[seed] for seed in seeds):
        for target in baseline[seeds[0]]["of_target"]:
            gains = [by_seed[seed]["of_target"][target] - baseline[seed]["of_target"][target] for seed in seeds]
            of_targets[target] = sum(gains) / len(gains)
    over_targets = bootstrap(list(of_targets.values()))
    found = {"method": name, "per_seed": per_seed, **mean_with_interval(per_seed), "over_targets": over_targets, "of_targets": of_targets}
    return {**found, "verdict": verdict(found)}


def bootstrap(values: list) -> list | None:
    """95 % percentile interval of the mean over resampled values."""
    if len(values) < 2:
        return None
    generator = random.Random(0)
    means = sorted(sum(generator.choices(values, k=len(values))) / len(values) for _ in range(NUM_RESAMPLES))
    return [means[round(0.025 * (NUM_RESAMPLES - 1))], means[round(0.975 * (NUM_RESAMPLES - 1))]]


def verdict(found: dict) -> str:
    """The criterion of docs/RESULTS.md."""
    intervals = [ends for ends in ([found["low"], found["high"]], found["over_targets"]) if ends is not None]
    values = list(found["per_seed"].values())
    for direction, sign in (("higher", 1), ("lower", -1)):
        if len(values) > 1 and all(sign * value > 0 for value in values):
            excludes = all(sign * end > 0 for ends in intervals for end in ends)
            return direction if excludes else f"({direction} in every seed)"
    return "undecided"


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def write_csv(result: dict, path: Path) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["test", "score", "quantity", "method", "seed", "value", "seeds_low", "seeds_high", "targets_low", "targets_high"])
        for test in result["tests"]:
            for quantity, found in [("score", test["methods"]), ("minus baseline", test["differences"])]:
                for method in found:
                    start = [test["test"], test["score"], quantity, method["method"]]
                    for seed, value in method["per_seed"].items():
                        rows.writerow([*start, seed, rounded(value), "", "", "", ""])
                    objects = method.get("over_targets") or [None, None]
                    ends = [method["low"], method["high"], *objects]
                    rows.writerow([*start, "mean", rounded(method["mean"]), *(rounded(end) for end in ends)])


def tables(result: dict) -> list:
    """The lines of all tables: what was trained on, the differences, the scores."""
    lines = header(["data set", "videos", "records", "distinct frames", "boxes on the annotated object"])
    for name, data in result["data"].items():
        share = data["share_on_object"]
        cells = [f"{data[key]:,}" for key in ("videos", "records", "frames")]
        lines.append(row([name, *cells, "" if share is None else f"{100 * share:.0f} %"]))
    lines += ["", *header(["test, score", "method minus baseline", "mean", "each seed", "95 % over seeds", "95 % over targets", "verdict"])]
    for test in shown(result):
        for place, found in enumerate(test["differences"]):
            lines.append(row([
                f"{name_of(test)}, {test['targets']} {test['unit']}" if place == 0 else "",
                METHODS[found["method"]],
                points(found["mean"]),
                ", ".join(points(value) for value in found["per_seed"].values()),
                ends_of([found["low"], found["high"]]),
                ends_of(found["over_targets"] or [None, None]),
                found["verdict"],
            ]))
    lines += ["", *header(["test, score", *METHODS.values(), "random features or guessing", "ceiling"])]
    for test in shown(result):
        means = {method["method"]: method for method in test["methods"]}
        controls = [method["control"] for method in test["methods"] if method["control"] is not None]
        floor = max(controls) if controls else test["chance"]
        cells = [score_cell(means.get(method)) for method in METHODS]
        lines.append(row([name_of(test), *cells, percent(floor), percent(test["ceiling"])]))
    return lines


def name_of(test: dict) -> str:
    return f"{test['test']}, {test['score']}"


def shown(result: dict) -> list:
    """RIS at the first K, retrieval and probes; the JSON has the others."""
    return [test for test in result["tests"] if not test["score"].startswith("RIS") or test["score"] == "RIS, top 10"]


def score_cell(method: dict | None) -> str:
    if method is None:
        return ""
    values = method["per_seed"].values()
    return f"{percent(method['mean'])} ({percent(min(values))} to {percent(max(values))})"


def ends_of(ends: list) -> str:
    return "" if ends[0] is None else f"{points(ends[0])} to {points(ends[1])}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    chosen = commands.add_parser("choose")
    chosen.add_argument("world", type=Path)
    chosen.add_argument("out", type=Path)
    chosen.add_argument("shards", type=Path, nargs="+")
    analysed = commands.add_parser("analyse")
    analysed.add_argument("dir", type=Path)
    analysed.add_argument("out", type=Path)
    commands.add_parser("table").add_argument("out", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "choose":
        choose(arguments.world, arguments.out, arguments.shards)
    elif arguments.command == "analyse":
        analyse(arguments.dir, arguments.out)
    else:
        print("\n".join(tables(json.loads(Path(f"{arguments.out}.json").read_text()))))


if __name__ == "__main__":
    main()
