"""What the tests of the demo's faults share: starting a fault program, reading its lines, and a
network namespace of one's own, where the kernel's counters move for nobody else."""
import ctypes
import os
import shutil
import signal
import subprocess
import sys

SRC = os.environ.get("srcdir", os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
BUILD = os.environ.get("builddir", os.path.join(SRC, "build"))
ENTRIES = ["closed", "at-accept", "unread", "linger", "hello", "text", "versions", "idle", "queue",
           "upload", "half", "healthy"]


def program(name):
    """Where the build leaves a program: at the top, or in src/."""
    for path in (os.path.join(BUILD, name), os.path.join(BUILD, "src", name)):
        if os.path.exists(path):
            return path
    return os.path.join(BUILD, name)


PROGRAMS = {
    "rstfault": [program("rstfault")],
    "faults.py": [sys.executable, os.path.join(SRC, "tests/fault/faults.py")],
}


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Faults:
    """A running fault program; lines maps an entry's name to (spec, {key: value}, line)."""

    def __init__(self, which, entries=()):
        args = [a for e in entries for a in ("--entry", e)]
        self.child = subprocess.Popen(PROGRAMS[which] + args, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True,
                                      preexec_fn=die_with_parent)
        self.lines = {}
        for line in self.child.stdout:
            words = line.split()
            if words == ["ready"]:
                return
            assert words[0] == "target", line
            options = dict(w.split("=", 1) for w in words[2:])
            self.lines[options["name"]] = (words[1], options, line[len("target "):].strip())
        raise RuntimeError(f"{which} ended before it was ready")

    def port(self, name):
        return int(self.lines[name][0].split("//")[1].split("/")[0].rsplit(":", 1)[1])

    def stop(self):
        self.child.stdin.close()
        status = self.child.wait(timeout=10)
        self.child.stdout.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.terminate()
            self.child.wait()


def enter_namespace():
    """Starts this script anew in a network namespace of its own. Returns where none can be had."""
    if os.environ.get("RST_NETNS"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return True
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    flags = ["-n"] if os.geteuid() == 0 else ["-r", "-n"]
    if subprocess.run(["unshare", *flags, "ip", "link", "set", "lo", "up"],
                      stderr=subprocess.DEVNULL).returncode:
        return False
    os.environ["RST_NETNS"] = "1"
    os.execvp("unshare", ["unshare", *flags, sys.executable, *sys.argv])


def counters():
    """The TCP counters of this namespace, by name."""
    out = {}
    for path in ("/proc/net/netstat", "/proc/net/snmp"):
        with open(path) as f:
            lines = f.read().splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            out.update(zip(names.split()[1:], (int(v) for v in values.split()[1:])))
    return out
