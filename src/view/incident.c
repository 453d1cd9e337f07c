/*
 * incident.c: what happened, in one sentence, and a target's stage cells.
 */
#include "view/view.h"

#include <stdio.h>
#include <string.h>

static const char *reset_stage_words(const struct reset *r)
{
    bool hello = r->first_orig.kind == APP_TLS_CLIENT_HELLO;

    switch (r->stage) {
    case STAGE_SYN: return N_("refused at the SYN");
    case STAGE_ACK: return N_("right after the TCP handshake");
    case STAGE_PSH: return hello ? N_("in the TLS handshake") : N_("at the client's first bytes");
    case STAGE_DATA: return N_("in the middle of the exchange");
    case STAGE_IDLE: return N_("after %1$s of silence");
    case STAGE_CLOSE: return N_("while closing");
    case STAGE_MIDSTREAM: return N_("in a connection already open");
    case STAGE_NONE: return N_("outside any connection");
    case STAGE_UNKNOWN: break;
    }
    return N_("at a stage not known");
}

static const char *result_stage_words(enum probe_stage stage)
{
    switch (stage) {
    case PSTAGE_DNS: return N_("while looking up the name");
    case PSTAGE_CONNECT: return N_("while connecting");
    case PSTAGE_HOLD: return N_("while held open, nothing sent");
    case PSTAGE_HANDSHAKE: return N_("in the TLS handshake");
    case PSTAGE_REQUEST: return N_("while sending the request");
    case PSTAGE_RESPONSE: return N_("while waiting for the response");
    case PSTAGE_CLOSE: return N_("while closing");
    case PSTAGE_NONE: break;
    }
    return N_("at a stage not known");
}

/* The report's stage words as they stand in the fact, when no packet was seen. */
static const char *stage_word_for_fact(const char *stage)
{
    static const struct {
        const char *stage, *words;
    } table[] = {
        {"syn", N_("refused at the SYN")},
        {"ack", N_("right after the TCP handshake")},
        {"psh", N_("at the client's first bytes")},
        {"data", N_("in the middle of the exchange")},
        {"idle", N_("after a silence")},
        {"close", N_("while closing")},
        {"dns", N_("while looking up the name")},
        {"connect", N_("while connecting")},
        {"hold", N_("while held open, nothing sent")},
        {"handshake", N_("in the TLS handshake")},
        {"request", N_("while sending the request")},
        {"response", N_("while waiting for the response")},
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (strcmp(table[i].stage, stage) == 0)
            return table[i].words;
    return N_("at a stage not known");
}

void incident_stage_words(struct strbuf *out, const struct incident *i, translate_fn tr)
{
    const struct fact *f;

    if (i->reset) {
        const struct reset *r = i->reset;
        if (r->stage == STAGE_IDLE && r->idle == NSTIME_NONE) {
            strbuf_addstr(out, tr(N_("after a silence")));
            return;
        }
        struct value idle = v_span(r->idle);
        text_render(out, reset_stage_words(r), &idle, 1, tr);
        return;
    }
    f = facts_get(&i->judgement.facts, FACT_STAGE);
    if (f && f->v[0].type == VALUE_TEXT && f->v[0].u.s)
        strbuf_addstr(out, tr(stage_word_for_fact(f->v[0].u.s)));
    else
        strbuf_addstr(out, tr(N_("at a stage not known")));
}

void incident_who(struct strbuf *out, const struct session *s, const struct incident *i)
{
    const struct target_state *t = i->target ? session_target(s, i->target) : NULL;
    char text[ENDPOINT_TEXT_MAX];

    if (t) {
        strbuf_add_clean(out, t->target->name, strlen(t->target->name), 200);
        return;
    }
    if (i->log && !i->flow_known && *i->log->first.host) {
        strbuf_addstr(out, i->log->first.host);
        if (i->log->first.port)
            strbuf_addf(out, ":%u", i->log->first.port);
        return;
    }
    const struct flow_key *k = i->reset ? &i->reset->key : &i->flow;
    if (!i->reset && !i->flow_known) {
        strbuf_addstr(out, "?");
        return;
    }
    strbuf_addstr(out, endpoint_text(text, &k->dst, k->dport));
}

const char *incident_sender(const struct incident *i)
{
    enum sender s = i->judgement.sender;

    if (s == SENDER_LOCAL && i->reset && i->reset->from == SIDE_RESP)
        return N_("this host, as the server");
    if (s != SENDER_PEER)
        return sender_title(s);
    return i->reset && i->reset->from == SIDE_ORIG ? N_("the client itself")
                                                   : N_("the server itself");
}

static const struct result *result_of(const struct session *s, const struct incident *i)
{
    return i->result ? session_result_by_id(s, i->result) : NULL;
}

static void what_when(struct strbuf *out, const char *what, const char *when, translate_fn tr)
{
    struct value v[] = {v_text(what), v_text(when)};

    /* TRANSLATORS: what happened and when: "reset" "in the TLS handshake" */
    text_render(out, N_("%1$s %2$s"), v, 2, tr);
}

/* "connection reset while waiting for the response, says the log (12 times)" */
static void log_words(struct strbuf *out, const struct log_group *g, translate_fn tr)
{
    const char *stage = *g->first.stage ? tr(stage_word_for_fact(g->first.stage)) : "";
    struct value v[] = {v_text(tr(logged_title(g->first.error))), v_text(stage),
                        v_int((int64_t)g->lines)};

    if (*stage)
        text_render(out, N_("%1$s %2$s, says the log (lines: %3$s)"), v, 3, tr);
    else
        text_render(out, N_("%1$s, says the log (lines: %3$s)"), v, 3, tr);
}

void incident_line(struct strbuf *out, const struct session *s, const struct incident *i,
                   translate_fn tr)
{
    const struct result *r = result_of(s, i);
    struct strbuf when = STRBUF_INIT;
    const char *what;

    incident_who(out, s, i);
    strbuf_addstr(out, ": ");
    if (i->log) {
        log_words(out, i->log, tr);
        return;
    }
    if (i->is_reset) {
        bool refused = i->reset ? i->reset->stage == STAGE_SYN : r && r->failure == FAIL_REFUSED;
        if (refused) {
            strbuf_addstr(out, tr(N_("the connection was refused")));
            return;
        }
        what = N_("reset");
    } else {
        what = r && r->failure != FAIL_NONE ? failure_title(r->failure) : N_("failed");
    }
    if (!i->reset && r)
        strbuf_addstr(&when, tr(result_stage_words(r->stage)));
    else
        incident_stage_words(&when, i, tr);
    what_when(out, what, when.buf, tr);
    strbuf_release(&when);
}

void incident_stage_line(struct strbuf *out, const struct session *s, const struct incident *i,
                         translate_fn tr)
{
    const struct result *r = result_of(s, i);

    if (i->log) {
        log_words(out, i->log, tr);
    } else if (!i->reset && r) {
        if (!i->is_reset && r->failure != FAIL_NONE)
            what_when(out, failure_title(r->failure), tr(result_stage_words(r->stage)), tr);
        else if (i->is_reset && r->failure == FAIL_REFUSED)
            strbuf_addstr(out, tr(N_("refused at the SYN")));
        else
            strbuf_addstr(out, tr(result_stage_words(r->stage)));
    } else {
        incident_stage_words(out, i, tr);
    }
}

/* ---- stage cells ---- */

nstime result_span(const struct result *r)
{
    static const struct {
        const char *probe;
        int timing;
    } own[] = {{"dns", TIMING_DNS}, {"tcp", TIMING_CONNECT}, {"tls", TIMING_TLS}};

    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (strcmp(r->probe, own[i].probe) == 0)
            return r->timings[own[i].timing];
    return r->timings[TIMING_FIRST_BYTE] != NSTIME_NONE ? r->timings[TIMING_FIRST_BYTE]
                                                        : r->timings[TIMING_TOTAL];
}

/* Of several addresses in one round the failed one is shown: it is what the person came for. */
static const struct result *latest_of(const struct session *s, const struct target_state *t,
                                      const char *probe)
{
    const struct result *best = NULL;

    for (size_t i = t->nresults; i-- > 0;) {
        const struct result *r = session_result_by_id(s, t->results[i]);
        if (!r || r->repeat || strcmp(r->probe, probe) != 0)
            continue;
        if (best && r->round != best->round)
            break;
        if (!best || (r->outcome == OUTCOME_FAILED && best->outcome != OUTCOME_FAILED) ||
            (best->outcome == OUTCOME_SKIPPED && r->outcome == OUTCOME_OK))
            best = r;
    }
    return best;
}

void result_cell_fill(struct stage_cell *out, const struct result *r, translate_fn tr)
{
    const struct field *status = result_field(r, "status");
    const char *text = NULL;
    char span[TIME_TEXT_MAX];

    *out = (struct stage_cell){.text = "-", .outcome = r->outcome};
    if (r->outcome == OUTCOME_SKIPPED)
        return;
    out->known = true;
    if (r->outcome == OUTCOME_FAILED)
        text = tr(failure_title(r->failure == FAIL_NONE ? FAIL_UNKNOWN : r->failure));
    if (!text && status && status->value.type == VALUE_INT) {
        snprintf(out->text, sizeof(out->text), "%lld", (long long)status->value.u.i);
        return;
    }
    nstime took = result_span(r);
    if (!text)
        text = took == NSTIME_NONE ? tr(N_("ok")) : span_text(span, took);
    text_clean(out->text, sizeof(out->text), text, strlen(text));
}

void stage_cell_fill(struct stage_cell *out, const struct session *s, uint32_t target,
                     const char *probe, translate_fn tr)
{
    const struct target_state *t = session_target(s, target);
    const struct result *r = t ? latest_of(s, t, probe) : NULL;
    bool running = t && t->rounds_started > t->rounds_done && (!r || r->round < t->rounds_started);

    *out = (struct stage_cell){.text = "-", .outcome = OUTCOME_SKIPPED};
    if (r && r->outcome != OUTCOME_SKIPPED)
        result_cell_fill(out, r, tr);
    else if (running)
        text_clean(out->text, sizeof(out->text), "...", 3);
    out->running = running;
}

/* A round's height: its slowest good probe, a step for each threefold from 1 ms on; -1 failed. */
static int height_of(nstime took)
{
    int h = 1;

    for (nstime limit = NS_PER_MS; h < 8 && took > limit; limit *= 3)
        h++;
    return h;
}

size_t target_rounds(const struct session *s, uint32_t target, int *v, size_t n)
{
    const struct target_state *t = session_target(s, target);
    size_t filled = 0;
    uint32_t round = 0;

    if (!t)
        return 0;
    for (size_t i = t->nresults; i-- > 0;) {
        const struct result *r = session_result_by_id(s, t->results[i]);
        if (!r || r->repeat)
            continue;
        if (filled == 0 || r->round != round) {
            if (filled == n)
                break;
            v[filled++] = 0;
            round = r->round;
        }
        int *h = &v[filled - 1];
        if (r->outcome == OUTCOME_FAILED)
            *h = -1;
        else if (r->outcome == OUTCOME_OK && *h >= 0 && result_span(r) != NSTIME_NONE)
            *h = MAX_OF(*h, height_of(result_span(r)));
    }
    for (size_t i = 0; i < filled / 2; i++) {
        int swap = v[i];
        v[i] = v[filled - 1 - i];
        v[filled - 1 - i] = swap;
    }
    return filled;
}

const struct result *target_failure(const struct session *s, uint32_t target)
{
    const struct target_state *t = session_target(s, target);
    const struct result *worst = NULL;
    uint32_t last = 0;

    if (!t)
        return NULL;
    for (size_t i = t->nresults; i-- > 0;) {
        const struct result *r = session_result_by_id(s, t->results[i]);
        if (!r || r->repeat)
            continue;
        if (last && r->round != last)
            break;
        last = r->round;
        if (r->outcome == OUTCOME_FAILED)
            worst = r;
    }
    return worst;
}
