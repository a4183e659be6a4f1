#!/usr/bin/env python3
"""Trains VICReg (Bardes et al. 2022) on several views of each stored pair, with lightly.

usage: multi_view.py --shards DIR --out FILE.pth [--epochs 100] [--batch 256] [--size 224] [--network resnet50]

Needs `pip install lightly`, and the package vidpairs. Of anchor and positive, `--views` views each are made; the loss compares each view
of the anchor with each view of the positive. The weights load in torchvision, and in `vidpairs invariance`, `probe` and `export`.
"""
import argparse
import itertools
import os
import pathlib

import torch
import torchvision
from lightly.loss import VICRegLoss
from lightly.models.modules.heads import VICRegProjectionHead
from lightly.transforms.vicreg_transform import VICRegViewTransform
from lightly.utils.scheduler import CosineWarmupScheduler
from torch import Tensor, nn
from torch.utils.data import DataLoader
from vidpairs import ClipBatchSampler, PairDataset


class PairViews:
    """Views of the anchor, then as many of the positive. Data sets of kind `images` store only the anchor."""

    def __init__(self, size: int, num_views: int):
        self.view, self.num_views = VICRegViewTransform(input_size=size), num_views

    def __call__(self, record: dict) -> list[Tensor]:
        images = record["anchor"], record.get("positive", record["anchor"])
        return [self.view(image) for image in images for _ in range(self.num_views)]


def train(args: argparse.Namespace, device: torch.device) -> nn.Module:
    pairs = PairDataset(args.shards, decode="pil", roles=("anchor", "positive"), transform=PairViews(args.size, args.views))
    # Pairs of one clip look alike, so no batch has two of them.
    batches = ClipBatchSampler(pairs, args.batch)
    loader = DataLoader(pairs, batch_sampler=batches, num_workers=args.workers, pin_memory=device.type == "cuda")
    trunk = getattr(torchvision.models, args.network)()
    features, trunk.fc = trunk.fc.in_features, nn.Identity()
    model = nn.Sequential(trunk, VICRegProjectionHead(features, 2048, 2048, num_layers=3)).to(device)
    criterion = VICRegLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3 * args.batch / 256, weight_decay=1e-4)
    scheduler = CosineWarmupScheduler(optimizer, warmup_epochs=args.epochs * len(loader) // 10, max_epochs=args.epochs * len(loader))
    for epoch in range(args.epochs):
        batches.set_epoch(epoch)
        total = 0.0
        for views in loader:
            embedded = [model(view.to(device, non_blocking=True)) for view in views]
            compared = itertools.product(embedded[:args.views], embedded[args.views:])
            loss = sum(criterion(anchor, positive) for anchor, positive in compared) / args.views**2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(loader):.2f}", flush=True)
    return trunk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=pathlib.Path, required=True, help="folder that `vidpairs extract` wrote")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="file of the weights, under torchvision's names")
    for name, default in (("epochs", 100), ("batch", 256), ("size", 224), ("views", 2), ("workers", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--network", default="resnet50", help="a ResNet of torchvision")
    args = parser.parse_args()
    if args.out.is_dir():
        raise SystemExit(f"--out {args.out} is a folder; expected a file such as {args.out / 'weights.pth'}")
    # Opened before the training, which would be in vain if the file cannot be written.
    args.out.parent.mkdir(parents=True, exist_ok=True)
    part = args.out.with_name(args.out.name + ".part")
    with part.open("wb") as file:
        trunk = train(args, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        torch.save(trunk.state_dict(), file)
    os.replace(part, args.out)


if __name__ == "__main__":
    main()
