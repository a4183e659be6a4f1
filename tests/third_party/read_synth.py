"""Reads what vidpairs renders with programs that know nothing of it; prints JSON.

usage: read_synth.py mat FILE             a MATLAB file, through scipy
       read_synth.py pascal3d ROOT        every annotation of a PASCAL3D+, through scipy
       read_synth.py got10k ROOT SUBSET   a split of GOT-10k, through its own toolkit
"""

import json
import os
import pathlib
import sys

import numpy
import scipy.io
from got10k.datasets import GOT10k


def mat(path):
    """The header, the whole of `record`, and what public loaders of PASCAL3D+ ask of it."""
    found = scipy.io.loadmat(path)
    record = found["record"]
    return {
        "header": found["__header__"].decode(),
        "record": plain(record),
        "loaders": loaders(record),
        "squeezed": squeezed(path),
    }


def pascal3d(root):
    """What loaders ask of each annotation, by its path below `Annotations` without `.mat`."""
    top = pathlib.Path(root, "Annotations")
    paths = {path.relative_to(top).with_suffix("").as_posix(): path for path in top.rglob("*.mat")}
    return {name: loaders(scipy.io.loadmat(path)["record"]) for name, path in paths.items()}


def loaders(record):
    objects = record["objects"][0, 0]
    return {
        "filename": record["filename"][0, 0][0],
        "imgsize": record["imgsize"][0, 0][0].tolist(),
        "objects": [as_loaders_do(objects[0, i]) for i in range(objects.shape[1])],
    }


def as_loaders_do(item):
    viewpoint = item["viewpoint"][0, 0]
    return {
        "class": item["class"][0],
        "bbox": item["bbox"][0].tolist(),
        "truncated": item["truncated"][0, 0].item(),
        "cad_index": int(item["cad_index"][0, 0]),
        "azimuth": viewpoint["azimuth"][0, 0].item(),
        "azimuth_item": viewpoint["azimuth"].item(),
        "elevation": viewpoint["elevation"][0, 0].item(),
        "distance": viewpoint["distance"][0][0].item(),
        "anchors": list(item["anchors"].shape),
    }


def squeezed(path):
    """Classes and azimuths by the other way that loaders go: attributes, no dimensions of one."""
    found = scipy.io.loadmat(path, squeeze_me=True, struct_as_record=False)
    objects = numpy.atleast_1d(found["record"].objects)
    return [[item.__dict__["class"], item.viewpoint.azimuth] for item in objects]


def plain(value):
    """Arrays of structs as lists of dicts, other arrays as what they hold."""
    if value.dtype.names:
        names = value.dtype.names
        return [{name: plain(item[name]) for name in names} for item in value.flat]
    if value.dtype.kind == "U":
        return "".join(value.flat)
    if value.dtype.kind == "O":
        # An array of no structs has no fields either.
        assert value.size == 0, value
        return []
    assert value.dtype == numpy.float64, value.dtype
    return {"shape": list(value.shape), "values": value.ravel().tolist()}


def got10k(root, subset):
    """Name, files, boxes, labels and meta of every sequence, in the order of the list."""
    dataset = GOT10k(root, subset=subset, return_meta=True)
    return [sequence(dataset, index) for index in range(len(dataset))]


def sequence(dataset, index):
    # For the test split the toolkit leaves the meta out.
    files, boxes, *meta = dataset[index]
    labels = ("cover", "absence", "cut_by_image")
    meta = meta[0] if meta else {}
    return {
        "name": dataset.seq_names[index],
        "frames": [os.path.basename(file) for file in files],
        "boxes": boxes.tolist(),
        "labels": {name: meta[name].tolist() for name in labels if name in meta},
        "meta": {key: value for key, value in meta.items() if key not in labels},
    }


def main():
    command, *arguments = sys.argv[1:]
    commands = {"mat": mat, "pascal3d": pascal3d, "got10k": got10k}
    print(json.dumps(commands[command](*arguments)))


if __name__ == "__main__":
    main()
