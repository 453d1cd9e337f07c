/* What rstconsole-host tells: its lines, read, and what its rules do to a packet. */
#ifndef HOST_PRIVILEGED_H
#define HOST_PRIVILEGED_H

#include "host/host.h"

/* ---- lines.c: one line of the helper ---- */

enum host_line_kind {
    LINE_NOTHING, /* not one of these, or not whole */
    LINE_SOURCE,
    LINE_READY,
    LINE_RESET,
    LINE_ENTRY,
    LINE_OWNER,
    LINE_CHAIN,
    LINE_RULE,
    LINE_LEGACY,
    LINE_LOST,
    LINE_END,
};

enum rule_subject { /* what a condition asks of */
                    ASKS_UNKNOWN,
                    ASKS_DPORT,
                    ASKS_SPORT,
                    ASKS_SADDR,
                    ASKS_DADDR,
                    ASKS_PROTO,
                    ASKS_FAMILY,
                    ASKS_IIF,
                    ASKS_OIF,
                    ASKS_CT,
};
#define RULE_VALUES 256 /* of one condition: a longer one is not understood */
#define RULE_ASKS   16  /* conditions of one rule: the rest is not understood */
struct rule_value {
    uint16_t from, to; /* ports */
    struct addr net;
    int len;       /* of the net's prefix */
    char name[16]; /* interface, state, protocol, family */
};
struct rule_condition {
    enum rule_subject on;
    bool negated;
    size_t nvalues;
    struct rule_value *values; /* owned by the rule's line, then by the ruleset */
};
enum rule_then {
    THEN_NOTHING, /* continue, or a verdict that is not known */
    THEN_ACCEPT,
    THEN_DROP,
    THEN_REJECT,
    THEN_RETURN,
    THEN_JUMP,
    THEN_GOTO,
    THEN_QUEUE,
};
struct rule {
    char family[8], table[32], chain[64], target[64], with[16];
    uint64_t handle, packets;
    bool counted;
    enum rule_then then;
    struct rule_condition asks[RULE_ASKS];
    size_t nasks;
};
struct chain_line {
    char family[8], table[32], name[64];
    char hook[16]; /* "" none */
    int64_t priority;
    bool policy_drop;
};
struct host_line {
    enum host_line_kind kind;
    char name[32];  /* of the source; of what an end ends */
    char error[16]; /* of the source, "" none */
    char text[256]; /* of the source */
    uint64_t n, left_out;
    struct kernel_reset reset;
    struct tracked tracked;
    uint64_t inode;
    struct host_owner owner;
    struct chain_line chain;
    struct rule *rule; /* owned */
};
/* Any bytes; nothing that is not well formed is taken. */
enum host_line_kind host_line_parse(struct host_line *out, const char *text, size_t len);
void host_line_release(struct host_line *l);

/* ---- rules.c: what the rules of this host do ---- */

#define CHAINS_MAX 4096
#define RULES_MAX  20000
struct ruleset {
    struct chain_line *chains;
    size_t nchains, chains_alloc;
    struct rule **rules; /* in the order of their chains */
    size_t nrules, rules_alloc;
    bool legacy, left_out; /* older iptables' tables are there too; not all rules were told */
};
void ruleset_release(struct ruleset *r);
void ruleset_move(struct ruleset *to, struct ruleset *from); /* releases to, empties from */
int ruleset_add_chain(struct ruleset *r, const struct chain_line *c);
int ruleset_add_rule(struct ruleset *r, struct rule *rule); /* takes it */

/* What the rules had counted at a moment. */
struct rule_count {
    uint64_t rule, packets; /* rule: a hash of its table and handle */
};
struct rule_counts {
    nstime taken; /* wall: nothing later is counted in it */
    struct rule_count *items;
    size_t nr, alloc;
};
int rule_counts_take(struct rule_counts *out, const struct ruleset *r, nstime now); /* anew */
void rule_counts_release(struct rule_counts *c);

/* What the rules of now do to the packets of a connection; before: what they had counted before it
 * was rejected, NULL not known. */
void ruleset_judge(const struct ruleset *now, const struct rule_counts *before,
                   const struct rules_question *q, struct rules_answer *out);

#endif
