#!/usr/bin/python3
"""make_pcap.py OUT: a connection that is reset after the client's first bytes (pcap, raw IP)."""
import struct
import sys


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


CLIENT, SERVER = (bytes([10, 1, 0, 2]), 50000), (bytes([10, 0, 0, 9]), 8080)
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def segment(src, dst, ttl, flags, seq, ack, data=b""):
    window = 0 if flags & RST else 64240
    tcp = struct.pack("!HHIIBBHHH", src[1], dst[1], seq, ack, 5 << 4, flags, window, 0, 0) + data
    pseudo = src[0] + dst[0] + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, ttl, 6, 0) + src[0] + dst[0]
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


GET = b"GET /health HTTP/1.1\r\nHost: es.example\r\n\r\n"
PACKETS = [
    (0.000, segment(CLIENT, SERVER, 64, SYN, 1000, 0)),
    (0.010, segment(SERVER, CLIENT, 60, SYN | ACK, 5000, 1001)),
    (0.0101, segment(CLIENT, SERVER, 64, ACK, 1001, 5001)),
    (0.011, segment(CLIENT, SERVER, 64, PSH | ACK, 1001, 5001, GET)),
    (0.025, segment(SERVER, CLIENT, 60, RST | ACK, 5001, 1001 + len(GET))),
]

with open(sys.argv[1], "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
    for at, packet in PACKETS:
        out.write(struct.pack("<IIII", 1768485900, int(at * 1e6), len(packet), len(packet)) + packet)
