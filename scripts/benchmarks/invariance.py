#!/usr/bin/env python3
"""Seconds of the invariance score: vidpairs beside NumPy doing the steps of the published program, in turns.

usage: invariance.py [--rounds N] [--sets N] [--set-images N] [--units N] [--workers N] [--partition] [--command VIDPAIRS] RIS

RIS: the example, built for release (`cargo build --release -p vidpairs-invariance --example ris`). The shape of ALOI's viewpoints by
default: 1000 objects in 72 images, 2048 units, each object a target. Features are drawn here: a normal value for each object and unit,
noise for each image, negative values cut to zero in the first half of the units as after a ReLU.

The NumPy version takes the published steps over whole arrays: np.sort of all units (NumPy's own vector code), two comparisons, sums
over sets by np.add.reduceat on images that lie in the order of their sets, means over targets, np.sort of the scores. Its loops over sets and
classes are none of Python's; `--partition` takes np.partition for np.sort. NumPy uses one thread, as it does by itself; vidpairs `--workers`.
Every program has the features in memory when the clock starts; vidpairs looks in that time whether all numbers are finite, too. Both
must give the same score. Wall clocks, and the seconds that processors spent on it, which other work on the machine hardly touches; medians
over rounds, ratios the medians of the rounds' ratios. On an idle machine the ratio of the wall clocks is that of the processor seconds times
nearly the number of workers.

`--command VIDPAIRS` also measures all that `vidpairs invariance --features` says of one and of two such models, the page included: seconds and
the most memory that it held, reading of the files included.
"""
import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TOP = (10, 25)
OUR_ROUNDS = 5
# Runs a program and prints the most memory that it held, KiB. On its own, since a program inherits what the one held that started it.
PEAK = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def drawn(num_sets, set_images, num_units):
    rng = np.random.default_rng(72)
    features = rng.standard_normal((num_sets * set_images, num_units), dtype=np.float32)
    features *= 0.7
    for number in range(num_sets):
        features[number * set_images:(number + 1) * set_images] += rng.standard_normal(num_units, dtype=np.float32)
    np.maximum(features[:, : num_units // 2], 0, out=features[:, : num_units // 2])
    return features


def published(features, instance, classes, partition):
    """Images of a set are neighbours, and every set has its own target or shares it with its neighbours."""
    num_images = len(features)
    targets, class_of_image = np.unique(classes, return_inverse=True)
    quiet = min((1 - 1 / len(targets)) * 100, 95)
    index = int(num_images * quiet // 100)
    if partition:
        found = np.partition(features, (num_images - 1 - index, index), axis=0)
    else:
        found = np.sort(features, axis=0)
    # Not negated and sorted again, as the program does: the same values lie at the other end.
    above, below = found[index], found[num_images - 1 - index]
    del found
    global_rate = np.mean(features >= above, axis=0)
    starts = np.flatnonzero(np.r_[True, instance[1:] != instance[:-1]])
    sizes = np.diff(np.r_[starts, num_images])
    high = np.add.reduceat(features > above, starts, axis=0, dtype=np.uint16)
    low = np.add.reduceat(features < below, starts, axis=0, dtype=np.uint16)
    num = np.maximum(high, low)[sizes >= 3]
    of_set = class_of_image[starts][sizes >= 3]
    order = np.argsort(of_set, kind="stable")
    num, of_set, sizes = num[order], of_set[order], sizes[sizes >= 3][order]
    groups = np.flatnonzero(np.r_[True, of_set[1:] != of_set[:-1]])
    total = np.add.reduceat(num / sizes[:, None], groups, axis=0)
    count = np.add.reduceat(num > 0, groups, axis=0, dtype=np.float64)
    falling = -np.sort(-(total / (count + 1e-20) / global_rate), axis=1)
    return [falling[:, :top].mean(axis=1).sum() / len(targets) * (100 - quiet) for top in TOP]


def run(arguments, folder, num_rounds, versions):
    """What it printed, and the seconds of processors that it took in all."""
    command = [arguments.ris, folder / "features", arguments.units, folder / "labels", arguments.workers, num_rounds, *versions]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout.split()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return printed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(arguments, folder, *versions):
    """Wall clock and processor seconds of a round, and the scores. The first round finds its memory cold, and so is none."""
    _, start = run(arguments, folder, 1, versions)
    printed, all_rounds = run(arguments, folder, 1 + OUR_ROUNDS, versions)
    wall = statistics.median(float(it) for it in printed[1:1 + OUR_ROUNDS])
    place = printed.index("published-code")
    return wall, (all_rounds - start) / OUR_ROUNDS, [float(it) for it in printed[place + 1:place + 1 + len(TOP)]]


def whole_command(arguments, folder, num_models):
    """Seconds and GB of `vidpairs invariance` on the same features, once for each model."""
    command = [arguments.command, "invariance", "--out", folder / f"out-{num_models}", "--quiet", "--workers", arguments.workers]
    for number in range(num_models):
        command += ["--features", f"model-{number}={folder / 'features.npz'}"]
    start = time.perf_counter()
    said = subprocess.run([sys.executable, "-c", PEAK, *map(str, command)], check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - start, int(said) * 1024 / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ris", metavar="RIS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--set-images", type=int, default=72)
    parser.add_argument("--units", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--partition", action="store_true")
    parser.add_argument("--command", metavar="VIDPAIRS")
    arguments = parser.parse_args()
    features = drawn(arguments.sets, arguments.set_images, arguments.units)
    instance = np.repeat(np.arange(arguments.sets, dtype=np.uint32), arguments.set_images)
    with tempfile.TemporaryDirectory(prefix="vidpairs-bench-") as folder:
        folder = Path(folder)
        features.tofile(folder / "features")
        np.concatenate([instance, instance]).astype("<u4").tofile(folder / "labels")
        rounds = []
        for _ in range(arguments.rounds):
            wall, cpu = time.perf_counter(), time.process_time()
            theirs = published(features, instance, instance, arguments.partition)
            numpy_seconds = time.perf_counter() - wall, time.process_time() - cpu
            *one, scores = ours(arguments, folder, "published-code")
            assert np.allclose(theirs, scores, rtol=1e-6), (theirs, scores)
            *every, _ = ours(arguments, folder)
            rounds.append((numpy_seconds, one, every))
        whole = []
        if arguments.command:
            np.savez(folder / "features.npz", feat=features, instance=instance)
            del features
            whole = [whole_command(arguments, folder, num_models) for num_models in (1, 2)]
    print(f"{len(instance)} images x {arguments.units} units, {arguments.sets} sets, {arguments.workers} workers\n")
    print("| | seconds | NumPy's over ours | processor seconds | NumPy's over ours |\n|---|---|---|---|---|")
    names = [f"NumPy {np.__version__}, published steps", "vidpairs, published-code", "vidpairs, all three versions"]
    for place, name in enumerate(names):
        cells = []
        for clock in (0, 1):
            ratio = statistics.median(it[0][clock] / it[place][clock] for it in rounds)
            cells += [f"{statistics.median(it[place][clock] for it in rounds):.3f}", f"{ratio:.1f}" if place else ""]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for num_models, (seconds, gigabytes) in enumerate(whole, start=1):
        print(f"\nvidpairs invariance, {num_models} of such models: {seconds:.0f} s, {gigabytes:.1f} GB")


if __name__ == "__main__":
    main()
