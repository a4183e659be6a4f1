#!/usr/bin/env python3
"""Distributed training over webdataset and datasets with any number of shards: equal steps, no record twice, no hang.

usage: ddp.py DATA_SET... [--ranks 2,3]

Starts processes on the backend `gloo`, each with two workers, which read the folder as `webdataset_pairs` and `datasets_pairs` do, and meet
in an all_reduce at every step, as the gradients of DistributedDataParallel do: a rank with a step more or less hangs there, and a hang ends
with an error after 60 seconds. Each epoch must have the same number of steps on every rank, no record twice, and leave out fewer
records than one batch of all ranks and workers.
"""
from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
from functools import partial
from itertools import islice
from pathlib import Path

import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, get_worker_info
from common import DataSet

WORKERS, BATCH = 2, 4


def share(samples, records: int, rank: int, ranks: int, batch: int):
    """Every n-th sample, for worker and rank; the same number for each of them, so a remainder is left out."""
    info = get_worker_info()
    mine, shares = (rank * info.num_workers + info.id, ranks * info.num_workers) if info else (rank, ranks)
    yield from islice(samples, mine, records // (shares * batch) * batch * shares, shares)


def webdataset_pairs(shards: list[str], records: int, rank: int, ranks: int, batch: int):
    """Batches of one rank. Every worker reads all shards and keeps its share of the records, so any number of shards does."""
    import webdataset as wds
    pairs = wds.WebDataset(shards, nodesplitter=None, workersplitter=None, shardshuffle=False)
    mine = pairs.compose(partial(share, records=records, rank=rank, ranks=ranks, batch=batch))
    return mine.shuffle(1000).decode("torchrgb").batched(batch, partial=False, collation_fn=list)


def datasets_pairs(folder: Path, records: int, rank: int, ranks: int, batch: int):
    """Batches of one rank, map-style: the number of shards does not matter."""
    from datasets import load_dataset
    from torch.utils.data.distributed import DistributedSampler
    pairs = load_dataset(str(folder), split="train")
    sampler = DistributedSampler(pairs, num_replicas=ranks, rank=rank, drop_last=True)
    return DataLoader(pairs, batch_size=batch, sampler=sampler, num_workers=WORKERS, drop_last=True, collate_fn=list)


def epoch(rank: int, ranks: int, rendezvous: str, loader: str, folder: Path, records: int, found: str) -> None:
    """Reads one epoch on one rank and writes the keys of its steps."""
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=ranks, timeout=datetime.timedelta(seconds=60))
    if loader == "webdataset":
        pairs = webdataset_pairs(DataSet(folder, folder).shards(), records, rank, ranks, BATCH)
        batches = DataLoader(pairs, batch_size=None, num_workers=WORKERS)
    else:
        batches = datasets_pairs(folder, records, rank, ranks, BATCH)
    steps = []
    for batch in batches:
        dist.all_reduce(torch.ones(1))
        steps.append([sample["__key__"] for sample in batch])
    dist.barrier()
    Path(f"{found}.{rank}").write_text(json.dumps(steps))
    dist.destroy_process_group()


def check(loader: str, folder: Path, ranks: int) -> str:
    """One epoch of all ranks; says what it read, or fails."""
    manifest = json.loads((folder / "dataset.json").read_bytes())
    records = manifest["totals"]["records"]
    with tempfile.TemporaryDirectory() as scratch:
        found = f"{scratch}/keys"
        arguments = (ranks, f"{scratch}/rendezvous", loader, folder, records, found)
        torch.multiprocessing.start_processes(epoch, arguments, ranks, start_method="fork")
        steps = [json.loads(Path(f"{found}.{rank}").read_text()) for rank in range(ranks)]
    keys = [key for rank in steps for step in rank for key in step]
    counts = [len(rank) for rank in steps]
    if len(set(counts)) != 1 or len(keys) != len(set(keys)) or not 0 <= records - len(keys) < ranks * WORKERS * BATCH:
        sys.exit(f"{loader}, {folder.name}, {ranks} ranks: steps {counts}, {len(keys)} records of {records}, {len(set(keys))} different")
    return f"{len(steps[0])} steps on each of {ranks} ranks, {len(keys)} of {records} records, none twice"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_sets", type=Path, nargs="+")
    parser.add_argument("--ranks", default="2,3")
    options = parser.parse_args()
    for folder in options.data_sets:
        shards = len(DataSet(folder, folder).shards())
        for loader in ("webdataset", "datasets"):
            for ranks in map(int, options.ranks.split(",")):
                print(f"{loader}, {shards} shards: {check(loader, folder, ranks)}", flush=True)


if __name__ == "__main__":
    main()
