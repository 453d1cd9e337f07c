#!/usr/bin/env python3
"""Makes recorded/ anew: sessions that the program saved of real runs, without capture, in network
namespaces of its own (tests/lab/lab.py). Not a test: bytes.py judges what it leaves.

    record.py [NAME...]      only those
"""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
import lab  # noqa: E402

OUT = os.path.join(HERE, "recorded")
SERVER = lab.SERVER
VANTAGE = re.compile(r'"host":"[^"]*","user":"[^"]*"')  # where it was recorded is nobody's business

DNS = r"""
import socket, struct, sys
kind = sys.argv[1]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.53", 53))
while True:
    q, who = s.recvfrom(4096)
    end = q.index(b"\0", 12) + 5
    rcode = {"nxdomain": 3, "servfail": 2, "refused": 5}.get(kind, 0)
    if kind == "silent":
        continue
    answers = b""
    if kind == "old" and q[end - 3] == 1:
        answers = q[12:end - 4] + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([10, 77, 3, 2])
    s.sendto(q[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, 1 if answers else 0, 0, 0)
             + q[12:end] + answers, who)
"""

TCP = r"""
import socket, struct, sys, time, ssl
kind, port = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET6 if kind == "six" else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("::" if kind == "six" else "0.0.0.0", port))
s.listen(64)
held = []
while True:
    c, _ = s.accept()
    if kind == "linger":
        c.recv(4096)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
    elif kind == "unread":
        time.sleep(0.05)
        c.close()
    elif kind == "half":
        c.recv(4096)
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n")
        held.append(c)
    elif kind == "sleep":
        held.append(c)
    elif kind == "444":
        c.recv(65536)
        c.close()
    else:
        c.recv(65536)
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nfine\n")
        c.close()
"""


class Bench:
    """A lab, and the one run of the program in it."""

    def __init__(self, name):
        self.name = name
        self.lab = lab.Lab()
        self.client, self.router, self.server = self.lab.client, self.lab.router, self.lab.server

    def serve(self, host, kind, port):
        host.start("python3", self.lab.write("tcp.py", TCP), kind, str(port))
        host.wait_port(port)

    def probe(self, *args, host=None, files=(), capture="none", meanwhile=None):
        """files: (path, text) laid over files of this machine, for the run alone."""
        data = self.lab.path("data")
        env = dict(os.environ, HOME=self.lab.folder, XDG_DATA_HOME=data, LC_ALL="C.UTF-8")
        script = "".join(f"mount --bind {self.lab.write('over%d' % n, text)} {path} && "
                         for n, (path, text) in enumerate(files))
        command = ["unshare", "-m", "sh", "-c", script + 'exec "$@"', "sh",
                   lab.program("rstconsole"), "-b", "-i", capture, "--timeout", "3", *args]
        run = (host or self.client).start(*command, env=env, stdout=subprocess.DEVNULL)
        if meanwhile:
            meanwhile()
        run.wait(120)
        saved = [os.path.join(top, "session.jsonl") for top, _, names in os.walk(data)
                 if "session.jsonl" in names]
        if len(saved) != 1:
            raise RuntimeError(f"{self.name}: {len(saved)} sessions")
        where = os.path.join(OUT, self.name)
        os.makedirs(where, exist_ok=True)
        with open(saved[0]) as f, open(os.path.join(where, "session.jsonl"), "w") as to:
            to.writelines(VANTAGE.sub('"host":"client","user":"user"', line) for line in f)
        packets = os.path.join(os.path.dirname(saved[0]), "packets.pcapng")
        if capture != "none":
            shutil.copy(packets, os.path.join(where, "packets.pcapng"))


RESOLV = ("/etc/resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n")


def dns(kind):
    def run(b):
        b.client.start("python3", b.lab.write("dns.py", DNS), kind)
        b.client.wait_port(53, udp=True)
        b.probe("https://shop.example/", files=[RESOLV])
    return run


def rule(text):
    def run(b):
        b.serve(b.server, "fine", 80)
        b.router.nft("table inet t {\nchain f {\ntype filter hook forward priority 0;\n%s\n}\n}\n" % text)
        b.probe(f"http://{SERVER}:7001/", f"http://{SERVER}/")
    return run


def hosts_line(b):
    b.client.start("python3", b.lab.write("dns.py", DNS), "old")
    b.client.wait_port(53, udp=True)
    b.serve(b.server, "fine", 80)
    b.probe("http://shop.example/", files=[RESOLV, ("/etc/hosts", "127.0.0.1 localhost\n10.77.3.77 shop.example\n")])


def no_ports(b):
    b.serve(b.server, "sleep", 9000)
    b.client.sysctl({"net.ipv4.ip_local_port_range": "40000 40003"})
    hold = ("import socket,time\n"
            "l=[socket.create_connection(('%s',9000)) for _ in range(4)]\ntime.sleep(1000)\n" % SERVER)
    b.client.start("python3", "-c", hold)
    for _ in range(200):
        with open(f"/proc/{b.client.pid}/net/tcp") as f:
            if sum(line.split()[3] == "01" for line in f.readlines()[1:]) >= 4:
                break
        subprocess.run(["sleep", "0.02"], check=True)
    b.probe(f"tcp://{SERVER}:9000")


def here(kind, spec="http://127.0.0.1:8080/"):
    def run(b):
        b.serve(b.client, kind, 8080)
        b.probe(spec)
    return run


def late_certificate(b):
    cert, key = b.lab.certificate()
    b.server.start("openssl", "s_server", "-4", "-quiet", "-www", "-accept", "8443", "-tls1_3",
                   "-cert", cert, "-key", key, "-Verify", "1", "-verify_return_error", "-CAfile", cert,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    b.server.wait_port(8443)
    b.probe(f"https://{SERVER}:8443/", "-k")


def reset_rule(b):
    b.serve(b.server, "fine", 80)
    b.router.nft("table inet t {\nchain f {\ntype filter hook forward priority 0;\n"
                 "tcp dport 7001 reject with tcp reset\n}\n}\n")
    b.probe(f"http://{SERVER}/", f"tcp://{SERVER}:7001", capture="c0")


def destroyed(b):
    b.serve(b.server, "sleep", 9000)

    def kill():
        for _ in range(100):
            with open(f"/proc/{b.client.pid}/net/tcp") as f:
                if any(line.split()[3] == "01" for line in f.readlines()[1:]):
                    break
            subprocess.run(["sleep", "0.02"], check=True)
        b.client.run("sleep", "1.2")
        b.client.run("ss", "-K", "dst", SERVER, stdout=subprocess.DEVNULL)
    b.probe(f"http://{SERVER}:9000/", meanwhile=kill)


RUNS = {
    "fw-reject-syn-rst": reset_rule, "local-sock-destroy": destroyed,

    "dns-nxdomain": dns("nxdomain"), "dns-no-address": dns("empty"),
    "dns-servfail": dns("servfail"), "dns-refused": dns("refused"), "dns-timeout": dns("silent"),
    "dns-hosts-override": hosts_line,
    "fw-reject-icmp": rule("tcp dport 7001 reject with icmpx type admin-prohibited"),
    "fw-drop-syn": rule("tcp dport 7001 drop"),
    "ephemeral-exhaustion": no_ports,
    "app-linger0": here("linger"),
    "app-close-unread.counters": here("unread"),
    "tls-mtls-required.late": late_certificate,
    "http-limit-close.444": here("444"),
}


def main():
    lab.need("unshare", "nsenter", "nft", "ip", "openssl")
    lab.become_root()
    for name, run in RUNS.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        b = Bench(name)
        try:
            run(b)
            print("recorded", name)
        except (RuntimeError, OSError, subprocess.SubprocessError) as e:
            print("FAILED", name, e)
        finally:
            b.lab.close()


if __name__ == "__main__":
    main()
