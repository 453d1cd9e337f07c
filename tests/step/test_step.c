/* The checklist: its states, the person's answers, and what it asks next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_are_sound),     cmocka_unit_test(every_answer_says_something),
        cmocka_unit_test(states_follow_the_facts), cmocka_unit_test(an_answer_is_marked),
        cmocka_unit_test(it_asks_what_separates),  cmocka_unit_test(asking_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
