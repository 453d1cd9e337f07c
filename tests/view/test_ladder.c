/*
 * test_ladder.c: ladders, packet lines, layers and the sentences of incidents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../ui/world.h"
#include "view/view.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct world w;

static const struct incident *at_stage(enum stage stage)
{
    for (size_t i = 0; i < w.s->nincidents; i++)
        if (w.s->incidents[i]->reset && w.s->incidents[i]->reset->stage == stage)
            return w.s->incidents[i];
    fail_msg("no incident at stage %d", (int)stage);
    return NULL;
}

static void a_ladder_folds_silence_and_marks_the_reset(void **state)
{
    const struct incident *i = at_stage(STAGE_IDLE);
    struct ladder l = {0};
    int resets = 0, gaps = 0, notes = 0;

    (void)state;
    assert_int_equal(ladder_build(&l, w.s, i->reset->flow), 0);
    assert_false(l.cut);
    assert_int_equal(l.key.dport, 5432);
    assert_string_equal(l.rows[0].label, "SYN");
    assert_int_equal(l.rows[0].from, SIDE_ORIG);
    assert_string_equal(l.rows[1].label, "SYN-ACK");
    assert_int_equal(l.rows[1].from, SIDE_RESP);
    assert_true(l.rows[2].relative && l.rows[2].seq == 1 && l.rows[2].ack == 1);
    for (size_t n = 0; n < l.nr; n++) {
        gaps += l.rows[n].kind == LADDER_GAP && strstr(l.rows[n].label, "350 s") != NULL;
        notes += l.rows[n].kind == LADDER_NOTE;
        if (l.rows[n].is_cause_reset) {
            resets++;
            assert_int_equal(l.rows[n].packet, i->reset->packet);
            assert_int_equal(l.rows[n].from, SIDE_RESP);
            assert_int_equal(l.rows[n].ttl, 255);
            assert_string_equal(l.rows[n].label, "RESET");
        }
        if (n && l.rows[n].kind == LADDER_PACKET && l.rows[n - 1].kind == LADDER_PACKET)
            assert_true(l.rows[n].time >= l.rows[n - 1].time);
    }
    assert_int_equal(resets, 1);
    assert_int_equal(gaps, 1);
    assert_true(notes >= 1); /* what was in flight */
    assert_int_equal(ladder_build(&l, w.s, 999999), 0);
    assert_int_equal(l.nr, 0);
    ladder_release(&l);
}

static void a_segment_sent_again_is_named(void **state)
{
    const struct wire_end c = {"10.3.0.1", 1000, 64}, s = {"10.3.0.2", 80, 64};
    struct world again;
    struct ladder l = {0};
    int named = 0, keepalives = 0;

    (void)state;
    assert_int_equal(world_empty(&again), 0);
    world_tcp(&again, 0, &c, &s, TCP_SYN, 100, 0, NULL, 0);
    world_tcp(&again, 1000, &s, &c, TCP_SYN | TCP_ACK, 500, 101, NULL, 0);
    world_tcp(&again, 1000, &c, &s, TCP_PSH | TCP_ACK, 101, 501, "hello", 5);
    world_tcp(&again, 1000, &c, &s, TCP_PSH | TCP_ACK, 101, 501, "hello", 5);
    world_tcp(&again, 1000, &c, &s, TCP_ACK, 105, 501, NULL, 0);
    assert_int_equal(ladder_build(&l, again.s, 1), 0);
    for (size_t n = 0; n < l.nr; n++) {
        named += strstr(l.rows[n].label, "sent again") != NULL;
        keepalives += strstr(l.rows[n].label, "keepalive") != NULL;
    }
    assert_int_equal(named, 1);
    assert_int_equal(keepalives, 1);
    ladder_release(&l);
    world_release(&again);
}

static void a_normal_close_has_two_fins_and_no_reset(void **state)
{
    struct ladder l = {0};
    int fins = 0;

    (void)state;
    assert_int_equal(ladder_normal_close(&l), 0);
    for (size_t n = 0; n < l.nr; n++) {
        fins += (l.rows[n].flags & TCP_FIN) != 0;
        assert_false(l.rows[n].is_reset);
    }
    assert_int_equal(fins, 2);
    ladder_release(&l);
}

static void packet_lines_say_what_matters(void **state)
{
    struct packet_line line;
    int hello = 0, resets = 0, http = 0;

    (void)state;
    for (size_t i = 0; i < session_packets(w.s); i++) {
        packet_line_fill(&line, w.s, session_packet_at(w.s, i));
        hello += strstr(line.info, "sni=api.example") != NULL;
        http += strncmp(line.info, "GET /", 5) == 0;
        resets += line.reset;
        if (line.reset)
            assert_true(strncmp(line.info, "RESET", 5) == 0);
    }
    assert_true(hello > 0 && http > 0);
    assert_int_equal(resets, 4);
    packet_line_fill(&line, w.s, session_packet(w.s, at_stage(STAGE_IDLE)->reset->packet));
    assert_non_null(strstr(line.info, "ttl was 60"));
    assert_non_null(strstr(line.info, "350 s"));
}

static void layers_and_bytes_are_whole(void **state)
{
    const struct kept_packet *k = session_packet(w.s, at_stage(STAGE_IDLE)->reset->packet);
    struct strbuf out = STRBUF_INIT;
    size_t lines = 0;

    (void)state;
    assert_int_equal(packet_layers(&out, k), 0);
    assert_non_null(strstr(out.buf, "\nIPv4\n"));
    assert_non_null(strstr(out.buf, "\nTCP\n"));
    assert_non_null(strstr(out.buf, "RESET"));
    assert_non_null(strstr(out.buf, "ttl  255"));
    strbuf_reset(&out);
    packet_hex(&out, k);
    for (size_t i = 0; i < out.len; i++)
        lines += out.buf[i] == '\n';
    assert_int_equal(lines, (k->caplen + 15) / 16);
    assert_int_equal(strncmp(out.buf, "0000  45 00 ", 12), 0);
    /* Any bytes at all: nothing is read past them, nothing but ASCII is written. */
    uint8_t bytes[64];
    srand(3);
    for (int round = 0; round < 2000; round++) {
        struct kept_packet any = {.number = 1, .time = WORLD_START, .link = LINK_RAW};
        any.caplen = (uint32_t)(rand() % 64);
        any.len = any.caplen + (uint32_t)(rand() % 3);
        for (uint32_t i = 0; i < any.caplen; i++)
            bytes[i] = (uint8_t)rand();
        if (round & 1)
            bytes[0] = 0x45;
        any.data = bytes;
        struct packet_line line;
        packet_line_fill(&line, w.s, &any);
        strbuf_reset(&out);
        assert_int_equal(packet_layers(&out, &any), 0);
        packet_hex(&out, &any);
        assert_null(strchr(out.buf, '\033'));
    }
    strbuf_release(&out);
}

static void expect_line(const struct incident *i, const char *want)
{
    struct strbuf out = STRBUF_INIT;

    incident_line(&out, w.s, i, tr_none);
    assert_string_equal(out.buf, want);
    strbuf_release(&out);
}

static void incidents_in_one_sentence(void **state)
{
    struct stage_cell cell;
    int v[8];

    (void)state;
    expect_line(at_stage(STAGE_IDLE), "10.0.0.7:5432: reset after 350 s of silence");
    expect_line(at_stage(STAGE_PSH), "https://api.example/: reset in the TLS handshake");
    stage_cell_fill(&cell, w.s, 1, "dns", tr_none);
    assert_string_equal(cell.text, "4 ms");
    stage_cell_fill(&cell, w.s, 1, "tls", tr_none);
    assert_string_equal(cell.text, "RESET");
    assert_int_equal(cell.outcome, OUTCOME_FAILED);
    stage_cell_fill(&cell, w.s, 2, "http", tr_none);
    assert_string_equal(cell.text, "200");
    stage_cell_fill(&cell, w.s, 99, "http", tr_none);
    assert_false(cell.known);
    assert_int_equal(target_rounds(w.s, 1, v, 8), 3);
    assert_true(v[0] > 0 && v[1] == -1 && v[2] == -1);
    assert_null(target_failure(w.s, 2));
    assert_non_null(target_failure(w.s, 3));
}

static int make(void **state)
{
    (void)state;
    return world_scene(&w);
}

static int unmake(void **state)
{
    (void)state;
    world_release(&w);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ladder_folds_silence_and_marks_the_reset),
        cmocka_unit_test(a_segment_sent_again_is_named),
        cmocka_unit_test(a_normal_close_has_two_fins_and_no_reset),
        cmocka_unit_test(packet_lines_say_what_matters),
        cmocka_unit_test(layers_and_bytes_are_whole),
        cmocka_unit_test(incidents_in_one_sentence),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, make, unmake);
}
