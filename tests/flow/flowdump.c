/*
 * flowdump [--records|--streams|--packets|--facts] FILE: one tab-separated line for each reset (or
 * each Zeek record, each flow with what its packets were, each TCP packet with its flags, each
 * reset with its packet and all its facts) of a capture. A development tool: what the engine makes
 * of a file, before any judging.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow.h"
#include "tests/flow/snapshot.h"

static void print_key(const struct flow_key *k)
{
    char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];
    printf("%s\t%u\t%s\t%u", addr_text(a, &k->src), k->sport, addr_text(b, &k->dst), k->dport);
}

static void print_record(void *arg, const struct flow_record *rec)
{
    const char *state = conn_state_name(rec->state);
    (void)arg;
    print_key(&rec->key);
    printf("\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.6f\n",
           state ? state : "-", rec->history[0] ? rec->history : "-", rec->packets[0],
           rec->packets[1], rec->bytes[0], rec->bytes[1], (double)rec->start / 1e9);
}

static const char *word(const char *s)
{
    return s && *s ? s : "-";
}

static double ms(nstime t)
{
    return t == NSTIME_NONE ? -1 : (double)t / 1e6;
}

static void print_reset(const struct reset *r)
{
    static const char *const fits[] = {"exact", "in-window", "out", "unknown"};
    char flags[9];
    print_key(&r->key);
    printf("\t%s\t%s\t%s\t%s\t%s\t%s", word(stage_name(r->stage)),
           r->from == SIDE_ORIG ? "orig" : "resp", r->harmful ? "y" : "n",
           word(rst_class_name(r->class)), word(conn_state_name(r->conn_state)), word(r->history));
    printf("\t#%" PRIu64 " %s %s%+d", r->packet, tcp_flags_text(flags, r->flags), fits[r->seq_fit],
           r->seq_off);
    printf("\t%" PRIu64 "/%" PRIu64 ",%" PRIu64 "/%" PRIu64, r->bytes[0].acked, r->bytes[0].sent,
           r->bytes[1].acked, r->bytes[1].sent);
    printf("\trsts=%u+%u after=%u,%u idle=%.1f trig=%.2f rtt=%.2f", r->rst_count, r->rst_other_side,
           r->packets_after[0], r->packets_after[1], ms(r->idle), ms(r->trigger_delay),
           ms(r->rtt_min));
    printf(" ttl=%u/%d/%d win=%u id=%u %s%s%s%s%s%s", r->ttl, r->ttl_baseline, r->ttl_other,
           r->window_raw, r->ip_id, r->lived_on ? " lived-on" : "", r->retried ? " retried" : "",
           r->retry_worked ? " worked" : "", r->synack_bad_ack ? " half-open" : "",
           r->response_complete ? " complete" : "", r->midstream ? " midstream" : "");
    printf("\t%s/%s\t%s\t%s\n", vantage_end_name(r->vantage_end), direction_name(r->direction),
           r->harmful_why, r->last_words);
}

/* ---- flows as sets of packets, in the terms of tshark's tcp.completeness ---- */
enum { SYN = 1, SYN_ACK = 2, ACK = 4, DATA = 8, FIN = 16, RST = 32 };

static struct stream {
    uint64_t first, packets, rsts;
    unsigned seen;
} * streams;
static size_t nstreams, streams_alloc;

/* Its rules: data counts only with ACK and without SYN, an ACK only without data, FIN with ACK. */
static unsigned completes(const struct packet *p)
{
    uint8_t f = p->tcp.flags;
    bool acks = f & TCP_ACK;
    unsigned seen = (f & TCP_RST ? RST : 0) | (acks && f & TCP_FIN ? FIN : 0);

    if (f & TCP_SYN)
        return seen | (acks ? SYN_ACK : SYN);
    return acks ? seen | (p->payload_len ? DATA : ACK) : seen;
}

static void count_packet(const struct flow *f, const struct packet *p)
{
    size_t id = f ? (size_t)flow_id(f) : 0, had = nstreams;

    if (!f || p->l4 != L4_TCP)
        return;
    if (id >= nstreams) {
        if (array_grow(&streams, &streams_alloc, id + 1, sizeof(*streams)) < 0)
            abort();
        nstreams = id + 1;
        memset(&streams[had], 0, (nstreams - had) * sizeof(*streams));
    }
    struct stream *s = &streams[id];
    if (!s->packets++)
        s->first = p->number;
    s->rsts += !!(p->tcp.flags & TCP_RST);
    s->seen |= completes(p);
}

static void print_packet(const struct packet *p)
{
    struct flow_key k = {p->src, p->dst, p->tcp.sport, p->tcp.dport};

    if (p->l4 != L4_TCP)
        return;
    print_key(&k);
    printf("\t%u\n", p->tcp.flags);
}

static void print_streams(void)
{
    for (size_t i = 1; i < nstreams; i++)
        printf("%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%u\n", streams[i].first, streams[i].packets,
               streams[i].rsts, streams[i].seen);
    free(streams);
}

static int walk(struct flow_table *t, const uint8_t *buf, size_t len, bool packets)
{
    struct capread reader;
    struct record rec;
    struct packet pkt;
    struct defrag *d = defrag_new(0);
    int err;
    capread_init(&reader);
    for (size_t used;; buf += used, len -= used) {
        err = capread_next(&reader, buf, len, &used, &rec);
        if (err <= 0)
            break;
        packet_decode(&pkt, &rec, d);
        count_packet(flow_table_packet(t, &pkt), &pkt);
        if (packets && pkt.src.family)
            print_packet(&pkt);
    }
    if (err < 0)
        fprintf(stderr, "flowdump: %s\n", reader.error);
    capread_release(&reader);
    defrag_free(d);
    flow_table_finish(t);
    return err;
}

static uint8_t *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *buf = NULL;
    size_t alloc = 0, n = 0, got;
    if (!f)
        return NULL;
    do {
        if (array_grow(&buf, &alloc, n + 65536, 1) < 0)
            break;
        got = fread(buf + n, 1, alloc - n, f);
        n += got;
    } while (got);
    fclose(f);
    *len = n;
    return buf;
}

static void print_facts(const struct reset *r)
{
    struct strbuf b = STRBUF_INIT;

    print_key(&r->key);
    snapshot_text(&b, r);
    printf("\t%" PRIu64 "\t%u\t%s\n", r->packet, r->ip_id, b.buf);
    strbuf_release(&b);
}

static void print_resets(const struct flow_table *t, bool facts)
{
    for (size_t id = 1; id <= flow_table_resets(t); id++)
        (facts ? print_facts : print_reset)(flow_table_reset(t, id));
}

int main(int argc, char **argv)
{
    bool records = argc == 3 && strcmp(argv[1], "--records") == 0;
    bool flows = argc == 3 && strcmp(argv[1], "--streams") == 0;
    bool packets = argc == 3 && strcmp(argv[1], "--packets") == 0;
    bool facts = argc == 3 && strcmp(argv[1], "--facts") == 0;
    struct flow_settings st = {.on_record = records ? print_record : NULL};
    size_t len = 0;
    if (argc != 2 + (records || flows || packets || facts)) {
        fprintf(stderr, "usage: flowdump [--records|--streams|--packets|--facts] FILE\n");
        return 2;
    }
    uint8_t *buf = slurp(argv[argc - 1], &len);
    struct flow_table *t = flow_table_new(&st);
    if (!buf || !t) {
        fprintf(stderr, "flowdump: %s: %s\n", argv[argc - 1], strerror(errno));
        free(buf);
        flow_table_free(t);
        return 3;
    }
    walk(t, buf, len, packets);
    if (!records && !flows && !packets)
        print_resets(t, facts);
    if (flows)
        print_streams();
    else
        free(streams);
    const struct flow_counts *c = flow_table_counts(t);
    fprintf(stderr,
            "packets %" PRIu64 " tcp %" PRIu64 " rsts %" PRIu64 " copies %" PRIu64 " flows %" PRIu64
            "\n",
            c->packets, c->tcp_packets, c->rsts, c->duplicates, c->flows);
    flow_table_free(t);
    free(buf);
    return 0;
}
