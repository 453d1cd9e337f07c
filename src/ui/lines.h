/*
 * lines.h: text to scroll through: wrapped lines with a look and, where they stand for a packet,
 * its number; and the cursor of a list.
 */
#ifndef UI_LINES_H
#define UI_LINES_H

#include "ui/action.h"
#include "ui/canvas.h"

struct line {
    char *text;
    enum look look;
    int indent;
    uint64_t packet; /* 0: none */
    int item;        /* the caller's: what Enter on it opens, -1 none */
};
struct lines {
    struct line *v;
    size_t nr, alloc;
    int err;
};
void lines_release(struct lines *l);
void lines_clear(struct lines *l);
/* Adds text, wrapped at word ends to `width` columns; later lines are indented by `hang` more. */
void lines_add(struct lines *l, int width, enum look look, int indent, int hang, uint64_t packet,
               int item, const char *text);

/* Where the person is in a list of n things of which `page` are on the screen. */
struct cursor_pos {
    int sel, top;
};
bool cursor_move(struct cursor_pos *c, enum action a, int n, int page); /* true: it was a move */
void cursor_clamp(struct cursor_pos *c, int n, int page);
/* Draws lines from c->top, the selected one marked (when focus). */
void lines_draw(const struct lines *l, struct area a, struct cursor_pos *c, bool focus);

#endif
