#!/usr/bin/env python3
"""Analyses the claim experiment. Standard library only.

    scripts/experiments/claim.py analyse DIR OUT
    scripts/experiments/claim.py table OUT

`analyse` reads DIR/invariance/invariance.json and DIR/probe/probe.json, where models are called METHOD-SEED, and writes OUT.json and OUT.csv:
each score, means over seeds, and the differences to the baseline of the same seed. A difference has two 95 % intervals:
- over seeds: Student's, of the differences of the seeds,
- over objects: a bootstrap over the test objects of the difference that is the mean over seeds (RIS only; the others have no score of each
  object).

`table` prints OUT.json as tables in Markdown.
"""

import argparse
import csv
import json
import platform
import random
from pathlib import Path

from seeds import header, mean_with_interval, percent, points, rounded, row

BASELINE = "baseline"
METHODS = {
    "untrained": "untrained network",
    "baseline": "baseline: one frame",
    "frame-temporal": "frame-temporal",
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


def analyse(folder: Path, out: Path) -> None:
    invariance = json.loads((folder / "invariance" / "invariance.json").read_text())
    probe = json.loads((folder / "probe" / "probe.json").read_text())
    tests = [test for panel in invariance["panels"] for test in tests_of_panel(panel, names_of(invariance))]
    tests += [test_of_table(table, names_of(probe)) for table in probe["tables"]]
    result = {
        "program_version": invariance["program_version"],
        "machine": {"system": platform.platform(), "processor": processor()},
        "settings": {"invariance": invariance["settings"], "probe": probe["settings"]},
        "tests": [],
    }
    for test in tests:
        by_method = by_method_and_seed(test["models"])
        baseline = by_method[BASELINE]
        result["tests"].append({
            **{key: test[key] for key in ("test", "score", "kind", "chance", "ceiling", "images", "targets")},
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
    about = {"kind": panel["kind"], "test": TESTS[panel["kind"]], "images": panel["images"], "targets": panel["targets"]}
    ris = {}
    for name, scores in zip(names, panel["models"]):
        for score in scores["scores"]:
            if score["version"] == "published-code":
                control = max(score["control_gaussian"], score["control_shuffled"])
                one = {"value": score["value"], "control": control, "of_target": {t["target"]: t["score"] for t in score["per_target"]}}
                found = ris.setdefault(score["k"], {"ceiling": score["ceiling"], "models": {}})
                found["models"][name] = one
    tests = [
        {**about, "score": f"RIS, top {k}", "chance": None, "ceiling": found["ceiling"], "models": found["models"]}
        for k, found in ris.items()
    ]
    retrieval = {name: {"value": scores["retrieval"]["value"]} for name, scores in zip(names, panel["models"])}
    tests.append({**about, "score": "retrieval", "chance": panel["retrieval_chance"], "ceiling": 100.0, "models": retrieval})
    return tests


def test_of_table(table: dict, names: list) -> dict:
    return {
        "kind": table["kind"],
        "test": f"class, {table['protocol']['probe']}",
        "score": table["protocol"]["metric"],
        "chance": table["chance"],
        "ceiling": 100.0,
        "images": table["test_images"],
        "targets": len(table["classes"]),
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
    per_seed = {seed: by_seed[seed]["value"] - baseline[seed]["value"] for seed in seeds}
    of_targets = []
    if all("of_target" in by_seed[seed] for seed in seeds):
        for target in baseline[seeds[0]]["of_target"]:
            gains = [by_seed[seed]["of_target"][target] - baseline[seed]["of_target"][target] for seed in seeds]
            of_targets.append(sum(gains) / len(gains))
    over_objects = bootstrap(of_targets)
    found = {"method": name, "per_seed": per_seed, **mean_with_interval(per_seed), "over_objects": over_objects}
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
    signs = {value > 0 for value in found["per_seed"].values()}
    direction = "higher" if found["mean"] > 0 else "lower"
    intervals = [[found["low"], found["high"]], found["over_objects"]]
    known = [ends for ends in intervals if ends and ends[0] is not None]
    excludes = [ends[0] > 0 or ends[1] < 0 for ends in known]
    if len(found["per_seed"]) > 1 and all(excludes) and len(signs) == 1:
        return direction
    if len(signs) == 1 and (found["over_objects"] is None or excludes[-1]):
        return f"{direction} in every seed"
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
        rows.writerow(["test", "score", "quantity", "method", "seed", "value", "seeds_low", "seeds_high", "objects_low", "objects_high"])
        for test in result["tests"]:
            for quantity, found in [("score", test["methods"]), ("minus baseline", test["differences"])]:
                for method in found:
                    start = [test["test"], test["score"], quantity, method["method"]]
                    for seed, value in method["per_seed"].items():
                        rows.writerow([*start, seed, rounded(value), "", "", "", ""])
                    objects = method.get("over_objects") or [None, None]
                    ends = [method["low"], method["high"], *objects]
                    rows.writerow([*start, "mean", rounded(method["mean"]), *(rounded(end) for end in ends)])


def tables(result: dict) -> list:
    """The lines of all tables: the differences first, then the scores."""
    lines = header(["test, score", "method minus baseline", "mean", "each seed", "95 % over seeds", "95 % over objects", "verdict"])
    for test in shown(result):
        for place, found in enumerate(test["differences"]):
            lines.append(row([
                f"{test['test']}, {test['score']}" if place == 0 else "",
                METHODS[found["method"]],
                points(found["mean"]),
                ", ".join(points(value) for value in found["per_seed"].values()),
                ends_of([found["low"], found["high"]]),
                ends_of(found["over_objects"] or [None, None]),
                found["verdict"],
            ]))
    lines += ["", *header(["test, score", *METHODS.values(), "random features or guessing", "ceiling"])]
    for test in shown(result):
        means = {method["method"]: method for method in test["methods"]}
        controls = [method["control"] for method in test["methods"] if method["control"] is not None]
        floor = max(controls) if controls else test["chance"]
        cells = [score_cell(means.get(method)) for method in METHODS]
        lines.append(row([f"{test['test']}, {test['score']}", *cells, percent(floor), percent(test["ceiling"])]))
    return lines


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
    analysed = commands.add_parser("analyse")
    analysed.add_argument("dir", type=Path)
    analysed.add_argument("out", type=Path)
    commands.add_parser("table").add_argument("out", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "analyse":
        analyse(arguments.dir, arguments.out)
    else:
        print("\n".join(tables(json.loads(Path(f"{arguments.out}.json").read_text()))))


if __name__ == "__main__":
    main()
