/*
 * What the rules of this host's firewall do to the packets of a connection: a walk as the kernel
 * walks them, with three answers to each condition, for not every condition can be told from here.
 * A counter that went up settles what a condition leaves open.
 */
#include "host/privileged.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16     /* nftables' own limit of nested jumps */
#define STEPS_MAX 200000 /* rules looked at for one question */

enum fits { FITS_NO, FITS_MAYBE, FITS_YES };
struct hooked {
    const struct addr *src, *dst;
    uint16_t sport, dport;
    bool syn, inside; /* inside: over the loopback interface */
    const char *hook; /* "output", "input" */
};
struct walk {
    const struct ruleset *now;
    const struct rule_counts *before;
    const struct hooked *p;
    bool open; /* something on the way may have gone otherwise */
    unsigned steps;
    struct rules_answer *out;
};

int ruleset_add_chain(struct ruleset *r, const struct chain_line *c)
{
    if (r->nchains >= CHAINS_MAX) {
        r->left_out = true;
        return -E2BIG;
    }
    if (ARRAY_GROW(r->chains, r->nchains + 1, r->chains_alloc))
        return -ENOMEM;
    r->chains[r->nchains++] = *c;
    return 0;
}

int ruleset_add_rule(struct ruleset *r, struct rule *rule)
{
    if (r->nrules >= RULES_MAX || ARRAY_GROW(r->rules, r->nrules + 1, r->rules_alloc)) {
        struct ruleset one = {.rules = &rule, .nrules = 1};
        for (size_t i = 0; i < one.rules[0]->nasks; i++)
            free(one.rules[0]->asks[i].values);
        free(rule);
        r->left_out = true;
        return -E2BIG;
    }
    r->rules[r->nrules++] = rule;
    return 0;
}

/* ---- conditions ---- */

static bool in_net(const struct addr *a, const struct addr *net, int len)
{
    int whole = len / 8, rest = len % 8;

    if (a->family != net->family || memcmp(a->b, net->b, (size_t)whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return !rest || (a->b[whole] & mask) == (net->b[whole] & mask);
}

/* "lo" is known; which other interface a packet takes is not. An outgoing packet has no incoming
 * interface, and the other way round. */
static enum fits interface_fits(const struct hooked *p, bool incoming, const char *name)
{
    if (incoming != (strcmp(p->hook, "input") == 0))
        return FITS_NO;
    if (p->inside || strcmp(name, "lo") == 0)
        return p->inside && strcmp(name, "lo") == 0 ? FITS_YES : FITS_NO;
    return FITS_MAYBE;
}

/* A connection that was alive may be one that connection tracking has forgotten. */
static enum fits state_fits(const struct hooked *p, const char *state)
{
    if (strcmp(state, p->syn ? "new" : "established") == 0)
        return FITS_YES;
    if (p->syn || strcmp(state, "related") == 0)
        return FITS_NO;
    return FITS_MAYBE;
}

static enum fits value_fits(const struct hooked *p, enum rule_subject on,
                            const struct rule_value *v)
{
    bool yes = false;

    switch (on) {
    case ASKS_DPORT: yes = p->dport >= v->from && p->dport <= v->to; break;
    case ASKS_SPORT: yes = p->sport >= v->from && p->sport <= v->to; break;
    case ASKS_SADDR: yes = in_net(p->src, &v->net, v->len); break;
    case ASKS_DADDR: yes = in_net(p->dst, &v->net, v->len); break;
    case ASKS_PROTO: yes = !strcmp(v->name, "tcp") || !strcmp(v->name, "6"); break;
    case ASKS_FAMILY: yes = !strcmp(v->name, p->src->family == 4 ? "ipv4" : "ipv6"); break;
    case ASKS_IIF: return interface_fits(p, true, v->name);
    case ASKS_OIF: return interface_fits(p, false, v->name);
    case ASKS_CT: return state_fits(p, v->name);
    default: return FITS_MAYBE;
    }
    return yes ? FITS_YES : FITS_NO;
}

static enum fits condition_fits(const struct hooked *p, const struct rule_condition *c)
{
    enum fits best = FITS_NO;

    if (c->on == ASKS_UNKNOWN)
        return FITS_MAYBE;
    for (size_t i = 0; i < c->nvalues; i++)
        best = MAX_OF(best, value_fits(p, c->on, &c->values[i]));
    if (c->negated)
        best = best == FITS_YES ? FITS_NO : best == FITS_NO ? FITS_YES : FITS_MAYBE;
    return best;
}

static enum fits rule_fits(const struct hooked *p, const struct rule *r)
{
    enum fits worst = FITS_YES;

    for (size_t i = 0; i < r->nasks && worst != FITS_NO; i++)
        worst = MIN_OF(worst, condition_fits(p, &r->asks[i]));
    return worst;
}

/* ---- what a rule counted ---- */

static uint64_t rule_key(const struct rule *r)
{
    return hash_bytes(hash_bytes(r->handle, r->family, strlen(r->family)), r->table,
                      strlen(r->table));
}

int rule_counts_take(struct rule_counts *out, const struct ruleset *r, nstime now)
{
    out->nr = 0;
    out->taken = now;
    for (size_t i = 0; i < r->nrules; i++) {
        if (!r->rules[i]->counted)
            continue;
        if (ARRAY_GROW(out->items, out->nr + 1, out->alloc))
            return -ENOMEM;
        out->items[out->nr++] = (struct rule_count){rule_key(r->rules[i]), r->rules[i]->packets};
    }
    return 0;
}

void rule_counts_release(struct rule_counts *c)
{
    free(c->items);
    memset(c, 0, sizeof(*c));
}

static uint64_t counted(const struct walk *w, const struct rule *r)
{
    uint64_t key = rule_key(r);

    if (!r->counted || !w->before)
        return 0;
    for (size_t i = 0; i < w->before->nr; i++)
        if (w->before->items[i].rule == key)
            return r->packets - MIN_OF(w->before->items[i].packets, r->packets);
    return r->packets; /* it is new */
}

static void name_rule(struct rules_answer *out, const struct rule *r)
{
    snprintf(out->rule, sizeof(out->rule), "%s %s %s handle %llu", r->family, r->table, r->chain,
             (unsigned long long)r->handle);
}

/* A rule that rejects or drops and that the packet meets, or may meet. True: it ended there. */
static bool met(struct walk *w, const struct rule *r, enum fits fit)
{
    uint64_t n = counted(w, r);
    bool sure = fit == FITS_YES && !w->open;
    bool reject = r->then == THEN_REJECT;

    /* Surely met, yet its counter stood still: something else took the packet before. */
    if (sure && r->counted && w->before && !n)
        sure = false;
    if (!sure && !n) {
        w->open = true;
        return fit == FITS_YES;
    }
    if (w->out->verdict != RULES_REJECT || reject) {
        w->out->verdict = reject ? RULES_REJECT : RULES_DROP;
        w->out->count = n;
        name_rule(w->out, r);
    }
    return true;
}

/* ---- chains ---- */

static bool of_family(const char *family, const struct hooked *p)
{
    return !strcmp(family, "inet") || !strcmp(family, p->src->family == 4 ? "ip" : "ip6");
}

/* True: the walk of this base chain is over (accepted, dropped or rejected for sure). */
static bool walk_chain(struct walk *w, const char *family, const char *table, const char *name,
                       int depth)
{
    const struct ruleset *s = w->now;

    if (depth > DEPTH_MAX) {
        w->open = true;
        return false;
    }
    for (size_t i = 0; i < s->nrules; i++) {
        const struct rule *r = s->rules[i];
        if (strcmp(r->chain, name) != 0 || strcmp(r->table, table) != 0 ||
            strcmp(r->family, family) != 0)
            continue;
        if (++w->steps > STEPS_MAX) {
            w->open = true;
            return true;
        }
        enum fits fit = rule_fits(w->p, r);
        if (fit == FITS_NO || r->then == THEN_NOTHING)
            continue;
        bool sure = fit == FITS_YES;
        switch (r->then) {
        case THEN_DROP:
        case THEN_REJECT:
            if (met(w, r, fit))
                return true;
            break;
        case THEN_JUMP:
        case THEN_GOTO: {
            bool was = w->open;
            w->open = was || !sure;
            bool over = walk_chain(w, family, table, r->target, depth + 1);
            if ((over && sure) || (sure && r->then == THEN_GOTO))
                return over;
            w->open = w->open || (over && !sure);
            break;
        }
        case THEN_RETURN:
            if (sure)
                return false;
            w->open = true;
            break;
        case THEN_QUEUE: /* a program decides */ w->open = true; break;
        default: /* accept */
            if (sure)
                return true;
            w->open = true;
        }
    }
    return false;
}

static void walk_hook(struct walk *w, const struct hooked *p)
{
    const struct ruleset *s = w->now;

    w->p = p;
    for (size_t i = 0; i < s->nchains && w->out->verdict != RULES_REJECT; i++) {
        const struct chain_line *c = &s->chains[i];
        if (strcmp(c->hook, p->hook) != 0 || !of_family(c->family, p))
            continue;
        bool over = walk_chain(w, c->family, c->table, c->name, 0);
        if (over || !c->policy_drop)
            continue;
        if (w->open || w->out->verdict != RULES_UNKNOWN) {
            w->open = true;
            continue;
        }
        w->out->verdict = RULES_DROP;
        snprintf(w->out->rule, sizeof(w->out->rule), "policy of %s %s %s", c->family, c->table,
                 c->name);
    }
}

/* A rule that rejects what comes back tells the server, not the client: for a client that waits for
 * a SYN-ACK its answer is lost. */
static void walk_back(struct walk *w, const struct hooked *p, bool established)
{
    struct rules_answer saved = *w->out;

    walk_hook(w, p);
    if (w->out->verdict == RULES_REJECT && saved.verdict != RULES_REJECT && !established)
        w->out->verdict = RULES_DROP;
}

void ruleset_judge(const struct ruleset *now, const struct rule_counts *before,
                   const struct rules_question *q, struct rules_answer *out)
{
    const struct flow_key *k = &q->flow;
    bool inside = q->client_here && q->server_here;
    struct hooked there = {&k->src, &k->dst, k->sport, k->dport, !q->established, inside, ""};
    struct hooked back = {&k->dst, &k->src, k->dport, k->sport, false, inside, ""};
    struct walk w = {.now = now, .before = before, .out = out};

    memset(out, 0, sizeof(*out));
    if (!k->dst.family || !k->src.family)
        return;
    if (q->client_here) {
        there.hook = "output";
        walk_hook(&w, &there);
    }
    if (q->server_here && out->verdict != RULES_REJECT) {
        there.hook = "input";
        walk_hook(&w, &there);
        back.hook = "output";
        walk_back(&w, &back, q->established);
    }
    if (q->client_here && out->verdict != RULES_REJECT) {
        back.hook = "input";
        walk_back(&w, &back, q->established);
    }
    if (out->verdict == RULES_UNKNOWN && !w.open && !now->legacy && !now->left_out)
        out->verdict = RULES_PASS;
}
