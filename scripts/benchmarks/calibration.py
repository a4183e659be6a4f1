#!/usr/bin/env python3
"""Precision and recall of the confidence and the forward-backward check, from the output of crates/vidpairs-extract/examples/calibration.rs.

usage: calibration.py TRAIN.csv VAL.csv [--plot OUT.svg]

A tracklet is good if its last box overlaps the truth by more than half. Thresholds are chosen on TRAIN.csv, and what
they keep is told of VAL.csv, which had no part in that: precision is the share of good ones among those kept,
recall the share of the good ones that are kept. Tables for Markdown.
"""
import argparse
import csv
import itertools

GOOD = 0.5
RANGES = [0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01]


def read(path):
    with open(path, newline="") as file:
        return [{key: value if key == "sequence" else float(value) for key, value in row.items()}
                for row in csv.DictReader(file)]


def is_good(row):
    return row["iou"] > GOOD


def share(rows):
    return sum(map(is_good, rows)) / len(rows) if rows else float("nan")


def keep(rows, thresholds):
    return [row for row in rows if all(row[key] >= least for key, least in thresholds.items())]


def figures(rows, thresholds):
    kept, good = keep(rows, thresholds), sum(map(is_good, rows))
    return share(kept), sum(map(is_good, kept)) / good, len(kept)


def choose(rows, precision):
    """The thresholds that keep most of the good ones at this precision."""
    steps = [place / 20 for place in range(0, 20)]
    best, best_recall = None, -1
    for mean, last, back in itertools.product(steps, steps, [0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]):
        thresholds = {"confidence_mean": mean, "confidence_last": last, "forward_backward_iou": back}
        reached, recall, _ = figures(rows, thresholds)
        if reached >= precision and recall > best_recall:
            best, best_recall = thresholds, recall
    return best


def table(title, key, rows):
    print(f"| {title} | tracklets | good |\n|---|---|---|")
    for low, high in zip(RANGES, RANGES[1:]):
        there = [row for row in rows if low <= row[key] < high]
        print(f"| {low:.1f} to {min(high, 1):.1f} | {len(there)} | {100 * share(there):.0f} % |")
    print()


def both(rows):
    edges = [0.0, 0.3, 0.6, 1.01]
    names = [f"{low:.1f} to {min(high, 1):.1f}" for low, high in zip(edges, edges[1:])]
    print("| last confidence \\ forward-backward IoU | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for name, low, high in zip(names, edges, edges[1:]):
        cells = []
        for left, right in zip(edges, edges[1:]):
            there = [row for row in rows if low <= row["confidence_last"] < high and left <= row["forward_backward_iou"] < right]
            cells.append(f"{100 * share(there):.0f} % of {len(there)}" if there else "none")
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()


def plot(path, series):
    """How many of the tracklets with a confidence are good, beside the line on which the two are the same."""
    size, left, top = 300, 50, 20
    place = lambda x, y: f"{left + x * size:.1f},{top + (1 - y) * size:.1f}"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size + 250} {size + 70}" font-family="sans-serif" font-size="12">',
             f'<rect width="100%" height="100%" fill="#fff"/>']
    for tick in range(0, 11, 2):
        x, y = left + tick / 10 * size, top + (1 - tick / 10) * size
        parts += [f'<line x1="{x}" y1="{top}" x2="{x}" y2="{top + size}" stroke="#e4e4e4"/>',
                  f'<line x1="{left}" y1="{y}" x2="{left + size}" y2="{y}" stroke="#e4e4e4"/>',
                  f'<text x="{x}" y="{top + size + 16}" text-anchor="middle">{tick / 10:.1f}</text>',
                  f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{tick / 10:.1f}</text>']
    parts += [f'<text x="{left + size / 2}" y="{top + size + 36}" text-anchor="middle">confidence, or forward-backward IoU</text>',
              f'<text transform="translate(14 {top + size / 2}) rotate(-90)" text-anchor="middle">share with IoU &gt; 0.5 to the truth</text>',
              f'<polyline points="{place(0, 0)} {place(1, 1)}" fill="none" stroke="#999" stroke-dasharray="2 3"/>']
    for number, (name, color, dash, points) in enumerate(series):
        line, y = " ".join(place(x, y) for x, y in points), top + 20 + 22 * number
        parts += [f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2.5" stroke-dasharray="{dash}"/>']
        parts += [f'<circle cx="{place(x, y_).split(",")[0]}" cy="{place(x, y_).split(",")[1]}" r="3" fill="{color}"/>' for x, y_ in points]
        parts += [f'<line x1="{left + size + 14}" y1="{y}" x2="{left + size + 44}" y2="{y}" stroke="{color}" stroke-width="2.5" stroke-dasharray="{dash}"/>',
                  f'<text x="{left + size + 50}" y="{y + 4}">{name}</text>']
    parts.append("</svg>\n")
    with open(path, "w") as file:
        file.write("\n".join(parts))


def curve(rows, key, parts=8):
    """Means of equal parts of the tracklets, sorted by `key`."""
    rows = sorted(rows, key=lambda row: row[key])
    cuts = [len(rows) * part // parts for part in range(parts + 1)]
    groups = [rows[low:high] for low, high in zip(cuts, cuts[1:])]
    return [(sum(row[key] for row in group) / len(group), share(group)) for group in groups if group]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("val")
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    train, val = read(arguments.train), read(arguments.val)
    print(f"{len(train)} tracklets to tune on, {100 * share(train):.0f} % good; {len(val)} others, {100 * share(val):.0f} % good\n")
    table("last confidence", "confidence_last", val)
    table("forward-backward IoU", "forward_backward_iou", val)
    both(val)
    print("| rules | precision, tuning | recall, tuning | precision | recall | kept |\n|---|---|---|---|---|---|")
    chosen = {"none": {}}
    for precision in (0.9, 0.93, 0.95):
        found = choose(train, precision)
        if found:
            chosen[", ".join(f"{key} >= {least}" for key, least in found.items())] = found
    for least in (0.5, 0.6, 0.7):
        chosen[f"confidence_mean and confidence_last >= {least}, forward_backward_iou >= 0.5"] = {
            "confidence_mean": least, "confidence_last": least, "forward_backward_iou": 0.5}
    for name, thresholds in chosen.items():
        one, other = figures(train, thresholds), figures(val, thresholds)
        cells = [f"{100 * value:.0f} %" for value in (*one[:2], *other[:2])]
        print(f"| {name} | " + " | ".join(cells) + f" | {other[2]} |")
    if arguments.plot:
        plot(arguments.plot, [
            ("last confidence", "#1b6ca8", "none", curve(val, "confidence_last")),
            ("mean confidence", "#d1680f", "7 3", curve(val, "confidence_mean")),
            ("forward-backward", "#444444", "2 3", curve(val, "forward_backward_iou")),
        ])


if __name__ == "__main__":
    main()
