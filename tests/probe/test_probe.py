"""The probes against servers of our own on loopback: what each end looks like, in its result and
in its facts. Nothing here measures time."""
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import unittest

from probelab import (MIB, PROBE, Case, Server, cert, expired_cert, field, https_handler,
                      linger0, one, probe, read_hello, read_until, results, server_context)


class Tcp(Case):
    def test_refused(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))  # bound, not listening: nobody else takes the port
            r = one('tcp://127.0.0.1:%d' % s.getsockname()[1], 'tcp')
        self.check(r, 'failed', 'connection_refused', 'connect', 'ECONNREFUSED')
        self.yes(r, 'connect-refused')
        self.no(r, 'icmp-error')
        self.assertIn(' > 127.0.0.1:', r['flow'])
        self.assertFalse(r['doubtful'])

    def test_flow_is_told_before_the_result_and_is_the_server_s_view(self):
        peers = []

        def handle(srv, s):
            peers.append('%s:%d' % s.getpeername())
            srv.over.wait(20)
        with Server(handle) as srv:
            lines = probe('tcp://127.0.0.1:%d hold=20ms' % srv.port)
        self.assertEqual([x['type'] for x in lines], ['chain', 'result', 'done'])
        self.assertEqual(lines[0]['flow'], '%s > 127.0.0.1:%d' % (peers[0], srv.port))
        self.assertEqual(lines[1]['flow'], lines[0]['flow'])
        self.assertEqual(lines[1]['chain'], lines[0]['chain'])
        self.check(lines[1], 'ok', stage='hold')
        self.no(lines[1], 'hold-reset')

    def test_reset_at_accept(self):
        with Server(lambda _, s: linger0(s)) as srv:
            r = one('tcp://127.0.0.1:%d' % srv.port, 'tcp')
        # Sooner than we can look the reset may lie on a connection that connect() has reported.
        self.check(r, 'failed', 'connection_reset', 'hold', 'ECONNRESET')
        self.yes(r, 'hold-reset', 'nothing-sent', 'no-reply-bytes', 'at-accept', 'connect-ok')
        self.no(r, 'idle-before-reset')
        self.assertIn('stage ack', r['facts']['stage']['text'])
        self.assertTrue(r['doubtful'])

    def test_fin_at_accept(self):
        with Server(lambda _, s: s.close()) as srv:
            r = one('tcp://127.0.0.1:%d' % srv.port, 'tcp')
        self.check(r, 'failed', 'eof_error', 'hold')
        self.yes(r, 'hold-fin')

    def test_banner_is_read_and_cleaned(self):
        def handle(_, s):
            s.sendall(b'220 mail\x1b[31m ready\r\n')
        with Server(handle) as srv:
            r = one('tcp://127.0.0.1:%d' % srv.port, 'tcp')
        self.check(r, 'ok')
        self.assertEqual(field(r, 'banner'), '220 mail.[31m ready..')
        self.yes(r, 'banner-first')

    def test_idle_cut_by_reset(self):
        def handle(srv, s):
            srv.over.wait(1.5)
            linger0(s)
        with Server(handle) as srv:
            r = one('tcp://127.0.0.1:%d hold=10' % srv.port, 'tcp')
        self.check(r, 'failed', 'connection_reset', 'hold')
        self.assertGreaterEqual(field(r, 'silence'), 1000)
        self.assertGreaterEqual(field(r, 'held'), 1000)
        self.yes(r, 'idle-before-reset', 'idle-pushed', 'hold-reset', 'unprovoked')
        self.assertIn('stage idle', r['facts']['stage']['text'])
        self.assertFalse(r['doubtful'])

    def test_body_is_sent_and_answered(self):
        def handle(_, s):
            got = s.recv(100)
            s.sendall(b'+' + got)
        with Server(handle) as srv:
            r = one('tcp://127.0.0.1:%d body="PING x"' % srv.port, 'tcp')
        self.check(r, 'ok', stage='response')
        self.assertEqual(field(r, 'reply'), '+PING x')
        self.assertEqual(field(r, 'request_bytes'), 6)

    def test_body_reset_unread(self):
        def handle(_, s):
            s.recv(1, socket.MSG_PEEK)
            s.close()
        with Server(handle) as srv:
            r = one('tcp://127.0.0.1:%d body=x' % srv.port, 'tcp')
        self.check(r, 'failed', 'connection_reset', 'response', 'ECONNRESET')
        self.yes(r, 'connection-reset', 'no-reply-bytes', 'all-acked')
        self.assertIn('stage psh', r['facts']['stage']['text'])

    def test_a_flood_is_capped(self):
        def handle(_, s):
            while True:
                s.sendall(b'x' * 65536)
        with Server(handle) as srv:
            r = one('tcp://127.0.0.1:%d hold=20' % srv.port, 'tcp')
        self.check(r, 'ok')
        self.assertTrue(field(r, 'reply_capped'))

    def test_syn_timeout(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen(0)
            fill = [socket.socket() for _ in range(3)]
            for f in fill:
                f.setblocking(False)
                f.connect_ex(s.getsockname())
            r = one('tcp://127.0.0.1:%d timeout=1.3' % s.getsockname()[1], 'tcp')
            for f in fill:
                f.close()
        self.check(r, 'failed', 'generic_timeout_error', 'connect')
        self.assertGreaterEqual(field(r, 'syns'), 2)
        self.yes(r, 'connect-timeout', 'syn-repeated')
        self.assertTrue(r['doubtful'])

    def test_ipv6(self):
        try:
            with Server(lambda srv, s: srv.over.wait(20), socket.AF_INET6) as srv:
                r = one('tcp://[::1]:%d hold=20ms' % srv.port, 'tcp')
        except OSError as e:
            self.skipTest('no IPv6 loopback: %s' % e)
        self.check(r, 'ok')
        self.assertEqual(r['address'], '::1')

    def test_source(self):
        seen = []

        def handle(_, s):
            seen.append(s.getpeername()[0])
        with Server(handle) as srv:
            one('tcp://127.0.0.1:%d source=127.0.0.7' % srv.port, 'tcp')
            r = one('tcp://127.0.0.1:%d source=nosuchif0' % srv.port, 'tcp')
        self.assertEqual(seen, ['127.0.0.7'])
        self.check(r, 'failed', stage='connect', failure='unknown_failure', errno='ENODEV')
        self.assertEqual(field(r, 'call'), 'source')

    def test_many_at_once_are_queued(self):
        n = 60
        with Server(lambda srv, s: srv.over.wait(20), backlog=128) as srv:
            rs = results('--in-flight', '7', *(['tcp://127.0.0.1:%d hold=10ms' % srv.port] * n))
        self.assertEqual([r['outcome'] for r in rs], ['ok'] * n)
        self.assertEqual(len({r['chain'] for r in rs}), n)
        self.assertEqual(len({r['target'] for r in rs}), n)

    def test_cancel_tells_all(self):
        with Server(lambda srv, s: srv.over.wait(20)) as srv:
            rs = results('--cancel-after', '100', '--in-flight', '4',
                         'tcp://127.0.0.1:%d hold=60' % srv.port,
                         'tls://127.0.0.1:%d' % srv.port, 'http://127.0.0.1:%d' % srv.port,
                         'https://127.0.0.1:%d' % srv.port, 'tcp://127.0.0.1:%d' % srv.port,
                         '127.0.0.1:%d' % srv.port)
        for target in range(1, 7):
            mine = [r for r in rs if r['target'] == target]
            self.assertEqual(sum(r['failure'] == 'interrupted' for r in mine), 1, mine)
            self.assertFalse(any(r['facts'] for r in mine if r['failure'] == 'interrupted'))

    def test_repeat(self):
        with Server(lambda _, s: linger0(s)) as srv:
            r = one('tcp://127.0.0.1:%d' % srv.port, 'tcp', '--repeat')
        self.assertTrue(r['repeat'])
        self.check(r, 'failed', 'connection_reset')
        self.assertFalse(r['doubtful'])


class Icmp(Case):
    """A firewall of our own, in a network namespace of our own."""

    def reject(self, how, spec='tcp://127.0.0.1:9 timeout=2'):
        rules = ('table inet t {\nchain c {\ntype filter hook output priority 0;\n'
                 'tcp dport 9 reject with %s\n}\n}' % how)
        sh = 'ip link set lo up || exit 77; nft "$1" || exit 77; exec "$2" "$3"'
        argv = ['unshare', '-n' if os.geteuid() == 0 else '-rn', 'sh', '-c', sh, 'sh', rules,
                PROBE, spec]
        try:
            run = subprocess.run(argv, capture_output=True, timeout=20, check=False)
        except FileNotFoundError as e:
            self.skipTest(str(e))
        err = run.stderr.decode().strip()
        if run.returncode == 77 or err.startswith('unshare:'):
            self.skipTest('no namespace with nftables here: %s' % err)
        self.assertEqual(run.returncode, 0, err)
        lines = [json.loads(x) for x in run.stdout.decode().splitlines()]
        return [x for x in lines if x['type'] == 'result'][0]

    def test_port_unreachable_is_told_from_a_reset(self):
        r = self.reject('icmp type port-unreachable')
        self.check(r, 'failed', 'connection_refused', 'connect', 'ECONNREFUSED')
        self.assertEqual((field(r, 'icmp_type'), field(r, 'icmp_code')), (3, 3))
        self.yes(r, 'icmp-error', 'connect-refused')
        r = self.reject('tcp reset')
        self.check(r, 'failed', 'connection_refused', 'connect', 'ECONNREFUSED')
        self.no(r, 'icmp-error')

    def test_prohibited(self):
        r = self.reject('icmp type admin-prohibited')
        self.check(r, 'failed', 'host_unreachable', 'connect', 'EHOSTUNREACH')
        self.assertEqual((field(r, 'icmp_type'), field(r, 'icmp_code')), (3, 13))
        self.assertEqual(field(r, 'icmp_from'), '127.0.0.1')
        self.yes(r, 'icmp-error', 'icmp-from-target', 'connect-unreachable')

    def test_v6(self):
        r = self.reject('icmpv6 type port-unreachable', 'tcp://[::1]:9 timeout=2')
        self.check(r, 'failed', 'connection_refused', 'connect')
        self.assertEqual((field(r, 'icmp_type'), field(r, 'icmp_code')), (1, 4))


class Http(Case):
    def serve(self, handler, spec='http://127.0.0.1:%d/', which='http', **kw):
        with Server(handler) as srv:
            return one(spec % srv.port, which, **kw)

    def answer(self, data, **kw):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(data)
        return self.serve(handle, **kw)

    def test_ok(self):
        r = self.answer(b'HTTP/1.1 200 OK\r\nServer: x\x07y\r\nContent-Length: 5\r\n\r\nhello')
        self.check(r, 'ok', stage='response')
        self.assertEqual((field(r, 'status'), field(r, 'server'), field(r, 'body_bytes')),
                         (200, 'x.y', 5))
        self.no(r, 'reply-cut-short')

    def test_request_as_asked(self):
        got = []

        def handle(_, s):
            got.append(read_until(s, b'\r\n\r\nabc'))
            s.sendall(b'HTTP/1.1 204 No Content\r\n\r\n')
        r = self.serve(handle, 'http://127.0.0.1:%d/a/../b?q=1 method=PUT header="X-A: b c" body=abc')
        self.check(r, 'ok')
        head = got[0].decode()
        self.assertTrue(head.startswith('PUT /a/../b?q=1 HTTP/1.1\r\n'), head)
        self.assertIn('\r\nX-A: b c\r\n', head)
        self.assertIn('\r\nContent-Length: 3\r\n', head)
        self.assertNotIn('Expect', head)

    def test_status_404_is_an_answer(self):
        r = self.answer(b'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nnah')
        self.check(r, 'ok')
        self.assertEqual(field(r, 'status'), 404)
        self.yes(r, 'http-status')

    def test_close_unread(self):
        def handle(_, s):
            s.recv(1, socket.MSG_PEEK)
            s.close()
        r = self.serve(handle)
        self.check(r, 'failed', 'connection_reset', 'response', 'ECONNRESET')
        self.yes(r, 'connection-reset', 'no-reply-bytes', 'all-acked', 'request-seen')
        self.assertTrue(r['doubtful'])

    def test_linger0_after_request(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            linger0(s)
        r = self.serve(handle)
        self.check(r, 'failed', 'connection_reset', 'response', 'ECONNRESET')
        self.assertIn('stage psh', r['facts']['stage']['text'])

    def test_fin_without_answer(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
        r = self.serve(handle)
        self.check(r, 'failed', 'eof_error', 'response')
        self.yes(r, 'early-eof')
        self.assertFalse(r['doubtful'])

    def test_reset_at_accept_is_the_request_s(self):
        with Server(lambda _, s: linger0(s)) as srv:
            r = one('http://127.0.0.1:%d/' % srv.port, 'http')
        self.check(r, 'failed', 'connection_reset')

    def test_half_response_then_reset(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' + b'x' * 4000)
            s.shutdown(socket.SHUT_RD)
            linger0(s)
        r = self.serve(handle)
        self.check(r, 'failed', 'connection_reset', 'response')
        self.assertEqual(field(r, 'body_expected'), 100000)
        self.assertLess(field(r, 'body_bytes'), 100000)
        self.yes(r, 'reply-cut-short')
        self.assertIn('stage data', r['facts']['stage']['text'])

    def test_half_response_then_fin(self):
        r = self.answer(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n' + b'x' * 40)
        self.check(r, 'failed', 'eof_error', 'response')
        self.assertEqual((field(r, 'body_bytes'), field(r, 'body_expected')), (40, 100))
        self.yes(r, 'reply-cut-short')

    def test_no_length_ends_with_fin(self):
        r = self.answer(b'HTTP/1.1 200 OK\r\n\r\nall')
        self.check(r, 'ok')

    def test_early_reply_and_reset_while_uploading(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.recv(100)
            s.recv(1, socket.MSG_PEEK)
            s.sendall(b'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig')
            s.close()  # the body unread: a RST follows
        r = self.serve(handle, 'http://127.0.0.1:%d/ body-size=8M')
        self.assertEqual(field(r, 'status'), 413, r)
        self.assertTrue(field(r, 'reply_while_sending'))
        self.check(r, 'failed', stage='request')
        self.assertIn(r['failure'], ('connection_reset', 'broken_pipe'))
        self.yes(r, 'early-reply', 'uploading')
        self.assertFalse(r['doubtful'])

    def check(self, r, outcome, failure=None, stage=None, errno=None):
        if failure is None and outcome == 'failed':
            failure = r['failure']
        super().check(r, outcome, failure or '', stage, errno)

    def test_upload_of_1_mib(self):
        sizes = []

        def handle(_, s):
            head, _, body = read_until(s, b'\r\n\r\n').partition(b'\r\n\r\n')
            left = MIB - len(body)
            while left > 0:
                left -= len(s.recv(65536))
            sizes.append(MIB - left)
            s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        r = self.serve(handle, 'http://127.0.0.1:%d/ body-size=1M')
        self.check(r, 'ok')
        self.assertEqual(sizes, [MIB])
        self.assertEqual(field(r, 'request_body_sent'), MIB)
        self.no(r, 'early-reply')

    def test_silent_server(self):
        def handle(srv, s):
            read_until(s, b'\r\n\r\n')
            srv.over.wait(20)
        r = self.serve(handle, 'http://127.0.0.1:%d/ timeout=300ms')
        self.check(r, 'failed', 'generic_timeout_error', 'response')
        self.yes(r, 'stalled')

    def test_dribbled_headers_time_out(self):
        def handle(srv, s):
            read_until(s, b'\r\n\r\n')
            for b in b'HTTP/1.1 200 OK\r\n':
                s.sendall(bytes([b]))
                if srv.over.wait(0.1):
                    return
            srv.over.wait(20)
        r = self.serve(handle, 'http://127.0.0.1:%d/ timeout=500ms')
        self.check(r, 'failed', 'generic_timeout_error', 'response')

    def test_http_0_9(self):
        r = self.answer(b'<html>hello</html>')
        self.check(r, 'failed', 'http_bad_response', 'response')
        self.assertEqual(field(r, 'first_bytes'), '<html>hello</html>')

    def test_another_protocol(self):
        r = self.answer(b'SSH-2.0-OpenSSH_9.2\r\n')
        self.check(r, 'failed', 'http_bad_response')
        self.yes(r, 'other-protocol')

    def test_endless_headers(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(b'HTTP/1.1 200 OK\r\n')
            while True:
                s.sendall(b'X-Y: ' + b'z' * 1000 + b'\r\n')
        r = self.serve(handle)
        self.check(r, 'failed', 'too_large', 'response')

    def test_one_endless_header(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(b'HTTP/1.1 200 OK\r\nX-Y: ')
            while True:
                s.sendall(b'z' * 65536)
        r = self.serve(handle)
        self.check(r, 'failed', 'too_large', 'response')

    def test_big_body_is_capped(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n')
            while True:
                s.sendall(b'z' * 65536)
        r = self.serve(handle)
        self.check(r, 'ok')
        self.assertTrue(field(r, 'body_capped'))

    def test_plain_on_a_tls_port(self):
        with Server(https_handler(server_context())) as srv:
            r = one('http://127.0.0.1:%d/' % srv.port, 'http')
        self.check(r, 'failed')
        self.assertNotEqual(r['failure'], 'unknown_failure')

    def test_hold_before_the_request(self):
        def handle(_, s):
            linger0(s)
        with Server(handle) as srv:
            rs = results('http://127.0.0.1:%d/ hold=5' % srv.port)
        self.assertEqual([(r['probe'], r['outcome']) for r in rs],
                         [('tcp', 'failed'), ('http', 'skipped')])
        self.check(rs[0], 'failed', 'connection_reset', 'hold')
        self.assertEqual(field(rs[1], 'reason'), 'tcp failed: connection_reset')

    def test_proxy_of_the_environment_is_not_used(self):
        os.environ['http_proxy'] = 'http://127.0.0.1:1'
        try:
            self.check(self.answer(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), 'ok')
        finally:
            del os.environ['http_proxy']


class Tls(Case):
    def test_ok_and_one_connection(self):
        conns = []
        inner = https_handler(server_context())

        def handle(srv, s):
            conns.append(s)
            inner(srv, s)
        pem, _ = cert('localhost')
        with Server(handle) as srv:
            rs = results('https://127.0.0.1:%d/ cacert=%s' % (srv.port, pem))
        self.assertEqual([(r['probe'], r['outcome']) for r in rs],
                         [('tcp', 'ok'), ('tls', 'ok'), ('http', 'ok')], rs)
        self.assertEqual(len(conns), 1)
        self.assertEqual(len({r['chain'] for r in rs}), 1)
        self.assertEqual(field(rs[1], 'version'), 'TLSv1.3')
        self.assertEqual(field(rs[1], 'verify'), 'ok')
        self.assertEqual(field(rs[1], 'cert_subject'), 'CN = localhost')
        self.assertEqual(field(rs[2], 'status'), 200)
        self.yes(rs[1], 'tls-ok', 'server-hello')
        self.no(rs[1], 'certificate-rejected', 'client-certificate-wanted')

    def test_unknown_authority_http_goes_on(self):
        with Server(https_handler(server_context())) as srv:
            rs = results('https://127.0.0.1:%d/' % srv.port)
            ok = results('https://127.0.0.1:%d/ insecure' % srv.port)
        self.check(rs[1], 'failed', 'ssl_unknown_authority', 'handshake')
        self.yes(rs[1], 'certificate-rejected', 'tls-ok')
        self.check(rs[2], 'ok')
        self.assertTrue(field(rs[2], 'unverified'))
        self.assertEqual([r['outcome'] for r in ok], ['ok'] * 3)

    def test_hostname(self):
        ctx = server_context('other', ('-addext', 'subjectAltName=DNS:other.example'))
        pem, _ = cert('other')
        with Server(https_handler(ctx)) as srv:
            r = one('https://127.0.0.1:%d/ cacert=%s' % (srv.port, pem), 'tls')
            t = one('tls://localhost:%d family=4 cacert=%s' % (srv.port, pem), 'tls')
        self.check(r, 'failed', 'ssl_invalid_hostname', 'handshake')
        self.check(t, 'failed', 'ssl_invalid_hostname')
        self.assertEqual(field(r, 'cert_name'), 'other.example')

    def test_expired(self):
        pem, key = expired_cert()
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(pem, key)
        with Server(https_handler(ctx)) as srv:
            r = one('https://127.0.0.1:%d/ cacert=%s' % (srv.port, pem), 'tls')
        self.check(r, 'failed', 'ssl_invalid_certificate')
        self.assertIn('expired', field(r, 'verify'))

    def test_reset_after_hello(self):
        def handle(_, s):
            read_hello(s)
            linger0(s)
        with Server(handle) as srv:
            for scheme in ('tls', 'https'):
                r = one('%s://127.0.0.1:%d' % (scheme, srv.port), 'tls')
                self.check(r, 'failed', 'connection_reset', 'handshake', 'ECONNRESET')
                self.yes(r, 'reset-after-hello', 'no-reply-bytes', 'connection-reset')
                self.no(r, 'server-hello', 'tls-alert')
                self.assertTrue(r['doubtful'])

    def test_fin_after_hello(self):
        with Server(lambda _, s: read_hello(s)) as srv:
            for scheme in ('tls', 'https'):
                r = one('%s://127.0.0.1:%d' % (scheme, srv.port), 'tls')
                self.check(r, 'failed', 'eof_error', 'handshake')

    def test_text_where_tls_was_awaited(self):
        def handle(_, s):
            s.recv(5)
            s.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
        with Server(handle) as srv:
            for scheme in ('tls', 'https'):
                r = one('%s://127.0.0.1:%d' % (scheme, srv.port), 'tls')
                self.check(r, 'failed', 'ssl_failed_handshake', 'handshake')
                self.assertTrue(field(r, 'first_bytes').startswith('HTTP/1.1 400 Bad'), r)
                self.yes(r, 'first-bytes-text', 'other-protocol')

    def test_version_mismatch(self):
        ctx = server_context()
        ctx.minimum_version = ssl.TLSVersion.TLSv1_3
        with Server(https_handler(ctx)) as srv:
            for scheme in ('tls', 'https'):
                rs = results('%s://127.0.0.1:%d tls-max=1.2' % (scheme, srv.port))
                self.check(rs[1], 'failed', 'ssl_failed_handshake', 'handshake')
                self.assertEqual((field(rs[1], 'alert'), field(rs[1], 'alert_number')),
                                 ('protocol_version', 70))
                self.yes(rs[1], 'tls-alert')
                if scheme == 'https':
                    self.check(rs[2], 'skipped')

    def test_client_certificate_wanted_1_3(self):
        ctx = server_context()
        ctx.verify_mode = ssl.CERT_REQUIRED
        ctx.load_verify_locations(cert('localhost')[0])
        with Server(https_handler(ctx)) as srv:
            r = one('tls://127.0.0.1:%d insecure' % srv.port, 'tls')
            h = results('https://127.0.0.1:%d insecure' % srv.port)
        self.check(r, 'failed', 'ssl_failed_handshake', 'hold')
        self.assertTrue(field(r, 'client_certificate_wanted'))
        self.assertTrue(field(r, 'alert_late'))
        self.yes(r, 'client-certificate-wanted', 'tls-late-alert', 'tls-ok')
        self.assertEqual(field(r, 'alert'), 'certificate_required')
        self.check(h[1], 'ok')
        self.assertEqual(h[2]['outcome'], 'failed')
        self.yes(h[2], 'tls-late-alert')

    def test_client_certificate_is_sent(self):
        ctx = server_context()
        ctx.verify_mode = ssl.CERT_REQUIRED
        pem, key = cert('localhost')
        ctx.load_verify_locations(pem)
        with Server(https_handler(ctx)) as srv:
            h = results('https://127.0.0.1:%d insecure cert=%s key=%s' % (srv.port, pem, key))
            bad = results('https://127.0.0.1:%d insecure cert=/nonexistent' % srv.port)
        self.assertEqual([r['outcome'] for r in h], ['ok'] * 3, h)
        self.assertEqual(bad[1]['outcome'], 'failed')

    def test_half_response_then_reset_inside_tls(self):
        ctx = server_context()

        def handle(_, s):
            t = ctx.wrap_socket(s, server_side=True)
            read_until(t, b'\r\n\r\n')
            t.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' + b'x' * 4000)
            linger0(t)
        with Server(handle) as srv:
            r = one('https://127.0.0.1:%d/ insecure' % srv.port, 'http')
        self.check(r, 'failed', 'connection_reset', 'response', 'ECONNRESET')

    def test_eof_without_close_notify_after_a_whole_answer(self):
        ctx = server_context()

        def handle(_, s):
            t = ctx.wrap_socket(s, server_side=True)
            read_until(t, b'\r\n\r\n')
            t.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        with Server(handle) as srv:
            r = one('https://127.0.0.1:%d/ insecure' % srv.port, 'http')
        self.check(r, 'ok')

    def test_silent_server(self):
        with Server(lambda srv, s: srv.over.wait(20)) as srv:
            for scheme in ('tls', 'https'):
                r = one('%s://127.0.0.1:%d timeout=300ms' % (scheme, srv.port), 'tls')
                self.check(r, 'failed', 'generic_timeout_error', 'handshake')


class Auto(Case):
    def spoken(self, handler):
        with Server(handler) as srv:
            lines = probe('127.0.0.1:%d' % srv.port)
        rs = [x for x in lines if x['type'] == 'result']
        self.assertEqual(sum(x['type'] == 'chain' for x in lines), 1, lines)
        self.assertEqual(len({r['chain'] for r in rs}), 1)
        return [(r['probe'], r['outcome']) for r in rs], rs

    def test_https(self):
        got, _ = self.spoken(https_handler(server_context()))
        self.assertEqual(got, [('tcp', 'ok'), ('tls', 'failed'), ('http', 'ok')])

    def test_http(self):
        def handle(_, s):
            if s.recv(3, socket.MSG_PEEK) == b'GET':
                read_until(s, b'\r\n\r\n')
                s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
            else:
                read_hello(s)
                s.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')
        got, _ = self.spoken(handle)
        self.assertEqual(got, [('tcp', 'ok'), ('http', 'ok')])

    def test_banner(self):
        got, rs = self.spoken(lambda _, s: s.sendall(b'SSH-2.0-x\r\n'))
        self.assertEqual(got, [('tcp', 'ok')])
        self.assertEqual(field(rs[0], 'banner'), 'SSH-2.0-x..')

    def test_neither(self):
        def handle(_, s):
            s.recv(4096)
        got, rs = self.spoken(handle)
        self.assertEqual(got, [('tcp', 'ok')])
        self.assertEqual(field(rs[0], 'speaks'), 'neither TLS nor HTTP')

    def test_resets_all(self):
        def handle(_, s):
            s.recv(4096)
            linger0(s)
        got, rs = self.spoken(handle)
        self.assertEqual(got, [('tcp', 'ok'), ('tls', 'failed'), ('http', 'skipped')])
        self.check(rs[1], 'failed', 'connection_reset')

    def test_refused(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            rs = results('127.0.0.1:%d' % s.getsockname()[1])
        self.check(rs[0], 'failed', 'connection_refused')


class Dns(Case):
    """A name server of our own: the first label says what to answer."""
    A, CNAME, AAAA = 1, 5, 28

    def setUp(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(('127.0.0.1', 0))
        self.resolver = '127.0.0.1:%d' % self.sock.getsockname()[1]
        self.asked = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def tearDown(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b'', self.sock.getsockname())
        self.thread.join()
        self.sock.close()

    @staticmethod
    def name(text):
        return b''.join(bytes([len(x)]) + x.encode() for x in text.split('.')) + b'\0'

    def serve(self):
        while True:
            q, peer = self.sock.recvfrom(2048)
            if not q:
                return
            a = self.answer(q)
            if a:
                self.sock.sendto(a, peer)

    def answer(self, q):
        labels, at = [], 12
        while q[at]:
            labels.append(q[at + 1:at + 1 + q[at]].decode())
            at += 1 + q[at]
        qtype = struct.unpack('!H', q[at + 1:at + 3])[0]
        question = q[12:at + 5]
        self.asked.append(('.'.join(labels), qtype))
        rcode, rrs = self.records(labels[0], qtype)
        if rcode is None:
            return None
        return q[:2] + struct.pack('!HHHHH', 0x8180 | rcode, 1, len(rrs), 0, 0) + question + \
            b''.join(rrs)

    def rr(self, rtype, ttl, data, owner=b'\xc0\x0c'):
        return owner + struct.pack('!HHIH', rtype, 1, ttl, len(data)) + data

    def records(self, what, qtype):
        a = self.rr(self.A, 300, socket.inet_aton('127.0.0.1'))
        aaaa = self.rr(self.AAAA, 60, socket.inet_pton(socket.AF_INET6, '::1'))
        both = [a] if qtype == self.A else [aaaa]
        alias = self.name('target.example')
        table = {
            'both': (0, both),
            'only4': (0, [a] if qtype == self.A else []),
            'alias': (0, [self.rr(self.CNAME, 20, alias)] +
                      ([self.rr(self.A, 40, socket.inet_aton('127.0.0.1'), alias)]
                       if qtype == self.A else [])),
            'dangling': (0, [self.rr(self.CNAME, 20, alias)]),
            'many': (0, [self.rr(self.A, 5, bytes([127, 0, 1, i])) for i in range(28)]
                     if qtype == self.A else []),
            'nodata': (0, []),
            'servfail': (2, []),
            'nxdomain': (3, []),
            'refused': (5, []),
            'mute': (None, []),
            'half6': (2, []) if qtype == self.AAAA else (0, [a]),
            'loop': (0, [b'\xc0\x0c' + struct.pack('!HHIH', self.CNAME, 1, 5, 2) + b'\xc0\x29']),
            'short': (0, [b'\xc0\x0c' + struct.pack('!HHIH', qtype, 1, 5, 200) + b'x']),
        }
        return table[what]

    def look(self, what, more=''):
        return one('dns://%s.example. %s' % (what, more), 'dns', '--resolver', self.resolver)

    def test_both_families_and_ttls(self):
        r = self.look('both')
        self.check(r, 'ok', stage='dns')
        self.assertEqual(sorted(r['fields']['address']), ['127.0.0.1', '::1'])
        self.assertEqual(sorted(r['fields']['answer']), ['A 127.0.0.1 ttl 300', 'AAAA ::1 ttl 60'])
        self.assertEqual(field(r, 'ttl'), 60)
        self.assertEqual(field(r, 'resolver'), self.resolver)
        self.no(r, 'dns-failed', 'dns-hosts')

    def test_family(self):
        r = self.look('both', 'family=4')
        self.assertEqual(r['fields']['address'], ['127.0.0.1'])
        self.assertEqual({t for _, t in self.asked}, {self.A})

    def test_one_family(self):
        r = self.look('only4')
        self.check(r, 'ok')
        self.assertEqual(field(r, 'aaaa'), 'dns_no_answer')

    def test_cname(self):
        r = self.look('alias')
        self.check(r, 'ok')
        self.assertEqual(r['fields']['cname'], ['alias.example -> target.example ttl 20'])
        self.check(self.look('dangling'), 'failed', 'dns_no_answer')

    def test_many_addresses_are_capped(self):
        r = self.look('many')
        self.assertEqual(len(r['fields']['address']), 16)
        self.assertEqual(field(r, 'addresses_left_out'), 12)

    def test_failures(self):
        for what, failure in (('nodata', 'dns_no_answer'), ('servfail', 'dns_servfail_error'),
                              ('nxdomain', 'dns_nxdomain_error'), ('refused', 'dns_refused_error')):
            with self.subTest(what):
                r = self.look(what)
                self.check(r, 'failed', failure, 'dns')
                self.yes(r, 'dns-failed')

    def test_timeout(self):
        r = self.look('mute', 'timeout=300ms')
        self.check(r, 'failed', 'generic_timeout_error', 'dns')

    def test_nobody_listens(self):
        # Port 1: one of those the system gives away might be given to the question itself.
        r = one('dns://x.example. timeout=5', 'dns', '--resolver', '127.0.0.1:1')
        self.check(r, 'failed', 'connection_refused', 'dns')

    def test_one_family_fails(self):
        r = self.look('half6')
        self.check(r, 'ok')
        self.assertEqual(field(r, 'aaaa'), 'dns_servfail_error')

    def test_bad_messages(self):
        for what in ('loop', 'short'):
            r = self.look(what, 'timeout=2')
            self.assertEqual(r['outcome'], 'failed', r)

    def test_hosts(self):
        r = one('dns://localhost', 'dns', '--resolver', self.resolver)
        self.check(r, 'ok')
        self.assertIn(field(r, 'source'), ('hosts', 'rfc6761'))
        self.assertEqual(self.asked, [])

    def test_later_stages_are_skipped(self):
        rs = results('--resolver', self.resolver, 'https://nxdomain.example./')
        self.assertEqual([(r['probe'], r['outcome']) for r in rs],
                         [('dns', 'failed'), ('tcp', 'skipped'), ('tls', 'skipped'),
                          ('http', 'skipped')])
        self.assertEqual(field(rs[1], 'reason'), 'dns failed: dns_nxdomain_error')

    def test_every_address_is_probed(self):
        with Server(https_handler(server_context())) as srv:
            rs = results('--resolver', self.resolver, 'http://both.example.:%d/ method=HEAD' % srv.port)
        tcp = {r['address']: r['outcome'] for r in rs if r['probe'] == 'tcp'}
        self.assertEqual(tcp, {'127.0.0.1': 'ok', '::1': 'failed'})
        self.assertEqual(len({r['chain'] for r in rs}), 3)

    def test_http_uses_the_address_and_the_name(self):
        heads = []

        def handle(_, s):
            heads.append(read_until(s, b'\r\n\r\n').decode())
            s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        with Server(handle) as srv:
            r = one('http://only4.example.:%d/' % srv.port, 'http', '--resolver', self.resolver)
            c = one('http://elsewhere.example/ connect-to=127.0.0.1:%d' % srv.port, 'http',
                    '--resolver', self.resolver)
        self.check(r, 'ok')
        self.check(c, 'ok')
        self.assertIn('\r\nHost: only4.example.:%d\r\n' % srv.port, heads[0])
        self.assertIn('\r\nHost: elsewhere.example\r\n', heads[1])

    def test_a_hundred_lookups(self):
        rs = results('--resolver', self.resolver, *(['dns://both.example.'] * 100))
        self.assertEqual([r['outcome'] for r in rs], ['ok'] * 100)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=1)
