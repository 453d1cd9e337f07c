/*
 * The rules that filter packets of TCP, through libnftables (the iptables of today are such rules
 * too), each as what it asks for and what it does. What is not understood of a rule is said to be a
 * condition that may hold or not.
 */
#include "host/helper/helper.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_NFTABLES
#include <nftables/libnftables.h>

#define RULES_MAX 20000
#define SET_MAX   256 /* members of one set */

static struct nft_ctx *nft;
static size_t told, left_out;

/* ---- conditions ---- */

/* 80, {"range": [80, 90]}: a pair of numbers. */
static bool add_ports(json_t *out, const json_t *v)
{
    const json_t *range = json_object_get(v, "range");

    if (json_is_integer(v))
        return json_array_append_new(
                   out, json_pack("[I,I]", json_integer_value(v), json_integer_value(v))) == 0;
    if (json_array_size(range) != 2 || !json_is_integer(json_array_get(range, 0)) ||
        !json_is_integer(json_array_get(range, 1)))
        return false;
    return json_array_append(out, (json_t *)range) == 0;
}

/* "10.0.0.1", {"prefix": {"addr", "len"}}: text with a length. */
static bool add_net(json_t *out, const json_t *v)
{
    const json_t *prefix = json_object_get(v, "prefix");
    const char *addr = json_string_value(prefix ? json_object_get(prefix, "addr") : v);

    if (!addr || addr[0] == '@')
        return false;
    return json_array_append_new(
               out, json_pack("[s,I]", addr,
                              prefix ? json_integer_value(json_object_get(prefix, "len"))
                                     : (json_int_t)-1)) == 0;
}

static bool add_name(json_t *out, const json_t *v)
{
    const char *s = json_string_value(v);

    return s && s[0] != '@' && !strchr(s, '*') && json_array_append(out, (json_t *)v) == 0;
}

/* What stands on the left, in our words; NULL not understood. */
static const char *subject_of(const json_t *left, bool (**add)(json_t *, const json_t *))
{
    static const struct {
        const char *kind, *protocol, *field, *word;
        bool (*add)(json_t *, const json_t *);
    } known[] = {
        {"payload", "tcp", "dport", "dport", add_ports},
        {"payload", "tcp", "sport", "sport", add_ports},
        {"payload", "th", "dport", "dport", add_ports},
        {"payload", "th", "sport", "sport", add_ports},
        {"payload", "ip", "saddr", "saddr", add_net},
        {"payload", "ip", "daddr", "daddr", add_net},
        {"payload", "ip6", "saddr", "saddr", add_net},
        {"payload", "ip6", "daddr", "daddr", add_net},
        {"payload", "ip", "protocol", "proto", add_name},
        {"payload", "ip6", "nexthdr", "proto", add_name},
        {"meta", NULL, "l4proto", "proto", add_name},
        {"meta", NULL, "nfproto", "family", add_name},
        {"meta", NULL, "iifname", "iif", add_name},
        {"meta", NULL, "oifname", "oif", add_name},
        {"meta", NULL, "iif", "iif", add_name},
        {"meta", NULL, "oif", "oif", add_name},
        {"ct", NULL, "state", "ct", add_name},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const json_t *o = json_object_get(left, known[i].kind);
        const char *protocol = json_string_value(json_object_get(o, "protocol"));
        const char *field =
            json_string_value(json_object_get(o, known[i].protocol ? "field" : "key"));
        if (!field || strcmp(field, known[i].field) != 0)
            continue;
        if (known[i].protocol && (!protocol || strcmp(protocol, known[i].protocol) != 0))
            continue;
        *add = known[i].add;
        return known[i].word;
    }
    return NULL;
}

static json_t *unknown(void)
{
    return json_pack("{s:s}", "on", "?");
}

/* One value, a set of them, or a list. */
static json_t *condition(const json_t *left, const json_t *right, bool negated)
{
    bool (*add)(json_t *, const json_t *) = NULL;
    const char *on = subject_of(left, &add);
    const json_t *set = json_object_get(right, "set");
    const json_t *list = json_is_array(set) ? set : json_is_array(right) ? right : NULL;
    json_t *in = json_array();
    bool ok = on && in && json_array_size(list) <= SET_MAX;

    if (set && !list) { /* a set of one */
        right = set;
    }
    for (size_t i = 0; ok && list && i < json_array_size(list); i++)
        ok = add(in, json_array_get(list, i));
    if (ok && !list)
        ok = add(in, right);
    if (!ok) {
        json_decref(in);
        return unknown();
    }
    return json_pack("{s:s,s:b,s:o}", "on", on, "not", negated, "in", in);
}

static json_t *match_condition(const json_t *m)
{
    const char *op = json_string_value(json_object_get(m, "op"));
    const json_t *left = json_object_get(m, "left"), *right = json_object_get(m, "right");
    bool list = json_is_array(right), is_ct = json_object_get(left, "ct") != NULL;

    if (!op)
        return unknown();
    if (strcmp(op, "==") == 0 || (strcmp(op, "in") == 0 && (is_ct || list)))
        return condition(left, right, false);
    if (strcmp(op, "!=") == 0)
        return condition(left, right, true);
    return unknown();
}

/* ---- rules ---- */

static const char *const verdicts[] = {"accept",   "drop",  "reject", "return",
                                       "continue", "queue", "jump",   "goto"};

/* The statement's verdict, NULL if it is none. */
static const char *verdict_of(const json_t *statement, const char **target, const char **with)
{
    const json_t *xt = json_object_get(statement, "xt");
    const char *type = json_string_value(json_object_get(xt, "type"));
    const char *name = json_string_value(json_object_get(xt, "name"));

    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        const json_t *v = json_object_get(statement, verdicts[i]);
        if (!v)
            continue;
        *target = json_string_value(json_object_get(v, "target"));
        *with = json_string_value(json_object_get(v, "type"));
        return verdicts[i];
    }
    return type && name && !strcmp(type, "target") && !strcmp(name, "REJECT") ? "reject" : NULL;
}

/* Statements that neither ask nor decide. */
static bool does_nothing(const json_t *statement)
{
    static const char *const idle[] = {"log",        "mangle",  "set", "ct helper",
                                       "ct timeout", "notrack", "dup", "meter"};
    const json_t *xt = json_object_get(statement, "xt");
    const char *type = json_string_value(json_object_get(xt, "type"));

    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
        if (json_object_get(statement, idle[i]))
            return true;
    /* Targets of iptables that decide: REJECT is told above, these end the walk in ways of their
     * own; all others (LOG, MARK, TCPMSS...) go on. */
    const char *name = json_string_value(json_object_get(xt, "name"));
    return type && name && !strcmp(type, "target") && strcmp(name, "NFQUEUE") != 0 &&
           strcmp(name, "SYNPROXY") != 0 && strcmp(name, "TPROXY") != 0;
}

static void put_rule(const json_t *rule, json_t *conditions, const json_t *packets,
                     const char *verdict, const char *target, const char *with)
{
    const char *comment = json_string_value(json_object_get(rule, "comment"));

    if (told++ >= RULES_MAX) {
        left_out++;
        json_decref(conditions);
        return;
    }
    json_t *o =
        json_pack("{s:O,s:O,s:O,s:O,s:o}", "family", json_object_get(rule, "family"), "table",
                  json_object_get(rule, "table"), "chain", json_object_get(rule, "chain"), "handle",
                  json_object_get(rule, "handle"), "if", conditions);
    if (!o) {
        json_decref(conditions);
        return;
    }
    if (packets)
        json_object_set(o, "packets", (json_t *)packets);
    json_object_set_new(o, "then", json_string(verdict));
    if (target)
        json_object_set_new(o, "target", json_string(target));
    if (with)
        json_object_set_new(o, "with", json_string(with));
    if (comment)
        json_object_set_new(o, "comment", json_string(comment));
    put_line(json_pack("{s:o}", "rule", o));
}

/* `ct state vmap { established : accept, invalid : drop }`: as many rules. */
static bool put_map(const json_t *rule, const json_t *before, const json_t *packets,
                    const json_t *map)
{
    const json_t *pairs = json_object_get(json_object_get(map, "data"), "set");
    const json_t *pair;
    size_t i;

    if (!json_is_array(pairs) || json_array_size(pairs) > SET_MAX)
        return false;
    json_array_foreach(pairs, i, pair)
    {
        const char *target = NULL, *with = NULL;
        const char *verdict = verdict_of(json_array_get(pair, 1), &target, &with);
        json_t *all = json_deep_copy(before);
        if (json_array_size(pair) != 2 || !verdict || !all) {
            json_decref(all);
            continue;
        }
        json_array_append_new(
            all, condition(json_object_get(map, "key"), json_array_get(pair, 0), false));
        put_rule(rule, all, packets, verdict, target, with);
    }
    return true;
}

static void tell_rule(const json_t *rule)
{
    const json_t *list = json_object_get(rule, "expr"), *statement, *packets = NULL;
    json_t *conditions = json_array();
    size_t i;

    json_array_foreach(list, i, statement)
    {
        const char *target = NULL, *with = NULL;
        const char *verdict = verdict_of(statement, &target, &with);
        const json_t *match = json_object_get(statement, "match");
        const json_t *counter = json_object_get(statement, "counter");
        const json_t *map = json_object_get(statement, "vmap");
        if (match)
            json_array_append_new(conditions, match_condition(match));
        else if (json_is_object(counter))
            packets = json_object_get(counter, "packets");
        else if (verdict)
            put_rule(rule, json_incref(conditions), packets, verdict, target, with);
        else if (map && put_map(rule, conditions, packets, map))
            ;
        else if (!counter && !does_nothing(statement))
            json_array_append_new(conditions, unknown());
    }
    json_decref(conditions);
}

static void tell_chain(const json_t *c)
{
    json_t *o = json_pack("{s:O,s:O,s:O}", "family", json_object_get(c, "family"), "table",
                          json_object_get(c, "table"), "name", json_object_get(c, "name"));

    for (const char *const *k = (const char *const[]){"hook", "prio", "policy", NULL}; o && *k; k++)
        if (json_object_get(c, *k))
            json_object_set(o, *k, json_object_get(c, *k));
    put_line(json_pack("{s:o}", "chain", o));
}

/* The older iptables' tables are none of nftables': that there are some must be said. */
static void tell_legacy(void)
{
    static const char *const lists[] = {"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"};
    char text[256];

    for (size_t i = 0; i < 2; i++) {
        int fd = open(lists[i], O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
        if (fd >= 0)
            close(fd);
        if (n > 0) {
            put_line(json_pack("{s:b}", "legacy", 1));
            return;
        }
    }
}

static bool of_tcp(const json_t *o)
{
    const char *family = json_string_value(json_object_get(o, "family"));

    return family && (!strcmp(family, "ip") || !strcmp(family, "ip6") || !strcmp(family, "inet"));
}

void rules_answer(void)
{
    const json_t *item;
    json_error_t err;
    size_t i;

    told = left_out = 0;
    bool ok = nft && nft_run_cmd_from_buffer(nft, "list ruleset") == 0;
    const char *text = nft ? nft_ctx_get_output_buffer(nft) : NULL;
    json_t *all = ok && text ? json_loads(text, 0, &err) : NULL;
    json_array_foreach(json_object_get(all, "nftables"), i, item)
    {
        const json_t *chain = json_object_get(item, "chain"), *rule = json_object_get(item, "rule");
        if (chain && of_tcp(chain))
            tell_chain(chain);
        else if (rule && of_tcp(rule))
            tell_rule(rule);
    }
    if (all)
        tell_legacy();
    json_decref(all);
    put_end(all ? "rules" : "?", told - left_out, left_out);
}

int rules_open(char *why, size_t len)
{
    if (!may(CAP_NET_ADMIN)) {
        snprintf(why, len, "%s", "needs cap_net_admin");
        return -EPERM;
    }
    nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!nft)
        return -ENOMEM;
    nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE);
    nft_ctx_buffer_output(nft);
    nft_ctx_buffer_error(nft);
    if (nft_run_cmd_from_buffer(nft, "list tables") == 0) {
        nft_ctx_get_output_buffer(nft); /* read, or it stands before the next answer */
        return 0;
    }
    const char *said = nft_ctx_get_error_buffer(nft);
    bool denied = said && strstr(said, "Operation not permitted");
    snprintf(why, len, "%s", denied ? "needs cap_net_admin" : "nftables gives no answer");
    nft_ctx_free(nft);
    nft = NULL;
    return denied ? -EPERM : -EIO;
}

#else

void rules_answer(void)
{
    put_end("?", 0, 0);
}

int rules_open(char *why, size_t len)
{
    snprintf(why, len, "%s", "built without libnftables");
    return -ENOSYS;
}
#endif
