/* The model in sentences, for every format. */
#include "report/private.h"
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

static void say(struct strbuf *out, const char *msgid, const struct value *v, size_t n,
                translate_fn tr)
{
    text_render(out, msgid, v, n, tr);
}

const struct result *incident_failed_result(const struct session *s, const struct incident *i)
{
    return session_result_by_id(s, i->result);
}

/* design.md 6 asks for a stage of every reset; without packets the probe's own view gives it. */
enum stage incident_stage(const struct session *s, const struct incident *i)
{
    const struct result *r = incident_failed_result(s, i);
    const struct facts *f = &i->judgement.facts;
    const struct fact *stage = facts_get(f, FACT_STAGE);

    if (i->reset)
        return i->reset->stage;
    if (stage && stage->v[0].type == VALUE_TEXT && stage->v[0].u.s)
        for (enum stage st = STAGE_SYN; st < STAGE_UNKNOWN; st++)
            if (strcmp(stage_name(st), stage->v[0].u.s) == 0)
                return st;
    if (!r)
        return STAGE_UNKNOWN;
    switch (r->stage) {
    case PSTAGE_CONNECT: return STAGE_SYN;
    case PSTAGE_HOLD: return facts_no(f, FACT_NOTHING_SENT) ? STAGE_PSH : STAGE_ACK;
    case PSTAGE_HANDSHAKE:
    case PSTAGE_REQUEST: return facts_yes(f, FACT_NO_REPLY_BYTES) ? STAGE_PSH : STAGE_DATA;
    case PSTAGE_RESPONSE: return STAGE_DATA;
    case PSTAGE_CLOSE: return STAGE_CLOSE;
    default: return STAGE_UNKNOWN;
    }
}

void words_flow(struct strbuf *out, const struct session *s, const struct incident *i)
{
    const struct target_state *ts = session_target(s, i->target);
    char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];

    if (ts)
        strbuf_addstr(out, ts->target->name);
    if (i->log)
        incident_who(out, s, i);
    if (!i->flow_known || i->log)
        return;
    if (ts)
        strbuf_addstr(out, " (");
    if (i->flow.src.family)
        strbuf_addf(out, "%s -> ", endpoint_text(a, &i->flow.src, i->flow.sport));
    strbuf_addstr(out, endpoint_text(b, &i->flow.dst, i->flow.dport));
    if (ts)
        strbuf_addch(out, ')');
}

void words_sender(struct strbuf *out, const struct incident *i, translate_fn tr)
{
    const struct judgement *j = &i->judgement;
    struct value v[] = {v_text(tr(incident_sender(i))),
                        v_int((int64_t)(j->sender_confidence * 100 + .5))};

    if (j->sender == SENDER_UNKNOWN)
        strbuf_addstr(out, tr(N_("not determined")));
    else
        say(out, N_("%1$s (%2$s %%)"), v, 2, tr);
}

/* ---- the summary ---- */

static void summary_of_targets(struct strbuf *out, const struct session *s, translate_fn tr)
{
    bool *seen = calloc(s->ntargets + 1, sizeof(*seen));
    uint32_t told = 0, more = 0;
    struct value n;

    for (size_t k = 0; k < s->nincidents; k++) {
        const struct incident *i = s->incidents[k];
        const struct target_state *ts = session_target(s, i->target);
        if (!seen || !ts || !i->harmful || i->repeat || seen[i->target])
            continue;
        seen[i->target] = true;
        if (told == 3) {
            more++;
            continue;
        }
        strbuf_addf(out, "%s%s: ", told++ ? "; " : "", ts->target->name);
        judgement_headline(out, &i->judgement, tr);
    }
    n = v_int(more);
    if (more)
        say(out, N_("; and %1$s more"), &n, 1, tr);
    n = v_int((int64_t)s->ntargets);
    struct value unfinished = v_int((int64_t)session_unfinished(s));
    if (!told && s->failed_probes)
        strbuf_addstr(out, tr(N_("probes failed")));
    else if (!told && unfinished.u.i)
        say(out, N_("no probe failed, but the run ended before all were done (targets left: %1$s)"),
            &unfinished, 1, tr);
    else if (!told)
        say(out, N_("every probe of every target passed (targets: %1$s)"), &n, 1, tr);
    free(seen);
}

static const struct incident *first_harmful(const struct session *s)
{
    for (size_t k = 0; k < s->nincidents; k++)
        if (s->incidents[k]->is_reset && s->incidents[k]->harmful && s->incidents[k]->related)
            return s->incidents[k];
    return NULL;
}

static void summary_of_packets(struct strbuf *out, const struct session *s, translate_fn tr)
{
    const struct incident *first = first_harmful(s);
    struct value v[] = {v_int((int64_t)s->resets_seen), v_int((int64_t)s->harmful_resets),
                        v_int((int64_t)s->vantage.packets)};

    if (!s->resets_seen) {
        say(out, N_("no connection was reset (packets: %3$s)"), v, 3, tr);
        return;
    }
    if (!first) {
        say(out, N_("connections reset: %1$s, none of them harmful"), v, 3, tr);
        return;
    }
    say(out, N_("connections reset: %1$s, harmful: %2$s; the first: "), v, 3, tr);
    words_flow(out, s, first);
    strbuf_addstr(out, ": ");
    judgement_headline(out, &first->judgement, tr);
}

static void summary_of_log(struct strbuf *out, const struct session *s, translate_fn tr)
{
    const struct incident *worst = NULL;
    struct value v[] = {v_int((int64_t)s->log.errors), v_int((int64_t)s->log.nr)};

    for (size_t k = 0; k < s->nincidents; k++)
        if (s->incidents[k] && s->incidents[k]->log &&
            (!worst || s->incidents[k]->log->lines > worst->log->lines))
            worst = s->incidents[k];
    if (!worst) {
        strbuf_addstr(out, tr(N_("the log tells of no connection that failed")));
        return;
    }
    say(out, N_("the log tells of %1$s failures of %2$s kinds; most often: "), v, 2, tr);
    incident_line(out, s, worst, tr);
    strbuf_addstr(out, ": ");
    judgement_headline(out, &worst->judgement, tr);
}

void words_summary(struct strbuf *out, const struct session *s, translate_fn tr)
{
    if (s->ntargets)
        summary_of_targets(out, s, tr);
    else if (s->log.lines && !s->vantage.packets)
        summary_of_log(out, s, tr);
    else
        summary_of_packets(out, s, tr);
}

/* ---- pieces of sentences, in the user's language ---- */

void words_reference(struct strbuf *sb, const struct fact *f)
{
    struct value v = v_int((int64_t)f->packet);

    if (f->packet)
        text_render(sb, N_(" (packet %1$s)"), &v, 1, tr_locale);
    else if (f->ref && *f->ref)
        strbuf_addf(sb, " (%s)", f->ref);
}

const char *grade_word(enum grade g)
{
    static const char *const grades[] = {
        [GRADE_NONE] = "",
        [GRADE_POSSIBLE] = N_("possible"),
        [GRADE_LIKELY] = N_("likely"),
        [GRADE_CONFIRMED] = N_("confirmed"),
    };

    return grades[g];
}

void words_verdict(struct strbuf *sb, const struct verdict *v)
{
    strbuf_addf(sb, "%s (%s, %.0f %%) [%s]", _(v->cause->title), _(grade_word(v->grade)),
                v->confidence * 100, v->cause->id);
}

/* "#17 14:05:12.489 a > b (packet 12)" */
void words_title(struct strbuf *sb, const struct session *s, const struct incident *i)
{
    char when[TIME_TEXT_MAX];

    if (i->reset_id)
        strbuf_addf(sb, "#%llu  ", (unsigned long long)i->reset_id);
    if (i->time != NSTIME_NONE) /* a log's clock is written as it stands there */
        strbuf_addf(sb, "%s  ", time_clock(when, i->time, i->log ? 0 : 3, i->log != NULL));
    words_flow(sb, s, i);
    if (i->reset) {
        struct value v = v_int((int64_t)i->reset->packet);
        text_render(sb, N_("  packet %1$s"), &v, 1, tr_locale);
    }
}

/* A refusal's harm says all that its line would. */
void words_what(struct strbuf *out, const struct session *s, const struct incident *i)
{
    const struct result *r = incident_failed_result(s, i);

    if (i->log)
        incident_line(out, s, i, tr_locale);
    else if (i->reset ? i->reset->stage != STAGE_SYN : !r || r->failure != FAIL_REFUSED) {
        incident_line(out, s, i, tr_locale);
        strbuf_addstr(out, "; ");
    }
    if (!i->log)
        strbuf_addstr(out, _(i->harmful_why));
}

static int64_t measured(const struct experiment_record *e, const char *name)
{
    for (size_t i = 0; i < e->nmeasures; i++)
        if (!strcmp(e->measures[i].name, name) && e->measures[i].value.type == VALUE_INT)
            return e->measures[i].value.u.i;
    return -1;
}

/* "0 of 212 against 9 of 200 before, p < 0.01" */
void words_proof(struct strbuf *sb, const struct experiment_record *e)
{
    double p = -1;

    for (size_t i = 0; i < e->nmeasures; i++)
        if (!strcmp(e->measures[i].name, "p") && e->measures[i].value.type == VALUE_REAL)
            p = e->measures[i].value.u.d;
    if (p < 0)
        return;
    strbuf_addf(sb, _("; failed %lld of %lld against %lld of %lld before, p %s %.2g"),
                (long long)measured(e, "after_failed"), (long long)measured(e, "after"),
                (long long)measured(e, "before_failed"), (long long)measured(e, "before"),
                p < .01 ? "<" : "=", p < .01 ? .01 : p);
}

/* What a person wants to know of a target although its probes may have passed. */
static const enum fact_kind remarks[] = {
    FACT_DNS_DIFFER,  FACT_DNS_SERVER_FAILS, FACT_DNS_TCP_ONLY,    FACT_DNS_SYSTEM_DIFFERS,
    FACT_DNS_MOVED,   FACT_CERT_REVOKED,     FACT_OCSP_STALE,      FACT_PROXY_REFUSED,
    FACT_REDIRECT,    FACT_H2_GOAWAY,        FACT_SERVICE_REFUSED, FACT_REPLY_UNREADABLE,
    FACT_EARLY_REPLY,
};

/* Of the first round, in which name servers are asked one by one, and of the last. */
static void remarks_of(struct facts *out, const struct session *s, const struct target_state *ts)
{
    const struct result *last = NULL, *r;

    if (ts->nresults)
        last = session_result_by_id(s, ts->results[ts->nresults - 1]);
    for (size_t i = 0; i < ts->nresults && last; i++) {
        r = session_result_by_id(s, ts->results[i]);
        if (!r || r->repeat || (r->round != 1 && r->round != last->round))
            continue;
        struct facts one;
        facts_init(&one);
        facts_of_result(&one, r);
        facts_merge(out, &one, true);
        facts_release(&one);
    }
}

void target_remarks(struct facts *out, const struct session *s, const struct target_state *ts)
{
    struct facts all;

    facts_init(&all);
    remarks_of(&all, s, ts);
    for (size_t i = 0; i < ARRAY_SIZE(remarks); i++) {
        const struct fact *one = facts_get(&all, remarks[i]);
        if (one && one->yes)
            facts_add(out, one);
    }
    facts_release(&all);
}
