/*
 * Lines of an application's or proxy's log (--log, or pasted). Those that tell of an error are an
 * input like any other: written to the session as they are, but for what may be a secret. Lines of
 * one error with one peer are one incident; what many of them say together also speaks for a reset
 * of that peer that was seen by other means.
 */
#include "session/private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOG_LINES_KEPT 20000 /* errors written to the session and judged; more are counted */
#define LOG_TEXT_MAX   2000
#define HOST_TROUBLE   (5 * NS_PER_SEC) /* trouble on a host speaks of ends this near to it */

/* ---- secrets: masked before anything keeps the line ---- */

static bool stops(char c)
{
    return !c || strchr(" \t\"'&;,)]}", c);
}

static void mask(char *from, char *to)
{
    for (; from < to; from++)
        *from = '*';
}

/* What stands after "password=", "Authorization: Bearer " and the like. */
static void mask_after(char *line, const char *key)
{
    for (char *p = line; (p = strcasestr(p, key));) {
        p += strlen(key);
        size_t gap = strspn(p, " \"'");
        if (p[gap] != '=' && p[gap] != ':')
            continue;
        p += gap + 1;
        p += strspn(p, " \"'");
        for (int words = strcasestr(key, "author") ? 2 : 1; words > 0; words--) {
            char *end = p;
            while (!stops(*end))
                end++;
            mask(p, end);
            p = end + (*end == ' ');
        }
    }
}

static void mask_secrets(char *line)
{
    static const char *const keys[] = {"authorization", "cookie",  "password",  "passwd",
                                       "pwd",           "secret",  "token",     "api_key",
                                       "apikey",        "api-key", "signature", "credential"};

    for (char *p = line; (p = strstr(p, "://")); p += 3) {
        char *at = p + 3;
        while (!stops(*at) && *at != '/' && *at != '@')
            at++;
        if (*at == '@')
            mask(p + 3, at);
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        mask_after(line, keys[i]);
}

/* ---- incidents ---- */

static struct incident *incident_of_group(struct session *s, size_t group)
{
    for (size_t i = 0; i < s->nincidents; i++)
        if (s->incidents[i]->log_id == group + 1)
            return s->incidents[i];
    struct incident *i = incident_new(s);
    if (!i)
        return NULL;
    i->log_id = group + 1;
    i->log = s->log.groups[group];
    i->time = i->log->first.time;
    i->related = s->ntargets == 0;
    i->harmful = i->log->first.error != LOGGED_CLIENT;
    i->harmful_why = N_("an application logged it as an error");
    i->flow_known = addr_parse(i->log->first.host, &i->flow.dst) == 0;
    i->flow.dport = i->log->first.port;
    return i;
}

uint64_t session_log_line(struct session *s, const char *source, uint64_t number, const char *text,
                          size_t len)
{
    char line[LOG_TEXT_MAX];

    if (s->log.errors >= LOG_LINES_KEPT) {
        s->limits.log_lines_dropped++;
        return 0;
    }
    text_clean(line, sizeof(line), text, len);
    mask_secrets(line);
    bool redact = s->priv->redacting.what == REDACT_INPUT && !s->priv->loading;
    if (redact)
        redacted_text(s, REDACT_WORDS, line, sizeof(line));
    int group = log_digest_add(&s->log, line, strlen(line), number);
    if (group < 0)
        return 0;
    if (!s->log_name[0])
        text_clean(s->log_name, sizeof(s->log_name), source, strlen(source));
    if (redact && s->log.errors == 1)
        redacted_text(s, REDACT_STRICT, s->log_name, sizeof(s->log_name));
    journal_log(s, redact ? s->log_name : source, number, line);
    struct incident *i = incident_of_group(s, (size_t)group);
    if (i)
        incident_dirty(s, i);
    log_learnt(s, s->log.groups[group]);
    session_touch(s);
    return i ? i->id : 0;
}

/* ---- what a log says of other incidents ---- */

static bool speaks_of(const struct session *s, const struct log_group *g, const struct incident *i)
{
    const struct target_state *t = i->target ? session_target(s, i->target) : NULL;
    uint16_t port = t ? t->target->port : i->flow.dport;
    char text[ADDR_TEXT_MAX];

    if (g->first.error == LOGGED_KERNEL) /* no peer is told, but when */
        return !i->log && g->first.time != NSTIME_NONE &&
               llabs(g->first.time - i->time) <= HOST_TROUBLE;
    if (i->log || !*g->first.host || (g->first.port && port && g->first.port != port))
        return false;
    if (t && strcasecmp(g->first.host, t->target->host) == 0)
        return true;
    if (!i->flow_known)
        return false;
    return strcmp(g->first.host, addr_text(text, &i->flow.dst)) == 0;
}

void log_facts(const struct session *s, const struct incident *i, struct facts *out)
{
    if (i->log) {
        facts_of_log(out, i->log, s->log_name);
        return;
    }
    for (size_t k = 0; k < s->log.nr; k++)
        if (speaks_of(s, s->log.groups[k], i))
            facts_of_log_pattern(out, s->log.groups[k], s->log_name);
}

void log_learnt(struct session *s, const struct log_group *g)
{
    for (size_t k = 0; k < s->nincidents; k++)
        if (speaks_of(s, g, s->incidents[k]))
            incident_dirty(s, s->incidents[k]);
}
