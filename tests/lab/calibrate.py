#!/usr/bin/env python3
"""Fits the map from the judge's share to the stated confidence, and nothing else: priors and weights
stay what causes and arguments made them.

    calibrate.py [--seeds A-B] [--from FILE] [--write]

Every scenario runs with each seed (1-10). Scenarios are split by family: one half of the families is
fitted on, the other reported on, with Brier score and, for bins of 50 runs and more, the hit rate
with its 95 % interval, which must include the stated confidence or lie above it. --write puts the
fitted map into src/cause/calibration.h.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import zlib

import lab
import tables

MAP = os.path.join(lab.SRC, "src/cause/calibration.h")
KNOTS = (0, .1, .25, .4, .5, .6, .7, .8, .9, .95, .98, 1)
FAITH = 20  # so many runs the map as it is counts for, at each knot


def read_map():
    with open(MAP) as f:
        return [tuple(map(float, m)) for m in re.findall(r"\{([0-9.]+), ([0-9.]+)\}", f.read())]


def along(points, x):
    """Piecewise linear."""
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x1 > x0 else y1
    return points[-1][1]


def fit(runs, old):
    """Isotonic regression over the knots (pool adjacent violators), leaning on the old map."""
    inverse = [(y, x) for x, y in old]
    blocks = []
    for k in KNOTS[1:-1]:
        blocks.append([k, FAITH * along(old, k), FAITH])
    for a in runs:
        score = along(inverse, a["confidence"])
        nearest = min(blocks, key=lambda b: abs(b[0] - score))
        nearest[1] += a["top1"]
        nearest[2] += 1
    pooled = []
    for k, hits, n in blocks:
        pooled.append([[k], hits, n])
        while len(pooled) > 1 and pooled[-2][1] / pooled[-2][2] >= pooled[-1][1] / pooled[-1][2]:
            ks, h, m = pooled.pop()
            pooled[-1] = [pooled[-1][0] + ks, pooled[-1][1] + h, pooled[-1][2] + m]
    points = [(0.0, 0.0)]
    for ks, hits, n in pooled:
        for i, k in enumerate(ks):  # a plateau would lose the order: it rises a little
            points.append((k, min(hits / n + .001 * i, .999)))
    return points + [(1.0, 1.0)]


def write_map(points):
    with open(MAP) as f:
        text = f.read()
    rows = ", ".join(f"{{{x:.3f}, {y:.3f}}}" for x, y in points)
    with open(MAP, "w") as f:
        f.write(re.sub(r"= \{\n.*?\};", "= {\n    " + rows + ",\n};", text, flags=re.S))


def report(name, runs, stated):
    if not runs:
        print(f"{name}: no runs")
        return True
    brier = sum((stated(a) - a["top1"]) ** 2 for a in runs) / len(runs)
    print(f"\n{name}: {len(runs)} runs, Brier score {brier:.3f}")
    print("  stated        runs  mean stated  right   95 % interval")
    good = True
    for low, high in zip(tables.BINS, tables.BINS[1:]):
        these = [a for a in runs if low <= stated(a) < high]
        if not these:
            continue
        hits, mean = sum(a["top1"] for a in these), sum(map(stated, these)) / len(these)
        lo, hi = tables.wilson(hits, len(these))
        mark = "" if len(these) < 50 else "holds" if hi >= mean else "TOO SURE"
        good = good and mark != "TOO SURE"
        print(f"  {low:.2f} to {min(high, 1):.2f}  {len(these):4}  {mean:11.2f}  "
              f"{hits / len(these):5.2f}   {lo:.2f} to {hi:.2f}  {mark}")
    return good


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", default="1-10")
    p.add_argument("--from", dest="source")
    p.add_argument("--write", action="store_true")
    options = p.parse_args()
    source = options.source or "calibration.jsonl"
    if not options.source:
        if os.path.exists(source):
            os.remove(source)
        subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "exam.py"),
                        "--seeds", options.seeds, "--out", source], stdout=subprocess.DEVNULL)
    with open(source) as f:
        runs = [json.loads(line) for line in f]
    runs = [a for a in runs if a.get("truth") and a.get("verdict") and "twins" not in a]
    families = {a["family"] for a in runs}
    halves = {f: zlib.crc32(f.encode()) % 2 for f in families}
    fitted_on = [a for a in runs if halves[a["family"]] == 0]
    reported = [a for a in runs if halves[a["family"]] == 1]
    old = read_map()
    new = fit(fitted_on, old)
    inverse = [(y, x) for x, y in old]
    print("fitted on:", " ".join(sorted(f for f in families if not halves[f])))
    print("reported on:", " ".join(sorted(f for f in families if halves[f])))
    report("the other half, with the map as it is", reported, lambda a: a["confidence"])
    good = report("the other half, with the map fitted", reported,
                  lambda a: along(new, along(inverse, a["confidence"])))
    print("\nthe map:", " ".join(f"{x:.2f}->{y:.2f}" for x, y in new))
    if options.write:
        write_map(new)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
