#!/usr/bin/env python3
"""generated.py [-v] [FLOWDUMP]

Captures of our own making (generate.py), each with what must come out of it: written from the RFCs,
before the program was asked. A case is a function that makes a conversation; its first line says
what it is about, "reset:" the words of flowdump --facts that must be there ('!': must not), "record:"
Zeek's state and history, "bytes:" payload of client and server, "flows:" how many.
"""
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from generate import (ACK, CLIENT, CWR, ECE, FIN, MSS, NOP, PSH, RAW, RST, SACK_OK, SERVER, SLL2,
                      SYN, Talk, fragments, in_gre, in_ipip, in_teredo, in_vxlan, ip4, sack, ts,
                      ws)

REQUEST = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


def asked(talk=None, **more):
    t = (talk or Talk(**more)).open()
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST)
    return t


AFTER = 1 + len(REQUEST)


@case
def wrap():
    """Sequence numbers pass 2^32 within the request and within the reply (RFC 9293 3.4).
    reset: data resp exact orig=1000/1000 resp=3000/3000
    bytes: 1000 3000
    record: RSTR ShADdr"""
    t = Talk(isn=(0xffffff00, 0xfffff800)).open()
    t.seg(30, CLIENT, PSH | ACK, 1, 1, b"a" * 1000)
    t.seg(60, SERVER, ACK, 1, 1001, b"b" * 1460)
    t.seg(60, SERVER, ACK, 1461, 1001, b"b" * 1460)
    t.seg(60, SERVER, PSH | ACK, 2921, 1001, b"b" * 80)
    t.seg(60, CLIENT, ACK, 1001, 3001)
    t.seg(90, SERVER, RST | ACK, 3001, 1001)
    return t


@case
def retransmission():
    """The request is sent three times and counts once; nobody acknowledged it (RFC 9293 3.10.8).
    reset: psh resp exact orig=0/35 repeats=2 on-data
    bytes: 35 0
    record: RSTR ShADTr"""
    t = asked()
    t.seg(330, CLIENT, PSH | ACK, 1, 1, REQUEST)
    t.seg(930, CLIENT, PSH | ACK, 1, 1, REQUEST)
    t.seg(960, SERVER, RST, 1, ident=0, win=0)
    return t


@case
def given_up():
    """The server repeats what nobody acknowledges, then resets: it gave up, nobody was idle.
    reset: data resp own-repeats=3 resp=0/90 !idle
    record: RSTR ShADdtr"""
    t = asked()
    for ms in (60, 360, 960, 2160):
        t.seg(ms, SERVER, PSH | ACK, 1, AFTER, REPLY[:90])
    t.seg(4560, SERVER, RST | ACK, 91, AFTER)
    return t


@case
def reordering():
    """Two segments in the wrong order are no retransmission and leave no gap (Zeek's T is wider).
    reset: data orig exact resp=200/200 !repeats=1 !own-repeats=1
    bytes: 35 200
    record: RSTO ShADdtR"""
    t = asked()
    t.seg(60, SERVER, ACK, 101, AFTER, b"2" * 100)
    t.seg(61, SERVER, ACK, 1, AFTER, b"1" * 100)
    t.seg(61, CLIENT, ACK, AFTER, 201)
    t.seg(70, CLIENT, RST | ACK, AFTER, 201)
    return t


@case
def overlap():
    """Segments that overlap by half: each byte once.
    reset: data orig exact resp=150/150
    bytes: 35 150"""
    t = asked()
    t.seg(60, SERVER, ACK, 1, AFTER, b"1" * 100)
    t.seg(61, SERVER, ACK, 51, AFTER, b"2" * 100)
    t.seg(61, CLIENT, ACK, AFTER, 151)
    t.seg(70, CLIENT, RST | ACK, AFTER, 151)
    return t


@case
def keepalive():
    """Keep-alives (RFC 9293 3.8.4) carry nothing and end no silence; the RST answers the third.
    reset: idle resp exact passive keepalives on-keepalive orig=35/35 resp=90/90
    bytes: 35 90"""
    t = asked()
    t.seg(60, SERVER, PSH | ACK, 1, AFTER, REPLY[:90])
    t.seg(60, CLIENT, ACK, AFTER, 91)
    for s in (60, 120):
        t.seg(s * 1000, CLIENT, ACK, AFTER - 1, 91)
        t.seg(s * 1000 + 20, SERVER, ACK, 91, AFTER)
    t.seg(180000, CLIENT, ACK, AFTER - 1, 91, b"\0")
    t.seg(180020, SERVER, RST, 91, ident=0, win=0)
    return t


@case
def zero_window():
    """The receiver closes its window, is probed, and resets with what it never read.
    reset: data orig active exact zero-window
    record: RSTO ShADdWaR"""
    t = asked()
    t.seg(60, SERVER, PSH | ACK, 1, AFTER, b"z" * 1000)
    t.seg(61, CLIENT, ACK, AFTER, 1001, win=0)
    t.seg(400, SERVER, ACK, 1000, AFTER)
    t.seg(401, CLIENT, ACK, AFTER, 1001, win=0)
    t.seg(500, CLIENT, RST | ACK, AFTER, 1001, win=0)
    return t


@case
def scaled_window():
    """A window of 1000 with scale 7 reaches 128,000 bytes: in window (RFC 7323 2.2, RFC 5961 3.2).
    reset: psh resp in-window+50000"""
    t = Talk().open((MSS + NOP + ws(7), MSS + NOP + ws(7)))
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST)
    t.seg(50, SERVER, RST, 50001, win=0)
    return t


@case
def scale_refused():
    """Scaling holds only where both offer it: the same RST is out of a window of 1000.
    reset: psh resp foreign out+50000"""
    t = Talk().open((MSS + NOP + ws(7), MSS))
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST)
    t.seg(50, SERVER, RST, 50001, win=0)
    return t


@case
def selective():
    """A hole reported by SACK is filled; a D-SACK (RFC 2883) tells of a needless repeat, not of data.
    reset: data orig exact resp=300/300 orig=35/35
    bytes: 35 300
    record: RSTO ShADdtR"""
    t = Talk().open((MSS + SACK_OK, MSS + SACK_OK))
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST)
    base = t.isn[SERVER]
    t.seg(60, SERVER, ACK, 1, AFTER, b"1" * 100)
    t.seg(60, SERVER, ACK, 201, AFTER, b"3" * 100)
    t.seg(61, CLIENT, ACK, AFTER, 101, options=sack((base + 201, base + 301)))
    t.seg(90, SERVER, ACK, 101, AFTER, b"2" * 100)
    t.seg(91, CLIENT, ACK, AFTER, 301)
    t.seg(120, SERVER, ACK, 1, AFTER, b"1" * 100)
    t.seg(121, CLIENT, ACK, AFTER, 301, options=sack((base + 1, base + 101)))
    t.seg(150, CLIENT, RST | ACK, AFTER, 301)
    return t


@case
def timestamps_kept():
    """Timestamps were agreed, the RST of a live socket bears them (RFC 7323 3.2: it SHOULD).
    reset: psh resp active ts ts-expected exact"""
    t = Talk().open((MSS + ts(10, 0), MSS + ts(90, 10)))
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST, options=ts(40, 90))
    t.seg(50, SERVER, RST | ACK, 1, AFTER, options=ts(140, 40))
    return t


@case
def timestamps_missing():
    """The same without them, with a window of its own: not from that socket.
    reset: psh resp foreign ts-expected !ts"""
    t = Talk().open((MSS + ts(10, 0), MSS + ts(90, 10)))
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST, options=ts(40, 90))
    t.seg(50, SERVER, RST | ACK, 1, AFTER, win=5000)
    return t


@case
def ecn():
    """ECN's flags on SYN, SYN-ACK and data (RFC 3168 6.1) change nothing else.
    reset: psh resp active exact
    record: RSTR ShADr"""
    t = Talk()
    t.seg(0, CLIENT, SYN | ECE | CWR, 0, options=MSS)
    t.seg(20, SERVER, SYN | ACK | ECE, 0, 1, options=MSS)
    t.seg(20, CLIENT, ACK, 1, 1)
    t.seg(30, CLIENT, PSH | ACK | CWR, 1, 1, REQUEST)
    t.seg(50, SERVER, RST | ACK, 1, AFTER)
    return t


@case
def fast_open():
    """Data in the SYN, acknowledged by the SYN-ACK (RFC 7413 4.2.2): sent and acked.
    reset: psh resp exact tfo open orig=35/35
    bytes: 35 0"""
    t = Talk()
    t.seg(0, CLIENT, SYN, 0, 0, REQUEST, options=MSS + b"\x22\x0a12345678")
    t.seg(20, SERVER, SYN | ACK, 0, AFTER, options=MSS)
    t.seg(20, CLIENT, ACK, AFTER, 1)
    t.seg(50, SERVER, RST | ACK, 1, AFTER)
    return t


@case
def simultaneous_open():
    """Two SYNs cross, each is answered by a SYN-ACK (RFC 9293 3.5, figure 8): one open connection.
    reset: psh resp exact open orig=35/35
    flows: 1"""
    t = Talk()
    t.seg(0, CLIENT, SYN, 0, options=MSS)
    t.seg(5, SERVER, SYN, 0, options=MSS)
    t.seg(20, CLIENT, SYN | ACK, 0, 1, options=MSS)
    t.seg(25, SERVER, SYN | ACK, 0, 1, options=MSS)
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST)
    t.seg(50, SERVER, ACK, 1, AFTER)
    t.seg(60, SERVER, RST | ACK, 1, AFTER)
    return t


@case
def simultaneous_close():
    """Both FINs cross and are acknowledged (RFC 9293 3.6, figure 14); what comes late is refused.
    reset: close resp passive exact orig-fin-acked resp-fin-acked
    record: SF ShADFfar"""
    t = asked()
    t.seg(60, CLIENT, FIN | ACK, AFTER, 1)
    t.seg(61, SERVER, FIN | ACK, 1, AFTER)
    t.seg(80, CLIENT, ACK, AFTER + 1, 2)
    t.seg(81, SERVER, ACK, 2, AFTER + 1)
    t.seg(90, CLIENT, ACK, AFTER + 1, 2)
    t.seg(110, SERVER, RST, 2, ident=0, win=0)
    return t


@case
def half_close():
    """After the client's FIN the server may speak on (RFC 9293 3.6); then the client is gone.
    reset: close orig passive exact orig-fin-acked resp=100/200 on-data
    bytes: 35 200"""
    t = asked()
    t.seg(40, CLIENT, FIN | ACK, AFTER, 1)
    t.seg(60, SERVER, ACK, 1, AFTER + 1, b"1" * 100)
    t.seg(60, CLIENT, ACK, AFTER + 1, 101)
    t.seg(80, SERVER, ACK, 101, AFTER + 1, b"2" * 100)
    t.seg(80, CLIENT, RST, AFTER + 1, ident=0, win=0)
    return t


@case
def port_reuse():
    """A new ISN on the same four numbers is a new connection (RFC 9293 3.4.1).
    flows: 2
    reset: psh resp exact orig=35/35"""
    t = asked()
    t.seg(50, SERVER, FIN | ACK, 1, AFTER)
    t.seg(51, CLIENT, FIN | ACK, AFTER, 2)
    t.seg(70, SERVER, ACK, 2, AFTER + 1)
    t.isn = (77000000, 88000000)
    t.seg(1000, CLIENT, SYN, 0, options=MSS)
    t.seg(1020, SERVER, SYN | ACK, 0, 1, options=MSS)
    t.seg(1020, CLIENT, ACK, 1, 1)
    t.seg(1030, CLIENT, PSH | ACK, 1, 1, REQUEST)
    t.seg(1050, SERVER, RST | ACK, 1, AFTER)
    return t


@case
def midstream():
    """The start was not captured; one segment and its reset prove no stage but that.
    reset: midstream resp passive midstream exact
    record: RSTRH Dr"""
    t = Talk()
    t.seg(0, CLIENT, PSH | ACK, 5000, 9000, REQUEST)
    t.seg(20, SERVER, RST, 9000, ident=0, win=0)
    return t


@case
def one_direction():
    """Only the client's packets: what it acknowledges, the server sent.
    reset: data orig exact one-sided resp=290/290"""
    t = Talk()
    t.seg(0, CLIENT, SYN, 0, options=MSS)
    t.seg(20, CLIENT, ACK, 1, 1)
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST)
    t.seg(60, CLIENT, ACK, AFTER, 91)
    t.seg(70, CLIENT, RST | ACK, AFTER, 291)
    return t


@case
def offload():
    """A segment of 20,000 bytes under an MSS of 1460, sums not filled in: taken at its sender.
    reset: psh resp orig/inbound by-ttl by-size orig=20000/20000
    bytes: 20000 0"""
    t = Talk().open()
    t.seg(30, CLIENT, PSH | ACK, 1, 1, b"b" * 20000)
    t.seg(60, SERVER, RST | ACK, 1, 20001)
    return t


@case
def captured_twice():
    """Every packet twice, microseconds apart, as `any` shows it on a bridge: counted once.
    reset: psh resp exact rsts=1 orig=35/35 !repeats=1 !synack-again=1
    bytes: 35 0
    flows: 1"""
    t = Talk(link=SLL2).open(times=2)
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST, times=2)
    t.seg(50, SERVER, RST | ACK, 1, AFTER, times=2)
    return t


@case
def both_legs():
    """Each packet before and after a router: the copy has one hop less.
    reset: psh resp exact rsts=1 !ttls-differ !repeats=1"""
    t = Talk()
    for ms, side, flags, seq, ack, data in ((0, CLIENT, SYN, 0, 0, b""), (20, SERVER, SYN | ACK, 0, 1, b""),
                                            (20, CLIENT, ACK, 1, 1, b""),
                                            (30, CLIENT, PSH | ACK, 1, 1, REQUEST),
                                            (50, SERVER, RST | ACK, 1, AFTER, b"")):
        t.ids[side] += 1
        for less in (0, 1):
            t.seg(ms + less, side, flags, seq, ack, data, ttl=t.ttl[side] - less, ident=t.ids[side])
    return t


@case
def fragmented():
    """The request in three IPv4 fragments, the last first (RFC 791 3.2).
    reset: psh resp exact orig=900/900
    bytes: 900 0"""
    t = Talk().open()
    whole = t.ip(CLIENT, t.tcp(CLIENT, PSH | ACK, 1, 1, b"f" * 900), frag=0)
    for piece in fragments(whole, 320):
        t.put(30, CLIENT, piece)
    t.seg(50, SERVER, RST | ACK, 1, 901)
    return t


@case
def fragment_lost():
    """The first fragment is there, the others are not: nothing is made up.
    reset: ack resp orig=0/0"""
    t = Talk().open()
    whole = t.ip(CLIENT, t.tcp(CLIENT, PSH | ACK, 1, 1, b"f" * 900), frag=0)
    t.put(30, CLIENT, fragments(whole, 320)[-1])
    t.seg(50, SERVER, RST | ACK, 1, 1)
    return t


@case
def cut_short():
    """A snaplen of 60 bytes: the payload's length is the IP header's to tell.
    reset: data orig exact orig=35/35 resp=1000/1000
    bytes: 35 1000"""
    t = Talk().open(cut=60)
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST, cut=60)
    t.seg(60, SERVER, PSH | ACK, 1, AFTER, b"z" * 1000, cut=60)
    t.seg(60, CLIENT, ACK, AFTER, 1001, cut=60)
    t.seg(70, CLIENT, RST | ACK, AFTER, 1001, cut=60)
    return t


@case
def icmp_quotes():
    """An ICMP error (RFC 792) that quotes the request belongs to its connection.
    reset: psh resp icmp=3/13"""
    t = asked()
    quoted = t.ip(CLIENT, t.tcp(CLIENT, PSH | ACK, 1, 1, REQUEST))[:28]
    t.put(35, SERVER, ip4("198.51.100.9", "192.0.2.1", 1,
                          struct.pack("!BBHI", 3, 13, 0, 0) + quoted, 60))
    t.seg(50, SERVER, RST | ACK, 1, AFTER)
    return t


@case
def train():
    """Three RSTs at offsets 0, 1460 and 4380 within a millisecond, windows counting up; the server's
    answer comes all the same and the client speaks on: an injector, ignored or too late.
    reset: psh resp foreign rsts=3 burst=3 fan ttls-differ lived-on other-mac"""
    t = asked()
    for i, off in enumerate((0, 1460, 4380)):
        t.seg(31, SERVER, RST | ACK, 1 + off, AFTER, win=1980 + i, ttl=70 + i, ident=0x1234,
              mac=b"\2\0\0\0\0\x0f")
    t.seg(60, SERVER, PSH | ACK, 1, AFTER, REPLY[:90])
    t.seg(60, CLIENT, PSH | ACK, AFTER, 91, b"more")
    t.seg(90, SERVER, ACK, 91, AFTER + 4)
    return t


@case
def reflected():
    """The same RST comes back by another way with its IP-ID 40 ms later: one reset.
    reset: psh resp exact rsts=1"""
    t = asked()
    t.seg(50, SERVER, RST | ACK, 1, AFTER, ident=0x6000)
    t.seg(52, SERVER, RST | ACK, 1, AFTER, ident=0x6000)
    return t


@case
def two_acks():
    """Two RSTs with different ACKs (causes.md B4): they cannot both be the peer's.
    reset: psh resp rsts=2 acks-differ"""
    t = asked()
    t.seg(50, SERVER, RST | ACK, 1, AFTER)
    t.seg(51, SERVER, RST | ACK, 1, AFTER + 500)
    return t


@case
def says_why():
    """A RST with a diagnostic payload (RFC 9293 SHLD-2): it is decoded and counts for no data.
    reset: psh resp payload=14 decoded exact
    bytes: 35 0"""
    t = asked()
    t.seg(50, SERVER, RST | ACK, 1, AFTER, b"Flow expired (")
    return t


@case
def mptcp_reason():
    """MP_TCPRST (RFC 8684 3.6), reason 3: too much outstanding data.
    reset: psh resp mptcp=3"""
    t = asked()
    t.seg(50, SERVER, RST | ACK, 1, AFTER, options=b"\x1e\x04\x80\x03")
    return t


@case
def flow_label():
    """IPv6: a live socket keeps its flow label (RFC 6437 3).
    reset: psh resp v6 same-label active"""
    t = asked(v6=True)
    t.seg(50, SERVER, RST | ACK, 1, AFTER)
    return t


@case
def other_flow_label():
    """IPv6: a RST with another label.
    reset: psh resp v6 other-label"""
    t = asked(v6=True)
    t.seg(50, SERVER, RST | ACK, 1, AFTER, label=0x77)
    return t


@case
def clock_steps_back():
    """The clock goes back by an hour between SYN and SYN-ACK: nothing is measured across it.
    reset: psh resp exact !rtt !delay=-"""
    t = Talk()
    t.seg(3600000, CLIENT, SYN, 0, options=MSS)
    t.seg(20, SERVER, SYN | ACK, 0, 1, options=MSS)
    t.seg(20, CLIENT, ACK, 1, 1)
    t.seg(30, CLIENT, PSH | ACK, 1, 1, REQUEST)
    t.seg(50, SERVER, RST | ACK, 1, AFTER)
    return t


@case
def fragmentable():
    """A RST without the don't-fragment bit that all other packets of its side bear.
    reset: psh resp df-lost !tunnelled"""
    t = asked()
    t.seg(50, SERVER, RST | ACK, 1, AFTER, frag=0)
    return t


@case
def tunnelled():
    """A conversation read out of a tunnel says so.
    reset: psh resp active exact tunnelled !df-lost"""
    t = asked(wrap=in_gre)
    t.seg(50, SERVER, RST | ACK, 1, AFTER)
    return t


@case
def half_open():
    """A SYN meets a connection that the server still holds: a bare ACK of other numbers, and the
    client's RST bears that number (RFC 9293 3.5.1, figure 9).
    reset: syn orig half-open exact"""
    t = Talk()
    t.seg(0, CLIENT, SYN, 0, options=MSS)
    t.seg(20, SERVER, ACK, 500000, 700000)
    t.seg(20, CLIENT, RST, 700000, ident=0, win=0)
    return t


# ---- running them ----
def expectations(doc):
    want, key = {}, None
    for line in doc.splitlines()[1:]:
        word, _, rest = line.strip().partition(": ")
        if word in ("reset", "bytes", "record", "flows"):
            key = word
            want[key] = rest.split()
        elif key:
            want[key] += line.split()
    return want


def dump(binary, option, path):
    out = subprocess.run([binary, option, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         timeout=20, check=True).stdout
    return [line.split("\t") for line in out.decode().splitlines()]


def has(words, wanted):
    """'rtt' asks for a word, or for one with a value; '!rtt' that there is none."""
    name = wanted.lstrip("!")
    found = any(w == name or ("=" not in name and w.startswith(name + "=")) or
                (name.endswith("-") and w.startswith(name)) for w in words)
    if name == "idle" and wanted[0] == "!": # the stage alone
        found = words[0] == "idle"
    return found != wanted.startswith("!")


def wrong_of(binary, path, want):
    bad = []
    resets = dump(binary, "--facts", path)
    records = dump(binary, "--records", path)
    if "reset" in want:
        words = resets[-1][6].split(" | ")[0].split() if resets else []
        bad += ["%s: %s" % (w, " ".join(words)) for w in want["reset"] if not has(words, w)]
    if "record" in want and not any(r[4:6] == want["record"] for r in records):
        bad.append("record %s: %s" % (want["record"], [r[4:6] for r in records]))
    if "bytes" in want and want["bytes"] not in [r[8:10] for r in records]:
        bad.append("bytes %s: %s" % (want["bytes"], [r[8:10] for r in records]))
    if "flows" in want and len(dump(binary, "--streams", path)) != int(want["flows"][0]):
        bad.append("not %s flows" % want["flows"][0])
    return bad


def facts_of(binary, path, talk, as_pcapng=False):
    with open(path, "wb") as out:
        out.write(talk.pcapng() if as_pcapng else talk.pcap())
    return [row[6].replace(" other-mac", "").replace(" tunnelled", "") for row in dump(binary, "--facts", path)]


def same_inside(binary, path):
    """The same conversation in each tunnel, link type and file format: the same facts."""
    bad = []
    for v6 in (False, True):
        def talk(**more):
            t = asked(v6=v6, **more)
            t.seg(50, SERVER, RST | ACK, 1, AFTER)
            return t
        plain = facts_of(binary, path, talk())
        ways = {"raw": {"link": RAW}, "cooked": {"link": SLL2}, "IPIP": {"wrap": in_ipip},
                "GRE": {"wrap": in_gre}, "VXLAN": {"wrap": in_vxlan}}
        for name, way in ways.items():
            if facts_of(binary, path, talk(**way)) != plain:
                bad.append("%s (v6 %s): not as without" % (name, v6))
        if facts_of(binary, path, talk(), True) != plain:
            bad.append("pcapng (v6 %s): not as pcap" % v6)
    t = Talk(v6=True, wrap=in_teredo)
    t.ends = ("2001:0:c000:201:0:63bf:3fff:fdd2", "2001:db8::2")
    asked(t)
    t.seg(50, SERVER, RST | ACK, 1, AFTER)
    if facts_of(binary, path, t) != plain:
        bad.append("Teredo: not as without")
    return bad


def main(argv):
    args = [a for a in argv if a != "-v"]
    binary = args[0] if args else os.path.join(os.environ.get("builddir", "."), "tests", "flow",
                                               "flowdump")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="generated") as base:
        path = os.path.join(base, "c")
        for fn in CASES:
            with open(path, "wb") as out:
                out.write(fn().pcap())
            want = expectations(fn.__doc__)
            bad = wrong_of(binary, path, want) if want else ["nothing is expected"]
            failed += bool(bad)
            for line in bad:
                print("FAIL %s: %s" % (fn.__name__, line))
        bad = same_inside(binary, path)
        failed += len(bad)
        print("\n".join(bad))
    print("%d cases, %d failures" % (len(CASES) + 13, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
