#!/usr/bin/env python3
"""Servers that mean no good, or know no better: each probe ends within its limits and is named for
what it is. What the probes do with servers that merely fail is in test_probe.py."""
import os
import resource
import socket
import ssl
import struct
import sys
import threading
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from probelab import (BUILD, Case, Server, TMP, cert, field, https_handler, linger0, one,  # noqa: E402
                      read_hello, read_until, results, server_context)

OK = b'HTTP/1.1 200 OK\r\n'


def sanitized():
    with open(os.path.join(BUILD, 'tests/probe/probeone'), 'rb') as f:
        return b'__asan_init' in f.read()


def answer(data, end='fin'):
    """Reads a request, says data, and ends so."""
    def handle(srv, s):
        read_until(s, b'\r\n\r\n')
        s.sendall(data)
        if end == 'reset':
            linger0(s)
        elif end == 'mute':
            srv.over.wait(30)
    return handle


def flood(first, piece, ask=read_until):
    def handle(_, s):
        ask(s, b'\r\n\r\n') if ask is read_until else ask(s)
        s.sendall(first)
        while True:
            s.sendall(piece)
    return handle


def drip(data, ask=read_until):
    """One byte at a time, for ever: the last one again and again."""
    def handle(srv, s):
        ask(s, b'\r\n\r\n') if ask is read_until else ask(s)
        at = 0
        while not srv.over.wait(0.05):
            s.sendall(data[at:at + 1])
            at = min(at + 1, len(data) - 1)
    return handle


def nothing(_):
    pass


class Hostile(Case):
    def probe(self, handler, spec, which, *args):
        with Server(handler) as srv:
            return one(spec % srv.port, which, *args)

    def http(self, handler, more='timeout=1'):
        return self.probe(handler, 'http://127.0.0.1:%d/ ' + more, 'http')


class OneByteAtATime(Hostile):
    def test_tcp(self):
        r = self.probe(drip(b'x', nothing), 'tcp://127.0.0.1:%d hold=500ms timeout=1', 'tcp')
        self.check(r, 'ok', stage='hold')
        self.assertTrue(field(r, 'banner').startswith('x'))

    def test_tls(self):
        for scheme in ('tls', 'https'):
            # A handshake record that says it is long.
            r = self.probe(drip(b'\x16\x03\x03\x40\x00\x02\x00\x3f\xfc' + b'\0' * 100000, read_hello),
                           scheme + '://127.0.0.1:%d insecure=1 timeout=1', 'tls')
            self.check(r, 'failed', 'generic_timeout_error', 'handshake')

    def test_http(self):
        for data in (OK, OK + b'Content-Length: 100000\r\n\r\nx', OK + b'X: y',
                     OK + b'Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n000000'):
            r = self.http(drip(data))
            self.check(r, 'failed', 'generic_timeout_error', 'response')

    def test_after_the_tls_handshake(self):
        ctx = server_context()

        def handle(srv, s):
            t = ctx.wrap_socket(s, server_side=True)
            while not srv.over.wait(0.05):
                t.sendall(b'x')
        r = self.probe(handle, 'tls://127.0.0.1:%d insecure=1 hold=300ms timeout=2', 'tls')
        self.check(r, 'ok', stage='hold')


class NeverStops(Hostile):
    def test_tls_handshake_records(self):
        # HelloRequests are to be ignored by a client (RFC 5246 7.4.1.1), empty records are none.
        for scheme in ('tls', 'https'):
            for record, failure in ((b'\x16\x03\x03\0\4\0\0\0\0', 'too_large'),
                                    (b'\x16\x03\x03\0\0', 'ssl_failed_handshake'),
                                    (b'\x14\x03\x03\0\1\1', 'ssl_failed_handshake')):
                r = self.probe(flood(b'', record * 500, read_hello),
                               scheme + '://127.0.0.1:%d timeout=20', 'tls')
                self.check(r, 'failed', failure, 'handshake')

    def test_warning_alerts(self):
        r = self.probe(flood(b'', b'\x15\x03\x03\0\2\1\x5a' * 500, read_hello),
                       'tls://127.0.0.1:%d timeout=1', 'tls')
        self.check(r, 'failed', 'ssl_failed_handshake', 'handshake')
        self.assertEqual(field(r, 'alert'), 'user_canceled')

    def test_data_after_the_tls_handshake(self):
        ctx = server_context()

        def handle(_, s):
            t = ctx.wrap_socket(s, server_side=True)
            while True:
                t.sendall(b'x' * 16000)
        r = self.probe(handle, 'tls://127.0.0.1:%d insecure=1 hold=20 timeout=20', 'tls')
        self.check(r, 'ok', stage='hold')

    def test_interim_answers(self):
        r = self.http(flood(b'', b'HTTP/1.1 102 Processing\r\n\r\n' * 500), 'timeout=20')
        self.check(r, 'failed', 'too_large', 'response')

    def test_gigabytes_of_headers(self):
        r = self.http(flood(OK, (b'X-%s: y\r\n' % (b'z' * 90)) * 500), 'timeout=20')
        self.check(r, 'failed', 'too_large', 'response')

    def test_trailers(self):
        r = self.http(flood(OK + b'Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n',
                            b'X-Trailer: y\r\n' * 500), 'timeout=20')
        self.check(r, 'failed', 'too_large', 'response')

    def test_chunks_of_no_size(self):
        r = self.http(flood(OK + b'Transfer-Encoding: chunked\r\n\r\n', b'0' * 65536), 'timeout=20')
        self.check(r, 'failed', 'http_bad_response', 'response')

    def test_chunks(self):
        r = self.http(flood(OK + b'Transfer-Encoding: chunked\r\n\r\n', b'1\r\nx\r\n' * 5000),
                      'timeout=20')
        self.check(r, 'ok')
        self.assertTrue(field(r, 'body_capped'))

    def test_what_host_port_finds(self):
        with Server(flood(b'', b'\0\xff' * 30000, nothing)) as srv:
            r = one('127.0.0.1:%d timeout=2' % srv.port, 'tcp')
        self.check(r, 'ok')
        self.assertTrue(field(r, 'reply_capped'))


class ClosesAtAnyPoint(Hostile):
    """One server for all points: each connection ends a byte later than the one before it."""

    def points(self, data, ask, spec, which, step, how='fin'):
        lock, left = threading.Lock(), list(range(0, len(data) + 1, step))
        count = len(left)

        def handle(_, s):
            ask(s)
            with lock:
                n = left.pop(0)
            s.sendall(data[:n])
            if how == 'reset':
                linger0(s)
        with Server(handle, backlog=64) as srv:
            rs = results(*[spec % srv.port + ' name=%d' % i for i in range(count)])
        rs = [r for r in rs if r['probe'] == which]
        self.assertEqual(len(rs), count)
        return rs

    def test_http(self):
        data = OK + b'Content-Length: 4\r\nX: y\r\n\r\nbody'
        for how, failures in (('fin', {'eof_error', 'http_bad_response', ''}),
                              ('reset', {'connection_reset', 'eof_error', 'http_bad_response', ''})):
            rs = self.points(data, lambda s: read_until(s, b'\r\n\r\n'),
                             'http://127.0.0.1:%d/ timeout=5', 'http', 3, how)
            self.assertLessEqual({r['failure'] for r in rs}, failures, rs)
            self.assertIn('eof_error' if how == 'fin' else 'connection_reset',
                          {r['failure'] for r in rs})

    def test_tls(self):
        # What a real server says first, cut anywhere.
        ctx, inc, out = server_context(), ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        cin, cout = ssl.MemoryBIO(), ssl.MemoryBIO()
        c = client.wrap_bio(cin, cout)
        s = ctx.wrap_bio(inc, out, server_side=True)
        with self.assertRaises(ssl.SSLWantReadError):
            c.do_handshake()
        inc.write(cout.read())
        with self.assertRaises(ssl.SSLWantReadError):
            s.do_handshake()
        flight = out.read()
        for how, usual in (('fin', 'eof_error'), ('reset', 'connection_reset')):
            rs = self.points(flight, read_hello, 'tls://127.0.0.1:%d timeout=5', 'tls', 97, how)
            self.assertLessEqual({r['failure'] for r in rs}, {usual, 'ssl_failed_handshake'})
            self.assertIn(usual, {r['failure'] for r in rs})
            self.assertEqual({r['stage'] for r in rs}, {'handshake'})


class Rubbish(Hostile):
    NOISE = bytes((i * 167 + i // 256 * 31 + 13) % 256 for i in range(5000))

    def test_each_scheme(self):
        for scheme, which, failure in (('tcp', 'tcp', ''), ('tls', 'tls', 'ssl_failed_handshake'),
                                       ('https', 'tls', 'ssl_failed_handshake'),
                                       ('http', 'http', 'http_bad_response')):
            def handle(srv, s):
                s.settimeout(5)
                s.recv(4096) if scheme != 'tcp' else None
                s.sendall(self.NOISE)
                srv.over.wait(30)
            r = self.probe(handle, scheme + '://127.0.0.1:%d timeout=2 hold=200ms', which)
            self.check(r, 'failed' if failure else 'ok', failure)
            for name, values in r['fields'].items():
                for v in values:
                    if isinstance(v, str):
                        self.assertTrue(v.isprintable(), (name, v))

    def test_http_0_9(self):
        r = self.http(answer(b'hello\r\n', 'mute'))
        self.check(r, 'failed', 'http_bad_response', 'response')
        self.assertTrue(field(r, 'first_bytes').startswith('hello'))

    def test_status_lines(self):
        for line in (b'HTTP/9.9 200 OK', b'HTTP/1.1 9999999999 OK', b'HTTP/1.1 -1 no', b'HTTP/1.1',
                     b'HTTP/1.1 200 \x1b[31mred\x1b[0m\x07'):
            r = self.http(answer(line + b'\r\nContent-Length: 0\r\n\r\n'))
            self.assertIn((r['outcome'], r['failure']),
                          (('ok', ''), ('failed', 'http_bad_response')), (line, r))
            self.assertNotIn('\x1b', str(r['fields']))

    def test_lengths(self):
        for value in (b'-5', b'99999999999999999999999', b'4, 5', b'x'):
            r = self.http(answer(OK + b'Content-Length: ' + value + b'\r\n\r\nabcd'))
            self.assertIn((r['outcome'], r['failure']),
                          (('ok', ''), ('failed', 'http_bad_response'), ('failed', 'eof_error'),
                           ('failed', 'too_large')), (value, r))

    def test_a_bomb_stays_packed(self):
        bomb = zlib.compress(b'\0' * (64 << 20), 9)
        r = self.http(answer(OK + b'Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n' %
                             len(bomb) + bomb), 'timeout=10')
        self.check(r, 'ok')
        self.assertEqual(field(r, 'body_bytes'), len(bomb))

    def test_redirect_to_itself(self):
        seen = []

        def handle(srv, s):
            seen.append(1)
            answer(b'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n')(srv, s)
        r = self.http(handle)
        self.check(r, 'ok')
        self.assertEqual((field(r, 'status'), len(seen)), (302, 1))


class Certificates(Hostile):
    def test_a_long_chain(self):
        pem, key = cert('localhost', '-days', '30', '-addext',
                        'subjectAltName=DNS:localhost,IP:127.0.0.1')
        chain = os.path.join(TMP, 'chain.pem')
        with open(pem, encoding='ascii') as f, open(chain, 'w', encoding='ascii') as out:
            out.write(f.read() * 190)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(chain, key)
        r = self.probe(https_handler(ctx), 'https://127.0.0.1:%d/ timeout=10', 'tls')
        self.check(r, 'failed', 'ssl_unknown_authority', 'handshake')
        self.assertLess(sum(len(v) for v in r['fields'].values()), 300)

    def test_a_hundred_thousand(self):
        """TLS 1.2 sends them in the clear: no key is needed to promise 16 MiB of them, and send."""
        def handle(_, s):
            hello = read_hello(s)
            session = hello[5 + 4 + 2 + 32 + 1:][:hello[5 + 4 + 2 + 32]]
            body = b'\x03\x03' + b'r' * 32 + bytes([len(session)]) + session + b'\xc0\x2b\0'
            body += struct.pack('!H', 5) + b'\xff\x01\0\1\0'  # renegotiation_info, RFC 5746
            message = b'\2' + struct.pack('!I', len(body))[1:] + body
            one_cert = struct.pack('!I', 160)[1:] + b'\x30\x82\0\x9c' + b'c' * 156
            length = 100000 * len(one_cert)
            stream = b'\x0b' + struct.pack('!I', length + 3)[1:] + struct.pack('!I', length)[1:]
            s.sendall(b'\x16\x03\x03' + struct.pack('!H', len(message)) + message)
            stream += one_cert * 100
            while True:
                s.sendall(b'\x16\x03\x03' + struct.pack('!H', len(stream)) + stream)
                stream = one_cert * 100
        r = self.probe(handle, 'tls://127.0.0.1:%d timeout=10 tls-max=1.2', 'tls')
        self.check(r, 'failed', 'ssl_failed_handshake', 'handshake')
        self.assertIn('excessive message size', field(r, 'error'))


class LyingProxy(Hostile):
    def through(self, handler, scheme='http', target='https'):
        with Server(handler) as srv:
            rs = results('%s://198.51.100.1/ timeout=2 proxy=%s://127.0.0.1:%d' %
                         (target, scheme, srv.port))
        r = [x for x in rs if x['outcome'] == 'failed']
        self.assertTrue(r, rs)
        return r[0]

    def test_connect(self):
        for data, failures in (
                (b'HTTP/1.1 200 OK\r\n\r\nnot TLS at all, and in many words', {'ssl_failed_handshake'}),
                (b'HTTP/1.1 999 What\r\n\r\n', {'http_bad_response', 'eof_error'}),
                (b'no such protocol\r\n\r\n', {'http_bad_response', 'eof_error'}),
                (b'', {'eof_error', 'http_bad_response'})):
            r = self.through(answer(data))
            self.assertIn(r['failure'], failures, (data, r))

    def test_endless_headers(self):
        r = self.through(flood(OK, (b'X-%s: y\r\n' % (b'z' * 90)) * 500))
        self.assertIn(r['failure'], {'too_large', 'http_bad_response'}, r)

    def test_socks(self):
        for data in (b'\x05\x00\x05\x00\x00\x09rubbish', b'\x04\x00', b'HTTP/1.1 200 OK\r\n\r\n',
                     b'\x05\xff', b'\x05\x00\x05\x00\x00\x03\xff' + b'n' * 300):
            def handle(srv, s):
                s.settimeout(5)
                s.recv(100)
                s.sendall(data)
                srv.over.wait(30)
            r = self.through(handle, 'socks5')
            self.assertEqual(r['outcome'], 'failed')


class NameServer:
    """UDP and TCP on one port; answer(query, question, tcp) gives the message, or None."""

    def __init__(self, reply):
        self.reply, self.over = reply, threading.Event()
        while True:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(('127.0.0.1', 0))
            self.tcp = socket.socket()
            try:
                self.tcp.bind(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(8)
        self.address = '127.0.0.1:%d' % self.udp.getsockname()[1]
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.datagrams, self.streams)]

    @staticmethod
    def question(q):
        at = 12
        while q[at]:
            at += 1 + q[at]
        return q[12:at + 5]

    def datagrams(self):
        while True:
            q, peer = self.udp.recvfrom(2048)
            if not q:
                return
            a = self.reply(q, self.question(q), False)
            if a:
                self.udp.sendto(a, peer)

    def streams(self):
        while True:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            s.settimeout(10)
            with s:
                try:
                    q = s.recv(2048)
                    while len(q) < 2 or len(q) < 2 + struct.unpack('!H', q[:2])[0]:
                        q += s.recv(2048)
                    a = self.reply(q[2:], self.question(q[2:]), True)
                    if a is None:
                        self.over.wait(20)
                    else:
                        s.sendall(a)
                except OSError:
                    pass

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b'', self.udp.getsockname())
        self.tcp.shutdown(socket.SHUT_RDWR)
        for t in self.threads:
            t.join()
        self.udp.close()
        self.tcp.close()


def message(q, question, rrs, flags=0x8180, answers=None):
    return q[:2] + struct.pack('!HHHHH', flags, 1, len(rrs) if answers is None else answers, 0,
                               0) + question + b''.join(rrs)


def rr(rtype, data, owner=b'\xc0\x0c', ttl=60):
    return owner + struct.pack('!HHIH', rtype, 1, ttl, len(data)) + data


def framed(data):
    return struct.pack('!H', len(data)) + data


class Dns(Case):
    A, CNAME = 1, 5

    def look(self, reply, more='timeout=1500ms family=4'):
        with NameServer(reply) as ns:
            return one('dns://host.example. ' + more, 'dns', '--resolver', ns.address)

    def test_five_hundred_addresses(self):
        many = [rr(self.A, bytes([127, 0, i // 250, i % 250])) for i in range(500)]

        def reply(q, question, tcp):
            if not tcp:
                return message(q, question, [], 0x8380)  # truncated: ask again over TCP
            return framed(message(q, question, many))
        r = self.look(reply)
        self.check(r, 'ok')
        self.assertEqual(len(r['fields']['address']), 16)
        self.assertEqual(field(r, 'addresses_left_out'), 484)

    def test_truncated_and_no_tcp(self):
        for stream in (None, b'', framed(b'\0' * 5), b'\xff\xff' + b'x' * 20):
            r = self.look(lambda q, question, tcp, a=stream:
                          a if tcp else message(q, question, [], 0x8380))
            self.assertEqual((r['outcome'], r['stage']), ('failed', 'dns'), (stream, r))

    def test_loops(self):
        at = 12 + len(b'\4host\7example\0') + 4
        here = struct.pack('!H', 0xc000 | at)
        for owner in (here, b'\1a' + here, struct.pack('!H', 0xc000 | (at + 200))):
            r = self.look(lambda q, question, _, o=owner:
                          message(q, question, [rr(self.A, b'\x7f\0\0\1', o)]))
            self.assertEqual(r['outcome'], 'failed', (owner, r))

    def test_aliases_in_a_ring(self):
        other = b'\5other\7example\0'
        ring = [rr(self.CNAME, other), rr(self.CNAME, b'\xc0\x0c', other)] * 30
        r = self.look(lambda q, question, tcp: framed(message(q, question, ring)) if tcp
                      else message(q, question, ring))
        self.check(r, 'failed', 'dns_no_answer', 'dns')
        self.assertLessEqual(len(r['fields'].get('cname', [])), 16)

    def test_control_characters(self):
        evil = b'\x0a\x1b[31m\x07\r\n\x00x\7example\0'
        r = self.look(lambda q, question, _: message(q, question, [
            rr(self.CNAME, evil), rr(self.A, b'\x7f\0\0\1', evil)]))
        self.check(r, 'ok')
        for values in r['fields'].values():
            for v in values:
                self.assertTrue(not isinstance(v, str) or v.isprintable(), r)

    def test_counts_that_lie(self):
        for n in (0, 2, 65535):
            r = self.look(lambda q, question, _, n=n:
                          message(q, question, [rr(self.A, b'\x7f\0\0\1')], answers=n))
            self.assertEqual(r['stage'], 'dns')
            self.assertIn(r['failure'], ('', 'dns_no_answer', 'unknown_failure'), (n, r))

    def test_of_another_question(self):
        r = self.look(lambda q, question, _: message(bytes([q[0] ^ 1, q[1]]) + q[2:], question,
                                                     [rr(self.A, b'\x7f\0\0\1')]))
        self.check(r, 'failed', 'generic_timeout_error', 'dns')

    def test_rubbish(self):
        for data in (b'\0', Rubbish.NOISE[:11], Rubbish.NOISE[:512]):
            r = self.look(lambda q, question, tcp, d=data: framed(d) if tcp else q[:2] + d)
            self.assertEqual((r['outcome'], r['stage']), ('failed', 'dns'), r)


class ZMemory(unittest.TestCase):
    """Named so that it runs after the others: what the greatest of all probes above took."""

    @unittest.skipIf(sanitized(), 'a sanitized program needs more')
    def test_zz_none_took_much(self):
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 96 << 10)


if __name__ == '__main__':
    unittest.main()
