"""Four hosts in network namespaces: client - router - second - server, held together by veth pairs.
What the server sends reaches the client with a TTL two lower than what the router itself sends.

A namespace lives as long as the process that holds it, so nothing is left behind however a test
ends: no names under /run, no rules, no links.
"""
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile

SRC = os.environ.get("srcdir", os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
BUILD = os.environ.get("builddir", os.path.join(SRC, "build"))
CLIENT, ROUTER, SERVER = "10.77.1.2", "10.77.1.1", "10.77.3.2"


def program(name):
    """Where the build leaves a program: at the top, or in src/."""
    for path in (os.path.join(BUILD, name), os.path.join(BUILD, "src", name)):
        if os.path.exists(path):
            return path
    return os.path.join(BUILD, name)


def skip(why):
    print("SKIPPED:", why)
    sys.exit(77)


def need(*tools):
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for tool in tools:
        if not shutil.which(tool):
            skip(f"{tool} is not installed")


def become_root():
    """Root, or root in a user namespace of one's own, where the kernel allows it; else skips."""
    if os.geteuid() == 0:
        if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL).returncode:
            skip("this root may not make network namespaces")
        return
    if subprocess.run(["unshare", "-r", "-n", "true"], stderr=subprocess.DEVNULL).returncode:
        skip("neither root nor allowed to make user namespaces")
    os.execvp("unshare", ["unshare", "-r", "-n", sys.executable, *sys.argv])


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Host:
    """A network namespace and what runs in it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       preexec_fn=die_with_parent)
        self.holder.stdout.readline()  # the namespace is there
        self.children = []
        self.run("ip", "link", "set", "lo", "up")

    def inside(self, args):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *args]

    def run(self, *args, **kw):
        return subprocess.run(self.inside(args), check=True, **kw)

    def nft(self, rules):
        self.run("nft", "-f", "-", input=rules.encode())

    def start(self, *args, **kw):
        child = subprocess.Popen(self.inside(args), stdin=subprocess.DEVNULL,
                                 preexec_fn=die_with_parent, **kw)
        self.children.append(child)
        return child

    def link(self, name, other, other_name, address, other_address):
        subprocess.run(["ip", "link", "add", name, "netns", str(self.holder.pid), "type", "veth",
                        "peer", "name", other_name, "netns", str(other.holder.pid)], check=True)
        for host, device, where in ((self, name, address), (other, other_name, other_address)):
            host.run("ip", "address", "add", where + "/24", "dev", device)
            host.run("ip", "link", "set", device, "up")

    def wait_port(self, port):
        """Until something listens on the port (looked at in the kernel's own table)."""
        for _ in range(500):
            with open(f"/proc/{self.holder.pid}/net/tcp") as f:
                if any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
                       for line in f.readlines()[1:]):
                    return
            for child in self.children:
                if child.poll() not in (None, 0):
                    raise RuntimeError(f"{child.args[4:]} ended with {child.returncode}")
            select.select([], [], [], 0.02)
        raise RuntimeError(f"nothing listens on {port}")

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait()
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()


class Lab:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="rst-lab-")
        os.chmod(self.folder, 0o755)
        self.hosts = []
        try:
            self.client, self.router, self.second, self.server = (self.host() for _ in range(4))
            self.client.link("c0", self.router, "r0", CLIENT, ROUTER)
            self.router.link("r1", self.second, "n0", "10.77.2.1", "10.77.2.2")
            self.second.link("n1", self.server, "s0", "10.77.3.1", SERVER)
            self.client.run("ip", "route", "add", "default", "via", ROUTER)
            self.router.run("ip", "route", "add", "default", "via", "10.77.2.2")
            self.second.run("ip", "route", "add", "default", "via", "10.77.2.1")
            self.server.run("ip", "route", "add", "default", "via", "10.77.3.1")
            for host in (self.router, self.second):
                host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        except BaseException:
            self.close()
            raise

    def host(self):
        self.hosts.append(Host())
        return self.hosts[-1]

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def close(self):
        for host in self.hosts:
            host.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def certificate(self):
        """A self-signed one for the server's address."""
        cert, key = self.path("cert.pem"), self.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=lab", "-days", "2",
                        "-addext", f"subjectAltName=IP:{SERVER}", "-keyout", key, "-out", cert],
                       check=True, stderr=subprocess.DEVNULL)
        return cert, key
