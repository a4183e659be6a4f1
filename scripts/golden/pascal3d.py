#!/usr/bin/env python3
"""Annotations of PASCAL3D+ as scipy writes them: the golden files of crates/vidpairs-source/src/image_sets/pascal3d.

usage: pascal3d.py OUT_DIR        (tests/golden/pascal3d; requirements.txt has the versions)

Writes into OUT_DIR:
  imagenet.mat   compressed: one object, every field of the release, structs in structs, a cell, a logical mask
  pascal.mat     not compressed: three objects; the second has no viewpoint, the third only coarse angles
  absent.mat     compressed: two objects; fields that are not there at all, a column where a row is usual, integers
  no-objects.mat compressed: `objects` is empty
  stranger.mat   compressed: variables, but none of the name `record`
  contents.json  the version, and for each file with a `record` its objects as scipy reads them back; null where a value
                 is absent or empty
"""
import json
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy.io import loadmat, savemat

EMPTY = np.zeros((0, 0))
ANGLES = ["azimuth_coarse", "elevation_coarse", "azimuth", "elevation", "distance"]


def structs(*items):
    """A 1 x N array of structs, all with the fields of the first."""
    array = np.zeros((1, len(items)), dtype=[(name, object) for name in items[0]])
    for index, item in enumerate(items):
        for name, value in item.items():
            array[0, index][name] = value
    return array


def viewpoint(azimuth_coarse, elevation_coarse, azimuth, elevation, distance):
    values = dict(zip(ANGLES, [azimuth_coarse, elevation_coarse, azimuth, elevation, distance]))
    return {**values, "focal": 1.0, "px": 250.5, "py": 187.25, "theta": -3.5, "error": 4.75, "interval_azimuth": 15.0,
            "interval_elevation": 15.0, "num_anchor": 6.0, "viewport": 3000.0}


def anchor(status, location):
    return {"status": status, "location": location}


def written_object(name, bbox, view):
    mask = np.arange(30).reshape(5, 6) % 3 == 0
    parts = np.empty((1, 2), dtype=object)
    parts[0, :] = ["wheel", np.array([[1.0, 2.0], [3.0, 4.0]])]
    return {"class": name, "view": "", "truncated": 0.0, "occluded": True, "difficult": 0.0, "bbox": bbox, "mask": mask,
            "part": parts, "viewpoint": view, "cad_index": 3.0,
            "anchors": {"left_front_wheel": anchor(1.0, np.array([[10.5, 20.25]])),
                        "right_back_trunk": anchor(2.0, EMPTY)}}


def record(filename, objects):
    return {"folder": "car_imagenet", "filename": filename, "source": {"database": "written by a script"},
            "size": {"width": 500.0, "height": 375.0, "depth": 3.0}, "segmented": 0.0,
            "imgsize": np.array([[500.0, 375.0, 3.0]]), "objects": objects}


def number(value):
    value = np.asarray(value)
    return float(value.flat[0]) if value.size else None


def content(loaded):
    """What is in `record.objects`, read back by scipy."""
    if loaded.dtype.names is None or "objects" not in loaded.dtype.names:
        return []
    objects = loaded["objects"][0, 0]
    result = []
    for item in objects.flatten() if objects.dtype.names else []:
        names = item.dtype.names
        view = item["viewpoint"] if "viewpoint" in names else EMPTY
        angles = None
        if view.size and view.dtype.names:
            first = view.flatten()[0]
            angles = {name: number(first[name]) if name in view.dtype.names else None for name in ANGLES}
        bbox = item["bbox"] if "bbox" in names else EMPTY
        name = item["class"] if "class" in names else EMPTY
        result.append({"class": str(name.flat[0]) if name.size else None,
                       "bbox": [float(it) for it in bbox.flatten()] if bbox.size else None, "viewpoint": angles})
    return result


def main(out):
    fine = viewpoint(240.0, 15.0, 238.3125, 12.0625, 7.5)
    bbox = np.array([[24.0, 31.5, 480.25, 350.0]])
    files = {
        "imagenet": (True, record("n02814533_1.JPEG", structs(written_object("car", bbox, fine)))),
        "pascal": (False, record("2008_000001.jpg", structs(
            written_object("car", bbox, viewpoint(-30.0, -15.0, 329.5, -14.25, 5.0)),
            written_object("person", bbox + 1, EMPTY),
            written_object("car", np.array([[-3.0, 100.0, 600.0, 400.0]]), viewpoint(75.0, 30.0, 0.0, 0.0, 0.0))))),
        "absent": (True, {"objects": structs(
            {"bbox": np.array([[1], [2], [300], [200]], dtype=np.int16), "class": "bus",
             "viewpoint": {"azimuth_coarse": np.uint8(90), "elevation": EMPTY}},
            {"bbox": EMPTY, "class": "", "viewpoint": {"azimuth_coarse": EMPTY, "elevation": 5.0}})}),
        "no-objects": (True, record("n1_1.JPEG", EMPTY)),
        "stranger": (True, {"a": 1.0, "b": "two"}),
    }
    contents = {}
    for name, (compressed, value) in files.items():
        path = out / f"{name}.mat"
        variables = value if name == "stranger" else {"record": value}
        savemat(path, variables, do_compression=compressed, oned_as="row")
        # The head states the platform and the time, so that no two runs would write the same bytes.
        data = path.read_bytes()
        path.write_bytes(f"{'MATLAB 5.0 MAT-file Platform: posix, written by scipy':<116}".encode() + data[116:])
        if name != "stranger":
            contents[name] = content(loadmat(path)["record"])
    text = json.dumps({"scipy": scipy.__version__, "objects": contents}, indent=1)
    (out / "contents.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
