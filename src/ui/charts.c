/*
 * charts.c: resets over time, how long connecting takes, and a target's rounds: to be looked at.
 */
#include "ui/chart.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINS_MAX    160
#define SAMPLES_MAX 20000

enum { CHART_RESETS, CHART_LATENCY, CHART_ROUNDS, CHART_PARTS };
static const char *const titles[CHART_PARTS] = {N_("Resets over time"), N_("Time to connect"),
                                                N_("Rounds")};

struct charts_view {
    int focus, rows;
    struct cursor_pos target; /* 0: all; else s->targets[n - 1] */
    struct area where[CHART_PARTS];
    double *x, *y, *bad_x, *bad_y; /* SAMPLES_MAX each */
};

static int charts_open(struct ui *ui, void *state, const struct place *at)
{
    struct charts_view *v = state;
    double *all = calloc(4 * (size_t)SAMPLES_MAX, sizeof(*all));

    (void)ui;
    (void)at;
    if (!all)
        return -ENOMEM;
    v->x = all;
    v->y = all + SAMPLES_MAX;
    v->bad_x = all + 2 * (size_t)SAMPLES_MAX;
    v->bad_y = all + 3 * (size_t)SAMPLES_MAX;
    return 0;
}

static void charts_close(struct ui *ui, void *state)
{
    struct charts_view *v = state;

    (void)ui;
    free(v->x);
}

static const struct target_state *chosen(const struct ui *ui, const struct charts_view *v)
{
    size_t n = (size_t)MAX_OF(v->target.sel, 0);

    return n >= 1 && n <= ui->s->ntargets ? &ui->s->targets[n - 1] : NULL;
}

/* ---- resets over time ---- */

static size_t incident_times(struct ui *ui, const struct charts_view *v, bool harmful, double *out)
{
    const struct session *s = ui->s;
    const struct target_state *t = chosen(ui, v);
    size_t n = 0;

    for (size_t i = 0; i < s->nincidents && n < SAMPLES_MAX; i++) {
        const struct incident *in = s->incidents[i];
        if (in->repeat || in->harmful != harmful || (t && in->target != t->target->id))
            continue;
        out[n++] = (double)in->time / NS_PER_SEC;
    }
    return n;
}

static void draw_resets(struct ui *ui, struct charts_view *v, struct area a)
{
    double all[BINS_MAX], bad[BINS_MAX];
    size_t nbins = (size_t)MAX_OF(MIN_OF((a.w - 8) / 3, BINS_MAX), 4);
    size_t ngood = incident_times(ui, v, false, v->x), nbad = incident_times(ui, v, true, v->bad_x);
    struct plot_scale x = {0};
    char head[120];

    if (ui->s->started != NSTIME_NONE) { /* from the beginning until now: quiet is told too */
        double ends[2] = {(double)ui->s->started / NS_PER_SEC, (double)ui_wall(ui) / NS_PER_SEC};
        plot_fit(&x, ends, 2);
    }
    plot_fit(&x, v->x, ngood);
    plot_fit(&x, v->bad_x, nbad);
    plot_bins(&x, v->x, ngood, all, nbins);
    plot_bins(&x, v->bad_x, nbad, bad, nbins);
    for (size_t i = 0; i < nbins; i++)
        all[i] += bad[i];
    snprintf(head, sizeof(head), _("%zu harmful, %zu harmless"), nbad, ngood);
    area_put(a, 0, 0, -1, LOOK_DIM, head);
    const struct chart_series series[] = {
        {.y = all, .n = nbins, .how = CHART_COLUMNS, .look = LOOK_DIM},
        {.y = bad, .n = nbins, .how = CHART_COLUMNS, .look = LOOK_BAD}};
    const struct chart c = {.x = x,
                            .x_text = chart_clock,
                            .y_text = chart_count,
                            .nothing = _("no reset so far"),
                            .series = series,
                            .nseries = ngood + nbad ? 2 : 0};
    chart_draw(ui, area_sub(a, 0, 1, a.w, a.h - 1), &c);
}

/* ---- time to connect ---- */

static size_t connect_times(struct ui *ui, const struct charts_view *v, double *out)
{
    const struct session *s = ui->s;
    const struct target_state *t = chosen(ui, v);
    size_t n = 0;

    for (uint64_t id = s->nresults; id > 0 && n < SAMPLES_MAX; id--) {
        const struct result *r = session_result_by_id(s, id);
        if (!r)
            break; /* older ones are gone */
        if (strcmp(r->probe, "tcp") != 0 || r->repeat || (t && r->target != t->target->id))
            continue;
        if (r->timings[TIMING_CONNECT] != NSTIME_NONE && r->timings[TIMING_CONNECT] > 0)
            out[n++] = (double)r->timings[TIMING_CONNECT] / NS_PER_SEC;
    }
    return n;
}

static void draw_latency(struct ui *ui, struct charts_view *v, struct area a)
{
    double bins[BINS_MAX];
    size_t n = connect_times(ui, v, v->x);
    size_t nbins = (size_t)MAX_OF(MIN_OF((a.w - 8) / 2, BINS_MAX), 4);
    struct plot_scale x = {.log = true};
    char head[200], p50[TIME_TEXT_MAX], p95[TIME_TEXT_MAX], p99[TIME_TEXT_MAX];

    plot_fit(&x, v->x, n);
    if (n && x.max < x.min * 4) { /* a narrow one is not blown up to look wide */
        x.min /= 2;
        x.max *= 2;
    }
    plot_bins(&x, v->x, n, bins, nbins);
    if (n) {
        span_text(p50, (nstime)(plot_quantile(v->x, n, .5) * NS_PER_SEC));
        span_text(p95, (nstime)(plot_quantile(v->x, n, .95) * NS_PER_SEC));
        span_text(p99, (nstime)(plot_quantile(v->x, n, .99) * NS_PER_SEC));
        snprintf(head, sizeof(head),
                 P_("%zu handshake: half in %s, 95%% in %s, 99%% in %s",
                    "%zu handshakes: half in %s, 95%% in %s, 99%% in %s", (unsigned long)n),
                 n, p50, p95, p99);
        area_put(a, 0, 0, -1, LOOK_NORMAL, head);
    }
    const struct chart_series series = {
        .y = bins, .n = nbins, .how = CHART_COLUMNS, .look = LOOK_GAUGE};
    const struct chart c = {.x = x,
                            .x_text = chart_span,
                            .y_text = chart_count,
                            .nothing = _("no connection has been made so far"),
                            .series = &series,
                            .nseries = n ? 1 : 0};
    chart_draw(ui, area_sub(a, 0, n ? 1 : 0, a.w, a.h - (n ? 1 : 0)), &c);
}

/* ---- rounds: how long each took, and which failed ---- */

static void draw_rounds(struct ui *ui, struct charts_view *v, struct area a)
{
    const struct session *s = ui->s;
    const struct target_state *t = chosen(ui, v);
    size_t good = 0, bad = 0;
    double low = INFINITY;

    for (uint64_t id = s->nresults; id > 0 && good < SAMPLES_MAX && bad < SAMPLES_MAX; id--) {
        const struct result *r = session_result_by_id(s, id);
        if (!r)
            break;
        if (r->repeat || (t && r->target != t->target->id) || r->ended < r->started)
            continue;
        double took = (double)(r->ended - r->started) / NS_PER_SEC;
        double when = (double)r->started / NS_PER_SEC;
        if (r->outcome == OUTCOME_FAILED) {
            v->bad_x[bad] = when;
            v->bad_y[bad++] = took;
        } else if (r->outcome == OUTCOME_OK) {
            v->x[good] = when;
            v->y[good++] = took;
        }
        if (took > 0)
            low = fmin(low, took);
    }
    struct plot_scale x = {0}, y = {.log = true};
    plot_fit(&x, v->x, good);
    plot_fit(&x, v->bad_x, bad);
    plot_fit(&y, v->y, good);
    plot_fit(&y, v->bad_y, bad);
    for (size_t i = 0; i < bad; i++) /* an instant failure has its place too: at the bottom */
        if (v->bad_y[i] <= 0 && isfinite(low))
            v->bad_y[i] = low;
    const struct chart_series series[] = {
        {.x = v->x, .y = v->y, .n = good, .how = CHART_DOTS, .look = LOOK_GOOD},
        {.x = v->bad_x,
         .y = v->bad_y,
         .n = bad,
         .how = CHART_DOTS,
         .look = LOOK_BAD,
         .mark = "×",
         .ascii_mark = "x"}};
    const struct chart c = {.x = x,
                            .y = y,
                            .x_text = chart_clock,
                            .y_text = chart_span,
                            .nothing = _("no target was probed so far"),
                            .series = series,
                            .nseries = good + bad ? 2 : 0};
    area_putf(a, 0, 0, -1, LOOK_DIM,
              _("each probe by when it began and how long it took; %s failed"), mark(ui, "×", "x"));
    chart_draw(ui, area_sub(a, 0, 1, a.w, a.h - 1), &c);
}

/* ---- around them ---- */

static void layout(struct charts_view *v, struct area a)
{
    for (int i = 0; i < CHART_PARTS; i++)
        v->where[i] = area_sub(a, 0, 0, 0, 0);
    if (a.w >= 110 && a.h >= 24) {
        int top = a.h / 2, w = a.w / 2;
        v->where[CHART_RESETS] = area_sub(a, 0, 0, a.w, top + 1);
        v->where[CHART_LATENCY] = area_sub(a, 0, top, w + 1, a.h - top);
        v->where[CHART_ROUNDS] = area_sub(a, w, top, a.w - w, a.h - top);
    } else if (a.h >= 18) {
        int each = a.h / CHART_PARTS;
        for (int i = 0; i < CHART_PARTS; i++)
            v->where[i] = area_sub(a, 0, i * each - (i > 0), a.w,
                                   (i == CHART_PARTS - 1 ? a.h - i * each : each) + (i > 0));
    } else {
        v->where[v->focus] = a;
    }
}

static void charts_draw(struct ui *ui, void *state, struct area a)
{
    static void (*const draw[CHART_PARTS])(struct ui * ui, struct charts_view * v,
                                           struct area a) = {draw_resets, draw_latency,
                                                             draw_rounds};
    struct charts_view *v = state;
    const struct target_state *t = chosen(ui, v);
    char title[200];

    area_put(a, 1, 0, -1, LOOK_DIM, _("of"));
    int x = 1 + text_columns(_("of")) + 1;
    x += area_put(a, x, 0, a.w / 2, LOOK_STRONG, t ? t->target->name : _("everything")) + 2;
    if (ui->s->ntargets)
        area_put(a, x, 0, -1, LOOK_DIM, _("(up and down: one target)"));
    a = area_sub(a, 0, 1, a.w, a.h - 1);
    layout(v, a);
    for (int i = 0; i < CHART_PARTS; i++)
        if (i != v->focus)
            frame_lines(v->where[i], false);
    frame_lines(v->where[v->focus], true);
    for (int i = 0; i < CHART_PARTS; i++) {
        struct area in = frame_inside(v->where[i]);
        if (in.h < 1)
            continue;
        snprintf(title, sizeof(title), "%s", _(titles[i]));
        frame_title(v->where[i], title, NULL, i == v->focus);
        draw[i](ui, v, area_sub(in, 1, 0, in.w - 2, in.h));
    }
}

static bool charts_action(struct ui *ui, void *state, enum action a)
{
    struct charts_view *v = state;

    switch (a) {
    case ACTION_NEXT_PANE: v->focus = (v->focus + 1) % CHART_PARTS; return true;
    case ACTION_PREVIOUS_PANE: v->focus = (v->focus + CHART_PARTS - 1) % CHART_PARTS; return true;
    default: return cursor_move(&v->target, a, (int)ui->s->ntargets + 1, 10);
    }
}

static void charts_point(struct ui *ui, void *state, int x, int y)
{
    struct charts_view *v = state;

    (void)ui;
    for (int i = 0; i < CHART_PARTS; i++) {
        struct area a = v->where[i];
        if (x >= a.x && x < a.x + a.w && y + 1 >= a.y && y + 1 < a.y + a.h)
            v->focus = i;
    }
}

const struct screen charts_screen = {
    .name = "charts",
    .title = N_("Charts"),
    .context = IN_CHARTS,
    .state_size = sizeof(struct charts_view),
    .open = charts_open,
    .draw = charts_draw,
    .action = charts_action,
    .close = charts_close,
    .point = charts_point,
};
