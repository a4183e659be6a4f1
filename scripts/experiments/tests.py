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


class Analysis(unittest.TestCase):
    def results(self, root: Path) -> dict:
        """Writes the results of two methods with three seeds, and analyses them."""
        names = [f"{method}-{seed}" for seed in (1, 2, 3) for method in ("baseline", "frame-temporal")]
        is_temporal = [name.startswith("frame") for name in names]
        scores = [
            {
                "scores": [{
                    "version": "published-code", "k": 10, "value": 60.0 + 5 * temporal, "ceiling": 98.0,
                    "control_gaussian": 11.0, "control_shuffled": 12.0,
                    "per_target": [{"target": str(target), "score": 50.0 + 10 * target + 5 * temporal} for target in (0, 1, 2)],
                }],
                "retrieval": {"value": 75.0},
                "retrieval_per_target": [{"target": str(target), "queries": 4, "found": 3} for target in (0, 1, 2)],
            }
            for temporal in is_temporal
        ]
        models = [{"name": name} for name in names]
        panel = {
            "kind": "aloi-viewpoint", "images": 12, "targets": 3, "is_target_object": True, "retrieval_chance": 33.0, "models": scores,
        }
        table = {
            "protocol": {"metric": "mAP"}, "kind": "voc07-boxes", "chance": 10.0, "test_images": 9, "classes": ["a", "b"],
            "models": [{"score": {"value": 30.0 - temporal}} for temporal in is_temporal],
        }
        written = {"program_version": "0.1.0", "settings": {}, "models": models}
        for name, part in (("invariance", {"panels": [panel]}), ("probe", {"tables": [table]})):
            (root / name).mkdir()
            (root / name / f"{name}.json").write_text(json.dumps({**written, **part}))
        (root / "shared" / "train" / "a").mkdir(parents=True)
        (root / "shared" / "train" / "a" / "groundtruth.txt").write_text("0,0,10,10\n0,0,10,10\n")
        view = {"frame": 0, "box_xywh": [0, 0, 10, 10]}
        lost = {"frame": 1, "box_xywh": [50, 50, 10, 10]}
        shards = {
            "tracks": [{"anchor": view, "positive": positive} for positive in (dict(view, frame=1), lost)],
            # Kind `images` has no positive.
            "images": [{"anchor": {"frame": frame, "box_xywh": None}} for frame in (0, 3, 5)],
        }
        for name, records in shards.items():
            (root / "shards" / name).mkdir(parents=True)
            with tarfile.open(root / "shards" / name / "pairs-000000.tar", "w") as tar:
                for number, record in enumerate(records):
                    text = json.dumps({"clip": "train/a", **record}).encode()
                    member = tarfile.TarInfo(f"{number}.json")
                    member.size = len(text)
                    tar.addfile(member, io.BytesIO(text))
        claim.analyse(root, root / "claim")
        return json.loads((root / "claim.json").read_text())

    def test_scores_differences_and_data_come_from_the_files_of_the_commands(self):
        with tempfile.TemporaryDirectory() as folder:
            result = self.results(Path(folder))
            lines = claim.tables(result)
            self.assertEqual(result["data"]["tracks"], {"videos": 1, "records": 2, "frames": 2, "share_on_object": 0.5})
            ris, retrieval, mean_precision = (test["differences"][0] for test in result["tests"])
            self.assertEqual((ris["mean"], ris["over_targets"], ris["verdict"]), (5.0, [5.0, 5.0], "higher"))
            self.assertEqual((retrieval["mean"], retrieval["verdict"]), (0.0, "undecided"))
            self.assertEqual((mean_precision["mean"], mean_precision["over_targets"]), (-1.0, None))
            self.assertIn("| tracks | 1 | 2 | 2 | 50 % |", lines)
            self.assertEqual(result["data"]["images"], {"videos": 1, "records": 3, "frames": 3, "share_on_object": None})
            self.assertIn("| viewpoint, RIS, top 10, 3 objects | frame-temporal | +5.0 | +5.0, +5.0, +5.0 |", "\n".join(lines))
            rows = Path(folder, "claim.csv").read_text().splitlines()
            self.assertIn("viewpoint,\"RIS, top 10\",minus baseline,frame-temporal,mean,5.000,5.000,5.000,5.000,5.000", rows)


if __name__ == "__main__":
    unittest.main()
