/*
 * E12: the request by HTTP/1.1 and by HTTP/2, and many on one connection: a server that takes only
 * so many says so by its end. And a ClientHello to a port that was spoken to in plain.
 */
#include "experiment/trial.h"

#include "wire/wire.h"

#include <string.h>

#define MANY 20

struct http {
    bool begun;
    const struct shot *same, *many, *h2, *tls, *bare;
    struct target variant; /* the target by HTTP/2; its strings stay the target's */
};

/* Only what may be repeated without harm is (RFC 9110 9.2.1). */
static bool repeatable(const struct target_options *o)
{
    return !o->body && (!o->method || !strcmp(o->method, "GET") || !strcmp(o->method, "HEAD"));
}

static void begin(struct trial *t, struct http *h)
{
    const struct symptom *y = trial_symptom(t);
    struct shot_plan p;

    h->begun = true;
    plan_same(t, &p, N_("by HTTP/1.1"), 1);
    p.control = true;
    h->same = trial_shoot(t, &p);
    if (repeatable(&y->target->opt)) {
        plan_same(t, &p, N_("many on one connection"), MANY);
        p.requests = MANY;
        h->many = trial_shoot(t, &p);
    }
    if (y->scheme == SCHEME_HTTPS) {
        plan_base(t, &p, N_("by HTTP/2"), 2);
        h->variant = *y->target;
        h->variant.scheme = SCHEME_HTTPS;
        h->variant.opt.http_version = HTTP_2;
        p.talk = TALK_PROBE;
        p.probe = &h->variant;
        p.content = true;
        h->h2 = trial_shoot(t, &p);
        return;
    }
    plan_same(t, &p, N_("a ClientHello"), 0);
    p.talk = TALK_TLS;
    p.tls.name = y->target->numeric ? NULL : y->target->host;
    p.tls.alpn = "h2,http/1.1";
    h->tls = trial_shoot(t, &p);
    if (y->scheme != SCHEME_HTTP || !repeatable(&y->target->opt))
        return;
    plan_same(t, &p, N_("one line"), 0);
    plan_request(t, &p, "", NULL, NULL, 0);
    p.first_reply = true;
    h->bare = trial_shoot(t, &p);
}

/* Redis hangs up on "Host:" without a word, but answers a line it does not know (RESP: "-ERR"). */
static void say_language(struct trial *t, const struct http *h)
{
    const struct shot *s = h->bare;
    struct app a;

    if (!s || !shot_ended(s) || s->status || !s->first[0])
        return;
    bool known = app_decode(&a, (const uint8_t *)s->first, strlen(s->first), 0, 0);
    trial_fact(t, FACT_OTHER_PROTOCOL, true,
               v_text(s->first[0] == '-'            ? "Redis"
                      : known && a.kind != APP_TEXT ? app_name(a.kind)
                                                    : "text"),
               v_text("HTTP"));
}

static void say_many(struct trial *t, const struct http *h)
{
    const struct shot *s = h->many;

    if (!shot_ended(s) || !shot_passed(h->same) || !s->answered)
        return;
    trial_measure(t, "requests", v_int(s->answered));
    if (s->answered < MANY && (s->end == SHOT_FIN || s->end == SHOT_RESET))
        trial_fact(t, FACT_REQUEST_LIMIT, true, v_int(s->answered), v_none());
    else if (s->answered >= MANY)
        trial_fact(t, FACT_REQUEST_LIMIT, false, v_int(s->answered), v_none());
}

/* One passes and the other fails: the version decides. Both fail: it does not. */
static void say_versions(struct trial *t, const struct http *h, bool by_h2)
{
    trial_measure(t, "h2", by_h2 ? v_text(shot_end_name(h->h2->end)) : v_none());
    if (!by_h2 || !shot_ended(h->same))
        return;
    bool one = shot_passed(h->same), two = shot_passed(h->h2);
    if (one != two)
        trial_fact(t, FACT_HTTP_OTHER_OK, true, v_text(one ? "HTTP/1.1" : "HTTP/2"), v_none());
    else if (!one)
        trial_fact(t, FACT_HTTP_OTHER_OK, false, v_none(), v_none());
}

static void conclude(struct trial *t, const struct http *h)
{
    const struct symptom *y = trial_symptom(t);
    bool by_h2 = shot_ended(h->h2) && h->h2->h2; /* the server chose it */

    say_many(t, h);
    say_language(t, h);
    if (shot_ended(h->tls))
        trial_fact(t, FACT_TLS_WORKS, h->tls->server_hello, v_none(), v_none());
    say_versions(t, h, by_h2);
    if (!trial_facts(t)->nr)
        trial_finish(t, TRIAL_INCONCLUSIVE,
                     h->same && shot_as(h->same, y)
                         ? N_("it fails by HTTP/1.1 too, and there is no other way to try")
                         : N_("it does not fail any more"));
    else
        trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct http *h = state;

    if (!h->begun)
        begin(t, h);
    else
        conclude(t, h);
}

static const char *unfit(const struct symptom *y)
{
    if (y->scheme != SCHEME_HTTP && y->scheme != SCHEME_HTTPS)
        return N_("the target is not asked by HTTP");
    return y->stage == SHOT_CONNECT || y->stage == SHOT_HANDSHAKE
               ? N_("it fails before the request is sent")
               : NULL;
}

const struct experiment experiment_http = {
    .id = "http",
    .view = LIVE_LIST,
    .state_size = sizeof(struct http),
    .measures = {"requests", "h2"},
    .unfit = unfit,
    .next = next,
};
