#!/usr/bin/env python3
"""The demo's twelve faults a second time, written apart from src/fault/, each in another way where
there is one: what the console says of a fault must not hang on how our own server makes it.

Prints what rstfault prints: a line of a targets file an entry, in random order, then `ready`.
Runs until its standard input closes or SIGTERM comes.
"""
import argparse
import http.server
import os
import random
import select
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading

KEEP = []  # sockets that must stay open as long as we run


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def flushed(sock):
    """Waits until the peer has acknowledged everything: SIOCOUTQ is 0."""
    import fcntl
    import termios
    while True:
        left = struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        if left == 0:
            return
        select.select([], [], [], 0.002)


def read_request(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(4096)
        if not part:
            return data
        data += part
    return data


def listener(handle, backlog=128):
    """A thread that accepts, and one for each connection. Returns the port."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(backlog)

    def run_one(c):
        try:
            handle(c)
        except OSError:
            pass
        finally:
            c.close()

    def run():
        while True:
            c, _ = s.accept()
            threading.Thread(target=run_one, args=(c,), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return s.getsockname()[1]


class Web(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # five, the default, would drop the SYNs of a crowd
    daemon_threads = True


def web(handler_class):
    """Python's own HTTP server with that handler. Returns the port."""
    server = Web(("127.0.0.1", 0), handler_class)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = True

    def abandon(self, abort):
        """Closes under the feet of socketserver, which would say shutdown() first. What the
        handler has buffered holds the descriptor too: so it is the descriptor that is closed."""
        if abort:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, self.connection.fileno())
        os.close(null)
        self.close_connection = True


def closed():
    """A port that is taken by a connection going out: nothing listens on it."""
    there = socket.socket()
    there.bind(("127.0.0.1", 0))
    there.listen(1)
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.connect(there.getsockname())
    KEEP.extend((s, there))
    return f"tcp://127.0.0.1:{s.getsockname()[1]}", ""


def at_accept():
    return f"tcp://127.0.0.1:{listener(reset)}", ""


def unread():
    def handle(c):
        select.select([c], [], [], 20)
    return f"http://127.0.0.1:{listener(handle)}/", ""


def linger():
    class Handler(Quiet):
        def do_GET(self):
            self.abandon(abort=True)
    return f"http://127.0.0.1:{web(Handler)}/", ""


def hello():
    def handle(c):
        head = c.recv(5, socket.MSG_WAITALL)
        c.recv(struct.unpack(">H", head[3:5])[0], socket.MSG_WAITALL)
        reset(c)
    return f"https://127.0.0.1:{listener(handle)}/", ""


def text():
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: web/1.0\r\n"
                                 b"Content-Type: text/html\r\nConnection: close\r\n\r\n"
                                 b"<html><body><h1>400 Bad Request</h1></body></html>\r\n")
            self.request.shutdown(socket.SHUT_WR)
            while self.request.recv(65536):
                pass
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://127.0.0.1:{server.server_address[1]}/", ""


def versions():
    """A real TLS server that ends at 1.2; the client is told to begin at 1.3."""
    folder = tempfile.TemporaryDirectory()
    KEEP.append(folder)
    cert, key = folder.name + "/cert.pem", folder.name + "/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "2",
                    "-keyout", key, "-out", cert],
                   check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)

    def handle(c):
        try:
            context.wrap_socket(c, server_side=True).close()
        except ssl.SSLError:
            c.shutdown(socket.SHUT_WR)
            while c.recv(4096):
                pass
    return f"https://127.0.0.1:{listener(handle)}/", " tls-min=1.3"


def idle():
    def handle(c):
        select.select([], [], [], 3)
        reset(c)
    return f"tcp://127.0.0.1:{listener(handle)}", " hold=5"


def queue():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(0)
    KEEP.append(s)
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(s.getsockname())
        KEEP.append(c)
    return f"tcp://127.0.0.1:{s.getsockname()[1]}", " timeout=3"


def upload():
    class Handler(Quiet):
        def do_POST(self):
            self.rfile.read(1000)
            self.answer(413, b"too large\n")
            # Closed at once, the rest of the body unread, as small servers do.
            self.abandon(abort=False)
    return (f"http://127.0.0.1:{web(Handler)}/in", " method=POST body-size=1048576")


def half():
    class Handler(Quiet):
        def do_GET(self):
            self.answer(200, b"x" * 4000, 10000)
            flushed(self.connection)
            self.abandon(abort=True)
    return f"http://127.0.0.1:{web(Handler)}/file", ""


def healthy():
    class Handler(Quiet):
        def do_GET(self):
            self.answer(200, b"all is well\n")
    return f"http://127.0.0.1:{web(Handler)}/", ""


ENTRIES = {
    "closed": closed, "at-accept": at_accept, "unread": unread, "linger": linger, "hello": hello,
    "text": text, "versions": versions, "idle": idle, "queue": queue, "upload": upload,
    "half": half, "healthy": healthy,
}


class Leave(Exception):
    pass


def leave(*_):
    raise Leave


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entry", action="append", choices=sorted(ENTRIES))
    names = parser.parse_args().entry or list(ENTRIES)
    signal.signal(signal.SIGTERM, leave)
    random.shuffle(names)
    try:
        for name in names:
            spec, options = ENTRIES[name]()
            print(f"target {spec} name={name}{options}")
        print("ready", flush=True)
        sys.stdin.read()
    except (Leave, KeyboardInterrupt):
        pass


if __name__ == "__main__":
    main()
