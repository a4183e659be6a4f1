"""Scores features with the program of the paper's authors and with `vidpairs invariance`, and compares them.

    git clone https://github.com/senthilps8/demystifyssl && git -C demystifyssl checkout 4ba46dd
    python scripts/golden/check_authors.py demystifyssl target/debug/vidpairs

Needs torch 2.11.0, numpy 2.4.6 and hydra-core 1.3.8. Their program prints three decimals, so that is how far both must agree. Prints a line for each
case; stops at the first that fails.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy
import torch

# Half of the last decimal that is printed, and what numbers of 64 bits leave open there.
TOLERANCE = 0.0005 + 1e-9


def cases() -> dict:
    """Features, instances and classes. Their program wants at least 25 units."""
    rng = numpy.random.default_rng(1)

    def sets(num_sets: int, num_classes: int, smallest: int, largest: int) -> tuple:
        sizes = rng.integers(smallest, largest + 1, num_sets)
        instances = numpy.repeat(numpy.arange(num_sets), sizes)
        classes = numpy.repeat(numpy.arange(num_sets) % num_classes, sizes)
        order = rng.permutation(len(instances))
        return instances[order], classes[order]

    def noise(num_images: int, num_units: int) -> numpy.ndarray:
        return rng.standard_normal((num_images, num_units)).astype(numpy.float32)

    found = {}
    instances, classes = sets(60, 12, 5, 9)
    found["noise, 12 classes"] = (noise(len(instances), 64), instances, classes)
    responses = noise(len(instances), 64) + rng.standard_normal((12, 64)).astype(numpy.float32)[classes]
    found["units that know the class"] = (responses, instances, classes)
    found["half of the responses are 0"] = (numpy.maximum(responses, 0), instances, classes)
    found["responses of a few values, many ties"] = (numpy.round(responses), instances, classes)
    with_constants = responses.copy()
    with_constants[:, :3] = [0, 2.5, -1]
    found["constant units"] = (with_constants, instances, classes)
    found["classes with names"] = (responses, instances, numpy.array([f"class {number:02}" for number in classes]))
    instances, classes = sets(80, 7, 1, 4)
    found["sets of 1 and 2 among others"] = (noise(len(instances), 40), instances, classes)
    instances, _ = sets(100, 1, 6, 6)
    found["100 objects, no classes"] = (noise(len(instances), 128), instances, None)
    instances, classes = sets(40, 2, 3, 8)
    found["2 classes"] = (noise(len(instances), 25), instances, classes)
    instances, _ = sets(72, 1, 72, 72)
    objects = noise(72, 512)[instances]
    found["72 objects of 72 views, 512 units"] = (objects + noise(len(instances), 512), instances, None)
    return found


def theirs(clone: pathlib.Path, folder: pathlib.Path, feat, instances, classes) -> list:
    data = {"feat": feat, "instance": list(instances)}
    if classes is not None:
        data["classes"] = list(classes)
    torch.save(data, folder / "alldata.pth")
    command = [sys.executable, "measure_invariances.py", "dataset=got", f"dataset.save_dir={folder}",
               "hydra.output_subdir=null", f"hydra.run.dir={folder}"]
    # Their file holds numpy's arrays; their program is older than what warns about it.
    environment = os.environ | {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "PYTHONWARNINGS": "ignore"}
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=clone, env=environment).stdout
    return [float(score) for score in re.search(r"0010: (\S+) 0025: (\S+)", said).groups()]


def ours(vidpairs: str, folder: pathlib.Path, feat, instances, classes) -> list:
    arrays = {"feat": feat, "instance": instances}
    if classes is not None:
        arrays["class"] = classes
    numpy.savez(folder / "features.npz", **arrays)
    command = [vidpairs, "invariance", "--features", folder / "features.npz", "--out", folder / "out", "--json", "--quiet"]
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    scores = answer["panels"][0]["models"][0]["scores"]
    found = {score["k"]: score for score in scores if score["version"] == "published-code"}
    return [found[k]["value"] for k in (10, 25)]


def main(clone: str, vidpairs: str) -> None:
    vidpairs = str(pathlib.Path(vidpairs).resolve())
    for name, data in cases().items():
        with tempfile.TemporaryDirectory() as folder:
            expected = theirs(pathlib.Path(clone).resolve(), pathlib.Path(folder), *data)
            found = ours(vidpairs, pathlib.Path(folder), *data)
        assert numpy.allclose(found, expected, rtol=0, atol=TOLERANCE), (name, found, expected)
        print(f"{name}: top 10 {expected[0]:.3f}, top 25 {expected[1]:.3f}; ours {found[0]:.6f}, {found[1]:.6f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
