#!/usr/bin/python3
"""measure.py DIR BUILDDIR: times the readers on DIR/*.pcap (see bench/engine)."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 3


def run(argv, env):
    """-> (wall seconds, CPU seconds, peak MiB) of one run"""
    start = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    folder, build = sys.argv[1:3]
    home = tempfile.mkdtemp()
    env = dict(os.environ, HOME=home, XDG_DATA_HOME=home)
    for name in ("small.pcap", "full.pcap"):
        path = os.path.join(folder, name)
        size = os.path.getsize(path)
        with open(path, "rb") as handle:  # the page cache is warm for all
            while handle.read(1 << 24):
                pass
        readers = [
            ("pcap_next_ex", [build + "/bench/countpcap", path]),
            ("rstconsole text", [build + "/rstconsole", "-b", "-r", path]),
            ("rstconsole json flows", [build + "/rstconsole", "-b", "-r", path, "--format", "json", "--flows"]),
        ]
        if shutil.which("tshark") and name == "small.pcap" and not os.environ.get("NO_TSHARK"):
            readers.append(("tshark rst", ["tshark", "-n", "-r", path, "-Y", "tcp.flags.reset==1"]))
        base = None
        print("%s: %.0f MB" % (name, size / 1e6))
        for label, argv in readers:
            runs = [run(argv, env) for _ in range(1 if label.startswith("tshark") else RUNS)]
            wall, cpu, peak = (statistics.median(column) for column in zip(*runs))
            base = base or wall
            print("  %-22s wall %7.3f s  cpu %7.3f s  peak %7.1f MiB  x%.2f  (%s)" % (
                label, wall, cpu, peak, wall / base, " ".join("%.3f" % r[0] for r in runs)))
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
