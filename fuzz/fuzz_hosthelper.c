/* What rstconsole-host writes: lines that the console reads, then what their rules do to a packet.
 */
#include "fuzz.h"

#include "host/privileged.h"

static void judge(const struct ruleset *now, const struct rule_counts *before)
{
    for (int bits = 0; bits < 8; bits++) {
        struct rules_question q = {.client_here = bits & 1,
                                   .server_here = bits & 2,
                                   .established = bits & 4,
                                   .flow = {.sport = 40000, .dport = 80}};
        struct rules_answer a;
        MUST(addr_parse("10.0.0.1", &q.flow.src) == 0);
        MUST(addr_parse(bits & 4 ? "10.0.0.1" : "192.0.2.1", &q.flow.dst) == 0);
        ruleset_judge(now, before, &q, &a);
        must_be_clean(a.rule, sizeof(a.rule));
        MUST(a.verdict != RULES_PASS || (!now->legacy && !now->left_out));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ruleset rules = {0};
    struct rule_counts counts = {0};
    struct host_line l;

    for (size_t at = 0, n; at < size; at += n + 1) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        n = end ? (size_t)(end - data) - at : size - at;
        /* Its own memory, so that a byte too far is seen. */
        char *line = malloc(n ? n : 1);
        MUST(line);
        memcpy(line, data + at, n);
        switch (host_line_parse(&l, line, n)) {
        case LINE_RESET:
            must_be_clean(l.reset.comm, sizeof(l.reset.comm));
            must_be_clean(l.reset.reason, sizeof(l.reset.reason));
            break;
        case LINE_OWNER: must_be_clean(l.owner.cgroup, sizeof(l.owner.cgroup)); break;
        case LINE_SOURCE: must_be_clean(l.text, sizeof(l.text)); break;
        case LINE_CHAIN: ruleset_add_chain(&rules, &l.chain); break;
        case LINE_RULE:
            ruleset_add_rule(&rules, l.rule);
            l.rule = NULL;
            break;
        case LINE_LEGACY: rules.legacy = true; break;
        default: break;
        }
        host_line_release(&l);
        free(line);
    }
    MUST(rule_counts_take(&counts, &rules, 0) == 0);
    judge(&rules, NULL);
    judge(&rules, &counts);
    rule_counts_release(&counts);
    ruleset_release(&rules);
    return 0;
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    static const char text[] =
        "{\"source\":{\"name\":\"rules\",\"error\":\"EPERM\",\"text\":\"needs cap_net_admin\"}}\n"
        "{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"o\",\"hook\":\"output\","
        "\"prio\":0,\"policy\":\"drop\"}}\n"
        "{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"o\",\"handle\":4,\"if\":[{"
        "\"on\":"
        "\"ct\",\"not\":false,\"in\":[\"established\"]},{\"on\":\"daddr\",\"in\":[[\"10.0.0.0\",8]]"
        "}"
        ",{\"on\":\"dport\",\"not\":true,\"in\":[[22,80]]}],\"packets\":7,\"then\":\"jump\","
        "\"target\":\"o\"}}\n"
        "{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"o\",\"handle\":5,\"if\":[{"
        "\"on\":"
        "\"?\"},{\"on\":\"oif\",\"in\":[\"lo\"]}],\"then\":\"reject\",\"with\":\"tcp reset\"}}\n";
    static const char more[] =
        "{\"reset\":{\"time\":1,\"pid\":7,\"comm\":\"x\",\"sent\":true,\"flow\":{\"src\":\"::1\","
        "\"sport\":1,\"dst\":\"::1\",\"dport\":2},\"reason\":\"NO_SOCKET\",\"cookie\":\"9a35b\"}}\n"
        "{\"entry\":{\"event\":\"found\",\"flow\":{\"src\":\"10.0.0.1\",\"sport\":1,\"dst\":"
        "\"10.0.0.2\",\"dport\":2},\"reply\":{\"src\":\"10.0.0.2\",\"sport\":2,\"dst\":\"10.0.0."
        "1\","
        "\"dport\":1},\"state\":\"CLOSE\",\"timeout\":9}}\n"
        "{\"owner\":{\"inode\":9,\"pid\":7,\"uid\":0,\"comm\":\"a\\u001bb\",\"cgroup\":\"/\"}}\n"
        "{\"end\":{\"of\":\"rules\",\"n\":1,\"left_out\":0}}\n{\"ready\":true}\n{\"legacy\":true}"
        "\n";

    add(arg, text, sizeof(text) - 1);
    add(arg, more, sizeof(more) - 1);
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    (void)file;
    (void)len;
    (void)add;
    (void)arg;
}
