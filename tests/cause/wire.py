"""Packets by hand, byte for byte, as a capture at the client's end sees them: for bytes.py.

A Net is a capture file in the making; a Conn one connection in it. Both stacks behave like Linux
(one ip-id a socket, timestamps, the window of the last segment) until a scenario says otherwise.
"""
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def addr(text):
    return bytes(int(part) for part in text.split("."))


def hello(name=b"shop.example", pad=0):
    """A TLS 1.2 ClientHello with a server name, padded by an extension (RFC 7685)."""
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    exts = struct.pack("!HH", 0, len(sni)) + sni
    if pad:
        exts += struct.pack("!HH", 21, pad) + bytes(pad)
    body = b"\3\3" + bytes(range(32)) + b"\0" + b"\0\4\xc0\x2f\xc0\x30" + b"\1\0"
    body += struct.pack("!H", len(exts)) + exts
    shake = b"\1" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\3\1" + struct.pack("!H", len(shake)) + shake


def server_hello():
    body = b"\3\3" + bytes(range(32, 64)) + b"\0" + b"\xc0\x2f" + b"\0"
    shake = b"\2" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\3\3" + struct.pack("!H", len(shake)) + shake


def alert(code, level=2):
    return b"\x15\3\3\0\2" + bytes([level, code])


class Net:
    def __init__(self, drop=0):
        self.packets = []  # (time, frame)
        self.port = 40000

    def add(self, time, frame):
        self.packets.append((time, len(self.packets), frame))

    def pcap(self):
        out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)
        for time, _, frame in sorted(self.packets):
            at = 1700000000 + time
            out += struct.pack("<IIII", int(at), int(at * 1000000) % 1000000, len(frame),
                               len(frame)) + frame
        return out

    def conn(self, at=0.0, **options):
        self.port += 1
        return Conn(self, at, **dict({"sport": self.port}, **options))


class End:
    def __init__(self, ip, port, ttl, isn, mac, ident):
        self.ip, self.port, self.ttl, self.next, self.mac, self.ident = ip, port, ttl, isn, mac, ident
        self.isn = isn
        self.sent = []


class Conn:
    def __init__(self, net, at=0.0, server="198.51.100.20", client="192.0.2.10", sport=40001,
                 dport=443, rtt=0.02, ttl=52, options=b""):
        self.net, self.now, self.rtt, self.options = net, at, rtt, options
        self.c = End(addr(client), sport, 64, 1000 + sport, b"\2\0\0\0\0\1", sport % 999 + 7)
        self.s = End(addr(server), dport, ttl, 700000 + sport, b"\2\0\0\0\0\2", sport % 777 + 9)
        self.ts = True

    def wait(self, seconds):
        self.now += seconds
        return self

    def raw(self, src, dst, flags, seq, ack, payload=b"", window=502, ident=None, ttl=None,
            ts=None, options=b"", at=None, mac=None):
        if ts is None:
            ts = self.ts
        opts = options
        if ts:
            opts += b"\1\1\x08\x0a" + struct.pack("!II", int(self.now * 1000) + 5000, 77)
        opts += b"\1" * (-len(opts) % 4)
        tcp = struct.pack("!HHIIBBHHH", src.port, dst.port, seq & 0xffffffff, ack & 0xffffffff,
                          (20 + len(opts)) // 4 << 4, flags, window, 0, 0) + opts + payload
        pseudo = src.ip + dst.ip + struct.pack("!BBH", 0, 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        if ident is None:
            src.ident += 1
            ident = src.ident
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), ident & 0xffff, 0x4000,
                         ttl or src.ttl, 6, 0, src.ip, dst.ip)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.net.add(self.now if at is None else at,
                     dst.mac + (mac or src.mac) + b"\x08\0" + ip + tcp)

    # ---- the handshake ----
    def syn(self):
        opts = b"\2\4\5\xb4\4\2" + self.options
        self.raw(self.c, self.s, SYN, self.c.isn, 0, options=opts, window=64240)
        self.c.next = self.c.isn + 1
        return self

    def synack(self):
        self.raw(self.s, self.c, SYN | ACK, self.s.isn, self.c.isn + 1, options=b"\2\4\5\xb4\4\2",
                 window=65160, ident=0)
        self.s.next = self.s.isn + 1
        return self

    def ack(self):
        self.raw(self.c, self.s, ACK, self.c.next, self.s.next)
        return self

    def open(self):
        self.syn().wait(self.rtt).synack().wait(0.0001).ack().wait(0.0001)
        return self

    # ---- data; a side's words, acknowledged by the other or not ----
    def say(self, who, data, acked=True, flags=PSH | ACK, **more):
        me, you = (self.c, self.s) if who == "c" else (self.s, self.c)
        for i in range(0, len(data), 1448):
            part = data[i:i + 1448]
            self.raw(me, you, flags, me.next, you.next, part, **more)
            me.next += len(part)
            self.now += 0.00001
        if acked:
            self.now += self.rtt if who == "c" else 0.0002
            self.raw(you, me, ACK, you.next, me.next)
        return self

    def again(self, who, data, times, first=0.3):
        """The same bytes sent again, with growing pauses."""
        me, you = (self.c, self.s) if who == "c" else (self.s, self.c)
        for n in range(times):
            self.wait(first * 2 ** n)
            self.raw(me, you, PSH | ACK, me.next - len(data), you.next, data)
        return self

    def fin(self, who, acked=True):
        me, you = (self.c, self.s) if who == "c" else (self.s, self.c)
        self.raw(me, you, FIN | ACK, me.next, you.next)
        me.next += 1
        if acked:
            self.now += 0.0002 if who == "s" else self.rtt
            self.raw(you, me, ACK, you.next, me.next)
        return self

    # ---- the three resets of Linux, and what others make ----
    def active(self, who="s", **more):
        me, you = (self.c, self.s) if who == "c" else (self.s, self.c)
        self.raw(me, you, RST | ACK, me.next, you.next, **more)
        return self

    def passive(self, who="s", **more):
        me, you = (self.c, self.s) if who == "c" else (self.s, self.c)
        self.raw(me, you, RST, me.next, 0, **dict({"window": 0, "ident": 0, "ts": False}, **more))
        return self

    def refuse(self, **more):
        self.raw(self.s, self.c, RST | ACK, 0, self.c.isn + 1,
                 **dict({"window": 0, "ident": 0, "ts": False}, **more))
        return self

    def forged(self, who="s", offset=0, **more):
        me, you = (self.c, self.s) if who == "c" else (self.s, self.c)
        self.raw(me, you, RST | ACK, me.next + offset, you.next,
                 **dict({"window": 8192, "ident": 0x1234, "ts": False}, **more))
        return self
