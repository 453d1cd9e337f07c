/*
 * Timers that are somebody's default (causes.md F), with the day they were looked up: products
 * change them. A measured time is "consistent with" all rows near it, never proof of any: 60, 350,
 * 600 and 3600 s are shared by several.
 */
#include "evidence/private.h"

#include <stdio.h>
#include <string.h>

#define FIN    N_("closes with FIN")
#define SILENT N_("forgets it, says nothing")
#define LATE   N_("forgets it, resets what comes later")
#define RESET  N_("resets both sides")

static const struct lifetime lifetimes[] = {
    {2, "gunicorn keepalive", FIN, "keepalive", "2026-11"},
    {5, "Node.js keepAliveTimeout", FIN, "server.keepAliveTimeout", "2026-11"},
    {5, "Apache KeepAliveTimeout", FIN, "KeepAliveTimeout", "2026-11"},
    {5, "uvicorn", FIN, "--timeout-keep-alive", "2026-11"},
    {5, "CloudFront (origin keepalive)", FIN, "origin keep-alive timeout, 1-120 s", "2026-11"},
    {20, "Puma", FIN, "persistent_timeout", "2026-11"},
    {20, "Tomcat", FIN, "keepAliveTimeout", "2026-11"},
    {20, "S3 front end", FIN, "", "2026-11"},
    {30, "Jetty", FIN, "idleTimeout", "2026-11"},
    {30, "Fluent Bit (client)", FIN, "net.keepalive_idle_timeout", "2026-11"},
    {30, "nft flowtable", SILENT, "nf_flowtable_tcp_timeout", "2026-11"},
    {60, "AWS ALB", FIN, "idle_timeout.timeout_seconds", "2026-11"},
    {60, "AWS Classic LB", FIN, "idle timeout, 1-4000 s", "2026-11"},
    {60, "nginx proxy_read_timeout, client_body_timeout", FIN, "proxy_read_timeout", "2026-11"},
    {60, "Apache Timeout", FIN, "Timeout", "2026-11"},
    {60, "Linux FIN_WAIT2", LATE, "net.ipv4.tcp_fin_timeout", "2026-11"},
    {65, "Oracle LB (client side)", FIN, "", "2026-11"},
    {75, "nginx keepalive_timeout", FIN, "keepalive_timeout", "2026-11"},
    {90, "Heroku router", FIN, "", "2026-11"},
    {90, "Go's client pool", FIN, "IdleConnTimeout", "2026-11"},
    {118, "curl's connection cache", FIN, "CURLOPT_MAXAGE_CONN", "2026-11"},
    {120, "IIS", FIN, "connectionTimeout", "2026-11"},
    {120, "Cloudflare (origin's answer)", FIN, "", "2026-11"},
    {130, "Kestrel", FIN, "KeepAliveTimeout", "2026-11"},
    {240, "Azure Load Balancer", SILENT, "idleTimeoutInMinutes, 4-100", "2026-11"},
    {240, "Azure NAT gateway", LATE, "idleTimeoutInMinutes, 4-120", "2026-11"},
    {300, "Oracle LB (backend)", FIN, "", "2026-11"},
    {300, "Envoy stream_idle_timeout", FIN, "stream_idle_timeout", "2026-11"},
    {300, "OkHttp's pool", FIN, "ConnectionPool keepAliveDuration", "2026-11"},
    {350, "AWS NLB", LATE, "tcp.idle_timeout.seconds, 60-6000", "2026-11"},
    {350, "AWS NAT gateway", LATE, "", "2026-11"},
    {350, "AWS Network Firewall, Gateway LB", SILENT, "FlowTimeouts, 60-6000 s", "2026-11"},
    {400, "Cloudflare (client side)", FIN, "", "2026-11"},
    {600, "GCP VPC connection tracking", SILENT, "", "2026-11"},
    {600, "GCP load balancer (backend keepalive)", FIN, "", "2026-11"},
    {610, "GCP load balancer (client keepalive)", FIN, "httpKeepAliveTimeoutSec", "2026-11"},
    {600, "PgBouncer server_idle_timeout", FIN, "server_idle_timeout", "2026-11"},
    {900, "kube-proxy IPVS", LATE, "ipvsadm --set", "2026-11"},
    {900, "Cloudflare (origin side)", FIN, "", "2026-11"},
    {924, "Linux retransmission limit", SILENT, "net.ipv4.tcp_retries2", "2026-11"},
    {1200, "GCP Cloud NAT", SILENT, "tcpEstablishedIdleTimeoutSec", "2026-11"},
    {1800, "Juniper SRX", SILENT, "", "2026-11"},
    {1800, "RDS Proxy", FIN, "IdleClientTimeout", "2026-11"},
    {3600, "Cisco ASA / FTD", SILENT, "timeout conn", "2026-11"},
    {3600, "FortiGate", SILENT, "session-ttl", "2026-11"},
    {3600, "PAN-OS", SILENT, "", "2026-11"},
    {3600, "Check Point", SILENT, "", "2026-11"},
    {3600, "Envoy (connection)", FIN, "idle_timeout", "2026-11"},
    {7200, "Linux TCP keepalive (begins)", RESET, "net.ipv4.tcp_keepalive_time", "2026-11"},
    {28800, "MySQL wait_timeout", FIN, "wait_timeout", "2026-11"},
    {86400, "pf", SILENT, "", "2026-11"},
    {432000, "Linux conntrack", SILENT, "nf_conntrack_tcp_timeout_established", "2026-11"},
    {432000, "AWS security groups", SILENT, "60-432000 s", "2026-11"},
};

size_t lifetime_count(void)
{
    return ARRAY_SIZE(lifetimes);
}

const struct lifetime *lifetime_at(size_t i)
{
    return i < ARRAY_SIZE(lifetimes) ? &lifetimes[i] : NULL;
}

bool lifetime_matches(const struct lifetime *l, nstime idle)
{
    double t = l->seconds, off = (double)idle / NS_PER_SEC - t;
    /* 3 % or 5 s (causes.md F), but 5 s is nothing to say at a 5 s timeout */
    double slack = MAX_OF(t * 0.03, MIN_OF(5.0, t * 0.1));

    return off <= slack && -off <= slack;
}

size_t lifetimes_text(char *out, size_t outlen, nstime idle)
{
    size_t n = 0, len = 0, more = 0;

    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(lifetimes); i++) {
        const char *who = lifetimes[i].who;
        size_t need = strlen(who) + (n ? 2 : 0);
        if (!lifetime_matches(&lifetimes[i], idle))
            continue;
        n++;
        if (len + need + 12 >= outlen) {
            more++;
            continue;
        }
        len += (size_t)snprintf(out + len, outlen - len, "%s%s", n > 1 ? ", " : "", who);
    }
    if (more)
        snprintf(out + len, outlen - len, ", +%zu", more);
    return n;
}
