"""TLS beyond the handshake: OCSP stapling, sessions taken up again, groups, how it is closed."""
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest

from probelab import TMP, Case, Server, cert, field, linger0, one, results, server_context


def openssl(*args, cwd=None):
    return subprocess.run(['openssl', *args], check=True, capture_output=True, cwd=cwd)


class Authority:
    """A CA with one server certificate and OCSP answers about it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(dir=TMP)
        self.ca, self.cakey = cert('ca-' + os.path.basename(self.dir), '-days', '9', '-addext',
                                   'basicConstraints=critical,CA:TRUE')
        self.key, self.pem, csr = (os.path.join(self.dir, x) for x in ('k', 'c', 'r'))
        ext = os.path.join(self.dir, 'ext')
        with open(ext, 'w', encoding='ascii') as f:
            f.write('subjectAltName=IP:127.0.0.1\n')
        openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', self.key, '-subj', '/CN=leaf', '-out', csr)
        openssl('x509', '-req', '-in', csr, '-CA', self.ca, '-CAkey', self.cakey, '-set_serial',
                '0x4711', '-days', '9', '-extfile', ext, '-out', self.pem)

    def answer(self, state, days='1', signer=None):
        index, out = os.path.join(self.dir, 'index'), os.path.join(self.dir, state + '.der')
        revoked = '230101000000Z,keyCompromise' if state == 'R' else ''
        with open(index, 'w', encoding='ascii') as f:
            f.write('%s\t301231235959Z\t%s\t4711\tunknown\t/CN=leaf\n' % (state, revoked))
        pem, key = signer or (self.ca, self.cakey)
        openssl('ocsp', '-index', index, '-CA', self.ca, '-rsigner', pem, '-rkey', key, '-issuer',
                self.ca, '-serial', '0x4711', '-ndays', days, '-respout', out)
        return out


class Ocsp(Case):
    def ask(self, authority, answer, scheme='tls'):
        """s_server(1) staples; Python's ssl cannot."""
        args = ['openssl', 's_server', '-accept', '127.0.0.1:0', '-cert', authority.pem, '-key',
                authority.key, '-www']
        if answer:
            args += ['-status_file', answer]
        with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              stdin=subprocess.PIPE) as server:
            try:
                port = None
                for line in server.stdout:
                    m = re.match(rb'ACCEPT .*:(\d+)', line)
                    if m:
                        port = int(m.group(1))
                        break
                return one('%s://127.0.0.1:%d cacert=%s' % (scheme, port, authority.ca), 'tls')
            finally:
                server.kill()

    def test_good(self):
        a = Authority()
        for scheme in ('tls', 'https'):
            r = self.ask(a, a.answer('V'), scheme)
            self.check(r, 'ok')
            self.assertEqual((field(r, 'ocsp'), field(r, 'ocsp_verified')), ('good', True))
            self.no(r, 'certificate-revoked')

    def test_revoked(self):
        a = Authority()
        r = self.ask(a, a.answer('R'))
        self.assertEqual((field(r, 'ocsp'), field(r, 'ocsp_reason')), ('revoked', 'keyCompromise'))
        self.yes(r, 'certificate-revoked')

    def test_an_answer_somebody_else_signed_proves_nothing(self):
        a = Authority()
        r = self.ask(a, a.answer('R', signer=cert('stranger')))
        self.assertEqual((field(r, 'ocsp'), field(r, 'ocsp_verified')), ('revoked', False))
        self.assertNotIn('certificate-revoked', r['facts'])

    def test_none_and_rubbish(self):
        a = Authority()
        self.assertEqual(field(self.ask(a, None), 'ocsp'), 'none stapled')
        rubbish = os.path.join(a.dir, 'rubbish')
        shutil.copy(a.answer('V'), rubbish)
        with open(rubbish, 'r+b') as f:
            f.seek(20)
            f.write(b'\xff' * 40)
        self.assertNotIn('certificate-revoked', self.ask(a, rubbish)['facts'])


class Session(Case):
    def twice(self, context, options='resume'):
        def handle(_, s):
            with context().wrap_socket(s, server_side=True) as t:
                t.recv(1)  # until the probe has closed; the tickets went with the first write
                t.unwrap()
        with Server(handle) as srv:
            return [r for r in results('tls://127.0.0.1:%d insecure %s' % (srv.port, options))
                    if r['probe'] == 'tls']

    def test_resumed(self):
        ctx = server_context()
        for version in ('1.2', '1.3'):
            first, second = self.twice(lambda: ctx, 'resume hold=100ms tls-max=' + version)
            self.assertTrue(field(first, 'resumable'))
            self.assertIsNone(field(first, 'resumed'))
            self.check(second, 'ok')
            self.assertTrue(field(second, 'resumed'), second)
            self.yes(second, 'tls-resumed')
            self.assertNotEqual(first['chain'], second['chain'])

    def test_not_resumed(self):
        # A new context has new ticket keys.
        _, second = self.twice(server_context, 'resume hold=100ms')
        self.assertIs(field(second, 'resumed'), False)
        self.no(second, 'tls-resumed')

    def test_only_where_asked(self):
        ctx = server_context()
        self.assertEqual(len(self.twice(lambda: ctx, 'hold=50ms')), 1)


class Ends(Case):
    def test_group(self):
        with Server(lambda _, s: server_context().wrap_socket(s, server_side=True).recv(1)) as srv:
            r = one('tls://127.0.0.1:%d insecure groups=P-256' % srv.port, 'tls')
        self.assertIn(field(r, 'group'), ('prime256v1', 'secp256r1', 'P-256'))

    def test_close_notify_or_not(self):
        ctx = server_context()

        def polite(_, s):
            t = ctx.wrap_socket(s, server_side=True)
            try:
                t.unwrap()
            except (ssl.SSLError, OSError):
                pass
            t.close()

        def rude(_, s):
            ctx.wrap_socket(s, server_side=True).close()

        def reset(_, s):
            linger0(ctx.wrap_socket(s, server_side=True))
        for handler, said, failure in ((polite, True, 'eof_error'), (rude, False, 'eof_error'),
                                       (reset, None, 'connection_reset')):
            with Server(handler) as srv:
                r = one('tls://127.0.0.1:%d insecure hold=5' % srv.port, 'tls')
            self.check(r, 'failed', failure, 'hold')
            self.assertIs(field(r, 'close_notify'), said, r)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=1)
