#!/usr/bin/env python3
"""The reports for people: width, order, folding, and nothing of a peer's that a terminal or a
Markdown viewer would take for its own."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crafted  # noqa: E402

BINARY = os.path.join(os.environ["builddir"], "rstconsole")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
failures = 0


def expect(ok, what):
    global failures
    if not ok:
        print("FAIL", what)
        failures += 1


def report(path, form):
    p = subprocess.run([BINARY, "-b", "-r", path, "--format", form], capture_output=True,
                       env=dict(os.environ, LC_ALL="C.UTF-8"), timeout=60)
    expect(not p.stderr, "%s: %s" % (path, p.stderr[-200:]))
    return p.stdout.decode("utf-8")


with tempfile.TemporaryDirectory(prefix="words") as tmp:
    for name, data in crafted.captures():
        path = os.path.join(tmp, name)
        with open(path, "wb") as f:
            f.write(data)
        os.chdir(tmp)
        text, markdown = report(name, "text"), report(name, "markdown")
        expect(not CONTROL.search(text), name + ": control characters in the text")
        expect(not CONTROL.search(markdown), name + ": control characters in the Markdown")
        wide = [line for line in text.split("\n") if len(line) > 80]
        expect(not wide, name + ": wider than 80 columns: " + (wide or [""])[0])
        expect(text.startswith("What was found\n"), name + ": the summary is not first")
        expect(markdown.startswith("# rstconsole\n"), name + ": no title")
        if name == "words.pcap":
            expect("<b>" not in markdown.replace("\\<", ""), "words.pcap: markup of the peer")
        if name == "many.pcap":
            expect("and 1999 more like it" in text, "many.pcap: not folded")
            expect(len(text.split("\n")) < 80, "many.pcap: a long report of one thing")
        if name == "close.pcap":
            expect("Harmless" in text and "What hurt" not in text, "close.pcap: alarmed")
        if name == "empty.pcap":
            expect("no connection was reset" in text, "empty.pcap: says nothing")

print("%d failures" % failures)
sys.exit(1 if failures else 0)
