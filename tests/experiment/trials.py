"""Experiments with real sockets against scripted servers on loopback: each in the situation it is
for, in one it must not be fooled by, and on a healthy server; cancelled at random moments."""
import asyncio
import os
import random
import socket
import struct
import sys

BUILD = os.environ.get("builddir", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                "..", "..", "build"))
TRIALONE = os.path.join(BUILD, "tests", "experiment", "trialone")
CANCELS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def reset(writer):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def head(reader):
    text = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in text.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return text, length


async def healthy(reader, writer, _):
    while True:
        _, length = await head(reader)
        await reader.readexactly(length)
        writer.write(OK)


async def filtered(reader, writer, _):
    """Resets requests for the blocked host, whatever else they are."""
    while True:
        text, _ = await head(reader)
        if b"Host: blocked.test" in text:
            return reset(writer)
        writer.write(OK)


async def secret(reader, writer, _):
    text, _ = await head(reader)
    if b"secret" in text:
        return reset(writer)
    writer.write(OK)
    await writer.drain()
    return writer.close()


async def always(reader, writer, _):
    await reader.read(1)
    reset(writer)


async def at_accept(reader, writer, _):
    reset(writer)


async def limited(reader, writer, _):
    """Takes bodies of 12345 bytes."""
    _, length = await head(reader)
    if length > 12345:
        return reset(writer)
    await reader.readexactly(length)
    writer.write(OK)
    await writer.drain()
    return writer.close()


async def idles(reader, writer, _):
    """Resets what was silent for 3 s."""
    try:
        while True:
            _, length = await asyncio.wait_for(head(reader), 3)
            await reader.readexactly(length)
            writer.write(OK)
    except asyncio.TimeoutError:
        reset(writer)


async def closes(reader, writer, _):
    """Closes what was silent for 1.5 s."""
    try:
        while True:
            await asyncio.wait_for(head(reader), 1.5)
            writer.write(OK)
    except asyncio.TimeoutError:
        writer.close()


async def three(reader, writer, _):
    """Takes three requests a connection."""
    for _ in range(3):
        await head(reader)
        writer.write(OK)
    await writer.drain()
    writer.close()


async def by_port(reader, writer, _):
    await head(reader)
    if writer.get_extra_info("peername")[1] % 2:
        return reset(writer)
    writer.write(OK)
    await writer.drain()
    return writer.close()


class Crowded:
    """Holds at most five connections."""

    def __init__(self):
        self.open = 0

    async def __call__(self, reader, writer, _):
        self.open += 1
        try:
            if self.open > 5:
                return reset(writer)
            await reader.read(1)
            writer.close()
        finally:
            self.open -= 1


async def small_hello(reader, writer, _):
    """A ClientHello of more than 1000 bytes is reset, others get an alert: 70, no version."""
    kind, _, length = struct.unpack("!BHH", await reader.readexactly(5))
    if kind != 22 or length > 1000:
        return reset(writer)
    await reader.readexactly(length)
    writer.write(b"\x15\x03\x03\x00\x02\x02\x46")
    await writer.drain()
    return writer.close()


async def plain_only(reader, writer, _):
    """HTTP on what was taken for a TLS port."""
    first = await reader.read(3)
    if first[:1] == b"\x16":
        return reset(writer)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    await writer.drain()
    return writer.close()


async def serve(handler):
    async def run(reader, writer):
        try:
            await handler(reader, writer, None)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            writer.transport.abort()
    server = await asyncio.start_server(run, "127.0.0.1", 0, backlog=64, limit=1 << 21)
    return server, server.sockets[0].getsockname()[1]


def parse(text):
    out = {"facts": {}, "measures": {}}
    for line in text.splitlines():
        words = line.split(maxsplit=3)
        if words[0] == "fact":
            out["facts"][words[1]] = words[2:]
        elif words[0] == "measure":
            out["measures"][words[1]] = words[2] if len(words) > 2 else None
        else:
            out[words[0]] = line[len(words[0]) + 1:]
    return out


async def trial(experiment, target, *words):
    child = await asyncio.create_subprocess_exec(
        TRIALONE, experiment, target, "address=127.0.0.1", *words,
        stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(child.communicate(), 120)
    if child.returncode:
        return {"outcome": f"ended with {child.returncode}", "facts": {}, "measures": {}}
    return parse(out.decode())


failed = []
at_once = asyncio.Semaphore(5)


def check(what, got, ok):
    if not ok:
        failed.append(what)
    print("ok  " if ok else "FAIL", what, "" if ok else got)


def fact(r, name, yes):
    return r["facts"].get(name, [None])[0] == yes


async def case(what, handler, experiment, spec, words, ok):
    async with at_once:
        server, port = await serve(handler)
        r = await trial(experiment, spec.format(port=port), *words)
        server.close()
        check(what, r, ok(r))


BODY = "http://x.test:{port}/ body-size=20000"
RESET = ("end=reset", "stage=reply", "gap=0.05")


async def cases():
    idle = ("end=reset", "stage=idle", "silence=4", "time=40")
    yield case("idle: 3 s, by reset", idles, "idle", "http://x.test:{port}/", idle,
               lambda r: r["measures"].get("kind") == "rst" and
               2.7 <= float(r["measures"]["cut_s"]) <= 4 and
               fact(r, "keepalive-helps", "no"))
    yield case("idle: 1.5 s, by FIN", closes, "idle", "http://x.test:{port}/",
               ("end=closed", "stage=idle", "silence=2", "time=40"),
               lambda r: r["measures"].get("kind") == "fin" and
               1.35 <= float(r["measures"]["cut_s"]) <= 2.5)
    yield case("idle: not fooled by what fails at once", always, "idle", "http://x.test:{port}/",
               idle, lambda r: r["outcome"] == "inconclusive" and not r["facts"])
    yield case("idle: healthy", healthy, "idle", "http://x.test:{port}/",
               ("end=reset", "stage=idle", "silence=1", "time=6"),
               lambda r: fact(r, "idle-cut", "no"))
    yield case("size: to the byte", limited, "size", BODY, RESET,
               lambda r: r["measures"].get("limit_bytes") == "12345")
    yield case("size: not fooled where every size fails", always, "size", BODY, RESET,
               lambda r: fact(r, "size-limit", "no"))
    yield case("size: healthy", healthy, "size", BODY, RESET,
               lambda r: r["outcome"] == "inconclusive")
    yield case("sni: the name decides", filtered, "sni", "http://blocked.test:{port}/", RESET,
               lambda r: fact(r, "neutral-sni-passes", "yes"))
    yield case("sni: not fooled where any byte is cut", always, "sni",
               "http://blocked.test:{port}/", RESET,
               lambda r: fact(r, "neutral-sni-passes", "no") and fact(r, "any-bytes-cut", "yes"))
    yield case("sni: healthy", healthy, "sni", "http://blocked.test:{port}/", RESET,
               lambda r: r["outcome"] == "inconclusive" and not r["facts"])
    yield case("repeat: again", always, "repeat", "http://x.test:{port}/", RESET,
               lambda r: fact(r, "repeats", "yes"))
    yield case("repeat: not again", healthy, "repeat", "http://x.test:{port}/", RESET,
               lambda r: fact(r, "repeats", "no") and fact(r, "new-connection-works", "yes"))
    yield case("repeat: by the port, or all alike by chance", by_port, "repeat",
               "http://x.test:{port}/", RESET,
               lambda r: fact(r, "source-port-decides", "yes") or "repeats" in r["facts"])
    yield case("hold: reset at once", at_accept, "hold", "tcp://127.0.0.1:{port}",
               ("end=reset", "stage=hold"), lambda r: fact(r, "hold-reset", "yes"))
    yield case("hold: quiet until something is sent", always, "hold", "http://x.test:{port}/",
               RESET, lambda r: fact(r, "hold-reset", "no"))
    yield case("hold: healthy", healthy, "hold", "http://x.test:{port}/", RESET,
               lambda r: r["outcome"] == "inconclusive")
    yield case("request: the word in the path", secret, "request",
               "http://x.test:{port}/some/secret/thing", RESET,
               lambda r: r["facts"].get("request-part", ["", ""])[1:] == ['path "secret"'])
    yield case("request: not fooled where all is cut", always, "request",
               "http://x.test:{port}/some/thing", RESET, lambda r: fact(r, "request-part", "no"))
    yield case("request: healthy", healthy, "request", "http://x.test:{port}/some/thing", RESET,
               lambda r: r["outcome"] == "inconclusive")
    yield case("ramp: five at once", Crowded(), "ramp", "tcp://127.0.0.1:{port}",
               ("end=reset", "stage=hold"), lambda r: r["measures"].get("threshold") == "6")
    yield case("ramp: not fooled where one fails too", at_accept, "ramp",
               "tcp://127.0.0.1:{port}", ("end=reset", "stage=hold"),
               lambda r: fact(r, "load-threshold", "no"))
    yield case("ramp: healthy", healthy, "ramp", "tcp://127.0.0.1:{port}",
               ("end=reset", "stage=hold", "connections=31"),
               lambda r: r["outcome"] == "inconclusive" and not r["facts"])
    yield case("http: three a connection", three, "http", "http://x.test:{port}/", RESET,
               lambda r: r["facts"].get("request-limit") == ["yes", "3"])
    yield case("http: healthy", healthy, "http", "http://x.test:{port}/", RESET,
               lambda r: fact(r, "request-limit", "no") and fact(r, "tls-works", "no"))
    hello = ("end=reset", "stage=handshake", "gap=0.05")
    yield case("hello: plain HTTP on a TLS port", plain_only, "hello", "tls://x.test:{port}",
               hello, lambda r: fact(r, "plain-works", "yes") and
               fact(r, "small-hello-passes", "no"))
    yield case("hello: large ones are reset", small_hello, "hello",
               "tls://x.test:{port} hello-pad=1400", hello,
               lambda r: r["measures"].get("small") == "alert" and
               r["measures"].get("padded") is None and fact(r, "small-hello-passes", "yes"))
    yield case("hello: not fooled where all are reset", always, "hello", "tls://x.test:{port}",
               hello, lambda r: fact(r, "small-hello-passes", "no") and
               fact(r, "split-hello-passes", "no"))


async def cancels():
    """At any moment: no socket is left."""
    server, port = await serve(idles)
    dead, dead_port = await serve(always)
    plans = [("idle", f"http://x.test:{port}/", "end=reset", "stage=idle", "silence=4"),
             ("ramp", f"http://x.test:{port}/", "end=reset", "stage=reply"),
             ("size", f"http://x.test:{dead_port}/ body-size=20000", "end=reset", "stage=reply"),
             ("sni", f"http://x.test:{dead_port}/", "end=reset", "stage=reply"),
             ("hello", f"tls://x.test:{dead_port}", "end=reset", "stage=handshake")]
    for first in range(0, CANCELS, 10):
        n = min(10, CANCELS - first)
        runs = await asyncio.gather(*(
            trial(*plans[(first + i) % len(plans)], f"cancel={random.uniform(.01, 2):.3f}s")
            for i in range(n)))
        for r in runs:
            left = r.get("sockets", "0" if r["outcome"] != "cancelled" else "?")
            if left != "0":
                check("cancelled: nothing left", r, False)
    check(f"cancelled {CANCELS} times: no socket left", None, True)
    server.close()
    dead.close()


async def main():
    await asyncio.gather(*[c async for c in cases()], cancels())
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
