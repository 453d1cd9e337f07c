"""The hop locator, the shield and the segment sweep on a path of three routers, as nobody: in line
and beside the line, at each router, by IPv4 and IPv6.  usage: hops.py [RUNS]"""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import path  # noqa: E402

lab = path.lab
runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2
failed = []


def check(what, r, ok):
    print("ok  " if ok else "FAIL", what, flush=True)
    if not ok:
        failed.append(what)
        print({k: v for k, v in r.items() if k != "shots"}, *r["shots"], sep="\n  ", flush=True)


def locate(p, family, hop, tap):
    child = p.tap(hop) if tap else p.in_line(hop)
    r = p.trial("hops", family)
    if child:
        child.terminate()
    m = r["measures"]
    check(f"IPv{family}, {'beside' if tap else 'in'} the line at hop {hop}", r,
          r.get("outcome") == "separated" and m["hop"] == str(hop) and m["distance"] == "4" and
          m["in_line"] == ("false" if tap else "true") and
          m["reset_at"] == str(hop if tap else hop + 1) and
          r["facts"]["reset-hop"] == ["yes", str(hop)])


def not_fooled(p):
    p.at_server()
    r = p.trial("hops", 4)
    check("the server's own firewall is no box before it", r,
          r["facts"].get("reset-hop", [None])[0] == "no")
    p.flush()
    r = p.trial("hops", 6)
    check("nothing is reset", r, r["outcome"] == "inconclusive" and not r["facts"])


def shield(p):
    child = p.tap(2, ttl=40)
    r = p.trial("minttl", 4)
    child.terminate()
    check("behind the shield the session lives", r,
          r["facts"].get("ttl-shield", [None])[0] == "yes" and r["measures"]["server_ttl"] == "61")
    p.in_line(2)
    r = p.trial("minttl", 6)
    check("no shield helps where the packets are taken", r,
          r["facts"].get("ttl-shield", [None])[0] == "no")


def segments(p, mtu):
    p.narrow(mtu)
    for family, heads in ((4, 52), (6, 72)):
        if family == 6 and mtu < 1280:
            continue
        r = p.trial("size", family, "end=timeout", name="x.example", options="body-size=4000")
        check(f"IPv{family}: an MTU of {mtu} to the byte", r,
              r["measures"]["mtu"] == str(mtu) and
              r["measures"]["limit_bytes"] == str(mtu - heads))


def main():
    lab.become_root()
    lab.need("ip", "nft", "nsenter", "setpriv")
    cases = [(f, h, t) for f in (4, 6) for h in (1, 2, 3) for t in (False, True)]
    random.shuffle(cases)
    p = path.Path()
    try:
        for i in range(runs):
            locate(p, *cases[i % len(cases)])
        if runs > 2:
            not_fooled(p)
        shield(p)
        segments(p, random.randrange(1281, 1490))
    finally:
        p.close()
    return 1 if failed else 0


sys.exit(main())
