/* One kind of harm in the HTML report: what happened, who and why, how sure, and what to do. */
#include "report/html.h"

#include <string.h>

#define FOR_MAX   8
#define OTHER_MAX 4
#define RULED_MAX 8
#define MORE_MAX  12

const char *html_grade_look(const struct judgement *j)
{
    if (!j->nverdicts || !j->determined)
        return "note";
    return j->verdicts[0].grade == GRADE_CONFIRMED ? "bad" : "warn";
}

void html_cause(struct html *h, const struct judgement *j)
{
    struct value v = v_text(j->nverdicts ? _(j->verdicts[0].cause->title) : "");
    struct strbuf sb = STRBUF_INIT;

    if (!j->nverdicts)
        strbuf_addstr(&sb, _("the facts do not tell"));
    else if (j->determined)
        strbuf_addstr(&sb, v.u.s);
    else
        text_render(&sb, N_("possibly: %1$s"), &v, 1, tr_locale);
    html_text(h, sb.buf);
    strbuf_release(&sb);
}

/* ---- the stages of its probe ---- */

static void say_stages(struct html *h, const struct incident *i)
{
    const struct target_state *ts = session_target(h->s, i->target);
    struct stage_cell cell;
    bool any = false;

    for (size_t k = 0; ts && i->chain && k < ts->nresults; k++) {
        const struct result *r = session_result_by_id(h->s, ts->results[k]);
        if (!r || r->repeat || r->chain != i->chain || r->outcome == OUTCOME_SKIPPED)
            continue;
        result_cell_fill(&cell, r, tr_locale);
        if (!any)
            html_raw(h, "<ul class=\"chips\">");
        any = true;
        html_raw(h, r->outcome == OUTCOME_FAILED ? "<li class=\"bad\">" : "<li>");
        html_text(h, r->probe);
        html_raw(h, " ");
        html_text(h, cell.text);
        html_raw(h, "</li>");
    }
    if (any)
        html_raw(h, "</ul>\n");
}

/* ---- evidence ---- */

static void say_fact(struct html *h, const struct fact *f)
{
    struct strbuf sb = STRBUF_INIT;

    if (!f)
        return;
    fact_text(&sb, f, tr_locale);
    html_raw(h, "<li>");
    html_text(h, sb.buf);
    strbuf_reset(&sb);
    words_reference(&sb, f);
    if (sb.len)
        html_element(h, "span class=\"ref\"", sb.buf);
    html_raw(h, "</li>");
    strbuf_release(&sb);
}

static void say_weighed(struct html *h, const char *look, const char *title,
                        const struct judgement *j, const struct weighed *w, size_t n, size_t max)
{
    if (!n)
        return;
    html_raw(h, "<div>");
    html_element(h, "h4", title);
    html_rawf(h, "<ul class=\"%s\">", look);
    for (size_t k = 0; k < n && k < max; k++)
        say_fact(h, facts_get(&j->facts, w[k].kind));
    html_raw(h, "</ul></div>");
}

static void say_open(struct html *h, const struct verdict *v)
{
    struct strbuf sb = STRBUF_INIT;

    if (!v->nmissing)
        return;
    html_raw(h, "<div>");
    html_element(h, "h4", _("not known"));
    html_raw(h, "<ul class=\"open\">");
    for (size_t k = 0; k < v->nmissing && k < OTHER_MAX; k++) {
        fact_missing_text(&sb, v->missing[k].kind, tr_locale);
        html_element(h, "li", sb.buf);
        strbuf_reset(&sb);
    }
    html_raw(h, "</ul></div>");
    strbuf_release(&sb);
}

static void say_evidence(struct html *h, const struct judgement *j)
{
    const struct verdict *v = &j->verdicts[0];

    html_raw(h, "<div class=\"evidence\">");
    say_weighed(h, "for", _("for"), j, v->for_, v->nfor, FOR_MAX);
    say_weighed(h, "against", _("against"), j, v->against, v->nagainst, OTHER_MAX);
    say_open(h, v);
    html_raw(h, "</div>\n");
}

/* ---- the verdict ---- */

static void say_others(struct html *h, const struct judgement *j)
{
    struct strbuf sb = STRBUF_INIT;

    for (size_t k = 1; k < j->nverdicts && k <= OTHER_MAX; k++) {
        html_raw(h, "<p class=\"small dim\">");
        html_text(h, _("or"));
        html_raw(h, ": ");
        words_verdict(&sb, &j->verdicts[k]);
        html_text(h, sb.buf);
        strbuf_reset(&sb);
        html_raw(h, "</p>");
    }
    strbuf_release(&sb);
}

static void say_verdict(struct html *h, const struct judgement *j)
{
    const struct verdict *v = j->verdicts;

    html_raw(h, "<div class=\"verdict\">");
    if (!j->nverdicts) {
        html_element(h, "p class=\"title\"", _("not determined"));
        html_raw(h, "</div>\n");
        return;
    }
    html_raw(h, "<p class=\"row\">");
    html_badge(h, html_grade_look(j),
               j->determined ? _(grade_word(v->grade)) : _("not determined"));
    html_bar(h, v->confidence);
    html_rawf(h, "<span class=\"small\">%.0f&#160;%%</span> ", v->confidence * 100);
    html_element(h, "code class=\"dim\"", v->cause->id);
    html_raw(h, "</p>");
    html_raw(h, "<p class=\"title\">");
    html_cause(h, j);
    html_raw(h, "</p>");
    if (v->cause->what)
        html_element(h, "p class=\"small\"", _(v->cause->what));
    say_others(h, j);
    html_raw(h, "</div>\n");
}

static void say_pair(struct html *h, const char *term, struct strbuf *sb)
{
    if (sb->len) {
        html_element(h, "dt", term);
        html_element(h, "dd", sb->buf);
    }
    strbuf_reset(sb);
}

static void say_pairs(struct html *h, const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    struct strbuf sb = STRBUF_INIT;

    html_raw(h, "<dl class=\"pairs\">");
    if (i->is_reset)
        words_sender(&sb, i, tr_locale);
    say_pair(h, _("Sender"), &sb);
    strbuf_addstr(&sb, _(retry_title(j->retry)));
    if (j->retry_why && *j->retry_why)
        strbuf_addf(&sb, ": %s", _(j->retry_why));
    say_pair(h, _("Retry"), &sb);
    if (j->nverdicts && j->verdicts[0].cause->confirm && j->verdicts[0].grade != GRADE_CONFIRMED)
        strbuf_addstr(&sb, _(j->verdicts[0].cause->confirm));
    say_pair(h, _("To make sure"), &sb);
    seen_before_text(&sb, &j->facts, tr_locale);
    say_pair(h, _("Before"), &sb);
    if (i->reset && i->reset->last_words[0]) {
        html_element(h, "dt", _("Words"));
        html_element(h, "dd class=\"mono\"", i->reset->last_words);
    }
    html_raw(h, "</dl>\n");
    if (j->nsender_why && j->sender != SENDER_UNKNOWN && j->sender != SENDER_PEER) {
        html_raw(h, "<div class=\"evidence\">");
        say_weighed(h, "for", _("who sent it"), j, j->sender_why, j->nsender_why, OTHER_MAX);
        html_raw(h, "</div>\n");
    }
    strbuf_release(&sb);
}

static void say_ruled_out(struct html *h, const struct judgement *j)
{
    if (!j->nruled_out)
        return;
    struct value n = v_int((int64_t)j->nruled_out);
    struct strbuf sb = STRBUF_INIT;

    text_render(&sb, N_("Ruled out (%1$s): "), &n, 1, tr_locale);
    for (size_t k = 0; k < j->nruled_out && k < RULED_MAX; k++)
        strbuf_addf(&sb, "%s%s", k ? "; " : "", _(j->ruled_out[k].cause->title));
    if (j->nruled_out > RULED_MAX)
        strbuf_addstr(&sb, " ...");
    html_element_sb(h, "p class=\"small dim\"", &sb);
}

/* ---- what to do ---- */

static void say_snippets(struct html *h, const struct cause *c)
{
    const struct snippet *s = cause_snippets(c);

    if (!s || !s->in)
        return;
    for (size_t k = 0; k < h->ntold; k++)
        if (h->told[k] == s)
            return;
    if (h->ntold < ARRAY_SIZE(h->told))
        h->told[h->ntold++] = s;
    html_raw(h, "<div>");
    html_element(h, "h4", _("In code and settings"));
    html_raw(h, "<div class=\"snippets\">");
    for (; s->in; s++) {
        html_raw(h, "<div class=\"snippet\">");
        html_element(h, "p class=\"small dim\"", s->in);
        html_element(h, "pre", s->text);
        html_raw(h, "</div>");
    }
    html_raw(h, "</div></div>\n");
}

static void say_advice(struct html *h, const struct judgement *j)
{
    if (!j->nverdicts)
        return;
    const struct cause *c = j->verdicts[0].cause;
    const struct {
        const char *who, *text;
    } parts[] = {{N_("Client"), c->client}, {N_("Server"), c->server}, {N_("Network"), c->network}};

    html_raw(h, "<div class=\"advice\">");
    for (size_t k = 0; k < ARRAY_SIZE(parts); k++) {
        if (!parts[k].text)
            continue;
        html_raw(h, "<div>");
        html_element(h, "h4", _(parts[k].who));
        html_element(h, "p", _(parts[k].text));
        html_raw(h, "</div>");
    }
    html_raw(h, "</div>\n");
    if (j->determined)
        say_snippets(h, c);
}

static void say_next(struct html *h, const struct incident *i)
{
    const struct checklist *c = &i->checklist;
    const struct test *t = test_by_id(i->next_test);
    struct strbuf sb = STRBUF_INIT;

    if (t)
        strbuf_addf(&sb, _("experiment \"%s\": %s (about %d connections, %d s; not run: %s)"),
                    _(t->title), _(t->about), t->connections, t->seconds,
                    i->next_why ? _(i->next_why) : "");
    else if (!i->judgement.determined && c->next >= 0 && (size_t)c->next < c->nr)
        strbuf_addstr(&sb, _(c->items[c->next].step->question));
    if (!sb.len)
        return;
    html_raw(h, "<p><b>");
    html_text(h, _("Next"));
    html_raw(h, ":</b> ");
    html_text(h, sb.buf);
    html_raw(h, "</p>\n");
    strbuf_release(&sb);
}

static void say_playbook(struct html *h, const struct incident *i)
{
    static const char *const looks[] = {"passed", "suspect", "out", "unknown", "out"};
    const struct playbook *b = session_playbook(h->s, i);

    if (!b)
        return;
    html_raw(h, "<div>");
    html_raw(h, "<h4>");
    html_text(h, _("Playbook"));
    html_raw(h, ": ");
    html_text(h, _(b->title));
    html_raw(h, "</h4><ul class=\"plain\">");
    for (size_t k = 0; k < playbook_items(b); k++) {
        enum step_state st = playbook_item_state(&b->items[k], &i->checklist, &i->judgement.facts);
        html_rawf(h, "<li class=\"%s\">", looks[st]);
        html_text(h, _(b->items[k].say));
        if (st == STEP_SUSPECT || st == STEP_UNKNOWN) {
            html_raw(h, " ");
            html_element(h, "span class=\"dim\"", _(b->items[k].means));
        }
        html_raw(h, "</li>");
    }
    html_raw(h, "</ul></div>\n");
}

/* ---- the others of its kind ---- */

static void say_more(struct html *h, const struct alike *a)
{
    struct value n = v_int((int64_t)a->nr - 1);
    struct strbuf sb = STRBUF_INIT;
    char to[ENDPOINT_TEXT_MAX], when[TIME_TEXT_MAX];

    if (a->nr < 2)
        return;
    text_render(&sb, N_("and %1$s more like it"), &n, 1, tr_locale);
    for (size_t k = 1; k < a->nr && k <= MORE_MAX; k++) {
        const struct incident *i = h->s->incidents[a->members[k]];
        if (!i->flow_known)
            continue;
        strbuf_addf(&sb, "%s%s%s%s", k > 1 ? ", " : ": ",
                    i->time != NSTIME_NONE ? time_clock(when, i->time, 0, i->log != NULL) : "",
                    i->time != NSTIME_NONE ? " " : "",
                    endpoint_text(to, &i->flow.dst, i->flow.dport));
        n = v_int(i->reset ? (int64_t)i->reset->packet : 0);
        if (i->reset)
            text_render(&sb, N_(" (packet %1$s)"), &n, 1, tr_locale);
    }
    if (a->nr > MORE_MAX + 1)
        strbuf_addstr(&sb, " ...");
    html_element_sb(h, "p class=\"small dim\"", &sb);
}

void html_incident(struct html *h, const struct alike *a)
{
    const struct incident *i = a->first;
    struct strbuf sb = STRBUF_INIT;

    html_rawf(h, "<article class=\"card harm\" id=\"i%llu\"><h3>", (unsigned long long)i->id);
    words_what(&sb, h->s, i);
    html_text(h, sb.buf);
    strbuf_reset(&sb);
    html_raw(h, "</h3>");
    words_title(&sb, h->s, i);
    html_element_sb(h, "p class=\"small dim\"", &sb);
    say_stages(h, i);
    say_verdict(h, &i->judgement);
    say_pairs(h, i);
    html_ladder(h, i);
    if (i->judgement.nverdicts)
        say_evidence(h, &i->judgement);
    say_advice(h, &i->judgement);
    say_next(h, i);
    say_playbook(h, i);
    say_ruled_out(h, &i->judgement);
    say_more(h, a);
    if (!i->related)
        html_element(h, "p class=\"small dim\"", _("not a connection of a target: not counted"));
    html_raw(h, "</article>\n");
    out_some(h->out);
}
