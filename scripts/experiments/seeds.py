"""Statistics over the seeds of an experiment. Standard library only."""

import math
import statistics

# 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom.
T_QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]


def mean_with_interval(by_seed: dict) -> dict:
    """Mean over seeds with Student's interval at 95 %, which is none for one seed."""
    values = list(by_seed.values())
    mean = statistics.fmean(values)
    if len(values) < 2:
        return {"seeds": len(values), "mean": mean, "low": None, "high": None}
    margin = t_quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return {"seeds": len(values), "mean": mean, "low": mean - margin, "high": mean + margin}


def t_quantile(degrees: int) -> float:
    """97.5 % quantile of Student's t, beyond the table within 0.001 (Abramowitz and Stegun, 26.7.5)."""
    if degrees <= len(T_QUANTILES):
        return T_QUANTILES[degrees - 1]
    z = statistics.NormalDist().inv_cdf(0.975)
    terms = [z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384]
    return sum(term / degrees**power for power, term in enumerate(terms))


def rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def points(value: float | None) -> str:
    return "" if value is None else f"{value:+.1f}"


def row(cells: list) -> str:
    """A row of a table in Markdown."""
    return "| " + " | ".join(cells) + " |"


def header(cells: list) -> list:
    return [row(cells), "|---" * len(cells) + "|"]
