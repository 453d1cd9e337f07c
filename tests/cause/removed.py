#!/usr/bin/env python3
"""Packets taken out of captures, at random but the same each time, all but the resets themselves.

A capture that lost packets in silence can lack just what spoke against a cause, so a verdict may
rise now and then; but never to `confirmed`, and seldom: about one in twenty. Which packets
are missing is told where an acknowledgement gives it away (packets-missing)."""
import concurrent.futures
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

SRC = os.environ.get("srcdir", ".")
BUILD = os.environ.get("builddir", ".")
CORPUS = os.environ.get("CORPUS", "")
GRADES = {"possible": 1, "likely": 2, "confirmed": 3}
PART = .15        # of the packets that go
EACH = 3          # times a capture
MOST_FILES = 60   # of the corpus
MOST_PACKETS = 3000
MAY_RISE = .07    # of all resets, for the grade and for the sender alike
EVEN = .005       # confidences this near are equal


def report(path):
    """(resets by connection, number of packets) or None."""
    p = subprocess.run([os.path.join(BUILD, "rstconsole"), "-b", "-r", path, "--format", "json"],
                       capture_output=True)
    if p.returncode not in (0, 1):
        return None
    d = json.loads(p.stdout)
    resets = {}
    for r in d["resets"]:
        f = r["flow"]
        resets[f["src"], f["sport"], f["dst"], f["dport"], r["time"]] = r
    return resets, d["vantage"]["packets"]


def grade(r):
    return GRADES[r["verdicts"][0]["grade"]] if r["verdicts"] else 0


def less(path, nr, kept, seed, folder):
    """A copy with some packets gone."""
    rnd = random.Random(seed)
    gone = [str(i) for i in range(1, nr + 1) if i not in kept and rnd.random() < PART]
    out = os.path.join(folder, "less.pcapng")
    if not gone or subprocess.run(["editcap", path, out] + gone,
                                  capture_output=True).returncode:
        return None
    return out


def one(path):
    """(resets looked at, grades that rose, senders that rose, wrong ones in words)."""
    n, up, sure, bad = 0, 0, 0, []
    whole = report(path)
    if not whole or not whole[0] or whole[1] > MOST_PACKETS:
        return n, up, sure, bad
    kept = {r["packet"] for r in whole[0].values()}
    with tempfile.TemporaryDirectory() as folder:
        for k in range(EACH):
            cut = less(path, whole[1], kept, "%s %d" % (os.path.basename(path), k), folder)
            after = report(cut) if cut else None
            for key, r in (after[0] if after else {}).items():
                before = whole[0].get(key)
                if not before:
                    continue
                n += 1
                up += grade(r) > grade(before)
                sure += r["sender"]["confidence"] > before["sender"]["confidence"] + EVEN
                if grade(r) == 3 and grade(before) < 3:
                    bad.append("%s: %s is confirmed with packets missing" %
                               (os.path.basename(path), r["verdicts"][0]["cause"]))
    return n, up, sure, bad


def main():
    if not shutil.which("editcap"):
        print("skipped: editcap (wireshark-common) is not installed")
        return 77
    ours = sorted(glob.glob(os.path.join(SRC, "tests", "lab", "captures", "*.pcapng")))
    theirs = sorted(glob.glob(os.path.join(CORPUS, "rst", "*.pcap*")))[:MOST_FILES] if CORPUS else []
    if not theirs:
        print("without the corpus (CORPUS): our own captures only")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        got = list(pool.map(one, ours + theirs))
    n, up, sure = (sum(g[i] for g in got) for i in range(3))
    bad = [line for g in got for line in g[3]]
    print("%d resets with packets missing: %d grades and %d senders rose" % (n, up, sure))
    if n < len(ours):
        bad.append("only %d resets were looked at" % n)
    if up > 1 + MAY_RISE * n:
        bad.append("too many grades rose")
    if sure > 1 + MAY_RISE * n:
        bad.append("too many senders rose")
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
