"""Captures made byte by byte: one TCP conversation a case, written as pcap or pcapng. Used by
generated.py; by hand: generate.py DIRECTORY writes all of them there."""
import ipaddress
import struct
import sys

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
CLIENT, SERVER = 0, 1
ETHERNET, RAW, SLL2 = 1, 101, 276
MSS, SACK_OK, NOP = b"\x02\x04\x05\xb4", b"\x04\x02", b"\x01"


def ws(shift):
    return b"\x03\x03" + bytes([shift])


def ts(val, ecr):
    return NOP * 2 + struct.pack("!BBII", 8, 10, val, ecr)


def sack(*blocks):
    return NOP * 2 + bytes([5, 2 + 8 * len(blocks)]) + b"".join(struct.pack("!II", *b) for b in blocks)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def ip4(src, dst, proto, body, ttl=64, ident=0, frag=0x4000, total=None):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total or 20 + len(body), ident, frag, ttl, proto, 0,
                       ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def ip6(src, dst, proto, body, ttl=64, label=0):
    return struct.pack("!IHBB16s16s", 6 << 28 | label, len(body), proto, ttl,
                       ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed) + body


def udp(sport, dport, body):
    return struct.pack("!HHHH", sport, dport, 8 + len(body), 0) + body


class Talk:
    """A conversation. Sequence numbers are relative to the ISNs, times in milliseconds."""

    def __init__(self, v6=False, isn=(1000000, 2000000), ports=(40000, 443), wrap=None,
                 link=ETHERNET, ttl=(64, 57), checksums=True):
        self.ends = (("2001:db8::1", "2001:db8::2") if v6 else ("192.0.2.1", "192.0.2.80"))
        self.v6, self.isn, self.ports, self.wrap, self.link = v6, isn, ports, wrap, link
        self.ttl, self.ids, self.checksums = ttl, [100, 0x5000], checksums
        self.records = []

    # ---- layers ----
    def tcp(self, side, flags, seq, ack, data=b"", options=b"", win=1000):
        options += b"\0" * (-len(options) % 4)
        seq = (self.isn[side] + seq) & 0xffffffff if seq is not None else 0
        ack = (self.isn[1 - side] + ack) & 0xffffffff if flags & ACK else 0
        head = struct.pack("!HHIIBBHHH", self.ports[side], self.ports[1 - side], seq, ack,
                           (20 + len(options)) // 4 << 4, flags, win, 0, 0) + options
        pseudo = (ipaddress.ip_address(self.ends[side]).packed +
                  ipaddress.ip_address(self.ends[1 - side]).packed +
                  struct.pack("!IHH", len(head + data), 0, 6))
        total = checksum(pseudo + head + data) if self.checksums else 0x1234
        return head[:16] + struct.pack("!H", total) + head[18:] + data

    def ip(self, side, segment, ttl=None, ident=None, label=0x1234, **more):
        src, dst = self.ends[side], self.ends[1 - side]
        ttl = self.ttl[side] if ttl is None else ttl
        if self.v6:
            return ip6(src, dst, 6, segment, ttl, label)
        if ident is None:
            self.ids[side] += 1
            ident = self.ids[side]
        return ip4(src, dst, 6, segment, ttl, ident, **more)

    def frame(self, side, packet, mac=None):
        kind = 0x86dd if packet[0] >> 4 == 6 else 0x0800
        if self.link == RAW:
            return packet
        if self.link == SLL2:
            return struct.pack("!HHIHBB8s", kind, 0, 1, 1, 3, 6, bytes([2, 0, 0, 0, 0, side, 0, 0])) + packet
        macs = [bytes([2, 0, 0, 0, 0, 1]), bytes([2, 0, 0, 0, 0, 2])]
        return macs[1 - side] + (mac or macs[side]) + struct.pack("!H", kind) + packet

    # ---- records ----
    def put(self, ms, side, packet, cut=None, mac=None, times=1):
        frame = self.frame(side, self.wrap(self, side, packet) if self.wrap else packet, mac)
        for i in range(times):
            self.records.append((ms * 1000000 + i * 1000, frame[:cut] if cut else frame, len(frame)))

    def seg(self, ms, side, flags, seq, ack=0, data=b"", options=b"", win=1000, cut=None, mac=None,
            times=1, **ip):
        self.put(ms, side, self.ip(side, self.tcp(side, flags, seq, ack, data, options, win), **ip),
                 cut, mac, times)

    def open(self, options=(MSS, MSS), win=1000, **more):
        self.seg(0, CLIENT, SYN, 0, 0, options=options[0], win=win, **more)
        self.seg(20, SERVER, SYN | ACK, 0, 1, options=options[1], win=win, ident=0, **more)
        self.seg(20, CLIENT, ACK, 1, 1, win=win, **more)
        return self

    def pcap(self):
        out = struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, self.link)
        for ns, data, length in self.records:
            ns += 1700000000 * 10 ** 9
            out += struct.pack("<IIII", ns // 10 ** 9, ns % 10 ** 9, len(data), length) + data
        return out

    def pcapng(self):
        out = struct.pack("<IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28)
        out += struct.pack("<IIHHIHHBBBBII", 1, 32, self.link, 0, 262144, 9, 1, 9, 0, 0, 0, 0, 32)
        for ns, data, length in self.records:
            ns += 1700000000 * 10 ** 9
            size = 32 + (len(data) + 3 & ~3)
            out += struct.pack("<IIIIIII", 6, size, 0, ns >> 32, ns & 0xffffffff, len(data), length)
            out += data + b"\0" * (-len(data) % 4) + struct.pack("<I", size)
        return out


# ---- what may lie around the packet ----
def in_ipip(talk, side, packet):
    return ip4("198.51.100.1", "198.51.100.2", 41 if talk.v6 else 4, packet, 250)


def in_gre(talk, side, packet):
    return ip4("198.51.100.1", "198.51.100.2", 47,
               struct.pack("!HH", 0, 0x86dd if talk.v6 else 0x0800) + packet, 250)


def in_vxlan(talk, side, packet):
    inner = b"\2\0\0\0\0\7\2\0\0\0\0\x08" + struct.pack("!H", 0x86dd if talk.v6 else 0x0800) + packet
    return ip4("198.51.100.1", "198.51.100.2", 17,
               udp(50000, 4789, b"\x08\0\0\0\0\0\x64\0" + inner), 250)


def in_teredo(talk, side, packet):
    return ip4("198.51.100.1", "198.51.100.2", 17, udp(50001, 3545, packet), 250)


def fragments(packet, size):
    """The pieces of an IPv4 packet, in the order given by nature: the last first."""
    ident, body = struct.unpack("!H", packet[4:6])[0], packet[20:]
    src, dst = (str(ipaddress.ip_address(packet[i:i + 4])) for i in (12, 16))
    pieces = [ip4(src, dst, packet[9], body[i:i + size], packet[8], ident,
                  (0x2000 if i + size < len(body) else 0) | i // 8)
              for i in range(0, len(body), size)]
    return pieces[::-1]


def main():
    from generated import CASES
    for case in CASES:
        with open("%s/%s.pcap" % (sys.argv[1], case.__name__), "wb") as out:
            out.write(case().pcap())


if __name__ == "__main__":
    main()
