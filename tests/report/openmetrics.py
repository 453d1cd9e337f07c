#!/usr/bin/env python3
"""--format openmetrics: what prometheus_client's parser reads is what the JSON report says.

Skipped aloud where python3-prometheus-client is not there.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crafted  # noqa: E402

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
    from prometheus_client.parser import text_string_to_metric_families as prometheus
except ImportError:
    print("skipped: python3-prometheus-client is not installed")
    sys.exit(77)

BINARY = os.path.join(os.environ["builddir"], "rstconsole")
CORPUS = os.environ.get("CORPUS", "")
failures = 0


def expect(ok, what):
    global failures
    if not ok:
        print("FAIL", what)
        failures += 1


def run(*args):
    p = subprocess.run([BINARY, "-b", *args], capture_output=True, timeout=60,
                       env=dict(os.environ, LC_ALL="C.UTF-8"))
    return p.returncode, p.stdout.decode("utf-8")


def samples(parse, text):
    out = {}
    for family in parse(text):
        for s in family.samples:
            key = (s.name, tuple(sorted(s.labels.items())))
            expect(key not in out, "there twice: %s %s" % key)
            out[key] = s.value
    return out


def check(label, *args):
    status, text = run(*args, "--format", "openmetrics")
    if status == 3:
        return {}
    got = samples(openmetrics, text)
    expect(got == samples(prometheus, text), label + ": the older format reads other values")
    doc = json.loads(run(*args, "--format", "json")[1])
    value = {name: v for (name, labels), v in got.items() if not labels}
    expect(value["rstconsole_exit_status"] == status, label + ": exit status")
    expect(value["rstconsole_harmful_resets"] == doc["summary"]["harmful_resets"],
           label + ": harmful resets")
    causes = collections.Counter()
    for reset in doc["resets"]:
        first = (reset["verdicts"] or [{"cause": None, "grade": "possible"}])[0]
        likely = first["grade"] in ("likely", "confirmed")
        causes[first["cause"] if likely else "not-determined"] += 1
    told = collections.Counter()
    for (name, labels), v in got.items():
        if name == "rstconsole_resets":
            told[dict(labels)["cause"]] += int(v)
    expect(told == causes, "%s: %s, but JSON has %s" % (label, dict(told), dict(causes)))
    return got


with tempfile.TemporaryDirectory(prefix="metrics") as tmp:
    for name, data in crafted.captures():
        path = os.path.join(tmp, name)
        with open(path, "wb") as f:
            f.write(data)
        check(name, "-r", path)
    # Targets whose names need care, at a port that is closed: nothing listens on 1 here.
    names = os.path.join(tmp, "targets")
    with open(names, "w", encoding="utf-8") as f:
        f.write("tcp://127.0.0.1:1 name=\"a\\\"b\\\\c\\\\n\"\ntcp://[::1]:1 timeout=1\n"
                "tcp://[::1]:1\n")
    os.environ["XDG_DATA_HOME"] = os.environ["XDG_STATE_HOME"] = tmp
    status, text = run("-i", "none", "-t", names, "-x", "none", "--format", "openmetrics")
    got = samples(openmetrics, text)
    mine = [v for (n, labels), v in got.items()
            if n == "rstconsole_probe_success" and dict(labels)["target"] == "a\"b\\c\\n"]
    expect(status == 1 and mine == [0], "targets: exit %d, %s" % (status, mine))
used = 0
for folder in ("rst", "control"):
    folder = os.path.join(CORPUS, folder)
    for file in sorted(os.listdir(folder))[::20] if os.path.isdir(folder) else ():
        check(file, "-r", os.path.join(folder, file))
        used += 1
print("%d captures of the corpus, %d problems" % (used, failures))
sys.exit(1 if failures else 0)
