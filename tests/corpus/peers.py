#!/usr/bin/env python3
"""peers.py [-v] [FLOWDUMP [CORPUS]]

What other tools' own tests expect of the captures of $CORPUS (peer-expected.tsv), held against ours.
Of each tool that is compared which means the same here:
  Arkime    of each session: packets by side, SYN, SYN-ACK, FIN and RST segments
  Suricata  flow events: packets by side, state, the TCP flags seen
  nDPI      "Connection refused (server|client)": a reset of stage syn from the server, of syn or ack
            from the client; the packets by side
  CenTrace  an injected RST: a reset from the server's address that is foreign or of another TTL
  DeepFlow  its close type: SYNs repeated, SYN-ACKs repeated, a port used again, a full queue
  others    one sentence each: a reset there, its text
A row that differs stands in peers.list with its reason; a reason that is not needed is a failure.
"""
import collections
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ENDS = re.compile(r"\[?([0-9a-fA-F:.]+?)\]?:(\d+)>\[?([0-9a-fA-F:.]+?)\]?:(\d+)(?=\s|$)")


class Capture:
    """Our records, resets and packets of one capture."""

    def __init__(self, binary, path):
        def dump(option):
            out = subprocess.run([binary, option, path], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, timeout=60, check=False).stdout
            return [line.split("\t") for line in out.decode("utf-8", "replace").splitlines()]
        self.records, self.facts, self.packets = dump("--records"), dump("--facts"), dump("--packets")

    def segments(self, ends):
        """flags of each TCP packet between the ends, by side: (to server, to client)"""
        a, b = ends
        there = [p for p in self.packets if (address(p[0]), p[1], address(p[2]), p[3]) == a + b]
        back = [p for p in self.packets if (address(p[0]), p[1], address(p[2]), p[3]) == b + a]
        return [int(p[4]) for p in there], [int(p[4]) for p in back]

    def resets(self, ends):
        a, b = ends
        return [(r[6].split(" | ")[0].split(), (address(r[0]), r[1]) == a) for r in self.facts
                if {(address(r[0]), r[1]), (address(r[2]), r[3])} == {a, b}]


def address(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def ends_of(text):
    m = ENDS.search(text)
    return ((address(m[1]), m[2]), (address(m[3]), m[4])) if m else None


def numbers(text):
    return {k: int(v) for k, v in re.findall(r"([a-z_-]+)=(\d+)", text)}


def count(segments, flags, without=0):
    return sum((s & flags) == flags and not s & without for s in segments)


def arkime(cap, text):
    ends, want = ends_of(text), numbers(text)
    if not ends:
        return None
    there, back = cap.segments(ends)
    both = there + back
    if not any(want.values()):
        return None # its own filters have kept nothing of the session
    if not both:
        return "no such flow"
    ours = {"src_pkts": len(there), "dst_pkts": len(back), "syn": count(both, SYN, ACK),
            "syn-ack": count(both, SYN | ACK), "fin": count(both, FIN), "rst": count(both, RST)}
    off = ["%s %d/%d" % (k, v, want[k]) for k, v in ours.items() if k in want and want[k] != v]
    return ", ".join(off)


def suricata(cap, text):
    """Flows are not named: one of ours must have all that is said."""
    m = re.match(r"(\{.*\}) count=(\d+)", text)
    want = json.loads(m[1]) if m else {}
    keys = ("flow.pkts_toserver", "flow.pkts_toclient", "tcp.rst", "tcp.syn", "tcp.fin")
    if want.get("event_type") != "flow" or not any(k in want for k in keys):
        return None
    for r in cap.records:
        there, back = cap.segments(((address(r[0]), r[1]), (address(r[2]), r[3])))
        both = there + back
        for there, back in ((there, back), (back, there)):
            ours = {"flow.pkts_toserver": len(there), "flow.pkts_toclient": len(back),
                    "tcp.rst": count(both, RST) > 0, "tcp.syn": count(both, SYN) > 0,
                    "tcp.fin": count(both, FIN) > 0}
            if all(ours[k] == want[k] for k in keys if k in want):
                return ""
    return "no flow like it"


def ndpi(cap, text):
    ends = ends_of(text)
    m = re.search(r"pkts (\d+)/(\d+): (.*)", text)
    if not ends or not m:
        return None
    there, back = cap.segments(ends)
    if (len(there), len(back)) != (int(m[1]), int(m[2])):
        return "packets %d/%d" % (len(there), len(back))
    if "Connection refused" not in m[3]:
        return ""
    for words, client_is_orig in cap.resets(ends):
        from_client = (words[0] != "none" and words[1] == "orig") == client_is_orig
        if "(client)" in m[3] and from_client and words[0] in ("syn", "ack", "close"):
            return ""
        if "(server)" in m[3] and not from_client and words[0] in ("syn", "ack"):
            return ""
    return "no refusal: %s" % "; ".join(" ".join(w[:2]) for w, _ in cap.resets(ends))


def odd_ttl(words):
    ttl, base, _ = next(w for w in words if w.startswith("ttl="))[4:].split("/")
    return base != "-1" and abs(int(ttl) - int(base)) > 1


def centrace(cap, text):
    resets = [r[6].split() for r in cap.facts]
    if not resets:
        return None # a page or silence instead
    injected = any(w[1] == "resp" and (w[2] == "foreign" or odd_ttl(w)) for w in resets)
    if "RST" in text or "middlebox" in text or "on_path=True" in text:
        return "" if injected else "no injected reset"
    return None


def deepflow(cap, text):
    states = [r[4] for r in cap.records]
    history = "".join(r[5] for r in cap.records)
    segments = [int(p[4]) for p in cap.packets]
    holds = {
        "ClientSynRepeat": count(segments, SYN, ACK) > 1 and "S0" in states,
        "ServerSynAckRepeat": count(segments, SYN | ACK) > 1 and not cap.facts,
        "ClientSourcePortReuse": count(segments, SYN, ACK) > 0 and history.count("S") > 0,
        "ServerQueueLack": any("synack-again=" in r[6] for r in cap.facts),
    }
    return "" if holds.get(text) else "not so here"


def others(cap, text):
    words = [r[6].split() for r in cap.facts]
    if "RST+" in text:
        return "" if any("decoded" in w for w in words) else "no text"
    if "both ends" in text:
        return "" if any(re.search(r" rsts=1\+1 ", r[6]) for r in cap.facts) else "one end alone"
    if "FIN_RST" in text:
        return "" if len(words) == 1 and words[0][0] == "close" else "not one reset at the close"
    return None


TOOLS = (("Arkime", arkime), ("Suricata", suricata), ("nDPI", ndpi), ("CenTrace", centrace),
         ("DeepFlow", deepflow), ("", others))


def rows_of(path):
    """Of a connection that Arkime cuts into several sessions the sum."""
    sessions = collections.OrderedDict()
    with open(path, encoding="utf-8") as handle:
        next(handle)
        for line in handle:
            name, _, peer, expected = line.rstrip("\n").split("\t")[:4]
            if peer.startswith("Arkime") and ends_of(expected):
                total = sessions.setdefault((name, ends_of(expected)), [expected.split()[0], {}])
                for k, v in numbers(expected).items():
                    total[1][k] = total[1].get(k, 0) + v
            else:
                yield name, peer, expected
    for (name, _), (ends, total) in sessions.items():
        yield name, "Arkime", " ".join([ends] + ["%s=%d" % pair for pair in total.items()])


def explained():
    known = {}
    with open(os.path.join(HERE, "peers.list"), encoding="utf-8") as handle:
        for line in handle:
            if line.strip() and not line.startswith("#"):
                name, start, what, why = line.rstrip("\n").split("\t")
                known[name, start] = (what, why)
    return known


def main(argv):
    verbose = "-v" in argv
    args = [a for a in argv if a != "-v"]
    binary = args[0] if args else os.path.join(os.environ.get("builddir", "."), "tests", "flow",
                                               "flowdump")
    corpus = args[1] if len(args) > 1 else os.environ.get("CORPUS", "")
    if not os.path.exists(os.path.join(corpus, "peer-expected.tsv")):
        print("skipped: no captures with other tools' expectations at CORPUS=%s" % corpus)
        return 77
    known, used, seen = explained(), set(), {}
    agree, other, apart, bad = (collections.Counter() for _ in range(4))
    with tempfile.TemporaryDirectory(prefix="peers") as base:
        for name, peer, expected in rows_of(os.path.join(corpus, "peer-expected.tsv")):
            if name not in seen:
                path = os.path.join(base, "c%04d" % len(seen))
                os.symlink(os.path.join(corpus, name), path)
                seen[name] = Capture(binary, path)
            tool = peer.split()[0]
            said = next(fn for word, fn in TOOLS if peer.startswith(word))(seen[name], expected)
            if said is None:
                other[tool] += 1
            elif not said:
                agree[tool] += 1
            else:
                at = next((k for k in known if k[0] == name and expected.startswith(k[1]) and
                           known[k][0] == said), None)
                if at:
                    used.add(at)
                    apart[tool] += 1
                    if verbose:
                        print("explained %s\t%s\t%s\t%s" % (name, expected[:60], *known[at]))
                else:
                    bad[tool] += 1
                    print("DIFFERS %s\t%s\t%s" % (name, expected[:100], said))
    for at in sorted(set(known) - used):
        bad["stale"] += 1
        print("STALE in peers.list: %s\t%s" % at)
    for tool in sorted(set(agree) | set(other) | set(apart) | set(bad)):
        print("%-12s %3d agree, %3d differ for a reason, %3d not compared, %d unexplained" % (
            tool, agree[tool], apart[tool], other[tool], bad[tool]))
    return 1 if sum(bad.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
