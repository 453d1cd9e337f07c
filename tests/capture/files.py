#!/usr/bin/env python3
"""capture/ on files, pipes and what is no capture: the same packets whichever way they come, and a
clear sentence for everything that cannot be read. Uses capdump (tests/capture/capdump.c)."""
import gzip
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ.get("builddir", ".")
DUMP = os.path.join(BUILD, "tests/capture/capdump")
TMP = tempfile.TemporaryDirectory(prefix="rst-files-")
failures = []


def expect(what, ok, seen=""):
    if not ok:
        failures.append(what)
        print(f"FAIL {what}: {seen!r}")


def path(name, data):
    p = os.path.join(TMP.name, name)
    with open(p, "wb") as f:
        f.write(data)
    return p


def dump(*args, stdin=subprocess.DEVNULL, data=None):
    if data is not None:
        p = subprocess.run([DUMP, *args], input=data, capture_output=True, timeout=60)
    else:
        p = subprocess.run([DUMP, *args], stdin=stdin, capture_output=True, timeout=60)
    if p.returncode not in (0, 3):
        failures.append("exit status")
        print("FAIL exit status", args, p.returncode, p.stderr.decode(errors="replace")[-2000:])
    return p.stdout.decode()


def records(text):
    return [line for line in text.split("\n") if line.startswith("record ")]


def tcp(i, port=80):
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, i & 0xffff, 0x4000, 64, 6, 0,
                     bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    return b"\0" * 12 + b"\x08\0" + ip + struct.pack(">HHIIBBHHH", 1024 + i % 60000, port, i, 0,
                                                     0x50, 2, 65535, 0, 0)


def pcap(n, order="<", magic=0xa1b23c4d, link=1, first=0, unit=1000):
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for i in range(first, first + n):
        p = tcp(i, 80 + i % 2)
        out.append(struct.pack(order + "IIII", 1700000000 + i, i * unit % 1000000, len(p), len(p)))
        out.append(p)
    return b"".join(out)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def section():
    return block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))


def interface(link, name=b"eth9"):
    opts = struct.pack("<HH", 2, len(name)) + name + b"\0" * (-len(name) % 4)
    opts += struct.pack("<HHB3x", 9, 1, 9) + struct.pack("<HH", 0, 0)
    return block(1, struct.pack("<HHI", link, 0, 262144) + opts)


def epb(interface_id, i, data):
    t = (1700000000 + i) * 10**9 + i
    return block(6, struct.pack("<IIIII", interface_id, t >> 32, t & 0xffffffff, len(data),
                                len(data)) + data)


def stats(interface_id, dropped):
    return block(5, struct.pack("<III", interface_id, 0, 0) + struct.pack("<HHQ", 5, 8, dropped) +
                 struct.pack("<HH", 0, 0))


def same_both_ways():
    """A file, stdin from a file, a pipe in odd pieces and a FIFO give the same records."""
    ng = (section() + interface(1) + interface(101, b"tun0") +
          b"".join(epb(i % 2, i, tcp(i)[14 * (i % 2):]) for i in range(200)) + stats(0, 7))
    for name, data in (("le", pcap(500)), ("be", pcap(500, ">")), ("us", pcap(500, "<", 0xa1b2c3d4)),
                       ("ng", ng)):
        p = path(name, data)
        plain = dump(p)
        n = 200 if name == "ng" else 500
        expect(f"{name}: all records", len(records(plain)) == n, plain[-300:])
        expect(f"{name}: ends well", "state ENDED NONE \n" in plain, plain[-300:])
        with open(p, "rb") as f:
            expect(f"{name}: stdin is a file", dump("-", stdin=f) == plain)
        expect(f"{name}: piped", records(dump("-", data=data)) == records(plain))
        fifo = os.path.join(TMP.name, name + ".fifo")
        os.mkfifo(fifo)

        def feed():
            with open(fifo, "wb", buffering=0) as f:
                for at in range(0, len(data), 977):
                    f.write(data[at:at + 977])
        t = threading.Thread(target=feed)
        t.start()
        expect(f"{name}: in pieces", records(dump(fifo)) == records(plain))
        t.join()
    expect("ng: drops are told", "dropped 7 " in plain, plain[-200:])


def stdin_offset():
    """What another program has read of stdin before is not read again."""
    p = path("offset", b"HEAD" + pcap(5))
    with open(p, "rb", buffering=0) as f:
        f.seek(4)
        expect("stdin from its offset", len(records(dump("-", stdin=f))) == 5)


def cut():
    data = pcap(10)
    for keep, words in ((len(data) - 1, "in the middle of packet 10"), (24 + 16, "packet 1"),
                        (24 + 7, "packet 1"), (10, "inside the header"), (3, "inside the header")):
        p = path("cut", data[:keep])
        for text in (dump(p), dump("-", data=data[:keep])):
            expect(f"cut at {keep}", words in text and ("FORMAT" in text), text)
    text = dump(path("cut", data[:-1]))
    expect("cut: what came before is there", len(records(text)) == 9 and "truncated 1" in text, text)
    only = dump(path("header", data[:24]))
    expect("a header alone is an empty capture", "state ENDED NONE \n" in only and
           "total 0 0" in only, only)


def damaged():
    data = bytearray(pcap(10))
    at = 24 + 3 * 70 + 8
    data[at:at + 4] = b"\xff\xff\xff\x7f"
    for text in (dump(path("damaged", bytes(data))), dump("-", data=bytes(data))):
        expect("damaged after 3", len(records(text)) == 3 and
               re.search("state ENDED FORMAT \\S.*: it is damaged after packet 3", text), text)
    huge = section() + struct.pack("<II", 0x0bad, 0x7ffffff0) + b"x" * 1000
    text = dump("-", data=huge)
    expect("a block longer than any", "FORMAT" in text, text)


def no_captures():
    cases = (
        ("empty", b"", "there is nothing in it"),
        ("gz", gzip.compress(pcap(3)), "gzip data: unpack it first"),
        ("text", b"12:00:01.5 IP 10.0.0.1.80 > 10.0.0.2.1234: Flags [R]\n", "looks like text"),
        ("snoop", b"snoop\0\0\0\0\0\0\2\0\0\0\4", "a snoop capture"),
        ("zip", b"PK\x03\x04" + b"\0" * 30, "zip archive"),
        ("elf", b"\x7fELF" + b"\0" * 60, "a program"),
        ("noise", bytes(range(1, 250)), "not a capture"),
    )
    for name, data, words in cases:
        text = dump(path(name, data))
        expect(f"{name}", text.startswith("refused ") and words in text and name in text, text)
        piped = dump("-", data=data)
        expect(f"{name} piped", re.search("state FAILED .* standard input: ", piped) and
               words in piped, piped)
    text = dump(TMP.name)
    expect("a directory", text.startswith("refused FILE") and "is a directory" in text, text)
    text = dump(os.path.join(TMP.name, "absent"))
    expect("absent", text.startswith("refused FILE") and "No such file" in text, text)
    text = dump("/dev/null")
    expect("/dev/null", "there is nothing in it" in text, text)
    odd = os.path.join(TMP.name, "a\x1b[31mb")
    expect("a name with escapes", "\x1b" not in dump(odd), dump(odd))


def unreadable():
    p = path("secret", pcap(1))
    os.chmod(p, 0)
    os.chmod(TMP.name, 0o755)
    if os.geteuid() != 0:
        text = dump(p)
    else:
        try:
            text = subprocess.run([DUMP, p], capture_output=True, text=True, timeout=60,
                                  user=65534, group=65534, extra_groups=[]).stdout
        except (PermissionError, OSError) as e:
            print(f"SKIPPED unreadable: cannot run as another user ({e})")
            return
    expect("unreadable", text.startswith("refused FILE") and "Permission denied" in text, text)


def link_types():
    text = dump(path("usb", pcap(2, link=189)))
    expect("unknown link type", text.startswith("refused FORMAT") and
           "link type 189 (USB_LINUX)" in text, text)
    text = dump("-", data=pcap(2, link=189))
    expect("unknown link type, piped", "state FAILED FORMAT" in text and "189" in text, text)
    ng = section() + interface(189) + interface(1) + epb(0, 1, b"usb") + epb(1, 2, tcp(1))
    text = dump(path("mixed", ng))
    expect("one known among them", len(records(text)) == 2 and "ENDED NONE" in text, text)
    text = dump(path("none", section() + interface(189) + epb(0, 1, b"usb")))
    expect("none known", "ENDED FORMAT" in text and "link type 189" in text, text)


def filters():
    p = path("filter", pcap(100))
    text = dump("-f", "tcp port 80", p)
    expect("filter: half", len(records(text)) == 50 and "seen 100" in text, text[-200:])
    expect("filter: numbers of the file", records(text)[1].startswith("record 3 "), text[:200])
    text = dump("-f", "tcp port 80", "-", data=pcap(100))
    expect("filter, piped", len(records(text)) == 50, text[-200:])
    for args in ((p,), ("-",)):
        text = dump("-f", "tcp prot 80", *args)
        expect("wrong filter", text.startswith("refused FILTER wrong filter: ") and
               "syntax error" in text, text)
    text = dump("-f", "wlan type mgt", p)
    expect("filter of another link type", text.startswith("refused FILTER") and "802.11" in text,
           text)
    text = dump("-f", "wlan type mgt", "-", data=pcap(100))
    expect("the same, piped", "state FAILED FILTER" in text and "802.11" in text, text)
    ng = section() + interface(1) + interface(101) + epb(0, 1, tcp(1)) + epb(1, 2, tcp(1)[14:])
    text = dump("-f", "tcp port 80", path("two", ng))
    expect("a filter for each link type", len(records(text)) == 2, text)


def stops():
    data = pcap(1000)
    p = path("stops", data)
    for args in ((p,), ("-",)):
        piped = data if args[0] == "-" else None
        text = dump("-n", "10", *args, data=piped)
        expect("stopped by its callback", len(records(text)) == 10 and "ENDED NONE" in text,
               text[-200:])
        text = dump("-x", "10", *args, data=piped)
        expect("freed by its callback", len(records(text)) == 10 and "ENDED" not in text,
               text[-200:])


def terminal():
    parent, child = pty.openpty()
    text = dump("-", stdin=child)
    os.close(parent)
    os.close(child)
    expect("a terminal", text.startswith("refused FILE") and "is a terminal" in text, text)


def large():
    """More than the slices, the pipe and the steps in which the mapping is given back."""
    body = pcap(20000)
    data = body + body[24:] * 9
    p = path("large", data)
    expect("large file", "total 200000 " in dump("-q", p))
    expect("large pipe", "total 200000 " in dump("-q", "-", data=data))
    big = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)
    for i in range(40):
        frame = tcp(i) + b"x" * 200000
        big += struct.pack("<IIII", i, 0, len(frame), len(frame)) + frame
    expect("large records, piped", "total 40 " in dump("-q", "-", data=big))


def read_ahead():
    """A large file is read by a thread that is ahead: order, stopping, an end that is damaged and
    interfaces that come late must be as they are without it (a pipe is read in one thread)."""
    plain = pcap(20000)
    damaged = plain + struct.pack("<IIII", 1, 0, 1 << 30, 1 << 30) + b"?" * 20
    cut_off = plain[:-7]
    late = section() + b"".join(
        (interface(1, b"eth%d" % (i // 4000)) if i % 4000 == 0 else b"") + epb(i // 4000, i, tcp(i))
        for i in range(20000))
    for name, data in ("plain", plain), ("damaged", damaged), ("cut", cut_off), ("late", late):
        p = path("ahead-" + name, data)
        expect(name + " is large", len(data) > 1 << 20)
        file, pipe = dump(p).split("\n"), dump("-", data=data).split("\n")
        file, pipe = ([x.replace(p, "standard input") for x in side] for side in (file, pipe))
        expect(name + ": the same as piped", file == pipe and len(file) > 19000, file[-3:])
        for n in 1, 511, 512, 513, 9999:
            text = dump("-n", str(n), p)
            expect(f"{name}: stopped after {n}", len(records(text)) == n and "ENDED NONE" in text,
                   text[-200:])
            text = dump("-x", str(n), p)
            expect(f"{name}: freed after {n}", len(records(text)) == n and "ENDED" not in text,
                   text[-200:])


def main():
    for test in (same_both_ways, stdin_offset, cut, damaged, no_captures, unreadable, link_types,
                 filters, stops, terminal, large, read_ahead):
        before = len(failures)
        test()
        print("ok  " if len(failures) == before else "FAIL", test.__name__)
    TMP.cleanup()
    return 1 if failures else 0


sys.exit(main())
