#!/usr/bin/env python3
"""Compares train_ddp.py with `vidpairs train`, and one process with several.

usage: python -m unittest -v examples/pytorch/test_train_ddp.py    (packages: scripts/golden/requirements.txt; PYTHONPATH=python)

tests/golden/train holds losses, gradients, weights and queues of five steps in 64 bits, from weights and views made by formulas.
crates/vidpairs-torch/tests/train/golden.rs requires them of `vidpairs train` within 1e-7, and this file requires them of train_ddp.py.
"""
import json
import pathlib
import sys
import tempfile
import types
import unittest

import torch
import torch.distributed as dist
import torch.multiprocessing
from torch.nn.parallel import DistributedDataParallel

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path[:0] = [str(HERE), str(REPOSITORY / "scripts/golden")]

import train as golden  # noqa: E402  scripts/golden/train.py: weights and images from formulas
import train_ddp  # noqa: E402

TOLERANCE = 1e-7  # Relative; 64-bit steps differ by the order of sums only.
SMALL = {"network": "resnet18", "embedding": 128, "queue": 32, "key_momentum": 0.9, "groups": 1, "batch": 8}


def settings(**changed) -> types.SimpleNamespace:
    return types.SimpleNamespace(**train_ddp.TRAIN | SMALL | changed)


def join(file: str, rank: int, world: int) -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=world)


def steps(train: types.SimpleNamespace, num_views: int, num_steps: int):
    """Figures, gradient and model after each step on the views of scripts/golden/train.py; this rank has its share of them."""
    moco = train_ddp.MoCo(train)
    golden.fill(moco.encoder_q)
    moco.encoder_k.load_state_dict(moco.encoder_q.state_dict())
    moco.queue.copy_(golden.unit(torch.from_numpy(golden.uniform((32, 128), 5000))).T)
    model = DistributedDataParallel(moco, broadcast_buffers=False)
    optimizer = train_ddp.sgd(moco, train)
    for step in range(num_steps):
        views = [golden.images(8, 32, 100 * step + view).chunk(dist.get_world_size())[dist.get_rank()] for view in range(num_views)]
        figures = train_ddp.train_step(model, optimizer, views, train_ddp.generator(0, step))
        yield {name: train_ddp.gather(value[None]).mean().item() for name, value in figures.items()}, moco


def state_after(rank: int, world: int, folder: str, train: types.SimpleNamespace) -> None:
    """Writes what two steps of `world` processes give."""
    join(f"{folder}/join-{world}", rank, world)
    for figures, moco in steps(train, 4, 2):
        gradient = {name: parameter.grad.clone() for name, parameter in moco.encoder_q.named_parameters()}
    model = DistributedDataParallel(moco, broadcast_buffers=False)
    optimizer = train_ddp.sgd(moco, train)
    train_ddp.save(pathlib.Path(f"{folder}/checkpoint-{world}.pth"), model, optimizer, 2, 0, {"train.network": "resnet18"})
    if rank == 0:
        torch.save({"figures": figures, "gradient": gradient}, f"{folder}/figures-{world}.pth")
    dist.destroy_process_group()


class Images(unittest.TestCase):
    def test_only_images_with_a_weight_in_the_loss_are_read(self):
        def images(weight: float, *stored: str) -> list[str]:
            views = ("anchor", "positive", "anchor_frame", "positive_frame")
            return train_ddp.query_and_key_images({view: {"is_stored": view in stored} for view in views}, weight)

        regions, frames = ["anchor", "positive"], ["anchor_frame", "positive_frame"]
        self.assertEqual([images(weight, *regions, *frames) for weight in (0.0, 0.5, 1.0)], [frames, frames + regions, regions])
        self.assertEqual(images(0.5, *regions), regions)
        self.assertEqual(images(0.5, "anchor"), ["anchor", "anchor"])


class Equality(unittest.TestCase):
    def assert_near(self, what: str, found: float, expected: float) -> None:
        self.assertLessEqual(abs(found - expected), TOLERANCE * abs(expected), what)

    def assert_digest(self, what: str, tensor: torch.Tensor, expected: dict) -> None:
        found = golden.digest(tensor)
        size = expected["abs"] / tensor.numel()
        for mine, theirs in zip(found["values"], expected["values"], strict=True):
            self.assertLessEqual(abs(mine - theirs), TOLERANCE * size, what)
        self.assert_near(what, found["abs"], expected["abs"])
        self.assertLessEqual(abs(found["sum"] - expected["sum"]), TOLERANCE * expected["abs"], what)

    def assert_equals_vidpairs_train(self, name: str, num_views: int) -> None:
        expected = json.loads((REPOSITORY / f"tests/golden/train/{name}.json").read_text())["content"]
        with tempfile.TemporaryDirectory() as folder:
            join(f"{folder}/join", 0, 1)
            self.addCleanup(torch.set_default_dtype, torch.float32)
            self.addCleanup(dist.destroy_process_group)
            for step, ((figures, moco), of_step) in enumerate(zip(steps(settings(), num_views, golden.STEPS), expected, strict=True)):
                self.assert_near(f"loss of step {step}", figures["loss"], of_step["loss"])
                self.assert_near(f"norm of step {step}", figures["gradient_norm"], of_step["gradient_norm"])
                query, key = moco.encoder_q, moco.encoder_k
                gradients = {name: parameter.grad for name, parameter in query.named_parameters()}
                for name, gradient in of_step["gradient"].items():
                    own = name.replace("backbone.", "").replace("head.", "fc.")
                    self.assert_digest(f"gradient of {own}, step {step}", gradients[own], gradient)
                for name, tensor in {"weight": query.layer3[0].conv1.weight, "head": query.fc[0].weight, "queue": moco.queue.T,
                                     "key": key.layer3[0].conv1.weight, "key_running_mean": key.bn1.running_mean}.items():
                    self.assert_digest(f"{name}, step {step}", tensor.contiguous(), of_step[name])

    def test_steps_of_moco_v2_equal_those_of_vidpairs_train(self):
        self.assert_equals_vidpairs_train("moco-v2", 2)

    def test_steps_on_frames_and_regions_equal_those_of_vidpairs_train(self):
        self.assert_equals_vidpairs_train("frames-and-regions", 4)

    def test_two_processes_equal_one_with_two_groups(self):
        with tempfile.TemporaryDirectory() as folder:
            for world in (1, 2):
                torch.multiprocessing.spawn(state_after, (world, folder, settings(groups=2, symmetric=True)), nprocs=world)
            one, two = (torch.load(f"{folder}/figures-{world}.pth") for world in (1, 2))
            for name, value in one["figures"].items():
                self.assert_near(name, two["figures"][name], value)
            for name, gradient in one["gradient"].items():
                torch.testing.assert_close(two["gradient"][name], gradient, rtol=1e-7, atol=1e-7 * gradient.abs().mean().item())
            one, two = (torch.load(f"{folder}/checkpoint-{world}.pth")["state_dict"] for world in (1, 2))
            for name, tensor in one.items():
                torch.testing.assert_close(two[name], tensor, rtol=1e-7, atol=1e-9)

    def test_shuffled_keys_come_back_in_the_order_of_their_images(self):
        with tempfile.TemporaryDirectory() as folder:
            join(f"{folder}/join", 0, 1)
            self.addCleanup(torch.set_default_dtype, torch.float32)
            self.addCleanup(dist.destroy_process_group)
            # In evaluation mode a key does not depend on the images around it.
            shuffled, plain = (train_ddp.MoCo(settings(groups=2, shuffle=shuffle)).eval() for shuffle in (True, False))
            plain.load_state_dict(shuffled.state_dict())
            images = golden.images(8, 32, 0)
            keys = [moco.embed_keys(images, train_ddp.generator(0)) for moco in (shuffled, plain)]
            torch.testing.assert_close(*keys)
            self.assertGreater((keys[0] - keys[0].roll(1, 0)).abs().max(), 1e-3)

    def test_groups_encode_keys_among_other_images_than_queries(self):
        """Without the shuffle the gradient is another one, so the test above compares shuffles too."""
        with tempfile.TemporaryDirectory() as folder:
            losses = []
            for shuffle in (True, False):
                torch.multiprocessing.spawn(state_after, (1, folder, settings(groups=2, shuffle=shuffle)), nprocs=1)
                losses.append(torch.load(f"{folder}/figures-1.pth")["figures"]["loss"])
                pathlib.Path(f"{folder}/join-1").unlink(missing_ok=True)
            self.assertGreater(abs(losses[0] - losses[1]), 1e-3 * losses[0])


if __name__ == "__main__":
    unittest.main()
