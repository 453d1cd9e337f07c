/*
 * theme.h: what a look is drawn as. Colours are data; term.c alone turns them into curses.
 */
#ifndef UI_THEME_H
#define UI_THEME_H

#include "ui/canvas.h"

enum { STYLE_BOLD = 1, STYLE_DIM = 2, STYLE_REVERSE = 4, STYLE_UNDERLINE = 8 };
struct style {
    int fg, bg; /* a colour number of the terminal, -1: its default */
    unsigned flags;
};
struct theme;
const struct theme *theme_by_name(const char *name); /* NULL name: default; NULL: no such theme */
const char *theme_name(size_t i);                    /* NULL past the last */
const struct theme *theme_mono(void);
/* colors: how many the terminal has; under 8 the mono theme is used. */
struct style theme_style(const struct theme *t, enum look look, bool selected, int colors);

#endif
