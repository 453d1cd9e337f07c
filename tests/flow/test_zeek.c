/* Zeek's record: each conn_state, each letter, and where a record is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/flow/script.h"

static void check(const char *lines, const char *want)
{
    struct script s;
    char have[256];
    script_play(&s, lines);
    script_records(&s, have);
    if (strcmp(have, want) != 0)
        fail_msg("have %s, want %s\n%s", have, want, lines);
    script_release(&s);
}

#define OPEN "0 > S 0\n0.1 < SA 0 1\n0.2 > A 1 1\n"

static void test_states(void **state)
{
    (void)state;
    check("0 > S 0\n", "S0 S");
    check(OPEN, "S1 ShA");
    check(OPEN "1 > PA 1+5 1\n1.1 < A 1 6\n2 > FA 6 1\n2.1 < FA 1 7\n2.2 > A 7 2\n", "SF ShADaFf");
    check("0 > S 0\n0.1 < RA !0 1\n", "REJ Sr");
    check(OPEN "1 > FA 1 1\n1.1 < A 1 2\n", "S2 ShAFa");
    check(OPEN "1 < FA 1 1\n1.1 > A 1 2\n", "S3 ShAf");
    check(OPEN "1 > R 1\n", "RSTO ShAR");
    check(OPEN "1 < R 1\n", "RSTR ShAr");
    check("0 > S 0\n0.1 > R 1\n", "RSTOS0 SR");
    check("0 > S 0\n0.1 < A 9 8\n0.1 > R 8\n", "RSTOS0 SaR");
    check("0 < SA 0 1\n0.1 < R 1\n", "RSTRH ^hr");
    check("0 > S 0\n0.1 > FA 1 1\n", "SH SF");
    check("0 < FA 1 1\n0.1 > A 1 2\n", "SHR ^fA");
    check("0 < SA 0 1\n0.1 < FA 1 1\n", "SHR ^hf");
    check("0 > PA 1+5 1\n0.1 < A 1 6\n", "OTH Da");
    check("0 > R 1\n", "OTH R");
    check("0 < R 1\n", "RSTRH ^r");
    check(OPEN "1 > FA 1 1\n1.1 < FA 1 2\n1.2 > R 2\n", "SF ShAFfR");
}

static void test_letters(void **state)
{
    (void)state;
    check(OPEN "1 > PA 1+5 1\n1.1 > PA 1+5 1 id=2\n1.2 < A 1 6\n", "S1 ShADTa");
    check(OPEN "1 > PA 1+5 1\n1.1 < A 1 6 win=0\n", "S1 ShADaw");
    check(OPEN "1 > PA 1+5 1\n1.1 < A 1 600\n1.2 < PA 1+5 600\n", "S1 ShADaGd");
    check(OPEN "1 > PA 6+5 1\n1.1 > PA 1+5 1 id=2\n1.2 < A 1 11\n", "S1 ShADTa"); /* late, no gap */
    check(OPEN "1 > FRA 1 1\n", "RSTO ShAI");
    check(OPEN "1 > SFA 1 1\n", "S2 ShAQ");
    check("0 > S 0\n1 > S 0 isn=77\n1.1 < SA 0 1\n1.2 > A 1 1\n", "S0 S; S1 ShA");
    check("0 > S 0\n1 > S 0\n1.1 < SA 0 1\n", "S1 Sh");
    check(OPEN "1 > R 1\n1.1 > R 9\n1.2 > R 9\n", "RSTO ShARR");
    check(OPEN "1 > PA 1+5 1\n1.2 < A 1 6\n1.3 > PA 6+5 1 bad\n", "S1 ShADaC");
}

/* T at the 1st, 10th and 100th of its kind. */
static void test_powers(void **state)
{
    struct script s;
    char have[256];
    (void)state;
    script_init(&s, NULL);
    script_run(&s, OPEN "1 > PA 1+5 1\n");
    for (int i = 0; i < 120; i++)
        script_run(&s, i % 2 ? "2 > PA 1+5 1 id=3\n" : "2 > PA 1+5 1 id=4\n");
    flow_table_finish(s.t);
    assert_string_equal(script_records(&s, have), "S1 ShADTTT");
    script_release(&s);
}

static void test_cuts(void **state)
{
    (void)state;
    /* five seconds after a reset the record is closed, the flow is not */
    check(OPEN "1 > R 1\n2 < PA 1+5 1\n", "RSTO ShARd");
    check("0 > S 0\n0.1 < SA 0 1\n0.1 > R 1\n9 > PA 1+5 1\n9.1 < R 1\n", "RSTO ShR; RSTRH Dr");
    check("0 > S 0\n7 > S 0\n7.1 < SA 0 1\n", "S0 S; S1 Sh");       /* tcp_attempt_delay */
    check(OPEN "1 > PA 1+5 1\n400 > PA 6+5 1\n", "S1 ShAD; OTH D"); /* inactivity */
    check("0 < SA 0 1\n0.0 > S 0\n0.1 > A 1 1\n", "OTH ^hSA");
    check("0 < SA 0 1 sport=7777\n0.0 > S 0 sport=7777\n0.1 > A 1 1 sport=7777\n", "S1 Hs^A");
}

static void test_one_flow(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, OPEN "1 > R 1\n60 < PA 1+5 1\n60.1 > R 1\n");
    assert_int_equal(s.nrecords, 2);
    assert_int_equal(s.records[0].flow, s.records[1].flow);
    assert_int_equal(flow_table_counts(s.t)->flows, 1);
    assert_string_equal(script_reset(&s, 1)->history, "ShAR");
    script_release(&s);
}

static void test_sizes(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, OPEN "1 > PA 1+500 1\n1.1 < PA 1+900 501\n1.2 > FA 501 901\n"
                         "1.3 < FA 901 502\n1.4 > A 502 902\n");
    assert_int_equal(s.records[0].bytes[0], 500);
    assert_int_equal(s.records[0].bytes[1], 900);
    assert_int_equal(s.records[0].packets[0], 5);
    assert_int_equal(s.records[0].packets[1], 3);
    assert_int_equal(s.records[0].duration, 1300 * NS_PER_MS);
    script_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),   cmocka_unit_test(test_letters),
        cmocka_unit_test(test_powers),   cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_one_flow), cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
