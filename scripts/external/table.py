#!/usr/bin/env python3
"""Reads every record of data sets with every loader, compares it with tarfile's, and prints a table.

usage: table.py [--loaders NAME,NAME...] EXPORTS DATA_SET...

DATA_SET is a folder that `vidpairs extract` wrote; EXPORTS/NAME/FORMAT is what `vidpairs export` made of the data set called NAME. Each
loader is a file read_LOADER.py here, with

    members(data)   yields the key and the stored members of each record; json may come parsed, and rgb.zst expanded
    images(data)    yields the json and the decoded images of each record: the code that a person copies, whose lines are counted

and runs in a process of its own, with a limit of time. `bytes` is "yes" if every member of every record has the bytes of the tar;
"values" if the loader hands out json parsed or rgb.zst expanded, and these are equal. samples/s is the best of three passes of images(),
starts of workers included. The exit code is 1 if a loader fails.
"""
from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from PIL import Image
from common import DataSet, Members, as_dict, rgb, truth

LIGHT = ["tarfile", "vidpairs", "webdataset", "datasets"]
HEAVY = ["torch", "ray", "dali", "streaming", "litdata", "energon", "folder"]
LIMIT_SECONDS = 300
PASSES = 3


def equal(name: str, found: Any, stored: bytes) -> str:
    """"yes" for the member's bytes, "values" for what it holds; "" for anything else."""
    if isinstance(found, dict):
        return "values" if found == json.loads(stored) else ""
    if bytes(found) == stored:
        return "yes"
    return "values" if name.endswith("zst") and zstandard.ZstdDecompressor().decompress(stored) == bytes(found) else ""


def compare(loader: Any, data: DataSet, wanted: dict[str, Members]) -> str:
    """Whether every record is there, as often as every other, with its members."""
    counts, verdict = dict.fromkeys(wanted, 0), "yes"
    for key, found in loader.members(data):
        counts[key] += 1
        if found.keys() != wanted[key].keys():
            raise AssertionError(f"{key} has {sorted(found)}; expected {sorted(wanted[key])}")
        for name, value in found.items():
            verdict = {"yes": verdict, "values": "values", "": ""}[equal(name, value, wanted[key][name])]
            if not verdict:
                raise AssertionError(f"{key}.{name} is not what the tar holds")
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise AssertionError(f"records are read {sorted(set(counts.values()))} times")
    return verdict


def pixels(image: Any) -> np.ndarray:
    """An image of any loader as height x width x 3."""
    array = np.asarray(image)
    array = array.transpose(1, 2, 0) if array.shape[0] == 3 and array.shape[2] != 3 else array
    return (array * 255).round() if array.dtype.kind == "f" else array


def compare_images(loader: Any, data: DataSet, wanted: dict[str, Members]) -> None:
    """Fails if a record is missing or comes twice, or if an image is not that of Pillow.

    The same pixels for rgb-zstd, and within 3 levels on average for JPEG, whose decoders round differently.
    """
    counts = dict.fromkeys(wanted, 0)
    for meta, images in loader.images(data):
        counts[meta["key"]] += 1
        stored = {name.split(".")[0]: (name, member) for name, member in wanted[meta["key"]].items() if name != "json"}
        if len(images) != len(stored):
            raise AssertionError(f"{meta['key']} has {len(images)} images; expected {len(stored)}")
        for name, image in images.items():
            file, member = stored[name.split(".")[0]]
            expected = rgb(member, meta, file) if file.endswith("zst") else np.asarray(decode(member))
            difference = np.abs(pixels(image).astype(np.float32) - expected)
            if difference.mean() > (0 if file.endswith("zst") else 3):
                raise AssertionError(f"{meta['key']}.{name} differs by {difference.mean():.2f} levels on average")
    if set(counts.values()) != {1}:
        raise AssertionError(f"images() reads records {sorted(set(counts.values()))} times")


def decode(member: bytes) -> Image.Image:
    import io
    return Image.open(io.BytesIO(member)).convert("RGB")


def samples_per_second(loader: Any, data: DataSet) -> float:
    """Records a second, decoded, in the best of PASSES passes."""
    best = 0.0
    for _ in range(PASSES):
        started = time.perf_counter()
        records = sum(1 for _ in loader.images(data))
        best = max(best, records / (time.perf_counter() - started))
    return best


def user_lines(loader: Any) -> int:
    """Lines of images() without its head and blank lines."""
    return sum(1 for line in inspect.getsource(loader.images).splitlines()[1:] if line.strip())


def run_one(name: str, data: DataSet) -> dict[str, Any]:
    """Row of the table of one loader and one data set."""
    loader = importlib.import_module(f"read_{name}")
    wanted = truth(data)
    for extension, answer in getattr(loader, "NOT_FOR", {}).items():
        if any(member.endswith(extension) for member in next(iter(wanted.values()))):
            return {"records": 0, "bytes": answer}
    verdict = compare(loader, data, wanted)
    compare_images(loader, data, wanted)
    return {"records": len(wanted), "bytes": verdict, "rate": round(samples_per_second(loader, data)), "lines": user_lines(loader)}


def run_child(name: str, data: DataSet) -> dict[str, Any]:
    """run_one in a process of its own; an error becomes a row."""
    command = [sys.executable, "-B", __file__, "--one", name, str(data.exports), str(data.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as child:
        try:
            out, errors = child.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            return {"error": f"no end after {LIMIT_SECONDS} s"}
    if child.returncode != 0:
        return {"error": (errors.strip().splitlines() or [f"exit code {child.returncode}"])[-1]}
    return json.loads(out.strip().splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loaders", default=",".join(LIGHT), help="names, light or heavy: " + ", ".join(LIGHT + HEAVY))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("exports", type=Path)
    parser.add_argument("data_sets", type=Path, nargs="+")
    options = parser.parse_args()
    if options.one:
        # Loaders print to stdout what is for people.
        with contextlib.redirect_stdout(sys.stderr):
            row = run_one(options.one, DataSet(options.data_sets[0], options.exports))
        print(json.dumps(row))
        return 0
    failed = False
    print("| loader | shards | records | bytes equal | samples/s | lines |\n|---|---|---:|---|---:|---:|", flush=True)
    for folder in options.data_sets:
        for name in options.loaders.split(","):
            row = run_child(name, DataSet(folder, options.exports / folder.name))
            failed |= "error" in row
            shown = [row.get("records", ""), row.get("bytes", "FAILED: " + row.get("error", "")), row.get("rate", ""), row.get("lines", "")]
            print(f"| {name} | {folder.name} | {' | '.join(map(str, shown))} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
