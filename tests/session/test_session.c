/* The model: incidents and whose they are, status, answers, and a session that is read again. */
#include "report/report.h"
#include "session/private.h"
#include "tests/session/packets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define START (1700000000LL * NS_PER_SEC)

static struct addr client, server, other;
static char tmp[256];

static struct settings live_settings(void)
{
    return (struct settings){.live = true, .keep_packets = true, .rounds = 1, .name = "test"};
}

static struct session *live_session(void)
{
    struct settings st = live_settings();
    struct session *s = session_new(&st);

    assert_non_null(s);
    return s;
}

static void add_target(struct session *s, const char *spec)
{
    struct target *t;
    char err[200];

    assert_int_equal(target_parse(&t, spec, err, sizeof(err)), 0);
    assert_int_equal(session_add_target(s, t), 0);
}

static struct flow_key flow_of(uint16_t sport)
{
    return (struct flow_key){.src = client, .dst = server, .sport = sport, .dport = 443};
}

static void send_one(struct session *s, struct maker *m, struct segment g)
{
    struct record rec = make_record(m, &g);

    session_record(s, &rec);
}

static void from_client(struct session *s, struct maker *m, uint16_t sport, uint8_t flags,
                        uint32_t seq, uint32_t ack, const char *payload)
{
    send_one(s, m,
             (struct segment){.src = &client,
                              .dst = &server,
                              .sport = sport,
                              .dport = 443,
                              .flags = flags,
                              .seq = seq,
                              .ack = ack,
                              .window = 64240,
                              .payload = payload});
}

static void from_server(struct session *s, struct maker *m, uint16_t sport, uint8_t flags,
                        uint32_t seq, uint32_t ack, const char *payload)
{
    send_one(s, m,
             (struct segment){.src = &server,
                              .dst = &client,
                              .sport = 443,
                              .dport = sport,
                              .flags = flags,
                              .seq = seq,
                              .ack = ack,
                              .window = flags & TCP_RST ? 0 : 65160,
                              .ttl = 57,
                              .payload = payload});
}

static void refused(struct session *s, struct maker *m, uint16_t sport)
{
    from_client(s, m, sport, TCP_SYN, 1000, 0, NULL);
    from_server(s, m, sport, TCP_RST | TCP_ACK, 0, 1001, NULL);
}

/* A handshake, a request, and a reset instead of an answer. */
static void cut(struct session *s, struct maker *m, uint16_t sport)
{
    from_client(s, m, sport, TCP_SYN, 1000, 0, NULL);
    from_server(s, m, sport, TCP_SYN | TCP_ACK, 5000, 1001, NULL);
    from_client(s, m, sport, TCP_ACK, 1001, 5001, NULL);
    from_client(s, m, sport, TCP_ACK | TCP_PSH, 1001, 5001, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    from_server(s, m, sport, TCP_RST | TCP_ACK, 5001, 1028, NULL);
}

static struct result *result_of(const struct session *s, const char *probe, uint64_t chain,
                                uint16_t sport, enum failure failure, int err)
{
    struct result *r = result_new();

    assert_non_null(r);
    (void)s;
    r->target = 1;
    r->round = 1;
    r->chain = chain;
    snprintf(r->probe, sizeof(r->probe), "%s", probe);
    r->address = server;
    r->outcome = failure ? OUTCOME_FAILED : OUTCOME_OK;
    r->failure = failure;
    r->stage = failure == FAIL_REFUSED ? PSTAGE_CONNECT
               : failure               ? PSTAGE_RESPONSE
                                       : PSTAGE_CONNECT;
    r->err = err;
    if (sport) {
        r->flow_known = true;
        r->flow = flow_of(sport);
    }
    r->started = START;
    r->ended = START + 100 * NS_PER_MS;
    for (size_t i = 0; i < TIMING_COUNT; i++)
        r->timings[i] = NSTIME_NONE;
    r->timings[TIMING_CONNECT] = 5 * NS_PER_MS;
    assert_int_equal(result_set(r, "status", v_int(200)), 0);
    return r;
}

static struct maker maker(void)
{
    return (struct maker){.time = START};
}

/* A chain announces itself as of the packets' time, as it does in life. */
static void chain(struct session *s, uint64_t id, uint16_t sport)
{
    struct flow_key k = flow_of(sport);

    s->priv->loading = true; /* the clock of the inputs */
    s->priv->now = START;
    session_chain(s, 1, id, &k);
    s->priv->loading = false;
}

static char *json_of(const struct session *s);

/* ---- incidents ---- */

static void test_reset_without_targets(void **state)
{
    struct session *s = live_session();
    struct maker m = maker();

    (void)state;
    cut(s, &m, 40000);
    session_finish(s);
    assert_int_equal(s->nincidents, 1);
    const struct incident *i = session_incident(s, 1);
    assert_true(i->is_reset);
    assert_int_equal(i->reset_id, 1);
    assert_true(i->related);
    assert_true(i->harmful);
    assert_non_null(i->harmful_why);
    assert_int_equal(s->harmful_resets, 1);
    assert_int_equal(session_exit_status(s), 1);
    assert_ptr_equal(session_incident_of_flow(s, i->reset->flow), i);
    assert_int_equal(session_packets(s), 5);
    assert_int_equal(session_packet(s, 5)->is_reset, 2);
    assert_null(session_packet(s, 6));
    uint64_t numbers[8];
    assert_int_equal(session_flow_packets(s, i->reset->flow, numbers, 8), 5);
    assert_int_equal(numbers[0], 1);
    session_free(s);
}

static void test_probe_and_packets_are_one(void **state)
{
    (void)state;
    char *reports[2];

    for (int packets_first = 0; packets_first < 2; packets_first++) {
        struct session *s = live_session();
        struct maker m = maker();
        add_target(s, "http://192.0.2.1:443/");
        chain(s, 7, 40000);
        if (packets_first)
            cut(s, &m, 40000);
        session_result(s, result_of(s, "tcp", 7, 40000, FAIL_NONE, 0));
        session_result(s, result_of(s, "http", 7, 40000, FAIL_RESET, ECONNRESET));
        if (!packets_first)
            cut(s, &m, 40000);
        session_finish(s);
        assert_int_equal(s->nincidents, 1);
        const struct incident *i = session_incident(s, 1);
        assert_true(i->is_reset && i->related && i->harmful);
        assert_non_null(i->reset);
        assert_int_equal(i->result, 2);
        assert_int_equal(i->chain, 7);
        assert_int_equal(s->harmful_resets, 1);
        assert_int_equal(s->failed_probes, 1);
        assert_ptr_equal(session_incident_of_result(s, session_result_by_id(s, 2)), i);
        s->started = s->ended = START;
        reports[packets_first] = json_of(s);
        session_free(s);
    }
    assert_string_equal(reports[0], reports[1]); /* whatever came first */
    free(reports[0]);
    free(reports[1]);
}

static void test_other_programs_do_not_count(void **state)
{
    struct session *s = live_session();
    struct maker m = maker();

    (void)state;
    add_target(s, "http://192.0.2.1:443/");
    chain(s, 7, 40000);
    cut(s, &m, 40001);
    session_result(s, result_of(s, "http", 7, 40000, FAIL_NONE, 0));
    session_finish(s);
    assert_int_equal(s->nincidents, 1);
    assert_false(session_incident(s, 1)->related);
    assert_int_equal(s->resets_seen, 1);
    assert_int_equal(s->harmful_resets, 0);
    assert_int_equal(session_exit_status(s), 0);
    session_free(s);
}

/* The same ports again later: the old reset is not the new chain's. */
static void test_ports_are_used_again(void **state)
{
    struct session *s = live_session();
    struct maker m = maker();

    (void)state;
    add_target(s, "http://192.0.2.1:443/");
    cut(s, &m, 40000);
    s->priv->loading = true;
    s->priv->now = START + 60 * NS_PER_SEC;
    struct flow_key k = flow_of(40000);
    session_chain(s, 1, 9, &k);
    s->priv->loading = false;
    session_result(s, result_of(s, "http", 9, 40000, FAIL_NONE, 0));
    session_finish(s);
    assert_false(session_incident(s, 1)->related);
    assert_int_equal(session_exit_status(s), 0);
    session_free(s);
}

static void test_errno_alone_is_a_reset(void **state)
{
    struct session *s = live_session();

    (void)state;
    add_target(s, "http://192.0.2.1:443/");
    chain(s, 7, 40000);
    session_result(s, result_of(s, "http", 7, 40000, FAIL_RESET, ECONNRESET));
    session_finish(s);
    const struct incident *i = session_incident(s, 1);
    assert_true(i->is_reset && i->harmful);
    assert_null(i->reset);
    assert_int_equal(i->reset_id, 1);
    assert_int_equal(s->harmful_resets, 1);
    session_free(s);
}

/* Four connections, reset after about a minute's silence at their sixth request, the last one
 * aside; no packet was seen of them. */
static void test_patterns_without_packets(void **state)
{
    static const int silence[] = {60000, 60200, 59900, 60100};
    struct session *s = live_session();

    (void)state;
    add_target(s, "http://192.0.2.1:443/");
    for (unsigned k = 0; k < ARRAY_SIZE(silence); k++) {
        chain(s, 7 + k, (uint16_t)(40000 + k));
        struct result *r =
            result_of(s, "http", 7 + k, (uint16_t)(40000 + k), FAIL_RESET, ECONNRESET);
        assert_int_equal(result_set(r, "silence", v_span(silence[k] * NS_PER_MS)), 0);
        assert_int_equal(result_set(r, "bytes_received", v_int(100)), 0);
        assert_int_equal(result_set(r, "request", v_int(k < 3 ? 6 : 5)), 0);
        r->ended = START + k * 500 * NS_PER_SEC;
        session_result(s, r);
    }
    session_finish(s);
    for (uint64_t k = 1; k <= ARRAY_SIZE(silence); k++) {
        const struct facts *f = &session_incident(s, k)->judgement.facts;
        assert_true(facts_yes(f, FACT_SAME_IDLE));
        assert_int_equal(facts_get(f, FACT_SAME_IDLE)->v[0].u.i, 4);
        assert_true(k == 4 || facts_yes(f, FACT_SAME_INDEX));
        assert_null(facts_get(f, FACT_PERIODIC_PROBE));
        assert_null(facts_get(f, FACT_SAME_INSTANT));
    }
    session_free(s);
}

static void test_timeout_is_no_reset(void **state)
{
    struct session *s = live_session();

    (void)state;
    add_target(s, "http://192.0.2.1:443/");
    chain(s, 7, 40000);
    session_result(s, result_of(s, "http", 7, 40000, FAIL_TIMEOUT, ETIMEDOUT));
    session_finish(s);
    const struct incident *i = session_incident(s, 1);
    assert_false(i->is_reset);
    assert_int_equal(i->reset_id, 0);
    assert_int_equal(s->harmful_resets, 0);
    assert_int_equal(s->failed_probes, 1);
    assert_int_equal(session_exit_status(s), 1);
    session_free(s);
}

/* What was stopped did not fail, but it did not pass either, until a round of it was finished. */
static void test_interrupted_is_no_failure(void **state)
{
    struct session *s = live_session();
    struct result *whole;

    (void)state;
    add_target(s, "http://192.0.2.1:443/");
    session_result(s, result_of(s, "http", 7, 0, FAIL_INTERRUPTED, 0));
    session_finish(s);
    assert_int_equal(s->nincidents, 0);
    assert_int_equal(s->failed_probes, 0);
    assert_int_equal(session_unfinished(s), 1);
    assert_int_equal(session_exit_status(s), 1);
    whole = result_of(s, "http", 8, 0, FAIL_NONE, 0);
    whole->round = 2;
    whole->outcome = OUTCOME_OK;
    session_result(s, whole);
    assert_int_equal(session_unfinished(s), 0);
    assert_int_equal(session_exit_status(s), 0);
    session_free(s);
}

static void test_repetition_counts_nowhere(void **state)
{
    struct session *s = live_session();
    struct maker m = maker();

    (void)state;
    add_target(s, "http://192.0.2.1:443/");
    chain(s, 7, 40000);
    session_result(s, result_of(s, "http", 7, 40000, FAIL_NONE, 0));
    chain(s, 8, 40001);
    cut(s, &m, 40001);
    struct result *again = result_of(s, "http", 8, 40001, FAIL_RESET, ECONNRESET);
    again->repeat = true;
    session_result(s, again);
    session_finish(s);
    const struct incident *i = session_incident(s, 1);
    assert_true(i->is_reset && i->related && i->repeat);
    assert_false(i->harmful);
    assert_non_null(strstr(i->harmful_why, "repeat"));
    assert_int_equal(s->harmful_resets, 0);
    assert_int_equal(s->failed_probes, 0);
    assert_int_equal(session_exit_status(s), 0);
    session_free(s);
}

static void test_alike_are_judged_once(void **state)
{
    struct session *s = live_session();
    struct maker m = maker();

    (void)state;
    s->settings.keep_packets = false;
    for (uint16_t port = 1024; port < 1024 + 10000; port++)
        cut(s, &m, port);
    session_finish(s);
    assert_int_equal(s->nincidents, 10000);
    assert_int_equal(s->harmful_resets, 10000);
    assert_true(s->priv->judging.by_signature.nr < 100);
    session_free(s);
}

static void test_old_rounds_are_forgotten(void **state)
{
    struct session *s = live_session();

    (void)state;
    s->settings.keep_packets = false;
    add_target(s, "http://192.0.2.1:443/");
    for (uint32_t round = 1; round <= 250; round++) {
        struct result *r = result_of(s, "http", round, 0, FAIL_NONE, 0);
        r->round = round;
        session_result(s, r);
    }
    assert_int_equal(session_target(s, 1)->nresults, ROUNDS_KEPT);
    assert_int_equal(s->limits.results_dropped, 150);
    assert_null(session_result_by_id(s, 1));
    assert_non_null(session_result_by_id(s, 250));
    assert_int_equal(session_target(s, 1)->passed, 250);
    session_free(s);
}

static void test_ring_drops_the_oldest(void **state)
{
    struct settings st = live_settings();
    struct maker m = maker();

    (void)state;
    st.max_memory = 20 * (54 + sizeof(struct kept_packet));
    struct session *s = session_new(&st);
    for (uint16_t port = 1024; port < 1124; port++)
        refused(s, &m, port);
    assert_true(session_packets(s) <= 20);
    assert_int_equal(s->limits.packets_dropped, 200 - session_packets(s));
    assert_null(session_packet(s, 1));
    assert_int_equal(session_packet_at(s, session_packets(s) - 1)->number, 200);
    assert_int_equal(session_packet(s, 200)->flow != 0, 1);
    session_free(s);
}

/* ---- answers ---- */

static const struct step *step_for_people(const struct incident *i)
{
    for (size_t k = 0; k < i->checklist.nr; k++)
        if (i->checklist.items[k].step->answer)
            return i->checklist.items[k].step;
    return NULL;
}

static enum step_state state_of(const struct incident *i, const struct step *step)
{
    for (size_t k = 0; k < i->checklist.nr; k++)
        if (i->checklist.items[k].step == step)
            return i->checklist.items[k].state;
    return STEP_UNKNOWN;
}

static void test_answer_undo_skip(void **state)
{
    struct session *s = live_session();
    struct maker m = maker();

    (void)state;
    cut(s, &m, 40000);
    session_finish(s);
    const struct incident *i = session_incident(s, 1);
    const struct step *step = step_for_people(i);
    assert_non_null(step);
    char *before = json_of(s);
    session_answer(s, 1, step->id, 1);
    assert_true(facts_yes(&i->judgement.facts, step->answer));
    session_answer(s, 1, step->id, 0);
    assert_true(facts_no(&i->judgement.facts, step->answer));
    session_undo(s, 1);
    assert_true(facts_yes(&i->judgement.facts, step->answer));
    session_undo(s, 1);
    assert_null(facts_get(&i->judgement.facts, step->answer));
    session_undo(s, 1); /* nothing left: nothing happens */
    char *after = json_of(s);
    assert_string_equal(before, after);
    session_skip(s, 1, step->id);
    assert_int_equal(state_of(i, step), STEP_SKIPPED);
    session_answer(s, 1, "no-such-step", 1);
    session_answer(s, 99, step->id, 1);
    free(before);
    free(after);
    session_free(s);
}

/* ---- save and load ---- */

static int collect(void *arg, const char *data, size_t len)
{
    strbuf_add(arg, data, len);
    return 0;
}

static char *json_of(const struct session *s)
{
    struct strbuf sb = STRBUF_INIT;
    struct sink to = {collect, &sb};

    assert_int_equal(report_by_name("json")->write(s, &to), 0);
    return strbuf_detach(&sb, NULL);
}

static void fill(struct session *s, struct maker *m)
{
    struct host_counters c = {.available = true, .time = START};
    struct facts facts;

    add_target(s, "http://192.0.2.1:443/");
    chain(s, 7, 40000);
    cut(s, m, 40000);
    session_result(s, result_of(s, "tcp", 7, 40000, FAIL_NONE, 0));
    session_result(s, result_of(s, "http", 7, 40000, FAIL_RESET, ECONNRESET));
    session_counters(s, &c);
    c.out_rsts = 3;
    session_counters(s, &c);
    facts_init(&facts);
    facts_put(&facts, FACT_LISTEN_QUEUE_FULL, false, SRC_HOST, 0, "sock_diag", v_int(0), v_int(128),
              v_none());
    session_fact(s, (struct subject){ABOUT_RESULT, 2}, &facts.items[0]);
    struct experiment_record e = {
        .experiment = "repeat", .target = 1, .connections = 1, .span = NS_PER_SEC, .facts = facts};
    session_experiment(s, &e);
    facts_release(&facts);
    refused(s, m, 40001);
    session_message(s, MSG_WARN, "a \x1b[31mword");
    session_judge(s);
    const struct incident *i = session_incident(s, 1);
    session_answer(s, 1, step_for_people(i)->id, 1);
    session_undo(s, 1);
    session_answer(s, 1, step_for_people(i)->id, 0);
    session_skip(s, 2, step_for_people(i)->id);
}

static struct session *saved(bool late)
{
    struct settings st = live_settings();
    struct maker m = maker();
    char err[300] = "";

    st.sessions_dir = tmp;
    struct session *s = session_new(&st);
    assert_non_null(s);
    if (!late)
        assert_int_equal(session_save_begin(s, NULL, err, sizeof(err)), 0);
    fill(s, &m);
    if (late)
        assert_int_equal(session_save_begin(s, NULL, err, sizeof(err)), 0);
    session_finish(s);
    assert_int_equal(session_save_end(s), 0);
    return s;
}

static struct session *load(const char *path, int want)
{
    struct settings st = {.read_file = path, .keep_packets = true};
    struct session *s = NULL;
    char err[300] = "";
    int rc = session_load(&s, path, &st, err, sizeof(err));

    if (want == 0) {
        if (rc)
            print_error("%s: %s\n", path, err);
        assert_int_equal(rc, 0);
    }
    assert_true((rc == 0) == (s != NULL));
    assert_true(rc == 0 || err[0]);
    return s;
}

static void same_after_loading(bool late)
{
    struct session *s = saved(late);
    struct stat st;
    char path[600];

    assert_int_equal(stat(s->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    snprintf(path, sizeof(path), "%s/session.jsonl", s->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(session_is_session(s->dir));
    assert_true(session_is_session(path));
    struct session *again = load(s->dir, 0);
    char *a = json_of(s), *b = json_of(again);
    assert_string_equal(a, b);
    assert_int_equal(session_exit_status(s), session_exit_status(again));
    assert_int_equal(again->nmessages, 1);
    assert_string_equal(again->messages[0].text, "a .[31mword");
    assert_int_equal(session_packets(again), session_packets(s));
    free(a);
    free(b);
    session_free(s);
    session_free(again);
}

static void test_load_is_the_same(void **state)
{
    (void)state;
    same_after_loading(false);
}

static void test_saved_late_is_the_same(void **state)
{
    (void)state;
    same_after_loading(true);
}

/* A loaded session can be answered and goes on in its own files. */
static void test_loaded_goes_on(void **state)
{
    char err[300] = "", dir[512];
    struct session *s = saved(false);

    (void)state;
    snprintf(dir, sizeof(dir), "%s", s->dir);
    session_free(s);
    s = load(dir, 0);
    const struct step *step = step_for_people(session_incident(s, 1));
    session_undo(s, 1);
    session_answer(s, 1, step->id, 1);
    assert_int_equal(session_save_begin(s, NULL, err, sizeof(err)), 0);
    assert_int_equal(session_save_end(s), 0);
    char *a = json_of(s);
    session_free(s);
    s = load(dir, 0);
    char *b = json_of(s);
    assert_string_equal(a, b);
    assert_true(facts_yes(&session_incident(s, 1)->judgement.facts, step->answer));
    free(a);
    free(b);
    session_free(s);
}

static void test_two_writers(void **state)
{
    struct settings st = live_settings();
    char err[300] = "", dir[300];

    (void)state;
    snprintf(dir, sizeof(dir), "%s/both", tmp);
    struct session *a = session_new(&st), *b = session_new(&st);
    assert_int_equal(session_save_begin(a, dir, err, sizeof(err)), 0);
    assert_int_not_equal(session_save_begin(b, dir, err, sizeof(err)), 0);
    assert_true(err[0]);
    session_save_end(a);
    session_free(a);
    session_free(b);
}

static void read_all(const char *path, struct strbuf *out)
{
    char buf[4096];
    ssize_t n;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    while ((n = read(fd, buf, sizeof(buf))) > 0)
        strbuf_add(out, buf, (size_t)n);
    close(fd);
}

static void write_all(const char *path, const char *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static void test_torn_at_every_byte(void **state)
{
    struct session *s = saved(false);
    struct strbuf lines = STRBUF_INIT, packets = STRBUF_INIT;
    char a[600], b[600], dir[300];

    (void)state;
    snprintf(a, sizeof(a), "%s/session.jsonl", s->dir);
    snprintf(b, sizeof(b), "%s/packets.pcapng", s->dir);
    read_all(a, &lines);
    read_all(b, &packets);
    session_free(s);
    snprintf(dir, sizeof(dir), "%s/torn", tmp);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(a, sizeof(a), "%s/session.jsonl", dir);
    snprintf(b, sizeof(b), "%s/packets.pcapng", dir);
    const char *first_line = memchr(lines.buf, '\n', lines.len);
    size_t header = (size_t)(first_line - lines.buf) + 1;
    write_all(b, packets.buf, packets.len);
    for (size_t len = 0; len < lines.len; len += len < 700 ? 1 : 7) {
        write_all(a, lines.buf, len);
        session_free(load(dir, len < header)); /* with the first line whole it must load */
    }
    write_all(a, lines.buf, lines.len);
    for (size_t len = 0; len < packets.len; len++) {
        write_all(b, packets.buf, len);
        session_free(load(dir, 1));
    }
    strbuf_release(&lines);
    strbuf_release(&packets);
}

static void test_hostile_lines(void **state)
{
    static const char head[] = "{\"type\":\"session\",\"v\":1,\"t\":1,\"after\":0}\n";
    static const char *const lines[] = {
        "",
        "\n",
        "{}",
        "[]",
        "null",
        "{\"type\":1}",
        "{\"type\":\"result\"}",
        "{\"type\":\"result\",\"target\":99999999,\"chain\":1,\"probe\":\"tcp\"}",
        "{\"type\":\"result\",\"target\":1,\"chain\":0,\"probe\":\"tcp\"}",
        "{\"type\":\"chain\",\"chain\":-1}",
        "{\"type\":\"fact\",\"about\":\"result\",\"id\":77,\"fact\":{}}",
        "{\"type\":\"fact\",\"about\":\"host\",\"id\":0,\"fact\":{\"kind\":\"rst-seen\",\"v\":7}}",
        "{\"type\":\"fact\",\"about\":\"host\",\"id\":0,\"fact\":null}",
        "{\"type\":\"undo\",\"about\":\"reset\",\"id\":1,\"kind\":\"x\"}",
        "{\"type\":\"skip\",\"about\":\"reset\",\"id\":-1,\"step\":\"x\"}",
        "{\"type\":\"target\",\"name\":\"\\u001b\",\"host\":\"h\"}",
        "{\"type\":\"target\",\"name\":7}",
        "{\"type\":\"counters\",\"values\":[]}",
        "{\"type\":\"vantage\",\"interfaces\":{},\"local\":[1,\"x\",null]}",
        "{\"type\":\"experiment\",\"experiment\":\"x\",\"facts\":7}",
        "{\"type\":\"message\"}",
        "{\"type\":\"end\",\"ended\":\"x\"}",
        "{\"type\":\"session\",\"v\":2}",
        "{\"type\":\"later\",\"after\":9999999999}",
        "{\"type\":\"result\",\"t\":9999999999999999999999}",
        "\xff\xfe",
        "{\"type\":\"end\"",
    };
    char dir[300], path[400], text[2000];

    (void)state;
    snprintf(dir, sizeof(dir), "%s/hostile", tmp);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(path, sizeof(path), "%s/session.jsonl", dir);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        int len = snprintf(text, sizeof(text), "%s%s\n", head, lines[i]);
        write_all(path, text, (size_t)len);
        session_free(load(dir, 1));
        len = snprintf(text, sizeof(text), "%s\n%s", lines[i], head);
        write_all(path, text, (size_t)len);
        session_free(load(dir, 1));
    }
    write_all(path, "x", 1);
    assert_null(load(dir, 1));
}

static void test_no_session(void **state)
{
    (void)state;
    assert_false(session_is_session("/nonexistent"));
    assert_false(session_is_session(tmp));
    assert_false(session_is_session("-"));
}

static int setup(void **state)
{
    (void)state;
    addr_parse("198.51.100.7", &client);
    addr_parse("192.0.2.1", &server);
    addr_parse("203.0.113.9", &other);
    const char *dir = getenv("TMPDIR");
    snprintf(tmp, sizeof(tmp), "%s/rstsession.XXXXXX", dir ? dir : "/tmp");
    return mkdtemp(tmp) ? 0 : -1;
}

/* Removes what the tests made: two levels, files only below. */
static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    char sub[1024];

    while (d && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
        if (unlink(sub) < 0)
            remove_tree(sub);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static int teardown(void **state)
{
    (void)state;
    remove_tree(tmp);
    return 0;
}

/* More records than are held in memory come back in order, from the file and from its tail. */
static void check_records(bool file)
{
    struct records r;
    struct flow_record rec = {.state = CONN_SF};
    struct session_private priv = {.records = {.fd = -1}};
    struct session s = {.priv = &priv};

    records_init(&r);
    r.no_file = !file;
    for (uint64_t i = 0; i < 20000; i++) {
        rec.flow = i + 1;
        assert_true(records_add(&r, &rec));
    }
    assert_int_equal(r.spilled > 0, file);
    assert_int_equal(r.nheld < 10000, file);
    priv.records = r;
    assert_int_equal(session_flow_records(&s), 20000);
    for (uint64_t i = 0; i < 20000; i++) {
        assert_true(session_flow_record(&s, i, &rec));
        assert_int_equal(rec.flow, i + 1);
    }
    assert_false(session_flow_record(&s, 20000, &rec));
    assert_true(session_flow_record(&s, 3, &rec)); /* and back */
    assert_int_equal(rec.flow, 4);
    records_release(&priv.records);
}

static void test_records(void **state)
{
    (void)state;
    check_records(true);
    check_records(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset_without_targets),
        cmocka_unit_test(test_probe_and_packets_are_one),
        cmocka_unit_test(test_other_programs_do_not_count),
        cmocka_unit_test(test_ports_are_used_again),
        cmocka_unit_test(test_errno_alone_is_a_reset),
        cmocka_unit_test(test_patterns_without_packets),
        cmocka_unit_test(test_timeout_is_no_reset),
        cmocka_unit_test(test_interrupted_is_no_failure),
        cmocka_unit_test(test_repetition_counts_nowhere),
        cmocka_unit_test(test_alike_are_judged_once),
        cmocka_unit_test(test_old_rounds_are_forgotten),
        cmocka_unit_test(test_ring_drops_the_oldest),
        cmocka_unit_test(test_answer_undo_skip),
        cmocka_unit_test(test_load_is_the_same),
        cmocka_unit_test(test_saved_late_is_the_same),
        cmocka_unit_test(test_loaded_goes_on),
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_torn_at_every_byte),
        cmocka_unit_test(test_hostile_lines),
        cmocka_unit_test(test_no_session),
        cmocka_unit_test(test_records),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
