/* Causes: the name (causes.md A11): no connection was tried. */
#include "cause/catalogue.h"

static const struct weight dns_nxdomain_w[] = {
    YISRD(DNS_FAILED, "dns_nxdomain_error|NXDOMAIN|nxdomain", 600),
    Y(USER_SPLIT_DNS, 60),
    YHAS(DNS_WHY, "blocked|filtered|censored", 60),
};
const struct cause cause_dns_nxdomain = {
    .id = "dns-nxdomain",
    .group = GROUP_NAME,
    .title = N_("the name does not exist"),
    .what =
        N_("The DNS says there is no such name: a typing error, a missing record, or a name that "
           "exists only inside another network."),
    .confirm = N_("Ask each name server for the name with a dot at its end."),
    .client = N_("Check the spelling and the search list; use the resolver of the right network."),
    .server = N_("Add the record."),
    .deterministic = true,
    .references = REFERENCES("RFC 1035 4.1.1", "RFC 2308"),
    WEIGHTS(dns_nxdomain_w),
    CONFIDENCE(.95, .97, .99),
};

static const struct weight dns_no_address_w[] = {
    YISRD(DNS_FAILED, "dns_no_answer|NODATA|nodata", 600),
};
const struct cause cause_dns_no_address = {
    .id = "dns-no-address",
    .group = GROUP_NAME,
    .title = N_("the name has no address of the kind needed"),
    .what =
        N_("The name exists but has no A or AAAA record, or only one of a family this host cannot "
           "use."),
    .confirm = N_("Ask for A and AAAA, and follow the CNAME by hand."),
    .client = N_("Use the other address family if there is a route."),
    .server = N_("Add the address record."),
    .deterministic = true,
    .references = REFERENCES("RFC 2308 2.2"),
    WEIGHTS(dns_no_address_w),
    CONFIDENCE(.95, .97, .99),
};

static const struct weight dns_servfail_w[] = {
    YISRD(DNS_FAILED, "dns_servfail_error|SERVFAIL|servfail", 600),
    YISR(DNS_FAILED, "EAI_AGAIN", 150), /* a resolver library's word for it and for a timeout */
    Y(DNS_SERVER_FAILS, 60),
    YHAS(DNS_WHY, "dnssec|bogus|signature|no reachable authority|network error|stale", 150),
};
const struct cause cause_dns_servfail = {
    .id = "dns-servfail",
    .group = GROUP_NAME,
    .title = N_("the resolver could not find the answer"),
    .what =
        N_("SERVFAIL: DNSSEC does not verify, a delegation is broken, or the servers behind the "
           "resolver do not answer."),
    .confirm =
        N_("Ask again with checking disabled (dig +cd): if that answers, DNSSEC is broken; ask "
           "another resolver too."),
    .client = N_("Use another resolver for now."),
    .server = N_("Correct the zone: signatures, delegation, name servers."),
    .references = REFERENCES("RFC 1035 4.1.1", "RFC 8914"),
    WEIGHTS(dns_servfail_w),
    CONFIDENCE(.9, .95, .97),
};

static const struct weight dns_refused_w[] = {
    YISRD(DNS_FAILED, "dns_refused_error|REFUSED|refused", 600),
    YHAS(DNS_WHY, "prohibited|not authoritative|blocked|filtered|censored", 150),
};
const struct cause cause_dns_refused = {
    .id = "dns-refused",
    .group = GROUP_NAME,
    .title = N_("the name server refuses to answer"),
    .what = N_("The server does not serve this client or this zone."),
    .confirm = N_("Ask from another address, and ask another server."),
    .client = N_("Configure a resolver that serves this network."),
    .server = N_("Add the client's network to the resolver's access list."),
    .deterministic = true,
    .references = REFERENCES("RFC 1035 4.1.1", "RFC 8914"),
    WEIGHTS(dns_refused_w),
    CONFIDENCE(.95, .97, .99),
};

static const struct weight dns_timeout_w[] = {
    YISR(DNS_FAILED,
         "generic_timeout_error|timeout|ETIMEDOUT|EAI_AGAIN|connection_refused|ECONNREFUSED", 500),
    Y(DNS_SERVER_FAILS, 60),
    Y(DNS_TCP_ONLY, 200),
};
const struct cause cause_dns_timeout = {
    .id = "dns-timeout",
    .group = GROUP_NAME,
    .title = N_("no name server answered"),
    .what =
        N_("The query got no answer: the server is down or filtered, UDP is lost, or the answer is "
           "too large for the path."),
    .confirm =
        N_("Ask each server by UDP and by TCP: an answer by TCP alone points to MTU or a filter."),
    .client = N_("Check the servers in resolv.conf and the way to them."),
    .network = N_("Let UDP and TCP port 53 through."),
    .references = REFERENCES("RFC 1035 4.2.1", "RFC 7766"),
    WEIGHTS(dns_timeout_w),
    CONFIDENCE(.85, .92, .98),
};

static const struct weight dns_hosts_override_w[] = {
    YR(DNS_HOSTS, 250),  NX(DNS_HOSTS),      Y(USER_NAME_MOVED, 250),    N(USER_ALL_CLIENTS, 100),
    Y(CONN_TIMEOUT, 20), Y(DNS_DIFFER, 300), Y(DNS_SYSTEM_DIFFERS, 200),
};
const struct cause cause_dns_hosts_override = {
    .id = "dns-hosts-override",
    .group = GROUP_NAME,
    .title = N_("this host overrides the name (/etc/hosts or a cache)"),
    .what = N_("/etc/hosts, nsswitch or a local cache gives another address than the DNS does."),
    .confirm = N_("Compare getent hosts NAME with dig NAME, and connect to each answer."),
    .client = N_("Remove the override from /etc/hosts or flush the cache."),
    .deterministic = true,
    .references = REFERENCES("hosts(5)", "nsswitch.conf(5)"),
    WEIGHTS(dns_hosts_override_w),
    CONFIDENCE(.95, .95, .99),
};
