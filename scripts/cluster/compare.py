#!/usr/bin/env python3
"""Compares two data sets record by record: every byte of all members, the order of the records, tracklets and refusals.

usage: compare.py ONE OTHER

Each is a data set of one machine or one that was merged from parts. Prints one line, and exits with 1 at the first difference. Needs Python
3.9 and the program zstd. It reads the format as docs/SHARDS.md describes it and shares no code with vidpairs.
"""
import hashlib
import itertools
import json
import subprocess
import sys
import tarfile
from pathlib import Path


def lines_of_zstd(path):
    return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout.splitlines()


class Dataset:
    """Records as (key, [(name, sha256) of each member]), in the order of one machine."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.manifest = json.loads((self.folder / "dataset.json").read_bytes())
        stored = [record for shard in self.manifest["shards"] for record in self.shard(shard["file"])]
        self.parts = self.manifest.get("parts")
        if self.parts is None:
            self.records, folders = stored, [self.folder]
        else:
            parts = self.parts["list"]
            folders = [self.folder / part["folder"] for part in parts]
            starts = list(itertools.accumulate((part["records"] for part in parts), initial=0))
            self.records = []
            for run in lines_of_zstd(self.folder / self.parts["order"]["file"]):
                part, first, num = map(int, run.split())
                start = starts[part] + first
                self.records += stored[start:start + num]
        self.tracklets = sorted(line for folder in folders if (folder / "tracks.jsonl.zst").exists()
                                for line in lines_of_zstd(folder / "tracks.jsonl.zst"))
        self.refusals = (self.folder / "refused.jsonl").read_bytes().splitlines()
        keys = [key for key, _ in stored]
        if len(set(keys)) != len(keys):
            sys.exit(f"DIFFERENT: {folder} has a record twice")
        if len(self.records) != len(stored) or len(stored) != self.manifest["totals"]["records"]:
            sys.exit(f"DIFFERENT: {folder} stores {len(stored)} records, states {self.manifest['totals']['records']} and orders "
                     f"{len(self.records)}")

    def shard(self, file):
        with tarfile.open(self.folder / file) as tar:
            members = [(info.name, hashlib.sha256(tar.extractfile(info).read()).hexdigest()) for info in tar]
        return [(key, list(group)) for key, group in itertools.groupby(members, lambda member: member[0].split(".")[0])]


def compare(one, other):
    for what, left, right in [("record", one.records, other.records), ("tracklet", one.tracklets, other.tracklets),
                              ("refusal", one.refusals, other.refusals)]:
        for number, (a, b) in enumerate(itertools.zip_longest(left, right)):
            if a != b:
                sys.exit(f"DIFFERENT: {what} {number}: {a} in {one.folder}, {b} in {other.folder}")
    for count in ("clips", "refused", "skipped", "partial", "records"):
        a, b = one.manifest["totals"][count], other.manifest["totals"][count]
        if a != b:
            sys.exit(f"DIFFERENT: {count}: {a} in {one.folder}, {b} in {other.folder}")


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: compare.py ONE OTHER")
    one, other = map(Dataset, sys.argv[1:])
    if not one.records:
        sys.exit(f"DIFFERENT: {one.folder} has no records, so that nothing can be compared")
    compare(one, other)
    print(f"same: {len(one.records):,} records, {len(one.tracklets):,} tracklets and {len(one.refusals):,} refusals of "
          f"{one.manifest['totals']['clips']:,} clips")


if __name__ == "__main__":
    main()
