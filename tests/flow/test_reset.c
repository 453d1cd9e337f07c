/* What a reset says of itself: stage, kind, fit, trains, harm, and what grew after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/flow/script.h"

static void check(const char *lines, enum stage stage, enum side from, enum rst_class class,
                  enum seq_fit fit, bool harmful)
{
    struct script s;
    script_play(&s, lines);
    const struct reset *r = script_reset(&s, 1);
    if (r->stage != stage)
        fail_msg("stage %s, wanted %s\n%s", stage_name(r->stage), stage_name(stage), lines);
    if (r->class != class)
        fail_msg("class %d, wanted %d\n%s", r->class, class, lines);
    if (r->harmful != harmful)
        fail_msg("harmful %d: %s\n%s", r->harmful, r->harmful_why, lines);
    assert_int_equal(r->from, from);
    assert_int_equal(r->seq_fit, fit);
    script_release(&s);
}

static void test_stages(void **state)
{
    (void)state;
    check("0 > S 0\n0.1 < RA !0 1 win=0\n", STAGE_SYN, SIDE_RESP, RST_REFUSE, SEQ_EXACT, true);
    check("0 > S 0\n0.1 > R 1 win=0\n", STAGE_SYN, SIDE_ORIG, RST_PASSIVE, SEQ_EXACT, false);
    check(HANDSHAKE "0.1 < R 1 win=0\n", STAGE_ACK, SIDE_RESP, RST_PASSIVE, SEQ_EXACT, true);
    check("0 > S 0\n0.1 < SA 0 1\n0.1 > R 1 win=0\n", STAGE_ACK, SIDE_ORIG, RST_PASSIVE, SEQ_EXACT,
          false);
    check(HANDSHAKE REQUEST "0.1 < RA 1 36 win=65160 ts\n", STAGE_PSH, SIDE_RESP, RST_ACTIVE,
          SEQ_EXACT, true);
    check(HANDSHAKE REQUEST "0.1 < PA 1+10 36 ts win=509\n0.11 > A 36 11 ts\n"
                            "0.2 > PA 36+5 11 ts\n0.25 < RA 11 41 win=509 ts\n",
          STAGE_DATA, SIDE_RESP, RST_ACTIVE, SEQ_EXACT, true);
    check(HANDSHAKE REQUEST "0.1 < PA 1+10 36 ts win=509\n0.11 > A 36 11 ts\n"
                            "400 > PA 36+5 11 ts\n400.05 < R 11 win=0\n",
          STAGE_IDLE, SIDE_RESP, RST_PASSIVE, SEQ_EXACT, true);
    check(HANDSHAKE REQUEST "0.1 < PA 1+10 36 ts win=509\n0.2 < FA 11 36 ts\n"
                            "0.21 > PA 36+5 12 ts\n0.25 < R 12 win=0\n",
          STAGE_CLOSE, SIDE_RESP, RST_PASSIVE, SEQ_EXACT, false);
    check("0 < PA 1+9 1\n0.1 > R 1 win=0\n", STAGE_MIDSTREAM, SIDE_ORIG, RST_PASSIVE, SEQ_EXACT,
          true);
    check("0 > R 1 win=0\n", STAGE_NONE, SIDE_ORIG, RST_PASSIVE, SEQ_UNKNOWN, false);
}

/* A refusal captured before its SYN: who asked is plain once that comes, whichever way round the
 * flow began; long after, or with another number, it is no answer to it. */
static void test_late_syn(void **state)
{
    static const char *const early[] = {"0 < RA !0 1 win=0 ttl=60\n0.001 > S 0 ttl=64\n",
                                        "0 < RA !0 1 win=0 ttl=60 sport=40001 port=30000\n"
                                        "0.001 > S 0 ttl=64 sport=40001 port=30000\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct script s;
        check(early[i], STAGE_SYN, SIDE_RESP, RST_REFUSE, SEQ_EXACT, true);
        script_play(&s, early[i]);
        const struct reset *r = script_reset(&s, 1);
        assert_int_equal(r->key.src.b[3], 1);
        assert_int_equal(r->ttl, 60);
        assert_int_equal(r->ttl_other, 64);
        assert_true(r->trigger_is_syn && r->trigger_packet == 2);
        assert_true(flow_key_equal(flow_get_key(s.last), &r->key));
        assert_int_equal(flow_get_half(s.last, SIDE_ORIG)->syns, 1);
        script_release(&s);
    }
    check("0 < RA !0 1 win=0\n300 > S 0\n", STAGE_NONE, SIDE_RESP, RST_REFUSE, SEQ_UNKNOWN, false);
    check("0 < RA !0 1 win=0\n0.001 > S 5\n", STAGE_NONE, SIDE_RESP, RST_REFUSE, SEQ_UNKNOWN,
          false);
}

/* One direction alone: the ACK of the RST says what the other side had sent. */
static void test_last_ack(void **state)
{
    (void)state;
    check("0 > S 0\n0.1 > A 1 1\n0.1 > PA 1+50 1\n0.2 > RA 51 301\n", STAGE_DATA, SIDE_ORIG,
          RST_ACTIVE, SEQ_EXACT, true);
    check("0 > S 0\n0.1 > A 1 1\n0.1 > PA 1+50 1\n0.2 > RA 51 1\n", STAGE_PSH, SIDE_ORIG,
          RST_ACTIVE, SEQ_EXACT, true);
}

/* Backscatter: SYN-ACKs with numbers of their own are no repeats of one that nobody acknowledged.
 */
static void test_backscatter(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, "0 < SA 0 1\n9 < SA 777000 1\n20 < SA 555 1\n40 < RA !0 1\n");
    assert_int_equal(script_reset(&s, 1)->own_retransmits, 0);
    assert_false(script_reset(&s, 1)->harmful);
    script_release(&s);
    script_play(&s, "0 < SA 0 1\n1 < SA 0 1\n3 < SA 0 1\n9 < RA 1 1\n");
    assert_int_equal(script_reset(&s, 1)->own_retransmits, 2);
    script_release(&s);
}

/* A side whose every sum is wrong (somebody rewrote the capture) has no corrupt packets, however
 * many long ones between them were not summed; among right ones a wrong FIN is none. */
static void test_wrong_sums(void **state)
{
    (void)state;
    check("0 > S 0 bad\n0.1 < SA 0 1\n0.1 > A 1 1 bad\n0.2 > A 1+1000 1 unsummed\n"
          "0.2 > A 1001+1000 1 unsummed\n0.2 > A 2001+1000 1 unsummed\n"
          "0.2 > A 3001+1000 1 unsummed\n0.2 > A 4001+1000 1 unsummed\n"
          "0.2 > A 5001+1000 1 unsummed\n0.2 > A 6001+1000 1 unsummed\n"
          "0.2 > A 7001+1000 1 unsummed\n0.2 > A 8001+1000 1 unsummed\n"
          "0.2 > A 9001+1000 1 unsummed\n0.3 > FA 10001 1 bad\n0.4 < RA 1 10002\n",
          STAGE_CLOSE, SIDE_RESP, RST_ACTIVE, SEQ_EXACT, false);
    check(HANDSHAKE REQUEST "0.3 > FA 36 1 bad ts\n0.4 < RA 1 36 ts win=65160\n", STAGE_PSH,
          SIDE_RESP, RST_ACTIVE, SEQ_EXACT, true);
}

/* Where several fit the first counts: none, close, syn, idle, data, psh, ack, midstream. */
static void test_stage_order(void **state)
{
    (void)state;
    check(HANDSHAKE "5 > FA 1 1 ts\n50 < R 2 win=0\n", STAGE_CLOSE, SIDE_RESP, RST_FOREIGN,
          SEQ_IN_WINDOW, false);
    check("0 > S 0\n5 < RA !0 1 win=0\n", STAGE_SYN, SIDE_RESP, RST_REFUSE, SEQ_EXACT, true);
    check("0 > PA 1+5 1\n9 < R 1 win=0\n", STAGE_IDLE, SIDE_RESP, RST_PASSIVE, SEQ_EXACT, true);
    /* a segment that was acknowledged already is not what the RST answers */
    check(HANDSHAKE "9 > PA 1+5 1 ts\n9.05 < A 1 6 win=509 ts\n9.051 < RA 1 6 win=509 ts\n",
          STAGE_PSH, SIDE_RESP, RST_ACTIVE, SEQ_EXACT, true);
    /* waiting for an acknowledgement is no silence */
    check(HANDSHAKE "0.1 > PA 1+5 1 ts id=9\n1.1 > PA 1+5 1 ts id=10\n3.1 > PA 1+5 1 ts id=11\n"
                    "3.15 < R 1 win=0\n",
          STAGE_PSH, SIDE_RESP, RST_PASSIVE, SEQ_EXACT, true);
    /* nor do keep-alives break one */
    check(HANDSHAKE "0.1 > PA 1+5 1 ts\n0.2 < PA 1+5 6 ts\n0.2 > A 6 6 ts\n60 > A 5 6 ts\n"
                    "60.05 < A 6 6 ts\n120 > A 5 6 ts\n120.05 < R 6 win=0\n",
          STAGE_IDLE, SIDE_RESP, RST_PASSIVE, SEQ_EXACT, true);
}

static void test_fit(void **state)
{
    (void)state;
    check(HANDSHAKE REQUEST "0.1 < R 400 win=0\n", STAGE_PSH, SIDE_RESP, RST_FOREIGN, SEQ_IN_WINDOW,
          true);
    check(HANDSHAKE REQUEST "0.1 < R 9999999 win=0\n", STAGE_PSH, SIDE_RESP, RST_FOREIGN,
          SEQ_OUT_OF_WINDOW, true);
    check(HANDSHAKE REQUEST "0.1 < RA -8 36 win=65160 ts\n", STAGE_PSH, SIDE_RESP, RST_FOREIGN,
          SEQ_OUT_OF_WINDOW, true);
    check("0 > S 0\n0.1 < RA !0 7777 win=0\n", STAGE_SYN, SIDE_RESP, RST_FOREIGN, SEQ_OUT_OF_WINDOW,
          true);
    check(HANDSHAKE REQUEST "0.1 < RA 1 36 win=1980\n", STAGE_PSH, SIDE_RESP, RST_FOREIGN,
          SEQ_EXACT, true); /* no timestamp where they were agreed upon */
    check(HANDSHAKE REQUEST "0.1 < R 1 win=8201\n", STAGE_PSH, SIDE_RESP, RST_FOREIGN, SEQ_EXACT,
          true); /* a stateless answer has no window: a device's reason code */
    check(HANDSHAKE REQUEST "0.1 < R 1 !77 win=0 ttl=128\n", STAGE_PSH, SIDE_RESP, RST_PASSIVE,
          SEQ_EXACT, true); /* Windows fills the ACK field of a plain RST */
}

static void test_train(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE REQUEST "0.1000 < RA 1 36 win=10 ttl=100 id=7\n"
                                      "0.1010 < RA 1461 36 win=11 ttl=110 id=7\n"
                                      "0.1020 < RA 4381 36 win=12 ttl=120 id=7\n"
                                      "0.1500 > R 36 win=0\n"
                                      "0.2000 < R 5 win=0 id=8\n");
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(flow_table_resets(s.t), 1);
    assert_int_equal(r->rst_count, 4);
    assert_int_equal(r->rst_burst, 3);
    assert_int_equal(r->rst_other_side, 1);
    assert_true(r->rst_seq_fan && r->rst_ttl_differs && r->rst_flags_differ && r->rst_ack_differs);
    assert_true(r->rst_window_differs && r->rst_id_repeats && !r->rst_ts_differs);
    assert_int_equal(r->others[0].seq, r->seq + 1460);
    assert_int_equal(r->others[2].from, SIDE_ORIG);
    assert_int_equal(r->others[3].packet, 9);
    assert_int_equal(flow_table_counts(s.t)->rsts, 5);
    script_release(&s);
}

static void test_features(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE REQUEST "0.100 < A 1 36 win=509 ts ttl=57 id=500\n"
                                      "0.101 < PA 1+9 36 win=509 ts ttl=57 id=501\n"
                                      "0.150 > A 36 10 ts id=103\n"
                                      "0.200 < RA 10 36 win=509 ts ttl=57 id=502\n");
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(r->ttl_baseline, 57);
    assert_int_equal(r->ttl_other, 64);
    assert_true(r->ip_id_comparable && r->ip_id_follows && r->window_same && r->ts_expected);
    assert_false(r->ip_id_copies_other || r->ip_id_constant_zero);
    assert_true(r->ack_matches);
    assert_int_equal(r->rtt, 50 * NS_PER_MS);
    assert_int_equal(r->rtt_min, 40 * NS_PER_MS); /* the request's, shorter than the handshake's */
    assert_int_equal(r->trigger_delay, 50 * NS_PER_MS);
    assert_int_equal(r->trigger_packet, 7);
    assert_false(r->trigger_has_data);
    assert_int_equal(r->since_request, 140 * NS_PER_MS);
    assert_int_equal(r->age, 200 * NS_PER_MS);
    assert_int_equal(r->bytes[SIDE_ORIG].sent, 35);
    assert_int_equal(r->bytes[SIDE_ORIG].acked, 35);
    assert_int_equal(r->bytes[SIDE_RESP].acked, 9);
    assert_string_equal(r->history, "ShADadr");
    assert_int_equal(r->conn_state, CONN_RSTR);
    assert_int_equal(r->first_orig.kind, APP_HTTP_REQUEST);
    script_release(&s);

    script_play(&s, HANDSHAKE REQUEST "0.061 < R 1 ttl=43 id=102 win=0\n");
    r = script_reset(&s, 1);
    assert_true(r->ip_id_copies_other);
    assert_int_equal(r->trigger_delay, 1 * NS_PER_MS);
    assert_true(r->trigger_has_data && r->trigger_delay < r->rtt_min);
    script_release(&s);
}

/* The address in the packet is not its sender: the side spoke on, and the server answered that. */
static void test_forged(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE REQUEST "0.1 < PA 1+9 36 ts\n0.2 > A 36 10 ts\n"
                                      "0.3 > RA 36 10 ts win=502\n0.4 > PA 36+5 10 ts\n"
                                      "0.5 < R 10 win=0\n");
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(r->from, SIDE_ORIG);
    assert_int_equal(r->data_after[SIDE_ORIG], 5);
    assert_int_equal(r->rst_other_side, 1);
    assert_false(r->lived_on);
    assert_true(r->harmful);
    script_release(&s);
}

static void test_lived_on(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE REQUEST "0.08 < R 77777 win=0 ttl=30\n0.1 < PA 1+9 36 ts\n"
                                      "0.2 > A 36 10 ts\n0.3 < RA 10 36 win=1024 ts\n");
    assert_int_equal(flow_table_resets(s.t), 2);
    const struct reset *r = script_reset(&s, 1);
    assert_true(r->lived_on);
    assert_false(r->harmful);
    assert_int_equal(script_reset(&s, 2)->rst_count, 1);
    assert_ptr_equal(flow_table_reset_of(s.t, r->flow), script_reset(&s, 2));
    assert_true(r->rev > 1 && s.told >= r->rev + 1);
    script_release(&s);
}

static void test_ignored_before_synack(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, "0 > S 0\n0.01 < RA 5 9 ttl=46\n0.05 < SA 0 1\n0.051 > A 1 1\n");
    assert_true(script_reset(&s, 1)->lived_on);
    assert_int_equal(script_reset(&s, 1)->stage, STAGE_SYN);
    script_release(&s);
}

static void test_half_open(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, "0 > S 0\n0.05 < A 5000 700\n0.05 > R 700 win=0\n1 > S 0\n1.05 < SA 0 1\n"
                    "1.05 > A 1 1\n");
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(r->stage, STAGE_SYN);
    assert_true(r->synack_bad_ack && r->retried && r->retry_worked);
    assert_false(r->harmful || r->lived_on);
    script_release(&s);
}

static void test_words(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE REQUEST
                "0.1 < PA 1 36 ts text=HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok\n"
                "0.1 > A 36 41 ts\n0.2 < RA 41 36 win=1024 ts\n");
    const struct reset *r = script_reset(&s, 1);
    assert_true(r->response_complete && r->response_started && r->request_seen);
    assert_int_equal(r->status, 200);
    assert_false(r->harmful);
    assert_non_null(strstr(r->last_words, "200"));
    script_release(&s);

    script_play(&s, HANDSHAKE REQUEST
                "0.1 < PA 1 36 ts text=HTTP/1.1 200 OK\\r\\nContent-Length: 999\\r\\n\\r\\nok\n"
                "0.1 > A 36 43 ts\n0.2 < RA 43 36 win=1024 ts\n");
    r = script_reset(&s, 1);
    assert_false(r->response_complete);
    assert_true(r->harmful);
    script_release(&s);

    script_play(&s, HANDSHAKE "0.1 > PA 1 1 text=\\x16\\x03\\x01\\x00\\x02\\x01\\x00\n"
                              "0.2 < PA 1 8 ts text=\\x15\\x03\\x03\\x00\\x02\\x02\\x46\n"
                              "0.3 < RA 8 8 ts win=1024\n");
    r = script_reset(&s, 1);
    assert_true(r->alert_seen[SIDE_RESP]);
    assert_int_equal(r->alert[SIDE_RESP], 70);
    assert_false(r->close_notify[SIDE_RESP]);
    script_release(&s);
}

static void test_upload(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE
                "0.06 > PA 1 1 ts text=POST /u HTTP/1.1\\r\\nContent-Length: 99999\\r\\n\\r\\n\n"
                "0.07 > PA 43+1000 1 ts\n"
                "0.1 < PA 1 43 ts text=HTTP/1.1 413 Too Large\\r\\nContent-Length: 0\\r\\n\\r\\n\n"
                "0.12 > PA 1043+1000 44 ts\n0.15 < RA 44 1043 win=1024 ts\n");
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(r->status, 413);
    assert_true(r->response_complete);
    assert_true(r->harmful); /* the request was not taken in full */
    script_release(&s);
}

/* A lone refusal; the same asked again; a scan; and one of a service used before. */
static void test_refused(void **state)
{
    const struct addr local = {4, {192, 0, 2, 1}};
    struct flow_settings live = {.local = &local, .nlocal = 1};
    struct script s;
    (void)state;
    script_init(&s, &live);
    script_run(&s, "0 > S 0\n0.1 < RA !0 1 win=0\n");
    const struct reset *r = script_reset(&s, 1);
    assert_false(r->harmful);
    assert_int_equal(r->vantage_end, VANTAGE_ORIG);
    assert_int_equal(r->direction, DIRECTION_INBOUND);
    script_run(&s, "2 > S 0 port=40001 isn=5\n");
    assert_true(r->retried && r->harmful);
    script_run(&s, "2.1 < SA 0 1 port=40001\n2.2 > A 1 1 port=40001\n");
    assert_true(r->retry_worked);
    script_run(&s, "3 > S 0 port=40002 isn=6\n3.1 < RA !0 1 win=0 port=40002\n");
    assert_true(script_reset(&s, 2)->harmful); /* used before */
    script_release(&s);

    script_init(&s, NULL);
    for (int i = 0; i < 2; i++) /* twice, as scanners do */
        script_run(&s, "0.0 > S 0 sport=21\n0.1 < RA !0 1 win=0 sport=21\n"
                       "0.2 > S 0 sport=22\n0.3 < RA !0 1 win=0 sport=22\n"
                       "0.4 > S 0 sport=23\n0.5 < RA !0 1 win=0 sport=23\n"
                       "0.6 > S 0 sport=21 port=5 isn=9\n0.7 < RA !0 1 win=0 sport=21 port=5\n");
    flow_table_finish(s.t);
    for (uint64_t id = 4; id <= flow_table_resets(s.t); id++)
        assert_false(script_reset(&s, id)->harmful && !script_reset(&s, id)->syn_repeats);
    script_release(&s);

    script_play(&s, "0 > S 0\n0.1 < RA !0 1 win=0\n0.6 > S 0\n0.7 < RA !0 1 win=0\n");
    assert_int_equal(flow_table_resets(s.t), 1);
    assert_int_equal(script_reset(&s, 1)->syn_repeats, 1);
    assert_int_equal(script_reset(&s, 1)->rst_count, 2);
    assert_true(script_reset(&s, 1)->harmful);
    script_release(&s);
}

static void test_gave_up(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE REQUEST "0.1 < PA 1+90 36 ts id=5\n0.4 < PA 1+90 36 ts id=6\n"
                                      "1.0 < PA 1+90 36 ts id=7\n2.2 < RA 91 36 ts id=8\n");
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(r->own_retransmits, 2);
    assert_true(r->harmful);
    assert_int_equal(r->stage, STAGE_DATA);
    script_release(&s);
}

static void test_checksum(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE REQUEST "0.1 < PA 1+9 36 ts\n0.2 > A 36 10 ts\n0.3 < PA 10+9 36\n"
                                      "0.4 < R 19 bad win=0\n");
    const struct reset *r = script_reset(&s, 1);
    assert_true(r->checksum_bad);
    assert_false(r->harmful);
    script_release(&s);
    /* unfilled sums mark the sending host, they are no damage */
    script_play(&s, "0 > S 0 partial\n0.05 < SA 0 1 ttl=60\n0.05 > A 1 1 partial\n"
                    "0.06 > PA 1+9 1 partial\n0.1 < R 1 win=0 ttl=60\n");
    r = script_reset(&s, 1);
    assert_int_equal(r->stage, STAGE_PSH);
    assert_true(r->vantage_by_checksum && r->vantage_by_ttl);
    assert_int_equal(r->vantage_end, VANTAGE_ORIG);
    assert_int_equal(r->direction, DIRECTION_INBOUND);
    script_release(&s);
    /* nor is the RST's own, where both ends are on one host */
    script_play(&s, "0 > S 0 partial\n0.05 < SA 0 1 partial\n0.05 > A 1 1 partial\n"
                    "0.06 > PA 1+9 1 partial\n0.1 < R 1 win=0 partial\n");
    r = script_reset(&s, 1);
    assert_false(r->checksum_bad);
    assert_true(r->harmful);
    script_release(&s);
}

static void test_vantage(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, "0 > S 0 ttl=50\n0.05 < SA 0 1 ttl=60\n0.06 < R 1 win=0 ttl=60\n");
    assert_int_equal(script_reset(&s, 1)->vantage_end, VANTAGE_MIDDLE);
    assert_int_equal(script_reset(&s, 1)->direction, DIRECTION_TRANSIT);
    script_release(&s);
    script_play(&s, "0 > S 0 ttl=64\n0.05 < SA 0 1 ttl=64\n0.06 < R 1 win=0 ttl=64\n");
    assert_int_equal(script_reset(&s, 1)->vantage_end, VANTAGE_UNKNOWN);
    script_release(&s);
    script_play(&s, "0 > S 0 ttl=50\n0.05 < SA 0 1 ttl=60 out\n0.06 < R 1 win=0 ttl=60 out\n");
    assert_int_equal(script_reset(&s, 1)->vantage_end, VANTAGE_RESP);
    assert_int_equal(script_reset(&s, 1)->direction, DIRECTION_OUTBOUND);
    script_release(&s);
}

/* Both ends on this host. */
static void test_vantage_within(void **state)
{
    const struct addr local[] = {{4, {192, 0, 2, 1}}, {4, {192, 0, 2, 80}}};
    struct flow_settings live = {.local = local, .nlocal = 2};
    struct script s;
    (void)state;
    script_init(&s, &live);
    script_run(&s, "0 > S 0\n0.1 < RA !0 1 win=0\n");
    assert_int_equal(script_reset(&s, 1)->vantage_end, VANTAGE_RESP);
    assert_int_equal(script_reset(&s, 1)->direction, DIRECTION_OUTBOUND);
    script_release(&s);
}

static void test_accept_queue(void **state)
{
    struct script s;
    (void)state;
    script_play(&s, HANDSHAKE REQUEST "1.05 < SA 0 1 win=65160 ws=7 ts id=0\n"
                                      "1.05 > A 36 1 ts\n3.05 < SA 0 1 win=65160 ws=7 ts\n"
                                      "13 < R 1 win=0\n");
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(r->synack_repeats, 2);
    assert_int_equal(r->bytes[SIDE_ORIG].acked, 0);
    assert_true(r->harmful);
    script_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages),       cmocka_unit_test(test_stage_order),
        cmocka_unit_test(test_late_syn),     cmocka_unit_test(test_last_ack),
        cmocka_unit_test(test_backscatter),  cmocka_unit_test(test_wrong_sums),
        cmocka_unit_test(test_fit),          cmocka_unit_test(test_train),
        cmocka_unit_test(test_features),     cmocka_unit_test(test_forged),
        cmocka_unit_test(test_lived_on),     cmocka_unit_test(test_ignored_before_synack),
        cmocka_unit_test(test_half_open),    cmocka_unit_test(test_words),
        cmocka_unit_test(test_upload),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_gave_up),      cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_vantage),      cmocka_unit_test(test_vantage_within),
        cmocka_unit_test(test_accept_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
