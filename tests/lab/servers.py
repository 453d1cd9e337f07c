"""The servers of the distribution that a scenario may name, each started in the server's namespace
with a configuration of its own in the run's folder; none is a service of the machine."""
import glob
import os
import shutil
import subprocess

import lab

STORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "story.py")
PYTHON = os.environ.get("PYTHON3", "python3")
if os.path.exists("/usr/bin/python3"):
    PYTHON = "/usr/bin/python3"

NGINX = """
user root root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  %s
}
"""
HAPROXY = """
global
  maxconn 200
defaults
  mode http
  timeout connect 2s
  timeout client 20s
  timeout server 20s
%s
"""
STUNNEL = """
foreground = yes
pid =
debug = 4
output = {folder}/stunnel.log
%s
"""
UNBOUND = """
server:
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  interface: 0.0.0.0
  interface: ::0
  access-control: 0.0.0.0/0 allow
  access-control: ::0/0 allow
  module-config: "iterator"
%s
"""


def as_nobody(args):
    """Some servers refuse to be root: nobody, or in a user namespace another name for oneself."""
    with open("/proc/self/uid_map") as f:
        whole = int(f.read().split()[2]) > 65536
    if whole:
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *args]
    return ["unshare", "-U", "--map-user=1000", *args]


class Kinds:
    """kind(entry): what to run, as a list."""

    def __init__(self, place, fill, log):
        self.place, self.fill, self.log = place, fill, log
        self.count = 0

    def file(self, suffix, text):
        self.count += 1
        return self.place.write(f"{self.count}.{suffix}", self.fill(text))

    def nginx(self, e):
        conf = self.file("nginx", NGINX % e["config"])
        return ["nginx", "-e", self.place.path("nginx.log"), "-c", conf, "-p", self.place.folder]

    def haproxy(self, e):
        return ["haproxy", "-db", "-q", "-f", self.file("haproxy", HAPROXY % e["config"])]

    def stunnel(self, e):
        return ["stunnel4", self.file("stunnel", STUNNEL % e["config"])]

    def s_server(self, e):
        return ["openssl", "s_server", "-quiet", "-accept", self.fill("{port}"), "-cert",
                self.place.path("cert.pem"), "-key", self.place.path("key.pem"),
                *self.fill(e.get("args", "-www")).split()]

    def dnsmasq(self, e):
        return ["dnsmasq", "-k", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
                "--group=root", "--pid-file=", *self.fill(e["args"]).split()]

    def unbound(self, e):
        return ["unbound", "-d", "-c", self.file("unbound", UNBOUND % e.get("config", ""))]

    def sshd(self, e):
        key = self.place.path("ssh-key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        conf = self.file("sshd", f"Port {{port}}\nHostKey {key}\nPidFile none\nUsePAM no\n" +
                         e.get("config", ""))
        return ["unshare", "-m", "sh", "-c",
                f"mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec {shutil.which('sshd')}"
                f" -D -e -f {conf}"]

    def postgres(self, e):
        base = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        data = self.place.path("pgdata")
        os.chmod(self.place.folder, 0o777)
        subprocess.run(as_nobody([f"{base}/initdb", "-D", data, "-A", "trust", "-U", "lab", "-N"]),
                       check=True, stdout=subprocess.DEVNULL, cwd="/")
        with open(os.path.join(data, "pg_hba.conf"), "w") as f:
            f.write(self.fill(e.get("hba", "host all all all trust")) + "\n")
        return as_nobody([f"{base}/postgres", "-D", data, "-p", self.fill("{port}"), "-c",
                          "listen_addresses=*", "-c", f"unix_socket_directories={data}", "-c",
                          "fsync=off", *self.fill(e.get("args", "")).split()])

    def redis(self, e):
        return ["redis-server", "--port", self.fill("{port}"), "--save", "", "--dir",
                self.place.folder, *self.fill(e.get("args", "--protected-mode no")).split()]

    def node(self, e):
        return ["node", self.file("js", e["script"])]

    def story(self, e):
        return [PYTHON, STORY, "listen", self.fill(e.get("port", "{port}")), self.fill(e["story"]),
                *(self.fill(o) for o in e.get("options", []))]

    def command(self, e):
        return [self.fill(a) for a in e["args"]]


NEEDS = {"nginx": "nginx", "haproxy": "haproxy", "stunnel": "stunnel4", "s_server": "openssl",
         "dnsmasq": "dnsmasq", "unbound": "unbound", "sshd": "sshd", "redis": "redis-server",
         "node": "node"}


def missing(kind):
    """The program that a kind of server lacks here, or None."""
    os.environ["PATH"] += "" if "/usr/sbin" in os.environ["PATH"] else ":/usr/sbin:/sbin"
    if kind == "postgres":
        return None if glob.glob("/usr/lib/postgresql/*/bin/initdb") else "postgresql"
    tool = NEEDS.get(kind)
    return tool if tool and not shutil.which(tool) else None


def start(place, kinds, entry):
    """Starts one entry and waits until its ports are bound."""
    host = getattr(place, entry.get("on", "server"))
    with open(place.path(f"server-{kinds.count}.log"), "ab") as log:
        host.start(*getattr(kinds, entry["kind"])(entry), stdout=log, stderr=log, cwd=place.folder
                   if entry["kind"] != "postgres" else "/")
    udp = entry["kind"] in ("dnsmasq", "unbound")
    for port in entry.get("ports", [] if entry.get("no_wait") else ["{port}"]):
        host.wait_port(int(kinds.fill(str(port))), udp)
