/*
 * diagnosis.c: who sent the reset, why, how sure that is, and what to do.
 */
#include "ui/diagnosis.h"

#include <stdio.h>
#include <string.h>

#define THREE_COLUMNS 120

static const char *const titles[DIAG_PANES] = {N_("Checklist"), N_("Causes"), N_("What to do")};

static int diagnosis_open(struct ui *ui, void *state, const struct place *at)
{
    struct diagnosis *d = state;

    (void)ui;
    d->incident = at->incident;
    d->step = -1;
    d->focus = DIAG_CAUSES;
    return 0;
}

static void diagnosis_close(struct ui *ui, void *state)
{
    struct diagnosis *d = state;

    (void)ui;
    lines_release(&d->causes);
    lines_release(&d->step_lines);
    lines_release(&d->advice);
}

static int suspect(const struct checklist *c)
{
    for (size_t k = 0; k < c->nr; k++)
        if (c->items[k].state == STEP_SUSPECT)
            return (int)k;
    return 0;
}

/* Until the person moves, the current step is the one that would tell the most. */
static void follow_step(struct diagnosis *d, const struct incident *i)
{
    if (d->step >= (int)i->checklist.nr)
        d->step = (int)i->checklist.nr - 1;
    if (!d->step_chosen && i->checklist.next >= 0)
        d->step = i->checklist.next;
    if (!d->step_chosen && i->checklist.next < 0)
        d->step = suspect(&i->checklist); /* nothing is to be asked: what it was */
    if (d->step < 0 && i->checklist.nr)
        d->step = 0;
}

/* ---- drawing ---- */

/* How far the checklist is, and what experiments have spent of what they may. */
static void draw_progress(struct ui *ui, const struct incident *i, struct area a)
{
    const struct session *s = ui->s;
    const struct settings *st = &s->settings;
    unsigned spent = 0, most = st->budget_connections ? st->budget_connections : 40;
    size_t done = 0;
    char text[120], more[80] = "";

    for (size_t k = 0; k < i->checklist.nr; k++)
        done += i->checklist.items[k].state != STEP_UNKNOWN;
    for (size_t k = 0; k < s->nexperiments; k++)
        if (s->experiments[k].incident == i->id)
            spent += s->experiments[k].connections;
    snprintf(text, sizeof(text), _("%zu of %zu steps known"), done, i->checklist.nr);
    if (i->target && !st->read_file)
        snprintf(more, sizeof(more), _(", %u of %u connections spent"), spent, most);
    if (text_columns(text) + text_columns(more) > a.w)
        more[0] = '\0';
    if (text_columns(text) > a.w)
        return;
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", more);
    area_put_right(a, 0, 0, a.w, LOOK_DIM, text);
}

static void draw_head(struct ui *ui, const struct incident *i, struct area a)
{
    const struct judgement *j = &i->judgement;
    struct strbuf text = STRBUF_INIT;
    char clock[TIME_TEXT_MAX], percent[16];
    const char *word = harm_word(i);
    int x = 1, tail = text_columns(word) + 2;

    incident_line(&text, ui->s, i, tr_locale);
    x += area_put(a, x, 0, -1, LOOK_DIM, time_clock(clock, i->time, 0, false)) + 2;
    area_put(a, x, 0, a.w - x - tail, LOOK_STRONG, text.buf);
    area_put_right(a, a.w - tail, 0, tail - 1, i->harmful ? LOOK_BAD : LOOK_DIM, word);
    x = 1;
    percent_text(percent, sizeof(percent), j->sender_confidence);
    if (i->is_reset || j->sender != SENDER_UNKNOWN) {
        x += area_put(a, x, 1, -1, LOOK_DIM, _("sent by")) + 1;
        x += area_put(a, x, 1, a.w - x - 1, LOOK_STRONG, _(incident_sender(i)));
        if (j->sender != SENDER_UNKNOWN)
            x += area_putf(a, x, 1, a.w - x - 1, LOOK_NORMAL, " (%s)", percent);
        x += area_put(a, x, 1, -1, LOOK_DIM, ui->ascii ? "   " : "   ");
    }
    x += area_put(a, x, 1, a.w - x - 1, LOOK_DIM, _("retry")) + 1;
    x += area_put(a, x, 1, a.w - x - 1, LOOK_NORMAL, _(retry_title(j->retry))) + 3;
    draw_progress(ui, i, area_sub(a, x, 1, a.w - x - 1, 1));
    strbuf_release(&text);
}

static void draw_step(struct ui *ui, struct diagnosis *d, const struct incident *i)
{
    struct area in = diag_inside(d->question);
    struct cursor_pos top = {0};

    if (d->question.h < 2)
        return;
    frame_title(d->question,
                i->checklist.next < 0          ? _("No question is open")
                : d->step == i->checklist.next ? _("The next question")
                                               : _("The question"),
                NULL, false);
    diag_step(ui, d, i, in.w);
    lines_draw(&d->step_lines, in, &top, false);
    for (int y = 0; y < in.h && y < (int)d->step_lines.nr; y++)
        if (d->step_lines.v[y].item == ITEM_LABELLED && d->step_lines.v[y].indent == 0)
            area_look(area_sub(in, 0, y, LABEL_COLS, 1), 0, LOOK_HEAD);
    range_draw(d->question, 0, (int)d->step_lines.nr, in.h);
}

static void draw_advice(struct ui *ui, struct diagnosis *d, const struct incident *i)
{
    struct area frame = d->where[DIAG_ADVICE], in = diag_inside(frame);
    struct cursor_pos *at = &d->at[DIAG_ADVICE];

    diag_advice(ui, d, i, in.w);
    d->rows[DIAG_ADVICE] = MAX_OF(in.h, 1);
    lines_draw(&d->advice, in, at, d->focus == DIAG_ADVICE);
    for (int y = 0; y < in.h && at->top + y < (int)d->advice.nr; y++)
        if (d->advice.v[at->top + y].item == ITEM_LABELLED &&
            d->advice.v[at->top + y].indent == 0) /* labels step back behind what they label */
            area_look(area_sub(in, 0, y, LABEL_COLS, 1), 0, LOOK_HEAD);
    range_draw(frame, at->top, (int)d->advice.nr, in.h);
}

/* Lines first, the pane with focus last, so that shared borders show it; then what is inside. */
static void draw_panes(struct ui *ui, struct diagnosis *d, const struct incident *i)
{
    for (int n = 0; n < DIAG_PANES; n++)
        if (n != d->focus)
            frame_lines(d->where[n], false);
    frame_lines(d->question, false);
    frame_lines(d->where[d->focus], true);
    for (int n = 0; n < DIAG_PANES; n++) {
        char title[80];
        if (d->where[n].h < 2)
            continue;
        snprintf(title, sizeof(title), "%d %s", n + 1, _(titles[n]));
        frame_title(d->where[n], title, NULL, d->focus == n);
    }
    if (d->where[DIAG_CHECKLIST].h >= 2)
        diag_checklist_draw(ui, d, i, d->where[DIAG_CHECKLIST], d->focus == DIAG_CHECKLIST);
    if (d->where[DIAG_CAUSES].h >= 2)
        diag_causes_draw(ui, d, i, d->where[DIAG_CAUSES], d->focus == DIAG_CAUSES);
    if (d->where[DIAG_ADVICE].h >= 2)
        draw_advice(ui, d, i);
    draw_step(ui, d, i);
}

static void layout_wide(struct diagnosis *d, struct area a)
{
    int left = a.w >= 140 ? 38 : 34, right = MAX_OF(a.w * 2 / 5, 50);
    int bottom = MAX_OF(MIN_OF((int)d->advice.nr + 2, a.h * 2 / 5), 8);
    int top = a.h - bottom + 1;

    d->where[DIAG_CHECKLIST] = area_sub(a, 0, 0, left, top);
    d->question = area_sub(a, left - 1, 0, a.w - left - right + 2, top);
    d->where[DIAG_CAUSES] = area_sub(a, a.w - right, 0, right, top);
    d->where[DIAG_ADVICE] = area_sub(a, 0, top - 1, a.w, bottom);
}

/* Two pages: the checklist and its question; what it is and what to do. A line of tabs above. */
static void layout_narrow(struct diagnosis *d, struct area a)
{
    int x = 1;

    for (int n = 0; n < DIAG_PANES; n++) {
        char text[80];
        snprintf(text, sizeof(text), "%d %s", n + 1, _(titles[n]));
        x += area_put(a, x, 0, -1, n == d->focus ? LOOK_FOCUS : LOOK_DIM, text) + 3;
    }
    a = area_sub(a, 0, 1, a.w, a.h - 1);
    if (d->focus == DIAG_CHECKLIST && a.w >= 70) {
        d->where[DIAG_CHECKLIST] = area_sub(a, 0, 0, 36, a.h);
        d->question = area_sub(a, 35, 0, a.w - 35, a.h);
    } else if (d->focus == DIAG_CHECKLIST) {
        d->where[DIAG_CHECKLIST] = area_sub(a, 0, 0, a.w, a.h / 2);
        d->question = area_sub(a, 0, a.h / 2 - 1, a.w, a.h - a.h / 2 + 1);
    } else if (a.h < 12) {
        d->where[d->focus] = a;
    } else {
        int bottom = MAX_OF(a.h * 9 / 20, 5);
        d->where[DIAG_CAUSES] = area_sub(a, 0, 0, a.w, a.h - bottom + 1);
        d->where[DIAG_ADVICE] = area_sub(a, 0, a.h - bottom, a.w, bottom);
    }
}

static void diagnosis_draw(struct ui *ui, void *state, struct area a)
{
    struct diagnosis *d = state;
    const struct incident *i = session_incident(ui->s, d->incident);

    if (!i) {
        area_put(a, 1, 0, -1, LOOK_WARN, _("this incident is not kept any more"));
        return;
    }
    follow_step(d, i);
    for (int n = 0; n < DIAG_PANES; n++)
        d->where[n] = area_sub(a, 0, 0, 0, 0);
    d->question = area_sub(a, 0, 0, 0, 0);
    draw_head(ui, i, area_sub(a, 0, 0, a.w, 2));
    struct area body = area_sub(a, 0, 2, a.w, a.h - 2);
    diag_advice(ui, d, i, MAX_OF(body.w - 4, 20)); /* how long it is decides the layout */
    if (d->zoom && d->focus != DIAG_CHECKLIST)
        d->where[d->focus] = body;
    else if (body.w >= THREE_COLUMNS && body.h >= 20 && !d->zoom)
        layout_wide(d, body);
    else
        layout_narrow(d, body);
    draw_panes(ui, d, i);
}

/* ---- actions ---- */

static void go_step(struct diagnosis *d, const struct incident *i, int step)
{
    d->step = MAX_OF(MIN_OF(step, (int)i->checklist.nr - 1), 0);
    d->step_chosen = true;
}

/* The most informative open step; if the person does not know that one, the next open one. */
static void next_step(struct ui *ui, struct diagnosis *d)
{
    const struct incident *i = session_incident(ui->s, d->incident);
    int n = i ? (int)i->checklist.nr : 0;

    if (!i)
        return;
    if (i->checklist.next >= 0 && i->checklist.next < n &&
        !diag_does_not_know(d, i->checklist.items[i->checklist.next].step)) {
        go_step(d, i, i->checklist.next);
        return;
    }
    for (int k = 1; k <= n; k++) {
        int at = (d->step + k) % n;
        const struct checklist_item *item = &i->checklist.items[at];
        if (item->state == STEP_UNKNOWN && item->step->answer != FACT_NOTHING &&
            !diag_does_not_know(d, item->step)) {
            go_step(d, i, at);
            return;
        }
    }
    ui_note(ui, LOOK_NOTE, "%s", _("no open question would tell more"));
}

static void answer(struct ui *ui, struct diagnosis *d, const struct incident *i, enum action a)
{
    const struct step *step;

    if (d->step < 0 || d->step >= (int)i->checklist.nr)
        return;
    step = i->checklist.items[d->step].step;
    if (a == ACTION_SKIP) {
        ui->answered = true;
        if (ui->act.skip)
            ui->act.skip(ui->act.arg, i->id, step->id);
        ui_note(ui, LOOK_NORMAL, _("set aside: %s"), _(step->question));
    } else if (step->answer == FACT_NOTHING) {
        ui_note(ui, LOOK_NOTE, "%s", _("packets and probes answer this question, not a person"));
        return;
    } else if (a == ACTION_DONT_KNOW) {
        if (!diag_does_not_know(d, step) && d->nunknown < UNKNOWN_MAX)
            d->unknown[d->nunknown++] = step;
        ui_note(ui, LOOK_NORMAL, _("not known: %s"), _(step->question));
    } else {
        ui->answered = true;
        if (ui->act.answer)
            ui->act.answer(ui->act.arg, i->id, step->id, a == ACTION_YES);
        ui_note(ui, LOOK_NORMAL, a == ACTION_YES ? _("yes: %s") : _("no: %s"), _(step->question));
    }
    next_step(ui, d);
}

static void undo(struct ui *ui, struct diagnosis *d, const struct incident *i)
{
    if (d->nunknown && d->step >= 0 && d->step < (int)i->checklist.nr &&
        diag_does_not_know(d, i->checklist.items[d->step].step)) {
        d->nunknown--;
        return;
    }
    ui->answered = true;
    if (ui->act.undo)
        ui->act.undo(ui->act.arg, i->id);
    ui_note(ui, LOOK_NORMAL, "%s", _("the last answer is taken back"));
}

static void other_incident(struct ui *ui, struct diagnosis *d, int step)
{
    const struct session *s = ui->s;
    struct place at = {0};

    for (uint64_t id = d->incident + (uint64_t)step; id >= 1 && id <= s->nincidents;
         id += (uint64_t)step) {
        const struct incident *i = session_incident(s, id);
        if (!i || i->repeat || !filter_box_incident(&ui->filter, s, i))
            continue;
        at.incident = id;
        diagnosis_close(ui, d);
        memset(d, 0, sizeof(*d));
        diagnosis_open(ui, d, &at);
        return;
    }
    ui_note(ui, LOOK_DIM, "%s", step > 0 ? _("this is the newest") : _("this is the oldest"));
}

static void run_step_test(struct ui *ui, const struct diagnosis *d, const struct incident *i)
{
    const char *test = d->step >= 0 && d->step < (int)i->checklist.nr
                           ? i->checklist.items[d->step].step->test
                           : NULL;

    if (!experiment_by_id(test)) {
        ui_note(ui, LOOK_NOTE, "%s", _("no experiment answers this question; e shows them all"));
        return;
    }
    ui_open_experiment(ui, i->id, test);
    ui_run_test(ui, i->id, test);
}

static void open_line(struct ui *ui, struct diagnosis *d)
{
    const struct line *line;
    struct cursor_pos *at = &d->at[d->focus];
    const struct lines *l = d->focus == DIAG_ADVICE ? &d->advice : &d->causes;

    if (d->focus == DIAG_CHECKLIST) {
        const struct incident *i = session_incident(ui->s, d->incident);
        for (int k = 0; i && d->step >= 0 && k < STEP_KINDS; k++) {
            const struct fact *f =
                facts_get(&i->judgement.facts, i->checklist.items[d->step].facts[k]);
            if (f && f->packet) {
                ui_open_packet(ui, f->packet);
                return;
            }
        }
        if (i && d->step >= 0 && experiment_by_id(i->checklist.items[d->step].step->test)) {
            run_step_test(ui, d, i);
            return;
        }
        ui_note(ui, LOOK_NOTE, "%s",
                _("no packet stands for this step; y, n, i, s or F5 answer it"));
        return;
    }
    if (at->sel >= (int)l->nr)
        return;
    line = &l->v[at->sel];
    if (line->packet)
        ui_open_packet(ui, line->packet);
    else if (d->focus != DIAG_CAUSES)
        return;
    else if (line->item == 0)
        d->closed[0] = !d->closed[0];
    else if (line->item > 0 && line->item < VERDICTS_OPEN)
        d->opened[line->item] = !d->opened[line->item];
    else if (line->item == ITEM_RULED_OUT)
        d->ruled_out_open = !d->ruled_out_open;
}

static void open_flow(struct ui *ui, const struct incident *i)
{
    const struct flow *f = NULL;

    if (i->reset) {
        ui_open_flow(ui, i->reset->flow, 0);
        return;
    }
    if (i->flow_known)
        f = flow_table_find(ui->s->flows, &i->flow, i->time, 5 * NS_PER_SEC);
    ui_open_flow(ui, f ? flow_id(f) : 0, 0);
}

static bool move(struct diagnosis *d, const struct incident *i, enum action a)
{
    if (d->focus == DIAG_CHECKLIST) {
        struct cursor_pos c = {.sel = d->step};
        if (!cursor_move(&c, a, (int)i->checklist.nr, d->rows[DIAG_CHECKLIST]))
            return false;
        go_step(d, i, c.sel);
        return true;
    }
    return cursor_move(&d->at[d->focus], a,
                       (int)(d->focus == DIAG_ADVICE ? d->advice.nr : d->causes.nr),
                       d->rows[d->focus]);
}

static bool diagnosis_action(struct ui *ui, void *state, enum action a)
{
    struct diagnosis *d = state;
    const struct incident *i = session_incident(ui->s, d->incident);

    if (!i)
        return false;
    if (move(d, i, a))
        return true;
    switch (a) {
    case ACTION_NEXT_PANE: d->focus = (d->focus + 1) % DIAG_PANES; return true;
    case ACTION_PREVIOUS_PANE: d->focus = (d->focus + DIAG_PANES - 1) % DIAG_PANES; return true;
    case ACTION_TAB_1:
    case ACTION_TAB_2:
    case ACTION_TAB_3: d->focus = (int)(a - ACTION_TAB_1); return true;
    case ACTION_ZOOM: d->zoom = !d->zoom; return true;
    case ACTION_YES:
    case ACTION_NO:
    case ACTION_DONT_KNOW:
    case ACTION_SKIP:
        /* The question must be in sight when it is answered: the first key shows it. */
        if (d->focus != DIAG_CHECKLIST && ui->canvas.cols < THREE_COLUMNS) {
            d->focus = DIAG_CHECKLIST;
            ui_note(ui, LOOK_NOTE, "%s", _("this is the question; press the key again"));
            return true;
        }
        answer(ui, d, i, a);
        return true;
    case ACTION_UNDO: undo(ui, d, i); return true;
    case ACTION_NEXT_STEP:
        next_step(ui, d);
        if (ui->canvas.cols < THREE_COLUMNS)
            d->focus = DIAG_CHECKLIST;
        return true;
    case ACTION_EXPERIMENT: ui_open_experiment(ui, i->id, NULL); return true;
    case ACTION_PROVE:
        ui_open_experiment(ui, i->id, "repeat");
        ui_prove(ui, i->id);
        return true;
    case ACTION_RUN_TEST: run_step_test(ui, d, i); return true;
    case ACTION_RUN_SAFE:
        ui_open_experiment(ui, i->id, NULL);
        ui_run_test(ui, i->id, NULL);
        return true;
    case ACTION_NEXT_INCIDENT: other_incident(ui, d, 1); return true;
    case ACTION_PREVIOUS_INCIDENT: other_incident(ui, d, -1); return true;
    case ACTION_OPEN: open_line(ui, d); return true;
    case ACTION_FLOW: open_flow(ui, i); return true;
    default: return false;
    }
}

static bool diagnosis_click(struct ui *ui, void *state, int x, int y)
{
    struct diagnosis *d = state;

    (void)ui;
    for (int n = 0; n < DIAG_PANES; n++) {
        struct area a = d->where[n];
        if (x < a.x || x >= a.x + a.w || y + 1 < a.y || y + 1 >= a.y + a.h)
            continue;
        d->focus = n;
        if (n != DIAG_CHECKLIST)
            d->at[n].sel = d->at[n].top + MAX_OF(y - a.y, 0);
        return true;
    }
    return false;
}

static void diagnosis_point(struct ui *ui, void *state, int x, int y)
{
    struct diagnosis *d = state;

    (void)ui;
    for (int n = 0; n < DIAG_PANES; n++) {
        struct area a = d->where[n];
        if (x >= a.x && x < a.x + a.w && y + 1 >= a.y && y + 1 < a.y + a.h)
            d->focus = n;
    }
}

static void diagnosis_place(struct ui *ui, void *state, struct place *at)
{
    (void)ui;
    at->incident = ((const struct diagnosis *)state)->incident;
}

static void diagnosis_copy(struct ui *ui, void *state, struct strbuf *out)
{
    const struct incident *i = session_incident(ui->s, ((const struct diagnosis *)state)->incident);

    if (i)
        incident_summary(out, ui->s, i, tr_locale);
}

const struct screen diagnosis_screen = {
    .name = "diagnosis",
    .title = N_("Diagnosis"),
    .context = IN_DIAGNOSIS,
    .state_size = sizeof(struct diagnosis),
    .open = diagnosis_open,
    .draw = diagnosis_draw,
    .action = diagnosis_action,
    .click = diagnosis_click,
    .close = diagnosis_close,
    .point = diagnosis_point,
    .place = diagnosis_place,
    .copy = diagnosis_copy,
};
