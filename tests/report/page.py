#!/usr/bin/env python3
"""The HTML report: a strict parser finds no error, it stands alone, nothing of a peer's is markup,
and it is the same each time.

Reads what tests/report/crafted.py makes and captures of $CORPUS (all of them with --all, else a
sample). Skipped aloud where python3-html5lib is not there.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crafted  # noqa: E402

try:
    import html5lib
except ImportError:
    print("skipped: python3-html5lib is not installed")
    sys.exit(77)

BINARY = os.path.join(os.environ["builddir"], "rstconsole")
CORPUS = os.environ.get("CORPUS", "")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# What may stand in a report; a peer's tag, were it ever to come through, is none of these.
TAGS = set("html head meta title style body main header footer article h1 h2 h3 h4 p b a ul ol li "
           "dl dt dd div span table thead tbody tr th td code pre figure figcaption svg g line "
           "polygon rect text tspan".split())
ATTRIBUTES = set("lang charset name content http-equiv class id href viewbox role aria-label "
                 "aria-hidden x y x1 y1 x2 y2 points width height rx text-anchor "
                 "preserveaspectratio".split())
failures = 0


def expect(ok, what):
    global failures
    if not ok:
        print("FAIL", what)
        failures += 1


def report(path, *more):
    p = subprocess.run([BINARY, "-b", "-r", path, "--format", "html", *more], capture_output=True,
                       env=dict(os.environ, LC_ALL="C.UTF-8"), timeout=60)
    return p.returncode, p.stdout.decode("utf-8"), p.stderr.decode("utf-8", "replace")


def check(label, page):
    parser = html5lib.HTMLParser(strict=False)
    tree = parser.parse(page, override_encoding=None) if isinstance(page, bytes) else \
        parser.parse(page)
    errors = ["%s at %s" % (e[1], e[0]) for e in parser.errors]
    expect(not errors, "%s: %s" % (label, errors[:3]))
    expect(not CONTROL.search(page), label + ": control characters")
    ids, links = [], []
    for node in tree.iter():
        if not isinstance(node.tag, str):
            expect(node.tag.__name__ != "Comment", label + ": a comment")
            continue
        expect(node.tag.split("}")[1] in TAGS, "%s: a tag %s" % (label, node.tag))
        for name, value in node.attrib.items():
            expect(name.lower() in ATTRIBUTES, "%s: an attribute %s" % (label, name))
            if name == "id":
                ids.append(value)
            if name == "href":
                links.append(value)
    expect(len(ids) == len(set(ids)), label + ": an id that is there twice")
    expect(all(x.startswith("#") and x[1:] in ids for x in links), label + ": a link to nowhere")
    expect("url(" not in page and "@import" not in page, label + ": fetches something")
    return "".join(tree.itertext())


def captures():
    for name in ("rst", "control", "hostile"):
        folder = os.path.join(CORPUS, name)
        if os.path.isdir(folder):
            for n, file in enumerate(sorted(os.listdir(folder))):
                if "--all" in sys.argv or n % 12 == 0:
                    yield os.path.join(folder, file)


used = 0
with tempfile.TemporaryDirectory(prefix="html") as tmp:
    os.chdir(tmp)
    for name, data in crafted.captures():
        with open(name, "wb") as f:
            f.write(data)
        status, page, err = report(name, "--flows")
        expect(status in (0, 1) and not err, "%s: exit %d %s" % (name, status, err[-200:]))
        words = check(name, page)
        expect(page == report(name, "--flows")[1], name + ": another page the second time")
        if name == "hello.pcap":
            expect("sni=shop.example" in words, "hello.pcap: no ladder")
            expect(page.count("<svg class=\"ladder") == 2, "hello.pcap: no normal close beside it")
        if name == "many.pcap":
            expect("and 1999 more like it" in words, "many.pcap: not folded")
            expect(len(report(name)[1]) < 60000, "many.pcap: a long page of one thing")
        used += 1
    evil = b"GET /<svg/onload=a()>'\"&amp; HTTP/1.1\r\nHost: \x1b[1m</text><b>*a*\"\\\r\n\r\n"
    with open("evil.pcap", "wb") as f:
        f.write(crafted.pcap(crafted.handshake(40000) + [
            crafted.segment(crafted.A, crafted.B, 40000, 443, 0x18, 1001, 5001, evil),
            crafted.segment(crafted.B, crafted.A, 443, 40000, 0x14, 5001, 1001 + len(evil))]))
    expect("/<svg/onload=a()>'\"&amp;" in check("evil.pcap", report("evil.pcap")[1]),
           "evil.pcap: what the peer said is not there as text")
    # A file's name is whoever's who sent it.
    name = "<img src=x onerror=alert(1)>\"'&.pcap"
    with open(name, "wb") as f:
        f.write(dict(crafted.captures())["hello.pcap"])
    expect(name in check("a hostile name", report(name)[1]), "a hostile name: not there as text")
for path in captures():
    status, page, err = report(path)
    if status == 3:
        continue
    check(os.path.basename(path), page)
    used += 1
print("%d pages, %d problems%s" % (used, failures, "" if CORPUS and os.path.isdir(CORPUS)
                                   else "; no corpus: only crafted ones"))
sys.exit(1 if failures else 0)
