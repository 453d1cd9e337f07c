#!/usr/bin/env python3
"""Causes that win from bytes alone: packets made here, and runs that were recorded (recorded/).

Each scenario is a capture, made byte for byte by wire.py from what causes.md says of the cause, or
a session that the program itself saved of a real run (packets, results, counters of the host). The
real program reads it and must put the cause first for each reset or failed probe in question. The
test counts them and fails when they are fewer than LEAST.

    bytes.py [-v] [ID...]    those scenarios only; -v: what came first, and how sure
"""
import json
import os
import subprocess
import sys
import tempfile

from wire import ACK, FIN, PSH, RST, SYN, Net, alert, hello, server_hello  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
LEAST = 70
GET = b"GET /report HTTP/1.1\r\nHost: shop.example\r\n\r\n"
CASES = []


def case(cause, dport=None, name=None):
    """Registers a scenario; dport: only what ended a connection
    to that port is looked at, no refused SYN."""
    def register(make):
        CASES.append((cause, name or make.__name__, make, dport))
        return make
    return register


def post(size, sent=None):
    head = b"POST /upload HTTP/1.1\r\nHost: shop.example\r\nContent-Length: %d\r\n\r\n" % size
    return head + b"x" * (size if sent is None else sent)


def reply(status, body=b"", extra=b""):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), extra, body)


# ---- firewall ----
@case("fw-midstream-reject")
def rule_changed(n):
    c = n.conn(dport=5432).open().say("c", b"\0\0\0\x20query one").say("s", b"rows" * 50)
    c.wait(0.4).say("c", b"\0\0\0\x20query two", acked=False).wait(0.0006).passive(ttl=63)


@case("fw-midstream-reject")
def rule_changed_for_all(n):
    for k in range(5):
        c = n.conn(at=k * 7, dport=9000, server="198.51.100.%d" % (30 + k)).open()
        c.say("c", b"message one").say("s", b"fine").wait(60 - c.now)
        c.say("c", b"message two", acked=False).wait(0.0006).passive(ttl=63)


@case("fw-state-missing")
def half_seen(n):
    c = n.conn(dport=8080).syn().wait(0.02).synack().wait(0.0001).ack()
    c.wait(0.0008).passive(ttl=62)
    c.wait(1.0).synack()
    c.wait(0.0001).ack().wait(0.0008).passive(ttl=62)


@case("dpi-onpath-rst")
def listening_box(n):
    c = n.conn(dport=80).open().say("c", GET, acked=False).wait(0.004)
    for k in range(3):
        c.forged(offset=1460 * k, ttl=101 + k, ident=0x4242)
        c.wait(0.0003)
    c.wait(0.015).say("s", reply(b"200 OK", b"a" * 400), acked=False)


@case("dpi-inline-rst")
def box_in_the_way(n):
    c = n.conn(dport=80, rtt=0.08).open().say("c", b"\x13BADWORD protocol", acked=False)
    c.wait(0.002).passive(ttl=62)


@case("ip-port-block-rst")
def address_blocked(n):
    c = n.conn(rtt=0.05).syn().wait(0.01)
    for k in range(3):
        c.raw(c.s, c.c, RST | ACK, 0, c.c.isn + 1, window=1980 + k, ident=100 + k, ttl=90 + k,
              ts=False)
        c.wait(0.0003)


@case("ips-signature-reset")
def words_disliked(n):
    for k in range(3):
        c = n.conn(at=k * 30, dport=80).open()
        c.say("c", b"GET /?q=union+select HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        c.wait(0.001).passive(ttl=57)


@case("http-limit-close")
def too_many(n):
    c = n.conn(dport=80).open().say("c", GET)
    c.say("s", reply(b"429 Too Many Requests", b"slow down, please")[:-9]).wait(0.001).active()


# ---- timeouts ----
@case("idle-lb-rst")
def forgotten(n):
    c = n.conn(dport=5000).open().say("c", b"one").say("s", b"two").wait(352)
    c.say("c", b"three", acked=False).wait(0.019).passive()


@case("idle-lb-rst")
def forgotten_each_time(n):
    for k in range(4):
        c = n.conn(at=k * 500, dport=5000).open().say("c", b"one").say("s", b"two").wait(360)
        c.say("c", b"three", acked=False).wait(0.019).passive()


@case("idle-lb-rst-pushed")
def pushed_at_four_minutes(n):
    c = n.conn(dport=5000).open().say("c", b"one").say("s", b"two").wait(240)
    c.raw(c.s, c.c, RST, c.s.next, 0, window=0, ident=777, ts=False, ttl=55)


@case("idle-lb-rst-pushed")
def pushed_each_time(n):
    for k in range(4):
        c = n.conn(at=k * 300, dport=5000).open().say("c", b"one").say("s", b"two").wait(240)
        c.raw(c.s, c.c, RST, c.s.next, 0, window=0, ident=777, ts=False)


@case("keepalive-race")
def crossing(n):
    c = n.conn(dport=80).open().say("c", GET).say("s", reply(b"200 OK", b"fine")).wait(5.0)
    c.say("c", GET, acked=False)
    c.raw(c.s, c.c, FIN | ACK, c.s.next, c.c.next - len(GET))
    c.s.next += 1
    c.wait(0.019).passive()


@case("keepalive-max-requests")
def each_hundredth(n):
    for k in range(4):
        c = n.conn(at=k * 60, dport=80).open()
        for _ in range(100):
            c.say("c", GET).say("s", reply(b"200 OK", b"fine")).wait(0.05)
        c.say("c", GET, acked=False).wait(0.02).passive()


@case("inflight-idle-cut")
def answer_took_too_long(n):
    for k in range(3):
        c = n.conn(at=k * 100, dport=80).open().say("c", GET).wait(60).active()


@case("server-read-timeout")
def slow_upload(n):
    for k in range(3):
        c = n.conn(at=k * 100, dport=80).open().say("c", post(500000, 20000)).wait(10).active()


@case("app-deadline-abort")
def worker_timeout(n):
    for k in range(3):
        c = n.conn(at=k * 50, dport=80).open().say("c", GET).wait(7).active()


@case("peer-rto-gave-up")
def nobody_acknowledged(n):
    c = n.conn(dport=5000).open().say("c", b"one").say("s", b"two", acked=False)
    c.again("s", b"two", 6).wait(20).active()


@case("fin-wait2-late-data")
def half_closed_too_long(n):
    c = n.conn(dport=5000).open().say("c", b"one").say("s", b"two").fin("s").wait(95)
    c.say("c", b"more", acked=False).wait(0.02).passive()


@case("max-conn-age")
def fixed_age(n):
    for k in range(4):
        c = n.conn(at=k * 200, dport=9000).open()
        for _ in range(60):
            c.say("c", b"ping").say("s", b"pong").wait(5)
        c.say("c", b"ping", acked=False).wait(0.02).active()


# ---- load ----
@case("accept-queue-overflow-drop")
def queue_full(n):
    c = n.conn(dport=8080).open().say("c", GET, acked=False)
    for k in range(4):
        c.wait(1.0 * 2 ** k).synack().wait(0.0001).ack()
        c.again("c", GET, 1)
    c.wait(2).passive()


@case("accept-queue-overflow-rst")
def queue_full_resets(n):
    c = n.conn(dport=8080).open().wait(0.0195).passive()


@case("conn-limit-reset")
def over_the_limit(n):
    n.conn(dport=6000).open().wait(0.0198).active()


@case("worker-killed")
def killed_with_four(n):
    for k in range(4):
        c = n.conn(at=k * 3, dport=80).open().say("c", GET)
        c.say("s", b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"d" * 5000)
        c.wait(20 - c.now).active()


# ---- handshake ----
@case("tls-plain-to-tls")
def http_to_tls(n):
    n.conn().open().say("c", GET).say("s", alert(10), acked=False).wait(0.0002).active()


@case("tls-plain-to-tls", name="http_to_nginx_tls")
def http_to_nginx(n):
    text = reply(b"400 Bad Request", b"The plain HTTP request was sent to HTTPS port")
    n.conn().open().say("c", GET).say("s", text).wait(0.0002).active()


@case("tls-tls-to-plain")
def tls_to_http(n):
    n.conn(dport=8080).open().say("c", hello()).say("s", reply(b"400 Bad Request"), acked=False) \
        .wait(0.0002).active("c")


@case("tls-starttls-needed")
def tls_to_smtp(n):
    c = n.conn(dport=25).open().wait(0.02).say("s", b"220 mail.example ESMTP ready\r\n")
    c.say("c", hello()).say("s", b"500 5.5.2 Error: bad syntax\r\n", acked=False).wait(.001).active()


@case("tls-version")
def no_version(n):
    n.conn().open().say("c", hello()).say("s", alert(70), acked=False).wait(0.0002).active()


@case("tls-cipher")
def no_cipher(n):
    n.conn().open().say("c", hello()).say("s", alert(40), acked=False).wait(0.0002).active()


@case("tls-client-rejects-cert")
def unknown_ca(n):
    n.conn().open().say("c", hello()).say("s", server_hello() + b"\x16\3\3\0\4\x0b\0\0\0") \
        .say("c", alert(48), acked=False).wait(0.0001).active("c")


@case("tls-mtls-required")
def no_client_certificate(n):
    n.conn().open().say("c", hello()).say("s", alert(116), acked=False).wait(0.0002).active()


@case("tls-sni-unknown")
def name_not_known(n):
    n.conn().open().say("c", hello()).say("s", alert(112), acked=False).wait(0.0002).active()


@case("tls-sni-filter")
def name_filtered(n):
    c = n.conn(rtt=0.06).open().say("c", hello(b"blocked.example"), acked=False).wait(0.003)
    c.passive(ttl=61)


@case("tls-alpn")
def no_protocol(n):
    n.conn().open().say("c", hello()).say("s", alert(120), acked=False).wait(0.0002).active()


@case("tls-handshake-timeout")
def slow_path(n):
    c = n.conn(rtt=3.0).open().say("c", hello()).wait(10).active()


@case("tls-record-corrupt")
def bits_flipped(n):
    c = n.conn().open().say("c", hello()).say("s", server_hello()).say("c", b"\x17\3\3\0\x20" + b"q" * 32)
    c.say("s", alert(20), acked=False).wait(0.0002).active()


# ---- protocol ----
@case("http-early-reply-upload")
def too_large(n):
    n.conn(dport=80).open().say("c", post(9000000, 40000)) \
        .say("s", reply(b"413 Payload Too Large"), acked=False).say("c", b"x" * 1448, acked=False) \
        .wait(0.02).active()


@case("http-header-too-large")
def cookies(n):
    n.conn(dport=80).open().say("c", GET).say("s", reply(b"431 Request Header Fields Too Large")) \
        .wait(0.001).active()


@case("http-parse-reject")
def not_understood(n):
    n.conn(dport=80).open().say("c", b"GET /a b c HTTP/1.1\r\n\r\n") \
        .say("s", reply(b"400 Bad Request", b"what is that?")[:-9]).wait(0.001).active()


@case("http-wrong-version")
def h2_to_h1(n):
    n.conn(dport=80).open().say("c", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0") \
        .say("s", reply(b"400 Bad Request")).wait(0.001).active()


@case("http-100-ignored")
def expectation_failed(n):
    n.conn(dport=80).open().say("c", post(5000, 0)).say("s", reply(b"417 Expectation Failed")) \
        .wait(0.001).active()


@case("app-proto-mismatch")
def http_to_ssh(n):
    c = n.conn(dport=22).open().wait(0.02).say("s", b"SSH-2.0-OpenSSH_9.2\r\n").say("c", GET)
    c.wait(0.001).active()


@case("auth-abort")
def host_not_allowed(n):
    c = n.conn(dport=3306).open().wait(0.02)
    c.say("s", b"F\0\0\0\xffj\4Host '192.0.2.10' is not allowed to connect to this MySQL server")
    c.wait(0.001).active()


# ---- application ----
@case("app-close-unread")
def left_unread(n):
    c = n.conn(dport=7777).open().say("c", b"hello").say("s", b"welcome").say("c", b"z" * 4000)
    c.wait(0.3).active()


@case("app-close-then-data")
def wrote_after_close(n):
    c = n.conn(dport=7777).open().say("c", b"hello").say("s", b"bye").fin("s").wait(0.05)
    c.say("c", b"one more thing", acked=False).wait(0.02).passive()


@case("app-crash", dport=8081)
def crashed(n):
    c = n.conn(dport=8081).open().say("c", GET)
    c.say("s", b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"d" * 5000)
    c.wait(1).active()
    for k in range(3):
        n.conn(at=1.5 + k, dport=8081).syn().wait(0.02).refuse()


@case("client-app-abort")
def client_cancelled(n):
    c = n.conn(dport=80).open().say("c", GET)
    c.say("s", b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"d" * 5000)
    c.wait(0.1).active("c")


@case("benign-probe-rst")
def health_check(n):
    for k in range(4):
        c = n.conn(at=k * 10, dport=80).syn().wait(0.02).synack().wait(0.0001).passive("c")


@case("benign-unclean-close")
def done_and_gone(n):
    c = n.conn(dport=80).open().say("c", GET).say("s", reply(b"200 OK", b"fine")).fin("s")
    c.wait(0.001).active("c")


# ---- host ----
@case("port-closed")
def closed(n):
    for k in range(2):
        n.conn(at=k, dport=9999).syn().wait(0.02).refuse()


@case("host-reboot-lost-state")
def rebooted(n):
    c = n.conn(dport=5000).open().say("c", b"one").say("s", b"two").wait(0.5)
    c.say("c", b"three", acked=False).again("c", b"three", 7).wait(0.02).passive()


@case("duplicate-ip")
def two_owners(n):
    c = n.conn(dport=5000, ttl=64, rtt=0.0004).open().say("c", b"one").say("s", b"two").wait(0.3)
    c.say("c", b"three", acked=False).wait(0.0004).passive(mac=b"\2\0\0\0\0\x66")


# ---- NAT ----
@case("conntrack-flushed")
def router_restarted(n):
    for k in range(6):
        c = n.conn(at=k * 7, dport=9000, server="198.51.100.%d" % (30 + k)).open()
        c.say("c", b"message one").say("s", b"fine").wait(60 + k * .02 - c.now)
        c.say("c", b"message two", acked=False).wait(0.018).passive()


@case("timewait-collision")
def port_reused(n):
    c = n.conn(dport=80).syn().wait(0.02)
    c.raw(c.s, c.c, ACK, 5550000, 4440000)
    c.wait(0.0001).raw(c.c, c.s, RST, 4440000, 0, window=0, ident=0, ts=False)
    d = n.conn(at=1.02, dport=80, sport=c.c.port)
    d.open().say("c", GET).say("s", reply(b"200 OK", b"fine"))


@case("stray-rst-in-window")
def ignored(n):
    c = n.conn(dport=80).open().say("c", GET).say("s", b"HTTP/1.1 200 OK\r\n\r\nsome")
    c.raw(c.s, c.c, RST, c.s.next + 9000, 0, window=0, ident=0, ts=False)
    c.wait(0.001).raw(c.c, c.s, ACK, c.c.next, c.s.next)
    for _ in range(4):
        c.wait(0.1).say("s", b"more of it")


# ---- this host ----
@case("local-stale-pool")
def stale(n):
    c = n.conn(dport=80).open().say("c", GET).say("s", reply(b"200 OK", b"fine")).wait(5).fin("s")
    c.wait(12).say("c", GET, acked=False).wait(0.02).passive()


@case("local-keepalive-kill")
def peer_is_gone(n):
    c = n.conn(dport=5000).open().say("c", b"one").say("s", b"two").wait(60)
    for _ in range(5):
        c.raw(c.c, c.s, ACK, c.c.next - 1, c.s.next)
        c.wait(10)
    c.active("c")


# ---- cloud ----
@case("mesh-sidecar")
def envoy_speaks(n):
    text = b"upstream connect error or disconnect/reset before headers. reset reason: connection termination"
    n.conn(dport=80).open().say("c", GET) \
        .say("s", reply(b"503 Service Unavailable", text, b"server: envoy\r\n")[:-9]).wait(0.001).active()


@case("s3-early-error-close")
def wrong_region(n):
    n.conn(dport=80).open().say("c", b"PUT /bucket/key HTTP/1.1\r\nHost: s3.example\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 40000) \
        .say("s", reply(b"307 Temporary Redirect", b"<Error><Code>TemporaryRedirect</Code></Error>",
                        b"x-amz-bucket-region: eu-west-1\r\nServer: AmazonS3\r\n"), acked=False) \
        .say("c", b"x" * 1448, acked=False).wait(0.02).active()


@case("s3-idle-or-short-body")
def request_timeout(n):
    c = n.conn(dport=80).open().say("c", b"PUT /bucket/key HTTP/1.1\r\nHost: s3.example\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 4000)
    c.wait(20).say("s", reply(b"400 Bad Request", b"<Error><Code>RequestTimeout</Code></Error>",
                              b"x-amz-request-id: 4442587FB7D0A2F9\r\nServer: AmazonS3\r\n"), acked=False).wait(0.001).active()


@case("es-body-limit")
def bulk_too_large(n):
    n.conn(dport=9200).open().say("c", b"POST /_bulk HTTP/1.1\r\nHost: es.example\r\nContent-Length: 150000000\r\n\r\n" + b"x" * 40000) \
        .say("s", reply(b"413 Request Entity Too Large"), acked=False) \
        .say("c", b"x" * 1448, acked=False).wait(0.02).active()


# ---- what was recorded of real runs ----
def recorded():
    top = os.path.join(HERE, "recorded")
    for name in sorted(os.listdir(top) if os.path.isdir(top) else []):
        cause = name.split(".")[0]
        if os.path.isfile(os.path.join(top, name, "session.jsonl")):
            CASES.append((cause, "recorded:" + name, os.path.join(top, name), None))


# ---- running ----
def judge(program, path):
    run = subprocess.run([program, "-b", "-r", path, "--format", "json"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, timeout=60, check=False)
    if run.returncode not in (0, 1):
        raise RuntimeError("%s: exit %d: %s" % (path, run.returncode, run.stderr.decode()[:200]))
    return json.loads(run.stdout)


def ends(report, dport):
    """The resets in question, else the failed probes."""
    found = [r for r in report["resets"] if r["flow"] is None or
             dport in (None, r["flow"]["dport"]) and (not dport or r["stage"] != "syn")]
    if not found:
        found = [p for t in report["targets"] for p in t["probes"] if p["outcome"] == "failed"]
    return found


def first_of(end):
    verdicts = end["verdicts"]
    return (verdicts[0]["cause"], verdicts[0]["grade"], verdicts[0]["confidence"]) if verdicts \
        else ("-", "none", 0)


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    verbose = "-v" in sys.argv
    program = os.path.join(os.environ.get("builddir", os.path.join(HERE, "..", "..", "build")),
                           "rstconsole")
    recorded()
    won, lost, wrong = set(), [], []
    with tempfile.TemporaryDirectory(prefix="rstbytes") as tmp:
        for cause, name, make, dport in CASES:
            if names and cause not in names and name not in names:
                continue
            path = make
            if callable(make):
                net = Net()
                make(net)
                path = os.path.join(tmp, "some.pcap")
                with open(path, "wb") as f:
                    f.write(net.pcap())
            found = ends(judge(program, path), dport)
            firsts = [first_of(e) for e in found]
            hits = sum(f[0] == cause for f in firsts)
            if verbose or not hits or hits < len(firsts):
                print("%s %s: %s" % ("ok  " if found and hits == len(firsts) else "LOST", cause + " " + name,
                                     ", ".join("%s %s %.2f" % f for f in sorted(set(firsts)))))
            if found and hits == len(firsts):
                won.add(cause)
            else:
                lost.append(name)
            wrong += [name for f in firsts if f[0] != cause and f[1] == "confirmed"]
    print("%d causes win from bytes, in %d scenarios; %d scenarios lost" %
          (len(won), len(CASES) - len(lost), len(lost)))
    if wrong:
        print("confirmed, but wrong: " + ", ".join(wrong))
    if names:
        return 1 if lost else 0
    return 1 if lost or wrong or len(won) < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
