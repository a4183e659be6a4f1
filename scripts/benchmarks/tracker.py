#!/usr/bin/env python3
"""Trackers on rendered sequences, whose every box is known, and on real video with sparse boxes drawn by hand.

usage: tracker.py [--trackers dcf,kcf,csrt,mosse] [--split val|train] [--limit N] [--plot DIR] [--work DIR]
                  VIDPAIRS SEQUENCES_DIR CLIPS_DIR

VIDPAIRS: a release build; all trackers but dcf need `vidpairs-opencv` beside it. SEQUENCES_DIR: what
scripts/benchmarks/tracker-sequences.sh makes; its split `train` is for tuning, `val` for figures to
publish. CLIPS_DIR: the clips of `scripts/fetch-clips.sh --all`, whose boxes lie in annotations/.

One-pass evaluation by `vidpairs track` with one worker, one tracker after the other, so that no
tracker's time depends on another's threads or cache. A figure of several sequences is over all
their boxes, pooled, as GOT-10k has it, but where the table says mean. Milliseconds are the median update.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ANNOTATIONS = Path(__file__).resolve().parent / "annotations"
FIGURES = ("ao", "sr50", "sr75")
# Colour and dashes, as `vidpairs track --plot` has them.
STROKES = (("#a85400", "none"), ("#0072b2", "6 3"), ("#9b3f80", "2 2.5"), ("#00664b", "9 3 2 3"))


def track(arguments, tracker, name, data, options):
    """The summary of one tracker on the `data`; a finished run under --work is not run again."""
    out = arguments.work / tracker / name
    command = [arguments.vidpairs, "track", "--tracker", tracker, "--out", out, "--workers", "1", "--quiet", *options]
    for kind, path in data:
        command += ["--data", f"{kind}={path}"]
    if arguments.limit:
        command += ["--limit", arguments.limit]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL)
    # 1: more than a tenth of the sequences were refused, as where clips are missing.
    if done.returncode not in (0, 1):
        sys.exit(f"vidpairs track gave {done.returncode} for {tracker} on the {name} sequences")
    summary = json.loads((out / "summary.json").read_text())
    refused = summary["summary"]["refused"]
    if refused:
        print(f"{tracker}: {refused} {name} sequences refused, see {out / 'refused.jsonl'}", file=sys.stderr)
    return summary


def total(summary):
    """All sequences of the run: the last row, which is the sum where there are several data sets."""
    return summary["summary"]["scores"][-1]


def figures(score):
    return " / ".join("-" if score[it] is None else f"{score[it]:.3f}" for it in FIGURES)


def mean(summary):
    """Every sequence counts as much, however many boxes it has."""
    scored = [it for it in summary["per_sequence"] if it["ao"] is not None]
    return {it: statistics.mean(row[it] for row in scored) if scored else None for it in FIGURES}


def milliseconds(summary):
    speed = total(summary)["speed"]
    return f"{speed['median_ms']:.2f}" if speed else "-"


def table(headings, rows):
    print("| " + " | ".join(headings) + " |")
    print("|" + "---|" * len(headings))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def by_name(runs, rows_of, name_of):
    """A row for each set or sequence, in the order of the first tracker, and its figures by tracker."""
    found = {}
    for tracker, summary in runs.items():
        for score in rows_of(summary):
            found.setdefault(name_of(score), {})[tracker] = score
    for name, scores in found.items():
        boxes = max(score["scored_frames"] for score in scores.values())
        yield name, boxes, *(figures(scores[it]) if it in scores else "-" for it in runs)


def plot(path, title, runs):
    """GOT-10k's success curves: which share of the boxes has an overlap above each threshold."""
    def point(share, height):
        return f"{58 + 420 * share:.1f},{40 + 320 * (1 - height):.1f}"

    ranked = sorted(runs.items(), key=lambda it: -(total(it[1])["ao"] or 0))
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 420" width="500" height="420" role="img"'
        ' font-family="system-ui, \'DejaVu Sans\', Helvetica, Arial, sans-serif" font-size="13" fill="#222">',
        f'<title>Success plot: {title}</title><rect width="500" height="420" fill="#fff"/>',
        f'<text x="58" y="24" font-size="15" font-weight="600">{title}</text>',
        '<text x="268" y="404" text-anchor="middle">overlap threshold</text>',
        '<text x="16" y="200" text-anchor="middle" transform="rotate(-90 16 200)">share of boxes above it</text>',
    ]
    for step in range(6):
        at = step / 5
        parts.append(f'<path d="M{point(at, 0)} L{point(at, 1)} M{point(0, at)} L{point(1, at)}" stroke="#e2e2de"/>')
        parts.append(f'<text x="{58 + 420 * at:.1f}" y="378" text-anchor="middle">{at:.1f}</text>')
        parts.append(f'<text x="50" y="{364.5 - 320 * at:.1f}" text-anchor="end">{at:.1f}</text>')
    for place, (tracker, summary) in enumerate(ranked):
        score, (colour, dashes) = total(summary), STROKES[list(runs).index(tracker) % len(STROKES)]
        line = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        last = max(len(score["success_curve"]) - 1, 1)
        points = " ".join(point(at / last, share) for at, share in enumerate(score["success_curve"]))
        parts.append(f'<polyline points="{points}" {line}/>')
        at = 58 + 18 * place
        parts.append(f'<path d="M356,{at - 4} h30" {line}/>')
        ao = "-" if score["ao"] is None else f"{score['ao']:.3f}"
        parts.append(f'<text x="392" y="{at}">{tracker} {ao}</text>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vidpairs")
    parser.add_argument("sequences", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--trackers", default="dcf,kcf,csrt,mosse")
    parser.add_argument("--split", choices=("val", "train"), default="val")
    parser.add_argument("--limit", type=int, help="the first N sequences of each set, to try it")
    parser.add_argument("--plot", type=Path, help="a folder for rendered.svg and real.svg")
    parser.add_argument("--work", type=Path, help="where results stay (default: a temporary folder, removed)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vidpairs-bench-") as scratch:
        arguments.work = arguments.work or Path(scratch)
        compare(arguments)


def compare(arguments):
    trackers = arguments.trackers.split(",")
    sets = sorted(it.parent for it in arguments.sequences.glob("*/synth.json"))
    if not sets:
        sys.exit(f"no sequences in {arguments.sequences}: scripts/benchmarks/tracker-sequences.sh makes them")
    got10k = [("got10k", it) for it in sets]
    rendered, real = {}, {}
    for tracker in trackers:
        rendered[tracker] = track(arguments, tracker, f"rendered-{arguments.split}", got10k, ["--splits", arguments.split])
        real[tracker] = track(arguments, tracker, "real", [("mot", ANNOTATIONS)], ["--media", arguments.clips])

    def set_name(score):
        return score["data"].removeprefix("got10k-").removesuffix(f"-{arguments.split}")

    num = max(total(it)["sequences"] for it in rendered.values())
    print(f"### Rendered: {num} sequences, split `{arguments.split}`\n\nAO / SR50 / SR75 of each tracker\n")
    table(["set", "boxes", *trackers], by_name(rendered, lambda it: [
        score for score in it["summary"]["scores"] if score["data"] != "all"], set_name))
    num = max(total(it)["sequences"] for it in real.values())
    print(f"\n### Real: {num} targets\n\nAO / SR50 / SR75 of each tracker\n")
    table(["clip/id", "boxes", *trackers], by_name(real, lambda it: it["per_sequence"], lambda it: it["sequence"]))
    print("\n### All\n\nAO / SR50 / SR75\n")
    table(["tracker", "rendered", "ms", "real", "real, mean over targets", "ms"], [
        (it, figures(total(rendered[it])), milliseconds(rendered[it]),
         figures(total(real[it])), figures(mean(real[it])), milliseconds(real[it])) for it in trackers])
    if arguments.plot:
        arguments.plot.mkdir(parents=True, exist_ok=True)
        plot(arguments.plot / "rendered.svg", f"Rendered sequences ({arguments.split})", rendered)
        plot(arguments.plot / "real.svg", "Real video", real)


if __name__ == "__main__":
    main()
