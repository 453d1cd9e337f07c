/* parse.c: the words of a rule, "MATCH... : ACTION PARAMETER...". */
#include "tunrouter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One character of a word, escapes read: \n \r \t \\ \" and \xNN. -EINVAL. */
static int unescape(const char **s)
{
    char c = *(*s)++;

    if (c != '\\')
        return (uint8_t)c;
    c = *(*s)++;
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '\\':
    case '"':
    case ' ': return c;
    case 'x':
        if (hex((*s)[0]) >= 0 && hex((*s)[1]) >= 0) {
            int v = hex((*s)[0]) << 4 | hex((*s)[1]);
            *s += 2;
            return v;
        }
        return -EINVAL;
    default: return -EINVAL;
    }
}

int word_next(const char **s, char *out, size_t outlen)
{
    size_t n = 0;
    bool quoted = false;

    while (**s == ' ')
        ++*s;
    if (!**s)
        return -1;
    while (**s && (quoted || **s != ' ')) {
        if (**s == '"') {
            quoted = !quoted;
            ++*s;
            continue;
        }
        int c = unescape(s);
        if (c < 0 || n + 1 >= outlen)
            return -EINVAL;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return quoted ? -EINVAL : (int)n;
}

static int read_number(const char *v, uint64_t max, uint64_t *out)
{
    if (v[0] == '0' && v[1] == 'x') {
        char *end;
        *out = strtoull(v + 2, &end, 16);
        return *end || end == v + 2 || *out > max ? -EINVAL : 0;
    }
    return parse_u64(v, 0, max, out);
}

static int read_int(const char *v, int max, int *out)
{
    uint64_t n = 0;
    int err = read_number(v, (uint64_t)max, &n);

    *out = (int)n;
    return err;
}

static int read_percent(const char *v, double *out)
{
    char *end;

    *out = strtod(v, &end);
    return end == v || *end || !(*out >= 0 && *out <= 100) ? -EINVAL : 0;
}

/* Words without a value. */
static const struct {
    const char *word;
    int want;
} flag_words[] = {
    {"syn", WANT_SYN}, {"synack", WANT_SYNACK}, {"data", WANT_DATA},
    {"fin", WANT_FIN}, {"rst", WANT_RST},       {"ecn", WANT_ECN},
    {"v4", WANT_V4},   {"v6", WANT_V6},         {"bare-ack", WANT_ACK},
};

static bool match_flag(struct rule *r, const char *w)
{
    bool no = w[0] == '!';

    for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
        if (!strcmp(w + no, flag_words[i].word)) {
            *(no ? &r->unwant : &r->want) |= flag_words[i].want;
            return true;
        }
    if (!strcmp(w, "up") || !strcmp(w, "down"))
        r->ways |= w[0] == 'u' ? 1 : 2;
    else if (!strcmp(w, "tcp") || !strcmp(w, "udp") || !strcmp(w, "icmp"))
        r->proto = w[0] == 't' ? L4_TCP : w[0] == 'u' ? L4_UDP : L4_ICMP;
    else if (!strcmp(w, "once"))
        r->once = true;
    else if (!strcmp(w, "reassemble"))
        r->reassemble = true;
    else
        return false;
    return true;
}

static int read_ports(struct rule *r, const char *v)
{
    char low[8];
    const char *dash = strchr(v, '-');
    size_t n = dash ? (size_t)(dash - v) : strlen(v);
    uint64_t a, b;

    if (n >= sizeof(low))
        return -EINVAL;
    memcpy(low, v, n);
    low[n] = '\0';
    if (parse_u64(low, 1, 65535, &a) || parse_u64(dash ? dash + 1 : low, a, 65535, &b))
        return -EINVAL;
    r->port_low = (uint16_t)a;
    r->port_high = (uint16_t)b;
    return 0;
}

/* N/SPAN: more than N in the span. */
static int read_rate(struct rule *r, const char *v)
{
    char n[16];
    const char *slash = strchr(v, '/');

    if (!slash || (size_t)(slash - v) >= sizeof(n))
        return -EINVAL;
    memcpy(n, v, (size_t)(slash - v));
    n[slash - v] = '\0';
    return read_int(n, 1000000, &r->rate) || parse_seconds(slash + 1, &r->per) ? -EINVAL : 0;
}

static int match_value(struct rule *r, const char *k, const char *v, size_t vlen)
{
    uint64_t n = 0;
    bool no = k[0] == '!';

    k += no;
    if (!strcmp(k, "sni") || !strcmp(k, "host")) {
        r->not_name = no;
        snprintf(k[0] == 's' ? r->sni : r->host, sizeof(r->sni), "%s", v);
        return 0;
    }
    if (!strcmp(k, "bytes")) {
        r->not_bytes = no;
        r->nbytes = MIN_OF(vlen, sizeof(r->bytes));
        memcpy(r->bytes, v, r->nbytes);
        return vlen ? 0 : -EINVAL;
    }
    if (no)
        return -EINVAL;
    if (!strcmp(k, "port"))
        return read_ports(r, v);
    if (!strcmp(k, "rate"))
        return read_rate(r, v);
    if (!strcmp(k, "chance"))
        return read_percent(v, &r->chance);
    if (!strcmp(k, "age") || !strcmp(k, "forget"))
        return parse_seconds(v, k[0] == 'a' ? &r->age : &r->forget);
    if (!strcmp(k, "over"))
        return read_int(v, FLOWS_MAX, &r->over);
    if (!strcmp(k, "option"))
        return read_int(v, 255, &r->option);
    static const struct {
        const char *word;
        size_t at;
    } counts[] = {
        {"sent", offsetof(struct rule, sent)},   {"received", offsetof(struct rule, received)},
        {"packet", offsetof(struct rule, nth)},  {"skip", offsetof(struct rule, skip)},
        {"times", offsetof(struct rule, times)},
    };
    if (read_number(v, UINT32_MAX, &n))
        return -EINVAL;
    if (!strcmp(k, "size")) {
        r->size = (uint32_t)n;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        if (!strcmp(k, counts[i].word)) {
            memcpy((char *)r + counts[i].at, &n, sizeof(n));
            return 0;
        }
    return -EINVAL;
}

static int read_who(const char *v, int *out)
{
    *out = !strcmp(v, "client")   ? TO_CLIENT
           : !strcmp(v, "server") ? TO_SERVER
           : !strcmp(v, "both")   ? TO_CLIENT | TO_SERVER
           : !strcmp(v, "sender") ? TO_SENDER
                                  : 0;
    return *out ? 0 : -EINVAL;
}

/* "64", "copy", "copy-2", "trigger": what is copied, and what is added to it. */
static int read_ttl(struct forge *g, const char *v)
{
    bool copy = !strncmp(v, "copy", 4), trigger = !strncmp(v, "trigger", 7);
    const char *rest = v + (copy ? 4 : trigger ? 7 : 0);
    int n = 0;

    g->ttl_from = copy ? TTL_COPY : trigger ? TTL_TRIGGER : TTL_FIXED;
    if (g->ttl_from != TTL_FIXED && *rest == '\0') {
        g->ttl = 0;
        return 0;
    }
    bool minus = *rest == '-', sign = minus || *rest == '+';
    if ((sign == (g->ttl_from == TTL_FIXED)) || read_int(rest + sign, 255, &n))
        return -EINVAL;
    g->ttl = minus ? -n : n;
    return 0;
}

static int read_id(struct forge *g, const char *v)
{
    g->id_from = !strcmp(v, "random")    ? ID_RANDOM
                 : !strcmp(v, "next")    ? ID_NEXT
                 : !strcmp(v, "trigger") ? ID_TRIGGER
                                         : ID_FIXED;
    return g->id_from == ID_FIXED ? read_int(v, 65535, &g->id) : 0;
}

static int read_offsets(struct forge *g, const char *v)
{
    for (g->nseq = 0; g->nseq < FORGE_OFFSETS; v++) {
        char *end;
        long long n = strtoll(v, &end, 10);
        if (end == v || n < INT32_MIN || n > INT32_MAX)
            return -EINVAL;
        g->seq[g->nseq++] = n;
        v = end;
        if (*v != ',')
            return *v ? -EINVAL : 0;
    }
    return -EINVAL;
}

static int read_window(struct forge *g, const char *v)
{
    int n = 0;

    g->window_copy = !strcmp(v, "copy");
    if (!g->window_copy && read_int(v, 65535, &n))
        return -EINVAL;
    g->window = (uint16_t)n;
    return 0;
}

/* residual=SPAN[,tuple|port|host]: for so long nothing of that key gets through. */
static int read_residual(struct rule *r, const char *v)
{
    char span[24];
    const char *comma = strchr(v, ',');
    size_t n = comma ? (size_t)(comma - v) : strlen(v);
    const char *key = comma ? comma + 1 : "port";

    if (n >= sizeof(span))
        return -EINVAL;
    memcpy(span, v, n);
    span[n] = '\0';
    r->residual = !strcmp(key, "tuple")  ? RES_TUPLE
                  : !strcmp(key, "port") ? RES_PORT
                  : !strcmp(key, "host") ? RES_HOST
                                         : RES_NONE;
    return r->residual == RES_NONE || parse_seconds(span, &r->residual_for) ? -EINVAL : 0;
}

static int parameter_value(struct rule *r, const char *k, const char *v, size_t vlen)
{
    struct forge *g = &r->forge;

    if (!strcmp(k, "to"))
        return read_who(v, &g->to);
    if (!strcmp(k, "mute"))
        return read_who(v, &r->mute);
    if (!strcmp(k, "count"))
        return read_int(v, 64, &g->count);
    if (!strcmp(k, "gap") || !strcmp(k, "wait"))
        return parse_seconds(v, k[0] == 'g' ? &g->gap : &g->wait);
    if (!strcmp(k, "seq"))
        return read_offsets(g, v);
    if (!strcmp(k, "ttl"))
        return read_ttl(g, v);
    if (!strcmp(k, "id"))
        return read_id(g, v);
    if (!strcmp(k, "window"))
        return read_window(g, v);
    if (!strcmp(k, "residual"))
        return read_residual(r, v);
    if (!strcmp(k, "payload") && vlen <= sizeof(g->payload)) {
        memcpy(g->payload, v, vlen);
        g->payload_len = vlen;
        return 0;
    }
    return -EINVAL;
}

static int parameter(struct rule *r, const char *w, int len)
{
    char key[24];
    const char *eq = strchr(w, '=');

    if (!strcmp(w, "ack"))
        r->forge.with_ack = true;
    else if (!strcmp(w, "no-df"))
        r->forge.no_df = true;
    else if (!strcmp(w, "hidden"))
        r->hidden = true;
    else if (!strcmp(w, "residual-drop"))
        r->residual_drop = true;
    else if (eq && (size_t)(eq - w) < sizeof(key)) {
        memcpy(key, w, (size_t)(eq - w));
        key[eq - w] = '\0';
        return parameter_value(r, key, eq + 1, (size_t)len - (size_t)(eq + 1 - w));
    } else
        return -EINVAL;
    return 0;
}

static int action(struct rule *r, const char *w)
{
    static const char *const names[] = {"pass",   "count",   "drop",    "reset",
                                        "inject", "unreach", "corrupt", "push"};

    if (!strncmp(w, "unreach=", 8)) { /* RFC 792 codes; IPv6's are worked out from them */
        int code;
        r->act = ACT_UNREACH;
        if (read_int(w + 8, 15, &code))
            return -EINVAL;
        r->unreach = (uint8_t)code;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(w, names[i])) {
            r->act = (enum action)i;
            return r->act == ACT_UNREACH ? -EINVAL : 0;
        }
    return -EINVAL;
}

static int match_word(struct rule *r, const char *w, int len)
{
    char key[24];
    const char *eq = strchr(w, '=');

    if (!eq)
        return match_flag(r, w) ? 0 : -EINVAL;
    if ((size_t)(eq - w) >= sizeof(key))
        return -EINVAL;
    memcpy(key, w, (size_t)(eq - w));
    key[eq - w] = '\0';
    return match_value(r, key, eq + 1, (size_t)len - (size_t)(eq + 1 - w));
}

int rule_parse(struct rule *r, const char *text, char *why, size_t whylen)
{
    enum { MATCHES, ACTION, PARAMETERS } state = MATCHES;
    const char *s = text;
    char w[256];
    int n, err = 0;

    *r = (struct rule){.option = -1, .forge = forge_default};
    snprintf(r->text, sizeof(r->text), "%s", text);
    while (!err && (n = word_next(&s, w, sizeof(w))) != -1) {
        if (n < 0)
            err = n;
        else if (state == MATCHES && !strcmp(w, ":"))
            state = ACTION;
        else if (state == MATCHES)
            err = match_word(r, w, n);
        else if (state == ACTION) {
            err = action(r, w);
            state = PARAMETERS;
        } else
            err = parameter(r, w, n);
    }
    if (err)
        snprintf(why, whylen, "'%s' is not understood in the rule '%s'", n < 0 ? s : w, text);
    else if (state != PARAMETERS) {
        snprintf(why, whylen, "the rule '%s' has no action; it is 'MATCH... : ACTION'", text);
        err = -EINVAL;
    } else if (r->act == ACT_PUSH && !r->forget) {
        snprintf(why, whylen, "push needs a forget= before the colon: '%s'", text);
        err = -EINVAL;
    }
    if (!r->forge.to)
        r->forge.to = r->act == ACT_RESET ? TO_SENDER : TO_CLIENT | TO_SERVER;
    return err ? -EINVAL : 0;
}
