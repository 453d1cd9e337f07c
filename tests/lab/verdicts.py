#!/usr/bin/env python3
"""Real servers and a real firewall against the console in batch, with live capture: what it says
must be what was done. nginx, openssl s_server, nftables; nothing of the machine is touched."""
import json
import os
import subprocess
import sys

import lab
from lab import SERVER

# A chain's closing brace needs a line of its own.
RULES = """
table inet lab {
  chain forward {
    type filter hook forward priority 0
    tcp dport 7001 counter reject with tcp reset
    tcp dport 7002 counter drop
    tcp dport 7003 counter reject with icmpx type admin-prohibited
    tcp dport 7004 @ih,0,24 0x474554 counter reject with tcp reset
  }
}
"""

NGINX = """
user root root;
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 80;
    listen 7004;
    location / {{ return 200 "hello\\n"; }}
  }}
  server {{
    listen 443 ssl;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    location / {{ return 200 "hello\\n"; }}
  }}
}}
"""

# name, target, its options, the right causes of its first verdict (None: nothing may fail),
# the failure names of which one must be told.
CASES = [
    ("plain", f"http://{SERVER}/", "", None, None),
    ("trusted", f"https://{SERVER}/", "cacert={folder}/cert.pem", None, None),
    ("self-signed", f"https://{SERVER}/", "", {"tls-client-rejects-cert", "tls-intercept-policy"},
     {"ssl_unknown_authority", "ssl_invalid_certificate"}),
    ("old-client", f"https://{SERVER}:8443/", "tls-max=1.2", {"tls-version"},
     {"ssl_failed_handshake"}),
    ("closed", f"tcp://{SERVER}:7000", "", {"port-closed"}, {"connection_refused"}),
    ("reset-rule", f"tcp://{SERVER}:7001", "", {"fw-reject-syn-rst"}, {"connection_refused"}),
    ("drop-rule", f"tcp://{SERVER}:7002", "timeout=3", {"fw-drop-syn"}, {"generic_timeout_error"}),
    ("icmp-rule", f"tcp://{SERVER}:7003", "", {"fw-reject-icmp"}, {"host_unreachable"}),
    ("content-rule", f"http://{SERVER}:7004/", "",
     {"dpi-inline-rst", "ips-signature-reset", "fw-midstream-reject"}, {"connection_reset"}),
]
VERBOSE = "-v" in sys.argv[1:]


def start_servers(hosts):
    cert, key = hosts.certificate()
    nginx = hosts.write("nginx.conf", NGINX.format(folder=hosts.folder))
    hosts.server.start("nginx", "-e", hosts.path("error.log"), "-c", nginx, "-p", hosts.folder)
    hosts.server.start("openssl", "s_server", "-4", "-quiet", "-www", "-accept", "8443", "-tls1_3",
                       "-cert", cert, "-key", key, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    for port in (80, 443, 7004, 8443):
        hosts.server.wait_port(port)
    hosts.router.nft(RULES)


def run_console(hosts):
    targets = hosts.write("targets", "".join(
        f"{spec} name={name} {options.format(folder=hosts.folder)}".rstrip() + "\n"
        for name, spec, options, _, _ in CASES))
    env = {**os.environ, "HOME": hosts.folder, "LC_ALL": "C.UTF-8"}
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "SUDO_UID", "PKEXEC_UID"):
        env.pop(name, None)
    p = subprocess.run(hosts.client.inside([lab.program("rstconsole"), "-b", "--format", "json",
                                            "-i", "c0", "-t", targets]),
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env,
                       timeout=120)
    if not p.stdout:
        raise RuntimeError(f"no report, exit status {p.returncode}: {p.stderr}")
    return p.returncode, json.loads(p.stdout)


def judge_case(target, right, failures):
    """The sentence that says what is wrong, or None; and what was said."""
    failed = [p for p in target["probes"] if p["outcome"] == "failed"]
    said = "; ".join(
        f"{p['probe']} {p['failure']} at {p['stage']}: " +
        (", ".join(f"{v['cause']} {v['confidence']:.2f}" for v in p["verdicts"][:3]) or "nothing")
        for p in failed) or "passed"
    if right is None:
        return (said if failed else None), said
    if not failed:
        return "nothing failed", said
    first = failed[0]["verdicts"][0]["cause"] if failed[0]["verdicts"] else None
    if first not in right:
        return f"{said}; right: {' or '.join(sorted(right))}", said
    if failed[0]["failure"] not in failures:
        return f"failure {failed[0]['failure']}, not {' or '.join(sorted(failures))}", said
    return None, said


def judge(report):
    wrong = 0
    targets = {t["name"]: t for t in report["targets"]}
    for name, _, _, right, failures in CASES:
        if name not in targets:
            bad, said = f"not in the report: {sorted(targets)}", ""
        else:
            bad, said = judge_case(targets[name], right, failures)
        if bad:
            wrong += 1
            print(f"not ok: {name}: {bad}")
        elif VERBOSE:
            print(f"ok: {name}: {said}")
    return wrong


def main():
    lab.need("ip", "nsenter", "unshare", "nft", "nginx", "openssl")
    lab.become_root()
    with lab.Lab() as hosts:
        start_servers(hosts)
        status, report = run_console(hosts)
    wrong = judge(report)
    if status != 1:
        wrong += 1
        print(f"not ok: exit status {status}")
    if not report["vantage"]["packets"]:
        wrong += 1
        print("not ok: the capture saw no packet")
    print(f"{wrong} wrong of {len(CASES)} cases")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
