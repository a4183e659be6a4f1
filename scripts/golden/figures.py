"""Figures of embeddings as PyTorch computes them, for the tests of `train::watch` and `probe::knn`.

usage: figures.py      prints them; made with torch 2.11.0

alignment, uniformity: the code printed in Wang and Isola, ICML 2020. knn: `kNN` of the published code of
Wu et al., CVPR 2018, on small matrices.
"""

import torch
import torch.nn.functional as F


def drawn(num_rows, num_dims, start):
    """Numbers that a test can make too: exact in f32."""
    mixed = (torch.arange(num_rows * num_dims) + start) * 2654435761 & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
    return (mixed >> 16).float().div(32768).sub(1).view(num_rows, num_dims)


def alignment(x, y, alpha=2):
    return (x - y).norm(p=2, dim=1).pow(alpha).mean()


def uniformity(x, t=2):
    return torch.pdist(x, p=2).pow(2).mul(-t).exp().mean().log()


def effective_dimensions(x):
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T))
    return eigenvalues.sum() ** 2 / (eigenvalues**2).sum()


def knn(bank, bank_labels, queries, labels, k, temperature, num_labels):
    similarity, places = (queries @ bank.T).topk(k, dim=1)
    votes = F.one_hot(bank_labels[places], num_labels) * (similarity / temperature).exp()[:, :, None]
    winners = votes.sum(1).argmax(1)
    nearest = bank_labels[places[:, 0]]
    return int((winners == labels).sum()), int((nearest == labels).sum())


def labels_of(x):
    """Half follows the vector, so that neighbours know something."""
    return (x[:, 0] > 0.1).long() * 3 + (x[:, -1] > 0).long()


def main():
    x, y = drawn(24, 6, 0), drawn(24, 6, 777)
    x, y = (F.normalize(it.double(), dim=1) for it in (x, y))
    print("alignment", float(alignment(x, y)))
    print("uniformity", float(uniformity(x)))
    print("mean_std", float(x.std(0).mean()))
    print("effective_dimensions", float(effective_dimensions(x)))
    bank, queries = drawn(400, 12, 0), drawn(150, 12, 5_000)
    bank_labels, labels = labels_of(bank), labels_of(queries)
    bank, queries = (F.normalize(it.double(), dim=1) for it in (bank, queries))
    for k, temperature in [(1, 0.07), (20, 0.07), (200, 0.07), (200, 1.0)]:
        print("knn", k, temperature, knn(bank, bank_labels, queries, labels, k, temperature, 5))


if __name__ == "__main__":
    main()
