/*
 * The judge: prior by stage and end, plus the weights of the facts, of each family the strongest
 * fully and the rest at a tenth; then softmax over the causes and a share for what the catalogue
 * does not know. The facts are indexed by kind, so one judgement costs the size of the catalogue.
 */
#include "cause/catalogue.h"
#include "cause/calibration.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_APPLIED    64
#define SAME_FAMILY    0.1  /* what a second fact of a family still counts */
#define SOMETHING_ELSE 0.04 /* prior of a cause that is not in the catalogue */
#define SHARED_COUNTER 0.5  /* of the weight of a counter that moved for several events */
#define MAX_VERDICTS   5
#define MAX_MISSING    5
#define STRONG         150 /* centinats */

/* ---- the facts as the judge looks at them ---- */

static const char *first_text(const struct view *v, enum fact_kind k)
{
    const struct fact *f = v->by[k];
    return f && f->yes && f->v[0].type == VALUE_TEXT ? f->v[0].u.s : NULL;
}

static bool is_word(const char *text, const char *word)
{
    return text && !strcmp(text, word);
}

static enum stage stage_of(const struct view *v)
{
    static const struct {
        const char *word;
        enum stage stage;
    } probe_words[] = {{"dns", STAGE_NONE},      {"connect", STAGE_SYN}, {"hold", STAGE_ACK},
                       {"handshake", STAGE_PSH}, {"request", STAGE_PSH}, {"response", STAGE_DATA},
                       {"close", STAGE_CLOSE}};
    const char *word = first_text(v, FACT_STAGE);

    for (int s = 0; word && s < STAGE_UNKNOWN; s++)
        if (stage_name((enum stage)s) && is_word(word, stage_name((enum stage)s)))
            return (enum stage)s;
    for (size_t i = 0; word && i < ARRAY_SIZE(probe_words); i++)
        if (is_word(word, probe_words[i].word))
            return probe_words[i].stage;
    if (view_yes(v, FACT_CONN_REFUSED) || view_yes(v, FACT_CONN_TIMEOUT) ||
        view_yes(v, FACT_CONN_UNREACHABLE) || view_yes(v, FACT_LOCAL_PORTS_EXHAUSTED))
        return STAGE_SYN;
    if (view_yes(v, FACT_CERT_REJECTED)) /* told, though it ended nothing */
        return STAGE_PSH;
    return STAGE_UNKNOWN;
}

static enum end end_of(const struct view *v)
{
    const char *class = first_text(v, FACT_RST_CLASS);

    if (view_yes(v, FACT_DNS_FAILED))
        return END_DNS;
    if (class)
        return is_word(class, "active")    ? END_ACTIVE
               : is_word(class, "passive") ? END_PASSIVE
               : is_word(class, "refuse")  ? END_REFUSE
                                           : END_FOREIGN;
    if (view_yes(v, FACT_ICMP_ERROR) || view_yes(v, FACT_CONN_UNREACHABLE))
        return END_ICMP;
    if (view_yes(v, FACT_CONN_REFUSED))
        return END_REFUSE;
    if (view_yes(v, FACT_CONN_RESET) && is_word(first_text(v, FACT_CONN_RESET), "ETIMEDOUT"))
        return END_STALL;
    if (view_yes(v, FACT_LOCAL_PORTS_EXHAUSTED) || view_yes(v, FACT_LOCAL_DESTROYED) ||
        view_yes(v, FACT_LOCAL_ADDRESS_GONE))
        return END_OTHER;
    /* A socket that its own program closed or dropped: the kernel resets with all it knew. */
    if (view_yes(v, FACT_UNREAD_AT_CLOSE) || view_yes(v, FACT_DROPPED_AT_ONCE))
        return END_ACTIVE;
    if (view_yes(v, FACT_RST_SEEN) || view_yes(v, FACT_CONN_RESET) ||
        view_yes(v, FACT_HOLD_RESET) || view_yes(v, FACT_SOCKET_RESET))
        return END_RST;
    if (view_yes(v, FACT_EARLY_EOF) || view_yes(v, FACT_HOLD_FIN) ||
        (view_yes(v, FACT_REPLY_CUT) && !view_yes(v, FACT_STALLED)))
        return END_FIN;
    if (view_yes(v, FACT_CONN_TIMEOUT) || view_yes(v, FACT_STALLED))
        return END_STALL;
    return END_OTHER;
}

/* A probe's words are coarser than the packets': a held connection that nobody wrote to, and a
 * silence that was waited through, are stages of their own (design.md 6). */
static enum stage refine(const struct view *v, enum stage s)
{
    if (s == STAGE_UNKNOWN)
        s = view_yes(v, FACT_HOLD_RESET) || view_yes(v, FACT_HOLD_FIN) ? STAGE_ACK
            : view_yes(v, FACT_HELLO_SENT)                             ? STAGE_PSH
            : view_yes(v, FACT_REPLY_CUT)                              ? STAGE_DATA
                                                                       : STAGE_MIDSTREAM;
    return s;
}

static bool of_a_counter(enum fact_kind k)
{
    const char *family = fact_info(k)->family;
    return !strcmp(family, "host-counter") || !strcmp(family, "accept-queue") ||
           !strcmp(family, "peer-counters");
}

/* This host's counters say nothing of a reset that another host sent, nor of one that nobody saw.
 */
static void drop_our_counters(struct view *v)
{
    bool by_client = is_word(first_text(v, FACT_RST_FROM), "client");

    if (!view_any_reset(v))
        v->by[FACT_OUT_RSTS] = NULL;
    if (!view_no(v, FACT_TARGET_LOCAL) || by_client)
        return;
    for (int k = 0; k < FACT_KIND_COUNT; k++)
        if (v->by[k] && v->by[k]->source == SRC_HOST && of_a_counter((enum fact_kind)k))
            v->by[k] = NULL;
}

void view_of(struct view *v, const struct facts *facts)
{
    memset(v, 0, sizeof(*v));
    for (size_t i = 0; i < facts->nr; i++)
        if (!facts->items[i].undone)
            v->by[facts->items[i].kind] = &facts->items[i];
    drop_our_counters(v);
    v->stage = refine(v, stage_of(v));
    v->from = is_word(first_text(v, FACT_RST_FROM), "client") ? SIDE_ORIG : SIDE_RESP;
    v->end = end_of(v);
}

double view_trust(const struct view *v)
{
    return (view_yes(v, FACT_CAPTURE_DROPS) ? .9 : 1) * (view_yes(v, FACT_ONE_SIDED) ? .9 : 1) *
           (view_yes(v, FACT_PACKETS_MISSING) ? .85 : 1);
}

/* ---- one weight ---- */

static bool in_list(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (!strncmp(p, word, len) && (p[len] == '|' || !p[len]))
            return true;
    return false;
}

/* True if the text holds one of the words of "a|b c|d", whatever the case. */
static bool holds_one(const char *list, const char *text)
{
    for (const char *p = list; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        size_t len = strcspn(p, "|");
        for (const char *t = text; *t; t++)
            if (!strncasecmp(t, p, len))
                return true;
    }
    return false;
}

static bool text_fits(const char *is, const char *text)
{
    return *is == '~' ? holds_one(is + 1, text) : in_list(is, text);
}

static bool as_number(const struct value *v, double *out)
{
    switch (v->type) {
    case VALUE_INT: *out = (double)v->u.i; return true;
    case VALUE_REAL: *out = v->u.d; return true;
    case VALUE_BOOL: *out = v->u.b; return true;
    case VALUE_SPAN: *out = (double)v->u.i / NS_PER_SEC; return v->u.i != NSTIME_NONE;
    default: return false;
    }
}

bool weight_applies(const struct weight *w, const struct fact *f)
{
    double n;

    if (!f || f->undone || f->yes != w->yes)
        return false;
    if (w->is)
        return f->v[0].type == VALUE_TEXT && f->v[0].u.s && text_fits(w->is, f->v[0].u.s);
    if (w->min != 0 || w->max != 0)
        return as_number(&f->v[0], &n) && n >= w->min && n <= w->max;
    return true;
}

/* ---- one cause ---- */

struct applied {
    const struct weight *w;
    const struct fact *fact;
    const char *family;
    int counted; /* centinats after the family rule */
};
struct scored {
    size_t cause; /* index in the catalogue */
    double score, confidence;
    bool decisive;
};

static const char *family_of(enum fact_kind k)
{
    const struct fact_kind_info *info = fact_info(k);
    return *info->family ? info->family : info->name;
}

/* How full the listener's queue is was looked at, not counted. */
static bool counts_as_shared(const struct view *v, const struct fact *f)
{
    return view_yes(v, FACT_COUNTER_SHARED) && f->source == SRC_HOST && of_a_counter(f->kind) &&
           f->kind != FACT_LISTEN_QUEUE_FULL;
}

/* The family rule: of each family and sign the strongest counts fully, the others a tenth. Two
 * weights on one fact (a general and a special one) are one: only the stronger counts. */
static void count_families(const struct view *v, struct applied *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool strongest = true, twice = false;
        int w = a[i].w->centinats;
        for (size_t k = 0; k < n; k++) {
            int other = a[k].w->centinats;
            if (k == i || (other > 0) != (w > 0) || strcmp(a[k].family, a[i].family) != 0)
                continue;
            bool stronger = abs(other) > abs(w) || (abs(other) == abs(w) && k < i);
            strongest = strongest && !stronger;
            twice = twice || (stronger && a[k].w->kind == a[i].w->kind);
        }
        double part = twice ? 0 : strongest ? 1 : SAME_FAMILY;
        if (counts_as_shared(v, a[i].fact))
            part *= SHARED_COUNTER;
        a[i].counted = (int)lround(w * part);
    }
}

/* The weights that apply. ASLEEP: nothing speaks against the cause, but none of the facts that it
 * requires is there. */
enum standing_of { OUT, ASLEEP, CONSIDERED };
static enum standing_of apply(const struct cause *c, const struct view *v, struct applied *a,
                              size_t *n, bool *decisive)
{
    bool required = false, met = false, out = false;

    *n = 0;
    *decisive = false;
    for (size_t i = 0; i < c->nweights; i++) {
        const struct weight *w = &c->weights[i];
        const struct fact *f = v->by[w->kind];
        required |= (w->flags & W_REQUIRED) != 0;
        if (!f || !weight_applies(w, f))
            continue;
        met |= (w->flags & W_REQUIRED) != 0;
        out |= (w->flags & W_RULES_OUT) != 0;
        *decisive |= (w->flags & W_DECISIVE) && !counts_as_shared(v, f);
        if (*n < MAX_APPLIED)
            a[(*n)++] = (struct applied){w, f, family_of(w->kind), 0};
    }
    if (out)
        return OUT;
    count_families(v, a, *n);
    return required && !met ? ASLEEP : CONSIDERED;
}

static double sum_of(const struct applied *a, size_t n)
{
    long sum = 0; /* integers: the order of the facts cannot change it */

    for (size_t i = 0; i < n; i++)
        sum += a[i].counted;
    return (double)sum / 100;
}

double cause_score(const struct cause *c, const struct facts *facts)
{
    struct applied a[MAX_APPLIED];
    struct view v;
    double result = -INFINITY, *logp = malloc(cause_count() * sizeof(*logp));
    size_t n;
    bool decisive;

    if (!logp)
        return result;
    view_of(&v, facts);
    priors_of(logp, &v);
    if (apply(c, &v, a, &n, &decisive) == CONSIDERED)
        for (size_t i = 0; i < cause_count(); i++)
            if (!strcmp(cause_at(i)->id, c->id)) /* a variant of it has its prior */
                result = logp[i] + sum_of(a, n);
    free(logp);
    return result;
}

static double calibrated(double share)
{
    size_t i = 1;

    while (i < ARRAY_SIZE(calibration) - 1 && share > calibration[i].share)
        i++;
    double x0 = calibration[i - 1].share, y0 = calibration[i - 1].confidence;
    double x1 = calibration[i].share, y1 = calibration[i].confidence;
    return y0 + (y1 - y0) * (share - x0) / (x1 - x0);
}

static double cap_of(const struct cause *c, const struct view *v, bool decisive)
{
    double cap = view_yes(v, FACT_RST_SEEN) ? c->confidence_cap : c->cap_probe;

    return decisive && c->cap_host > cap ? c->cap_host : cap;
}

static enum grade grade_of(const struct view *v, const struct scored *s)
{
    if (s->confidence >= .95 && s->decisive && view_trust(v) == 1)
        return GRADE_CONFIRMED;
    return s->confidence >= .6 ? GRADE_LIKELY : s->confidence >= .2 ? GRADE_POSSIBLE : GRADE_NONE;
}

static int best_first(const void *x, const void *y)
{
    const struct scored *a = x, *b = y;

    if (a->confidence != b->confidence)
        return a->confidence > b->confidence ? -1 : 1;
    return a->cause < b->cause ? -1 : a->cause > b->cause;
}

/* Fills s with the considered causes, best first; returns how many. */
static size_t score_all(struct judgement *j, const struct view *v, struct scored *s,
                        const double *logp)
{
    struct applied a[MAX_APPLIED];
    double top = log(SOMETHING_ELSE), sum = 0;
    size_t n = 0, na;

    for (size_t i = 0; i < cause_count(); i++) {
        bool decisive;
        enum standing_of is = apply(cause_at(i), v, a, &na, &decisive);
        double score = logp[i] + sum_of(a, na);
        j->asleep[i] = is == ASLEEP ? score : -INFINITY;
        if (is != CONSIDERED)
            continue;
        s[n] = (struct scored){.cause = i, .score = score, .decisive = decisive};
        top = fmax(top, s[n++].score);
    }
    for (size_t i = 0; i < n; i++)
        sum += exp(s[i].score - top);
    sum += exp(log(SOMETHING_ELSE) - top);
    for (size_t i = 0; i < cause_count(); i++)
        j->asleep[i] = exp(j->asleep[i] - top) / sum;
    for (size_t i = 0; i < n; i++)
        j->shares[s[i].cause] = s[i].confidence = exp(s[i].score - top) / sum;
    qsort(s, n, sizeof(*s), best_first);
    /* The cap after the order: it says how sure one may be, not what is likelier. */
    for (size_t i = 0; i < n; i++)
        s[i].confidence =
            fmin(calibrated(s[i].confidence), cap_of(cause_at(s[i].cause), v, s[i].decisive)) *
            view_trust(v);
    return n;
}

/* ---- verdicts ---- */

static int heavier(const void *x, const void *y)
{
    const struct weighed *a = x, *b = y;

    if (abs(a->centinats) != abs(b->centinats))
        return abs(a->centinats) > abs(b->centinats) ? -1 : 1;
    return a->kind < b->kind ? -1 : a->kind > b->kind;
}

/* Adds a weighed fact; of one kind only the heaviest is listed. */
static void list_weight(struct weighed *list, size_t *n, enum fact_kind kind, int centinats)
{
    struct weighed w = {kind, abs(centinats) >= STRONG, centinats};

    for (size_t i = 0; i < *n; i++) {
        if (list[i].kind != kind)
            continue;
        if (abs(list[i].centinats) < abs(centinats))
            list[i] = w;
        return;
    }
    list[(*n)++] = w;
}

/* What nobody has looked for and would say much. A kind without a sentence for that cannot be
 * looked for: it is seen or it is not. */
static void list_missing(struct verdict *out, const struct view *v)
{
    const struct cause *c = out->cause;

    for (size_t i = 0; i < c->nweights; i++) {
        const struct weight *w = &c->weights[i];
        if (!v->by[w->kind] && abs(w->centinats) >= STRONG && *fact_info(w->kind)->missing)
            list_weight(out->missing, &out->nmissing, w->kind, w->centinats);
    }
    qsort(out->missing, out->nmissing, sizeof(*out->missing), heavier);
    out->nmissing = MIN_OF(out->nmissing, (size_t)MAX_MISSING);
}

static int fill_verdict(struct judgement *j, struct verdict *out, const struct view *v,
                        const struct scored *s)
{
    struct applied a[MAX_APPLIED];
    size_t n;
    bool decisive;

    out->cause = cause_at(s->cause);
    out->grade = grade_of(v, s);
    out->confidence = s->confidence;
    size_t room = (out->cause->nweights + 1) * sizeof(struct weighed);
    out->for_ = arena_alloc(&j->mem, room);
    out->against = arena_alloc(&j->mem, room);
    out->missing = arena_alloc(&j->mem, room);
    if (!out->for_ || !out->against || !out->missing)
        return -ENOMEM;
    apply(out->cause, v, a, &n, &decisive);
    for (size_t i = 0; i < n; i++) {
        if (a[i].counted > 0)
            list_weight(out->for_, &out->nfor, a[i].w->kind, a[i].counted);
        else if (a[i].counted < 0)
            list_weight(out->against, &out->nagainst, a[i].w->kind, a[i].counted);
    }
    qsort(out->for_, out->nfor, sizeof(*out->for_), heavier);
    qsort(out->against, out->nagainst, sizeof(*out->against), heavier);
    list_missing(out, v);
    return 0;
}

static int fill_verdicts(struct judgement *j, const struct view *v, const struct scored *s,
                         size_t n)
{
    size_t keep = 0;

    while (keep < n && keep < MAX_VERDICTS && s[keep].confidence >= .2)
        keep++;
    j->verdicts = arena_alloc(&j->mem, (keep + 1) * sizeof(*j->verdicts));
    if (!j->verdicts)
        return -ENOMEM;
    for (size_t i = 0; i < keep; i++)
        if (fill_verdict(j, &j->verdicts[j->nverdicts++], v, &s[i]) < 0)
            return -ENOMEM;
    j->determined = keep && j->verdicts[0].grade >= GRADE_LIKELY;
    return 0;
}

/* Ruled out is worth saying of what would be common there. */
static int fill_ruled_out(struct judgement *j, const struct view *v, const double *logp)
{
    j->ruled_out = arena_alloc(&j->mem, cause_count() * sizeof(*j->ruled_out));
    if (!j->ruled_out)
        return -ENOMEM;
    for (size_t i = 0; i < cause_count(); i++) {
        const struct cause *c = cause_at(i);
        struct ruled_out *r = &j->ruled_out[j->nruled_out];
        if (logp[i] < log(.005))
            continue;
        r->nby = 0;
        for (size_t k = 0; k < c->nweights && r->nby < ARRAY_SIZE(r->by); k++)
            if ((c->weights[k].flags & W_RULES_OUT) && v->by[c->weights[k].kind] &&
                weight_applies(&c->weights[k], v->by[c->weights[k].kind]))
                r->by[r->nby++] = c->weights[k].kind;
        if (!r->nby)
            continue;
        r->cause = c;
        j->nruled_out++;
    }
    return 0;
}

void judgement_init(struct judgement *j)
{
    *j = (struct judgement){0};
    facts_init(&j->facts);
    arena_init(&j->mem);
}

void judgement_release(struct judgement *j)
{
    facts_release(&j->facts);
    arena_release(&j->mem);
    judgement_init(j);
}

static void judgement_clear(struct judgement *j)
{
    struct facts facts = j->facts;
    struct arena mem = j->mem;

    facts_clear(&facts);
    arena_clear(&mem);
    *j = (struct judgement){.facts = facts, .mem = mem};
}

int judge(struct judgement *j, const struct facts *facts)
{
    struct view v;
    int err = -ENOMEM;

    judgement_clear(j);
    for (size_t i = 0; i < facts->nr; i++)
        if (!facts->items[i].undone)
            facts_add(&j->facts, &facts->items[i]);
    if (j->facts.err || facts->err)
        return -ENOMEM;
    facts_derive(&j->facts);
    facts_sort(&j->facts);
    view_of(&v, &j->facts);
    j->stage = v.stage;
    struct scored *s = malloc(cause_count() * sizeof(*s));
    double *logp = malloc(cause_count() * sizeof(*logp));
    j->shares = arena_alloc(&j->mem, cause_count() * sizeof(*j->shares));
    j->asleep = arena_alloc(&j->mem, cause_count() * sizeof(*j->asleep));
    if (!s || !logp || !j->shares || !j->asleep)
        goto out;
    priors_of(logp, &v);
    size_t n = score_all(j, &v, s, logp);
    if (fill_verdicts(j, &v, s, n) < 0 || fill_ruled_out(j, &v, logp) < 0 ||
        judge_sender(j, &v) < 0)
        goto out;
    judge_harm(j, &v);
    judge_retry(j, &v);
    err = 0;
out:
    free(s);
    free(logp);
    return err;
}
