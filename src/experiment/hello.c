/*
 * E5: other shapes of the ClientHello: small, padded beyond a segment, split in the middle of the
 * name, two writes, TLS 1.2 alone, with one old group alone, and with the hybrid post-quantum group
 * where the library has it. And plain HTTP, in case the port speaks no TLS at all. A shape that the
 * target's own options give it already is not tried: it would be the control once more.
 */
#include "experiment/trial.h"

#include <string.h>

#define PAD 1400

enum { SMALL, PADDED, SPLIT, WRITES, OLD, GROUP, QUANTUM, PLAIN, SAME, SHAPES };
static const char *const labels[SHAPES] = {
    [SMALL] = N_("small"),
    [PADDED] = N_("over one segment"),
    [SPLIT] = N_("split in the name"),
    [WRITES] = N_("two writes"),
    [OLD] = N_("TLS 1.2 alone"),
    [GROUP] = N_("one old group alone"),
    [QUANTUM] = N_("post-quantum group"),
    [PLAIN] = N_("plain HTTP"),
    [SAME] = N_("as before"),
};

struct hello {
    bool begun;
    const struct shot *shots[SHAPES];
};

static void shape(struct trial *t, struct shot_plan *p, int which)
{
    plan_same(t, p, labels[which], which);
    p->control = which == SAME;
    switch (which) {
    case SMALL:
        p->tls.groups = "X25519";
        p->tls.alpn = NULL;
        p->tls.pad = 0;
        break;
    case PADDED: p->tls.pad = PAD; break;
    case SPLIT:
        p->split_at_name = true;
        p->split = p->tls.name ? 0 : 60;
        p->split_gap = 100 * NS_PER_MS;
        break;
    case WRITES:
        p->split = 5; /* the record's head alone */
        p->split_gap = 20 * NS_PER_MS;
        break;
    case OLD: p->tls.max = 0x0303; break;
    case GROUP: p->tls.groups = "P-256"; break;
    case QUANTUM: p->tls.groups = "X25519MLKEM768:X25519"; break;
    case PLAIN:
        p->talk = TALK_HTTP;
        p->first_reply = true;
        plan_request(t, p, NULL, "/", "HEAD", 0);
        break;
    default: break;
    }
}

/* The target asks for that shape itself. */
static bool own_shape(const struct target_options *o, int which)
{
    switch (which) {
    case PADDED: return o->hello_pad >= PAD;
    case SPLIT: return o->hello_split;
    case OLD: return o->tls_max && o->tls_max <= 0x0303;
    case GROUP: return o->groups && !strcmp(o->groups, "P-256");
    case QUANTUM: return o->groups && strstr(o->groups, "MLKEM");
    default: return false;
    }
}

static void begin(struct trial *t, struct hello *h)
{
    h->begun = true;
    for (int i = 0; i < SHAPES; i++) {
        struct shot_plan p;
        if (own_shape(&trial_symptom(t)->target->opt, i))
            continue;
        shape(t, &p, i);
        h->shots[i] = trial_shoot(t, &p);
    }
}

static bool answered(const struct shot *s)
{
    return s && shot_ended(s) && (s->server_hello || (s->end == SHOT_ALERT && s->alert));
}

static void say_plain(struct trial *t, const struct shot *s)
{
    if (!shot_ended(s))
        return;
    if (s->status || (s->got && s->first[0] && s->end == SHOT_OK))
        trial_fact(t, FACT_PLAIN_WORKS, true, v_text(s->status ? "HTTP" : "text"), v_none());
    else
        trial_fact(t, FACT_PLAIN_WORKS, false, v_none(), v_none());
}

static void conclude(struct trial *t, const struct hello *h)
{
    const struct symptom *y = trial_symptom(t);
    const struct shot *const *s = h->shots;
    static const char *const names[SHAPES] = {
        "small", "padded", "split", "writes", "tls12", "one_group", "post_quantum", "plain", NULL};

    for (int i = 0; i < SHAPES; i++)
        if (names[i] && s[i])
            trial_measure(t, names[i],
                          s[i]->end == SHOT_LOCAL ? v_text("not-supported")
                                                  : v_text(shot_end_name(s[i]->end)));
    if (!s[SAME] || !shot_as(s[SAME], y)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return;
    }
    say_plain(t, s[PLAIN]);
    if (shot_ended(s[SMALL]))
        trial_fact(t, FACT_SMALL_HELLO_OK, answered(s[SMALL]), v_none(), v_none());
    if (shot_ended(s[SPLIT]))
        trial_fact(t, FACT_SPLIT_HELLO_OK, answered(s[SPLIT]) || answered(s[WRITES]), v_none(),
                   v_none());
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct hello *h = state;

    if (!h->begun)
        begin(t, h);
    else
        conclude(t, h);
}

static const char *unfit(const struct symptom *y)
{
    if (y->scheme != SCHEME_TLS && y->scheme != SCHEME_HTTPS)
        return N_("no ClientHello is sent to this target");
    return y->stage == SHOT_HANDSHAKE ? NULL : N_("it does not fail in the TLS handshake");
}

const struct experiment experiment_hello = {
    .id = "hello",
    .view = LIVE_LIST,
    .state_size = sizeof(struct hello),
    .measures = {"small", "padded", "split", "writes", "tls12", "one_group", "post_quantum",
                 "plain"},
    .unfit = unfit,
    .next = next,
};
