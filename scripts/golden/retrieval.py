#!/usr/bin/env python3
"""What NumPy finds in 64 bits for crates/vidpairs-invariance/tests/measure/retrieval.rs: nearest neighbours across the transformation.

usage: retrieval.py OUT_DIR      (tests/golden/retrieval; packages: scripts/golden/requirements.txt)

Features are not stored: `features` makes them from a formula on both sides, exact in 32 bits. A case has objects of several images, one
object of one image, and some images of zeros. In the cases named after a `SHARED` part, all features have that part besides, far larger than
what tells them apart.
"""
import json
import pathlib
import sys

import numpy

OBJECTS = 40


def drawn(count, start):
    """Numbers between -1 and 1 that a test can make too: whole multiples of 2^-15."""
    mixed = (numpy.arange(count, dtype=numpy.uint64) + numpy.uint64(start)) * numpy.uint64(0x9E3779B1) & numpy.uint64(0xFFFFFFFF)
    mixed = (mixed ^ mixed >> numpy.uint64(15)) * numpy.uint64(0x2C1B3C6D) & numpy.uint64(0xFFFFFFFF)
    return (mixed >> numpy.uint64(16)).astype(numpy.float64) / 32768 - 1


def features(views, units):
    """Of each image an object's numbers, half of its view's and half of its own; of every hundredth, zeros."""
    objects = drawn(OBJECTS * units, 0).reshape(OBJECTS, 1, units)
    sides = drawn(views * units, 100_000).reshape(1, views, units)
    own = drawn(OBJECTS * views * units, 200_000).reshape(OBJECTS, views, units)
    rows = (objects + 0.5 * sides + 0.5 * own).reshape(-1, units)
    # The last object has one image.
    rows = rows[: (OBJECTS - 1) * views + 1]
    rows[50::100] = 0
    return rows


def with_shared(rows, views, shared):
    """The rows with a large part that they share, rounded to 32 bits as a file of features is."""
    rows, images = rows.copy(), numpy.arange(len(rows))
    if shared == "offset":
        rows += 1e4
    elif shared == "component":
        rows[:, 0] = 1e4
    elif shared == "two-components":
        rows[:, 0] = numpy.where(images // views % 2 == 0, 1e4, -1e4)
    return rows.astype(numpy.float32).astype(numpy.float64)


def azimuths_near(a, b, under):
    apart = numpy.abs(a - b) % 360
    return numpy.minimum(apart, 360 - apart) < under


def never_near(a, b):
    return numpy.zeros(numpy.broadcast(a, b).shape, bool)


def case(name, views, units, near):
    rows = with_shared(features(views, units), views, name)
    places = numpy.arange(len(rows))
    targets, view = places // views, places % views
    lengths = numpy.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / numpy.where(lengths > 0, lengths, 1)
    cosines = unit @ unit.T
    is_near = near(view[:, None], view[None, :]) | (places[:, None] == places[None, :])
    cosines[is_near] = -numpy.inf
    same = (targets[:, None] == targets[None, :]) & ~is_near
    scored = same.any(axis=1)
    found = (targets[cosines.argmax(axis=1)] == targets) & (lengths[:, 0] > 0) & scored
    chance = same[scored].sum(axis=1) / (~is_near[scored]).sum(axis=1)
    return {
        "name": name,
        "views": views,
        "units": units,
        "num_queries": int(scored.sum()),
        "num_found": int(found.sum()),
        "num_alone": int((~scored).sum()),
        "num_zeros": int((scored & (lengths[:, 0] == 0)).sum()),
        "chance": float(chance.mean()),
        "found_of_target": [int(found[targets == target].sum()) for target in range(OBJECTS)],
    }


def main(out):
    cases = [
        case("azimuth", 24, 24, lambda a, b: azimuths_near(15 * a, 15 * b, 60)),
        case("same-light", 12, 9, lambda a, b: a == b),
        case("itself", 30, 6, never_near),
        case("wide", 10, 700, lambda a, b: azimuths_near(36 * a, 36 * b, 100)),
        case("offset", 24, 24, never_near),
        case("component", 24, 24, never_near),
        case("two-components", 24, 24, never_near),
    ]
    out.mkdir(parents=True, exist_ok=True)
    made = {"made_with": f"numpy {numpy.__version__}", "cases": cases}
    (out / "cases.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
