#!/usr/bin/env python3
"""Loss and kNN of runs of `vidpairs train`, from their metrics.jsonl, as an SVG on stdout.

usage: curve.py RUN... > curve.svg
"""
import json
import pathlib
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 340, 220, 46, 30, 34
LEGEND_TOP = 84  # where neither losses nor shares commonly are
COLORS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd"]


def read(run):
    lines = [json.loads(line) for line in (pathlib.Path(run) / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "loss" in line], [line for line in lines if "knn" in line]


def panel(x0, title, series, low, high, unit):
    """series: (name, colour, dashes, [(x, y)]); the axis of x is common to all."""
    last = max(x for _, _, _, points in series for x, _ in points)
    at_x = lambda x: x0 + LEFT + (WIDTH - LEFT - 14) * x / last
    at_y = lambda y: HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (y - low) / (high - low)
    out = [f'<text x="{x0 + LEFT}" y="18" font-weight="bold">{escape(title)}</text>']
    for i in range(5):
        y = low + (high - low) * i / 4
        out.append(f'<line x1="{x0 + LEFT}" x2="{x0 + WIDTH - 14}" y1="{at_y(y):.1f}" y2="{at_y(y):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{x0 + LEFT - 6}" y="{at_y(y) + 4:.1f}" text-anchor="end">{y:g}{unit}</text>')
    for i in range(3):
        x = last * i / 2
        out.append(f'<text x="{at_x(x):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{x:g}</text>')
    out.append(f'<text x="{at_x(last / 2):.1f}" y="{HEIGHT - 4}" text-anchor="middle">steps</text>')
    for row, (name, color, dashes, points) in enumerate(series):
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.6" stroke-dasharray="{dashes}"/>')
        out.append(f'<text x="{x0 + WIDTH - 20}" y="{LEGEND_TOP + 13 * row}" text-anchor="end" fill="{color}">{escape(name)}</text>')
    return out


def main(runs):
    losses, knns = [], []
    for color, run in zip(COLORS, runs):
        steps, knn = read(run)
        name = pathlib.Path(run).name.removeprefix("run-")
        if not losses:
            losses.append(("chance", "#777", "4 3", [(line["step"], line["chance"]) for line in steps]))
        losses.append((f"loss, {name}", color, "", [(line["step"], line["loss"]) for line in steps]))
        knns.append((f"nearest, by {name}", color, "", [(line["step"], 100 * line["knn_nearest"]) for line in knn]))
        knns.append((f"vote, by {name}", color, "5 3", [(line["step"], 100 * line["knn"]) for line in knn]))
    values = [y for _, _, _, points in losses for _, y in points]
    low, high = int(min(values)), int(max(values)) + 1
    width = 2 * WIDTH
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" '
          'font-family="sans-serif" font-size="11">')
    print(f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>')
    print("\n".join(panel(0, "InfoNCE, nats", losses, low, high, "")))
    print("\n".join(panel(WIDTH, "kNN of held-out objects, % right", knns, 0, 100, "")))
    print("</svg>")


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit(__doc__))
