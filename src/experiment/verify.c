/* E15: the handshake with nothing verified, with and without the client certificate of the target.
 */
#include "experiment/trial.h"

struct verify {
    bool begun;
    const struct shot *with, *without;
};

static const struct shot *handshake(struct trial *t, bool with_cert)
{
    struct shot_plan p;

    plan_same(t, &p, with_cert ? N_("with our certificate") : N_("without a certificate"),
              with_cert);
    p.talk = TALK_TLS;
    p.control = with_cert;
    if (!with_cert)
        p.tls.cert = p.tls.key = NULL;
    return trial_shoot(t, &p);
}

static void begin(struct trial *t, struct verify *v)
{
    v->begun = true;
    v->without = handshake(t, false);
    if (trial_symptom(t)->target->opt.cert)
        v->with = handshake(t, true);
}

static void conclude(struct trial *t, const struct verify *v)
{
    const struct shot *s = v->without, *seen = s && s->server_hello ? s : v->with;

    if (!seen || !seen->server_hello) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("the server never answered the ClientHello"));
        return;
    }
    trial_fact(t, FACT_CERT_WANTED, seen->cert_wanted, v_none(), v_none());
    if (seen->handshake)
        trial_fact(t, FACT_CERT_REJECTED, seen->cert_bad,
                   v_text(seen->cert_bad ? "its chain is not trusted here" : ""), v_none());
    trial_measure(t, "without", v_text(shot_end_name(s->end)));
    if (v->with)
        trial_measure(t, "with", v_text(shot_end_name(v->with->end)));
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct verify *v = state;

    if (!v->begun)
        begin(t, v);
    else
        conclude(t, v);
}

static const char *unfit(const struct symptom *y)
{
    if (y->scheme != SCHEME_TLS && y->scheme != SCHEME_HTTPS)
        return N_("no ClientHello is sent to this target");
    return y->stage == SHOT_CONNECT ? N_("it fails before anything is sent") : NULL;
}

const struct experiment experiment_verify = {
    .id = "verify",
    .view = LIVE_LIST,
    .state_size = sizeof(struct verify),
    .measures = {"without", "with"},
    .unfit = unfit,
    .next = next,
};
