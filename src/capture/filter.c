#include "capture/source.h"
#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPLEN  262144
#define WORD_MAX 512 /* words of an expression that are looked at one by one */

struct filter {
    struct bpf_program prog;
};

/* LINKTYPE_ values of files and DLT_ values of libpcap are the same but for a few. */
static int dlt_of(uint32_t link)
{
    return link == LINK_RAW ? DLT_RAW : (int)link;
}

const char *link_words(uint32_t link)
{
    const char *name = link_known(link) ? NULL : pcap_datalink_val_to_name(dlt_of(link));

    return name ? name : link_name(link);
}

static int compile(const char *expr, uint32_t link, struct bpf_program *prog, char *err,
                   size_t errlen)
{
    pcap_t *p = pcap_open_dead(dlt_of(link), SNAPLEN);

    if (!p)
        return -ENOMEM;
    int r = pcap_compile(p, prog, expr, 1, PCAP_NETMASK_UNKNOWN);
    if (r < 0 && err)
        text_clean(err, errlen, pcap_geterr(p), strlen(pcap_geterr(p)));
    pcap_close(p);
    return r < 0 ? -EINVAL : 0;
}

int filter_compile(struct filter **out, const char *expr, uint32_t linktype, char *err,
                   size_t errlen)
{
    struct filter *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    int r = compile(expr, linktype, &f->prog, err, errlen);
    if (r < 0) {
        free(f);
        return r;
    }
    *out = f;
    return 0;
}

bool filter_match(const struct filter *f, const struct record *rec)
{
    struct pcap_pkthdr h = {.caplen = rec->caplen, .len = rec->len};

    return pcap_offline_filter(&f->prog, &h, rec->data) != 0;
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    pcap_freecode(&f->prog);
    free(f);
}

/* ---- checking what is being typed ---- */

/* pcap_compile() resolves a word it does not know as the name of a host or net, which blocks. For
 * a check of the syntax an address of documentation (RFC 5737, 3849, 7042) stands for it. */
static const char *const keywords[] = {
    "host",    "net",       "mask",     "port",   "portrange",  "proto",  "protochain", "gateway",
    "src",     "dst",       "and",      "or",     "not",        "ether",  "fddi",       "tr",
    "wlan",    "ip",        "ip6",      "arp",    "rarp",       "tcp",    "udp",        "sctp",
    "icmp",    "icmp6",     "igmp",     "igrp",   "pim",        "vrrp",   "carp",       "esp",
    "ah",      "atalk",     "aarp",     "decnet", "iso",        "stp",    "ipx",        "netbeui",
    "lat",     "moprc",     "mopdl",    "less",   "greater",    "byte",   "broadcast",  "multicast",
    "inbound", "outbound",  "ifindex",  "ifname", "on",         "rset",   "ruleset",    "rnr",
    "rulenum", "reason",    "rsn",      "srnr",   "subrulenum", "action", "type",       "subtype",
    "dir",     "direction", "addr1",    "addr2",  "addr3",      "addr4",  "ra",         "ta",
    "link",    "llc",       "radio",    "vlan",   "mpls",       "pppoed", "pppoes",     "geneve",
    "vxlan",   "len",       "hopcount", "esis",   "es-is",      "isis",   "is-is",      "clnp",
    "lane",    "metac",     "bcc",      "oam",    "oamf4",      "vpi",    "vci",        "ppp",
    "slip",    "l1",        "l2",       "iih",    "lsp",        "snp",    "csnp",       "psnp",
    "tos"};

static bool is_keyword(const char *w, size_t n)
{
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
        if (strlen(keywords[i]) == n && memcmp(keywords[i], w, n) == 0)
            return true;
    return false;
}

static bool is_word_char(char ch)
{
    return isalnum((unsigned char)ch) || ch == '.' || ch == '-' || ch == '_' || ch == ':';
}

struct word_state { /* what the words before tell of the next one */
    bool v6, link_layer, net, service, constant;
};

static bool word_is(const char *w, size_t n, const char *is)
{
    return strlen(is) == n && memcmp(w, is, n) == 0;
}

static void note_word(struct word_state *st, const char *w, size_t n)
{
    if (word_is(w, n, "and") || word_is(w, n, "or") || word_is(w, n, "not"))
        *st = (struct word_state){0};
    st->v6 |= word_is(w, n, "ip6");
    st->link_layer |= word_is(w, n, "ether") || word_is(w, n, "wlan") || word_is(w, n, "fddi");
    if (word_is(w, n, "net") || word_is(w, n, "host"))
        st->net = word_is(w, n, "net");
    /* The names of ports, protocols and fields come from tables, and from no network. */
    st->service = word_is(w, n, "port") || word_is(w, n, "portrange") || word_is(w, n, "proto") ||
                  word_is(w, n, "protochain") || word_is(w, n, "type") ||
                  word_is(w, n, "subtype") || word_is(w, n, "dir") || word_is(w, n, "ifname") ||
                  word_is(w, n, "on") || word_is(w, n, "reason") || word_is(w, n, "action") ||
                  word_is(w, n, "llc") || word_is(w, n, "ruleset") || word_is(w, n, "rset");
}

static bool is_name(const char *w, size_t n, const struct word_state *st)
{
    bool letter = false;
    struct addr a;
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < n; i++)
        letter |= isalpha((unsigned char)w[i]) != 0;
    if (!letter || is_keyword(w, n) || st->service || st->constant)
        return false;
    if (memchr(w, ':', n)) /* no name has a colon: an address, or a MAC address */
        return false;
    if (n > 2 && w[0] == '0' && (w[1] == 'x' || w[1] == 'X'))
        return false;
    /* tcp-syn, icmp-echo, tcpflags: constants of the packet expressions */
    if ((n > 4 && memcmp(w, "tcp-", 4) == 0) || (n > 5 && memcmp(w, "icmp-", 5) == 0) ||
        (n > 6 && memcmp(w, "icmp6-", 6) == 0) || word_is(w, n, "tcpflags") ||
        word_is(w, n, "icmptype") || word_is(w, n, "icmpcode") || word_is(w, n, "icmp6type") ||
        word_is(w, n, "icmp6code"))
        return false;
    if (n >= sizeof text)
        return true;
    memcpy(text, w, n);
    text[n] = '\0';
    return addr_parse(text, &a) < 0;
}

static const char *stand_in(const struct word_state *st)
{
    if (st->link_layer)
        return "00:00:5e:00:53:01";
    if (st->v6)
        return st->net ? "2001:db8::/32" : "2001:db8::1";
    return st->net ? "192.0.2.0/24" : "192.0.2.1";
}

/* The first len bytes of expr with names replaced. Also tells where its words end. */
static void without_names(struct strbuf *out, const char *expr, size_t len, size_t *ends,
                          size_t *nends)
{
    struct word_state st = {0};

    for (size_t i = 0; i < len;) {
        size_t from = i;
        if (!is_word_char(expr[i])) {
            strbuf_addch(out, expr[i]);
            st.constant = expr[i] == '[' || (st.constant && expr[i] != ']');
            if (strchr("()!&|", expr[i]))
                st = (struct word_state){.constant = st.constant};
            i++;
            if (!isspace((unsigned char)expr[from]) && nends && *nends < WORD_MAX)
                ends[(*nends)++] = i;
            continue;
        }
        while (i < len && is_word_char(expr[i]))
            i++;
        /* \name: escaped by the user, a name of a protocol */
        bool escaped = from > 0 && expr[from - 1] == '\\';
        if (!escaped && is_name(expr + from, i - from, &st))
            strbuf_addstr(out, stand_in(&st));
        else
            strbuf_add(out, expr + from, i - from);
        note_word(&st, expr + from, i - from);
        if (nends && *nends < WORD_MAX)
            ends[(*nends)++] = i;
    }
}

static int compile_nameless(const char *expr, size_t len, uint32_t link, char *err, size_t errlen)
{
    struct strbuf sb = STRBUF_INIT;
    struct bpf_program prog;

    without_names(&sb, expr, len, NULL, NULL);
    int r = sb.err ? sb.err : compile(sb.buf, link, &prog, err, errlen);
    if (r == 0)
        pcap_freecode(&prog);
    strbuf_release(&sb);
    return r;
}

static size_t longest_good(const char *expr, uint32_t link)
{
    size_t ends[WORD_MAX], n = 0, good = 0;
    struct strbuf sb = STRBUF_INIT;

    without_names(&sb, expr, strlen(expr), ends, &n);
    strbuf_release(&sb);
    while (n > 0 && good == 0) {
        n--;
        if (compile_nameless(expr, ends[n], link, NULL, 0) == 0)
            good = ends[n];
    }
    return good;
}

int filter_check(const char *expr, uint32_t linktype, bool resolve, char *err, size_t errlen,
                 size_t *good)
{
    struct bpf_program prog;
    int r;

    if (resolve) {
        r = compile(expr, linktype, &prog, err, errlen);
        if (r == 0)
            pcap_freecode(&prog);
    } else {
        r = compile_nameless(expr, strlen(expr), linktype, err, errlen);
    }
    if (good)
        *good = r == 0 ? strlen(expr) : longest_good(expr, linktype);
    return r;
}
