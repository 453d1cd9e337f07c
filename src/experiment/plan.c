/* Plans of shots: the connection as the probe made it, and what experiments change of it. */
#include "experiment/trial.h"

#include <string.h>

#define HELLO_GAP (20 * NS_PER_MS) /* between the two segments of a ClientHello */

void plan_base(const struct trial *t, struct shot_plan *p, const char *label, double x)
{
    const struct symptom *y = trial_symptom(t);

    *p = (struct shot_plan){
        .label = label,
        .x = x,
        .to = y->address,
        .port = y->port,
        .source = y->target->opt.source,
        .timeout = trial_patience(t),
    };
}

static void set_tls(struct shot_plan *p, const struct symptom *y)
{
    const struct target_options *o = &y->target->opt;
    bool web = y->scheme == SCHEME_HTTPS;
    const char *alpn = web ? "http/1.1" : y->port == 443 || y->port == 8443 ? "h2,http/1.1" : NULL;

    p->tls = (struct talk_options){
        .name = o->sni               ? (*o->sni ? o->sni : NULL)
                : y->target->numeric ? NULL
                                     : y->target->host,
        .alpn = o->alpn && !web ? (*o->alpn ? o->alpn : NULL) : alpn,
        .min = o->tls_min,
        .max = o->tls_max,
        .groups = o->groups,
        .pad = o->hello_pad > 0 ? (uint16_t)o->hello_pad : 0,
        .cert = o->cert,
        .key = o->key,
        .cacert = o->cacert,
    };
}

static const void *copy_body(struct trial *t, struct strbuf *head, const struct symptom *y,
                             size_t body_len, size_t *len)
{
    const struct target_options *o = &y->target->opt;
    size_t have = MIN_OF(body_len, o->body_len);
    char *all = head->err ? NULL : trial_alloc(t, head->len + body_len + 1);

    *len = 0;
    if (all) {
        memcpy(all, head->buf, head->len);
        if (have)
            memcpy(all + head->len, o->body, have);
        *len = head->len + have;
    }
    strbuf_release(head);
    return all;
}

void plan_request(struct trial *t, struct shot_plan *p, const char *host, const char *path,
                  const char *method, size_t body_len)
{
    const struct symptom *y = trial_symptom(t);
    const struct target_options *o = &y->target->opt;
    struct strbuf head = STRBUF_INIT;

    body_len = MIN_OF(body_len, o->body_len);
    talk_request(&head, y->target, host, path, method, body_len, false);
    p->request = copy_body(t, &head, y, body_len, &p->request_len);
    p->head_only = method ? !strcmp(method, "HEAD") : o->method && !strcmp(o->method, "HEAD");
}

void plan_same(struct trial *t, struct shot_plan *p, const char *label, double x)
{
    const struct symptom *y = trial_symptom(t);
    const struct target_options *o = &y->target->opt;

    plan_base(t, p, label, x);
    switch (y->scheme) {
    case SCHEME_TLS:
    case SCHEME_HTTPS:
        p->talk = y->scheme == SCHEME_TLS ? TALK_TLS : TALK_HTTPS;
        set_tls(p, y);
        break;
    case SCHEME_HTTP: p->talk = TALK_HTTP; break;
    default:
        p->talk = o->body_len ? TALK_RAW : TALK_NOTHING;
        p->hold = o->hold >= 0 ? o->hold : o->body_len ? 300 * NS_PER_MS : NS_PER_SEC;
        p->request = o->body;
        p->request_len = o->body_len;
    }
    if (y->scheme == SCHEME_HTTP || y->scheme == SCHEME_HTTPS)
        plan_request(t, p, NULL, NULL, NULL, o->body_len);
    if (y->scheme == SCHEME_TLS && o->hello_split) {
        p->split_at_name = true;
        p->split_gap = HELLO_GAP;
    }
    p->max_segment = o->mss > 0 ? (uint16_t)o->mss : 0;
    if (p->talk >= TALK_HTTP || p->talk == TALK_RAW) {
        if (o->idle && o->requests > 1) { /* the last of them comes after the silence */
            p->idle = o->idle;
            p->requests = (unsigned)o->requests - 1;
            p->again = p->request;
            p->again_len = p->request_len;
        } else {
            p->requests = (unsigned)MAX_OF(o->requests, 0);
        }
    }
    p->content = p->talk != TALK_NOTHING;
}

void plan_named(struct trial *t, struct shot_plan *p, const char *label, const char *name)
{
    plan_same(t, p, label, 0);
    p->tls.name = name;
    if (p->talk == TALK_HTTP || p->talk == TALK_HTTPS)
        plan_request(t, p, name ? name : "", NULL, NULL, trial_symptom(t)->target->opt.body_len);
}

/* ---- judging shots ---- */

bool shot_ended(const struct shot *s)
{
    return s && s->end != SHOT_OPEN && s->end != SHOT_CANCELLED && s->end != SHOT_LOCAL;
}

bool shot_passed(const struct shot *s)
{
    return s && s->end == SHOT_OK;
}

bool shot_cut(const struct shot *s)
{
    return s && (s->end == SHOT_RESET || s->end == SHOT_REFUSED || s->end == SHOT_FIN ||
                 s->end == SHOT_TIMEOUT || s->end == SHOT_UNREACHABLE);
}

/* A refusal stays one; a reset after the handshake may reach us as an end of the connection or as
 * an error of a write, and one stage earlier or later, by the moment it is read. */
bool shot_as(const struct shot *s, const struct symptom *y)
{
    bool before = s->stage == SHOT_CONNECT, was_before = y->stage == SHOT_CONNECT;

    if (!shot_ended(s) || before != was_before)
        return false;
    return s->end == y->end;
}

static const char *const end_words[][2] = {
    [SHOT_OPEN] = {"open", N_("running")},
    [SHOT_OK] = {"ok", N_("passed")},
    [SHOT_REFUSED] = {"refused", N_("refused")},
    [SHOT_RESET] = {"reset", N_("reset")},
    [SHOT_FIN] = {"closed", N_("closed")},
    [SHOT_TIMEOUT] = {"timeout", N_("no answer")},
    [SHOT_UNREACHABLE] = {"unreachable", N_("unreachable")},
    [SHOT_ALERT] = {"alert", N_("TLS alert")},
    [SHOT_LOCAL] = {"not-made", N_("not made")},
    [SHOT_CANCELLED] = {"cancelled", N_("cancelled")},
};

const char *shot_end_name(enum shot_end e)
{
    return end_words[e][0];
}

const char *shot_end_title(enum shot_end e)
{
    return end_words[e][1];
}

const char *shot_stage_name(enum shot_stage s)
{
    static const char *const names[] = {"waiting", "connect", "hold", "handshake",
                                        "request", "reply",   "idle", "again"};

    return names[s];
}
