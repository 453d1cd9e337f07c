/* A report for people: what document.c says, text.c or markdown.c puts on a page. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/private.h"

struct page;
struct page_style {
    void (*heading)(struct page *p, int level, const char *text);
    /* A paragraph; label "" for none. */
    void (*item)(struct page *p, int indent, const char *label, const char *text);
    void (*bullet)(struct page *p, int indent, const char *mark, const char *text);
    void (*gap)(struct page *p);
};
struct page {
    struct out *out;
    const struct page_style *style;
    const struct session *s;
};
extern const struct page_style page_text, page_markdown;
int document_write(const struct session *s, const struct sink *to, const struct page_style *style);

/* ---- alike.c: incidents that differ in nothing a person would care about ---- */
struct alike {
    const struct incident *first;
    size_t *members; /* indices into s->incidents, ascending; the first is `first` */
    size_t nr;
};
struct alike_list {
    struct alike *items;
    size_t nr, alloc;
    size_t *members;
};
/* Those of harm (true) or without (false). 0 or -ENOMEM. */
int alike_build(struct alike_list *l, const struct session *s, bool harmful);
void alike_release(struct alike_list *l);

#endif
