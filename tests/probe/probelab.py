"""What the probes' tests share: probeone, servers of our own on loopback, certificates."""
import atexit
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import unittest

BUILD = os.environ.get('builddir', '.')
PROBE = os.path.join(BUILD, 'tests/probe/probeone')
TMP = tempfile.mkdtemp(prefix='probe.')
atexit.register(shutil.rmtree, TMP, ignore_errors=True)
MIB = 1 << 20


def probe(*args, timeout=40):
    """Runs probeone; returns its result lines, in order."""
    run = subprocess.run([PROBE, *args], capture_output=True, timeout=timeout, check=False)
    out = run.stdout.decode('utf-8')
    if run.returncode != 0:
        raise AssertionError('probeone %s: %d %s' % (args, run.returncode, run.stderr.decode()))
    return [json.loads(line) for line in out.splitlines()]


def results(*args, **kw):
    return [x for x in probe(*args, **kw) if x['type'] == 'result']


def one(spec, which, *args, **kw):
    found = [r for r in results(*args, spec, **kw) if r['probe'] == which]
    assert len(found) == 1, found
    return found[0]


def field(r, name):
    return r['fields'].get(name, [None])[0]


def linger0(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def read_until(s, mark, cap=1 << 20):
    got = b''
    while mark not in got and len(got) < cap:
        more = s.recv(65536)
        if not more:
            break
        got += more
    return got


def read_hello(s):
    """A whole TLS record, so that nothing is left unread."""
    got = b''
    while len(got) < 5 or len(got) < 5 + struct.unpack('!H', got[3:5])[0]:
        more = s.recv(4096)
        if not more:
            break
        got += more
    return got


class Server:
    """Listens on loopback and gives each connection to handler(self, socket)."""

    def __init__(self, handler, family=socket.AF_INET, backlog=16):
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(('::1' if family == socket.AF_INET6 else '127.0.0.1', 0))
        self.sock.listen(backlog)
        self.port = self.sock.getsockname()[1]
        self.over = threading.Event()  # the probe has ended: whoever waits may go
        self.handler = handler
        self.conns = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            t = threading.Thread(target=self.serve, args=(conn,), daemon=True)
            self.conns.append(t)
            t.start()

    def serve(self, conn):
        try:
            self.handler(self, conn)
        except OSError:
            pass
        finally:
            conn.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join()
        for t in self.conns:
            t.join(10)


def cert(name, *args):
    """A key and a certificate made by openssl(1); their paths."""
    pem, key = os.path.join(TMP, name + '.pem'), os.path.join(TMP, name + '.key')
    if not os.path.exists(pem):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', pem,
                        '-subj', '/CN=' + name, *args], check=True, capture_output=True)
    return pem, key


def expired_cert():
    """openssl-req(1) has no dates of its own, openssl-ca(1) has."""
    _, key = cert('old')
    conf, csr, pem = (os.path.join(TMP, x) for x in ('ca.conf', 'old.csr', 'expired.pem'))
    open(os.path.join(TMP, 'index'), 'w', encoding='ascii').close()
    with open(os.path.join(TMP, 'serial'), 'w', encoding='ascii') as f:
        f.write('01\n')
    with open(conf, 'w', encoding='ascii') as f:
        f.write('[ca]\ndefault_ca=x\n[x]\ndatabase=%s/index\nserial=%s/serial\nnew_certs_dir=%s\n'
                'default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n'
                '[e]\nsubjectAltName=IP:127.0.0.1\n' % (TMP, TMP, TMP))
    subprocess.run(['openssl', 'req', '-new', '-key', key, '-subj', '/CN=old', '-out', csr],
                   check=True, capture_output=True)
    subprocess.run(['openssl', 'ca', '-batch', '-selfsign', '-config', conf, '-keyfile', key,
                    '-in', csr, '-out', pem, '-startdate', '20200101000000Z',
                    '-enddate', '20210101000000Z'], check=True, capture_output=True)
    return pem, key


def server_context(name='localhost',
                   extra=('-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1')):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(*cert(name, '-days', '30', *extra))
    return ctx


def https_handler(ctx, answer=b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'):
    def handle(_, s):
        try:
            t = ctx.wrap_socket(s, server_side=True)
        except ssl.SSLError:
            return
        try:
            if read_until(t, b'\r\n\r\n'):
                t.sendall(answer)
                t.unwrap()
        except (ssl.SSLError, OSError):
            pass
        t.close()
    return handle


class Case(unittest.TestCase):
    maxDiff = None

    def check(self, r, outcome, failure='', stage=None, errno=None):
        got = (r['outcome'], r['failure'])
        self.assertEqual(got, (outcome, failure), r)
        if stage is not None:
            self.assertEqual(r['stage'], stage, r)
        if errno is not None:
            self.assertEqual(r['errno'], errno, r)

    def yes(self, r, *names):
        for n in names:
            self.assertTrue(r['facts'].get(n, {}).get('yes'), (n, r))

    def no(self, r, *names):
        for n in names:
            self.assertIs(r['facts'].get(n, {}).get('yes'), False, (n, r))
