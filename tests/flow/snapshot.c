#include "tests/flow/snapshot.h"

#include <inttypes.h>

static const char *word(const char *s)
{
    return s && *s ? s : "-";
}

static void flag(struct strbuf *b, bool on, const char *name)
{
    if (on)
        strbuf_addf(b, " %s", name);
}

/* Milliseconds to three figures behind the point; nothing at all where it is not known. */
static void span(struct strbuf *b, const char *name, nstime t)
{
    if (t != NSTIME_NONE)
        strbuf_addf(b, " %s=%.3f", name, (double)t / 1e6);
}

static void count(struct strbuf *b, const char *name, uint64_t n)
{
    if (n)
        strbuf_addf(b, " %s=%" PRIu64, name, n);
}

static void segment(struct strbuf *b, const struct reset *r)
{
    static const char *const fits[] = {"exact", "in-window", "out", "unknown"};
    char flags[9];

    strbuf_addf(b, " %s %s", tcp_flags_text(flags, r->flags), fits[r->seq_fit]);
    if (r->seq_off)
        strbuf_addf(b, "%+d", r->seq_off);
    flag(b, !r->ack_matches, "odd-ack");
    count(b, "payload", r->payload_len);
    flag(b, r->payload_text[0], "decoded");
    if (r->mptcp_reason >= 0)
        strbuf_addf(b, " mptcp=%d", r->mptcp_reason);
    flag(b, r->checksum_bad, "bad-sum");
    flag(b, r->tunnelled, "tunnelled");
}

static void features(struct strbuf *b, const struct reset *r)
{
    strbuf_addf(b, " ttl=%u/%d/%d win=%u/%u", r->ttl, r->ttl_baseline, r->ttl_other, r->window_raw,
                r->window_last);
    flag(b, r->window_same, "same-win");
    flag(b, r->df, "df");
    flag(b, r->df_lost, "df-lost");
    flag(b, r->has_ts, "ts");
    flag(b, r->ts_expected, "ts-expected");
    if (!r->v6)
        strbuf_addf(b, " id=%s%s%s", r->ip_id_constant_zero ? "0" : "n",
                    !r->ip_id_comparable ? "?"
                    : r->ip_id_follows   ? "+"
                                         : "!",
                    r->ip_id_copies_other ? "=peer" : "");
    flag(b, r->v6, "v6");
    flag(b, r->label_comparable, r->label_same ? "same-label" : "other-label");
    flag(b, r->mac_differs, "other-mac");
}

static void trains(struct strbuf *b, const struct reset *r)
{
    strbuf_addf(b, " rsts=%u", r->rst_count);
    if (r->rst_other_side)
        strbuf_addf(b, "+%u", r->rst_other_side);
    if (r->rst_burst > 1)
        count(b, "burst", r->rst_burst);
    flag(b, r->rst_seq_fan, "fan");
    flag(b, r->rst_ack_differs, "acks-differ");
    flag(b, r->rst_flags_differ, "flags-differ");
    flag(b, r->rst_ttl_differs, "ttls-differ");
}

static void timing(struct strbuf *b, const struct reset *r)
{
    span(b, "rtt", r->rtt);
    span(b, "rtt-min", r->rtt_min);
    span(b, "delay", r->trigger_delay);
    flag(b, r->trigger_is_syn, "on-syn");
    flag(b, r->trigger_is_fin, "on-fin");
    flag(b, r->trigger_has_data, "on-data");
    flag(b, r->trigger_is_keepalive, "on-keepalive");
    span(b, "gap", r->since_last);
    span(b, "idle", r->idle);
    span(b, "age", r->age);
    span(b, "since-request", r->since_request);
    span(b, "since-fin", r->since_fin);
}

static void state(struct strbuf *b, const struct reset *r)
{
    for (int s = 0; s < 2; s++) {
        if (r->bytes[s].known)
            strbuf_addf(b, " %s=%" PRIu64 "/%" PRIu64, s ? "resp" : "orig", r->bytes[s].acked,
                        r->bytes[s].sent);
        flag(b, r->fin_seen[s],
             s ? (r->fin_acked[1] ? "resp-fin-acked" : "resp-fin")
               : (r->fin_acked[0] ? "orig-fin-acked" : "orig-fin"));
        flag(b, r->alert_seen[s], s ? "resp-alert" : "orig-alert");
        flag(b, r->close_notify[s], s ? "resp-notify" : "orig-notify");
    }
    count(b, "repeats", r->retransmits_before);
    count(b, "own-repeats", r->own_retransmits);
    count(b, "syn-again", r->syn_repeats);
    count(b, "synack-again", r->synack_repeats);
    flag(b, r->handshake_done, "open");
    flag(b, r->synack_seen, "synack");
    flag(b, r->synack_bad_ack, "half-open");
    flag(b, r->midstream, "midstream");
    flag(b, r->one_sided, "one-sided");
    flag(b, r->zero_window, "zero-window");
    flag(b, r->keepalives_before, "keepalives");
    flag(b, r->tfo, "tfo");
}

static void words(struct strbuf *b, const struct reset *r)
{
    if (r->first_orig.kind != APP_NONE)
        strbuf_addf(b, " said='%s'", app_name(r->first_orig.kind));
    if (r->first_resp.kind != APP_NONE)
        strbuf_addf(b, " heard='%s'", app_name(r->first_resp.kind));
    count(b, "status", r->status);
    flag(b, r->last_words[0], "last-words");
    flag(b, r->response_complete, "complete");
    if (r->icmp.seen)
        strbuf_addf(b, " icmp=%u/%u", r->icmp.type, r->icmp.code);
}

static void aftermath(struct strbuf *b, const struct reset *r)
{
    if (r->packets_after[0] || r->packets_after[1])
        strbuf_addf(b, " after=%u,%u", r->packets_after[0], r->packets_after[1]);
    if (r->data_after[0] || r->data_after[1])
        strbuf_addf(b, " data-after=%" PRIu64 ",%" PRIu64, r->data_after[0], r->data_after[1]);
    flag(b, r->lived_on, "lived-on");
    flag(b, r->retried, r->retry_worked ? "retried-well" : "retried");
}

void snapshot_text(struct strbuf *b, const struct reset *r)
{
    strbuf_addf(b, "%s %s %s %s/%s", word(stage_name(r->stage)),
                r->from == SIDE_ORIG ? "orig" : "resp", word(rst_class_name(r->class)),
                vantage_end_name(r->vantage_end), direction_name(r->direction));
    flag(b, r->vantage_by_ttl, "by-ttl");
    flag(b, r->vantage_by_checksum, "by-sum");
    flag(b, r->vantage_by_offload, "by-size");
    segment(b, r);
    strbuf_addf(b, " %s %s", word(conn_state_name(r->conn_state)), word(r->history));
    state(b, r);
    features(b, r);
    trains(b, r);
    timing(b, r);
    words(b, r);
    aftermath(b, r);
    strbuf_addf(b, " | %s: %s", r->harmful ? "harm" : "no harm", r->harmful_why);
}
