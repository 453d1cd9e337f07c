/* tests only: sets of facts as words (see cases.h). */
#ifndef TESTS_FACTSET_H
#define TESTS_FACTSET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cause/cause.h"

/* A number, a span with s or ms behind it, else text with _ for blanks. buf keeps the text. */
static inline struct value factset_value(const char *word, char *buf, size_t len)
{
    char *end;
    double n = strtod(word, &end);

    if (end != word && !strcmp(end, "s"))
        return v_span((nstime)(n * NS_PER_SEC));
    if (end != word && !strcmp(end, "ms"))
        return v_span((nstime)(n * NS_PER_MS));
    if (end != word && !*end)
        return v_int((int64_t)n);
    size_t i = 0;
    for (; word[i] && i + 1 < len; i++)
        buf[i] = word[i];
    buf[i] = 0;
    for (char *p = buf;
         (p = strchr(p, '_')) && strncmp(buf, "dns_", 4) != 0 && strncmp(buf, "generic_", 8) != 0;)
        *p = ' ';
    return v_text(buf);
}

/* Adds the fact a word says; false: no such kind. */
static inline bool factset_add(struct facts *f, const char *word)
{
    char name[128], text[128];
    bool yes = *word != '!';
    size_t n = 0;

    for (word += !yes; word[n] && word[n] != '=' && n + 1 < sizeof(name); n++)
        name[n] = word[n];
    name[n] = 0;
    enum fact_kind kind = fact_kind_by_name(name);
    if (kind == FACT_NOTHING)
        return false;
    struct value v = word[n] ? factset_value(word + n + 1, text, sizeof(text)) : v_none();
    enum fact_source src = !strncmp(name, "user-", 5) ? SRC_USER : SRC_PROBE;
    facts_put(f, kind, yes, src, 0, NULL, v, v_none(), v_none());
    return true;
}

/* The first word that is no fact, or NULL when all are. */
static inline const char *factset_read(struct facts *f, const char *words, char *bad, size_t len)
{
    for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
        size_t n = 0;
        for (; words[n] && words[n] != ' ' && n + 1 < len; n++)
            bad[n] = words[n];
        bad[n] = 0;
        words += n;
        if (!factset_add(f, bad))
            return bad;
    }
    return NULL;
}

/* The fact a weight speaks on: a value in its range, or its first word. */
static inline void factset_put_weight(struct facts *f, const struct weight *w)
{
    char word[128];
    struct value v = w->min != 0 || w->max != 0 ? v_real(w->min) : v_none();

    if (w->is) {
        const char *first = w->is + (*w->is == '~');
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(first, "|"), first);
        v = v_text(word);
    }
    facts_put(f, w->kind, w->yes, SRC_PROBE, 0, NULL, v, v_none(), v_none());
}

#endif
