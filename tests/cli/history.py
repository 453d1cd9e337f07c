#!/usr/bin/env python3
"""The history by the real binary: what runs leave behind, two at once, another version's database, a
damaged one, one that cannot be written."""
import glob
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile

BINARY = os.path.join(os.environ["builddir"], "rstconsole")
failures = 0
# The database's first version, as it was; it must open for ever.
VERSION_1 = """
CREATE TABLE sessions (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, dir TEXT NOT NULL,
 host TEXT NOT NULL, version TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
 packets INTEGER NOT NULL);
CREATE TABLE targets (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE TABLE rounds (session INTEGER NOT NULL, target INTEGER NOT NULL, rounds INTEGER NOT NULL,
 passed INTEGER NOT NULL, failed INTEGER NOT NULL, connect INTEGER, total INTEGER,
 PRIMARY KEY (session, target)) WITHOUT ROWID;
CREATE TABLE events (id INTEGER PRIMARY KEY, session INTEGER NOT NULL, target INTEGER NOT NULL,
 time INTEGER NOT NULL, reset INTEGER NOT NULL, harmful INTEGER NOT NULL, cause INTEGER NOT NULL,
 grade INTEGER NOT NULL, confidence REAL NOT NULL, stage INTEGER NOT NULL,
 sender INTEGER NOT NULL, idle INTEGER);
CREATE INDEX events_time ON events (time);
CREATE INDEX events_target ON events (target, time);
CREATE INDEX events_session ON events (session);
PRAGMA user_version = 1;
"""


def expect(ok, what):
    global failures
    if not ok:
        print("FAIL", what)
        failures += 1


class Home:
    """A home of its own: sessions and history."""

    def __init__(self, root, name):
        self.folder = os.path.join(root, name)
        os.mkdir(self.folder)
        self.env = dict(os.environ, LC_ALL="C.UTF-8", XDG_DATA_HOME=self.folder,
                        XDG_STATE_HOME=self.folder)
        self.db = os.path.join(self.folder, "rstconsole", "history.db")

    def start(self, *args):
        return subprocess.Popen([BINARY, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.env)

    def run(self, *args):
        p = self.start(*args)
        out, err = p.communicate(timeout=120)
        return p.returncode, out.decode(), err.decode()

    def probe(self, *args):
        return self.run("-b", "-i", "none", "-x", "none", "--format", "json", *args)

    def history(self, *args):
        status, out, err = self.run("--history", "--format", "json", *args)
        expect(status == 0, "--history: exit %d: %s" % (status, err))
        return json.loads(out or "{}"), err


def closed_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s, "tcp://127.0.0.1:%d" % s.getsockname()[1]  # bound, not listening: refused


def by_name(doc):
    return {t["target"]: t for t in doc.get("targets", [])}


def check_runs(home, target):
    for n in range(3):
        status, out, err = home.probe(target)
        expect(status == 1 and not err, "run %d: exit %d, %s" % (n, status, err))
        probe = json.loads(out)["targets"][0]["probes"][0]
        seen = {f["kind"]: f for f in probe.get("seen_before", [])}
        expect(bool(seen) == (n > 0), "run %d: seen before: %s" % (n, sorted(seen)))
        if n:
            expect(seen["seen-before"]["value"] == n and seen["seen-before"]["yes"],
                   "run %d: seen %s times" % (n, seen["seen-before"]["value"]))
    doc, err = home.history()
    one = by_name(doc).get(target, {})
    expect(doc["runs"] == 3 and one.get("harmful") == 3 and one.get("cause") == "port-closed",
           "three runs: %s" % one)
    expect(sum(one["days"]) == 3 and len(one["days"]) == 30, "days: %s" % one.get("days"))
    text = home.run("--history", "127.0.0.1")[1]
    expect(target in text and "3 times in 30 days" in text, "text: " + text)
    expect(not home.history("nothing-like-it")[0]["targets"], "the search finds what is not there")
    expect(by_name(home.history("port-closed")[0]).get(target), "a cause is not found")
    status, _, err = home.run("--history", "a", "b")
    expect(status == 2, "two targets: exit %d" % status)
    status, _, err = home.run("--history", "--format", "html")
    expect(status == 2 and "text or json" in err, "html: exit %d" % status)


def check_off(root, target):
    home = Home(root, "off")
    home.probe("--no-history", target)
    expect(not os.path.exists(home.db), "--no-history made a history")
    expect(home.history()[0]["runs"] == 0, "--no-history: it was taken in later")
    home.probe(target)
    expect(home.history()[0]["runs"] == 1, "with it: not kept")


def check_at_once(root, target):
    home = Home(root, "two")
    runs = [home.start("-b", "-i", "none", "-x", "none", target) for _ in range(6)]
    for p in runs:
        _, err = p.communicate(timeout=120)
        expect(p.returncode == 1 and not err, "six at once: exit %d: %s" % (p.returncode, err))
    expect(home.history()[0]["runs"] == 6, "six at once: %s" % home.history()[0]["runs"])


def check_damage(home):
    before = home.history()[0]
    for how in ("garbage", "cut", "middle"):
        for tail in ("-wal", "-shm"):
            if os.path.exists(home.db + tail):
                os.unlink(home.db + tail)
        size = os.path.getsize(home.db)
        with open(home.db, "r+b") as f:
            if how == "cut":
                f.truncate(size // 2 // 4096 * 4096 + 100)
            else:
                f.seek(0 if how == "garbage" else 2 * 4096)
                f.write(b"\xa5" * (size - f.tell()))
        after, err = home.history()
        expect("set aside" in err, how + ": not said: " + err)
        expect({k: after[k] for k in ("runs", "harmful", "targets")} ==
               {k: before[k] for k in ("runs", "harmful", "targets")}, how + ": not as before")
    aside = [x for x in glob.glob(home.db + ".damaged-*") if not x.endswith(("-wal", "-shm"))]
    expect(aside, "nothing was set aside")
    expect(all(os.stat(x).st_mode & 0o77 == 0 for x in glob.glob(home.db + "*")), "open to others")


def check_lost(home):
    """Without a database, as after a copy of the sessions to another machine."""
    before = home.history()[0]
    for x in glob.glob(home.db + "*"):
        os.unlink(x)
    expect(home.history()[0]["targets"] == before["targets"], "not made anew from the sessions")


def check_versions(root, target):
    home = Home(root, "versions")
    os.mkdir(os.path.dirname(home.db))
    db = sqlite3.connect(home.db)
    db.executescript(VERSION_1)
    db.execute("INSERT INTO sessions VALUES (1, 'old', '', 'h', '0', 0, 0, 0)")
    db.execute("INSERT INTO targets VALUES (1, 'old.example')")
    db.execute("INSERT INTO words VALUES (1, 'port-closed')")
    db.execute("INSERT INTO events VALUES (1, 1, 1, strftime('%s', 'now', '-1 hour') * 1000000000,"
               " 1, 1, 1, 1, 0.9, 1, 1, NULL)")
    db.commit()
    db.close()
    old = by_name(home.history()[0]).get("old.example", {})
    expect(old.get("harmful") == 1 and old.get("cause") == "port-closed", "version 1: %s" % old)
    db = sqlite3.connect(home.db)
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    with open(home.db, "rb") as f:
        bytes_before = f.read()
    status, _, err = home.run("--history")
    expect(status == 3 and "newer version" in err, "version 99: exit %d: %s" % (status, err))
    status, out, err = home.probe(target)
    expect(status == 1 and json.loads(out) and "newer version" in err, "version 99: " + err)
    with open(home.db, "rb") as f:
        expect(f.read() == bytes_before, "version 99: it was written")


def check_no_place(root, target):
    home = Home(root, "noplace")
    home.env["XDG_STATE_HOME"] = "/dev/null/state"
    status, out, err = home.probe(target)
    expect(status == 1 and json.loads(out) and "history" in err, "no place: %d %s" % (status, err))
    if os.getuid() == 0 or shutil.which("unshare") is None:
        return
    ro = os.path.join(root, "ro")
    os.mkdir(ro, 0o500)
    home.env["XDG_STATE_HOME"] = ro
    status, out, err = home.probe(target)
    expect(status == 1 and json.loads(out) and "history" in err, "read-only: %d %s" % (status, err))


def check_full_disk(root, target):
    """On a file system with nothing left: the report comes, the history says why it does not."""
    home = Home(root, "full")
    full = os.path.join(root, "fulldisk")
    os.mkdir(full)
    home.env["XDG_STATE_HOME"] = full
    command = ("mount -t tmpfs -o size=64k none '%s' && head -c 60000 /dev/zero >'%s/fill' && "
               "'%s' -b -i none -x none '%s'" % (full, full, BINARY, target))
    p = subprocess.run(["unshare", "-rm", "sh", "-c", command], env=home.env, capture_output=True,
                       timeout=60)
    err = p.stderr.decode()
    if p.returncode == 1 and b"unshare" in p.stderr or b"mount:" in p.stderr:
        print("not tried: a full disk (no mount namespace here)")
        return
    expect(p.returncode == 1 and b"What was found" in p.stdout, "full disk: exit %d" % p.returncode)
    expect("history" in err and "space" in err or "full" in err, "full disk: " + err)


def main():
    port, target = closed_port()
    with tempfile.TemporaryDirectory(prefix="history") as root:
        home = Home(root, "home")
        check_runs(home, target)
        check_off(root, target)
        check_at_once(root, target)
        check_damage(home)
        check_lost(home)
        check_versions(root, target)
        check_no_place(root, target)
        check_full_disk(root, target)
    port.close()
    return 1 if failures else 0


sys.exit(main())
