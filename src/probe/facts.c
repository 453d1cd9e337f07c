/* Facts the stages of a connection have in common: how it ended, and what was in flight then. */
#include "probe/internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define AT_ACCEPT (250 * NS_PER_MS) /* a server that resets what it accepts does so at once */
#define LEAST_RTT (2 * NS_PER_MS)   /* a shorter one is no measure for an early reset */

void facts_put_yes(struct facts *out, const struct result *r, enum fact_kind k, struct value v0,
                   struct value v1, struct value v2)
{
    facts_put(out, k, true, SRC_PROBE, 0, r->probe, v0, v1, v2);
}

void facts_put_no(struct facts *out, const struct result *r, enum fact_kind k, struct value v0,
                  struct value v1)
{
    facts_put(out, k, false, SRC_PROBE, 0, r->probe, v0, v1, v_none());
}

static void yes(struct facts *out, const struct result *r, enum fact_kind k)
{
    facts_put_yes(out, r, k, v_none(), v_none(), v_none());
}

static void yes1(struct facts *out, const struct result *r, enum fact_kind k, struct value v)
{
    facts_put_yes(out, r, k, v, v_none(), v_none());
}

static void no1(struct facts *out, const struct result *r, enum fact_kind k, struct value v)
{
    facts_put_no(out, r, k, v, v_none());
}

static bool is_reset(const struct result *r)
{
    return r->failure == FAIL_RESET || r->failure == FAIL_BROKEN_PIPE;
}

/* Idle is at least max(1 s, 10 RTT) of silence before the end. */
static bool was_idle(const struct result *r)
{
    nstime silence = field_int(r, "silence", -1);
    nstime least = MAX_OF(DOUBTFUL_SILENCE, 10 * field_int(r, "rtt", 0));
    return silence >= least && (is_reset(r) || r->failure == FAIL_EOF);
}

/* A silence was kept before the bytes that nothing came back for, or a reset. */
static nstime quiet_before(const struct result *r)
{
    nstime quiet = field_int(r, "quiet_before", -1);
    nstime least = MAX_OF(DOUBTFUL_SILENCE, 10 * field_int(r, "rtt", 0));
    bool ended = r->failure == FAIL_TIMEOUT || (is_reset(r) && r->stage != PSTAGE_HOLD);
    return ended && quiet >= least && !field_int(r, "bytes_received", 0) ? quiet : -1;
}

/* A proxy's refusal to connect comes over a connection that stands. */
static bool connecting(const struct result *r)
{
    return r->stage == PSTAGE_CONNECT && !field_str(r, "proxy");
}

/* The stage as packets would name it, the first of close, syn, idle, data, psh, ack. */
static const char *stage_word(const struct result *r)
{
    if (r->failure == FAIL_BROKEN_PIPE)
        return "close";
    if (connecting(r))
        return "syn";
    if (was_idle(r) || quiet_before(r) >= 0)
        return "idle";
    if (field_int(r, "bytes_received", 0) > 0)
        return "data";
    return field_int(r, "bytes_sent", 0) > 0 ? "psh" : "ack";
}

static void facts_of_icmp(struct facts *out, const struct result *r)
{
    const char *icmp = field_str(r, "icmp"), *from = field_str(r, "icmp_from");
    char target[ADDR_TEXT_MAX];
    if (!icmp) {
        if (field_str(r, "error_queue"))
            no1(out, r, FACT_ICMP_ERROR, v_none());
        return;
    }
    facts_put_yes(out, r, FACT_ICMP_ERROR, v_text(icmp), v_text(from ? from : "?"), v_none());
    if (!from)
        return;
    if (!strcmp(from, addr_text(target, &r->address)))
        yes(out, r, FACT_ICMP_OFFENDER_TARGET);
    else
        no1(out, r, FACT_ICMP_OFFENDER_TARGET, v_text(from));
}

static void facts_of_bytes(struct facts *out, const struct result *r)
{
    int64_t sent = field_int(r, "bytes_sent", -1), acked = field_int(r, "bytes_acked", 0);
    int64_t got = field_int(r, "bytes_received", -1), again = field_int(r, "retransmits", -1);
    if (sent == 0)
        yes(out, r, FACT_NOTHING_SENT);
    if (sent > 0) {
        no1(out, r, FACT_NOTHING_SENT, v_int(sent));
        facts_put_yes(out, r, FACT_BYTES_SENT, v_int(sent), v_int(acked), v_none());
        if (acked >= sent)
            yes1(out, r, FACT_ALL_ACKED, v_int(sent));
        else
            facts_put_no(out, r, FACT_ALL_ACKED, v_int(sent - acked), v_int(sent));
        if (!acked)
            yes1(out, r, FACT_NOTHING_ACKED, v_int(sent));
    }
    if (got == 0)
        yes(out, r, FACT_NO_REPLY_BYTES);
    else if (got > 0)
        no1(out, r, FACT_NO_REPLY_BYTES, v_int(got));
    if (again > 0)
        yes1(out, r, FACT_RETRANSMITTED, v_int(again));
    else if (again == 0)
        no1(out, r, FACT_RETRANSMITTED, v_none());
}

static void facts_of_errno(struct facts *out, const struct result *r)
{
    const char *stage = probe_stage_name(r->stage);
    if (r->err && !connecting(r))
        facts_put_yes(out, r, FACT_CONN_RESET, v_text(errno_name(r->err)),
                      v_text(stage ? stage : "?"), v_none());
    else if (!connecting(r))
        no1(out, r, FACT_CONN_RESET, v_none());
    if (r->failure == FAIL_BROKEN_PIPE) {
        yes(out, r, FACT_EPIPE_FIRST);
        yes1(out, r, FACT_FIN_BEFORE, v_text("server"));
    }
    /* With a FIN in the queue it would have been EPIPE. */
    if (r->failure == FAIL_RESET && r->err == ECONNRESET)
        no1(out, r, FACT_FIN_BEFORE, v_none());
    if (r->err == ECONNABORTED)
        yes(out, r, FACT_LOCAL_DESTROYED);
}

/* Sooner than the host can answer: a late look at the socket only makes the wait longer. */
static void facts_of_haste(struct facts *out, const struct result *r, nstime wait)
{
    nstime rtt = r->timings[TIMING_CONNECT], least = field_int(r, "min_rtt", 0);
    if (least > 0)
        rtt = MIN_OF(rtt, least);
    if (is_reset(r) && rtt != NSTIME_NONE && rtt >= LEAST_RTT && wait < rtt / 3)
        facts_put_yes(out, r, FACT_RST_BEFORE_RTT, v_span(wait), v_span(rtt), v_none());
}

static void facts_of_silence(struct facts *out, const struct result *r)
{
    nstime silence = field_int(r, "silence", -1), age = field_int(r, "age", -1);
    int64_t sent = field_int(r, "bytes_sent", 0), got = field_int(r, "bytes_received", 0);
    if (age >= 0)
        yes1(out, r, FACT_AGE, v_span(age));
    if (silence < 0)
        return;
    if (r->failure == FAIL_TIMEOUT) {
        facts_put_yes(out, r, FACT_STALLED, v_span(silence), v_int(sent), v_none());
        if (quiet_before(r) >= 0)
            yes1(out, r, FACT_IDLE_BEFORE, v_span(quiet_before(r)));
        return;
    }
    if (!is_reset(r) && r->failure != FAIL_EOF)
        return;
    /* What we sent last was long ago: nothing of ours provoked the end. */
    if (was_idle(r)) {
        yes1(out, r, FACT_IDLE_BEFORE, v_span(silence));
        if (is_reset(r)) {
            yes1(out, r, FACT_IDLE_PUSHED, v_span(silence));
            yes(out, r, FACT_UNPROVOKED);
        }
    } else if (quiet_before(r) >= 0) {
        yes1(out, r, FACT_IDLE_BEFORE, v_span(quiet_before(r)));
        yes1(out, r, FACT_IDLE_ANSWERED, v_span(quiet_before(r)));
    } else {
        no1(out, r, FACT_IDLE_BEFORE, v_span(silence));
    }
    if (sent > 0 && got == 0) {
        yes1(out, r, FACT_RESPONSE_WAIT, v_span(silence));
        facts_of_haste(out, r, silence);
        if (is_reset(r)) /* what came last on this connection was ours */
            yes(out, r, FACT_LAST_DATA_TO_RST_SIDE);
    }
    if (!sent && !got && age >= 0 && age < AT_ACCEPT) {
        yes1(out, r, FACT_IMMEDIATE_ACCEPT, v_span(age));
        facts_of_haste(out, r, age); /* it answers our part of the handshake */
    }
}

static void facts_of_eof(struct facts *out, const struct result *r)
{
    if (r->failure == FAIL_EOF && r->stage != PSTAGE_HOLD)
        yes1(out, r, FACT_EARLY_EOF, v_span(field_int(r, "silence", 0)));
}

static void facts_of_words(struct facts *out, const struct result *r)
{
    static const char *const access[] = {"not allowed",   "denied",       "protected mode",
                                         "forbidden",     "unauthorized", "authentication",
                                         "not permitted", "blocked"};
    const char *words = field_str(r, "reply");
    if (!words)
        words = field_str(r, "banner");
    if (!words)
        words = field_str(r, "first_bytes");
    if (!words || !*words)
        return;
    yes1(out, r, FACT_LAST_WORDS, v_text(words));
    for (size_t i = 0; i < ARRAY_SIZE(access); i++)
        if (strcasestr(words, access[i])) {
            yes1(out, r, FACT_AUTH_WORDS, v_text(words));
            return;
        }
}

void facts_of_end(struct facts *out, const struct result *r)
{
    yes1(out, r, FACT_STAGE, v_text(stage_word(r)));
    facts_of_icmp(out, r);
    facts_of_errno(out, r);
    if (r->stage == PSTAGE_CONNECT && !connecting(r))
        yes(out, r, FACT_NOTHING_SENT); /* what was sent was for the proxy */
    else
        facts_of_bytes(out, r);
    facts_of_silence(out, r);
    facts_of_eof(out, r);
    facts_of_words(out, r);
}

/* first_bytes and what they are: fields of a tls or http result that did not get its protocol. */
void facts_of_first_bytes(struct facts *out, const struct result *r)
{
    const char *text = field_str(r, "first_bytes"), *kind = field_str(r, "first_bytes_kind");
    bool tls = kind && !strncmp(kind, "TLS", 3), http_probe = !strcmp(r->probe, "http");
    if (!text || !kind)
        return;
    if (tls) {
        yes(out, r, FACT_FIRST_BYTES_TLS);
        if (http_probe)
            yes1(out, r, FACT_PLAIN_ON_TLS, v_text("HTTP"));
    } else if (strcmp(kind, "binary")) {
        yes1(out, r, FACT_FIRST_BYTES_TEXT, v_text(text));
    } else {
        no1(out, r, FACT_FIRST_BYTES_TEXT, v_none());
    }
    if (strcmp(kind, "binary") && strcmp(kind, "text"))
        facts_put_yes(out, r, FACT_OTHER_PROTOCOL, v_text(kind),
                      v_text(http_probe               ? "HTTP"
                             : field_str(r, "speaks") ? field_str(r, "speaks")
                                                      : "TLS"),
                      v_none());
}
