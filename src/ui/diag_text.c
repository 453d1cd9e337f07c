/*
 * diag_text.c: verdicts with their facts, the current step, the advice: as lines.
 */
#include "ui/diagnosis.h"

#include <stdio.h>
#include <string.h>

#define BAR_COLS 17 /* " ████▌  91% " and what stands beside it */

struct area diag_inside(struct area frame)
{
    struct area in = frame_inside(frame);

    return area_sub(in, 1, 0, in.w - 2, in.h);
}

bool diag_verdict_open(const struct diagnosis *d, size_t i)
{
    if (i >= VERDICTS_OPEN)
        return false;
    return i == 0 ? !d->closed[0] : d->opened[i];
}

bool diag_does_not_know(const struct diagnosis *d, const struct step *step)
{
    for (size_t i = 0; i < d->nunknown; i++)
        if (d->unknown[i] == step)
            return true;
    return false;
}

static void fact_line(struct strbuf *out, const struct facts *facts, enum fact_kind kind,
                      uint64_t *packet)
{
    const struct fact *f = facts_get(facts, kind);

    *packet = 0;
    if (!f) {
        fact_missing_text(out, kind, tr_locale);
        return;
    }
    fact_text(out, f, tr_locale);
    *packet = f->packet;
    if (f->packet)
        strbuf_addf(out, _(" [packet %llu]"), (unsigned long long)f->packet);
}

/* "for     " */
static void add_head(struct strbuf *out, const char *head)
{
    strbuf_addstr(out, head);
    strbuf_addchars(out, ' ', (size_t)MAX_OF(8 - text_columns(head), 1));
}

static void evidence(struct lines *l, int width, const struct facts *facts, const struct weighed *w,
                     size_t n, const char *head, const char *sign, enum look look, int item)
{
    struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < n; i++) {
        uint64_t packet;
        strbuf_reset(&text);
        add_head(&text, i ? "" : head);
        strbuf_addstr(&text, sign);
        strbuf_addstr(&text, w[i].strong ? sign : " ");
        strbuf_addch(&text, ' ');
        fact_line(&text, facts, w[i].kind, &packet);
        lines_add(l, width, look, 4, 11, packet, item, text.buf);
    }
    strbuf_release(&text);
}

static void missing(struct lines *l, int width, const struct verdict *v, int item)
{
    struct strbuf text = STRBUF_INIT;
    size_t shown = MIN_OF(v->nmissing, (size_t)4);

    for (size_t i = 0; i < shown; i++) {
        strbuf_reset(&text);
        add_head(&text, i ? "" : _("missing"));
        strbuf_addstr(&text, "?  ");
        fact_missing_text(&text, v->missing[i].kind, tr_locale);
        lines_add(l, width, LOOK_DIM, 4, 11, 0, item, text.buf);
    }
    if (v->nmissing > shown) {
        strbuf_reset(&text);
        strbuf_addf(&text, _("        +%zu more not known"), v->nmissing - shown);
        lines_add(l, width, LOOK_DIM, 4, 11, 0, item, text.buf);
    }
    strbuf_release(&text);
}

static void ruled_out(struct ui *ui, struct diagnosis *d, const struct judgement *j, int width)
{
    struct strbuf text = STRBUF_INIT;

    if (j->nruled_out == 0)
        return;
    strbuf_addf(&text, P_("%s ruled out: %zu cause", "%s ruled out: %zu causes", j->nruled_out),
                d->ruled_out_open ? mark(ui, "▾", "v") : mark(ui, "▸", ">"), j->nruled_out);
    lines_add(&d->causes, width, LOOK_DIM, 0, 2, 0, ITEM_RULED_OUT, text.buf);
    for (size_t i = 0; d->ruled_out_open && i < j->nruled_out; i++) {
        uint64_t packet = 0;
        strbuf_reset(&text);
        strbuf_addf(&text, "%s %s: ", mark(ui, "✗", "x"), _(j->ruled_out[i].cause->title));
        if (j->ruled_out[i].nby)
            fact_line(&text, &j->facts, j->ruled_out[i].by[0], &packet);
        lines_add(&d->causes, width, LOOK_DIM, 2, 2, packet, ITEM_RULED_OUT + 1, text.buf);
    }
    strbuf_release(&text);
}

void diag_causes(struct ui *ui, struct diagnosis *d, const struct incident *i, int width)
{
    const struct judgement *j = &i->judgement;
    struct lines *l = &d->causes;
    char text[300];

    lines_clear(l);
    if (!j->determined) {
        lines_add(l, width, LOOK_WARN, 0, 0, 0, -1,
                  j->nverdicts ? _("Not determined. Possible causes:")
                               : _("Not determined: nothing known points to a cause yet."));
        if (!j->nverdicts)
            lines_add(l, width, LOOK_DIM, 0, 0, 0, -1,
                      _("The checklist names what would help: ] goes to the next question."));
    }
    for (size_t n = 0; n < j->nverdicts; n++) {
        const struct verdict *v = &j->verdicts[n];
        bool open = diag_verdict_open(d, n);
        snprintf(text, sizeof(text), "%s %s", open ? mark(ui, "▾", "v") : mark(ui, "▸", ">"),
                 _(v->cause->title));
        lines_add(l, width - BAR_COLS, n == 0 ? LOOK_STRONG : LOOK_NORMAL, 0, 2, 0, (int)n, text);
        if (!open)
            continue;
        int item = ITEM_UNDER + (int)n;
        evidence(l, width, &j->facts, v->for_, v->nfor, _("for"), "+", LOOK_GOOD, item);
        evidence(l, width, &j->facts, v->against, v->nagainst, _("against"), "-", LOOK_BAD, item);
        missing(l, width, v, item);
    }
    ruled_out(ui, d, j, width);
}

size_t diag_verdict(const struct diagnosis *d, const struct incident *i)
{
    int item = -1;

    if (d->at[DIAG_CAUSES].sel >= 0 && d->at[DIAG_CAUSES].sel < (int)d->causes.nr)
        item = d->causes.v[d->at[DIAG_CAUSES].sel].item;
    if (item >= ITEM_UNDER && item < ITEM_RULED_OUT)
        item -= ITEM_UNDER;
    return item >= 0 && (size_t)item < i->judgement.nverdicts ? (size_t)item : 0;
}

/* The facts' signs stand in colour, their words do not: a page of green is no use. */
static void calm_evidence(const struct lines *l, struct area a, const struct cursor_pos *at)
{
    for (int y = 0; y < a.h && at->top + y < (int)l->nr; y++) {
        const struct line *line = &l->v[at->top + y];
        if (line->item < ITEM_UNDER || line->item >= ITEM_RULED_OUT || line->look == LOOK_DIM)
            continue;
        int head = line->indent == 4 ? 11 : 0;
        area_put(a, line->indent, y, -1, LOOK_NORMAL, line->text);
        for (int x = line->indent; x < line->indent + head && x < a.w; x++) {
            struct area one = area_sub(a, x, y, 1, 1);
            area_look(one, 0, x < line->indent + 8 ? LOOK_DIM : line->look);
        }
    }
}

void diag_causes_draw(struct ui *ui, struct diagnosis *d, const struct incident *i,
                      struct area frame, bool focus)
{
    struct area a = diag_inside(frame);
    struct cursor_pos *at = &d->at[DIAG_CAUSES];
    const struct judgement *j = &i->judgement;
    int previous = -1;

    diag_causes(ui, d, i, a.w);
    d->rows[DIAG_CAUSES] = MAX_OF(a.h, 1);
    lines_draw(&d->causes, a, at, false);
    calm_evidence(&d->causes, a, at);
    for (int y = 0; y < a.h && at->top + y < (int)d->causes.nr; y++) {
        int line = at->top + y, item = d->causes.v[line].item;
        if (item >= 0 && item < ITEM_UNDER && item != previous &&
            (line == 0 || d->causes.v[line - 1].item != item)) {
            const struct verdict *v = &j->verdicts[item];
            char bar[40], percent[16];
            bar_text(bar, sizeof(bar), v->confidence, 8, ui->ascii);
            percent_text(percent, sizeof(percent), v->confidence);
            area_put(a, a.w - 14, y, 8, LOOK_GAUGE, bar);
            area_put_right(a, a.w - 5, y, 4, grade_look(v->grade), percent);
        }
        previous = item;
        if (focus && line == at->sel)
            area_select(a, y);
    }
    range_draw(frame, at->top, (int)d->causes.nr, a.h);
}

/* ---- the current step ---- */

static void labelled(struct lines *l, int width, enum look look, const char *label,
                     const char *text)
{
    char buf[700];
    int pad = MAX_OF(LABEL_COLS - text_columns(label), 1);

    if (!text || !*text)
        return;
    snprintf(buf, sizeof(buf), "%s%*s%s", label, pad, "", text);
    lines_add(l, width, look, 0, LABEL_COLS, 0, ITEM_LABELLED, buf);
}

static void known_facts(struct lines *l, int width, const struct incident *i,
                        const struct checklist_item *item)
{
    struct strbuf text = STRBUF_INIT;
    int n = 0;

    for (int k = 0; k < STEP_KINDS && item->facts[k]; k++) {
        uint64_t packet;
        strbuf_reset(&text);
        fact_line(&text, &i->judgement.facts, item->facts[k], &packet);
        labelled(l, width, LOOK_NORMAL, n++ ? "" : _("known"), text.buf);
    }
    if (!n)
        labelled(l, width, LOOK_DIM, _("known"), _("nothing yet"));
    strbuf_release(&text);
}

void diag_step(struct ui *ui, struct diagnosis *d, const struct incident *i, int width)
{
    struct lines *l = &d->step_lines;
    const struct checklist_item *item;

    (void)ui;
    lines_clear(l);
    if (d->step < 0 || d->step >= (int)i->checklist.nr) {
        lines_add(l, width, LOOK_DIM, 0, 0, 0, -1, _("No question is left."));
        return;
    }
    item = &i->checklist.items[d->step];
    lines_add(l, width, LOOK_STRONG, 0, 0, 0, -1, _(item->step->question));
    lines_add(l, width, LOOK_NORMAL, 0, 0, 0, -1, "");
    labelled(l, width, LOOK_NORMAL, _("why"), item->step->why ? _(item->step->why) : NULL);
    known_facts(l, width, i, item);
    labelled(l, width, LOOK_NORMAL, _("if yes"), item->step->if_yes ? _(item->step->if_yes) : NULL);
    labelled(l, width, LOOK_NORMAL, _("if no"), item->step->if_no ? _(item->step->if_no) : NULL);
    labelled(l, width, LOOK_NOTE, _("how"), item->step->how ? _(item->step->how) : NULL);
    lines_add(l, width, LOOK_NORMAL, 0, 0, 0, -1, "");
    if (item->answered_by_user)
        lines_add(l, width, LOOK_GOOD, 0, 0, 0, -1, _("You have answered this; u takes it back."));
    else if (diag_does_not_know(d, item->step))
        lines_add(l, width, LOOK_DIM, 0, 0, 0, -1, _("You do not know; y or n still answers it."));
    else if (item->step->answer != FACT_NOTHING)
        lines_add(l, width, LOOK_KEY, 0, 0, 0, -1,
                  _("y yes   n no   i I do not know   s set aside"));
    else
        lines_add(l, width, LOOK_DIM, 0, 0, 0, -1,
                  _("Packets and probes answer this, not a person. s sets it aside."));
}

/* ---- the checklist ---- */

static void state_look(struct ui *ui, const struct diagnosis *d, const struct checklist_item *item,
                       const char **sign, enum look *look)
{
    switch (item->state) {
    case STEP_PASS:
        *sign = mark(ui, "✓", "+");
        *look = LOOK_GOOD;
        return;
    case STEP_SUSPECT:
        *sign = mark(ui, "▲", "!");
        *look = LOOK_BAD;
        return;
    case STEP_RULED_OUT:
        *sign = mark(ui, "✗", "x");
        *look = LOOK_DIM;
        return;
    case STEP_SKIPPED:
        *sign = mark(ui, "»", ">");
        *look = LOOK_DIM;
        return;
    case STEP_UNKNOWN: break;
    }
    *sign = "?";
    *look = diag_does_not_know(d, item->step) ? LOOK_DIM : LOOK_NOTE;
}

static void checklist_row(struct ui *ui, const struct diagnosis *d, const struct incident *i, int n,
                          struct area a, int y)
{
    const struct checklist_item *item = &i->checklist.items[n];
    const char *sign;
    enum look look;

    state_look(ui, d, item, &sign, &look);
    area_put(a, 1, y, 1, look, sign);
    area_put(a, 3, y, 10, look, _(step_state_title(item->state)));
    area_put(a, 13, y, a.w - 13 - (n == i->checklist.next ? 2 : 0),
             item->state == STEP_RULED_OUT || item->state == STEP_SKIPPED ? LOOK_DIM : LOOK_NORMAL,
             _(item->step->title));
    if (n == i->checklist.next)
        area_put(a, a.w - 1, y, 1, LOOK_KEY, "]");
}

void diag_checklist_draw(struct ui *ui, struct diagnosis *d, const struct incident *i,
                         struct area frame, bool focus)
{
    struct area a = diag_inside(frame);
    const struct checklist *c = &i->checklist;
    int rows = 0, sel_row = 0, n = 0, groups = 0;
    struct cursor_pos *at = &d->at[DIAG_CHECKLIST];

    /* A row for each item and one for each group's name. */
    for (int k = 0; k < (int)c->nr; k++) {
        groups += k == 0 || c->items[k].step->group != c->items[k - 1].step->group;
        if (k == d->step)
            sel_row = k + groups;
    }
    rows = (int)c->nr + groups;
    struct cursor_pos scroll = {.sel = sel_row, .top = at->top};
    cursor_clamp(&scroll, rows, a.h);
    if (sel_row == 1)
        scroll.top = 0; /* the first group's name too */
    at->top = scroll.top;
    d->rows[DIAG_CHECKLIST] = MAX_OF(a.h, 1);
    for (int k = 0, row = 0; k < (int)c->nr; k++, row++) {
        if (k == 0 || c->items[k].step->group != c->items[k - 1].step->group) {
            if (row >= at->top && row - at->top < a.h)
                area_put(a, 0, row - at->top, -1, LOOK_HEAD,
                         _(group_title(c->items[k].step->group)));
            row++;
        }
        if (row < at->top || row - at->top >= a.h)
            continue;
        checklist_row(ui, d, i, k, a, row - at->top);
        if (k == d->step) {
            area_put(a, 0, row - at->top, 1, LOOK_FOCUS, "▸");
            if (focus)
                area_select(a, row - at->top);
        }
        n++;
    }
    range_draw(frame, at->top, rows, a.h);
}

/* ---- what to do ---- */

static void sender_lines(struct ui *ui, struct lines *l, int width, const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    struct strbuf text = STRBUF_INIT;
    char percent[16];

    percent_text(percent, sizeof(percent), j->sender_confidence);
    strbuf_addstr(&text, _(incident_sender(i)));
    if (j->sender != SENDER_UNKNOWN)
        strbuf_addf(&text, " (%s)", percent);
    labelled(l, width, LOOK_STRONG, _("sent by"), text.buf);
    for (size_t k = 0; k < j->nsender_why; k++) {
        uint64_t packet;
        strbuf_reset(&text);
        strbuf_addf(&text, "%s ", mark(ui, "·", "*"));
        fact_line(&text, &j->facts, j->sender_why[k].kind, &packet);
        lines_add(l, width, LOOK_NORMAL, LABEL_COLS, 2, packet, -1, text.buf);
    }
    strbuf_release(&text);
}

/* What it shares with other resets: a timer, a number or a moment that one alone cannot show. */
static void pattern_lines(struct ui *ui, struct lines *l, int width, const struct incident *i)
{
    struct strbuf text = STRBUF_INIT;

    for (enum pattern_kind k = PATTERN_ALIKE; k < PATTERN_KINDS; k++) {
        const struct pattern *p = session_pattern_of(ui->s, i, k);
        if (!p || !pattern_tells(p))
            continue;
        strbuf_reset(&text);
        pattern_line(&text, ui->s, p, tr_locale);
        labelled(l, width, LOOK_NOTE, _("pattern"), text.buf);
    }
    strbuf_release(&text);
}

/* The advice in code and settings, line by line as it is written. */
static void snippet_lines(struct lines *l, int width, const struct cause *c)
{
    char line[200];

    for (const struct snippet *s = cause_snippets(c); s && s->in; s++) {
        labelled(l, width, LOOK_DIM, "", s->in);
        for (const char *p = s->text; *p;) {
            size_t n = strcspn(p, "\n");
            snprintf(line, sizeof(line), "  %.*s", (int)n, p);
            labelled(l, width, LOOK_NORMAL, "", line);
            p += n + (p[n] == '\n');
        }
    }
}

/* The service's playbook: what is open or suspect in it, with what that would mean. */
static void playbook_lines(struct ui *ui, struct lines *l, int width, const struct incident *i)
{
    const struct playbook *b = session_playbook(ui->s, i);
    struct strbuf text = STRBUF_INIT;

    if (!b)
        return;
    labelled(l, width, LOOK_STRONG, _("playbook"), _(b->title));
    for (size_t k = 0; k < playbook_items(b); k++) {
        enum step_state st = playbook_item_state(&b->items[k], &i->checklist, &i->judgement.facts);
        strbuf_reset(&text);
        strbuf_addf(&text, "%zu. %s", k + 1, _(b->items[k].say));
        if (st == STEP_SUSPECT || st == STEP_UNKNOWN)
            strbuf_addf(&text, " %s", _(b->items[k].means));
        else
            strbuf_addf(&text, " (%s)", _(step_state_title(st)));
        labelled(l, width,
                 st == STEP_SUSPECT   ? LOOK_WARN
                 : st == STEP_UNKNOWN ? LOOK_NORMAL
                                      : LOOK_DIM,
                 "", text.buf);
    }
    strbuf_release(&text);
}

void diag_advice(struct ui *ui, struct diagnosis *d, const struct incident *i, int width)
{
    const struct judgement *j = &i->judgement;
    struct strbuf text = STRBUF_INIT;
    struct lines *l = &d->advice;

    lines_clear(l);
    pattern_lines(ui, l, width, i);
    if (j->nverdicts) {
        const struct cause *c = j->verdicts[diag_verdict(d, i)].cause;
        labelled(l, width, LOOK_NORMAL, _("what"), _(c->what));
        labelled(l, width, LOOK_NORMAL, _("client"), c->client ? _(c->client) : NULL);
        labelled(l, width, LOOK_NORMAL, _("server"), c->server ? _(c->server) : NULL);
        labelled(l, width, LOOK_NORMAL, _("network"), c->network ? _(c->network) : NULL);
    }
    strbuf_addstr(&text, _(retry_title(j->retry)));
    if (j->retry_why && *j->retry_why)
        strbuf_addf(&text, ": %s", _(j->retry_why));
    labelled(l, width, j->retry == RETRY_NO || j->retry == RETRY_ASK ? LOOK_WARN : LOOK_NORMAL,
             _("retry"), text.buf);
    strbuf_reset(&text);
    seen_before_text(&text, &j->facts, tr_locale);
    labelled(l, width, LOOK_NOTE, _("before"), text.len ? text.buf : NULL);
    sender_lines(ui, l, width, i);
    if (j->nverdicts) {
        const struct cause *c = j->verdicts[diag_verdict(d, i)].cause;
        labelled(l, width, LOOK_DIM, _("check"), c->confirm ? _(c->confirm) : NULL);
    }
    playbook_lines(ui, l, width, i);
    if (j->nverdicts)
        snippet_lines(l, width, j->verdicts[diag_verdict(d, i)].cause);
    strbuf_release(&text);
}
