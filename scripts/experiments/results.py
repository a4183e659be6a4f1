#!/usr/bin/env python3
"""Writes the tables of docs/RESULTS.md that come from results/*.json. Standard library only.

    scripts/experiments/results.py [--check]

A table stands between the lines `<!-- table: NAME -->` and `<!-- end -->`. With --check nothing is written, and the exit code is 1 if a table
differs from the results.
"""

import json
import re
import sys
from pathlib import Path

import bias
import claim
from seeds import header, row

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "RESULTS.md"
BLOCK = re.compile(r"(?<=<!-- table: )([\w-]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)
INVARIANCES = {
    "aloi-viewpoint": "ALOI, viewpoint",
    "aloi-direction": "ALOI, light direction",
    "aloi-color": "ALOI, light colour",
    "pascal3d-viewpoint": "PASCAL3D+, viewpoint",
    "got10k-occlusion": "GOT-10k, occlusion",
}
NETWORKS = ["untrained-s14", "dinov2-s14", "resnet34-dlib"]
CLASSIFIERS = {"svm": "linear SVMs", "logistic": "logistic regression", "knn": "weighted kNN"}


def tables() -> dict:
    """The lines of each table, by its name."""
    encoders = read("encoders")
    return {
        "bias": bias.tables(read("bias")),
        "claim": claim.tables(read("claim")),
        "claim-trials": trials(read("claim-trials")),
        "encoders-invariances": invariances(encoders),
        "encoders-differences": differences(encoders),
        "encoders-scenes": probes(encoders, ["voc07", "voc07-boxes"]),
        "encoders-elpv": probes(encoders, ["elpv"]),
    }


def read(name: str) -> dict:
    return json.loads((ROOT / "results" / f"{name}.json").read_text())


def trials(results: list) -> list:
    methods = ["baseline", "frame-temporal", "ground-truth-tracks", "region-tracker"]
    lines = header(["trial", "images of", "test", *(claim.METHODS[method].split(":")[0] for method in methods)])
    for trial in results:
        for place, (kind, scores) in enumerate(trial["tests"].items()):
            first = [trial["trial"], f"{trial['image_px']} px"] if place == 0 else ["", ""]
            found = [scores.get(method) for method in methods]
            cells = [f"{score['ris_top10']:.1f} ({score['retrieval']:.1f})" if score else "" for score in found]
            lines.append(row([*first, claim.TESTS[kind], *cells]))
    return lines


def invariances(results: dict) -> list:
    lines = header(
        ["rendered set", "images, sets, targets", "network", "RIS, top 10", "random features", "ceiling", "retrieval", "chance"]
    )
    for kind, found in results["invariances"].items():
        counts = f"{found['images']:,}, {found['sets']}, {found['targets']}"
        for place, model in enumerate(found["models"]):
            first = [INVARIANCES[kind], counts] if place == 0 else ["", ""]
            levels = [f"{model[key]:.1f}" for key in ("random_features", "ceiling")]
            cells = [f"`{model['name']}`", value(model["ris"]), *levels, value(model["retrieval"])]
            lines.append(row([*first, *cells, f"{found['retrieval_chance']:.1f}"]))
    return lines


def differences(results: dict) -> list:
    lines = header(["rendered set", "RIS, ViT", "RIS, ResNet-34", "retrieval, ViT"])
    for kind, found in results["invariances"].items():
        by_model = {pair["b"]: pair["b_minus_a"] for pair in found["pairs"]}
        vit, resnet = by_model["dinov2-s14"], by_model["resnet34-dlib"]
        lines.append(row([INVARIANCES[kind], *(gain(part) for part in (vit["score"], resnet["score"], vit["retrieval"]))]))
    return lines


def probes(results: dict, data: list) -> list:
    names = [f"`{name}`" for name in NETWORKS]
    lines = header(["data", "classifier, score", *names, "guessing", "`resnet34-dlib` minus `dinov2-s14`"])
    for name in data:
        for place, table in enumerate(results["probes"][name]):
            scores = {model["name"]: model["score"] for model in table["models"]}
            (pair,) = (pair for pair in table["pairs"] if (pair["a"], pair["b"]) == ("dinov2-s14", "resnet34-dlib"))
            first = [name if place == 0 else "", f"{CLASSIFIERS[table['classifier']]}, {table['metric']}"]
            cells = [*(value(scores[network]) for network in NETWORKS), f"{table['guessing']:.1f}"]
            lines.append(row([*first, *cells, gain(pair["b_minus_a"]["score"])]))
    return lines


def value(figure: dict | None) -> str:
    if figure is None:
        return "–"
    low, high = figure["interval"]
    return f"{figure['value']:.1f} [{low:.1f}, {high:.1f}]"


def gain(figure: dict) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:+.1f} [{low:+.1f}, {high:+.1f}]"


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    old = PAGE.read_text()
    lines = tables()
    missing = lines.keys() - {name for name, _ in BLOCK.findall(old)}
    if missing:
        sys.exit(f"results: {PAGE} has no table {', '.join(sorted(missing))}")
    new = BLOCK.sub(lambda block: block[1] + block[2] + "\n".join(lines[block[1]]) + "\n", old)
    if sys.argv[1:]:
        sys.exit(f"results: {PAGE} differs from results/*.json: run scripts/experiments/results.py" if new != old else 0)
    PAGE.write_text(new)


if __name__ == "__main__":
    main()
