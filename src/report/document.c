/* The report for people, in the user's language: the summary first, then what hurts, then the rest.
 */
#include "report/page.h"

#include "view/view.h"

#include <stdio.h>
#include <string.h>

#define FULL_MAX     20 /* kinds of harm told in full; the rest get a line each */
#define LINES_MAX    200
#define FOR_MAX      4
#define OTHER_MAX    2
#define MORE_MAX     6
#define PATTERNS_MAX 20
#define TARGETS_MAX  2000

static void heading(struct page *p, int level, const char *text)
{
    p->style->heading(p, level, text);
    out_some(p->out);
}

static void item(struct page *p, int indent, const char *label, const char *text)
{
    p->style->item(p, indent, label, text);
}

/* Prints and releases what was collected. */
static void item_sb(struct page *p, int indent, const char *label, struct strbuf *sb)
{
    item(p, indent, label, sb->buf);
    strbuf_release(sb);
}

static void render(struct page *p, int indent, const char *label, const char *msgid,
                   const struct value *v, size_t n)
{
    struct strbuf sb = STRBUF_INIT;

    text_render(&sb, msgid, v, n, tr_locale);
    item_sb(p, indent, label, &sb);
}

/* ---- the top ---- */

static void say_vantage(struct page *p)
{
    const struct vantage *v = &p->s->vantage;
    struct strbuf names = STRBUF_INIT;

    for (size_t i = 0; i < v->ninterfaces; i++)
        strbuf_addf(&names, "%s%s", i ? ", " : "", v->interfaces[i]);
    if (!names.len)
        strbuf_addch(&names, '-');
    struct value values[] = {v_text(p->s->settings.read_file ? p->s->settings.read_file : ""),
                             v_text(names.buf), v_int((int64_t)v->packets),
                             v_int((int64_t)v->dropped)};
    const char *msg = v->capture == VANTAGE_FILE   ? N_("file %1$s, packets: %3$s")
                      : v->capture == VANTAGE_LIVE ? N_("captured on %2$s, packets: %3$s")
                                                   : N_("no packets were captured");
    struct strbuf sb = STRBUF_INIT;
    text_render(&sb, msg, values, 4, tr_locale);
    if (v->capture != VANTAGE_NONE && v->dropped_known)
        text_render(&sb, N_(", lost by the capture: %4$s"), values, 4, tr_locale);
    item_sb(p, 0, _("Seen"), &sb);
    strbuf_release(&names);
}

static void say_top(struct page *p)
{
    const struct session *s = p->s;
    struct strbuf sb = STRBUF_INIT;
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

    heading(p, 1, _("What was found"));
    words_summary(&sb, s, tr_locale);
    item_sb(p, 0, "", &sb);
    p->style->gap(p);
    if (s->started != NSTIME_NONE)
        strbuf_addstr(&sb, time_rfc3339(from, s->started));
    if (s->ended != NSTIME_NONE)
        strbuf_addf(&sb, " - %s", time_rfc3339(to, s->ended));
    if (sb.len)
        item(p, 0, _("When"), sb.buf);
    strbuf_release(&sb);
    say_vantage(p);
    struct value v[] = {v_int((int64_t)s->resets_seen), v_int((int64_t)s->harmful_resets),
                        v_int((int64_t)s->failed_probes)};
    render(p, 0, _("Count"), N_("resets: %1$s, harmful: %2$s, failed probes: %3$s"), v, 3);
    if (s->vantage.capture_error[0])
        item(p, 0, _("Capture"), s->vantage.capture_error);
}

/* ---- targets ---- */

static void say_remarks(struct page *p, const struct target_state *ts)
{
    struct strbuf sb = STRBUF_INIT;
    struct facts f;

    facts_init(&f);
    target_remarks(&f, p->s, ts);
    for (size_t i = 0; i < f.nr; i++) {
        fact_text(&sb, &f.items[i], tr_locale);
        p->style->bullet(p, 1, "!", sb.buf);
        strbuf_reset(&sb);
    }
    facts_release(&f);
    strbuf_release(&sb);
}

static void say_target(struct page *p, const struct target_state *ts)
{
    struct strbuf sb = STRBUF_INIT;
    struct stage_cell cell;
    bool failed = false;

    strbuf_addstr(&sb, ts->target->name);
    for (size_t i = 0; i < probe_type_count(); i++) {
        const struct probe_type *type = probe_type_at(i);
        stage_cell_fill(&cell, p->s, ts->target->id, type->name, tr_locale);
        if (!cell.known)
            continue;
        failed = failed || cell.outcome == OUTCOME_FAILED;
        strbuf_addf(&sb, "   %s %s", type->name, cell.text);
    }
    if (ts->passed + ts->failed && ts->rounds_done > 1) {
        struct value v[] = {v_int((int64_t)ts->rounds_done), v_int((int64_t)ts->failed)};
        strbuf_addstr(&sb, "   ");
        text_render(&sb, N_("(rounds: %1$s, failed probes: %2$s)"), v, 2, tr_locale);
    }
    p->style->bullet(p, 0, failed ? "x" : "+", sb.buf);
    strbuf_release(&sb);
    say_remarks(p, ts);
    out_some(p->out);
}

static void say_targets(struct page *p)
{
    size_t n = MIN_OF(p->s->ntargets, TARGETS_MAX);

    if (!n)
        return;
    heading(p, 1, _("Targets"));
    for (size_t i = 0; i < n; i++)
        say_target(p, &p->s->targets[i]);
    if (n < p->s->ntargets) {
        struct value v = v_int((int64_t)(p->s->ntargets - n));
        render(p, 0, "", N_("and %1$s more targets"), &v, 1);
    }
}

/* ---- what hurts ---- */

static void say_facts(struct page *p, const struct judgement *j, const struct weighed *w, size_t n,
                      const char *mark, size_t max)
{
    struct strbuf sb = STRBUF_INIT;

    for (size_t i = 0; i < n && i < max; i++) {
        const struct fact *f = facts_get(&j->facts, w[i].kind);
        if (!f)
            continue;
        fact_text(&sb, f, tr_locale);
        words_reference(&sb, f);
        p->style->bullet(p, 2, mark, sb.buf);
        strbuf_reset(&sb);
    }
    strbuf_release(&sb);
}

static void say_missing(struct page *p, const struct verdict *v)
{
    struct strbuf sb = STRBUF_INIT;

    for (size_t i = 0; i < v->nmissing && i < OTHER_MAX; i++) {
        fact_missing_text(&sb, v->missing[i].kind, tr_locale);
        p->style->bullet(p, 2, "?", sb.buf);
        strbuf_reset(&sb);
    }
    strbuf_release(&sb);
}

static void say_verdicts(struct page *p, const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    struct strbuf sb = STRBUF_INIT;

    if (!j->nverdicts) {
        item(p, 1, _("Cause"), _("not determined"));
        return;
    }
    if (!j->determined) {
        strbuf_addstr(&sb, _("not determined; "));
    }
    words_verdict(&sb, &j->verdicts[0]);
    item_sb(p, 1, _("Cause"), &sb);
    say_facts(p, j, j->verdicts[0].for_, j->verdicts[0].nfor, "+", FOR_MAX);
    say_facts(p, j, j->verdicts[0].against, j->verdicts[0].nagainst, "-", OTHER_MAX);
    say_missing(p, &j->verdicts[0]);
    for (size_t k = 1; k < j->nverdicts && k <= OTHER_MAX; k++) {
        words_verdict(&sb, &j->verdicts[k]);
        item_sb(p, 1, _("or"), &sb);
    }
    cause_advice(&sb, j->verdicts[0].cause, &j->facts, tr_locale);
    item_sb(p, 1, _("Advice"), &sb);
}

static void say_sender(struct page *p, const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    struct strbuf sb = STRBUF_INIT;

    if (!i->is_reset)
        return;
    words_sender(&sb, i, tr_locale);
    item_sb(p, 1, _("Sender"), &sb);
    if (j->nsender_why && j->sender != SENDER_UNKNOWN && j->sender != SENDER_PEER)
        say_facts(p, j, j->sender_why, j->nsender_why, "+", OTHER_MAX);
}

static void say_retry(struct page *p, const struct incident *i)
{
    struct strbuf sb = STRBUF_INIT;

    strbuf_addstr(&sb, _(retry_title(i->judgement.retry)));
    if (i->judgement.retry_why && *i->judgement.retry_why)
        strbuf_addf(&sb, ": %s", _(i->judgement.retry_why));
    item_sb(p, 1, _("Retry"), &sb);
}

static void say_step(struct page *p, const struct incident *i)
{
    const struct checklist *c = &i->checklist;
    const struct test *t = test_by_id(i->next_test);
    struct strbuf sb = STRBUF_INIT;

    if (t) {
        strbuf_addf(&sb, _("experiment \"%s\": %s (about %d connections, %d s; not run: %s)"),
                    _(t->title), _(t->about), t->connections, t->seconds,
                    i->next_why ? _(i->next_why) : "");
        item_sb(p, 1, _("Next"), &sb);
    }
    if (!i->judgement.determined && c->next >= 0 && (size_t)c->next < c->nr)
        item(p, 1, _("Next"), _(c->items[c->next].step->question));
}

static void say_more(struct page *p, const struct alike *a)
{
    struct strbuf sb = STRBUF_INIT;
    struct value n = v_int((int64_t)a->nr - 1);
    char to[ENDPOINT_TEXT_MAX];
    const char *sep = ": ";

    if (a->nr < 2)
        return;
    text_render(&sb, N_("and %1$s more like it"), &n, 1, tr_locale);
    for (size_t k = 1; k < a->nr && k <= MORE_MAX; k++) {
        const struct incident *i = p->s->incidents[a->members[k]];
        if (!i->flow_known)
            continue;
        strbuf_addf(&sb, "%s%s", sep, endpoint_text(to, &i->flow.dst, i->flow.dport));
        n = v_int(i->reset ? (int64_t)i->reset->packet : 0);
        if (i->reset)
            text_render(&sb, N_(" (packet %1$s)"), &n, 1, tr_locale);
        sep = ", ";
    }
    if (a->nr > MORE_MAX + 1)
        strbuf_addstr(&sb, " ...");
    item_sb(p, 1, "", &sb);
}

/* What the service's playbook says, with what is known of each of its items. */
static void say_playbook(struct page *p, const struct incident *i)
{
    static const char *const marks[] = {"=", "!", "-", "?", "-"};
    const struct playbook *b = session_playbook(p->s, i);
    const struct judgement *j = &i->judgement;
    bool plain = j->nverdicts && j->verdicts[0].grade == GRADE_CONFIRMED;
    struct strbuf sb = STRBUF_INIT;

    if (!b || plain)
        return;
    item(p, 1, _("Playbook"), _(b->title));
    for (size_t k = 0; k < playbook_items(b); k++) {
        enum step_state st = playbook_item_state(&b->items[k], &i->checklist, &i->judgement.facts);
        strbuf_addf(&sb, "%s %s", marks[st], _(b->items[k].say));
        if (st == STEP_SUSPECT || st == STEP_UNKNOWN)
            strbuf_addf(&sb, " %s", _(b->items[k].means));
        item_sb(p, 1, "", &sb);
    }
}

static void say_harm(struct page *p, const struct alike *a)
{
    const struct incident *i = a->first;
    struct strbuf sb = STRBUF_INIT;

    words_title(&sb, p->s, i);
    heading(p, 2, sb.buf);
    strbuf_release(&sb);
    words_what(&sb, p->s, i);
    item_sb(p, 1, _("What"), &sb);
    if (i->reset && i->reset->last_words[0])
        item(p, 1, _("Words"), i->reset->last_words);
    say_sender(p, i);
    say_verdicts(p, i);
    say_retry(p, i);
    seen_before_text(&sb, &i->judgement.facts, tr_locale);
    if (sb.len)
        item_sb(p, 1, _("Before"), &sb);
    say_step(p, i);
    say_playbook(p, i);
    say_more(p, a);
    if (!i->related)
        item(p, 1, "", _("not a connection of a target: not counted"));
}

static void say_short(struct page *p, const struct alike *a, const char *mark)
{
    const struct incident *i = a->first;
    struct strbuf sb = STRBUF_INIT;

    if (a->nr > 1)
        strbuf_addf(&sb, "%zu x  ", a->nr);
    words_title(&sb, p->s, i);
    strbuf_addstr(&sb, ": ");
    if (i->judgement.nverdicts)
        words_verdict(&sb, &i->judgement.verdicts[0]);
    else
        strbuf_addstr(&sb, _("not determined"));
    if (!i->harmful)
        strbuf_addf(&sb, "; %s", _(i->harmful_why));
    p->style->bullet(p, 0, mark, sb.buf);
    strbuf_release(&sb);
    out_some(p->out);
}

static int say_harms(struct page *p)
{
    struct alike_list l;
    int err = alike_build(&l, p->s, true);

    if (err)
        return err;
    if (l.nr)
        heading(p, 1, _("What hurt"));
    for (size_t k = 0; k < l.nr && k < FULL_MAX; k++)
        say_harm(p, &l.items[k]);
    if (l.nr > FULL_MAX)
        heading(p, 2, _("More of them, in short"));
    for (size_t k = FULL_MAX; k < l.nr && k < LINES_MAX; k++)
        say_short(p, &l.items[k], "x");
    if (l.nr > LINES_MAX) {
        struct value v = v_int((int64_t)(l.nr - LINES_MAX));
        render(p, 0, "", N_("and %1$s kinds more; the JSON report holds them all"), &v, 1);
    }
    alike_release(&l);
    return 0;
}

static int say_benign(struct page *p)
{
    struct alike_list l;
    int err = alike_build(&l, p->s, false);

    if (err)
        return err;
    if (l.nr)
        heading(p, 1, _("Harmless"));
    for (size_t k = 0; k < l.nr && k < LINES_MAX; k++)
        say_short(p, &l.items[k], "=");
    alike_release(&l);
    return 0;
}

static void say_members(struct page *p, const struct pattern *one)
{
    struct strbuf sb = STRBUF_INIT;

    for (size_t n = 0; n < one->nr && n <= MORE_MAX; n++) {
        const struct incident *i = pattern_incident(p->s, one, n);
        if (i)
            strbuf_addf(&sb, "%s#%llu", sb.len ? ", " : "", (unsigned long long)i->reset_id);
    }
    if (one->nr > MORE_MAX + 1)
        strbuf_addstr(&sb, " ...");
    item_sb(p, 1, "", &sb);
}

static void say_patterns(struct page *p)
{
    const struct patterns *all = &p->s->patterns;
    struct strbuf sb = STRBUF_INIT;
    size_t told = 0;

    for (size_t k = 0; k < all->nr && told < PATTERNS_MAX; k++) {
        if (!pattern_tells(&all->items[k]))
            continue;
        if (!told++)
            heading(p, 1, _("What they have in common"));
        pattern_line(&sb, p->s, &all->items[k], tr_locale);
        p->style->bullet(p, 0, "*", sb.buf);
        strbuf_reset(&sb);
        say_members(p, &all->items[k]);
    }
    strbuf_release(&sb);
}

/* ---- the end ---- */

static void say_experiments(struct page *p)
{
    static const char *const outcomes[] = {N_("it told the causes apart"), N_("inconclusive"),
                                           N_("cancelled")};
    const struct session *s = p->s;
    struct strbuf sb = STRBUF_INIT;

    if (!s->nexperiments)
        return;
    heading(p, 1, _("Experiments"));
    for (size_t k = 0; k < s->nexperiments; k++) {
        const struct experiment_record *e = &s->experiments[k];
        const struct target_state *ts = session_target(s, e->target);
        const struct test *t = test_by_id(e->experiment);
        if (e->outcome == EXP_RUNNING)
            continue;
        strbuf_addf(&sb, "%s %s: %s", t ? _(t->title) : e->experiment, ts ? ts->target->name : "",
                    _(outcomes[e->outcome]));
        if (e->why[0])
            strbuf_addf(&sb, " (%s)", _(e->why));
        words_proof(&sb, e);
        for (size_t n = 0; n < e->facts.nr; n++) {
            const struct fact *f = &e->facts.items[n];
            if (!f->yes && f->source != SRC_EXPERIMENT)
                continue;
            strbuf_addstr(&sb, "; ");
            fact_text(&sb, &e->facts.items[n], tr_locale);
        }
        p->style->bullet(p, 0, "*", sb.buf);
        strbuf_reset(&sb);
    }
    strbuf_release(&sb);
}

static void say_limit(struct page *p, uint64_t n, const char *msgid)
{
    struct value v = v_int((int64_t)n);
    struct strbuf sb = STRBUF_INIT;

    if (!n)
        return;
    text_render(&sb, msgid, &v, 1, tr_locale);
    p->style->bullet(p, 0, "!", sb.buf);
    strbuf_release(&sb);
}

static void say_notes(struct page *p)
{
    const struct session *s = p->s;
    const struct flow_limits_hit *hit = flow_table_limits(s->flows);
    uint64_t lost = hit->resets_dropped + s->limits.incidents_dropped;

    if (!s->nmessages && !hit->flows_evicted && !lost && !s->limits.results_dropped &&
        !s->limits.records_dropped && !hit->bytes_refused)
        return;
    heading(p, 1, _("Notes"));
    for (size_t i = 0; i < s->nmessages; i++)
        p->style->bullet(p, 0, s->messages[i].level == MSG_INFO ? "*" : "!", s->messages[i].text);
    say_limit(p, hit->flows_evicted,
              N_("connections dropped from memory by the limit (--max-flows): %1$s"));
    say_limit(p, lost, N_("resets left out by the limit: %1$s"));
    say_limit(p, hit->bytes_refused,
              N_("first bytes of connections not kept, by the limit (--max-memory): %1$s"));
    say_limit(p, s->limits.records_dropped, N_("connections left out of the list: %1$s"));
    say_limit(p, s->limits.results_dropped, N_("results of old rounds left out: %1$s"));
}

static void say_flows(struct page *p)
{
    struct flow_record rec;
    const struct flow_record *r = &rec;
    struct strbuf sb = STRBUF_INIT;
    char key[FLOW_KEY_TEXT_MAX], took[TIME_TEXT_MAX];

    if (session_flow_records(p->s))
        heading(p, 1, _("Connections"));
    for (uint64_t i = 0; session_flow_record(p->s, i, &rec); i++) {
        strbuf_addf(&sb, "%s  %s %s  %llu/%llu  %s", flow_key_text(key, &r->key),
                    conn_state_name(r->state) ? conn_state_name(r->state) : "-", r->history,
                    (unsigned long long)r->bytes[SIDE_ORIG],
                    (unsigned long long)r->bytes[SIDE_RESP],
                    r->duration == NSTIME_NONE ? "-" : span_text(took, r->duration));
        p->style->bullet(p, 0, "*", sb.buf);
        strbuf_reset(&sb);
        out_some(p->out);
    }
    strbuf_release(&sb);
}

int document_write(const struct session *s, const struct sink *to, const struct page_style *style)
{
    struct out out;
    struct page p = {&out, style, s};
    int err;

    out_init(&out, to);
    say_top(&p);
    say_targets(&p);
    err = say_harms(&p);
    say_patterns(&p);
    if (!err)
        err = say_benign(&p);
    say_experiments(&p);
    say_flows(&p);
    say_notes(&p);
    int written = out_finish(&out);
    return err ? err : written;
}
