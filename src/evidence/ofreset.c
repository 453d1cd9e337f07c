/*
 * Facts read off a reset: its stage, shape and timing, and what had been said. Who sent it is in
 * ofsender.c. Each is made only when the packets could tell it (causes.md 0, A, C).
 */
#include "evidence/private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *side_word(enum side s)
{
    return s == SIDE_ORIG ? N_("client") : s == SIDE_RESP ? N_("server") : N_("unknown");
}

void say(struct facts *out, const struct reset *r, enum fact_kind kind, bool yes, struct value v0,
         struct value v1, struct value v2)
{
    facts_put(out, kind, yes, SRC_PACKET, r->packet, NULL, v0, v1, v2);
}

void say0(struct facts *out, const struct reset *r, enum fact_kind kind, bool yes)
{
    say(out, r, kind, yes, v_none(), v_none(), v_none());
}

void say1(struct facts *out, const struct reset *r, enum fact_kind kind, bool yes, struct value v)
{
    say(out, r, kind, yes, v, v_none(), v_none());
}

#define WHOLE_HEAD 2048 /* bytes: a longer head may have been cut by us */

static void the_segment(struct facts *out, const struct reset *r)
{
    char flags[9];

    if (stage_name(r->stage))
        say1(out, r, FACT_STAGE, true, v_text(stage_name(r->stage)));
    say1(out, r, FACT_RST_SEEN, true, v_text(side_word(r->from)));
    say1(out, r, FACT_RST_FROM, true, v_text(side_word(r->from)));
    if (rst_class_name(r->class))
        say(out, r, FACT_RST_CLASS, true, v_text(rst_class_name(r->class)),
            v_text(tcp_flags_text(flags, r->flags)), v_int(r->window_raw));
    if (r->payload_text[0])
        say1(out, r, FACT_RST_PAYLOAD, true, v_text(r->payload_text));
    if (r->mptcp_reason >= 0)
        say1(out, r, FACT_MPTCP_REASON, true, v_int(r->mptcp_reason));
    say1(out, r, FACT_HARMLESS, !r->harmful, v_text(r->harmful_why ? r->harmful_why : ""));
    if (r->one_sided)
        say0(out, r, FACT_ONE_SIDED, true);
    if (r->gaps)
        say1(out, r, FACT_PACKETS_MISSING, true, v_int(r->gaps));
    if (r->tunnelled)
        say0(out, r, FACT_TUNNELLED, true);
    if (r->payload_cut)
        say0(out, r, FACT_PAYLOAD_CUT, true);
    if (r->midstream)
        say0(out, r, FACT_MIDSTREAM, true);
}

static void the_handshake(struct facts *out, const struct reset *r)
{
    bool silent = !r->bytes[SIDE_ORIG].sent && !r->bytes[SIDE_RESP].sent;

    if (r->synack_repeats)
        say1(out, r, FACT_SYNACK_REPEATED, true, v_int(r->synack_repeats));
    if (r->syn_repeats)
        say1(out, r, FACT_SYN_REPEATED, true, v_int((int64_t)r->syn_repeats + 1));
    if (r->synack_bad_ack)
        say0(out, r, FACT_SYN_ANSWERED_BAD_ACK, true);
    if (r->retried)
        say0(out, r, FACT_SYN_RETRY_WORKED, r->retry_worked);
    if (r->accepted_before)
        say0(out, r, FACT_ACCEPTED_BEFORE, true);
    if (r->refused_after && !r->retry_worked)
        say0(out, r, FACT_REFUSED_AFTER, true);
    if (r->tfo || r->mptcp)
        say1(out, r, FACT_SYN_OPTIONS, true, v_text(r->tfo ? "TCP Fast Open" : "MPTCP"));
    if (r->handshake_done && r->rtt != NSTIME_NONE)
        say1(out, r, FACT_CONN_OK, true, v_span(r->rtt));
    if (r->handshake_done && silent && !r->fin_seen[0] && !r->fin_seen[1])
        say1(out, r, FACT_IMMEDIATE_ACCEPT, true,
             r->since_last == NSTIME_NONE ? v_none() : v_span(r->since_last));
    bool alone = r->midstream && r->one_sided && silent && r->trigger_delay != NSTIME_NONE;
    if (alone && !r->fin_seen[r->from])
        say0(out, r, r->synack_seen ? FACT_UNSOLICITED_SYNACK : FACT_STRAY_SEGMENT, true);
    else if (r->from == SIDE_ORIG && silent && !r->synack_bad_ack && !r->lived_on &&
             (r->synack_seen || r->stage == STAGE_SYN) && !r->fin_seen[SIDE_ORIG] &&
             !r->fin_seen[SIDE_RESP])
        say0(out, r, r->midstream ? FACT_UNSOLICITED_SYNACK : FACT_CLIENT_ABORTED_SYN, true);
}

/* Of the originator's bytes: what a retry turns on (causes.md D). */
static void the_bytes(struct facts *out, const struct reset *r)
{
    uint64_t sent = r->bytes[SIDE_ORIG].sent, acked = r->bytes[SIDE_ORIG].acked;
    uint64_t back = r->bytes[SIDE_RESP].sent;

    if (sent || !r->midstream)
        say1(out, r, FACT_NOTHING_SENT, !sent, v_int((int64_t)sent));
    if (back || !r->midstream)
        say1(out, r, FACT_NO_REPLY_BYTES, !back, v_int((int64_t)back));
    if (sent && back)
        say(out, r, FACT_ANSWERED_BEFORE, true, v_int((int64_t)sent), v_int((int64_t)back),
            v_none());
    if (sent && r->bytes[SIDE_ORIG].known && !r->one_sided) {
        say(out, r, FACT_BYTES_SENT, true, v_int((int64_t)sent), v_int((int64_t)acked), v_none());
        if (acked >= sent)
            say1(out, r, FACT_ALL_ACKED, true, v_int((int64_t)sent));
        else
            say(out, r, FACT_ALL_ACKED, false, v_int((int64_t)(sent - acked)), v_int((int64_t)sent),
                v_none());
        if (!acked)
            say1(out, r, FACT_NOTHING_ACKED, true, v_int((int64_t)sent));
    }
    if (r->last_data_from != SIDE_NONE)
        say0(out, r, FACT_LAST_DATA_TO_RST_SIDE, r->last_data_from != r->from);
    if (r->zero_window)
        say0(out, r, FACT_ZERO_WINDOW, true);
}

static void the_close(struct facts *out, const struct reset *r)
{
    bool orig = r->fin_seen[SIDE_ORIG], resp = r->fin_seen[SIDE_RESP], own = r->fin_seen[r->from];

    if (orig || resp)
        say1(out, r, FACT_FIN_BEFORE, true,
             v_text(orig && resp ? N_("client and server")
                                 : side_word(orig ? SIDE_ORIG : SIDE_RESP)));
    else if (!r->midstream || r->handshake_done)
        say0(out, r, FACT_FIN_BEFORE, false);
    if (orig && resp)
        say0(out, r, FACT_FIN_BOTH, true);
    if (orig || resp)
        say0(out, r, FACT_FIN_FROM_RST_SIDE, own);
    if (own && r->trigger_has_data && r->fin_time[r->from] != NSTIME_NONE)
        say1(out, r, FACT_DATA_AFTER_FIN, true, v_span(r->time - r->fin_time[r->from]));
    if (r->close_notify[SIDE_ORIG] || r->close_notify[SIDE_RESP])
        say0(out, r, FACT_CLOSE_NOTIFY, true);
}

/* Stage idle's rule (design.md 6): at least max(1 s, 10 RTT) of silence. */
static bool is_idle(const struct reset *r)
{
    nstime least = NS_PER_SEC;

    if (r->rtt > least / 10 && r->rtt < INT64_MAX / 10) /* a file's times may be anything */
        least = 10 * r->rtt;
    return r->idle != NSTIME_NONE && r->idle >= least;
}

/* The body that was announced had not been sent whole. */
static bool request_partial(const struct reset *r)
{
    const struct app *q = &r->first_orig;

    return q->kind == APP_HTTP_REQUEST && q->content_length > 0 && q->header_len && r->turns <= 1 &&
           r->bytes[SIDE_ORIG].sent < q->header_len + (uint64_t)q->content_length;
}

/* Silences as long as the last one had done no harm before. */
static void the_usual_silence(struct facts *out, const struct reset *r)
{
    nstime usual = r->turns >= 3 && r->age != NSTIME_NONE ? r->age / r->turns : 0;

    if (usual && r->idle <= usual + usual / 2)
        say(out, r, FACT_IDLE_USUAL, true, v_span(usual), v_int((int64_t)r->turns - 1), v_none());
}

static void the_timing(struct facts *out, const struct reset *r)
{
    char who[200];

    if (r->age != NSTIME_NONE)
        say1(out, r, FACT_AGE, true, v_span(r->age));
    if (r->trigger_delay != NSTIME_NONE)
        say(out, r, FACT_RST_DELAY, true, v_span(r->trigger_delay),
            r->rtt == NSTIME_NONE ? v_none() : v_span(r->rtt), v_none());
    if (r->trigger_delay == NSTIME_NONE)
        say0(out, r, FACT_UNPROVOKED, true);
    if (r->retransmits_before)
        say1(out, r, FACT_RETRANSMITTED, true, v_int(r->retransmits_before));
    else if (!r->midstream)
        say0(out, r, FACT_RETRANSMITTED, false);
    if (r->own_retransmits)
        say1(out, r, FACT_GAVE_UP, true, v_int(r->own_retransmits));
    if (r->keepalives_before)
        say0(out, r, FACT_KEEPALIVES, true);
    /* Answered, the other side's last packet would be as young as the last probe's answer. */
    if (r->keepalives_before && is_idle(r) && r->trigger_delay != NSTIME_NONE &&
        r->trigger_delay >= r->idle - r->idle / 10)
        say1(out, r, FACT_KEEPALIVE_UNANSWERED, true, v_span(r->trigger_delay));
    if (request_partial(r) && r->since_request != NSTIME_NONE && r->since_request >= NS_PER_SEC)
        say1(out, r, FACT_REQUEST_PAUSED, true, v_span(r->since_request));
    else if (r->last_data_from == SIDE_RESP)
        say0(out, r, FACT_RESPONSE_WAIT, false);
    else if (r->last_data_from == SIDE_ORIG && r->since_request != NSTIME_NONE &&
             r->since_request >= NS_PER_SEC)
        say1(out, r, FACT_RESPONSE_WAIT, true, v_span(r->since_request));
    if (r->idle == NSTIME_NONE)
        return;
    say1(out, r, FACT_IDLE_BEFORE, is_idle(r), v_span(r->idle));
    if (!is_idle(r))
        return;
    if (lifetimes_text(who, sizeof(who), r->idle))
        say(out, r, FACT_IDLE_MATCHES, true, v_span(r->idle), v_text(who), v_none());
    the_usual_silence(out, r);
    bool answered = r->since_last != NSTIME_NONE && r->since_last < r->idle / 2;
    if (answered)
        say1(out, r, FACT_IDLE_ANSWERED, true, v_span(r->idle));
    say1(out, r, FACT_IDLE_PUSHED, !answered, v_span(r->idle));
}

/* ---- words ---- */

static bool is_tls(enum app_kind k)
{
    return k == APP_TLS_CLIENT_HELLO || k == APP_TLS_SERVER_HELLO || k == APP_TLS_ALERT ||
           k == APP_TLS_OTHER;
}

static bool is_banner(enum app_kind k)
{
    return k == APP_SSH || k == APP_SMTP || k == APP_FTP || k == APP_IMAP || k == APP_POP3;
}

static bool is_http2(enum app_kind k)
{
    return k == APP_H2_PREFACE || k == APP_H2_GOAWAY || k == APP_H2_RST_STREAM || k == APP_H2_OTHER;
}

static bool is_text(enum app_kind k)
{
    return is_banner(k) || k == APP_HTTP_RESPONSE || k == APP_HTTP_REQUEST || k == APP_TEXT;
}

static void the_alerts(struct facts *out, const struct reset *r)
{
    for (enum side s = SIDE_ORIG; s <= SIDE_RESP; s++) {
        if (!r->alert_seen[s] || !r->alert[s]) /* 0: close_notify */
            continue;
        const char *name = tls_alert_name(r->alert[s]);
        say(out, r, s == SIDE_RESP ? FACT_TLS_ALERT : FACT_TLS_ALERT_SENT, true, v_int(r->alert[s]),
            v_text(name ? name : N_("not a registered alert")), v_none());
    }
}

static void the_tls(struct facts *out, const struct reset *r)
{
    const struct app *client = &r->first_orig, *server = &r->first_resp;
    bool hello = client->kind == APP_TLS_CLIENT_HELLO, answer = server->kind != APP_NONE;
    bool readable = answer || !r->bytes[SIDE_RESP].sent; /* the server's first bytes are known */

    the_alerts(out, r);
    if (client->kind != APP_NONE)
        say1(out, r, FACT_CLIENT_TLS, is_tls(client->kind), v_text(app_name(client->kind)));
    if (hello) {
        bool at_hello = !r->bytes[SIDE_RESP].sent && !r->fin_seen[SIDE_RESP];
        say1(out, r, FACT_HELLO_SENT, at_hello, v_int(client->hello_len));
        if (client->hello_len)
            say1(out, r, FACT_HELLO_BIG, client->hello_len > 1460, v_int(client->hello_len));
        say1(out, r, FACT_SNI, client->name[0] != 0, v_text(client->name));
        if (readable && !r->alert_seen[SIDE_RESP])
            say0(out, r, FACT_TLS_ALERT, false);
        if (readable)
            say1(out, r, FACT_SERVER_HELLO, server->kind == APP_TLS_SERVER_HELLO,
                 v_text(server->text));
        if (readable)
            say1(out, r, FACT_FIRST_BYTES_TEXT, is_text(server->kind), v_text(server->text));
        if (is_tls(server->kind))
            say0(out, r, FACT_FIRST_BYTES_TLS, true);
    } else if (client->kind != APP_NONE) {
        say0(out, r, FACT_HELLO_SENT, false);
        if (client->kind == APP_HTTP_REQUEST && is_tls(server->kind))
            say1(out, r, FACT_PLAIN_ON_TLS, true, v_text("HTTP"));
    }
    if (is_banner(server->kind))
        say1(out, r, FACT_BANNER_FIRST, true, v_text(server->text));
}

/* Two protocols that cannot be one: a banner to HTTP or TLS, TLS to HTTP, HTTP to TLS. */
static void the_mismatch(struct facts *out, const struct reset *r)
{
    enum app_kind c = r->first_orig.kind, s = r->first_resp.kind;
    bool client_http = c == APP_HTTP_REQUEST || is_http2(c);
    bool mismatch = (client_http && (is_banner(s) || is_tls(s))) || (is_tls(c) && is_text(s)) ||
                    (c == APP_H2_PREFACE && s == APP_HTTP_RESPONSE) ||
                    (is_banner(c) && (s == APP_HTTP_RESPONSE || is_tls(s) ||
                                      (is_banner(s) && c == APP_SSH && s != c)));

    if (mismatch)
        say(out, r, FACT_OTHER_PROTOCOL, true, v_text(app_name(s)), v_text(app_name(c)), v_none());
}

static bool says(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(text, *words))
            return true;
    return false;
}

static void the_last_words(struct facts *out, const struct reset *r)
{
    static const char *const access[] = {
        "denied",        "not allowed",    "unauthorized",    "forbidden", "authentication",
        "not permitted", "protected mode", "login incorrect", "access",    NULL};
    static const char *const too_large[] = {"header too large",        "header or cookie too large",
                                            "header fields too large", "uri too long",
                                            "uri too large",           NULL};
    static const char *const upstream[] = {"upstream connect error",
                                           "no healthy upstream",
                                           "upstream request timeout",
                                           "Bad Gateway",
                                           "Gateway Time-out",
                                           "no server is available",
                                           NULL};
    static const char *const on_https[] = {"plain HTTP request was sent to HTTPS",
                                           "HTTP request to an HTTPS server",
                                           "speaking plain HTTP to an SSL", NULL};

    if (!r->last_words[0] || !r->bytes[SIDE_RESP].sent)
        return;
    say1(out, r, FACT_LAST_WORDS, true, v_text(r->last_words));
    if (r->status == 401 || r->status == 403 || (!r->status && says(r->last_words, access)))
        say1(out, r, FACT_AUTH_WORDS, true, v_text(r->last_words));
    if (r->status == 431 || r->status == 414 || (r->status && says(r->last_words, too_large)))
        say1(out, r, FACT_HEADER_TOO_LARGE, true, v_int(r->status));
    if (r->status >= 500 && says(r->last_words, upstream))
        say1(out, r, FACT_UPSTREAM_WORDS, true, v_text(r->last_words));
    if (r->store)
        say1(out, r, FACT_STORE_WORDS, true, v_text(r->last_words));
    if (says(r->last_words, on_https))
        say0(out, r, FACT_PLAIN_ON_TLS_TEXT, true);
}

static void the_request(struct facts *out, const struct reset *r)
{
    const struct app *q = &r->first_orig, *a = &r->first_resp;
    uint64_t sent = r->bytes[SIDE_ORIG].sent, back = r->bytes[SIDE_RESP].sent;

    if (q->kind == APP_HTTP_REQUEST)
        say1(out, r, FACT_REQUEST_SEEN, true, v_text(q->text));
    else if (!sent && !r->midstream)
        say0(out, r, FACT_REQUEST_SEEN, false);
    bool body = q->kind == APP_HTTP_REQUEST && (q->content_length > 0 || q->chunked);
    if (body)
        say1(out, r, FACT_UPLOADING, true, v_int(q->content_length > 0 ? q->content_length : 0));
    else if (q->kind == APP_HTTP_REQUEST)
        say0(out, r, FACT_UPLOADING, false);
    uint64_t whole = q->header_len + (q->content_length > 0 ? (uint64_t)q->content_length : 0);
    if (body && q->header_len && q->content_length > 0 && r->turns <= 1)
        say(out, r, FACT_REQUEST_PARTIAL, sent < whole, v_int((int64_t)MIN_OF(sent, whole)),
            v_int((int64_t)whole), v_none());
    /* More than the first bytes that are kept may well have been whole. */
    if (q->kind == APP_HTTP_REQUEST && q->partial && !q->header_len && sent < WHOLE_HEAD)
        say1(out, r, FACT_REQUEST_HEAD_CUT, true, v_int((int64_t)sent));
    if (q->kind == APP_HTTP_REQUEST && strstr(q->text, "/_bulk"))
        say1(out, r, FACT_BULK_REQUEST, true, v_text(q->text));
    if (q->kind == APP_HTTP_REQUEST && r->turns > 1 && r->last_data_from == SIDE_ORIG)
        say1(out, r, FACT_REUSED, true, v_int((int64_t)r->turns));
    /* A later request may have gone out after the first: then sent exceeds whole. */
    if (body && q->header_len && q->content_length > 0 && sent < whole && r->status >= 200)
        say(out, r, FACT_EARLY_REPLY, true, v_int(r->status), v_int((int64_t)sent),
            v_int((int64_t)whole));
    if (r->status)
        say1(out, r, FACT_HTTP_STATUS, true, v_int(r->status));
    else if (q->kind == APP_HTTP_REQUEST && !r->midstream)
        say0(out, r, FACT_HTTP_STATUS, false);
    if (r->response_complete)
        say0(out, r, FACT_RESPONSE_COMPLETE, true);
    else if (r->request_seen)
        say0(out, r, FACT_RESPONSE_COMPLETE, false);
    if (a->kind == APP_HTTP_RESPONSE && a->content_length > 0 && a->header_len &&
        !r->response_complete && back < a->header_len + (uint64_t)a->content_length)
        say(out, r, FACT_REPLY_CUT, true, v_int((int64_t)(back - MIN_OF(back, a->header_len))),
            v_int(a->content_length), v_none());
    if (a->kind == APP_H2_GOAWAY || a->kind == APP_H2_RST_STREAM) {
        char text[64];
        snprintf(text, sizeof(text), "%s %s", a->kind == APP_H2_GOAWAY ? "GOAWAY" : "RST_STREAM",
                 h2_error_name(a->h2_error));
        say1(out, r, FACT_H2_GOAWAY, true, v_text(text));
    }
}

static void the_icmp(struct facts *out, const struct reset *r)
{
    char words[96], from[ADDR_TEXT_MAX];

    if (!r->icmp.seen)
        return;
    const char *text = icmp_text(words, sizeof(words), r->icmp.v6, r->icmp.type, r->icmp.code);
    addr_text(from, &r->icmp.from);
    facts_put(out, FACT_ICMP_ERROR, true, SRC_PACKET, r->icmp.packet, NULL, v_text(text),
              v_text(from), v_none());
    facts_put(out, FACT_ICMP_OFFENDER_TARGET, addr_equal(&r->icmp.from, &r->key.dst), SRC_PACKET,
              r->icmp.packet, NULL, v_text(from), v_none(), v_none());
}

void facts_of_reset(struct facts *out, const struct reset *r)
{
    the_segment(out, r);
    the_handshake(out, r);
    the_bytes(out, r);
    the_close(out, r);
    the_timing(out, r);
    the_tls(out, r);
    the_mismatch(out, r);
    the_request(out, r);
    the_last_words(out, r);
    the_icmp(out, r);
    facts_of_sender(out, r);
}
