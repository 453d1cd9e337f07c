/*
 * Shots that the prober makes: a variant of the target, probed once at one address. What it says of
 * the failed stage becomes the shot's end, as the first failure became the symptom.
 */
#include "experiment/flight.h"

#include <errno.h>
#include <string.h>

static void on_chain(void *arg, uint32_t target, uint64_t chain, const struct flow_key *flow)
{
    struct flight *f = arg;

    (void)target;
    (void)chain;
    if (f->sh->on_flow && flow->sport)
        f->sh->on_flow(f->sh->arg, flow);
}

static void note(struct shot *s, const struct target *t, const struct result *r)
{
    const struct field *status = result_field(r, "status");
    const struct field *version = result_field(r, "http_version");
    const struct field *alpn = result_field(r, "alpn");
    struct symptom y;

    if (s->connected == NSTIME_NONE && r->timings[TIMING_CONNECT] != NSTIME_NONE)
        s->connected = r->timings[TIMING_CONNECT];
    if (status && status->value.type == VALUE_INT)
        s->status = (int)status->value.u.i;
    if (version && version->value.type == VALUE_TEXT)
        s->h2 = !strcmp(version->value.u.s, "2");
    else if (alpn && alpn->value.type == VALUE_TEXT)
        s->h2 = !strcmp(alpn->value.u.s, "h2");
    if (r->outcome == OUTCOME_OK) {
        s->end = SHOT_OK;
    } else if (!symptom_of_result(&y, t, r, t->scheme)) {
        s->end = y.end;
        s->stage = y.stage;
        s->silent = y.silence;
    } else if (r->outcome == OUTCOME_FAILED) {
        s->end = SHOT_LOCAL;
    }
}

static void on_result(void *arg, struct result *r)
{
    struct flight *f = arg;

    if (f->s && !f->over && r->outcome != OUTCOME_SKIPPED)
        note(f->s, f->s->plan.probe, r);
    result_free(r);
}

static void on_done(void *arg, uint32_t target, uint32_t round)
{
    struct flight *f = arg;

    (void)target;
    (void)round;
    f->asked = false;
    if (!f->s || f->over)
        return;
    if (f->s->end == SHOT_OPEN)
        f->s->end = SHOT_LOCAL;
    asked_over(f);
}

int asked_begin(struct flight *f)
{
    struct probe_callbacks cb = {on_chain, on_result, on_done, f};
    struct prober_settings none = {0};
    struct real_shooter *sh = f->sh;

    if (!sh->prober)
        sh->prober = prober_new(sh->loop, &none);
    if (!sh->prober)
        return -ENOMEM;
    f->asked = true;
    int rc = prober_repeat(sh->prober, f->s->plan.probe, &f->s->plan.to, 1, &cb);
    if (rc)
        f->asked = false;
    return rc;
}

/* The prober tells the end at once; nobody listens any more. */
void asked_cancel(struct flight *f)
{
    if (!f->asked)
        return;
    f->over = true;
    prober_cancel(f->sh->prober);
    f->asked = false;
}
