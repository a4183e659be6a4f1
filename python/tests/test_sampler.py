"""Tests of ClipBatchSampler on clips of many sizes."""

from __future__ import annotations

import json
import os
import random
import unittest
from collections import Counter
from collections.abc import Hashable, Sequence
from unittest import mock

from datasets import FolderTest, record, write_dataset

from vidpairs import ClipBatchSampler, PairDataset


def clips_with(counts: Sequence[int]) -> list[str]:
    clips = [f"clip {clip}" for clip, count in enumerate(counts) for _ in range(count)]
    random.Random(0).shuffle(clips)
    return clips


def on_all_ranks(clips: Sequence[Hashable], batch_size: int, world_size: int, epoch: int = 0, **settings: bool) -> list[list[list[int]]]:
    """Batches of an epoch, those of every rank for each step."""
    samplers = [ClipBatchSampler(clips, batch_size, rank=rank, world_size=world_size, **settings) for rank in range(world_size)]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    batches = [list(sampler) for sampler in samplers]
    assert len({len(sampler) for sampler in samplers} | {len(own) for own in batches}) == 1
    used = sum(len(batch) for own in batches for batch in own)
    assert samplers[0].num_left_out == len(clips) - used
    return [list(step) for step in zip(*batches)]


class Batches(unittest.TestCase):
    def test_no_batch_has_two_records_of_a_clip_and_no_record_is_used_twice(self) -> None:
        rng = random.Random(2)
        num_tried = 0
        for _ in range(300):
            clips = clips_with([rng.choice((1, 2, 3, 9, 40)) for _ in range(rng.randrange(4, 40))])
            batch_size, world_size, epoch = rng.randrange(1, 6), rng.randrange(1, 5), rng.randrange(3)
            settings = {name: rng.random() < 0.5 for name in ("shuffle", "drop_last", "across_ranks")}
            if len(set(clips)) < batch_size * world_size:
                continue
            num_tried += 1
            with self.subTest(clips=len(clips), batch_size=batch_size, world_size=world_size, **settings):
                steps = on_all_ranks(clips, batch_size, world_size, epoch, **settings)
                used = [record for step in steps for batch in step for record in batch]
                self.assertEqual(len(set(used)), len(used))
                self.assertTrue(set(used) <= set(range(len(clips))))
                full = steps if len(steps[-1][0]) == batch_size else steps[:-1]
                self.assertTrue(all(len(batch) == batch_size for step in full for batch in step))
                self.assertTrue(settings["drop_last"] or len(full) >= len(steps) - 1)
                self.assertEqual({len(batch) for batch in steps[-1]} - {0}, {len(steps[-1][0])})
                for step in steps:
                    groups = [sum(step, [])] if settings["across_ranks"] else step
                    for group in groups:
                        self.assertEqual(len({clips[record] for record in group}), len(group))
        self.assertGreater(num_tried, 150)

    def test_one_more_full_step_is_impossible(self) -> None:
        rng = random.Random(3)
        for _ in range(200):
            counts = [rng.choice((1, 2, 5, 30)) for _ in range(rng.randrange(8, 30))]
            size = rng.randrange(1, 9)
            more = len(on_all_ranks(clips_with(counts), size, 1)) + 1
            # A clip gives at most one record to a batch.
            self.assertLess(sum(min(count, more) for count in counts), more * size, counts)

    def test_all_records_are_used_where_no_clip_dominates(self) -> None:
        steps = on_all_ranks(clips_with([4] * 32), 4, 2)
        self.assertEqual(sorted(sum(sum(steps, []), [])), list(range(128)))

    def test_without_drop_last_a_smaller_batch_of_the_same_size_on_all_ranks_follows(self) -> None:
        clips = clips_with([1] * 39)
        self.assertEqual([len(batch) for step in on_all_ranks(clips, 4, 2) for batch in step], [4] * 8)
        steps = on_all_ranks(clips, 4, 2, drop_last=False)
        self.assertEqual([len(batch) for step in steps for batch in step], [4] * 8 + [3, 3])
        self.assertEqual([len(batch) for (batch,) in on_all_ranks(clips, 4, 1, drop_last=False)], [4] * 9 + [3])

    def test_the_last_batch_has_the_same_size_in_every_epoch(self) -> None:
        # Two full batches take eight records: two of the clip of 9, and all of the others but one, or one of its own less.
        clips = clips_with([9, 2, 2, 1, 1, 1])
        for epoch in range(30):
            self.assertEqual([len(batch) for (batch,) in on_all_ranks(clips, 4, 1, epoch, drop_last=False)], [4, 4, 1])
        self.assertEqual([len(batch) for (batch,) in on_all_ranks(clips_with([10, 1, 1]), 2, 1, drop_last=False)], [2, 2, 1])

    def test_each_record_of_a_dominant_clip_has_its_turn_in_some_epoch(self) -> None:
        clips = clips_with([60] + [1] * 20)
        used = set()
        for epoch in range(80):
            used |= {record for (batch,) in on_all_ranks(clips, 5, 1, epoch) for record in batch}
        self.assertEqual(len(used), 80)

    def test_epochs_and_seeds_differ_and_equal_ones_are_equal(self) -> None:
        clips = clips_with([3] * 30)
        self.assertEqual(on_all_ranks(clips, 5, 2, 1), on_all_ranks(clips, 5, 2, 1))
        self.assertNotEqual(on_all_ranks(clips, 5, 2, 1), on_all_ranks(clips, 5, 2, 2))
        self.assertNotEqual(list(ClipBatchSampler(clips, 5, seed=1)), list(ClipBatchSampler(clips, 5, seed=2)))
        self.assertEqual(on_all_ranks(clips, 5, 2, 1, shuffle=False), on_all_ranks(clips, 5, 2, 2, shuffle=False))

    def test_within_an_epoch_the_same_clips_do_not_meet_again_and_again(self) -> None:
        clips = clips_with([8] * 40)
        meetings: Counter[tuple[str, str]] = Counter()
        for (batch,) in on_all_ranks(clips, 8, 1):
            names = sorted(clips[record] for record in batch)
            meetings.update((one, other) for at, one in enumerate(names) for other in names[:at])
        # 8 batches of each clip x 7 others / 39: 1.4 on average. Without mixing, 40 blocks of 8 clips meet 8 times.
        self.assertLess(max(meetings.values()), 7)
        self.assertGreater(len(meetings), 500)

    def test_too_few_clips_and_wrong_settings_are_refused(self) -> None:
        clips = clips_with([10] * 7)
        with self.assertRaisesRegex(ValueError, "70 records of 7 clips do not fill a batch of 4 on each of 2 ranks.*across_ranks=False"):
            ClipBatchSampler(clips, 4, rank=0, world_size=2)
        self.assertEqual(len(on_all_ranks(clips, 4, 2, across_ranks=False)), 8)
        for settings in ({"batch_size": 0}, {"batch_size": 8}, {"rank": 2, "world_size": 2}, {"rank": 0}, {"rank": -1, "world_size": 1}):
            with self.assertRaises(ValueError):
                ClipBatchSampler(clips, **{"batch_size": 2, **settings})  # type: ignore[arg-type]

    def test_what_is_advised_against_too_few_clips_helps(self) -> None:
        clips = clips_with([10] * 7)
        for own, batch_size, world_size, across_ranks, remedies in (
            (clips, 9, 1, True, "batch_size=7"),
            (clips, 4, 2, True, "batch_size=3 or across_ranks=False"),
            (clips, 8, 2, True, "batch_size=3"),
            (clips, 1, 8, True, "across_ranks=False"),
            (clips[:3], 1, 8, True, "fewer ranks"),
            (clips, 8, 3, False, "batch_size=7"),
        ):
            with self.assertRaisesRegex(ValueError, f"two records of one clip; choose {remedies}$"):
                ClipBatchSampler(own, batch_size, rank=0, world_size=world_size, across_ranks=across_ranks)
            for size in {int(word[11:]) for word in remedies.split() if word.startswith("batch_size=")}:
                ClipBatchSampler(own, size, rank=0, world_size=world_size, across_ranks=across_ranks)
            if "across_ranks" in remedies:
                ClipBatchSampler(own, batch_size, rank=0, world_size=world_size, across_ranks=False)
        with self.assertRaisesRegex(ValueError, "^0 records of 0 clips do not fill a batch of 1$"):
            ClipBatchSampler([], 1)

    def test_the_variables_of_torchrun_give_the_rank(self) -> None:
        clips = clips_with([3] * 20)
        for rank in range(2):
            with mock.patch.dict(os.environ, RANK=str(rank), WORLD_SIZE="2"):
                self.assertEqual(list(ClipBatchSampler(clips, 4)), list(ClipBatchSampler(clips, 4, rank=rank, world_size=2)))


class Resume(unittest.TestCase):
    def test_a_resumed_epoch_has_the_batches_that_were_left(self) -> None:
        clips = clips_with([5] * 20)
        whole = ClipBatchSampler(clips, 4, rank=1, world_size=2)
        whole.set_epoch(3)
        expected = list(whole)
        for used in (0, 1, 5, len(expected)):
            stopped = ClipBatchSampler(clips, 4, rank=1, world_size=2)
            stopped.set_epoch(3)
            batches = iter(stopped)
            for _ in range(used):
                next(batches)
            resumed = ClipBatchSampler(clips, 4, rank=1, world_size=2)
            resumed.load_state_dict(json.loads(json.dumps(stopped.state_dict())))
            resumed.set_epoch(3)
            self.assertEqual(list(resumed), expected[used:])
            self.assertEqual(list(resumed), expected)
            resumed.set_epoch(4)
            self.assertNotEqual(list(resumed), expected)

    def test_the_position_of_the_trainer_counts_where_it_is_given(self) -> None:
        sampler = ClipBatchSampler(clips_with([2] * 20), 4)
        expected = list(sampler)
        state = sampler.state_dict(position=3)
        sampler.load_state_dict(state)
        self.assertEqual(list(sampler), expected[3:])

    def test_a_state_of_other_batches_is_refused(self) -> None:
        clips = clips_with([2] * 20)
        state = ClipBatchSampler(clips, 4).state_dict()
        moved = clips[1:] + clips[:1]
        for other in (ClipBatchSampler(clips, 5), ClipBatchSampler(clips, 4, seed=1), ClipBatchSampler(clips[:-1], 4), ClipBatchSampler(moved, 4)):
            with self.assertRaisesRegex(ValueError, "the state is of (batch_size 4|seed 0|num_records 40|clips_crc32 [0-9]+)"):
                other.load_state_dict(state)
        for position in (-1, 11):
            with self.assertRaisesRegex(ValueError, f"position {position}; an epoch has 10 batches"):
                ClipBatchSampler(clips, 4).load_state_dict({**state, "position": position})
        renamed = ClipBatchSampler([(clip, "renamed") for clip in clips], 4)
        renamed.load_state_dict(state)

    def test_the_length_stays_that_of_a_whole_epoch(self) -> None:
        sampler = ClipBatchSampler(clips_with([2] * 20), 4)
        sampler.load_state_dict(sampler.state_dict(position=3))
        self.assertEqual((len(sampler), len(list(sampler))), (10, 7))


class WithADataset(FolderTest):
    def test_clips_are_those_of_the_data_set(self) -> None:
        dataset = PairDataset(write_dataset(self.folder / "data set", [record(clip, pair) for clip in range(6) for pair in range(3)]))
        for batch in ClipBatchSampler(dataset, 3):
            self.assertEqual(len({dataset.clips[number] for number in batch}), 3)


if __name__ == "__main__":
    unittest.main()
