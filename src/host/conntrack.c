/* Connection tracking: what /proc tells any user of the table's size and its timeouts. */
#include "host/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NETFILTER "/proc/sys/net/netfilter/"

static int number(const char *name, uint64_t *out)
{
    char path[128], line[32];

    snprintf(path, sizeof(path), NETFILTER "%s", name);
    int err = source_line(line, sizeof(line), path);
    return err ? err : parse_u64(line, 0, UINT64_MAX, out);
}

int host_conntrack_read(struct host_conntrack *out)
{
    memset(out, 0, sizeof(*out));
    int err = number("nf_conntrack_count", &out->count);
    if (!err)
        err = number("nf_conntrack_max", &out->max);
    if (err)
        return err;
    out->available = out->max > 0;
    number("nf_conntrack_tcp_timeout_established", &out->established_s);
    number("nf_conntrack_tcp_loose", &out->loose);
    number("nf_conntrack_tcp_be_liberal", &out->be_liberal);
    return out->available ? 0 : -ENOENT;
}

/* Only a full table speaks: that this host's has room says nothing of a router's. */
void facts_of_conntrack(struct facts *out, const struct host_conntrack *c)
{
    if (c->available && c->count >= c->max - c->max / 50)
        facts_put(out, FACT_CONNTRACK_FULL, true, SRC_HOST, 0, "nf_conntrack_count",
                  v_int((int64_t)c->count), v_int((int64_t)c->max), v_none());
}

static int look_conntrack(struct strbuf *found, struct strbuf *remedy)
{
    struct host_conntrack c;
    int err = host_conntrack_read(&c);

    (void)remedy;
    if (!err)
        strbuf_addf(found,
                    _("%llu of %llu entries; established ones time out after %llu s; loose "
                      "%llu, be_liberal %llu"),
                    (unsigned long long)c.count, (unsigned long long)c.max,
                    (unsigned long long)c.established_s, (unsigned long long)c.loose,
                    (unsigned long long)c.be_liberal);
    return err;
}
const struct host_source source_conntrack = {
    .name = "conntrack",
    .title = N_("connection tracking (count, limit, timeouts)"),
    .look = look_conntrack,
};
