/* The report as text of 80 columns. */
#include "report/page.h"

#include <string.h>

#define COLUMNS     79
#define LABEL_WIDTH 9

static void spaces(struct strbuf *sb, int n)
{
    if (n > 0)
        strbuf_addchars(sb, ' ', (size_t)n);
}

/* From column `from` on, the following lines indented to it. Newlines of the text are kept. */
static void wrap(struct strbuf *sb, const char *s, int from)
{
    const int width = COLUMNS - from;

    while (*s) {
        size_t len = text_break(s, width);
        strbuf_add(sb, s, len);
        strbuf_addch(sb, '\n');
        s += len;
        s += strspn(s, " \n");
        if (*s)
            spaces(sb, from);
    }
}

static void text_heading(struct page *p, int level, const char *text)
{
    struct strbuf *sb = &p->out->buf;

    if (sb->len || level > 1)
        strbuf_addch(sb, '\n');
    wrap(sb, text, 0);
    if (level == 1) {
        strbuf_addchars(sb, '=', (size_t)text_width(text));
        strbuf_addch(sb, '\n');
    }
}

static void text_item(struct page *p, int indent, const char *label, const char *text)
{
    struct strbuf *sb = &p->out->buf;
    int column = indent * 2;

    spaces(sb, column);
    if (*label || indent) {
        strbuf_addstr(sb, label);
        spaces(sb, LABEL_WIDTH - text_width(label));
        column += MAX_OF(LABEL_WIDTH, text_width(label) + 1);
        if (text_width(label) >= LABEL_WIDTH)
            strbuf_addch(sb, ' ');
    }
    if (*text)
        wrap(sb, text, column);
    else
        strbuf_addch(sb, '\n');
}

static void text_bullet(struct page *p, int indent, const char *mark, const char *text)
{
    struct strbuf *sb = &p->out->buf;
    int column = indent ? 2 + LABEL_WIDTH : 0;

    spaces(sb, column);
    strbuf_addf(sb, "%s ", mark);
    wrap(sb, text, column + text_width(mark) + 1);
}

static void text_gap(struct page *p)
{
    strbuf_addch(&p->out->buf, '\n');
}

const struct page_style page_text = {text_heading, text_item, text_bullet, text_gap};

static int text_write(const struct session *s, const struct sink *to)
{
    return document_write(s, to, &page_text);
}

const struct report_format report_text = {"text", "txt", text_write};
