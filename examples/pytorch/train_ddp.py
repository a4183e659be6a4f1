#!/usr/bin/env python3
"""Trains MoCo v2 on stored pairs with DistributedDataParallel. On the same weights and views it computes what `vidpairs train` does.

usage: torchrun --nproc-per-node 8 train_ddp.py PIPELINE.toml --shards DIR --out RUN [--set train.batch=512] [--workers 4]

Needs torch, torchvision and the package vidpairs (`pip install vidpairs`, or PYTHONPATH=python). The pipeline file is that of
`vidpairs extract` and `vidpairs train`; `seed`, `[augment]` and `[train]` are read. The same command resumes a stopped run, with any
number of processes that divides `train.groups`. RUN/checkpoint.pth has the tensor names of facebookresearch/moco. moco.py beside it has the method.
"""
import argparse
import fcntl
import itertools
import json
import math
import os
import pathlib
import time
import tomllib
import types
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import torch
import torch.distributed as dist
from moco import MoCo, gather
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2
from vidpairs import ClipBatchSampler, PairDataset

try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError:
    SummaryWriter = None

# Defaults of pipelines/README.md.
AUGMENT = {"views": "moco-v2", "size": 224, "min_area": 0.2}
TRAIN = {"method": "moco-v2", "network": "resnet50", "width": 64, "stem": "imagenet", "groups": 8, "batch": 256, "accumulate": 1,
         "epochs": 200, "learning_rate": 0.03, "schedule": "cosine", "milestones": None, "warmup_epochs": 0.0, "pace": "epoch",
         "momentum": 0.9, "weight_decay": 1e-4, "numbers": "f32", "embedding": 128, "temperature": 0.2, "queue": 65536,
         "key_momentum": 0.999, "symmetric": False, "region_weight": 0.5, "shuffle": True, "log_steps": 10, "checkpoint_steps": 1000}
LOGGING = ("log_steps", "checkpoint_steps")
UNUSED = {"keep", "knn_epochs", "knn_images", "knn_neighbours", "max_damaged"}


def read_settings(pipeline: pathlib.Path, overrides: list[str]) -> types.SimpleNamespace:
    """Seed, `augment` and `train` of a pipeline file, after overrides such as `train.batch=64`."""
    tables = tomllib.loads(pipeline.read_text())
    for override in overrides:
        name, equals, value = override.partition("=")
        table, _, key = name.rpartition(".")
        if not equals:
            raise SystemExit(f"--set {override} has no value; expected one such as train.batch=512")
        if name != "seed" and table not in ("augment", "train"):
            raise SystemExit(f"--set {override}: train_ddp.py reads seed, augment.* and train.* alone")
        try:
            value = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            pass  # A word without quotes.
        (tables.setdefault(table, {}) if table else tables)[key] = value
    augment, train = AUGMENT | tables.get("augment", {}), TRAIN | tables.get("train", {})
    refused = [f"augment.{key}" for key in augment.keys() - AUGMENT.keys()]
    refused += [f"train.{key}" for key in train.keys() - TRAIN.keys() - UNUSED]
    for name, value, only in (("train.method", train["method"], "moco-v2"), ("augment.views", augment["views"], "moco-v2"),
                              ("train.accumulate", train["accumulate"], 1)):
        refused += [f"{name} = {value}"] if value != only else []
    if refused:
        raise SystemExit(f"{pipeline}: train_ddp.py does not have {', '.join(refused)}")
    train["milestones"] = train["milestones"] or [train["epochs"] * 3 // 5, train["epochs"] * 4 // 5]
    train = {key: train[key] for key in TRAIN}
    return types.SimpleNamespace(seed=tables.get("seed", 0), augment=types.SimpleNamespace(**augment), train=types.SimpleNamespace(**train))


def generator(*key: int) -> torch.Generator:
    """Random numbers that depend on `key` alone, the same on every rank."""
    return torch.Generator().manual_seed(hash(key) % 2**63)


def learning_rate(step: int, steps_per_epoch: int, train: types.SimpleNamespace) -> float:
    """Linear warm-up, then half a cosine, a tenth at each milestone, or a constant; per epoch as in MoCo, or per step."""
    warmed = (step + 1) / (train.warmup_epochs * steps_per_epoch) if train.warmup_epochs else 1.0
    if warmed < 1.0:
        return train.learning_rate * warmed
    epoch = step // steps_per_epoch if train.pace == "epoch" else step / steps_per_epoch
    if train.schedule == "constant":
        return train.learning_rate
    if train.schedule == "step":
        return train.learning_rate * 0.1 ** sum(milestone <= epoch for milestone in train.milestones)
    progress = min(max((epoch - train.warmup_epochs) / (train.epochs - train.warmup_epochs), 0.0), 1.0)
    return train.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))


def blur_kernel_px(size: int) -> int:
    """Kernel of the blur: 23 px at 224 px, and in proportion at other sizes."""
    return 2 * max(int(size * 11 / 224 + 0.5), 1) + 1


def moco_v2_view(augment: types.SimpleNamespace) -> v2.Transform:
    """View of MoCo v2 (Chen et al. 2020)."""
    return v2.Compose([
        v2.RandomResizedCrop(augment.size, scale=(augment.min_area, 1.0)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8), v2.RandomGrayscale(0.2),
        v2.RandomApply([v2.GaussianBlur(blur_kernel_px(augment.size), (0.1, 2.0))], p=0.5), v2.RandomHorizontalFlip(),
        v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), v2.ToPureTensor()])


def query_and_key_images(meta: dict, region_weight: float) -> list[str]:
    """Names of the images that give query and key: the stored ones, or the frames and then the regions, without those of no weight."""
    images = ["anchor", "positive" if meta["positive"]["is_stored"] else "anchor"]
    if meta["anchor_frame"]["is_stored"] and region_weight < 1.0:
        images = ["anchor_frame", "positive_frame"] + (images if region_weight > 0.0 else [])
    return images


class Views(Dataset):
    """A view of each of `images` of a record; item `epoch * len(pairs) + record`.

    The random numbers of an item depend on the seed, epoch and record, so that a resumed run sees the same views.
    """

    def __init__(self, pairs: PairDataset, images: list[str], settings: types.SimpleNamespace):
        self.pairs, self.images, self.seed, self.view = pairs, images, settings.seed, moco_v2_view(settings.augment)

    def __getitem__(self, item: int) -> tuple[str, list[Tensor]]:
        record = self.pairs[item % len(self.pairs)]
        torch.manual_seed(hash((self.seed, item)) % 2**63)
        return record["key"], [self.view(record[image]) for image in self.images]


class RankBatches:
    """Batches of this rank from step `first` on: items of `Views`.

    Each epoch is a permutation of all records, cut into whole batches that the ranks share; with `distinct_clips`, no batch has two
    records of a clip. Either way each rank takes equally many steps, however many shards there are, and no record comes twice in an epoch.
    """

    def __init__(self, pairs: PairDataset, settings: types.SimpleNamespace, first: int, distinct_clips: bool):
        self.num_records, self.seed, self.first, self.batch = len(pairs), settings.seed, first, settings.train.batch
        self.sampler = ClipBatchSampler(pairs, self.batch, seed=settings.seed, rank=0, world_size=1) if distinct_clips else None
        self.steps_per_epoch = len(self.sampler) if self.sampler else self.num_records // self.batch
        self.num_steps = settings.train.epochs * self.steps_per_epoch

    def of_epoch(self, epoch: int) -> Iterator[list[int]]:
        """Batches of all ranks together."""
        if self.sampler:
            self.sampler.set_epoch(epoch)
            return iter(self.sampler)
        order = torch.randperm(self.num_records, generator=generator(self.seed, epoch))
        return (batch.tolist() for batch in order.split(self.batch)[:self.steps_per_epoch])

    def __iter__(self) -> Iterator[list[int]]:
        share = self.batch // dist.get_world_size()
        own = slice(dist.get_rank() * share, (dist.get_rank() + 1) * share)
        for epoch in range(self.first // self.steps_per_epoch, self.num_steps // self.steps_per_epoch):
            done = max(self.first - epoch * self.steps_per_epoch, 0)
            for batch in itertools.islice(self.of_epoch(epoch), done, None):
                yield [epoch * self.num_records + record for record in batch[own]]

    def __len__(self) -> int:
        return self.num_steps - self.first


def sgd(moco: MoCo, train: types.SimpleNamespace) -> torch.optim.SGD:
    return torch.optim.SGD(moco.encoder_q.parameters(), train.learning_rate, train.momentum, weight_decay=train.weight_decay)


def train_step(model: DistributedDataParallel, optimizer: torch.optim.Optimizer, views: list[Tensor],
               random: torch.Generator) -> dict[str, Tensor]:
    """One step of SGD. Returns this rank's loss and similarity, and the norm of the gradient of the whole batch."""
    loss, similarity, keys = model(views, random)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
    if not torch.isfinite(norm):
        raise SystemExit(f"the loss is {loss.item()} and the norm of the gradient {norm.item()}; the last checkpoint is sound")
    optimizer.step()
    model.module.enqueue(keys)
    return {"loss": loss.detach(), "positive_similarity": similarity, "gradient_norm": norm}


def write_whole(path: pathlib.Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes a file under its name when it is whole and on the disk."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def save(path: pathlib.Path, model: DistributedDataParallel, optimizer: torch.optim.Optimizer, step: int, epoch: int, run: dict) -> None:
    """Writes a checkpoint. Batch-norm statistics become the mean over the ranks."""
    for name, buffer in model.module.named_buffers():
        if "running_" in name:
            buffer.copy_(gather(buffer[None]).mean(0))
    if dist.get_rank() == 0:
        checkpoint = {"epoch": epoch, "arch": run["train.network"], "state_dict": model.state_dict(),
                      "optimizer": optimizer.state_dict(), "step": step, "run": run}
        write_whole(path, lambda file: torch.save(checkpoint, file))


def resume(path: pathlib.Path, model: DistributedDataParallel, optimizer: torch.optim.Optimizer, run: dict) -> int:
    """Loads the checkpoint, if there is one. Returns the number of steps taken."""
    if not path.exists():
        return 0
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    changed = [name for name in run if checkpoint["run"].get(name) != run[name]]
    if changed:
        raise SystemExit(f"{path} is of another run; what differs: {', '.join(changed)}")
    model.load_state_dict(checkpoint["state_dict"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    return checkpoint["step"]


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


class Log:
    """Writes figures to RUN/metrics.jsonl, to RUN/tensorboard if TensorBoard is installed, and to stdout, on the first rank."""

    def __init__(self, out: pathlib.Path, first: int):
        self.is_first = dist.get_rank() == 0
        if not self.is_first:
            return
        self.lock = (out / "lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another run writes into {out}; after a kill, processes of torchrun may go on for a while") from None
        path = out / "metrics.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        if lines and not is_json(lines[-1]):  # A full disk or a power cut tears the last line.
            lines.pop()
        kept = "".join(line + "\n" for line in lines if json.loads(line)["step"] <= first)
        write_whole(path, lambda file: file.write(kept.encode()))
        self.file = path.open("a", buffering=1)
        self.board = SummaryWriter(out / "tensorboard", purge_step=first + 1) if SummaryWriter else None

    def write(self, figures: dict[str, float]) -> None:
        if not self.is_first:
            return
        self.file.write(json.dumps(figures) + "\n")
        print("  ".join(f"{name} {value:.5g}" for name, value in figures.items()), flush=True)
        for name, value in figures.items():
            if self.board and name != "step":
                self.board.add_scalar(name, value, figures["step"])


def train(args: argparse.Namespace, settings: types.SimpleNamespace, device: torch.device) -> None:
    stored, wanted, world = PairDataset(args.shards), settings.train, dist.get_world_size()
    if wanted.groups % world or wanted.batch % wanted.groups or len(stored) < wanted.batch:
        raise SystemExit(f"{world} processes must divide train.groups ({wanted.groups}), which must divide train.batch ({wanted.batch}), "
                         f"which must be at most the {len(stored)} records")
    if wanted.warmup_epochs >= wanted.epochs:
        raise SystemExit(f"train.warmup_epochs is {wanted.warmup_epochs}; expected fewer than the {wanted.epochs} epochs")
    images = query_and_key_images(stored.meta(0), wanted.region_weight)
    pairs = PairDataset(args.shards, decode="pil", roles=images)
    run = {"seed": settings.seed, "distinct_clips": args.distinct_clips}
    run["dataset.json"] = zlib.crc32((args.shards / "dataset.json").read_bytes())
    run |= {f"augment.{key}": value for key, value in vars(settings.augment).items()}
    run |= {f"train.{key}": value for key, value in vars(wanted).items() if key not in LOGGING}

    torch.manual_seed(settings.seed)
    moco = MoCo(wanted).to(device, memory_format=torch.channels_last)
    model = DistributedDataParallel(moco, broadcast_buffers=False)
    optimizer = sgd(moco, wanted)
    args.out.mkdir(parents=True, exist_ok=True)
    first = resume(args.out / "checkpoint.pth", model, optimizer, run)
    if len(set(gather(torch.tensor([first], device=device)).tolist())) > 1:
        raise SystemExit(f"some processes do not see {args.out}/checkpoint.pth; expected a folder that all machines share")
    log = Log(args.out, first)
    batches = RankBatches(pairs, settings, first, args.distinct_clips)
    if first == batches.num_steps:
        if log.is_first:
            print(f"{args.out} is complete: it has all {first} steps")
        return
    loader = DataLoader(Views(pairs, images, settings), batch_sampler=batches, num_workers=args.workers, pin_memory=device.type == "cuda")
    seen = args.keys and (args.out / f"keys-{first}-{dist.get_rank()}-of-{world}.txt").open("w", buffering=1)
    started, since = time.perf_counter(), first
    for step, (keys, views) in enumerate(loader, first):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, batches.steps_per_epoch, wanted)
        views = [view.to(device, non_blocking=True) for view in views]
        figures = train_step(model, optimizer, views, generator(settings.seed, step, 1))
        if seen:
            seen.write(f"{step} {' '.join(keys)}\n")
        taken = step + 1
        if taken % wanted.log_steps == 0 or taken == batches.num_steps:
            means = {name: gather(value[None]).mean().item() for name, value in figures.items()}
            seconds = time.perf_counter() - started
            log.write({"step": taken, "epoch": taken / batches.steps_per_epoch, **means, "chance": math.log(1 + wanted.queue),
                       "learning_rate": optimizer.param_groups[0]["lr"], "images_per_second": (taken - since) * wanted.batch / seconds})
            started, since = time.perf_counter(), taken
        if taken % wanted.checkpoint_steps == 0 or taken == batches.num_steps:
            save(args.out / "checkpoint.pth", model, optimizer, taken, taken // batches.steps_per_epoch, run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", type=pathlib.Path)
    parser.add_argument("--shards", type=pathlib.Path, required=True, help="folder that `vidpairs extract` wrote")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the run")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="override a setting")
    parser.add_argument("--workers", type=int, default=4, help="processes that make views, per rank")
    parser.add_argument("--distinct-clips", action="store_true", help="never put two records of a clip into a batch, unlike vidpairs train")
    parser.add_argument("--keys", action="store_true", help="write the keys of the records of every step to RUN/keys-*.txt")
    args = parser.parse_args()
    if "LOCAL_RANK" not in os.environ:
        raise SystemExit("start it with torchrun --nproc-per-node N train_ddp.py ...")
    is_cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if is_cuda else torch.device("cpu")
    if is_cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if is_cuda else "gloo")
    train(args, read_settings(args.pipeline, args.set), device)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
