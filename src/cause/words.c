/* A judgement in words: the headline, and a cause's advice by audience. */
#include "cause/catalogue.h"

#include <stdio.h>

static void add_part(struct strbuf *out, const char *heading, const char *sentence, translate_fn tr)
{
    struct value v[2] = {v_text(heading), v_text(sentence)};

    if (!sentence)
        return;
    if (out->len)
        strbuf_addch(out, ' ');
    text_render(out, N_("%1$s: %2$s"), v, 2, tr);
}

void cause_advice(struct strbuf *out, const struct cause *c, const struct facts *facts,
                  translate_fn tr)
{

    struct strbuf advice = STRBUF_INIT;

    (void)facts;
    add_part(&advice, N_("Client"), c->client, tr);
    add_part(&advice, N_("Server"), c->server, tr);
    add_part(&advice, N_("Network"), c->network, tr);
    strbuf_addstr(out, advice.buf);
    strbuf_release(&advice);
}

static void add_titles(struct strbuf *out, const struct judgement *j, translate_fn tr)
{
    for (size_t i = 0; i < j->nverdicts; i++) {
        if (i)
            strbuf_addstr(out, ", ");
        strbuf_addstr(out, tr(j->verdicts[i].cause->title));
    }
}

void judgement_headline(struct strbuf *out, const struct judgement *j, translate_fn tr)
{
    struct strbuf titles = STRBUF_INIT;
    char sure[16];

    if (j->determined) {
        const struct verdict *first = &j->verdicts[0];
        snprintf(sure, sizeof(sure), "%.2f", first->confidence);
        struct value v[2] = {v_text(first->cause->title), v_text(sure)};
        text_render(out,
                    first->grade == GRADE_CONFIRMED ? N_("confirmed: %1$s (%2$s)")
                                                    : N_("likely: %1$s (%2$s)"),
                    v, 2, tr);
    } else if (j->nverdicts) {
        add_titles(&titles, j, tr);
        struct value v = v_text(titles.buf);
        text_render(out, N_("not determined; possibly: %1$s"), &v, 1, tr);
    } else {
        strbuf_addstr(out, tr(N_("not determined")));
    }
    strbuf_release(&titles);
}
