"""What the examination prints: the runs, the figures, the confusion by group, the reliability."""
import math
import subprocess

import lab

BINS = (0, .2, .4, .6, .8, .95, 1.01)


def line(a):
    head = f"{a['scenario']:34.34} {a['mode']:5} {a['seed']:2} "
    if "broken" in a or "skipped" in a:
        return head + ("BROKEN " + a["broken"] if "broken" in a else "skipped: " + a["skipped"])
    mark = "ok " if a["top1"] else "3rd" if a["top3"] else "NO "
    if a["false_alarm"] or a["missed"] or a["confirmed_wrong"] or a.get("twins") is False:
        mark = "!!!"
    truth = "|".join(a["truth"]) or "healthy"
    sender = ""
    if "sender" in a:
        sender = a["sender"] + {True: "", False: " (WRONG)", None: ""}[a["sender_right"]]
    return (head + f"{mark} {truth:40.40} {a['verdict'] or '-':28.28} {a['grade'] or '-':9} "
            f"{a['confidence']:.2f} {sender:20} {a['took']:5.1f} s" +
            ("  FALSE ALARM" if a["false_alarm"] else "") + ("  MISSED" if a["missed"] else "") +
            ("  CONFIRMED WRONG" if a["confirmed_wrong"] else "") +
            ("  TWINS NOT BOTH POSSIBLE" if a.get("twins") is False else ""))


def groups():
    """cause -> group, by the program's own list."""
    out = subprocess.run([lab.program("rstconsole"), "--list-causes"], capture_output=True,
                         text=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout
    of, group = {}, ""
    for text in out.splitlines():
        if text and not text.startswith(" "):
            group = text.strip()
        elif text.strip():
            of[text.split()[0]] = group
    return of


def wilson(hits, n):
    """The 95 % interval of a rate."""
    if not n:
        return 0, 1
    z, p = 1.96, hits / n
    mid, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (mid - half) / (1 + z * z / n), (mid + half) / (1 + z * z / n)


def rate(name, runs, key, need=None):
    n, hits = len(runs), sum(bool(a[key]) for a in runs)
    if n:
        print(f"  {name:34} {hits:4} of {n:4}  {100 * hits / n:5.1f} %" +
              (f"  (to reach: {need} %)" if need else ""))


def figures(title, runs):
    if not runs:
        return
    faults = [a for a in runs if a["truth"]]
    print(f"\n{title}: {len(runs)} runs of {len({a['scenario'] for a in runs})} scenarios")
    need = {"without capture": 80}.get(title, 90)
    apart = [a for a in faults if "twins" not in a]
    rate("right cause first (top-1)", apart, "top1", need)
    rate("right cause among three (top-3)", apart, "top3", 97)
    rate("twins: both possible, none sure", [a for a in faults if "twins" in a], "twins")
    rate("sender, where decidable", [a for a in runs if a.get("sender_right") is not None],
         "sender_right", 95)
    good = [a for a in runs if a["harmful_truth"] is False]
    print(f"  {'false alarms':34} {sum(a['false_alarm'] for a in good):4} of {len(good):4}")
    bad = [a for a in runs if a["harmful_truth"] is True]
    print(f"  {'harm not seen':34} {sum(a['missed'] for a in bad):4} of {len(bad):4}")
    print(f"  {'confirmed, and wrong':34} {sum(a['confirmed_wrong'] for a in runs):4}")


def confusion(runs):
    of = groups()
    names = sorted(set(of.values()))
    count = {}
    for a in runs:
        if a["truth"] and a["verdict"]:
            group = of.get(a["verdict"], "?")
            truth = [of.get(t, "?") for t in a["truth"]]
            key = (group if group in truth else truth[0], group)
            count[key] = count.get(key, 0) + 1
    print("\nTruth by group (rows), verdict by group (columns)")
    print(" " * 14 + "".join(f"{n[:7]:>8}" for n in names))
    for t in names:
        if any(k[0] == t for k in count):
            print(f"{t[:13]:14}" + "".join(f"{count.get((t, n), '') or '.':>8}" for n in names))


def reliability(runs):
    print("\nStated confidence of the first verdict against how often it was right")
    print("  stated        runs  mean stated  right   95 % interval")
    brier = []
    for low, high in zip(BINS, BINS[1:]):
        these = [a for a in runs if a["verdict"] and a["truth"] and low <= a["confidence"] < high]
        if not these:
            continue
        hits = sum(a["top1"] for a in these)
        lo, hi = wilson(hits, len(these))
        mean = sum(a["confidence"] for a in these) / len(these)
        brier += [(a["confidence"] - a["top1"]) ** 2 for a in these]
        print(f"  {low:.2f} to {min(high, 1):.2f}  {len(these):4}  {mean:11.2f}  "
              f"{hits / len(these):5.2f}   {lo:.2f} to {hi:.2f}")
    if brier:
        print(f"  Brier score {sum(brier) / len(brier):.3f} over {len(brier)} runs")


def against(runs, others):
    """What the experiments of `runs` told apart that the runs of `others` could not: by the pair of
    causes that led there without them, and what it cost."""
    before = {(a["scenario"], a["mode"], a["seed"]): a for a in others if "truth" in a}
    rows, both = {}, []
    for a in runs:
        b = before.get((a["scenario"], a["mode"], a["seed"])) if "truth" in a else None
        if not b or not a["truth"]:
            continue
        both.append((b, a))
        for e in a["experiments"]:
            pair = " / ".join(b["names"][:2]) or "-"
            row = rows.setdefault((pair, e["name"]), [0, 0, 0, 0, 0, 0])
            row[0] += 1
            row[1] += e["outcome"] == "separated"
            row[2] += b["top1"]
            row[3] += a["top1"]
            row[4] += e["connections"]
            row[5] += e["seconds"]
    print("\nWhat led without the experiments (first / second), and the experiment then made")
    print(f"  {'causes':62} {'experiment':10} runs apart right: before after  conn.    s")
    for (pair, name), r in sorted(rows.items(), key=lambda x: (-x[1][0], x[0])):
        print(f"  {pair:62.62} {name:10} {r[0]:4} {r[1]:5} {r[2]:13} {r[3]:5} "
              f"{r[4] / r[0]:6.1f} {r[5] / r[0]:5.1f}")
    for mode in ("blind", "live"):
        these = [(b, a) for b, a in both if a["mode"] == mode and not a["twins_wanted"]]
        if not these:
            continue
        n, was = len(these), sum(b["top1"] for b, _ in these)
        now = sum(a["top1"] for _, a in these)
        print(f"  {mode}: right cause first {was} of {n} ({100 * was / n:.1f} %) before, {now} "
              f"({100 * now / n:.1f} %) with them")
        for b, a in these:
            if b["top1"] != a["top1"]:
                print(f"    {'gained' if a['top1'] else 'LOST  '} {a['scenario']:34} {a['seed']:2} "
                      f"{b['verdict']} -> {a['verdict']} by " +
                      ", ".join(e["name"] + ("" if e["outcome"] == "separated" else "?")
                                for e in a["experiments"]))


def show(runs, quick):
    """The tables; the exit status: 0, or 1 where something is as it must not be."""
    print("\nscenario                           mode  sd     truth" + " " * 36 +
          "verdict                      grade     conf sender                time")
    for a in runs:
        print(line(a))
    done = [a for a in runs if "truth" in a]
    figures("with capture", [a for a in done if a["mode"] != "blind"])
    figures("without capture", [a for a in done if a["mode"] == "blind"])
    if not quick:
        confusion(done)
        reliability(done)
    broken = [a for a in runs if "broken" in a]
    print(f"\n{len(broken)} broken, {sum('skipped' in a for a in runs)} skipped")
    if not done and not broken:
        print("SKIPPED: none of the servers is installed")
        return 77
    bad = [a for a in done if a["false_alarm"] or a["confirmed_wrong"] or
           (quick and not (a["top1"] and not a["missed"] and a.get("twins", True)))]
    for a in bad if quick else []:
        print("not ok:", line(a))
    return 1 if broken or bad else 0
