#!/usr/bin/env python3
"""The Representation Invariance Score as it is defined, written in NumPy: the golden numbers of crates/vidpairs-invariance/tests/measure/golden.rs.

usage: invariance.py OUT_DIR        (tests/golden/invariance; NumPy as in requirements.txt)

Writes into OUT_DIR:
  features.f32   the features of all cases, little endian, row-major, images x units
  cases.json     the version of NumPy; of every case the labels, the place of its features, and what each version gives

formula and goodfellow follow the definitions of Purushwalkam and Gupta 2020 and Goodfellow et al. 2009 with the choices that
are documented at `invariance::Version`; published_code follows the steps of the authors' program. Everything is in 64 bits and written
for the eye, unit by unit and set by set. Random numbers are NumPy's, with a fixed seed.
"""
import json
import sys
from pathlib import Path

import numpy as np

TOP = [1, 10, 25]
TOP_SHARE = 0.2


def sets_of(instance, classes):
    """For each set, in the order of first appearance: its images, and the class of the first of them."""
    images = {}
    for image, name in enumerate(instance):
        images.setdefault(name, []).append(image)
    return [(np.array(found), classes[found[0]]) for found in images.values()]


def threshold(values, num_fired):
    """The smallest of the values above which at most `num_fired` lie."""
    return next(t for t in np.unique(values) if np.count_nonzero(values > t) <= num_fired)


def is_larger(negative, positive):
    return negative > positive * (1 + 1e-12)


def formula(features, instance, classes):
    sets = sets_of(instance, classes)
    targets = sorted({target for _, target in sets})
    rate = 1 / len(targets)
    invariance = np.zeros((features.shape[1], len(targets)))
    for unit in range(features.shape[1]):
        by_sign = {}
        for sign in (1, -1):
            values = sign * features[:, unit]
            fires = values > threshold(values, len(values) // len(targets))
            by_sign[sign] = np.array([
                np.mean([fires[images].mean() for images, target in sets if target == y]) / rate for y in targets
            ])
        sign = -1 if is_larger(by_sign[-1].sum(), by_sign[1].sum()) else 1
        invariance[unit] = by_sign[sign]
    return invariance, 100 * rate


def published_code(features, instance, classes):
    num_images, num_units = features.shape
    targets = np.unique(classes)
    # 100 - 100 G, in the order of the program's own operations.
    quiet = min((1 - 1 / len(targets)) * 100, 95)
    index = int(num_images * quiet // 100)
    above = np.sort(features, axis=0)[index]
    below = np.sort(features, axis=0)[::-1][index]
    global_rate = np.mean(features >= above, axis=0)
    total = np.zeros((len(targets), num_units))
    count = np.zeros((len(targets), num_units))
    for images, target in sets_of(instance, classes):
        if len(images) < 3:
            continue
        of_set, y = features[images], list(targets).index(target)
        num = np.maximum((of_set > above).sum(axis=0), (of_set < below).sum(axis=0))
        total[y] += np.where(num > 0, num / len(images), 0)
        count[y] += num > 0
    invariance = total / (count + 1e-20) / global_rate
    return invariance.T, 100 - quiet


def goodfellow(features, instance, classes):
    sets = [images for images, _ in sets_of(instance, classes) if len(images) >= 2]
    local = np.zeros(features.shape[1])
    for unit in range(features.shape[1]):
        by_sign = {}
        for sign in (1, -1):
            values = sign * features[:, unit]
            fires = values > threshold(values, max(len(values) // 100, 1))
            shares = [fires[images].mean() for images in sets if fires[images].any()]
            by_sign[sign] = np.mean(shares) if shares else 0.0
        local[unit] = by_sign[-1] if is_larger(by_sign[-1], by_sign[1]) else by_sign[1]
    return (local / 0.01)[:, None], 1.0


def summary(invariance, percent, tops):
    """The mean over the K best units of each target, and over the targets."""
    falling = -np.sort(-invariance, axis=0)
    per_target = [percent * falling[:top].mean(axis=0) for top in tops]
    return {
        "invariance": invariance.tolist(),
        "per_target": [it.tolist() for it in per_target],
        "mean": [it.mean() for it in per_target],
    }


def expected(features, instance, classes):
    share = [max(int(np.floor(TOP_SHARE * features.shape[1] + 0.5)), 1)]
    return {
        "formula": summary(*formula(features, instance, classes), TOP),
        "published-code": summary(*published_code(features, instance, classes), TOP),
        "goodfellow": summary(*goodfellow(features, instance, classes), share),
    }


def balanced(num_classes, num_sets, num_images):
    instance = np.repeat(np.arange(num_classes * num_sets), num_images)
    return instance, instance // num_sets


def unbalanced(rng, num_classes, num_sets):
    """Sets of 1 to 9 images of classes of very different sizes, in no order; some sets have images of two classes."""
    of_set = np.minimum(rng.geometric(0.4, num_sets), num_classes) * 7
    instance = np.repeat(rng.permutation(num_sets) + 100, rng.integers(1, 10, num_sets))
    instance = rng.permutation(instance)
    classes = of_set[instance - 100]
    return instance, np.where(rng.random(len(instance)) < 0.05, 7 * (num_classes + 1), classes)


def responding(rng, instance, num_units, noise):
    """Units that tell sets apart, more or less."""
    per_set = rng.normal(size=(instance.max() + 1, num_units))
    return per_set[instance] + noise * rng.normal(size=(len(instance), num_units))


def odd_units(rng, num_images):
    """A column each: constants, both zeros, one spike, two levels, the ends of what 32 bits hold."""
    spike = np.zeros(num_images)
    spike[num_images // 3] = 4
    columns = [
        np.zeros(num_images),
        np.full(num_images, 2.5),
        np.full(num_images, -1.0),
        np.where(rng.random(num_images) < 0.5, -0.0, 0.0),
        spike,
        -spike,
        (rng.random(num_images) < 0.3) * 1.0,
        (rng.random(num_images) < 0.03) * -1.0,
        rng.integers(0, 4, num_images),
        np.where(rng.random(num_images) < 0.9, 0.0, rng.normal(size=num_images)),
        rng.choice([-3e38, -1e-45, 0.0, 1e-45, 3e38], num_images),
        np.arange(num_images),
    ]
    return np.stack(columns, axis=1)


def cases():
    rng = np.random.default_rng(413)
    instance, classes = balanced(5, 4, 6)
    yield "balanced", responding(rng, instance, 30, 0.6), instance, classes
    yield "zeros as after a ReLU", np.maximum(responding(rng, instance, 30, 0.5) - 1, 0), instance, classes
    yield "mostly zeros", np.maximum(responding(rng, instance, 30, 0.5) - 2.5, 0), instance, classes
    yield "few levels", np.round(responding(rng, instance, 30, 0.6)), instance, classes
    yield "odd units", odd_units(rng, len(instance)), instance, classes
    yield "every set a target", responding(rng, instance, 26, 0.4), instance, instance
    shuffled = rng.permutation(len(instance))
    yield "sets scattered", responding(rng, instance, 12, 0.6)[shuffled], instance[shuffled], classes[shuffled]
    for name, count in [("unbalanced", 40), ("unbalanced, few sets", 12)]:
        instance, classes = unbalanced(rng, 6, count)
        yield name, responding(rng, instance, 28, 0.7), instance, classes
        yield f"{name}, few levels", np.round(responding(rng, instance, 28, 0.7)), instance, classes
        yield f"{name}, odd units", odd_units(rng, len(instance)), instance, classes
    # 12 classes: whether 36 * (100 - 100 / 12) // 100 is 32 or 33 is a matter of the last bit.
    instance, classes = balanced(12, 1, 3)
    yield "an index on the edge", responding(rng, instance, 20, 0.5), instance, classes
    instance, classes = balanced(1, 6, 5)
    yield "one class", responding(rng, instance, 14, 0.8), instance, classes
    yield "one image", rng.normal(size=(1, 4)), np.array([3]), np.array([9])
    instance, classes = balanced(3, 5, 2)
    yield "sets of two", responding(rng, instance, 9, 0.3), instance, classes
    instance, classes = balanced(30, 10, 18)
    many = np.concatenate([
        responding(rng, instance, 2, 0.3),
        np.maximum(responding(rng, instance, 2, 0.5) - 2, 0),
        np.round(responding(rng, instance, 2, 0.5) * 4),
        odd_units(rng, len(instance))[:, 4:],
    ], axis=1)
    yield "more images than are sampled", many, instance, classes


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    stored, described, offset = [], [], 0
    for name, features, instance, classes in cases():
        features = features.astype("<f4")
        stored.append(features.ravel())
        described.append({
            "name": name,
            "num_units": features.shape[1],
            "offset": offset,
            "instance": instance.tolist(),
            "class": classes.tolist(),
            "expected": expected(features.astype(np.float64), instance.tolist(), classes.tolist()),
        })
        offset += features.size
    (out / "features.f32").write_bytes(np.concatenate(stored).tobytes())
    golden = {"numpy": np.__version__, "top": TOP, "top_share": TOP_SHARE, "cases": described}
    (out / "cases.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
