"""Captures made by hand: each a name and the bytes of a pcap file."""
import struct


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(src, dst, sport, dport, flags, seq, ack, payload=b"", ttl=64, window=64240):
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, window, 0, 0)
    pseudo = src + dst + struct.pack("!BBH", 0, 6, len(tcp) + len(payload))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + payload)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + len(payload), 1, 0x4000, ttl, 6, 0,
                     src, dst)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + tcp + payload


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
A, B = bytes([198, 51, 100, 7]), bytes([192, 0, 2, 1])


def pcap(frames, step_us=10000, start=1700000000):
    out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)
    at = start * 1000000
    for frame in frames:
        if isinstance(frame, int):  # a silence, in seconds
            at += frame * 1000000
            continue
        out += struct.pack("<IIII", at // 1000000, at % 1000000, len(frame), len(frame)) + frame
        at += step_us
    return out


def handshake(port, server=B):
    return [segment(A, server, port, 443, SYN, 1000, 0),
            segment(server, A, 443, port, SYN | ACK, 5000, 1001),
            segment(A, server, port, 443, ACK, 1001, 5001)]


def hello(name):
    sni = struct.pack("!BH", 0, len(name)) + name
    ext = struct.pack("!HHH", 0, len(sni) + 2, len(sni)) + sni
    body = b"\3\3" + bytes(32) + b"\0" + struct.pack("!HH", 2, 0x1301) + b"\1\0"
    body += struct.pack("!H", len(ext)) + ext
    message = b"\1" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\3\1" + struct.pack("!H", len(message)) + message


def captures():
    yield "empty.pcap", pcap([])
    yield "refused.pcap", pcap([segment(A, B, 40000, 443, SYN, 1000, 0),
                                segment(B, A, 443, 40000, RST | ACK, 0, 1001, window=0)])
    h = hello(b"shop.example")
    yield "hello.pcap", pcap(handshake(40000) + [
        segment(A, B, 40000, 443, PSH | ACK, 1001, 5001, h),
        segment(B, A, 443, 40000, RST, 5001, 0, ttl=50, window=0)])
    evil = b"GET /\x1b[31m\xff\x00\xe2\x80\xae HTTP/1.1\r\nHost: \x07<b>*a*\"\\\r\n\r\n"
    yield "words.pcap", pcap(handshake(40000) + [
        segment(A, B, 40000, 443, PSH | ACK, 1001, 5001, evil),
        segment(B, A, 443, 40000, PSH | ACK, 5001, 1001 + len(evil), b"ERR \x1b]0;x\x07\r\n"),
        segment(B, A, 443, 40000, RST | ACK, 5013, 1001 + len(evil), b"\x1b[2Jgo away\x85")])
    yield "idle.pcap", pcap(handshake(40000) + [
        400, segment(A, B, 40000, 443, PSH | ACK, 1001, 5001, b"ping"),
        segment(B, A, 443, 40000, RST, 5001, 0, window=0)])
    yield "lone.pcap", pcap([segment(B, A, 443, 40000, RST, 1, 0)])
    yield "close.pcap", pcap(handshake(40000) + [
        segment(A, B, 40000, 443, PSH | ACK, 1001, 5001, b"GET / HTTP/1.0\r\n\r\n"),
        segment(B, A, 443, 40000, FIN | PSH | ACK, 5001, 1019,
                b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        segment(A, B, 40000, 443, RST | ACK, 1019, 5041)])
    many = []
    for port in range(2000, 4000):
        many += handshake(port) + [
            segment(A, B, port, 443, PSH | ACK, 1001, 5001, b"GET / HTTP/1.1\r\n\r\n"),
            segment(B, A, 443, port, RST | ACK, 5001, 1019)]
    yield "many.pcap", pcap(many, step_us=50)
