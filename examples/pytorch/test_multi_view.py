#!/usr/bin/env python3
"""Runs multi_view.py for an epoch on the CPU.

usage: VIDPAIRS=target/release/vidpairs PYTHONPATH=python python -m unittest -v examples/pytorch/test_multi_view.py
"""
import importlib.util
import pathlib
import subprocess
import sys
import unittest

import torch
import torchvision

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "python/tests"))

from datasets import FolderTest, extract  # noqa: E402  python/tests/datasets.py


@unittest.skipUnless(importlib.util.find_spec("lightly"), "needs lightly")
class MultiView(FolderTest):
    def run_it(self, shards: pathlib.Path, out: pathlib.Path) -> subprocess.CompletedProcess:
        command = [sys.executable, HERE / "multi_view.py", "--shards", shards, "--out", out, "--epochs", "1", "--batch", "4", "--size", "32",
                   "--network", "resnet18", "--workers", "1"]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)

    def test_the_weights_of_pairs_and_of_images_come_into_a_new_folder_and_load_in_torchvision(self):
        for name, *settings in (("frames",), ("images", "pairs.kind=images")):
            out = self.folder / "new" / name / "weights.pth"
            ran = self.run_it(extract(self.folder, name, *settings), out)
            self.assertIn("epoch 1: loss ", ran.stdout, ran.stderr[-3000:])
            resnet = torchvision.models.resnet18()
            resnet.fc = torch.nn.Identity()
            resnet.load_state_dict(torch.load(out, weights_only=True))
            self.assertEqual(list(out.parent.iterdir()), [out])

    def test_a_file_that_cannot_be_written_is_refused_before_the_training(self):
        shards = extract(self.folder, "frames")
        for out, reason in ((shards, "is a folder; expected a file"), (shards / "dataset.json" / "weights.pth", "dataset.json")):
            ran = self.run_it(shards, out)
            self.assertNotEqual(ran.returncode, 0)
            self.assertIn(reason, ran.stderr)
            self.assertNotIn("epoch", ran.stdout)


if __name__ == "__main__":
    unittest.main()
