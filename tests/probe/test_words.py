"""First words and STARTTLS: each protocol with a scripted server that offers TLS, one that does not,
one that refuses, one that speaks something else; and host:port finds out which it is."""
import socket
import ssl
import sys
import unittest

from probelab import Case, Server, field, linger0, probe, results, server_context


def line(s):
    got = b''
    while not got.endswith(b'\n'):
        more = s.recv(1)
        if not more:
            break
        got += more
    return got


def shake(s, ctx):
    """The handshake, and until the probe has closed."""
    try:
        with ctx.wrap_socket(s, server_side=True) as t:
            while t.recv(100):
                pass
            t.unwrap()
    except (ssl.SSLError, OSError):
        pass


def smtp(tls=True):
    def talk(s, log):
        s.sendall(b'220-mail.example ESMTP\r\n220 ready\r\n')
        log.append(line(s))
        s.sendall(b'250-mail.example\r\n250-SIZE 10\r\n' + (b'250-STARTTLS\r\n' if tls else b'') +
                  b'250 HELP\r\n')
        log.append(line(s))
        if tls:
            s.sendall(b'220 go ahead\r\n')
    return talk


def imap(tls=True):
    def talk(s, log):
        s.sendall(b'* OK IMAP4rev1 ready\r\n')
        log.append(line(s))
        s.sendall(b'* CAPABILITY IMAP4rev1%s\r\na1 OK done\r\n' % (b' STARTTLS' if tls else b''))
        log.append(line(s))
        if tls:
            s.sendall(b'a2 OK begin\r\n')
    return talk


def pop3(tls=True):
    def talk(s, log):
        s.sendall(b'+OK pop ready\r\n')
        log.append(line(s))
        s.sendall(b'+OK list\r\nUSER\r\n%s.\r\n' % (b'STLS\r\n' if tls else b''))
        log.append(line(s))
        if tls:
            s.sendall(b'+OK begin\r\n')
    return talk


def ftp(tls=True):
    def talk(s, log):
        s.sendall(b'220 FTP server ready\r\n')
        log.append(line(s))
        s.sendall(b'234 go\r\n' if tls else b'502 no\r\n')
        if not tls:
            log.append(line(s))
    return talk


def pg(tls=True):
    def talk(s, log):
        log.append(s.recv(8, socket.MSG_WAITALL))
        s.sendall(b'S' if tls else b'N')
    return talk


def mysql(tls=True):
    def talk(s, log):
        body = b'\x0a8.0.33-test\0' + bytes(4) + b'saltsalt\0' + \
            (0xffff if tls else 0xf7ff).to_bytes(2, 'little') + bytes(20)
        s.sendall(len(body).to_bytes(3, 'little') + b'\0' + body)
        if tls:
            log.append(s.recv(36, socket.MSG_WAITALL))
    return talk


def ldap(tls=True):
    def talk(s, log):
        log.append(s.recv(31, socket.MSG_WAITALL))
        s.sendall(b'\x30\x0c\x02\x01\x01\x78\x07\x0a\x01' + (b'\0' if tls else b'\x02') +
                  b'\x04\0\x04\0')
    return talk


WORDS = {'smtp': smtp, 'imap': imap, 'pop3': pop3, 'ftp': ftp, 'pg': pg, 'mysql': mysql,
         'ldap': ldap}


class Words(Case):
    def talk(self, scheme, talk, then=None, options='insecure'):
        log, ctx = [], server_context()

        def handle(_, s):
            talk(s, log)
            if then:
                then(s)
            else:
                shake(s, ctx)
        with Server(handle) as srv:
            spec = '127.0.0.1:%d' % srv.port
            lines = probe((scheme + '://' if scheme else '') + spec + ' ' + options)
        rs = {r['probe']: r for r in lines if r['type'] == 'result'}
        self.assertEqual(sum(x['type'] == 'chain' for x in lines), 1, lines)
        return rs, log

    def test_tls_is_offered_and_taken(self):
        for scheme, make in WORDS.items():
            with self.subTest(scheme):
                rs, log = self.talk(scheme, make())
                self.check(rs['tcp'], 'ok', stage='response')
                self.assertTrue(field(rs['tcp'], 'starttls'))
                self.yes(rs['tcp'], 'starttls')
                self.check(rs['tls'], 'ok')
                self.assertEqual(field(rs['tls'], 'cert_subject'), 'CN = localhost')
                self.assertTrue(log)

    def test_tls_is_not_offered(self):
        for scheme, make in WORDS.items():
            with self.subTest(scheme):
                rs, _ = self.talk(scheme, make(False), lambda s: None)
                self.check(rs['tcp'], 'ok')
                self.assertIs(field(rs['tcp'], 'starttls'), False)
                self.no(rs['tcp'], 'starttls')
                self.check(rs['tls'], 'skipped')
                self.assertIn('no TLS', field(rs['tls'], 'reason'))

    def test_what_is_said(self):
        _, log = self.talk('smtp', smtp())
        self.assertEqual(log, [b'EHLO [127.0.0.1]\r\n', b'STARTTLS\r\n'])
        _, log = self.talk('smtp', smtp(False), lambda s: None)
        self.assertEqual(log[1], b'QUIT\r\n')
        _, log = self.talk('pg', pg())
        self.assertEqual(log, [bytes([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f])])
        rs, log = self.talk('mysql', mysql())
        self.assertEqual(log[0][:4], b'\x20\0\0\1')
        self.assertEqual(field(rs['tcp'], 'server_version'), '8.0.33-test')

    def test_one_byte_at_a_time(self):
        class Slow:
            def __init__(self, s):
                self.s = s
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def sendall(self, data):
                for b in data:
                    self.s.sendall(bytes([b]))

            def recv(self, *a):
                return self.s.recv(*a)
        for scheme, make in WORDS.items():
            with self.subTest(scheme):
                rs, _ = self.talk(scheme, lambda s, log, m=make: m()(Slow(s), log))
                self.check(rs['tls'], 'ok')

    def test_refusals(self):
        error = b'\xff\x6a\x04Host 10.0.0.1 is not allowed'
        for scheme, words in (('smtp', b'554 5.7.1 access denied\r\n'), ('imap', b'* BYE full\r\n'),
                              ('pop3', b'-ERR blocked\r\n'), ('ftp', b'421 too many users\r\n'),
                              ('mysql', len(error).to_bytes(3, 'little') + b'\0' + error),
                              ('redis', b'-DENIED Redis is running in protected mode\r\n')):
            with self.subTest(scheme):
                def refuse(s, log, w=words, greets=scheme != 'redis'):
                    if not greets:
                        line(s)
                    s.sendall(w)
                rs, _ = self.talk(scheme, refuse, lambda s: s.shutdown(socket.SHUT_RDWR))
                self.check(rs['tcp'], 'failed', 'eof_error')
                self.yes(rs['tcp'], 'service-refused', 'last-words')
                rs, _ = self.talk(scheme, refuse, lambda s: s.recv(1))
                self.check(rs['tcp'], 'ok')
                self.yes(rs['tcp'], 'service-refused')

    def test_another_protocol(self):
        for scheme in (*WORDS, 'redis', 'ssh'):
            with self.subTest(scheme):
                def wrong(s, log, greets=scheme not in ('pg', 'ldap', 'redis')):
                    if not greets:
                        s.recv(1, socket.MSG_PEEK)
                    s.sendall(b'HTTP/1.1 400 Bad Request\r\n' + b'x' * 2000 + b'\r\n\r\n')
                rs, _ = self.talk(scheme, wrong, lambda s: s.recv(4096))
                self.check(rs['tcp'], 'failed', 'http_bad_response')
                self.assertTrue(field(rs['tcp'], 'first_bytes').startswith('H'), rs)
                if scheme != 'pg':
                    self.yes(rs['tcp'], 'other-protocol')

    def test_endings(self):
        """Each step may be the last one: by a FIN, by a RST."""
        for scheme, greeting in (('smtp', b'220 x\r\n'), ('imap', b'* OK\r\n'), ('pg', b'')):
            for end, failure in ((socket.socket.close, 'eof_error'), (linger0, 'connection_reset')):
                with self.subTest((scheme, failure)):
                    def stop(s, log, g=greeting, e=end):
                        s.sendall(g)
                        s.recv(100)
                        e(s)
                    rs, _ = self.talk(scheme, stop, lambda s: None)
                    self.check(rs['tcp'], 'failed', failure, 'response')
                    self.check(rs['tls'], 'skipped')

    def test_silence_and_floods(self):
        with Server(lambda srv, s: srv.over.wait(20)) as srv:
            for scheme, stage in (('smtp', 'hold'), ('pg', 'response')):
                rs = results('%s://127.0.0.1:%d timeout=200ms' % (scheme, srv.port))
                self.check(rs[0], 'failed', 'generic_timeout_error', stage)

        def flood(s, log):
            while True:
                s.sendall(b'220-' + b'x' * 996 + b'\r\n')
        rs, _ = self.talk('smtp', flood, lambda s: None)
        self.check(rs['tcp'], 'failed', 'too_large')

    def test_reset_after_starttls_is_the_handshake_s(self):
        def cut(s):
            s.recv(1, socket.MSG_PEEK)
            s.close()
        rs, _ = self.talk('smtp', smtp(), cut)
        self.check(rs['tcp'], 'ok')
        self.check(rs['tls'], 'failed', 'connection_reset', 'handshake')
        self.yes(rs['tls'], 'reset-after-hello')

    def test_words_nobody_asked_for(self):
        """Text after the answer to STARTTLS, before TLS: an injection, or a broken server."""
        def injected(s, log):
            s.sendall(b'220 x ESMTP\r\n')
            line(s)
            s.sendall(b'250 STARTTLS\r\n')
            line(s)
            s.sendall(b'220 go\r\n250 extra\r\n')
        rs, _ = self.talk('smtp', injected)
        self.assertEqual(field(rs['tcp'], 'words_not_asked_for'), 11)

    def test_ssh_and_redis(self):
        rs, _ = self.talk('ssh', lambda s, log: s.sendall(b'hello\r\nSSH-2.0-test\r\n'),
                          lambda s: s.recv(1))
        self.check(rs['tcp'], 'ok')
        self.assertEqual(field(rs['tcp'], 'server_version'), 'SSH-2.0-test')

        def redis(s, log):
            log.append(line(s))
            s.sendall(b'-NOAUTH Authentication required.\r\n')
        rs, log = self.talk('redis', redis, lambda s: s.recv(1))
        self.check(rs['tcp'], 'ok')
        self.assertEqual(log, [b'PING\r\n'])
        self.assertEqual(field(rs['tcp'], 'reply'), '-NOAUTH Authentication required.')


class Found(Case):
    """The same by host:port, where a greeting says what it is."""
    talk = Words.talk

    def test_greetings(self):
        for scheme in ('smtp', 'imap', 'pop3', 'ftp', 'mysql'):
            with self.subTest(scheme):
                rs, _ = self.talk('', WORDS[scheme]())
                self.assertEqual(field(rs['tcp'], 'speaks'), scheme)
                self.check(rs['tls'], 'ok')
        rs, _ = self.talk('', lambda s, log: s.sendall(b'SSH-2.0-x\r\n'), lambda s: s.recv(1))
        self.assertEqual(field(rs['tcp'], 'speaks'), 'ssh')


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=1)
