/*
 * E7: how large it may be, to the byte. Where nothing comes back (a stall), the size of the first
 * segment is swept: the largest that is acknowledged is what the path takes. Else the body of the
 * request: the largest that passes is the server's (or a proxy's) limit.
 */
#include "experiment/trial.h"

#define AT_ONCE       6 /* sizes tried side by side */
#define SEGMENT_LEAST 200
#define SEGMENT_MOST  65000 /* loopback and jumbo frames too */
#define TCP_HEADS_V4  52    /* IPv4 20, TCP 20, timestamps 12 (RFC 7323: padded) */
#define TCP_HEADS_V6  72

struct size {
    int wave;
    bool segments;        /* else bodies */
    size_t passes, fails; /* the largest that passed, the smallest that failed; 0 none */
    const struct shot *small, *same, *shots[AT_ONCE];
    int nshots;
};

static const struct shot *shoot(struct trial *t, const struct size *z, size_t n, bool control)
{
    struct shot_plan p;

    plan_same(t, &p, control ? N_("control") : NULL, (double)n);
    p.control = control;
    if (z->segments) {
        p.split = n;
        p.split_gap = 60 * NS_PER_SEC; /* the rest never follows */
        p.acked_is_enough = true;
        p.talk = TALK_RAW;
        p.hold = 0;
        p.content = false;
        p.timeout = 2 * trial_short_patience(t);
    } else {
        plan_request(t, &p, NULL, NULL, NULL, n);
        if (p.talk == TALK_RAW || p.talk == TALK_NOTHING) {
            p.talk = TALK_RAW;
            p.request = trial_symptom(t)->target->opt.body;
            p.request_len = n;
        }
    }
    return trial_shoot(t, &p);
}

/* All that the target sends, as one row of bytes: what is cut into segments of the size wanted. */
static size_t length(struct trial *t)
{
    struct shot_plan p;

    plan_same(t, &p, NULL, 0);
    return p.request_len;
}

static bool passed(const struct size *z, const struct shot *s)
{
    if (z->segments)
        return s->end == SHOT_OK;
    return s->end == SHOT_OK && (s->status == 0 || s->status < 400);
}

static void begin(struct trial *t, struct size *z)
{
    const struct symptom *y = trial_symptom(t);
    size_t whole = length(t);

    z->segments = y->end == SHOT_TIMEOUT && whole > SEGMENT_LEAST && y->scheme != SCHEME_TLS &&
                  y->scheme != SCHEME_HTTPS;
    z->fails = z->segments ? MIN_OF(whole, SEGMENT_MOST) : y->target->opt.body_len;
    z->passes = z->segments ? SEGMENT_LEAST : 0;
    z->small = shoot(t, z, z->passes, true);
    z->same = shoot(t, z, z->fails, true);
}

static void controls(struct trial *t, struct size *z)
{
    if (!shot_ended(z->small) || !shot_ended(z->same))
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("this host could not make the connections"));
    else if (passed(z, z->same))
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
    else if (!passed(z, z->small)) {
        trial_fact(t, FACT_SIZE_LIMIT, false, v_none(), v_none());
        trial_measure(t, "kind", v_text("none"));
        trial_finish(t, TRIAL_SEPARATED, NULL);
    }
}

/* Even steps between what passed and what failed; a whole segment's worth at first. */
static void split(struct trial *t, struct size *z)
{
    size_t gap = z->fails - z->passes, n = MIN_OF(gap - 1, (size_t)AT_ONCE);

    z->nshots = 0;
    for (size_t i = 1; i <= n; i++) {
        const struct shot *s = shoot(t, z, z->passes + gap * i / (n + 1), false);
        if (s)
            z->shots[z->nshots++] = s;
    }
}

static bool narrow(struct size *z)
{
    bool any = false;

    for (int i = 0; i < z->nshots; i++) {
        const struct shot *s = z->shots[i];
        size_t n = (size_t)s->plan.x;
        if (!shot_ended(s))
            continue;
        any = true;
        if (passed(z, s))
            z->passes = MAX_OF(z->passes, n);
    }
    for (int i = 0; i < z->nshots; i++) {
        const struct shot *s = z->shots[i];
        size_t n = (size_t)s->plan.x;
        if (shot_ended(s) && !passed(z, s) && n > z->passes)
            z->fails = MIN_OF(z->fails, n);
    }
    return any;
}

static void conclude(struct trial *t, const struct size *z)
{
    int heads = trial_symptom(t)->address.family == 6 ? TCP_HEADS_V6 : TCP_HEADS_V4;

    trial_fact(t, FACT_SIZE_LIMIT, true, v_int((int64_t)z->passes), v_none());
    trial_measure(t, "limit_bytes", v_int((int64_t)z->passes));
    trial_measure(t, "kind", v_text(z->segments ? "segment" : "body"));
    if (z->segments)
        trial_measure(t, "mtu", v_int((int64_t)z->passes + heads));
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct size *z = state;

    if (z->wave++ == 0) {
        begin(t, z);
        return;
    }
    if (z->wave == 2)
        controls(t, z);
    else if (!narrow(z))
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("this host could not make the connections"));
    if (trial_done(t))
        return;
    if (z->fails - z->passes <= 1) {
        conclude(t, z);
        return;
    }
    split(t, z);
    if (!z->nshots) {
        trial_measure(t, "limit_bytes", v_int((int64_t)z->passes));
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("its connections are used up before the byte"));
    }
}

static const char *unfit(const struct symptom *y)
{
    if (y->stage == SHOT_CONNECT)
        return N_("it fails before anything is sent");
    if (y->target->opt.body_len)
        return NULL;
    return y->end == SHOT_TIMEOUT && y->scheme == SCHEME_HTTP
               ? NULL
               : N_("the target's request has no body that could be smaller");
}

const struct experiment experiment_size = {
    .id = "size",
    .view = LIVE_CLIFF,
    .state_size = sizeof(struct size),
    .measures = {"limit_bytes", "kind", "mtu"},
    .unfit = unfit,
    .next = next,
};
