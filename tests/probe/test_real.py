"""The probes against servers as they are installed: nginx, Redis, PostgreSQL, dnsmasq, each with a
configuration of its own on loopback. Those that are not there are skipped, and it says so."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from probelab import TMP, Case, cert, field, one, results

os.environ['PATH'] += ':/usr/sbin:/sbin'
PATIENCE = 30


def find(name, *places):
    for p in (*places, shutil.which(name)):
        if p and os.access(p, os.X_OK):
            return p
    raise unittest.SkipTest('%s is not installed' % name)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Daemon:
    """A server in the foreground; there once it accepts. make(port) gives its argv: another port is
    taken if somebody else was faster."""

    def __init__(self, make, **kw):
        for _ in range(5):
            self.port = free_port()
            self.log = tempfile.TemporaryFile(dir=TMP)
            self.child = subprocess.Popen(make(self.port), stdin=subprocess.DEVNULL,
                                          stdout=self.log, stderr=subprocess.STDOUT, **kw)
            if self.wait():
                return
            self.stop()
        raise AssertionError('it does not start: ' + self.said())

    def wait(self):
        end = time.monotonic() + PATIENCE
        while self.child.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(('127.0.0.1', self.port), 5).close()
                return True
            except OSError:
                time.sleep(0.02)
        return False

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors='replace')[-800:]

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Nginx(Case):
    def serve(self, server, tls=False):
        nginx = find('nginx')
        home = tempfile.mkdtemp(dir=TMP)
        conf = os.path.join(home, 'conf')
        pem, key = cert('localhost', '-days', '30', '-addext',
                        'subjectAltName=DNS:localhost,IP:127.0.0.1')

        def make(port):
            with open(conf, 'w', encoding='ascii') as f:
                f.write('daemon off; master_process off; pid %s/pid; error_log stderr;\n'
                        'events {}\nhttp {\naccess_log off;\n' % home)
                for d in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'):
                    f.write('%s_temp_path %s/%s;\n' % (d, home, d))
                f.write('server {\nlisten 127.0.0.1:%d%s;\n' % (port, ' ssl http2' if tls else ''))
                if tls:
                    f.write('ssl_certificate %s;\nssl_certificate_key %s;\n' % (pem, key))
                f.write(server + '\n}\n}\n')
            return [nginx, '-c', conf, '-e', 'stderr', '-p', home]
        return Daemon(make), pem

    def test_http_2(self):
        d, pem = self.serve('location / { return 200 "hello"; }', tls=True)
        with d:
            rs = results('https://127.0.0.1:%d/ cacert=%s requests=2' % (d.port, pem))
        http = [r for r in rs if r['probe'] == 'http']
        self.assertEqual([(r['outcome'], field(r, 'http_version'), field(r, 'status'))
                          for r in http], [('ok', '2', 200)] * 2, rs)

    def test_so_many_requests_and_no_more(self):
        d, _ = self.serve('keepalive_requests 2; location / { return 204; }')
        with d:
            rs = results('http://127.0.0.1:%d/ requests=4' % d.port)
        self.assertEqual([r['outcome'] for r in rs if r['probe'] == 'http'], ['ok', 'ok'])

    def test_idle_connections_end(self):
        d, _ = self.serve('keepalive_timeout 1s; location / { return 204; }')
        with d:
            rs = results('http://127.0.0.1:%d/ requests=2 idle=20' % d.port)
        self.check(rs[-1], 'failed', 'eof_error', 'hold')

    def test_body_too_large(self):
        d, _ = self.serve('client_max_body_size 1k; location / { return 204; }')
        with d:
            r = one('http://127.0.0.1:%d/ body-size=8M' % d.port, 'http')
        self.assertEqual(field(r, 'status'), 413)
        self.yes(r, 'early-reply')

    def test_expect(self):
        d, _ = self.serve('location / { proxy_pass http://127.0.0.1:9; }')
        with d:
            r = one('http://127.0.0.1:%d/ body-size=64k header="Expect: 100-continue"' % d.port,
                    'http')
        self.assertIn(field(r, 'status'), (502, 100), r)
        self.yes(r, 'continue-100')


class Redis(Case):
    def test_words(self):
        redis = find('redis-server')
        home = tempfile.mkdtemp(dir=TMP)
        with Daemon(lambda port: [redis, '--port', str(port), '--bind', '127.0.0.1', '--save', '',
                                  '--dir', home]) as d:
            r = one('redis://127.0.0.1:%d' % d.port, 'tcp')
        self.check(r, 'ok')
        self.assertEqual(field(r, 'reply'), '+PONG')
        with Daemon(lambda port: [redis, '--port', str(port), '--bind', '127.0.0.1', '--save', '',
                                  '--dir', home, '--requirepass', 'x']) as d:
            r = one('redis://127.0.0.1:%d' % d.port, 'tcp')
        self.assertTrue(field(r, 'reply').startswith('-NOAUTH'), r)


class Postgres(Case):
    def start(self, tls):
        bins = '/usr/lib/postgresql'
        versions = sorted(os.listdir(bins), reverse=True) if os.path.isdir(bins) else []
        places = [os.path.join(bins, v, 'bin') for v in versions]
        initdb = find('initdb', *(os.path.join(p, 'initdb') for p in places))
        postgres = os.path.join(os.path.dirname(initdb), 'postgres')
        home = tempfile.mkdtemp(prefix='pg.')
        self.addCleanup(shutil.rmtree, home, True)
        data = os.path.join(home, 'data')
        who = {}
        if os.geteuid() == 0:  # it refuses to run as root
            os.chown(home, 65534, 65534)
            who = {'user': 65534, 'group': 65534, 'extra_groups': []}
        subprocess.run([initdb, '-D', data, '-A', 'trust', '-N', '--no-instructions', '-E', 'UTF8'],
                       check=True, capture_output=True, cwd=home, **who)
        if tls:
            pem, key = cert('localhost', '-days', '30', '-addext',
                            'subjectAltName=DNS:localhost,IP:127.0.0.1')
            for src, name in ((pem, 'server.crt'), (key, 'server.key')):
                to = os.path.join(data, name)
                shutil.copy(src, to)
                os.chmod(to, 0o600)
                if who:
                    os.chown(to, 65534, 65534)
        return Daemon(lambda port: [postgres, '-D', data, '-p', str(port), '-h', '127.0.0.1', '-k',
                                    home, '-F', '-c', 'ssl=%s' % ('on' if tls else 'off')],
                      cwd=home, **who)

    def test_tls_after_its_first_words(self):
        with self.start(True) as d:
            rs = results('pg://127.0.0.1:%d insecure' % d.port)
        self.check(rs[0], 'ok')
        self.check(rs[1], 'ok')
        self.assertEqual(field(rs[1], 'cert_subject'), 'CN = localhost')

    def test_no_tls(self):
        with self.start(False) as d:
            rs = results('pg://127.0.0.1:%d' % d.port)
        self.assertIs(field(rs[0], 'starttls'), False)
        self.check(rs[1], 'skipped')


class Dnsmasq(Case):
    def test_each_server(self):
        dnsmasq = find('dnsmasq')

        def make(*options):
            return lambda port: [dnsmasq, '--keep-in-foreground', '--no-hosts', '--no-resolv',
                                 '--bind-interfaces', '--listen-address=127.0.0.1', '--user=',
                                 '--conf-file=/dev/null', '--pid-file=', '--port=%d' % port,
                                 *options]
        with Daemon(make('--address=/host.example/127.0.0.1',
                         '--srv-host=_x._tcp.example,host.example,5060,1,2')) as a, \
                Daemon(make('--address=/host.example/127.0.0.2')) as b:
            both = '127.0.0.1:%d,127.0.0.1:%d' % (a.port, b.port)
            r = one('dns://host.example. family=4', 'dns', '--resolver', both)
            srv = one('dns://_x._tcp.example./SRV', 'dns', '--resolver', '127.0.0.1:%d' % a.port)
        self.check(r, 'ok')
        self.yes(r, 'dns-servers-differ')
        self.assertEqual(len(r['fields']['server']), 4, r)
        self.assertTrue(field(srv, 'answer').startswith('SRV 1 2 5060 host.example'), srv)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=1)
