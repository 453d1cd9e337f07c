/*
 * test_walk.c: with keys alone from a failure to the advice, once for each group of the checklist:
 * open it, answer what is asked, read what to do. The last screens are tests/screen/walk-*.screen
 * (REGEN=1 writes them anew, as for test_screens).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../cause/factset.h"
#include "ui/private.h"
#include "world.h"

#define PKT(stage, class, from)                                                                    \
    "stage=" stage " rst-seen rst-class=" class " rst-from=" from " !rst-ttl !rst-seq "            \
                                                "!harmless=x "

static const struct walk {
    const char *name, *facts, *keys;
    const char *cause; /* what must come first at the end */
} walks[] = {
    /* the question that would tell most is the current one: its answer, and what to do */
    {"firewall", "stage=syn connect-timeout=3s syn-repeated=3 !icmp-error", "y", "fw-drop-syn"},
    {"timeout", PKT("idle", "passive", "server") "idle-before-reset=350s idle-answered=350s", "n",
     "idle-lb-rst"},
    {"load", "stage=ack hold-reset=1ms nothing-sent no-reply-bytes rst-class=active", "n",
     "conn-limit-reset"},
    {"handshake", "stage=psh !tls-ok tls-alert=40 reset-after-hello=517 !server-hello", "",
     "tls-cipher"},
    {"protocol",
     "stage=data connection-reset=ECONNRESET uploading=9000000 http-status=413 !response-complete",
     "y", "http-early-reply-upload"},
    {"application", PKT("data", "active", "server") "last-data-to-rst-side request-seen=GET_/ ",
     "n", "app-close-unread"},
    {"host", "stage=syn connect-refused=1ms !icmp-error target-is-local !target-listens", "",
     "port-closed"},
    {"nat", "stage=syn rst-seen rst-class=refuse rst-from=client syn-bad-ack syn-retry-worked", "",
     "timewait-collision"},
    {"local", "stage=syn connect-refused=0ms !icmp-error local-reject-rule=1", "",
     "local-fw-output-reject"},
    {"cloud",
     "stage=data connection-reset=ECONNRESET uploading=9000000 http-status=307 "
     "object-store-words=TemporaryRedirect early-reply=307",
     "", "s3-early-error-close"},
    {"name", "dns-failed=dns_nxdomain_error", "", "dns-nxdomain"},
};

static void do_answer(void *arg, uint64_t incident, const char *step, int yes)
{
    session_answer(arg, incident, step, yes);
}

static void do_undo(void *arg, uint64_t incident)
{
    session_undo(arg, incident);
}

static void do_skip(void *arg, uint64_t incident, const char *step)
{
    session_skip(arg, incident, step);
}

/* A failed probe of which the walk's facts are known. */
static void begin(struct world *w, const struct walk *walk)
{
    struct facts f;
    char err[200], bad[128];
    struct target *t;
    struct result *r = result_new();

    assert_non_null(r);
    assert_int_equal(world_empty(w), 0);
    assert_true(target_parse(&t, "tcp://svc.example:443", err, sizeof(err)) >= 0);
    assert_true(session_add_target(w->s, t) >= 0);
    r->target = r->round = 1;
    r->chain = 1;
    strncat(r->probe, strcmp(walk->name, "name") != 0 ? "tcp" : "dns", sizeof(r->probe) - 1);
    r->stage = PSTAGE_CONNECT;
    r->outcome = OUTCOME_FAILED;
    r->failure = FAIL_UNKNOWN;
    r->started = r->ended = w->now;
    for (int i = 0; i < TIMING_COUNT; i++)
        r->timings[i] = NSTIME_NONE;
    session_result(w->s, r);
    facts_init(&f);
    if (factset_read(&f, walk->facts, bad, sizeof(bad)))
        fail_msg("no fact kind: %s", bad);
    for (size_t i = 0; i < f.nr; i++)
        session_fact(w->s, (struct subject){ABOUT_RESULT, 1}, &f.items[i]);
    facts_release(&f);
    session_judge(w->s);
    assert_int_equal(w->s->nincidents, 1);
}

static const char *first_cause(const struct session *s)
{
    const struct judgement *j = &session_incident(s, 1)->judgement;
    return j->nverdicts ? j->verdicts[0].cause->id : "none";
}

static int take(const struct walk *walk)
{
    struct world w;
    const struct ui_options opt = {.ascii = true};
    struct strbuf out = STRBUF_INIT;
    char keys[80], name[80];
    int bad = 0;

    begin(&w, walk);
    const struct ui_actions actions = {
        .answer = do_answer, .undo = do_undo, .skip = do_skip, .arg = w.s};
    snprintf(keys, sizeof(keys), "Tab Enter 1 %s 3", walk->keys);
    assert_int_equal(ui_script(&out, w.s, &actions, &opt, 80, 24, keys), 0);
    if (strcmp(first_cause(w.s), walk->cause) != 0) {
        print_message("%s: %s comes first, not %s\n%s", walk->name, first_cause(w.s), walk->cause,
                      out.buf);
        bad = 1;
    }
    snprintf(name, sizeof(name), "walk-%s", walk->name);
    bad += !world_screen_is(name, out.buf);
    strbuf_release(&out);
    world_release(&w);
    return bad;
}

static void from_a_failure_to_the_advice(void **state)
{
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(walks); i++)
        bad += take(&walks[i]);
    assert_int_equal(bad, 0);
}

/* One walk for each group, and its advice is on the screen. */
static void every_group_is_walked(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_SIZE(walks), GROUP_COUNT);
    for (int g = 0; g < GROUP_COUNT; g++) {
        size_t n = 0;
        for (size_t i = 0; i < ARRAY_SIZE(walks); i++)
            n += !strcmp(walks[i].name, group_name((enum group)g)) &&
                 cause_by_id(walks[i].cause)->group == (enum group)g;
        assert_int_equal(n, 1);
    }
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_is_walked),
        cmocka_unit_test(from_a_failure_to_the_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
