#!/usr/bin/env python3
"""Simulates how long many workers take for a data set: parts by hash against the longest clips first. Writes the table of docs/CLUSTER.md.

usage: simulate.py [--seed N] [--check FILE]

Each worker takes the next part as soon as it is done with one, as with Slurm's arrays and Ray, and works on one clip at a time. A clip takes
as long as it has frames; a part takes no time to start. The figures are makespan / (all work / speed of all workers): 1.00 means that no worker ever
waits. The second figure of a cell is for workers of which one in twenty has half the speed. --check fails unless FILE has the table. Needs
Python 3.9 only.

Lengths of clips:
  TrackingNet: 30,132 videos of 471 frames on average (Muller et al., "TrackingNet", ECCV 2018). Their spread is not published; the videos
    are excerpts of at most some 20 s, so we take a normal distribution with a standard deviation of 150, from 100 to 1,000 frames.
  web: 200,000 videos with a log-normal length. The median of YouTube is 64 s (McGrady et al., "Dialing for Videos: A Random Sample of YouTube",
    Journal of Quantitative Description: Digital Media 3, 2023). sigma = 2 is our choice; it makes the mean 470 s. Cut off at 12 hours, which is
    the longest that YouTube takes.
"""
import argparse
import heapq
import math
import random
import sys
from pathlib import Path

FPS = 30
WORKERS = (10, 50, 100, 500, 2000)
PARTS_PER_WORKER = (1, 4, 16)


def trackingnet(lots, num=30_132):
    lengths = []
    while len(lengths) < num:
        frames = lots.gauss(471, 150)
        if 100 <= frames <= 1000:
            lengths.append(frames)
    return lengths


def web(lots, num=200_000):
    return [min(lots.lognormvariate(math.log(64), 2), 12 * 3600) * FPS for _ in range(num)]


def makespan(tasks, speeds):
    """Time at which the last of the tasks is done; each goes, in their order, to the worker that is free first.

    >>> makespan([3, 3, 2, 2, 2], [1, 1])
    7.0
    >>> makespan([2, 2, 2], [1, 0.5])
    4.0
    """
    free = [(0.0, worker) for worker in range(len(speeds))]
    end = 0.0
    for task in tasks:
        now, worker = free[0]
        now += task / speeds[worker]
        heapq.heapreplace(free, (now, worker))
        end = max(end, now)
    return end


def by_hash(lengths, num_parts, lots):
    """Frames of each part. A hash deals the clips as evenly as chance does."""
    parts = [0.0] * num_parts
    for frames in lengths:
        parts[int(lots.random() * num_parts)] += frames
    return parts


def rows(name, lengths, lots):
    """Rows of the table: for each number of workers and each way to deal the clips, the ratio to the ideal with even and with uneven workers."""
    total, longest_first = sum(lengths), sorted(lengths, reverse=True)
    for workers in WORKERS:
        even = [1.0] * workers
        uneven = [0.5 if worker % 20 == 0 else 1.0 for worker in range(workers)]
        ways = [by_hash(lengths, per_worker * workers, lots) for per_worker in PARTS_PER_WORKER] + [longest_first]
        cells = [" / ".join(f"{makespan(tasks, speeds) / (total / sum(speeds)):.2f}" for speeds in (even, uneven)) for tasks in ways]
        yield f"| {name} | {workers:,} | " + " | ".join(cells) + " |"


def table(seed):
    head = ["videos", "workers", *(f"{num} x as many parts" if num > 1 else "as many parts" for num in PARTS_PER_WORKER), "longest clip first"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, lengths_of in (("TrackingNet", trackingnet), ("web", web)):
        lots = random.Random(f"{name} {seed}")
        lines += rows(name, lengths_of(lots), lots)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="decides the lengths and their hashes [default: 0]")
    parser.add_argument("--check", type=Path, metavar="FILE", help="fails unless FILE has the table")
    options = parser.parse_args()
    found = table(options.seed)
    if options.check is None:
        print(found, end="")
    elif found not in options.check.read_text():
        sys.exit(f"{options.check} does not have this table, which scripts/cluster/simulate.py gives:\n{found}")


if __name__ == "__main__":
    main()
