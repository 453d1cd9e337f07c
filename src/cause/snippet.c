/*
 * What the advice looks like in code and in settings. Snippets are short, complete in themselves
 * and not translated: they are code. Which fit is read off the cause, so a new cause needs none of
 * its own. Sources: the products' manuals; causes.md D (retry), F (timers).
 */
#include "cause/cause.h"

#include <string.h>

static const struct snippet retry[] = {
    {"C",
     "/* on ECONNRESET, EPIPE: never reuse the socket */\n"
     "close(fd);\n"
     "if (idempotent && tries++ < 4)\n"
     "    nanosleep_ms(random() % MIN(30000, 200 << tries)); /* full jitter, then connect anew */"},
    {"Python", "retry = urllib3.Retry(total=4, backoff_factor=0.5, backoff_jitter=0.5,\n"
               "                      allowed_methods={'GET', 'HEAD', 'PUT', 'DELETE'},\n"
               "                      status_forcelist=[429, 502, 503, 504])\n"
               "http = urllib3.PoolManager(retries=retry)"},
    {"Go", "// net/http repeats by itself only on reused connections with nothing read; set\n"
           "// req.GetBody so that a body can be rewound, and an Idempotency-Key for POST\n"
           "req.GetBody = func() (io.ReadCloser, error) { return os.Open(path) }"},
    {"Java",
     "HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();\n"
     "// on SocketException: evict the pooled connections of that host, back off with jitter"},
    {"JavaScript",
     "for (let n = 0; ; n++) try { return await send(); } catch (e) {\n"
     "  if (n === 4 || !['ECONNRESET', 'EPIPE'].includes(e.cause?.code ?? e.code)) throw e;\n"
     "  await setTimeout(Math.random() * Math.min(30000, 200 << n)); // node:timers/promises\n"
     "}"},
    {"curl", "curl --retry 4 --retry-all-errors --retry-max-time 60 URL"},
    {NULL, NULL},
};

static const struct snippet idle[] = {
    {"C", "int on = 1, idle = T / 2, every = 10, tries = 3; /* T: the cut, in seconds */\n"
          "setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);\n"
          "setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);\n"
          "setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);\n"
          "setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);"},
    {"Python", "sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
               "sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, T // 2)"},
    {"Go", "t := http.DefaultTransport.(*http.Transport).Clone()\n"
           "t.IdleConnTimeout = T / 2\n"
           "t.DialContext = (&net.Dialer{KeepAlive: T / 2}).DialContext"},
    {"Java", "HikariConfig c; c.setMaxLifetime(T * 500); c.setKeepaliveTime(T * 250); // ms"},
    {"JavaScript", "server.keepAliveTimeout = 65_000; // above the load balancer's 60 s\n"
                   "server.headersTimeout = 66_000;"},
    {"curl", "curl --keepalive-time SECONDS URL"},
    {"nginx", "keepalive_timeout 75s;          # server side: above the balancer's\n"
              "upstream app { keepalive 32; keepalive_timeout 20s; }"},
    {"HAProxy", "timeout client 70s\ntimeout server 70s\ntimeout http-keep-alive 15s"},
    {"Envoy", "common_http_protocol_options: { idle_timeout: 50s }\n"
              "upstream_connection_options: { tcp_keepalive: { keepalive_time: 30 } }"},
    {"Fluent Bit", "net.keepalive_idle_timeout  10\nnet.keepalive_max_recycle   100"},
    {"Kubernetes", "service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout: \"600\""},
    {NULL, NULL},
};

static const struct snippet wait[] = {
    {"nginx", "proxy_read_timeout 300s;\nproxy_send_timeout 300s;"},
    {"HAProxy", "timeout server 300s\ntimeout tunnel 1h"},
    {"Envoy", "route: { timeout: 300s, idle_timeout: 300s }"},
    {"Python", "requests.post(url, data=body, timeout=(5, 310))  # connect, read"},
    {"Go", "http.Client{Timeout: 310 * time.Second}"},
    {"Java", "HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(310))"},
    {"JavaScript", "fetch(url, { signal: AbortSignal.timeout(310_000) })"},
    {"curl", "curl --max-time 310 URL"},
    {NULL, NULL},
};

static const struct snippet size[] = {
    {"nginx", "client_max_body_size 100m;"},
    {"HAProxy", "tune.bufsize 32768   # headers; bodies are not limited"},
    {"Envoy", "per_connection_buffer_limit_bytes: 104857600"},
    {"Elasticsearch", "http.max_content_length: 100mb"},
    {"Fluent Bit", "[SERVICE]\n    Flush 1\n[INPUT]\n    Buffer_Chunk_Size 512k"},
    {"Python", "# read the answer even when sending failed, or ask first:\n"
               "requests.put(url, data=f, headers={'Expect': '100-continue'})"},
    {"Go", "req.Header.Set(\"Expect\", \"100-continue\") // Transport.ExpectContinueTimeout: 1s"},
    {"curl", "curl -H 'Expect: 100-continue' --expect100-timeout 5 -T FILE URL"},
    {"Kubernetes", "nginx.ingress.kubernetes.io/proxy-body-size: 100m"},
    {NULL, NULL},
};

static const struct snippet drain[] = {
    {"C",
     "shutdown(fd, SHUT_WR);              /* say that nothing more comes */\n"
     "while (read(fd, buf, sizeof buf) > 0) /* take what is still under way (with a timeout) */\n"
     "    ;\n"
     "close(fd);                          /* FIN, not RST; and no SO_LINGER with 0 */"},
    {"Python", "sock.shutdown(socket.SHUT_WR)\n"
               "while sock.recv(65536): pass\n"
               "sock.close()"},
    {"Go", "conn.(*net.TCPConn).CloseWrite()\n"
           "io.Copy(io.Discard, io.LimitReader(conn, 1<<20))\n"
           "conn.Close() // and no SetLinger(0)"},
    {"Java", "socket.shutdownOutput();\n"
             "socket.getInputStream().transferTo(OutputStream.nullOutputStream());\n"
             "socket.close(); // and no setSoLinger(true, 0)"},
    {"JavaScript", "socket.end(); // not destroy(), not resetAndDestroy()"},
    {"nginx", "lingering_close on;\nreset_timedout_connection off;"},
    {NULL, NULL},
};

static const struct snippet deploy[] = {
    {"Kubernetes", "lifecycle: { preStop: { exec: { command: [\"sleep\", \"10\"] } } }\n"
                   "terminationGracePeriodSeconds: 60"},
    {"HAProxy", "hard-stop-after 60s   # and reload with -sf, not kill"},
    {"nginx", "worker_shutdown_timeout 60s;   # nginx -s reload, quit; not stop"},
    {"Go", "srv.Shutdown(ctx) // not Close()"},
    {"JavaScript",
     "process.on('SIGTERM', () => { server.close(); server.closeIdleConnections(); });"},
    {NULL, NULL},
};

static const struct snippet queue[] = {
    {"C", "listen(fd, 4096); /* capped by net.core.somaxconn; accept in a loop of its own */"},
    {"Linux", "sysctl -w net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=8192"},
    {"nginx", "listen 443 ssl backlog=4096;"},
    {"HAProxy", "maxconn 20000\nbackend app\n    server s1 10.0.0.7:80 maxconn 200"},
    {"Python", "gunicorn --backlog 4096 --workers 8 app"},
    {"JavaScript", "server.listen({ port, backlog: 4096 })"},
    {"Kubernetes", "securityContext: { sysctls: [{ name: net.core.somaxconn, value: \"4096\" }] }"},
    {NULL, NULL},
};

static const struct {
    const char *cause; /* an id, or the beginning of several with a * */
    const struct snippet *list;
} table[] = {
    {"idle-*", idle},
    {"keepalive-race", retry},
    {"keepalive-max-requests", retry},
    {"local-stale-pool", idle},
    {"nat-mapping-expired", idle},
    {"ipvs-idle-900", idle},
    {"max-conn-age", retry},
    {"inflight-idle-cut", wait},
    {"server-read-timeout", wait},
    {"app-deadline-abort", wait},
    {"http-early-reply-upload", size},
    {"http-header-too-large", size},
    {"es-body-limit", size},
    {"s3-*", size},
    {"http-100-ignored", size},
    {"app-close-unread", drain},
    {"app-linger0", drain},
    {"app-close-then-data", drain},
    {"benign-unclean-close", drain},
    {"app-deploy-restart", deploy},
    {"k8s-pod-terminating", deploy},
    {"accept-queue-*", queue},
    {"syn-queue-full", queue},
    {"conn-limit-reset", queue},
    {"app-crash", retry},
    {"worker-killed", retry},
    {"host-reboot-lost-state", retry},
    {"failover-no-state", retry},
    {"conntrack-flushed", retry},
    {"stale-discovery", retry},
    {"overload-shed", retry},
    {"http-limit-close", retry},
    {"h2-goaway-rststream", retry},
};

const struct snippet *cause_snippets(const struct cause *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        size_t n = strcspn(table[i].cause, "*");
        if (table[i].cause[n] == '*' ? !strncmp(c->id, table[i].cause, n)
                                     : !strcmp(c->id, table[i].cause))
            return table[i].list;
    }
    return NULL;
}
