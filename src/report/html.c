/* The report as one HTML page that stands alone: to attach to a ticket, to read on a telephone, to
 * print. No script, nothing fetched; what came from the network is never markup. */
#include "report/html.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#define BRIEF_MAX    5
#define FULL_MAX     20
#define LINES_MAX    200
#define TARGETS_MAX  2000
#define PATTERNS_MAX 20
#define SHOTS_MAX    40
#define FLOWS_MAX    2000

/* ---- markup ---- */

void html_raw(struct html *h, const char *markup)
{
    strbuf_addstr(&h->out->buf, markup);
}

void html_rawf(struct html *h, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    strbuf_vaddf(&h->out->buf, fmt, ap);
    va_end(ap);
}

void html_textn(struct html *h, const char *text, size_t len)
{
    struct strbuf *sb = &h->out->buf;

    for (size_t i = 0; i < len && text[i]; i++) {
        switch (text[i]) {
        case '&': strbuf_addstr(sb, "&amp;"); break;
        case '<': strbuf_addstr(sb, "&lt;"); break;
        case '>': strbuf_addstr(sb, "&gt;"); break;
        case '"': strbuf_addstr(sb, "&quot;"); break;
        case '\'': strbuf_addstr(sb, "&#39;"); break;
        default: strbuf_addch(sb, text[i]);
        }
    }
}

void html_text(struct html *h, const char *text)
{
    html_textn(h, text, strlen(text));
}

void html_element(struct html *h, const char *tag, const char *text)
{
    html_rawf(h, "<%s>", tag);
    html_text(h, text);
    html_rawf(h, "</%.*s>", (int)strcspn(tag, " "), tag);
}

void html_element_sb(struct html *h, const char *tag, struct strbuf *sb)
{
    html_element(h, tag, sb->buf);
    strbuf_release(sb);
}

void html_render(struct html *h, const char *tag, const char *msgid, const struct value *v,
                 size_t n)
{
    struct strbuf sb = STRBUF_INIT;

    text_render(&sb, msgid, v, n, tr_locale);
    html_element_sb(h, tag, &sb);
}

void html_bar(struct html *h, double v)
{
    v = v >= 0 && v <= 1 ? v : 0;
    html_rawf(h,
              "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
              "aria-hidden=\"true\"><rect class=\"back\" width=\"100\" height=\"8\"/>"
              "<rect class=\"fill\" width=\"%d\" height=\"8\"/></svg> ",
              (int)(v * 100 + .5));
}

void html_badge(struct html *h, const char *look, const char *text)
{
    html_rawf(h, "<span class=\"badge %s\">", look);
    html_text(h, text);
    html_raw(h, "</span> ");
}

static void cell(struct html *h, const char *look, const char *text)
{
    html_rawf(h, "<td%s%s%s>", *look ? " class=\"" : "", look, *look ? "\"" : "");
    html_text(h, text);
    html_raw(h, "</td>");
}

static void cell_count(struct html *h, uint64_t n)
{
    html_rawf(h, "<td class=\"num\">%llu</td>", (unsigned long long)n);
}

void html_heads(struct html *h, const char *const *titles, size_t n)
{
    html_raw(h, "<div class=\"card scroll\"><table><thead><tr>");
    for (size_t i = 0; i < n; i++)
        html_element(h, "th", titles[i]);
    html_raw(h, "</tr></thead><tbody>\n");
}

void html_table_end(struct html *h)
{
    html_raw(h, "</tbody></table></div>\n");
    out_some(h->out);
}

/* ---- the top ---- */

void html_begin(struct html *h, const char *title)
{
    html_raw(h, "<!DOCTYPE html>\n<html lang=\"");
    /* TRANSLATORS: the tag of the language these sentences are in, as in HTML: de, es, zh-Hans */
    html_text(h, _("en"));
    html_raw(h, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                "style-src 'unsafe-inline'\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<meta name=\"generator\" content=\"rstconsole " PACKAGE_VERSION "\">\n<title>");
    html_text(h, title);
    html_raw(h, "</title>\n<style>");
    html_raw(h, html_style);
    html_raw(h, "</style>\n</head>\n<body>\n<main>\n");
}

static void tile(struct html *h, const char *look, const char *title, uint64_t n)
{
    html_rawf(h, "<li class=\"tile %s\">", n ? look : "");
    html_element(h, "span", title);
    html_rawf(h, "<b>%llu</b></li>", (unsigned long long)n);
}

static void say_tiles(struct html *h)
{
    const struct session *s = h->s;
    const struct vantage *v = &s->vantage;

    html_raw(h, "<ul class=\"tiles\">");
    tile(h, "bad", _("harmful resets"), s->harmful_resets);
    tile(h, "bad", _("failed probes"), s->failed_probes);
    tile(h, "", _("resets in all"), s->resets_seen);
    if (s->ntargets)
        tile(h, "", _("targets"), s->ntargets);
    if (v->capture != VANTAGE_NONE)
        tile(h, "", _("packets"), v->packets);
    if (v->capture != VANTAGE_NONE && v->dropped_known)
        tile(h, "warn", _("lost by the capture"), v->dropped);
    if (s->log.lines)
        tile(h, "bad", _("errors in the log"), s->log.errors);
    html_raw(h, "</ul>\n");
}

/* "2026-11-22 22:31:37 UTC" */
static void add_moment(struct strbuf *sb, nstime t)
{
    char text[TIME_TEXT_MAX];

    time_rfc3339(text, t);
    strbuf_addf(sb, "%.10s %.8s UTC", text, text + 11);
}

static void say_meta(struct html *h)
{
    const struct session *s = h->s;
    const struct vantage *v = &s->vantage;
    struct strbuf sb = STRBUF_INIT;

    html_raw(h, "<dl class=\"meta\">");
    if (s->started != NSTIME_NONE)
        add_moment(&sb, s->started);
    if (s->ended != NSTIME_NONE) {
        strbuf_addstr(&sb, " \xe2\x80\x93 ");
        add_moment(&sb, s->ended);
    }
    if (sb.len) {
        html_element(h, "dt", _("When"));
        html_element(h, "dd", sb.buf);
    }
    strbuf_reset(&sb);
    if (v->host[0]) {
        html_element(h, "dt", _("On"));
        html_element(h, "dd", v->host);
    }
    if (v->capture == VANTAGE_FILE)
        strbuf_addstr(&sb, s->settings.read_file ? s->settings.read_file : "");
    for (size_t i = 0; v->capture == VANTAGE_LIVE && i < v->ninterfaces; i++)
        strbuf_addf(&sb, "%s%s", i ? ", " : "", v->interfaces[i]);
    if (v->capture == VANTAGE_NONE)
        strbuf_addstr(&sb, _("no packets were captured"));
    html_element(h, "dt", _("Seen"));
    html_element_sb(h, "dd", &sb);
    if (v->capture_error[0]) {
        html_element(h, "dt", _("Capture"));
        html_element(h, "dd", v->capture_error);
    }
    html_raw(h, "</dl>\n");
}

static void say_top(struct html *h)
{
    const struct session *s = h->s;
    bool bad = s->harmful_resets || s->failed_probes || (s->log.errors && !s->ntargets);
    struct value v[] = {v_int((int64_t)s->harmful_resets), v_int((int64_t)s->failed_probes)};
    struct strbuf sb = STRBUF_INIT;

    html_rawf(h, "<header class=\"card head %s\"><p class=\"brand\"><b>rstconsole</b> ",
              bad ? "bad" : "good");
    html_text(h, PACKAGE_VERSION);
    html_raw(h, "</p>");
    if (!bad)
        html_element(h, "h1", _("Nothing harmful was found"));
    else if (s->harmful_resets && s->failed_probes)
        html_render(h, "h1", N_("Harmful resets: %1$s, failed probes: %2$s"), v, 2);
    else if (s->harmful_resets)
        html_render(h, "h1", N_("Harmful resets: %1$s"), v, 2);
    else if (s->failed_probes)
        html_render(h, "h1", N_("Failed probes: %2$s"), v, 2);
    else
        html_element(h, "h1", _("The log tells of failed connections"));
    words_summary(&sb, s, tr_locale);
    html_element_sb(h, "p class=\"lead\"", &sb);
    say_tiles(h);
    say_meta(h);
    html_raw(h, "</header>\n");
    out_some(h->out);
}

/* What somebody reads who reads nothing else. */
static void say_brief(struct html *h, const struct alike_list *l)
{
    struct strbuf sb = STRBUF_INIT;

    if (!l->nr)
        return;
    html_element(h, "h2", _("In short"));
    html_raw(h, "<ol class=\"brief\">\n");
    for (size_t k = 0; k < l->nr && k < BRIEF_MAX; k++) {
        const struct incident *i = l->items[k].first;
        html_raw(h, "<li><p class=\"row\">");
        html_badge(h, html_grade_look(&i->judgement),
                   i->judgement.determined ? _(grade_word(i->judgement.verdicts[0].grade))
                                           : _("not determined"));
        html_rawf(h, "<a class=\"what\" href=\"#i%llu\">", (unsigned long long)i->id);
        html_cause(h, &i->judgement);
        html_raw(h, "</a>");
        if (l->items[k].nr > 1)
            html_rawf(h, "<span class=\"badge\">%zu \xc3\x97</span>", l->items[k].nr);
        html_raw(h, "</p>");
        incident_line(&sb, h->s, i, tr_locale);
        html_element(h, "p class=\"small\"", sb.buf);
        strbuf_reset(&sb);
        strbuf_addf(&sb, "%s: ", _("Retry"));
        strbuf_addstr(&sb, _(retry_title(i->judgement.retry)));
        html_element(h, "p class=\"small dim\"", sb.buf);
        strbuf_reset(&sb);
        html_raw(h, "</li>\n");
    }
    html_raw(h, "</ol>\n");
    strbuf_release(&sb);
}

/* ---- targets ---- */

static void say_remarks(struct html *h, const struct target_state *ts)
{
    struct strbuf sb = STRBUF_INIT;
    struct facts f;

    facts_init(&f);
    target_remarks(&f, h->s, ts);
    for (size_t i = 0; i < f.nr; i++) {
        fact_text(&sb, &f.items[i], tr_locale);
        html_element(h, "span class=\"remark\"", sb.buf);
        strbuf_reset(&sb);
    }
    facts_release(&f);
    strbuf_release(&sb);
}

static void say_target(struct html *h, const struct target_state *ts)
{
    struct stage_cell c;

    html_raw(h, "<tr><td class=\"name\">");
    html_text(h, ts->target->name);
    say_remarks(h, ts);
    html_raw(h, "</td>");
    for (size_t i = 0; i < probe_type_count(); i++) {
        stage_cell_fill(&c, h->s, ts->target->id, probe_type_at(i)->name, tr_locale);
        cell(h, !c.known ? "num" : c.outcome == OUTCOME_FAILED ? "num bad" : "num good", c.text);
    }
    cell_count(h, ts->rounds_done);
    cell_count(h, ts->failed);
    html_raw(h, "</tr>\n");
    out_some(h->out);
}

static void say_targets(struct html *h)
{
    const char *titles[16] = {_("target")};
    size_t n = MIN_OF(h->s->ntargets, TARGETS_MAX), columns = 1;

    if (!n)
        return;
    for (size_t i = 0; i < probe_type_count() && columns < 14; i++)
        titles[columns++] = _(probe_type_at(i)->title);
    titles[columns++] = _("rounds");
    titles[columns++] = _("failed");
    html_element(h, "h2", _("Targets"));
    html_heads(h, titles, columns);
    for (size_t i = 0; i < n; i++)
        say_target(h, &h->s->targets[i]);
    html_table_end(h);
    if (n < h->s->ntargets) {
        struct value v = v_int((int64_t)(h->s->ntargets - n));
        html_render(h, "p", N_("and %1$s more targets"), &v, 1);
    }
}

/* ---- what hurt, and what did not ---- */

static void say_line(struct html *h, const struct alike *a)
{
    const struct incident *i = a->first;
    struct strbuf sb = STRBUF_INIT;

    html_rawf(h, "<tr id=\"i%llu\"><td class=\"num\">%zu</td><td class=\"name\">",
              (unsigned long long)i->id, a->nr);
    words_title(&sb, h->s, i);
    html_text(h, sb.buf);
    html_raw(h, "</td>");
    strbuf_reset(&sb);
    if (i->judgement.nverdicts)
        words_verdict(&sb, &i->judgement.verdicts[0]);
    else
        strbuf_addstr(&sb, _("not determined"));
    cell(h, "", sb.buf);
    cell(h, "", _(i->harmful_why));
    html_raw(h, "</tr>\n");
    strbuf_release(&sb);
    out_some(h->out);
}

static void say_lines(struct html *h, const struct alike_list *l, size_t from)
{
    const char *titles[] = {_("times"), _("connection"), _("Cause"), _("why")};

    html_heads(h, titles, ARRAY_SIZE(titles));
    for (size_t k = from; k < l->nr && k < LINES_MAX; k++)
        say_line(h, &l->items[k]);
    html_table_end(h);
    if (l->nr > LINES_MAX) {
        struct value v = v_int((int64_t)(l->nr - LINES_MAX));
        html_render(h, "p", N_("and %1$s kinds more; the JSON report holds them all"), &v, 1);
    }
}

/* The first that was more than a refusal: two packets say little beside a close. */
static uint64_t beside_which(const struct alike_list *l)
{
    for (size_t k = 0; k < l->nr && k < FULL_MAX; k++) {
        const struct incident *i = l->items[k].first;
        if (i->is_reset && i->reset && i->reset->stage != STAGE_SYN)
            return i->id;
    }
    return 0;
}

static void say_harms(struct html *h, const struct alike_list *l)
{
    h->normal_beside = beside_which(l);
    if (l->nr)
        html_element(h, "h2", _("What hurt"));
    for (size_t k = 0; k < l->nr && k < FULL_MAX; k++)
        html_incident(h, &l->items[k]);
    if (l->nr <= FULL_MAX)
        return;
    html_element(h, "h2", _("More of them, in short"));
    say_lines(h, l, FULL_MAX);
}

static int say_benign(struct html *h)
{
    struct alike_list l;
    int err = alike_build(&l, h->s, false);

    if (err)
        return err;
    if (l.nr) {
        html_element(h, "h2", _("Harmless"));
        say_lines(h, &l, 0);
    }
    alike_release(&l);
    return 0;
}

static void say_patterns(struct html *h)
{
    const struct patterns *all = &h->s->patterns;
    struct strbuf sb = STRBUF_INIT;
    size_t told = 0;

    for (size_t k = 0; k < all->nr && told < PATTERNS_MAX; k++) {
        if (!pattern_tells(&all->items[k]))
            continue;
        if (!told++) {
            html_element(h, "h2", _("What they have in common"));
            html_raw(h, "<div class=\"card\"><ul class=\"plain\">");
        }
        pattern_line(&sb, h->s, &all->items[k], tr_locale);
        html_element(h, "li", sb.buf);
        strbuf_reset(&sb);
    }
    if (told)
        html_raw(h, "</ul></div>\n");
    strbuf_release(&sb);
}

/* ---- what was tried ---- */

static void say_shots(struct html *h, const struct experiment_record *e)
{
    if (!e->nrows)
        return;
    html_raw(h, "<ul class=\"chips\">");
    for (size_t k = 0; k < e->nrows && k < SHOTS_MAX; k++) {
        const struct experiment_row *r = &e->rows[k];
        bool bad = r->end == SHOT_RESET || r->end == SHOT_REFUSED || r->end == SHOT_TIMEOUT;
        html_raw(h, bad ? "<li class=\"bad\">" : "<li>");
        html_text(h, _(r->label));
        html_raw(h, ": ");
        html_text(h, _(shot_end_title(r->end)));
        html_raw(h, "</li>");
    }
    if (e->nrows > SHOTS_MAX)
        html_rawf(h, "<li>+ %zu</li>", e->nrows - SHOTS_MAX);
    html_raw(h, "</ul>");
}

static void say_findings(struct html *h, const struct experiment_record *e)
{
    struct strbuf sb = STRBUF_INIT;

    html_raw(h, "<ul class=\"plain\">");
    for (size_t n = 0; n < e->facts.nr; n++) {
        const struct fact *f = &e->facts.items[n];
        if (!f->yes && f->source != SRC_EXPERIMENT)
            continue;
        fact_text(&sb, f, tr_locale);
        html_element(h, "li", sb.buf);
        strbuf_reset(&sb);
    }
    words_proof(&sb, e);
    if (sb.len)
        html_element(h, "li", sb.buf + strspn(sb.buf, "; "));
    html_raw(h, "</ul>");
    strbuf_release(&sb);
}

static void say_experiment(struct html *h, const struct experiment_record *e)
{
    static const char *const outcomes[] = {N_("it told the causes apart"), N_("inconclusive"),
                                           N_("cancelled")};
    static const char *const looks[] = {"good", "warn", ""};
    const struct target_state *ts = session_target(h->s, e->target);
    const struct test *t = test_by_id(e->experiment);
    struct value v[] = {v_int(e->connections), v_span(MAX_OF(e->span, 0))};

    html_raw(h, "<article class=\"card harm tried\"><h3>");
    html_text(h, t ? _(t->title) : e->experiment);
    html_raw(h, "</h3><p class=\"small dim\">");
    html_text(h, ts ? ts->target->name : "");
    html_raw(h, "</p><p class=\"row\">");
    html_badge(h, looks[e->outcome], _(outcomes[e->outcome]));
    html_render(h, "span class=\"small dim\"", N_("%1$s connections, %2$s"), v, 2);
    html_raw(h, "</p>");
    if (e->why[0])
        html_element(h, "p class=\"small\"", _(e->why));
    if (t)
        html_element(h, "p class=\"small\"", _(t->about));
    say_findings(h, e);
    say_shots(h, e);
    html_raw(h, "</article>\n");
    out_some(h->out);
}

static void say_experiments(struct html *h)
{
    bool any = false;

    for (size_t k = 0; k < h->s->nexperiments; k++) {
        if (h->s->experiments[k].outcome == EXP_RUNNING)
            continue;
        if (!any)
            html_element(h, "h2", _("What was tried"));
        any = true;
        say_experiment(h, &h->s->experiments[k]);
    }
}

/* ---- the end ---- */

static void say_flows(struct html *h)
{
    const char *titles[] = {_("connection"), "conn_state", "history", _("bytes"), _("duration")};
    struct flow_record r;
    char key[FLOW_KEY_TEXT_MAX], took[TIME_TEXT_MAX], bytes[64];
    uint64_t n = session_flow_records(h->s);

    if (!n)
        return;
    html_element(h, "h2", _("Connections"));
    html_heads(h, titles, ARRAY_SIZE(titles));
    for (uint64_t i = 0; i < FLOWS_MAX && session_flow_record(h->s, i, &r); i++) {
        snprintf(bytes, sizeof(bytes), "%llu/%llu", (unsigned long long)r.bytes[SIDE_ORIG],
                 (unsigned long long)r.bytes[SIDE_RESP]);
        html_raw(h, "<tr>");
        cell(h, "name", flow_key_text(key, &r.key));
        cell(h, "num", conn_state_name(r.state) ? conn_state_name(r.state) : "-");
        cell(h, "num", r.history);
        cell(h, "num", bytes);
        cell(h, "num", r.duration == NSTIME_NONE ? "-" : span_text(took, r.duration));
        html_raw(h, "</tr>\n");
        out_some(h->out);
    }
    html_table_end(h);
    struct value v = v_int((int64_t)(n - MIN_OF(n, FLOWS_MAX)));
    if (n > FLOWS_MAX)
        html_render(h, "p", N_("and %1$s more; the JSON report holds them all"), &v, 1);
}

static void say_limit(struct html *h, uint64_t n, const char *msgid)
{
    struct value v = v_int((int64_t)n);

    if (n)
        html_render(h, "li class=\"suspect\"", msgid, &v, 1);
}

static void say_notes(struct html *h)
{
    const struct session *s = h->s;
    const struct flow_limits_hit *hit = flow_table_limits(s->flows);
    uint64_t lost = hit->resets_dropped + s->limits.incidents_dropped;

    if (!s->nmessages && !hit->flows_evicted && !lost && !s->limits.results_dropped &&
        !s->limits.records_dropped && !hit->bytes_refused)
        return;
    html_element(h, "h2", _("Notes"));
    html_raw(h, "<div class=\"card\"><ul class=\"plain\">");
    for (size_t i = 0; i < s->nmessages; i++)
        html_element(h, s->messages[i].level == MSG_INFO ? "li" : "li class=\"suspect\"",
                     s->messages[i].text);
    say_limit(h, hit->flows_evicted,
              N_("connections dropped from memory by the limit (--max-flows): %1$s"));
    say_limit(h, lost, N_("resets left out by the limit: %1$s"));
    say_limit(h, hit->bytes_refused,
              N_("first bytes of connections not kept, by the limit (--max-memory): %1$s"));
    say_limit(h, s->limits.records_dropped, N_("connections left out of the list: %1$s"));
    say_limit(h, s->limits.results_dropped, N_("results of old rounds left out: %1$s"));
    html_raw(h, "</ul></div>\n");
}

static void setting(struct html *h, const char *name, const char *value)
{
    html_raw(h, "<tr><td class=\"num\"><code>");
    html_text(h, name);
    html_raw(h, "</code></td>");
    cell(h, "", value);
    html_raw(h, "</tr>\n");
}

static void setting_count(struct html *h, const char *name, uint64_t n)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
    setting(h, name, text);
}

static void setting_span(struct html *h, const char *name, nstime span)
{
    char text[TIME_TEXT_MAX];

    if (span > 0)
        setting(h, name, span_text(text, span));
}

/* By the names of the options, which are the same in every language. */
static void say_settings(struct html *h)
{
    static const char *const experiments[] = {"none", "safe", "all"};
    const struct settings *st = &h->s->settings;
    const char *titles[] = {_("setting"), _("value")};

    html_element(h, "h2", _("Settings and versions"));
    html_heads(h, titles, ARRAY_SIZE(titles));
    setting(h, "rstconsole", PACKAGE_VERSION);
    setting_count(h, "--list-causes", cause_count());
    if (st->read_file)
        setting(h, "--read", st->read_file);
    for (size_t i = 0; i < st->ninterfaces; i++)
        setting(h, "--interface", st->interfaces[i]);
    if (st->filter)
        setting(h, "--filter", st->filter);
    if (h->s->ntargets) {
        setting_count(h, "--count", st->rounds);
        setting_span(h, "--interval", st->interval);
        setting_span(h, "--timeout", st->defaults.timeout);
        setting(h, "--experiments", experiments[st->experiments]);
    }
    setting_span(h, "--duration", st->duration);
    if (st->playbook)
        setting(h, "--playbook", st->playbook->id);
    if (st->max_flows)
        setting_count(h, "--max-flows", st->max_flows);
    if (st->max_memory)
        setting_count(h, "--max-memory", st->max_memory);
    if (h->s->log_name[0])
        setting(h, "--log", h->s->log_name);
    html_table_end(h);
}

void html_end(struct html *h, const char *foot)
{
    html_raw(h, "<footer>");
    html_element(h, "p", foot);
    html_raw(h, "</footer>\n</main>\n</body>\n</html>\n");
}

static int html_write(const struct session *s, const struct sink *to)
{
    struct out out;
    struct html h = {.out = &out, .s = s};
    struct alike_list harms;
    int err = alike_build(&harms, s, true);

    if (err)
        return err;
    out_init(&out, to);
    html_begin(&h, _("Report of rstconsole"));
    say_top(&h);
    say_brief(&h, &harms);
    say_targets(&h);
    say_patterns(&h);
    say_harms(&h, &harms);
    say_experiments(&h);
    err = say_benign(&h);
    say_flows(&h);
    say_notes(&h);
    say_settings(&h);
    html_end(&h,
             _("Facts come first, then what follows from them with a confidence. A packet number "
               "is that of the capture, from 1."));
    alike_release(&harms);
    int written = out_finish(&out);
    return err ? err : written;
}

const struct report_format report_html = {"html", "html", html_write};
