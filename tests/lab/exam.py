#!/usr/bin/env python3
"""The examination: each scenario is made to happen, the console looks at it, and what it says is held
against what was done.

    exam.py [OPTION]... [NAME]...
    -j N          so many at once (twice the processors)
    --quick       only those marked quick, for make check
    --mode M      live, blind or file only
    -x WORD       experiments: none, safe or all (the scenario's word, else the program's own)
    --against F   with -x: the runs of F had other experiments; what these told apart, as a table
    --seeds A-B   0 is the scenario as written, others vary ports, sizes, timing and family (0)
    --keep DIR    leaves captures, reports and logs in DIR
    --out FILE    one line of JSON a run
    --from FILE   no runs: the tables of those of FILE
    -v            what was said of each

live: with capture. blind: without. file: the packets alone, read afterwards from a capture.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

import lab
import servers
import tables

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 90  # seconds a run may take before it counts as broken
KEYS = {"about", "cause", "sender", "decidable", "harmful", "twins", "quick", "modes", "family",
        "port", "v6", "line", "server", "client", "router", "second", "host", "probe", "options",
        "talk", "run", "duration", "cert", "fired", "values", "looks_like", "experiments", "hop",
        "plain_line", "settle", "judge", "hosts", "resolv", "live", "blind", "file"}


class Broken(Exception):
    """The scenario did not happen as it is written."""


def load(name):
    path = os.path.join(HERE, "scenarios", name + ".toml")
    with open(path, "rb") as f:
        s = tomllib.load(f)
    wrong = set(s) - KEYS
    if wrong:
        raise Broken(f"{path}: unknown keys {sorted(wrong)}")
    for key in ("about", "cause", "harmful"):
        if key not in s:
            raise Broken(f"{path}: no {key}")
    if sum(k in s for k in ("probe", "talk", "run")) != 1:
        raise Broken(f"{path}: one of probe, talk, run")
    s["name"] = name
    s.setdefault("modes", ["live", "blind"] if "probe" in s else ["live", "file"])
    return s


def all_names():
    return sorted(os.path.basename(p)[:-5] for p in glob.glob(os.path.join(HERE, "scenarios/*.toml")))


def values_of(s, seed, folder):
    """What the words in braces stand for in this run."""
    dice = random.Random(f"{s['name']}-{seed}")
    six = s.get("v6") is True or (s.get("v6", "either") == "either" and seed % 2 == 1)
    port = s.get("port", 8000) if not seed else dice.randrange(7000, 30000)
    v = {"folder": folder, "port": port, "port2": port + 1, "port3": port + 2,
         "addr": lab.SERVER6 if six else lab.SERVER,
         "server": f"[{lab.SERVER6}]" if six else lab.SERVER,
         "client": lab.CLIENT6 if six else lab.CLIENT, "size": dice.choice([1, 2, 4]) if seed else 1,
         "cport": dice.randrange(40000, 60000), "hop": lab.HOP6 if six else lab.HOP,
         "delay": dice.choice([1, 5, 20, 40]) if seed else 10,
         "jitter": dice.choice([0, 1, 4]) if seed else 0, "seed": seed, "here": HERE,
         "python": servers.PYTHON, "story": servers.STORY}
    for key, choices in s.get("values", {}).items():
        v[key] = dice.choice(choices) if seed else choices[0]
    return v


def filler(v):
    pattern = re.compile(r"\{(" + "|".join(v) + r")\}")
    return lambda text: pattern.sub(lambda m: str(v[m.group(1)]), text)


def line_of(s, v, fill):
    """tunrouter's options: the scenario's own; with a seed every path gets delay and jitter."""
    if "line" not in s:
        if not v["seed"] or s.get("plain_line"):
            return None
        return ["--seed", str(v["seed"]), "--delay", str(v["delay"]), "--jitter", str(v["jitter"])]
    options = ["--seed", str(v["seed"] + 1)]
    if not any("--delay" in o for o in s["line"]):
        options += ["--delay", str(v["delay"]), "--jitter", str(v["jitter"])]
    if s.get("hop", True):
        options += ["--hop", lab.HOP, "--hop", lab.HOP6]
    for o in s["line"]:
        word, _, value = fill(o).partition(" ")
        options += [word, value] if value else [word]
    return options


def prepare(place, s, fill):
    for name in ("client", "router", "second", "host"):
        what = s.get(name, {})
        host = place.server if name == "host" else getattr(place, name)
        if "sysctl" in what:
            host.sysctl(what["sysctl"])
        if "nft" in what:
            host.nft(fill(what["nft"]))


def commands(place, s, fill, when):
    """What is done beside: before the servers start, or once they stand."""
    for name in ("client", "router", "second", "host"):
        host = place.server if name == "host" else getattr(place, name)
        for command in s.get(name, {}).get(when, []):
            host.run("sh", "-c", fill(command))


def console(place, s, fill, args):
    """The console's command in the client's namespace, with the scenario's own hosts and resolver."""
    files = [(place.write(key, fill(s[key])), path) for key, path in
             (("hosts", "/etc/hosts"), ("resolv", "/etc/resolv.conf")) if key in s]
    if files:
        mounts = "".join(f"mount --bind {ours} {theirs} && " for ours, theirs in files)
        args = ["unshare", "-m", "sh", "-c", mounts + 'exec "$@"', "sh", *args]
    return place.client.inside(args)


def console_env(folder):
    env = {**os.environ, "HOME": folder, "LC_ALL": "C.UTF-8"}
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "SUDO_UID", "PKEXEC_UID"):
        env.pop(name, None)
    return env


def read_report(done, folder, what):
    with open(os.path.join(folder, what + ".json"), "w") as f:
        f.write(done.stdout)
    with open(os.path.join(folder, what + ".err"), "w") as f:
        f.write(done.stderr)
    if done.returncode not in (0, 1) or not done.stdout:
        raise Broken(f"rstconsole ended with {done.returncode}: {done.stderr.strip()[:300]}")
    return json.loads(done.stdout)


def probe(place, s, fill, mode, experiments):
    spec = fill(s["probe"]) + " name=it" + (" " + fill(s["options"]) if "options" in s else "")
    targets = place.write("targets", spec + "\n")
    args = [lab.program("rstconsole"), "-b", "--format", "json", "-t", targets,
            "-i", "c0" if mode == "live" else "none"]
    if mode == "live":
        args += ["-w", place.path("live.pcapng")]
    if experiments:
        args += ["-x", experiments]
    done = subprocess.run(console(place, s, fill, args), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env=console_env(place.folder), timeout=LIMIT)
    return read_report(done, place.folder, mode)


def wait_capture(host):
    """Until somebody in the namespace holds a packet socket."""
    for _ in range(500):
        with open(f"/proc/{host.pid}/net/packet") as f:
            if len(f.readlines()) > 1:
                return
        time.sleep(0.02)
    raise Broken("no capture began")


def traffic(place, s, fill):
    """Another program's connections: a story, or a command."""
    if "talk" in s:
        talk = s["talk"] if isinstance(s["talk"], list) else [s["talk"]]
        args = [[servers.PYTHON, servers.STORY, "connect", fill("{addr}"), fill("{port}"), fill(t)]
                for t in talk]
    else:
        args = [["sh", "-c", fill(s["run"])]]
    with open(place.path("client.log"), "ab") as log:
        running = [place.client.start(*a, stdout=log, stderr=log) for a in args]
        for p in running:
            p.wait(LIMIT)
    time.sleep(s.get("settle", 0.3))  # what the network still has on its way


def watch(place, s, fill, modes):
    """The console watches while the others talk; its capture is then read as a file."""
    reports = {}
    args = [lab.program("rstconsole"), "-b", "--format", "json", "-i", "c0", "-w",
            place.path("live.pcapng")]
    running = subprocess.Popen(console(place, s, fill, args), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=console_env(place.folder), preexec_fn=lab.die_with_parent)
    wait_capture(place.client)
    time.sleep(0.2)
    traffic(place, s, fill)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=LIMIT)
    done = subprocess.CompletedProcess(args, running.returncode, out, err)
    if "live" in modes:
        reports["live"] = read_report(done, place.folder, "live")
    if "file" in modes:
        done = subprocess.run([lab.program("rstconsole"), "-b", "--format", "json", "-r",
                               place.path("live.pcapng")], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=console_env(place.folder),
                              timeout=LIMIT)
        reports["file"] = read_report(done, place.folder, "file")
    return reports


def check_fired(s, said):
    """Truth is looked at, not hoped for: the rules named must have fired."""
    for n in s.get("fired", []):
        if not re.search(rf"rule {n} fired [1-9]", said):
            raise Broken(f"rule {n} of the line did not fire: {said.strip()}")


def run_once(s, modes, seed, folder, experiments):
    """The reports of one making of the scenario, by mode."""
    v = values_of(s, seed, folder)
    fill = filler(v)
    reports = {}
    os.makedirs(folder)
    os.chmod(os.path.dirname(folder), 0o755)
    with lab.Lab(line_of(s, v, fill), folder) as place:
        prepare(place, s, fill)
        if s.get("cert", True):
            place.certificate(names=("lab.example",))
        commands(place, s, fill, "before")
        kinds = servers.Kinds(place, fill, folder)
        for entry in s.get("server", []):
            servers.start(place, kinds, entry)
        commands(place, s, fill, "commands")
        if "probe" in s:
            for mode in modes:
                reports[mode] = probe(place, s, fill, mode, experiments)
        else:
            reports = watch(place, s, fill, modes)
        said = place.end_line()
        with open(place.path("line.txt"), "w") as f:
            f.write(said)
    check_fired(s, said)
    return reports, v


def judged(report, v, last):
    """What the console made of it: its verdicts, the reset they belong to, and its alarms."""
    resets = {r["id"]: r for r in report["resets"]}
    it = {"verdicts": [], "reset": None, "harmful": False}
    probes = [p for t in report["targets"] for p in t["probes"]]
    failed = [p for p in probes if p["outcome"] == "failed"]
    if probes:
        chosen = failed[0] if failed else next((p for p in probes if p["verdicts"]), None)
        if chosen:
            it["verdicts"] = chosen["verdicts"]
            it["reset"] = resets.get(chosen["reset"])
            it["failure"] = f"{chosen['probe']} {chosen['failure']} at {chosen['stage']}"
    if not it["verdicts"]:
        ours = [r for r in report["resets"] if v["addr"] in (r["flow"]["src"], r["flow"]["dst"])]
        harmful = [r for r in ours if r["harmful"]]
        it["reset"] = (harmful or ours or [None])[-1 if last else 0]
        if it["reset"]:
            it["verdicts"] = it["reset"]["verdicts"]
    it["harmful"] = bool(failed) or report["summary"]["harmful_resets"] > 0
    return it


def answer(s, mode, seed, report, v, took):
    s = {**s, **s.get(mode, {})}  # what a mode cannot see is no truth there
    it = judged(report, v, s.get("judge") == "last")
    names = [x["cause"] for x in it["verdicts"]]
    top = it["verdicts"][0] if it["verdicts"] else None
    right = set(s["cause"])
    a = {"scenario": s["name"], "mode": mode, "seed": seed, "truth": s["cause"],
         "verdict": names[0] if names else None, "names": names[:5],
         "grade": top["grade"] if top else None, "confidence": top["confidence"] if top else 0,
         "harmful": it["harmful"], "harmful_truth": s["harmful"], "took": round(took, 1),
         "failure": it.get("failure"), "family": s.get("family", s["name"].split("-")[0]),
         "false_alarm": it["harmful"] and s["harmful"] is False,
         "missed": s["harmful"] is True and not it["harmful"],
         "twins_wanted": "twins" in s,
         "experiments": [{"name": e["experiment"], "outcome": e["outcome"], **e["cost"]}
                         for e in report["experiments"]]}
    a["top1"] = (not right and not names) or bool(names and names[0] in right)
    a["top3"] = a["top1"] or bool(right & set(names[:3]))
    if "twins" in s:  # they cannot be told apart: both must be named, none be sure
        a["twins"] = right <= set(names) and a["grade"] == "possible"
    a["confirmed_wrong"] = any(x["grade"] == "confirmed" and x["cause"] not in right
                               for x in it["verdicts"]) and bool(right)
    if it["reset"] and s.get("sender"):
        want = s["sender"] if isinstance(s["sender"], list) else [s["sender"]]
        a["sender"] = it["reset"]["sender"]["verdict"]
        a["sender_truth"] = want
        a["sender_right"] = a["sender"] in want if s.get("decidable") and mode != "blind" else None
    return a


def broken(s, mode, seed, why):
    return {"scenario": s["name"], "mode": mode, "seed": seed, "broken": str(why)[:500]}


def one_run(name, modes, seed, keep, experiments):
    """A worker's whole task; never raises."""
    s, began = load(name), time.monotonic()
    folder = tempfile.mkdtemp(prefix="rst-lab-")
    signal.signal(signal.SIGALRM, alarm)
    signal.alarm(LIMIT)
    try:
        for kind in {e["kind"] for e in s.get("server", [])}:
            if servers.missing(kind):
                return [{"scenario": name, "mode": m, "seed": seed, "skipped":
                         f"{servers.missing(kind)} is not installed"} for m in modes]
        # In a chroot, whose root is no mount point, nothing can be mounted over for one process.
        if {"hosts", "resolv"} & s.keys() and subprocess.run(
                ["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
            return [{"scenario": name, "mode": m, "seed": seed,
                     "skipped": "no mount namespaces here"} for m in modes]
        # A probe changes what it looks at (a server dies, a block lasts): each mode has its own lab.
        answers = []
        for these in [[m] for m in modes] if "probe" in s else [modes]:
            reports, v = run_once(s, these, seed, os.path.join(folder, these[0]),
                                  experiments or s.get("experiments"))
            took = time.monotonic() - began
            answers += [answer(s, m, seed, reports[m], v, took) for m in these]
        return answers
    except Exception as error:  # a broken scenario is told in the table, the others go on
        return [broken(s, m, seed, repr(error)) for m in modes]
    finally:
        signal.alarm(0)
        if keep:
            to = os.path.join(keep, f"{name}-{seed}")
            shutil.rmtree(to, ignore_errors=True)
            shutil.copytree(folder, to, ignore=shutil.ignore_patterns("pgdata", "*.sock"))
        shutil.rmtree(folder, ignore_errors=True)


def alarm(*_):
    raise TimeoutError(f"not done after {LIMIT} s")


def parse():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*")
    p.add_argument("-j", type=int, default=2 * (os.cpu_count() or 1))
    p.add_argument("--quick", action="store_true")
    p.add_argument("--mode", choices=("live", "blind", "file"))
    p.add_argument("-x", choices=("none", "safe", "all"))
    p.add_argument("--against")
    p.add_argument("--seeds", default="0")
    p.add_argument("--keep")
    p.add_argument("--out")
    p.add_argument("--from", dest="source")
    p.add_argument("-v", action="store_true")
    return p.parse_args()


def tasks_of(options):
    low, _, high = options.seeds.partition("-")
    for name in options.names or all_names():
        s = load(name)
        if options.quick and not s.get("quick"):
            continue
        modes = [m for m in s["modes"] if options.mode in (None, m)]
        if options.quick and not options.mode:
            modes = modes[:1]
        for seed in range(int(low), int(high or low) + 1):
            if modes:
                yield name, modes, seed


def examine(options):
    runs = []
    lab.need("ip", "nsenter", "unshare", "nft", "openssl")
    lab.become_root()
    out = open(options.out, "a") if options.out else None
    with concurrent.futures.ProcessPoolExecutor(options.j) as pool:
        waiting = [pool.submit(one_run, *t, options.keep, options.x) for t in tasks_of(options)]
        for done in concurrent.futures.as_completed(waiting):
            for a in done.result():
                runs.append(a)
                if options.v:
                    print(tables.line(a), flush=True)
                if out:
                    out.write(json.dumps(a) + "\n")
                    out.flush()
    return runs


def main():
    options = parse()
    if options.source:
        with open(options.source) as f:
            runs = [json.loads(line) for line in f]
    else:
        runs = examine(options)
    runs.sort(key=lambda a: (a["scenario"], a["mode"], a["seed"]))
    status = tables.show(runs, options.quick)
    if options.against:
        with open(options.against) as f:
            tables.against(runs, [json.loads(line) for line in f])
    return status


if __name__ == "__main__":
    sys.exit(main())
