/* What rules do to a packet: the walk, with conditions that cannot be told, and with counters. */
#include "host/privileged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHAIN(name, more)                                                                          \
    "{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"" name "\"" more "}}"
#define OUTPUT(policy) CHAIN("o", ",\"hook\":\"output\",\"prio\":0,\"policy\":\"" policy "\"")
#define INPUT          CHAIN("i", ",\"hook\":\"input\",\"prio\":0,\"policy\":\"accept\"")
#define RULE_IN(chain, n, conditions, then)                                                        \
    "{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"" chain "\",\"handle\":" #n        \
    ",\"if\":[" conditions "],\"then\":" then "}}"
#define RULE(n, conditions, then) RULE_IN("o", n, conditions, then)
#define DPORT(a, b)               "{\"on\":\"dport\",\"not\":false,\"in\":[[" #a "," #b "]]}"
#define UNKNOWN                   "{\"on\":\"?\"}"
#define REJECT                    "\"reject\""
#define COUNTED(n)                REJECT ",\"packets\":" #n

static void take(struct ruleset *r, const char *const *lines)
{
    struct host_line l;

    memset(r, 0, sizeof(*r));
    for (; *lines; lines++) {
        switch (host_line_parse(&l, *lines, strlen(*lines))) {
        case LINE_CHAIN: assert_int_equal(ruleset_add_chain(r, &l.chain), 0); break;
        case LINE_RULE: assert_int_equal(ruleset_add_rule(r, l.rule), 0); break;
        case LINE_LEGACY: r->legacy = true; break;
        default: fail_msg("not read: %s", *lines);
        }
    }
}

static struct rules_question question(const char *dst, uint16_t port)
{
    struct rules_question q = {.client_here = true};

    assert_int_equal(addr_parse("192.0.2.7", &q.flow.src), 0);
    assert_int_equal(addr_parse(dst, &q.flow.dst), 0);
    q.flow.sport = 40000;
    q.flow.dport = port;
    return q;
}

static struct rules_answer judge(const char *const *now, const char *const *before,
                                 struct rules_question q)
{
    struct ruleset a, b;
    struct rule_counts counts = {0};
    struct rules_answer out;

    take(&a, now);
    take(&b, before ? before : now);
    assert_int_equal(rule_counts_take(&counts, &b, 0), 0);
    ruleset_judge(&a, before ? &counts : NULL, &q, &out);
    rule_counts_release(&counts);
    ruleset_release(&a);
    ruleset_release(&b);
    return out;
}

#define LINES(...)      ((const char *const[]){__VA_ARGS__, NULL})
#define SAYS(v, q, ...) assert_int_equal(judge(LINES(__VA_ARGS__), NULL, q).verdict, v)

static void walks(void **state)
{
    struct rules_question q = question("10.1.2.3", 80);

    (void)state;
    SAYS(RULES_PASS, q, OUTPUT("accept"));
    SAYS(RULES_DROP, q, OUTPUT("drop"));
    SAYS(RULES_PASS, q, OUTPUT("drop"), RULE(1, DPORT(80, 80), "\"accept\""));
    SAYS(RULES_REJECT, q, OUTPUT("accept"), RULE(1, DPORT(70, 90), REJECT));
    SAYS(RULES_PASS, q, OUTPUT("accept"), RULE(1, DPORT(81, 90), REJECT));
    SAYS(RULES_PASS, q, OUTPUT("accept"), RULE(1, "", "\"accept\""), RULE(2, "", REJECT));
    /* A chain that is jumped to, and back. */
    SAYS(RULES_REJECT, q, OUTPUT("accept"), CHAIN("sub", ""),
         RULE(1, "", "\"jump\",\"target\":\"sub\""), RULE(2, "", REJECT),
         RULE_IN("sub", 3, DPORT(80, 80), "\"return\""), RULE_IN("sub", 4, "", "\"accept\""));
    SAYS(RULES_PASS, q, OUTPUT("accept"), CHAIN("sub", ""),
         RULE(1, "", "\"goto\",\"target\":\"sub\""), RULE(2, "", REJECT));
    /* A chain that jumps to itself ends. */
    SAYS(RULES_UNKNOWN, q, OUTPUT("accept"), RULE(1, "", "\"jump\",\"target\":\"o\""));
}

static void conditions(void **state)
{
    struct rules_question q = question("10.1.2.3", 80), six = question("10.1.2.3", 80);

    (void)state;
#define NET(on, a, len) "{\"on\":\"" on "\",\"not\":false,\"in\":[[\"" a "\"," #len "]]}"
    SAYS(RULES_REJECT, q, OUTPUT("accept"), RULE(1, NET("daddr", "10.0.0.0", 8), REJECT));
    SAYS(RULES_REJECT, q, OUTPUT("accept"), RULE(1, NET("daddr", "10.1.2.0", 23), REJECT));
    SAYS(RULES_PASS, q, OUTPUT("accept"), RULE(1, NET("daddr", "10.1.4.0", 23), REJECT));
    SAYS(RULES_PASS, q, OUTPUT("accept"), RULE(1, NET("saddr", "10.0.0.0", 8), REJECT));
    SAYS(RULES_PASS, q, OUTPUT("accept"), RULE(1, NET("daddr", "2001:db8::", 0), REJECT));
    SAYS(RULES_REJECT, q, OUTPUT("accept"),
         RULE(1, "{\"on\":\"dport\",\"not\":true,\"in\":[[22,22]]}", REJECT));
    SAYS(RULES_PASS, q, OUTPUT("accept"),
         RULE(1, "{\"on\":\"oif\",\"not\":false,\"in\":[\"lo\"]}", REJECT));
    SAYS(RULES_UNKNOWN, q, OUTPUT("accept"),
         RULE(1, "{\"on\":\"oif\",\"not\":false,\"in\":[\"eth0\"]}", REJECT));
    /* A SYN is new; what comes later is established, or forgotten. */
#define CT(s) "{\"on\":\"ct\",\"not\":false,\"in\":[\"" s "\"]}"
    SAYS(RULES_REJECT, q, OUTPUT("accept"), RULE(1, CT("established"), "\"accept\""),
         RULE(2, DPORT(80, 80), REJECT));
    six.established = true;
    SAYS(RULES_PASS, six, OUTPUT("accept"), RULE(1, CT("established"), "\"accept\""),
         RULE(2, DPORT(80, 80), REJECT));
    SAYS(RULES_UNKNOWN, six, OUTPUT("accept"), RULE(1, CT("invalid"), REJECT));
    SAYS(RULES_PASS, q, OUTPUT("accept"), RULE(1, CT("invalid"), REJECT));
    /* What comes back is the server's packet: for the client its answer is lost. */
    SAYS(RULES_DROP, q, INPUT,
         RULE_IN("i", 1, "{\"on\":\"sport\",\"not\":false,\"in\":[[80,80]]}", REJECT));
}

static void what_is_open(void **state)
{
    struct rules_question q = question("10.1.2.3", 80);
    struct rules_answer a;

    (void)state;
    SAYS(RULES_UNKNOWN, q, OUTPUT("accept"), RULE(1, UNKNOWN, REJECT));
    SAYS(RULES_UNKNOWN, q, OUTPUT("accept"), RULE(1, UNKNOWN, "\"accept\""),
         RULE(2, DPORT(80, 80), REJECT));
    SAYS(RULES_UNKNOWN, q, OUTPUT("accept"), "{\"legacy\":true}");
    /* Its counter settles it: up, and it was this rule; where it stood still it was not. */
    a = judge(LINES(OUTPUT("accept"), RULE(1, UNKNOWN, COUNTED(5))),
              LINES(OUTPUT("accept"), RULE(1, UNKNOWN, COUNTED(4))), q);
    assert_int_equal(a.verdict, RULES_REJECT);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.rule, "inet t o handle 1");
    a = judge(LINES(OUTPUT("accept"), RULE(1, UNKNOWN, COUNTED(4))),
              LINES(OUTPUT("accept"), RULE(1, UNKNOWN, COUNTED(4))), q);
    assert_int_equal(a.verdict, RULES_UNKNOWN);
    a = judge(LINES(OUTPUT("accept"), RULE(1, DPORT(80, 80), COUNTED(4))),
              LINES(OUTPUT("accept"), RULE(1, DPORT(80, 80), COUNTED(4))), q);
    assert_int_equal(a.verdict, RULES_UNKNOWN);
    a = judge(LINES(OUTPUT("accept"), RULE(1, DPORT(80, 80), COUNTED(4))), LINES(OUTPUT("accept")),
              q);
    assert_int_equal(a.verdict, RULES_REJECT);
}

static void lines(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"ready\":false}",
        "{\"rule\":{}}",
        "{\"end\":{\"of\":7}}",
        "{\"reset\":{\"time\":-1}}",
        "{\"owner\":{\"inode\":0,\"pid\":1,\"uid\":1}}",
        "{\"reset\":{\"time\":1,\"sent\":1,\"flow\":{}}}",
        "{\"chain\":[]}",
        "{\"ready\":true",
        "{\"entry\":{\"event\":\"found\",\"flow\":{\"src\":\"10.0.0.1\",\"sport\":65536,\"dst\":"
        "\"10.0.0.2\",\"dport\":2},\"reply\":null}}",
    };
    static const char owner[] = "{\"owner\":{\"inode\":9,\"pid\":7,\"uid\":3,\"comm\":"
                                "\"a\\u001b[2Jb\",\"cgroup\":\"/x\"}}";
    struct host_line l;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(host_line_parse(&l, bad[i], strlen(bad[i])), LINE_NOTHING);
        host_line_release(&l);
    }
    assert_int_equal(host_line_parse(&l, owner, strlen(owner)), LINE_OWNER);
    assert_int_equal(l.owner.pid, 7);
    assert_null(strchr(l.owner.name, '\033'));
    for (size_t n = 0; n < strlen(owner); n++)
        assert_int_equal(host_line_parse(&l, owner, n), LINE_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks),
        cmocka_unit_test(conditions),
        cmocka_unit_test(what_is_open),
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
