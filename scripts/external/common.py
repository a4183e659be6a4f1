"""Shared by the programs of this folder: the truth by tarfile, exports, and images of the codec rgb-zstd."""
from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zstandard

Members = dict[str, Any]


class DataSet(NamedTuple):
    """A data set of pairs: the folder that `vidpairs extract` wrote, and what `vidpairs export` made of it, by format."""

    folder: Path
    exports: Path

    def shards(self) -> list[str]:
        """Every tar, in order, also of a data set that was merged from parts."""
        return sorted(map(str, [*self.folder.glob("pairs-*.tar"), *self.folder.glob("part-*/pairs-*.tar")]))

    def export(self, name: str) -> str:
        """Folder of the export in a format, such as `mds`."""
        return str(self.exports / name)


def truth(data: DataSet) -> dict[str, Members]:
    """Bytes of every member by key and name, such as `anchor.jpg`, read by Python's tarfile."""
    records: dict[str, Members] = {}
    for shard in data.shards():
        with tarfile.open(shard) as tar:
            for info in tar:
                key, name = info.name.split(".", 1)
                records.setdefault(key, {})[name] = tar.extractfile(info).read()
    return records


def truth_names(data: DataSet) -> list[str]:
    """Names of the members of the first record, which are those of every record."""
    with tarfile.open(data.shards()[0]) as tar:
        first = next(iter(tar)).name.split(".", 1)[0]
        return [info.name.split(".", 1)[1] for info in tar if info.name.startswith(first + ".")]


def rgb(pixels: bytes, meta: Members, name: str) -> np.ndarray:
    """Image of a member `ROLE.rgb.zst`, height x width x 3, from its bytes, compressed or already expanded."""
    width, height = meta[name.split(".", 1)[0]]["image_size"]
    if len(pixels) != height * width * 3 or pixels[:4] == zstandard.FRAME_HEADER:
        pixels = zstandard.ZstdDecompressor().decompress(pixels)
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def as_dict(stored: Any) -> Members:
    """Metadata of a record, from its text or as the loader parsed it."""
    return stored if isinstance(stored, dict) else json.loads(stored)


def by_key(samples: Iterator[Any]) -> Iterator[tuple[str, Members]]:
    """Samples that have their key in `__key__` beside the members, without the folder that some loaders put in front of it."""
    for sample in samples:
        names = [name for name in sample if name == "json" or name.endswith((".jpg", ".zst"))]
        yield sample["__key__"].rsplit("/", 1)[-1], {name: sample[name] for name in names}
