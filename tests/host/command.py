#!/usr/bin/env python3
"""rstconsole -- COMMAND: a hundred connections of a millisecond each, by a static binary and by its
grandchild, are all told and none of a bystander's; output, signals and exit status pass through."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import lab  # noqa: E402

COUNT = 100
NOBODY = 65534
failures = 0


def check(ok, what):
    global failures
    if not ok:
        failures += 1
        print("FAILED:", what, flush=True)


def serve():
    """A server on a free port that reads a byte and resets."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(200)

    def run():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            s.recv(1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
    threading.Thread(target=run, daemon=True).start()
    return listener, listener.getsockname()[1]


def console(folder, uid, options, command):
    argv = [os.path.join(folder, "rstconsole"), "-i", "none", "--format", "json", *options, "--",
            *command]
    if uid:
        argv = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all",
                "--bounding-set=-all", *argv]
    env = {**os.environ, "HOME": folder, "XDG_DATA_HOME": os.path.join(folder, "home"),
           "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=env, cwd=folder)


def hundred(folder, uid, how):
    """The connections of COMMAND and of a bystander at the same time."""
    listener, port = serve()
    report = os.path.join(folder, "home", f"report-{uid}-{len(how)}.json")
    connects = os.path.join(folder, "connects")
    bystander = subprocess.Popen([connects, str(port), "200"], stdout=subprocess.PIPE, text=True)
    p = console(folder, uid, ["-o", report], [connects, str(port), str(COUNT), *how])
    out, err = p.communicate(timeout=120)
    theirs = {int(x) for x in bystander.communicate()[0].split()}
    mine = [int(x) for x in out.split()]
    listener.close()
    check(p.returncode == 7, f"exit status {p.returncode}, not COMMAND's 7: {err}")
    check(len(mine) == COUNT, f"COMMAND's output: {len(mine)} lines")
    check("no_new_privs" in err, f"no_new_privs is not said: {err}")
    check(len(theirs) == 200, f"the bystander made {len(theirs)}")
    with open(report) as f:
        resets = json.load(f)["resets"]
    told = [r["flow"]["sport"] for r in resets]
    check(sorted(told) == sorted(mine),
          f"told {len(told)}; not told {set(mine) - set(told)}, not its own {set(told) - set(mine)}")
    check(not set(told) & (theirs - set(mine)), "a bystander's connection is told")
    for r in resets:
        p = r["process"]
        if not (r["related"] and r["flow"]["dport"] == port and p and p["name"] == "connects" and
                p["pid"]):
            check(False, f"{r['flow']} related {r['related']} process {p}")
            break


def passes_through(folder):
    p = console(folder, 0, ["-o", "r.json"], ["sh", "-c", "echo out; echo err >&2"])
    out, err = p.communicate(timeout=60)
    check(out == "out\n" and "err\n" in err and p.returncode == 0,
          f"output: {out!r} {err!r} status {p.returncode}")
    p = console(folder, 0, ["-o", "r.json"],
                ["sh", "-c", "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep .05; done"])
    check(p.stdout.readline() == "ready\n", "COMMAND does not start")
    p.send_signal(signal.SIGTERM)
    out, _ = p.communicate(timeout=60)
    check(out == "got\n" and p.returncode == 9, f"SIGTERM: {out!r} status {p.returncode}")
    p = console(folder, 0, ["-o", "r.json"], ["sh", "-c", "kill -KILL $$"])
    p.communicate(timeout=60)
    check(p.returncode == 128 + signal.SIGKILL, f"killed: status {p.returncode}")
    p = console(folder, 0, [], ["./not-there"])
    _, err = p.communicate(timeout=60)
    check(p.returncode == 127 and "not-there" in err, f"not there: {p.returncode} {err!r}")


def left_running(folder):
    """What COMMAND leaves running can still connect when the console is gone."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    port = listener.getsockname()[1]
    code = f"import socket,sys; sys.stdin.read(); s=socket.create_connection(('127.0.0.1',{port})); s.close()"
    gate_r, gate_w = os.pipe()
    os.set_inheritable(gate_r, True)
    p = console(folder, 0, ["-o", "r.json"],
                ["sh", "-c", "exec 3<&0; setsid \"$0\" -c \"$1\" <\"$2\" >/dev/null 2>&1 & exit 0",
                 sys.executable, code, f"/proc/{os.getpid()}/fd/{gate_r}"])
    p.communicate(timeout=60)
    os.close(gate_r)
    os.close(gate_w)
    listener.settimeout(30)
    try:
        listener.accept()
    except TimeoutError:
        check(False, "what COMMAND left running cannot connect any more")


def nested(folder):
    """Under a filter of another's the calls cannot be had: the sockets are polled, and it says so."""
    p = console(folder, 0, ["-o", "r.json"],
                [os.path.join(folder, "rstconsole"), "-i", "none", "-o", "inner.json", "--",
                 "sh", "-c", "exit 5"])
    _, err = p.communicate(timeout=60)
    check(p.returncode == 5 and "short connections may be missed" in err,
          f"nested: {p.returncode} {err!r}")


def main():
    lab.need("unshare", "ip", "setpriv")
    if "inside" not in sys.argv:
        lab.become_root()
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv, "inside"])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/proc/self/uid_map") as f:
        whole = f.read().split()[2] != "1"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.mkdir(os.path.join(folder, "home"))
        os.chmod(os.path.join(folder, "home"), 0o777)
        shutil.copy(lab.program("rstconsole"), folder)
        shutil.copy(os.path.join(lab.BUILD, "tests", "host", "connects"), folder)
        for uid in [0, NOBODY] if whole else [0]:
            hundred(folder, uid, [])
            hundred(folder, uid, ["child"])
        passes_through(folder)
        left_running(folder)
        nested(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
