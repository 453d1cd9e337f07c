/* DNS messages (RFC 1035, 6891): numbers stay, names go label by label, addresses are mapped. */
#include "redact/private.h"

enum {
    A = 1,
    NS = 2,
    CNAME = 5,
    SOA = 6,
    PTR = 12,
    MX = 15,
    AAAA = 28,
    SRV = 33,
    DNAME = 39,
    OPT = 41
};

struct message {
    struct redactor *r;
    const uint8_t *in;
    uint8_t *out;
    size_t at, len;
};

static bool keep_bytes(struct message *m, size_t n)
{
    if (n > m->len - m->at)
        return false;
    memcpy(m->out + m->at, m->in + m->at, n);
    m->at += n;
    return true;
}

/* Reverse zones spell an address (RFC 1035 3.5, 3596 2.5), a label a number: they go as labels do.
 */
static bool name(struct message *m)
{
    for (int labels = 0; labels < 128; labels++) {
        if (m->at >= m->len)
            return false;
        uint8_t n = m->in[m->at];
        if (n >= 0xc0)
            return keep_bytes(m, 2);
        if (n >= 0x40 || !keep_bytes(m, 1))
            return false;
        if (!n)
            return true;
        if (n > m->len - m->at)
            return false;
        redact_label(m->r, m->in + m->at, m->out + m->at, n, labels > 0);
        m->at += n;
    }
    return false;
}

static void address(struct message *m, size_t n)
{
    struct addr a = {.family = n == 4 ? 4 : 6};

    memcpy(a.b, m->in + m->at, n);
    redact_addr(m->r, &a);
    memcpy(m->out + m->at, a.b, n);
}

static bool record(struct message *m)
{
    if (!name(m) || m->len - m->at < 10)
        return false;
    uint16_t type = get16(m->in + m->at), len = get16(m->in + m->at + 8);
    keep_bytes(m, 10);
    if (len > m->len - m->at)
        return false;
    struct message data = *m;
    data.len = m->at + len;
    m->at += len;
    switch (type) {
    case A:
        if (len == 4)
            address(&data, 4);
        break;
    case AAAA:
        if (len == 16)
            address(&data, 16);
        break;
    case NS:
    case CNAME:
    case DNAME:
    case PTR: name(&data); break;
    case MX:
        if (keep_bytes(&data, 2))
            name(&data);
        break;
    case SRV:
        if (keep_bytes(&data, 6))
            name(&data);
        break;
    case SOA:
        if (name(&data) && name(&data))
            keep_bytes(&data, 20);
        break;
    default: break;
    }
    return true;
}

static void message(struct message *m)
{
    unsigned questions, records;

    if (!keep_bytes(m, 12))
        return;
    questions = get16(m->in + m->at - 8);
    records =
        (unsigned)get16(m->in + m->at - 6) + get16(m->in + m->at - 4) + get16(m->in + m->at - 2);
    for (; questions; questions--)
        if (!name(m) || !keep_bytes(m, 4))
            return;
    for (; records; records--)
        if (!record(m))
            return;
}

/* Over TCP a length stands in front (RFC 1035 4.2.2), as dns_stream_decode() has it. */
void rewrite_dns(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    struct app a;
    struct message m = {r, in, out, 0, n};
    size_t said = n >= 2 ? get16(in) : 0;

    scramble(r, in, out, n);
    if (said >= 12 && n > 2 && dns_decode(&a, in + 2, MIN_OF(said, n - 2))) {
        memcpy(out, in, 2);
        m = (struct message){r, in + 2, out + 2, 0, MIN_OF(said, n - 2)};
        message(&m);
    } else if (dns_decode(&a, in, n)) {
        message(&m);
    }
}
