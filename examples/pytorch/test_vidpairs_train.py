#!/usr/bin/env python3
"""Takes a step with train_ddp.py from a checkpoint of `vidpairs train`, on the same views, and compares the program's next checkpoint.

usage: VIDPAIRS=target/release/vidpairs PYTHONPATH=python python -m unittest -v examples/pytorch/test_vidpairs_train.py
       (packages: scripts/golden/requirements.txt)

The views are drawn as crates/vidpairs-learn/src/augment/draw.rs draws them (ChaCha8 from the seed of epoch, record and view), and rendered
by torchvision. The gradient of the program follows from its velocities: g = v' - m v - d w.
Tolerances leave room for 32 bits: PyTorch's own gradients with one and with two threads differ by 3e-3 in one layer.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import torch
import torch.distributed as dist
import xxhash
from safetensors import safe_open
from torch.nn.parallel import DistributedDataParallel
from torchvision.transforms.v2 import functional as F
from vidpairs import PairDataset

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path[:0] = [str(HERE), str(REPOSITORY / "scripts/golden")]

import augment  # noqa: E402  scripts/golden/augment.py: views from parameters
import train_ddp  # noqa: E402

PIPELINE = REPOSITORY / "pipelines/ground-truth-tracks-small.toml"
NUM_RECORDS = 60
# One step an epoch, of all records: their order does not matter. Images of less than twice the views are never decoded at a reduced size.
SETTINGS = ["seed=7", "pairs.k=8", "pairs.min_box_px=4", "images.short_side=32", "augment.size=32", "train.width=64", "train.stem=imagenet",
            f"train.batch={NUM_RECORDS}", "train.groups=1", f"train.queue={2 * NUM_RECORDS}", "train.epochs=3", "train.log_steps=1",
            "train.checkpoint_steps=1", "train.keep=3", "train.region_weight=0.7"]
MASK = 2**32 - 1


def run_seed(seed: int, *steps: str) -> int:
    """Seed of a step of a run: `Seed::for_step` with an empty id."""
    for step in steps:
        seed = xxhash.xxh3_64_intdigest(len(step).to_bytes(8, "little") + step.encode() + bytes(8), seed)
    return seed


def view_seed(seed: int, epoch: int, record: int, view: int) -> int:
    text = b"view" + epoch.to_bytes(8, "little") + record.to_bytes(8, "little") + view.to_bytes(4, "little")
    return xxhash.xxh3_64_intdigest(text, run_seed(seed, "train", "views"))


class ChaCha8:
    """`ChaCha8Rng::seed_from_u64` of Rust's rand_chacha, and what rand's `random`, `random_bool` and `random_range` make of it."""

    def __init__(self, seed: int):
        self.key, self.block, self.words = [], 0, []
        for _ in range(8):  # PCG32
            seed = (seed * 0x5851F42D4C957F2D + 0xA17654E46FBE17F3) % 2**64
            mixed, turn = ((seed >> 18 ^ seed) >> 27) & MASK, seed >> 59
            self.key.append((mixed >> turn | mixed << (32 - turn)) & MASK)

    def u32(self) -> int:
        if not self.words:
            start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *self.key, self.block & MASK, self.block >> 32, 0, 0]
            state = start.copy()
            for _ in range(4):
                for a, b, c, d in [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                                   (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]:
                    for x, y, z, turn in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
                        state[x] = (state[x] + state[y]) & MASK
                        mixed = state[z] ^ state[x]
                        state[z] = (mixed << turn | mixed >> (32 - turn)) & MASK
            self.words = [(word + first) & MASK for word, first in zip(state, start)]
            self.block += 1
        return self.words.pop(0)

    def u64(self) -> int:
        return self.u32() | self.u32() << 32

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * ((self.u64() >> 11) * 2.0**-53)

    def is_true(self, probability: float) -> bool:
        return self.u64() < int(probability * 2.0**64)

    def up_to(self, highest: int) -> int:
        count = highest + 1
        product = self.u32() * count
        if product & MASK > 2**32 - count:
            return (product >> 32) + ((product & MASK) + (self.u32() * count >> 32) > MASK)
        return product >> 32


def drawn_view(rng: ChaCha8, width: int, height: int, settings) -> dict:
    """Parameters of a MoCo v2 view, as scripts/golden/augment.py takes them."""
    region = None
    for _ in range(10):
        share = rng.between(settings.min_area, 1.0)
        aspect = math.exp(rng.between(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(width * height * share * aspect)), round(math.sqrt(width * height * share / aspect))
        if 1 <= w <= width and 1 <= h <= height:
            region = [rng.up_to(width - w), rng.up_to(height - h), w, h]
            break
    if region is None:  # The largest centred box with an allowed aspect.
        w, h = min(round(height * (4 / 3)), width), min(round(width / (3 / 4)), height)
        region = [(width - w) // 2, (height - h) // 2, w, h]
    is_flipped = rng.is_true(0.5)
    sigma = rng.between(0.1, 2.0) if rng.is_true(0.5) else None
    is_jittered = rng.is_true(0.8)
    factors = {name: rng.between(0.6, 1.4) for name in augment.OPS[:3]} | {"hue": rng.between(-0.1, 0.1)}
    order = [0, 1, 2, 3]
    if is_jittered:
        for last in (3, 2, 1):
            other = rng.up_to(last)
            order[last], order[other] = order[other], order[last]
    return {"kind": "crop", "side_px": settings.size, "region": region, "is_flipped": is_flipped, "order": "jitter-then-grayscale",
            "jitter": {"order": order, **factors} if is_jittered else None, "is_gray": rng.is_true(0.2), "sigma_px": sigma,
            "kernel_px": train_ddp.blur_kernel_px(settings.size)}


def views_of(pairs: PairDataset, settings, epoch: int) -> list[torch.Tensor]:
    views = [[], [], [], []]
    for number in range(len(pairs)):
        record = pairs[number]
        for index, image in enumerate(("anchor_frame", "positive_frame", "anchor", "positive")):
            levels = F.to_dtype(record[image], torch.float32, scale=True)
            rng = ChaCha8(view_seed(settings.seed, epoch, number, index))
            (view,) = augment.render(levels, drawn_view(rng, levels.shape[2], levels.shape[1], settings.augment))
            views[index].append(F.normalize(view, augment.MEAN, augment.STD))
    return [torch.stack(view) for view in views]


class NextStep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder, cls.largest = pathlib.Path(folder.name), {}
        overrides = [word for setting in SETTINGS for word in ("--set", setting)]
        for args in (["synth", "--kind", "trackingnet", "--out", "world", "--videos", 15, "--held-out-videos", 0, "--frames", 24,
                      "--size", "96x72", "--occlusion", 0, "--leaving", 0],
                     ["extract", PIPELINE, "--source", "world", "--out", "pairs", *overrides],
                     ["train", PIPELINE, "--shards", "pairs", "--out", "run", "--device", "cpu", *overrides]):
            command = [os.path.abspath(os.environ["VIDPAIRS"]), *map(str, args)]
            subprocess.run(command, check=True, cwd=cls.folder, stdout=subprocess.DEVNULL, timeout=300)
        cls.settings = train_ddp.read_settings(PIPELINE, [word for word in SETTINGS if word.startswith(("seed", "augment", "train"))])
        dist.init_process_group("gloo", init_method=f"file://{cls.folder}/join", rank=0, world_size=1)
        cls.addClassCleanup(dist.destroy_process_group)

    def state(self, step: int) -> dict[str, torch.Tensor]:
        with safe_open(self.folder / f"run/checkpoints/step-{step:010}.safetensors", "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}

    def assert_close(self, what: str, found: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
        error = ((found.double() - expected.double()).norm() / expected.double().norm()).item()
        self.largest[what.partition(" ")[0]] = max(self.largest.get(what.partition(" ")[0], 0.0), error)
        self.assertLessEqual(error, tolerance, what)

    def test_a_step_from_a_checkpoint_of_vidpairs_train_gives_its_next_checkpoint(self):
        before, after, settings, train = self.state(1), self.state(2), self.settings, self.settings.train
        moco = train_ddp.MoCo(train).to(memory_format=torch.channels_last)
        names = [name.removeprefix("query.") for name in before if name.startswith("query.")]
        own = {name: name.replace("backbone.", "").replace("head.", "fc.") for name in names}
        for encoder, part in ((moco.encoder_q, "query"), (moco.encoder_k, "key")):
            encoder.load_state_dict({short: before[f"{part}.{name}"] for name, short in own.items()})
        moco.queue.copy_(before["queue.keys"].T)
        moco.queue_ptr.copy_(before["queue.position"][0])
        model = DistributedDataParallel(moco, broadcast_buffers=False)
        rate = train_ddp.learning_rate(1, 1, train)
        optimizer = train_ddp.sgd(moco, train)
        optimizer.param_groups[0]["lr"] = rate
        parameters = dict(moco.encoder_q.named_parameters())
        trained = {name: parameters[short] for name, short in own.items() if short in parameters}
        for name, parameter in trained.items():
            optimizer.state[parameter]["momentum_buffer"] = before[f"sgd.{name}"].clone()
        views = views_of(PairDataset(self.folder / "pairs", decode="torch"), settings, epoch=1)

        figures = train_ddp.train_step(model, optimizer, views, train_ddp.generator(0))

        line = json.loads((self.folder / "run/metrics.jsonl").read_text().splitlines()[1])
        self.assertEqual((line["step"], line["learning_rate"]), (2, rate))
        for name, tolerance in (("loss", 1e-5), ("positive_similarity", 1e-5), ("gradient_norm", 1e-4)):
            self.assert_close(name, figures[name], torch.tensor(line[name], dtype=torch.float64), tolerance)
        for name, parameter in trained.items():
            gradient = after[f"sgd.{name}"] - train.momentum * before[f"sgd.{name}"] - train.weight_decay * before[f"query.{name}"]
            self.assert_close(f"gradient of {name}", parameter.grad, gradient, 1e-2)
        for encoder, part, tolerance in ((moco.encoder_q, "query", 2e-3), (moco.encoder_k, "key", 1e-5)):
            for name, tensor in ((name, encoder.state_dict()[short]) for name, short in own.items()):
                self.assert_close(f"{part}: {name}", tensor, after[f"{part}.{name}"], tolerance)
        # The program has another order of the records.
        nearest = (moco.queue.T @ after["queue.keys"].T).argmax(1)
        self.assertEqual(len(set(nearest.tolist())), 2 * NUM_RECORDS)
        self.assert_close("queue", moco.queue.T, after["queue.keys"][nearest], 1e-4)
        print("largest relative differences:", {what: f"{error:.0e}" for what, error in self.largest.items()})


if __name__ == "__main__":
    unittest.main()
