#!/usr/bin/env python3
"""Shows what PairDataset, webdataset and Hugging Face datasets do with damaged and unusual data sets, and prints a table.

usage: bad_input.py DATA_SET ONE_RECORD SCRATCH

DATA_SET has two shards or more of kind frames, ONE_RECORD has one record. Copies of DATA_SET below the new folder SCRATCH are damaged. An outcome
is "all" for every record with its bytes, "error", "lost" for fewer records without an error, or "wrong bytes" for a changed image without
an error. The exit code is 1 if an outcome is not the one of INPUTS, which docs/EXTERNAL.md states. With PyTorch, the same loaders also run
in DataLoader with more workers than records.
"""
from __future__ import annotations

import importlib.util
import io
import json
import shutil
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common import DataSet, truth

LOADERS = ("PairDataset", "webdataset", "datasets", "datasets, streaming")
Samples = Iterator[dict[str, Any]]


def write_schema_1(shard: Path) -> None:
    """All shards of the folder as vidpairs 0.1 wrote them: no card, and null for a label, which the last shard alone has."""
    (shard.parent / "README.md").unlink()
    manifest = json.loads((shard.parent / "dataset.json").read_bytes())
    for entry in manifest["shards"]:
        path = shard.parent / entry["file"]
        lines, label = [f"v1.2 {entry['records']}"], "cat" if entry is manifest["shards"][-1] else None
        with tarfile.open(path) as tar:
            members = [(info.name, tar.extractfile(info).read()) for info in tar]
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT, bufsize=512) as tar:
            for name, member in members:
                key, extension = name.split(".", 1)
                member = json_of_schema_1(member, label) if extension == "json" else member
                if extension == "anchor.jpg":
                    lines.append("")
                lines[-1] += f" {extension} {tar.offset + 512} {len(member)} {name}"
                info = tarfile.TarInfo(name)
                info.size = len(member)
                tar.addfile(info, io.BytesIO(member))
            end = tar.offset + 1024
        cut(path, end)
        path.with_suffix(".idx").write_text("\n".join(line.strip() for line in lines) + "\n")
        entry["bytes"] = end
    (shard.parent / "dataset.json").write_text(json.dumps(manifest))


def json_of_schema_1(stored: bytes, label: str | None) -> bytes:
    meta = json.loads(stored)
    views = {
        view: {name: meta[view][name] for name in ("frame", "pts_seconds", "frame_size", "image_size", "crc32")} | {"box_xywh": None}
        for view in ("anchor", "positive")
    }
    head = {name: meta[name] for name in ("key", "clip", "source", "kind", "k")} | views | {"schema": 1, "label": label}
    text = json.dumps(head).encode()[:-1]
    return text + b',"json_crc32":%d}' % zlib.crc32(text)


def positive_of(shard: Path) -> tarfile.TarInfo:
    """The positive of a record in the middle of a shard."""
    with tarfile.open(shard) as tar:
        positives = [info for info in tar if info.name.endswith(".positive.jpg")]
    return positives[len(positives) // 2]


def cut(shard: Path, num_bytes: int) -> None:
    with shard.open("r+b") as file:
        file.truncate(num_bytes)


def flip(shard: Path, offset: int) -> None:
    with shard.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


INPUTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "a shard missing": (Path.unlink, ("error", "lost", "lost", "lost")),
    "a shard cut within a member": (lambda shard: cut(shard, positive_of(shard).offset_data + 100), ("error",) * 4),
    "a shard cut between members": (lambda shard: cut(shard, positive_of(shard).offset), ("error", "lost", "lost", "lost")),
    "a flipped byte in a header": (lambda shard: flip(shard, positive_of(shard).offset), ("error", "lost", "lost", "lost")),
    "a flipped byte in an image": (lambda shard: flip(shard, positive_of(shard).offset_data + 100), ("error",) + ("wrong bytes",) * 3),
    "schema 1, a label that is null at first": (write_schema_1, ("all", "all", "error", "all")),
}
"""What is done to a shard, and the outcome for each of LOADERS."""


def samples(loader: str, data: DataSet) -> Any:
    """The data set as a loader opens it: an iterable of records with bytes for images."""
    if loader == "PairDataset":
        from vidpairs import PairDataset
        return PairDataset(data.folder, check=True)
    if loader == "webdataset":
        import webdataset as wds
        return wds.WebDataset(data.shards(), shardshuffle=False)
    import datasets
    shards = str(data.folder / "pairs-*.tar")
    pairs = datasets.load_dataset("webdataset", data_files=shards, split="train", streaming=loader.endswith("streaming"))
    for name, feature in pairs.features.items() if pairs.features else ():
        if isinstance(feature, datasets.Image):
            pairs = pairs.cast_column(name, datasets.Image(decode=False))
    return pairs


def anchors_and_positives(records: Samples) -> dict[str, tuple[bytes, bytes]]:
    """Both images of each record by its key."""
    found = {}
    for record in records:
        key = record.get("key") or record["__key__"].rsplit("/", 1)[-1]
        views = (record.get(view, record.get(f"{view}.jpg")) for view in ("anchor", "positive"))
        found[key] = tuple(view["bytes"] if isinstance(view, dict) else view for view in views)
    return found


def outcome(wanted: dict[str, tuple[bytes, bytes]], read: Callable[[], Samples]) -> tuple[str, str]:
    """Outcome, and the text of an error."""
    try:
        found = anchors_and_positives(read())
    except Exception as error:  # Loaders raise what they like.
        return "error", f"{type(error).__name__}: {error}"
    if {key for key, views in found.items() if None not in views} != wanted.keys():
        return "lost", ""
    return "all" if found == wanted else "wrong bytes", ""


def with_workers(records: Any) -> Samples:
    from torch.utils.data import DataLoader
    for batch in DataLoader(records, batch_size=4, num_workers=3, collate_fn=list):
        yield from batch


def check(name: str, folder: Path, wanted: dict[str, tuple[bytes, bytes]], expected: tuple[str, ...], use: Callable[[Any], Samples] = iter) -> bool:
    """Prints the row of an input. Returns whether its outcomes are the expected ones."""
    found = [outcome(wanted, lambda loader=loader: use(samples(loader, DataSet(folder, folder)))) for loader in LOADERS]
    print(f"| {name} | {' | '.join(word for word, _ in found)} |", flush=True)
    for loader, (word, reason), right in zip(LOADERS, found, expected):
        if word != right:
            print(f"{name}, {loader}: {word} {reason}; expected {right}", file=sys.stderr)
    return tuple(word for word, _ in found) == expected


def main() -> int:
    folder, one, scratch = map(Path, sys.argv[1:])
    records, record = (
        {key: (members["anchor.jpg"], members["positive.jpg"]) for key, members in truth(DataSet(place, place)).items()} for place in (folder, one)
    )
    print(f"| input | {' | '.join(LOADERS)} |\n|---|{'---|' * len(LOADERS)}", flush=True)
    as_expected = []
    for name, (damage, expected) in INPUTS.items():
        damaged = scratch / name
        shutil.copytree(folder, damaged)
        damage(damaged / "pairs-000001.tar")
        as_expected.append(check(name, damaged, records, expected))
    as_expected.append(check("one record", one, record, ("all",) * 4))
    if importlib.util.find_spec("torch"):
        as_expected.append(check("one record, three workers", one, record, ("all", "error", "all", "all"), with_workers))
    return int(not all(as_expected))


if __name__ == "__main__":
    sys.exit(main())
