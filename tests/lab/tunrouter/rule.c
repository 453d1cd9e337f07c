/* rule.c: does a rule hold for a packet? The words of rules are read in parse.c. */
#include "tunrouter.h"

#include <string.h>
#include <strings.h>

static bool flags_hold(const struct rule *r, const struct packet *p)
{
    bool tcp = p->l4 == L4_TCP;
    uint8_t f = tcp ? p->tcp.flags : 0;
    int have = p->src.family == 4 ? WANT_V4 : WANT_V6;

    if (tcp) {
        have |= (f & (TCP_SYN | TCP_ACK)) == TCP_SYN ? WANT_SYN : 0;
        have |= (f & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) ? WANT_SYNACK : 0;
        have |= f & TCP_FIN ? WANT_FIN : 0;
        have |= f & TCP_RST ? WANT_RST : 0;
        have |= f & (TCP_ECE | TCP_CWR) ? WANT_ECN : 0;
        have |= f == TCP_ACK && !p->payload_len ? WANT_ACK : 0;
    }
    have |= p->payload_len ? WANT_DATA : 0;
    return (r->want & have) == r->want && !(r->unwant & have);
}

/* "*.example" is every name below it. */
static bool name_is(const char *pattern, const char *name)
{
    size_t n = strcspn(name, ":"), m = strlen(pattern); /* Host may bear a port */

    if (pattern[0] == '*')
        return n >= m - 1 && !strncasecmp(name + n - (m - 1), pattern + 1, m - 1);
    return n == m && !strncasecmp(pattern, name, n);
}

static bool names_hold(const struct rule *r, const uint8_t *data, size_t len, uint16_t dport)
{
    struct app a;

    if (!r->sni[0] && !r->host[0])
        return true;
    if (!app_decode(&a, data, len, 0, dport))
        return false;
    bool hit = r->sni[0] ? a.kind == APP_TLS_CLIENT_HELLO && name_is(r->sni, a.name)
                         : a.kind == APP_HTTP_REQUEST && name_is(r->host, a.name);
    bool kind = r->sni[0] ? a.kind == APP_TLS_CLIENT_HELLO : a.kind == APP_HTTP_REQUEST;
    return kind && hit != r->not_name;
}

static bool content_holds(const struct rule *r, const struct packet *p, const struct flow *f)
{
    const uint8_t *data = p->payload;
    size_t len = p->payload_caplen;

    if (!r->sni[0] && !r->host[0] && !r->nbytes)
        return true;
    if (!len)
        return false;
    if (r->reassemble && f && f->head_len) {
        data = f->head;
        len = f->head_len;
    }
    if (r->nbytes && !!memmem(data, len, r->bytes, r->nbytes) == r->not_bytes)
        return false;
    return names_hold(r, data, len, p->l4 == L4_TCP ? p->tcp.dport : p->udp_dport);
}

static bool option_holds(const struct rule *r, const struct packet *p)
{
    if (r->option < 0)
        return true;
    if (p->l4 != L4_TCP || p->payload == NULL || p->tcp.options_len > 40)
        return false;
    struct cursor c = cursor_of(p->payload - p->tcp.options_len, p->tcp.options_len);
    while (cur_left(&c)) {
        uint8_t kind = cur_u8(&c);
        if (kind == r->option)
            return true;
        if (!kind)
            return false;
        if (kind == 1)
            continue;
        uint8_t n = cur_u8(&c);
        if (n < 2 || !cur_take(&c, n - 2u))
            return false;
    }
    return false;
}

static bool port_holds(const struct rule *r, const struct packet *p, enum way way)
{
    uint16_t port = 0;

    if (!r->port_high)
        return true;
    if (p->l4 == L4_TCP)
        port = way == UP ? p->tcp.dport : p->tcp.sport;
    else if (p->l4 == L4_UDP)
        port = way == UP ? p->udp_dport : p->udp_sport;
    return port >= r->port_low && port <= r->port_high;
}

static bool flow_holds(struct rule *r, int index, enum way way, struct flow *f,
                       const struct flows *flows, nstime now)
{
    if (!r->sent && !r->received && !r->nth && !r->age && !r->forget && !r->over && !r->once)
        return true;
    if (!f)
        return false;
    if (r->forget && !f->forgotten)
        return false;
    return f->side[UP].bytes >= r->sent && f->side[DOWN].bytes >= r->received &&
           (!r->nth || f->side[way].packets == r->nth) && now - f->born >= r->age &&
           (!r->over || flows_open(flows, f) > r->over) && !(r->once && f->fired >> index & 1);
}

/* More than rate of them in the last `per`: counted in steps of `per`. */
static bool rate_holds(struct rule *r, nstime now)
{
    if (!r->rate)
        return true;
    if (!r->window_count || now - r->window_start >= r->per) {
        r->window_start = now;
        r->window_count = 0;
    }
    return ++r->window_count > r->rate;
}

bool rule_match(struct rule *r, int index, const struct packet *p, enum way way, struct flow *f,
                const struct flows *flows, struct dice *d, nstime now)
{
    if (r->act == ACT_PUSH || (r->ways && !(r->ways >> way & 1)))
        return false;
    if (r->proto != L4_NONE && p->l4 != r->proto && !(r->proto == L4_ICMP && p->l4 == L4_ICMP6))
        return false;
    if (!flags_hold(r, p) || !port_holds(r, p, way) || p->payload_len < r->size ||
        !option_holds(r, p) || !flow_holds(r, index, way, f, flows, now) || !content_holds(r, p, f))
        return false;
    if ((r->chance > 0 && !dice_hit(d, r->chance)) || !rate_holds(r, now))
        return false;
    if (++r->matched <= r->skip || (r->times && r->fired >= r->times))
        return false;
    r->fired++;
    if (f)
        f->fired |= 1ULL << index;
    return true;
}
