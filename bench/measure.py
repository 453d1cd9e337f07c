#!/usr/bin/python3
"""measure.py DIR BUILDDIR [PART]...: times the readers on captures made in DIR (see bench/engine).

Every figure comes from RUNS rounds in which the readers take turns, so that a busy machine hits all
of them alike. "x" is the ratio to the bare pcap_next_ex loop of the same round: the least of the
rounds first, then the median. Least wall and CPU time are what the program costs; the rest is what
else the machine did.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = int(os.environ.get("RUNS", "3"))
PACKETS = int(os.environ.get("PACKETS", "5000000"))
FLOWS = int(os.environ.get("FLOWS", "200000"))
PARTS = ("small", "full", "linear", "memory", "flood")


class Bench:
    def __init__(self, folder, build):
        self.folder, self.build = folder, build
        self.home = tempfile.mkdtemp()
        self.env = dict(os.environ, HOME=self.home, XDG_DATA_HOME=self.home)

    def capture(self, name, packets, flows, resets, payload, flood=0):
        """-> path, what genpcap says it made"""
        path = os.path.join(self.folder, name + ".pcap")
        said = subprocess.run(
            [self.build + "/bench/genpcap", path] +
            [str(n) for n in (packets, flows, resets, payload, flood)],
            check=True, capture_output=True, text=True).stdout.strip()
        print("%s: %s, %.0f MB" % (name, said, os.path.getsize(path) / 1e6), flush=True)
        with open(path, "rb") as handle:  # the page cache is warm for all
            while handle.read(1 << 24):
                pass
        return path, said

    def run(self, argv, output=subprocess.DEVNULL):
        """-> (wall seconds, CPU seconds, peak MiB) of one run"""
        start = time.monotonic()
        child = subprocess.Popen(argv, stdout=output, stderr=subprocess.DEVNULL, env=self.env)
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
        wall = time.monotonic() - start
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def rounds(self, readers, runs=RUNS):
        """-> {label: [run, ...]}, in turns"""
        got = {label: [] for label, _ in readers}
        for _ in range(runs):
            for label, argv in readers:
                got[label].append(self.run(argv))
        return got

    def program(self, path, *options):
        return [self.build + "/rstconsole", "-b", "-r", path, *options]


def show(got, base):
    bare = got.get(base)
    for label, runs in got.items():
        wall, cpu, peak = (min(column) for column in zip(*runs))
        line = "  %-24s wall %7.3f s  cpu %7.3f s  peak %7.1f MiB" % (label, wall, cpu, peak)
        if bare and len(bare) == len(runs):
            walls = [r[0] / b[0] for r, b in zip(runs, bare)]
            cpus = [r[1] / b[1] for r, b in zip(runs, bare)]
            line += "  wall x%.2f (median %.2f)  cpu x%.2f (median %.2f)" % (
                min(walls), statistics.median(walls), min(cpus), statistics.median(cpus))
        print(line + "  [%s]" % " ".join("%.3f" % r[0] for r in runs), flush=True)


def engine(bench, name, payload):
    path, _ = bench.capture(name, PACKETS, FLOWS, 5, payload)
    bare = [bench.build + "/bench/countpcap", path]
    got = bench.rounds([
        ("pcap_next_ex", bare),
        ("text", bench.program(path)),
        ("json --flows", bench.program(path, "--format", "json", "--flows")),
    ])
    show(got, "pcap_next_ex")
    size = os.path.getsize(path) / 1e6
    report = os.path.join(bench.folder, "report.json")
    with open(report, "wb") as out:
        bench.run(bench.program(path, "--format", "json", "--flows"), out)
    wall = min(r[0] for r in got["json --flows"])
    print("  json --flows: %.0f MB of capture a second, %.0f MB of report" % (
        size / wall, os.path.getsize(report) / 1e6))
    os.unlink(report)
    if shutil.which("tshark") and name == "small" and not os.environ.get("NO_TSHARK"):
        # it takes minutes: one round, with ours right after it
        got = bench.rounds([
            ("tshark", ["tshark", "-n", "-r", path, "-Y", "tcp.flags.reset==1"]),
            ("text, right after", bench.program(path)),
        ], 1)
        show(got, None)
        slow, fast = got["tshark"][0], got["text, right after"][0]
        print("  faster than tshark: %.0f times by wall clock, %.0f times by CPU time" % (
            slow[0] / fast[0], slow[1] / fast[1]))
    os.unlink(path)


def linear(bench):
    """The cost of a packet as the file grows; flows grow with it."""
    for millions in (1, 2, 4, 8, 16):
        packets = millions * 1000000
        path, _ = bench.capture("linear", packets, packets * FLOWS // PACKETS, 5, 6)
        runs = bench.rounds([("text", bench.program(path))])["text"]
        wall, cpu, peak = (min(column) for column in zip(*runs))
        print("  %2d M packets: wall %.3f s  cpu %.3f s, %.0f ns a packet  peak %.1f MiB" % (
            millions, wall, cpu, cpu * 1e9 / packets, peak), flush=True)
        os.unlink(path)


def memory(bench):
    """What a live flow costs: handshakes that stay open, few and many."""
    peaks = []
    for flows in (100000, 900000):
        path, _ = bench.capture("open", flows * 3, flows, 0, 0)
        peaks.append(min(r[2] for r in bench.rounds([("text", bench.program(path))])["text"]))
        os.unlink(path)
    print("  %.0f bytes a live flow (peaks %.1f and %.1f MiB)" % (
        (peaks[1] - peaks[0]) * 1048576 / 800000, *peaks))


def flood(bench):
    """Ten million SYNs of as many sources between the packets of real connections."""
    for sources in (0, 2500000, 10000000):
        path, said = bench.capture("flood", 1000000, 40000, 5, 6, sources)
        report = os.path.join(bench.folder, "report.json")
        with open(report, "wb") as out:
            wall, cpu, peak = bench.run(bench.program(path, "--format", "json"), out)
        with open(report, encoding="utf-8") as handle:
            text = handle.read()
        made = int(re.search(r"(\d+) resets", said).group(1))
        found = len(re.findall(r'"from":"(?:orig|resp)"', text))
        state = re.findall(r'"conn_state":"([A-Z0-9]+)"', text)
        gone = re.search(r'"flows_evicted":(\d+)', text)
        print("  %8d sources: wall %.2f s  cpu %.2f s  peak %.1f MiB  resets %d of %d, %d of them of "
              "connections tracked from their SYN on, %s flows evicted" % (
                  sources, wall, cpu, peak, found, made, state.count("RSTR"),
                  gone.group(1) if gone else "?"), flush=True)
        os.unlink(path)
        os.unlink(report)


def main():
    bench = Bench(*sys.argv[1:3])
    parts = sys.argv[3:] or PARTS
    try:
        for part in parts:
            if part in ("small", "full"):
                engine(bench, part, 6 if part == "small" else 1448)
            else:
                {"linear": linear, "memory": memory, "flood": flood}[part](bench)
    finally:
        shutil.rmtree(bench.home, ignore_errors=True)


if __name__ == "__main__":
    main()
