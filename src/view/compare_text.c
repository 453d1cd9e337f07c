/*
 * compare_text.c: a comparison in sentences.
 */
#include "view/view.h"

#include <stdio.h>
#include <string.h>

const char *compare_verdict_name(enum compare_verdict v)
{
    static const char *const names[] = {"same", "better", "worse", "changed", "only-a", "only-b"};

    return names[v];
}

const char *compare_verdict_title(enum compare_verdict v)
{
    static const char *const titles[] = {N_("the same"),
                                         N_("better"),
                                         N_("worse"),
                                         N_("another cause"),
                                         N_("only in the first"),
                                         N_("only in the second")};

    return titles[v];
}

void compare_summary(struct strbuf *out, const struct comparison *c, translate_fn tr)
{
    uint64_t n[6] = {0};

    for (size_t i = 0; i < c->nrows; i++)
        n[c->rows[i].verdict]++;
    struct value v[] = {v_int((int64_t)n[COMPARE_WORSE]), v_int((int64_t)n[COMPARE_BETTER]),
                        v_int((int64_t)n[COMPARE_CHANGED]), v_int((int64_t)n[COMPARE_SAME]),
                        v_int((int64_t)(n[COMPARE_ONLY_A] + n[COMPARE_ONLY_B]))};

    if (!c->nrows) {
        strbuf_addstr(out, tr(N_("neither of them holds anything to compare")));
        return;
    }
    text_render(out, N_("worse: %1$s, better: %2$s, another cause: %3$s, the same: %4$s"), v, 5,
                tr);
    if (v[4].u.i)
        text_render(out, N_(", only in one of them: %5$s"), v, 5, tr);
}

static void add_rate(struct strbuf *out, const struct compare_half *h, translate_fn tr)
{
    struct value v[] = {v_int((int64_t)h->failed), v_int((int64_t)h->tries)};

    if (h->known)
        text_render(out, N_("%1$s of %2$s failed"), v, 2, tr);
    else
        strbuf_addstr(out, tr(N_("not tried")));
}

void compare_counts(struct strbuf *out, const struct compare_row *r, translate_fn tr)
{
    char p[24];
    struct value v = v_text(p);

    add_rate(out, &r->half[0], tr);
    strbuf_addstr(out, " \xe2\x86\x92 ");
    add_rate(out, &r->half[1], tr);
    if (r->verdict != COMPARE_BETTER && r->verdict != COMPARE_WORSE)
        return;
    snprintf(p, sizeof(p), r->p < .001 ? "< 0.001" : "%.3f", r->p);
    text_render(out,
                r->sure ? N_("; hardly chance (p %1$s)")
                        : N_("; may be chance (p %1$s): more tries would tell"),
                &v, 1, tr);
}

/* Only what both know, and a change that is more than jitter. */
void compare_timings(struct strbuf *out, const struct compare_row *r, translate_fn tr)
{
    static const char *const titles[TIMING_COUNT] = {"DNS", "TCP", "TLS", N_("first byte"),
                                                     N_("total")};
    char a[TIME_TEXT_MAX], b[TIME_TEXT_MAX];
    bool any = false;

    for (int i = 0; i < TIMING_COUNT; i++) {
        nstime x = r->half[0].timings[i], y = r->half[1].timings[i];
        if (x == NSTIME_NONE || y == NSTIME_NONE)
            continue;
        bool more = y > x + x / 2 && y - x >= NS_PER_MS, less = x > y + y / 2 && x - y >= NS_PER_MS;
        strbuf_addf(out, "%s%s %s \xe2\x86\x92 %s", any ? ", " : "", tr(titles[i]), span_text(a, x),
                    span_text(b, y));
        if (more || less)
            strbuf_addf(out, " (%s)", tr(more ? N_("slower") : N_("faster")));
        any = true;
    }
}

static void add_cause(struct strbuf *out, const struct compare_half *h, translate_fn tr)
{
    struct value n = v_int((int64_t)h->cause_count);

    if (!h->failed) {
        strbuf_addstr(out, tr(N_("nothing failed")));
        return;
    }
    if (!h->cause) {
        strbuf_addstr(out, tr(N_("not determined")));
        return;
    }
    strbuf_addf(out, "%s [%s]", tr(h->cause->title), h->cause->id);
    if (h->cause_count < h->failed)
        text_render(out, N_(" (%1$s times)"), &n, 1, tr);
    if (h->sender != SENDER_UNKNOWN)
        strbuf_addf(out, ", %s", tr(sender_title(h->sender)));
}

void compare_causes(struct strbuf *out, const struct compare_row *r, translate_fn tr)
{
    const struct compare_half *a = &r->half[0], *b = &r->half[1];

    if (!a->failed && !b->failed)
        return;
    if (a->failed && b->failed && a->cause == b->cause && a->sender == b->sender) {
        add_cause(out, b, tr);
        return;
    }
    add_cause(out, a, tr);
    strbuf_addstr(out, " \xe2\x86\x92 ");
    add_cause(out, b, tr);
}

void compare_reset_text(struct strbuf *out, const struct comparison *c,
                        const struct compare_reset *r, translate_fn tr)
{
    const struct reset *a = r->reset[0], *b = r->reset[1];
    char key[FLOW_KEY_TEXT_MAX];
    struct value v[] = {v_text(c->side[a ? 1 : 0].label), v_int(a ? a->ttl : 0),
                        v_int(b ? b->ttl : 0)};

    strbuf_addf(out, "%s: ", flow_key_text(key, &r->key));
    if (!a || !b)
        text_render(out,
                    N_("%1$s saw the connection, but not this reset: it did not pass there, or "
                       "that capture lost it"),
                    v, 1, tr);
    else if (a->from != b->from)
        strbuf_addstr(out, tr(N_("each of them saw a reset that bears the other end's address: "
                                 "something between them reset both ends")));
    else
        text_render(out, N_("both saw it (TTL %2$s and %3$s)"), v, 3, tr);
}
