/* DNS answers as they are told: addresses, records as text, extended errors. Pure. */
#include "probe/dns.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define EDE_OPTION 15
#define TC_FLAG    0x0200

static const struct {
    const char *name;
    uint16_t type;
} types[] = {{"A", DNS_A},       {"AAAA", DNS_AAAA}, {"CNAME", DNS_CNAME}, {"HTTPS", DNS_HTTPS},
             {"SVCB", DNS_SVCB}, {"SRV", DNS_SRV},   {"MX", DNS_MX},       {"NS", DNS_NS},
             {"TXT", DNS_TXT},   {"SOA", DNS_SOA},   {"PTR", DNS_PTR},     {"CAA", DNS_CAA}};

uint16_t dns_type_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (!strcasecmp(name, types[i].name))
            return types[i].type;
    return 0;
}

/* ---- service parameters (RFC 9460 2.2, 14.3.2) ---- */
static void add_alpn(struct strbuf *out, struct cursor c)
{
    for (bool first = true; cur_left(&c); first = false) {
        uint8_t n = cur_u8(&c);
        const uint8_t *name = cur_take(&c, n);
        if (!name)
            return;
        if (!first)
            strbuf_addch(out, ',');
        strbuf_add_clean(out, name, n, 64);
    }
}

static void add_hints(struct strbuf *out, struct cursor c, int family)
{
    char text[ADDR_TEXT_MAX];
    struct addr a = {.family = (uint8_t)family};
    const uint8_t *b;
    for (int i = 0; i < 8 && cur_left(&c) && (b = cur_take(&c, family == 4 ? 4 : 16)); i++) {
        memcpy(a.b, b, family == 4 ? 4 : 16);
        strbuf_addf(out, "%s%s", i ? "," : "", addr_text(text, &a));
    }
}

static void add_param(struct strbuf *out, uint16_t key, struct cursor v)
{
    static const char *const names[] = {"mandatory", "alpn", "no-default-alpn", "port",
                                        "ipv4hint",  "ech",  "ipv6hint"};
    if (key < ARRAY_SIZE(names))
        strbuf_addf(out, " %s", names[key]);
    else
        strbuf_addf(out, " key%u", key);
    if (cur_left(&v))
        strbuf_addch(out, '=');
    switch (key) {
    case 1: add_alpn(out, v); break;
    case 3: strbuf_addf(out, "%u", cur_be16(&v)); break;
    case 4: add_hints(out, v, 4); break;
    case 6: add_hints(out, v, 6); break;
    default:
        if (cur_left(&v))
            strbuf_addf(out, "(%zu bytes)", cur_left(&v));
    }
}

static bool add_service(struct strbuf *out, struct cursor c, const uint8_t *msg, size_t len)
{
    char name[256];
    uint16_t priority = cur_be16(&c);
    if (c.bad || !dns_name(&c, msg, len, name, sizeof(name)))
        return false;
    strbuf_addf(out, "%u %s", priority, name);
    for (int i = 0; i < 16 && cur_left(&c); i++) {
        uint16_t key = cur_be16(&c);
        struct cursor v = cur_sub(&c, cur_be16(&c));
        if (c.bad)
            return false;
        add_param(out, key, v);
    }
    return true;
}

/* ---- records ---- */
static bool add_texts(struct strbuf *out, struct cursor c)
{
    while (cur_left(&c)) {
        uint8_t n = cur_u8(&c);
        const uint8_t *text = cur_take(&c, n);
        if (!text)
            return false;
        strbuf_addch(out, '"');
        strbuf_add_clean(out, text, n, 255);
        strbuf_addstr(out, cur_left(&c) ? "\" " : "\"");
    }
    return true;
}

/* Numbers of 16 bits, then a name: SRV has three, MX one. */
static bool add_named(struct strbuf *out, struct cursor c, const uint8_t *msg, size_t len, int n)
{
    char name[256];
    for (int i = 0; i < n; i++)
        strbuf_addf(out, "%u ", cur_be16(&c));
    if (c.bad || !dns_name(&c, msg, len, name, sizeof(name)))
        return false;
    strbuf_addstr(out, name);
    return true;
}

static bool add_address(struct strbuf *out, struct cursor c, int family)
{
    char text[ADDR_TEXT_MAX];
    struct addr a = {.family = (uint8_t)family};
    const uint8_t *b = cur_take(&c, family == 4 ? 4 : 16);
    if (!b)
        return false;
    memcpy(a.b, b, family == 4 ? 4 : 16);
    strbuf_addstr(out, addr_text(text, &a));
    return true;
}

static bool add_data(struct strbuf *out, const struct dns_record *rr, const uint8_t *msg,
                     size_t len)
{
    struct cursor c = rr->data;
    switch (rr->type) {
    case DNS_A: return add_address(out, c, 4);
    case DNS_AAAA: return add_address(out, c, 6);
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR:
    case DNS_SOA: return add_named(out, c, msg, len, 0);
    case DNS_MX: return add_named(out, c, msg, len, 1);
    case DNS_SRV: return add_named(out, c, msg, len, 3);
    case DNS_TXT: return add_texts(out, c);
    case DNS_HTTPS:
    case DNS_SVCB: return add_service(out, c, msg, len);
    default: strbuf_addf(out, "(%zu bytes)", cur_left(&c)); return true;
    }
}

bool record_text(struct strbuf *out, const struct dns_record *rr, const uint8_t *msg, size_t len)
{
    char word[16];
    strbuf_addf(out, "%s ",
                rr->type == DNS_HTTPS  ? "HTTPS"
                : rr->type == DNS_SVCB ? "SVCB"
                                       : dns_type_name(word, rr->type));
    if (!add_data(out, rr, msg, len))
        return false;
    strbuf_addf(out, " ttl %u", rr->ttl);
    return out->err == 0;
}

/* ---- a whole message ---- */
/* RFC 8914: why a resolver could not. */
static void read_options(struct answer *a, struct cursor c)
{
    char words[120];
    while (cur_left(&c) >= 4) {
        uint16_t option = cur_be16(&c);
        struct cursor v = cur_sub(&c, cur_be16(&c));
        if (c.bad)
            return;
        if (option != EDE_OPTION || cur_left(&v) < 2 || a->why[0])
            continue;
        uint16_t code = cur_be16(&v);
        size_t n = cur_left(&v);
        const uint8_t *text = cur_take(&v, n);
        snprintf(a->why, sizeof(a->why), "%u %s", code,
                 text_clean(words, sizeof(words), text, text ? n : 0));
    }
}

static void take_address(struct answer *a, const struct dns_record *rr)
{
    struct addr x = {.family = rr->type == DNS_A ? 4 : 6};
    struct cursor c = rr->data;
    const uint8_t *b = cur_take(&c, rr->type == DNS_A ? 4 : 16);
    if (!b)
        return;
    memcpy(x.b, b, rr->type == DNS_A ? 4 : 16);
    if (a->naddr < ARRAY_SIZE(a->addrs))
        a->addrs[a->naddr++] = x;
    else
        a->left_out++;
}

static void take_record(struct answer *a, const struct dns_record *rr, const uint8_t *msg,
                        size_t len)
{
    struct strbuf sb = STRBUF_INIT;
    if (!a->records++ && record_text(&sb, rr, msg, len))
        snprintf(a->first, sizeof(a->first), "%.*s", (int)sizeof(a->first) - 1, sb.buf);
    strbuf_release(&sb);
    if (rr->type == DNS_A || rr->type == DNS_AAAA)
        take_address(a, rr);
}

void answer_read(struct answer *a, const uint8_t *msg, size_t len, uint16_t type)
{
    struct dns_walk w;
    struct dns_record rr;
    memset(a, 0, sizeof(*a));
    if (!dns_walk_init(&w, msg, len)) {
        a->damaged = true;
        return;
    }
    a->rcode = w.rcode;
    a->truncated = w.flags & TC_FLAG;
    while (dns_walk_next(&w, &rr)) {
        if (rr.section == DNS_ADDITIONAL && rr.type == DNS_OPT)
            read_options(a, rr.data);
        if (rr.section != DNS_ANSWER || rr.class != 1)
            continue;
        if (!a->name[0])
            snprintf(a->name, sizeof(a->name), "%s", rr.name);
        if (rr.type == type)
            take_record(a, &rr, msg, len);
    }
    a->damaged = w.c.bad;
}
