#!/usr/bin/env python3
"""A saved session that suffered: cut at any byte (in steps), edited, of a newer version, with another
packet file, and places that cannot be written. Each time it opens with what is there, or says in a
sentence why not; nothing crashes, nothing outside is touched. And saved, read and saved again it is the
same, byte for byte (SAVE_ALL=1: every capture of the corpus)."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

CORPUS = os.environ.get("CORPUS", "")
SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.path.join(os.environ.get("builddir", os.path.join(SRC, "build")), "rstconsole")
work = tempfile.mkdtemp(prefix="damage-")
bad = []


def run(*args, data=None, **more):
    env = dict(os.environ, XDG_DATA_HOME=data or work + "/data", XDG_STATE_HOME=work + "/state",
               LC_ALL="C")
    p = subprocess.run([BIN, "-b"] + list(args), capture_output=True, env=env, timeout=120, **more)
    return p.returncode, p.stdout, p.stderr.decode("utf-8", "replace")


def must(cond, text):
    if not cond:
        bad.append(text)
        print("FAIL", text, flush=True)


def saved(source, data):
    """The directory that --save makes of it."""
    shutil.rmtree(data, ignore_errors=True)
    run("-r", source, "--save", "--format", "json", data=data)
    where = os.path.join(data, "rstconsole", "sessions")
    names = os.listdir(where) if os.path.isdir(where) else []
    return os.path.join(where, names[0]) if names else None


def copy(of, lines=None, packets=None):
    to = os.path.join(work, "copy")
    shutil.rmtree(to, ignore_errors=True)
    os.mkdir(to)
    for name, data in (("session.jsonl", lines), ("packets.pcapng", packets)):
        if data is None:
            with open(os.path.join(of, name), "rb") as f:
                data = f.read()
        with open(os.path.join(to, name), "wb") as f:
            f.write(data)
    return to


def opens(path, what, say=None, status=(0, 1)):
    code, out, err = run("-r", path, "--format", "json")
    must(code in status, f"{what}: exit status {code}: {err[-200:]}")
    must(say is None or say in err, f"{what}: {say!r} is not said: {err[-200:]}")
    if code in (0, 1):
        json.loads(out)
    return code


def same_bytes(source):
    one = saved(source, work + "/one")
    if not one:
        return
    two = saved(one, work + "/two")
    must(two is not None, f"{source}: it is not saved again")
    for name in ("session.jsonl", "packets.pcapng"):
        with open(os.path.join(one, name), "rb") as a, open(os.path.join(two, name), "rb") as b:
            must(a.read() == b.read(), f"{source}: {name} differs when saved again")


def cuts(session):
    with open(os.path.join(session, "session.jsonl"), "rb") as f:
        lines = f.read()
    with open(os.path.join(session, "packets.pcapng"), "rb") as f:
        packets = f.read()
    for i in range(0, len(lines), max(1, len(lines) // 25)):
        opens(copy(session, lines=lines[:i]), f"session.jsonl cut at {i}")
    for i in range(0, len(packets), max(1, len(packets) // 25)):
        opens(copy(session, packets=packets[:i]), f"packets.pcapng cut at {i}")
    for i in range(0, len(lines), max(1, len(lines) // 15)):
        opens(copy(session, lines=lines[:i] + b"\0\xff{" + lines[i + 3:]), f"bytes changed at {i}")
    newer = lines.replace(b'"v":1', b'"v":9', 1)
    opens(copy(session, lines=newer), "a newer version", "newer version (9)")
    unknown = lines + b'{"type":"prophecy","t":1,"after":0,"words":["x"]}\n'
    opens(copy(session, lines=unknown), "an unknown line")
    edited = lines + b'{"type":"result","probe":"tcp"}\n'
    opens(copy(session, lines=edited), "a line without its keys", "damaged")
    hostile = b'{"type":"message","t":1,"after":0,"level":0,"text":"\\u001b[2J\\u0007"}\n'
    code, out, err = run("-r", copy(session, lines=lines + hostile), "--format", "text")
    must("\x1b" not in err and b"\x1b" not in out, "an escape sequence gets through")
    opens(copy(session, packets=packets.replace(b"rstconsole session ", b"rstconsole sessioN ")),
          "a comment that was changed")
    at = packets.index(b"rstconsole session ") + 19
    other = packets[:at] + b"0123456789abcdef" + packets[at + 16:]
    opens(copy(session, packets=other), "another's packets", "belongs to another session")
    judged = json.loads([x for x in lines.split(b"\n") if b'"type":"verdicts"' in x][0])["of"]
    cause = next(v[1] for v in judged if v[1])
    must("when it was saved" not in run("-r", session)[2], "an untouched session has other verdicts")
    other = lines.replace(json.dumps(cause).encode(), b'"an-older-word"')
    opens(copy(session, lines=other), "an older catalogue", "an-older-word when it was saved, now")
    os.remove(os.path.join(copy(session), "packets.pcapng"))
    opens(os.path.join(work, "copy"), "no packets at all")
    opens(copy(session, lines=b"", packets=b""), "two empty files", "holds no session", (3,))


def places(session, capture):
    """Where it cannot be saved the report comes all the same, and the reason is said."""
    data = work + "/readonly"
    os.makedirs(data + "/rstconsole")
    if os.getuid() == 0:
        with open(data + "/rstconsole/sessions", "w", encoding="ascii") as f:
            f.write("a file stands here\n")
    else:
        os.chmod(data + "/rstconsole", 0o500)
    code, out, err = run("-r", capture, "--save", "--format", "json", data=data)
    must(code in (0, 1) and out and "not saved" in err, f"a place that cannot be written: {err[-200:]}")
    # a link in the way is not followed
    victim = work + "/victim"
    with open(victim, "w", encoding="ascii") as f:
        f.write("mine\n")
    linked = copy(session)
    os.remove(linked + "/session.jsonl")
    os.symlink(victim, linked + "/lock")
    os.symlink("/dev/zero", linked + "/session.jsonl")
    opens(linked, "a link to a device", status=(3,))
    with open(victim, encoding="ascii") as f:
        must(f.read() == "mine\n", "what a link leads to was written")
    # the disk is full: the limit of a file's size stands for it
    full = ["sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh", BIN, "-b", "-r", capture,
            "--save", "--format", "text"]
    env = dict(os.environ, XDG_DATA_HOME=work + "/full", LC_ALL="C")
    p = subprocess.run(full, capture_output=True, env=env, timeout=60)
    must(p.returncode in (0, 1) and p.stdout and b"no longer saved" in p.stderr + p.stdout or
         b"not saved" in p.stderr, f"a full disk: {p.returncode} {p.stderr[-300:]}")


def main():
    capture = os.path.join(work, "made.pcap")
    subprocess.run([sys.executable, os.path.join(SRC, "tests", "screen", "make_pcap.py"), capture],
                   check=True)
    session = saved(capture, work + "/data")
    same_bytes(capture)
    cuts(session)
    places(session, capture)
    done = 1
    if os.path.isdir(os.path.join(CORPUS, "rst")):
        files = sorted(os.path.join(CORPUS, kind, f) for kind in ("rst", "control", "hostile")
                       for f in os.listdir(os.path.join(CORPUS, kind)))
        for f in files if os.environ.get("SAVE_ALL") == "1" else files[::20]:
            same_bytes(f)
            done += 1
    shutil.rmtree(work, ignore_errors=True)
    print(f"{done} captures saved twice, {len(bad)} bad")
    return len(bad) > 0


sys.exit(main())
