#!/usr/bin/env python3
"""Tests of the experiments' statistics; `cargo test --test results` runs them. Standard library only."""

import io
import json
import tarfile
import tempfile
import unittest
from pathlib import Path

import claim
from seeds import mean_with_interval, t_quantile


def runs(values: list, of_targets: list | None = None) -> dict:
    """Scores of the seeds 1, 2, ..., and of each of their targets."""
    seeds = {}
    for place, value in enumerate(values):
        seeds[str(place + 1)] = {"value": value}
        if of_targets is not None:
            seeds[str(place + 1)]["of_target"] = {str(target): score for target, score in enumerate(of_targets[place])}
    return seeds


class Seeds(unittest.TestCase):
    def test_quantiles_are_those_of_printed_tables(self):
        for degrees, quantile in ((1, 12.706), (2, 4.303), (9, 2.262), (10, 2.228), (30, 2.042), (120, 1.980)):
            self.assertAlmostEqual(t_quantile(degrees), quantile, delta=0.0015)

    def test_the_interval_of_three_seeds_is_students(self):
        # Mean 2, standard deviation 1: 4.303 / sqrt(3) on either side.
        found = mean_with_interval({1: 1.0, 2: 2.0, 3: 3.0})
        self.assertAlmostEqual(found["low"], 2 - 2.4843, places=3)
        self.assertAlmostEqual(found["high"], 2 + 2.4843, places=3)
        self.assertIsNone(mean_with_interval({1: 1.0})["low"])


class Verdicts(unittest.TestCase):
    def verdict(self, gains: list, of_targets: list | None = None) -> str:
        start = None if of_targets is None else [[0.0] * len(of_targets[0])] * len(gains)
        return claim.difference("method", runs(gains, of_targets), runs([0.0] * len(gains), start))["verdict"]

    def test_no_difference_is_undecided(self):
        self.assertEqual(self.verdict([0.0, 0.0, 0.0]), "undecided")
        self.assertEqual(self.verdict([0.0, -0.1, 0.0]), "undecided")
        self.assertEqual(self.verdict([0.0, 0.0, 0.0], [[0.0, 0.0]] * 3), "undecided")

    def test_equal_signs_alone_are_no_verdict(self):
        self.assertEqual(self.verdict([1.0, 1.0, 20.0]), "(higher in every seed)")
        self.assertEqual(self.verdict([-1.0, -1.0, -20.0]), "(lower in every seed)")

    def test_all_intervals_must_exclude_zero(self):
        self.assertEqual(self.verdict([5.0, 5.1, 4.9]), "higher")
        self.assertEqual(self.verdict([-5.0, -5.1, -4.9]), "lower")
        # The gain is that of one of four targets.
        one_target = [[20.0, 0.0, 0.0, 0.0], [20.4, 0.0, 0.0, 0.0], [19.6, 0.0, 0.0, 0.0]]
        self.assertEqual(self.verdict([5.0, 5.1, 4.9], one_target), "(higher in every seed)")

    def test_one_seed_decides_nothing(self):
        self.assertEqual(self.verdict([30.0]), "undecided")


class DataSets(unittest.TestCase):
    def test_the_overlap_of_boxes_is_that_of_their_areas(self):
        self.assertEqual(claim.iou([0, 0, 10, 10], [0, 0, 10, 10]), 1.0)
        self.assertAlmostEqual(claim.iou([0, 0, 10, 10], [5, 0, 10, 10]), 1 / 3)
        self.assertEqual(claim.iou([0, 0, 10, 10], [20, 0, 10, 10]), 0.0)

    def test_the_chosen_videos_have_records_in_every_data_set(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ("a", "b", "c"):
                (root / "world" / "train" / name).mkdir(parents=True)
            (root / "world" / "train" / "list.txt").write_text("a\nb\nc\n")
            for shards, clips in (("one", ["a", "b"]), ("two", ["b", "c", "b"])):
                (root / shards).mkdir()
                with tarfile.open(root / shards / "pairs-000000.tar", "w") as tar:
                    for number, clip in enumerate(clips):
                        text = json.dumps({"clip": f"train/{clip}"}).encode()
                        member = tarfile.TarInfo(f"{number}.json")
                        member.size = len(text)
                        tar.addfile(member, io.BytesIO(text))
            claim.choose(root / "world", root / "out", [root / "one", root / "two"])
            self.assertEqual((root / "out" / "train" / "list.txt").read_text(), "b\n")
            self.assertTrue((root / "out" / "train" / "b").is_dir())
            self.assertFalse((root / "out" / "train" / "a").exists())


if __name__ == "__main__":
    unittest.main()
