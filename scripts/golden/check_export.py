"""Loads what `vidpairs export` writes with the libraries that it is for, and compares every number.

    python scripts/golden/check_export.py target/debug/vidpairs

Needs torch, torchvision, timm, numpy and safetensors. Prints a line for each check; stops at the first that fails.
"""

import json
import pathlib
import pickle
import subprocess
import sys
import tempfile
import warnings

import numpy
import safetensors.torch
import timm
import torch
import torchvision


def export(vidpairs: str, weights: pathlib.Path, to: str, out: pathlib.Path) -> pathlib.Path:
    command = [vidpairs, "export", "--weights", weights, "--to", to, "--out", out, "--json"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert answer["bytes"] == out.stat().st_size
    return out


def same(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def moco(path: pathlib.Path, arch: str, trunk: dict) -> None:
    """The steps of main_lincls.py --pretrained, in own words."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    assert checkpoint["arch"] == arch
    prefix = "module.encoder_q."
    stripped = {name.removeprefix(prefix): tensor for name, tensor in checkpoint["state_dict"].items()}
    assert all(name.startswith(prefix) for name in checkpoint["state_dict"])
    model = torchvision.models.get_model(arch)
    outcome = model.load_state_dict(stripped, strict=False)
    assert set(outcome.missing_keys) == {"fc.weight", "fc.bias"} and not outcome.unexpected_keys
    assert same(stripped, trunk)


def torchvision_names(state: dict, arch: str, trunk: dict) -> None:
    assert same(state, trunk)
    model = torchvision.models.get_model(arch)
    model.fc = torch.nn.Identity()
    model.load_state_dict(state, strict=True)
    other = timm.create_model(arch, num_classes=0)
    other.load_state_dict(state, strict=True)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(model.eval()(image), other.eval()(image), atol=1e-5)


def detectron2(path: pathlib.Path, trunk: dict) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stored = pickle.loads(path.read_bytes(), encoding="latin1")
    assert stored["matching_heuristics"] is True and isinstance(stored["__author__"], str)
    expected = {}
    for name, tensor in trunk.items():
        # As the table of docs/WEIGHTS.md has them.
        name = name if name.startswith("layer") else f"stem.{name}"
        for stage in range(4, 0, -1):
            name = name.replace(f"layer{stage}.", f"res{stage + 1}.")
        for place in (1, 2, 3):
            name = name.replace(f"bn{place}.", f"conv{place}.norm.")
        name = name.replace("downsample.0.", "shortcut.").replace("downsample.1.", "shortcut.norm.")
        expected[name] = tensor.numpy()
    assert stored["model"].keys() == expected.keys()
    for name, array in expected.items():
        got = stored["model"][name]
        assert got.dtype == array.dtype and got.shape == array.shape and numpy.array_equal(got, array), name
        torch.from_numpy(got)


def vissl(path: pathlib.Path, trunk: dict) -> None:
    model = torch.load(path, weights_only=True)["classy_state_dict"]["base_model"]["model"]
    assert model.keys() == {"trunk", "heads"} and model["heads"] == {}
    assert same({name.removeprefix("_feature_blocks."): tensor for name, tensor in model["trunk"].items()}, trunk)


def main(vidpairs: str) -> None:
    torch.manual_seed(0)
    for arch in ("resnet18", "resnet50"):
        state = torchvision.models.get_model(arch).state_dict()
        for name, tensor in state.items():
            if name.endswith(("running_mean", "running_var")):
                tensor.uniform_(0.5, 1.5)
        trunk = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
        checkpoint = {"epoch": 1, "arch": arch, "optimizer": {"state": {}}, "state_dict": {
            f"module.encoder_{which}.{name}": tensor if which == "q" else tensor + 1
            for which in "kq" for name, tensor in state.items()
        }}
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            sources = {kind: folder / kind for kind in ("zip", "legacy", "safetensors")}
            torch.save(checkpoint, sources["zip"])
            torch.save(checkpoint, sources["legacy"], _use_new_zipfile_serialization=False)
            safetensors.torch.save_file(state, sources["safetensors"])
            for kind, source in sources.items():
                moco(export(vidpairs, source, "moco", folder / f"{kind}.pth.tar"), arch, trunk)
                detectron2(export(vidpairs, source, "detectron2", folder / f"{kind}.pkl"), trunk)
                vissl(export(vidpairs, source, "vissl", folder / f"{kind}.torch"), trunk)
                path = export(vidpairs, source, "torchvision", folder / f"{kind}.pth")
                torchvision_names(torch.load(path, weights_only=True), arch, trunk)
                torchvision_names(torch.load(path, weights_only=True, mmap=True), arch, trunk)
                path = export(vidpairs, source, "torchvision", folder / f"{kind}.safetensors")
                torchvision_names(safetensors.torch.load_file(path), arch, trunk)
                print(f"{arch} from {kind}: moco, detectron2, vissl, torchvision and timm load it, all numbers the same")


if __name__ == "__main__":
    main(sys.argv[1])
