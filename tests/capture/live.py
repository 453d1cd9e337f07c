#!/usr/bin/env python3
"""rstconsole-capture and the live source, in a network namespace of this test's own, with traffic
of this test's own. As root it also tries other users and capabilities; what is not possible here is
skipped aloud. Waits for events only."""
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

BUILD = os.environ.get("builddir", ".")
HELPER = os.path.join(BUILD, "rstconsole-capture")
TRY = os.path.join(BUILD, "tests/capture/helper_try")
DUMP = os.path.join(BUILD, "tests/capture/capdump")
ROOT = os.environ.get("RST_LIVE_ROOT") == "1"  # root of the whole machine, not of a user namespace
PORT = 9
LIMIT = 60  # seconds until a test that hangs is a failure

failures = []
skipped = []


def expect(what, ok, seen=""):
    if not ok:
        failures.append(what)
        print(f"FAIL {what}: {seen!r}")


def enter_namespace():
    """Starts this script again in a fresh network namespace."""
    root = os.geteuid() == 0
    how = ["unshare", "-n"] if root else ["unshare", "-Urn"]
    if not shutil.which("unshare") or not shutil.which("ip"):
        print("SKIPPED: unshare(1) or ip(8) is not here")
        sys.exit(77)
    if subprocess.run([*how, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("SKIPPED: no network namespace can be made here")
        sys.exit(77)
    os.environ["RST_LIVE_INSIDE"] = "1"
    os.environ["RST_LIVE_ROOT"] = "1" if root else "0"
    os.execvp("unshare", [*how, sys.executable, __file__])


def ip(*args):
    return subprocess.run(["ip", *args], capture_output=True, text=True).returncode == 0


def refused(n=1):
    """n refused connections on lo: a SYN and a RST each."""
    for _ in range(n):
        with socket.socket() as s:
            s.connect_ex(("127.0.0.1", PORT))


def broadcast():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.sendto(b"hello", ("10.98.0.255", 9))


class Helper:
    def __init__(self, *args, program=HELPER, **kw):
        self.p = subprocess.Popen([program, *args], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        self.out = b""

    def line(self):
        return self.p.stderr.readline().decode().rstrip("\n")

    def line_of(self, word):
        while True:
            line = self.line()
            if line.startswith(word) or not line:
                return line

    def read_packets(self, n):
        """Reads stdout until n records are there."""
        while len(parse(self.out)) < n:
            more = os.read(self.p.stdout.fileno(), 65536)
            if not more:
                break
            self.out += more
        return parse(self.out)

    def finish(self, sig=signal.SIGTERM):
        if sig:
            self.p.send_signal(sig)
        out, err = self.p.communicate(timeout=LIMIT)
        self.out += out
        return parse(self.out), err.decode().split("\n")[:-1], self.p.returncode


def parse(data):
    """The IP packets of a pcap stream, whole records only."""
    if len(data) < 24:
        return []
    magic, link = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, 20)[0]
    expect("nanosecond magic", magic == 0xa1b23c4d, hex(magic))
    skip = {1: 14, 276: 20}[link]
    at, out = 24, []
    while at + 16 <= len(data):
        caplen = struct.unpack_from("<I", data, at + 8)[0]
        if at + 16 + caplen > len(data):
            break
        out.append(data[at + 16 + skip:at + 16 + caplen])
        at += 16 + caplen
    return out


def flags(packet):
    return packet[20 + 13] if packet[0] >> 4 == 4 and packet[9] == 6 else None


def protocol():
    h = Helper("-i", "lo")
    expect("ready", h.line() == "ready 1 lo")
    refused(3)
    h.p.send_signal(signal.SIGUSR1)
    line = h.line_of("stats 6")
    expect("stats when asked", line == "stats 6 0 asked", line)
    expect("what it counts is on stdout", len(h.read_packets(6)) == 6)
    line = h.line()
    expect("stats each second, unasked", line == "stats 6 0", line)
    packets, lines, status = h.finish()
    expect("stats, then end", lines[-2:] == ["stats 6 0", "end"], lines)
    expect("status 0", status == 0, status)
    expect("3 SYN and 3 RST", [flags(p) & 6 for p in packets] == [2, 4] * 3,
           [flags(p) for p in packets])


def at_once_after_ready():
    """What happens right after `ready` is in the stream, each time."""
    for device in ("lo", "any"):
        for _ in range(5):
            h = Helper("-i", device)
            ready = h.line()
            refused()
            packets, lines, _ = h.finish()
            expect(f"right after {ready}", len(packets) == 2 and "end" in lines, lines)


def drains():
    """SIGTERM straight after a burst: all of it is written, and the count is that of the stream."""
    h = Helper()
    expect("any", h.line() == "ready 276 any")
    refused(300)
    packets, lines, status = h.finish()
    expect("600 packets", len(packets) == 600, len(packets))
    expect("600 counted", lines[-2:] == ["stats 600 0", "end"] and status == 0, lines)


def filters():
    h = Helper("-i", "lo", "-f", "tcp[tcpflags] & tcp-rst != 0")
    h.line()
    refused(4)
    packets, lines, _ = h.finish()
    expect("only resets", [flags(p) & 4 for p in packets] == [4] * 4, len(packets))
    expect("only they count", "stats 4 0" in lines, lines)
    h = Helper("-f", "tcp prot 80")
    _, lines, status = h.finish(None)
    expect("a wrong filter", len(lines) == 1 and lines[0].startswith("error FILTER ") and
           "syntax error" in lines[0] and status == 1, lines)


def snaplen():
    h = Helper("-i", "lo", "-s", "64")
    h.line()
    refused()
    packets, _, _ = h.finish()
    expect("cut to 64", [len(p) for p in packets] == [50, 40], [len(p) for p in packets])


def wrong_usage():
    for args, words in ((["-q"], "wrong option"), (["lo"], "unexpected argument"),
                        (["-s", "1x"], "-s takes")):
        _, lines, status = Helper(*args).finish(None)
        expect(f"usage {args}", status == 2 and lines[0].startswith("error INTERNAL") and
               words in lines[0], lines)
    parent, child = pty.openpty()
    p = subprocess.run([HELPER, "-i", "lo"], stdout=child, stderr=subprocess.PIPE, timeout=LIMIT)
    os.close(parent)
    os.close(child)
    expect("no packets to a terminal", p.returncode == 2 and b"terminal" in p.stderr, p.stderr)
    for fd in (1, 2):
        p = subprocess.run(["bash", "-c", f'exec "$0" -i lo {fd}>&-', HELPER], timeout=LIMIT,
                           capture_output=True)
        expect(f"descriptor {fd} closed", p.returncode == 2, p)


def interfaces():
    _, lines, status = Helper("-i", "absent0").finish(None)
    expect("no such interface", lines[0].startswith("error NOIF absent0: ") and status == 1, lines)
    _, lines, status = Helper("-i", "lo", "-i", "absent0").finish(None)
    expect("no such second", lines[0] == "error NOIF absent0: no such interface", lines)
    if not ip("link", "add", "va", "type", "veth", "peer", "name", "vb"):
        skipped.append("down and several interfaces: no veth here")
        return
    _, lines, _ = Helper("-i", "va").finish(None)
    expect("an interface that is down", lines[0].startswith("error DOWN va: "), lines)
    ip("link", "set", "va", "up")
    ip("link", "set", "vb", "up")
    ip("addr", "add", "10.98.0.1/24", "dev", "va")

    h = Helper("-i", "lo", "-i", "vb")
    other = Helper("-i", "va", "-i", "vb", "-f", "tcp or udp port 9")
    expect("ready names both", h.line() == "ready 276 lo vb")
    other.line()
    refused(2)
    broadcast()
    packets, _, _ = h.finish()
    expect("lo and vb, not va", sum(p[9] == 6 for p in packets if p[0] >> 4 == 4) == 4 and
           sum(p[9] == 17 for p in packets if p[0] >> 4 == 4) == 1,
           [p[:10].hex() for p in packets])
    packets, _, _ = other.finish()
    expect("va and vb, not lo", [p[9] for p in packets] == [17, 17], [p.hex() for p in packets])

    h = Helper("-i", "va", "-f", "udp port 9")
    h.line()
    ip("link", "set", "va", "down")
    h.line_of("stats")
    ip("link", "set", "va", "up")
    broadcast()
    h.p.send_signal(signal.SIGUSR1)
    line = h.line_of("stats 1")
    expect("down for a while is no end", line == "stats 1 0 asked", line)
    ip("link", "del", "va")
    _, lines, status = h.finish(None)
    expect("an interface that goes away", status == 1 and lines[-1].startswith("error DOWN ") and
           "disappeared" in lines[-1], lines)


def reader_gone():
    h = Helper("-i", "lo")
    h.line()
    h.p.stdout.close()
    expect("ends quietly without a reader", h.p.wait(LIMIT) == 0 and
           b"error" not in h.p.stderr.read())


def slow_reader():
    """The pipe fills and the helper waits in write(); asked to end, it still writes all."""
    h = Helper("-i", "lo")
    h.line()
    refused(4000)
    packets, lines, status = h.finish()
    expect("all or counted", lines[-1] == "end" and status == 0 and
           f"stats {len(packets)} " in lines[-2], lines[-3:])
    seen, dropped = map(int, lines[-2].split()[1:3])
    expect("nothing is lost uncounted", seen + dropped >= 8000, lines[-2])


def rights():
    """After `ready` nothing is left, and what is tried is refused."""
    h = Helper("-i", "lo")
    h.line()
    with open(f"/proc/{h.p.pid}/status", encoding="ascii") as f:
        status = dict(line.split(":\t", 1) for line in f.read().split("\n") if ":\t" in line)
    h.finish()
    for field in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect(field, int(status[field], 16) == 0, status[field])
    expect("no_new_privs", status["NoNewPrivs"] == "1")
    expect("seccomp", status["Seccomp"] == "2")

    h = Helper("-i", "lo", program=TRY)
    tried = {}
    while True:
        line = h.line()
        if line in ("tried all", ""):
            break
        tried.update([line.split(" ")[1:3]])
    expect("ready after the attempts", h.line() == "ready 1 lo")
    refused()
    packets, _, _ = h.finish()
    expect("it still works", len(packets) == 2, len(packets))
    free = subprocess.run([TRY, "--unlocked"], capture_output=True, text=True, timeout=LIMIT)
    could = dict(line.split(" ")[1:3] for line in free.stderr.split("\n")
                 if line.startswith("tried ") and line != "tried all")
    expect("attempts were made", {"write", "send", "sendto", "socket-packet", "open"} <= set(tried))
    for name, what in tried.items():
        expect(f"{name} is refused", what == "refused", what)
        expect(f"{name} would have worked", could.get(name) == "ALLOWED", could.get(name))


def nobody(args, **kw):
    return subprocess.run(args, capture_output=True, timeout=LIMIT, user=65534, group=65534,
                          extra_groups=[], **kw)


def permissions():
    """As a common user: without the capability the exact remedy, with it a capture."""
    if not ROOT:
        skipped.append("other users and file capabilities: this is not root")
        return
    with tempfile.TemporaryDirectory(prefix="rst-live-") as tmp:
        os.chmod(tmp, 0o755)
        copy = shutil.copy(HELPER, tmp)
        p = nobody([copy, "-i", "lo"])
        expect("without", p.returncode == 1 and p.stderr.decode() ==
               f"error PERM capturing needs cap_net_raw: sudo setcap cap_net_raw=p {copy}\n",
               p.stderr)
        p = subprocess.run(["setpriv", "--bounding-set=-net_raw", copy, "-i", "lo"],
                           capture_output=True, timeout=LIMIT)
        expect("out of bounds", p.returncode == 1 and b"--cap-add NET_RAW" in p.stderr, p.stderr)
        setcap = shutil.which("setcap") or "/usr/sbin/setcap"
        if not os.path.exists(setcap) or \
           subprocess.run([setcap, "cap_net_raw=p", copy], capture_output=True).returncode != 0:
            skipped.append("file capabilities: setcap does not work here")
            return
        h = Helper("-i", "lo", program=copy, user=65534, group=65534, extra_groups=[])
        expect("with it", h.line() == "ready 1 lo")
        refused()
        packets, lines, _ = h.finish()
        expect("it captures", len(packets) == 2 and lines[-1] == "end", lines)
        p = nobody(["setpriv", "--no-new-privs", copy, "-i", "lo"])
        expect("no_new_privs is named", b"no_new_privs" in p.stderr, p.stderr)
        p = subprocess.run(["setpriv", "--bounding-set=-net_raw", "--reuid=65534",
                            "--regid=65534", "--clear-groups", copy, "-i", "lo"],
                           capture_output=True, timeout=LIMIT)
        expect("it starts all the same, and explains", b"error PERM" in p.stderr and
               b"--cap-add NET_RAW" in p.stderr, p.stderr)


class Dump:
    """capdump with the helper beside it, as rstconsole has it."""

    def __init__(self, tmp, *args, helper=HELPER, **kw):
        self.dir = tempfile.mkdtemp(dir=tmp)
        os.chmod(self.dir, 0o755)
        program = shutil.copy(DUMP, self.dir)
        if helper:
            shutil.copy(helper, os.path.join(self.dir, "rstconsole-capture"))
        self.p = subprocess.Popen([program, "-L", *args], stdin=subprocess.PIPE, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=1, **kw)

    def until(self, word):
        lines = []
        while True:
            line = self.p.stdout.readline()
            lines.append(line.rstrip("\n"))
            if line.startswith(word) or not line:
                return lines

    def settle(self):
        self.p.stdin.write("\n")
        return self.until("settled")[-1]

    def finish(self):
        """The end of stdin stops the capture."""
        out, err = self.p.communicate(timeout=LIMIT)
        return out.split("\n"), err, self.p.returncode

    def fail(self):
        """What a capture says that ends by itself."""
        lines = self.until("total")
        self.finish()
        return lines, self.p.returncode


def live_source(tmp):
    d = Dump(tmp, "-q", "-i", "lo")
    expect("ready", d.until("interface")[-2:] == ["state READY NONE ", "interface lo"])
    for n in range(1, 6):
        refused(10)
        line = d.settle()
        expect("settled means all are here", line == f"settled {20 * n}", line)
    lines, err, status = d.finish()
    expect("ended", "state ENDED NONE " in lines and status == 0, (lines, err))
    expect("total", any(re.match(r"total 100 \d+ seen 100 dropped 0 truncated 0", line)
                        for line in lines), lines)


def many_settle(tmp):
    """Each of several settlings, asked for at once or in between, is answered."""
    d = Dump(tmp, "-q", "-i", "lo")
    d.until("interface")
    refused(5)
    d.p.stdin.write("\n\n\n")
    got = [d.until("settled")[-1] for _ in range(3)]
    expect("three answers", got == ["settled 10"] * 3, got)
    d.finish()


def live_failures(tmp):
    for args, words in (
            (("-i", "absent0"), "state FAILED NO_INTERFACE absent0"),
            (("-f", "tcp prot 1"), "state FAILED FILTER can't parse")):
        lines, status = Dump(tmp, *args).fail()
        expect(words, status == 3 and any(line.startswith(words) for line in lines), lines)
    lines, status = Dump(tmp, helper=None).fail()
    expect("no helper", status == 3 and "was found neither beside" in lines[0], lines)
    lines, _ = Dump(tmp, helper="/bin/false").fail()
    expect("another program", lines[0].startswith("state FAILED HELPER rstconsole-capture ended "
                                                  "unexpectedly with status 1"), lines)
    text = os.path.join(tmp, "text")
    with open(text, "w", encoding="ascii") as f:
        f.write("no program\n")
    lines, _ = Dump(tmp, helper=text).fail()
    expect("not to be run", lines[0].startswith("state FAILED PERMISSION"), lines)

    d = Dump(tmp, "-q", "-i", "lo")
    d.until("interface")
    with open(f"/proc/{d.p.pid}/task/{d.p.pid}/children", encoding="ascii") as f:
        child = int(f.read().split()[0])
    os.kill(child, signal.SIGKILL)
    lines, _ = d.fail()
    expect("a helper that is killed", lines[0].startswith("state FAILED HELPER rstconsole-capture "
                                                          "was ended by signal 9"), lines)


def live_orphan(tmp):
    """A console that is killed leaves no helper behind."""
    d = Dump(tmp, "-q", "-i", "lo")
    d.until("interface")
    with open(f"/proc/{d.p.pid}/task/{d.p.pid}/children", encoding="ascii") as f:
        child = int(f.read().split()[0])
    fd = os.pidfd_open(child)
    d.p.kill()
    d.p.wait()
    ready, _, _ = select.select([fd], [], [], LIMIT)
    os.close(fd)
    expect("no orphan", bool(ready))


def live_user(tmp):
    if not ROOT:
        return
    os.chmod(tmp, 0o755)
    d = Dump(tmp, "-i", "lo", user=65534, group=65534, extra_groups=[])
    lines, status = d.fail()
    expect("not permitted", status == 3 and lines[0].startswith("state FAILED PERMISSION "), lines)
    hint = subprocess.run([os.path.join(d.dir, "capdump"), "-H"], capture_output=True, text=True)
    expect("the hint", hint.stdout == f"sudo setcap cap_net_raw=p {d.dir}/rstconsole-capture\n",
           hint.stdout)
    listed = subprocess.run([os.path.join(d.dir, "capdump"), "-l"], capture_output=True, text=True)
    expect("interfaces", "\nlo  loopback  127.0.0.1" in "\n" + listed.stdout, listed.stdout)


def by_hand():
    if not shutil.which("tcpdump") or not ROOT: # it wants to become root's setgid in a namespace
        skipped.append("by hand: no tcpdump(8), or one that needs more than a user namespace")
        return
    p = subprocess.Popen([HELPER, "-i", "lo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    t = subprocess.Popen(["tcpdump", "-nr", "-", "-c", "2"], stdin=p.stdout, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    p.stdout.close()
    p.stderr.readline()
    refused()
    out, _ = t.communicate(timeout=LIMIT)
    expect("tcpdump reads it", "Flags [S]" in out and "Flags [R.]" in out, out)
    expect("and ends it", p.wait(LIMIT) == 0)
    p.stderr.close()


def main():
    if os.environ.get("RST_LIVE_INSIDE") != "1":
        enter_namespace()
    if not ip("link", "set", "lo", "up"):
        print("SKIPPED: lo cannot be set up")
        return 77
    tests = [protocol, at_once_after_ready, drains, filters, snaplen, wrong_usage, interfaces,
             reader_gone, slow_reader, rights, permissions, by_hand]
    with tempfile.TemporaryDirectory(prefix="rst-live-") as tmp:
        def with_tmp(f):
            def run():
                f(tmp)
            run.__name__ = f.__name__
            return run
        tests += [with_tmp(f) for f in (live_source, many_settle, live_failures, live_orphan,
                                        live_user)]
        for test in tests:
            before = len(failures)
            test()
            print("ok  " if len(failures) == before else "FAIL", test.__name__)
    for what in skipped:
        print("SKIPPED", what)
    return 1 if failures else 0


sys.exit(main())
