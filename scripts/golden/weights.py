"""Writes the files of tests/golden/weights: small checkpoints as PyTorch writes them.

    python scripts/golden/weights.py tests/golden/weights

Needs torch, numpy and safetensors; tests/golden/weights/README.md names the versions that made what is
committed. Values are sines of their place, so that every tensor differs and every run gives the same.
"""

import argparse
import collections
import os
import pathlib
import pickle
import sys

import numpy
import torch
from safetensors.torch import save_file


def sines(*shape: int, start: int = 0) -> torch.Tensor:
    count = int(numpy.prod(shape, dtype=numpy.int64))
    return torch.arange(start, start + count, dtype=torch.float64).sin().float().reshape(shape)


def resnet18_of_width_one() -> dict[str, torch.Tensor]:
    """Names, order and shapes of torchvision's resnet18 with one channel where that has 64."""
    state: dict[str, torch.Tensor] = {}

    def conv(name: str, to: int, of: int, kernel: int) -> None:
        state[f"{name}.weight"] = sines(to, of, kernel, kernel, start=len(state))

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{part}"] = sines(channels, start=len(state)).abs()
        state[f"{name}.num_batches_tracked"] = torch.tensor(len(state))

    conv("conv1", 1, 3, 3)
    norm("bn1", 1)
    channels = 1
    for layer in (1, 2, 3, 4):
        width = 2 ** (layer - 1)
        for block in (0, 1):
            name = f"layer{layer}.{block}"
            conv(f"{name}.conv1", width, channels, 3)
            norm(f"{name}.bn1", width)
            conv(f"{name}.conv2", width, width, 3)
            norm(f"{name}.bn2", width)
            if channels != width:
                conv(f"{name}.downsample.0", width, channels, 1)
                norm(f"{name}.downsample.1", width)
            channels = width
    return state


def moco_checkpoint() -> dict:
    """What main_moco.py of facebookresearch/moco saves, both encoders, the queue and the optimiser."""
    trunk = resnet18_of_width_one()
    state = collections.OrderedDict()
    for encoder in ("encoder_q", "encoder_k"):
        for name, tensor in trunk.items():
            same = encoder == "encoder_q" or not tensor.is_floating_point()
            state[f"module.{encoder}.{name}"] = tensor if same else tensor + 1
        state[f"module.{encoder}.fc.0.weight"] = sines(8, 8)
        state[f"module.{encoder}.fc.0.bias"] = sines(8)
    state["module.queue"] = sines(8, 4)
    state["module.queue_ptr"] = torch.zeros(1, dtype=torch.int64)
    return {
        "epoch": 200,
        "arch": "resnet18",
        "state_dict": state,
        "optimizer": {"state": {0: {"momentum_buffer": sines(3)}}, "param_groups": [{"lr": 0.03, "params": [0]}]},
    }


def kinds() -> dict:
    """A tensor of each kind, views, a parameter, shared storages, and things that are no tensors."""
    base = sines(4, 6)
    shared = sines(6)
    return {
        "model": {
            "f64": base.double(),
            "f32": base,
            "f16": base.half(),
            "bf16": base.bfloat16(),
            "i64": torch.arange(-2, 4),
            "i32": torch.arange(3, dtype=torch.int32),
            "i16": torch.arange(3, dtype=torch.int16),
            "i8": torch.arange(-1, 2, dtype=torch.int8),
            "u8": torch.arange(250, 256).to(torch.uint8),
            "bool": torch.tensor([True, False, True]),
            "scalar": torch.tensor(7.5),
            "empty": torch.zeros(0, 3),
            "transposed": base.t(),
            "every_other": base[1:4:2, ::3],
            "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
            "parameter": torch.nn.Parameter(base[0]),
            "shared_head": shared[:2],
            "shared_tail": shared[2:],
            "complex": torch.tensor([1 + 2j]),
            "nested": {"inner": sines(2)},
            "version": 3,
        },
        "args": argparse.Namespace(lr=0.1, name="a run", milestones=[1, 2]),
        "best": numpy.float64(0.5),
        "text": "state_dict",
        "big": 2**80,
        "bytes": b"\x00\xff",
        "set": {1, 2},
        "device": torch.device("cpu"),
        "size": torch.Size([1, 2]),
        "dtype": torch.float16,
        "none": None,
    }


class Malicious:
    """Makes a reader that calls what a pickle names create a file in its folder."""

    def __reduce__(self):
        return os.system, ("touch pickle-was-run",)


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, everything = moco_checkpoint(), kinds()
    # The stream has no room for both encoders below the limit of the folder.
    query_only = {"state_dict": {k: v for k, v in checkpoint["state_dict"].items() if "encoder_q" in k}}
    torch.save(checkpoint, folder / "moco.pth.tar")
    torch.save(query_only, folder / "moco_legacy.pth.tar", _use_new_zipfile_serialization=False)
    torch.save(everything, folder / "kinds.pth")
    torch.save(everything, folder / "kinds_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(everything, folder / "kinds_protocol4.pth", pickle_protocol=4)
    torch.save({"state_dict": {"w": sines(2)}, "extra": Malicious()}, folder / "malicious_beside.pth")
    torch.save({"state_dict": Malicious()}, folder / "malicious_instead.pth")
    torch.save(torch.nn.Linear(2, 2), folder / "module.pth")
    (folder / "plain.pkl").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    trunk = {"classy_state_dict": {"base_model": {"model": {
        "trunk": {f"_feature_blocks.{name}": sines(1) for name in ("conv1.weight", "bn1.weight", "layer1.0.conv1.weight")},
        "heads": {"0.clf.0.weight": sines(1)},
    }}}}
    torch.save(trunk, folder / "vissl.torch")
    flat = {name: tensor.contiguous() for name, tensor in everything["model"].items()
            if isinstance(tensor, torch.Tensor) and not tensor.is_complex()}
    save_file({name: tensor.clone() for name, tensor in flat.items()}, folder / "kinds.safetensors",
              metadata={"made_by": "safetensors"})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
