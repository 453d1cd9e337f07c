#include "tests/flow/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXT_MAX 8192

static void take_record(void *arg, const struct flow_record *rec)
{
    struct script *s = arg;
    if (s->nrecords < SCRIPT_RECORDS_MAX)
        s->records[s->nrecords++] = *rec;
}

static void take_reset(void *arg, const struct reset *r)
{
    struct script *s = arg;
    s->told++;
    assert_non_null(r->harmful_why);
}

void script_init(struct script *s, const struct flow_settings *st)
{
    struct flow_settings own = st ? *st : (struct flow_settings){0};
    memset(s, 0, sizeof(*s));
    own.on_record = take_record;
    own.on_reset = take_reset;
    own.arg = s;
    s->isn[0] = 1000000;
    s->isn[1] = 2000000;
    s->start = 1700000000 * NS_PER_SEC;
    s->t = flow_table_new(&own);
    assert_non_null(s->t);
}

void script_release(struct script *s)
{
    flow_table_free(s->t);
}

struct line { /* what is left of it */
    const char *p, *end;
};

static bool token(struct line *l, char *out, size_t outlen)
{
    size_t n = 0;
    while (l->p < l->end && *l->p == ' ')
        l->p++;
    while (l->p < l->end && *l->p != ' ' && n + 1 < outlen)
        out[n++] = *l->p++;
    out[n] = '\0';
    return n > 0;
}

static uint8_t flags_of(const char *s)
{
    static const char letters[] = "FSRPAU";
    uint8_t flags = 0;
    for (; *s && *s != '-'; s++) {
        const char *at = strchr(letters, *s);
        if (!at)
            fail_msg("no TCP flag: %c", *s);
        flags |= (uint8_t)(1 << (at - letters));
    }
    return flags;
}

static uint32_t number_of(const char *s, uint32_t base)
{
    return *s == '!' ? (uint32_t)strtoul(s + 1, NULL, 0) : (uint32_t)strtol(s, NULL, 0) + base;
}

static size_t unescape(uint8_t *out, size_t outlen, const struct line *l)
{
    size_t n = 0;
    for (const char *p = l->p; p < l->end && n < outlen; p++) {
        bool escaped = *p == '\\' && p + 1 < l->end;
        if (escaped)
            p++;
        if (escaped && *p == 'x' && p + 2 < l->end) {
            char hex[3] = {p[1], p[2], 0};
            out[n++] = (uint8_t)strtoul(hex, NULL, 16);
            p += 2;
        } else {
            out[n++] = escaped && *p == 'r' ? '\r' : escaped && *p == 'n' ? '\n' : (uint8_t)*p;
        }
    }
    return n;
}

static void word_of(struct packet *p, const char *w)
{
    if (!strcmp(w, "ts"))
        p->tcp.has_ts = true, p->tcp.tsval = (uint32_t)(p->time / NS_PER_MS);
    else if (!strcmp(w, "sack"))
        p->tcp.sack_ok = true;
    else if (!strcmp(w, "tfo"))
        p->tcp.has_tfo = true;
    else if (!strcmp(w, "bad"))
        p->tcp.checksum_ok = false;
    else if (!strcmp(w, "unsummed"))
        p->tcp.checksum_seen = false;
    else if (!strcmp(w, "partial"))
        p->tcp.checksum_ok = false, p->tcp.checksum_partial = true;
    else if (!strcmp(w, "df"))
        p->df = true;
    else if (!strcmp(w, "in"))
        p->dir = DIR_IN;
    else if (!strcmp(w, "out"))
        p->dir = DIR_OUT;
    else
        fail_msg("no such word: %s", w);
}

static void value_of(struct script *s, struct packet *p, int side, const char *w, const char *v)
{
    unsigned long n = strtoul(v, NULL, 0);
    uint16_t *client = side ? &p->tcp.dport : &p->tcp.sport;
    uint16_t *server = side ? &p->tcp.sport : &p->tcp.dport;
    size_t len = (size_t)(v - w) - 1;
    if (!strncmp(w, "win", len))
        p->tcp.window = (uint16_t)n;
    else if (!strncmp(w, "ttl", len))
        p->ttl = (uint8_t)n;
    else if (!strncmp(w, "id", len))
        p->ip_id = (uint16_t)n;
    else if (!strncmp(w, "ws", len))
        p->tcp.wscale = (int8_t)n;
    else if (!strncmp(w, "mss", len))
        p->tcp.mss = (uint16_t)n, p->tcp.has_mss = true;
    else if (!strncmp(w, "port", len))
        *client = (uint16_t)n;
    else if (!strncmp(w, "sport", len))
        *server = (uint16_t)n;
    else if (!strncmp(w, "from", len))
        (side ? &p->dst : &p->src)->b[3] = (uint8_t)n;
    else if (!strncmp(w, "isn", len)) {
        p->tcp.seq += (uint32_t)n - s->isn[side];
        s->isn[side] = (uint32_t)n;
    } else
        fail_msg("no such key: %s", w);
}

static void run_line(struct script *s, struct line l)
{
    static uint8_t text[TEXT_MAX];
    char w[64];
    struct packet p = {.l4 = L4_TCP, .link = LINK_EN10MB, .ttl = 64, .ip_checksum_ok = true};
    if (!token(&l, w, sizeof(w)) || *w == '#')
        return;
    p.number = ++s->number;
    p.time = s->start + (nstime)(strtod(w, NULL) * 1e9 + 0.5);
    if (!token(&l, w, sizeof(w)) || !strchr("<>", *w))
        fail_msg("no direction: %s", w);
    int side = *w == '<';
    p.src = (struct addr){4, {192, 0, 2, side ? 80 : 1}};
    p.dst = (struct addr){4, {192, 0, 2, side ? 1 : 80}};
    p.tcp = (struct tcp_header){.sport = side ? 443 : 40000,
                                .dport = side ? 40000 : 443,
                                .wscale = -1,
                                .mptcp_rst = -1,
                                .window = 1024,
                                .header_len = 20,
                                .checksum_seen = true,
                                .checksum_ok = true};
    token(&l, w, sizeof(w));
    p.tcp.flags = flags_of(w);
    token(&l, w, sizeof(w));
    const char *plus = strchr(w, '+');
    p.tcp.seq = number_of(w, s->isn[side]);
    p.payload_len = plus ? (uint32_t)strtoul(plus + 1, NULL, 10) : 0;
    while (token(&l, w, sizeof(w))) {
        const char *eq = strchr(w, '=');
        if (!strncmp(w, "text=", 5)) {
            l.p -= strlen(w) - 5;
            p.payload_len = (uint32_t)unescape(text, sizeof(text), &l);
            p.payload_caplen = p.payload_len;
            break;
        }
        if (eq)
            value_of(s, &p, side, w, eq + 1);
        else if (*w == '!' || *w == '-' || (*w >= '0' && *w <= '9'))
            p.tcp.ack = number_of(w, s->isn[!side]);
        else
            word_of(&p, w);
    }
    if (p.payload_len && !p.payload_caplen) {
        p.payload_caplen = p.payload_len < TEXT_MAX ? p.payload_len : TEXT_MAX;
        memset(text, 'x', p.payload_caplen);
    }
    p.payload = text;
    s->last = flow_table_packet(s->t, &p);
}

void script_run(struct script *s, const char *lines)
{
    while (*lines) {
        const char *end = strchr(lines, '\n');
        if (!end)
            end = lines + strlen(lines);
        run_line(s, (struct line){lines, end});
        lines = *end ? end + 1 : end;
    }
}

void script_play(struct script *s, const char *lines)
{
    script_init(s, NULL);
    script_run(s, lines);
    flow_table_finish(s->t);
}

const struct reset *script_reset(const struct script *s, uint64_t id)
{
    const struct reset *r = flow_table_reset(s->t, id);
    if (!r)
        fail_msg("there is no reset %d", (int)id);
    return r;
}

const char *script_records(const struct script *s, char out[256])
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < s->nrecords && n < 256; i++) {
        const char *state = conn_state_name(s->records[i].state);
        n += (size_t)snprintf(out + n, 256 - n, "%s%s %s", i ? "; " : "", state ? state : "-",
                              s->records[i].history);
    }
    return out;
}
