/*
 * plot.c: pictures made of characters: a grid of dots, several to a cell, and the scales of axes.
 */
#include "view/view.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLOT_MAX_COLS 1000
#define PLOT_MAX_ROWS 500

/* ---- the grid ---- */

static int dots_across(enum plot_kind kind)
{
    return kind == PLOT_BRAILLE ? 2 : 1;
}

static int dots_down(enum plot_kind kind)
{
    return kind == PLOT_BRAILLE ? 4 : 2;
}

int plot_init(struct plot *p, int cols, int rows, enum plot_kind kind)
{
    memset(p, 0, sizeof(*p));
    if (cols < 1 || rows < 1 || cols > PLOT_MAX_COLS || rows > PLOT_MAX_ROWS)
        return -EINVAL;
    p->cells = calloc((size_t)cols * (size_t)rows, sizeof(*p->cells));
    if (!p->cells)
        return -ENOMEM;
    p->cols = cols;
    p->rows = rows;
    p->kind = kind;
    return 0;
}

void plot_release(struct plot *p)
{
    free(p->cells);
    memset(p, 0, sizeof(*p));
}

int plot_width(const struct plot *p)
{
    return p->cols * dots_across(p->kind);
}

int plot_height(const struct plot *p)
{
    return p->rows * dots_down(p->kind);
}

static struct plot_cell *cell_of(struct plot *p, int col, int row)
{
    if (col < 0 || row < 0 || col >= p->cols || row >= p->rows)
        return NULL;
    return &p->cells[row * p->cols + col];
}

void plot_dot(struct plot *p, int x, int y, int ink)
{
    int w = dots_across(p->kind), h = dots_down(p->kind);
    int down = plot_height(p) - 1 - y;
    struct plot_cell *c = x < 0 || down < 0 ? NULL : cell_of(p, x / w, down / h);

    if (!c)
        return;
    c->dots |= (uint8_t)(1u << (down % h * w + x % w));
    /* Two inks in one cell: the higher number is the more telling one. */
    c->ink = (uint8_t)MAX_OF(c->ink, ink);
}

void plot_line(struct plot *p, int x0, int y0, int x1, int y1, int ink)
{
    int dx = abs(x1 - x0), dy = abs(y1 - y0), n = MAX_OF(MAX_OF(dx, dy), 1);

    n = MIN_OF(n, 2 * (plot_width(p) + plot_height(p))); /* an end far outside costs no more */
    for (int i = 0; i <= n; i++)
        plot_dot(p, x0 + (int)lround((double)(x1 - x0) * i / n),
                 y0 + (int)lround((double)(y1 - y0) * i / n), ink);
}

void plot_column(struct plot *p, int x, double v, int ink)
{
    int h = plot_height(p), top;

    if (!(v > 0))
        return;
    top = (int)lround(fmin(v, 1) * h);
    for (int y = 0; y < MAX_OF(top, 1); y++)
        plot_dot(p, x, y, ink); /* what there is some of is never drawn as nothing */
}

/* Whole cells of solid blocks, its top in eighths where the font has them. */
void plot_bar(struct plot *p, int from, int to, double v, int ink)
{
    static const char *const eighths[] = {"", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int each = p->kind == PLOT_BRAILLE ? 8 : p->kind == PLOT_BLOCK ? 2 : 1;
    int units = v > 0 ? MAX_OF((int)lround(fmin(v, 1) * p->rows * each), 1) : 0;

    for (int row = 0; row < p->rows; row++) {
        int here = MIN_OF(MAX_OF(units - (p->rows - 1 - row) * each, 0), each);
        const char *text = p->kind == PLOT_ASCII ? here ? "#" : "" : eighths[here * (8 / each)];
        for (int col = from; here && col < to; col++) {
            struct plot_cell *c = cell_of(p, col, row);
            if (!c)
                continue;
            memcpy(c->mark, text, strlen(text) + 1);
            c->ink = (uint8_t)MAX_OF(c->ink, ink);
        }
    }
}

void plot_mark(struct plot *p, int x, int y, const char *text, int ink)
{
    int w = dots_across(p->kind), h = dots_down(p->kind);
    int down = plot_height(p) - 1 - y;
    struct plot_cell *c = x < 0 || down < 0 ? NULL : cell_of(p, x / w, down / h);

    if (!c || strlen(text) >= sizeof(c->mark))
        return;
    memcpy(c->mark, text, strlen(text) + 1);
    c->ink = (uint8_t)MAX_OF(c->ink, ink);
}

/* Dots are numbered row by row; braille numbers the first three rows column by column. */
static size_t braille(char out[4], uint8_t dots)
{
    static const uint8_t bit[8] = {0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80};
    unsigned cp = 0x2800;

    for (int i = 0; i < 8; i++)
        if (dots & 1u << i)
            cp |= bit[i];
    out[0] = (char)(0xe0 | cp >> 12);
    out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[2] = (char)(0x80 | (cp & 0x3f));
    out[3] = '\0';
    return 3;
}

void plot_text(const struct plot *p, int col, int row, char out[PLOT_TEXT_MAX], int *ink)
{
    static const char *const blocks[4] = {" ", "▀", "▄", "█"};
    static const char *const ascii[4] = {" ", "'", ".", ":"};
    const struct plot_cell *c = col < 0 || row < 0 || col >= p->cols || row >= p->rows
                                    ? NULL
                                    : &p->cells[row * p->cols + col];

    *ink = c ? c->ink : 0;
    if (c && !c->mark[0] && c->dots && p->kind == PLOT_BRAILLE)
        braille(out, c->dots);
    else
        snprintf(out, PLOT_TEXT_MAX, "%s",
                 !c           ? " "
                 : c->mark[0] ? c->mark
                              : (p->kind == PLOT_ASCII ? ascii : blocks)[c->dots & 3]);
}

/* ---- scales ---- */

void plot_fit(struct plot_scale *s, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v[i]) || (s->log && v[i] <= 0))
            continue;
        if (!s->set) {
            s->min = s->max = v[i];
            s->set = true;
        }
        s->min = fmin(s->min, v[i]);
        s->max = fmax(s->max, v[i]);
    }
}

double plot_place(const struct plot_scale *s, double v)
{
    double low = s->log ? log10(s->min) : s->min, high = s->log ? log10(s->max) : s->max;

    if (!isfinite(v) || (s->log && (v <= 0 || s->min <= 0)))
        return NAN;
    if (s->log)
        v = log10(v);
    if (high - low <= 0)
        return 0.5; /* one value alone stands in the middle */
    return fmin(fmax((v - low) / (high - low), 0), 1);
}

/* Steps of 1, 2 or 5 times a power of ten: the smallest that gives at most max ticks. */
static double nice_step(double range, size_t max)
{
    double raw = range / (double)max, power = pow(10, floor(log10(raw)));
    static const double steps[] = {1, 2, 5, 10};

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (steps[i] * power >= raw * (1 - 1e-9))
            return steps[i] * power;
    return 10 * power;
}

static size_t log_ticks(const struct plot_scale *s, double *out, size_t max)
{
    double low = ceil(log10(s->min) - 1e-9), high = floor(log10(s->max) + 1e-9);
    double every = fmax(ceil((high - low + 1) / (double)max), 1);
    size_t n = 0;

    for (double e = low; e <= high && n < max; e += every)
        out[n++] = pow(10, e);
    return n;
}

size_t plot_ticks(const struct plot_scale *s, double *out, size_t max)
{
    double range = s->max - s->min, step;
    size_t n = 0;

    if (max == 0 || !isfinite(range))
        return 0;
    if (range <= 0 || max == 1) {
        out[0] = s->max;
        return 1;
    }
    if (s->log && s->min > 0 && (n = log_ticks(s, out, max)) > 1)
        return n;
    step = nice_step(range, max - 1);
    n = 0;
    for (double k = ceil(s->min / step - 1e-9); n < max; k++) {
        if (k * step > s->max + step * 1e-9)
            break;
        out[n++] = k * step;
    }
    if (n == 0)
        out[n++] = s->min;
    return n;
}

size_t plot_bins(const struct plot_scale *s, const double *v, size_t n, double *bins, size_t nbins)
{
    size_t most = 0;

    for (size_t i = 0; i < nbins; i++)
        bins[i] = 0;
    for (size_t i = 0; i < n && nbins; i++) {
        double at = plot_place(s, v[i]);
        if (!isfinite(at))
            continue;
        size_t bin = MIN_OF((size_t)(at * (double)nbins), nbins - 1);
        bins[bin]++;
        most = MAX_OF(most, (size_t)bins[bin]);
    }
    return most;
}

/* Rank by the nearest-rank method (the smallest value that p of all do not exceed). */
double plot_quantile(double *v, size_t n, double p)
{
    if (n == 0)
        return NAN;
    for (size_t gap = n / 2; gap > 0; gap /= 2) /* shell sort: a few thousand at most */
        for (size_t i = gap; i < n; i++) {
            double x = v[i];
            size_t at = i;
            for (; at >= gap && v[at - gap] > x; at -= gap)
                v[at] = v[at - gap];
            v[at] = x;
        }
    double rank = ceil(p * (double)n);
    return v[MIN_OF((size_t)fmax(rank - 1, 0), n - 1)];
}
