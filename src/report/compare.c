/* Two runs held against each other, as text, Markdown, JSON and HTML. */
#include "report/html.h"

#include <errno.h>
#include <string.h>

#include "config.h"

#define ROWS_MAX   2000
#define RESETS_MAX 200

/* ---- for people ---- */

static void add_side(struct strbuf *sb, const struct compare_side *side)
{
    const struct session *s = side->s;
    struct value v[] = {v_int((int64_t)s->harmful_resets), v_int((int64_t)s->failed_probes),
                        v_int((int64_t)s->vantage.packets), v_int(side->from), v_int(side->to)};
    char t[TIME_TEXT_MAX];

    strbuf_addstr(sb, side->label);
    if (side->from)
        text_render(sb, N_(", rounds %4$s to %5$s"), v, 5, tr_locale);
    if (s->started != NSTIME_NONE)
        strbuf_addf(sb, ", %.19sZ", time_rfc3339(t, s->started));
    text_render(sb, N_("; harmful resets: %1$s, failed probes: %2$s, packets: %3$s"), v, 5,
                tr_locale);
}

static void say_row(struct page *p, const struct compare_row *r)
{
    struct strbuf sb = STRBUF_INIT;

    strbuf_addf(&sb, "%s: %s", r->name, _(compare_verdict_title(r->verdict)));
    p->style->heading(p, 2, sb.buf);
    strbuf_reset(&sb);
    compare_counts(&sb, r, tr_locale);
    p->style->item(p, 1, _("Count"), sb.buf);
    strbuf_reset(&sb);
    compare_causes(&sb, r, tr_locale);
    if (sb.len)
        p->style->item(p, 1, _("Cause"), sb.buf);
    strbuf_reset(&sb);
    compare_timings(&sb, r, tr_locale);
    if (sb.len)
        p->style->item(p, 1, _("Times"), sb.buf);
    strbuf_release(&sb);
    out_some(p->out);
}

static void say_resets(struct page *p, const struct comparison *c)
{
    struct strbuf sb = STRBUF_INIT;

    if (c->nresets)
        p->style->heading(p, 1, _("Resets of connections that both saw"));
    for (size_t i = 0; i < c->nresets && i < RESETS_MAX; i++) {
        compare_reset_text(&sb, c, &c->resets[i], tr_locale);
        p->style->bullet(p, 0, c->resets[i].reset[0] && c->resets[i].reset[1] ? "=" : "!", sb.buf);
        strbuf_reset(&sb);
        out_some(p->out);
    }
    strbuf_release(&sb);
}

static int write_page(const struct comparison *c, const struct sink *to,
                      const struct page_style *style)
{
    struct out out;
    struct page p = {&out, style, c->side[0].s};
    struct strbuf sb = STRBUF_INIT;

    out_init(&out, to);
    if (style == &page_markdown)
        strbuf_addstr(&out.buf, "# rstconsole\n");
    style->heading(&p, 1, _("What differs"));
    compare_summary(&sb, c, tr_locale);
    style->item(&p, 0, "", sb.buf);
    style->gap(&p);
    for (int i = 0; i < 2; i++) {
        strbuf_reset(&sb);
        add_side(&sb, &c->side[i]);
        style->item(&p, 0, i ? _("Second") : _("First"), sb.buf);
    }
    strbuf_release(&sb);
    for (size_t i = 0; i < c->nrows && i < ROWS_MAX; i++)
        say_row(&p, &c->rows[i]);
    struct value v = v_int((int64_t)(c->nrows - MIN_OF(c->nrows, ROWS_MAX)));
    text_render(&sb, N_("and %1$s more; the JSON report holds them all"), &v, 1, tr_locale);
    if (v.u.i)
        style->item(&p, 0, "", sb.buf);
    strbuf_release(&sb);
    say_resets(&p, c);
    return out_finish(&out);
}

/* ---- HTML ---- */

static const char *verdict_look(enum compare_verdict v)
{
    static const char *const looks[] = {"", "good", "bad", "warn", "note", "note"};

    return looks[v];
}

static void row_html(struct html *h, const struct compare_row *r)
{
    struct strbuf sb = STRBUF_INIT;

    html_raw(h, "<tr><td class=\"name\">");
    html_text(h, r->name);
    html_raw(h, "</td><td>");
    html_badge(h, verdict_look(r->verdict), _(compare_verdict_title(r->verdict)));
    html_raw(h, "</td>");
    compare_counts(&sb, r, tr_locale);
    html_element(h, "td", sb.buf);
    strbuf_reset(&sb);
    compare_causes(&sb, r, tr_locale);
    html_element(h, "td", sb.buf);
    strbuf_reset(&sb);
    compare_timings(&sb, r, tr_locale);
    html_element(h, "td", sb.buf);
    html_raw(h, "</tr>\n");
    strbuf_release(&sb);
    out_some(h->out);
}

static void top_html(struct html *h, const struct comparison *c)
{
    const char *const names[] = {_("First"), _("Second")};
    struct strbuf sb = STRBUF_INIT;

    html_rawf(h, "<header class=\"card head %s\"><p class=\"brand\"><b>rstconsole</b> %s</p>",
              compare_is_worse(c) ? "bad" : "good", PACKAGE_VERSION);
    html_element(h, "h1", _("What differs"));
    compare_summary(&sb, c, tr_locale);
    html_element(h, "p class=\"lead\"", sb.buf);
    html_raw(h, "<dl class=\"meta\">");
    for (int i = 0; i < 2; i++) {
        strbuf_reset(&sb);
        add_side(&sb, &c->side[i]);
        html_element(h, "dt", names[i]);
        html_element(h, "dd", sb.buf);
    }
    html_raw(h, "</dl></header>\n");
    strbuf_release(&sb);
}

static int write_html(const struct comparison *c, const struct sink *to)
{
    const char *titles[] = {_("target"), _("now"), _("Count"), _("Cause"), _("Times")};
    struct out out;
    struct html h = {.out = &out, .s = c->side[0].s};
    struct strbuf sb = STRBUF_INIT;

    out_init(&out, to);
    html_begin(&h, _("Comparison by rstconsole"));
    top_html(&h, c);
    html_element(&h, "h2", _("One by one"));
    html_heads(&h, titles, ARRAY_SIZE(titles));
    for (size_t i = 0; i < c->nrows && i < ROWS_MAX; i++)
        row_html(&h, &c->rows[i]);
    html_table_end(&h);
    if (c->nresets)
        html_raw(&h, "<h2>");
    if (c->nresets)
        html_text(&h, _("Resets of connections that both saw"));
    if (c->nresets)
        html_raw(&h, "</h2><div class=\"card\"><ul class=\"plain\">");
    for (size_t i = 0; i < c->nresets && i < RESETS_MAX; i++) {
        bool both = c->resets[i].reset[0] && c->resets[i].reset[1];
        compare_reset_text(&sb, c, &c->resets[i], tr_locale);
        html_element(&h, both ? "li" : "li class=\"suspect\"", sb.buf);
        strbuf_reset(&sb);
    }
    if (c->nresets)
        html_raw(&h, "</ul></div>\n");
    strbuf_release(&sb);
    html_end(&h, _("p is the probability of so great a difference were there none: Fisher's exact "
                   "test, one-sided."));
    return out_finish(&out);
}

/* ---- JSON ---- */

static void half_json(struct json *j, const char *key, const struct compare_half *h)
{
    jw_open(j, key, '{');
    jw_uint(j, "tries", h->tries);
    jw_uint(j, "failed", h->failed);
    jw_open(j, "timings_ms", '{');
    for (int i = 0; i < TIMING_COUNT; i++)
        jw_span_ms(j, timing_names[i], h->timings[i]);
    jw_close(j, '}');
    jw_text(j, "cause", h->cause ? h->cause->id : NULL);
    jw_uint(j, "cause_count", h->cause_count);
    jw_text(j, "sender", h->cause ? sender_name(h->sender) : NULL);
    jw_text(j, "stage", h->cause ? stage_name(h->stage) : NULL);
    jw_close(j, '}');
}

static void side_json(struct json *j, const char *key, const struct compare_side *side)
{
    jw_open(j, key, '{');
    jw_text(j, "name", side->label);
    if (side->from) {
        jw_uint(j, "from_round", side->from);
        jw_uint(j, "to_round", side->to);
    } else {
        jw_null(j, "from_round");
        jw_null(j, "to_round");
    }
    jw_time(j, "started", side->s->started);
    jw_time(j, "ended", side->s->ended);
    jw_uint(j, "packets", side->s->vantage.packets);
    jw_uint(j, "harmful_resets", side->s->harmful_resets);
    jw_uint(j, "failed_probes", side->s->failed_probes);
    jw_close(j, '}');
}

static void row_json(struct json *j, const struct compare_row *r)
{
    jw_open(j, NULL, '{');
    jw_text(j, "name", r->name);
    jw_text(j, "verdict", compare_verdict_name(r->verdict));
    jw_real(j, "p", r->p);
    jw_bool(j, "sure", r->sure);
    half_json(j, "first", &r->half[0]);
    half_json(j, "second", &r->half[1]);
    jw_close(j, '}');
    out_some(j->out);
}

static void reset_json(struct json *j, const struct comparison *c, const struct compare_reset *r)
{
    static const char *const keys[] = {"first", "second"};
    struct strbuf sb = STRBUF_INIT;
    char key[FLOW_KEY_TEXT_MAX];

    jw_open(j, NULL, '{');
    jw_text(j, "flow", flow_key_text(key, &r->key));
    for (int i = 0; i < 2; i++) {
        if (!r->reset[i]) {
            jw_null(j, keys[i]);
            continue;
        }
        jw_open(j, keys[i], '{');
        jw_uint(j, "packet", r->reset[i]->packet);
        jw_time(j, "time", r->reset[i]->time);
        jw_text(j, "from", r->reset[i]->from == SIDE_ORIG ? "orig" : "resp");
        jw_uint(j, "ttl", r->reset[i]->ttl);
        jw_close(j, '}');
    }
    compare_reset_text(&sb, c, r, tr_none);
    jw_strbuf(j, "text", &sb);
    jw_close(j, '}');
    out_some(j->out);
}

static int write_json(const struct comparison *c, const struct sink *to)
{
    struct strbuf sb = STRBUF_INIT;
    struct out out;
    struct json j = {.out = &out};

    out_init(&out, to);
    jw_open(&j, NULL, '{');
    jw_text(&j, "schema", "rstconsole.compare");
    jw_int(&j, "schema_version", 1);
    jw_text(&j, "program_version", PACKAGE_VERSION);
    side_json(&j, "first", &c->side[0]);
    side_json(&j, "second", &c->side[1]);
    compare_summary(&sb, c, tr_none);
    jw_strbuf(&j, "summary", &sb);
    jw_bool(&j, "worse", compare_is_worse(c));
    jw_open(&j, "rows", '[');
    for (size_t i = 0; i < c->nrows; i++)
        row_json(&j, &c->rows[i]);
    jw_close(&j, ']');
    jw_open(&j, "resets", '[');
    for (size_t i = 0; i < c->nresets; i++)
        reset_json(&j, c, &c->resets[i]);
    jw_close(&j, ']');
    jw_uint(&j, "resets_left_out", c->more_resets);
    jw_close(&j, '}');
    strbuf_addch(&out.buf, '\n');
    return out_finish(&out);
}

struct compare_job {
    const struct comparison *c;
    const char *format;
};

static int write_compare(const void *what, const struct sink *to)
{
    const struct compare_job *job = what;

    if (strcmp(job->format, "json") == 0)
        return write_json(job->c, to);
    if (strcmp(job->format, "html") == 0)
        return write_html(job->c, to);
    return write_page(job->c, to,
                      strcmp(job->format, "markdown") == 0 ? &page_markdown : &page_text);
}

int report_compare_to_fd(const struct comparison *c, const char *format, int fd)
{
    return write_to_fd(write_compare, &(struct compare_job){c, format}, fd);
}

int report_compare_to_file(const struct comparison *c, const char *format, const char *path)
{
    return write_to_file(write_compare, &(struct compare_job){c, format}, path);
}
