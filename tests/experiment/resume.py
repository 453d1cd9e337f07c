"""An idle ladder that is left, even by SIGKILL, goes on from the saved session: what its rungs told
is not asked again, and what it finds is right."""
import glob
import json
import os
import select
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import lab  # noqa: E402

BUILD = os.environ.get("builddir", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                "..", "..", "build"))
PROGRAM = os.path.join(BUILD, "rstconsole")
CUT = 3.0
# Resets what was silent for so long. In a namespace of its own: of a server on this host the
# counters would tell, and nothing would have to be tried.
SERVER = r"""
import socket, struct, sys, threading
def one(sock):
    sock.settimeout(float(sys.argv[1]))
    try:
        while sock.recv(4096):
            sock.sendall(b"yes\n")
    except socket.timeout:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()
listener = socket.create_server(("10.67.0.2", 7000), backlog=64)
print("ready", flush=True)
while True:
    threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
"""


class Pair:
    """Two hosts with a line between them; the server on the second."""

    def __init__(self):
        self.client, self.server = lab.Host(), lab.Host()
        try:
            subprocess.run(["ip", "link", "add", "d0", "netns", str(self.client.holder.pid), "type",
                            "veth", "peer", "name", "u0", "netns", str(self.server.holder.pid)],
                           check=True)
            for host, dev, last in ((self.client, "d0", 1), (self.server, "u0", 2)):
                host.run("ip", "address", "add", f"10.67.0.{last}/24", "dev", dev)
                host.run("ip", "link", "set", dev, "up")
            self.server.start(sys.executable, "-c", SERVER, str(CUT),
                              stdout=subprocess.PIPE).stdout.readline()
        except BaseException:
            self.close()
            raise

    def console(self, home, *args):
        env = dict(os.environ, XDG_DATA_HOME=home, XDG_STATE_HOME=home, LC_ALL="C.UTF-8")
        return subprocess.Popen(self.client.inside([PROGRAM, "-b", "--format", "json", *args]), env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                start_new_session=True)

    def close(self):
        self.client.stop()
        self.server.stop()


def sessions(home):
    return set(glob.glob(os.path.join(home, "rstconsole", "sessions", "*")))


def ladders(path):
    """The lines of idle ladders in a session."""
    found = []
    with open(os.path.join(path, "session.jsonl")) as f:
        for line in f:
            if '"experiment"' in line and line.endswith("\n"):
                e = json.loads(line)
                if e.get("experiment") == "idle" and "rows" in e:
                    found.append(e)
    return found


def lived(e):
    """Seconds of silence that ended well: [label, x, end, stage, control, icmp, ...], end 1 is ok."""
    return sorted(r[1] for r in e["rows"] if r[2] == 1 and not r[4])


def check(pair, home):
    targets = os.path.join(home, "targets")
    with open(targets, "w") as f:
        f.write("tcp://10.67.0.2:7000 name=it hold=5\n")
    left = pair.console(home, "-i", "none", "-t", targets, "-x", "safe")
    known = []
    for _ in range(600):  # until a rung is in the saved session
        for path in sessions(home):
            known = [e for e in ladders(path) if lived(e)]
        if known or left.poll() is not None:
            break
        select.select([], [], [], 0.1)
    os.killpg(left.pid, signal.SIGKILL)
    out, err = left.communicate(timeout=60)
    assert known, ("no rung was saved", left.returncode, out, err)
    old = sessions(home)
    path = old.copy().pop()
    before = lived(known[-1])
    # The report of what was left says that it was.
    read = json.loads(pair.console(home, "-r", path).communicate(timeout=60)[0])
    idle = [e for e in read["experiments"] if e["experiment"] == "idle"]
    assert len(idle) == 1 and idle[0]["outcome"] == "cancelled", idle
    out, err = pair.console(home, "-i", "none", "-t", targets, "-x", "none", "--resume", path).communicate(
        timeout=100)
    report = json.loads(out)
    idle = [e for e in report["experiments"] if e["experiment"] == "idle"]
    assert len(idle) == 1 and idle[0]["outcome"] == "separated", (idle, err)
    found = idle[0]["measured"]
    assert found["kind"] == "rst" and CUT * .95 <= found["cut_s"] <= CUT * 1.05, found
    (path,) = sessions(home) - old
    tried = [r[1] for r in ladders(path)[-1]["rows"] if not r[4]]
    assert tried and min(tried) > max(before), (before, tried)
    nothing = pair.console(home, "-i", "none", "-t", targets, "--resume", path).communicate(timeout=60)[1]
    assert "unfinished" in nothing, nothing
    print("ok: known", before, "then tried", tried, "found", found["cut_s"])


def main():
    lab.become_root()
    lab.need("ip", "nsenter")
    pair = Pair()
    try:
        with tempfile.TemporaryDirectory(prefix="resume") as home:
            check(pair, home)
    finally:
        pair.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
