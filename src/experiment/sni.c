/*
 * E2: the same address and port with the neutral name, a random one under it, and none; the name
 * that fails before and after. Where no name helps, bytes that mean nothing: is it the content at
 * all?
 */
#include "experiment/trial.h"

struct sni {
    int wave;
    const struct shot *neutral, *random, *none, *same, *bytes;
    const char *random_name;
};

static const struct shot *named(struct trial *t, const char *label, const char *name)
{
    struct shot_plan p;

    plan_named(t, &p, label, name);
    return trial_shoot(t, &p);
}

static void begin(struct trial *t, struct sni *x)
{
    struct shot_plan p;

    x->random_name = neutral_random_name(t);
    x->neutral = named(t, neutral_name, neutral_name);
    x->random = named(t, N_("a random name"), x->random_name);
    x->none = named(t, N_("no name"), NULL);
    plan_same(t, &p, N_("the name that fails"), 0);
    p.control = true;
    x->same = trial_shoot(t, &p);
}

/* Somebody behind the name answered: a ServerHello, an alert, a status, whatever it says. A request
 * without a Host is answered with 400 whatever is wrong (RFC 9112 3.2): that tells nothing. */
static bool answered(const struct shot *s)
{
    bool http = s && (s->plan.talk == TALK_HTTP || s->plan.talk == TALK_HTTPS);

    if (!s || !shot_ended(s))
        return false;
    return http ? s->status && s->status != 400
                : s->server_hello || s->end == SHOT_ALERT || s->end == SHOT_OK;
}

static void send_bytes(struct trial *t, struct sni *x)
{
    struct shot_plan p;

    plan_base(t, &p, N_("an empty line"), 0);
    p.talk = TALK_RAW;
    p.request = neutral_bytes;
    p.request_len = NEUTRAL_BYTES_LEN;
    p.content = true;
    x->bytes = trial_shoot(t, &p);
}

static void look_at_names(struct trial *t, struct sni *x)
{
    const struct symptom *y = trial_symptom(t);
    bool tls = y->scheme == SCHEME_TLS || y->scheme == SCHEME_HTTPS;
    const char *passed = answered(x->neutral)       ? neutral_name
                         : answered(x->random)      ? x->random_name
                         : tls && answered(x->none) ? "-" /* HTTP/1.1 without Host is an error */
                                                    : NULL;

    trial_measure(t, "passes", passed ? v_text(passed) : v_none());
    if (!x->same || !shot_as(x->same, y)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return;
    }
    if (passed) {
        trial_fact(t, FACT_NEUTRAL_SNI_OK, true, v_text(passed), v_none());
        trial_finish(t, TRIAL_SEPARATED, NULL);
        return;
    }
    if (!shot_as(x->neutral, y) || !shot_as(x->random, y)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("other names fail in another way"));
        return;
    }
    trial_fact(t, FACT_NEUTRAL_SNI_OK, false, v_text(neutral_name), v_none());
    send_bytes(t, x);
}

static void look_at_bytes(struct trial *t, struct sni *x)
{
    if (shot_ended(x->bytes))
        trial_fact(t, FACT_ANY_BYTES_CUT, shot_as(x->bytes, trial_symptom(t)), v_none(), v_none());
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct sni *x = state;

    switch (x->wave++) {
    case 0: begin(t, x); break;
    case 1: look_at_names(t, x); break;
    default: look_at_bytes(t, x);
    }
}

static const char *unfit(const struct symptom *y)
{
    if (y->stage == SHOT_CONNECT)
        return N_("it fails before a name is sent");
    if (y->scheme == SCHEME_TCP)
        return N_("no name is sent to this target");
    if (y->target->numeric && y->scheme == SCHEME_TLS)
        return N_("the target has no name");
    return NULL;
}

const struct experiment experiment_sni = {
    .id = "sni",
    .view = LIVE_LIST,
    .state_size = sizeof(struct sni),
    .measures = {"passes"},
    .unfit = unfit,
    .next = next,
};
