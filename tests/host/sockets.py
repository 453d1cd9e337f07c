#!/usr/bin/env python3
"""Resets of other programs, seen by a user without rights and without a capture: the tuple, the side
and the process, of a close with bytes unread, of linger 0, of a firewall rule; and of refusals.

In a network namespace of its own. The console runs as uid 65534 without capabilities where that can
be had; in a user namespace it has no rights over this test's programs either.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import lab  # noqa: E402

NOBODY = 65534
RULE = """
table inet t {
  chain i {
    type filter hook input priority 0
    tcp dport %d counter reject with tcp reset
  }
}
"""
failures = 0


def check(ok, what):
    global failures
    if not ok:
        failures += 1
        print("FAILED:", what, flush=True)


def pair():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    client = socket.socket()
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    return client, server, listener


def linger0(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def seen_by(console):
    """Waits until the console's dumps have come by at least twice more."""
    def dumps():
        with open(f"/proc/{console.pid}/io") as f:
            return int(next(line for line in f if line.startswith("syscr")).split()[1])
    try:
        first = dumps()
    except PermissionError:
        time.sleep(.5)
        return
    while dumps() < first + 250:  # some twenty times the counters, and with them the table
        time.sleep(.02)
        if console.poll() is not None:
            raise RuntimeError("the console has ended")


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


def play(console):
    """What happens, and what is to be told: name -> (flow of the client, ...)."""
    told = {}

    client, server, listener = pair()
    told["unread"] = (client.getsockname(), server.getsockname())
    client.send(b"x" * 100)
    seen_by(console)
    server.close()
    seen_by(console)
    client.close()
    listener.close()

    client, server, listener = pair()
    told["linger"] = (client.getsockname(), server.getsockname())
    client.send(b"x" * 100)
    server.recv(100)
    seen_by(console)
    linger0(server)
    server.close()
    seen_by(console)
    client.close()
    listener.close()

    client, server, listener = pair()  # a client that aborts
    told["client"] = (client.getsockname(), server.getsockname())
    seen_by(console)
    linger0(client)
    client.close()
    seen_by(console)
    server.close()
    listener.close()

    client, server, listener = pair()  # an orderly end: not to be told
    told["orderly"] = (client.getsockname(), server.getsockname())
    client.send(b"x")
    server.recv(1)
    seen_by(console)
    client.close()
    server.recv(1)
    server.close()
    listener.close()

    client, server, listener = pair()
    told["rule"] = (client.getsockname(), server.getsockname())
    client.send(b"x" * 10)
    server.recv(10)
    seen_by(console)
    subprocess.run(["nft", "-f", "-"], input=RULE % server.getsockname()[1], text=True, check=True)
    client.send(b"boom")
    seen_by(console)
    client.close()

    closed = free_port()
    told["refused"] = (None, ("127.0.0.1", closed))
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", closed))
    seen_by(console)
    s.close()
    s = socket.socket()
    s.connect_ex(("127.0.0.1", closed))
    s.close()
    seen_by(console)
    server.close()
    listener.close()
    return told


def run_console(folder, program, uid):
    argv = [program, "-b", "-i", "none", "-c", "0", "--format", "json"]
    if os.geteuid() == 0 and uid:
        argv = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all",
                "--bounding-set=-all", *argv]
    env = {**os.environ, "HOME": folder, "XDG_DATA_HOME": folder, "LC_ALL": "C.UTF-8"}
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env=env, cwd=folder,
                         preexec_fn=lab.die_with_parent)
    deadline = time.time() + 30
    while not listening_to_ends(p.pid) and time.time() < deadline and p.poll() is None:
        time.sleep(.02)
    return p


def listening_to_ends(pid):
    """/proc/net/netlink: a sock_diag socket (protocol 4) in groups 1 and 3."""
    with open("/proc/net/netlink") as f:
        for line in f:
            words = line.split()
            if words[1] == "4" and int(words[3], 16) & 5 == 5:
                return True
    return False


def find(report, told):
    client, server = told
    for r in report["resets"]:
        f = r["flow"]
        if f["dport"] == server[1] and f["dst"] == server[0] and \
           (client is None or f["sport"] == client[1]):
            return r
    return None


def examine(report, told, owner, said):
    expected = {"unread": ("resp", "app-close-unread"), "linger": ("resp", "app-linger0"),
                "client": ("orig", None), "rule": ("resp", "local-fw-output-reject"),
                "refused": ("resp", "port-closed")}
    for name, (side, cause) in expected.items():
        r = find(report, told[name])
        if not r:
            check(False, f"{name}: not told; told: {[x['flow'] for x in report['resets']]}")
            continue
        check(r["from"] == side, f"{name}: from {r['from']}")
        check(r["packet"] is None and r["class"] is None, f"{name}: a packet of which none was seen")
        first = r["verdicts"][0]["cause"] if r["verdicts"] else None
        check(cause is None or first == cause, f"{name}: {first}, not {cause}")
        p = r["process"]
        if name != "refused":
            check(p and p["uid"] == owner["uid"], f"{name}: process {p}")
            check(p and p["pid"] in (owner["pid"], None), f"{name}: process {p}")
            check(r["flow"]["sport"] == told[name][0][1], f"{name}: flow {r['flow']}")
    rule = find(report, told["rule"])
    check(rule and rule["sender"]["verdict"] == "peer-firewall",
          f"rule: sender {rule and rule['sender']}")
    check(not find(report, told["orderly"]), "an orderly end is told as a reset")
    check("1 connect of a program failed at once" in said, f"the nameless refusal: {said!r}")
    check(len(report["resets"]) == 5, f"{len(report['resets'])} resets: " +
          ", ".join(f"{r['flow']} {r['from']} {r['stage']}" for r in report["resets"]))


def replay(folder, program, report):
    """The saved session says the same."""
    where = os.path.join(folder, "rstconsole", "sessions")
    saved = os.path.join(where, sorted(os.listdir(where))[-1])
    p = subprocess.run([program, "-b", "--format", "json", "-r", saved], capture_output=True,
                       text=True, stdin=subprocess.DEVNULL, timeout=60)
    again = json.loads(p.stdout)
    check(again["resets"] == report["resets"], "the saved session tells otherwise")


def one(uid, worker_uid):
    """The console as uid, what happens as worker_uid."""
    with tempfile.TemporaryDirectory() as folder:
        program = shutil.copy(lab.program("rstconsole"), folder)
        os.chmod(folder, 0o755)
        home = os.path.join(folder, "home")
        os.mkdir(home)
        os.chmod(home, 0o777)
        console = run_console(home, program, uid)
        told = play(console)
        console.send_signal(2)
        out, err = console.communicate(timeout=60)
        if not out:
            raise RuntimeError(f"no report: {err}")
        report = json.loads(out)
        own = uid == worker_uid
        examine(report, told, {"uid": worker_uid, "pid": os.getpid() if own else None}, err)
        replay(home, program, report)


def main():
    lab.need("unshare", "ip", "nft", "setpriv")
    if len(sys.argv) > 1:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        one(int(sys.argv[1]), 0)
        return 1 if failures else 0
    lab.become_root()
    uids = [0]
    with open("/proc/self/uid_map") as f:
        if f.read().split()[2] != "1":
            uids.append(NOBODY)
        else:
            print("not tried: uid 65534, which this user namespace does not have")
    # A namespace each: what one leaves half closed is another's reset.
    status = [subprocess.run(["unshare", "-n", sys.executable, sys.argv[0], str(uid)]).returncode
              for uid in uids]
    return 1 if any(status) else 0


if __name__ == "__main__":
    sys.exit(main())
