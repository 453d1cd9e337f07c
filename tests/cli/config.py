#!/usr/bin/env python3
"""The configuration file and the list of keys: what is read, refused and printed; and that the
section KEYS of the man page is the program's own table.

    tests/cli/config.py            checks (make check)
    tests/cli/config.py --write    puts the table into doc/rstconsole.1
"""
import os
import re
import subprocess
import sys
import tempfile
import textwrap

SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BIN = os.path.join(os.environ.get("builddir", "build"), "rstconsole")
MAN = os.path.join(SRC, "doc/rstconsole.1")
failures = 0


def run(*args, home, **more):
    env = dict(os.environ, LC_ALL="C", XDG_CONFIG_HOME=home, HOME=home, **more)
    env.pop("SUDO_UID", None)
    env.pop("PKEXEC_UID", None)
    return subprocess.run([BIN, *args], env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)


def expect(what, ok, p=None):
    global failures
    if not ok:
        failures += 1
        print("FAIL:", what)
        if p:
            print(p.returncode, p.stdout, p.stderr)


def mdoc(table):
    """The table of --list-keys as a list of mdoc(7)."""
    out = []
    for line in table.split("\n"):
        head = re.match(r"(\w+):$", line)
        item = re.match(r"  (.{18}) (\S+)\s+(.*)$", line)
        if head:
            if out:
                out.append(".El")
            out += [".Ss Keys: " + head[1], ".Bl -tag -width Ds -compact"]
        elif item:
            keys = item[1].strip().replace("\\", "\\e").replace("'", "\\(aq").replace("`", "\\(ga")
            keys = keys.replace("^", "\\(ha").replace("-", "\\-")
            help_ = item[3].replace("\\", "\\e").replace("'", "\\(aq")
            help_ = textwrap.fill(help_, 78)
            out += [f".It Sy {keys} Pq Cm {item[2]}" if keys else f".It Pq Cm {item[2]}", help_]
    out.append(".El")
    # What looks like a macro or a delimiter to mdoc is none here.
    return "\n".join(re.sub(r"(?<= )([.,:;()\[\]?!|])(?= |$)", r"\\&\1", line)
                     if line.startswith(".It") else line for line in out) + "\n"


BEGIN, END = '.\\" keys: from --list-keys (tests/cli/config.py --write)\n', '.\\" end of keys\n'


def man_page(write):
    with tempfile.TemporaryDirectory() as home:
        table = run("--list-keys", home=home).stdout
    text = open(MAN).read()
    if BEGIN not in text:
        expect("the man page has its section of keys", False)
        return
    head, rest = text.split(BEGIN)
    old, tail = rest.split(END)
    if write:
        open(MAN, "w").write(head + BEGIN + mdoc(table) + END + tail)
    else:
        expect("the man page's keys are those of --list-keys; tests/cli/config.py --write",
               old == mdoc(table))
        expect("there are many", table.count("\n") > 60)


def file_is_read():
    with tempfile.TemporaryDirectory() as home:
        path = os.path.join(home, "rstconsole", "config")
        p = run("--print-config", home=home)
        expect("no file is no error", p.returncode == 0 and "# theme = default" in p.stdout, p)
        os.makedirs(os.path.dirname(path))
        open(path, "w").write("; mine\n[options]\ntheme = mono\ninterval = 3s\nascii = yes\n"
                              "[keys]\nquit = q F10 X\nhelp = ?\n")
        p = run("--print-config", home=home)
        expect("its options are taken", "\ntheme = mono\n" in p.stdout and
               "\ninterval = 3s\n" in p.stdout and "\nquit = q F10 X\n" in p.stdout, p)
        p = run("--theme", "light", "--print-config", home=home)
        expect("the command line counts more", "\ntheme = light\n" in p.stdout, p)
        other = os.path.join(home, "other")
        open(other, "w").write("[options]\nplots = blocks\n")
        p = run("-C", other, "--print-config", home=home)
        expect("-C names another", "\nplots = blocks\n" in p.stdout and "mono" not in
               p.stdout.replace("# theme", ""), p)
        p = run("--config", os.path.join(home, "none"), "--print-config", home=home)
        expect("one that was asked for must be there", p.returncode == 3, p)


def mistakes_are_told():
    wrong = [("[options]\ntheme = pink\n", ":2: theme is one of: default"),
             ("[options]\ninterval = soon\n", ":2: --interval"),
             ("[options]\nread = x\n", ":2: no option of this file: read"),
             ("[colours]\na = b\n", ":2: there are the sections"),
             ("[options]\nnonsense\n", ":2: neither")]
    for text, words in wrong:
        with tempfile.TemporaryDirectory() as home:
            path = os.path.join(home, "c")
            open(path, "w").write(text)
            p = run("-C", path, "--print-config", home=home)
            expect(text, p.returncode == 2 and words in p.stderr, p)


if "--write" in sys.argv:
    man_page(True)
    sys.exit(0)
man_page(False)
file_is_read()
mistakes_are_told()
sys.exit(1 if failures else 0)
