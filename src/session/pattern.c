/*
 * What the resets have in common is looked for over all of them and becomes facts of each
 * (evidence/pattern.c). While they pour in it is looked for again once there are an eighth more;
 * at the end of the input always, so that the outcome does not depend on when it was asked for.
 */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EACH_TIME 64 /* up to so many resets a new one is looked at at once */

void session_patterns_release(struct session *s)
{
    patterns_release(&s->patterns);
    free(s->pattern_incidents);
    s->pattern_incidents = NULL;
}

static uint64_t addr_hash(const struct addr *a, uint16_t port)
{
    return hash_bytes(port, a, sizeof(*a));
}

/* An upload that was not complete: how much of it was sent. */
static uint64_t upload_cut_at(const struct reset *r)
{
    const struct app *q = &r->first_orig;
    uint64_t sent = r->bytes[SIDE_ORIG].sent;

    if (q->kind != APP_HTTP_REQUEST || q->content_length <= 0)
        return 0;
    return sent < q->header_len + (uint64_t)q->content_length ? sent : 0;
}

static struct pattern_item item_of(const struct incident *i)
{
    const struct reset *r = i->reset;
    uint64_t sent = r->bytes[SIDE_ORIG].sent, back = r->bytes[SIDE_RESP].sent;
    bool waiting = r->last_data_from == SIDE_ORIG && r->since_request != NSTIME_NONE &&
                   (r->idle == NSTIME_NONE || r->since_request / 4 >= r->idle / 5);
    bool busy =
        sent && back && r->age != NSTIME_NONE && (r->idle == NSTIME_NONE || r->idle < r->age / 2);
    bool usual = r->turns >= 3 && r->age != NSTIME_NONE && r->idle <= r->age / r->turns * 3 / 2;
    bool cut = r->harmful && r->stage != STAGE_CLOSE && !r->midstream; /* nobody had closed it */

    return (struct pattern_item){
        .service = addr_hash(&r->key.dst, r->key.dport),
        .host = addr_hash(r->from == SIDE_ORIG ? &r->key.src : &r->key.dst, 0),
        .client = addr_hash(&r->key.src, 0),
        .shape = (uint64_t)r->stage * 4 + (uint64_t)r->from * 2 + r->harmful,
        .silent = r->from == SIDE_ORIG && !sent && !back,
        .time = r->time,
        .idle = r->stage == STAGE_IDLE && !waiting && !usual ? r->idle : NSTIME_NONE,
        .wait = waiting ? r->since_request : NSTIME_NONE,
        .age = busy ? r->age : NSTIME_NONE,
        .born = cut && r->age != NSTIME_NONE ? r->time - r->age : NSTIME_NONE,
        .size = upload_cut_at(r),
        .index = r->from == SIDE_RESP ? r->turns : 0,
    };
}

static nstime span_of(const struct facts *f, enum fact_kind k)
{
    const struct fact *x = facts_get(f, k);

    return x && x->yes && x->v[0].type == VALUE_SPAN ? x->v[0].u.i : NSTIME_NONE;
}

static uint64_t number_of(const struct facts *f, enum fact_kind k)
{
    const struct fact *x = facts_get(f, k);

    return x && x->yes && x->v[0].type == VALUE_INT && x->v[0].u.i > 0 ? (uint64_t)x->v[0].u.i : 0;
}

/* An end that no packet was seen of, told by a probe's errno or by this host's table of sockets.
 * When it began is left out: our own probes begin and end together. */
static struct pattern_item item_of_facts(const struct incident *i, const struct facts *f)
{
    const struct fact *stage = facts_get(f, FACT_STAGE);
    const char *word = stage && stage->v[0].type == VALUE_TEXT ? stage->v[0].u.s : "";
    uint64_t times = number_of(f, FACT_REUSED);

    return (struct pattern_item){
        .service = addr_hash(&i->flow.dst, i->flow.dport),
        .host = addr_hash(&i->flow.dst, 0),
        .client = addr_hash(&i->flow.src, 0),
        .shape = hash_bytes(i->is_reset, word, strlen(word)),
        .time = i->time,
        .idle = span_of(f, FACT_IDLE_BEFORE),
        .wait = span_of(f, FACT_RESPONSE_WAIT),
        .age = times > 1 ? span_of(f, FACT_AGE) : NSTIME_NONE,
        .born = NSTIME_NONE,
        .size = number_of(f, FACT_REQUEST_PARTIAL),
        .index = (uint32_t)times,
    };
}

static struct pattern_item item_without_packets(const struct session *s, const struct incident *i)
{
    struct pattern_item item;
    struct facts f;

    facts_init(&f);
    incident_told(s, i, &f);
    item = item_of_facts(i, &f);
    facts_release(&f);
    return item;
}

static int items_of(const struct session *s, struct pattern_item **items, uint64_t **ids, size_t *n)
{
    *n = 0;
    *items = calloc(s->nincidents + 1, sizeof(**items));
    *ids = calloc(s->nincidents + 1, sizeof(**ids));
    if (!*items || !*ids)
        return -ENOMEM;
    for (size_t i = 0; i < s->nincidents; i++) {
        const struct incident *in = s->incidents[i];
        if (in->repeat || in->log || !(in->reset || in->flow_known))
            continue;
        (*items)[*n] = in->reset ? item_of(in) : item_without_packets(s, in);
        (*ids)[(*n)++] = in->id;
    }
    return 0;
}

/* What the incident shares, as a number: another one, another judgement. */
static uint64_t shared_by(const struct patterns *p, size_t item)
{
    uint64_t h = 0;

    for (size_t k = 0; k < PATTERN_KINDS; k++) {
        const struct pattern *one = p->of_item[item][k] ? &p->items[p->of_item[item][k] - 1] : NULL;
        if (!one)
            continue;
        h = hash_mix(h, k * 2 + one->yes + 1);
        h = hash_mix(h, hash_mix(one->nr, one->of * 1024 + one->hosts));
        h = hash_mix(h, hash_mix((uint64_t)one->value, (uint64_t)one->high));
    }
    return h;
}

/* Each incident learns its place; those that share something else than before are judged anew. */
static void hand_out(struct session *s, const uint64_t *ids, size_t n)
{
    for (size_t i = 0; i < s->nincidents; i++)
        incident_extra(s, s->incidents[i])->pattern_item = 0;
    for (size_t i = 0; i < n; i++) {
        struct incident *in = incident_get(s, ids[i]);
        struct incident_extra *x = incident_extra(s, in);
        uint64_t shared = shared_by(&s->patterns, i);
        x->pattern_item = (uint32_t)i + 1;
        if (shared != x->pattern_shared)
            incident_dirty(s, in);
        x->pattern_shared = shared;
    }
}

static bool due(const struct session *s, bool all)
{
    const struct session_private *p = s->priv;

    return all || p->input_ended || s->nincidents < EACH_TIME ||
           s->nincidents >= p->patterns_at + p->patterns_at / 8;
}

void session_find_patterns(struct session *s, bool all)
{
    struct session_private *p = s->priv;
    struct pattern_item *items;
    uint64_t *ids;
    size_t n;

    if (!p->patterns_stale || !due(s, all))
        return;
    if (items_of(s, &items, &ids, &n) == 0 && patterns_find(&s->patterns, items, n) == 0) {
        free(s->pattern_incidents);
        s->pattern_incidents = ids;
        ids = NULL;
        hand_out(s, s->pattern_incidents, n);
        p->patterns_at = s->nincidents;
        p->patterns_stale = false;
    }
    free(items);
    free(ids);
}

const struct pattern *session_pattern_of(const struct session *s, const struct incident *i,
                                         enum pattern_kind kind)
{
    uint32_t item = incident_extra(s, i)->pattern_item;
    uint32_t at = item ? s->patterns.of_item[item - 1][kind] : 0;

    return at ? &s->patterns.items[at - 1] : NULL;
}

void pattern_facts(const struct session *s, const struct incident *i, struct facts *out)
{
    for (enum pattern_kind k = PATTERN_ALIKE; k < PATTERN_KINDS; k++) {
        const struct pattern *one = session_pattern_of(s, i, k);
        struct fact f;
        if (!one)
            continue;
        pattern_fact(&f, one);
        f.packet = i->reset ? i->reset->packet : 0;
        facts_add(out, &f);
    }
}
