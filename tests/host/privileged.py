#!/usr/bin/env python3
"""What only a privileged helper may see: rules of the firewall that reject or drop, why the kernel
sent a reset, entries of connection tracking, owners of other users' sockets; that it says so where
it may not; that nothing of it is left behind.

In a network and a mount namespace of its own. tracefs is this machine's: the helper's instance in
it bears its number, and is looked for by that.
"""
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import lab  # noqa: E402

TRACING = "/sys/kernel/tracing"
RULES = """
table inet t {
  set blocked { type ipv4_addr; elements = { 10.77.0.9 } }
  chain o {
    type filter hook output priority 0
    ct state established,related accept
    tcp dport 700 reject with tcp reset
    tcp dport 701 counter drop
    ip daddr @blocked tcp dport 702 counter reject with tcp reset
    oifname "lo" tcp dport 703 accept
    tcp dport 703 jump more
  }
  chain more {
    tcp dport 1-1000 reject with icmpx admin-prohibited
  }
}
"""
failures = 0


def check(ok, what):
    global failures
    if not ok:
        failures += 1
        print("FAILED:", what, flush=True)


class Helper:
    """rstconsole-host, asked by hand."""

    def __init__(self, *argv, **more):
        self.p = subprocess.Popen([lab.program("rstconsole-host"), *argv], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                                  preexec_fn=lab.die_with_parent, **more)
        self.seen, self.rest = [], b""
        self.until("ready")
        self.sources = {x["source"]["name"]: x["source"] for x in self.seen if "source" in x}

    def line(self):
        while b"\n" not in self.rest:
            if not select.select([self.p.stdout], [], [], 30)[0]:
                raise RuntimeError("the helper says nothing")
            more = os.read(self.p.stdout.fileno(), 65536)
            if not more:
                raise RuntimeError(f"the helper has ended: {self.seen[-3:]}")
            self.rest += more
        text, self.rest = self.rest.split(b"\n", 1)
        self.seen.append(json.loads(text))
        return self.seen[-1]

    def until(self, key, good=lambda x: True):
        while True:
            x = self.line()
            if key in x and good(x[key]):
                return x[key]

    def ask(self, text):
        begin = len(self.seen)
        self.p.stdin.write(text.encode("latin-1") + b"\n")
        end = self.until("end")
        return end, self.seen[begin:]

    def end(self):
        self.p.stdin.close()
        check(self.p.wait(30) == 0, f"the helper ends with {self.p.returncode}")
        self.p.stdout.close()


def reset_of(helper, sport, sent):
    return helper.until("reset", lambda r: r["sent"] == sent and
                        sport in (r["flow"]["sport"], r["flow"]["dport"]))


def pair():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    listener.close()
    return client, server


def by_hand():
    """The protocol, as a person types it."""
    helper = Helper()
    working = {k for k, v in helper.sources.items() if v["error"] is None}
    check({"rules", "conntrack", "owners"} <= working, f"sources: {helper.sources}")

    end, lines = helper.ask("rules")
    rules = [x["rule"] for x in lines if "rule" in x]
    check(end == {"of": "rules", "n": len(rules), "left_out": 0}, f"rules end with {end}")
    rejects = [r for r in rules if r["then"] == "reject"]
    check(len(rejects) == 3 and rejects[0]["with"] == "tcp reset" and
          rejects[0]["if"] == [{"on": "dport", "not": False, "in": [[700, 700]]}],
          f"rules that reject: {rejects}")
    check(any(c == {"on": "?"} for c in rejects[1]["if"]), f"a named set is not known: {rejects[1]}")

    client, server = pair()
    end, lines = helper.ask("flow 127.0.0.1 %d 127.0.0.1 %d" % (client.getsockname()[1],
                                                                server.getsockname()[1]))
    entry = [x["entry"] for x in lines if "entry" in x]
    check(end["n"] == 1 and entry[0]["state"] == "ESTABLISHED", f"the entry: {lines}")
    inode = os.fstat(client.fileno()).st_ino
    end, lines = helper.ask(f"owners {inode}")
    owner = [x["owner"] for x in lines if "owner" in x]
    check(end["n"] == 1 and owner[0]["pid"] == os.getpid() and owner[0]["uid"] == os.getuid(),
          f"the owner: {lines}")
    for odd in ("", "rules now" * 400, "flow", "flow a b c d", "flow 127.0.0.1 99999 ::1 1",
                "owners", "owners x -1 99999999999999999999", "\x00\xff", "owners " + "1 " * 200):
        end, lines = helper.ask(odd)
        check(len([x for x in lines if "end" in x]) == 1, f"{odd[:20]!r} is answered with {lines}")

    if "resets" in working:
        instance = f"{TRACING}/instances/rstconsole-{helper.p.pid}"
        check(os.path.isdir(instance), "an instance of its own")
        port = client.getsockname()[1]
        client.send(b"unread")
        server.close()
        r = reset_of(helper, port, True)
        check(r["reason"] == "TCP_ABORT_ON_CLOSE" and r["pid"] == os.getpid(), f"unread: {r}")
        client.close()
        client, server = pair()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        r = reset_of(helper, client.getsockname()[1], True)
        check(r["reason"] == "TCP_STATE" and r["state"] == "TCP_CLOSE", f"linger: {r}")
        # Killed, it leaves nothing behind either.
        watch = os.pidfd_open(helper.p.pid)
        helper.p.send_signal(signal.SIGKILL)
        select.select([watch], [], [])
        os.close(watch)
        gone = time.monotonic() + 30  # its child waits for its end, then removes it
        while os.path.exists(instance) and time.monotonic() < gone:
            time.sleep(.01)
        check(not os.path.exists(instance), "the instance goes with the helper")
        helper.p.wait()
        helper.p.stdin.close()
        helper.p.stdout.close()
    else:
        print("not tried: tracepoints:", helper.sources["resets"])
        helper.end()
    client.close()


def confined():
    """It may not write a file, nor open a socket of the network: seccomp and no capability."""
    helper = Helper("rules")
    with open(f"/proc/{helper.p.pid}/status") as f:
        status = dict(line.split(":", 1) for line in f)
    caps = int(status["CapPrm"], 16)
    check(caps == 1 << 12, f"capabilities {caps:x}, not cap_net_admin alone")
    check(int(status["Seccomp"]) == 2 and int(status["NoNewPrivs"]) == 1, "not confined")
    helper.end()


def denied(folder):
    """A user without rights is told what is missing; the console goes on without."""
    args = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all"]
    names = ("rstconsole", "rstconsole-host", "rstconsole-capture")
    os.mkdir(f"{folder}/bin")
    for name in names:
        subprocess.run(["cp", lab.program(name), f"{folder}/bin"], check=True)
    p = subprocess.run([*args, f"{folder}/bin/rstconsole-host"], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60)
    lines = [json.loads(x) for x in p.stdout.splitlines()]
    check(p.returncode == 0 and lines[-1] == {"ready": True} and len(lines) == 5 and
          all(x["source"]["error"] in ("EPERM", "EACCES", "ENOENT") for x in lines[:4]),
          f"without rights: {p.stdout!r}")
    p = subprocess.run([*args, f"{folder}/bin/rstconsole", "--doctor"], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C"})
    said = p.stdout.split("rules of this host's firewall", 1)
    check(p.returncode == 0 and len(said) == 2 and said[1].lstrip().startswith("(nftables") and
          "not permitted" in said[1] and
          f"sudo setcap cap_net_admin=p {folder}/bin/rstconsole-host" in said[1],
          f"--doctor: {p.stdout!r} {p.stderr!r}")
    home = f"{folder}/home"
    os.mkdir(home)
    os.chmod(home, 0o777)
    report = console(f"{folder}/bin/rstconsole", args, home, "tcp://10.77.0.9:700")
    first = report["targets"][0]["probes"][0]
    check(first["failure"] == "connection_refused", f"without rights: {first}")


def console(program, before, folder, *targets):
    p = subprocess.run([*before, program, "-b", "-i", "none", "-x", "none", "--timeout", "1",
                        "--format", "json", *targets], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=120,
                       env={**os.environ, "LC_ALL": "C", "HOME": folder, "XDG_DATA_HOME": folder})
    if p.returncode != 1:
        raise RuntimeError(f"status {p.returncode}: {p.stderr}")
    return json.loads(p.stdout)


def diagnosed(folder):
    """The same as facts, and the causes that need them."""
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    expected = {
        "tcp://10.77.0.9:700": ("local-fw-output-reject", "local-rule-rejects"),
        "tcp://10.77.0.9:701": ("fw-drop-syn", "local-rule-drops"),
        "tcp://10.77.0.9:702": ("local-fw-output-reject", "local-reject-rule"),
        "tcp://10.77.0.9:703": ("local-fw-output-reject", "local-rule-rejects"),
        f"tcp://127.0.0.1:{port}": ("port-closed", "kernel-sent" if traced() else None),
    }
    report = console(lab.program("rstconsole"), [], folder, *expected)
    for target in report["targets"]:
        cause, fact = expected[target["name"]]
        failed = next(p for p in target["probes"] if p["outcome"] == "failed")
        best = failed["verdicts"][0] if failed["verdicts"] else {"cause": None, "for": []}
        check(best["cause"] == cause, f"{target['name']}: {best['cause']}, not {cause}")
        check(fact is None or fact in [f["kind"] for f in best["for"]],
              f"{target['name']}: for it {[f['kind'] for f in best['for']]}, not {fact}")


def traced():
    return os.path.isdir(f"{TRACING}/instances") and os.access(f"{TRACING}/instances", os.W_OK)


def main():
    lab.need("unshare", "ip", "nft", "setpriv")
    if len(sys.argv) == 1:
        lab.become_root()
        if subprocess.run(["unshare", "-nm", "true"], stderr=subprocess.DEVNULL).returncode:
            print("skipped: no mount namespace is to be had here")
            return 77
        return subprocess.run(["unshare", "-nm", sys.executable, sys.argv[0], "inside"]).returncode
    for command in ("ip link set lo up", "ip link add dev v0 type veth peer name v1",
                    "ip addr add 10.77.0.1/24 dev v0", "ip link set v0 up", "ip link set v1 up"):
        subprocess.run(command.split(), check=True)
    subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACING], stderr=subprocess.DEVNULL)
    subprocess.run(["nft", "-f", "-"], input=RULES, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        by_hand()
        confined()
        diagnosed(folder)
        with open("/proc/self/uid_map") as f:
            if f.read().split()[2] != "1":
                denied(folder)
            else:
                print("not tried: uid 65534, which this user namespace does not have")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
