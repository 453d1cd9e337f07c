/* The judge: a function of the set of facts, never punishing what speaks for a cause; the sender,
 * the retry advice, the catalogue's soundness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
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

static void read_words(struct facts *f, const char *words)
{
    char bad[128];

    facts_init(f);
    if (factset_read(f, words, bad, sizeof(bad)))
        fail_msg("no fact kind: %s", bad);
}

static void judge_words(struct judgement *j, const char *words)
{
    struct facts f;

    read_words(&f, words);
    assert_int_equal(judge(j, &f), 0);
    facts_release(&f);
}

/* ---- the catalogue ---- */

static bool is_name(const char *s)
{
    return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == 0 && *s != '-';
}

static void sound_texts(const struct cause *c)
{
    const char *texts[] = {c->title, c->what, c->confirm};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_true(texts[i] && strlen(texts[i]) > 8);
    assert_true(c->client || c->server || c->network);
    assert_null(strchr(c->title, '%'));
    assert_non_null(c->references);
    assert_non_null(c->references[0]);
    for (const char *const *r = c->references; *r; r++)
        assert_true(strlen(*r) > 5);
}

static void sound_weights(const struct cause *c)
{
    assert_true(c->nweights > 0);
    for (size_t i = 0; i < c->nweights; i++) {
        const struct weight *w = &c->weights[i];
        assert_in_range(w->kind, FACT_NOTHING + 1, FACT_KIND_COUNT - 1);
        assert_in_range(w->centinats + 1000, 0, 2000);
        assert_true(w->min <= w->max);
        if (!w->yes && !*fact_info(w->kind)->no && !*fact_info(w->kind)->missing)
            fail_msg("%s: %s is never said to be no", c->id, fact_info(w->kind)->name);
        if (w->flags & W_RULES_OUT)
            assert_true(w->centinats < 0);
    }
}

static void the_catalogue_is_sound(void **state)
{
    (void)state;
    assert_true(cause_count() >= 100);
    for (size_t i = 0; i < cause_count(); i++) {
        const struct cause *c = cause_at(i);
        assert_true(is_name(c->id));
        assert_ptr_equal(cause_by_id(c->id), c); /* unique */
        assert_in_range(c->group, 0, GROUP_COUNT - 1);
        assert_true(i == 0 || cause_at(i - 1)->group <= c->group);
        assert_true(c->confidence_cap > 0 && c->confidence_cap <= .99);
        assert_true(c->cap_probe > 0 && c->cap_probe <= c->confidence_cap);
        assert_true(c->cap_host >= c->confidence_cap && c->cap_host <= .99);
        sound_texts(c);
        sound_weights(c);
    }
    assert_null(cause_at(cause_count()));
    assert_null(cause_by_id("no-such-cause"));
    assert_null(cause_by_id(NULL));
    for (int g = 0; g < GROUP_COUNT; g++)
        assert_true(is_name(group_name((enum group)g)) && *group_title((enum group)g));
}

/* ---- a function of the set ---- */

/* A kind of fact that no cause weighs is read by the judge itself or is for the person alone, which
 * is written here with its reason; else it was forgotten. */
static void each_fact_counts_for_something(void **state)
{
    static const enum fact_kind others[] = {
        FACT_RST_OUTBOUND,                    /* the sender, and who may be blamed */
        FACT_RST_HOPS,       FACT_SPOKEN_FOR, /* the sender */
        FACT_VANTAGE,                         /* the sender */
        FACT_SOCKET_RESET,                    /* that there was a reset, and at what stage */
        FACT_CAPTURE_DROPS,                   /* caveats: the grade and the sender */
        FACT_ONE_SIDED,      FACT_PACKETS_MISSING, FACT_COUNTER_SHARED,
        FACT_RST_DELAY,      /* RST_BEFORE_RTT and RESPONSE_WAIT say what follows from it */
        FACT_BYTES_SENT,     /* ALL_ACKED and NOTHING_ACKED say what follows from it */
        FACT_RST_TTL,        /* one TTL with nothing to set it against */
        FACT_TUNNELLED,      /* how the TTLs are to be read */
        FACT_PAYLOAD_CUT,    /* why words may be missing */
        FACT_CLIENT_PROCESS, /* whose socket it was is no cause */
        FACT_SERVER_PROCESS, FACT_NOT_NOTICED,     FACT_TLS_RESUMED,
        FACT_LAST_WORDS,                     /* what they mean are facts of their own */
        FACT_LOG_SAYS,                       /* likewise */
        FACT_SEEN_BEFORE,    FACT_SEEN_IDLE, /* what was judged before is no evidence of today */
        FACT_SEEN_CAUSE,
    };
    bool counts[FACT_KIND_COUNT] = {false};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        counts[others[i]] = true;
    for (size_t i = 0; i < cause_count(); i++)
        for (size_t k = 0; k < cause_at(i)->nweights; k++)
            counts[cause_at(i)->weights[k].kind] = true;
    size_t forgotten = 0;
    for (int k = FACT_NOTHING + 1; k < FACT_KIND_COUNT; k++)
        if (!counts[k] && ++forgotten)
            print_error("no cause weighs %s\n", fact_info((enum fact_kind)k)->name);
    assert_int_equal(forgotten, 0);
}

static void reverse(struct facts *f)
{
    for (size_t i = 0; i < f->nr / 2; i++) {
        struct fact t = f->items[i];
        f->items[i] = f->items[f->nr - 1 - i];
        f->items[f->nr - 1 - i] = t;
    }
}

static void rotate(struct facts *f)
{
    struct fact first = f->items[0];

    memmove(f->items, f->items + 1, (f->nr - 1) * sizeof(first));
    f->items[f->nr - 1] = first;
}

static void same_judgement(const struct judgement *a, const struct judgement *b)
{
    assert_int_equal(a->nverdicts, b->nverdicts);
    for (size_t i = 0; i < a->nverdicts; i++) {
        assert_ptr_equal(a->verdicts[i].cause, b->verdicts[i].cause);
        assert_true(a->verdicts[i].confidence == b->verdicts[i].confidence);
        assert_int_equal(a->verdicts[i].nfor, b->verdicts[i].nfor);
        for (size_t k = 0; k < a->verdicts[i].nfor; k++)
            assert_int_equal(a->verdicts[i].for_[k].kind, b->verdicts[i].for_[k].kind);
    }
    assert_memory_equal(a->shares, b->shares, cause_count() * sizeof(*a->shares));
    assert_int_equal(a->sender, b->sender);
    assert_true(a->sender_confidence == b->sender_confidence);
    assert_int_equal(a->retry, b->retry);
}

static void order_does_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct judgement a, b;
        struct facts f;
        judgement_init(&a);
        judgement_init(&b);
        read_words(&f, cases[i].wins);
        assert_int_equal(judge(&a, &f), 0);
        reverse(&f);
        assert_int_equal(judge(&b, &f), 0);
        same_judgement(&a, &b);
        rotate(&f);
        assert_int_equal(judge(&b, &f), 0);
        same_judgement(&a, &b);
        facts_release(&f);
        judgement_release(&a);
        judgement_release(&b);
    }
}

/* What makes the prior is not a plain fact for or against: it says where to look. */
static bool makes_the_prior(enum fact_kind k)
{
    static const enum fact_kind kinds[] = {FACT_STAGE,
                                           FACT_RST_CLASS,
                                           FACT_RST_FROM,
                                           FACT_RST_SEEN,
                                           FACT_DNS_FAILED,
                                           FACT_ICMP_ERROR,
                                           FACT_CONN_REFUSED,
                                           FACT_CONN_RESET,
                                           FACT_HOLD_RESET,
                                           FACT_HOLD_FIN,
                                           FACT_CONN_TIMEOUT,
                                           FACT_STALLED,
                                           FACT_EARLY_EOF,
                                           FACT_REPLY_CUT,
                                           FACT_CONN_UNREACHABLE,
                                           FACT_LOCAL_PORTS_EXHAUSTED,
                                           FACT_LOCAL_DESTROYED,
                                           FACT_LOCAL_ADDRESS_GONE,
                                           FACT_HELLO_SENT,
                                           FACT_COUNTER_SHARED};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i] == k)
            return true;
    return false;
}

static void what_speaks_for_never_lowers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct cause *c = cause_by_id(cases[i].id);
        for (size_t k = 0; k < c->nweights; k++) {
            const struct weight *w = &c->weights[k];
            struct facts f;
            read_words(&f, cases[i].wins);
            /* w alone must speak on it: a second weight on the kind may speak against */
            bool alone = w->centinats > 0 && !makes_the_prior(w->kind) && !facts_get(&f, w->kind);
            double before = cause_score(c, &f);
            factset_put_weight(&f, w);
            for (size_t n = 0; n < c->nweights; n++)
                alone = alone && (n == k || c->weights[n].centinats >= 0 ||
                                  !weight_applies(&c->weights[n], facts_get(&f, w->kind)));
            if (alone && cause_score(c, &f) < before)
                fail_msg("%s: %s lowers it", c->id, fact_info(w->kind)->name);
            facts_release(&f);
        }
    }
}

static void one_family_counts_once(void **state)
{
    const struct cause *c = cause_by_id("dpi-onpath-rst");
    struct facts one, two, far;

    (void)state;
    read_words(&one, "stage=psh rst-seen rst-class=foreign rst-from=server rst-fan=3");
    read_words(&two, "stage=psh rst-seen rst-class=foreign rst-from=server rst-fan=3 rst-train=3");
    read_words(&far, "stage=psh rst-seen rst-class=foreign rst-from=server rst-fan=3 rst-ttl=9");
    double gain = cause_score(c, &two) - cause_score(c, &one);
    assert_true(gain > 0 && gain < .5);
    assert_true(cause_score(c, &far) - cause_score(c, &one) > 1.5);
    facts_release(&one);
    facts_release(&two);
    facts_release(&far);
}

static void lists_are_about_what_is_known(void **state)
{
    struct judgement j;

    (void)state;
    judgement_init(&j);
    judge_words(&j, "stage=syn connect-refused=1ms !icmp-error");
    assert_true(j.nverdicts > 0 && j.verdicts[0].nmissing > 0);
    for (size_t i = 0; i < j.nverdicts; i++) {
        const struct verdict *v = &j.verdicts[i];
        for (size_t k = 0; k < v->nfor; k++)
            assert_true(facts_get(&j.facts, v->for_[k].kind) && v->for_[k].centinats > 0);
        for (size_t k = 0; k < v->nagainst; k++)
            assert_true(facts_get(&j.facts, v->against[k].kind) && v->against[k].centinats < 0);
        for (size_t k = 0; k < v->nmissing; k++)
            assert_null(facts_get(&j.facts, v->missing[k].kind));
        assert_true(i == 0 || j.verdicts[i - 1].confidence >= v->confidence);
        assert_true(v->confidence >= .2 && v->grade >= GRADE_POSSIBLE);
    }
    judge_words(&j, "stage=psh reset-after-hello=500 !tls-ok first-bytes-tls server-hello "
                    "connection-reset=ECONNRESET");
    bool out = false;
    for (size_t i = 0; i < j.nruled_out; i++)
        out = out || !strcmp(j.ruled_out[i].cause->id, "tls-tls-to-plain");
    assert_true(out);
    judgement_release(&j);
}

static void nothing_known_is_not_determined(void **state)
{
    struct judgement j;
    struct strbuf text = STRBUF_INIT;

    (void)state;
    judgement_init(&j);
    judge_words(&j, "");
    assert_false(j.determined);
    assert_int_equal(j.sender, SENDER_UNKNOWN);
    judgement_headline(&text, &j, tr_none);
    assert_non_null(strstr(text.buf, "not determined"));
    strbuf_reset(&text);
    judge_words(&j, "stage=psh !tls-ok tls-alert=70 reset-after-hello=5");
    judgement_headline(&text, &j, tr_none);
    assert_non_null(strstr(text.buf, "confirmed"));
    strbuf_reset(&text);
    cause_advice(&text, j.verdicts[0].cause, &j.facts, tr_none);
    assert_non_null(strstr(text.buf, "Client: "));
    assert_non_null(strstr(text.buf, "Server: "));
    strbuf_release(&text);
    judgement_release(&j);
}

/* ---- who sent it ---- */

static void senders(void **state)
{
    static const struct {
        const char *facts;
        enum sender sender;
    } sets[] = {
        {"rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq", SENDER_PEER},
        {"rst-seen rst-class=active rst-from=server !rst-ttl !rst-seq rst-outbound", SENDER_LOCAL},
        {"rst-seen rst-class=active rst-from=client !rst-ttl !rst-seq sender-local", SENDER_LOCAL},
        {"rst-seen rst-class=passive rst-from=server !rst-ttl !out-rsts", SENDER_PEER_FIREWALL},
        {"rst-seen rst-class=passive rst-from=server !rst-ttl out-rsts=1", SENDER_PEER},
        {"rst-seen rst-class=foreign rst-from=server rst-ttl=9 data-after-rst=700", SENDER_FORGED},
        {"rst-seen rst-class=foreign rst-from=server !rst-ttl rst-fan=3 rst-ip-id=4",
         SENDER_FORGED},
        {"rst-seen rst-class=active rst-from=server", SENDER_UNKNOWN},
        {"rst-seen rst-class=foreign rst-from=server midstream one-sided", SENDER_UNKNOWN},
        {"rst-seen rst-class=active rst-from=server !rst-ttl spoken-for=90ms", SENDER_NEAR_CLIENT},
        {"connect-refused=1ms local-reject-rule=1", SENDER_LOCAL},
        {"connect-refused=1ms icmp-error=x", SENDER_UNKNOWN},
        {"connect-timeout=10s", SENDER_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        struct judgement j;
        judgement_init(&j);
        judge_words(&j, sets[i].facts);
        if (j.sender != sets[i].sender)
            fail_msg("%s, not %s, in: %s", sender_name(j.sender), sender_name(sets[i].sender),
                     sets[i].facts);
        assert_true(j.sender_confidence >= 0 && j.sender_confidence <= 1);
        judgement_release(&j);
    }
}

/* A box is placed by the hops its packets passed. */
static void boxes_are_placed(void **state)
{
    static const struct {
        int hops, host;
        const char *from;
        enum sender sender;
    } sets[] = {
        {2, 15, "server", SENDER_NEAR_CLIENT},  {9, 15, "server", SENDER_MID_PATH},
        {14, 15, "server", SENDER_NEAR_SERVER}, {2, 15, "client", SENDER_NEAR_SERVER},
        {14, 15, "client", SENDER_NEAR_CLIENT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        struct judgement j;
        struct facts f;
        judgement_init(&j);
        read_words(&f, "rst-seen rst-class=passive rst-ttl=9 !rst-seq");
        facts_put(&f, FACT_RST_FROM, true, SRC_PACKET, 1, NULL, v_text(sets[i].from), v_none(),
                  v_none());
        facts_put(&f, FACT_RST_HOPS, true, SRC_PACKET, 1, NULL, v_int(sets[i].hops),
                  v_int(sets[i].host), v_none());
        assert_int_equal(judge(&j, &f), 0);
        assert_int_equal(j.sender, sets[i].sender);
        assert_true(j.nsender_why > 0);
        facts_release(&f);
        judgement_release(&j);
    }
}

/* ---- may it be sent again (causes.md D) ---- */

static void retries(void **state)
{
    static const struct {
        const char *facts;
        enum retry retry;
    } sets[] = {
        {"stage=syn connect-refused=1ms", RETRY_SAFE},
        {"dns-failed=dns_servfail_error", RETRY_SAFE},
        {"dns-failed=dns_nxdomain_error", RETRY_NO},
        {"stage=ack hold-reset=3ms nothing-sent", RETRY_SAFE},
        {"h2-goaway=GOAWAY,_no_stream_processed early-eof=1s request-seen=POST_/", RETRY_SAFE},
        {"h2-goaway=GOAWAY_PROTOCOL early-eof=1s request-seen=POST_/", RETRY_ASK},
        {"log-kernel=table_full early-eof=1s", RETRY_ASK},
        {"stage=psh !tls-ok tls-alert=70 reset-after-hello=5", RETRY_NO},
        {"stage=psh connection-reset=ECONNRESET reset-after-hello=5", RETRY_SAFE},
        {"stage=data rst-seen rst-class=active rst-from=server harmless=x", RETRY_NOT_NEEDED},
        {"stage=data connection-reset=ECONNRESET response-complete !nothing-sent",
         RETRY_NOT_NEEDED},
        {"stage=data connection-reset=ECONNRESET response-complete early-reply=413 http-status=413 "
         "uploading=9000000",
         RETRY_NO},
        {"stage=data connection-reset=ECONNRESET reply-cut-short=5 request-seen=GET_/",
         RETRY_RESUME},
        {"stage=psh connection-reset=ECONNRESET nothing-acked=50 request-seen=POST_/x",
         RETRY_LIKELY_SAFE},
        {"stage=psh connection-reset=ECONNRESET all-acked=50 request-seen=GET_/", RETRY_SAFE},
        {"stage=psh connection-reset=ECONNRESET !all-acked=50 request-seen=PUT_/",
         RETRY_LIKELY_SAFE},
        {"stage=psh connection-reset=ECONNRESET all-acked=50 request-seen=POST_/x", RETRY_ASK},
        {"stage=psh connection-reset=ECONNRESET !all-acked=50 !nothing-sent", RETRY_IF_IDEMPOTENT},
        {"stage=data connection-reset=ECONNRESET all-acked=50 !nothing-sent", RETRY_ASK},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        struct judgement j;
        judgement_init(&j);
        judge_words(&j, sets[i].facts);
        if (j.retry != sets[i].retry)
            fail_msg("%s, not %s, in: %s", retry_name(j.retry), retry_name(sets[i].retry),
                     sets[i].facts);
        assert_true(j.retry_why && *j.retry_why && j.harmful_why && *j.harmful_why);
        judgement_release(&j);
    }
}

/* The server's own word on the stream decides, whatever the method. */
static void refused_streams_go_again(void **state)
{
    static const struct {
        const char *words;
        enum retry retry;
    } sets[] = {{"RST_STREAM REFUSED_STREAM", RETRY_SAFE},
                {"GOAWAY NO_ERROR, no stream processed", RETRY_SAFE},
                {"GOAWAY NO_ERROR", RETRY_ASK},
                {"RST_STREAM CANCEL", RETRY_ASK}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        struct judgement j;
        struct facts f;
        judgement_init(&j);
        read_words(&f, "early-eof=1s request-seen=POST_/");
        facts_put(&f, FACT_H2_GOAWAY, true, SRC_PROBE, 0, NULL, v_text(sets[i].words), v_none(),
                  v_none());
        assert_int_equal(judge(&j, &f), 0);
        assert_int_equal(j.retry, sets[i].retry);
        facts_release(&f);
        judgement_release(&j);
    }
}

static void a_shared_counter_confirms_nothing(void **state)
{
    struct judgement j;
    struct facts f;

    (void)state;
    judgement_init(&j);
    for (int shared = 0; shared < 2; shared++) {
        read_words(&f, "stage=psh connection-reset=ECONNRESET request-seen=GET !abort-on-data "
                       "target-is-local");
        facts_put(&f, FACT_ABORT_ON_CLOSE, true, SRC_HOST, 0, NULL, v_int(1), v_none(), v_none());
        if (shared)
            facts_put(&f, FACT_COUNTER_SHARED, true, SRC_HOST, 0, NULL, v_int(4), v_none(),
                      v_none());
        assert_int_equal(judge(&j, &f), 0);
        assert_string_equal(j.verdicts[0].cause->id, "app-close-unread");
        assert_int_equal(j.verdicts[0].grade == GRADE_CONFIRMED, !shared);
        facts_release(&f);
    }
    judgement_release(&j);
}

/* How full the listener's queue is was looked at: counters shared by several take nothing from it.
 */
static void a_full_queue_is_no_counter(void **state)
{
    struct judgement j;
    struct facts f;

    (void)state;
    judgement_init(&j);
    read_words(&f, "stage=syn connect-timeout=3s syn-repeated=3 !icmp-error target-is-local "
                   "target-listens");
    facts_put(&f, FACT_LISTEN_QUEUE_FULL, true, SRC_HOST, 0, NULL, v_int(2), v_int(1), v_none());
    facts_put(&f, FACT_COUNTER_SHARED, true, SRC_HOST, 0, NULL, v_int(4), v_none(), v_none());
    assert_int_equal(judge(&j, &f), 0);
    assert_string_equal(j.verdicts[0].cause->id, "accept-queue-overflow-drop");
    assert_true(j.determined);
    facts_release(&f);
    judgement_release(&j);
}

/* Our own counters speak of the other end only when that end is this host. */
static void our_counters_are_not_theirs(void **state)
{
    static const char *const where[] = {"target-is-local", "!target-is-local"};

    (void)state;
    for (int remote = 0; remote < 2; remote++) {
        struct judgement j;
        struct facts f;
        judgement_init(&j);
        read_words(&f, "stage=psh connection-reset=ECONNRESET request-seen=GET");
        assert_true(factset_add(&f, where[remote]));
        facts_put(&f, FACT_ABORT_ON_CLOSE, true, SRC_HOST, 0, NULL, v_int(1), v_none(), v_none());
        assert_int_equal(judge(&j, &f), 0);
        bool confirmed = j.nverdicts && j.verdicts[0].grade == GRADE_CONFIRMED;
        assert_int_equal(confirmed, !remote);
        facts_release(&f);
        judgement_release(&j);
    }
}

/* A certificate that was told of but ended nothing; where nothing reset, a counter of resets that
 * stood still is no evidence. */
static void a_certificate_is_no_firewall(void **state)
{
    struct judgement j;
    struct facts f;

    (void)state;
    judgement_init(&j);
    read_words(&f, "certificate-rejected=self-signed !tls-alert target-is-local target-listens "
                   "!listen-queue-full response-complete !harmless");
    facts_put(&f, FACT_OUT_RSTS, false, SRC_HOST, 0, NULL, v_none(), v_none(), v_none());
    assert_int_equal(judge(&j, &f), 0);
    assert_true(j.determined);
    assert_string_equal(j.verdicts[0].cause->id, "tls-client-rejects-cert");
    assert_int_equal(j.retry, RETRY_NO);
    for (size_t i = 0; i < j.nverdicts; i++)
        assert_string_not_equal(j.verdicts[i].cause->id, "fw-reject-syn-rst");
    facts_release(&f);
    judgement_release(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_is_sound),
        cmocka_unit_test(each_fact_counts_for_something),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(what_speaks_for_never_lowers),
        cmocka_unit_test(one_family_counts_once),
        cmocka_unit_test(lists_are_about_what_is_known),
        cmocka_unit_test(nothing_known_is_not_determined),
        cmocka_unit_test(senders),
        cmocka_unit_test(boxes_are_placed),
        cmocka_unit_test(retries),
        cmocka_unit_test(refused_streams_go_again),
        cmocka_unit_test(a_shared_counter_confirms_nothing),
        cmocka_unit_test(a_full_queue_is_no_counter),
        cmocka_unit_test(our_counters_are_not_theirs),
        cmocka_unit_test(a_certificate_is_no_firewall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
