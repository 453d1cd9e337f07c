/* What rstconsole-host may, as --doctor tells it: it is started as it would be, and asked. */
#include "host/privileged.h"
#include "host/sockdiag.h"
#include "host/source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MOST (3 * NS_PER_SEC)

struct asked {
    struct loop *loop;
    struct host_privileged *helper;
    bool rules;
};

static void on_rules(void *arg)
{
    loop_quit(((struct asked *)arg)->loop);
}

static void on_ready(void *arg)
{
    struct asked *a = arg;

    if (!a->rules || !a->helper || host_privileged_ask_rules(a->helper))
        loop_quit(a->loop);
}

static void on_late(void *arg)
{
    loop_quit(((struct asked *)arg)->loop);
}

/* What it takes: setcap replaces what was there, so each line is whole. */
static void add_remedy(struct strbuf *remedy, enum privileged_source s)
{
    bool little = s == PRIV_RULES || s == PRIV_CONNTRACK;
    char path[PATH_MAX];

    if (loop_helper_path(path, sizeof(path), HOST_HELPER))
        return;
    strbuf_addf(remedy, "%s sudo setcap %s=p %s",
                _("sudo rstconsole ..., or, having read rstconsole-host(8):"),
                little ? "cap_net_admin"
                       : "cap_net_admin,cap_dac_override,cap_dac_read_search,cap_sys_ptrace",
                path);
}

static int tell(const struct asked *a, enum privileged_source s, struct strbuf *found,
                struct strbuf *remedy)
{
    const char *text;
    size_t rules, chains;
    int err = host_privileged_said(a->helper, s, &text);

    if (err) {
        strbuf_addstr(found, text);
        if (err == -EPERM || err == -EACCES)
            add_remedy(remedy, s);
        return err;
    }
    if (text[0])
        strbuf_addf(found, "%s; ", text);
    switch (s) {
    case PRIV_RULES:
        host_privileged_size(a->helper, &rules, &chains);
        strbuf_addf(found, _("%zu rules in %zu chains"), rules, chains);
        break;
    case PRIV_CONNTRACK:
        strbuf_addstr(found, _("the entry of a connection, and living ones that are forgotten"));
        break;
    case PRIV_RESETS:
        strbuf_addstr(found, _("why the kernel sent a reset, in all network namespaces"));
        break;
    default: strbuf_addstr(found, _("sockets of every user"));
    }
    return 0;
}

static int look(enum privileged_source s, struct strbuf *found, struct strbuf *remedy)
{
    struct asked a = {.loop = loop_new(), .rules = s == PRIV_RULES};
    const struct privileged_callbacks cb = {.on_ready = on_ready, .on_rules = on_rules, .arg = &a};
    char path[PATH_MAX];
    int err = -ENOENT;

    if (!a.loop)
        return -ENOMEM;
    if (loop_helper_path(path, sizeof(path), HOST_HELPER))
        strbuf_addf(found, _("%s was found neither beside this program nor in %s"), HOST_HELPER,
                    PKGLIBEXECDIR);
    else
        a.helper = host_privileged_start(a.loop, &cb);
    struct timer *late = loop_timer(a.loop, ANSWER_MOST, 0, on_late, &a);
    if (a.helper && late) {
        loop_run(a.loop);
        err = tell(&a, s, found, remedy);
    }
    timer_stop(late);
    host_privileged_free(a.helper);
    loop_free(a.loop);
    return err;
}

#define LOOK(word, which)                                                                          \
    static int look_##word(struct strbuf *found, struct strbuf *remedy)                            \
    {                                                                                              \
        return look(which, found, remedy);                                                         \
    }
LOOK(rules, PRIV_RULES)
LOOK(entries, PRIV_CONNTRACK)
LOOK(resets, PRIV_RESETS)
LOOK(all_owners, PRIV_OWNERS)

const struct host_source source_rules = {
    .name = "rules",
    .title = N_("rules of this host's firewall (nftables, iptables)"),
    .look = look_rules,
};
const struct host_source source_entries = {
    .name = "conntrack-entries",
    .title = N_("entries of connection tracking"),
    .look = look_entries,
};
const struct host_source source_resets = {
    .name = "resets",
    .title = N_("the kernel's reasons for a reset (tracepoints)"),
    .look = look_resets,
};
const struct host_source source_all_owners = {
    .name = "all-owners",
    .title = N_("processes of other users (rstconsole-host)"),
    .look = look_all_owners,
};
