#!/usr/bin/env python3
"""Every allocation and every system call of the probes fails once: nothing leaks, crashes or hangs.
In make check each so-manieth; TORTURE_ALL=1 (make campaign) all of them."""
import os
import socket
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hostile import NameServer, message, rr  # noqa: E402
from probelab import BUILD, Server, cert, https_handler, linger0, read_until, server_context  # noqa: E402

TORTURE = os.path.join(BUILD, 'tests/probe/torture')
ALL = os.environ.get('TORTURE_ALL') == '1'


def plain(_, s):
    if read_until(s, b'\r\n\r\n'):
        s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        s.recv(100)


def reset(_, s):
    read_until(s, b'\r\n\r\n')
    linger0(s)


def mute(_, s):
    while s.recv(65536):
        pass


def closed_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Torture(unittest.TestCase):
    def torture(self, step, *args):
        for kind, every in (((), step), (('--calls',), max(step // 10, 1))):
            command = [TORTURE, *kind, '--step', str(1 if ALL else every), *args]
            run = subprocess.run(command, capture_output=True, text=True, check=False,
                                 timeout=3600 if ALL else 300)
            lines = [x for x in run.stderr.splitlines() if not x.startswith('rstconsole:')]
            self.assertEqual(run.returncode, 0, '%s\n%s\n%s' %
                             (' '.join(command), run.stdout, '\n'.join(lines)))
            if os.environ.get('TORTURE_ALL') or '-v' in sys.argv:
                print(self.id().split('.')[-1], ' '.join(kind), run.stdout.strip(), flush=True)

    def serve(self, handler, step, spec, *args):
        with Server(handler, backlog=128) as srv:
            self.torture(step, *args, spec % srv.port)

    def test_tcp(self):
        self.serve(mute, 1, 'tcp://127.0.0.1:%d hold=0 body=x timeout=300ms')

    def test_refused(self):
        self.torture(1, 'tcp://127.0.0.1:%d' % closed_port())

    def test_silence(self):
        self.serve(mute, 11, 'http://127.0.0.1:%d/ timeout=20ms')

    def test_http(self):
        self.serve(plain, 5, 'http://127.0.0.1:%d/ body=x header=A:b timeout=300ms')

    def test_http_reset(self):
        self.serve(reset, 9, 'http://127.0.0.1:%d/ timeout=300ms')

    def secure(self, step, spec):
        """With a CA file of one certificate: those of the system are a hundred thousand blocks."""
        ctx = server_context()
        pem, _ = cert('localhost')
        self.serve(https_handler(ctx), step, spec + ' cacert=' + pem)

    def test_https(self):
        self.secure(499, 'https://127.0.0.1:%d/ timeout=300ms')

    def test_tls(self):
        self.secure(499, 'tls://127.0.0.1:%d hold=0 timeout=300ms')

    def test_names(self):
        def reply(q, question, _):
            kind = struct.unpack('!H', question[-4:-2])[0]
            return message(q, question, [rr(1, b'\x7f\0\0\1')] if kind == 1 else [])
        with Server(plain, backlog=128) as srv, NameServer(reply) as ns:
            self.torture(17, '--resolver', ns.address,
                         'http://host.example.:%d/ timeout=300ms' % srv.port)


if __name__ == '__main__':
    with open(TORTURE, 'rb') as f:
        if b'__asan_init' in f.read():
            print('a sanitizer has its own allocator: the counts are made in other builds')
            sys.exit(77)
    unittest.main()
