/*
 * Idle times that are somebody's default (causes.md F). A match is "consistent with", never proof:
 * several products share 60, 350, 600 and 3600 s.
 */
#include "evidence/private.h"

struct lifetime {
    int seconds;
    const char *who;
};

static const struct lifetime lifetimes[] = {
    {5, N_("Node.js or Apache keep-alive")},
    {20, N_("uvicorn, Puma, Tomcat or S3 keep-alive")},
    {30, N_("Jetty, gunicorn or an nft flowtable")},
    {60, N_("AWS ALB or Classic LB, nginx or HAProxy timeouts")},
    {65, N_("the Oracle load balancer's client side")},
    {75, N_("nginx keep-alive")},
    {90, N_("the Heroku router or Go's client pool")},
    {120, N_("IIS, Linux conntrack after a FIN, Azure NAT at its longest")},
    {130, N_("Kestrel")},
    {240, N_("the Azure load balancer or NAT gateway (4 min)")},
    {300, N_("the Oracle load balancer, Envoy streams or OkHttp")},
    {350, N_("an AWS NLB, NAT gateway or network firewall")},
    {400, N_("Cloudflare's client side")},
    {600, N_("GCP's connection tracking or load balancer (10 min)")},
    {900, N_("kube-proxy IPVS or Cloudflare's origin side (15 min)")},
    {1200, N_("GCP Cloud NAT (20 min)")},
    {1800, N_("Juniper SRX or RDS Proxy (30 min)")},
    {3600, N_("Cisco ASA, FortiGate, PAN-OS, Check Point or Envoy (1 h)")},
    {7200, N_("TCP keepalive's own start (2 h)")},
    {28800, N_("MySQL wait_timeout (8 h)")},
    {86400, N_("pf (1 day)")},
    {432000, N_("Linux conntrack or AWS security groups (5 days)")},
};

const char *lifetime_match(nstime idle)
{
    const char *best = NULL;
    double closest = 0;

    for (size_t i = 0; i < ARRAY_SIZE(lifetimes); i++) {
        double t = lifetimes[i].seconds, off = (double)idle / NS_PER_SEC - t;
        /* 3 % or 5 s (causes.md F), but 5 s is nothing to say at a 5 s timeout */
        double slack = MAX_OF(t * 0.03, MIN_OF(5.0, t * 0.1));
        if (off < 0)
            off = -off;
        if (off <= slack && (!best || off / t < closest)) {
            best = lifetimes[i].who;
            closest = off / t;
        }
    }
    return best;
}
