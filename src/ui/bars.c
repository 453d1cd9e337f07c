/*
 * bars.c: the lines every screen has: the top bar, the message line, the hints; frames and words.
 */
#include "ui/screen.h"

#include <stdio.h>
#include <string.h>

const char *mark(const struct ui *ui, const char *utf8, const char *ascii)
{
    return ui->ascii ? ascii : utf8;
}

void count_text(char *out, size_t outlen, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
    size_t at = 0;

    for (int i = 0; i < len && at + 2 < outlen; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

void percent_text(char *out, size_t outlen, double v)
{
    int percent = (int)(v * 100 + 0.5);

    /* Certainty is not ours to claim. */
    snprintf(out, outlen, "%d%%", percent > 99 && v < 1 ? 99 : percent);
}

enum look grade_look(enum grade g)
{
    return g == GRADE_CONFIRMED ? LOOK_GOOD : g == GRADE_LIKELY ? LOOK_NOTE : LOOK_DIM;
}

const char *grade_title(enum grade g)
{
    switch (g) {
    case GRADE_CONFIRMED: return N_("confirmed");
    case GRADE_LIKELY: return N_("likely");
    case GRADE_POSSIBLE: return N_("possible");
    case GRADE_NONE: break;
    }
    return N_("unlikely");
}

const char *harm_word(const struct incident *i)
{
    if (!i->harmful)
        return _("harmless");
    return i->is_reset ? _("HARMFUL") : _("FAILED");
}

enum look severity_look(enum fact_severity s)
{
    switch (s) {
    case SEV_BAD: return LOOK_BAD;
    case SEV_WARN: return LOOK_WARN;
    case SEV_NOTE: return LOOK_NOTE;
    case SEV_INFO: break;
    }
    return LOOK_NORMAL;
}

/* ---- the top bar: pieces from the left as they fit, the clock at the right ---- */

struct piece {
    char text[120];
    enum look look;
    int keep; /* the lower, the longer it stays when room is short */
};
#define PIECES 12

static struct piece *piece(struct piece *p, int *n, enum look look, int keep)
{
    p[*n].look = look;
    p[*n].keep = keep;
    p[*n].text[0] = '\0';
    return &p[(*n)++];
}

static void where_text(const struct session *s, char *out, size_t outlen)
{
    const struct vantage *v = &s->vantage;
    const char *file = s->settings.read_file;

    if (file && v->capture == VANTAGE_FILE) {
        const char *slash = strrchr(file, '/');
        file = slash && slash[1] ? slash + 1 : file;
        text_clean(out, outlen, file, strlen(file));
    } else if (v->capture == VANTAGE_NONE) {
        snprintf(out, outlen, "%s", _("no capture"));
    } else if (v->ninterfaces == 0) {
        snprintf(out, outlen, "any");
    } else if (v->ninterfaces == 1) {
        text_clean(out, outlen, v->interfaces[0], strlen(v->interfaces[0]));
    } else {
        snprintf(out, outlen, "%s +%zu", v->interfaces[0], v->ninterfaces - 1);
    }
}

/* A long file name must not push out what is counted: its end goes. */
static void shorten(char *text, size_t textlen, int cols, const char *ellipsis)
{
    const char *p = text;
    size_t keep = 0;

    if (text_columns(text) <= cols)
        return;
    for (int n = 1; n < cols && *p; n++) {
        utf8_next(&p);
        keep = (size_t)(p - text);
    }
    snprintf(text + keep, textlen - keep, "%s", ellipsis);
}

static void running_text(const struct session *s, char *out, size_t outlen)
{
    size_t running = 0;

    for (size_t i = 0; i < s->ntargets; i++)
        running += s->targets[i].rounds_started > s->targets[i].rounds_done;
    if (s->paused)
        snprintf(out, outlen, "%s", _("PAUSED"));
    else if (running)
        snprintf(out, outlen, P_("probing %zu target", "probing %zu targets", running), running);
    else if (s->finished)
        snprintf(out, outlen, "%s", _("done"));
    else if (s->ntargets)
        snprintf(out, outlen, P_("%zu target", "%zu targets", s->ntargets), s->ntargets);
    else
        snprintf(out, outlen, "%s", s->vantage.capture == VANTAGE_LIVE ? _("watching") : _("idle"));
}

static uint64_t limits_total(const struct session *s)
{
    const struct flow_limits_hit *hit = flow_table_limits(s->flows);

    return s->limits.packets_dropped + s->limits.results_dropped + s->limits.incidents_dropped +
           hit->resets_dropped + hit->flows_evicted;
}

static int bar_pieces(struct ui *ui, struct piece *p, int width)
{
    const struct session *s = ui->s;
    const struct vantage *v = &s->vantage;
    char n[32], h[32], where[80];
    struct piece *x;
    int count = 0;

    x = piece(p, &count, LOOK_BAR, 0);
    where_text(s, where, sizeof(where));
    shorten(where, sizeof(where), MAX_OF(width / 5, 12), mark(ui, "…", "~"));
    snprintf(x->text, sizeof(x->text), "rstconsole %s %s", where,
             s->paused                    ? mark(ui, "○", "o")
             : v->capture == VANTAGE_NONE ? ""
             : s->finished                ? mark(ui, "○", "o")
                                          : mark(ui, "●", "*"));
    if (ui->root)
        snprintf(piece(p, &count, LOOK_BAR_WARN, 3)->text, sizeof(x->text), "root");
    x = piece(p, &count, LOOK_BAR, 6);
    count_text(n, sizeof(n), v->packets);
    snprintf(x->text, sizeof(x->text), P_("%s packet", "%s packets", (unsigned long)v->packets), n);
    x = piece(p, &count, v->dropped ? LOOK_BAR_WARN : LOOK_BAR, 1);
    count_text(n, sizeof(n), v->dropped);
    if (v->capture != VANTAGE_NONE)
        snprintf(x->text, sizeof(x->text), v->dropped_known ? _("%s dropped") : _("drops unknown"),
                 n);
    x = piece(p, &count, LOOK_BAR, 2);
    count_text(n, sizeof(n), s->resets_seen);
    count_text(h, sizeof(h), s->harmful_resets);
    snprintf(x->text, sizeof(x->text), P_("%s reset", "%s resets", (unsigned long)s->resets_seen),
             n);
    if (s->harmful_resets) {
        x->look = LOOK_RESET;
        size_t at = strlen(x->text);
        snprintf(x->text + at, sizeof(x->text) - at, _(" (%s harmful)"), h);
    }
    if (s->failed_probes) {
        count_text(n, sizeof(n), s->failed_probes);
        snprintf(piece(p, &count, LOOK_BAR_WARN, 8)->text, sizeof(x->text),
                 P_("%s failed probe", "%s failed probes", (unsigned long)s->failed_probes), n);
    }
    running_text(s, piece(p, &count, s->paused ? LOOK_BAR_WARN : LOOK_BAR, 2)->text,
                 sizeof(x->text));
    if (s->settings.filter && s->settings.filter[0])
        snprintf(piece(p, &count, LOOK_BAR, 4)->text, sizeof(x->text), _("capturing: %s"),
                 s->settings.filter);
    if (limits_total(s)) {
        count_text(n, sizeof(n), limits_total(s));
        snprintf(piece(p, &count, LOOK_BAR_WARN, 5)->text, sizeof(x->text), _("%s not kept"), n);
    }
    return count;
}

void top_bar_draw(struct ui *ui, struct area a)
{
    struct piece p[PIECES];
    char clock[TIME_TEXT_MAX];
    int n = bar_pieces(ui, p, a.w), room = a.w - 10, keep = 10, x = 1;

    area_fill(a, LOOK_BAR);
    for (; keep > 0; keep--) { /* leave out the least telling until the rest fits */
        int cols = 0;
        for (int i = 0; i < n; i++)
            if (p[i].text[0] && p[i].keep <= keep)
                cols += text_columns(p[i].text) + 2;
        if (cols <= room)
            break;
    }
    for (int i = 0; i < n; i++) {
        if (!p[i].text[0] || p[i].keep > keep)
            continue;
        if (p[i].look == LOOK_RESET) {
            char padded[sizeof(p[i].text) + 4];
            snprintf(padded, sizeof(padded), " %.*s ", (int)sizeof(p[i].text), p[i].text);
            x += area_put(a, x - 1, 0, room - x + 2, p[i].look, padded);
        } else {
            x += area_put(a, x, 0, room - x, p[i].look, p[i].text) + 2;
        }
    }
    area_put_right(a, a.w - 9, 0, 8, LOOK_BAR, time_clock(clock, ui_wall(ui), 0, false));
}

/* ---- the message line ---- */

void message_draw(struct ui *ui, struct area a)
{
    const struct session *s = ui->s;
    char clock[TIME_TEXT_MAX];

    if (prompt_open(ui)) {
        prompt_draw(ui, a);
        return;
    }
    if (ui->note[0]) {
        area_put(a, 1, 0, a.w - 2, ui->note_look, ui->note);
        return;
    }
    if (ui->permission[0] && (s->nmessages == 0 || s->vantage.capture == VANTAGE_NONE)) {
        area_put(a, 1, 0, a.w - 2, LOOK_WARN, ui->permission);
        return;
    }
    if (s->nmessages) {
        const struct message *m = &s->messages[s->nmessages - 1];
        enum look look = m->level == MSG_ERROR  ? LOOK_BAD
                         : m->level == MSG_WARN ? LOOK_WARN
                                                : LOOK_DIM;
        int x = area_putf(a, 1, 0, -1, LOOK_DIM, "%s  ", time_clock(clock, m->time, 0, false)) + 1;
        char more[40] = "";
        if (s->nmessages > 1)
            snprintf(more, sizeof(more), _("+%zu earlier"), s->nmessages - 1);
        int room = a.w - x - 2 - text_columns(more);
        area_put(a, x, 0, room, look, m->text);
        area_put_right(a, a.w - 30, 0, 29, LOOK_DIM, more);
        return;
    }
    if (s->ntargets == 0 && s->nincidents == 0 && !s->settings.read_file)
        area_put(a, 1, 0, a.w - 2, LOOK_DIM,
                 _("press a and type a host, host:port or URL to find out why it resets"));
}

/* ---- the hints: from the table of actions ---- */

static void key_label(struct ui *ui, enum action a, char *out, size_t outlen)
{
    char name[KEY_NAME_MAX];
    int keys[ACTION_KEYS];

    out[0] = '\0';
    if (keymap_keys(&ui->keys, a, keys) > 0)
        snprintf(out, outlen, "%s", key_text(name, keys[0]));
}

void hints_draw(struct ui *ui, struct area a, unsigned context)
{
    int x = 1;

    ui->nhints = 0;
    for (int rank = 1; rank < 10; rank++)
        for (int act = 1; act < ACTION_COUNT; act++) {
            const struct action_info *info = action_info(act);
            char key[KEY_NAME_MAX];
            if (!info->hint || info->rank != rank || !(info->contexts & context))
                continue;
            key_label(ui, act, key, sizeof(key));
            if (!key[0])
                continue;
            /* A hint stands whole or not at all: ? shows every key. */
            if (x + text_columns(key) + 1 + text_columns(_(info->hint)) > a.w)
                continue;
            int from = x;
            x += area_put(a, x, 0, -1, LOOK_KEY, key) + 1;
            x += area_put(a, x, 0, -1, LOOK_DIM, _(info->hint)) + 2;
            if (ui->nhints < HINTS_MAX) {
                ui->hints[ui->nhints].from = from;
                ui->hints[ui->nhints].to = x - 2;
                ui->hints[ui->nhints++].action = act;
            }
        }
}

/* ---- frames: panes share their borders, so lines join where they meet ---- */

enum { TO_UP = 1, TO_DOWN = 2, TO_LEFT = 4, TO_RIGHT = 8 };
static const char *const joints[16] = {
    " ", "│", "│", "│", "─", "┘", "┐", "┤", "─", "└", "┌", "├", "─", "┴", "┬", "┼",
};

static void join(struct area a, int x, int y, unsigned to, enum look look)
{
    const struct cell *was = canvas_cell(a.c, a.x + x, a.y + y);

    /* In ASCII a joint is a plus, its arms are not told: what is new is enough. */
    for (unsigned i = 1; was && was->text[0] && i < 16; i++)
        if (i != 1 && i != 2 && i != 4 && i != 8 && strcmp(was->text, joints[i]) == 0) {
            to |= i;
            break;
        }
    area_put(a, x, y, 1, look, joints[to]);
}

void frame_lines(struct area a, bool focus)
{
    enum look look = focus ? LOOK_FOCUS : LOOK_FRAME;

    if (a.w < 2 || a.h < 2)
        return;
    for (int x = 1; x < a.w - 1; x++) {
        join(a, x, 0, TO_LEFT | TO_RIGHT, look);
        join(a, x, a.h - 1, TO_LEFT | TO_RIGHT, look);
    }
    for (int y = 1; y < a.h - 1; y++) {
        join(a, 0, y, TO_UP | TO_DOWN, look);
        join(a, a.w - 1, y, TO_UP | TO_DOWN, look);
    }
    join(a, 0, 0, TO_DOWN | TO_RIGHT, look);
    join(a, a.w - 1, 0, TO_DOWN | TO_LEFT, look);
    join(a, 0, a.h - 1, TO_UP | TO_RIGHT, look);
    join(a, a.w - 1, a.h - 1, TO_UP | TO_LEFT, look);
}

void frame_title(struct area a, const char *title, const char *right, bool focus)
{
    char text[500];
    int room = a.w - 4, cols = right && *right ? text_columns(right) + 2 : 0;

    if (room < 4)
        return;
    if (cols > room / 2)
        cols = 0;
    if (*title) {
        snprintf(text, sizeof(text), " %s ", title);
        area_put(a, 2, 0, room - cols, focus ? LOOK_FOCUS : LOOK_TITLE, text);
    }
    if (cols) {
        snprintf(text, sizeof(text), " %s ", right);
        area_put_right(a, 2, 0, room, LOOK_DIM, text);
    }
}

struct area frame_inside(struct area a)
{
    return area_sub(a, 1, 1, a.w - 2, a.h - 2);
}

struct area frame_draw(struct area a, const char *title, bool focus)
{
    frame_lines(a, focus);
    frame_title(a, title, NULL, focus);
    return frame_inside(a);
}

void range_draw(struct area a, int top, int n, int page)
{
    char text[60];

    if (top <= 0 && n <= page)
        return;
    snprintf(text, sizeof(text), _("%d-%d of %d"), top + 1, MIN_OF(top + page, n), n);
    frame_title(a, "", text, false);
}
