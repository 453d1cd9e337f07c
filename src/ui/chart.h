/*
 * chart.h: a plot with its axes, in an area of the canvas.
 */
#ifndef UI_CHART_H
#define UI_CHART_H

#include "ui/screen.h"
#include "view/view.h"

enum chart_how {
    CHART_DOTS,   /* a dot (or mark) at each (x, y) */
    CHART_LINE,   /* one after the other joined */
    CHART_COLUMNS /* the n columns share the width, x is not used */
};
struct chart_series {
    const double *x, *y; /* the caller's; a value without a place (NAN) is left out */
    size_t n;
    enum chart_how how;
    enum look look;
    const char *mark, *ascii_mark; /* of CHART_DOTS, one column wide; NULL: a dot */
};
/* What a tick says. */
typedef void (*chart_text_fn)(char *out, size_t outlen, double v);
void chart_span(char *out, size_t outlen, double seconds);
void chart_count(char *out, size_t outlen, double v);
void chart_clock(char *out, size_t outlen, double wall_seconds);

#define CHART_SERIES_MAX 7
struct chart {
    struct plot_scale x, y; /* not set: they hold all series (and y begins at 0 under columns) */
    chart_text_fn x_text, y_text; /* NULL: no axis of it */
    const char *nothing;          /* said where there is nothing to draw */
    const struct chart_series *series;
    size_t nseries; /* of two in one cell the later one's look counts */
};
void chart_draw(struct ui *ui, struct area a, const struct chart *c);

#endif
