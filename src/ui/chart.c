/*
 * chart.c: a plot with its axes.
 */
#include "ui/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 24
#define TICKS_MAX 16

void chart_span(char *out, size_t outlen, double seconds)
{
    char text[TIME_TEXT_MAX];

    snprintf(out, outlen, "%s", span_text(text, (nstime)llround(seconds * NS_PER_SEC)));
}

void chart_count(char *out, size_t outlen, double v)
{
    if (v >= 0 && v < 1e15)
        count_text(out, outlen, (uint64_t)llround(v));
    else
        snprintf(out, outlen, "%g", v);
}

void chart_clock(char *out, size_t outlen, double wall_seconds)
{
    char text[TIME_TEXT_MAX];

    snprintf(out, outlen, "%s", time_clock(text, (nstime)(wall_seconds * NS_PER_SEC), 0, false));
}

/* ---- the scales ---- */

static void fit(struct chart *c)
{
    bool fit_x = !c->x.set, fit_y = !c->y.set, columns = false;

    for (size_t i = 0; i < c->nseries; i++) {
        const struct chart_series *s = &c->series[i];
        columns |= s->how == CHART_COLUMNS;
        if (fit_x && s->x)
            plot_fit(&c->x, s->x, s->n);
        if (fit_y)
            plot_fit(&c->y, s->y, s->n);
    }
    if (fit_y && columns && !c->y.log)
        c->y.min = 0;
}

/* ---- the series ---- */

static void plot_columns(struct plot *p, const struct chart *c, const struct chart_series *s,
                         int ink)
{
    int w = p->cols;

    for (size_t i = 0; i < s->n; i++) {
        int from = (int)(i * (size_t)w / s->n), to = (int)((i + 1) * (size_t)w / s->n);
        double v = s->y[i] > 0 ? plot_place(&c->y, s->y[i]) : 0;
        if (to - from >= 3)
            to--; /* wide ones stand apart */
        plot_bar(p, from, MAX_OF(to, from + 1), s->y[i] > 0 && c->y.max <= c->y.min ? 1 : v, ink);
    }
}

static void plot_series(struct ui *ui, struct plot *p, const struct chart *c,
                        const struct chart_series *s, int ink)
{
    const char *m = ui->ascii ? s->ascii_mark : s->mark;
    int px = 0, py = 0;
    bool before = false;

    if (s->how == CHART_COLUMNS) {
        plot_columns(p, c, s, ink);
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        double ax = plot_place(&c->x, s->x[i]), ay = plot_place(&c->y, s->y[i]);
        if (isnan(ax) || isnan(ay)) {
            before = false;
            continue;
        }
        int x = (int)lround(ax * (plot_width(p) - 1)), y = (int)lround(ay * (plot_height(p) - 1));
        if (s->how == CHART_LINE && before)
            plot_line(p, px, py, x, y, ink);
        else if (m && s->how == CHART_DOTS)
            plot_mark(p, x, y, m, ink);
        else
            plot_dot(p, x, y, ink);
        before = true;
        px = x;
        py = y;
    }
}

static void put_plot(struct area a, const struct plot *p, const struct chart *c)
{
    for (int row = 0; row < p->rows; row++)
        for (int col = 0; col < p->cols; col++) {
            char text[PLOT_TEXT_MAX];
            int ink;
            plot_text(p, col, row, text, &ink);
            if (strcmp(text, " ") != 0)
                area_put(a, col, row, 1,
                         ink > 0 && (size_t)ink <= c->nseries ? c->series[ink - 1].look
                                                              : LOOK_NORMAL,
                         text);
        }
}

/* ---- the axes ---- */

static int y_axis(struct area a, const struct chart *c, int rows, int most)
{
    double ticks[TICKS_MAX];
    char text[TICKS_MAX][LABEL_MAX];
    size_t n =
        c->y_text ? plot_ticks(&c->y, ticks, (size_t)MIN_OF(MAX_OF(rows / 2, 2), TICKS_MAX)) : 0;
    int w = 0;

    for (size_t i = 0; i < n; i++) {
        c->y_text(text[i], LABEL_MAX, ticks[i]);
        w = MAX_OF(w, text_columns(text[i]));
    }
    if (n == 0 || w + 1 > most)
        return 0;
    area_vline(a, w + 1, 0, rows, LOOK_FRAME);
    for (size_t i = 0; i < n; i++) {
        double at = plot_place(&c->y, ticks[i]);
        int row = rows - 1 - (int)lround(at * (rows - 1));
        if (i > 0 && strcmp(text[i], text[i - 1]) == 0)
            continue; /* rounded to the same words: said once */
        area_put_right(a, 0, row, w, LOOK_DIM, text[i]);
        area_put(a, w + 1, row, 1, LOOK_FRAME, "┤");
    }
    return w + 2;
}

static void x_axis(struct area a, const struct chart *c, int left, int row)
{
    double ticks[TICKS_MAX];
    int w = a.w - left, end = 0;
    size_t n = plot_ticks(&c->x, ticks, (size_t)MIN_OF(MAX_OF(w / 12, 1), TICKS_MAX));

    area_hline(a, left, row, w, LOOK_FRAME);
    if (left > 0)
        area_put(a, left - 1, row, 1, LOOK_FRAME, "└");
    for (size_t i = 0; i < n; i++) {
        char text[LABEL_MAX];
        c->x_text(text, sizeof(text), ticks[i]);
        int cols = text_columns(text);
        int x = left + (int)lround(plot_place(&c->x, ticks[i]) * (w - 1));
        int from = MAX_OF(MIN_OF(x - cols / 2, a.w - cols), left);
        if (from < end)
            continue;
        area_put(a, x, row, 1, LOOK_FRAME, "┬");
        area_put(a, from, row + 1, cols, LOOK_DIM, text);
        end = from + cols + 1;
    }
}

void chart_draw(struct ui *ui, struct area a, const struct chart *chart)
{
    struct chart c = *chart;
    struct plot p;
    int rows, left;

    c.nseries = MIN_OF(c.nseries, (size_t)CHART_SERIES_MAX);
    fit(&c);
    if (!c.y.set) {
        if (c.nothing)
            area_put(a, 0, 0, -1, LOOK_DIM, c.nothing);
        return;
    }
    rows = c.x_text && c.x.set && a.h >= 4 ? a.h - 2 : a.h;
    left = y_axis(a, &c, rows, a.w / 3);
    if (rows < a.h)
        x_axis(a, &c, left, rows);
    if (plot_init(&p, a.w - left, rows, ui->plots) < 0)
        return;
    for (size_t i = 0; i < c.nseries; i++)
        plot_series(ui, &p, &c, &c.series[i], (int)i + 1);
    put_plot(area_sub(a, left, 0, a.w - left, rows), &p, &c);
    plot_release(&p);
}
