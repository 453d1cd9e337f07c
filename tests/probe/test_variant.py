"""What a target's options change in a probe: the name sent, the hello's size and shape, TTL, source
port, versions. Experiments are made of these."""
import socket
import ssl
import sys
import threading
import unittest

from probelab import (Case, Server, cert, field, one, read_hello, read_until, results,
                      server_context)


def seen_by_server(options, scheme='tls', ctx=None):
    """The server name and the ALPN protocol that the server was offered and chose."""
    seen = []
    ctx = ctx or server_context()
    ctx.sni_callback = lambda s, name, c: seen.append(name)
    ctx.set_alpn_protocols(['proto', 'http/1.1'])

    def handle(_, s):
        try:
            t = ctx.wrap_socket(s, server_side=True)
        except (ssl.SSLError, OSError) as e:
            seen.append(e)
            return
        seen.append((t.selected_alpn_protocol(), t.version(), t.cipher()[0]))
        try:
            if scheme == 'https' and read_until(t, b'\r\n\r\n'):
                t.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
            t.unwrap()
        except (ssl.SSLError, OSError):
            pass
        t.close()
    with Server(handle) as srv:
        rs = results('%s://127.0.0.1:%d insecure %s' % (scheme, srv.port, options))
    return seen, rs


class Tls(Case):
    def test_server_name(self):
        for scheme in ('tls', 'https'):
            for option, name in (('sni=neutral.example', 'neutral.example'), ('sni=', None),
                                 ('', None)):
                seen, rs = seen_by_server(option, scheme)
                self.assertEqual(seen[0], name, (scheme, option, rs))
                self.assertEqual(field(rs[1], 'sni'), name)

    def test_no_name_though_the_target_has_one(self):
        seen = []
        ctx = server_context()
        ctx.sni_callback = lambda s, name, c: seen.append(name)

        def handle(_, s):
            with ctx.wrap_socket(s, server_side=True) as t:
                t.unwrap()
        with Server(handle) as srv:
            for option in ('', 'sni='):
                one('tls://localhost:%d family=4 insecure %s' % (srv.port, option), 'tls')
        self.assertEqual(seen, ['localhost', None])

    def test_alpn(self):
        for scheme in ('tls', 'https'):
            seen, rs = seen_by_server('alpn=http/1.1,proto', scheme)
            self.assertEqual(seen[1][0], 'proto', rs)
            self.assertEqual(field(rs[1], 'alpn'), 'proto')
        seen, _ = seen_by_server('alpn=', 'https')
        self.assertIsNone(seen[1][0])

    def test_ciphers_and_groups(self):
        seen, rs = seen_by_server('tls-max=1.2 ciphers=ECDHE-ECDSA-AES256-GCM-SHA384 groups=P-256')
        self.assertEqual(seen[1][1:], ('TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384'), rs)

    def test_a_larger_hello(self):
        sizes = []

        def handle(_, s):
            sizes.append(len(read_hello(s)))
        with Server(handle) as srv:
            for scheme in ('tls', 'https'):
                small = one('%s://127.0.0.1:%d' % (scheme, srv.port), 'tls')
                big = one('%s://127.0.0.1:%d hello-pad=1400' % (scheme, srv.port), 'tls')
                # OpenSSL fills a hello of 256 to 511 bytes up, so it is not 1404 more to the byte.
                self.assertGreater(field(big, 'hello_bytes') - field(small, 'hello_bytes'), 1000)
        self.assertGreater(sizes[1] - sizes[0], 1000, sizes)

    def test_a_hello_in_two_segments(self):
        firsts = []
        ctx = server_context()

        def handle(_, s):
            got = s.recv(65536, socket.MSG_PEEK)
            firsts.append(got)
            with ctx.wrap_socket(s, server_side=True) as t:
                t.unwrap()
        with Server(handle) as srv:
            whole = one('tls://127.0.0.1:%d insecure sni=split.example' % srv.port, 'tls')
            split = one('tls://127.0.0.1:%d insecure sni=split.example hello-split' % srv.port,
                        'tls')
        self.check(whole, 'ok')
        self.check(split, 'ok')
        self.assertIn(b'split.example', firsts[0])
        self.assertTrue(firsts[1].endswith(b'split.'), firsts[1])


class Tcp(Case):
    def test_source_port(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        peers = []
        with Server(lambda _, s: peers.append(s.getpeername()[1])) as srv:
            one('tcp://127.0.0.1:%d source-port=%d' % (srv.port, port), 'tcp')
        self.assertEqual(peers, [port])

    def test_ttl(self):
        ttls = []

        for option, want in (('ttl=9', 9), ('', None)):
            with Server(lambda _, s: s.recv(1)) as srv:
                srv.sock.setsockopt(socket.IPPROTO_TCP, 27, 1)  # TCP_SAVE_SYN
                done = threading.Event()

                def handle(_, s):
                    syn = s.getsockopt(socket.IPPROTO_TCP, 28, 120)  # TCP_SAVED_SYN
                    ttls.append(syn[8])
                    done.set()
                srv.handler = handle
                one('tcp://127.0.0.1:%d %s' % (srv.port, option), 'tcp')
                self.assertTrue(done.wait(10))
            if want:
                self.assertEqual(ttls[-1], want)
            else:
                self.assertNotEqual(ttls[-1], 9)

    def test_segments_of_a_lower_ttl_are_not_heard(self):
        def handle(srv, s):
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 40)
            s.sendall(b'from afar')
            srv.over.wait(20)
        with Server(handle) as srv:
            far = one('tcp://127.0.0.1:%d min-ttl=50 hold=200ms' % srv.port, 'tcp')
            near = one('tcp://127.0.0.1:%d min-ttl=30 hold=200ms' % srv.port, 'tcp')
        self.assertIsNone(field(far, 'banner'))
        self.assertEqual(field(near, 'banner'), 'from afar')

    def test_mss(self):
        with Server(lambda srv, s: srv.over.wait(20)) as srv:
            r = one('tcp://127.0.0.1:%d mss=536 hold=20ms' % srv.port, 'tcp')
        self.assertLessEqual(field(r, 'mss'), 536)


class Http(Case):
    def test_version(self):
        heads = []

        def handle(_, s):
            heads.append(read_until(s, b'\r\n\r\n').split(b'\r\n')[0])
            s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        with Server(handle) as srv:
            for v in ('1.0', '1.1', 'h2c'):
                one('http://127.0.0.1:%d/ http-version=%s timeout=2' % (srv.port, v), 'http')
        self.assertEqual([h.split()[-1] for h in heads], [b'HTTP/1.0', b'HTTP/1.1', b'HTTP/2.0'])

    def test_client_certificate_still_goes_with_a_variant(self):
        ctx = server_context()
        ctx.verify_mode = ssl.CERT_REQUIRED
        pem, key = cert('localhost')
        ctx.load_verify_locations(pem)
        seen, rs = seen_by_server('cert=%s key=%s sni=x.example' % (pem, key), 'https', ctx)
        self.assertEqual(seen[0], 'x.example')
        self.check(rs[2], 'ok')


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=1)
