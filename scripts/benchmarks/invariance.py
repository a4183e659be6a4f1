#!/usr/bin/env python3
"""Seconds of the invariance score: vidpairs beside NumPy doing the steps of the published program, in turns.

usage: invariance.py [--rounds N] [--sets N] [--set-images N] [--units N] [--workers N] [--numpy-rounds N] RIS

RIS: the example, built for release (`cargo build --release --no-default-features --example ris`). The shape of ALOI's viewpoints by
default: 1000 objects in 72 images, 2048 units, each object a target. Features are drawn here: a normal value for each object and unit,
noise for each image, negative values cut to zero in the first half of the units as after a ReLU.

The NumPy version takes the published steps over whole arrays: np.sort of all units (NumPy's own vector code), two comparisons, sums
over sets by np.add.reduceat on images that lie in the order of their sets, means over targets, np.sort of the scores. Its loops over sets and
classes are none of Python's; `--partition` takes np.partition for np.sort. NumPy uses one thread, as it does by itself; vidpairs `--workers`.
Every program has the features in memory when the clock starts; vidpairs looks in that time whether all numbers are finite, too. Both
must give the same score. Figures are wall clocks, medians over rounds; the ratio is the median of the rounds' ratios.
"""
import argparse
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

TOP = (10, 25)


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


def ours(arguments, folder, *versions):
    command = [arguments.ris, folder / "features", arguments.units, folder / "labels", arguments.workers, 5, *versions]
    printed = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout.split()
    seconds = [float(it) for it in printed[:5]]
    place = printed.index("published-code")
    # The first finds its memory cold; NumPy's is warm.
    return statistics.median(seconds[1:]), [float(it) for it in printed[place + 1:place + 3]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ris", metavar="RIS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--set-images", type=int, default=72)
    parser.add_argument("--units", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--partition", action="store_true")
    arguments = parser.parse_args()
    features = drawn(arguments.sets, arguments.set_images, arguments.units)
    instance = np.repeat(np.arange(arguments.sets, dtype=np.uint32), arguments.set_images)
    with tempfile.TemporaryDirectory(prefix="vidpairs-bench-") as folder:
        folder = Path(folder)
        features.tofile(folder / "features")
        np.concatenate([instance, instance]).astype("<u4").tofile(folder / "labels")
        rounds = []
        for _ in range(arguments.rounds):
            start = time.perf_counter()
            theirs = published(features, instance, instance, arguments.partition)
            numpy_seconds = time.perf_counter() - start
            one, scores = ours(arguments, folder, "published-code")
            assert np.allclose(theirs, scores, rtol=1e-6), (theirs, scores)
            every, _ = ours(arguments, folder)
            rounds.append((numpy_seconds, one, every))
            print(" ".join(f"{it:.3f}" for it in rounds[-1]), flush=True)
    numpy_seconds, one, every = (statistics.median(column) for column in zip(*rounds))
    print(f"\n{len(features)} images x {arguments.units} units, {arguments.sets} sets, {arguments.workers} workers\n")
    print("| | seconds | NumPy's over ours |\n|---|---|---|")
    print(f"| NumPy {np.__version__}, published steps | {numpy_seconds:.2f} | |")
    for name, place, seconds in [("published-code", 1, one), ("all three versions", 2, every)]:
        ratio = statistics.median(it[0] / it[place] for it in rounds)
        print(f"| vidpairs, {name} | {seconds:.3f} | {ratio:.1f} |")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\npeak memory of vidpairs: {peak:.0f} MiB, of which features {features.nbytes / 2**20:.0f} (twice while they are read)")


if __name__ == "__main__":
    main()
