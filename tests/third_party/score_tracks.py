"""Scores tracking results with programs that know nothing of vidpairs; prints JSON.

usage: score_tracks.py got10k ROOT SUBSET RESULTS TRACKER   through GOT-10k's own toolkit
       score_tracks.py trackingnet ANNO RESULTS             by the definitions of TrackingNet's devkit
"""

import contextlib
import json
import pathlib
import sys
import tempfile
import types

import numpy

# The toolkit asks for programs that draw, and for one that knows polygons; nothing here needs them.
for name in ("matplotlib", "matplotlib.pyplot", "matplotlib.patches", "matplotlib.colors", "cv2"):
    sys.modules.setdefault(name, types.ModuleType(name))
sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]
for name, parts in {"shapely": (), "shapely.geometry": ("box", "Polygon"), "PIL": ("Image",)}.items():
    module = sys.modules.setdefault(name, types.ModuleType(name))
    for part in parts:
        setattr(module, part, None)


def got10k(root, subset, results, tracker):
    """`performance` of the toolkit's report, its success curve with it."""
    from got10k.experiments.got10k import ExperimentGOT10k

    with tempfile.TemporaryDirectory() as folder:
        experiment = ExperimentGOT10k(root, subset="val", report_dir=folder)
        if subset != "val":  # the toolkit reports on val alone; its data set knows the others
            experiment.dataset = type(experiment.dataset)(root, subset=subset)
        experiment.result_dir = results
        experiment.plot_curves = lambda *_: None
        with contextlib.redirect_stdout(sys.stderr):  # it tells what it does
            return experiment.report([tracker])[tracker]


def trackingnet(anno, results):
    """Mean curves and scores over the sequences of `anno`, a file each."""
    curves = {"success": [], "precision": [], "normalized_precision": []}
    for file in sorted(pathlib.Path(anno).glob("*.txt")):
        truth = numpy.round(numpy.loadtxt(file, delimiter=",", ndmin=2))
        given = numpy.full_like(truth, numpy.nan)
        rows = numpy.round(numpy.loadtxt(pathlib.Path(results, file.name), delimiter=",", ndmin=2))
        given[: len(rows)] = rows[: len(given)]
        given[0] = truth[0]
        for name, curve in curves_of(truth, given).items():
            curves[name].append(curve)
    mean = {name: numpy.mean(all, axis=0) for name, all in curves.items()}
    axis = numpy.linspace(0, 1, 21)
    return {
        "curves": {name: curve.tolist() for name, curve in mean.items()},
        "scores": {name: float(numpy.trapezoid(curve, axis)) for name, curve in mean.items()},
    }


def curves_of(truth, given):
    # Corners that are inclusive, and centres, as metrics.py of the devkit has them.
    truth_end = truth[:, :2] + truth[:, 2:] - 1
    given_end = given[:, :2] + given[:, 2:] - 1
    start = numpy.maximum(truth[:, :2], given[:, :2])
    sides = numpy.maximum(numpy.minimum(truth_end, given_end) - start + 1, 0)
    shared = sides.prod(axis=1)
    offset = (truth[:, :2] + (truth[:, 2:] + 1) / 2) - (given[:, :2] + (given[:, 2:] + 1) / 2)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        iou = shared / (truth[:, 2:].prod(axis=1) + given[:, 2:].prod(axis=1) - shared)
        normalized = numpy.sqrt(((offset / truth[:, 2:]) ** 2).sum(axis=1))
    distance = numpy.sqrt((offset**2).sum(axis=1))
    shares = lambda test, thresholds: [test(threshold).mean() for threshold in thresholds]
    return {
        "success": shares(lambda t: iou > t, numpy.linspace(0, 1, 21)),
        "precision": shares(lambda t: distance <= t, numpy.linspace(0, 50, 21)),
        "normalized_precision": shares(lambda t: normalized <= t, numpy.linspace(0, 0.5, 21)),
    }


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    print(json.dumps({"got10k": got10k, "trackingnet": trackingnet}[kind](*arguments)))
