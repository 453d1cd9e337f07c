/* The fact kinds, the set, the sentences and the ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "evidence/evidence.h"

static void kinds_are_sound(void **state)
{
    (void)state;
    for (int k = 1; k < FACT_KIND_COUNT; k++) {
        const struct fact_kind_info *info = fact_info((enum fact_kind)k);
        assert_non_null(info->name);
        assert_true(info->name[0] >= 'a' && info->name[0] <= 'z');
        assert_int_equal(strspn(info->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(info->name));
        assert_int_equal(strspn(info->family, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(info->family));
        assert_true(*info->yes);
        /* the first of that name is itself: names are unique */
        assert_int_equal(fact_kind_by_name(info->name), k);
    }
    assert_int_equal(fact_kind_by_name("no-such-kind"), FACT_NOTHING);
    assert_int_equal(fact_kind_by_name(NULL), FACT_NOTHING);
}

static void every_sentence_renders(void **state)
{
    struct strbuf out = STRBUF_INIT;

    (void)state;
    for (int k = 1; k < FACT_KIND_COUNT; k++) {
        for (int yes = 0; yes < 2; yes++) {
            struct fact f = {.kind = (enum fact_kind)k,
                             .yes = yes,
                             .v = {v_int(7), v_text("word"), v_span(NS_PER_SEC)}};
            strbuf_reset(&out);
            fact_text(&out, &f, tr_none);
            assert_true(out.len > 5);
            for (const char *at = out.buf; (at = strchr(at, '%')); at++)
                assert_true(at[1] == ' ' || at[1] == ')'); /* a per cent sign, no argument left */
            assert_null(strchr(out.buf, '?'));
        }
        strbuf_reset(&out);
        fact_missing_text(&out, (enum fact_kind)k, tr_none);
        assert_true(out.len > 5);
        assert_null(strchr(out.buf, '%'));
    }
    strbuf_release(&out);
}

static const char *turned(const char *msgid)
{
    return !strcmp(msgid, "%1$s before %2$s") ? "%2$s nach %1$s, 5%%" : msgid;
}

static void arguments_may_move(void **state)
{
    struct strbuf out = STRBUF_INIT;
    struct value v[2] = {v_int(12), v_text("b")};

    (void)state;
    text_render(&out, "%1$s before %2$s", v, 2, tr_none);
    assert_string_equal(out.buf, "12 before b");
    strbuf_reset(&out);
    text_render(&out, "%1$s before %2$s", v, 2, turned);
    assert_string_equal(out.buf, "b nach 12, 5%");
    strbuf_reset(&out);
    text_render(&out, "%1$s %3$s %", v, 2, tr_none);
    assert_string_equal(out.buf, "12 ? %");
    strbuf_reset(&out);
    v[0] = v_span(NSTIME_NONE);
    v[1] = v_bool(true);
    text_render(&out, "%1$s %2$s", v, 2, tr_none);
    assert_string_equal(out.buf, "? yes");
    strbuf_release(&out);
}

static void a_set_holds_one_of_each(void **state)
{
    struct facts f, g;
    char word[8] = "first";

    (void)state;
    facts_init(&f);
    facts_init(&g);
    facts_put(&f, FACT_HTTP_STATUS, true, SRC_PROBE, 0, "http", v_int(200), v_none(), v_none());
    facts_put(&f, FACT_HTTP_STATUS, true, SRC_PROBE, 0, "http", v_int(413), v_none(), v_none());
    facts_put(&f, FACT_SNI, true, SRC_PACKET, 5, NULL, v_text(word), v_none(), v_none());
    word[0] = 'X'; /* strings are copied */
    assert_int_equal(f.nr, 2);
    assert_int_equal(facts_get(&f, FACT_HTTP_STATUS)->v[0].u.i, 413);
    assert_string_equal(facts_get(&f, FACT_SNI)->v[0].u.s, "first");
    assert_string_equal(facts_get(&f, FACT_HTTP_STATUS)->ref, "http");
    assert_true(facts_yes(&f, FACT_SNI));
    assert_false(facts_no(&f, FACT_SNI));
    assert_null(facts_get(&f, FACT_STAGE));
    assert_false(facts_no(&f, FACT_STAGE));

    facts_put(&g, FACT_SNI, false, SRC_PROBE, 0, NULL, v_none(), v_none(), v_none());
    facts_put(&g, FACT_STAGE, true, SRC_PROBE, 0, NULL, v_text("psh"), v_none(), v_none());
    facts_merge(&f, &g, false);
    assert_true(facts_yes(&f, FACT_SNI));
    facts_merge(&f, &g, true);
    assert_true(facts_no(&f, FACT_SNI));
    facts_sort(&f);
    for (size_t i = 1; i < f.nr; i++)
        assert_true(f.items[i - 1].kind < f.items[i].kind);
    facts_clear(&f);
    assert_int_equal(f.nr, 0);
    facts_release(&f);
    facts_release(&g);
}

static struct fact status_fact(int status)
{
    return (struct fact){.kind = FACT_HTTP_STATUS,
                         .yes = true,
                         .source = SRC_PROBE,
                         .ref = "http",
                         .v = {v_int(status), v_text("words")}};
}

static void ledger_supersedes_and_undoes(void **state)
{
    struct ledger *l = ledger_new();
    struct subject s = {ABOUT_RESULT, 7}, other = {ABOUT_RESET, 7};
    struct facts out;

    (void)state;
    facts_init(&out);
    assert_null(ledger_get(l, s, FACT_HTTP_STATUS));
    assert_int_equal(ledger_revision(l, s), 0);
    for (int i = 0; i < 3; i++) {
        struct fact f = status_fact(200 + i);
        assert_int_equal(ledger_put(l, s, &f), 0);
    }
    assert_int_equal(ledger_get(l, s, FACT_HTTP_STATUS)->v[0].u.i, 202);
    assert_null(ledger_get(l, other, FACT_HTTP_STATUS)); /* about something else */
    uint64_t before = ledger_revision(l, s);
    assert_int_equal(ledger_undo(l, s, FACT_HTTP_STATUS), 0);
    assert_true(ledger_revision(l, s) > before);
    assert_int_equal(ledger_get(l, s, FACT_HTTP_STATUS)->v[0].u.i, 201);
    ledger_gather(l, s, &out);
    assert_int_equal(out.nr, 1);
    assert_int_equal(facts_get(&out, FACT_HTTP_STATUS)->v[0].u.i, 201);
    assert_string_equal(facts_get(&out, FACT_HTTP_STATUS)->v[1].u.s, "words");
    ledger_undo(l, s, FACT_HTTP_STATUS);
    ledger_undo(l, s, FACT_HTTP_STATUS);
    assert_null(ledger_get(l, s, FACT_HTTP_STATUS));
    assert_true(ledger_undo(l, s, FACT_HTTP_STATUS) < 0);

    /* gathering replaces nothing that is there already */
    struct fact f = status_fact(500);
    ledger_put(l, s, &f);
    ledger_gather(l, s, &out);
    assert_int_equal(facts_get(&out, FACT_HTTP_STATUS)->v[0].u.i, 201);
    before = ledger_revision(l, s);
    ledger_forget(l, s);
    assert_null(ledger_get(l, s, FACT_HTTP_STATUS));
    assert_true(ledger_revision(l, s) > before);
    facts_release(&out);
    ledger_free(l);
}

static void ledger_grows_and_keeps_little(void **state)
{
    struct ledger *l = ledger_new();

    (void)state;
    for (uint64_t id = 1; id <= 3000; id++) {
        struct fact f = status_fact((int)id);
        assert_int_equal(ledger_put(l, (struct subject){ABOUT_RESET, id}, &f), 0);
    }
    for (uint64_t id = 1; id <= 3000; id++)
        assert_int_equal(
            ledger_get(l, (struct subject){ABOUT_RESET, id}, FACT_HTTP_STATUS)->v[0].u.i, id);
    struct subject host = {ABOUT_HOST, 0};
    for (int i = 0; i < 1000; i++) {
        struct fact f = status_fact(i);
        assert_int_equal(ledger_put(l, host, &f), 0);
    }
    int undone = 0;
    while (!ledger_undo(l, host, FACT_HTTP_STATUS))
        undone++;
    assert_in_range(undone, 2, 50); /* a cap on what is kept of one kind */
    ledger_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_sound),
        cmocka_unit_test(every_sentence_renders),
        cmocka_unit_test(arguments_may_move),
        cmocka_unit_test(a_set_holds_one_of_each),
        cmocka_unit_test(ledger_supersedes_and_undoes),
        cmocka_unit_test(ledger_grows_and_keeps_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
