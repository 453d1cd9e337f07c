#!/usr/bin/env python3
"""A month of history: how long it takes to open and what it costs.

usage: bench/history.py [RESETS]    from the build folder; 100,000 unless told otherwise

Fills a database that the program made with synthetic resets of 200 targets over 30 days, then takes
the time of `rstconsole --history` (best and worst of five), its peak memory, and the file's size.
"""
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time

CAUSES = ["port-closed", "idle-lb-rst-pushed", "app-linger0", "conn-limit-reset", "tls-version", ""]


def fill(path, resets):
    rnd = random.Random(1)
    db = sqlite3.connect(path)
    now = time.time_ns()
    db.executemany("INSERT INTO words VALUES (?, ?)",
                   list(enumerate(CAUSES + ["likely", "idle", "peer"], 1)))
    db.executemany("INSERT INTO targets VALUES (?, ?)",
                   [(i, "https://service-%d.example/" % i) for i in range(1, 201)])
    sessions = max(resets // 100, 1)
    starts = [now - rnd.randrange(30 * 86400) * 10**9 for _ in range(sessions)]
    db.executemany("INSERT INTO sessions VALUES (?, ?, ?, 'host', '0', ?, ?, 1000)",
                   [(i, "s%d" % i, "/sessions/s%d" % i, t, t) for i, t in enumerate(starts, 1)])
    db.executemany("INSERT INTO rounds VALUES (?, ?, 1, 2, 1, 1000000, 9000000)",
                   [(i, k) for i in range(1, sessions + 1) for k in rnd.sample(range(1, 201), 20)])

    def events():
        for i in range(resets):
            session = i % sessions
            cause = rnd.randrange(1, 7)
            yield (session + 1, rnd.randrange(1, 201), starts[session] + i, 1, 1, cause, 7, .9, 8,
                   9, 350 * 10**9 + rnd.randrange(10**9) if cause == 2 else None,
                   "192.0.2.%d:443" % rnd.randrange(256))
    db.executemany("INSERT INTO events (session, target, time, reset, harmful, cause, grade,"
                   " confidence, stage, sender, idle, address)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", events())
    db.execute("UPDATE meta SET value = 1")
    db.commit()
    db.close()


def main():
    resets = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    with tempfile.TemporaryDirectory(prefix="history") as home:
        env = dict(os.environ, XDG_STATE_HOME=home, XDG_DATA_HOME=home)
        program = os.path.abspath("rstconsole")
        subprocess.run([program, "--history"], env=env, stdout=subprocess.DEVNULL, check=True)
        path = os.path.join(home, "rstconsole", "history.db")
        fill(path, resets)
        took, used = [], resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(5):
            begun = time.monotonic()
            out = subprocess.run([program, "--history"], env=env, stdout=subprocess.PIPE,
                                 check=True).stdout
            took.append(time.monotonic() - begun)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = (after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime) / len(took)
        size = sum(os.path.getsize(path + x) for x in ("", "-wal") if os.path.exists(path + x))
        print(out.decode().split("\n")[0])
        print("resets %d  open %.3f .. %.3f s (CPU %.3f s)  peak memory %.1f MB  on disk %.1f MB"
              % (resets, min(took), max(took), cpu, after.ru_maxrss / 1024, size / 1e6))


main()
