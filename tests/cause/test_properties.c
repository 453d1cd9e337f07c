/* What must hold of the judge whatever the weights are: what decides a case decides it, what speaks
 * for a cause never hurts it, order is nothing, and no verdict hangs on a fine figure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "cause/cause.h"
#include "factset.h"

#define SEEDS      8
#define SHUFFLE    20 /* per cent that a weight may be off */
#define MAX_CHANGE 10 /* per cent of first verdicts that may change then */

static const struct {
    const char *id, *wins, *alike;
} cases[] = {
#define CASE(id, wins, alike) {id, wins, alike},
#include "cases.h"
#undef CASE
};

/* A generator of one's own: the same numbers everywhere. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void read_words(struct facts *f, const char *words)
{
    char bad[128];

    facts_init(f);
    if (factset_read(f, words, bad, sizeof(bad)))
        fail_msg("no fact kind: %s", bad);
}

static size_t first_of(const struct judgement *j)
{
    size_t best = 0;

    for (size_t i = 1; i < cause_count(); i++)
        if (j->shares[i] > j->shares[best])
            best = i;
    return best;
}

static enum grade grade_of(const struct judgement *j)
{
    return j->nverdicts ? j->verdicts[0].grade : GRADE_NONE;
}

/* ---- mutations ---- */

/* The strongest weight that speaks for the cause on the fact; a requirement that it meets alone
 * counts for more than any. */
static int speaks_for(const struct cause *c, const struct fact *f)
{
    int most = 0;

    for (size_t i = 0; i < c->nweights; i++) {
        if (!weight_applies(&c->weights[i], f))
            continue;
        int w = c->weights[i].centinats + (c->weights[i].flags & W_REQUIRED ? 100 : 0);
        most = w > most ? w : most;
    }
    return most;
}

static void without(struct facts *out, const struct facts *all, size_t leave_out)
{
    facts_init(out);
    for (size_t i = 0; i < all->nr; i++)
        if (i != leave_out)
            facts_add(out, &all->items[i]);
}

/* Without the fact it comes out otherwise: another cause, or another grade. */
static bool decides(const struct facts *all, size_t i, const struct judgement *whole)
{
    struct judgement j;
    struct facts rest;

    judgement_init(&j);
    without(&rest, all, i);
    assert_int_equal(judge(&j, &rest), 0);
    bool otherwise = first_of(&j) != first_of(whole) || grade_of(&j) != grade_of(whole);
    facts_release(&rest);
    judgement_release(&j);
    return otherwise;
}

static void each_has_a_deciding_fact(void **state)
{
    int without_one = 0;

    (void)state;
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
        const struct cause *c = cause_by_id(cases[k].id);
        struct judgement j;
        struct facts f;
        bool decided = false;
        judgement_init(&j);
        read_words(&f, cases[k].wins);
        assert_int_equal(judge(&j, &f), 0);
        for (size_t i = 0; i < f.nr && !decided; i++)
            decided = speaks_for(c, &f.items[i]) > 0 && decides(&f, i, &j);
        if (!decided) {
            print_error("%s: no fact decides it\n", cases[k].id);
            without_one++;
        }
        facts_release(&f);
        judgement_release(&j);
    }
    assert_int_equal(without_one, 0);
}

/* ---- what speaks for a cause ---- */

static bool makes_the_prior(enum fact_kind k)
{
    static const char *const names[] = {"stage",
                                        "rst-class",
                                        "rst-from",
                                        "rst-seen",
                                        "dns-failed",
                                        "icmp-error",
                                        "connect-refused",
                                        "connection-reset",
                                        "hold-reset",
                                        "hold-fin",
                                        "connect-timeout",
                                        "stalled",
                                        "early-eof",
                                        "reply-cut-short",
                                        "connect-unreachable",
                                        "local-ports-exhausted",
                                        "local-destroyed",
                                        "local-address-gone",
                                        "reset-after-hello",
                                        "counter-shared",
                                        "target-is-local",
                                        "certificate-rejected"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(names[i], fact_info(k)->name))
            return true;
    return false;
}

static bool speaks_of(const struct cause *c, enum fact_kind k)
{
    for (size_t i = 0; i < c->nweights; i++)
        if (c->weights[i].kind == k)
            return true;
    return false;
}

/* True if the kind is not known yet and this weight alone speaks on it. */
static bool plain(const struct cause *c, const struct weight *w, const struct facts *f)
{
    if (w->centinats <= 0 || makes_the_prior(w->kind) || facts_get(f, w->kind))
        return false;
    for (size_t i = 0; i < c->nweights; i++)
        if (&c->weights[i] != w && c->weights[i].kind == w->kind)
            return false;
    return true;
}

/* Its score does not fall, and those of whom the fact says nothing stay where they are: so its rank
 * among them does not fall either. */
static void added(const struct cause *c, const struct weight *w, const char *words, uint32_t *seed)
{
    struct facts before, after;
    size_t other = next_random(seed) % cause_count();

    read_words(&before, words);
    read_words(&after, words);
    if (plain(c, w, &before)) {
        factset_put_weight(&after, w);
        if (cause_score(c, &after) < cause_score(c, &before))
            fail_msg("%s: %s lowers it in: %s", c->id, fact_info(w->kind)->name, words);
        for (size_t i = 0; i < 4; i++, other = (other + 31) % cause_count()) {
            const struct cause *d = cause_at(other);
            double x = cause_score(d, &before), y = cause_score(d, &after);
            if (!speaks_of(d, w->kind) && x != y)
                fail_msg("%s moves %s, of which it says nothing", fact_info(w->kind)->name, d->id);
        }
    }
    facts_release(&before);
    facts_release(&after);
}

static void what_speaks_for_does_no_harm(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < cause_count(); i++)
        for (size_t k = 0; k < cause_at(i)->nweights; k++)
            added(cause_at(i), &cause_at(i)->weights[k],
                  cases[next_random(&seed) % ARRAY_SIZE(cases)].wins, &seed);
}

/* ---- order ---- */

static void any_order_is_the_same(void **state)
{
    uint32_t seed = 7;

    (void)state;
    for (size_t n = 0; n < 200; n++) {
        struct judgement a, b;
        struct facts f, more;
        judgement_init(&a);
        judgement_init(&b);
        read_words(&f, cases[next_random(&seed) % ARRAY_SIZE(cases)].wins);
        read_words(&more, cases[next_random(&seed) % ARRAY_SIZE(cases)].alike);
        facts_merge(&f, &more, false); /* what makes no sense must be judged alike too */
        assert_int_equal(judge(&a, &f), 0);
        for (size_t i = f.nr; i > 1; i--) {
            size_t k = next_random(&seed) % i;
            struct fact t = f.items[i - 1];
            f.items[i - 1] = f.items[k];
            f.items[k] = t;
        }
        assert_int_equal(judge(&b, &f), 0);
        assert_memory_equal(a.shares, b.shares, cause_count() * sizeof(*a.shares));
        assert_int_equal(a.sender, b.sender);
        assert_true(a.sender_confidence == b.sender_confidence);
        assert_int_equal(a.retry, b.retry);
        facts_release(&f);
        facts_release(&more);
        judgement_release(&a);
        judgement_release(&b);
    }
}

/* ---- no fine figures ---- */

/* The cause with each weight up to SHUFFLE per cent off. */
static struct cause shaken(const struct cause *c, struct weight *room, uint32_t *seed)
{
    struct cause copy = *c;

    for (size_t i = 0; i < c->nweights; i++) {
        int off = (int)(next_random(seed) % (2 * SHUFFLE + 1)) - SHUFFLE;
        memcpy(&room[i], &c->weights[i], sizeof(*room));
        room[i].centinats = (int)lround(c->weights[i].centinats * (100 + off) / 100.0);
    }
    copy.weights = room;
    return copy;
}

static size_t first_shaken(const struct cause *causes, const struct facts *f)
{
    size_t best = 0;
    double most = -INFINITY;

    for (size_t i = 0; i < cause_count(); i++) {
        double score = cause_score(&causes[i], f);
        if (score > most) {
            most = score;
            best = i;
        }
    }
    return best;
}

static void shuffled_weights_change_little(void **state)
{
    struct cause *causes = calloc(cause_count(), sizeof(*causes));
    struct weight **rooms = calloc(cause_count(), sizeof(*rooms));
    size_t changed = 0, judged = 0;

    (void)state;
    assert_true(causes && rooms);
    for (size_t i = 0; i < cause_count(); i++)
        assert_non_null(rooms[i] = calloc(cause_at(i)->nweights, sizeof(**rooms)));
    for (uint32_t s = 1; s <= SEEDS; s++) {
        uint32_t seed = s * 7919;
        for (size_t i = 0; i < cause_count(); i++)
            causes[i] = shaken(cause_at(i), rooms[i], &seed);
        for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
            struct facts f;
            read_words(&f, cases[k].wins);
            facts_derive(&f);
            changed += strcmp(causes[first_shaken(causes, &f)].id, cases[k].id) != 0;
            judged++;
            facts_release(&f);
        }
    }
    print_message("with weights up to %d %% off %zu of %zu first verdicts change\n", SHUFFLE,
                  changed, judged);
    assert_true(changed * 100 < judged * MAX_CHANGE);
    for (size_t i = 0; i < cause_count(); i++)
        free(rooms[i]);
    free(rooms);
    free(causes);
}

/* ---- what the capture did not see ---- */

/* Known drops, one direction only, no start: none of them makes a verdict or a sender surer. */
static void caveats_make_nothing_surer(void **state)
{
    static const char *const caveats[] = {"capture-drops=5", "one-sided", "packets-missing=2"};

    (void)state;
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++)
        for (size_t i = 0; i < ARRAY_SIZE(caveats); i++) {
            struct judgement a, b;
            struct facts f;
            judgement_init(&a);
            judgement_init(&b);
            read_words(&f, cases[k].wins);
            assert_int_equal(judge(&a, &f), 0);
            assert_true(factset_add(&f, caveats[i]));
            assert_int_equal(judge(&b, &f), 0);
            assert_true(grade_of(&b) <= grade_of(&a));
            assert_true(grade_of(&b) < GRADE_CONFIRMED || !i);
            assert_true(b.sender_confidence <= a.sender_confidence);
            if (b.sender != SENDER_UNKNOWN && facts_yes(&f, FACT_RST_SEEN))
                assert_true(b.sender_confidence < a.sender_confidence);
            facts_release(&f);
            judgement_release(&a);
            judgement_release(&b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_a_deciding_fact),
        cmocka_unit_test(what_speaks_for_does_no_harm),
        cmocka_unit_test(any_order_is_the_same),
        cmocka_unit_test(shuffled_weights_change_little),
        cmocka_unit_test(caveats_make_nothing_surer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
