/* What several ends have in common: found where it is, not where chance or a burst makes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "evidence/evidence.h"

#define S NS_PER_SEC

static struct pattern_item end_at(nstime time)
{
    return (struct pattern_item){.service = 1,
                                 .host = 1,
                                 .client = 1,
                                 .shape = 1,
                                 .time = time,
                                 .idle = NSTIME_NONE,
                                 .wait = NSTIME_NONE,
                                 .age = NSTIME_NONE,
                                 .born = NSTIME_NONE};
}

static const struct pattern *get(const struct patterns *p, size_t item, enum pattern_kind k)
{
    uint32_t at = p->of_item[item][k];
    return at ? &p->items[at - 1] : NULL;
}

static void the_same_silence(void **state)
{
    struct pattern_item ends[6];
    struct patterns p;
    struct fact f;
    struct strbuf text = STRBUF_INIT;

    (void)state;
    patterns_init(&p);
    for (size_t i = 0; i < 6; i++) {
        ends[i] = end_at((nstime)i * 400 * S);
        ends[i].idle = 240 * S + (nstime)i * S / 10;
    }
    ends[4].idle = 31 * S; /* one of its own */
    assert_int_equal(patterns_find(&p, ends, 6), 0);
    const struct pattern *one = get(&p, 0, PATTERN_IDLE);
    assert_non_null(one);
    assert_true(one->yes && one->nr == 5 && one->of == 6);
    assert_null(get(&p, 4, PATTERN_IDLE));
    assert_ptr_equal(get(&p, 5, PATTERN_IDLE), one);
    assert_int_equal(one->items[4], 5);
    pattern_fact(&f, one);
    assert_int_equal(f.kind, FACT_SAME_IDLE);
    fact_text(&text, &f, tr_none);
    assert_non_null(strstr(text.buf, "5 of 6"));
    assert_non_null(strstr(text.buf, "240"));
    assert_true(get(&p, 0, PATTERN_ALIKE)->nr == 6);
    strbuf_release(&text);
    patterns_release(&p);
}

static void differing_silences_are_a_no(void **state)
{
    static const int idle[] = {20, 95, 240, 400, 17, 70};
    struct pattern_item ends[6];
    struct patterns p;

    (void)state;
    patterns_init(&p);
    for (size_t i = 0; i < 6; i++) {
        ends[i] = end_at((nstime)i * 500 * S);
        ends[i].idle = idle[i] * S;
    }
    assert_int_equal(patterns_find(&p, ends, 6), 0);
    const struct pattern *one = get(&p, 3, PATTERN_IDLE);
    assert_true(one && !one->yes && one->value == 17 * S && one->high == 400 * S);
    /* three are too few to say no */
    assert_int_equal(patterns_find(&p, ends, 3), 0);
    assert_null(get(&p, 0, PATTERN_IDLE));
    patterns_release(&p);
}

/* Ten connections opened and cut together share every time; that is one event, not a timer. */
static void together_is_no_timer(void **state)
{
    struct pattern_item ends[10];
    struct patterns p;

    (void)state;
    patterns_init(&p);
    for (size_t i = 0; i < 10; i++) {
        ends[i] = end_at(100 * S + (nstime)i * S / 1000);
        ends[i].idle = ends[i].age = 60 * S;
        ends[i].born = ends[i].time - 60 * S;
    }
    assert_int_equal(patterns_find(&p, ends, 10), 0);
    assert_null(get(&p, 0, PATTERN_IDLE));
    assert_null(get(&p, 0, PATTERN_AGE));
    assert_null(get(&p, 0, PATTERN_INSTANT)); /* they had begun together too */
    patterns_release(&p);
}

static void one_moment(void **state)
{
    struct pattern_item ends[6];
    struct patterns p;

    (void)state;
    patterns_init(&p);
    for (size_t i = 0; i < 6; i++) {
        ends[i] = end_at(1000 * S + (nstime)i * S / 100);
        ends[i].born = (nstime)i * 70 * S;
    }
    assert_int_equal(patterns_find(&p, ends, 6), 0);
    assert_true(get(&p, 0, PATTERN_INSTANT) && get(&p, 0, PATTERN_INSTANT)->nr == 6);
    assert_null(get(&p, 0, PATTERN_INSTANT_HOSTS));
    for (size_t i = 0; i < 6; i++)
        ends[i].host = ends[i].service = i;
    assert_int_equal(patterns_find(&p, ends, 6), 0);
    assert_null(get(&p, 0, PATTERN_INSTANT));
    assert_true(get(&p, 0, PATTERN_INSTANT_HOSTS) && get(&p, 0, PATTERN_INSTANT_HOSTS)->hosts == 6);
    assert_null(get(&p, 0, PATTERN_ALIKE)); /* of no service are there three */
    /* far apart */
    for (size_t i = 0; i < 6; i++)
        ends[i].time = 1000 * S + (nstime)i * 10 * S;
    assert_int_equal(patterns_find(&p, ends, 6), 0);
    assert_null(get(&p, 0, PATTERN_INSTANT_HOSTS));
    patterns_release(&p);
}

static void counts_and_sizes(void **state)
{
    struct pattern_item ends[5];
    struct patterns p;

    (void)state;
    patterns_init(&p);
    for (size_t i = 0; i < 5; i++) {
        ends[i] = end_at((nstime)i * 3 * S);
        ends[i].index = 1000;
        ends[i].size = 1048576 + i * 1460;
        ends[i].age = (300 + (nstime)i) * S;
    }
    assert_int_equal(patterns_find(&p, ends, 5), 0);
    assert_true(get(&p, 2, PATTERN_INDEX) && get(&p, 2, PATTERN_INDEX)->value == 1000);
    assert_true(get(&p, 2, PATTERN_SIZE) && get(&p, 2, PATTERN_SIZE)->yes);
    /* the ages are the same, but all ended within seconds of one another */
    assert_null(get(&p, 2, PATTERN_AGE));
    for (size_t i = 0; i < 5; i++) {
        ends[i].index = 2; /* every short exchange has two */
        ends[i].size = 300;
        ends[i].time = (nstime)i * 200 * S;
    }
    assert_int_equal(patterns_find(&p, ends, 5), 0);
    assert_null(get(&p, 2, PATTERN_INDEX));
    assert_null(get(&p, 2, PATTERN_SIZE));
    assert_true(get(&p, 2, PATTERN_AGE) && get(&p, 2, PATTERN_AGE)->yes);
    patterns_release(&p);
}

static void even_intervals(void **state)
{
    struct pattern_item ends[5];
    struct patterns p;

    (void)state;
    patterns_init(&p);
    for (size_t i = 0; i < 5; i++) {
        ends[i] = end_at((nstime)i * 10 * S + (nstime)(i % 2) * S / 4);
        ends[i].silent = true;
    }
    assert_int_equal(patterns_find(&p, ends, 5), 0);
    assert_true(get(&p, 1, PATTERN_PERIODIC) && get(&p, 1, PATTERN_PERIODIC)->nr == 5);
    ends[3].time += 4 * S;
    assert_int_equal(patterns_find(&p, ends, 5), 0);
    assert_null(get(&p, 1, PATTERN_PERIODIC));
    patterns_release(&p);
}

/* The order in which the ends are given changes nothing. */
static void order_does_not_matter(void **state)
{
    struct pattern_item ends[40], turned[40];
    struct patterns a, b;

    (void)state;
    patterns_init(&a);
    patterns_init(&b);
    for (size_t i = 0; i < 40; i++) {
        ends[i] = end_at((nstime)(i * i % 41) * 50 * S);
        ends[i].service = i % 3;
        ends[i].host = i % 2;
        ends[i].idle = (i % 5 ? 60 : 11 + (nstime)i) * S;
        ends[i].born = ends[i].time - 90 * S;
        ends[i].silent = i % 4 == 0;
        turned[39 - i] = ends[i];
    }
    assert_int_equal(patterns_find(&a, ends, 40), 0);
    assert_int_equal(patterns_find(&b, turned, 40), 0);
    assert_true(a.nr > 3 && a.nr == b.nr);
    for (size_t i = 0; i < 40; i++)
        for (int k = 0; k < PATTERN_KINDS; k++) {
            const struct pattern *x = get(&a, i, k), *y = get(&b, 39 - i, k);
            assert_int_equal(!x, !y);
            assert_true(!x || (x->yes == y->yes && x->nr == y->nr && x->value == y->value));
        }
    patterns_release(&a);
    patterns_release(&b);
    assert_int_equal(patterns_find(&a, NULL, 0), 0);
    patterns_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_silence),      cmocka_unit_test(differing_silences_are_a_no),
        cmocka_unit_test(together_is_no_timer),  cmocka_unit_test(one_moment),
        cmocka_unit_test(counts_and_sizes),      cmocka_unit_test(even_intervals),
        cmocka_unit_test(order_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
