"""Reads the records of a data set by their numbers."""

from __future__ import annotations

import json
import mmap
import operator
import os
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any, Callable

from .decode import Decoder, find_decoder, open_zstd
from .errors import DatasetError
from .manifest import read_manifest
from .meta import VIEWS, uniform_meta
from .shards import ShardIndex, find_shards, member_at, open_tar, read_index, read_order

_MAX_OPEN_TARS = 128  # A map holds a file descriptor, of which a process may have 1,024 by default.


class PairDataset(Sequence[Any]):
    """The records of a folder that `vidpairs extract` wrote, in the order of one machine, also if it was merged from parts.

    `dataset[i]` is a dict: `key` (str), `meta` (the json in the form of `meta.uniform_meta`), and the members by the names of their views:
    `anchor`, and if stored `positive`, `anchor_frame`, `positive_frame`. Members are bytes (JPEG or zstd) unless `decode` is given.

    Reads are random access: a shard is mapped into memory at its first use, and any number of processes may share it. The data set can be
    pickled and forked, so it works in DataLoader with every start method, with DistributedSampler and other samplers.

    - `folder`: the folder with dataset.json.
    - `decode`: "pil" for RGB images of Pillow, "torch" for uint8 tensors 3 x H x W by torchvision, a function
      `(data: bytes, extension: str, (width, height)) -> image`, or None for bytes.
    - `roles`: views to read, such as `("anchor", "positive")`; all by default.
    - `check`: whether to compare the CRC-32 of every member and of the json.
    - `transform`: function that is applied to each record; what it returns is `dataset[i]`.

    Raises DatasetError if the folder holds no finished data set, if a tar is missing or has another length, and for a record that is damaged;
    ValueError for a `decode` or `roles` that does not exist.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        decode: None | str | Decoder = None,
        roles: Collection[str] = VIEWS,
        check: bool = False,
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        if isinstance(roles, str):
            raise ValueError(f"roles is {roles!r}; expected several names, such as ({roles!r},)")
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self.decode, self.roles, self.check, self.transform = find_decoder(decode), tuple(roles), check, transform
        if unknown := set(self.roles) - set(VIEWS):
            raise ValueError(f"roles has {sorted(unknown)}; expected some of {VIEWS}")
        self._shards = find_shards(self.folder, self.manifest)
        self._first_records = [0, *accumulate(shard.num_records for shard in self._shards)]
        self._order = read_order(self.folder, self.manifest) if self.manifest.get("parts") else None
        self._places: list[tuple[array[int], array[int]] | None] = [None] * len(self._shards)
        self._forget()

    def _forget(self) -> None:
        self._tars: dict[int, mmap.mmap] = {}
        self._keys: list[str] | None = None
        self._numbers: dict[str, int] | None = None
        self._clips_and_labels: tuple[list[str], list[str]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Settings and places of records, without what a worker reads again when it needs it."""
        return {**self.__dict__, "_tars": None, "_keys": None, "_numbers": None, "_clips_and_labels": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def __len__(self) -> int:
        return self._first_records[-1]

    def __repr__(self) -> str:
        return f"PairDataset({str(self.folder)!r}): {len(self)} records in {len(self._shards)} shards"

    def __getitem__(self, number: Any) -> Any:
        """A record by its number; a negative number counts from the end. A list of records for a slice."""
        if isinstance(number, slice):
            return [self[index] for index in range(*number.indices(len(self)))]
        shard, record = self._locate(number)
        found = self._read(shard, record)
        return found if self.transform is None else self.transform(found)

    def meta(self, number: int) -> dict[str, Any]:
        """The json of a record, in the form of `meta.uniform_meta`. Reads no image."""
        shard, record = self._locate(number)
        with self._named(shard, record):
            _, offset, size = member_at(self._tar(shard), self._place(shard, record)[1])
            return uniform_meta(json.loads(self._tar(shard)[offset : offset + size]))

    @property
    def keys(self) -> list[str]:
        """Key of each record. Reads the indexes only."""
        if self._keys is None:
            keys = [key for shard in range(len(self._shards)) for key in self._read_index(shard).keys]
            if self._order is not None:
                starts, stored = self._order
                ends = [*starts[1:], len(self)]
                keys = [key for start, end, first in zip(starts, ends, stored) for key in keys[first : first + end - start]]
            self._keys = keys
        return self._keys

    @property
    def clip_ordinals(self) -> list[int]:
        """Ordinal of the clip of each record in the source. Reads the indexes only."""
        return [int(key.partition("-")[0]) for key in self.keys]

    @property
    def clips(self) -> list[str]:
        """Id of the clip of each record. The first use of `clips` or `labels` reads the json of every record, and no image."""
        return self._read_clips_and_labels()[0]

    @property
    def labels(self) -> list[str]:
        """Label of each record, "" for none. The first use of `clips` or `labels` reads the json of every record, and no image."""
        return self._read_clips_and_labels()[1]

    def number_of(self, key: str) -> int:
        """Number of the record with this key. Raises KeyError if there is none."""
        if self._numbers is None:
            self._numbers = {key: number for number, key in enumerate(self.keys)}
        return self._numbers[key]

    def tracklets(self) -> Iterator[dict[str, Any]]:
        """Every tracklet, trusted or rejected, part after part: the lines of `tracks.jsonl.zst`. None but in kind `regions`."""
        parts = self.manifest["parts"]["list"] if self.manifest.get("parts") else [self.manifest]
        for tracks in filter(None, (part.get("tracks") for part in parts)):
            path, found = self.folder / tracks["file"], 0
            with open_zstd(path) as file:
                for found, line in enumerate(file, 1):
                    if not line.endswith(b"\n"):
                        raise DatasetError(f"{path} is cut: it ends within line {found}; dataset.json says {tracks['tracklets']} tracklets")
                    try:
                        tracklet = json.loads(line)
                    except (ValueError, RecursionError) as error:
                        raise DatasetError(f"{path} line {found} is damaged: {error}") from error
                    yield tracklet
            if found != tracks["tracklets"]:
                raise DatasetError(f"{path} has {found} tracklets; dataset.json says {tracks['tracklets']}")

    def _locate(self, number: int) -> tuple[int, int]:
        """Shard of a record, and its ordinal in the shard."""
        number = operator.index(number)
        stored = number + len(self) if number < 0 else number
        if not 0 <= stored < len(self):
            raise IndexError(f"record {number} of {len(self)}: {self.folder}")
        if self._order is not None:
            starts, firsts = self._order
            run = bisect_right(starts, stored) - 1
            stored += firsts[run] - starts[run]
        shard = bisect_right(self._first_records, stored) - 1
        return shard, stored - self._first_records[shard]

    def _read_index(self, shard: int) -> ShardIndex:
        index = read_index(self._shards[shard])
        self._places[shard] = index.starts, index.jsons
        return index

    def _place(self, shard: int, record: int) -> tuple[int, int]:
        """Offsets of the first header of a record and of the header of its json."""
        places = self._places[shard]
        if places is None:
            self._read_index(shard)
            places = self._places[shard]
            assert places is not None
        return places[0][record], places[1][record]

    def _tar(self, shard: int) -> mmap.mmap:
        tar = self._tars.get(shard)
        if tar is None:
            tar = self._tars[shard] = open_tar(self._shards[shard])
            # The oldest are dropped, and not closed, since another thread may still read them.
            for oldest in list(self._tars)[:-_MAX_OPEN_TARS]:
                self._tars.pop(oldest, None)
        return tar

    @contextmanager
    def _named(self, shard: int, record: int) -> Iterator[None]:
        """Puts the tar and the record into the errors of a block that reads the record."""
        try:
            yield
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            reason = f"its json has no {error}" if isinstance(error, KeyError) else str(error)
            raise DatasetError(f"{self._shards[shard].path} record {record}: {reason}") from error

    def _read_clips_and_labels(self) -> tuple[list[str], list[str]]:
        if self._clips_and_labels is None:
            names: dict[str, str] = {}
            clips, labels = [], []
            for number in range(len(self)):
                meta = self.meta(number)
                # Each name is kept once, not once for each record.
                clips.append(names.setdefault(meta["clip"], meta["clip"]))
                labels.append(names.setdefault(meta["label"], meta["label"]))
            self._clips_and_labels = clips, labels
        return self._clips_and_labels

    def _read(self, shard: int, record: int) -> dict[str, Any]:
        tar = self._tar(shard)
        header, json_header = self._place(shard, record)
        with self._named(shard, record):
            name, offset, size = member_at(tar, json_header)
            text, key = tar[offset : offset + size], name.partition(".")[0]
            meta = uniform_meta(json.loads(text))
            if self.check:
                _check_json(text)
            if meta["key"] != key or name != f"{key}.json":
                raise ValueError(f"the member {name} describes {meta['key']}")
            found: dict[str, Any] = {"key": key, "meta": meta}
            stored = []
            while header < json_header:
                name, offset, size = member_at(tar, header)
                role, _, extension = name[len(key) + 1 :].partition(".")
                if name != f"{key}.{role}.{extension}":
                    raise ValueError(f"the member {name} has another key than {key}")
                header = offset + -(-size // 512) * 512
                stored.append(role)
                if role in self.roles or self.check:
                    data = tar[offset : offset + size]
                    if self.check and zlib.crc32(data) != meta[role]["crc32"]:
                        raise ValueError(f"the bytes of {name} have another CRC-32 than its json says")
                    if role in self.roles:
                        found[role] = data if self.decode is None else self._decoded(data, name, extension, meta[role]["image_size"])
            if header != json_header or stored != [view for view in VIEWS if meta[view]["is_stored"]]:
                raise ValueError(f"it has the members {stored}, which its json does not describe")
        return found

    def _decoded(self, data: bytes, name: str, extension: str, size: Sequence[int]) -> Any:
        assert self.decode is not None
        try:
            return self.decode(data, extension, (size[0], size[1]))
        except ImportError:
            raise
        except Exception as error:
            raise ValueError(f"{name} cannot be decoded: {error}") from error


def _check_json(text: bytes) -> None:
    head, _, crc32 = text.rpartition(b',"json_crc32":')
    if not head or zlib.crc32(head) != int(crc32.rstrip(b"}\n")):
        raise ValueError("the json has another CRC-32 than it says")
