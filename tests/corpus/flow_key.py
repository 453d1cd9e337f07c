#!/usr/bin/env python3
"""flow_key.py [-v] [FLOWDUMP [CORPUS]]

Holds what the flow engine makes of the captures of $CORPUS against their answer key: stage, whose
address the RST bears, harmful (expected.tsv), and Zeek's conn_state and history
(zeek-expected.tsv). Fails below the rates reached so far, and on any difference of the Zeek rows
that flow_key.list does not explain. Captures get neutral names: theirs would tell the answer.
"""
import collections
import csv
import ipaddress
import os
import shutil
import subprocess
import sys
import tempfile

FLOORS = {"stage": 100.0, "from": 100.0, "harmful": 100.0}
OTHER = {"orig": "resp", "resp": "orig"}
LIMIT = 60


def address(text):
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return text.lower()
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def end(host, port):
    return (address(host), port)


def rows_of(path):
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


class Dump:
    """Runs flowdump, each capture under a neutral name."""

    def __init__(self, binary, corpus):
        self.binary, self.corpus = binary, corpus
        self.base = tempfile.mkdtemp(prefix="flow_key")
        self.n = 0

    def lines(self, name, *options):
        self.n += 1
        path = os.path.join(self.base, "c%04d" % self.n)
        os.symlink(os.path.join(self.corpus, name), path)
        out = subprocess.run([self.binary, *options, path], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, timeout=LIMIT, check=False)
        if out.returncode:
            print("FAIL %s: exit %d" % (name, out.returncode))
        text = out.stdout.decode("utf-8", "replace")
        return [line.split("\t") for line in text.splitlines()], out.returncode

    def close(self):
        shutil.rmtree(self.base, ignore_errors=True)


def picks_of(row, lines, taken):
    """The lines a row speaks of, each with whether its ends are swapped."""
    if row["orig_h"] == "*":
        return [(line, False) for i, line in enumerate(lines) if i not in taken]
    a, b = end(row["orig_h"], row["orig_p"]), end(row["resp_h"], row["resp_p"])
    same = [i for i, l in enumerate(lines) if (end(l[0], l[1]), end(l[2], l[3])) == (a, b)]
    back = [i for i, l in enumerate(lines) if (end(l[0], l[1]), end(l[2], l[3])) == (b, a)]
    taken.update(same + back)
    if same:
        return [(lines[same[0]], False)]
    return [(lines[back[0]], True)] if back else []


def score_key(dump, verbose):
    hits, total, crashed = collections.Counter(), collections.Counter(), 0
    files = collections.OrderedDict()
    for row in rows_of(os.path.join(dump.corpus, "expected.tsv")):
        files.setdefault(row["file"], []).append(row)
    for name, rows in files.items():
        lines, status = dump.lines(name)
        crashed += status != 0
        taken = set()
        for row in sorted(rows, key=lambda r: r["orig_h"] == "*"):
            picks = picks_of(row, lines, taken)
            for column, at in (("stage", 4), ("from", 5), ("harmful", 6)):
                if row[column] == "-":
                    continue
                total[column] += 1
                for line, swapped in picks:
                    said = line[at]
                    if column == "from" and swapped:
                        said = OTHER[said]
                    good = said in row[column].split(",")
                    hits[column] += good / len(picks)
                    if verbose and not good:
                        print("MISS %s %s: said %s, key %s | %s | %s" % (
                            name, column, said, row[column], " ".join(line), row["why"]))
                if verbose and not picks:
                    print("MISS %s %s:%s>%s:%s no reset" % (
                        name, row["orig_h"], row["orig_p"], row["resp_h"], row["resp_p"]))
    return hits, total, crashed


def explained():
    """(file, orig_p, resp_p, history) -> reason"""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flow_key.list")
    known = {}
    with open(path, encoding="utf-8") as handle:
        for line in handle:
            if line.strip() and not line.startswith("#"):
                fields = line.rstrip("\n").split("\t")
                known[tuple(fields[:4])] = fields[4]
    return known


SWAPPED = {"RSTO": "RSTR", "RSTR": "RSTO", "S2": "S3", "S3": "S2", "SH": "SHR", "SHR": "SH"}


def swapped(line):
    """The record as it reads with the other end for the originator."""
    history = line[5].lstrip("^").swapcase()
    return line[2:4] + line[0:2] + [SWAPPED.get(line[4], line[4]),
                                    history if line[5].startswith("^") else "^" + history]


def fits(row, lines, want):
    ends = [address(row["orig_h"]), row["orig_p"], address(row["resp_h"]), row["resp_p"]]
    mine = [l for l in lines if row["orig_h"] == "-" or
            [address(l[0]), l[1], address(l[2]), l[3]] == ends]
    return mine, any(want[0] in ("-", l[4]) and want[1] in ("-", l[5]) for l in mine)


def score_zeek(dump, verbose):
    hits, total, new = 0, 0, []
    known, files = explained(), collections.OrderedDict()
    for row in rows_of(os.path.join(dump.corpus, "zeek-expected.tsv")):
        files.setdefault(row["file"], []).append(row)
    for name, rows in files.items():
        lines, _ = dump.lines(name, "--records")
        for row in rows:
            want = (row["conn_state"], row["history"])
            total += 1
            mine, good = fits(row, lines, want)
            hits += good
            tag = (name, row["orig_p"], row["resp_p"], row["history"])
            if good and tag in known:
                print("STALE in flow_key.list: %s" % " ".join(tag))
                new.append(tag)
            if good:
                continue
            if known.get(tag, "").startswith("roles:") and \
                    not fits(row, [swapped(l) for l in lines], want)[1]:
                known.pop(tag)
            if tag not in known:
                new.append(tag)
            if verbose or tag not in known:
                print("ZEEK %s %s:%s>%s:%s want %s %s, have %s (%s)%s" % (
                    name, row["orig_h"], row["orig_p"], row["resp_h"], row["resp_p"], *want,
                    "; ".join("%s %s" % (l[4], l[5]) for l in mine[:6]) or "nothing",
                    row[next(k for k in row if k and k.startswith("zeek command"))][:70],
                    " explained: " + known[tag] if tag in known else ""))
    return hits, total, new


def main(argv):
    verbose = "-v" in argv
    args = [a for a in argv if a != "-v"]
    builddir = os.environ.get("builddir", ".")
    binary = args[0] if args else os.path.join(builddir, "tests", "flow", "flowdump")
    corpus = args[1] if len(args) > 1 else os.environ.get("CORPUS", "")
    if not os.path.exists(os.path.join(corpus, "expected.tsv")):
        print("SKIP flow_key: no captures with an answer key at CORPUS=%s" % corpus)
        return 77
    dump, failed = Dump(binary, corpus), False
    try:
        hits, total, crashed = score_key(dump, verbose)
        for column, floor in FLOORS.items():
            rate = 100.0 * hits[column] / max(1, total[column])
            failed |= rate < floor - 1e-6
            print("%-8s %6.1f of %3d  %5.1f %%  (floor %.1f)" % (
                column, hits[column], total[column], rate, floor))
        good, rows, new = score_zeek(dump, verbose)
        print("zeek     %6d of %3d  %5.1f %%, %d differ for an explained reason, %d unexplained" % (
            good, rows, 100.0 * good / max(1, rows), rows - good - len(new), len(new)))
        failed |= crashed > 0 or len(new) > 0
    finally:
        dump.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
