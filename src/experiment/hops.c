/*
 * E3: which hop resets. SYNs with growing TTLs name the routers and tell how far the server is;
 * then what is reset goes out with a TTL that ends at hop k, on a connection that stands: the
 * smallest TTL that still draws the reset is where its sender sits (causes.md B3). Beside each goes
 * a harmless one with the same TTL: a router answers a host 6 times in a burst, then once a second,
 * so silence says something only where the control was answered.
 *
 * A box in the way of the packets takes them before they can expire: a reset and no ICMP error. One
 * that only listens lets them expire too. A box on the last router answers at the same TTL as the
 * server; then the TTL of its reset tells: with packets of the server's own TTL refused
 * (IP_MINTTL), a reset that still comes through was made nearer by.
 */
#include "experiment/trial.h"

#define WALK     8 /* SYNs side by side */
#define FARTHEST 32
#define REPEATS  2 /* at the hop found and at the one before it */
#define AGAIN    2 /* SYNs that nobody answered are sent so often again */
/* Linux repeats a SYN after 1 s: one that is lost has a second try. */
#define SYN_PATIENCE (1500 * NS_PER_MS)

enum { ASK_WALK, ASK_CLOSE_IN, ASK_SURE, ASK_CONTROL, ASK_LAST, ASK_LAST_RESET };
struct hops {
    int ask;
    uint8_t from, distance, again;
    const struct shot *walk[FARTHEST + 1], *by_ttl_bad[FARTHEST + 1], *by_ttl_control[FARTHEST + 1];
    uint8_t none, hit; /* largest TTL without, smallest with a reset; hit 0: none */
    uint8_t asked;
    const struct shot *sure[2 * REPEATS], *sure_control;
    const struct shot *pass[3], *drop[3]; /* whether the SYN-ACK has the TTL guessed */
    const struct shot *last;
};

static const uint8_t initial_ttls[] = {64, 128, 255};

/* ---- the walk ---- */

/* Where the SYN itself is refused, another port of the host shows how far it is. */
static uint16_t walk_port(const struct symptom *y)
{
    if (y->stage != SHOT_CONNECT)
        return y->port;
    return y->port == 443 ? 80 : 443;
}

static const struct shot *syn(struct trial *t, uint16_t port, uint8_t ttl, bool control, bool alone)
{
    struct shot_plan p;

    plan_base(t, &p, control ? N_("route") : NULL, ttl);
    p.control = control;
    p.port = port;
    p.ttl_syn = ttl;
    p.timeout = MAX_OF(trial_short_patience(t), SYN_PATIENCE);
    p.content = p.count_expired = alone; /* one after the other */
    return trial_shoot(t, &p);
}

static void walk(struct trial *t, struct hops *h)
{
    for (int k = 0; k < WALK && h->from < FARTHEST; k++) {
        h->from++;
        h->walk[h->from] = syn(t, walk_port(trial_symptom(t)), h->from, true, false);
    }
}

static bool reached(const struct shot *s)
{
    return s && (s->connected != NSTIME_NONE || s->end == SHOT_REFUSED);
}

static uint8_t find_distance(const struct hops *h)
{
    for (uint8_t k = 1; k <= h->from; k++)
        if (reached(h->walk[k]))
            return k;
    return 0;
}

/* Between the last router that answered and the distance, silence may be a SYN that was lost: the
 * server could be nearer. False: there is nothing to ask again. */
static bool ask_again(struct trial *t, struct hops *h, uint8_t distance)
{
    uint8_t k = distance - 1;
    bool any = false;

    if (h->again++ >= AGAIN)
        return false;
    for (; k > 0 && h->walk[k] && !h->walk[k]->icmp; k--) {
        h->walk[k] = syn(t, walk_port(trial_symptom(t)), k, true, false);
        any |= h->walk[k] != NULL;
    }
    return any;
}

/* ---- what is reset, and the control ---- */

/* The reset answers the handshake's third packet: that one goes out with the TTL. */
static bool at_accept(const struct symptom *y)
{
    return y->stage == SHOT_HOLD;
}

static const struct shot *bad(struct trial *t, uint8_t ttl, bool alone)
{
    const struct symptom *y = trial_symptom(t);
    struct shot_plan p;

    if (y->stage == SHOT_CONNECT)
        return syn(t, y->port, ttl, false, alone);
    plan_same(t, &p, NULL, ttl);
    if (at_accept(y)) {
        plan_base(t, &p, NULL, ttl);
        p.ttl_ack = ttl;
        p.hold = trial_short_patience(t);
        p.content = p.count_expired = alone;
        return trial_shoot(t, &p);
    }
    p.count_expired = alone;
    p.ttl_data = ttl;
    p.timeout = trial_short_patience(t);
    p.first_reply = true;
    return trial_shoot(t, &p);
}

static const struct shot *control(struct trial *t, uint8_t ttl)
{
    const struct symptom *y = trial_symptom(t);
    struct shot_plan p;

    if (y->stage == SHOT_CONNECT || at_accept(y))
        return syn(t, walk_port(y), ttl, true, false);
    if (y->scheme == SCHEME_TCP) {
        plan_base(t, &p, N_("control"), ttl);
        p.talk = TALK_RAW;
        p.request = neutral_bytes;
        p.request_len = NEUTRAL_BYTES_LEN;
        p.hold = y->target->opt.hold > 0 ? y->target->opt.hold : 0;
    } else {
        plan_named(t, &p, N_("control"), neutral_name);
    }
    p.x = ttl;
    p.control = true;
    p.ttl_data = ttl;
    p.timeout = trial_short_patience(t);
    p.first_reply = true;
    return trial_shoot(t, &p);
}

static bool is_hit(const struct trial *t, const struct shot *s)
{
    const struct symptom *y = trial_symptom(t);

    return s && (s->end == SHOT_RESET || (y->stage == SHOT_CONNECT && s->end == SHOT_REFUSED));
}

static void ask(struct trial *t, struct hops *h, uint8_t ttl)
{
    h->asked = ttl;
    h->by_ttl_bad[ttl] = bad(t, ttl, false);
    h->by_ttl_control[ttl] = control(t, ttl);
}

/* ---- closing in ---- */

static void after_walk(struct trial *t, struct hops *h)
{
    h->distance = find_distance(h);
    if (!h->distance && h->from < FARTHEST) {
        walk(t, h);
        return;
    }
    if (!h->distance) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("no SYN reached the server, whatever its TTL"));
        return;
    }
    if (ask_again(t, h, h->distance))
        return;
    trial_measure(t, "distance", v_int(h->distance));
    h->ask = ASK_CLOSE_IN;
    ask(t, h, h->distance);
}

static void go_sure(struct trial *t, struct hops *h)
{
    h->ask = ASK_SURE;
    for (int i = 0; i < REPEATS; i++) {
        h->sure[2 * i] = bad(t, h->hit, true);
        h->sure[2 * i + 1] = h->none ? bad(t, h->none, true) : NULL;
    }
}

static void close_in(struct trial *t, struct hops *h)
{
    if (is_hit(t, h->by_ttl_bad[h->asked]))
        h->hit = h->asked;
    else
        h->none = h->asked;
    if (!h->hit) {
        const struct shot *s = h->by_ttl_bad[h->asked];
        trial_finish(t, TRIAL_INCONCLUSIVE,
                     s && s->end == SHOT_LOCAL ? N_("the server is too near for that")
                                               : N_("it does not fail any more"));
        return;
    }
    if (h->hit - h->none > 1)
        ask(t, h, (uint8_t)(h->none + (h->hit - h->none) / 2));
    else
        go_sure(t, h);
}

/* ---- the end ---- */

static void say_box(struct trial *t, const struct hops *h, bool in_line)
{
    char text[ADDR_TEXT_MAX];
    uint8_t hop = in_line ? h->hit - 1 : h->hit; /* 0: this host, or its own link */
    const struct shot *w = hop ? h->walk[hop] : NULL;

    trial_measure(t, "in_line", v_bool(in_line));
    trial_measure(t, "hop", v_int(hop));
    if (w && w->icmp_from.family)
        trial_measure(t, "router", v_text(addr_text(text, &w->icmp_from)));
    trial_fact(t, FACT_RESET_HOP, true, v_int(hop), v_int(h->distance));
    trial_fact(t, FACT_RESET_IN_LINE, in_line, v_none(), v_none());
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void say_server(struct trial *t, const struct hops *h)
{
    trial_fact(t, FACT_RESET_HOP, false, v_int(h->hit), v_int(h->distance));
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

/* The server's own TTL, guessed from the way: passes as the least that is let in, one more not. */
static void ask_last(struct trial *t, struct hops *h)
{
    h->ask = ASK_LAST;
    for (size_t i = 0; i < ARRAY_SIZE(initial_ttls); i++) {
        struct shot_plan p;
        uint8_t ttl = (uint8_t)(initial_ttls[i] - (h->distance - 1));
        plan_base(t, &p, N_("server's TTL"), ttl);
        p.control = true;
        p.timeout = trial_short_patience(t);
        p.port = walk_port(trial_symptom(t));
        p.min_ttl = ttl;
        h->pass[i] = trial_shoot(t, &p);
        p.min_ttl = ttl == 255 ? 0 : ttl + 1;
        h->drop[i] = p.min_ttl ? trial_shoot(t, &p) : NULL;
    }
}

static void after_last(struct trial *t, struct hops *h)
{
    const struct symptom *y = trial_symptom(t);
    struct shot_plan p;

    for (size_t i = 0; i < ARRAY_SIZE(initial_ttls); i++) {
        if (!reached(h->pass[i]) || !h->drop[i] || reached(h->drop[i]))
            continue;
        plan_same(t, &p, N_("only nearer ones heard"), h->hit);
        if (y->stage == SHOT_CONNECT) {
            plan_base(t, &p, N_("only nearer ones heard"), h->hit);
            p.min_ttl = (uint8_t)h->drop[i]->plan.min_ttl;
        } else if (at_accept(y)) {
            plan_base(t, &p, N_("only nearer ones heard"), h->hit);
            p.hold = trial_short_patience(t);
            p.min_ttl_data = (uint8_t)h->drop[i]->plan.min_ttl;
        } else {
            p.min_ttl_data = (uint8_t)h->drop[i]->plan.min_ttl;
        }
        p.first_reply = true;
        h->ask = ASK_LAST_RESET;
        h->last = trial_shoot(t, &p);
        return;
    }
    trial_finish(t, TRIAL_INCONCLUSIVE,
                 N_("the server, or a box on the last hop: their TTLs could not be compared"));
}

/* Of the repeats, how many expired beyond the box as well. */
static int expired(const struct hops *h)
{
    int n = 0;

    for (int i = 0; i < REPEATS; i++)
        n += h->sure[2 * i] && (h->sure[2 * i]->icmp || h->sure[2 * i]->expired > 0);
    return n;
}

static void after_sure(struct trial *t, struct hops *h)
{
    for (int i = 0; i < REPEATS; i++)
        if (!is_hit(t, h->sure[2 * i]) || is_hit(t, h->sure[2 * i + 1])) {
            trial_finish(t, TRIAL_INCONCLUSIVE, N_("the hop is another one each time"));
            return;
        }
    trial_measure(t, "reset_at", v_int(h->hit));
    if (h->hit == h->distance && h->distance > 1) {
        ask_last(t, h);
        return;
    }
    if (h->hit == h->distance) { /* on our own link: nothing lies between */
        trial_measure(t, "in_line", v_bool(false));
        say_server(t, h);
        return;
    }
    h->ask = ASK_CONTROL;
    h->sure_control = control(t, h->hit);
}

/* Silence of the router counts only where the control drew an answer of it. */
static void after_control(struct trial *t, struct hops *h)
{
    int icmp = expired(h);
    bool control_icmp = (h->sure_control && h->sure_control->icmp) ||
                        (h->by_ttl_control[h->hit] && h->by_ttl_control[h->hit]->icmp) ||
                        (h->walk[h->hit] && h->walk[h->hit]->icmp);

    /* The router says nothing to anybody; or only now and then. */
    if ((!icmp && !control_icmp) || (icmp && icmp < REPEATS)) {
        trial_fact(t, FACT_RESET_HOP, true, v_int(h->hit), v_int(h->distance));
        trial_finish(t, TRIAL_SEPARATED, NULL);
        return;
    }
    say_box(t, h, !icmp);
}

static void next(struct trial *t, void *state)
{
    struct hops *h = state;

    if (!h->from) {
        walk(t, h);
        return;
    }
    switch (h->ask) {
    case ASK_WALK: after_walk(t, h); break;
    case ASK_CLOSE_IN: close_in(t, h); break;
    case ASK_SURE: after_sure(t, h); break;
    case ASK_CONTROL: after_control(t, h); break;
    case ASK_LAST: after_last(t, h); break;
    default:
        if (is_hit(t, h->last))
            say_box(t, h, true);
        else
            say_server(t, h);
    }
}

static const char *unfit(const struct symptom *y)
{
    bool refused = y->stage == SHOT_CONNECT && y->end == SHOT_REFUSED;

    if (!refused && y->end != SHOT_RESET)
        return N_("nothing was reset");
    if (addr_is_loopback(&y->address))
        return N_("the target is this host");
    bool later = y->stage > SHOT_HOLD && y->scheme == SCHEME_TCP && y->silence >= NS_PER_SEC;
    return later || (y->target->opt.idle && y->target->opt.requests > 1)
               ? N_("what is reset comes after a silence")
               : NULL;
}

const struct experiment experiment_hops = {
    .id = "hops",
    .view = LIVE_HOPS,
    .state_size = sizeof(struct hops),
    .measures = {"reset_at", "distance", "in_line", "hop", "router"},
    .unfit = unfit,
    .next = next,
};
