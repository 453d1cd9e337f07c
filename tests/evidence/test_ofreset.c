/* Facts read off a reset: what is told, and above all what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "evidence/evidence.h"

#define MS(n) ((nstime)(n)*NS_PER_MS)

/* A reset of the server in the middle of an exchange, all features as they should be. */
static struct reset plain(void)
{
    struct reset r = {.id = 1,
                      .packet = 9,
                      .from = SIDE_RESP,
                      .stage = STAGE_DATA,
                      .class = RST_ACTIVE,
                      .vantage_end = VANTAGE_UNKNOWN,
                      .direction = DIRECTION_TRANSIT,
                      .flags = 0x14,
                      .ttl = 60,
                      .has_ts = true,
                      .ts_expected = true,
                      .window_same = true,
                      .window_raw = 500,
                      .ip_id_comparable = true,
                      .ip_id_follows = true,
                      .ip_id = 77,
                      .seq_fit = SEQ_EXACT,
                      .ack_matches = true,
                      .ack = 1,
                      .mptcp_reason = -1,
                      .rst_count = 1,
                      .rst_burst = 1,
                      .ttl_baseline = 60,
                      .ttl_other = 64,
                      .rtt = MS(20),
                      .rtt_min = MS(20),
                      .trigger_delay = MS(21),
                      .trigger_has_data = true,
                      .since_last = MS(21),
                      .idle = MS(21),
                      .age = MS(100),
                      .since_request = MS(21),
                      .since_fin = NSTIME_NONE,
                      .handshake_done = true,
                      .synack_seen = true,
                      .last_data_from = SIDE_ORIG,
                      .fin_time = {NSTIME_NONE, NSTIME_NONE},
                      .harmful = true,
                      .harmful_why = "the request was not answered"};
    r.bytes[SIDE_ORIG].sent = r.bytes[SIDE_ORIG].acked = 300;
    r.bytes[SIDE_ORIG].known = r.bytes[SIDE_RESP].known = true;
    return r;
}

static struct facts of(const struct reset *r)
{
    struct facts f;

    facts_init(&f);
    facts_of_reset(&f, r);
    assert_int_equal(f.err, 0);
    return f;
}

static const enum fact_kind odd_ones[] = {
    FACT_RST_TTL_DIFFERS,   FACT_RST_IPID_ODD,    FACT_RST_IPID_COPIED,   FACT_RST_OPTIONS_ODD,
    FACT_RST_WINDOW_ODD,    FACT_RST_SEQ_INEXACT, FACT_RST_OUT_OF_WINDOW, FACT_RST_ACK_ODD,
    FACT_RST_DF_LOST,       FACT_RST_FAN,         FACT_RST_TRAIN,         FACT_RST_MIXED,
    FACT_RST_LABEL_DIFFERS, FACT_RST_MAC_DIFFERS, FACT_DATA_AFTER_RST,    FACT_RST_BEFORE_RTT,
    FACT_RST_CHECKSUM_BAD,  FACT_SENDER_LOCAL,    FACT_RST_BOTH_WAYS,     FACT_RST_IGNORED};

static void a_genuine_reset_has_nothing_odd(void **state)
{
    struct reset r = plain();
    struct facts f = of(&r);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(odd_ones); i++)
        assert_false(facts_yes(&f, odd_ones[i]));
    assert_true(facts_no(&f, FACT_RST_TTL_DIFFERS));
    assert_true(facts_no(&f, FACT_RST_BEFORE_RTT));
    assert_true(facts_no(&f, FACT_HARMLESS));
    assert_string_equal(facts_get(&f, FACT_STAGE)->v[0].u.s, "data");
    assert_string_equal(facts_get(&f, FACT_RST_CLASS)->v[0].u.s, "active");
    assert_true(facts_yes(&f, FACT_ALL_ACKED));
    assert_true(facts_yes(&f, FACT_NO_REPLY_BYTES));
    assert_true(facts_yes(&f, FACT_LAST_DATA_TO_RST_SIDE));
    facts_release(&f);
}

static void each_oddity_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(odd_ones); i++) {
        struct reset r = plain();
        switch (odd_ones[i]) {
        case FACT_RST_TTL_DIFFERS: r.ttl = 62; break;
        case FACT_RST_IPID_ODD: r.ip_id_follows = false; break;
        case FACT_RST_IPID_COPIED: r.ip_id_copies_other = true; break;
        case FACT_RST_OPTIONS_ODD: r.has_ts = false; break;
        case FACT_RST_WINDOW_ODD: r.window_same = false; break;
        case FACT_RST_SEQ_INEXACT: r.seq_fit = SEQ_IN_WINDOW, r.seq_off = 1460; break;
        case FACT_RST_OUT_OF_WINDOW: r.seq_fit = SEQ_OUT_OF_WINDOW, r.seq_off = 1 << 30; break;
        case FACT_RST_ACK_ODD: r.ack_matches = false; break;
        case FACT_RST_FAN: r.rst_count = r.rst_burst = 3, r.rst_seq_fan = true; break;
        case FACT_RST_TRAIN: r.rst_count = r.rst_burst = 2; break;
        case FACT_RST_MIXED: r.rst_count = 2, r.rst_ttl_differs = true; break;
        case FACT_RST_LABEL_DIFFERS: r.v6 = r.label_comparable = true; break;
        case FACT_RST_DF_LOST: r.df_lost = true; break;
        case FACT_RST_MAC_DIFFERS: r.mac_seen = r.mac_differs = true; break;
        case FACT_DATA_AFTER_RST: r.data_after[SIDE_RESP] = 10; break;
        case FACT_RST_BEFORE_RTT: r.trigger_delay = MS(2); break;
        case FACT_RST_CHECKSUM_BAD: r.checksum_bad = true; break;
        case FACT_SENDER_LOCAL: r.vantage_end = VANTAGE_RESP, r.vantage_by_checksum = true; break;
        case FACT_RST_BOTH_WAYS:
            r.rst_other_side = 1;
            r.others[0].packet = 10, r.others[0].from = SIDE_ORIG,
            r.others[0].time = r.time + MS(1);
            break;
        case FACT_RST_IGNORED: r.lived_on = true; break;
        default: fail();
        }
        struct facts f = of(&r);
        assert_true(facts_yes(&f, odd_ones[i]));
        facts_release(&f);
    }
}

static void what_hosts_do_is_not_odd(void **state)
{
    struct reset r = plain();

    (void)state;
    /* one passive reset for each segment that was in flight */
    r.class = RST_PASSIVE, r.rst_count = r.rst_burst = 6, r.rst_seq_fan = true;
    r.bytes[SIDE_ORIG].sent = 9000;
    struct facts f = of(&r);
    assert_false(facts_yes(&f, FACT_RST_TRAIN));
    assert_false(facts_yes(&f, FACT_RST_FAN));
    facts_release(&f);

    /* late segments after a close each draw one */
    r = plain();
    r.stage = STAGE_CLOSE, r.rst_count = r.rst_burst = 3, r.rst_seq_fan = true;
    f = of(&r);
    assert_false(facts_yes(&f, FACT_RST_TRAIN));
    assert_false(facts_yes(&f, FACT_RST_FAN));
    facts_release(&f);

    /* a reset of the other side a while later: both had their own reason */
    r = plain();
    r.rst_other_side = 1;
    r.others[0].packet = 10, r.others[0].from = SIDE_ORIG, r.others[0].time = r.time + MS(500);
    f = of(&r);
    assert_false(facts_yes(&f, FACT_RST_BOTH_WAYS));
    facts_release(&f);

    /* one hop more or less: ways of unequal length; an IP-ID of 0 on a stateless reply */
    r = plain();
    r.ttl = 61, r.ip_id = 0, r.ip_id_follows = false, r.ip_id_constant_zero = true;
    f = of(&r);
    assert_false(facts_yes(&f, FACT_RST_TTL_DIFFERS));
    assert_false(facts_yes(&f, FACT_RST_IPID_ODD));
    facts_release(&f);

    /* soon after a segment that it does not acknowledge: nobody knows that it answers it */
    r = plain();
    r.trigger_delay = MS(1), r.ack_matches = false;
    f = of(&r);
    assert_null(facts_get(&f, FACT_RST_BEFORE_RTT));
    facts_release(&f);

    /* a neighbour's packets have an initial TTL too */
    r = plain();
    r.vantage_end = VANTAGE_RESP, r.vantage_by_ttl = true;
    f = of(&r);
    assert_null(facts_get(&f, FACT_SENDER_LOCAL));
    facts_release(&f);
}

static void what_was_not_seen_is_absent(void **state)
{
    struct reset r = {.from = SIDE_RESP,
                      .stage = STAGE_MIDSTREAM,
                      .class = RST_CLASS_UNKNOWN,
                      .midstream = true,
                      .one_sided = true,
                      .ttl_baseline = -1,
                      .ttl_other = -1,
                      .mptcp_reason = -1,
                      .seq_fit = SEQ_UNKNOWN,
                      .vantage_end = VANTAGE_UNKNOWN,
                      .direction = DIRECTION_UNKNOWN,
                      .rtt = NSTIME_NONE,
                      .rtt_min = NSTIME_NONE,
                      .trigger_delay = NSTIME_NONE,
                      .since_last = NSTIME_NONE,
                      .idle = NSTIME_NONE,
                      .age = NSTIME_NONE,
                      .since_request = NSTIME_NONE,
                      .since_fin = NSTIME_NONE,
                      .last_data_from = SIDE_NONE,
                      .fin_time = {NSTIME_NONE, NSTIME_NONE},
                      .ack_matches = true,
                      .harmful_why = ""};
    static const enum fact_kind unknown[] = {
        FACT_RST_TTL_DIFFERS, FACT_RST_CLASS,     FACT_RST_SEQ_INEXACT, FACT_RST_BEFORE_RTT,
        FACT_IDLE_BEFORE,     FACT_NOTHING_SENT,  FACT_NO_REPLY_BYTES,  FACT_ALL_ACKED,
        FACT_FIN_BEFORE,      FACT_RETRANSMITTED, FACT_TLS_ALERT,       FACT_FIRST_BYTES_TEXT,
        FACT_HTTP_STATUS,     FACT_RST_OUTBOUND,  FACT_VANTAGE,         FACT_LAST_DATA_TO_RST_SIDE};
    struct facts f = of(&r);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        assert_null(facts_get(&f, unknown[i]));
    assert_true(facts_yes(&f, FACT_ONE_SIDED));
    facts_release(&f);
}

static void resets_of_one_side_are_compared(void **state)
{
    struct reset r = plain();

    (void)state;
    r.ip_id = 7;
    r.rst_id_repeats = r.rst_ts_differs = r.payload_cut = true;
    struct facts f = of(&r);
    assert_true(facts_yes(&f, FACT_RST_IPID_ODD));
    assert_string_equal(facts_get(&f, FACT_RST_MIXED)->v[0].u.s, "the timestamps");
    assert_true(facts_yes(&f, FACT_PAYLOAD_CUT));
    facts_release(&f);
    r = plain();
    r.rst_window_differs = true;
    f = of(&r);
    assert_null(facts_get(&f, FACT_RST_MIXED)); /* not at one moment */
    assert_null(facts_get(&f, FACT_PAYLOAD_CUT));
    facts_release(&f);
    r.rst_count = r.rst_burst = 2;
    f = of(&r);
    assert_string_equal(facts_get(&f, FACT_RST_MIXED)->v[0].u.s, "the window");
    facts_release(&f);
}

static void idle_is_matched(void **state)
{
    struct reset r = plain();

    (void)state;
    r.stage = STAGE_IDLE, r.idle = 350 * NS_PER_SEC, r.since_last = MS(20);
    struct facts f = of(&r);
    assert_true(facts_yes(&f, FACT_IDLE_BEFORE));
    assert_true(facts_yes(&f, FACT_IDLE_ANSWERED));
    assert_true(facts_no(&f, FACT_IDLE_PUSHED));
    assert_non_null(strstr(facts_get(&f, FACT_IDLE_MATCHES)->v[1].u.s, "NLB"));
    facts_release(&f);

    r.idle = r.since_last = 240 * NS_PER_SEC, r.trigger_delay = NSTIME_NONE;
    f = of(&r);
    assert_true(facts_yes(&f, FACT_IDLE_PUSHED));
    assert_null(facts_get(&f, FACT_IDLE_ANSWERED));
    assert_non_null(strstr(facts_get(&f, FACT_IDLE_MATCHES)->v[1].u.s, "Azure"));
    facts_release(&f);

    r.idle = r.since_last = 45 * NS_PER_SEC; /* nobody's default */
    f = of(&r);
    assert_null(facts_get(&f, FACT_IDLE_MATCHES));
    facts_release(&f);

    r.idle = r.since_last = MS(1500), r.rtt = MS(200); /* less than 10 RTT */
    f = of(&r);
    assert_true(facts_no(&f, FACT_IDLE_BEFORE));
    facts_release(&f);
}

static void words_are_read(void **state)
{
    struct reset r = plain();

    (void)state;
    r.first_orig = (struct app){.kind = APP_TLS_CLIENT_HELLO, .hello_len = 517};
    memcpy(r.first_orig.name, "a.example", sizeof("a.example"));
    r.alert_seen[SIDE_RESP] = true, r.alert[SIDE_RESP] = 70;
    r.first_resp.kind = APP_TLS_ALERT, r.bytes[SIDE_RESP].sent = 7;
    struct facts f = of(&r);
    assert_int_equal(facts_get(&f, FACT_TLS_ALERT)->v[0].u.i, 70);
    assert_string_equal(facts_get(&f, FACT_TLS_ALERT)->v[1].u.s, "protocol_version");
    assert_true(facts_no(&f, FACT_SERVER_HELLO));
    assert_true(facts_no(&f, FACT_FIRST_BYTES_TEXT));
    assert_true(facts_yes(&f, FACT_SNI));
    facts_release(&f);

    r.alert_seen[SIDE_RESP] = false;
    r.first_resp.kind = APP_SSH;
    f = of(&r);
    assert_true(facts_yes(&f, FACT_FIRST_BYTES_TEXT));
    assert_true(facts_yes(&f, FACT_OTHER_PROTOCOL));
    assert_true(facts_yes(&f, FACT_BANNER_FIRST));
    assert_true(facts_no(&f, FACT_TLS_ALERT));
    facts_release(&f);

    r.first_orig = (struct app){
        .kind = APP_HTTP_REQUEST, .content_length = 100000, .header_len = 100, .method = "POST"};
    r.first_resp.kind = APP_HTTP_RESPONSE, r.first_resp.content_length = -1, r.status = 413;
    r.bytes[SIDE_ORIG].sent = 20000;
    f = of(&r);
    assert_true(facts_yes(&f, FACT_EARLY_REPLY));
    assert_true(facts_yes(&f, FACT_UPLOADING));
    assert_null(facts_get(&f, FACT_OTHER_PROTOCOL));
    facts_release(&f);

    r.bytes[SIDE_ORIG].sent = 100100; /* the whole body went out: the reply was not early */
    f = of(&r);
    assert_null(facts_get(&f, FACT_EARLY_REPLY));
    facts_release(&f);
}

/* The TTL of a RST from the server, what the route says, and what the TTL of its other packets says
 * (0: nothing) -> the derived fact: 1 yes, 0 no, -1 absent. */
static int no_hop(int64_t ttl, int routed, int differs)
{
    struct facts f;
    int got;

    facts_init(&f);
    facts_put(&f, FACT_RST_FROM, true, SRC_PACKET, 1, NULL, v_text("server"), v_none(), v_none());
    facts_put(&f, FACT_RST_TTL, true, SRC_PACKET, 1, NULL, v_int(ttl), v_none(), v_none());
    facts_put(&f, FACT_TARGET_LOCAL, false, SRC_HOST, 0, "addresses", v_none(), v_none(), v_none());
    if (routed >= 0)
        facts_put(&f, FACT_BEHIND_ROUTER, routed, SRC_HOST, 0, "routes", v_none(), v_none(),
                  v_none());
    if (differs)
        facts_put(&f, FACT_RST_TTL_DIFFERS, differs > 0, SRC_PACKET, 1, NULL, v_int(1), v_none(),
                  v_none());
    facts_derive(&f);
    got = facts_yes(&f, FACT_RST_NO_HOP) ? 1 : facts_no(&f, FACT_RST_NO_HOP) ? 0 : -1;
    facts_release(&f);
    return got;
}

static void a_router_lowers_the_ttl(void **state)
{
    (void)state;
    assert_int_equal(no_hop(64, 1, 0), 1);
    assert_int_equal(no_hop(255, 1, 1), 1);
    assert_int_equal(no_hop(63, 1, 0), 0);
    assert_int_equal(no_hop(64, 0, 0), -1);  /* on a link of this host: as it should be */
    assert_int_equal(no_hop(64, -1, 0), -1); /* nobody looked */
    assert_int_equal(no_hop(64, 1, -1), -1); /* all packets of that side come so */
}

/* n resets of the server with these flags; the steps of sequence number and TTL of those after the
 * first. */
static bool like_an_injector(int flags, int n, int32_t step1, int32_t step2, int ttl_step)
{
    struct reset r = {
        .from = SIDE_RESP, .flags = (uint8_t)flags, .ttl = 50, .seq = UINT32_MAX - 99};
    int32_t steps[] = {step1, step2};

    for (int i = 0; i < n - 1; i++) {
        r.others[i].packet = (uint64_t)i + 2;
        r.others[i].from = SIDE_RESP;
        r.others[i].flags = (uint8_t)flags;
        r.others[i].seq = r.seq + (uint32_t)steps[i];
        r.others[i].ttl = (uint8_t)(50 + (i + 1) * ttl_step);
    }
    return injector_like(&r) != NULL;
}

static void described_shapes_are_known(void **state)
{
    struct reset one = {.from = SIDE_RESP, .flags = TCP_RST | TCP_ACK, .payload_len = 10};

    (void)state;
    assert_true(like_an_injector(TCP_RST | TCP_ACK, 3, 1460, 4380, 0)); /* over the wrap */
    assert_false(like_an_injector(TCP_RST, 3, 1460, 4380, 0));
    assert_false(like_an_injector(TCP_RST | TCP_ACK, 2, 1460, 4380, 0));
    assert_false(like_an_injector(TCP_RST | TCP_ACK, 3, 1448, 2896, 0));
    assert_true(like_an_injector(TCP_RST, 2, 12503, 0, 0));
    assert_true(like_an_injector(TCP_RST | TCP_ACK, 3, 0, 0, 1));
    assert_false(like_an_injector(TCP_RST | TCP_ACK, 3, 0, 0, 0)); /* a host's three */
    assert_true(injector_like(&one));
    snprintf(one.payload_text, sizeof(one.payload_text), "flow expired");
    assert_false(injector_like(&one));
    one.payload_text[0] = 0;
    one.payload_len = 0;
    assert_null(injector_like(&one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_genuine_reset_has_nothing_odd),
        cmocka_unit_test(each_oddity_is_told),
        cmocka_unit_test(what_hosts_do_is_not_odd),
        cmocka_unit_test(what_was_not_seen_is_absent),
        cmocka_unit_test(idle_is_matched),
        cmocka_unit_test(resets_of_one_side_are_compared),
        cmocka_unit_test(words_are_read),
        cmocka_unit_test(a_router_lowers_the_ttl),
        cmocka_unit_test(described_shapes_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
