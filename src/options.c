/* The command line (design.md 5). What is not built is absent. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY_MAX     (16 << 20)
#define RATE_DEFAULT 10000 /* new connections a second: a router in between can stand it */

enum long_option {
    OPT_FORMAT = 256,
    OPT_INTERVAL,
    OPT_TIMEOUT,
    OPT_DURATION,
    OPT_BUDGET,
    OPT_RESUME,
    OPT_SOURCE,
    OPT_CERT,
    OPT_KEY,
    OPT_CACERT,
    OPT_TLS_MIN,
    OPT_TLS_MAX,
    OPT_CONNECT_TO,
    OPT_PROXY,
    OPT_AUTH,
    OPT_LOG,
    OPT_SAVE,
    OPT_REDACT,
    OPT_AT,
    OPT_FLOWS,
    OPT_MAX_FLOWS,
    OPT_MAX_MEMORY,
    OPT_MAX_CONNECTIONS,
    OPT_MAX_PER_HOST,
    OPT_RATE,
    OPT_COLOR,
    OPT_ASCII,
    OPT_THEME,
    OPT_LIST_CAUSES,
    OPT_EXPLAIN,
    OPT_DEMO,
    OPT_LIST_INTERFACES,
    OPT_DOCTOR,
    OPT_PRINT_CONFIG,
    OPT_LIST_KEYS,
    OPT_HISTORY,
    OPT_COMPARE,
    OPT_NO_HISTORY,
    OPT_DAYS
};

static const struct option long_options[] = {
    {"batch", no_argument, NULL, 'b'},
    {"read", required_argument, NULL, 'r'},
    {"interface", required_argument, NULL, 'i'},
    {"filter", required_argument, NULL, 'f'},
    {"write", required_argument, NULL, 'w'},
    {"output", required_argument, NULL, 'o'},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"targets", required_argument, NULL, 't'},
    {"count", required_argument, NULL, 'c'},
    {"interval", required_argument, NULL, OPT_INTERVAL},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"duration", required_argument, NULL, OPT_DURATION},
    {"experiments", required_argument, NULL, 'x'},
    {"budget", required_argument, NULL, OPT_BUDGET},
    {"resume", required_argument, NULL, OPT_RESUME},
    {"numeric", no_argument, NULL, 'n'},
    {"source", required_argument, NULL, OPT_SOURCE},
    {"method", required_argument, NULL, 'X'},
    {"header", required_argument, NULL, 'H'},
    {"data", required_argument, NULL, 'd'},
    {"cert", required_argument, NULL, OPT_CERT},
    {"key", required_argument, NULL, OPT_KEY},
    {"cacert", required_argument, NULL, OPT_CACERT},
    {"insecure", no_argument, NULL, 'k'},
    {"tls-min", required_argument, NULL, OPT_TLS_MIN},
    {"tls-max", required_argument, NULL, OPT_TLS_MAX},
    {"connect-to", required_argument, NULL, OPT_CONNECT_TO},
    {"proxy", required_argument, NULL, OPT_PROXY},
    {"auth", required_argument, NULL, OPT_AUTH},
    {"log", required_argument, NULL, OPT_LOG},
    {"playbook", required_argument, NULL, 'P'},
    {"save", no_argument, NULL, OPT_SAVE},
    {"redact", no_argument, NULL, OPT_REDACT},
    {"at", required_argument, NULL, OPT_AT},
    {"flows", no_argument, NULL, OPT_FLOWS},
    {"max-flows", required_argument, NULL, OPT_MAX_FLOWS},
    {"max-memory", required_argument, NULL, OPT_MAX_MEMORY},
    {"max-connections", required_argument, NULL, OPT_MAX_CONNECTIONS},
    {"max-per-host", required_argument, NULL, OPT_MAX_PER_HOST},
    {"rate", required_argument, NULL, OPT_RATE},
    {"color", required_argument, NULL, OPT_COLOR},
    {"ascii", no_argument, NULL, OPT_ASCII},
    {"theme", required_argument, NULL, OPT_THEME},
    {"config", required_argument, NULL, 'C'},
    {"print-config", no_argument, NULL, OPT_PRINT_CONFIG},
    {"list-keys", no_argument, NULL, OPT_LIST_KEYS},
    {"list-causes", no_argument, NULL, OPT_LIST_CAUSES},
    {"explain", required_argument, NULL, OPT_EXPLAIN},
    {"demo", no_argument, NULL, OPT_DEMO},
    {"list-interfaces", no_argument, NULL, OPT_LIST_INTERFACES},
    {"doctor", no_argument, NULL, OPT_DOCTOR},
    {"history", no_argument, NULL, OPT_HISTORY},
    {"compare", no_argument, NULL, OPT_COMPARE},
    {"no-history", no_argument, NULL, OPT_NO_HISTORY},
    {"days", required_argument, NULL, OPT_DAYS},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};
static const char short_options[] = ":br:i:f:w:o:t:P:c:46nx:X:H:d:kC:hV";

void options_help(void)
{
    fputs(_("Usage: rstconsole [OPTION]... [TARGET]...\n"
            "Shows which TCP connections were reset, by whom and why, and what to do.\n"
            "\n"
            "A TARGET is  host  host:port  [v6]:port  tcp://h:p  tls://h:p  http://h[:p]/path\n"
            "https://h[:p]/path  dns://name  smtp:// imap:// pop3:// ftp:// pg:// mysql://\n"
            "ldap:// redis:// ssh:// h[:p].  A bare host means https://host/ ; host:port\n"
            "finds out by itself what is spoken there.\n"),
          stdout);
    fputs(_("rstconsole [OPTION]... -- COMMAND [ARG]...  runs COMMAND and watches only its\n"
            "connections; the report goes to -o FILE, else to stderr.\n"),
          stdout);
    fputs(_("\n"
            "What to look at\n"
            "  -r, --read FILE         read a capture (pcap, pcapng, - stdin) or a session\n"
            "  -i, --interface IF      capture on IF (may be repeated; any; none: no capture)\n"
            "  -f, --filter EXPR       capture what EXPR matches, pcap-filter(7)\n"
            "  -t, --targets FILE      targets, one a line: TARGET [KEY=VALUE]...\n"
            "      --log FILE          error lines of a program's or proxy's log (- stdin)\n"
            "  -P, --playbook NAME     elasticsearch, s3, gis, kubernetes, database, https\n"
            "      --demo              twelve misbehaving servers on loopback; no network\n"),
          stdout);
    fputs(_("\n"
            "How to probe\n"
            "  -c, --count N           rounds (batch 1; console 0: endless)\n"
            "      --interval TIME     between rounds (10s)\n"
            "      --timeout TIME      of each stage (10s)\n"
            "      --duration TIME     end after TIME\n"
            "  -4                      IPv4 only\n"
            "  -6                      IPv6 only\n"
            "      --source ADDR|IF    connect from there\n"
            "      --connect-to HOST:PORT  keep the target's name, connect to HOST:PORT\n"
            "      --proxy URL         http://, https:// or socks5://HOST:PORT, for http(s)\n"
            "      --auth FILE         credentials: a file, env:NAME or aws (AWS_* variables)\n"
            "  -X, --method METHOD     HTTP method\n"
            "  -H, --header LINE       HTTP header (may be repeated)\n"
            "  -d, --data TEXT|@FILE   request body\n"
            "      --cert FILE, --key FILE, --cacert FILE   PEM files\n"
            "  -k, --insecure          accept any certificate\n"
            "      --tls-min V, --tls-max V   1.0 1.1 1.2 1.3\n"),
          stdout);
    fputs(_("\n"
            "How to find out more, where it is not plain\n"
            "  -x, --experiments WHICH none, safe (default) or all: those too that could load\n"
            "                          the target or alarm somebody\n"
            "      --budget N,TIME     what a diagnosis may spend (40,60s)\n"),
          stdout);
    fputs(_("      --resume SESSION    goes on with what was left unfinished there\n"), stdout);
    fputs(_("\n"
            "How much at once\n"
            "      --max-connections N  probes' connections (10000, or what open files allow)\n"
            "      --max-per-host N    of them to one address (64)\n"
            "      --rate N            new ones a second (10000; 0: no limit)\n"),
          stdout);
    fputs(_("\n"
            "What comes out\n"
            "  -b, --batch             no screen: probe, watch, diagnose, report, exit\n"
            "      --format FORMAT     text, json, jsonl, markdown, html, openmetrics\n"
            "  -o, --output FILE       the report goes there, not to stdout\n"
            "  -w, --write FILE        every packet, as pcapng\n"
            "      --flows             every connection too, as Zeek records\n"
            "      --save              keep a session of -r too\n"
            "  -n, --numeric           no names for addresses\n"
            "      --color WHEN        auto, always, never\n"
            "      --ascii             no line drawing characters\n"
            "      --theme NAME        default, light, high-contrast, colour-blind, mono\n"
            "      --max-flows N       connections held in memory\n"
            "      --max-memory SIZE   of packets kept (64M)\n"),
          stdout);
    fputs(_("      --format pcapng     the packets, the verdicts as comments (Wireshark)\n"
            "      --redact            write no real addresses, names, paths or payload\n"
            "      --at TIME           with -r of a session: as it was then, or TIME on\n"),
          stdout);
    fputs(_("\n"
            "What was before\n"
            "      --history [TARGET]  what earlier runs found, by target and cause\n"
            "      --days N            of the last N days (30)\n"
            "      --no-history        neither look there nor add to it\n"
            "      --compare A B       two sessions, captures or rounds (A#1-5 A#6-10):\n"
            "                          what differs (text, markdown, json, html)\n"),
          stdout);
    fputs(_("\n"
            "Settings and keys\n"
            "  -C, --config FILE       both (~/.config/rstconsole/config)\n"
            "      --print-config      what is set, as such a file\n"
            "      --list-keys         every action of the console, with its keys\n"),
          stdout);
    fputs(_("\n"
            "Other\n"
            "      --list-causes       every cause that can be named\n"
            "      --explain WHAT      what a cause, a playbook or an error (ECONNRESET) is\n"
            "      --list-interfaces   where packets can be captured\n"
            "      --doctor            what can be seen here, and how to get the rest\n"
            "  -h, --help   -V, --version\n"
            "\n"
            "Exit status: 0 every probe passed and no harmful reset; 1 a probe failed or a\n"
            "harmful reset was found; 2 wrong usage; 3 what was asked could not be done.\n"),
          stdout);
}

static char *usage_into; /* while a value is only looked at: where the reason goes */
static size_t usage_room;
static int usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int usage(const char *fmt, ...)
{
    va_list ap;

    if (usage_into) {
        va_start(ap, fmt);
        vsnprintf(usage_into, usage_room, fmt, ap);
        va_end(ap);
        return EXIT_USAGE;
    }
    fputs("rstconsole: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs(_("\nTry 'rstconsole --help'.\n"), stderr);
    return EXIT_USAGE;
}

static int parse_span(nstime *out, const char *option, const char *text)
{
    if (parse_seconds(text, out) || *out <= 0)
        return usage(_("%s: not a time above 0: %s (write 10, 1.5s, 300ms, 2m)"), option, text);
    return 0;
}

static int parse_number(uint64_t *out, uint64_t min, uint64_t max, const char *option,
                        const char *text)
{
    if (parse_u64(text, min, max, out))
        return usage(_("%s: not a number from %llu to %llu: %s"), option, (unsigned long long)min,
                     (unsigned long long)max, text);
    return 0;
}

static int parse_tls(uint16_t *out, const char *option, const char *text)
{
    static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        if (strcmp(text, versions[i]) == 0) {
            *out = (uint16_t)(0x0301 + i);
            return 0;
        }
    }
    return usage(_("%s: not a TLS version: %s (1.0 1.1 1.2 1.3)"), option, text);
}

static int parse_word(const char *const *words, size_t n, int *out, const char *option,
                      const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (int)i;
            return 0;
        }
    }
    struct strbuf all = STRBUF_INIT;
    for (size_t i = 0; i < n; i++)
        strbuf_addf(&all, "%s%s", i ? ", " : "", words[i]);
    int rc = usage(_("%s: unknown: %s (there are %s)"), option, text, all.buf);
    strbuf_release(&all);
    return rc;
}

static int unknown_format(const char *text)
{
    struct strbuf all = STRBUF_INIT;

    for (size_t i = 0; i < report_count(); i++)
        strbuf_addf(&all, "%s%s", i ? ", " : "", report_at(i)->name);
    int rc = usage(_("%s: unknown: %s (there are %s)"), "--format", text, all.buf);
    strbuf_release(&all);
    return rc;
}

static int set_color(struct options *o, const char *text)
{
    static const char *const words[] = {"auto", "always", "never"};
    int n = 0, rc = parse_word(words, ARRAY_SIZE(words), &n, "--color", text);

    if (!rc)
        o->color = (enum color_when)n;
    return rc;
}

static int set_experiments(struct options *o, const char *text)
{
    static const char *const words[] = {"none", "safe", "all"};
    int n = 0, rc = parse_word(words, ARRAY_SIZE(words), &n, "--experiments", text);

    if (!rc)
        o->settings.experiments = n;
    return rc;
}

/* CONNECTIONS,TIME */
static int set_budget(struct options *o, const char *text)
{
    struct settings *st = &o->settings;
    const char *comma = strchr(text, ',');
    char number[16];
    uint64_t n;

    if (!comma || (size_t)(comma - text) >= sizeof(number))
        return usage(_("--budget: write CONNECTIONS,TIME: %s"), text);
    memcpy(number, text, (size_t)(comma - text));
    number[comma - text] = 0;
    int rc = parse_number(&n, 1, 100000, "--budget", number);
    if (!rc)
        rc = parse_span(&st->budget_time, "--budget", comma + 1);
    st->budget_connections = rc ? 0 : (unsigned)n;
    return rc;
}

/* A moment, or a span after the beginning of the session. */
static int set_at(struct options *o, const char *text)
{
    if (time_parse_rfc3339(text, &o->settings.at) == 0 && o->settings.at > 0)
        return 0;
    if (parse_seconds(text, &o->settings.at) == 0 && o->settings.at > 0)
        return 0;
    return usage(_("--at: write 2026-01-31T12:00:00Z, or 90s after the beginning: %s"), text);
}

static int set_theme(struct options *o, const char *text)
{
    static const char *const words[] = {"default", "light", "high-contrast", "colour-blind",
                                        "mono"};
    int n = 0, rc = parse_word(words, ARRAY_SIZE(words), &n, "--theme", text);

    if (!rc)
        o->theme = words[n];
    return rc;
}

static int add_interface(struct options *o, const char *name)
{
    struct settings *st = &o->settings;

    if (ARRAY_GROW(o->interfaces, st->ninterfaces + 1, o->interfaces_alloc))
        return EXIT_CANNOT;
    o->interfaces[st->ninterfaces++] = name;
    st->interfaces = o->interfaces;
    st->interface_asked = true;
    return 0;
}

static int add_log(struct options *o, const char *path)
{
    if (ARRAY_GROW(o->logs, o->nlogs + 1, o->logs_alloc))
        return EXIT_CANNOT;
    o->logs[o->nlogs++] = path;
    return 0;
}

static int set_playbook(struct options *o, const char *name)
{
    struct strbuf all = STRBUF_INIT;

    o->settings.playbook = playbook_by_id(name);
    if (o->settings.playbook)
        return 0;
    for (size_t i = 0; i < playbook_count(); i++)
        strbuf_addf(&all, "%s%s", i ? ", " : "", playbook_at(i)->id);
    int rc = usage(_("%s: unknown: %s (there are %s)"), "--playbook", name, all.buf);
    strbuf_release(&all);
    return rc;
}

static int add_header(struct options *o, char *line)
{
    if (!strchr(line, ':') || strpbrk(line, "\r\n"))
        return usage(_("-H: a header reads 'Name: value': %s"), line);
    if (ARRAY_GROW(o->headers, o->nheaders + 2, o->headers_alloc))
        return EXIT_CANNOT;
    o->headers[o->nheaders++] = line;
    o->headers[o->nheaders] = NULL;
    o->settings.defaults.headers = o->headers;
    return 0;
}

static int set_family(struct options *o, int family)
{
    if (o->settings.defaults.family && o->settings.defaults.family != family)
        return usage(_("-4 and -6 exclude each other"));
    o->settings.defaults.family = family;
    return 0;
}

/* The option as it is written, for a message. */
static const char *option_words(int c)
{
    for (const struct option *opt = long_options; opt->name; opt++)
        if (opt->val == c)
            return opt->name;
    return "?";
}

/* Options that take nothing. */
static int set_flag(struct options *o, int c)
{
    switch (c) {
    case 'b': o->mode = o->mode == MODE_CONSOLE ? MODE_BATCH : o->mode; return 0;
    case '4': return set_family(o, 4);
    case '6': return set_family(o, 6);
    case 'n': o->settings.numeric = true; return 0;
    case 'k': o->settings.defaults.insecure = 1; return 0;
    case OPT_SAVE: o->save_asked = true; return 0;
    case OPT_REDACT: o->settings.redact = true; return 0;
    case OPT_FLOWS: o->settings.flows = true; return 0;
    case OPT_ASCII: o->ascii = true; return 0;
    case OPT_DEMO: o->demo = true; return 0;
    case OPT_LIST_CAUSES: o->mode = MODE_LIST_CAUSES; return 0;
    case OPT_LIST_INTERFACES: o->mode = MODE_LIST_INTERFACES; return 0;
    case OPT_DOCTOR: o->mode = MODE_DOCTOR; return 0;
    case OPT_PRINT_CONFIG: o->mode = MODE_PRINT_CONFIG; return 0;
    case OPT_LIST_KEYS: o->mode = MODE_LIST_KEYS; return 0;
    case OPT_COMPARE: o->mode = MODE_COMPARE; return 0;
    case OPT_HISTORY: o->mode = MODE_HISTORY; return 0;
    case OPT_NO_HISTORY: o->no_history = true; return 0;
    case 'h': o->mode = MODE_HELP; return 0;
    case 'V': o->mode = MODE_VERSION; return 0;
    default: return -1;
    }
}

static int set_number(struct options *o, int c, const char *arg)
{
    struct settings *st = &o->settings;
    uint64_t n = 0;
    int rc = -1;

    switch (c) {
    case 'c':
        rc = parse_number(&n, 0, UINT32_MAX, "-c", arg);
        st->rounds = (unsigned)n;
        o->count_given = true;
        break;
    case OPT_DAYS:
        rc = parse_number(&n, 1, HISTORY_DAYS_MAX, "--days", arg);
        o->days = (unsigned)n;
        break;
    case OPT_MAX_FLOWS:
        rc = parse_number(&n, 1, 100000000, "--max-flows", arg);
        st->max_flows = n;
        break;
    case OPT_MAX_MEMORY:
        if (parse_size(arg, &n) || n < 65536)
            return usage(_("--max-memory: not a size of at least 64K: %s"), arg);
        st->max_memory = n;
        rc = 0;
        break;
    case OPT_MAX_CONNECTIONS:
        rc = parse_number(&n, 1, 1000000, "--max-connections", arg);
        st->max_connections = (unsigned)n;
        break;
    case OPT_MAX_PER_HOST:
        rc = parse_number(&n, 1, 1000000, "--max-per-host", arg);
        st->max_per_host = (unsigned)n;
        break;
    case OPT_RATE:
        rc = parse_number(&n, 0, 1000000, "--rate", arg);
        st->rate = (unsigned)n;
        o->rate_given = true;
        break;
    case OPT_INTERVAL: rc = parse_span(&st->interval, "--interval", arg); break;
    case OPT_TIMEOUT: rc = parse_span(&st->defaults.timeout, "--timeout", arg); break;
    case OPT_DURATION: rc = parse_span(&st->duration, "--duration", arg); break;
    case OPT_TLS_MIN: rc = parse_tls(&st->defaults.tls_min, "--tls-min", arg); break;
    case OPT_TLS_MAX: rc = parse_tls(&st->defaults.tls_max, "--tls-max", arg); break;
    default: break;
    }
    return rc;
}

static int set_text(struct options *o, int c, char *arg)
{
    struct settings *st = &o->settings;

    if (!*arg && c != 'd' && c != 'f')
        return usage(_("--%s: its value is empty"), option_words(c));
    switch (c) {
    case 'r': st->read_file = arg; return 0;
    case OPT_LOG: return add_log(o, arg);
    case 'P': return set_playbook(o, arg);
    case 'i': return add_interface(o, arg);
    case 'f': st->filter = arg; return 0;
    case 'w': st->write_file = arg; return 0;
    case 'o': o->output = arg; return 0;
    case 't': o->targets_file = arg; return 0;
    case 'x': return set_experiments(o, arg);
    case OPT_BUDGET: return set_budget(o, arg);
    case OPT_RESUME: o->resume = arg; return 0;
    case 'X': st->defaults.method = arg; return 0;
    case 'H': return add_header(o, arg);
    case 'd': o->data_file = arg; return 0;
    case OPT_FORMAT: o->format = arg; return 0;
    case OPT_SOURCE: st->defaults.source = arg; return 0;
    case OPT_CERT: st->defaults.cert = arg; return 0;
    case OPT_KEY: st->defaults.key = arg; return 0;
    case OPT_CACERT: st->defaults.cacert = arg; return 0;
    case OPT_CONNECT_TO: st->defaults.connect_to = arg; return 0;
    case OPT_PROXY: st->defaults.proxy = arg; return 0;
    case OPT_AUTH: st->defaults.auth = arg; return 0;
    case 'C': return 0; /* read before all others */
    case OPT_COLOR: return set_color(o, arg);
    case OPT_AT: return set_at(o, arg);
    case OPT_THEME: return set_theme(o, arg);
    case OPT_EXPLAIN:
        o->mode = MODE_EXPLAIN;
        o->explain = arg;
        return 0;
    default: return -1;
    }
}

static int set_option(struct options *o, int c, char *arg)
{
    int rc = set_flag(o, c);

    if (rc < 0)
        rc = set_number(o, c, arg);
    if (rc < 0)
        rc = set_text(o, c, arg);
    return rc;
}

/* By its long name, from the configuration file or the Settings screen. */
int options_set(struct options *o, const char *name, const char *value, char *err, size_t errlen)
{
    const struct option *opt = long_options;
    char *copy;
    int rc;

    while (opt->name && strcmp(opt->name, name) != 0)
        opt++;
    if (!opt->name)
        return -EINVAL;
    copy = strdup(value);
    if (!copy || ARRAY_GROW(o->kept, o->nkept + 1, o->kept_alloc)) {
        free(copy);
        snprintf(err, errlen, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    o->kept[o->nkept++] = copy;
    usage_into = err;
    usage_room = errlen;
    rc = set_option(o, opt->val, copy);
    usage_into = NULL;
    return rc ? -EINVAL : 0;
}

/* -C and --config count wherever they stand: the file is read before the line. */
static int read_config(struct options *o, int argc, char **argv)
{
    const char *path = NULL;
    int c;

    while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
        if (c == 'C')
            path = optarg;
    optind = 0; /* getopt(3): begins anew */
    return config_read(o, path);
}

/* What cannot be meant together. */
static int check(const struct options *o)
{
    const struct settings *st = &o->settings;
    bool targets = o->nspecs || o->targets_file || o->demo || o->resume;

    if (o->format && !report_by_name(o->format))
        return unknown_format(o->format);
    if (o->mode == MODE_COMPARE && o->nspecs != 2)
        return usage(_("--compare takes two sessions or captures, or rounds of them (FILE#1-5)"));
    if (o->mode == MODE_COMPARE && o->format && strcmp(o->format, "text") != 0 &&
        strcmp(o->format, "markdown") != 0 && strcmp(o->format, "json") != 0 &&
        strcmp(o->format, "html") != 0)
        return usage(_("%s: --format is text, markdown, json or html"), "--compare");
    if (o->mode == MODE_HISTORY && o->nspecs > 1)
        return usage(_("--history takes one TARGET, or a part of its name"));
    if (o->mode == MODE_HISTORY && o->format && strcmp(o->format, "text") != 0 &&
        strcmp(o->format, "json") != 0)
        return usage(_("%s: --format is text or json"), "--history");
    if (o->mode == MODE_CONSOLE && (o->format || o->output))
        return usage(_("--format and --output belong to --batch"));
    if (st->at && !(st->read_file && session_is_session(st->read_file)))
        return usage(_("--at belongs to -r of a saved session"));
    if (st->read_file && st->ninterfaces)
        return usage(_("-r reads a file, -i captures: one of them"));
    if (st->read_file && targets)
        return usage(_("-r reads a file: it takes no targets"));
    if (st->read_file && (o->count_given || st->duration))
        return usage(_("-r reads a file: -c and --duration belong to probing and capture"));
    if (st->command && (targets || o->demo || st->read_file))
        return usage(_("-- COMMAND stands without targets, --demo and -r"));
    if (o->demo && (o->nspecs || o->targets_file))
        return usage(_("--demo brings its own targets"));
    if (st->ninterfaces > 1)
        for (size_t i = 0; i < st->ninterfaces; i++)
            if (strcmp(st->interfaces[i], "none") == 0 || strcmp(st->interfaces[i], "any") == 0)
                return usage(_("-i %s stands alone"), st->interfaces[i]);
    if (!st->live && !st->read_file && st->filter)
        return usage(_("-f: nothing is captured with -i none"));
    if (!st->live && !st->read_file && st->write_file)
        return usage(_("-w: nothing is captured with -i none"));
    for (size_t i = 0; i < o->nlogs; i++)
        if (strcmp(o->logs[i], "-") == 0 &&
            (o->mode == MODE_CONSOLE || (st->read_file && strcmp(st->read_file, "-") == 0)))
            return usage(_("--log -: stdin is needed for something else"));
    if (st->defaults.tls_min && st->defaults.tls_max && st->defaults.tls_min > st->defaults.tls_max)
        return usage(_("--tls-min is above --tls-max"));
    if (st->write_file && strcmp(st->write_file, "-") == 0)
        return usage(_("-w: stdout carries the report, packets go to a file"));
    if (st->defaults.key && !st->defaults.cert)
        return usage(_("--key belongs to --cert"));
    return 0;
}

static void apply_defaults(struct options *o)
{
    struct settings *st = &o->settings;
    bool batch = o->mode == MODE_BATCH;

    bool log_alone = batch && o->nlogs && !st->ninterfaces && !o->nspecs && !o->targets_file &&
                     !o->demo && !st->read_file;

    st->live = !st->read_file && !log_alone &&
               !(st->ninterfaces == 1 && strcmp(st->interfaces[0], "none") == 0);
    if (!st->live)
        st->interface_asked = false;
    if (!o->count_given)
        st->rounds = batch ? 1 : 0;
    if (!st->interval)
        st->interval = 10 * NS_PER_SEC;
    if (!o->rate_given)
        st->rate = RATE_DEFAULT;
    st->save = (!st->read_file && !log_alone) || o->save_asked;
    bool drawn = o->format && (strcmp(o->format, "html") == 0 || strcmp(o->format, "pcapng") == 0);
    st->keep_packets = !batch || !(st->read_file || log_alone) || st->save || drawn;
    st->name = o->demo ? "demo" : st->read_file ? "file" : log_alone ? "log" : "session";
}

/* What getopt_long() did not take: not known, more than one begins so, or a value too many. */
static int refuse_long(const char *arg)
{
    size_t len = strcspn(arg + 2, "=");
    struct strbuf all = STRBUF_INIT;
    char shown[80];
    int rc;

    for (const struct option *opt = long_options; opt->name; opt++)
        if (strncmp(opt->name, arg + 2, len) == 0)
            strbuf_addf(&all, "%s--%s", all.len ? ", " : "", opt->name);
    text_clean(shown, sizeof(shown), arg, strlen(arg));
    if (!all.len)
        rc = usage(_("unknown option: %s"), shown);
    else if (strchr(all.buf, ','))
        rc = usage(_("%s is the beginning of several options: %s"), shown, all.buf);
    else
        rc = usage(_("%s: %s takes no value"), shown, all.buf);
    strbuf_release(&all);
    return rc;
}

int options_parse(struct options *o, int argc, char **argv)
{
    int c, rc;
    char shown[8];

    memset(o, 0, sizeof(*o));
    o->theme = "default";
    o->settings.defaults.hold = -1;
    o->settings.experiments = EXPERIMENTS_SAFE;
    opterr = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        if (i + 1 < argc)
            o->settings.command = argv + i + 1;
        argc = i; /* what follows is COMMAND's own */
    }
    rc = read_config(o, argc, argv);
    if (rc)
        return rc;
    while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        if (c == ':')
            return usage(_("%s needs a value"), argv[optind - 1]);
        if (c == '?' && strncmp(argv[optind - 1], "--", 2) == 0)
            return refuse_long(argv[optind - 1]);
        if (c == '?')
            return usage(_("unknown option: -%s"),
                         text_clean(shown, sizeof(shown), (char[]){(char)optopt}, 1));
        rc = set_option(o, c, optarg);
        if (!rc)
            rc = config_note(o, option_words(c), optarg ? optarg : "yes") ? EXIT_CANNOT : 0;
        if (rc)
            return rc;
    }
    if (o->settings.command)
        o->mode = o->mode == MODE_CONSOLE ? MODE_BATCH : o->mode;
    o->specs = argv + optind;
    o->nspecs = (size_t)(argc - optind);
    apply_defaults(o);
    rc = check(o);
    if (!o->format)
        o->format = "text";
    return rc;
}

static int read_body(struct options *o, const char *path)
{
    struct strbuf sb = STRBUF_INIT;
    char buf[16384];
    ssize_t n = 0;
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;

    sb.max = BODY_MAX;
    if (fd < 0) {
        complain("%s: %s", path, strerror(errno));
        return EXIT_CANNOT;
    }
    while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            strbuf_add(&sb, buf, (size_t)n);
    if (n < 0 || sb.err) {
        complain("%s: %s", path, strerror(n < 0 ? errno : -sb.err));
        strbuf_release(&sb);
        if (fd != STDIN_FILENO)
            close(fd);
        return EXIT_CANNOT;
    }
    if (fd != STDIN_FILENO)
        close(fd);
    o->settings.defaults.body = strbuf_detach(&sb, &o->settings.defaults.body_len);
    return o->settings.defaults.body ? 0 : EXIT_CANNOT;
}

int options_read_files(struct options *o)
{
    struct target_options *d = &o->settings.defaults;

    if (!o->data_file || d->body)
        return 0;
    if (o->data_file[0] == '@')
        return read_body(o, o->data_file + 1);
    d->body = strdup(o->data_file);
    d->body_len = strlen(o->data_file);
    return d->body ? 0 : EXIT_CANNOT;
}

void options_release(struct options *o)
{
    config_release(o);
    for (size_t i = 0; i < o->nkept; i++)
        free(o->kept[i]);
    free(o->kept);
    free(o->headers);
    free(o->interfaces);
    free(o->logs);
    if (o->data_file)
        free(o->settings.defaults.body);
    memset(o, 0, sizeof(*o));
}
