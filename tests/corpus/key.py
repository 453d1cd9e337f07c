#!/usr/bin/env python3
"""The whole program against the answer key of $CORPUS (its score): sender and cause at least as
good as they were, nothing confirmed that is wrong, no flow missing, no crash."""
import os
import re
import subprocess
import sys

CORPUS = os.environ.get("CORPUS", "")
FLOORS = {"stage": 100.0, "from": 100.0, "sender": 98.0, "harmful": 100.0, "cause": 96.0}
NONE = ("confirmed but wrong", "missing flows", "crashes/timeouts")


def main():
    score, key = (os.path.join(CORPUS, name) for name in ("score", "expected.tsv"))
    if not os.path.exists(score) or not os.path.exists(key):
        print("skipped: no answer key at CORPUS=%s" % CORPUS)
        return 77
    p = subprocess.run([sys.executable, score, os.path.join(os.environ["builddir"], "rstconsole"),
                        key, CORPUS], capture_output=True, text=True)
    print(p.stdout)
    bad = [] if p.returncode == 0 else ["score ended %d: %s" % (p.returncode, p.stderr[-400:])]
    for column, floor in FLOORS.items():
        m = re.search(r"^%s\s+\S+\s+\d+\s+([\d.]+)%%" % column, p.stdout, re.M)
        if not m or float(m.group(1)) < floor:
            bad.append("%s: %s, at least %s wanted" % (column, m and m.group(1), floor))
    for what in NONE:
        if not re.search(r"^%s: 0$" % what, p.stdout, re.M):
            bad.append("not none: " + what)
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
