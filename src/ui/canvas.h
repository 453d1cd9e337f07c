/*
 * canvas.h: a grid of cells, and the areas drawing is clipped to.
 *
 * A cell holds one character (with its combining marks) and what it means (enum look), not a
 * colour. No byte reaches a cell but valid, printable UTF-8: the canvas cleans whatever it is
 * given, so a hostile name cannot become a terminal command. With ascii set, cells are ASCII.
 */
#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include "base/base.h"

enum look {
    LOOK_NORMAL,
    LOOK_DIM,    /* what is there but does not matter now */
    LOOK_STRONG, /* names, numbers one looks for */
    LOOK_TITLE,  /* of a pane without focus */
    LOOK_FOCUS,  /* title and frame of the pane with focus */
    LOOK_FRAME,
    LOOK_HEAD, /* column headers */
    LOOK_BAR,  /* the top bar */
    LOOK_BAR_WARN,
    LOOK_KEY, /* a key in the hints line */
    LOOK_GOOD,
    LOOK_NOTE, /* severities: note, warn, bad */
    LOOK_WARN,
    LOOK_BAD,
    LOOK_RESET, /* a reset: dark red on pale yellow */
    LOOK_GAUGE, /* a bar's filled part */
    LOOK_INPUT, /* text being typed */
    LOOK_INPUT_GOOD,
    LOOK_INPUT_BAD,
    LOOK_COUNT
};

#define CELL_TEXT_MAX 13 /* a character and two combining marks, with the NUL */
struct cell {
    char text[CELL_TEXT_MAX];
    uint8_t width; /* 1 or 2; 0: right half of a wide character */
    uint8_t look;
    bool selected; /* the row the cursor is on */
};
struct canvas {
    struct cell *cells;
    int cols, rows;
    bool ascii;
    int cursor_x, cursor_y; /* -1: hidden */
};
#define CANVAS_MAX_COLS 1000
#define CANVAS_MAX_ROWS 500
void canvas_init(struct canvas *c, bool ascii);
void canvas_release(struct canvas *c);
int canvas_resize(struct canvas *c, int cols, int rows); /* clears; sizes are capped */
void canvas_clear(struct canvas *c);
const struct cell *canvas_cell(const struct canvas *c, int x, int y); /* NULL outside */
void canvas_text(const struct canvas *c, struct strbuf *out); /* rows, trailing blanks cut */

/* A rectangle of a canvas. Coordinates are the area's own; what falls outside is not drawn. */
struct area {
    struct canvas *c;
    int x, y, w, h;
};
struct area canvas_area(struct canvas *c);
struct area area_sub(struct area a, int x, int y, int w, int h); /* clipped to a */
void area_fill(struct area a, enum look look);
/* Draws s from column x, at most w columns; a cut text ends in an ellipsis. Returns the columns
 * taken. w < 0: to the area's right edge. */
int area_put(struct area a, int x, int y, int w, enum look look, const char *s);
int area_putf(struct area a, int x, int y, int w, enum look look, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
int area_put_right(struct area a, int x, int y, int w, enum look look, const char *s);
void area_hline(struct area a, int x, int y, int w, enum look look);
void area_vline(struct area a, int x, int y, int h, enum look look);
void area_select(struct area a, int y);               /* marks the whole row */
void area_look(struct area a, int y, enum look look); /* repaints the whole row */
void area_cursor(struct area a, int x, int y);

/* The next character of *s: its code point, or -1 for a byte that is no UTF-8; *s moves on. */
int32_t utf8_next(const char **s);
size_t utf8_encode(char out[4], int32_t cp);
int text_columns(const char *s); /* as the canvas would draw it */

#endif
