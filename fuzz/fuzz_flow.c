/*
 * Packets into the flow table, whose caps are small here so that they bite. Two kinds of input: a
 * capture file as it lies on disk, or segments of a few connections in short, which mutations can
 * change without tearing the file around them:
 *   { 0xf1, 0 } { time step 16 bits, its unit 4 bits, who and which connection 4 bits, flags 8
 * bits, seq 16 bits, ack 16 bits (relative; their units in the next byte), units 8 bits, window 16
 * bits, TTL 8 bits, IP-ID 8 bits, what else 8 bits, payload length 8 bits, payload }...
 */
#include "fuzz.h"

#include "flow/flow.h"

enum { SHORT_MARK = 0xf1, SHORT_HEAD = 17 };

struct told {
    struct flow_table *t;
    uint64_t last_reset;
};

/* ---- what must hold of everything it tells ---- */
static void check_record(void *arg, const struct flow_record *rec)
{
    (void)arg;
    MUST(rec->duration >= 0);
    MUST(rec->state < CONN_NONE && conn_state_name(rec->state));
    MUST(strnlen(rec->history, HISTORY_MAX) < HISTORY_MAX);
    MUST(rec->packets[0] + rec->packets[1] > 0 || strpbrk(rec->history, "Cc"));
}

static void check_words(const struct reset *r)
{
    must_be_clean(r->last_words, sizeof(r->last_words));
    must_be_clean(r->payload_text, sizeof(r->payload_text));
    must_be_clean(r->first_orig.text, sizeof(r->first_orig.text));
    must_be_clean(r->first_resp.text, sizeof(r->first_resp.text));
    must_be_clean(r->first_orig.name, sizeof(r->first_orig.name));
    must_be_clean(r->history, sizeof(r->history));
    MUST(r->harmful_why && r->harmful_why[0]);
}

static bool is_span(nstime t)
{
    return t == NSTIME_NONE || t >= 0;
}

static void check_reset(void *arg, const struct reset *r)
{
    struct told *told = arg;

    MUST(r->id >= 1 && r->rev >= 1 && r->flow >= 1);
    MUST(r->rev > 1 || r->id == told->last_reset + 1);
    told->last_reset = MAX_OF(told->last_reset, r->id);
    MUST(r->from == SIDE_ORIG || r->from == SIDE_RESP);
    MUST(stage_name(r->stage) && direction_name(r->direction) && vantage_end_name(r->vantage_end));
    MUST(r->rst_count >= 1 && r->rst_burst >= 1 && r->rst_burst <= r->rst_count);
    MUST(r->seq_fit != SEQ_EXACT || r->seq_off == 0);
    for (int s = 0; s < 2; s++)
        MUST(r->bytes[s].acked <= r->bytes[s].sent);
    MUST(is_span(r->rtt) && is_span(r->rtt_min) && is_span(r->trigger_delay) && is_span(r->idle));
    MUST(is_span(r->since_last) && is_span(r->age) && is_span(r->since_request));
    MUST(!r->retry_worked || r->retried);
    check_words(r);
}

static void check_flow(const struct flow_table *t, const struct flow *f, const struct packet *p)
{
    const struct flow_key *k = flow_get_key(f);
    const uint8_t *bytes;

    MUST(flow_table_by_id(t, flow_id(f)) == f);
    if (p->l4 != L4_TCP)
        return;
    struct flow_key own = {p->src, p->dst, p->tcp.sport, p->tcp.dport};
    MUST(flow_key_equal(k, &own) || flow_key_reverse_equal(k, &own));
    for (int s = 0; s < 2; s++) {
        size_t n = flow_first_bytes(f, (enum side)s, &bytes);
        for (size_t i = 0; i < n; i += 97) /* what it promises can be read */
            MUST(*(volatile const uint8_t *)&bytes[i] == bytes[i]);
        must_be_clean(flow_first_app(f, (enum side)s)->text, 160);
    }
}

static struct flow_table *fresh_table(struct told *told)
{
    struct flow_settings st = {.max_flows = 24,
                               .max_resets = 40,
                               .max_kept_bytes = 3000,
                               .on_record = check_record,
                               .on_reset = check_reset,
                               .arg = told};

    *told = (struct told){0};
    told->t = flow_table_new(&st);
    return told->t;
}

static void take(struct flow_table *t, const struct packet *p)
{
    const struct flow *f = flow_table_packet(t, p);

    if (f)
        check_flow(t, f, p);
    MUST(flow_table_counts(t)->live_flows <= 24);
    MUST(flow_table_resets(t) <= 40);
}

static void finish(struct flow_table *t)
{
    flow_table_finish(t);
    for (size_t id = 1; id <= flow_table_resets(t); id++)
        MUST(flow_table_reset(t, id)->id == id);
    flow_table_free(t);
}

/* ---- a capture ---- */
static void run_capture(struct flow_table *t, const uint8_t *data, size_t size)
{
    struct capread r;
    struct record rec;
    struct packet p;
    struct flow_ready ready;
    struct defrag *d = defrag_new(16384);
    size_t at = 0, used;

    capread_init(&r);
    while (d && capread_next(&r, data + at, size - at, &used, &rec) == 1) {
        at += used;
        flow_make_ready(&ready, &rec, flow_table_key(t));
        flow_table_soon(t, &ready);
        packet_decode(&p, &rec, d);
        take(t, &p);
    }
    capread_release(&r);
    defrag_free(d);
}

/* ---- segments in short ---- */
static nstime step_of(uint16_t n, unsigned unit)
{
    static const nstime units[] = {1,          NS_PER_US,         NS_PER_MS, 100 * NS_PER_MS,
                                   NS_PER_SEC, 3600 * NS_PER_SEC, -1,        -NS_PER_MS,
                                   0,          (nstime)1 << 46};
    return (int16_t)n * units[unit % ARRAY_SIZE(units)];
}

/* Clocks go backwards and far ahead, as far as a reader lets them (struct record). */
static nstime later_by(nstime now, nstime step)
{
    const nstime first = -((nstime)1 << 61), last = (nstime)1 << 62;

    return now + step < first ? first : now + step > last ? last : now + step;
}

static uint32_t number_of(uint32_t isn, uint16_t n, unsigned unit)
{
    static const unsigned shifts[] = {0, 0, 0, 4, 8, 15, 16, 12};

    return unit & 8 ? (uint32_t)n << 16
                    : isn + (uint32_t)((int32_t)(int16_t)n * (1 << shifts[unit & 7]));
}

static void take_options(struct tcp_header *h, uint8_t what)
{
    h->has_ts = what & 1;
    h->sack_ok = what & 2;
    h->wscale = what & 4 ? 7 : -1;
    h->has_tfo = what & 8;
    h->checksum_seen = true;
    h->checksum_ok = !(what & 16);
    h->checksum_partial = (what & 48) == 48;
    h->mptcp_rst = what & 64 ? 3 : -1;
}

static void run_short(struct flow_table *t, const uint8_t *data, size_t size)
{
    static const uint32_t isn[2] = {0xfffffff0, 1000};
    struct cursor c = cursor_of(data, size);
    nstime now = 1700000000 * NS_PER_SEC;

    for (uint64_t n = 1; cur_left(&c) >= SHORT_HEAD; n++) {
        struct packet p = {.number = n, .l4 = L4_TCP, .link = LINK_EN10MB, .ip_checksum_ok = true};
        uint16_t step = cur_be16(&c);
        uint8_t who = cur_u8(&c), flags = cur_u8(&c);
        uint16_t seq = cur_be16(&c), ack = cur_be16(&c);
        uint8_t units = cur_u8(&c);
        bool side = who & 1;
        now = later_by(now, step_of(step, who >> 4));
        p.time = now;
        p.src = (struct addr){4, {192, 0, 2, side ? 80 : 1}};
        p.dst = (struct addr){4, {192, 0, 2, side ? 1 : 80}};
        p.tcp = (struct tcp_header){.header_len = 20, .flags = flags};
        p.tcp.sport = side ? 443 : (uint16_t)(40000 + (who >> 1 & 7));
        p.tcp.dport = side ? (uint16_t)(40000 + (who >> 1 & 7)) : 443;
        p.tcp.seq = number_of(isn[side], seq, units & 15);
        p.tcp.ack = number_of(isn[!side], ack, units >> 4);
        p.tcp.window = cur_be16(&c);
        p.ttl = cur_u8(&c);
        p.ip_id = cur_u8(&c);
        take_options(&p.tcp, cur_u8(&c));
        uint8_t len = cur_u8(&c), more = cur_u8(&c);
        struct cursor bytes = cur_sub(&c, len);
        p.payload = bytes.p;
        p.payload_caplen = (uint32_t)cur_left(&bytes);
        p.payload_len = p.payload_caplen + ((uint32_t)more << (more & 3) * 8);
        cur_u8(&c);
        take(t, &p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct told told;
    struct flow_table *t = fresh_table(&told);

    if (!t)
        return 0;
    if (size >= 2 && data[0] == SHORT_MARK && data[1] == 0)
        run_short(t, data + 2, size - 2);
    else
        run_capture(t, data, size);
    finish(t);
    return 0;
}

/* ---- the inputs it begins with ---- */
static void put_short(struct strbuf *b, unsigned who, unsigned flags, unsigned seq, unsigned ack,
                      const char *text)
{
    put_be16(b, 10);
    strbuf_addch(b, (char)(0x20 | who)); /* 10 ms */
    strbuf_addch(b, (char)flags);
    put_be16(b, seq);
    put_be16(b, ack);
    strbuf_addch(b, 0);
    put_be16(b, 500);
    strbuf_addch(b, 64);
    strbuf_addch(b, 1);
    strbuf_addch(b, 0);
    strbuf_addch(b, (char)strlen(text));
    strbuf_addch(b, 0);
    strbuf_addstr(b, text);
    strbuf_addch(b, 0);
}

static void put_handshake(struct strbuf *b, unsigned which)
{
    put_short(b, which, TCP_SYN, 0, 0, "");
    put_short(b, which | 1, TCP_SYN | TCP_ACK, 0, 1, "");
    put_short(b, which, TCP_ACK, 1, 1, "");
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
                      reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    const unsigned asked = 1 + sizeof(request) - 1, told = 1 + sizeof(reply) - 1;
    struct strbuf b = STRBUF_INIT;

    strbuf_add(&b, "\xf1\0", 2);
    put_handshake(&b, 0);
    put_short(&b, 0, TCP_ACK | TCP_PSH, 1, 1, request);
    put_short(&b, 1, TCP_ACK | TCP_PSH, 1, asked, reply);
    put_short(&b, 1, TCP_ACK | TCP_FIN, told, asked, "");
    put_short(&b, 0, TCP_ACK | TCP_RST, asked, told, "");
    add(arg, b.buf, b.len);
    strbuf_reset(&b);
    strbuf_add(&b, "\xf1\0", 2);
    put_short(&b, 2, TCP_SYN, 0, 0, "");
    put_short(&b, 3, TCP_RST | TCP_ACK, 0, 1, "");
    put_short(&b, 2, TCP_SYN, 0, 0, "");
    put_short(&b, 5, TCP_RST | TCP_ACK, 0, 1, "");
    put_short(&b, 4, TCP_SYN, 0, 0, "");
    put_handshake(&b, 6);
    put_short(&b, 6, TCP_ACK, 1, 1, request);
    put_short(&b, 6, TCP_ACK, 1, 1, request);
    put_short(&b, 7, TCP_RST, 1, 0, "No local listener");
    put_short(&b, 7, TCP_RST | TCP_ACK, 1461, asked, "");
    put_short(&b, 7, TCP_ACK | TCP_PSH, 1, asked, reply);
    put_short(&b, 6, TCP_ACK, asked, told, "");
    add(arg, b.buf, b.len);
    strbuf_release(&b);
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    add(arg, file, MIN_OF(len, 8000));
}
