/* The HTML report: what its files share. One page, no script, nothing fetched from elsewhere. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report/page.h"
#include "view/view.h"

struct html {
    struct out *out;
    const struct session *s;
    uint64_t normal_beside; /* the incident whose ladder has a normal close beside it; 0 none */
    const struct snippet *told[16]; /* snippets that stand on the page already */
    size_t ntold;
};
extern const char html_style[];

/* Markup of our own, as it is. */
void html_raw(struct html *h, const char *markup);
void html_rawf(struct html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text of anybody's: no character of it can become markup, in an element or a quoted attribute. */
void html_text(struct html *h, const char *text);
void html_textn(struct html *h, const char *text, size_t len);
/* <tag>text</tag>; tag may bear attributes: "p class=lead" */
void html_element(struct html *h, const char *tag, const char *text);
void html_element_sb(struct html *h, const char *tag, struct strbuf *sb); /* and releases it */
/* A msgid with values. */
void html_render(struct html *h, const char *tag, const char *msgid, const struct value *v,
                 size_t n);
void html_bar(struct html *h, double v); /* 0..1 */
void html_badge(struct html *h, const char *look, const char *text);

void html_begin(struct html *h, const char *title); /* up to and with <main> */
void html_end(struct html *h, const char *foot);
void html_heads(struct html *h, const char *const *titles, size_t n); /* a table begins */
void html_table_end(struct html *h);

/* ---- html_ladder.c ---- */
void html_ladder(struct html *h, const struct incident *i);

/* ---- html_incident.c ---- */
void html_incident(struct html *h, const struct alike *a);
void html_cause(struct html *h, const struct judgement *j); /* its title, as sure as it is */
const char *html_grade_look(const struct judgement *j);

#endif
