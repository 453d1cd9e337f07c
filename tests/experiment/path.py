"""A client, three routers in a row and a server, by IPv4 and IPv6; the server speaks HTTP."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import lab  # noqa: E402

SERVER = r"""
import socket, socketserver, sys, time
class H(socketserver.StreamRequestHandler):
    def handle(self):
        blocked, line = False, b"-"
        while line:
            line = self.rfile.readline().strip()
            blocked = blocked or b"blocked" in line
        if blocked: # a server thinks about its answer: who injects a reset is sooner
            time.sleep(0.2)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
class S(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
S(("::", int(sys.argv[1])), H).serve_forever()
"""
# Listens on an interface and, at a request for the blocked host, sends the client a RST in the
# server's name; the packet itself goes on.
TAP = r"""
import socket, struct, sys
dev, ttl = sys.argv[1], int(sys.argv[2])
seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
seen.bind((dev, 0))
out4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
out6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
def total(data):
    data += b"\0" * (len(data) % 2)
    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff
print("ready", flush=True)
while True:
    frame, where = seen.recvfrom(65536)
    if where[2] == socket.PACKET_OUTGOING or b"blocked.example" not in frame:
        continue
    kind = struct.unpack("!H", frame[12:14])[0]
    ip = frame[14:]
    if kind == 0x0800:
        head, src, dst = (ip[0] & 15) * 4, ip[12:16], ip[16:20]
    elif kind == 0x86dd:
        head, src, dst = 40, ip[8:24], ip[24:40]
    else:
        continue
    tcp = ip[head:]
    sport, dport, seq, ack = struct.unpack("!HHII", tcp[:12])
    rst = struct.pack("!HHIIBBHHH", dport, sport, ack, 0, 0x50, 4, 0, 0, 0)
    if kind == 0x0800:
        pseudo = dst + src + struct.pack("!BBH", 0, 6, 20)
    else:
        pseudo = dst + src + struct.pack("!IHBB", 20, 0, 0, 6)
    rst = rst[:16] + struct.pack("!H", total(pseudo + rst)) + rst[18:]
    if kind == 0x0800:
        h = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0x1234, 0, ttl, 6, 0) + dst + src
        out4.sendto(h + rst, (socket.inet_ntoa(src), 0))
    else:
        h = struct.pack("!IHBB", 6 << 28, 20, 6, ttl) + dst + src
        out6.sendto(h + rst, (socket.inet_ntop(socket.AF_INET6, src), 0, 0, 0))
"""
PORT = 8080
# A new link's first neighbours may take a second to be found: what is measured begins after that.
REACH = """
import socket, sys, time
until = time.monotonic() + 20
while True:
    try:
        socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()
        break
    except OSError:
        if time.monotonic() > until:
            raise
"""


def trialone():
    return os.path.join(lab.BUILD, "tests", "experiment", "trialone")


def parse(text):
    out = {"facts": {}, "measures": {}, "shots": []}
    for line in text.splitlines():
        words = line.split()
        if words[0] == "fact":
            out["facts"][words[1]] = words[2:]
        elif words[0] == "measure":
            out["measures"][words[1]] = words[2] if len(words) > 2 else None
        elif words[0] == "shot":
            out["shots"].append(line)
        else:
            out[words[0]] = " ".join(words[1:])
    return out


class Path:
    """hosts[0] is the client, 1..3 the routers, 4 the server."""

    def __init__(self):
        self.hosts = []
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def build(self):
        for _ in range(5):
            self.hosts.append(lab.Host())
        for i, host in enumerate(self.hosts):
            for name in ("ipv4.ip_forward", "ipv6.conf.all.forwarding"):
                if 0 < i < 4:
                    self.set(host, name, 1)
            self.set(host, "ipv6.conf.default.accept_dad", 0)
            self.set(host, "ipv6.conf.all.accept_dad", 0)
        for i in range(4):
            a, b = self.hosts[i], self.hosts[i + 1]
            subprocess.run(["ip", "link", "add", f"d{i}", "netns", str(a.holder.pid), "type", "veth",
                            "peer", "name", f"u{i}", "netns", str(b.holder.pid)], check=True)
            for host, dev, last in ((a, f"d{i}", 1), (b, f"u{i}", 2)):
                host.run("ip", "address", "add", f"10.66.{i}.{last}/24", "dev", dev)
                host.run("ip", "-6", "address", "add", f"fd66:{i}::{last}/64", "dev", dev, "nodad")
                host.run("ip", "link", "set", dev, "up")
        for i, host in enumerate(self.hosts):
            if i < 4:
                host.run("ip", "route", "add", "default", "via", f"10.66.{i}.2")
                host.run("ip", "-6", "route", "add", "default", "via", f"fd66:{i}::2")
            if i > 0:
                for net in range(i - 1):
                    host.run("ip", "route", "add", f"10.66.{net}.0/24", "via", f"10.66.{i - 1}.1")
                    host.run("ip", "-6", "route", "add", f"fd66:{net}::/64", "via",
                             f"fd66:{i - 1}::1")
        self.hosts[4].run("ip", "route", "add", "default", "via", "10.66.3.1")
        self.hosts[4].run("ip", "-6", "route", "add", "default", "via", "fd66:3::1")
        self.hosts[4].start(sys.executable, "-c", SERVER, str(PORT), stderr=subprocess.DEVNULL)
        self.wait_listen()
        for at in (self.address(4), self.address(6)):
            self.hosts[0].run(sys.executable, "-c", REACH, at, str(PORT))

    def wait_listen(self):
        host = self.hosts[4]
        for _ in range(500):
            with open(f"/proc/{host.holder.pid}/net/tcp6") as f:
                if any(line.split()[1].endswith(f":{PORT:04X}") and line.split()[3] == "0A"
                       for line in f.readlines()[1:]):
                    return
            lab.select.select([], [], [], 0.02)
        raise RuntimeError("the server does not listen")

    @staticmethod
    def set(host, name, value):
        host.run("sh", "-c", f"echo {value} > /proc/sys/net/{name.replace('.', '/')}")

    # "blocked" in the Host line of "GET / HTTP/1.1\r\nHost: ": 22 bytes into the payload.
    RULE = ("table inet box {{\n chain c {{\n type filter hook {hook} priority 0;\n"
            " tcp dport {port} @ih,176,56 0x626c6f636b6564 counter reject with tcp reset\n }}\n}}\n")

    def flush(self):
        for host in self.hosts[1:]:
            host.nft("flush ruleset\n")

    def in_line(self, hop):
        """The router rejects requests for the blocked host."""
        self.flush()
        self.hosts[hop].nft(self.RULE.format(hook="forward", port=PORT))

    def at_server(self):
        """The server's own firewall does."""
        self.flush()
        self.hosts[4].nft(self.RULE.format(hook="input", port=PORT))

    def tap(self, hop, ttl=64):
        """A box beside the line to the router injects resets; the packets go on."""
        self.flush()
        child = self.hosts[hop].start(sys.executable, "-c", TAP, f"u{hop - 1}", str(ttl),
                                      stdout=subprocess.PIPE)
        child.stdout.readline()
        return child

    def narrow(self, mtu):
        """The second router's way on takes only so much, and nobody is told."""
        self.flush()
        self.hosts[2].run("ip", "link", "set", "d2", "mtu", str(mtu))
        self.hosts[2].nft("table inet m {\n chain o {\n type filter hook output priority 0;\n"
                          " icmp type destination-unreachable drop\n"
                          " icmpv6 type packet-too-big drop\n }\n}\n")

    def address(self, family):
        return "10.66.3.2" if family == 4 else "fd66:3::2"

    def trial(self, experiment, family, *words, name="blocked.example", options=""):
        """As nobody: no privilege is needed."""
        at = self.address(family)
        target = f"http://{name}:{PORT}/ {options}"
        args = [trialone(), experiment, target, "scheme=http", f"address={at}", "end=reset",
                "stage=reply", "shots", *words]
        run = self.hosts[0].run("setpriv", "--reuid", "65534", "--clear-groups", *args,
                                capture_output=True, timeout=120) if os.geteuid() == 0 and \
            not in_user_namespace() else self.hosts[0].run(*args, capture_output=True, timeout=120)
        return parse(run.stdout.decode())

    def close(self):
        for host in self.hosts:
            host.stop()


def in_user_namespace():
    with open("/proc/self/uid_map") as f:
        return f.read().split() != ["0", "0", "4294967295"]
