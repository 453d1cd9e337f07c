/*
 * E7: how large it may be, to the byte. Where something hangs, first the packets: with TCP_MAXSEG
 * both ends send small ones, up and down the path; the largest that still gets through is what the
 * path takes. Then the body of the request: the largest that passes is the server's (or a proxy's)
 * limit.
 */
#include "experiment/trial.h"

#define AT_ONCE      3   /* segment sizes tried side by side; bodies go one after the other */
#define SEGMENT_LOW  256 /* MSS: IPv4 must carry 576 bytes, IPv6 1280; tunnels leave little */
#define SEGMENT_HIGH 1460
#define SEGMENT_MOST 32767 /* TCP_MAXSEG takes no more */
#define HEADS_V4     40    /* IPv4 20, TCP 20; options are in the MSS */
#define HEADS_V6     60
#define STAMPS       12 /* RFC 7323: timestamps, padded; they are in every segment */

struct size {
    int wave;
    bool segments, down;  /* packet sizes, and which way; else bodies */
    size_t passes, fails; /* the largest that passed, the smallest that failed; 0 none */
    const struct shot *small, *same, *shots[AT_ONCE];
    int nshots;
};

static void plan_segment(struct trial *t, struct shot_plan *p, const struct size *z, size_t n)
{
    p->max_segment = (uint16_t)n;
    p->acked_is_enough = z->wave > 1 && !z->down && p->talk != TALK_TLS;
    p->hold = 0;
    p->content = false;
    p->timeout = 2 * trial_short_patience(t);
}

static const struct shot *shoot(struct trial *t, const struct size *z, size_t n, bool control)
{
    struct shot_plan p;

    plan_same(t, &p, control ? N_("control") : NULL, (double)n);
    p.control = control;
    if (z->segments) {
        plan_segment(t, &p, z, n);
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

/* Up the path all of it must be acknowledged, down the path the answer must come. */
static bool passed(const struct trial *t, const struct size *z, const struct shot *s)
{
    bool hangs_early = trial_symptom(t)->stage == SHOT_HANDSHAKE;

    if (!z->segments)
        return s->end == SHOT_OK && (s->status == 0 || s->status < 400);
    if (s->end == SHOT_OK || s->end == SHOT_ALERT || (hangs_early && s->handshake))
        return true; /* further than the stage that hangs */
    return !z->down && s->connected != NSTIME_NONE && s->sent && !s->unacked;
}

/* What the failing one used: its packets were as large as the first link takes. */
static size_t segment_of(const struct shot *s)
{
    int heads = s->plan.to.family == 6 ? HEADS_V6 : HEADS_V4;

    return s->pmtu > heads + SEGMENT_LOW ? MIN_OF((size_t)(s->pmtu - heads), (size_t)SEGMENT_MOST)
                                         : SEGMENT_HIGH;
}

static void begin_bodies(struct trial *t, struct size *z)
{
    z->segments = false;
    z->fails = trial_symptom(t)->target->opt.body_len;
    z->passes = 0;
    z->small = shoot(t, z, z->passes, true);
    z->same = shoot(t, z, z->fails, true);
}

static void begin(struct trial *t, struct size *z)
{
    if (trial_symptom(t)->end != SHOT_TIMEOUT) {
        begin_bodies(t, z);
        return;
    }
    z->segments = true;
    z->small = shoot(t, z, SEGMENT_LOW, true);
    struct shot_plan p;
    plan_same(t, &p, N_("as before"), 0);
    plan_segment(t, &p, z, 0);
    p.control = true;
    z->same = trial_shoot(t, &p);
}

static void none(struct trial *t, struct size *z)
{
    trial_fact(t, z->segments ? FACT_SEGMENT_LIMIT : FACT_SIZE_LIMIT, false, v_none(), v_none());
    if (z->segments && trial_symptom(t)->target->opt.body_len) {
        z->wave = 1;
        begin_bodies(t, z);
        return;
    }
    trial_measure(t, "kind", v_text("none"));
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

/* True: what passed and what did not are known, and the search begins. */
static bool controls(struct trial *t, struct size *z)
{
    if (!shot_ended(z->small) || !shot_ended(z->same)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("this host could not make the connections"));
        return false;
    }
    if (z->segments) {
        z->down = !z->same->unacked;
        z->passes = SEGMENT_LOW;
        z->fails = segment_of(z->same);
    }
    if (passed(t, z, z->same)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return false;
    }
    if (!passed(t, z, z->small)) {
        none(t, z);
        return false;
    }
    return true;
}

/* Even steps between what passed and what failed. Bodies go out a second apart anyway: halves. */
static void split(struct trial *t, struct size *z)
{
    size_t gap = z->fails - z->passes;
    size_t n = MIN_OF(gap - 1, z->segments ? (size_t)AT_ONCE : (size_t)1);

    z->nshots = 0;
    for (size_t i = 1; i <= n; i++) {
        const struct shot *s = shoot(t, z, z->passes + gap * i / (n + 1), false);
        if (s)
            z->shots[z->nshots++] = s;
    }
}

static bool narrow(const struct trial *t, struct size *z)
{
    bool any = false;

    for (int i = 0; i < z->nshots; i++) {
        const struct shot *s = z->shots[i];
        size_t n = (size_t)s->plan.x;
        if (!shot_ended(s))
            continue;
        any = true;
        if (passed(t, z, s))
            z->passes = MAX_OF(z->passes, n);
    }
    for (int i = 0; i < z->nshots; i++) {
        const struct shot *s = z->shots[i];
        size_t n = (size_t)s->plan.x;
        if (shot_ended(s) && !passed(t, z, s) && n > z->passes)
            z->fails = MIN_OF(z->fails, n);
    }
    return any;
}

static void conclude(struct trial *t, const struct size *z)
{
    int heads = trial_symptom(t)->address.family == 6 ? HEADS_V6 : HEADS_V4;
    int64_t limit = (int64_t)z->passes;

    if (z->segments) {
        trial_measure(t, "limit_bytes", v_int(limit - STAMPS));
        trial_measure(t, "mtu", v_int(limit + heads));
        trial_measure(t, "kind", v_text(z->down ? "packets-down" : "packets-up"));
        trial_fact(t, FACT_SEGMENT_LIMIT, true, v_int(limit + heads),
                   v_text(z->down ? "from the server" : "to the server"));
    } else {
        trial_measure(t, "limit_bytes", v_int(limit));
        trial_measure(t, "kind", v_text("body"));
        trial_fact(t, FACT_SIZE_LIMIT, true, v_int(limit), v_none());
    }
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct size *z = state;

    if (z->wave++ == 0) {
        begin(t, z);
        return;
    }
    if (z->wave == 2) {
        if (!controls(t, z))
            return;
    } else if (!narrow(t, z)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("this host could not make the connections"));
        return;
    }
    if (z->fails - z->passes <= 1) {
        conclude(t, z);
        return;
    }
    split(t, z);
    if (!z->nshots) { /* between the two it lies: that much is known */
        trial_measure(t, "limit_bytes", v_int((int64_t)z->passes));
        trial_measure(t, "fails_bytes", v_int((int64_t)z->fails));
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("its connections are used up before the byte"));
    }
}

static const char *unfit(const struct symptom *y)
{
    if (y->stage == SHOT_CONNECT)
        return N_("it fails before anything is sent");
    if (y->target->opt.body_len || y->end == SHOT_TIMEOUT)
        return NULL;
    return N_("the target's request has no body that could be smaller");
}

const struct experiment experiment_size = {
    .id = "size",
    .view = LIVE_CLIFF,
    .state_size = sizeof(struct size),
    .measures = {"limit_bytes", "fails_bytes", "kind", "mtu"},
    .unfit = unfit,
    .next = next,
};
