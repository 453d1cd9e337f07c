/* Results are generic, and facts are a pure function of them. */
#include "probe/probe.h"
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void fields_are_set_added_and_cleaned(void **state)
{
    struct result *r = result_new();
    char big[3000];
    (void)state;
    assert_int_equal(r->stage, PSTAGE_NONE);
    assert_true(r->timings[TIMING_TLS] == NSTIME_NONE);
    assert_int_equal(result_set(r, "a", v_text("x\x1by")), 0);
    assert_string_equal(result_field(r, "a")->value.u.s, "x.y");
    assert_int_equal(result_set(r, "a", v_int(7)), 0);
    assert_int_equal(r->nfields, 1);
    assert_int_equal(result_field(r, "a")->value.u.i, 7);
    assert_int_equal(result_add(r, "a", v_bool(true)), 0);
    assert_int_equal(r->nfields, 2);
    memset(big, 'b', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(result_set(r, "big", v_text(big)), 0);
    assert_int_equal(strlen(result_field(r, "big")->value.u.s), 1024);
    assert_null(result_field(r, "none"));
    int rc = 0;
    for (int i = 0; i < 1000 && rc == 0; i++) /* a peer must not grow it without end */
        rc = result_add(r, "many", v_int(i));
    assert_int_equal(rc, -E2BIG);
    result_free(r);
    result_free(NULL);
}

static void names_go_both_ways(void **state)
{
    (void)state;
    assert_null(failure_name(FAIL_NONE));
    assert_null(probe_stage_name(PSTAGE_NONE));
    for (int f = FAIL_NONE + 1; f < FAIL_COUNT; f++) {
        assert_non_null(failure_name((enum failure)f));
        assert_true(strlen(failure_title((enum failure)f)) <= 8);
        assert_int_equal(failure_by_name(failure_name((enum failure)f)), f);
    }
    assert_int_equal(failure_by_name("nonsense"), FAIL_UNKNOWN);
    assert_int_equal(failure_by_name(NULL), FAIL_NONE);
    assert_string_equal(outcome_name(OUTCOME_SKIPPED), "skipped");
    assert_int_equal(probe_type_count(), 4);
    assert_string_equal(probe_type_at(3)->name, "http");
    assert_null(probe_type_at(4));
}

static struct result *make(const char *probe, enum failure f, enum probe_stage s, int err)
{
    struct result *r = result_new();
    snprintf(r->probe, sizeof(r->probe), "%s", probe);
    addr_parse("127.0.0.1", &r->address);
    r->failure = f;
    r->outcome = f ? OUTCOME_FAILED : OUTCOME_OK;
    r->stage = s;
    r->err = err;
    return r;
}

static struct facts facts_of(const struct result *r)
{
    struct facts f;
    facts_init(&f);
    facts_of_result(&f, r);
    return f;
}

static const char *text_of(const struct facts *f, enum fact_kind k)
{
    const struct fact *x = facts_get(f, k);
    return x && x->v[0].type == VALUE_TEXT ? x->v[0].u.s : "";
}

static void refused_with_and_without_icmp(void **state)
{
    struct result *r = make("tcp", FAIL_REFUSED, PSTAGE_CONNECT, ECONNREFUSED);
    (void)state;
    result_set(r, "error_queue", v_text("empty"));
    struct facts f = facts_of(r);
    assert_true(facts_yes(&f, FACT_CONN_REFUSED));
    assert_true(facts_no(&f, FACT_ICMP_ERROR));
    assert_string_equal(text_of(&f, FACT_STAGE), "syn");
    facts_release(&f);
    result_free(r);
    r = make("tcp", FAIL_REFUSED, PSTAGE_CONNECT, ECONNREFUSED);
    f = facts_of(r); /* nobody looked into the queue: then nothing is said of it */
    assert_null(facts_get(&f, FACT_ICMP_ERROR));
    facts_release(&f);
    result_set(r, "icmp", v_text("port unreachable"));
    result_set(r, "icmp_from", v_text("127.0.0.9"));
    f = facts_of(r);
    assert_true(facts_yes(&f, FACT_ICMP_ERROR));
    assert_true(facts_no(&f, FACT_ICMP_OFFENDER_TARGET));
    facts_release(&f);
    result_set(r, "icmp_from", v_text("127.0.0.1"));
    f = facts_of(r);
    assert_true(facts_yes(&f, FACT_ICMP_OFFENDER_TARGET));
    facts_release(&f);
    result_free(r);
}

static void set_bytes(struct result *r, int64_t sent, int64_t acked, int64_t got, nstime silence)
{
    result_set(r, "bytes_sent", v_int(sent));
    result_set(r, "bytes_acked", v_int(acked));
    result_set(r, "bytes_received", v_int(got));
    result_set(r, "silence", v_span(silence));
    result_set(r, "age", v_span(silence + NS_PER_MS));
    result_set(r, "held", v_span(silence));
}

static void stages_as_packets_name_them(void **state)
{
    static const struct {
        enum failure f;
        int err;
        int64_t sent, got;
        nstime silence;
        const char *stage;
    } t[] = {
        {FAIL_RESET, ECONNRESET, 0, 0, NS_PER_MS, "ack"},
        {FAIL_RESET, ECONNRESET, 10, 0, NS_PER_MS, "psh"},
        {FAIL_RESET, ECONNRESET, 10, 5, NS_PER_MS, "data"},
        {FAIL_RESET, ECONNRESET, 0, 0, 3 * NS_PER_SEC, "idle"},
        {FAIL_EOF, 0, 0, 0, 3 * NS_PER_SEC, "idle"},
        {FAIL_TIMEOUT, 0, 10, 0, 3 * NS_PER_SEC, "psh"},
        {FAIL_BROKEN_PIPE, EPIPE, 10, 5, NS_PER_MS, "close"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct result *r = make("tcp", t[i].f, PSTAGE_HOLD, t[i].err);
        set_bytes(r, t[i].sent, t[i].sent, t[i].got, t[i].silence);
        struct facts f = facts_of(r);
        assert_string_equal(text_of(&f, FACT_STAGE), t[i].stage);
        assert_int_equal(facts_yes(&f, FACT_EPIPE_FIRST), t[i].err == EPIPE);
        assert_int_equal(facts_yes(&f, FACT_IDLE_BEFORE), !strcmp(t[i].stage, "idle"));
        assert_int_equal(facts_yes(&f, FACT_STALLED), t[i].f == FAIL_TIMEOUT);
        facts_release(&f);
        result_free(r);
    }
}

static void bytes_and_acknowledgements(void **state)
{
    struct result *r = make("http", FAIL_RESET, PSTAGE_RESPONSE, ECONNRESET);
    (void)state;
    set_bytes(r, 500, 0, 0, NS_PER_MS);
    struct facts f = facts_of(r);
    assert_true(facts_no(&f, FACT_NOTHING_SENT));
    assert_true(facts_no(&f, FACT_ALL_ACKED));
    assert_true(facts_yes(&f, FACT_NOTHING_ACKED));
    assert_true(facts_yes(&f, FACT_NO_REPLY_BYTES));
    assert_true(facts_no(&f, FACT_FIN_BEFORE));
    facts_release(&f);
    set_bytes(r, 500, 500, 20, NS_PER_MS);
    result_set(r, "status", v_int(200));
    result_set(r, "body_bytes", v_int(4));
    f = facts_of(r);
    assert_true(facts_yes(&f, FACT_ALL_ACKED));
    assert_null(facts_get(&f, FACT_NOTHING_ACKED));
    assert_true(facts_yes(&f, FACT_REPLY_CUT));
    assert_true(facts_no(&f, FACT_RESPONSE_COMPLETE));
    facts_release(&f);
    result_free(r);
}

static void early_reply(void **state)
{
    struct result *r = make("http", FAIL_RESET, PSTAGE_REQUEST, ECONNRESET);
    (void)state;
    result_set(r, "status", v_int(413));
    result_set(r, "request_body", v_int(1 << 20));
    result_set(r, "request_body_sent", v_int(65536));
    result_set(r, "reply_while_sending", v_bool(true));
    struct facts f = facts_of(r);
    assert_true(facts_yes(&f, FACT_EARLY_REPLY));
    assert_true(facts_yes(&f, FACT_UPLOADING));
    assert_null(facts_get(&f, FACT_REPLY_CUT));
    assert_false(result_doubtful(r));
    facts_release(&f);
    result_free(r);
}

static void tls_answers(void **state)
{
    struct result *r = make("tls", FAIL_TLS_HANDSHAKE, PSTAGE_HANDSHAKE, 0);
    (void)state;
    result_set(r, "hello_bytes", v_int(512));
    result_set(r, "server_hello", v_bool(false));
    result_set(r, "alert", v_text("protocol_version"));
    result_set(r, "alert_number", v_int(70));
    struct facts f = facts_of(r);
    assert_true(facts_yes(&f, FACT_TLS_ALERT));
    assert_true(facts_no(&f, FACT_SERVER_HELLO));
    assert_true(facts_no(&f, FACT_HELLO_SENT));
    assert_int_equal(facts_get(&f, FACT_TLS_ALERT)->v[0].u.i, 70);
    facts_release(&f);
    result_free(r);

    r = make("tls", FAIL_TLS_HANDSHAKE, PSTAGE_HANDSHAKE, 0);
    result_set(r, "hello_bytes", v_int(512));
    result_set(r, "first_bytes", v_text("SSH-2.0-x"));
    result_set(r, "first_bytes_kind", v_text("SSH"));
    f = facts_of(r);
    assert_true(facts_yes(&f, FACT_FIRST_BYTES_TEXT));
    assert_true(facts_yes(&f, FACT_OTHER_PROTOCOL));
    assert_true(facts_yes(&f, FACT_HELLO_SENT));
    assert_true(facts_no(&f, FACT_TLS_ALERT));
    facts_release(&f);
    result_free(r);
}

/* A certificate that was not accepted ended no connection. */
static void certificate_failure_is_no_end(void **state)
{
    struct result *r = make("tls", FAIL_TLS_AUTHORITY, PSTAGE_HANDSHAKE, 0);
    (void)state;
    result_set(r, "verify", v_text("self-signed certificate"));
    result_set(r, "server_hello", v_bool(true));
    set_bytes(r, 10, 10, 10, 0);
    struct facts f = facts_of(r);
    assert_true(facts_yes(&f, FACT_CERT_REJECTED));
    assert_null(facts_get(&f, FACT_STAGE));
    assert_null(facts_get(&f, FACT_CONN_RESET));
    facts_release(&f);
    result_free(r);
}

static void nobody_looked_no_facts(void **state)
{
    struct result *r = make("http", FAIL_INTERRUPTED, PSTAGE_RESPONSE, 0);
    (void)state;
    struct facts f = facts_of(r);
    assert_int_equal(f.nr, 0);
    r->outcome = OUTCOME_SKIPPED;
    r->failure = FAIL_NONE;
    facts_of_result(&f, r);
    assert_int_equal(f.nr, 0);
    facts_release(&f);
    result_free(r);
}

static void doubt(void **state)
{
    struct result *r = make("http", FAIL_RESET, PSTAGE_RESPONSE, ECONNRESET);
    (void)state;
    assert_true(result_doubtful(r));
    r->repeat = true;
    assert_false(result_doubtful(r)); /* not again and again */
    r->repeat = false;
    addr_parse("192.0.2.1", &r->address);
    assert_false(result_doubtful(r)); /* this host's counters say nothing of another */
    r->flow_known = true;
    addr_parse("192.0.2.1", &r->flow.src);
    addr_parse("192.0.2.1", &r->flow.dst);
    assert_true(result_doubtful(r)); /* but this is this host */
    r->failure = FAIL_EOF;
    assert_false(result_doubtful(r));
    r->failure = FAIL_TIMEOUT;
    assert_false(result_doubtful(r));
    r->stage = PSTAGE_CONNECT;
    assert_true(result_doubtful(r)); /* a full accept queue? */
    r->failure = FAIL_REFUSED;
    assert_false(result_doubtful(r));
    r->failure = FAIL_RESET;
    r->stage = PSTAGE_HOLD;
    assert_true(result_doubtful(r));
    result_set(r, "silence", v_span(3 * NS_PER_SEC));
    assert_false(result_doubtful(r)); /* the silence says it */
    result_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_set_added_and_cleaned),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(refused_with_and_without_icmp),
        cmocka_unit_test(stages_as_packets_name_them),
        cmocka_unit_test(bytes_and_acknowledgements),
        cmocka_unit_test(early_reply),
        cmocka_unit_test(tls_answers),
        cmocka_unit_test(certificate_failure_is_no_end),
        cmocka_unit_test(nobody_looked_no_facts),
        cmocka_unit_test(doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
