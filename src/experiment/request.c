/*
 * E8: which part of the request it is. A bare one first; then the request without its path, body,
 * method, each header. Of a path or body that decides, the shortest beginning that is still cut,
 * then the shortest end of that: what is left is the trigger. Only parts of what the user typed are
 * ever sent.
 */
#include "experiment/trial.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 16

enum { PATH, BODY, METHOD, HEADER };
enum { ASK_BARE, ASK_PARTS, ASK_BEGINNING, ASK_END };
struct request {
    int ask;
    const struct shot *bare, *same, *parts[HEADER + HEADERS_MAX], *one;
    int part;
    const char *text;      /* the part that decides */
    size_t from, to;       /* what of it is still cut */
    size_t low, high, mid; /* the search */
};

/* A copy of the target without some of it; its strings stay the target's. */
static const struct shot *ask(struct trial *t, const char *label, int without, const char *path,
                              const char *body, size_t body_len)
{
    const struct symptom *y = trial_symptom(t);
    struct target copy = *y->target;
    char *headers[HEADERS_MAX + 1] = {NULL};
    struct strbuf out = STRBUF_INIT;
    struct shot_plan p;
    size_t n = 0;

    for (size_t i = 0; copy.opt.headers && copy.opt.headers[i] && n < HEADERS_MAX; i++)
        if (without >= 0 && without != HEADER + (int)i)
            headers[n++] = copy.opt.headers[i];
    copy.opt.headers = headers;
    copy.opt.body = body_len ? (char *)body : NULL;
    copy.opt.body_len = body_len;
    plan_same(t, &p, label, without);
    talk_request(&out, &copy, NULL, path, without < 0 || without == METHOD ? "GET" : NULL, body_len,
                 false);
    char *all = out.err ? NULL : trial_alloc(t, out.len + body_len + 1);
    if (all) {
        memcpy(all, out.buf, out.len);
        if (body_len)
            memcpy(all + out.len, body, body_len);
        p.request = all;
        p.request_len = out.len + body_len;
    }
    strbuf_release(&out);
    return all ? trial_shoot(t, &p) : NULL;
}

static const char *own_path(const struct trial *t)
{
    const char *path = trial_symptom(t)->target->path;

    return path ? path : "/";
}

static void begin(struct trial *t, struct request *r)
{
    struct shot_plan p;

    r->bare = ask(t, N_("a bare request"), -1, "/", NULL, 0);
    plan_same(t, &p, N_("as before"), 0);
    p.control = true;
    r->same = trial_shoot(t, &p);
}

static void ask_parts(struct trial *t, struct request *r)
{
    const struct target_options *o = &trial_symptom(t)->target->opt;
    const char *path = own_path(t);

    r->ask = ASK_PARTS;
    if (strcmp(path, "/") != 0)
        r->parts[PATH] = ask(t, N_("without the path"), PATH, "/", o->body, o->body_len);
    if (o->body_len)
        r->parts[BODY] = ask(t, N_("without the body"), BODY, path, NULL, 0);
    if (o->method && !o->body_len)
        r->parts[METHOD] = ask(t, N_("by GET"), METHOD, path, o->body, o->body_len);
    for (int i = 0; o->headers && o->headers[i] && i < HEADERS_MAX; i++)
        r->parts[HEADER + i] = ask(t, trial_printf(t, "- %.20s", o->headers[i]), HEADER + i, path,
                                   o->body, o->body_len);
}

static void after_bare(struct trial *t, struct request *r)
{
    const struct symptom *y = trial_symptom(t);

    if (!r->same || !shot_as(r->same, y))
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
    else if (!shot_ended(r->bare))
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("this host could not make the connections"));
    else if (shot_cut(r->bare)) {
        trial_fact(t, FACT_REQUEST_PART, false, v_none(), v_none());
        trial_finish(t, TRIAL_SEPARATED, NULL);
    } else
        ask_parts(t, r);
}

static void say(struct trial *t, const char *what)
{
    trial_measure(t, "part", v_text(what));
    trial_fact(t, FACT_REQUEST_PART, true, v_text(what), v_none());
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

/* One step of the search: the beginning (or end) of the part up to the middle. */
static void step(struct trial *t, struct request *r)
{
    size_t from = r->ask == ASK_BEGINNING ? r->from : r->mid;
    size_t to = r->ask == ASK_BEGINNING ? r->mid : r->to;
    const char *piece = trial_printf(t, "%.*s", (int)(to - from), r->text + from);
    const struct target_options *o = &trial_symptom(t)->target->opt;

    if (r->part == PATH)
        r->one = ask(t, N_("a piece"), PATH, trial_printf(t, "/%s", piece), o->body, o->body_len);
    else
        r->one = ask(t, N_("a piece"), PATH, own_path(t), r->text + from, to - from);
}

static void search(struct trial *t, struct request *r, int which)
{
    r->ask = which;
    r->low = r->from;
    r->high = r->to;
    r->mid = r->low + (r->high - r->low) / 2;
    step(t, r);
}

/* The shortest beginning that is cut ends at `high`, the shortest end begins at `low`. */
static void narrow(struct trial *t, struct request *r)
{
    bool cut = r->one && shot_as(r->one, trial_symptom(t));

    if (r->ask == ASK_BEGINNING)
        *(cut ? &r->high : &r->low) = r->mid;
    else
        *(cut ? &r->low : &r->high) = r->mid;
    if (r->high - r->low > 1) {
        r->mid = r->low + (r->high - r->low) / 2;
        step(t, r);
        return;
    }
    if (r->ask == ASK_BEGINNING) {
        r->to = r->high;
        search(t, r, ASK_END);
        return;
    }
    r->from = r->low;
    say(t, trial_printf(t, "%s \"%.*s\"", r->part == PATH ? "path" : "body",
                        (int)MIN_OF(r->to - r->from, (size_t)60), r->text + r->from));
}

static void after_parts(struct trial *t, struct request *r)
{
    const struct target_options *o = &trial_symptom(t)->target->opt;

    r->part = -1;
    for (int i = 0; i < HEADER + HEADERS_MAX && r->part < 0; i++)
        if (shot_ended(r->parts[i]) && !shot_cut(r->parts[i]))
            r->part = i;
    if (r->part < 0) {
        trial_fact(t, FACT_REQUEST_PART, false, v_none(), v_none());
        trial_finish(t, TRIAL_SEPARATED, NULL);
    } else if (r->part == METHOD) {
        say(t, trial_printf(t, "method %s", o->method));
    } else if (r->part >= HEADER) {
        say(t, trial_printf(t, "header %.*s", (int)strcspn(o->headers[r->part - HEADER], ":"),
                            o->headers[r->part - HEADER]));
    } else {
        r->text = r->part == PATH ? own_path(t) + 1 : o->body;
        r->from = 0;
        r->to = r->part == PATH ? strlen(r->text) : o->body_len;
        search(t, r, ASK_BEGINNING);
    }
}

static void next(struct trial *t, void *state)
{
    struct request *r = state;

    if (!r->bare)
        begin(t, r);
    else if (r->ask == ASK_BARE)
        after_bare(t, r);
    else if (r->ask == ASK_PARTS)
        after_parts(t, r);
    else
        narrow(t, r);
}

static const char *unfit(const struct symptom *y)
{
    const struct target *t = y->target;

    if (y->scheme != SCHEME_HTTP && y->scheme != SCHEME_HTTPS)
        return N_("the target is not asked by HTTP");
    if (y->stage == SHOT_CONNECT || y->stage == SHOT_HANDSHAKE)
        return N_("it fails before the request is sent");
    return t->opt.body_len || t->opt.method || t->opt.headers || (t->path && strcmp(t->path, "/"))
               ? NULL
               : N_("the request is as bare as can be");
}

const struct experiment experiment_request = {
    .id = "request",
    .view = LIVE_LIST,
    .state_size = sizeof(struct request),
    .measures = {"part"},
    .unfit = unfit,
    .next = next,
};
