#!/usr/bin/env python3
"""facts.py [-v] [FLOWDUMP [CORPUS]]

Holds each reset of ours against flow-facts.tsv of $CORPUS, a second derivation made with tshark and
a script: the packet of the first RST, who sent it, its flags, the stage, the offset of its sequence
number, payload, window, TTL and its sender's usual TTL. Where both speak and differ, a rule below
(checked on our own facts of that reset) or a line of facts.list must say why. Captures get neutral
names.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ("file split stream client cport server sport known pkts rst complete class packet sender "
         "flags stage seq payload win ttl ttl_usual gap prev signals").split()

# Their stage -> ours, where both mean the same.
STAGES = {
    "syn-sent": {"syn"}, "synack-sent": {"ack"}, "established-nodata": {"ack"},
    "established-data": {"data", "psh"}, "midstream": {"midstream"},
    "midstream-data": {"midstream", "data"},
}


class Ours:
    """One line of flowdump --facts."""

    def __init__(self, row):
        self.client = row[0:2]
        text = row[6].split(" | ")[0]
        words = [w for w in text.split() if not w.startswith("by-")]
        self.stage, self.side, _, _, self.flags, fit = words[:6]
        m = re.match(r"(exact|in-window|out|unknown)([+-]\d+)?$", fit)
        self.fit, self.seq = m.group(1), int(m.group(2) or 0)
        self.words = set(words)
        self.values = dict(w.split("=", 1) for w in words if "=" in w)
        self.ttl, self.usual, _ = self.values["ttl"].split("/")

    def ms(self, name):
        return float(self.values.get(name, 0))


# Rules: (what differs, why, does it hold of this reset?)
def only_one_direction(f, o):
    return f["stage"] in ("syn-sent", "synack-sent") and "one-sided" in o.words and \
        o.stage in ("data", "psh", "idle")


def silence(f, o):
    return o.stage == "idle" and max(o.ms("idle"), o.ms("gap")) >= 1000 and \
        not f["stage"].startswith("fin")


def closing(f, o):
    return o.stage == "close" and f["stage"].startswith("fin")


def nothing_else(f, o):
    return o.stage == "none" and f["stage"] == "midstream" and "gap" not in o.values


def early_refusal(f, o):
    return "on-syn" in o.words and o.ms("delay") == 0 and o.stage == "syn" and \
        f["stage"] == "midstream" and o.side == "resp"


def ecn_flags(f, o):
    return set(f["flags"]) == set(o.flags) - set("EC")


def stateless(f, o):
    return o.flags == "R" and o.fit == "exact"


def syn_sent(f, o):
    return o.fit == "exact" and "half-open" in o.words


def usual_is_the_syns(f, o):
    return abs(float(f["ttl_usual"]) - float(o.usual)) > 0


RULES = {
    "stage": [
        ("of one direction alone: what the client acknowledged, the server sent", only_one_direction),
        ("a silence of a second or more comes first", silence),
        ("a FIN before it: the stage is called close", closing),
        ("nothing else of the flow: the stage is called none", nothing_else),
        ("captured before the SYN it refuses", early_refusal),
    ],
    "sender": [("captured before the SYN it refuses: that tells who asked", early_refusal)],
    "flags": [("they leave ECE and CWR out", ecn_flags)],
    "seq": [
        ("a stateless RST bears the number of the ACK it answers", stateless),
        ("half-open: a SYN-SENT client answers with the numbers of that ACK", syn_sent),
    ],
}


def compared(f, o):
    """(what, theirs, ours) of all that both speak of"""
    side = {"orig": "client", "resp": "server"}[o.side]
    if f["known"] == "1":
        yield "sender", f["sender"], side
    yield "flags", "".join(sorted(f["flags"])), "".join(sorted(o.flags))
    yield "stage", f["stage"], o.stage
    yield "payload", f["payload"], o.values.get("payload", "0")
    yield "win", f["win"], o.values["win"].split("/")[0]
    yield "ttl", f["ttl"], o.ttl
    if o.usual != "-1" and f["ttl_usual"] not in ("", "None"):
        yield "usual-ttl", float(f["ttl_usual"]), float(o.usual)
    if f["seq"] != "None" and o.fit != "unknown":
        yield "seq", int(f["seq"]), o.seq


def same(what, theirs, mine):
    return mine in STAGES.get(theirs, ()) if what == "stage" else theirs == mine


def rows_of(path):
    with open(path, encoding="utf-8") as handle:
        next(handle)
        return [dict(zip(NAMES, line.rstrip("\n").split("\t"))) for line in handle]


def ours_of(binary, path):
    out = subprocess.run([binary, "--facts", path], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, timeout=60, check=False)
    rows = [line.split("\t") for line in out.stdout.decode("utf-8", "replace").splitlines()]
    return {row[4]: Ours(row) for row in rows}


def explained():
    known = {}
    with open(os.path.join(HERE, "facts.list"), encoding="utf-8") as handle:
        for line in handle:
            if line.strip() and not line.startswith("#"):
                name, packet, what, theirs, mine, why = line.rstrip("\n").split("\t")
                known[name, packet, what] = (theirs, mine, why)
    return known


def main(argv):
    verbose = "-v" in argv
    args = [a for a in argv if a != "-v"]
    binary = args[0] if args else os.path.join(os.environ.get("builddir", "."), "tests", "flow",
                                               "flowdump")
    corpus = args[1] if len(args) > 1 else os.environ.get("CORPUS", "")
    if not os.path.exists(os.path.join(corpus, "flow-facts.tsv")):
        print("skipped: no captures with facts at CORPUS=%s" % corpus)
        return 77
    known, used = explained(), set()
    agree, ruled, bad = collections.Counter(), collections.Counter(), 0
    files = collections.OrderedDict()
    for row in rows_of(os.path.join(corpus, "flow-facts.tsv")):
        files.setdefault(row["file"], []).append(row)
    with tempfile.TemporaryDirectory(prefix="facts") as base:
        for n, (name, rows) in enumerate(files.items()):
            path = os.path.join(base, "c%04d" % n)
            os.symlink(os.path.join(corpus, name), path)
            ours = ours_of(binary, path)
            for f in rows:
                o = ours.get(f["packet"])
                if not o:
                    bad += 1
                    print("DIFFERS %s\t%s\tno reset there" % (name, f["packet"]))
                    continue
                for what, theirs, mine in compared(f, o):
                    if same(what, theirs, mine):
                        agree[what] += 1
                        continue
                    rule = next((why for why, holds in RULES.get(what, ()) if holds(f, o)), None)
                    if rule:
                        ruled[what, rule] += 1
                        continue
                    at = (name, f["packet"], what)
                    if known.get(at, ("", ""))[:2] == (str(theirs), str(mine)):
                        used.add(at)
                        if verbose:
                            print("explained %s\t%s\t%s" % (*at[:2], known[at][2]))
                        continue
                    bad += 1
                    print("DIFFERS %s\t%s\t%s\t%s\t%s" % (*at, theirs, mine))
    for at in sorted(set(known) - used):
        bad += 1
        print("STALE in facts.list: %s" % "\t".join(at))
    for what in agree:
        print("%-10s %5d agree" % (what, agree[what]))
    for (what, rule), n in sorted(ruled.items()):
        print("%-10s %5d differ: %s" % (what, n, rule))
    print("%d resets of %d captures; %d differences explained one by one, %d not" % (
        sum(map(len, files.values())), len(files), len(used), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
