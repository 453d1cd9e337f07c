/*
 * lines.c: wrapped text and list cursors.
 */
#include "ui/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lines_clear(struct lines *l)
{
    for (size_t i = 0; i < l->nr; i++)
        free(l->v[i].text);
    l->nr = 0;
    l->err = 0;
}

void lines_release(struct lines *l)
{
    lines_clear(l);
    free(l->v);
    memset(l, 0, sizeof(*l));
}

static void push(struct lines *l, const struct line *proto, const char *text, size_t len)
{
    struct line one = *proto;

    one.text = strndup(text, len);
    if (!one.text || ARRAY_GROW(l->v, l->nr + 1, l->alloc) < 0) {
        free(one.text);
        l->err = -ENOMEM;
        return;
    }
    l->v[l->nr++] = one;
}

void lines_add(struct lines *l, int width, enum look look, int indent, int hang, uint64_t packet,
               int item, const char *text)
{
    struct line proto = {.look = look, .indent = MAX_OF(indent, 0), .packet = packet, .item = item};

    do {
        size_t n = text_break(text, MAX_OF(width - proto.indent, 8));
        push(l, &proto, text, n);
        text += n;
        while (*text == ' ')
            text++;
        if (*text == '\n')
            text++;
        proto.indent = indent + hang;
    } while (*text);
}

void cursor_clamp(struct cursor_pos *c, int n, int page)
{
    page = MAX_OF(page, 1);
    c->sel = MAX_OF(MIN_OF(c->sel, n - 1), 0);
    if (c->top > c->sel)
        c->top = c->sel;
    if (c->sel >= c->top + page)
        c->top = c->sel - page + 1;
    c->top = MAX_OF(MIN_OF(c->top, n - page), 0);
}

bool cursor_move(struct cursor_pos *c, enum action a, int n, int page)
{
    page = MAX_OF(page, 1);
    switch (a) {
    case ACTION_UP: c->sel--; break;
    case ACTION_DOWN: c->sel++; break;
    case ACTION_PAGE_UP: c->sel -= page; break;
    case ACTION_PAGE_DOWN: c->sel += page; break;
    case ACTION_HALF_UP: c->sel -= (page + 1) / 2; break;
    case ACTION_HALF_DOWN: c->sel += (page + 1) / 2; break;
    case ACTION_FIRST: c->sel = 0; break;
    case ACTION_LAST: c->sel = n - 1; break;
    default: return false;
    }
    cursor_clamp(c, n, page);
    return true;
}

void lines_draw(const struct lines *l, struct area a, struct cursor_pos *c, bool focus)
{
    cursor_clamp(c, (int)l->nr, a.h);
    for (int y = 0; y < a.h && c->top + y < (int)l->nr; y++) {
        const struct line *line = &l->v[c->top + y];
        area_put(a, line->indent, y, -1, line->look, line->text);
        if (focus && c->top + y == c->sel)
            area_select(a, y);
    }
}
