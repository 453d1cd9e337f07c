#!/usr/bin/env python3
"""doc/rstconsole-causes.7, the catalogue as a manual page, is what the program says of each cause.

causes.py --write makes the page anew; without it, it is compared with what would be made."""
import os
import re
import subprocess
import sys
import textwrap

SRC = os.environ.get("srcdir", ".")
PROGRAM = os.path.join(os.environ.get("builddir", "."), "rstconsole")
PAGE = os.path.join(SRC, "doc", "rstconsole-causes.7")
HEAD = """.\\" Made by tests/cli/causes.py --write from the program's own catalogue: do not edit.
.Dd November 22, 2026
.Dt RSTCONSOLE-CAUSES 7
.Os
.Sh NAME
.Nm rstconsole-causes
.Nd what ends or prevents a TCP connection, as rstconsole names it
.Sh DESCRIPTION
.Xr rstconsole 1
weighs what it has seen against the causes below.
Their names are those of its reports, of
.Fl -list-causes
and of
.Fl -explain ,
which also shows advice in code and settings.
"""
TAIL = """.Sh SEE ALSO
.Xr rstconsole 1 ,
.Xr tcp 7
"""
TITLES = {"What happens": None, "How to confirm it": "To confirm:",
          "What the client can do": "Client:", "What the server can do": "Server:",
          "What the network can do": "Network:"}


def say(*args):
    env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE="C")
    return subprocess.run([PROGRAM] + list(args), env=env, text=True, check=True,
                          capture_output=True).stdout


def safe(line):
    line = line.replace("\\", "\\e")
    return "\\&" + line if line[:1] in (".", "'") else line


def sentences(text):
    """Each on a line of its own, as mdoc(7) wants it."""
    parts = re.split(r"(?<=[A-Za-z0-9)\"][.?!]) (?=[A-Z\"(])", text)
    return "".join(safe(line) + "\n" for p in parts
                   for line in textwrap.wrap(p, 78, break_on_hyphens=False))


def paragraphs(text):
    """{title: lines} of what --explain prints below its first line."""
    out, title = {}, None
    for line in text.split("\n")[2:]:
        if line and not line.startswith(" "):
            title = line
            out[title] = []
        elif line.strip() and title:
            out[title].append(line.strip())
    return out


def of_cause(name, title):
    parts = paragraphs(say("--explain", name))
    page = ".It Sy %s\n%s.\n" % (name, safe(title[0].upper() + title[1:]))
    for key, word in TITLES.items():
        if key in parts:
            page += (".Pp\n%s\n" % word if word else "") + sentences(" ".join(parts[key]))
    return page + ".Pp\n" + sentences("See " + "; ".join(parts["References"]) + ".")


def whole():
    page, open_list = HEAD, False
    for line in say("--list-causes").split("\n"):
        found = re.match(r"  (\S+) +(\S.*)$", line)
        if found:
            page += of_cause(found.group(1), found.group(2))
        elif line.startswith("Playbooks"):
            break
        elif line.strip():
            page += (".El\n" if open_list else "") + ".Sh %s CAUSES\n" % line.strip().upper()
            page += ".Bl -tag -width 4n\n"
            open_list = True
    return page + ".El\n" + TAIL


def main():
    page = whole()
    if sys.argv[1:] == ["--write"]:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(page)
        return 0
    with open(PAGE, encoding="utf-8") as f:
        if f.read() == page:
            return 0
    print("%s is not what the program says; builddir=DIR tests/cli/causes.py --write" % PAGE)
    return 1


if __name__ == "__main__":
    sys.exit(main())
