#!/usr/bin/env python3
"""Redaction, held against its inputs.

Every capture is read with and without --redact. The verdicts must be the same; and nothing may be left
in anything that was written with --redact (the reports in every format, the saved session, -w) of: an
address in text or in bytes, a label of a name of 4 or more bytes, the value of a header, a string of a
certificate, or 8 payload bytes in a row that are no constants of a protocol. tshark says what was in the
capture. What is found must be found twice, with other keys: a replacement may by chance be what
something else was. A sample of the corpus; REDACT_ALL=1: all of it."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

CORPUS = os.environ.get("CORPUS", "")
SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.path.join(os.environ.get("builddir", os.path.join(SRC, "build")), "rstconsole")
ALL = os.environ.get("REDACT_ALL") == "1"
SAMPLE = 12
FORMATS = ["json", "text", "markdown", "html", "jsonl", "openmetrics"]
FIELDS = {
    "names": ["dns.qry.name", "dns.resp.name", "tls.handshake.extensions_server_name", "dns.cname",
              "dns.ptr.domain_name", "dns.ns", "http.host"],
    "values": ["http.cookie", "http.set_cookie", "http.authorization", "http.user_agent",
               "http.referer", "http.server", "http.location", "http.request.uri",
               "http.content_type", "http.date", "http.last_modified"],
    "strings": ["x509sat.uTF8String", "x509sat.printableString", "x509sat.teletexString",
                "x509ce.dNSName", "x509if.rdnSequence"],
    "addresses": ["ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "arp.src.proto_ipv4",
                  "arp.dst.proto_ipv4", "dns.a", "dns.aaaa"],
    "macs": ["eth.src", "eth.dst"],
    "payload": ["tcp.payload", "udp.payload"],
    "ports": ["tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport"],
}
# What is kept by phrase, and what stands in every message of its kind.
CONSTANTS = [b"HTTP/1.", b"Authentication", b"unauthorized", b"forbidden", b"denied", b"not allowed",
             b"bad gateway", b"gateway time-out", b"gateway timeout", b"not permitted", b"access",
             b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-", b"SSH-1.99-", b"SSH-1.5-", b"x-amz-",
             b"Accept-Encoding", b"Accept-Language", b"Content-Type", b"Content-Length", b"charset",
             b"User-Agent", b"Last-Modified", b"Accept-Ranges", b"Cache-Control", b"404 Not Found",
             b"301 Moved Permanently", b"302 Found", b"200 OK", b"400 Bad Request", b"403 Forbidden",
             b"utf-8", b".com", b".net", b".org", b"\x03net", b"\x03com", b"\x03org", b"_tcp", b"_udp",
             b"local", b"lang=", b"Conten", b"_smtp",
             b"no server is available", b"upstream request timeout", b"upstream connect error"]
FRAMING = re.compile(rb"^(content-length|transfer-encoding|connection|proxy-connection|keep-alive|"
                     rb"expect|te)\s*:", re.I)


def say(text):
    print(text, flush=True)


def run(args, data):
    env = dict(os.environ, XDG_DATA_HOME=data, LC_ALL="C")
    p = subprocess.run([BIN, "-b"] + args, capture_output=True, env=env, timeout=120)
    return p.returncode, p.stdout, p.stderr


# ---- the same verdicts ----

def shape(report):
    return [[r["packet"], r["from"], r["stage"], r["class"], r["sender"]["verdict"],
             r["conn_state"], r["history"], r["harmful"], r["direction"],
             [(v["cause"], v["grade"], round(v["confidence"], 3)) for v in r["verdicts"]],
             [x["cause"] for x in r["ruled_out"]], r["retry"] and r["retry"]["advice"]]
            for r in report["resets"]] + [
        [p["probe"], p["outcome"], p["failure"], p["stage"], p["errno"],
         [(v["cause"], v["grade"], round(v["confidence"], 3)) for v in p["verdicts"] or []]]
        for t in report["targets"] for p in t["probes"]]


# ---- what was in the capture ----

def tshark(path):
    fields = [f for group in FIELDS.values() for f in group]
    cmd = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=\x1f", "-E",
           "aggregator=\x1e", "-o", "tcp.desegment_tcp_streams:FALSE"]
    for f in fields:
        cmd += ["-e", f]
    out = subprocess.run(cmd, capture_output=True, timeout=300).stdout.decode("utf-8", "replace")
    had = {g: set() for g in FIELDS}
    where = {f: g for g in FIELDS for f in FIELDS[g]}
    for line in out.split("\n"):
        for f, cell in zip(fields, line.split("\x1f")):
            had[where[f]].update(v for v in cell.split("\x1e") if v)
    had["ports"] = {int(p).to_bytes(2, "big") + int(q).to_bytes(2, "big")
                    for p in had["ports"] for q in had["ports"]}
    return had


def be16(b, at):
    return int.from_bytes(b[at:at + 2], "big")


def hello_secrets(b, at, end):
    """What of a hello is somebody's: yields (from, to)."""
    client = b[at] == 1
    p = at + 4 + 2
    yield p, min(p + 32, end)
    p += 32
    if p >= end:
        return
    yield p + 1, min(p + 1 + b[p], end)
    p += 1 + b[p]
    if client:
        p += 2 + be16(b, p)
        p += 1 + b[p] if p < end else 0
    else:
        p += 3
    p += 2
    while p + 4 <= end:
        kind, n = be16(b, p), be16(b, p + 2)
        p += 4
        if kind in (0, 35, 41, 42, 44) or kind > 51 and kind != 65281:
            yield p + (5 if kind == 0 else 0), min(p + n, end)
        elif kind == 51:
            yield p + (6 if client else 4), min(p + n, end)
        p += n


def secrets_of(b):
    """The parts of a payload in which 8 bytes may not stay: (from, to)."""
    if len(b) >= 5 and 20 <= b[0] <= 24 and b[1] == 3 and b[2] <= 4:
        at = 0
        while at + 5 <= len(b) and 20 <= b[at] <= 24 and b[at + 1] == 3:
            end = min(at + 5 + be16(b, at + 3), len(b))
            body = at + 5
            if b[at] == 22 and end - body >= 40 and b[body] in (1, 2) and b[body + 1] == 0:
                last = min(body + 4 + int.from_bytes(b[body + 1:body + 4], "big"), end)
                yield from hello_secrets(b, body, last)
                yield last, end
            elif b[at] == 22 and b[body:body + 2] == b"\x0b\0":
                yield body + 10, end  # the lengths of certificates stay
            elif b[at] not in (20, 21):
                yield body, end
            at = end
        return
    line = b.split(b"\n", 1)[0]
    if b[:5] == b"HTTP/" or re.search(rb" HTTP/1\.[01]\r?$", line):
        at = len(line) + 1
        if b[:5] != b"HTTP/":
            yield line.index(b" ") + 1, len(line) - 9
        for row in b[at:].split(b"\n"):
            if not row.strip():
                break
            colon = row.find(b":")
            if colon > 0 and not FRAMING.match(row):
                yield at + colon + 1, at + len(row)
            at += len(row) + 1
        yield at, len(b)
        return
    if len(b) >= 12 and b[2] & 0x78 in (0, 0x28) and be16(b, 4) <= 4 and be16(b, 6) < 40 and \
            be16(b, 8) < 40 and be16(b, 10) < 40:
        yield 12, len(b)  # what looks like DNS: its counts stay
        return
    if b[:3] == b"PRI" or len(b) >= 9 and b[0] == 0 and b[3] <= 9 and b[5] & 0x80 == 0:
        return  # HTTP/2, or what looks like it: heads of frames
    yield 0, len(b)


def windows(payload):
    """8 bytes of content: at least 3 that are neither padding nor grammar, and no constant."""
    for start, end in secrets_of(payload):
        part = payload[start:max(start, end)]
        low = part.lower()
        for c in CONSTANTS:
            low = low.replace(c.lower(), b"\0" * len(c))
        low = re.sub(rb"</?[a-z][a-z0-9]*", lambda m: b"\0" * len(m.group(0)), low)
        for i in range(len(part) - 7):
            w = part[i:i + 8]
            if w.lower() in SAID or re.fullmatch(rb"[0-9:. -]+", w):
                continue
            if low[i:i + 8].count(0) > w.count(0):
                continue
            if sum(1 for x in w if x >= 0x80 or chr(x).isalnum() and x != 0x30 or 0 < x < 9) >= 5 \
                    and len(set(w)) > 2:
                yield w


def own_sentences():
    """What stands in every report, whatever it is of."""
    text = b""
    for folder in ("src/report", "src/redact", "po", "doc"):
        for name in sorted(os.listdir(os.path.join(SRC, folder))):
            if name.endswith((".c", "de.po", ".json")):
                with open(os.path.join(SRC, folder, name), "rb") as f:
                    text += f.read()
    return re.sub(rb'"\s*\n\s*"', b"", text.replace(b"\\n", b"\n").replace(b'\\"', b'"')).lower()


SENTENCES = own_sentences()
SAID = {SENTENCES[i:i + 8] for i in range(len(SENTENCES) - 7)}


def own_words():
    """Words of the program's own sentences: a name may be one of them."""
    words = set()
    for name in ("po/de.po", "doc/report.schema.json", "src/redact/words.c"):
        with open(os.path.join(SRC, name), encoding="utf-8") as f:
            words.update(w.lower() for w in re.findall(r"[A-Za-z0-9_]{4,}", f.read()))
    return words


# ---- looking for it ----

def search(had, texts, binary, words):
    """Yields what is left, as a sentence."""
    import ipaddress
    blob = b"\n".join(texts)
    tokens = set(re.findall(rb"[A-Za-z0-9_]{4,}", blob.lower()))
    for a in had["addresses"]:
        ip = ipaddress.ip_address(a)
        if ip.is_unspecified or a in ("255.255.255.255", "::1") or a.startswith("224.0.0.") or \
                ip.version == 6 and ip.is_multicast and int(ip) & 0xffffffff < 0x20000:
            continue
        if str(ip).encode() in SENTENCES:
            continue
        if re.search(rb"(?<![0-9a-fA-F:.])" + re.escape(str(ip).encode()) + rb"(?![0-9a-fA-F:]|\.[0-9])",
                     blob):
            yield f"address {a} in text"
        if ip.packed.count(0) < len(ip.packed) // 2 and ip.packed in binary and \
                ip.packed not in had["ports"]:
            yield f"address {a} in bytes"
    for m in had["macs"]:
        raw = bytes.fromhex(m.replace(":", ""))
        if raw[0] & 1 or raw in (b"\0" * 6,) or raw.startswith(b"\0\0\x5e\0"):
            continue
        # mostly zeros: also what a length and a number look like
        if raw.count(0) < 4 and raw in binary or m.encode() in blob:
            yield f"hardware address {m}"
    for name in had["names"]:
        for label in re.findall(r"[A-Za-z0-9_-]{4,}", name):
            if label.lower() in words or label.isdigit() or label.lower().encode() in SENTENCES:
                continue
            if label.lower().encode() in tokens:
                yield f"label {label} in text"
            elif len(label) >= 6 and label.encode() in binary:
                yield f"label {label} in bytes"
    for v in had["values"] | had["strings"]:
        raw = v.encode()
        if len(raw) >= 8 and not set(re.findall(r"[a-z0-9]{4,}", v.lower())) <= words:
            if raw in blob or raw in binary:
                yield f"value {v[:60]!r}"
    seen = set()
    for hexed in had["payload"]:
        try:
            seen.update(windows(bytes.fromhex(hexed.replace(":", ""))))
        except ValueError:
            continue
    if seen:
        for out in (binary, blob):
            for i in range(len(out) - 7):
                if out[i:i + 8] in seen:
                    yield f"payload {out[i:i + 8]!r}"
                    break


def outputs(source, folder, formats=FORMATS):
    """Everything that --redact writes of it: (texts, bytes)."""
    texts, binary = [], b""
    for fmt in formats:
        status, out, err = run(["-r", source, "--redact", "--format", fmt], folder)
        if status > 1:
            return None
        texts += [out, err]
    written = os.path.join(folder, "w.pcapng")
    run(["-r", source, "--redact", "--save"] + (["-w", written] if os.path.isfile(source) else []),
        folder)
    for root, _, files in os.walk(folder):
        for f in files:
            with open(os.path.join(root, f), "rb") as h:
                data = h.read()
            if f.endswith(".pcapng"):
                binary += data
            else:
                texts.append(data)
    return texts, binary


def left_over(had, source, words, formats=FORMATS):
    found = None
    for _ in range(3):
        folder = tempfile.mkdtemp(prefix="redact-")
        try:
            made = outputs(source, folder, formats)
            if made is None:
                return []
            now = set(search(had, *made, words))
        finally:
            shutil.rmtree(folder)
        found = now if found is None else found & now
        if not found:
            break
    return sorted(found)


def check(path, words):
    """The complaints of one capture; None: it cannot be read."""
    folder = tempfile.mkdtemp(prefix="redact-")
    try:
        status, plain, _ = run(["-r", path, "--format", "json"], folder)
        status2, other, _ = run(["-r", path, "--format", "json", "--redact"], folder)
        if status > 1:
            return None
        if status != status2 or shape(json.loads(plain)) != shape(json.loads(other)):
            return ["other verdicts"]
        saved = run(["-r", path, "--redact", "--save"], folder)
        where = os.path.join(folder, "rstconsole", "sessions")
        dirs = [os.path.join(where, d) for d in os.listdir(where)]
        again = run(["-r", dirs[0], "--format", "json"], folder)
        if saved[0] != status or shape(json.loads(again[1])) != shape(json.loads(plain)):
            return ["other verdicts of the saved session"]
    finally:
        shutil.rmtree(folder)
    return left_over(tshark(path), path, words, FORMATS if ALL else ["json", "text", "html"])


def captures():
    files = []
    for kind in ("rst", "control", "hostile") if ALL else ("rst", "control"):
        folder = os.path.join(CORPUS, kind)
        files += sorted(os.path.join(folder, f) for f in os.listdir(folder))
    return files if ALL else files[::max(1, len(files) // SAMPLE)]


def demo(words):
    """A live session: as it is written, as it is read again, and what is left in either."""
    folder = tempfile.mkdtemp(prefix="redact-")
    had = {g: set() for g in FIELDS}
    had["names"] = {os.uname().nodename}
    try:
        run(["--demo", "-i", "none", "-x", "none"], folder)
        where = os.path.join(folder, "rstconsole", "sessions")
        first = os.path.join(where, os.listdir(where)[0])
        a = json.loads(run(["-r", first, "--format", "json"], folder)[1])
        b = json.loads(run(["-r", first, "--format", "json", "--redact"], folder)[1])
        if shape(a) != shape(b) or not a["targets"]:
            return ["the demo: other verdicts"]
        found = left_over(had, first, words)
        live = os.path.join(folder, "live")
        out = run(["--demo", "-i", "none", "-x", "none", "--redact", "--format", "json"], live)
        texts = [out[1]]
        for root, _, files in os.walk(live):
            for f in files:
                with open(os.path.join(root, f), "rb") as h:
                    texts.append(h.read())
        if len(texts) < 4:
            found.append("the live demo wrote nothing")
        if re.search(rb"(?<![0-9.])127\.0\.0\.1:[0-9]", b"\n".join(texts)):
            found.append("endpoints of 127.0.0.1")
        return [f"the demo: {f}" for f in found + list(search(had, texts, b"", words))]
    finally:
        shutil.rmtree(folder)


def main():
    words = own_words()
    bad = demo(words)
    done = 0
    if CORPUS and os.path.isdir(os.path.join(CORPUS, "rst")) and shutil.which("tshark"):
        for path in captures():
            complaints = check(path, words)
            if complaints is None:
                continue
            done += 1
            bad += [f"{os.path.basename(path)}: {c}" for c in complaints[:5]]
        say(f"{done} captures")
    else:
        say("left out: the captures (no corpus, or no tshark)")
    for b in bad:
        say(b)
    return 1 if bad else 0


sys.exit(main())
