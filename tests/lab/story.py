#!/usr/bin/env python3
"""A server or a client that does to its connections what a story tells, step after step.

    story.py listen PORT STORY [OPTION]...      story.py connect HOST PORT STORY

STORY is steps parted by ";". A step is a word and what belongs to it; TEXT in quotes knows \\r \\n \\xNN.
    head        read to the blank line that ends a HTTP head
    read N      read N bytes            some    read what comes in one go
    drain       read to the end         peek    wait until something is there to be read
    send TEXT [N]   write it (N times)  fill N  write N bytes
    wait S      do nothing for S seconds
    fin         shut the writing side   shut    shut both, without closing
    close       close                   reset   close with SO_LINGER 0
    vanish      the socket is gone without a word (TCP_REPAIR)
    die         the process is killed   unlisten  the listener is closed
    linger2 N, keepalive IDLE,INTERVAL,COUNT, usertimeout MS   socket options
    again       from the first step on  only N ...  the rest is for the Nth connection alone
    whole PORT  a TLS record that came whole is handed on to PORT of this host; else the story goes on
A client also: bind PORT (the local one), connect (again), touch FILE, await FILE.
OPTION of a server: backlog=N, noaccept, over=N (what comes over N at once is told `overstory`),
overstory=STORY, one (accepts one connection, then closes the listener), serial (one at a time).
"""
import os
import select
import shlex
import signal
import socket
import struct
import sys
import threading
import time

TCP_REPAIR, TCP_LINGER2, TCP_USER_TIMEOUT = 19, 8, 18


class End(Exception):
    pass


def words_of(step):
    words = shlex.split(step)
    return words[:1] + [w.encode().decode("unicode_escape").encode("latin-1") for w in words[1:]]


def split_steps(story):
    """At ";" outside quotes."""
    steps, quote, last = [], None, 0
    for i, c in enumerate(story + ";"):
        if c in "'\"" and quote in (None, c):
            quote = None if quote else c
        elif c in ";\n" and not quote:
            if story[last:i].strip():
                steps.append(words_of(story[last:i].strip()))
            last = i + 1
    return steps


class Teller:
    def __init__(self, sock, steps, listener=None, index=0, make=None):
        self.sock, self.steps, self.listener = sock, steps, listener
        self.index, self.make, self.last = index, make, b""

    def some(self, most=65536):
        data = self.sock.recv(most)
        if not data:
            raise End
        self.last = data
        return data

    def linger(self, on, seconds):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", on, seconds))

    def do_head(self):
        text = b""
        while b"\r\n\r\n" not in text:
            text += self.some()

    def do_read(self, n):
        left = int(n)
        while left > 0:
            left -= len(self.some(left))

    def do_some(self):
        self.some()

    def do_peek(self):
        select.select([self.sock], [], [])

    def do_drain(self):
        while self.sock.recv(65536):
            pass

    def do_send(self, text, times="1"):
        for _ in range(int(times)):
            self.sock.sendall(text)

    def do_fill(self, n):
        self.sock.sendall(b"x" * int(n))

    def do_wait(self, seconds):
        time.sleep(float(seconds))

    def do_fin(self):
        self.sock.shutdown(socket.SHUT_WR)

    def do_shut(self):
        self.sock.shutdown(socket.SHUT_RDWR)

    def do_close(self):
        self.sock.close()

    def do_reset(self):
        self.linger(1, 0)
        self.sock.close()

    def do_whole(self, port):
        """One look: what reads once and takes that for all there is."""
        hello = self.some(1460)
        if len(hello) < 5 or len(hello) < 5 + int.from_bytes(hello[3:5], "big"):
            return
        with socket.create_connection(("127.0.0.1", int(port))) as behind:
            behind.sendall(hello)
            ends = {self.sock: behind, behind: self.sock}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        raise End
                    ends[end].sendall(data)

    def do_vanish(self):
        self.sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.sock.close()

    def do_die(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def do_unlisten(self):
        self.listener.close()

    def do_linger2(self, n):
        self.sock.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, int(n))

    def do_usertimeout(self, ms):
        self.sock.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, int(ms))

    def do_keepalive(self, values):
        idle, interval, count = (int(v) for v in values.split(b","))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, count)

    def do_touch(self, name):
        open(name, "w").close()

    def do_await(self, name):
        while not os.path.exists(name):
            time.sleep(0.02)

    def do_bind(self, port):
        self.bound = int(port)
        self.do_connect()

    def do_connect(self):
        self.sock = self.make(getattr(self, "bound", 0))

    def do_only(self, n):
        if self.index != int(n):
            raise End

    def tell(self):
        try:
            at = 0
            while at < len(self.steps):
                word, *rest = self.steps[at]
                if word == "again":
                    at = 0
                    continue
                getattr(self, "do_" + word)(*rest)
                at += 1
        except (End, OSError) as error:
            print("story:", self.steps[min(at, len(self.steps) - 1)][0], repr(error),
                  file=sys.stderr, flush=True)
        if self.listener is None:
            return
        try:
            self.sock.close()
        except OSError:
            pass


def listen(port, story, options):
    values = dict(o.partition("=")[::2] for o in options)
    steps, over = split_steps(story), split_steps(values.get("overstory", "reset"))
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", port))
    s.listen(int(values.get("backlog", 128)))
    if "noaccept" in values:
        signal.pause()
    threads, count = [], 0
    while True:
        try:
            conn, _ = s.accept()
        except OSError:
            break
        threads = [t for t in threads if t.is_alive()]
        many = "over" in values and len(threads) >= int(values["over"])
        if "one" in values and s.fileno() >= 0:
            s.close()
        t = threading.Thread(target=Teller(conn, over if many else steps, s, count).tell)
        count += 1
        t.start()
        threads.append(t)
        if "serial" in values:
            t.join()
        if "one" in values:
            break
    for t in threads:
        t.join()


def connect(host, port, story):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET

    def make(local):
        s = socket.socket(family, socket.SOCK_STREAM)
        if local:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("", local))
        s.settimeout(30)
        s.connect((host, port))
        s.settimeout(None)
        return s

    steps = split_steps(story)
    first = None if steps and steps[0][0] in ("bind", "connect", "wait", "await") else make(0)
    Teller(first, steps, make=make).tell()


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("listen", "connect"):
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "listen":
        listen(int(sys.argv[2]), sys.argv[3], sys.argv[4:])
    else:
        connect(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    return 0


if __name__ == "__main__":
    sys.exit(main())
