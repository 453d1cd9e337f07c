#!/usr/bin/env python3
"""rstconsole -b -r on every capture of $CORPUS, once, built with AddressSanitizer and UBSan: it ends
0 or 1 (hostile ones may end 3, with a message), never by a signal, and what it prints is JSON.
The captures used are noted in tests/corpus-used, which the run's last line counts."""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

CORPUS = os.environ.get("CORPUS", "")
BUILD = os.environ["builddir"]


def sanitized():
    """The path of a rstconsole built with sanitizers; None where none can be built."""
    p = subprocess.run(["sh", os.path.join(os.environ["srcdir"], "tests", "asan-build")],
                       stdout=subprocess.PIPE, text=True)
    return p.stdout.strip() if p.returncode == 0 else None


def look(binary, folder, name, home):
    path = os.path.join(CORPUS, folder, name)
    env = dict(os.environ, HOME=home, LC_ALL="C.UTF-8")
    try:
        p = subprocess.run([binary, "-b", "-r", path, "--format", "json"], capture_output=True,
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
    binary = sanitized()
    if not binary:
        print("the build with sanitizers failed")
        return 1
    with tempfile.TemporaryDirectory(prefix="batch") as home, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(look, binary, folder, name, home) for folder in ("rst", "control", "hostile")
                for name in sorted(os.listdir(os.path.join(CORPUS, folder)))]
        bad = [r for r in (j.result() for j in jobs) if r]
    with open(os.path.join(BUILD, "tests", "corpus-used"), "a") as used:
        for folder in ("rst", "control", "hostile"):
            used.writelines("%s/%s\n" % (folder, n) for n in os.listdir(os.path.join(CORPUS, folder)))
    print("\n".join(bad))
    print("%d captures, %d failures" % (len(jobs), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
