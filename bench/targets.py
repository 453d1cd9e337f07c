"""Many targets: rstconsole against what people use today. See bench/targets."""
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = int(os.environ.get('RUNS', '3'))
PROGRAM = os.path.abspath(sys.argv[1])
COUNTS = [int(a) for a in sys.argv[2:]] or [100, 1000, 5000]
DIR = tempfile.mkdtemp(prefix='bench-targets-')
BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
started = []


def path(*names):
    return os.path.join(DIR, *names)


def write(name, text):
    with open(path(name), 'w') as f:
        f.write(text)
    return path(name)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def pin(cpu):
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {cpu})


def start(*args):
    p = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         preexec_fn=lambda: pin(1))
    started.append(p)
    return p


def measure(args, stdout=subprocess.DEVNULL, env=None):
    """Wall and CPU seconds, peak MiB of one command, pinned to CPU 0."""
    begin = time.monotonic()
    p = subprocess.Popen(args, stdout=stdout, stderr=subprocess.DEVNULL, env=env,
                         preexec_fn=lambda: pin(0))
    _, _, usage = os.wait4(p.pid, 0)
    p.returncode = 0
    return (time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(runs):
    return [statistics.median(column) for column in zip(*runs)]


class Table:
    def __init__(self):
        print('%-42s %5s %8s %9s %8s %7s %8s %7s' % ('', 'N', 'wall s', 'probes/s', 'CPU us',
                                                      'MiB', 'speed', 'CPU'))

    def row(self, what, n, result, ours=None):
        wall, cpu, mib = result
        ratio = ''
        if ours:
            ratio = '%7.2fx %6.2fx' % (wall / ours[0], ours[1] / cpu if cpu else 0)
        print('%-42s %5d %8.3f %9.0f %8.0f %7.1f %s' %
              (what, n, wall, n / wall, cpu / n * 1e6, mib, ratio), flush=True)


def addresses(n):
    return ['127.1.%d.%d' % (i // 250, i % 250 + 1) for i in range(n)]


def servers(http, https, one):
    def openssl(*args):
        subprocess.run(['openssl', *args], check=True, cwd=DIR, capture_output=True)
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days',
            '30', '-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.1.0.1', '-keyout', 'k.pem',
            '-out', 'c.pem')
    with open(path('c.pem')) as f, open(path('bundle.pem'), 'w') as out:
        out.write(f.read())
        if os.path.exists(BUNDLE):
            with open(BUNDLE) as g:
                out.write(g.read())
    tls = 'ssl_certificate c.pem; ssl_certificate_key k.pem; ssl_session_cache off; ' \
          'ssl_session_tickets off;'
    write('nginx.conf', '''
worker_processes 1; pid nginx.pid; error_log /dev/null; daemon off; worker_rlimit_nofile 19000;
%s
events { worker_connections 16000; }
http { access_log off;
client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
server { listen 0.0.0.0:%d backlog=16384; location / { return 200 "ok\\n"; } }
server { listen 0.0.0.0:%d ssl backlog=16384; %s location / { return 200 "ok\\n"; } }
server { listen 127.1.0.1:%d ssl backlog=16384; %s keepalive_timeout 0;
         location / { return 200 "ok\\n"; } } }
''' % ('user root;' if os.getuid() == 0 else '', http, https, tls, one, tls))
    start('nginx', '-p', DIR, '-c', path('nginx.conf'))
    for port in (http, https):
        while socket.socket().connect_ex(('127.0.0.1', port)):
            time.sleep(.02)


def ours(targets, *options):
    env = dict(os.environ, XDG_DATA_HOME=path('data'))
    runs = []
    for _ in range(RUNS):
        shutil.rmtree(path('data'), ignore_errors=True)
        runs.append(measure([PROGRAM, '-b', '-i', 'none', '-x', 'none', '--rate', '0', '-t', targets, '-o',
                             path('out.json'), '--format', 'json', *options], env=env))
        with open(path('out.json')) as f:
            report = json.load(f)
        if report['summary']['failed_probes']:
            failed = [(p['probe'], p['stage'], p['failure'], p['errno'])
                      for t in report['targets'] for p in t['probes'] if p['outcome'] == 'failed']
            sys.exit('%d probes failed: %s' % (len(failed), sorted(set(failed))))
    return median(runs)


def tcp(table, n, port):
    ips = write('ips', ''.join(a + '\n' for a in addresses(n)))
    held = write('tcp', ''.join('tcp://%s:%d\n' % (a, port) for a in addresses(n)))
    at_once = write('tcp0', ''.join('tcp://%s:%d hold=0\n' % (a, port) for a in addresses(n)))
    mine = ours(at_once)
    table.row('rstconsole tcp, hold=0', n, mine)
    table.row('rstconsole tcp, hold of 1 s', n, ours(held))
    if shutil.which('nmap'):
        table.row('nmap -Pn -n -sT -T5 --max-retries 0', n,
                  median([measure(['nmap', '-Pn', '-n', '-sT', '-T5', '--max-retries', '0', '-p',
                                   str(port), '-iL', ips, '-oG', path('nmap.out')])
                          for _ in range(RUNS)]), mine)
    return mine


def curl(urls, *options):
    config = write('curl', ''.join('url = "%s"\noutput = "/dev/null"\n' % u for u in urls))
    runs = []
    for _ in range(RUNS):
        with open(path('codes'), 'w') as out:
            runs.append(measure(['curl', '-s', '--parallel', '--parallel-immediate', '--parallel-max',
                                 '300', '-K', config, '-w', '%{http_code}\n', *options], out))
        with open(path('codes')) as f:
            if f.read().split().count('200') != len(urls):
                sys.exit('curl failed')
    return median(runs)


def http(table, n, scheme, port):
    urls = ['%s://%s:%d/' % (scheme, a, port) for a in addresses(n)]
    mine = ours(write('urls', '\n'.join(urls) + '\n'), '-k')
    table.row('rstconsole %s -k' % scheme, n, mine)
    table.row('curl -k --parallel, %s' % scheme, n, curl(urls, '-k'), mine)
    return mine


def verified(table, n, port):
    urls = ['https://127.1.0.1:%d/%d' % (port, i) for i in range(n)]
    mine = ours(write('urls', '\n'.join(urls) + '\n'), '--cacert', path('bundle.pem'),
                '--max-per-host', '300')
    table.row('rstconsole https, verified', n, mine)
    # Debian's curl reads the whole bundle again for each connection.
    table.row('curl --parallel, verified', n, curl(urls, '--cacert', path('bundle.pem')), mine)


def cpu_of(pid):
    with open('/proc/%d/stat' % pid) as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def blackbox(table, n, what, target, mine):
    """The exporter's own CPU; the wall time is that of a curl that asks it for all."""
    port = free_port()
    config = write('blackbox.yml', '''
modules:
  tcp: {prober: tcp}
  http: {prober: http}
  https: {prober: http, http: {tls_config: {insecure_skip_verify: true}}}
''')
    p = start('prometheus-blackbox-exporter', '--config.file=' + config,
              '--web.listen-address=127.0.0.1:%d' % port, '--log.level=error')
    os.sched_setaffinity(p.pid, {0})
    while socket.socket().connect_ex(('127.0.0.1', port)):
        time.sleep(.05)
    urls = ['http://127.0.0.1:%d/probe?module=%s&target=%s' % (port, what, target % a)
            for a in addresses(n)]
    config = write('curlbb', ''.join('url = "%s"\noutput = "/dev/null"\n' % u for u in urls))
    before, begin = cpu_of(p.pid), time.monotonic()
    subprocess.run(['curl', '-s', '--parallel', '--parallel-max', '64', '-K', config],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, cpu = time.monotonic() - begin, cpu_of(p.pid) - before
    with open('/proc/%d/status' % p.pid) as f:
        rss = [int(line.split()[1]) / 1024 for line in f if line.startswith('VmHWM')][0]
    table.row('blackbox_exporter, ' + what, n, (wall, cpu, rss), mine)
    p.terminate()
    p.wait()
    started.remove(p)


def silence(table, n):
    """Addresses that never answer, in a network namespace of this run: loopback, SYNs dropped."""
    targets = write('mute', ''.join('tcp://10.%d.%d.1:80\n' % (i // 250, i % 250) for i in range(n)))
    rules = write('rules', 'table inet t {\nchain i {\ntype filter hook input priority 0;\n'
                           'ip daddr 10.0.0.0/8 drop\n}\n}\n')
    script = 'ip link set lo up && ip addr add 10.0.0.1/8 dev lo && nft -f %s && exec "$@"' % rules
    env = dict(os.environ, XDG_DATA_HOME=path('data'))
    result = measure(['unshare', '-n', 'sh', '-c', script, 'sh', PROGRAM, '-b', '-i', 'none', '-x', 'none',
                      '--timeout', '10', '-t', targets, '--format', 'json', '-o',
                      path('mute.json')], env=env)
    table.row('rstconsole, no answer, timeout 10 s', n, result)
    with open(path('mute.json')) as f:
        failed = [p['failure'] for t in json.load(f)['targets'] for p in t['probes']]
    if failed.count('generic_timeout_error') != n:
        print('only %d of %d timed out' % (failed.count('generic_timeout_error'), n))


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    ports = [free_port() for _ in range(3)]
    servers(*ports)
    table = Table()
    print('speed: how many times as many a second as that one; CPU: ours over theirs')
    for n in COUNTS:
        rows = [('tcp', '%s:' + str(ports[0]), tcp(table, n, ports[0])),
                ('http', 'http://%s:' + str(ports[0]), http(table, n, 'http', ports[0])),
                ('https', 'https://%s:' + str(ports[1]), http(table, n, 'https', ports[1]))]
        if shutil.which('prometheus-blackbox-exporter'):
            for what, target, mine in rows:
                blackbox(table, n, what, target, mine)
    verified(table, 1000, ports[2])
    if os.getuid() == 0 and shutil.which('nft'):
        silence(table, 5000)


try:
    main()
finally:
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait()
    shutil.rmtree(DIR, ignore_errors=True)
