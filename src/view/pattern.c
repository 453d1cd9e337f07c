/* What several resets have in common, in one line, and the cause that explains most of them. */
#include "view/view.h"

#include <string.h>

const struct incident *pattern_incident(const struct session *s, const struct pattern *p, size_t n)
{
    return n < p->nr ? session_incident(s, s->pattern_incidents[p->items[n]]) : NULL;
}

static const struct cause *first_cause(const struct incident *i)
{
    return i && i->judgement.nverdicts ? i->judgement.verdicts[0].cause : NULL;
}

const struct cause *pattern_cause(const struct session *s, const struct pattern *p, size_t *of)
{
    const struct cause *best = NULL;

    *of = 0;
    for (size_t c = 0; c < cause_count(); c++) {
        size_t n = 0;
        for (size_t i = 0; i < p->nr; i++)
            n += first_cause(pattern_incident(s, p, i)) == cause_at(c);
        if (n > *of) {
            *of = n;
            best = cause_at(c);
        }
    }
    return best;
}

bool pattern_tells(const struct pattern *p)
{
    return p->yes && p->kind != PATTERN_ALIKE;
}

void pattern_line(struct strbuf *out, const struct session *s, const struct pattern *p,
                  translate_fn tr)
{
    const struct incident *first = pattern_incident(s, p, 0);
    const struct cause *c;
    struct fact f;
    size_t of;
    char to[ENDPOINT_TEXT_MAX];

    if (first && first->flow_known && p->kind != PATTERN_INSTANT_HOSTS)
        strbuf_addf(out, "%s: ", endpoint_text(to, &first->flow.dst, first->flow.dport));
    pattern_fact(&f, p);
    fact_text(out, &f, tr);
    c = pattern_cause(s, p, &of);
    if (!c)
        return;
    struct value v[] = {v_text(c->title), v_int((int64_t)of)};
    text_render(
        out, of == p->nr ? N_("; explained together: %1$s") : N_("; first of %2$s of them: %1$s"),
        v, 2, tr);
}
