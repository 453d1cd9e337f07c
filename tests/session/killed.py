#!/usr/bin/env python3
"""The console is killed (SIGKILL) at random moments of a demo run: the session it leaves opens each time,
with everything up to a few seconds before, and says so; nothing else is left running.

usage: killed.py [TIMES]   (5)"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.path.join(os.environ.get("builddir", os.path.join(SRC, "build")), "rstconsole")
FEW_SECONDS = 5


def sessions(data):
    where = os.path.join(data, "rstconsole", "sessions")
    return [os.path.join(where, d) for d in os.listdir(where)] if os.path.isdir(where) else []


def lines_of(path):
    with open(os.path.join(path, "session.jsonl"), "rb") as f:
        return f.read().split(b"\n")


def kill_once(after):
    """The complaint, or None."""
    data = tempfile.mkdtemp(prefix="killed-")
    env = dict(os.environ, XDG_DATA_HOME=data, XDG_STATE_HOME=data, LC_ALL="C")
    try:
        p = subprocess.Popen([BIN, "-b", "--demo", "-i", "none", "-x", "none", "-c", "0",
                              "--interval", "1s"], env=env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(after)
        if p.poll() is not None:
            return "it had ended by itself"
        p.send_signal(signal.SIGKILL)
        killed = time.time()
        p.wait()
        left = sessions(data)
        if not left:
            return None if after < 3 else "no session is left"
        read = subprocess.run([BIN, "-b", "-r", left[0], "--format", "json"], env=env,
                              capture_output=True, timeout=60)
        if read.returncode not in (0, 1):
            return f"it cannot be opened: {read.stderr.decode()[-200:]}"
        report = json.loads(read.stdout)
        if b"damaged" in read.stderr:
            return f"damaged: {read.stderr.decode()[-200:]}"
        whole = [json.loads(line) for line in lines_of(left[0])[:-1]]
        results = sum(1 for x in whole if x["type"] == "result" and not x["repeat"])
        shown = sum(len(t["probes"]) for t in report["targets"])
        if shown != results:
            return f"{results} results are in the file, {shown} in the report"
        if after > 2 * FEW_SECONDS and killed - whole[-1]["t"] / 1e9 > FEW_SECONDS:
            return f"the last {killed - whole[-1]['t'] / 1e9:.1f} s are lost"
        with open(os.path.join(left[0], "session.jsonl"), "ab") as f:
            f.write(b'{"type":"result","t":17')  # and torn besides
        again = subprocess.run([BIN, "-b", "-r", left[0], "--format", "json"], env=env,
                               capture_output=True, timeout=60)
        if again.stdout != read.stdout:
            return "a torn line changes what is read"
        return None
    finally:
        shutil.rmtree(data, ignore_errors=True)


def main():
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seed = int(os.environ.get("SEED", time.time()))
    rng = random.Random(seed)
    bad = 0
    for i in range(times):
        after = rng.uniform(0.05, 4) if i % 5 else rng.uniform(10.5, 13)
        complaint = kill_once(after)
        if complaint:
            bad += 1
            print(f"killed after {after:.2f} s: {complaint}", flush=True)
    print(f"{times} kills, {bad} bad, SEED={seed}")
    return bad > 0


sys.exit(main())
