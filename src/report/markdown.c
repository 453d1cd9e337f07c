/* The report as Markdown. What came from the network must not become markup. */
#include "report/page.h"

#include <string.h>

static void escaped(struct strbuf *sb, const char *s)
{
    for (; *s; s++) {
        if (strchr("\\`*_[]<>|#~!", *s))
            strbuf_addch(sb, '\\');
        strbuf_addch(sb, *s == '\n' ? ' ' : *s);
    }
}

static void md_heading(struct page *p, int level, const char *text)
{
    struct strbuf *sb = &p->out->buf;

    strbuf_addf(sb, "\n%s ", level == 1 ? "##" : "###");
    escaped(sb, text);
    strbuf_addstr(sb, "\n\n");
}

static void md_item(struct page *p, int indent, const char *label, const char *text)
{
    struct strbuf *sb = &p->out->buf;

    (void)indent;
    if (*label) {
        strbuf_addstr(sb, "- **");
        escaped(sb, label);
        strbuf_addstr(sb, "**: ");
    } else if (indent) {
        strbuf_addstr(sb, "- ");
    }
    escaped(sb, text);
    strbuf_addch(sb, '\n');
}

static void md_bullet(struct page *p, int indent, const char *mark, const char *text)
{
    static const struct {
        const char *mark, *words;
    } words[] = {
        {"+", N_("for")},
        {"-", N_("against")},
        {"?", N_("not known")},
    };
    struct strbuf *sb = &p->out->buf;

    strbuf_addstr(sb, indent ? "  - " : "- ");
    for (size_t i = 0; i < ARRAY_SIZE(words) && indent; i++)
        if (strcmp(words[i].mark, mark) == 0)
            strbuf_addf(sb, "*%s* ", _(words[i].words));
    if (!indent && strcmp(mark, "x") == 0)
        strbuf_addf(sb, "**%s** ", _("failed"));
    escaped(sb, text);
    strbuf_addch(sb, '\n');
}

static void md_gap(struct page *p)
{
    strbuf_addch(&p->out->buf, '\n');
}

const struct page_style page_markdown = {md_heading, md_item, md_bullet, md_gap};

static int md_write(const struct session *s, const struct sink *to)
{
    static const char title[] = "# rstconsole\n";
    int err = to->write(to->arg, title, sizeof(title) - 1);

    return err ? err : document_write(s, to, &page_markdown);
}

const struct report_format report_markdown = {"markdown", "md", md_write};
