#!/usr/bin/env python3
"""Scores of random features by the published code, for crates/vidpairs-invariance/tests/measure/chance.rs: exactly, and by simulation with NumPy.

usage: chance.py      prints, made with numpy 2.4.6:

    72 images of an object: exactly 14.489, simulated 14.470
    24 images of an object: exactly 22.717, simulated 22.714
    12 images of an object: exactly 32.602, simulated 32.609

A unit fires for 5 % of the images at either end. In a set of m images the greater of the two numbers of firing images is that of a
multinomial draw; the mean of the 10 greatest of 2,048 such is summed over its possible values. The simulation follows the published
procedure for 1,000 objects; from seed to seed it varies by about 0.02, 0.05 and 0.1.
"""
import math

import numpy

NUM_UNITS, TOP, OBJECTS, SHARE = 2048, 10, 1000, 0.05


def log_choose(n, *parts):
    return math.lgamma(n + 1) - sum(math.lgamma(part + 1) for part in (*parts, n - sum(parts)))


def exactly(m):
    at_most = numpy.zeros(m + 1)
    for a in range(m + 1):
        for b in range(m + 1 - a):
            rest = m - a - b
            log = log_choose(m, a, b) + (a + b) * math.log(SHARE) + rest * math.log(1 - 2 * SHARE)
            at_most[max(a, b)] += math.exp(log)
    below = numpy.cumsum(at_most)[:-1].clip(0, 1)
    # The mean of the TOP greatest is the sum over x of the expected share of them that is at least x.
    total = 0.0
    for q in below:
        p = 1 - q
        if p <= 0:
            continue
        fewer = [
            math.exp(log_choose(NUM_UNITS, k) + k * math.log(p) + (NUM_UNITS - k) * math.log(q)) if q > 0 else 0.0
            for k in range(TOP)
        ]
        total += 1 - sum((TOP - k) * share for k, share in enumerate(fewer)) / TOP
    return 100 * total / m


def simulated(m):
    rng = numpy.random.default_rng(0)
    num = OBJECTS * m
    share = max(1 / OBJECTS, SHARE)
    worth = numpy.empty((OBJECTS, NUM_UNITS))
    for unit in range(NUM_UNITS):
        h = rng.standard_normal(num).astype(numpy.float32)
        ascending = numpy.sort(h)
        place = int(num * (100 - 100 * share) // 100)
        high, low = ascending[place], ascending[::-1][place]
        firing = numpy.maximum((h > high).reshape(OBJECTS, m).sum(1), (h < low).reshape(OBJECTS, m).sum(1))
        worth[:, unit] = firing / m / (h >= high).mean()
    return 100 * share * numpy.sort(worth, 1)[:, -TOP:].mean()


if __name__ == "__main__":
    for m in (72, 24, 12):
        print(f"{m} images of an object: exactly {exactly(m):.3f}, simulated {simulated(m):.3f}")
