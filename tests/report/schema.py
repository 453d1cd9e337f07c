#!/usr/bin/env python3
"""Every report of the real binary is what doc/report.schema.json says.

Reads captures of $CORPUS (all of them with --all, else a sample) and what tests/report/crafted.py
makes, with --flows too. Skipped aloud where python3-jsonschema is not there.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crafted  # noqa: E402

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

SRC, BUILD = os.environ["srcdir"], os.environ["builddir"]
CORPUS = os.environ.get("CORPUS", "")
BINARY = os.path.join(BUILD, "rstconsole")


def report(path, *more):
    env = dict(os.environ, LC_ALL="C.UTF-8")
    p = subprocess.run([BINARY, "-b", "-r", path, "--format", "json", *more], capture_output=True,
                       env=env, timeout=60)
    return p.returncode, p.stdout, p.stderr.decode("utf-8", "replace")


def captures():
    for name in ("rst", "control", "hostile"):
        folder = os.path.join(CORPUS, name)
        if os.path.isdir(folder):
            for n, file in enumerate(sorted(os.listdir(folder))):
                if "--all" in sys.argv or n % 6 == 0:
                    yield os.path.join(folder, file)


def check(validator, label, path, *more):
    status, out, err = report(path, *more)
    if status == 3 and err.strip() and not out:
        return 0
    problems = []
    if status not in (0, 1):
        problems.append("exit %d: %s" % (status, err.strip()[-200:]))
    else:
        try:
            doc = json.loads(out)
        except ValueError as e:
            doc = None
            problems.append(str(e))
        if doc is not None:
            problems += ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:160])
                         for e in validator.iter_errors(doc)]
            ids = [r["id"] for r in doc["resets"]]
            if ids != list(range(1, len(ids) + 1)):
                problems.append("reset ids are not 1..n")
            harmful = sum(r["harmful"] and r["related"] for r in doc["resets"])
            if harmful != doc["summary"]["harmful_resets"]:
                problems.append("the summary counts other resets than there are")
            if status != (1 if harmful or doc["summary"]["failed_probes"] else 0):
                problems.append("exit status %d does not fit" % status)
    for p in problems[:5]:
        print("%s: %s" % (label, p))
    return len(problems)


def main():
    with open(os.path.join(SRC, "doc", "report.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    kind = getattr(jsonschema, "Draft202012Validator", None) or jsonschema.Draft201909Validator
    validator = kind(schema)
    bad = used = 0
    with tempfile.TemporaryDirectory(prefix="schema") as tmp:
        for name, data in crafted.captures():
            path = os.path.join(tmp, name)
            with open(path, "wb") as f:
                f.write(data)
            bad += check(validator, name, path)
            bad += check(validator, name + " --flows", path, "--flows")
            used += 1
    if not used:
        print("nothing crafted")
        return 1
    for path in captures():
        bad += check(validator, os.path.basename(path), path, "--flows")
        used += 1
    print("%d reports, %d problems%s" % (used, bad, "" if CORPUS and os.path.isdir(CORPUS)
                                         else "; no corpus: only crafted ones"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
