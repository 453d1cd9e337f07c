/*
 * history.c: what earlier runs found, in one line, and its trend.
 */
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

/* Heights 1 to 8 for the harmful ones of some days each, the oldest first; a space for none. */
void history_trend(char *out, size_t outlen, const struct history_target *t, unsigned days,
                   int width, bool ascii)
{
    uint32_t sums[100] = {0}, most = 0;
    int v[100];

    width = MIN_OF(MAX_OF(width, 1), (int)ARRAY_SIZE(sums));
    width = MIN_OF(width, (int)days);
    for (unsigned d = 0; t->days && d < days; d++)
        sums[(uint64_t)d * (unsigned)width / days] += t->days[d];
    for (int i = 0; i < width; i++)
        most = MAX_OF(most, sums[i]);
    for (int i = 0; i < width; i++)
        v[i] = sums[i] ? 1 + (int)((uint64_t)(sums[i] - 1) * 7 / MAX_OF(most - 1, 1)) : 0;
    spark_text(out, outlen, v, (size_t)width, ascii);
}

/* "14 times in 30 days, 12 of them after 350 s of silence; mostly: the port is closed (9)" */
void history_line(struct strbuf *out, const struct history_target *t, unsigned days,
                  translate_fn tr)
{
    const struct cause *c = cause_by_id(t->cause);
    struct value v[] = {v_int((int64_t)t->harmful),    v_int(days),
                        v_int((int64_t)t->idle_count), v_span(t->idle),
                        v_text(c ? tr(c->title) : ""), v_int((int64_t)t->cause_count)};

    text_render(out, N_("%1$s times in %2$s days"), v, 2, tr);
    if (t->idle_count)
        text_render(out, N_(", %3$s of them after %4$s of silence"), v, 4, tr);
    if (c)
        text_render(out, N_("; mostly: %5$s (%6$s)"), v, 6, tr);
}

/* What is known of before of a target, as sentences; nothing where nobody looked. */
void seen_before_text(struct strbuf *out, const struct facts *f, translate_fn tr)
{
    static const enum fact_kind kinds[] = {FACT_SEEN_BEFORE, FACT_SEEN_IDLE, FACT_SEEN_CAUSE};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct fact *one = facts_get(f, kinds[i]);
        if (!one)
            continue;
        if (out->len)
            strbuf_addstr(out, "; ");
        fact_text(out, one, tr);
    }
}
