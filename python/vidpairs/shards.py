"""Reads the shards of a data set: index and members of a tar, order of the records of parts."""

from __future__ import annotations

import mmap
import stat
from array import array
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from .decode import open_zstd
from .errors import DatasetError
from .files import open_regular

BLOCK = 512


class Shard(NamedTuple):
    """A tar as the manifest describes it."""

    path: Path
    num_bytes: int
    num_records: int


class ShardIndex(NamedTuple):
    """Places in a tar, one for each record."""

    starts: array[int]
    """Offset of the first header of the record."""
    jsons: array[int]
    """Offset of the header of its json, the last member."""
    keys: list[str]


def find_shards(folder: Path, manifest: dict[str, Any]) -> list[Shard]:
    """The shards of the manifest. Raises DatasetError if a tar is missing or has another length; opens none."""
    shards = [Shard(folder / entry["file"], entry["bytes"], entry["records"]) for entry in manifest["shards"]]
    for shard in shards:
        try:
            status = shard.path.stat()
        except OSError as error:
            raise DatasetError(f"{shard.path} is missing: {error.strerror}") from error
        if not stat.S_ISREG(status.st_mode):
            raise DatasetError(f"{shard.path} is no regular file")
        if status.st_size != shard.num_bytes:
            raise DatasetError(f"{shard.path} has {status.st_size} bytes; dataset.json says {shard.num_bytes}")
    return shards


def read_index(shard: Shard) -> ShardIndex:
    """Reads the `.idx` beside a tar: DALI v1.2, where each line after the first lists the members of a record as `extension offset size name`.

    Raises DatasetError unless the members follow each other without a gap up to the end of the tar.
    """
    path = shard.path.with_suffix(".idx")
    index, line_number, end = ShardIndex(array("Q"), array("Q"), []), 1, 0
    try:
        with open_regular(path) as file:
            first, *lines = file.read().decode("ascii").split("\n")
        if first.split(" ")[0] != "v1.2" or lines.pop() != "" or not int(first.split(" ")[1]) == len(lines) == shard.num_records:
            raise ValueError(f"it starts with {first!r} and has {len(lines)} records; expected v1.2 and {shard.num_records}")
        for line_number, line in enumerate(lines, 2):
            start, key = end, ""
            words = iter(line.split(" "))
            for extension, offset, size, name in zip(words, words, words, words):
                key = key or name.partition(".")[0]
                if int(offset) != end + BLOCK or int(size) < 0 or name != f"{key}.{extension}":
                    raise ValueError(f"{extension} {offset} {size} {name} does not follow the member before it")
                json_start, end = end, end + BLOCK + -(-int(size) // BLOCK) * BLOCK
            if end == start or extension != "json":
                raise ValueError("the last member is no json")
            index.starts.append(start)
            index.jsons.append(json_start)
            index.keys.append(key)
        if end + 2 * BLOCK != shard.num_bytes:
            raise ValueError(f"its members and the two blocks after them take {end + 2 * BLOCK} bytes; the tar has {shard.num_bytes}")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, IndexError) as error:
        raise DatasetError(f"{path} line {line_number} is damaged: {error}") from error
    return index


def open_tar(shard: Shard) -> mmap.mmap:
    """Maps a tar into memory."""
    try:
        with open_regular(shard.path) as file:
            tar = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{shard.path} cannot be opened: {error}") from error
    if len(tar) != shard.num_bytes:
        raise DatasetError(f"{shard.path} has {len(tar)} bytes; dataset.json says {shard.num_bytes}")
    return tar


def member_at(tar: mmap.mmap, header: int) -> tuple[str, int, int]:
    """Name, offset and size of the member whose ustar header is at `header`. Raises ValueError if the header is damaged."""
    # tarfile.TarInfo.frombuf reads these fields too, in ten times as long.
    block = tar[header : header + BLOCK]
    checksum = block[148:156].rstrip(b" \0")
    if not checksum.isdigit() or sum(block) - sum(block[148:156]) + 8 * ord(" ") != int(checksum, 8):
        raise ValueError(f"the checksum of the header at byte {header} is wrong")
    name, offset, size = block[:100].rstrip(b"\0").decode("ascii"), header + BLOCK, int(block[124:135], 8)
    if offset + size > len(tar):
        raise ValueError(f"{name} is longer than the tar")
    return name, offset, size


def read_order(folder: Path, manifest: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Order of the records of a data set with parts: the number of the first record of each run, and its place in the order of the shards."""
    parts = manifest["parts"]
    path = folder / parts["order"]["file"]
    with open_zstd(path) as file:
        text = file.read()
    try:
        runs = [tuple(map(int, line.split(b" "))) for line in text.splitlines()]
        num_records = [part["records"] for part in parts["list"]]
        # Sorted, the runs of each part follow each other from its first record to its last.
        ends = [0] * len(num_records)
        for part, first, records in sorted(runs):
            if first != ends[part] or records < 1:
                raise ValueError(f"records of part {part} are missing or named twice")
            ends[part] += records
        if ends != num_records:
            raise ValueError(f"the parts have {num_records} records; it names {ends}")
    except (ValueError, IndexError, TypeError) as error:
        raise DatasetError(f"{path} is damaged: {error}") from error
    starts_of_parts = [0, *accumulate(num_records)]
    return [0, *accumulate(run[2] for run in runs)][:-1], [starts_of_parts[part] + first for part, first, _ in runs]
