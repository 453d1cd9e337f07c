/* Every cause wins where it should and loses to what looks alike; a cause without a case fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "cause/cause.h"
#include "factset.h"

static const struct {
    const char *id, *wins, *alike;
} cases[] = {
#define CASE(id, wins, alike) {id, wins, alike},
#include "cases.h"
#undef CASE
};

static void judge_words(struct judgement *j, const char *words)
{
    struct facts f;
    char bad[128];

    facts_init(&f);
    if (factset_read(&f, words, bad, sizeof(bad)))
        fail_msg("no fact kind: %s", bad);
    assert_int_equal(judge(j, &f), 0);
    facts_release(&f);
}

static size_t best_of(const struct judgement *j)
{
    size_t best = 0;

    for (size_t i = 1; i < cause_count(); i++)
        if (j->shares[i] > j->shares[best])
            best = i;
    return best;
}

static void every_cause_has_a_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < cause_count(); i++) {
        size_t n = 0;
        for (size_t k = 0; k < ARRAY_SIZE(cases); k++)
            n += !strcmp(cases[k].id, cause_at(i)->id);
        if (n != 1)
            fail_msg("%s has %zu cases, not one", cause_at(i)->id, n);
    }
    assert_int_equal(ARRAY_SIZE(cases), cause_count());
}

static void each_wins_where_it_should(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct judgement j;
        judgement_init(&j);
        judge_words(&j, cases[i].wins);
        const struct cause *best = cause_at(best_of(&j));
        if (strcmp(best->id, cases[i].id) != 0) {
            double share = 0;
            for (size_t c = 0; c < cause_count(); c++)
                share = !strcmp(cause_at(c)->id, cases[i].id) ? j.shares[c] : share;
            print_error("%s (%.3f): %s (%.3f) comes first\n", cases[i].id, share, best->id,
                        j.shares[best_of(&j)]);
            wrong++;
        }
        judgement_release(&j);
    }
    assert_int_equal(wrong, 0);
}

static void each_loses_to_what_looks_alike(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct judgement j;
        judgement_init(&j);
        judge_words(&j, cases[i].alike);
        const struct cause *best = cause_at(best_of(&j));
        if (!strcmp(best->id, cases[i].id)) {
            print_error("%s comes first (%.3f) in: %s\n", best->id, j.shares[best_of(&j)],
                        cases[i].alike);
            wrong++;
        }
        judgement_release(&j);
    }
    assert_int_equal(wrong, 0);
}

/* ---- the demo (design.md 5): what tells its entries apart, without capture and with it ---- */

static const struct {
    const char *entry, *facts, *right;
} demo[] = {
    {"closed", "stage=syn connect-refused=1ms !icmp-error", "port-closed"},
    {"closed, looked", "stage=syn connect-refused=1ms !icmp-error target-is-local !target-listens",
     "port-closed"},
    {"closed, captured",
     "stage=syn connect-refused=1ms !icmp-error rst-seen rst-class=refuse rst-from=server !rst-seq",
     "port-closed"},
    {"at-accept",
     "stage=ack connection-reset=ECONNRESET hold-reset=2ms nothing-sent no-reply-bytes "
     "at-accept=2ms !idle-before-reset=2ms",
     "conn-limit-reset|app-linger0"},
    {"at-accept, counted",
     "stage=ack connection-reset=ECONNRESET hold-reset=2ms nothing-sent no-reply-bytes "
     "at-accept=2ms "
     "abort-on-data=1 !abort-on-close target-is-local target-listens !listen-queue-full",
     "conn-limit-reset|app-linger0"},
    {"at-accept, captured",
     "stage=ack connection-reset=ECONNRESET hold-reset=2ms nothing-sent no-reply-bytes rst-seen "
     "rst-class=active rst-from=server !rst-ttl !rst-seq at-accept=2ms",
     "conn-limit-reset|app-linger0"},
    {"unread",
     "stage=psh connection-reset=ECONNRESET request-seen=GET_/ !nothing-sent "
     "no-reply-bytes all-acked=80 abort-on-close=1 !abort-on-data target-is-local",
     "app-close-unread"},
    {"unread, captured",
     "stage=psh rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq "
     "request-seen=GET_/ no-reply-bytes all-acked=80 abort-on-close=1 "
     "!abort-on-data last-data-to-rst-side",
     "app-close-unread"},
    {"linger",
     "stage=psh connection-reset=ECONNRESET request-seen=GET_/ !nothing-sent "
     "no-reply-bytes all-acked=80 abort-on-data=1 !abort-on-close target-is-local",
     "app-linger0"},
    {"linger, captured",
     "stage=psh rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq "
     "request-seen=GET_/ no-reply-bytes all-acked=80 abort-on-data=1 "
     "!abort-on-close last-data-to-rst-side",
     "app-linger0"},
    {"hello",
     "stage=psh connection-reset=ECONNRESET reset-after-hello=517 !tls-ok !tls-alert "
     "!first-bytes-text !server-hello no-reply-bytes repeats=1",
     "tls-tls-to-plain|app-linger0|app-close-unread|tls-sni-unknown"},
    {"hello, captured",
     "stage=psh rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq "
     "reset-after-hello=517 !tls-alert !first-bytes-text !server-hello "
     "no-reply-bytes last-data-to-rst-side all-acked=517 "
     "hello-over-one-segment sni=localhost",
     "tls-tls-to-plain|app-linger0|app-close-unread|tls-sni-unknown"},
    {"hello, counted",
     "stage=psh connection-reset=ECONNRESET reset-after-hello=517 !tls-ok "
     "!tls-alert no-reply-bytes abort-on-data=1 !abort-on-close",
     "tls-tls-to-plain|app-linger0|app-close-unread|tls-sni-unknown"},
    {"text",
     "stage=psh !tls-ok first-bytes-text=hello reset-after-hello=517 !tls-alert "
     "!server-hello !no-reply-bytes",
     "tls-tls-to-plain"},
    {"text, captured",
     "stage=psh rst-seen rst-class=active rst-from=client !rst-ttl !rst-seq "
     "!tls-ok first-bytes-text=hello !reset-after-hello !server-hello "
     "!no-reply-bytes last-data-to-rst-side other-protocol=text !tls-alert",
     "tls-tls-to-plain"},
    {"versions", "stage=psh !tls-ok tls-alert=70 reset-after-hello=517 !first-bytes-text",
     "tls-version"},
    {"idle",
     "stage=idle connection-reset=ECONNRESET hold-reset=3s nothing-sent no-reply-bytes "
     "idle-before-reset=3s idle-pushed=3s unprovoked repeats=1",
     "idle-lb-rst-pushed|server-read-timeout"},
    {"idle, counted",
     "stage=idle connection-reset=ECONNRESET hold-reset=3s nothing-sent "
     "no-reply-bytes idle-before-reset=3s idle-pushed=3s unprovoked repeats=1 "
     "abort-on-data=1 !abort-on-close target-is-local",
     "idle-lb-rst-pushed|server-read-timeout"},
    {"idle, captured",
     "stage=idle rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq "
     "hold-reset=3s nothing-sent no-reply-bytes idle-before-reset=3s "
     "idle-pushed=3s connection-reset=ECONNRESET",
     "idle-lb-rst-pushed|server-read-timeout"},
    {"queue", "stage=syn connect-timeout=10s syn-repeated=4 listen-queue-full=2 listen-overflow=1",
     "accept-queue-overflow-drop"},
    {"queue, looked",
     "stage=syn connect-timeout=3s syn-repeated=3 target-listens !icmp-error "
     "listen-queue-full=2 listen-overflow=5 !embryonic-rst !abort-on-timeout",
     "accept-queue-overflow-drop"},
    {"queue, accepted",
     "stage=ack stalled=5s nothing-acked=90 listen-queue-full=2 "
     "synack-repeated=2",
     "accept-queue-overflow-drop"},
    {"upload",
     "stage=data connection-reset=ECONNRESET uploading=1048576 early-reply=413 "
     "http-status=413 !all-acked=700000 abort-on-close=1",
     "http-early-reply-upload"},
    {"upload, captured",
     "stage=data rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq "
     "uploading=1048576 early-reply=413 http-status=413 !all-acked=700000 "
     "last-data-to-rst-side !response-complete",
     "http-early-reply-upload"},
    {"half",
     "stage=data connection-reset=ECONNRESET reply-cut-short=500 http-status=200 "
     "!response-complete request-seen=GET_/ all-acked=80 !no-reply-bytes",
     "app-linger0|worker-killed|app-crash"},
    {"half, counted",
     "stage=data connection-reset=ECONNRESET reply-cut-short=500 http-status=200 "
     "!response-complete request-seen=GET_/ all-acked=80 abort-on-data=1 "
     "!abort-on-close",
     "app-linger0|worker-killed|app-crash"},
    {"half, captured",
     "stage=data rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq "
     "reply-cut-short=500 http-status=200 !response-complete request-seen=GET_/ "
     "all-acked=80 !last-data-to-rst-side !fin-before",
     "app-linger0|worker-killed|app-crash"},
};

static bool is_one_of(const char *list, const char *word)
{
    const char *at = strstr(list, word);
    size_t n = strlen(word);

    return at && (at == list || at[-1] == '|') && (!at[n] || at[n] == '|');
}

static void the_demo_is_judged_right(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(demo); i++) {
        struct judgement j;
        judgement_init(&j);
        judge_words(&j, demo[i].facts);
        const char *said = j.nverdicts ? j.verdicts[0].cause->id : "nothing";
        if (!is_one_of(demo[i].right, said)) {
            print_error("%s: said %s\n", demo[i].entry, said);
            for (size_t c = 0; c < cause_count(); c++)
                if (j.shares[c] > .03)
                    print_error("    %.3f %s\n", j.shares[c], cause_at(c)->id);
            wrong++;
        }
        assert_true(j.harmful);
        judgement_release(&j);
    }
    assert_int_equal(wrong, 0);
}

/* What is decisive is confirmed; what only looks like it is not. */
static void confirmed_needs_a_decisive_fact(void **state)
{
    static const struct {
        const char *facts;
        bool confirmed;
    } sets[] = {
        {"stage=psh !tls-ok tls-alert=70 reset-after-hello=517", true},
        {"stage=psh !tls-ok tls-alert=40 reset-after-hello=517 !server-hello", false},
        {"stage=syn connect-refused=1ms !icmp-error target-is-local !target-listens", true},
        {"stage=syn connect-refused=1ms !icmp-error", false},
        {"stage=psh !tls-ok tls-alert=70 reset-after-hello=517 capture-drops=12", false},
        {"dns-failed=dns_nxdomain_error", true},
        {"stage=close rst-seen rst-class=active rst-from=client fin-before=server harmless=x "
         "response-complete fin-both close-notify !rst-ttl",
         false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        struct judgement j;
        judgement_init(&j);
        judge_words(&j, sets[i].facts);
        assert_true(j.nverdicts > 0);
        if ((j.verdicts[0].grade == GRADE_CONFIRMED) != sets[i].confirmed)
            fail_msg("%s: %s %.3f in %s", j.verdicts[0].cause->id, grade_name(j.verdicts[0].grade),
                     j.verdicts[0].confidence, sets[i].facts);
        judgement_release(&j);
    }
}

static void snippets_are_sound(void **state)
{
    static const char *const asked[] = {"C",          "Python",     "Go",        "Java",
                                        "JavaScript", "curl",       "nginx",     "HAProxy",
                                        "Envoy",      "Fluent Bit", "Kubernetes"};
    size_t causes = 0;
    bool seen[ARRAY_SIZE(asked)] = {false};

    (void)state;
    for (size_t i = 0; i < cause_count(); i++) {
        const struct snippet *s = cause_snippets(cause_at(i));
        causes += s != NULL;
        for (; s && s->in; s++) {
            assert_true(*s->text && !strchr(s->text, '\t'));
            for (size_t k = 0; k < ARRAY_SIZE(asked); k++)
                seen[k] = seen[k] || !strcmp(s->in, asked[k]);
        }
    }
    assert_in_range(causes, 35,
                    cause_count()); /* as the table has them: none of its ids is wrong */
    for (size_t k = 0; k < ARRAY_SIZE(asked); k++)
        assert_true(seen[k]);
    assert_null(cause_snippets(cause_by_id("port-closed")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snippets_are_sound),
        cmocka_unit_test(every_cause_has_a_case),
        cmocka_unit_test(each_wins_where_it_should),
        cmocka_unit_test(each_loses_to_what_looks_alike),
        cmocka_unit_test(the_demo_is_judged_right),
        cmocka_unit_test(confirmed_needs_a_decisive_fact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
