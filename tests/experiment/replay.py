"""The real program: an experiment in batch, its words on stderr, its place in the report; the saved
session, read again, says the same of everything."""
import glob
import json
import os
import subprocess
import sys
import tempfile

BUILD = os.environ.get("builddir", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                "..", "..", "build"))
PROGRAM = os.path.join(BUILD, "rstconsole")


def run(home, *args):
    env = dict(os.environ, XDG_DATA_HOME=home, XDG_STATE_HOME=home, LC_ALL="C.UTF-8")
    p = subprocess.run([PROGRAM, "-b", "--format", "json", *args], capture_output=True, env=env,
                       timeout=100)
    return json.loads(p.stdout), p.stderr.decode()


def essence(report):
    return {"experiments": report["experiments"],
            "verdicts": [[(v["cause"], v["grade"], round(v["confidence"], 6),
                           sorted(f["kind"] for f in v["for"])) for v in p["verdicts"]]
                         for t in report["targets"] for p in t["probes"]]}


def main():
    with tempfile.TemporaryDirectory(prefix="replay") as home:
        live, err = run(home, "-i", "none", "--demo", "-x", "safe")
        again, _ = run(home, "-r", glob.glob(os.path.join(home, "rstconsole", "sessions", "*"))[0])
        none, quiet = run(home, "-i", "none", "--demo", "-x", "none")
    idle = [e for e in live["experiments"] if e["experiment"] == "idle"]
    assert idle, (live["experiments"], err)
    e = idle[0]
    assert e["outcome"] == "separated" and e["measured"]["kind"] == "rst", e
    assert 2.85 <= e["measured"]["cut_s"] <= 3.6, e
    assert e["cost"]["connections"] > 3 and e["cost"]["seconds"] > 2, e
    assert any(f["kind"] == "idle-cut" and f["yes"] and f["source"] == "experiment"
               for f in e["facts"]), e
    assert "experiment" in err and "experiment" not in quiet, (err, quiet)
    assert not [e for e in none["experiments"] if e["experiment"] != "repeat"]
    assert essence(live) == essence(again), (essence(live), essence(again))
    assert live["summary"]["failed_probes"] == again["summary"]["failed_probes"]
    print("ok: found, told, saved, and read again the same")
    return 0


sys.exit(main())
