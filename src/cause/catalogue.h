/* cause/ only: how the catalogue is written down, and what the judge's files share. */
#ifndef CAUSE_CATALOGUE_H
#define CAUSE_CATALOGUE_H

#include "cause/cause.h"

/* One weight: on a fact being yes (Y) or no (N), its first value one of some words (YIS), a text
 * that holds one of them (YHAS), or in a range (YIN; spans in seconds). Decisive facts end in D,
 * those that exclude in X, and those of which one is required in R. */
#define WEIGHT(k, yes, is, lo, hi, w, flags)                                                       \
    {                                                                                              \
        FACT_##k, yes, is, lo, hi, w, flags                                                        \
    }
#define Y(k, w)             WEIGHT(k, true, NULL, 0, 0, w, W_PLAIN)
#define YD(k, w)            WEIGHT(k, true, NULL, 0, 0, w, W_DECISIVE)
#define YR(k, w)            WEIGHT(k, true, NULL, 0, 0, w, W_REQUIRED)
#define YRD(k, w)           WEIGHT(k, true, NULL, 0, 0, w, W_REQUIRED | W_DECISIVE)
#define YX(k)               WEIGHT(k, true, NULL, 0, 0, -900, W_RULES_OUT)
#define N(k, w)             WEIGHT(k, false, NULL, 0, 0, w, W_PLAIN)
#define ND(k, w)            WEIGHT(k, false, NULL, 0, 0, w, W_DECISIVE)
#define NR(k, w)            WEIGHT(k, false, NULL, 0, 0, w, W_REQUIRED)
#define NX(k)               WEIGHT(k, false, NULL, 0, 0, -900, W_RULES_OUT)
#define YIS(k, is, w)       WEIGHT(k, true, is, 0, 0, w, W_PLAIN)
#define YHAS(k, words, w)   WEIGHT(k, true, "~" words, 0, 0, w, W_PLAIN)
#define YHASR(k, words, w)  WEIGHT(k, true, "~" words, 0, 0, w, W_REQUIRED)
#define YHASRD(k, words, w) WEIGHT(k, true, "~" words, 0, 0, w, W_REQUIRED | W_DECISIVE)
#define YISD(k, is, w)      WEIGHT(k, true, is, 0, 0, w, W_DECISIVE)
#define YISR(k, is, w)      WEIGHT(k, true, is, 0, 0, w, W_REQUIRED)
#define YISRD(k, is, w)     WEIGHT(k, true, is, 0, 0, w, W_REQUIRED | W_DECISIVE)
#define YISX(k, is)         WEIGHT(k, true, is, 0, 0, -900, W_RULES_OUT)
#define YIN(k, lo, hi, w)   WEIGHT(k, true, NULL, lo, hi, w, W_PLAIN)
#define YIND(k, lo, hi, w)  WEIGHT(k, true, NULL, lo, hi, w, W_DECISIVE)
#define YINR(k, lo, hi, w)  WEIGHT(k, true, NULL, lo, hi, w, W_REQUIRED)
#define YINRD(k, lo, hi, w) WEIGHT(k, true, NULL, lo, hi, w, W_REQUIRED | W_DECISIVE)
#define YINX(k, lo, hi)     WEIGHT(k, true, NULL, lo, hi, -900, W_RULES_OUT)

/* What speaks for a reset made by the host whose address it bears (causes.md B1). */
#define FROM_HOST                                                                                  \
    Y(RST_TTL_DIFFERS, -250), N(RST_TTL_DIFFERS, 30), Y(RST_BEFORE_RTT, -400),                     \
        YIN(DATA_AFTER_RST, 1, 1e18, -450), Y(RST_FAN, -300), Y(RST_TRAIN, -150),                  \
        Y(RST_MIXED, -150), Y(RST_IPID_COPIED, -100), Y(RST_MAC_DIFFERS, -200), N(OUT_RSTS, -400), \
        Y(OUT_RSTS, 100), Y(TTL_SHIELD, -400), Y(RESET_HOP, -300), N(RESET_HOP, 100),              \
        Y(KERNEL_SENT, 150), N(KERNEL_SENT, -500), Y(LOCAL_RULE_REJECTS, -300)
/* ... by a box that speaks in its name, in the way of the packets ... */
#define FROM_BOX                                                                                   \
    Y(RST_TTL_DIFFERS, 200), N(RST_TTL_DIFFERS, -100), Y(RST_BEFORE_RTT, 250),                     \
        Y(RST_MAC_DIFFERS, 100), N(OUT_RSTS, 300), Y(OUT_RSTS, -400), Y(RESET_HOP, 250),           \
        N(RESET_HOP, -200), Y(RESET_IN_LINE, 120), N(RESET_IN_LINE, -250), Y(TTL_SHIELD, -150),    \
        Y(SENDER_LOCAL, -200), Y(TARGET_LOCAL, -400), Y(KERNEL_SENT, -500), N(KERNEL_SENT, 300)
/* ... or by one that only listens: the genuine packets go on. */
#define FORGED                                                                                     \
    Y(RST_TTL_DIFFERS, 200), N(RST_TTL_DIFFERS, -80), Y(RST_BEFORE_RTT, 250),                      \
        YIN(DATA_AFTER_RST, 1, 1e18, 400), Y(RST_FAN, 300), Y(RST_TRAIN, 180), Y(RST_MIXED, 100),  \
        Y(RST_IPID_COPIED, 200), Y(RST_IPID_ODD, 80), Y(RST_DF_LOST, 40), Y(RST_WINDOW_ODD, 40),   \
        Y(RST_OPTIONS_ODD, 80), Y(RST_LABEL_DIFFERS, 60), Y(INJECTOR_SHAPE, 80),                   \
        Y(RST_MAC_DIFFERS, 100), Y(RST_SEQ_INEXACT, 60), N(OUT_RSTS, 300), Y(OUT_RSTS, -400),      \
        Y(TTL_SHIELD, 400), N(TTL_SHIELD, -40), Y(RST_BOTH_WAYS, 100), N(RST_TRAIN, -40),         \
        Y(RESET_HOP, 250), N(RESET_HOP, -200), Y(RESET_IN_LINE, -300), N(RESET_IN_LINE, 200),      \
        Y(SENDER_LOCAL, -200), Y(TARGET_LOCAL, -400), Y(KERNEL_SENT, -500), N(KERNEL_SENT, 300)

#define REFERENCES(...)                                                                            \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define WEIGHTS(w)          .weights = (w), .nweights = ARRAY_SIZE(w)
#define CONFIDENCE(u, c, p) .cap_probe = (u), .confidence_cap = (c), .cap_host = (p)

#define CAUSE(name) extern const struct cause cause_##name;
#include "cause/list.h"
#undef CAUSE

/* How the connection ended: the class of its RST, or what there was instead of one. */
enum end {
    END_ACTIVE = 1,
    END_PASSIVE = 2,
    END_REFUSE = 4,
    END_FOREIGN = 8,
    END_RST = 15,
    END_FIN = 16,
    END_STALL = 32,
    END_ICMP = 64,
    END_DNS = 128,
    END_OTHER = 256, /* an alert, an HTTP status, an error of this host */
};
/* The facts indexed by kind, and what they say about the first cut. */
struct view {
    const struct fact *by[FACT_KIND_COUNT];
    enum stage stage;
    enum side from; /* SIDE_RESP where nothing tells */
    enum end end;   /* END_RST: a RST of unknown class */
};
void view_of(struct view *v, const struct facts *facts);
/* How far what the capture shows may be trusted, up to 1: less where it lost packets or saw one
 * direction only, for what was compared may be incomplete. */
double view_trust(const struct view *v);
/* Somebody saw a reset: on the wire, or as an errno (cause/sender.c). */
bool view_any_reset(const struct view *v);

static inline bool view_yes(const struct view *v, enum fact_kind k)
{
    return v->by[k] && v->by[k]->yes;
}
static inline bool view_no(const struct view *v, enum fact_kind k)
{
    return v->by[k] && !v->by[k]->yes;
}
/* Log of the prior of each cause of the catalogue, in its order (prior.c). */
void priors_of(double *logp, const struct view *v);
#define PRIOR_FLOOR 0.0002 /* of a cause that no row of the table names at that stage */

int judge_sender(struct judgement *j, const struct view *v);
void judge_retry(struct judgement *j, const struct view *v);
void judge_harm(struct judgement *j, const struct view *v);

#endif
