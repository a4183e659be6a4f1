#!/usr/bin/env python3
"""Training steps of ResNet-18 on the CPU, ours beside PyTorch's, in turns: images a second and their ratio.

usage: train.py [--rounds N] [--threads N] STEP      (STEP: the program of crates/vidpairs-learn/examples/step.rs, release build)

A step is MoCo's on random images: the key encoder follows and encodes, the query encoder encodes, cross-entropy over the batch's
keys, backward, SGD with momentum and weight decay. PyTorch has its images and weights channels-last. Needs torch and torchvision
of scripts/golden/requirements.txt, the version that libtorch is of.
"""
import argparse
import copy
import statistics
import subprocess
import sys
import time

SIZES = [(64, 128), (112, 64), (224, 16)]
STEPS = 7


def pytorch(side, batch, threads):
    import torch
    import torch.nn.functional as F
    import torchvision

    torch.set_num_threads(threads)
    query = torchvision.models.resnet18(num_classes=128).to(memory_format=torch.channels_last)
    key = copy.deepcopy(query).requires_grad_(False)
    optimizer = torch.optim.SGD(query.parameters(), 0.03, momentum=0.9, weight_decay=1e-4)
    images = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
    seconds = []
    for _ in range(STEPS):
        start = time.perf_counter()
        with torch.no_grad():
            for k, q in zip(key.parameters(), query.parameters()):
                k.mul_(0.999).add_(q, alpha=0.001)
            keys = F.normalize(key(images), dim=1)
        queries = F.normalize(query(images), dim=1)
        loss = F.cross_entropy(queries @ keys.T / 0.2, torch.arange(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return batch / statistics.median(seconds)


def ours(program, side, batch, threads):
    command = [program, str(side), str(batch), str(threads), str(STEPS)]
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(line.split("=")[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("step", nargs="?")
    args = parser.parse_args()
    if args.one:
        print(pytorch(*args.one))
        return
    if not args.step:
        parser.error("name the program of crates/vidpairs-learn/examples/step.rs")
    print("| side, batch | vidpairs, images/s | PyTorch, images/s | ratio |\n|---|---|---|---|")
    for side, batch in SIZES:
        both = []
        for _ in range(args.rounds):
            a = ours(args.step, side, batch, args.threads)
            # A process of its own, as ours is.
            command = [sys.executable, __file__, "--one", str(side), str(batch), str(args.threads)]
            b = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            both.append((a, b))
        a, b = (statistics.median(x) for x in zip(*both))
        print(f"| {side} px, {batch} | {a:.0f} | {b:.0f} | {statistics.median(x / y for x, y in both):.2f} |")


if __name__ == "__main__":
    main()
