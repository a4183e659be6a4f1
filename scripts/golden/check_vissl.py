"""Loads what `vidpairs export --to vissl` writes with VISSL itself, and compares its features with torchvision's.

    python -m venv venv && venv/bin/pip install torch==2.11.0 torchvision==0.26.0 numpy pyyaml \
        "setuptools<81" wheel iopath scikit-learn tabulate parameterized submitit
    venv/bin/pip install --no-deps vissl==0.1.6 hydra-core==1.0.7 omegaconf==2.0.6
    venv/bin/pip install --no-build-isolation fvcore==0.1.3.post20210317
    venv/bin/python scripts/golden/check_vissl.py target/debug/vidpairs

With Python 3.11. VISSL's last release is of 2021. What it asks of the torch and numpy of that time, and what has gone since, is put back below;
nothing of that touches weights. Prints a line for each network; stops at the first that fails.
"""

import collections.abc
import logging
import math
import pathlib
import subprocess
import sys
import tempfile
import types
import warnings

import numpy
import torch
import torchvision
import yaml


def bring_back_2021() -> None:
    kinetics = torchvision.datasets.kinetics
    kinetics.Kinetics400 = kinetics.Kinetics
    six = types.ModuleType("torch._six")
    six.string_classes, six.int_classes, six.inf = (str, bytes), int, math.inf
    six.container_abcs = collections.abc
    sys.modules["torch._six"] = six
    for name, kind in {"float": float, "int": int, "object": object}.items():
        if not hasattr(numpy, name):
            setattr(numpy, name, kind)


def merge(into: dict, other: dict) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def settings(depth: int):
    """VISSL's defaults, and what its `feature_extraction/trunk_only/rn50_res5.yaml` sets: the pooled output of the trunk."""
    import configs
    import vissl.config

    folder = pathlib.Path(vissl.config.__file__).parent
    values = yaml.safe_load((folder / "defaults.yaml").read_text())
    trunk_only = pathlib.Path(configs.__file__).parent / "config/feature_extraction/trunk_only/rn50_res5.yaml"
    merge(values, yaml.safe_load(trunk_only.read_text()))
    values["config"]["MODEL"]["TRUNK"]["RESNETS"]["DEPTH"] = depth
    return vissl.config.AttrDict(values).config


def check(vidpairs: str, folder: pathlib.Path, depth: int) -> None:
    from vissl.models import build_model
    from vissl.utils.checkpoint import CheckpointLoader, init_model_from_consolidated_weights

    torch.manual_seed(depth)
    theirs = torchvision.models.get_model(f"resnet{depth}").eval()
    for name, tensor in theirs.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            tensor.uniform_(0.5, 1.5)
    source, out = folder / f"{depth}.pth", folder / f"{depth}.torch"
    torch.save(theirs.state_dict(), source)
    command = [vidpairs, "export", "--weights", source, "--to", "vissl", "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    config = settings(depth)
    model = build_model(config.MODEL, config.OPTIMIZER)
    init = config.MODEL.WEIGHTS_INIT
    stored = CheckpointLoader.load_and_broadcast_init_weights(str(out), torch.device("cpu"))
    model = init_model_from_consolidated_weights(
        config, model, stored, init.STATE_DICT_KEY_NAME, init.SKIP_LAYERS, init.REMOVE_PREFIX, init.APPEND_PREFIX
    )
    trunk = {name: tensor for name, tensor in theirs.state_dict().items() if not name.startswith("fc.")}
    loaded = {name.split("_feature_blocks.")[-1]: tensor for name, tensor in model.state_dict().items()}
    for name, tensor in trunk.items():
        # VISSL leaves the count of batches out: nothing depends on it.
        assert name.endswith("num_batches_tracked") or torch.equal(loaded[name], tensor), name
    theirs.fc = torch.nn.Identity()
    images = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = model.eval()(images)[0].flatten(1)
        # VISSL's ResNet is torchvision's own.
        assert torch.equal(found, theirs(images)), (found - theirs(images)).abs().max()
    print(f"resnet{depth}: VISSL loads it, all numbers the same, and its features are torchvision's to the last bit")


def main(vidpairs: str) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    bring_back_2021()
    with tempfile.TemporaryDirectory() as name:
        for depth in (50, 101):
            check(vidpairs, pathlib.Path(name), depth)


if __name__ == "__main__":
    main(sys.argv[1])
