#!/usr/bin/env python3
"""What the console says of each fault, for both fault programs, with capture and without.

The first verdict of an entry's failed probe must be among its right ones (RIGHT, below), the
healthy one must be without a failed probe and a harmful reset, and the report must fit the schema.
One run of make check does each combination once; demo_loop.sh does more.

usage: console.py [-v] [--program NAME]... [--mode capture|plain]... [--entry NAME]...
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import faultlab

RIGHT = {
    "closed": {"port-closed"},
    "at-accept": {"conn-limit-reset", "app-linger0"},
    "unread": {"app-close-unread"},
    "linger": {"app-linger0"},
    "hello": {"tls-tls-to-plain", "app-linger0", "app-close-unread", "tls-sni-unknown"},
    "text": {"tls-tls-to-plain"},
    "versions": {"tls-version"},
    "idle": {"idle-lb-rst-pushed", "server-read-timeout"},
    "queue": {"accept-queue-overflow-drop"},
    "upload": {"http-early-reply-upload"},
    "half": {"app-linger0", "worker-killed", "app-crash"},
    "healthy": set(),
}
NOBODY = 65534


def schema():
    """The schema and a validator, or None where python3-jsonschema is missing."""
    try:
        import jsonschema
    except ImportError:
        print("python3-jsonschema is not installed: the report is not held against the schema")
        return None
    path = os.path.join(faultlab.SRC, "doc", "report.schema.json")
    with open(path) as f:
        return jsonschema.Draft202012Validator(json.load(f))


def as_nobody():
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def run_console(mode, arguments, home):
    """Runs the console in batch. Returns (exit status, report, what it said on stderr)."""
    command = [faultlab.program("rstconsole"), "-b", "--format", "json", *arguments]
    if mode == "plain" and os.geteuid() == 0:
        command = as_nobody() + command
    env = {**os.environ, "HOME": home, "LC_ALL": "C.UTF-8"}
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "SUDO_UID", "SUDO_GID",
                 "PKEXEC_UID"):
        env.pop(name, None)
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env,
                       preexec_fn=faultlab.die_with_parent, timeout=120)
    try:
        return p.returncode, json.loads(p.stdout), p.stderr
    except ValueError:
        return p.returncode, None, p.stderr + p.stdout[:2000]


def judge_target(report, target, name):
    """The sentences that are wrong about one entry, and the words for -v."""
    wrong = []
    failed = [p for p in target["probes"] if p["outcome"] == "failed"]
    numbers = {p["reset"] for p in target["probes"] if p["reset"] is not None}
    harmful = [r for r in report["resets"] if r["id"] in numbers and r["harmful"]]
    if name == "healthy":
        for p in failed:
            wrong.append(f"healthy: {p['probe']} failed: {p['failure']} at {p['stage']}")
        for r in harmful:
            wrong.append(f"healthy: harmful reset: {r['harmful_why']}")
        return wrong, "passed" if not wrong else "failed"
    if not failed and not harmful:
        return [f"{name}: no probe failed"], "passed"
    verdicts = failed[0]["verdicts"] if failed else harmful[0]["verdicts"]
    first = verdicts[0] if verdicts else None
    said = ", ".join(f"{v['cause']} {v['confidence']:.2f}" for v in verdicts[:4]) or "no verdict"
    if not first or first["cause"] not in RIGHT[name]:
        wrong.append(f"{name}: {said}; right: {' or '.join(sorted(RIGHT[name]))}")
    stage = f"{failed[0]['probe']} {failed[0]['failure']} at {failed[0]['stage']}" if failed else ""
    return wrong, f"{stage}: {said}"


def judge(report, entries, validator, verbose):
    wrong = []
    if validator:
        for e in sorted(validator.iter_errors(report), key=str)[:5]:
            wrong.append(f"schema: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}")
    found = {t["name"]: t for t in report["targets"]}
    for name in entries:
        if name not in found:
            wrong.append(f"{name}: not in the report, which has {sorted(found)}")
            continue
        bad, said = judge_target(report, found[name], name)
        wrong += bad
        if verbose:
            print(f"    {'WRONG' if bad else 'right'}  {name:10} {said}")
    return wrong


def one_run(which, mode, entries, validator, verbose):
    home = tempfile.mkdtemp(prefix="rst-fault-")
    if mode == "plain" and os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    capture = ["-i", "lo"] if mode == "capture" else ["-i", "none"]
    try:
        if which == "demo":
            status, report, said = run_console(mode, capture + ["--demo"], home)
            entries = faultlab.ENTRIES
        else:
            with faultlab.Faults(which, entries) as f:
                path = os.path.join(home, "targets")
                with open(path, "w") as out:
                    out.write("".join(line + "\n" for _, _, line in f.lines.values()))
                os.chmod(path, 0o644)
                status, report, said = run_console(mode, capture + ["-t", path], home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if not report:
        return [f"exit status {status} and no report: {said}"]
    wrong = judge(report, entries, validator, verbose)
    expected = 0 if entries == ["healthy"] else 1
    if status != expected:
        wrong.append(f"exit status {status}, not {expected}: {said}")
    packets = report["vantage"]["packets"]
    if mode == "capture" and not packets:
        wrong.append("the capture saw no packet: " + said)
    return wrong


def possible_modes():
    """With capture needs root (also of one's own namespace); without it needs another user."""
    modes = []
    if os.geteuid() == 0:
        modes.append("capture")
    else:
        print("not root: capture is not tried")
    binary = faultlab.program("rstconsole")
    if os.geteuid() != 0 or subprocess.run(as_nobody() + ["test", "-x", binary],
                                           stderr=subprocess.DEVNULL).returncode == 0:
        modes.append("plain")
    else:
        print("another user cannot reach the build: without capture is not tried")
    return modes


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", choices=[*faultlab.PROGRAMS, "demo"])
    parser.add_argument("--mode", action="append", choices=["capture", "plain"])
    parser.add_argument("--entry", action="append", choices=faultlab.ENTRIES)
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    if not faultlab.enter_namespace():
        print("no network namespace can be made: other traffic may move the counters")
    modes = [m for m in possible_modes() if m in (args.mode or [m])]
    if not modes:
        return 77
    validator = schema()
    failures = 0
    for which in args.program or list(faultlab.PROGRAMS):
        for mode in modes:
            print(f"{which}, {'with' if mode == 'capture' else 'without'} capture")
            wrong = one_run(which, mode, args.entry or faultlab.ENTRIES, validator, args.verbose)
            for w in wrong:
                print("  not ok:", w)
            failures += len(wrong)
    print(f"{failures} wrong")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
