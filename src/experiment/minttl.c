/*
 * E4: the shield. The server's TTL is closed in upon with IP_MINTTL on plain connections; then
 * what is reset goes out while packets of a lower TTL are ignored. If the session now lives, the
 * reset was forged: the server never sent it.
 */
#include "experiment/trial.h"

#define CLASSES 3
#define BETWEEN 3
#define REACH   31 /* hops a path may have */

static const uint8_t tops[CLASSES] = {64, 128, 255};

struct minttl {
    int wave;
    const struct shot *top[CLASSES], *step[BETWEEN];
    int nsteps;
    uint8_t passes, fails; /* least TTLs that let the SYN-ACK in, and kept it out */
    const struct shot *shield, *control, *same;
};

static const struct shot *meter(struct trial *t, uint8_t ttl)
{
    struct shot_plan p;

    plan_base(t, &p, N_("server's TTL"), ttl);
    p.min_ttl = ttl;
    p.timeout = trial_short_patience(t);
    return trial_shoot(t, &p);
}

static bool stands(const struct shot *s)
{
    return s && s->connected != NSTIME_NONE;
}

/* Above which initial TTL does it lie? */
static void begin(struct trial *t, struct minttl *m)
{
    for (int i = 0; i < CLASSES; i++)
        m->top[i] = meter(t, i ? tops[i - 1] + 1 : tops[0] - REACH);
}

static void add_step(struct trial *t, struct minttl *m, uint8_t at)
{
    const struct shot *s = meter(t, at);

    if (s)
        m->step[m->nsteps++] = s;
}

static void step(struct trial *t, struct minttl *m)
{
    int gap = m->fails - m->passes;

    m->nsteps = 0;
    for (int i = 1; i <= BETWEEN; i++) {
        uint8_t at = (uint8_t)(m->passes + gap * i / (BETWEEN + 1));
        if (at > m->passes && at < m->fails)
            add_step(t, m, at);
    }
}

static void shield(struct trial *t, struct minttl *m)
{
    const struct symptom *y = trial_symptom(t);
    struct shot_plan p;

    if (y->scheme == SCHEME_TCP) {
        plan_base(t, &p, N_("control behind the shield"), m->passes);
        p.talk = TALK_RAW;
        p.request = neutral_bytes;
        p.request_len = NEUTRAL_BYTES_LEN;
    } else {
        plan_named(t, &p, N_("control behind the shield"), neutral_name);
    }
    p.x = p.min_ttl = m->passes;
    p.control = true;
    m->control = trial_shoot(t, &p);
    plan_same(t, &p, N_("as before"), 0);
    p.control = true;
    m->same = trial_shoot(t, &p);
    plan_same(t, &p, N_("behind the shield"), m->passes);
    p.min_ttl = m->passes;
    m->shield = trial_shoot(t, &p);
}

static void after_top(struct trial *t, struct minttl *m)
{
    int c = 0;

    while (c + 1 < CLASSES && stands(m->top[c + 1]))
        c++;
    if (!stands(m->top[c])) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("the server's TTL could not be measured"));
        return;
    }
    m->passes = c ? (uint8_t)MAX_OF(tops[c - 1] + 1, tops[c] - REACH) : tops[0] - REACH;
    m->fails = tops[c] == 255 ? 255 : tops[c] + 1;
    if (c) /* between the classes nothing is known yet: the reach is tried like a step */
        add_step(t, m, m->passes);
    else
        step(t, m);
}

static void after_step(struct trial *t, struct minttl *m)
{
    for (int i = 0; i < m->nsteps; i++) {
        uint8_t at = (uint8_t)m->step[i]->plan.x;
        if (stands(m->step[i]))
            m->passes = MAX_OF(m->passes, at);
        else
            m->fails = MIN_OF(m->fails, at);
    }
    if (m->fails <= m->passes) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("the server's TTL is another one each time"));
        return;
    }
    if (m->fails - m->passes > 1) {
        step(t, m);
        return;
    }
    trial_measure(t, "server_ttl", v_int(m->passes));
    shield(t, m);
}

static void conclude(struct trial *t, const struct minttl *m)
{
    const struct symptom *y = trial_symptom(t);
    bool lives = m->shield && !shot_as(m->shield, y) && m->shield->end != SHOT_TIMEOUT;

    if (!m->same || !shot_as(m->same, y)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return;
    }
    /* A server may close on bytes it does not know, but it must be heard through the shield. */
    if (!m->control || !shot_ended(m->control) || m->control->end == SHOT_TIMEOUT) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("the harmless control does not pass either"));
        return;
    }
    if (!shot_ended(m->shield)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("this host could not make the connections"));
        return;
    }
    trial_measure(t, "survived", v_bool(lives));
    trial_fact(t, FACT_TTL_SHIELD, lives, v_int(m->passes), v_none());
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct minttl *m = state;

    if (m->wave++ == 0)
        begin(t, m);
    else if (m->wave == 2)
        after_top(t, m);
    else if (m->shield)
        conclude(t, m);
    else
        after_step(t, m);
}

static const char *unfit(const struct symptom *y)
{
    if (y->stage == SHOT_CONNECT || y->end != SHOT_RESET)
        return N_("no standing connection was reset");
    return addr_is_loopback(&y->address) ? N_("the target is this host") : NULL;
}

const struct experiment experiment_minttl = {
    .id = "minttl",
    .view = LIVE_LIST,
    .state_size = sizeof(struct minttl),
    .measures = {"server_ttl", "survived"},
    .unfit = unfit,
    .next = next,
};
