#!/usr/bin/env python3
"""Trains a small network for one epoch with lightly-train on `vidpairs export --to folder`.

usage: pretrain_lightly.py FOLDER OUT
"""
import sys

import lightly_train

if __name__ == "__main__":
    lightly_train.pretrain(
        out=sys.argv[2],
        data=sys.argv[1],
        model="torchvision/resnet18",
        method="dino",
        epochs=1,
        batch_size=16,
        num_workers=1,
        accelerator="cpu",
        transform_args={"image_size": (32, 32), "local_view": None},
    )
