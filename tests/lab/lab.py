"""Four hosts in network namespaces: client - router - second - server. What the server sends reaches
the client with a TTL two lower than what the router itself sends. Between router and second lies a
plain link, or a line of tunrouter's.

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
CLIENT6, ROUTER6, SERVER6 = "fd77:0:0:1::2", "fd77:0:0:1::1", "fd77:0:0:3::2"
HOP, HOP6 = "10.77.2.9", "fd77:0:0:2::9"  # the line's, where it is a hop


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
    """Root, or root in user, network and mount namespaces of one's own, where the kernel allows it;
    else skips."""
    if os.geteuid() == 0:
        if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL).returncode:
            skip("this root may not make network namespaces")
        return
    if subprocess.run(["unshare", "-r", "-n", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        skip("neither root nor allowed to make user namespaces")
    os.execvp("unshare", ["unshare", "-r", "-n", "-m", sys.executable, *sys.argv])


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def six(address):
    """The IPv6 address of an interface that has this IPv4 one."""
    net, host = address.split(".")[2:]
    return f"fd77:0:0:{net}::{host}"


class Host:
    """A network namespace and what runs in it."""

    def __init__(self, log=None):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       preexec_fn=die_with_parent)
        self.holder.stdout.readline()  # the namespace is there
        self.children = []
        self.run("ip", "link", "set", "lo", "up")

    @property
    def pid(self):
        return self.holder.pid

    def inside(self, args):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *args]

    def run(self, *args, **kw):
        return subprocess.run(self.inside(args), check=True, **kw)

    def nft(self, rules):
        self.run("nft", "-f", "-", input=rules.encode())

    def ip(self, lines):
        self.run("ip", "-batch", "-", input="\n".join(lines).encode())

    def sysctl(self, settings):
        """{"net.ipv4.ip_forward": 1}: this namespace's own, never the machine's."""
        script = "".join(f"echo '{value}' > /proc/sys/{name.replace('.', '/')} && "
                         for name, value in settings.items())
        self.run("sh", "-c", script + "true")

    def start(self, *args, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        child = subprocess.Popen(self.inside(args), preexec_fn=die_with_parent, **kw)
        self.children.append(child)
        return child

    def link(self, name, other, other_name, address, other_address):
        subprocess.run(["ip", "link", "add", name, "netns", str(self.holder.pid), "type", "veth",
                        "peer", "name", other_name, "netns", str(other.holder.pid)], check=True)
        self.address(name, address)
        other.address(other_name, other_address)

    def address(self, device, where):
        self.ip([f"address add {where}/24 dev {device}",
                 f"address add {six(where)}/64 dev {device} nodad", f"link set {device} up"])

    def listens(self, port, udp=False):
        """Whether something is bound to the port, by the kernel's own table."""
        for table in ("udp", "udp6") if udp else ("tcp", "tcp6"):
            with open(f"/proc/{self.holder.pid}/net/{table}") as f:
                if any(line.split()[1].endswith(f":{port:04X}") and
                       line.split()[3] == ("07" if udp else "0A") for line in f.readlines()[1:]):
                    return True
        return False

    def wait_port(self, port, udp=False):
        for _ in range(1000):
            if self.listens(port, udp):
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
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()


def tun_allowed():
    return os.access("/dev/net/tun", os.R_OK | os.W_OK)


class Lab:
    """line: tunrouter's options for the link between router and second; None: a plain link."""

    def __init__(self, line=None, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="rst-lab-")
        self.own_folder = not folder
        os.chmod(self.folder, 0o755)
        self.hosts = []
        self.box = None
        try:
            self.client, self.router, self.second, self.server = (self.host() for _ in range(4))
            self.client.link("c0", self.router, "r0", CLIENT, ROUTER)
            if line is None:
                self.router.link("r1", self.second, "n0", "10.77.2.1", "10.77.2.2")
            else:
                self.draw_line(line)
            self.second.link("n1", self.server, "s0", "10.77.3.1", SERVER)
            for host, via in ((self.client, ROUTER), (self.router, "10.77.2.2"),
                              (self.second, "10.77.2.1"), (self.server, "10.77.3.1")):
                host.ip([f"route add default via {via}", f"route add default via {six(via)}"])
            for host in (self.router, self.second):
                host.sysctl({"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1})
        except BaseException:
            self.close()
            raise

    def draw_line(self, options):
        """A line of tunrouter's: over TUN devices, or over packet sockets in a host of its own where
        /dev/net/tun is not for us."""
        ends = ((self.router, "r1", "b0", "10.77.2.1"), (self.second, "n0", "b1", "10.77.2.2"))
        if tun_allowed():
            where = [f"tun:{dev}@{host.pid}" for host, dev, _, _ in ends]
        else:
            between = self.host()
            where = []
            for host, dev, other, _ in ends:
                subprocess.run(["ip", "link", "add", dev, "netns", str(host.pid), "type", "veth",
                                "peer", "name", other, "netns", str(between.pid)], check=True)
                between.run("ip", "link", "set", other, "up")
                where.append(f"eth:{other}@{between.pid}")
                options = [*options, "--plain", f"{dev}@{host.pid}"]
        with open(self.path("line.log"), "w") as log:
            self.box = subprocess.Popen(
                [program("tests/lab/tunrouter/tunrouter"), "--line", *where, *options, "--log"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                preexec_fn=die_with_parent)
        if self.box.stdout.readline() != "ready\n":
            with open(self.path("line.log")) as f:
                raise RuntimeError("tunrouter: " + f.read())
        for host, dev, _, address in ends:
            host.address(dev, address)

    def end_line(self):
        """What the line's rules did, in tunrouter's words."""
        if not self.box:
            return ""
        self.box.stdin.close()
        said = self.box.stdout.read()
        self.box.stdout.close()
        self.box.wait()
        self.box = None
        return said

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
        self.end_line()
        for host in self.hosts:
            host.stop()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def certificate(self, name="lab", days=2, names=(), stem="cert"):
        """A self-signed one for the server's addresses and further names."""
        cert, key = self.path(f"{stem}.pem"), self.path(f"{stem}-key.pem" if stem != "cert"
                                                        else "key.pem")
        san = ",".join([f"IP:{SERVER}", f"IP:{SERVER6}", *(f"DNS:{n}" for n in names)])
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-days",
                        str(days), "-addext", f"subjectAltName={san}", "-keyout", key,
                        "-out", cert], check=True, stderr=subprocess.DEVNULL)
        return cert, key
