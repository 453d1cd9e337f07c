/*
 * experiment.c: the experiments for one diagnosis, and the chosen one as it goes: the hops with the
 * reset among them, the rungs of silence filling, the cliff of sizes, the numbers of a ramp.
 */
#include "ui/chart.h"
#include "ui/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LIST_WIDTH 36

struct experiment_view {
    uint64_t incident;
    struct cursor_pos at; /* of the list */
    int rows, top;        /* top: of the shots */
    bool chosen;          /* by the person; else what runs is followed */
    struct area list;
};

static int experiment_open(struct ui *ui, void *state, const struct place *at)
{
    struct experiment_view *v = state;

    (void)ui;
    *v = (struct experiment_view){.incident = at->incident};
    if (at->test) {
        v->chosen = true;
        for (size_t i = 0; i < experiment_count(); i++)
            if (strcmp(experiment_at(i)->id, at->test) == 0)
                v->at.sel = (int)i;
    }
    return 0;
}

static void experiment_close(struct ui *ui, void *state)
{
    (void)ui;
    (void)state;
}

/* The newest record of that experiment for the same target and failure; NULL. */
static const struct experiment_record *record_of(const struct session *s, const struct incident *in,
                                                 const char *id)
{
    for (size_t i = s->nexperiments; i-- > 0;) {
        const struct experiment_record *e = &s->experiments[i];
        if (strcmp(e->experiment, id) == 0 &&
            (e->incident == in->id || (!e->incident && e->target == in->target)))
            return e;
    }
    return NULL;
}

static void follow(struct ui *ui, struct experiment_view *v, const struct incident *in)
{
    for (size_t i = 0; !v->chosen && i < experiment_count(); i++) {
        const struct experiment_record *e = record_of(ui->s, in, experiment_at(i)->id);
        if (e && e->outcome == EXP_RUNNING)
            v->at.sel = (int)i;
    }
}

static const char *state_word(const struct experiment_record *e, enum look *look)
{
    *look = LOOK_DIM;
    if (!e)
        return "";
    switch (e->outcome) {
    case EXP_RUNNING: *look = LOOK_NOTE; return e->paused ? _("paused") : _("running");
    case EXP_SEPARATED: *look = LOOK_GOOD; return _("told apart");
    case EXP_CANCELLED: return _("cancelled");
    case EXP_INCONCLUSIVE: break;
    }
    return _("inconclusive");
}

static void draw_list(struct ui *ui, struct experiment_view *v, const struct incident *in,
                      struct area frame)
{
    struct area a = frame_draw(frame, _("Experiments"), true);

    v->list = a;
    v->rows = MAX_OF(a.h, 1);
    cursor_clamp(&v->at, (int)experiment_count(), v->rows);
    for (int y = 0; y < a.h && v->at.top + y < (int)experiment_count(); y++) {
        const struct experiment *x = experiment_at((size_t)(v->at.top + y));
        const struct test *t = experiment_test(x);
        enum look look;
        const char *word = state_word(record_of(ui->s, in, x->id), &look);
        int w = text_columns(word);
        area_put(a, 1, y, a.w - w - 3, LOOK_NORMAL, t ? _(t->title) : x->id);
        area_put_right(a, a.w - w - 1, y, w, look, word);
        if (v->at.top + y == v->at.sel)
            area_select(a, y);
    }
}

/* ---- the shots ---- */

static enum look end_look(const struct experiment_row *r)
{
    switch (r->end) {
    case SHOT_OK: return LOOK_GOOD;
    case SHOT_RESET:
    case SHOT_REFUSED: return LOOK_RESET;
    case SHOT_FIN:
    case SHOT_TIMEOUT:
    case SHOT_ALERT: return LOOK_WARN;
    default: return LOOK_DIM;
    }
}

static void took_text(char *out, const struct experiment_row *r)
{
    if (r->began != NSTIME_NONE && r->ended != NSTIME_NONE && r->ended >= r->began)
        span_text(out, r->ended - r->began);
    else
        out[0] = '\0';
}

static int draw_rows_list(const struct experiment_record *e, struct area a, int top)
{
    for (int y = 0; y < a.h && (size_t)(top + y) < e->nrows; y++) {
        const struct experiment_row *r = &e->rows[top + y];
        char took[TIME_TEXT_MAX];
        took_text(took, r);
        area_put(a, 1, y, 25, r->control ? LOOK_DIM : LOOK_NORMAL, _(r->label));
        area_put(a, 27, y, 13, end_look(r), _(shot_end_title(r->end)));
        area_put(a, 41, y, 10, LOOK_DIM, took);
        area_put(a, 52, y, a.w - 53, LOOK_DIM, r->note);
    }
    return (int)e->nrows;
}

struct hop {
    const struct experiment_row *route, *bad, *control;
};

static int hops_of(const struct experiment_record *e, struct hop *hops, int max)
{
    int last = 0;

    memset(hops, 0, (size_t)max * sizeof(*hops));
    for (size_t i = 0; i < e->nrows; i++) {
        const struct experiment_row *r = &e->rows[i];
        int k = (int)r->x;
        if (k < 1 || k >= max)
            continue;
        if (!r->control)
            hops[k].bad = r;
        else if (!hops[k].route)
            hops[k].route = r;
        else
            hops[k].control = r;
        if (r->end == SHOT_OK || r->end == SHOT_REFUSED)
            last = last && last < k ? last : k;
        else if (!last || !hops[last].route || hops[last].route->end != SHOT_OK)
            last = MAX_OF(last, k);
    }
    return last;
}

static const char *hop_word(const struct experiment_row *r)
{
    if (!r)
        return "";
    if (r->end == SHOT_OPEN)
        return _("on its way");
    if (r->icmp && r->end != SHOT_RESET)
        return _("expired there");
    return _(shot_end_title(r->end));
}

static int draw_hops(struct ui *ui, const struct experiment_record *e, struct area a, int top)
{
    struct hop hops[65];
    int n = hops_of(e, hops, 64);

    area_put(a, 1, 0, 20, LOOK_HEAD, _("hop"));
    area_put(a, 28, 0, 16, LOOK_HEAD, _("what is reset"));
    area_put(a, 46, 0, a.w - 47, LOOK_HEAD, _("the harmless one"));
    for (int y = 1; y < a.h && top + y <= n; y++) {
        const struct hop *h = &hops[top + y];
        const char *who = h->route && h->route->note[0]               ? h->route->note
                          : h->route && h->route->end == SHOT_OK      ? _("the server")
                          : h->route && h->route->end == SHOT_REFUSED ? _("the server")
                                                                      : "*";
        bool reset = h->bad && (h->bad->end == SHOT_RESET || h->bad->end == SHOT_REFUSED);
        bool going = h->bad && h->bad->end == SHOT_OPEN;
        area_putf(a, 1, y, 23, reset ? LOOK_STRONG : LOOK_NORMAL, "%2d %s %s", top + y,
                  mark(ui, "─┤", "-|"), who);
        area_put(a, 25, y, 2, reset ? LOOK_RESET : LOOK_NOTE,
                 reset   ? mark(ui, "◀─", "<-")
                 : going ? mark(ui, "─▶", "->")
                         : "");
        area_put(a, 28, y, 16, h->bad ? end_look(h->bad) : LOOK_DIM, hop_word(h->bad));
        area_put(a, 46, y, a.w - 47, LOOK_DIM, hop_word(h->control));
    }
    return n;
}

/* Rows by what was varied, smallest first; indices into e->rows. */
static size_t by_x(const struct experiment_record *e, size_t *order, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < e->nrows && n < max; i++) {
        size_t at = n++;
        for (; at > 0 && e->rows[order[at - 1]].x > e->rows[i].x; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return n;
}

/* How much of the silence has passed, or of the largest size this one is. */
static double filled(const struct session *s, const struct experiment_record *e,
                     const struct experiment_row *r, double most, bool time)
{
    (void)s;
    if (!time)
        return most > 0 ? r->x / most : 0;
    if (r->began == NSTIME_NONE || r->x <= 0)
        return 0;
    nstime now = r->ended != NSTIME_NONE ? r->ended : e->span;
    return fmin((double)(now - r->began) / NS_PER_SEC / r->x, 1);
}

static int draw_bars(struct ui *ui, const struct experiment_record *e, struct area a, int top,
                     bool time)
{
    size_t order[EXPERIMENT_ROWS], n = by_x(e, order, EXPERIMENT_ROWS);
    double most = n ? e->rows[order[n - 1]].x : 0;
    int width = MAX_OF(MIN_OF(a.w - (a.w >= 64 ? 44 : 28), 60), 5);

    for (int y = 0; y < a.h && (size_t)(top + y) < n; y++) {
        const struct experiment_row *r = &e->rows[order[top + y]];
        char bar[200], what[TIME_TEXT_MAX + 16];
        if (time)
            span_text(what, (nstime)(r->x * NS_PER_SEC));
        else
            count_text(what, sizeof(what), (uint64_t)r->x);
        bar_text(bar, sizeof(bar), filled(ui->s, e, r, most, time), width, ui->ascii);
        area_put_right(a, 1, y, 10, LOOK_NORMAL, what);
        area_put(a, 13, y, width, LOOK_GAUGE, bar);
        area_put(a, 14 + width, y, 13, end_look(r), _(shot_end_title(r->end)));
        area_put(a, 28 + width, y, a.w - 29 - width, LOOK_DIM, r->control ? _(r->label) : "");
    }
    return (int)n;
}

/* One line a number of connections: a mark for each, by how long its handshake took. */
static int draw_scatter(struct ui *ui, const struct experiment_record *e, struct area a, int top)
{
    size_t order[EXPERIMENT_ROWS], n = by_x(e, order, EXPERIMENT_ROWS);
    int y = -1, x = 0;
    double at = -1;

    area_put(a, 1, 0, a.w - 2, LOOK_DIM,
             ui->ascii ? _(". at once   1 3 7 seconds: a SYN was lost   x cut")
                       : _("· at once   1 3 7 seconds: a SYN was lost   × cut"));
    for (size_t i = 0; i < n; i++) {
        const struct experiment_row *r = &e->rows[order[i]];
        if (r->x != at) {
            at = r->x;
            x = 8;
            y++;
            if (y >= top)
                area_putf(a, 1, 1 + y - top, 6, LOOK_NORMAL, "%5.0f", at);
        }
        double s = r->connected == NSTIME_NONE ? 0 : (double)r->connected / NS_PER_SEC;
        bool cut = r->end != SHOT_OK && r->end != SHOT_OPEN;
        const char *m = cut      ? mark(ui, "×", "x")
                        : s > 6  ? "7"
                        : s > 2  ? "3"
                        : s > .9 ? "1"
                                 : mark(ui, "·", ".");
        if (y >= top)
            area_put(a, x, 1 + y - top, 1, cut ? LOOK_RESET : s > .9 ? LOOK_WARN : LOOK_GOOD, m);
        x++;
    }
    return y + 1;
}

#define CHART_LEAST 14 /* rows that a picture above the list needs */

static void end_chart(struct ui *ui, struct area a, const struct chart *c, int *used)
{
    *used = MIN_OF(a.h / 2, 16);
    chart_draw(ui, area_sub(a, 0, 0, a.w, *used - 1), c);
}

/* Numbers at once against how long each handshake took: a lost SYN stands out a second higher. */
static int ramp_chart(struct ui *ui, const struct experiment_record *e, struct area a)
{
    double x[2][EXPERIMENT_ROWS], y[2][EXPERIMENT_ROWS];
    size_t n[2] = {0, 0};
    int used = 0;

    if (a.h < CHART_LEAST || a.w < 30)
        return 0;
    for (size_t i = 0; i < e->nrows; i++) {
        const struct experiment_row *r = &e->rows[i];
        int cut = r->end != SHOT_OK && r->end != SHOT_OPEN;
        if (r->end == SHOT_OPEN)
            continue;
        x[cut][n[cut]] = r->x;
        y[cut][n[cut]++] = r->connected == NSTIME_NONE ? 0 : (double)r->connected / NS_PER_SEC;
    }
    const struct chart_series series[] = {
        {x[0], y[0], n[0], CHART_DOTS, LOOK_GOOD, NULL, NULL},
        {x[1], y[1], n[1], CHART_DOTS, LOOK_RESET, "×", "x"},
    };
    struct chart c = {.x_text = chart_count,
                      .y_text = chart_span,
                      .nothing = _("no connection has ended yet"),
                      .series = series,
                      .nseries = ARRAY_SIZE(series)};
    c.y = (struct plot_scale){.min = 0, .max = 1, .set = true};
    plot_fit(&c.y, y[0], n[0]);
    end_chart(ui, a, &c, &used);
    return used;
}

/* What passed stands high, what did not low: between the two the cliff. */
static int cliff_chart(struct ui *ui, const struct experiment_record *e, struct area a)
{
    double x[2][EXPERIMENT_ROWS], y[2][EXPERIMENT_ROWS];
    size_t n[2] = {0, 0};
    int used = 0;

    if (a.h < CHART_LEAST || a.w < 30)
        return 0;
    for (size_t i = 0; i < e->nrows; i++) {
        const struct experiment_row *r = &e->rows[i];
        int cut = r->end != SHOT_OK;
        if (r->end == SHOT_OPEN || r->x <= 0)
            continue;
        x[cut][n[cut]] = r->x;
        y[cut][n[cut]++] = cut ? 0 : 1;
    }
    const struct chart_series series[] = {
        {x[0], y[0], n[0], CHART_DOTS, LOOK_GOOD, "●", "o"},
        {x[1], y[1], n[1], CHART_DOTS, LOOK_RESET, "×", "x"},
    };
    struct chart c = {.x_text = chart_count,
                      .nothing = _("no connection has ended yet"),
                      .series = series,
                      .nseries = ARRAY_SIZE(series)};
    c.y = (struct plot_scale){.min = -.5, .max = 1.5, .set = true};
    used = MIN_OF(a.h / 3, 7);
    chart_draw(ui, area_sub(a, 0, 0, a.w, used - 1), &c);
    return used;
}

static struct area below(struct area a, int used)
{
    return area_sub(a, 0, used, a.w, a.h - used);
}

static int draw_shots(struct ui *ui, const struct experiment *x, const struct experiment_record *e,
                      struct area a, int top)
{
    switch (x->view) {
    case LIVE_HOPS: return draw_hops(ui, e, a, top);
    case LIVE_RUNGS: return draw_bars(ui, e, a, top, true);
    case LIVE_CLIFF: return draw_bars(ui, e, below(a, cliff_chart(ui, e, a)), top, false);
    case LIVE_SCATTER: return draw_scatter(ui, e, below(a, ramp_chart(ui, e, a)), top);
    case LIVE_LIST: break;
    }
    return draw_rows_list(e, a, top);
}

/* ---- around them ---- */

static int draw_about(const struct test *t, struct area a)
{
    struct lines l = {0};
    struct cursor_pos top = {0};
    char text[200];

    lines_add(&l, a.w - 2, LOOK_NORMAL, 0, 0, 0, -1, _(t->about));
    snprintf(text, sizeof(text), _("about %d connections, %d packets, %d s%s"), t->connections,
             t->packets, t->seconds, t->needs_consent ? _("; it asks first") : "");
    lines_add(&l, a.w - 2, LOOK_DIM, 0, 0, 0, -1, text);
    for (size_t i = 0; i < test_outcomes(t); i++) {
        snprintf(text, sizeof(text), "- %s", _(t->outcomes[i].reading));
        lines_add(&l, a.w - 2, LOOK_DIM, 0, 2, 0, -1, text);
    }
    lines_draw(&l, area_sub(a, 1, 0, a.w - 2, a.h), &top, false);
    int n = MIN_OF((int)l.nr, a.h);
    lines_release(&l);
    return n;
}

static void draw_found(const struct experiment_record *e, struct area a)
{
    struct lines l = {0};
    struct cursor_pos top = {0};
    struct strbuf sb = STRBUF_INIT;

    if (e->why[0])
        lines_add(&l, a.w - 2, LOOK_NOTE, 0, 0, 0, -1, _(e->why));
    for (size_t i = 0; i < e->facts.nr; i++) {
        fact_text(&sb, &e->facts.items[i], tr_locale);
        lines_add(&l, a.w - 2, LOOK_STRONG, 0, 2, 0, -1, sb.buf);
        strbuf_reset(&sb);
    }
    lines_draw(&l, area_sub(a, 1, 0, a.w - 2, a.h), &top, false);
    lines_release(&l);
    strbuf_release(&sb);
}

static void draw_state(struct ui *ui, const struct experiment_record *e, struct area a)
{
    char span[TIME_TEXT_MAX], clock[TIME_TEXT_MAX];
    enum look look;
    const char *word = state_word(e, &look);
    int x = 1 + area_put(a, 1, 0, -1, look, word) + 2;

    (void)ui;
    x += area_putf(a, x, 0, a.w - x, LOOK_DIM, _("%u connections, %u packets, %s"), e->connections,
                   e->packets, span_text(span, e->span));
    if (e->outcome == EXP_RUNNING && e->eta != NSTIME_NONE)
        area_putf(a, 1, 1, a.w - 2, LOOK_DIM, _("until %s at the latest"),
                  time_clock(clock, e->eta, 0, false));
}

static void draw_right(struct ui *ui, struct experiment_view *v, const struct incident *in,
                       struct area frame)
{
    const struct experiment *x = experiment_at((size_t)v->at.sel);
    const struct test *t = x ? experiment_test(x) : NULL;
    const struct experiment_record *e = x ? record_of(ui->s, in, x->id) : NULL;
    struct area a = frame_draw(frame, t ? _(t->title) : "", false);

    if (!t || a.h < 3)
        return;
    if (!e) {
        int y = draw_about(t, a);
        if (y + 1 < a.h)
            area_put(a, 1, y + 1, a.w - 2, LOOK_NOTE, _("Enter runs it"));
        return;
    }
    int found = e->outcome == EXP_RUNNING ? 0 : MIN_OF((int)e->facts.nr + 2, a.h / 2);
    draw_state(ui, e, area_sub(a, 0, 0, a.w, 2));
    struct area shots = area_sub(a, 0, 2, a.w, a.h - 2 - found);
    if (e->outcome == EXP_RUNNING && x->view == LIVE_LIST) /* the newest ones */
        v->top = MAX_OF((int)e->nrows - shots.h, 0);
    int n = draw_shots(ui, x, e, shots, v->top);
    v->top = MAX_OF(MIN_OF(v->top, n - shots.h), 0);
    if (found)
        draw_found(e, area_sub(a, 0, a.h - found, a.w, found));
}

static void experiment_draw(struct ui *ui, void *state, struct area a)
{
    struct experiment_view *v = state;
    const struct incident *in = session_incident(ui->s, v->incident);
    struct strbuf sb = STRBUF_INIT;

    if (!in) {
        area_put(a, 1, 0, -1, LOOK_WARN, _("this incident is not kept any more"));
        return;
    }
    follow(ui, v, in);
    incident_line(&sb, ui->s, in, tr_locale);
    area_put(a, 1, 0, a.w - 2, LOOK_STRONG, sb.buf);
    strbuf_reset(&sb);
    judgement_headline(&sb, &in->judgement, tr_locale);
    area_put(a, 1, 1, a.w - 2, LOOK_NORMAL, sb.buf);
    strbuf_release(&sb);
    struct area body = area_sub(a, 0, 2, a.w, a.h - 2);
    int left = a.w >= 70 ? MIN_OF(LIST_WIDTH, a.w / 2) : 0;
    if (left)
        draw_list(ui, v, in, area_sub(body, 0, 0, left, body.h));
    draw_right(ui, v, in,
               area_sub(body, left ? left - 1 : 0, 0, body.w - left + (left > 0), body.h));
}

/* ---- actions ---- */

static void start(struct ui *ui, uint64_t incident, const char *id, bool consent)
{
    char err[200] = "";

    if (!ui->act.experiment)
        return;
    if (ui->act.experiment(ui->act.arg, incident, id, consent, err, sizeof(err)))
        ui_note(ui, LOOK_WARN, "%s", err);
}

static void on_consent(struct ui *ui, bool ok)
{
    if (ok)
        start(ui, ui->asked_incident, ui->asked_test, true);
}

void ui_run_test(struct ui *ui, uint64_t incident, const char *id)
{
    const struct test *t = test_by_id(id);

    if (!t || !t->needs_consent) {
        start(ui, incident, id, false);
        return;
    }
    ui->asked_incident = incident;
    ui->asked_test = id;
    int most = (int)experiment_most(t, &ui->s->settings);
    snprintf(ui->asked, sizeof(ui->asked), _("%s: up to %d connections, about %d packets. Really?"),
             _(t->title), most, most * t->packets / MAX_OF(t->connections, 1));
    ui_ask(ui, ui->asked, on_consent);
}

void ui_prove(struct ui *ui, uint64_t incident)
{
    char err[200] = "";

    if (!ui->act.prove)
        return;
    if (ui->act.prove(ui->act.arg, incident, err, sizeof(err)))
        ui_note(ui, LOOK_WARN, "%s", err);
}

static bool running(const struct session *s)
{
    for (size_t i = 0; i < s->nexperiments; i++)
        if (s->experiments[i].outcome == EXP_RUNNING)
            return true;
    return false;
}

static bool paused(const struct session *s)
{
    for (size_t i = 0; i < s->nexperiments; i++)
        if (s->experiments[i].outcome == EXP_RUNNING && s->experiments[i].paused)
            return true;
    return false;
}

static bool experiment_action(struct ui *ui, void *state, enum action a)
{
    struct experiment_view *v = state;

    if (cursor_move(&v->at, a, (int)experiment_count(), v->rows)) {
        v->chosen = true;
        v->top = 0;
        return true;
    }
    switch (a) {
    case ACTION_OPEN:
        v->chosen = true;
        ui_run_test(ui, v->incident, experiment_at((size_t)v->at.sel)->id);
        return true;
    case ACTION_RUN_SAFE:
        v->chosen = false;
        start(ui, v->incident, NULL, false);
        return true;
    case ACTION_BACK:
        if (!running(ui->s) || !ui->act.experiment_cancel)
            return false;
        ui->act.experiment_cancel(ui->act.arg);
        ui_note(ui, LOOK_NOTE, "%s", _("cancelled: no connection of it is left"));
        return true;
    case ACTION_PAUSE:
        if (!running(ui->s) || !ui->act.experiment_pause)
            return false;
        ui->act.experiment_pause(ui->act.arg, !paused(ui->s));
        return true;
    case ACTION_PROVE: ui_prove(ui, v->incident); return true;
    case ACTION_DIAGNOSE: ui_open_incident(ui, v->incident); return true;
    default: return false;
    }
}

static bool experiment_click(struct ui *ui, void *state, int x, int y)
{
    struct experiment_view *v = state;

    (void)ui;
    if (x < v->list.x || x >= v->list.x + v->list.w || y + 1 < v->list.y)
        return false;
    v->at.sel = v->at.top + (y + 1 - v->list.y);
    v->chosen = true;
    cursor_clamp(&v->at, (int)experiment_count(), v->rows);
    return true;
}

void ui_open_experiment(struct ui *ui, uint64_t incident, const char *test)
{
    struct place at = {.incident = incident, .test = test};

    if (!session_incident(ui->s, incident))
        ui_note(ui, LOOK_NOTE, "%s", _("nothing ended badly here: there is nothing to find out"));
    else
        ui_open(ui, &experiment_screen, &at);
}

const struct screen experiment_screen = {
    .name = "experiment",
    .title = N_("Experiments"),
    .context = IN_EXPERIMENT,
    .state_size = sizeof(struct experiment_view),
    .open = experiment_open,
    .draw = experiment_draw,
    .action = experiment_action,
    .click = experiment_click,
    .close = experiment_close,
};
