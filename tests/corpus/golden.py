#!/usr/bin/env python3
"""golden.py [--write] [FLOWDUMP [CORPUS]]

The reset snapshots of every capture of $CORPUS with resets, against golden.txt: what the engine says
of each reset, one line each; nothing of the captures themselves. After a change that is meant:

    CORPUS=... tests/corpus/golden.py --write tests/flow/flowdump     (in the build folder)

and review the difference of golden.txt like any other change. Captures get neutral names. Of files
with very many resets those alike but for their times share a line.
"""
import collections
import difflib
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "golden.txt")
EACH_MAX = 25
TIMES = re.compile(r" (rtt|rtt-min|delay|gap|idle|age|since-request|since-fin)=\S+")
COUNTS = re.compile(r" (ttl|win|orig|resp)=\S+")


def facts(binary, path):
    out = subprocess.run([binary, "--facts", path], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, timeout=60, check=False)
    if out.returncode:
        print("exit %d: %s" % (out.returncode, os.readlink(path)))
    rows = [line.split("\t") for line in out.stdout.decode("utf-8", "replace").splitlines()]
    return [(int(r[4]), r[6]) for r in rows]


def lines_of(rows):
    if len(rows) <= EACH_MAX:
        return ["#%d %s" % row for row in rows]
    alike = collections.OrderedDict()
    for number, text in rows:
        alike.setdefault(COUNTS.sub("", TIMES.sub("", text)), []).append(number)
    return ["#%d%s %s" % (n[0], " x%d to #%d" % (len(n), n[-1]) if len(n) > 1 else "", text)
            for text, n in alike.items()]


def golden_of(binary, corpus):
    said = []
    with tempfile.TemporaryDirectory(prefix="golden") as base:
        for folder in ("rst", "control", "hostile"):
            for i, name in enumerate(sorted(os.listdir(os.path.join(corpus, folder)))):
                path = os.path.join(base, "%s%04d" % (folder[0], i))
                os.symlink(os.path.join(corpus, folder, name), path)
                rows = facts(binary, path)
                if rows:
                    said += ["== %s/%s: %d" % (folder, name, len(rows))] + lines_of(rows)
    return said


def main(argv):
    args = [a for a in argv if not a.startswith("-")]
    binary = args[0] if args else os.path.join(os.environ.get("builddir", "."), "tests", "flow",
                                               "flowdump")
    corpus = args[1] if len(args) > 1 else os.environ.get("CORPUS", "")
    if not os.path.isdir(os.path.join(corpus, "rst")):
        print("skipped: no captures at CORPUS=%s" % corpus)
        return 77
    now = golden_of(binary, corpus)
    if "--write" in argv:
        with open(GOLDEN, "w", encoding="utf-8") as out:
            out.write("\n".join(now) + "\n")
        return 0
    with open(GOLDEN, encoding="utf-8") as known:
        was = known.read().splitlines()
    diff = list(difflib.unified_diff(was, now, "golden.txt", "now", n=0, lineterm=""))
    print("\n".join(diff[:60]))
    print("%d lines, %d differ%s" % (len(now), sum(l[0] in "+-" for l in diff[2:]),
                                     "; meant? see golden.py on how to take them over"
                                     if diff else ""))
    return 1 if diff else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
