#!/usr/bin/env python3
"""Records per second of PairDataset in random order, and of webdataset in the order of the shards, in turns.

usage: loader.py [--workers 2] [--batch 32] [--rounds 7] [--crop 224] DIR      (packages: torch, pillow, webdataset)

DIR is a data set of kind frames, tracks or regions with at least as many shards as workers. Both sides decode anchor and positive with
Pillow in the workers, crop them, and stack them to uint8 tensors with the same function. Prints a row per round, the medians, and the
ratio of PairDataset to webdataset, with each round's lowest and highest.
"""

import argparse
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import webdataset
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import vidpairs

ROLES = ("anchor", "positive")


def crop(record: dict, side: int) -> dict:
    """The record with its images cut to a square, which is black where the image ends."""
    return {**record, **{role: record[role].crop((0, 0, side, side)) for role in ROLES}}


def of_webdataset(sample: dict, side: int) -> dict:
    images = {role: sample[f"{role}.jpg"] for role in ROLES}
    return crop({"key": sample["__key__"], "meta": vidpairs.meta.uniform_meta(sample["json"]), **images}, side)


def random_reads(arguments: argparse.Namespace) -> DataLoader:
    dataset = vidpairs.PairDataset(arguments.dir, decode="pil", roles=ROLES, transform=partial(crop, side=arguments.crop))
    return DataLoader(dataset, arguments.batch, shuffle=True, num_workers=arguments.workers, collate_fn=vidpairs.collate)


def sequential_reads(arguments: argparse.Namespace) -> DataLoader:
    urls = [str(path) for path in sorted(arguments.dir.rglob("pairs-*.tar"))]
    pipeline = webdataset.WebDataset(urls, shardshuffle=False).decode("pil").map(partial(of_webdataset, side=arguments.crop))
    pipeline = pipeline.batched(arguments.batch, collation_fn=vidpairs.collate)
    return DataLoader(pipeline, batch_size=None, num_workers=arguments.workers)


def rate(loader: DataLoader, expected: int) -> float:
    """Records per second of an epoch, from the first batch on: the start of the workers is no part of it."""
    batches = iter(loader)
    first = len(next(batches)["key"])
    start, records = time.perf_counter(), 0
    for batch in batches:
        records += len(batch["key"])
    seconds = time.perf_counter() - start
    assert first + records == expected, f"{first + records} records of {expected}"
    return records / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--crop", type=int, default=224, help="side of the square that is cut from each image, px")
    arguments = parser.parse_args()
    dataset = vidpairs.PairDataset(arguments.dir)
    print(f"{dataset}; {arguments.workers} workers, batch {arguments.batch}, {arguments.crop} px, webdataset {webdataset.__version__}")
    rows = []
    for number in range(arguments.rounds + 1):
        sides = [random_reads, sequential_reads]
        # Which side is first alternates, so that neither gains from a machine that gets slower or faster.
        rates = {side: rate(side(arguments), len(dataset)) for side in (sides if number % 2 else sides[::-1])}
        ours, others = rates[random_reads], rates[sequential_reads]
        # The first round fills the page cache.
        if number:
            rows.append((ours, others, ours / others))
            print(f"PairDataset, random {ours:7.0f}/s   webdataset, in order {others:7.0f}/s   ratio {ours / others:.2f}")
    ours, others, ratios = zip(*rows)
    medians = map(statistics.median, (ours, others, ratios))
    print("medians: {:.0f}/s, {:.0f}/s, ratio {:.2f}".format(*medians), f"({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
