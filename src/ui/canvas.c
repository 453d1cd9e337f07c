/*
 * canvas.c: cells and clipping.
 */
#include "ui/canvas.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* ---- UTF-8 (RFC 3629) ---- */

int32_t utf8_next(const char **s)
{
    const unsigned char *p = (const unsigned char *)*s;
    int n = p[0] < 0x80                   ? 0
            : p[0] >= 0xc2 && p[0] < 0xe0 ? 1
            : (p[0] & 0xf0) == 0xe0       ? 2
            : p[0] >= 0xf0 && p[0] < 0xf5 ? 3
                                          : -1;
    int32_t cp;

    if (n <= 0) {
        *s += 1;
        return n == 0 ? p[0] : -1;
    }
    cp = p[0] & (0x3f >> n);
    for (int i = 1; i <= n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *s += 1;
            return -1;
        }
        cp = cp << 6 | (p[i] & 0x3f);
    }
    /* Overlong forms, surrogates and what lies past the last plane are not UTF-8. */
    if ((n == 2 && cp < 0x800) || (n == 3 && cp < 0x10000) || (cp >= 0xd800 && cp < 0xe000) ||
        cp > 0x10ffff) {
        *s += 1;
        return -1;
    }
    *s += n + 1;
    return cp;
}

size_t utf8_encode(char out[4], int32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

/* Controls, and formatting characters that move or hide text (Unicode Cf: zero width, bidi). */
static bool is_hostile(int32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c || cp == 0x180e ||
           (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2060 && cp <= 0x206f) || (cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xfeff ||
           (cp >= 0xfff0 && cp <= 0xfffb) || cp >= 0xe0000;
}

/* One column of ASCII for a character, so that columns stay where they are. */
static char ascii_of(int32_t cp)
{
    static const struct {
        int32_t cp;
        char c;
    } table[] = {
        {0x00a0, ' '},  {0x00b7, '.'}, {0x00d7, 'x'}, {0x2013, '-'}, {0x2014, '-'}, {0x2018, '\''},
        {0x2019, '\''}, {0x201c, '"'}, {0x201d, '"'}, {0x2026, '~'}, {0x2190, '<'}, {0x2191, '^'},
        {0x2192, '>'},  {0x2193, 'v'}, {0x2500, '-'}, {0x2501, '='}, {0x2502, '|'}, {0x2503, '|'},
        {0x2550, '='},  {0x250a, ':'}, {0x25b8, '>'}, {0x25b6, '>'}, {0x25c0, '<'}, {0x25be, 'v'},
        {0x25cf, '*'},  {0x25cb, 'o'}, {0x2713, '+'}, {0x2717, 'x'}, {0x00ab, '<'}, {0x00bb, '>'},
        {0x2588, '#'},  {0x2591, '.'}, {0x2265, '>'}, {0x2264, '<'},
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (table[i].cp == cp)
            return table[i].c;
    if (cp >= 0x2500 && cp <= 0x257f)
        return '+';
    if (cp >= 0x2581 && cp <= 0x258f)
        return '=';
    return '?';
}

static int columns_of(int32_t cp)
{
    int w = wcwidth((wchar_t)cp);

    return w < 0 ? 1 : w; /* unassigned, or a locale that knows no such character: drawn as '?' */
}

/* ---- the grid ---- */

void canvas_init(struct canvas *c, bool ascii)
{
    memset(c, 0, sizeof(*c));
    c->ascii = ascii;
    c->cursor_x = c->cursor_y = -1;
}

void canvas_release(struct canvas *c)
{
    free(c->cells);
    c->cells = NULL;
    c->cols = c->rows = 0;
}

int canvas_resize(struct canvas *c, int cols, int rows)
{
    cols = MIN_OF(MAX_OF(cols, 1), CANVAS_MAX_COLS);
    rows = MIN_OF(MAX_OF(rows, 1), CANVAS_MAX_ROWS);
    if (cols != c->cols || rows != c->rows || !c->cells) {
        struct cell *cells = calloc((size_t)cols * (size_t)rows, sizeof(*cells));
        if (!cells)
            return -ENOMEM;
        free(c->cells);
        c->cells = cells;
        c->cols = cols;
        c->rows = rows;
    }
    canvas_clear(c);
    return 0;
}

void canvas_clear(struct canvas *c)
{
    static const struct cell blank = {.text = " ", .width = 1, .look = LOOK_NORMAL};

    for (int i = 0; i < c->cols * c->rows; i++)
        c->cells[i] = blank;
    c->cursor_x = c->cursor_y = -1;
}

static struct cell *cell_at(struct canvas *c, int x, int y)
{
    if (x < 0 || y < 0 || x >= c->cols || y >= c->rows)
        return NULL;
    return &c->cells[y * c->cols + x];
}

const struct cell *canvas_cell(const struct canvas *c, int x, int y)
{
    return cell_at((struct canvas *)(uintptr_t)c, x, y);
}

void canvas_text(const struct canvas *c, struct strbuf *out)
{
    for (int y = 0; y < c->rows; y++) {
        size_t keep = out->len;
        for (int x = 0; x < c->cols; x++) {
            const struct cell *cell = canvas_cell(c, x, y);
            if (cell->width == 0)
                continue;
            strbuf_addstr(out, cell->text);
            if (strcmp(cell->text, " ") != 0)
                keep = out->len;
        }
        strbuf_setlen(out, MIN_OF(keep, out->len));
        strbuf_addch(out, '\n');
    }
}

/* ---- areas ---- */

struct area canvas_area(struct canvas *c)
{
    return (struct area){c, 0, 0, c->cols, c->rows};
}

struct area area_sub(struct area a, int x, int y, int w, int h)
{
    if (x < 0) {
        w += x;
        x = 0;
    }
    if (y < 0) {
        h += y;
        y = 0;
    }
    w = MIN_OF(w, a.w - x);
    h = MIN_OF(h, a.h - y);
    return (struct area){a.c, a.x + x, a.y + y, MAX_OF(w, 0), MAX_OF(h, 0)};
}

static struct cell *area_cell(struct area a, int x, int y)
{
    if (x < 0 || y < 0 || x >= a.w || y >= a.h)
        return NULL;
    return cell_at(a.c, a.x + x, a.y + y);
}

/* Half of a wide character that is drawn over leaves a blank, not a shifted row. */
static void unpair(struct area a, int x, int y)
{
    struct cell *here = cell_at(a.c, a.x + x, a.y + y);
    struct cell *other = NULL;

    if (!here)
        return;
    if (here->width == 0)
        other = cell_at(a.c, a.x + x - 1, a.y + y);
    else if (here->width == 2)
        other = cell_at(a.c, a.x + x + 1, a.y + y);
    if (other) {
        memcpy(other->text, " ", 2);
        other->width = 1;
    }
}

static void set_cell(struct area a, int x, int y, enum look look, const char *text, size_t len,
                     int width)
{
    struct cell *cell = area_cell(a, x, y), *right = NULL;

    if (!cell)
        return;
    unpair(a, x, y);
    if (width == 2) {
        right = area_cell(a, x + 1, y);
        if (!right) {
            text = "?";
            len = 1;
            width = 1;
        } else {
            unpair(a, x + 1, y);
            right->text[0] = '\0';
            right->width = 0;
            right->look = (uint8_t)look;
        }
    }
    memcpy(cell->text, text, len);
    cell->text[len] = '\0';
    cell->width = (uint8_t)width;
    cell->look = (uint8_t)look;
}

static void add_combining(struct area a, int x, int y, const char *text, size_t len)
{
    struct cell *cell = area_cell(a, x, y);

    if (cell && cell->width == 0)
        cell = area_cell(a, x - 1, y);
    if (!cell)
        return;
    size_t have = strlen(cell->text);
    if (have + len < sizeof(cell->text) && have > 0) {
        memcpy(cell->text + have, text, len);
        cell->text[have + len] = '\0';
    }
}

/* Makes a character drawable: what the cell will hold, and its columns. */
static int32_t drawable(const struct canvas *c, int32_t cp, int *width)
{
    if (cp < 0 || is_hostile(cp)) {
        *width = 1;
        return '.';
    }
    *width = columns_of(cp);
    if (c->ascii && cp >= 0x80)
        return *width == 0 ? 0 : ascii_of(cp);
    return wcwidth((wchar_t)cp) < 0 ? '?' : cp;
}

void area_fill(struct area a, enum look look)
{
    for (int y = 0; y < a.h; y++)
        for (int x = 0; x < a.w; x++)
            set_cell(a, x, y, look, " ", 1, 1);
}

int text_columns(const char *s)
{
    int cols = 0;

    while (*s) {
        int32_t cp = utf8_next(&s);
        cols += cp < 0 || is_hostile(cp) ? 1 : columns_of(cp);
    }
    return cols;
}

int area_put(struct area a, int x, int y, int w, enum look look, const char *s)
{
    int at = x, edge = w < 0 ? a.w : MIN_OF(x + w, a.w);
    bool cut = edge > x && text_columns(s) > edge - x;

    if (y < 0 || y >= a.h)
        return 0;
    while (*s) {
        char text[4];
        int width;
        int32_t cp = drawable(a.c, utf8_next(&s), &width);
        if (width == 0) {
            if (cp && at > x)
                add_combining(a, at - 1, y, text, utf8_encode(text, cp));
            continue;
        }
        if (at + width > edge - cut)
            break;
        if (width == 2 && cp < 0x80) { /* a wide character in ASCII keeps its two columns */
            set_cell(a, at, y, look, "?", 1, 1);
            set_cell(a, at + 1, y, look, "?", 1, 1);
        } else {
            set_cell(a, at, y, look, text, utf8_encode(text, cp), width);
        }
        at += width;
    }
    if (cut) {
        while (at < edge - 1)
            set_cell(a, at++, y, look, " ", 1, 1);
        set_cell(a, at++, y, look, a.c->ascii ? "~" : "…", a.c->ascii ? 1 : strlen("…"), 1);
    }
    return at - x;
}

int area_putf(struct area a, int x, int y, int w, enum look look, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return area_put(a, x, y, w, look, text);
}

int area_put_right(struct area a, int x, int y, int w, enum look look, const char *s)
{
    int cols = MIN_OF(text_columns(s), w);

    return area_put(a, x + w - cols, y, cols, look, s);
}

void area_hline(struct area a, int x, int y, int w, enum look look)
{
    for (int i = 0; i < w; i++)
        area_put(a, x + i, y, 1, look, "─");
}

void area_vline(struct area a, int x, int y, int h, enum look look)
{
    for (int i = 0; i < h; i++)
        area_put(a, x, y + i, 1, look, "│");
}

void area_select(struct area a, int y)
{
    for (int x = 0; x < a.w; x++) {
        struct cell *cell = area_cell(a, x, y);
        if (cell)
            cell->selected = true;
    }
}

void area_look(struct area a, int y, enum look look)
{
    for (int x = 0; x < a.w; x++) {
        struct cell *cell = area_cell(a, x, y);
        if (cell)
            cell->look = (uint8_t)look;
    }
}

void area_cursor(struct area a, int x, int y)
{
    if (!area_cell(a, x, y))
        return;
    a.c->cursor_x = a.x + x;
    a.c->cursor_y = a.y + y;
}
