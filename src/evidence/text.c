/* Facts and other typed values as sentences, with numbered arguments that a translation may move.
 */
#include "evidence/evidence.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void add_value(struct strbuf *out, const struct value *v, translate_fn tr)
{
    char span[TIME_TEXT_MAX];

    switch (v->type) {
    case VALUE_NONE: strbuf_addstr(out, "?"); break;
    case VALUE_INT: strbuf_addf(out, "%" PRId64, v->u.i); break;
    case VALUE_REAL: strbuf_addf(out, fabs(v->u.d) >= 1000 ? "%.0f" : "%.3g", v->u.d); break;
    case VALUE_TEXT: strbuf_addstr(out, v->u.s && *v->u.s ? tr(v->u.s) : "?"); break;
    case VALUE_BOOL: strbuf_addstr(out, tr(v->u.b ? N_("yes") : N_("no"))); break;
    case VALUE_SPAN:
        strbuf_addstr(out, v->u.i == NSTIME_NONE ? "?" : span_text(span, v->u.i));
        break;
    }
}

void text_render(struct strbuf *out, const char *msgid, const struct value *v, size_t nv,
                 translate_fn tr)
{
    if (!msgid || !*msgid)
        return; /* gettext("") is the catalogue's header */
    for (const char *s = tr(msgid); *s;) {
        size_t plain = strcspn(s, "%");
        strbuf_add(out, s, plain);
        s += plain;
        if (!*s)
            break;
        if (s[1] >= '1' && s[1] <= '9' && s[2] == '$' && s[3] == 's') {
            size_t n = (size_t)(s[1] - '1');
            if (n < nv)
                add_value(out, &v[n], tr);
            else
                strbuf_addstr(out, "?");
            s += 4;
        } else {
            strbuf_addch(out, '%');
            s += s[1] == '%' ? 2 : 1;
        }
    }
}

/* "rst-flow-label" as words. */
static void add_name_words(struct strbuf *out, const char *name)
{
    for (; *name; name++)
        strbuf_addch(out, *name == '-' ? ' ' : *name);
}

static void plain_sentence(struct strbuf *out, enum fact_kind kind, const char *msgid,
                           translate_fn tr)
{
    struct strbuf words = STRBUF_INIT;

    add_name_words(&words, fact_info(kind)->name);
    struct value v = v_text(words.buf);
    text_render(out, msgid, &v, 1, tr);
    strbuf_release(&words);
}

void fact_text(struct strbuf *out, const struct fact *f, translate_fn tr)
{
    const struct fact_kind_info *info = fact_info(f->kind);
    const char *msgid = f->yes ? info->yes : info->no;

    if (*msgid)
        text_render(out, msgid, f->v, FACT_VALUES, tr);
    else
        plain_sentence(out, f->kind,
                       f->yes ? N_("seen: %1$s") : N_("looked for and not seen: %1$s"), tr);
}

void fact_missing_text(struct strbuf *out, enum fact_kind kind, translate_fn tr)
{
    const struct fact_kind_info *info = fact_info(kind);

    if (*info->missing)
        text_render(out, info->missing, NULL, 0, tr);
    else
        plain_sentence(out, kind, N_("nobody has looked for: %1$s"), tr);
}
