#include "capture/source.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SETTLE_MAX (500 * NS_PER_MS)

/* ---- turns: an eventfd that is always readable ---- */
struct turn {
    int fd;
    struct watch *w;
    void (*fn)(void *arg);
    void *arg;
};

static void on_turn(void *arg, int events)
{
    struct turn *t = arg;

    (void)events;
    t->fn(t->arg);
}

struct turn *turn_start(struct loop *l, void (*fn)(void *arg), void *arg)
{
    struct turn *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->fn = fn;
    t->arg = arg;
    t->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->fd >= 0)
        t->w = loop_watch(l, t->fd, LOOP_READ, on_turn, t);
    if (!t->w) {
        turn_stop(t);
        return NULL;
    }
    return t;
}

void turn_set(struct turn *t, bool on)
{
    if (t)
        watch_set(t->w, on ? LOOP_READ : 0);
}

void turn_stop(struct turn *t)
{
    if (!t)
        return;
    watch_stop(t->w);
    if (t->fd >= 0)
        close(t->fd);
    free(t);
}

/* ---- filters of a capture ---- */
static bool filters_match(struct filter_set *s, const struct record *rec)
{
    char err[TEXT_MAX];
    size_t i = s->last;

    if (i >= s->n || s->items[i].link != rec->link) {
        for (i = 0; i < s->n && s->items[i].link != rec->link; i++)
            ;
        if (i == ARRAY_SIZE(s->items)) /* a file with more link types than that is a prank */
            return false;
        if (i == s->n) {
            s->items[i].link = rec->link;
            s->items[i].f = NULL;
            if (filter_compile(&s->items[i].f, s->expr, rec->link, err, sizeof err) < 0)
                log_msg(LOG_WARN, _("the filter does not apply to %s packets: %s"),
                        link_name(rec->link), err);
            s->n++;
        }
        s->last = i;
    }
    return s->items[i].f && filter_match(s->items[i].f, rec);
}

int capture_check_link(struct capture *c, uint32_t link, char *err, size_t errlen,
                       enum capture_error *kind)
{
    struct filter *f = NULL;
    struct filter_set *s = &c->filters;

    /* A pcapng file may hold other link types further on; a pcap file has this one. */
    if (!link_known(link) && c->reader.format != CAPREAD_PCAPNG) {
        *kind = CAPERR_FORMAT;
        snprintf(err, errlen, _("its packets are of link type %u (%s), which is not read here"),
                 (unsigned)link, link_words(link));
        return -ENOTSUP;
    }
    if (!s->expr || s->n > 0)
        return 0;
    *kind = CAPERR_FILTER;
    int r = filter_compile(&f, s->expr, link, err, errlen);
    if (r < 0)
        return r;
    s->items[0].link = link;
    s->items[0].f = f;
    s->n = 1;
    *kind = CAPERR_NONE;
    return 0;
}

/* ---- life ---- */
struct capture *capture_new(struct loop *l, const struct capture_callbacks *cb, const char *filter)
{
    struct capture *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->loop = l;
    c->cb = *cb;
    capread_init(&c->reader);
    if (filter && filter[0]) {
        c->cb.make = NULL; /* most packets may be none of ours */
        c->filters.expr = strdup(filter);
        if (!c->filters.expr) {
            capture_free(c);
            return NULL;
        }
    }
    if (batch_init(&c->batch, &c->cb) < 0) {
        capture_free(c);
        return NULL;
    }
    return c;
}

/* What the file says itself (pcapng interface statistics); the helper's word comes by live.c. */
static void count_drops(struct capture *c)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->reader.nifs; i++) {
        if (c->reader.ifs[i].drops >= 0) {
            c->stats.dropped_known = true;
            sum += (uint64_t)c->reader.ifs[i].drops;
        }
    }
    c->stats.dropped = MAX_OF(c->stats.dropped, sum);
}

static void close_source(struct capture *c)
{
    const struct source_ops *ops = c->ops;

    c->halted = true;
    if (ops)
        ops->close(c);
}

static void destroy(struct capture *c)
{
    close_source(c);
    for (struct settle_wait *w = c->waits, *next; w; w = next) {
        next = w->next;
        timer_stop(w->deadline);
        free(w);
    }
    for (size_t i = 0; i < c->filters.n; i++)
        filter_free(c->filters.items[i].f);
    free(c->filters.expr);
    free(c->name);
    free(c->ifs);
    batch_release(&c->batch);
    capread_release(&c->reader);
    free(c);
}

void capture_enter(struct capture *c)
{
    c->depth++;
}

bool capture_leave(struct capture *c)
{
    if (--c->depth > 0 || !c->doomed)
        return true;
    destroy(c);
    return false;
}

void capture_free(struct capture *c)
{
    if (!c || c->doomed)
        return;
    c->doomed = c->halted = true;
    c->cb = (struct capture_callbacks){0};
    if (c->depth == 0)
        destroy(c);
}

/* ---- records ---- */
static bool first_record(struct capture *c, uint32_t link)
{
    char err[TEXT_MAX] = "";
    enum capture_error kind = CAPERR_NONE;

    c->link_checked = true;
    if (capture_check_link(c, link, err, sizeof err, &kind) == 0)
        return true;
    capture_finish(c, CAPTURE_FAILED, kind, "%s", err);
    return false;
}

bool capture_deliver(struct capture *c, const struct record *rec, void *made)
{
    if (!c->link_seen_known) {
        c->link_seen_known = link_known(rec->link);
        c->link_unknown = rec->link;
        if (!c->link_checked && !first_record(c, rec->link))
            return false;
    }
    if (c->filters.expr && !filters_match(&c->filters, rec))
        return true;
    c->stats.packets++;
    c->stats.bytes += rec->caplen;
    c->stats.truncated += rec->caplen < rec->len;
    if (c->cb.on_record)
        c->cb.on_record(c->cb.arg, rec, made);
    return !c->halted;
}

/* ---- states ---- */
void capture_ready(struct capture *c)
{
    if (c->state != CAPTURE_STARTING)
        return;
    c->state = CAPTURE_READY;
    if (c->cb.on_state)
        c->cb.on_state(c->cb.arg, CAPTURE_READY, CAPERR_NONE, "");
}

void capture_finish(struct capture *c, enum capture_state state, enum capture_error err,
                    const char *fmt, ...)
{
    char text[TEXT_MAX] = "", clean[TEXT_MAX];
    size_t n = 0;
    va_list ap;

    if (c->state == CAPTURE_ENDED || c->state == CAPTURE_FAILED)
        return;
    if (c->name && err != CAPERR_NONE && err != CAPERR_FILTER)
        n = MIN_OF((size_t)snprintf(text, sizeof text, "%s: ", c->name), sizeof text - 1);
    va_start(ap, fmt);
    vsnprintf(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    text_clean(clean, sizeof clean, text, strlen(text));
    capture_enter(c);
    c->state = state;
    close_source(c);
    count_drops(c);
    c->round = UINT64_MAX; /* whoever waits, waits no longer */
    capture_round_done(c);
    if (c->cb.on_state)
        c->cb.on_state(c->cb.arg, state, err, clean);
    capture_leave(c);
}

void capture_finish_bytes(struct capture *c, size_t left)
{
    bool ng = c->reader.format == CAPREAD_PCAPNG;

    if (c->reader.nifs == 0 && c->reader.records == 0 && (left > 0 || !ng)) {
        if (left == 0)
            capture_finish(c, CAPTURE_FAILED, CAPERR_FILE, "%s", _("there is nothing in it"));
        else
            capture_finish(c, CAPTURE_FAILED, CAPERR_FORMAT, "%s",
                           _("it is cut inside the header of the capture"));
    } else if (left > 0) {
        c->stats.truncated++;
        capture_finish(c, CAPTURE_ENDED, CAPERR_FORMAT,
                       _("it is cut in the middle of packet %llu; what comes before was read"),
                       (unsigned long long)c->reader.records + 1);
    } else if (c->reader.records > 0 && !c->link_seen_known) {
        capture_finish(c, CAPTURE_ENDED, CAPERR_FORMAT,
                       _("its packets are of link type %u (%s), which is not read here"),
                       (unsigned)c->link_unknown, link_words(c->link_unknown));
    } else {
        capture_finish(c, CAPTURE_ENDED, CAPERR_NONE, "%s", "");
    }
}

void capture_finish_damage(struct capture *c)
{
    if (c->reader.records == 0)
        capture_finish(c, CAPTURE_FAILED, CAPERR_FORMAT, "%s", c->reader.error);
    else
        capture_finish(c, CAPTURE_ENDED, CAPERR_FORMAT,
                       _("it is damaged after packet %llu: %s; what comes before was read"),
                       (unsigned long long)c->reader.records, c->reader.error);
}

const struct capture_stats *capture_get_stats(const struct capture *c)
{
    return &c->stats;
}

enum capture_state capture_get_state(const struct capture *c)
{
    return c->state;
}

void capture_pause(struct capture *c, bool pause)
{
    if (c->ops && c->ops->pause && c->state == CAPTURE_READY)
        c->ops->pause(c, pause);
}

void capture_stop(struct capture *c)
{
    if (c->ops && c->state != CAPTURE_ENDED && c->state != CAPTURE_FAILED)
        c->ops->stop(c);
}

/* ---- settling ---- */
static void wait_end(struct settle_wait *w)
{
    struct capture *c = w->c;
    struct settle_wait **at = &c->waits;

    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
    timer_stop(w->deadline);
    if (!c->doomed)
        w->done(w->arg);
    free(w);
}

static void on_settle_deadline(void *arg)
{
    struct settle_wait *w = arg;
    struct capture *c = w->c;

    capture_enter(c);
    wait_end(w);
    capture_leave(c);
}

/* A round that runs was asked for before a new wait began: that one is served by the next. */
static void start_round(struct capture *c)
{
    c->round++;
    c->round_runs = true;
    if (!c->ops->settle(c))
        capture_round_done(c);
}

/* Waits stand oldest first, so those that are due are in front; a done() may append, free or end
 * anything, so the list is looked at afresh. */
void capture_round_done(struct capture *c)
{
    capture_enter(c);
    c->round_runs = false;
    while (c->waits && c->waits->round <= c->round && !c->doomed)
        wait_end(c->waits);
    if (c->waits && !c->round_runs && !c->doomed)
        start_round(c);
    capture_leave(c);
}

void capture_settle(struct capture *c, void (*done)(void *arg), void *arg)
{
    bool live = c->ops && c->ops->settle;
    bool over = c->state == CAPTURE_ENDED || c->state == CAPTURE_FAILED;
    struct settle_wait *w = NULL;

    if (!over && !(live && c->state == CAPTURE_STARTING))
        w = calloc(1, sizeof(*w));
    if (!w) {
        done(arg);
        return;
    }
    *w = (struct settle_wait){.c = c, .round = c->round + 1, .done = done, .arg = arg};
    struct settle_wait **at = &c->waits;
    while (*at)
        at = &(*at)->next;
    *at = w;
    if (!live) /* a file: its end settles */
        return;
    w->deadline = loop_timer(c->loop, SETTLE_MAX, 0, on_settle_deadline, w);
    if (!c->round_runs)
        start_round(c);
}
