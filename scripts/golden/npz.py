#!/usr/bin/env python3
"""Files that numpy writes, for crates/vidpairs-invariance/src/npz/tests.rs.

usage: npz.py OUT_DIR      (tests/golden/npz; packages: scripts/golden/requirements.txt)

Every good file holds the same features, a row for each of 4 images with 3 units, of values that all kinds hold exactly.
"""
import sys
from pathlib import Path

import numpy as np

FEAT = np.array([[0.5, -1.25, 3], [0, 2048, -0.125], [1, 1, 1], [-7, 0.0625, 2]])
INSTANCE = np.array([3, 3, -2, 90])
CLASS = np.array([0, 0, 1, 1])


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    labels = {"instance": INSTANCE, "class": CLASS}
    for kind in ["<f4", "<f8", "<f2", ">f4", ">f8"]:
        name = {"<": "", ">": "big_"}[kind[0]] + kind[1:]
        np.savez(out / f"{name}.npz", feat=FEAT.astype(kind), **labels)
    np.savez(out / "fortran.npz", feat=np.asfortranarray(FEAT.astype("<f4")), **labels)
    np.savez_compressed(out / "compressed.npz", feat=FEAT.astype("<f4"), **labels)
    np.savez_compressed(out / "compressed_fortran.npz", feat=np.asfortranarray(FEAT), **labels)
    for kind in ["i1", "<i2", "<i4", "u1", "<u8", "<f4", ">i2"]:
        instance = np.where(INSTANCE < 0, 5, INSTANCE) if "u" in kind else INSTANCE
        np.savez(out / f"labels_{kind.replace('<', '').replace('>', 'big_')}.npz", feat=FEAT, instance=instance.astype(kind))
    np.savez(out / "names.npz", feat=FEAT, **labels, class_names=np.array(["café", "d"]), instance_names=np.array([b"x"] * 91),
             notes=np.array({"any": "object"}, dtype=object))
    np.savez(out / "text_labels.npz", feat=FEAT, instance=np.array(["9", "10", "9", "é"]),
             **{"class": np.array([b"zebra", b"ant", b"zebra", b"ant"])})
    np.savez(out / "mixed_labels.npz", feat=FEAT, instance=np.array([True, True, False, True]), class_names=np.array([1.5]),
             **{"class": np.array(["a", "a", "", ""])})
    # Three images each of four things of two classes, told in several ways; for crates/vidpairs-torch/tests/invariance/command.rs.
    thing = np.repeat([3, 0, 2, 1], 3)
    kind = np.array([1, 0, 0, 1])[thing]
    for seed, (name, instances, classes) in enumerate([
        ("things_in_words", np.array(["d", "a", "c", "b"])[thing], np.array(["ant", "zebra"])[kind]),
        ("things_in_numbers", 100 - thing, 7 * kind),
        ("things_by_other_names", thing, np.array(["car", "bus"])[kind]),
        ("things_of_other_classes", thing, np.array([0, 0, 1, 1])[thing]),
    ]):
        feat = np.random.default_rng(seed).standard_normal((12, 8)).astype("<f4")
        np.savez(out / f"{name}.npz", feat=feat, instance=instances, **{"class": classes})
    # What is refused.
    np.save(out / "single.npy", FEAT)
    np.savez(out / "unnamed.npz", FEAT, INSTANCE)
    np.savez(out / "complex.npz", feat=FEAT.astype("<c8"), **labels)
    np.savez(out / "integers.npz", feat=FEAT.astype("<i4"), **labels)
    np.savez(out / "objects.npz", feat=FEAT.astype(object), **labels)
    np.savez(out / "records.npz", feat=np.zeros(4, dtype=[("a", "<f4"), ("b", "<i2")]), **labels)
    np.savez(out / "flat.npz", feat=FEAT.ravel(), instance=np.arange(12))
    np.savez(out / "empty.npz", feat=FEAT[:0], instance=INSTANCE[:0])
    np.savez(out / "short.npz", feat=FEAT, instance=INSTANCE[:3])
    np.savez(out / "short_class.npz", feat=FEAT, instance=INSTANCE, **{"class": CLASS[:2]})
    np.savez(out / "half_labels.npz", feat=FEAT, instance=INSTANCE + 0.5)
    np.savez(out / "complex_labels.npz", feat=FEAT, instance=INSTANCE.astype("<c8"))
    np.savez(out / "latin_labels.npz", feat=FEAT, instance=INSTANCE,
             **{"class": np.char.encode(np.array(["a", "é", "a", "é"]), "latin-1")})
    np.savez(out / "column_labels.npz", feat=FEAT, instance=INSTANCE[:, None])
    np.savez(out / "few_names.npz", feat=FEAT, **labels, class_names=np.array(["a"]))
    nan = FEAT.copy()
    nan[2, 1] = np.nan
    np.savez(out / "nan.npz", feat=nan.astype("<f4"), **labels)
    np.savez(out / "nan_fortran.npz", feat=np.asfortranarray(nan), **labels)
    large = FEAT.copy()
    large[3, 0] = 1e300
    np.savez(out / "large.npz", feat=large, **labels)


if __name__ == "__main__":
    main()
