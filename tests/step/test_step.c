/* The checklist: its states, the person's answers, and what it asks next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "step/step.h"
#include "../cause/factset.h"

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

static enum step_state state_of(const char *words, const char *id, const char *const *skipped)
{
    struct judgement j;
    struct checklist c;
    enum step_state s = STEP_UNKNOWN;
    bool found = false;

    judgement_init(&j);
    checklist_init(&c);
    judge_words(&j, words);
    assert_int_equal(checklist_build(&c, &j, skipped), 0);
    for (size_t i = 0; i < c.nr; i++) {
        if (strcmp(c.items[i].step->id, id) != 0)
            continue;
        s = c.items[i].state;
        found = true;
    }
    assert_true(found);
    checklist_release(&c);
    judgement_release(&j);
    return s;
}

static void the_steps_are_sound(void **state)
{
    int in_group[GROUP_COUNT] = {0};

    (void)state;
    for (size_t i = 0; i < step_count(); i++) {
        const struct step *s = step_at(i);
        assert_ptr_equal(step_by_id(s->id), s);
        assert_true(i == 0 || step_at(i - 1)->group <= s->group);
        assert_true(s->question && s->question[strlen(s->question) - 1] == '?');
        assert_true(s->title && *s->title);
        assert_true(s->why && s->if_yes && s->if_no && s->how);
        assert_true(s->kinds[0] != FACT_NOTHING);
        assert_non_null(s->causes[0]);
        for (size_t k = 0; k < ARRAY_SIZE(s->causes) && s->causes[k]; k++)
            if (!cause_by_id(s->causes[k]))
                fail_msg("%s: no cause %s", s->id, s->causes[k]);
        in_group[s->group]++;
    }
    for (int g = 0; g < GROUP_COUNT; g++)
        assert_true(in_group[g] >= 2);
    assert_null(step_at(step_count()));
    assert_null(step_by_id("no-such-step"));
}

/* A question to a person that no cause's weight turns on would be asked for nothing. */
static void every_answer_says_something(void **state)
{
    (void)state;
    for (size_t i = 0; i < step_count(); i++) {
        const struct step *s = step_at(i);
        bool weighs = !s->answer;
        for (size_t c = 0; c < cause_count() && !weighs; c++)
            for (size_t k = 0; k < cause_at(c)->nweights; k++)
                weighs = weighs || cause_at(c)->weights[k].kind == s->answer;
        if (!weighs)
            fail_msg("%s: nothing turns on its answer", s->id);
    }
}

static void states_follow_the_facts(void **state)
{
    static const char *const skip[] = {"listening", NULL};
    const char *refused = "stage=syn connect-refused=1ms";

    (void)state;
    assert_int_equal(state_of(refused, "listening", NULL), STEP_UNKNOWN);
    assert_int_equal(state_of("stage=syn connect-refused=1ms target-listens", "listening", NULL),
                     STEP_PASS);
    assert_int_equal(state_of("stage=syn connect-refused=1ms !target-listens", "listening", NULL),
                     STEP_SUSPECT);
    assert_int_equal(
        state_of("stage=syn connect-refused=1ms !user-service-runs", "listening", NULL),
        STEP_SUSPECT);
    assert_int_equal(state_of(refused, "listening", skip), STEP_SKIPPED);
    assert_int_equal(state_of("stage=psh !tls-ok tls-alert=70", "tls-alert", NULL), STEP_SUSPECT);
    assert_int_equal(state_of("stage=psh connection-reset=x !tls-alert", "tls-alert", NULL),
                     STEP_PASS);
    /* a name that resolved can be no cause of the name's group */
    assert_int_equal(state_of("stage=psh connection-reset=ECONNRESET", "resolves", NULL),
                     STEP_RULED_OUT);
}

static void an_answer_is_marked(void **state)
{
    struct judgement j;
    struct checklist c;

    (void)state;
    judgement_init(&j);
    checklist_init(&c);
    judge_words(&j, "stage=syn connect-refused=1ms user-firewall-rule");
    assert_int_equal(checklist_build(&c, &j, NULL), 0);
    for (size_t i = 0; i < c.nr; i++) {
        bool mine = !strcmp(c.items[i].step->id, "firewall-rule");
        assert_int_equal(c.items[i].answered_by_user, mine);
        if (mine) {
            assert_int_equal(c.items[i].state, STEP_SUSPECT);
            assert_int_equal(c.items[i].facts[0], FACT_USER_FW_CHANGED);
            assert_int_equal(c.items[i].facts[1], 0);
        }
    }
    checklist_release(&c);
    judgement_release(&j);
}

static const struct step *next_of(const char *words, const char *const *skipped)
{
    struct judgement j;
    struct checklist c;

    judgement_init(&j);
    checklist_init(&c);
    judge_words(&j, words);
    assert_int_equal(checklist_build(&c, &j, skipped), 0);
    const struct step *s = c.next < 0 ? NULL : c.items[c.next].step;
    if (s)
        assert_int_equal(c.items[c.next].state, STEP_UNKNOWN);
    checklist_release(&c);
    judgement_release(&j);
    return s;
}

static void it_asks_what_separates(void **state)
{
    const struct step *s = next_of("stage=syn connect-refused=1ms !icmp-error", NULL);

    (void)state;
    /* closed port or firewall: one of these tells them apart */
    assert_non_null(s);
    assert_true(s->group == GROUP_HOST || s->group == GROUP_FIREWALL);
    assert_true(s->answer != FACT_NOTHING);
    /* what is set aside is not asked again */
    const char *const skip[] = {s->id, NULL};
    const struct step *other = next_of("stage=syn connect-refused=1ms !icmp-error", skip);
    assert_true(other && other != s);
    /* nothing is asked once it is confirmed */
    assert_null(next_of("stage=psh !tls-ok tls-alert=70 reset-after-hello=5", NULL));
    assert_null(next_of("dns-failed=dns_nxdomain_error", NULL));
    /* idle: what it asks is about the silence, the path or the application */
    assert_non_null(next_of("stage=idle rst-seen rst-class=passive rst-from=server !rst-ttl "
                            "idle-before-reset=350s idle-answered=350s",
                            NULL));
}

/* Answering until nothing is left to ask ends, and asks nothing twice. */
static void asking_ends(void **state)
{
    struct judgement j;
    struct checklist c;
    struct facts f;
    char bad[128];
    size_t asked = 0;

    (void)state;
    judgement_init(&j);
    checklist_init(&c);
    facts_init(&f);
    assert_null(factset_read(&f, "stage=data connection-reset=ECONNRESET request-seen=GET_/", bad,
                             sizeof(bad)));
    for (;;) {
        assert_int_equal(judge(&j, &f), 0);
        assert_int_equal(checklist_build(&c, &j, NULL), 0);
        if (c.next < 0)
            break;
        enum fact_kind answer = c.items[c.next].step->answer;
        assert_null(facts_get(&f, answer));
        facts_put(&f, answer, false, SRC_USER, 0, NULL, v_none(), v_none(), v_none());
        assert_true(++asked <= step_count());
    }
    assert_true(asked > 2);
    facts_release(&f);
    checklist_release(&c);
    judgement_release(&j);
}

/* ---- the experiments ---- */

static void the_tests_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < test_count(); i++) {
        const struct test *t = test_at(i);
        assert_ptr_equal(test_by_id(t->id), t);
        assert_true(t->title && t->about && t->stages);
        assert_true(t->connections > 0 && t->packets >= t->connections && t->seconds > 0);
        assert_true(test_outcomes(t) >= 2);
        for (size_t c = 0; c < cause_count(); c++) {
            double sum = 0;
            for (size_t o = 0; o < test_outcomes(t); o++)
                sum += test_chance(t, o, cause_at(c));
            assert_true(sum > .999999 && sum < 1.000001);
        }
    }
    for (size_t i = 0; i < step_count(); i++)
        assert_true(!step_at(i)->test || test_by_id(step_at(i)->test));
    assert_null(test_by_id("no-such-test"));
}

/* An outcome that makes no cause likelier than another would be measured for nothing. */
static void every_outcome_says_something(void **state)
{
    (void)state;
    for (size_t i = 0; i < test_count(); i++)
        for (size_t o = 0; o < test_outcomes(test_at(i)); o++) {
            double least = 1, most = 0;
            for (size_t c = 0; c < cause_count(); c++) {
                double p = test_chance(test_at(i), o, cause_at(c));
                least = p < least ? p : least;
                most = p > most ? p : most;
            }
            if ((most - least) * (double)test_outcomes(test_at(i)) < .5)
                fail_msg("%s: %s tells nothing", test_at(i)->id, test_at(i)->outcomes[o].id);
        }
}

static const char *test_of(const char *words, struct budget b, const char *const *done)
{
    struct judgement j;

    judgement_init(&j);
    judge_words(&j, words);
    const struct test *t = plan_test(&j, &b, done);
    judgement_release(&j);
    return t ? t->id : "none";
}

static void it_tries_what_separates(void **state)
{
    static const struct budget usual = {40, 60, false, false};
    static const struct budget spent = {0, 0, false, false};
    /* cut at the ClientHello: a filter, a name that is not known, a service without TLS */
    const char *hello = "stage=psh rst-seen rst-class=passive rst-from=server !rst-seq rst-ttl=4 "
                        "reset-after-hello=517 sni=a.example !first-bytes-text !server-hello "
                        "nothing-acked=517 !tls-alert";
    const char *idle = "stage=idle rst-seen rst-class=passive rst-from=server !rst-ttl !rst-seq "
                       "idle-before-reset=350s idle-answered=350s !fin-before";
    char known[400];

    (void)state;
    const char *first = test_of(hello, usual, NULL);
    const char *const done[] = {first, NULL};
    if (strcmp(first, "sni") != 0 && strcmp(first, "hello") != 0 && strcmp(first, "hops") != 0)
        fail_msg("%s, not what looks at the ClientHello or the hop", first);
    assert_string_not_equal(test_of(hello, usual, done), first);
    assert_string_equal(test_of(hello, spent, NULL), "none");
    assert_string_equal(test_of(idle, usual, NULL), "idle");
    /* what is known is not tried again */
    snprintf(known, sizeof(known), "%s neutral-sni-passes=b", hello);
    assert_string_not_equal(test_of(known, usual, NULL), "sni");
    /* a ramp needs consent */
    const char *load = "stage=ack rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq "
                       "at-accept=1ms nothing-sent hold-reset=1ms !repeats !banner-first "
                       "!closed-port-accepts !other-port-works !other-address-works";
    struct budget asked = usual;
    assert_string_not_equal(test_of(load, asked, NULL), "ramp");
    asked.consent = true;
    assert_string_equal(test_of(load, asked, NULL), "ramp");
    /* nothing is tried once it is plain */
    assert_string_equal(test_of("stage=psh !tls-ok tls-alert=70 reset-after-hello=5", asked, NULL),
                        "none");
}

static void playbooks_are_sound(void **state)
{
    (void)state;
    assert_int_equal(playbook_count(), 6);
    for (size_t i = 0; i < playbook_count(); i++) {
        const struct playbook *p = playbook_at(i);
        assert_ptr_equal(playbook_by_id(p->id), p);
        assert_true(*p->title && playbook_items(p) >= 5);
        for (size_t k = 0; k < PLAYBOOK_SCHEMES && p->schemes[k]; k++)
            assert_ptr_equal(playbook_of_scheme(p->schemes[k]), p);
        for (size_t k = 0; k < playbook_items(p); k++) {
            const struct playbook_item *item = &p->items[k];
            assert_true(*item->say && item->means && *item->means);
            if (item->step && !step_by_id(item->step))
                fail_msg("%s: no step is called %s", p->id, item->step);
            if (item->test && !test_by_id(item->test))
                fail_msg("%s: no experiment is called %s", p->id, item->test);
        }
    }
    assert_null(playbook_by_id("no-such"));
    assert_null(playbook_of_scheme("https"));
}

/* A reset before any answer, after silence: the playbook's own order decides among what tells. */
static void the_playbook_is_followed(void **state)
{
    const char *words = "stage=data rst-seen rst-class=passive rst-from=server";
    const struct playbook *p = playbook_by_id("database");
    struct judgement j;
    struct checklist c;
    int first = -1;

    (void)state;
    judgement_init(&j);
    checklist_init(&c);
    judge_words(&j, words);
    assert_int_equal(checklist_build(&c, &j, NULL), 0);
    assert_true(c.next >= 0);
    checklist_follow(&c, p, &j);
    for (size_t k = 0; k < playbook_items(p) && first < 0; k++)
        for (size_t n = 0; n < c.nr && p->items[k].step; n++)
            if (c.items + c.next == c.items + n && !strcmp(c.items[n].step->id, p->items[k].step))
                first = (int)k;
    if (first < 0)
        fail_msg("%s is not of the playbook", c.items[c.next].step->id);
    for (int k = 0; k < first; k++) /* none before it is open and tells anything */
        assert_true(playbook_item_state(&p->items[k], &c, &j.facts) != STEP_UNKNOWN ||
                    strcmp(p->items[k].step ? p->items[k].step : "", c.items[c.next].step->id) !=
                        0);
    /* where nothing more helps it changes nothing */
    c.next = -1;
    checklist_follow(&c, p, &j);
    assert_int_equal(c.next, -1);
    checklist_release(&c);
    judgement_release(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_are_sound),      cmocka_unit_test(every_answer_says_something),
        cmocka_unit_test(states_follow_the_facts),  cmocka_unit_test(an_answer_is_marked),
        cmocka_unit_test(it_asks_what_separates),   cmocka_unit_test(asking_ends),
        cmocka_unit_test(the_tests_are_sound),      cmocka_unit_test(every_outcome_says_something),
        cmocka_unit_test(it_tries_what_separates),  cmocka_unit_test(playbooks_are_sound),
        cmocka_unit_test(the_playbook_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
