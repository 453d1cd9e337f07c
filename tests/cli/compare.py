#!/usr/bin/env python3
"""--compare by the real binary: before and after a fix, rounds of one session, two points of one
path, and what cannot be compared."""
import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "report"))
import crafted  # noqa: E402

BINARY = os.path.join(os.environ["builddir"], "rstconsole")
failures = 0


def expect(ok, what):
    global failures
    if not ok:
        print("FAIL", what)
        failures += 1


def run(home, *args):
    env = dict(os.environ, LC_ALL="C.UTF-8", XDG_DATA_HOME=home, XDG_STATE_HOME=home)
    p = subprocess.run([BINARY, *args], stdin=subprocess.DEVNULL, capture_output=True, env=env,
                       timeout=120)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def session(home, name, target, rounds):
    """Probes and returns the folder of the saved session."""
    data = os.path.join(home, name)
    os.mkdir(data)
    targets = os.path.join(data, "targets")
    with open(targets, "w", encoding="utf-8") as f:
        f.write(target + " hold=0.05\n")
    run(data, "-b", "-i", "none", "-x", "none", "-c", str(rounds), "--interval", "50ms", "-t",
        targets)
    return glob.glob(os.path.join(data, "rstconsole", "sessions", "*"))[0]


def compare(home, *args):
    status, out, err = run(home, "--compare", *args, "--format", "json")
    expect(not err, "%s: %s" % (args, err))
    return status, json.loads(out or "{}")


def serve(listener):
    held = []
    while True:
        try:
            held.append(listener.accept()[0])  # closed when the client has long gone
        except OSError:
            return


def check_fix(home):
    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    target = "tcp://127.0.0.1:%d" % port.getsockname()[1]
    broken = session(home, "broken", target, 6)
    port.listen(50)
    server = threading.Thread(target=serve, args=(port,))
    server.start()
    mended = session(home, "mended", target, 6)
    status, doc = compare(home, broken, mended)
    row = doc["rows"][0]
    expect(status == 0 and not doc["worse"], "mended: exit %d" % status)
    expect(row["name"] == target and row["verdict"] == "better" and row["sure"], "mended: %s" % row)
    expect((row["first"]["failed"], row["second"]["failed"]) == (6, 0), "mended: %s" % row)
    expect(row["first"]["cause"] == "port-closed", "mended: %s" % row["first"])
    expect(row["second"]["timings_ms"]["connect"] is not None, "mended: no time to connect")
    status, doc = compare(home, mended, broken)
    expect(status == 1 and doc["rows"][0]["verdict"] == "worse", "broken anew: exit %d" % status)
    status, doc = compare(home, broken + "#1", broken + "#2-6")
    row = doc["rows"][0]
    expect(status == 0 and row["verdict"] == "same" and row["first"]["tries"] == 1 and
           row["second"]["tries"] == 5, "rounds: %s" % row)
    # One try each says little, and the text says so.
    status, text, _ = run(home, "--compare", mended + "#1", broken + "#1")
    expect(status == 1 and "may be chance" in text, "one try each: " + text)
    for form in ("markdown", "html"):
        status, text, err = run(home, "--compare", broken, mended, "--format", form)
        expect(status == 0 and target.replace("_", "") in text and not err, form)
    port.shutdown(socket.SHUT_RDWR)
    port.close()
    server.join()


def check_vantage(home):
    """A box between two captures resets both ends: each side saw what the other did not send."""
    s, a, b = crafted.segment, crafted.A, crafted.B
    hello = s(a, b, 40000, 443, 0x18, 1001, 5001, crafted.hello(b"shop.example"))
    client = crafted.handshake(40000) + [hello, s(b, a, 443, 40000, 4, 5001, 0, ttl=50, window=0)]
    server = crafted.handshake(40000) + [hello, s(a, b, 40000, 443, 4, 1518, 0, ttl=50, window=0)]
    quiet = crafted.handshake(40000) + [hello]
    other = crafted.handshake(40000)[:1] + [s(b, a, 443, 40000, 0x12, 7777, 1001)]
    other += [s(a, b, 40000, 443, 0x10, 1001, 7778)]
    other[0] = s(a, b, 40000, 443, 2, 999, 0)
    paths = {}
    for name, frames in (("client", client), ("server", server), ("quiet", quiet),
                         ("other", other)):
        paths[name] = os.path.join(home, name + ".pcap")
        with open(paths[name], "wb") as f:
            f.write(crafted.pcap(frames))
    _, doc = compare(home, paths["client"], paths["server"])
    expect(len(doc["resets"]) == 1 and doc["resets"][0]["first"]["from"] == "resp" and
           doc["resets"][0]["second"]["from"] == "orig" and
           "between them" in doc["resets"][0]["text"], "both ends: %s" % doc["resets"])
    _, doc = compare(home, paths["client"], paths["quiet"])
    expect(len(doc["resets"]) == 1 and doc["resets"][0]["second"] is None and
           "did not pass there" in doc["resets"][0]["text"], "one end: %s" % doc["resets"])
    _, doc = compare(home, paths["client"], paths["client"])
    expect("both saw it" in doc["resets"][0]["text"], "the same file: %s" % doc["resets"])
    _, doc = compare(home, paths["client"], paths["other"])
    expect(not doc["resets"], "the same ports, another connection: %s" % doc["resets"])


def check_refused(home):
    nothing = os.path.join(home, "nothing")
    with open(nothing, "wb"):
        pass
    some = os.path.join(home, "client.pcap")
    for args, want in (([some], 2), ([some, some, some], 2), ([some, some + "#0"], 2),
                       ([some, some + "#x"], 2), ([some, "/nowhere/x"], 3), ([some, nothing], 3)):
        status, out, err = run(home, "--compare", *args)
        expect(status == want and err and not out, "%s: exit %d, %s" % (args, status, err))
    status, _, err = run(home, "--compare", some, some, "--format", "jsonl")
    expect(status == 2, "jsonl: exit %d" % status)


with tempfile.TemporaryDirectory(prefix="compare") as folder:
    check_fix(folder)
    check_vantage(folder)
    check_refused(folder)
sys.exit(1 if failures else 0)
