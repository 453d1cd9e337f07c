/*
 * host.c: what this host can say: counters that moved, queues, tables, settings, and what every
 * source found here, or why it may not look.
 */
#include "ui/screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TWO_COLUMNS 110

enum { PART_COUNTERS, PART_QUEUES, PART_SETTINGS, PART_SOURCES, PARTS };
static const char *const titles[PARTS] = {N_("Counters that moved"), N_("Listening sockets"),
                                          N_("Tables and settings"), N_("What can be seen")};

struct host_view {
    int focus;
    struct lines lines[PARTS];
    struct cursor_pos at[PARTS];
    int rows[PARTS];
    struct area where[PARTS];
    bool asked;
};

static void host_close(struct ui *ui, void *state)
{
    struct host_view *v = state;

    (void)ui;
    for (int i = 0; i < PARTS; i++)
        lines_release(&v->lines[i]);
}

static const struct host_snapshot *snapshot(struct ui *ui, bool anew)
{
    return ui->act.host ? ui->act.host(ui->act.arg, anew) : NULL;
}

/* ---- what they say ---- */

/* Those that tell of resets and losses; the others only count traffic. */
static enum look counter_look(const char *name)
{
    static const char *const telling[] = {"OutRsts",        "EstabResets",    "AttemptFails",
                                          "ListenOverflow", "ListenDrop",     "TCPAbort",
                                          "EmbryonicRsts",  "TCPBacklogDrop", "TCPReqQFull",
                                          "InCsumErrors",   "TCPMinTTLDrop"};

    for (size_t i = 0; i < ARRAY_SIZE(telling); i++)
        if (strncmp(name, telling[i], strlen(telling[i])) == 0)
            return LOOK_WARN;
    return LOOK_NORMAL;
}

/* What moved while the program looked on, the telling ones first; then what stood still. */
static void add_counters(struct ui *ui, struct lines *l, int width)
{
    const struct session *s = ui->s;
    struct host_counters delta;
    char text[120], n[32], span[TIME_TEXT_MAX], still[800] = "";
    size_t at = 0;

    if (!s->first_counters.available || !s->counters.available) {
        lines_add(l, width, LOOK_DIM, 0, 0, 0, -1,
                  s->settings.read_file
                      ? _("a capture file: this host's counters say nothing of it")
                      : _("the counters of TCP cannot be read here"));
        return;
    }
    host_counters_delta(&delta, &s->first_counters, &s->counters);
    snprintf(text, sizeof(text), _("in the last %s"),
             span_text(span, s->counters.time - s->first_counters.time));
    lines_add(l, width, LOOK_DIM, 0, 0, 0, -1, text);
    for (int telling = 1; telling >= 0; telling--)
        for (size_t i = 0; host_counter_name(i); i++) {
            uint64_t v = host_counter_value(&delta, i);
            enum look look = counter_look(host_counter_name(i));
            if ((look == LOOK_WARN) != telling || v == 0)
                continue;
            count_text(n, sizeof(n), v);
            snprintf(text, sizeof(text), "%12s  %s", n, host_counter_name(i));
            lines_add(l, width, look, 0, 14, 0, -1, text);
        }
    for (size_t i = 0; host_counter_name(i); i++)
        if (host_counter_value(&delta, i) == 0 && at < sizeof(still))
            at += (size_t)snprintf(still + at, sizeof(still) - at, "%s%s", at ? " " : "",
                                   host_counter_name(i));
    if (at) {
        lines_add(l, width, LOOK_HEAD, 0, 0, 0, -1, _("did not move"));
        lines_add(l, width, LOOK_DIM, 2, 0, 0, -1, still);
    }
}

static void add_queues(struct lines *l, int width, const struct host_snapshot *h)
{
    char text[200], ep[ENDPOINT_TEXT_MAX];

    if (h->listeners_err) {
        snprintf(text, sizeof(text), _("not to be seen: %s"), strerror(-h->listeners_err));
        lines_add(l, width, LOOK_WARN, 0, 0, 0, -1, text);
        return;
    }
    snprintf(text, sizeof(text), "%8s %8s  %6s  %s", _("waiting"), _("limit"), "uid", _("address"));
    lines_add(l, width, LOOK_HEAD, 0, 0, 0, -1, text);
    for (size_t i = 0; i < h->nlisteners; i++) {
        const struct host_listening *s = &h->listeners[i];
        enum look look = s->waiting > s->backlog       ? LOOK_BAD
                         : s->waiting * 2 > s->backlog ? LOOK_WARN
                                                       : LOOK_NORMAL;
        snprintf(text, sizeof(text), "%8u %8u  %6u  %s%s", s->waiting, s->backlog, s->uid,
                 endpoint_text(ep, &s->addr, s->port),
                 s->waiting > s->backlog ? _("  full: newcomers are dropped") : "");
        lines_add(l, width, look, 0, 10, 0, -1, text);
    }
    if (h->nlisteners == 0)
        lines_add(l, width, LOOK_DIM, 0, 0, 0, -1, _("no program listens for TCP here"));
    if (h->more_listeners) {
        snprintf(text, sizeof(text), _("%zu more are not listed"), h->more_listeners);
        lines_add(l, width, LOOK_WARN, 0, 0, 0, -1, text);
    }
}

static void add_tables(struct ui *ui, struct lines *l, int width, const struct host_snapshot *h)
{
    const struct host_conntrack *c = &h->conntrack;
    char text[200], bar[80];

    if (c->available && c->max) {
        double full = (double)c->count / (double)c->max;
        bar_text(bar, sizeof(bar), full, 10, ui->ascii);
        snprintf(text, sizeof(text), _("connection tracking  %s %llu of %llu"), bar,
                 (unsigned long long)c->count, (unsigned long long)c->max);
        lines_add(l, width, full > .9 ? LOOK_BAD : LOOK_NORMAL, 0, 2, 0, -1, text);
    } else {
        lines_add(l, width, LOOK_DIM, 0, 2, 0, -1,
                  _("connection tracking: none here, or not to be seen"));
    }
    if (h->pressure.available) {
        snprintf(text, sizeof(text), _("waited for CPU %u.%02u %%, for memory %u.%02u %% of 10 s"),
                 h->pressure.cpu / 100, h->pressure.cpu % 100, h->pressure.memory / 100,
                 h->pressure.memory % 100);
        lines_add(l, width, LOOK_NORMAL, 0, 2, 0, -1, text);
    }
    for (size_t i = 0; i < HOST_SYSCTLS; i++) {
        const struct host_sysctl *s = &h->sysctls[i];
        const char *name = strrchr(s->name, '/') + 1;
        const char *value = s->err == -ENOENT ? _("not here")
                            : s->err          ? _("not permitted")
                                              : s->value;
        snprintf(text, sizeof(text), "%*s%s  %s: %s", MAX_OF(14 - text_columns(value), 0), "",
                 value, name, _(s->what));
        lines_add(l, width, s->err ? LOOK_DIM : LOOK_NORMAL, 0, 16, 0, -1, text);
    }
}

/* What host and kernel said of single resets: rules that fired, reasons, queues. */
static void add_said_of_resets(struct ui *ui, struct lines *l, int width)
{
    const struct session *s = ui->s;
    struct strbuf text = STRBUF_INIT;
    char clock[TIME_TEXT_MAX];
    int shown = 0;

    for (size_t n = s->nincidents; n-- > 0 && shown < 40;) {
        const struct incident *in = s->incidents[n];
        for (size_t k = 0; !in->repeat && k < in->judgement.facts.nr; k++) {
            const struct fact *f = &in->judgement.facts.items[k];
            bool past = f->kind >= FACT_SEEN_BEFORE && f->kind <= FACT_SEEN_CAUSE;
            if (f->source != SRC_HOST || !f->yes || past)
                continue;
            if (shown++ == 0)
                lines_add(l, width, LOOK_HEAD, 0, 0, 0, -1, _("what the host said of resets"));
            strbuf_reset(&text);
            strbuf_addf(&text, "%s ", time_clock(clock, in->time, 0, false));
            incident_who(&text, s, in);
            strbuf_addstr(&text, ": ");
            fact_text(&text, f, tr_locale);
            lines_add(l, width, LOOK_NORMAL, 2, 2, 0, -1, text.buf);
        }
    }
    strbuf_release(&text);
}

static void add_sources(struct ui *ui, struct lines *l, int width, const struct host_snapshot *h)
{
    char text[700];

    for (size_t i = 0; i < h->nsources; i++) {
        const struct host_said *s = &h->sources[i];
        bool denied = s->err == -EPERM || s->err == -EACCES;
        snprintf(text, sizeof(text), "%s %s%s%s", s->err ? mark(ui, "✗", "x") : mark(ui, "✓", "+"),
                 _(s->title), s->err ? ": " : "",
                 denied   ? _("not permitted")
                 : s->err ? strerror(-s->err)
                          : "");
        lines_add(l, width, s->err ? LOOK_WARN : LOOK_GOOD, 0, 2, 0, -1, text);
        if (s->found[0])
            lines_add(l, width, LOOK_NORMAL, 2, 0, 0, -1, s->found);
        if (s->remedy[0]) {
            snprintf(text, sizeof(text), _("to see it: %s"), s->remedy);
            lines_add(l, width, LOOK_NOTE, 2, 2, 0, -1, text);
        }
    }
    add_said_of_resets(ui, l, width);
}

static void build(struct ui *ui, struct host_view *v, int part, int width)
{
    const struct host_snapshot *h = snapshot(ui, !v->asked);
    struct lines *l = &v->lines[part];

    v->asked = true;
    lines_clear(l);
    if (part == PART_COUNTERS)
        add_counters(ui, l, width);
    else if (!h)
        lines_add(l, width, LOOK_DIM, 0, 0, 0, -1, _("looking ..."));
    else if (part == PART_QUEUES)
        add_queues(l, width, h);
    else if (part == PART_SETTINGS)
        add_tables(ui, l, width, h);
    else
        add_sources(ui, l, width, h);
}

/* ---- drawing ---- */

static void layout(struct host_view *v, struct area a)
{
    int w = a.w / 2, h = a.h / 2;

    for (int i = 0; i < PARTS; i++)
        v->where[i] = area_sub(a, 0, 0, 0, 0);
    if (a.w >= TWO_COLUMNS && a.h >= 24) {
        v->where[PART_COUNTERS] = area_sub(a, 0, 0, w + 1, h + 1);
        v->where[PART_SETTINGS] = area_sub(a, w, 0, a.w - w, h + 1);
        v->where[PART_QUEUES] = area_sub(a, 0, h, w + 1, a.h - h);
        v->where[PART_SOURCES] = area_sub(a, w, h, a.w - w, a.h - h);
        return;
    }
    int x = 1;
    for (int i = 0; i < PARTS; i++)
        x += area_put(a, x, 0, -1, i == v->focus ? LOOK_FOCUS : LOOK_DIM, _(titles[i])) + 2;
    v->where[v->focus] = area_sub(a, 0, 1, a.w, a.h - 1);
}

static void host_draw(struct ui *ui, void *state, struct area a)
{
    struct host_view *v = state;

    layout(v, a);
    for (int i = 0; i < PARTS; i++)
        if (i != v->focus)
            frame_lines(v->where[i], false);
    frame_lines(v->where[v->focus], true);
    for (int i = 0; i < PARTS; i++) {
        struct area in = frame_inside(v->where[i]);
        if (in.h < 1)
            continue;
        in = area_sub(in, 1, 0, in.w - 2, in.h);
        frame_title(v->where[i], _(titles[i]), NULL, i == v->focus);
        build(ui, v, i, in.w);
        v->rows[i] = in.h;
        int last = MAX_OF((int)v->lines[i].nr - in.h, 0);
        v->at[i].sel = v->at[i].top = MAX_OF(MIN_OF(v->at[i].top, last), 0);
        lines_draw(&v->lines[i], in, &v->at[i], false);
        range_draw(v->where[i], v->at[i].top, (int)v->lines[i].nr, in.h);
    }
}

static bool host_action(struct ui *ui, void *state, enum action a)
{
    struct host_view *v = state;
    struct cursor_pos *at = &v->at[v->focus], c = {.sel = at->top, .top = at->top};
    int last = MAX_OF((int)v->lines[v->focus].nr - v->rows[v->focus], 0);

    switch (a) {
    case ACTION_NEXT_PANE: v->focus = (v->focus + 1) % PARTS; return true;
    case ACTION_PREVIOUS_PANE: v->focus = (v->focus + PARTS - 1) % PARTS; return true;
    case ACTION_REFRESH:
        snapshot(ui, true);
        ui_note(ui, LOOK_NORMAL, "%s", _("looking again"));
        return true;
    default: break;
    }
    if (!cursor_move(&c, a, last + 1, MAX_OF(v->rows[v->focus], 1)))
        return false;
    at->top = MIN_OF(c.sel, last);
    return true;
}

static void host_point(struct ui *ui, void *state, int x, int y)
{
    struct host_view *v = state;

    (void)ui;
    for (int i = 0; i < PARTS; i++) {
        struct area a = v->where[i];
        if (x >= a.x && x < a.x + a.w && y + 1 >= a.y && y + 1 < a.y + a.h)
            v->focus = i;
    }
}

static bool host_click(struct ui *ui, void *state, int x, int y)
{
    host_point(ui, state, x, y);
    return false; /* there is nothing to open */
}

static void host_copy(struct ui *ui, void *state, struct strbuf *out)
{
    struct host_view *v = state;
    const struct lines *l = &v->lines[v->focus];

    (void)ui;
    for (size_t i = 0; i < l->nr; i++)
        strbuf_addf(out, "%s%*s%s", i ? "\n" : "", l->v[i].indent, "", l->v[i].text);
}

const struct screen host_screen = {
    .name = "host",
    .title = N_("This host"),
    .context = IN_HOST,
    .state_size = sizeof(struct host_view),
    .draw = host_draw,
    .action = host_action,
    .click = host_click,
    .close = host_close,
    .point = host_point,
    .copy = host_copy,
};
