#!/usr/bin/env python3
"""rstconsole -b -r on every capture of $CORPUS: ends 0 or 1 (hostile ones may end 3, with a
message), never by a signal, and what it prints is JSON."""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

CORPUS = os.environ.get("CORPUS", "")
BINARY = os.path.join(os.environ["builddir"], "rstconsole")


def look(folder, name, home):
    path = os.path.join(CORPUS, folder, name)
    env = dict(os.environ, HOME=home, LC_ALL="C.UTF-8")
    try:
        p = subprocess.run([BINARY, "-b", "-r", path, "--format", "json"], capture_output=True,
                           env=env, timeout=120)
    except subprocess.TimeoutExpired:
        return "%s/%s: no end in 120 s" % (folder, name)
    err = p.stderr.decode("utf-8", "replace").strip()
    if p.returncode == 3 and (folder == "hostile" or "link type" in err):
        return None if err else "%s/%s: 3 without a message" % (folder, name)
    if p.returncode not in (0, 1):
        return "%s/%s: exit %d: %s" % (folder, name, p.returncode, err[-400:])
    try:
        json.loads(p.stdout)
    except ValueError as e:
        return "%s/%s: %s" % (folder, name, e)
    return None


def main():
    if not os.path.isdir(os.path.join(CORPUS, "rst")):
        print("skipped: no captures at CORPUS=%s" % CORPUS)
        return 77
    with tempfile.TemporaryDirectory(prefix="batch") as home, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(look, folder, name, home) for folder in ("rst", "control", "hostile")
                for name in sorted(os.listdir(os.path.join(CORPUS, folder)))]
        bad = [r for r in (j.result() for j in jobs) if r]
    print("\n".join(bad))
    print("%d captures, %d failures" % (len(jobs), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
