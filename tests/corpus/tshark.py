#!/usr/bin/env python3
"""tshark.py [-v] [--all] [FLOWDUMP [CORPUS]]

A differential run against Wireshark: for every capture of $CORPUS the same RSTs, the same streams
(first packet, number of packets and of RSTs) and per stream the same completeness flags as ours, or
a line of tshark.list that says why not (a line that is not needed is a failure too). Wireshark's own
engine is asked through sharkd, one process over many files, and tshark for the damaged ones. make
check takes every third file, make campaign all (--all, or TSHARK_ALL=1). Captures get neutral names.
"""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
STEP = 3
COLUMNS = ("tcp.stream:0", "tcp.flags:0", "tcp.completeness:0", "frame.protocols:0")
SETTINGS = {"tcp.desegment_tcp_streams": "FALSE", "tcp.analyze_sequence_numbers": "TRUE",
            "ip.defragment": "TRUE", "tcp.check_checksum": "FALSE"}


class Shark:
    """One sharkd, asked in JSON-RPC line by line."""

    def __init__(self):
        self.p = subprocess.Popen(["sharkd", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        self.n = 0
        for name, value in SETTINGS.items():
            self.ask("setconf", name=name, value=value)

    def ask(self, method, **params):
        """The reply, or None: of a file it cannot read it says nothing, so a question that is
        always answered follows each."""
        self.n += 2
        for n, what, how in ((self.n, method, params), (self.n + 1, "status", {})):
            line = json.dumps({"jsonrpc": "2.0", "id": n, "method": what, "params": how})
            self.p.stdin.write(line.encode() + b"\n")
        self.p.stdin.flush()
        reply = None
        while True:
            said = self.p.stdout.readline()
            if not said:
                raise EOFError("sharkd ended")
            said = json.loads(said.decode("utf-8", "replace"))
            if said.get("id") == self.n:
                reply = said
            elif said.get("id") == self.n + 1:
                return reply

    def close(self):
        self.p.stdin.close()
        self.p.wait()


def tcp_layers(protocols):
    """For each TCP header of a frame: is it the packet's own (not quoted by an ICMP error)?"""
    own = []
    quoted = False
    for word in protocols.split(":"):
        quoted |= word in ("icmp", "icmpv6")
        if word == "tcp":
            own.append(not quoted)
    return own


def streams_of(frames):
    """stream -> [first, packets, rsts, completeness]; a frame with two TCP headers counts its last
    own one, as ours looks through one tunnel."""
    found = {}
    for frame in frames:
        stream, flags, complete, protocols = frame["c"]
        own = tcp_layers(protocols)
        streams, flags = stream.split(","), [f for f in flags.split(",") if f]
        complete = re.findall(r"\((\d+)\)", complete)
        at = [i for i, mine in enumerate(own) if mine and i < len(flags)]
        if not at:
            continue
        i = at[-1]
        if i >= len(streams):
            i = len(streams) - 1
        s = found.setdefault(streams[i], [frame["num"], 0, 0, 0])
        s[1] += 1
        s[2] += int(flags[i], 16) >> 2 & 1
        s[3] |= int(complete[i]) if i < len(complete) else 0
    return sorted(found.values())


def ours(binary, path):
    out = subprocess.run([binary, "--streams", path], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, timeout=60, check=False)
    return sorted([int(n) for n in line.split(b"\t")] for line in out.stdout.splitlines())


def of_tshark(path):
    """sharkd refuses a file that is damaged or cut short; tshark reads up to there."""
    fields = [w for c in COLUMNS for w in ("-e", c.split(":")[0])]
    p = subprocess.run(["tshark", "-n", "-2", "-r", path, "-Y", "tcp", "-T", "fields", "-e",
                        "frame.number", *fields, *(w for name, value in SETTINGS.items()
                                                   for w in ("-o", "%s:%s" % (name, value)))],
                       capture_output=True, timeout=60, check=False)
    frames = [line.split("\t") for line in p.stdout.decode("utf-8", "replace").splitlines()]
    return streams_of({"num": int(f[0]), "c": f[1:3] + [re.sub(r"(\d+)", r"(\1)", f[3]), f[4]]}
                      for f in frames)


def theirs(shark, path):
    said = shark.ask("load", file=path)
    if not said or said.get("result", {}).get("status") != "OK":
        return of_tshark(path)
    # It remembers which frames of the last file a filter took: each file gets words of its own.
    own = "tcp and frame.number < %d" % (10 ** 9 + shark.n)
    said = shark.ask("frames", filter=own, **{"column%d" % i: c for i, c in enumerate(COLUMNS)})
    return streams_of(said["result"]) if said and "result" in said else None


def differences(a, b):
    """What differs, as short words: the line of the list must say the same."""
    said = []
    if sum(s[2] for s in a) != sum(s[2] for s in b):
        said.append("rsts %d/%d" % (sum(s[2] for s in a), sum(s[2] for s in b)))
    if sum(s[2] > 0 for s in a) != sum(s[2] > 0 for s in b):
        said.append("reset %d/%d" % (sum(s[2] > 0 for s in a), sum(s[2] > 0 for s in b)))
    if len(a) != len(b):
        said.append("streams %d/%d" % (len(a), len(b)))
    both = {s[0]: s for s in b}
    other = [(s, both.get(s[0])) for s in a]
    said += ["#%d %d/%d" % (s[0], s[3], t[3]) for s, t in other if t and s[3] != t[3]][:4]
    if not said and [s[:3] for s in a] != [s[:3] for s in b]:
        said.append("packets")
    return ", ".join(said)


def explained():
    known = {}
    with open(os.path.join(HERE, "tshark.list"), encoding="utf-8") as handle:
        for line in handle:
            if line.strip() and not line.startswith("#"):
                name, what, why = line.rstrip("\n").split("\t")
                known[name] = (what, why)
    return known


def compare(binary, corpus, names, base):
    """name -> difference, '' where there is none, None where sharkd cannot read the file"""
    found = {}
    shark = Shark()
    for i, name in enumerate(names):
        path = os.path.join(base, "c%04d" % i)
        os.symlink(os.path.join(corpus, name), path)
        try:
            their = theirs(shark, path)
        except (EOFError, BrokenPipeError):
            shark = Shark()
            their = None
        mine = ours(binary, path)
        found[name] = None if their is None else (differences(mine, their), len(mine))
        os.unlink(path)
    shark.close()
    return found


def main(argv):
    verbose = "-v" in argv
    whole = "--all" in argv or os.environ.get("TSHARK_ALL")
    args = [a for a in argv if not a.startswith("-")]
    binary = args[0] if args else os.path.join(os.environ.get("builddir", "."), "tests", "flow",
                                               "flowdump")
    corpus = args[1] if len(args) > 1 else os.environ.get("CORPUS", "")
    if not os.path.isdir(os.path.join(corpus, "rst")):
        print("skipped: no captures at CORPUS=%s" % corpus)
        return 77
    if not shutil.which("sharkd"):
        print("skipped: sharkd is not there (package tshark)")
        return 77
    names = sorted("%s/%s" % (folder, n) for folder in ("rst", "control", "hostile")
                   for n in os.listdir(os.path.join(corpus, folder)))
    known = explained()
    if not whole:
        names = [n for i, n in enumerate(names) if i % STEP == 0 or n in known]
    found = {}
    with tempfile.TemporaryDirectory(prefix="tshark") as base, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        os.mkdir(os.path.join(base, "0"))
        os.mkdir(os.path.join(base, "1"))
        for part in pool.map(lambda i: compare(binary, corpus, names[i::2],
                                               os.path.join(base, str(i))), (0, 1)):
            found.update(part)
    unread = [n for n in names if found[n] is None]
    bad = 0
    for name in names:
        what = "not read by sharkd" if found[name] is None else found[name][0]
        if what and known.get(name, ("",))[0] != what:
            bad += 1
            print("DIFFERS %s\t%s%s" % (name, what, "\t(the list: %s)" % known[name][0]
                                        if name in known else ""))
        elif name in known and not what:
            bad += 1
            print("STALE in tshark.list: %s" % name)
        elif what and verbose:
            print("explained %s\t%s\t%s" % (name, what, known[name][1]))
    bad += sum(1 for n in known if n not in found)
    streams = sum(f[1] for f in found.values() if f)
    print("%d captures, %d streams: %d captures differ for an explained reason, %d unexplained, %d "
          "not readable there" % (len(names), streams,
                                  sum(1 for n in names if n in known) - len(unread), bad,
                                  len(unread)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
