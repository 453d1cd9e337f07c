#!/usr/bin/env python3
"""Does each entry of a fault program do on the wire what it is there for? A plain client looks at
errno, at the bytes, and at the kernel's counters (in a namespace of its own). For both programs;
no console takes part."""
import errno
import socket
import struct
import subprocess
import sys
import threading
import time

import faultlab

FAILED = []
HAVE_COUNTERS = False
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def check(good, what):
    if not good:
        FAILED.append(what)
        print("not ok:", what)


class Client:
    """A connection whose first error is kept by name."""

    def __init__(self, port, timeout=10):
        self.error = None
        self.got = b""
        self.sock = socket.socket()
        self.sock.settimeout(timeout)
        try:
            self.sock.connect(("127.0.0.1", port))
        except OSError as e:
            self.keep(e)

    def keep(self, e):
        if not self.error:
            self.error = "timeout" if isinstance(e, socket.timeout) else errno.errorcode[e.errno]

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            self.keep(e)

    def drain(self):
        """Reads to the end: what came before an error is there even after one."""
        try:
            while True:
                part = self.sock.recv(65536)
                if not part:
                    break
                self.got += part
        except OSError as e:
            self.keep(e)
        return self

    def close(self):
        self.sock.close()


def client_hello():
    """A ClientHello as OpenSSL makes it, taken from memory."""
    import ssl
    context = ssl.create_default_context()
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def closed(f):
    c = Client(f.port("closed"))
    check(c.error == "ECONNREFUSED", f"closed: {c.error}")
    try:
        socket.socket().bind(("127.0.0.1", f.port("closed")))
        check(False, "closed: the port is free for others to take")
    except OSError:
        pass


def at_accept(f):
    c = Client(f.port("at-accept"))
    if not c.error:
        c.drain()
    check(c.error == "ECONNRESET" and not c.got, f"at-accept: {c.error}")


def exchange(f, name, data, error, moved=None):
    before = faultlab.counters()
    c = Client(f.port(name))
    c.send(data)
    c.drain()
    check(c.error == error, f"{name}: {c.error}, not {error}")
    after = faultlab.counters()
    if HAVE_COUNTERS and moved:
        check(after[moved] == before[moved] + 1,
              f"{name}: {moved} moved by {after[moved] - before[moved]}")
    c.close()
    return c


def unread(f):
    c = exchange(f, "unread", REQUEST, "ECONNRESET", "TCPAbortOnClose")
    check(not c.got, "unread: it answered")


def linger(f):
    c = exchange(f, "linger", REQUEST, "ECONNRESET", "TCPAbortOnData")
    check(not c.got, "linger: it answered")
    # A request that comes in two pieces is waited for.
    c = Client(f.port("linger"), timeout=0.3)
    c.send(REQUEST[:20])
    c.drain()
    check(c.error == "timeout", f"linger: {c.error} before the request was whole")
    c.error = None
    c.sock.settimeout(10)
    c.send(REQUEST[20:])
    check(c.drain().error == "ECONNRESET", f"linger: {c.error} after the second piece")


def hello(f):
    h = client_hello()
    c = exchange(f, "hello", h, "ECONNRESET", "TCPAbortOnData")
    check(not c.got, "hello: it answered")
    c = Client(f.port("hello"), timeout=0.3)
    c.send(h[:100])
    check(c.drain().error == "timeout", f"hello: {c.error} before the hello was whole")


def text(f):
    c = exchange(f, "text", client_hello(), None)
    check(c.got.startswith(b"HTTP/1.1 400 "), f"text: {c.got[:40]!r}")


def versions(f):
    args = ["-tls1_3"] if f.lines["versions"][1].get("tls-min") == "1.3" else []
    out = subprocess.run(["openssl", "s_client", *args, "-connect",
                          f"127.0.0.1:{f.port('versions')}"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check("alert number 70" in out.stderr, f"versions: {out.stderr!r}")
    check("errno=104" not in out.stderr, "versions: reset after the alert")


def idle(f):
    c = Client(f.port("idle"))
    start = time.monotonic()
    c.drain()
    took = time.monotonic() - start
    check(c.error == "ECONNRESET" and not c.got, f"idle: {c.error}")
    check(2.9 < took, f"idle: cut after {took:.1f} s")


def queue(f):
    before = faultlab.counters()
    c = Client(f.port("queue"), timeout=1.5)
    check(c.error == "timeout", f"queue: {c.error}")
    moved = faultlab.counters()["ListenOverflows"] - before["ListenOverflows"]
    if HAVE_COUNTERS:
        check(moved > 0, "queue: ListenOverflows did not move")
    listing = subprocess.run(["ss", "-tlnH", f"sport = :{f.port('queue')}"], capture_output=True,
                             text=True).stdout.split()
    if listing:
        check(int(listing[1]) > int(listing[2]), f"queue: not full: {listing}")


def upload(f):
    body = b"\0" * int(f.lines["upload"][1]["body-size"])
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    before = faultlab.counters()
    c = Client(f.port("upload"))
    c.send(head + body)
    interrupted = c.error
    c.drain()
    unacked = 0
    info = c.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
    acked, = struct.unpack_from("Q", info, 120)
    unacked = len(head) + len(body) - acked
    check(c.error in ("ECONNRESET", "EPIPE"), f"upload: {c.error}")
    check(c.got.startswith(b"HTTP/1.1 413 "), f"upload: {c.got[:40]!r}")
    check(unacked > 0, "upload: it took the whole body")
    if f.which == "rstfault":
        check(interrupted in ("ECONNRESET", "EPIPE"), f"upload: send ended with {interrupted}")
    if HAVE_COUNTERS:
        check(faultlab.counters()["TCPAbortOnClose"] > before["TCPAbortOnClose"],
              "upload: not closed with data unread")


def half(f):
    c = exchange(f, "half", REQUEST, "ECONNRESET", "TCPAbortOnData")
    head, _, body = c.got.partition(b"\r\n\r\n")
    check(b"Content-Length: 10000" in head and len(body) == 4000, f"half: {len(body)} of {head!r}")


def healthy(f):
    before = faultlab.counters()
    c = exchange(f, "healthy", REQUEST, None)
    head, _, body = c.got.partition(b"\r\n\r\n")
    check(head.startswith(b"HTTP/1.1 200 ") and len(body) > 0, f"healthy: {c.got!r}")
    if HAVE_COUNTERS:
        resets = faultlab.counters()["OutRsts"] - before["OutRsts"]
        check(resets == 0, f"healthy: {resets} resets were sent")


ALONE = [closed, at_accept, unread, linger, hello, text, versions, upload, half, healthy]


def crowd(f, name, n):
    """Many at once, more than a server serves in parallel: each is treated alike."""
    ends = []

    def one():
        c = Client(f.port(name))
        c.send(REQUEST)
        c.drain()
        ends.append(c.error)
        c.close()
    threads = [threading.Thread(target=one) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return ends


def run(which):
    with faultlab.Faults(which) as f:
        f.which = which
        check(sorted(f.lines) == sorted(faultlab.ENTRIES), f"{which}: {sorted(f.lines)}")
        for test in ALONE:  # one after the other: the counters are everybody's
            test(f)
            test(f)
        waiting = threading.Thread(target=idle, args=(f,))
        waiting.start()
        queue(f)
        check(set(crowd(f, "healthy", 100)) == {None}, f"{which}: a crowd at healthy")
        check(set(crowd(f, "linger", 100)) == {"ECONNRESET"}, f"{which}: a crowd at linger")
        waiting.join()
        check(f.stop() == 0, f"{which}: does not end with its input")


def alone():
    """rstfault: --entry, --list, wrong words, the end of its reader."""
    with faultlab.Faults("rstfault", ["half", "idle"]) as f:
        check(set(f.lines) == {"half", "idle"}, f"--entry: {set(f.lines)}")
        f.child.stdout.close()
        check(f.child.wait(timeout=10) == 0, "rstfault does not end with its reader")
    command = faultlab.PROGRAMS["rstfault"]
    out = subprocess.run(command + ["--list"], capture_output=True, text=True)
    names = [line.split()[0] for line in out.stdout.splitlines()]
    check(names == faultlab.ENTRIES, f"--list: {names}")
    wrong = subprocess.run(command + ["--entry", "nothing"], capture_output=True, text=True)
    check(wrong.returncode == 2 and "nothing" in wrong.stderr, f"--entry nothing: {wrong}")
    orders = set()
    for _ in range(4):
        with faultlab.Faults("rstfault") as f:
            orders.add(tuple(f.lines))
    check(len(orders) > 1, "the order of the entries is always the same")


def main():
    global HAVE_COUNTERS
    HAVE_COUNTERS = faultlab.enter_namespace()
    if not HAVE_COUNTERS:
        print("no network namespace can be made: the counters are not checked")
    for which in faultlab.PROGRAMS:
        run(which)
    alone()
    print(f"{len(FAILED)} checks failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
