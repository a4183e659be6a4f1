#!/usr/bin/env python3
"""What scikit-learn and NumPy find for crates/vidpairs-invariance/tests/probe: linear SVMs and their costs, average precision,
logistic regression, weighted nearest neighbours, segmentation.

usage: probe.py OUT_DIR      (tests/golden/probe; packages: scripts/golden/requirements.txt)

Features are not stored: `drawn` makes them from a formula on both sides, exact in 32 bits. Every optimum is computed to the last digits that
the program reaches, so that the numbers depend neither on its starting point nor on the order of its steps.
"""
import json
import pathlib
import sys
import warnings

import numpy
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, confusion_matrix, jaccard_score, precision_recall_curve
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

COSTS = [0.01, 0.1, 1.0, 10.0]
UNITS = 12
TRAIN, TEST, CLASSES = 150, 60, 4


def drawn(count, start):
    """Numbers between -1 and 1 that a test can make too: whole multiples of 2^-15."""
    mixed = (numpy.arange(count, dtype=numpy.uint64) + numpy.uint64(start)) * numpy.uint64(0x9E3779B1) & numpy.uint64(0xFFFFFFFF)
    mixed = (mixed ^ mixed >> numpy.uint64(15)) * numpy.uint64(0x2C1B3C6D) & numpy.uint64(0xFFFFFFFF)
    return (mixed >> numpy.uint64(16)).astype(numpy.float64) / 32768 - 1


def samples(num, start):
    """Features with a scale and an offset for each unit, exact in 32 bits, and a class of each image with noise."""
    rows = drawn(num * UNITS, start).reshape(num, UNITS)
    noise = drawn(num, start + 500_000)
    classes = (rows[:, 0] + rows[:, 1] + 0.5 * noise > 0) * 2 + (rows[:, 2] - rows[:, 3] + 0.5 * noise > 0)
    units = numpy.arange(UNITS)
    return rows * 2.0 ** (units % 3) + (units % 2), classes.astype(int)


def shown(rows, start):
    """Whether each image shows each of the classes: any number of them, the last one seldom."""
    noise = drawn(len(rows) * CLASSES, start).reshape(-1, CLASSES)
    return numpy.stack([rows[:, c] - rows[:, c + 1] + noise[:, c] > 0.5 + 0.4 * c for c in range(CLASSES)], axis=1)


def svm(cost, weight, scaling):
    return LinearSVC(C=cost, dual=False, tol=1e-13, max_iter=100_000, class_weight={0: 1, 1: weight}, intercept_scaling=scaling)


def svm_cases():
    rows, _ = samples(TRAIN, 0)
    test, _ = samples(TEST, 70_000)
    truth = shown(rows, 900_000)
    for weight, scaling in [(2.0, 1.0), (1.0, 1.0), (2.0, 3.0)]:
        for cost in (0.01, 1.0, 100.0):
            fitted = svm(cost, weight, scaling).fit(rows, truth[:, 1].astype(int))
            yield {
                "cost": cost, "positive_weight": weight, "intercept_scaling": scaling,
                "bias": float(fitted.intercept_[0]), "decisions": fitted.decision_function(test).tolist(),
            }


def cost_cases():
    rows, _ = samples(TRAIN, 0)
    truth = shown(rows, 900_000)
    folds = (numpy.arange(TRAIN) * 7 + numpy.arange(TRAIN) // 11) % 3
    split = PredefinedSplit(folds)
    precision = [[cross_val_score(svm(cost, 2.0, 1.0), rows, truth[:, c].astype(int), cv=split, scoring="average_precision").mean()
                  for cost in COSTS] for c in range(CLASSES)]
    return {
        "costs": COSTS, "folds": folds.tolist(), "average_precision": precision,
        "best": [COSTS[int(numpy.argmax(row))] for row in precision],
    }


def devkit_envelope(truth, values):
    """The VOC devkit from 2010 on, which needs distinct values."""
    order = numpy.argsort(-values)
    right = numpy.cumsum(truth[order])
    recall = numpy.r_[0, right / truth.sum(), 1]
    precision = numpy.r_[0, right / numpy.arange(1, len(truth) + 1), 0]
    for place in range(len(precision) - 2, -1, -1):
        precision[place] = max(precision[place], precision[place + 1])
    places = numpy.flatnonzero(recall[1:] != recall[:-1]) + 1
    return float(numpy.sum((recall[places] - recall[places - 1]) * precision[places]))


def grouped(truth, values):
    """The same with points where a group of equal values ends, as scikit-learn has them."""
    precision, recall, _ = precision_recall_curve(truth, values)
    # From the whole ranking (recall 1) to its start, which scikit-learn gives precision 1.
    precision, recall = precision[:-1][::-1], recall[:-1][::-1]
    envelope = numpy.maximum.accumulate(precision[::-1])[::-1]
    steps = numpy.diff(numpy.r_[0, recall])
    return float(numpy.sum(steps * envelope))


def ranking_cases():
    for name, num, start, share, digits in [
        ("distinct", 200, 10, 0.3, None), ("rare", 300, 2_000, 0.97, None), ("ties", 200, 4_000, 0.2, 1), ("ten", 40, 6_000, None, None),
        ("many-ties", 60, 8_000, 0.0, 0),
    ]:
        values, noise = drawn(num, start), drawn(num, start + 300_000)
        values = values if digits is None else numpy.floor(values * 2 ** (3 * digits)) / 2 ** (3 * digits)
        truth = 0.7 * noise + 0.5 * values > (share if share is not None else 2)
        if share is None:
            truth[numpy.argsort(-0.7 * noise - 0.5 * values)[:10]] = True  # ten positives: recalls of exactly 0.1, 0.2, ...
        ignored = numpy.arange(num) % 13 == 5
        truth, values_left = truth[~ignored], values[~ignored]
        envelope = grouped(truth, values_left)
        if digits is None:
            assert numpy.isclose(envelope, devkit_envelope(truth, values_left), rtol=0, atol=1e-13)
        shown_ = numpy.zeros(num, int)
        shown_[~ignored] = truth
        shown_[ignored] = 2
        yield {
            "name": name, "start": start, "digits": digits, "truths": "".join("-+?"[it] for it in shown_), "envelope": envelope,
            "steps": float(average_precision_score(truth, values_left)),
        }


def logistic_cases():
    rows, classes = samples(TRAIN, 0)
    test, test_classes = samples(TEST, 70_000)
    rows[:, 5] = test[:, 5] = 3.0  # a constant unit
    scaler = StandardScaler().fit(rows)
    train_rows, test_rows = scaler.transform(rows), scaler.transform(test)
    for cost in (0.01, 1.0, 30.0):
        # Newton's method comes closer to the optimum than L-BFGS, which scikit-learn ends where the loss changes by 64 roundings.
        fitted = LogisticRegression(C=cost, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(train_rows, classes)
        scores = fitted.decision_function(test_rows)
        lbfgs = LogisticRegression(C=cost, tol=1e-12, max_iter=100_000).fit(train_rows, classes)
        assert numpy.allclose(lbfgs.decision_function(test_rows), scores, rtol=1e-3, atol=1e-4)
        top2 = numpy.argsort(-scores, axis=1, kind="stable")[:, :2]
        probabilities = fitted.predict_proba(train_rows)[numpy.arange(TRAIN), classes]
        loss = -numpy.log(probabilities).mean() + (fitted.coef_ ** 2).sum() / (2 * cost * TRAIN)
        yield {
            "cost": cost, "loss": float(loss), "scores": scores.ravel().tolist(),
            "right1": int((top2[:, 0] == test_classes).sum()), "right2": int((top2 == test_classes[:, None]).sum()),
        }


def knn_cases():
    """DINO's vote (Caron et al., ICCV 2021, `knn_classifier` of eval_knn.py) in 64 bits."""
    rows, classes = samples(TRAIN, 0)
    test, test_classes = samples(TEST, 70_000)
    for shared in (0.0, 4096.0):
        bank, queries = rows + shared, test + shared
        bank = bank / numpy.linalg.norm(bank, axis=1, keepdims=True)
        queries = queries / numpy.linalg.norm(queries, axis=1, keepdims=True)
        # 1 - cos = |a - b|^2 / 2, which keeps its digits where all rows share a large part.
        cosines = 1 - ((queries[:, None] - bank[None]) ** 2).sum(axis=2) / 2
        order = numpy.argsort(-cosines, axis=1, kind="stable")
        for k in (1, 20, 100):
            weights = numpy.exp(numpy.take_along_axis(cosines, order[:, :k], 1) / 0.07)
            votes = (weights[:, :, None] * numpy.eye(CLASSES)[classes[order[:, :k]]]).sum(axis=1)
            own = votes[numpy.arange(TEST), test_classes][:, None]
            rank = (votes > own).sum(axis=1)
            yield {
                "shared": shared, "k": k, "predicted": votes.argmax(axis=1).tolist(),
                "rank": [int(r) if v > 0 else -1 for r, v in zip(rank, own[:, 0])],
            }


def segmentation():
    images, num_classes, pixels = 5, 7, 400
    labels = ((drawn(images * pixels, 0) + 1) * 4).astype(int).reshape(images, pixels)  # 0 is unlabelled, 7 never occurs
    labels[labels == 7] = 255
    noise = drawn(images * pixels, 40_000).reshape(images, pixels)
    predicted = numpy.where(noise > 0, (labels - 1) % num_classes, ((noise + 1) * 6).astype(int))
    predicted[labels == 255] = 3
    is_labelled = (labels != 0) & (labels != 255)
    truth, guess = labels[is_labelled] - 1, predicted[is_labelled]
    occurs = numpy.union1d(truth, guess)
    iou = jaccard_score(truth, guess, labels=occurs, average=None)
    confusion = confusion_matrix(truth, guess, labels=range(num_classes))
    in_truth = confusion.sum(axis=1) > 0
    return {
        "images": images, "num_classes": num_classes, "pixels": pixels,
        "labels": ["".join(chr(48 + min(it, 8)) for it in row) for row in labels],  # 8 stands for 255
        "predicted": ["".join(chr(48 + it) for it in row) for row in predicted],
        "confusion": confusion.tolist(), "per_class": [float(iou[list(occurs).index(c)]) if c in occurs else None for c in range(num_classes)],
        "mean_iou": float(iou.mean()), "pixel_accuracy": float((truth == guess).mean()),
        "mean_accuracy": float((confusion.diagonal()[in_truth] / confusion.sum(axis=1)[in_truth]).mean()),
    }


def rounded(value):
    """12 digits, which is more than the tests compare."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {key: rounded(it) for key, it in value.items()}
    return [rounded(it) for it in value] if isinstance(value, list) else value


def main(out):
    warnings.filterwarnings("error", module="sklearn")  # an optimum that was not reached
    made = {
        "made_with": f"scikit-learn {sklearn.__version__}, numpy {numpy.__version__}",
        "svm": list(svm_cases()), "costs": cost_cases(), "rankings": list(ranking_cases()), "logistic": list(logistic_cases()),
        "knn": list(knn_cases()), "segmentation": segmentation(),
    }
    out.mkdir(parents=True, exist_ok=True)
    lines = [f"{json.dumps(key)}: {json.dumps(rounded(value))}" for key, value in made.items()]
    (out / "cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
