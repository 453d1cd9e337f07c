"""Names in depth: every server on its own, UDP and then TCP, what programs of this host get, records
other than addresses, a name that has moved since its connection failed."""
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import unittest

from probelab import PROBE, TMP, Case, Server, field, linger0, one, results

A, CNAME, OPT, AAAA, SRV, SVCB, HTTPS = 1, 5, 41, 28, 33, 64, 65
TC = 0x0200


def name(text):
    return b''.join(bytes([len(x)]) + x.encode() for x in text.split('.') if x) + b'\0'


def rr(rtype, data, ttl=60, owner=b'\xc0\x0c', cls=1):
    return owner + struct.pack('!HHIH', rtype, cls, ttl, len(data)) + data


def a(*addresses):
    return [rr(A, socket.inet_aton(x)) for x in addresses]


class NameServer:
    """Answers by UDP and by TCP on one port. script(type, tcp) -> (rcode, records[, flags[, extra]]),
    or None for silence."""

    def __init__(self, script):
        self.script = script
        self.asked = []
        for _ in range(50):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(('127.0.0.1', 0))
            self.tcp = socket.socket()
            try:
                self.tcp.bind(self.udp.getsockname())
                break
            except OSError:  # somebody has that port for TCP
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(16)
        self.where = '127.0.0.1:%d' % self.udp.getsockname()[1]
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.run_udp,
                                                                          self.run_tcp)]

    def answer(self, q, tcp):
        at = 12
        while q[at]:
            at += 1 + q[at]
        qtype = struct.unpack('!H', q[at + 1:at + 3])[0]
        edns = q[10:12] != b'\0\0'
        self.asked.append((qtype, 'tcp' if tcp else 'udp', edns))
        got = self.script(qtype, tcp)
        if got is None:
            return None
        rcode, rrs, flags, extra = (*got, *(0, [])[len(got) - 2:])
        return q[:2] + struct.pack('!HHHHH', 0x8180 | flags | rcode, 1, len(rrs), 0, len(extra)) + \
            q[12:at + 5] + b''.join(rrs) + b''.join(extra)

    def run_udp(self):
        while True:
            q, peer = self.udp.recvfrom(2048)
            if not q:
                return
            got = self.answer(q, False)
            if got:
                self.udp.sendto(got, peer)

    def run_tcp(self):
        while True:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_tcp, args=(s,), daemon=True).start()

    def serve_tcp(self, s):
        with s:
            while True:
                head = s.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    return
                q = s.recv(struct.unpack('!H', head)[0], socket.MSG_WAITALL)
                got = self.answer(q, True)
                if got:
                    s.sendall(struct.pack('!H', len(got)) + got)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b'', self.udp.getsockname())
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        for t in self.threads:
            t.join()
        self.udp.close()


def gives(*addresses):
    return lambda qtype, tcp: (0, a(*addresses) if qtype == A else [])


def refuses(rcode):
    return lambda qtype, tcp: (rcode, [])


class Servers(Case):
    def ask(self, *scripts, spec='dns://host.example. family=4 timeout=5'):
        servers = [NameServer(s) for s in scripts]
        for s in servers:
            s.__enter__()
        try:
            return one(spec, 'dns', '--resolver', ','.join(s.where for s in servers)), servers
        finally:
            for s in servers:
                s.__exit__()

    def test_each_server_is_asked_by_udp_and_tcp_with_edns(self):
        r, servers = self.ask(gives('192.0.2.1'), gives('192.0.2.1'))
        self.check(r, 'ok')
        for s in servers:
            self.assertIn((A, 'udp', True), s.asked)
            self.assertIn((A, 'tcp', True), s.asked)
            for how in ('udp', 'tcp'):
                self.assertTrue(any(x.startswith('%s %s 192.0.2.1 ' % (s.where, how))
                                    for x in r['fields']['server']), r)
        self.no(r, 'dns-servers-differ', 'dns-server-fails')

    def test_servers_differ(self):
        r, servers = self.ask(gives('192.0.2.1'), gives('198.51.100.7'))
        self.check(r, 'ok')
        self.yes(r, 'dns-servers-differ')
        self.assertEqual(r['fields']['server_differs'], [servers[1].where + ': 198.51.100.7'])

    def test_the_order_of_addresses_is_no_difference(self):
        r, _ = self.ask(gives('192.0.2.1', '192.0.2.2'), gives('192.0.2.2', '192.0.2.1'))
        self.no(r, 'dns-servers-differ')

    def test_one_fails(self):
        for rcode, failure in ((2, 'dns_servfail_error'), (3, 'dns_nxdomain_error'),
                               (5, 'dns_refused_error')):
            r, servers = self.ask(gives('192.0.2.1'), refuses(rcode))
            self.check(r, 'ok')
            self.assertEqual(r['fields']['server_fails'], [servers[1].where + ': ' + failure])
            self.yes(r, 'dns-server-fails')

    def test_all_fail(self):
        r, _ = self.ask(refuses(3), refuses(3))
        self.check(r, 'failed', 'dns_nxdomain_error')
        self.assertTrue(all('dns_nxdomain_error' in x for x in r['fields']['server']))
        self.assertNotIn('dns-server-fails', r['facts'])

    def test_tcp_where_udp_is_lost(self):
        deaf = gives('192.0.2.9')
        r, servers = self.ask(gives('192.0.2.9'),
                              lambda qtype, tcp: deaf(qtype, tcp) if tcp else None)
        self.assertEqual(r['fields'].get('tcp_only'), [servers[1].where], r)
        self.yes(r, 'dns-tcp-only')

    def test_truncated_then_tcp(self):
        def script(qtype, tcp):
            return (0, a('192.0.2.5')) if tcp else (0, [], TC)
        r, servers = self.ask(script)
        self.check(r, 'ok')
        self.assertTrue(any('(truncated)' in x for x in r['fields']['server']), r)
        self.assertEqual(r['fields']['address'], ['192.0.2.5'])

    def test_the_reason_of_a_servfail(self):
        ede = struct.pack('!HH', 15, 2 + 13) + struct.pack('!H', 6) + b'bad \x1bsig here'[:13]
        opt = rr(OPT, ede, ttl=0, owner=b'\0', cls=1232)
        r, _ = self.ask(lambda qtype, tcp: (2, [], 0, [opt]))
        self.check(r, 'failed', 'dns_servfail_error')
        self.assertTrue(field(r, 'extended_error').startswith('6 bad .sig'), r)
        self.yes(r, 'dns-extended-error')

    def test_later_rounds_do_not_ask_all(self):
        with NameServer(gives('127.0.0.1')) as ns, socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            rs = results('--resolver', ns.where, '--rounds', '2',
                         'tcp://host.example.:%d family=4' % s.getsockname()[1])
        dns = [r for r in rs if r['probe'] == 'dns']
        self.assertIn('server', dns[0]['fields'])
        self.assertNotIn('server', dns[1]['fields'])

    def test_a_slow_server_does_not_hold_up_a_connection(self):
        def never(qtype, tcp):
            return None
        with Server(lambda _, s: None) as srv:
            servers = [NameServer(gives('127.0.0.1')), NameServer(never)]
            for s in servers:
                s.__enter__()
            rs = results('--resolver', ','.join(s.where for s in servers),
                         'tcp://host.example.:%d family=4 hold=10ms' % srv.port)
            for s in servers:
                s.__exit__()
        self.check(rs[0], 'ok')
        self.assertIn('generic_timeout_error', rs[0]['fields']['server'][1])
        self.assertNotIn('server_fails', rs[0]['fields'])  # it had no time to say so

    def test_the_name_moved_after_its_connection_failed(self):
        now = ['127.0.0.1']

        def script(qtype, tcp):
            return (0, a(now[0]) if qtype == A else [])

        def cut(_, s):
            now[0] = '127.0.0.2'
            linger0(s)
        with Server(cut) as srv, NameServer(script) as ns:
            rs = results('--resolver', ns.where, '--rounds', '3',
                         'tcp://host.example.:%d family=4 hold=5' % srv.port)
        dns = [r for r in rs if r['probe'] == 'dns']
        self.assertNotIn('dns-moved', dns[0]['facts'])
        self.assertEqual(field(dns[1], 'moved_from'), '127.0.0.1')
        self.yes(dns[1], 'dns-moved')
        self.assertNotIn('dns-moved', dns[2]['facts'])


class Records(Case):
    def look(self, spec, script):
        with NameServer(script) as ns:
            return one(spec, 'dns', '--resolver', ns.where), ns

    def test_service_records(self):
        svcb = struct.pack('!H', 1) + b'\0' + struct.pack('!HH', 1, 6) + b'\2h2\2h3' + \
            struct.pack('!HHH', 3, 2, 8443) + struct.pack('!HH', 4, 4) + bytes([192, 0, 2, 1])
        for kind, number in (('HTTPS', HTTPS), ('SVCB', SVCB)):
            r, ns = self.look('dns://host.example./' + kind,
                              lambda qtype, tcp, n=number: (0, [rr(n, svcb)]))
            self.check(r, 'ok')
            self.assertEqual(r['fields']['answer'],
                             [kind + ' 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1 ttl 60'])
            self.assertEqual({x[0] for x in ns.asked}, {number})

    def test_srv(self):
        data = struct.pack('!HHH', 1, 5, 5060) + name('sip.example')
        r, _ = self.look('dns://_sip._tcp.example./SRV', lambda qtype, tcp: (0, [rr(SRV, data)]))
        self.assertEqual(field(r, 'answer'), 'SRV 1 5 5060 sip.example ttl 60')

    def test_none_of_that_type(self):
        r, _ = self.look('dns://host.example./SRV', lambda qtype, tcp: (0, []))
        self.check(r, 'failed', 'dns_no_answer')

    def test_an_https_target_asks_for_https_too(self):
        svcb = struct.pack('!H', 1) + b'\0' + struct.pack('!HH', 1, 3) + b'\2h2'

        def script(qtype, tcp):
            return (0, a('127.0.0.1') if qtype == A else [rr(HTTPS, svcb)] if qtype == HTTPS else [])
        with NameServer(script) as ns, socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            r = one('https://host.example.:%d/' % s.getsockname()[1], 'dns', '--resolver', ns.where)
        self.assertEqual(field(r, 'https_record'), 'HTTPS 1 . alpn=h2 ttl 60')

    def test_damaged_records(self):
        for data in (b'', b'\0', b'\0\1\0\0\1\0\xff\2h', b'\0\1\xc0\xff', b'\0\1\0\0\4\0\3abc'):
            r, _ = self.look('dns://host.example./HTTPS timeout=2',
                             lambda qtype, tcp, d=data: (0, [rr(HTTPS, d)]))
            self.assertIn(r['outcome'], ('ok', 'failed'))


class System(Case):
    """getaddrinfo(3), in a mount namespace with an /etc of our own."""

    def look(self, hosts, script, spec='tcp://host.example:%d hold=10ms family=4'):
        etc = os.path.join(TMP, 'etc-%d' % id(script))
        os.makedirs(etc, exist_ok=True)
        with NameServer(script) as ns, socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            with open(os.path.join(etc, 'hosts'), 'w', encoding='ascii') as f:
                f.write(hosts)
            with open(os.path.join(etc, 'nsswitch.conf'), 'w', encoding='ascii') as f:
                f.write('hosts: files\n')
            sh = ('mount --bind "$1/hosts" /etc/hosts && mount --bind "$1/nsswitch.conf" '
                  '/etc/nsswitch.conf || exit 77; shift; exec "$@"')
            argv = ['unshare', '-m' if os.geteuid() == 0 else '-rm', 'sh', '-c', sh, 'sh', etc,
                    PROBE, '--system', '--resolver', ns.where, spec % s.getsockname()[1]]
            try:
                run = subprocess.run(argv, capture_output=True, timeout=40, check=False)
            except FileNotFoundError as e:
                self.skipTest(str(e))
        err = run.stderr.decode()
        if run.returncode == 77 or err.startswith('unshare:'):
            self.skipTest('no mount namespace here: ' + err)
        self.assertEqual(run.returncode, 0, err)
        rs = [json.loads(x) for x in run.stdout.decode().splitlines()]
        return [x for x in rs if x.get('probe') == 'dns'][0]

    def test_hosts_override(self):
        r = self.look('127.9.9.9 host.example\n', gives('127.0.0.1'))
        self.check(r, 'ok')
        self.assertEqual(field(r, 'source'), 'hosts')
        self.yes(r, 'dns-hosts', 'dns-servers-differ')
        self.assertEqual(field(r, 'getaddrinfo'), '127.9.9.9')
        self.no(r, 'dns-system-differs')

    def test_programs_get_nothing_though_the_servers_answer(self):
        r = self.look('127.0.0.1 localhost\n', gives('127.0.0.1'))
        self.check(r, 'ok')
        self.assertEqual(field(r, 'source'), 'dns')
        self.yes(r, 'dns-system-differs')
        self.assertIn('127.0.0.1', r['facts']['dns-system-differs']['text'])

    def test_the_same(self):
        r = self.look('127.0.0.1 host.example\n', gives('127.0.0.1'))
        self.no(r, 'dns-system-differs', 'dns-servers-differ')


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=1)
