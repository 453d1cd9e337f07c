/* DNS messages (RFC 1035). */
#include "wire/app.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_WIRE 255
#define JUMPS_MAX     64
#define FLAG_ANSWER   0x8000

static const struct {
    uint16_t type;
    const char *name;
} types[] = {
    {1, "A"},      {2, "NS"},     {5, "CNAME"},   {6, "SOA"},    {12, "PTR"},  {15, "MX"},
    {16, "TXT"},   {28, "AAAA"},  {33, "SRV"},    {35, "NAPTR"}, {41, "OPT"},  {43, "DS"},
    {46, "RRSIG"}, {47, "NSEC"},  {48, "DNSKEY"}, {50, "NSEC3"}, {52, "TLSA"}, {64, "SVCB"},
    {65, "HTTPS"}, {251, "IXFR"}, {252, "AXFR"},  {255, "ANY"},  {257, "CAA"},
};

const char *dns_type_name(char out[16], uint16_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (types[i].type == type) {
            snprintf(out, 16, "%s", types[i].name);
            return out;
        }
    snprintf(out, 16, "TYPE%u", type);
    return out;
}

const char *dns_rcode_name(char out[16], uint8_t rcode)
{
    static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                        "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                        "NXRRSET", "NOTAUTH", "NOTZONE"};

    if (rcode < ARRAY_SIZE(names))
        snprintf(out, 16, "%s", names[rcode]);
    else
        snprintf(out, 16, "RCODE%u", rcode);
    return out;
}

struct name_out {
    char raw[NAME_MAX_WIRE * 2 + 2];
    size_t len, wire;
};

/* A dot within a label is written \. as in zone files (RFC 1035 5.1). */
static bool add_label(struct name_out *n, const uint8_t *label, size_t len)
{
    n->wire += len + 1;
    if (n->wire > NAME_MAX_WIRE)
        return false;
    if (n->len)
        n->raw[n->len++] = '.';
    for (size_t i = 0; i < len; i++) {
        if (label[i] == '.')
            n->raw[n->len++] = '\\';
        n->raw[n->len++] = (char)label[i];
    }
    return true;
}

bool dns_name(struct cursor *c, const uint8_t *msg, size_t len, char *out, size_t outlen)
{
    struct name_out n;
    struct cursor at = *c;
    size_t limit = (size_t)(c->p - msg); /* a pointer must lead to before where it was read */
    bool jumped = false;

    n.len = n.wire = 0;
    for (int jumps = 0;;) {
        uint8_t b = cur_u8(&at);
        if (at.bad)
            return false;
        if (b == 0)
            break;
        if (b >= 0xc0) {
            size_t to = (size_t)(b & 0x3f) << 8 | cur_u8(&at);
            if (at.bad || to >= limit || ++jumps > JUMPS_MAX)
                return false;
            if (!jumped)
                *c = at;
            jumped = true;
            limit = to;
            at = cursor_of(msg + to, len - to);
            continue;
        }
        const uint8_t *label = b < 0x40 ? cur_take(&at, b) : NULL;
        if (!label || !add_label(&n, label, b))
            return false;
    }
    if (!jumped)
        *c = at;
    if (n.len == 0)
        n.raw[n.len++] = '.';
    text_clean(out, outlen, n.raw, n.len);
    return true;
}

static bool take_question(struct dns_walk *w, char *name, size_t namelen, uint16_t *type)
{
    if (!dns_name(&w->c, w->msg, w->len, name, namelen))
        return false;
    *type = cur_be16(&w->c);
    cur_be16(&w->c); /* class */
    return !w->c.bad;
}

static bool take_head(struct dns_walk *w, const uint8_t *msg, size_t len)
{
    *w = (struct dns_walk){.msg = msg, .len = len, .c = cursor_of(msg, len)};
    w->id = cur_be16(&w->c);
    w->flags = cur_be16(&w->c);
    w->rcode = w->flags & 15;
    w->questions = cur_be16(&w->c);
    for (int i = 0; i < 3; i++)
        w->left[i] = cur_be16(&w->c);
    return !w->c.bad;
}

bool dns_walk_init(struct dns_walk *w, const uint8_t *msg, size_t len)
{
    char name[256];
    uint16_t type;

    if (!take_head(w, msg, len))
        return false;
    for (unsigned i = 0; i < w->questions; i++)
        if (!take_question(w, name, sizeof(name), &type))
            return false;
    return true;
}

bool dns_walk_next(struct dns_walk *w, struct dns_record *rr)
{
    int section = 0;

    while (section < 3 && w->left[section] == 0)
        section++;
    if (section == 3)
        return false;
    w->left[section]--;
    rr->section = (enum dns_section)section;
    if (!dns_name(&w->c, w->msg, w->len, rr->name, sizeof(rr->name)))
        return false;
    rr->type = cur_be16(&w->c);
    rr->class = cur_be16(&w->c);
    rr->ttl = cur_be32(&w->c);
    rr->data = cur_sub(&w->c, cur_be16(&w->c));
    return !w->c.bad;
}

/* What a message must look like before it is believed to be one: an opcode in use, Z zero. */
static bool plausible(const struct dns_walk *w)
{
    unsigned opcode = w->flags >> 11 & 15;

    return opcode <= 6 && opcode != 3 && !(w->flags & 0x40) && w->questions <= 32;
}

bool dns_decode(struct app *a, const uint8_t *msg, size_t len)
{
    struct dns_walk w;
    uint16_t type = 0;
    char word[16];

    *a = (struct app){.kind = APP_NONE, .content_length = -1};
    if (!take_head(&w, msg, len) || !plausible(&w))
        return false;
    bool answer = w.flags & FLAG_ANSWER;
    if (w.questions == 0 && !answer)
        return false;
    if (w.questions > 0) {
        if (!take_question(&w, a->name, sizeof(a->name), &type)) {
            a->name[0] = '\0';
            return false;
        }
        snprintf(a->text, sizeof(a->text), "%s %.100s", dns_type_name(word, type), a->name);
    }
    a->kind = answer ? APP_DNS_ANSWER : APP_DNS_QUERY;
    if (answer)
        text_addf(a->text, sizeof(a->text), "%s%s, %u answers", w.questions ? " " : "",
                  dns_rcode_name(word, w.rcode), w.left[DNS_ANSWER]);
    return true;
}

/* On port 53 a message stands alone (UDP), or behind its length (TCP, RFC 1035 4.2.2). */
bool dns_stream_decode(struct app *a, const uint8_t *data, size_t len)
{
    size_t said = len >= 2 ? (size_t)(data[0] << 8 | data[1]) : 0;

    if (said >= 12 && len > 2) {
        if (dns_decode(a, data + 2, MIN_OF(said, len - 2))) {
            a->partial = said > len - 2;
            return true;
        }
    }
    return dns_decode(a, data, len);
}
