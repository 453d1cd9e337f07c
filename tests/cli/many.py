#!/usr/bin/env python3
"""Many targets by the real binary: lists of ports, limits, lines that come as they are found."""
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, 'probe'))
from probelab import BUILD, Server, read_until  # noqa: E402

PROGRAM = os.path.join(BUILD, 'rstconsole')
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'


class Many(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.env = dict(os.environ, XDG_DATA_HOME=self.dir.name, LC_ALL='C.UTF-8')

    def start(self, *args):
        return subprocess.Popen([PROGRAM, '-b', '-i', 'none', '-x', 'none', '--format', 'jsonl', *args],
                                env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def run_all(self, *args):
        p = self.start(*args)
        out, err = p.communicate(timeout=120)
        return p.returncode, [json.loads(x) for x in out.splitlines()], err

    def test_lists_of_ports(self):
        with Server(lambda _, s: s.recv(1)) as one, Server(lambda _, s: s.recv(1)) as two:
            _, lines, _ = self.run_all('tcp://127.0.0.1:%d,%d hold=0' % (one.port, two.port))
            names = {x['target'] for x in lines if x['type'] == 'probe'}
            self.assertEqual(len(names), 2, lines)
        for bad in ('1,', '0-3', '9-3', '1-99999', ',1'):
            self.assertEqual(self.run_all('tcp://127.0.0.1:' + bad)[0], 2, bad)

    def test_lines_come_at_once(self):
        """The second server answers when the first one's line has been read: else it never would."""
        read = threading.Event()

        def slow(_, s):
            read_until(s, b'\r\n\r\n')
            if read.wait(60):
                s.sendall(OK)

        def fast(_, s):
            read_until(s, b'\r\n\r\n')
            s.sendall(OK)
        with Server(slow) as a, Server(fast) as b:
            p = self.start('--timeout', '90', 'http://127.0.0.1:%d/' % a.port,
                           'http://127.0.0.1:%d/' % b.port)
            for line in p.stdout:
                x = json.loads(line)
                if x.get('probe') == 'http' and str(b.port) in x['target']:
                    read.set()
                    break
            p.communicate(timeout=120)
        self.assertTrue(read.is_set())
        self.assertEqual(p.returncode, 0)

    def limited(self, *options):
        """The most connections at once, of six that all would wait for three."""
        lock, state = threading.Condition(), {'now': 0, 'most': 0, 'total': 0}

        def count(_, s):
            read_until(s, b'\r\n\r\n')
            with lock:
                state['now'] += 1
                state['total'] += 1
                state['most'] = max(state['most'], state['now'])
                lock.notify_all()
                lock.wait_for(lambda: state['most'] >= 2, 60)
                state['now'] -= 1
            s.sendall(OK)
        with Server(count) as srv:
            rc, lines, err = self.run_all(*options, '--timeout', '90',
                                          *['http://127.0.0.1:%d/%d' % (srv.port, i) for i in range(6)])
        self.assertEqual((rc, state['total']), (0, 6), (lines, err))
        return state['most']

    def test_per_host(self):
        self.assertEqual(self.limited('--max-per-host', '2'), 2)

    def test_at_once(self):
        self.assertEqual(self.limited('--max-connections', '2'), 2)


if __name__ == '__main__':
    unittest.main()
