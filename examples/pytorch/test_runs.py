#!/usr/bin/env python3
"""Runs train_ddp.py with several processes on the CPU: on 1, 5 and 6 shards, killed and resumed, and its weights in other programs.

usage: VIDPAIRS=target/release/vidpairs PYTHONPATH=python python -m unittest -v examples/pytorch/test_runs.py
"""
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import timm
import torch
import torchvision

HERE = pathlib.Path(__file__).resolve().parent
PIPELINE = HERE.parent.parent / "pipelines/ground-truth-tracks-small.toml"
NUM_RECORDS, BATCH, EPOCHS = 60, 12, 2
STEPS_PER_EPOCH = NUM_RECORDS // BATCH
# ResNet-18 as in torchvision, at 32 px. Six groups: for 1, 2, 3 and 6 processes.
SETTINGS = ["augment.size=32", "train.width=64", "train.stem=imagenet", f"train.batch={BATCH}", "train.groups=6", "train.queue=48",
            f"train.epochs={EPOCHS}", "train.warmup_epochs=0", "train.log_steps=1", "train.checkpoint_steps=3"]
SECONDS = 300


def vidpairs(*args: object) -> None:
    subprocess.run([os.environ["VIDPAIRS"], *map(str, args)], check=True, stdout=subprocess.DEVNULL, timeout=SECONDS)


def command(processes: int, shards: pathlib.Path, out: pathlib.Path, *args: str) -> list[str]:
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), str(HERE / "train_ddp.py"),
            str(PIPELINE), "--shards", str(shards), "--out", str(out), "--workers", "1", "--keys", *settings, *args]


def run(*args, expect: int = 0) -> str:
    ran = subprocess.run(command(*args), capture_output=True, text=True, timeout=SECONDS, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert ran.returncode == expect, ran.stderr[-3000:]
    return ran.stdout + ran.stderr


def losses(out: pathlib.Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1)), lines
    return [line["loss"] for line in lines]


def descendants(pid: int) -> list[int]:
    children = [int(word) for file in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for word in file.read_text().split()]
    return children + [descendant for child in children for descendant in descendants(child)]


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        vidpairs("synth", "--kind", "trackingnet", "--out", cls.folder / "world", "--videos", 15, "--held-out-videos", 0, "--frames", 24,
                 "--size", "96x72", "--occlusion", 0, "--leaving", 0)
        cls.shards = {}
        for count in (1, 5, 6):
            cls.shards[count] = cls.folder / f"pairs {count}"
            vidpairs("extract", PIPELINE, "--source", cls.folder / "world", "--out", cls.shards[count], "--set", "pairs.k=8", "--set",
                     "pairs.min_box_px=4", "--set", f"shards.max_records={NUM_RECORDS // count}")
            totals = json.loads((cls.shards[count] / "dataset.json").read_text())["totals"]
            assert (totals["records"], totals["shards"]) == (NUM_RECORDS, count), totals

    def keys(self, out: pathlib.Path, processes: int) -> dict[int, list[str]]:
        """Keys of all ranks by step, after checks that no rank has other steps or batches of another size."""
        steps = collections.defaultdict(list)
        for rank in range(processes):
            lines = [line.split() for line in (out / f"keys-0-{rank}-of-{processes}.txt").read_text().splitlines()]
            self.assertEqual([int(line[0]) for line in lines], list(range(EPOCHS * STEPS_PER_EPOCH)), f"steps of rank {rank}")
            for step, *keys in lines:
                self.assertEqual(len(keys), BATCH // processes)
                steps[int(step)] += keys
        return steps

    def test_ranks_take_equal_steps_and_no_record_twice_for_any_number_of_shards(self):
        batches, first_losses = [], []
        for count, shards in self.shards.items():
            for processes in (2, 3):
                with self.subTest(shards=count, processes=processes):
                    out = self.folder / f"run-{count}-{processes}"
                    run(processes, shards, out)
                    steps = self.keys(out, processes)
                    self.assert_epochs_are_whole(steps)
                    batches.append({step: sorted(keys) for step, keys in steps.items()})
                    first_losses.append(losses(out)[0])
                    self.assertEqual(len(losses(out)), EPOCHS * STEPS_PER_EPOCH)
        self.assertTrue(all(run == batches[0] for run in batches), "shards or processes change the batches")
        # Later losses drift apart with the order of sums; test_train_ddp.py compares them in 64 bits.
        self.assertLess(max(first_losses) - min(first_losses), 1e-4 * first_losses[0])

    def assert_epochs_are_whole(self, steps: dict[int, list[str]]) -> None:
        for epoch in range(EPOCHS):
            of_epoch = [steps[epoch * STEPS_PER_EPOCH + step] for step in range(STEPS_PER_EPOCH)]
            self.assertEqual(len(set().union(*of_epoch)), NUM_RECORDS, "a record is missing or comes twice")
        self.assertNotEqual(steps[0], steps[STEPS_PER_EPOCH], "both epochs have the same order")

    def test_no_batch_has_two_records_of_a_clip_if_that_is_asked_for(self):
        out = self.folder / "distinct"
        run(3, self.shards[5], out, "--distinct-clips")
        steps = self.keys(out, 3)
        self.assert_epochs_are_whole(steps)
        for keys in steps.values():
            self.assertEqual(len({key.partition("-")[0] for key in keys}), BATCH)

    def test_a_killed_run_resumes_with_the_same_losses(self):
        whole, killed = self.folder / "whole", self.folder / "killed"
        run(2, self.shards[5], whole)
        expected = losses(whole)
        # Killed when some step after the first checkpoint is logged, and the second checkpoint is not written.
        started = subprocess.Popen(command(2, self.shards[5], killed), start_new_session=True, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
        until = time.monotonic() + SECONDS
        while not ((killed / "checkpoint.pth").exists() and len((killed / "metrics.jsonl").read_text().splitlines()) >= 4):
            self.assertLess(time.monotonic(), until)
            self.assertIsNone(started.poll(), "it ended before it was killed")
            time.sleep(0.005)
        # torchrun's processes have sessions of their own and outlive it.
        workers = descendants(started.pid)
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        started.kill()
        self.assertIn("another run writes into", run(2, self.shards[5], killed, expect=1))
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        started.wait()
        self.assertLess(len(losses(killed)), len(expected))
        with (killed / "metrics.jsonl").open("a") as torn:
            torn.write('{"step": 99, "lo')
        run(2, self.shards[5], killed)
        self.assertEqual(losses(killed), expected)
        self.assertIn(f"{killed} is complete: it has all {len(expected)} steps", run(2, self.shards[5], killed))
        self.assertEqual(losses(killed), expected)
        (killed / "checkpoint.pth").write_bytes((killed / "checkpoint.pth").read_bytes()[:1000])
        self.assertIn("PytorchStreamReader", run(2, self.shards[5], killed, expect=1))

    def test_another_run_and_numbers_that_do_not_fit_are_refused(self):
        out = self.folder / "refusals"
        run(1, self.shards[1], out, "--set", "train.epochs=1")
        for args, message in [((1, self.shards[1], out, "--set", "train.epochs=1", "--set", "seed=1"), "what differs: seed"),
                              ((1, self.shards[6], out, "--set", "train.epochs=1"), "what differs: dataset.json"),
                              ((1, self.shards[1], self.folder / "typo", "--set", "seeed=4"), "--set seeed=4: train_ddp.py reads seed"),
                              ((1, self.shards[1], self.folder / "typo", "--set", "tran.batch=3"), "--set tran.batch=3: train_ddp.py reads"),
                              ((1, self.shards[1], self.folder / "typo", "--set", "train.bach=3"), "does not have train.bach"),
                              ((1, self.shards[1], self.folder / "typo", "--set", "train.batch"), "--set train.batch has no value"),
                              ((4, self.shards[1], self.folder / "four"), "4 processes must divide train.groups (6)"),
                              ((1, self.shards[1], self.folder / "pirl", "--set", "train.method=pirl"), "not have train.method = pirl")]:
            self.assertIn(message, run(*args, expect=1))

    def test_weights_load_strictly_in_torchvision_and_timm_and_go_through_vidpairs(self):
        out, exported = self.folder / "weights", self.folder / "backbone.pth"
        run(1, self.shards[6], out, "--set", "train.numbers=bf16")
        vidpairs("export", "--weights", out / "checkpoint.pth", "--to", "torchvision", "--out", exported)
        trained = torch.load(out / "checkpoint.pth", weights_only=True)["state_dict"]
        weights = torch.load(exported, weights_only=True)
        self.assertTrue(all(torch.equal(tensor, trained[f"module.encoder_q.{name}"]) for name, tensor in weights.items()))
        resnet = torchvision.models.resnet18()
        resnet.fc = torch.nn.Identity()
        resnet.load_state_dict(weights)
        theirs = timm.create_model("resnet18", num_classes=0)
        theirs.load_state_dict(weights)
        images = torch.randn(2, 3, 64, 64)
        torch.testing.assert_close(theirs.eval()(images), resnet.eval()(images))
        vidpairs("synth", "--kind", "aloi", "--out", self.folder / "objects", "--num-objects", 5)
        vidpairs("invariance", "--data", f"aloi-viewpoint={self.folder / 'objects'}", "--weights", f"ddp={out / 'checkpoint.pth'}", "--out",
                 self.folder / "invariance", "--set", "invariance.size=32", "--device", "cpu")
        vidpairs("train", PIPELINE, "--shards", self.shards[6], "--out", self.folder / "continued", "--init", out / "checkpoint.pth",
                 *[word for setting in SETTINGS for word in ("--set", setting)], "--set", "train.epochs=1", "--device", "cpu")


if __name__ == "__main__":
    unittest.main()
