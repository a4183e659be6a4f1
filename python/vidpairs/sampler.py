"""Chooses batches without two records of one clip, for one process or many. Needs no torch."""

from __future__ import annotations

import itertools
import os
import random
import sys
import zlib
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from typing import Any

from .dataset import PairDataset


class ClipBatchSampler:
    """Batches of record numbers, for `DataLoader(batch_sampler=...)`: records of one clip, which are near-duplicates, never share a batch.

    Every rank gets the same number of batches, and each record is used at most once in an epoch. As many full batches are made as the rule
    allows. Records of a clip that has more of them than there are batches are left out, others in each epoch (`num_left_out`).

    - `dataset`: a PairDataset, or the clip of each record, for a Subset or a ConcatDataset.
    - `batch_size`: number of records in a batch of one rank.
    - `shuffle`: whether each epoch has a random order; call `set_epoch` before each.
    - `seed`: random seed, the same on all ranks.
    - `drop_last`: whether all batches are full. Otherwise a smaller one follows if enough clips are left for all ranks.
    - `rank`, `world_size`: this process and their number; by default those of torch.distributed if it is initialized,
      or of the variables `RANK` and `WORLD_SIZE`, which torchrun sets.
    - `across_ranks`: whether the batches that all ranks use in one step share no clip either, as a loss over gathered features needs.

    Raises ValueError if there are too few clips for one full batch.
    """

    def __init__(
        self,
        dataset: PairDataset | Sequence[Hashable],
        batch_size: int,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = True,
        rank: int | None = None,
        world_size: int | None = None,
        across_ranks: bool = True,
    ) -> None:
        if (rank is None) != (world_size is None):
            raise ValueError("expected both rank and world_size, or neither")
        own_rank, own_size = _distributed() if rank is None or world_size is None else (rank, world_size)
        if batch_size < 1 or not 0 <= own_rank < own_size:
            raise ValueError(f"batch_size is {batch_size}, rank {own_rank} of {own_size}; expected at least 1, and a rank below world_size")
        self.batch_size, self.shuffle, self.seed, self.drop_last = batch_size, shuffle, seed, drop_last
        self.rank, self.world_size, self.across_ranks = own_rank, own_size, across_ranks
        self.epoch = self._position = self._resume_at = 0
        self._clips = list(dataset.clip_ordinals if isinstance(dataset, PairDataset) else dataset)
        # A unit is a set of records whose clips differ: the batches of all ranks in one step, or a single batch.
        self._unit_size = batch_size * own_size if across_ranks else batch_size
        counts = sorted(Counter(self._clips).values(), reverse=True)
        self._num_units = _num_units(counts, batch_size, own_size, across_ranks)
        if self._num_units == 0:
            raise ValueError(_why_no_batch(counts, batch_size, own_size, across_ranks))
        self._last_size = 0 if drop_last else min(batch_size, self._min_clips_left(counts) // own_size)

    def __len__(self) -> int:
        """Number of batches of this rank in a whole epoch, the same on every rank.

        It stays after `load_state_dict`, so that a learning rate that follows it does too. The resumed epoch has `position` fewer.
        """
        return self._num_full + (self._last_size > 0)

    @property
    def num_left_out(self) -> int:
        """Number of records that an epoch does not use on any rank."""
        return len(self._clips) - self._num_units * self._unit_size - self._last_size * self.world_size

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch, on every rank, before it begins. A position that was loaded for this epoch stays."""
        if epoch != self.epoch:
            self.epoch, self._position, self._resume_at = epoch, 0, 0

    def state_dict(self, position: int | None = None) -> dict[str, int]:
        """State to store in a checkpoint.

        `position` is the number of batches of this epoch that the trainer has used. Without it, it is the number that was handed out: with
        workers, DataLoader fetches batches ahead of the trainer.
        """
        position = self._position if position is None else position
        return {"epoch": self.epoch, "position": position, **self._identity()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Lets the next iteration begin at a stored position. Raises ValueError if the batches would be others."""
        for name, value in self._identity().items():
            if state.get(name) != value:
                raise ValueError(f"the state is of {name} {state.get(name)}; this sampler has {value}")
        if not 0 <= state["position"] <= len(self):
            raise ValueError(f"the state is of position {state['position']}; an epoch has {len(self)} batches")
        self.epoch, self._position, self._resume_at = state["epoch"], state["position"], state["position"]

    def __iter__(self) -> Iterator[list[int]]:
        start, self._resume_at = self._resume_at, 0
        slots, last = self._epoch()
        for step in range(start, len(self)):
            self._position = step + 1
            if step == self._num_full:
                yield last[self.rank :: self.world_size]
            elif self.across_ranks:
                yield slots[step :: self._num_units][self.rank :: self.world_size]
            else:
                yield slots[step * self.world_size + self.rank :: self._num_units]

    @property
    def _num_full(self) -> int:
        return self._num_units if self.across_ranks else self._num_units // self.world_size

    def _identity(self) -> dict[str, int]:
        names = ("batch_size", "shuffle", "seed", "drop_last", "world_size", "across_ranks")
        settings = {name: int(getattr(self, name)) for name in names}
        return {"num_records": len(self._clips), **settings, "clips_crc32": self._clips_crc32}

    @cached_property
    def _clips_crc32(self) -> int:
        """CRC-32 of which records share a clip."""
        ordinals: dict[Hashable, int] = {}
        return zlib.crc32(" ".join(str(ordinals.setdefault(clip, len(ordinals))) for clip in self._clips).encode())

    def _epoch(self) -> tuple[list[int], list[int]]:
        """The records of all units, that of slot s in unit `s % num_units`, and those of the last batch of all ranks."""
        records, rng = list(range(len(self._clips))), random.Random(f"{self.seed} {self.epoch}")
        if self.shuffle:
            rng.shuffle(records)
        of_clips: dict[Hashable, list[int]] = {}
        for record in records:
            of_clips.setdefault(self._clips[record], []).append(record)
        clips = list(of_clips.values())
        if self.shuffle:
            rng.shuffle(clips)
        # McNaughton's wrap-around rule: laid out clip after clip, the records of a clip, at most one for each unit, have different units.
        slots = [record for own in clips for record in own[: self._num_units]]
        num_slots = self._num_units * self._unit_size
        last: list[int] = []
        if self._last_size:
            left = slots[num_slots:] + [record for own in clips for record in own[self._num_units :]]
            last = list({self._clips[record]: record for record in left}.values())[: self._last_size * self.world_size]
        del slots[num_slots:]
        if self.shuffle:
            self._mix(slots, rng)
        return slots, last

    def _mix(self, slots: list[int], rng: random.Random) -> None:
        """Swaps records of random units wherever the rule allows. The layout alone would put the same clips together again and again."""
        clips, num_units, num_slots = self._clips, self._num_units, len(slots)
        units = [{clips[record] for record in slots[unit::num_units]} for unit in range(num_units)]
        for slot in range(num_slots):
            other = int(rng.random() * num_slots)
            clip, other_clip = clips[slots[slot]], clips[slots[other]]
            unit, other_unit = units[slot % num_units], units[other % num_units]
            if other_clip not in unit and clip not in other_unit:
                slots[slot], slots[other] = slots[other], slots[slot]
                unit.remove(clip)
                unit.add(other_clip)
                other_unit.remove(other_clip)
                other_unit.add(clip)

    def _min_clips_left(self, counts: list[int]) -> int:
        """Least number of clips that have records left after the full units, for any order of the clips. `counts` is descending."""
        capped = [min(count, self._num_units) for count in counts]
        left, num_clips = sum(capped) - self._num_units * self._unit_size, 0
        while left > 0:
            left -= capped[num_clips]
            num_clips += 1
        return max(num_clips, sum(count > self._num_units for count in counts))


def _most_units(counts: Sequence[int], unit_size: int) -> int:
    """Most units of `unit_size` records that clips with `counts` records can fill, when a unit takes at most one of each clip."""
    low, high = 0, sum(counts) // unit_size
    while low < high:
        middle = (low + high + 1) // 2
        is_filled = sum(min(count, middle) for count in counts) >= middle * unit_size
        low, high = (middle, high) if is_filled else (low, middle - 1)
    return low


def _num_units(counts: Sequence[int], batch_size: int, world_size: int, across_ranks: bool) -> int:
    """Number of units in an epoch; as many for each rank where a unit is a batch."""
    if across_ranks:
        return _most_units(counts, batch_size * world_size)
    units = _most_units(counts, batch_size)
    return units - units % world_size


def _why_no_batch(counts: Sequence[int], batch_size: int, world_size: int, across_ranks: bool) -> str:
    """The reason and, if there are records, what would help."""
    reason = f"{sum(counts)} records of {len(counts)} clips do not fill a batch of {batch_size}"
    if not counts:
        return reason
    sizes = (size for size in range(batch_size - 1, 0, -1) if _num_units(counts, size, world_size, across_ranks))
    remedies = [f"batch_size={size}" for size in itertools.islice(sizes, 1)]
    if across_ranks and _num_units(counts, batch_size, world_size, False):
        remedies.append("across_ranks=False")
    ranks = f" on each of {world_size} ranks" if world_size > 1 else ""
    return f"{reason}{ranks} without two records of one clip; choose {' or '.join(remedies) or 'fewer ranks'}"


def _distributed() -> tuple[int, int]:
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
