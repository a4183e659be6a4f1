#!/usr/bin/env python3
"""Seconds of support vector machines with cross-validated costs: vidpairs beside scikit-learn's LinearSVC, in turns.

usage: probe.py [--rounds N] [--images N] [--units N] [--classes N] [--workers N] SVM

SVM: the example, built for release (`cargo build --release -p vidpairs-invariance --example svm`). The shape of VOC07 by default: 20 classes,
5000 images, 2048 units, any number of classes an image, 11 costs, 3 folds, then a machine of the best cost on all images. Features are drawn
here: a mixture of 64 hidden numbers, cut to zero below 0 as after a ReLU, rows of length 1. A class is a direction of the hidden numbers with
noise, so that no machine is perfect.

scikit-learn does what VISSL asks of it (cross_val_score for each cost, then the best cost on all images), in `--workers` threads over the
classes; LinearSVC lets other threads run while it trains. It gets 64-bit features, which it would otherwise copy for each fit. Once with
`dual=True`, as in VISSL, once with `dual=False`, which `dual="auto"` takes for more images than units. Both programs have the features in memory
when the clock starts. Folds differ, so scores are compared within the spread of folds. Wall clocks, and the seconds that processors spent, which
other work on the machine hardly touches; medians over rounds, ratios the medians of the rounds' ratios.
"""
import argparse
import os
import resource
import statistics
import subprocess
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.svm import LinearSVC

COSTS = [0.01, 0.1, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0, 100.0, 1000.0]


def drawn(num_images, num_units, num_classes):
    rng = np.random.default_rng(7)
    hidden = rng.standard_normal((num_images, 64))
    features = hidden @ rng.standard_normal((64, num_units)) / 8 + rng.standard_normal((num_images, num_units)) + 0.3
    features = np.maximum(features, 0).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    scores = hidden @ rng.standard_normal((64, num_classes)) / 8 + 0.5 * rng.standard_normal((num_images, num_classes))
    return features, scores > np.quantile(scores, 0.93, axis=0)


def of_class(features, shown, dual):
    """Cost, scores of all costs, and how many machines did not converge."""
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    machine = {
        cost: LinearSVC(C=cost, dual=dual, class_weight={0: 1, 1: 2}, tol=1e-4, max_iter=2000, random_state=0) for cost in COSTS
    }
    scores = [cross_val_score(machine[cost], features, shown, cv=folds, scoring="average_precision").mean() for cost in COSTS]
    best = COSTS[int(np.argmax(scores))]
    machine[best].fit(features, shown)
    return best, scores


def theirs(features, shown, workers, dual):
    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(workers) as threads, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        found = list(threads.map(lambda column: of_class(features, column.astype(int), dual), shown.T))
    return time.perf_counter() - wall, time.process_time() - cpu, found, len(caught)


def ours(arguments, folder):
    """Reading of the files is in the seconds of processors."""
    command = [arguments.svm, folder / "features", arguments.units, folder / "truths", arguments.classes, arguments.workers]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout.splitlines()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = float(lines[0].split()[0])
    found = [(float(line.split()[0]), [float(it.strip("[],")) for it in line.split()[2:]]) for line in lines[1:-1]]
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, found, int(lines[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("svm", metavar="SVM")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--units", type=int, default=2048)
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    features, shown = drawn(arguments.images, arguments.units, arguments.classes)
    wide = features.astype(np.float64)
    rounds = {True: [], False: []}
    with tempfile.TemporaryDirectory(prefix="vidpairs-bench-") as folder:
        folder = Path(folder)
        features.tofile(folder / "features")
        shown.T.astype(np.uint8).tofile(folder / "truths")
        for _ in range(arguments.rounds):
            for dual, done in rounds.items():
                sklearns = theirs(wide, shown, arguments.workers, dual)
                own = ours(arguments, folder)
                difference = np.abs(np.subtract([it[1] for it in sklearns[2]], [it[1] for it in own[2]]))
                assert difference.mean() < 0.02, difference
                done.append((sklearns, own))
    print(f"{arguments.classes} classes, {arguments.images} images x {arguments.units} units, {len(COSTS)} costs, {arguments.workers} workers\n")
    print("| | seconds | scikit-learn's over ours | processor seconds | scikit-learn's over ours | not converged | mean AP of the folds |")
    print("|---|---|---|---|---|---|---|")
    for dual, done in rounds.items():
        for who, place in (f"scikit-learn {sklearn.__version__}, dual={dual}", 0), ("vidpairs", 1):
            wall, cpu = (statistics.median(it[place][clock] for it in done) for clock in (0, 1))
            ratios = [statistics.median(it[0][clock] / it[1][clock] for it in done) for clock in (0, 1)]
            shares = [f"{ratio:.1f}" if place else "" for ratio in ratios]
            best = np.mean([max(scores) for _, scores in done[0][place][2]])
            print(f"| {who} | {wall:.1f} | {shares[0]} | {cpu:.1f} | {shares[1]} | {done[0][place][3]} | {best:.4f} |")


if __name__ == "__main__":
    main()
