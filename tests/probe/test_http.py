"""HTTP beyond one request and one answer: HTTP/2's own endings, proxies, credentials, the connection
used again, Expect, an answer that came when sending had failed already."""
import base64
import hashlib
import hmac
import os
import re
import socket
import ssl
import struct
import sys
import tempfile
import unittest
from urllib.parse import quote, unquote

from probelab import (TMP, Case, Server, cert, field, https_handler, linger0, one, read_until,
                      results, server_context)

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'


def frame(kind, flags, stream, payload=b''):
    return struct.pack('!I', len(payload))[1:] + bytes([kind, flags]) + \
        struct.pack('!I', stream) + payload


def h2_server(*frames, tls=False):
    """Speaks just as much HTTP/2 (RFC 9113) as to end a request with these frames."""
    ctx = server_context()
    ctx.set_alpn_protocols(['h2'])

    def handle(srv, s):
        if tls:
            s = ctx.wrap_socket(s, server_side=True)
        s.sendall(frame(4, 0, 0))
        got = b''
        while True:  # past the preface: frames, up to the request's HEADERS
            at, seen = 24, False
            while at + 9 <= len(got):
                size = int.from_bytes(got[at:at + 3], 'big')
                seen = seen or got[at + 3] == 1
                at += 9 + size
            if seen:
                break
            more = s.recv(4096)
            if not more:
                return
            got += more
        for f in frames:
            s.sendall(f)
        srv.over.wait(20)
        s.close()
    return handle


class Http2(Case):
    def ended(self, *frames, tls=False):
        with Server(h2_server(*frames, tls=tls)) as srv:
            spec = 'https://127.0.0.1:%d/ insecure' if tls else \
                'http://127.0.0.1:%d/ http-version=h2c'
            return one(spec % srv.port + ' timeout=5', 'http')

    def test_rst_stream_is_no_tcp_reset(self):
        for tls in (False, True):
            for code, name in ((2, 'INTERNAL_ERROR'), (7, 'REFUSED_STREAM'), (8, 'CANCEL')):
                r = self.ended(frame(3, 0, 1, struct.pack('!I', code)), tls=tls)
                self.check(r, 'failed', 'http_bad_response', 'response', '')
                self.assertEqual((field(r, 'rst_stream'), field(r, 'rst_stream_code')),
                                 (name, code))
                self.yes(r, 'h2-goaway')
                self.no(r, 'connection-reset')
                self.assertIn('RST_STREAM ' + name, r['facts']['h2-goaway']['text'])

    def test_goaway(self):
        for tls in (False, True):
            r = self.ended(frame(7, 0, 0, struct.pack('!II', 0, 11) + b'too_many_pings'), tls=tls)
            self.check(r, 'failed', 'http_bad_response')
            self.assertEqual((field(r, 'goaway'), field(r, 'goaway_last_stream')),
                             ('ENHANCE_YOUR_CALM', 0))
            self.yes(r, 'h2-goaway')
            self.no(r, 'connection-reset')

    def test_an_answer(self):
        r = self.ended(frame(1, 5, 1, b'\x88'), tls=True)
        self.check(r, 'ok')
        self.assertEqual((field(r, 'status'), field(r, 'http_version')), (200, '2'))
        self.no(r, 'h2-goaway')

    def test_an_answer_then_rst_stream(self):
        r = self.ended(frame(1, 4, 1, b'\x88'), frame(3, 0, 1, struct.pack('!I', 2)))
        self.check(r, 'failed', 'http_bad_response')
        self.yes(r, 'h2-goaway')

    def test_a_tcp_reset_is_one(self):
        def handle(_, s):
            s.sendall(frame(4, 0, 0))
            s.recv(9, socket.MSG_WAITALL)
            linger0(s)
        with Server(handle) as srv:
            r = one('http://127.0.0.1:%d/ http-version=h2c' % srv.port, 'http')
        self.check(r, 'failed', 'connection_reset')
        self.assertNotIn('h2-goaway', {k for k, v in r['facts'].items() if v['yes']})


class Late(Case):
    """The server answers and aborts while a large body is on its way."""

    def upload(self, tls):
        ctx = server_context()

        def handle(_, s):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or the answer never leaves
            t = ctx.wrap_socket(s, server_side=True) if tls else s
            read_until(t, b'\r\n\r\n')
            t.recv(100)  # of the body
            t.sendall(b'HTTP/1.1 413 Too Large\r\nServer: small\r\nContent-Length: 9\r\n\r\ntoo large')
            if tls:
                t = t.detach()
                t = socket.socket(fileno=t)
            # Nothing more is read: the window shuts, then the unread rest makes close() a reset.
            t.recv(1, socket.MSG_PEEK)
            t.close()
        with Server(handle) as srv:
            return one('%s://127.0.0.1:%d/ insecure body-size=8M' %
                       ('https' if tls else 'http', srv.port), 'http')

    def test_the_answer_is_told(self):
        for tls in (False, True):
            for _ in range(5):
                r = self.upload(tls)
                self.assertEqual(r['outcome'], 'failed', r)
                self.assertIn(r['failure'], ('connection_reset', 'broken_pipe'))
                if field(r, 'reply_unreadable'):  # it says so where it cannot
                    self.yes(r, 'reply-unreadable')
                    continue
                self.assertEqual(field(r, 'status'), 413, r)
                self.assertEqual(field(r, 'server'), 'small')
                self.assertEqual(field(r, 'reply'), 'too large')
                self.yes(r, 'early-reply')


class KeepAlive(Case):
    def serve(self, handler, options, scheme='http'):
        conns = []

        def handle(srv, s):
            conns.append(s)
            handler(srv, s)
        with Server(handle) as srv:
            rs = results('%s://127.0.0.1:%d/ insecure %s' % (scheme, srv.port, options))
        return len(conns), [r for r in rs if r['probe'] == 'http']

    @staticmethod
    def answer_all(answer=OK, limit=1000):
        def handle(_, s):
            for _ in range(limit):
                if not read_until(s, b'\r\n\r\n'):
                    return
                s.sendall(answer)
        return handle

    def test_the_connection_is_used_again(self):
        ctx = server_context()

        def tls(srv, s):
            with ctx.wrap_socket(s, server_side=True) as t:
                self.answer_all()(srv, t)
        for scheme, handler in (('http', self.answer_all()), ('https', tls)):
            n, rs = self.serve(handler, 'requests=3', scheme)
            self.assertEqual(n, 1)
            self.assertEqual([(r['outcome'], field(r, 'request')) for r in rs],
                             [('ok', 1), ('ok', 2), ('ok', 3)], rs)
            self.assertEqual(len({r['chain'] for r in rs}), 1)
            self.no(rs[0], 'connection-reused')
            self.yes(rs[2], 'connection-reused')

    def test_closed_after_so_many(self):
        _, rs = self.serve(self.answer_all(limit=2), 'requests=5 idle=50ms')
        self.assertEqual([r['outcome'] for r in rs], ['ok', 'ok', 'failed'])
        self.check(rs[2], 'failed', 'eof_error', 'hold')
        self.assertEqual(field(rs[2], 'request'), 3)
        self.yes(rs[2], 'connection-reused')

    def test_reset_while_idle(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(OK)
            linger0(s)
        _, rs = self.serve(handle, 'requests=2 idle=5')
        self.check(rs[-1], 'failed', 'connection_reset', 'hold', 'ECONNRESET')
        self.yes(rs[-1], 'connection-reset')

    def test_reset_on_the_second_request(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(OK)
            read_until(s, b'\r\n\r\n')
            linger0(s)
        _, rs = self.serve(handle, 'requests=2 idle=20ms')
        self.check(rs[0], 'ok')
        self.check(rs[1], 'failed', 'connection_reset', 'response', 'ECONNRESET')

    def test_a_server_that_says_close(self):
        n, rs = self.serve(self.answer_all(
            b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', 1), 'requests=3')
        self.assertEqual(n, 1)
        self.assertEqual([r['outcome'] for r in rs], ['ok'], rs)


class Expect(Case):
    OPTIONS = 'header="Expect: 100-continue" body-size=1M'

    def test_continue(self):
        def handle(_, s):
            head = read_until(s, b'\r\n\r\n')
            assert head.endswith(b'\r\n\r\n'), head
            s.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
            left = 1 << 20
            while left > 0:
                left -= len(s.recv(65536))
            s.sendall(OK)
        with Server(handle) as srv:
            r = one('http://127.0.0.1:%d/ %s' % (srv.port, self.OPTIONS), 'http')
        self.check(r, 'ok')
        self.assertIsNotNone(field(r, 'continue_after'))
        self.yes(r, 'continue-100')

    def test_refused_before_the_body(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(b'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n'
                      b'Connection: close\r\n\r\n')
        with Server(handle) as srv:
            r = one('http://127.0.0.1:%d/ %s' % (srv.port, self.OPTIONS), 'http')
        self.assertEqual(field(r, 'status'), 417)
        self.assertEqual(field(r, 'request_body_sent'), 0)
        self.yes(r, 'early-reply')

    def test_redirect_is_shown_and_not_followed(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(b'HTTP/1.1 301 Moved\r\nLocation: http://elsewhere.example/\r\n'
                      b'Content-Length: 0\r\n\r\n')
        with Server(handle) as srv:
            r = one('http://127.0.0.1:%d/' % srv.port, 'http')
        self.assertEqual(field(r, 'location'), 'http://elsewhere.example/')
        self.yes(r, 'redirect')

    def test_close_notify(self):
        ctx = server_context()
        whole = https_handler(ctx, b'HTTP/1.1 200 OK\r\n\r\nall of it')

        def cut(_, s):
            t = ctx.wrap_socket(s, server_side=True)
            read_until(t, b'\r\n\r\n')
            t.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nnot all')
            t.close()
        with Server(whole) as srv:
            r = one('https://127.0.0.1:%d/ insecure' % srv.port, 'http')
        self.yes(r, 'close-notify')
        with Server(cut) as srv:
            r = one('https://127.0.0.1:%d/ insecure' % srv.port, 'http')
        self.check(r, 'failed', 'eof_error')
        self.no(r, 'close-notify')


def secret_file(text):
    fd, path = tempfile.mkstemp(dir=TMP)
    with os.fdopen(fd, 'w') as f:
        f.write(text)
    return path


class Auth(Case):
    def seen(self, auth, options='', answer=OK, env=None):
        heads = []

        def handle(_, s):
            head = read_until(s, b'\r\n\r\n')
            heads.append(head)
            s.sendall(answer(head) if callable(answer) else answer)
        os.environ.update(env or {})
        try:
            with Server(handle) as srv:
                r = one('http://127.0.0.1:%d/a%%20b/c?z=1 auth=%s %s' % (srv.port, auth, options),
                        'http')
        finally:
            for k in env or {}:
                del os.environ[k]
        return heads[0].decode(), r

    def test_basic_and_bearer(self):
        head, _ = self.seen(secret_file('# who\nbasic me:pass word\n'))
        self.assertIn('\r\nAuthorization: Basic %s\r\n' %
                      base64.b64encode(b'me:pass word').decode(), head)
        head, _ = self.seen(secret_file('bearer tok-123456\n'))
        self.assertIn('\r\nAuthorization: Bearer tok-123456\r\n', head)

    def test_from_the_environment(self):
        head, _ = self.seen('env:PROBE_TEST_AUTH', env={'PROBE_TEST_AUTH': 'basic u:pw12345'})
        self.assertIn('Authorization: Basic ' + base64.b64encode(b'u:pw12345').decode(), head)

    def test_nothing_secret_is_told(self):
        """Not even by a server that sends the request back."""
        def echo(head):
            body = head[head.index(b'Authorization'):]
            return b'HTTP/1.1 403 No\r\nServer: ' + body.split(b'\r\n')[0] + \
                b'\r\nContent-Length: %d\r\n\r\n' % len(body) + body
        for text, words in (('basic me:hunter2hunter2', ['hunter2', base64.b64encode(
                b'me:hunter2hunter2').decode()]), ('bearer s3cr3t-t0k3n-%s' % ('x' * 120), ['s3cr3t'])):
            _, r = self.seen(secret_file(text), answer=echo)
            self.assertEqual(field(r, 'status'), 403)
            for w in words:
                self.assertNotIn(w, repr(r))
            self.assertIn('[secret]', field(r, 'server'))
            self.assertIn('[secret]', field(r, 'reply'))
        _, r = self.seen(secret_file('basic a:bcdefg'), 'header="Cookie: id=qwertzuiop"',
                         answer=lambda h: b'HTTP/1.1 403 No\r\nServer: id=qwertzuiop\r\n'
                         b'Content-Length: 0\r\n\r\n')
        self.assertNotIn('qwertzuiop', repr(r))

    def signed(self, head, body, key, secret, region, service):
        """An independent AWS Signature Version 4, by Amazon's description of it."""
        lines = head.split('\r\n')
        method, target, _ = lines[0].split(' ')
        headers = {k.lower(): v.strip() for k, v in
                   (line.split(':', 1) for line in lines[1:] if line)}
        m = re.match(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, '
                     r'SignedHeaders=([^,]+), Signature=(\w+)', headers['authorization'])
        self.assertIsNotNone(m, headers)
        self.assertEqual(m.group(1, 3, 4), (key, region, service))
        names = m.group(5).split(';')
        self.assertEqual(names, sorted(names))
        for must in ('host', 'x-amz-date', 'x-amz-content-sha256'):
            self.assertIn(must, names)
        self.assertEqual(headers['x-amz-content-sha256'], hashlib.sha256(body).hexdigest())
        path, _, query = target.partition('?')
        pairs = sorted(q.partition('=')[::2] for q in query.split('&')) if query else []
        canonical = '\n'.join([
            method, quote(unquote(path), safe='/-_.~'),
            '&'.join('%s=%s' % (quote(unquote(k), safe='-_.~'), quote(unquote(v), safe='-_.~'))
                     for k, v in pairs),
            *('%s:%s' % (n, re.sub(' +', ' ', headers[n])) for n in names), '', ';'.join(names),
            hashlib.sha256(body).hexdigest()])
        scope = '%s/%s/%s/aws4_request' % (m.group(2), region, service)
        to_sign = '\n'.join(['AWS4-HMAC-SHA256', headers['x-amz-date'], scope,
                             hashlib.sha256(canonical.encode()).hexdigest()])
        k = ('AWS4' + secret).encode()
        for part in (m.group(2), region, service, 'aws4_request'):
            k = hmac.new(k, part.encode(), hashlib.sha256).digest()
        self.assertEqual(hmac.new(k, to_sign.encode(), hashlib.sha256).hexdigest(), m.group(6),
                         canonical)
        return headers

    def test_aws(self):
        head, _ = self.seen(secret_file('aws AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG region=eu-west-1'))
        self.signed(head, b'', 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG', 'eu-west-1', 's3')

    def test_aws_put_with_body_and_token(self):
        env = {'AWS_ACCESS_KEY_ID': 'AKID', 'AWS_SECRET_ACCESS_KEY': 'SECRETKEY',
               'AWS_SESSION_TOKEN': 'TOKENTOKEN', 'AWS_REGION': 'us-east-2'}
        body = b'hello world'
        head, r = self.seen('aws', 'method=PUT body="hello world"', env=env)
        headers = self.signed(head.split('\r\n\r\n')[0] + '\r\n', body, 'AKID', 'SECRETKEY',
                              'us-east-2', 's3')
        self.assertEqual(headers['x-amz-security-token'], 'TOKENTOKEN')
        self.assertNotIn('SECRETKEY', repr(r))

    def test_aws_large_body_keeps_expect(self):
        got = []

        def handle(_, s):
            head, _, body = read_until(s, b'\r\n\r\n').partition(b'\r\n\r\n')
            got.append(head.decode())
            s.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
            left = (2 << 20) - len(body)
            while left > 0:
                left -= len(s.recv(65536))
            s.sendall(OK)
        auth = secret_file('aws AK:SKSKSK region=r1 service=s3')
        with Server(handle) as srv:
            r = one('http://127.0.0.1:%d/k method=PUT body-size=2M auth=%s' % (srv.port, auth),
                    'http')
        self.check(r, 'ok')
        headers = self.signed(got[0] + '\r\n', b'x' * (2 << 20), 'AK', 'SKSKSK', 'r1', 's3')
        self.assertEqual(headers.get('expect'), '100-continue')


def http_proxy(ctx=None, status=None, log=None):
    """CONNECT and absolute URLs, to loopback alone."""
    def pump(a, b):
        socks = [a, b]
        import selectors
        with selectors.DefaultSelector() as sel:
            sel.register(a, selectors.EVENT_READ, b)
            sel.register(b, selectors.EVENT_READ, a)
            while socks:
                for key, _ in sel.select(20):
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    key.data.sendall(data)

    def handle(_, s):
        if ctx:
            s = ctx.wrap_socket(s, server_side=True)
        head = read_until(s, b'\r\n\r\n').decode()
        method, target, _ = head.split('\r\n')[0].split(' ')
        if log is not None:
            log.append((method, target))
        if status:
            s.sendall(b'HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n' % status)
        elif method == 'CONNECT':
            host, port = target.rsplit(':', 1)
            with socket.create_connection((host, int(port)), 10) as up:
                s.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
                if ctx:
                    return  # TLS inside of TLS needs two threads here: the tunnel alone is tested
                pump(s, up)
        else:
            s.sendall(OK)
        s.close()
    return handle


def socks_proxy(reply=0):
    def handle(_, s):
        n = s.recv(2, socket.MSG_WAITALL)[1]
        s.recv(n, socket.MSG_WAITALL)
        s.sendall(b'\5\0')
        kind = s.recv(4, socket.MSG_WAITALL)[3]
        host = s.recv(4, socket.MSG_WAITALL) if kind == 1 else \
            s.recv(s.recv(1)[0], socket.MSG_WAITALL)
        s.recv(2, socket.MSG_WAITALL)
        s.sendall(b'\5' + bytes([reply]) + b'\0\1' + bytes(6))
        if reply:
            return
        assert host, host
        read_until(s, b'\r\n\r\n')
        s.sendall(OK)
    return handle


class Proxy(Case):
    def test_plain_request_through_a_proxy(self):
        log = []
        with Server(http_proxy(log=log)) as px:
            rs = results('http://nowhere.example/x proxy=http://127.0.0.1:%d' % px.port)
        self.assertEqual([(r['probe'], r['outcome']) for r in rs], [('tcp', 'ok'), ('http', 'ok')])
        self.assertEqual(log, [('GET', 'http://nowhere.example/x')])
        self.yes(rs[1], 'proxy-used')
        self.assertNotIn('proxy-refused', rs[1]['facts'])

    def test_connect(self):
        log = []
        with Server(https_handler(server_context())) as srv, Server(http_proxy(log=log)) as px:
            rs = results('https://127.0.0.1:%d/ insecure proxy=http://127.0.0.1:%d' %
                         (srv.port, px.port))
        self.assertEqual([(r['probe'], r['outcome']) for r in rs],
                         [('tcp', 'ok'), ('tls', 'ok'), ('http', 'ok')], rs)
        self.assertEqual(log, [('CONNECT', '127.0.0.1:%d' % srv.port)])
        self.assertEqual(field(rs[2], 'proxy_status'), 200)
        self.assertEqual(field(rs[1], 'cert_subject'), 'CN = localhost')

    def test_connect_refused_by_the_proxy(self):
        for status in (403, 407, 503):
            with Server(http_proxy(status=status)) as px:
                rs = results('https://nowhere.example/ proxy=http://127.0.0.1:%d' % px.port)
            by = {r['probe']: r for r in rs}
            self.check(by['tcp'], 'ok')
            self.check(by['http'], 'failed', 'http_bad_response', 'connect')
            self.assertEqual(by['tls']['outcome'], 'skipped')
            self.assertEqual(field(by['http'], 'proxy_status'), status)
            self.yes(by['http'], 'proxy-refused', 'proxy-used')

    def test_reset_inside_the_tunnel_is_a_reset(self):
        def handle(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            s.recv(9, socket.MSG_WAITALL)
            linger0(s)
        with Server(handle) as px:
            rs = results('https://nowhere.example/ proxy=http://127.0.0.1:%d' % px.port)
        self.check(rs[1], 'failed', 'connection_reset', 'handshake')
        self.assertNotIn('first-bytes-text', rs[1]['facts'])

    def test_https_proxy(self):
        log = []
        with Server(http_proxy(ctx=server_context(), log=log)) as px:
            rs = results('http://nowhere.example/y proxy=https://127.0.0.1:%d' % px.port)
        self.check(rs[1], 'ok')
        self.assertEqual(log, [('GET', 'http://nowhere.example/y')])

    def test_socks(self):
        with Server(socks_proxy()) as px:
            rs = results('http://nowhere.example/ proxy=socks5://127.0.0.1:%d' % px.port)
        self.check(rs[1], 'ok')

    def test_socks_refusal(self):
        with Server(socks_proxy(reply=5)) as px:
            rs = results('http://nowhere.example/ proxy=socks5://127.0.0.1:%d' % px.port)
        self.check(rs[1], 'failed', 'unknown_failure', 'connect')
        self.yes(rs[1], 'proxy-refused')
        self.assertNotIn('connect-refused', rs[1]['facts'])

    def test_a_proxy_that_is_down(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            rs = results('https://nowhere.example/ proxy=http://127.0.0.1:%d' % s.getsockname()[1])
        self.check(rs[0], 'failed', 'connection_refused', 'connect')


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=1)
