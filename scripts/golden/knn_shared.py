"""What the kNN of `probe::knn` answers in 64 bits where all vectors share a large part.

usage: knn_shared.py      prints them; made with numpy 2.4.6
"""

import numpy as np


def drawn(num_rows, num_dims, start):
    """Numbers that a test can make too: exact in 32 bits."""
    mixed = (np.arange(num_rows * num_dims, dtype=np.uint64) + np.uint64(start)) * np.uint64(0x9E3779B1) & np.uint64(0xFFFFFFFF)
    mixed = (mixed ^ mixed >> np.uint64(15)) * np.uint64(0x2C1B3C6D) & np.uint64(0xFFFFFFFF)
    return ((mixed >> np.uint64(16)).astype(np.float64) / 32768 - 1).reshape(num_rows, num_dims)


def offset(rows):
    return rows + 1e4


def component(rows):
    rows = rows.copy()
    rows[:, 0] = 1e4
    return rows


def two_components(rows):
    rows = rows.copy()
    rows[::2, 0], rows[1::2, 0] = 1e4, -1e4
    return rows


def unit(rows):
    rows = rows.astype(np.float32).astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def labels_of(rows):
    return (rows[:, 1] > 0.1) * 3 + (rows[:, -1] > 0)


def knn(bank, bank_labels, queries, labels, k, temperature):
    similarity = queries @ bank.T
    places = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    weights = np.exp((np.take_along_axis(similarity, places, 1) - 1) / temperature)
    votes = (weights[:, :, None] * np.eye(5)[bank_labels[places]]).sum(1)
    return int((votes.argmax(1) == labels).sum()), int((bank_labels[places[:, 0]] == labels).sum())


def main():
    print("numpy", np.__version__)
    bank, queries = drawn(400, 12, 0), drawn(150, 12, 5_000)
    bank_labels, labels = labels_of(bank), labels_of(queries)
    for shared in (offset, component, two_components):
        for k in (1, 20):
            print(shared.__name__, k, *knn(unit(shared(bank)), bank_labels, unit(shared(queries)), labels, k, 0.07))


if __name__ == "__main__":
    main()
