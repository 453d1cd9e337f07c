/*
 * Who made the reset (causes.md B): log-odds for "not the host whose address it bears", from the
 * features B1 weighs, and then where. An honest "unknown" when there was nothing to compare with.
 */
#include "cause/catalogue.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRIOR (-150) /* most resets are the host's own */

/* For (> 0) or against somebody else having sent it; families as everywhere. */
static const struct weight features[] = {
    Y(RST_NO_HOP, 500),
    N(RST_NO_HOP, -30),
    Y(RST_TTL_DIFFERS, 350),
    N(RST_TTL_DIFFERS, -100),
    Y(RST_IPID_ODD, 80),
    N(RST_IPID_ODD, -60),
    Y(RST_IPID_COPIED, 200),
    Y(RST_DF_LOST, 60),
    Y(RST_OPTIONS_ODD, 80),
    N(RST_OPTIONS_ODD, -80),
    Y(RST_WINDOW_ODD, 60),
    Y(RST_SEQ_INEXACT, 80),
    N(RST_SEQ_INEXACT, -20),
    Y(RST_OUT_OF_WINDOW, 30),
    Y(RST_ACK_ODD, 40),
    Y(RST_FAN, 400),
    Y(RST_TRAIN, 200),
    Y(RST_MIXED, 200),
    Y(RST_LABEL_DIFFERS, 100),
    Y(RST_MAC_DIFFERS, 200),
    Y(RST_BEFORE_RTT, 500),
    N(RST_BEFORE_RTT, -30),
    YIN(DATA_AFTER_RST, 1, 1e18, 400),
    N(DATA_AFTER_RST, -30),
    Y(RST_CHECKSUM_BAD, 50),
    Y(RST_BOTH_WAYS, 350),
    Y(SPOKEN_FOR, 500),
    Y(CLIENT_ABORTED_SYN, -300),
    N(OUT_RSTS, 600),
    Y(OUT_RSTS, -800),
    N(KERNEL_SENT, 600),
    Y(KERNEL_SENT, -800),
    Y(NEUTRAL_SNI_OK, 300),
    Y(RESET_HOP, 800),
    Y(TTL_SHIELD, 800),
    YIN(ABORT_ON_CLOSE, 1, 1, -400),
    YIN(ABORT_ON_DATA, 1, 1, -400),
    Y(UNREAD_AT_CLOSE, -400),
    Y(DROPPED_AT_ONCE, -400),
    Y(OTHER_END_LIVES, 400),
    N(PORT_REUSED_LISTEN, -400),
};

static int number(const struct view *v, enum fact_kind k, int i, int missing)
{
    const struct fact *f = v->by[k];
    return f && f->yes && f->v[i].type == VALUE_INT ? (int)f->v[i].u.i : missing;
}

static double seconds(const struct view *v, enum fact_kind k, int i)
{
    const struct fact *f = v->by[k];
    if (!f || f->v[i].type != VALUE_SPAN || f->v[i].u.i == NSTIME_NONE)
        return -1;
    return (double)f->v[i].u.i / NS_PER_SEC;
}

/* Where a box sits that is not the host: by the hops its packets passed against the host's, and by
 * how soon it answered. */
static enum sender place(const struct view *v)
{
    int hops = number(v, FACT_RST_HOPS, 0, -1), host = number(v, FACT_RST_HOPS, 1, -1);
    double delay = seconds(v, FACT_RST_DELAY, 0), rtt = seconds(v, FACT_RST_DELAY, 1);
    bool from_server = v->from == SIDE_RESP;
    enum sender near_it = from_server ? SENDER_NEAR_SERVER : SENDER_NEAR_CLIENT;
    enum sender far_off = from_server ? SENDER_NEAR_CLIENT : SENDER_NEAR_SERVER;

    if (view_yes(v, FACT_SPOKEN_FOR) || view_yes(v, FACT_RST_NO_HOP))
        return far_off;
    if (view_yes(v, FACT_RST_BEFORE_RTT) && delay >= 0 && rtt > 0 && delay < rtt / 3)
        return far_off;
    if (hops < 0 || host < 0)
        return view_yes(v, FACT_RST_BEFORE_RTT) ? SENDER_MID_PATH : near_it;
    if (abs(hops - host) <= 2 && 2 * hops >= host)
        return near_it;
    return hops <= 3 && hops < host ? far_off : SENDER_MID_PATH;
}

static bool comparable(const struct view *v)
{
    static const enum fact_kind compared[] = {
        FACT_RST_TTL_DIFFERS, FACT_OUT_RSTS,        FACT_RST_FAN,        FACT_PORT_REUSED_LISTEN,
        FACT_RESET_HOP,       FACT_UNREAD_AT_CLOSE, FACT_DROPPED_AT_ONCE};

    for (size_t i = 0; i < ARRAY_SIZE(compared); i++)
        if (v->by[compared[i]])
            return true;
    /* The answer to a SYN is the host's first packet; a stateless reply has no packets to be
     * compared with, but numbers that fit exactly. */
    return v->end == END_REFUSE || (v->end == END_PASSIVE && view_no(v, FACT_RST_SEQ_INEXACT));
}

/* The odds in centinats, and the list of why; the family rule as in the judge. */
static int weigh(struct judgement *j, const struct view *v)
{
    int sum = PRIOR;

    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        const struct weight *w = &features[i];
        if (!v->by[w->kind] || !weight_applies(w, v->by[w->kind]))
            continue;
        bool strongest = true;
        const char *family = fact_info(w->kind)->family;
        for (size_t k = 0; k < ARRAY_SIZE(features); k++)
            if (k != i && *family && !strcmp(fact_info(features[k].kind)->family, family) &&
                v->by[features[k].kind] && weight_applies(&features[k], v->by[features[k].kind]) &&
                (features[k].centinats > 0) == (w->centinats > 0) &&
                (abs(features[k].centinats) > abs(w->centinats) ||
                 (abs(features[k].centinats) == abs(w->centinats) && k < i)))
                strongest = false;
        int counted = strongest ? w->centinats : w->centinats / 10;
        sum += counted;
        j->sender_why[j->nsender_why++] = (struct weighed){w->kind, abs(counted) >= 150, counted};
    }
    return sum;
}

static void why(struct judgement *j, const struct view *v, enum fact_kind k)
{
    if (v->by[k])
        j->sender_why[j->nsender_why++] = (struct weighed){k, true, 300};
}

static int heavier(const void *x, const void *y)
{
    const struct weighed *a = x, *b = y;

    if (abs(a->centinats) != abs(b->centinats))
        return abs(a->centinats) > abs(b->centinats) ? -1 : 1;
    return a->kind < b->kind ? -1 : 1;
}

/* What settles it before any weighing. */
static bool settled(struct judgement *j, const struct view *v)
{
    if (view_yes(v, FACT_RST_OUTBOUND) || view_yes(v, FACT_LOCAL_DESTROYED)) {
        j->sender = SENDER_LOCAL;
        j->sender_confidence = .97;
        why(j, v, FACT_RST_OUTBOUND);
        why(j, v, FACT_LOCAL_DESTROYED);
        return true;
    }
    if (view_yes(v, FACT_LOCAL_REJECT_RULE) || view_yes(v, FACT_LOCAL_RULE_REJECTS)) {
        j->sender = SENDER_LOCAL;
        j->sender_confidence = .95;
        why(j, v, FACT_LOCAL_RULE_REJECTS);
        why(j, v, FACT_LOCAL_REJECT_RULE);
        return true;
    }
    if (view_yes(v, FACT_OTHER_END_LIVES) && view_no(v, FACT_OUT_RSTS)) {
        j->sender = SENDER_PEER_FIREWALL;
        j->sender_confidence = .95;
        why(j, v, FACT_OTHER_END_LIVES);
        why(j, v, FACT_OUT_RSTS);
        return true;
    }
    if (view_no(v, FACT_OUT_RSTS) && view_no(v, FACT_RST_TTL_DIFFERS)) {
        j->sender = SENDER_PEER_FIREWALL;
        j->sender_confidence = .95;
        why(j, v, FACT_OUT_RSTS);
        why(j, v, FACT_RST_TTL_DIFFERS);
        return true;
    }
    return false;
}

bool view_any_reset(const struct view *v)
{
    return view_yes(v, FACT_RST_SEEN) || v->by[FACT_RST_CLASS] || view_yes(v, FACT_CONN_RESET) ||
           view_yes(v, FACT_HOLD_RESET) || view_yes(v, FACT_SOCKET_RESET) ||
           (view_yes(v, FACT_CONN_REFUSED) && !view_yes(v, FACT_ICMP_ERROR));
}

int judge_sender(struct judgement *j, const struct view *v)
{
    j->sender = SENDER_UNKNOWN;
    j->sender_why = arena_alloc(&j->mem, (ARRAY_SIZE(features) + 4) * sizeof(*j->sender_why));
    if (!j->sender_why)
        return -ENOMEM;
    if (!view_any_reset(v) || settled(j, v)) {
        j->sender_confidence *= view_trust(v);
        return 0;
    }
    int odds = weigh(j, v);
    double box = 1 / (1 + exp(-odds / 100.0));
    if (box > .6) {
        bool speaks_on =
            view_yes(v, FACT_DATA_AFTER_RST) && number(v, FACT_DATA_AFTER_RST, 0, 0) > 0;
        j->sender = speaks_on || view_yes(v, FACT_RST_FAN) || view_yes(v, FACT_RST_MIXED) ||
                            view_yes(v, FACT_TTL_SHIELD)
                        ? SENDER_FORGED
                        : place(v);
        j->sender_confidence = fmin(box, .97);
    } else if (box > .45 || !comparable(v)) {
        j->sender_confidence = fmax(box, 1 - box);
    } else if (view_yes(v, FACT_SENDER_LOCAL)) {
        j->sender = SENDER_LOCAL;
        j->sender_confidence = fmin(1 - box, .9);
        why(j, v, FACT_SENDER_LOCAL);
        why(j, v, FACT_VANTAGE);
    } else {
        j->sender = SENDER_PEER;
        j->sender_confidence = fmin(1 - box, view_yes(v, FACT_OUT_RSTS) ? .98 : .95);
    }
    qsort(j->sender_why, j->nsender_why, sizeof(*j->sender_why), heavier);
    j->sender_confidence *= view_trust(v);
    return 0;
}

static const char *const sender_words[][2] = {
    [SENDER_PEER] = {"peer", N_("the host whose address it bears")},
    [SENDER_PEER_FIREWALL] = {"peer-firewall", N_("a firewall on that host")},
    [SENDER_NEAR_CLIENT] = {"near-client", N_("a box near the client")},
    [SENDER_MID_PATH] = {"mid-path", N_("a box on the way")},
    [SENDER_NEAR_SERVER] = {"near-server", N_("a box near the server")},
    [SENDER_FORGED] = {"forged", N_("a box that forges resets")},
    [SENDER_LOCAL] = {"local", N_("this host")},
    [SENDER_UNKNOWN] = {"unknown", N_("not known")},
};

const char *sender_name(enum sender s)
{
    return sender_words[(size_t)s < ARRAY_SIZE(sender_words) ? s : SENDER_UNKNOWN][0];
}

const char *sender_title(enum sender s)
{
    return sender_words[(size_t)s < ARRAY_SIZE(sender_words) ? s : SENDER_UNKNOWN][1];
}
