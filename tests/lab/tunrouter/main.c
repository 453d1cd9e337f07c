/* main.c: the command line and the loop of tunrouter. */
#include "tunrouter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 8 };
/* clang-format off: the lines are the reader's. */
static const char help[] =
    "tunrouter: a line between two interfaces with a box on it, to do to packets what networks do.\n"
    "\n"
    "usage: tunrouter --line CLIENT SERVER [OPTION]... [--line CLIENT SERVER [OPTION]...]...\n"
    "\n"
    "CLIENT and SERVER are the line's ends: [tun:]NAME[@NETNS], a TUN device that is made, or\n"
    "eth:NAME[@NETNS], an Ethernet interface that is there. NETNS is a process id or a path. When all\n"
    "stand, \"ready\" goes to stdout; addresses and routes are the caller's work. Ends at SIGTERM or when\n"
    "stdin closes (--stay: not then), and says then what each rule did.\n"
    "\n"
    "Of each line:\n"
    "  --up, --down, --both   what follows is for packets to the server, to the client, both (at first)\n"
    "  --near, --far          ... for the stretch before the box, behind it (at first)\n"
    "  --delay MS             each packet is late by so much\n"
    "  --jitter MS            and by up to so much more, in order\n"
    "  --loss %, --duplicate %, --corrupt %   so many are lost, come twice, have a bit turned over\n"
    "  --reorder %:MS         so many are held back by MS, those behind overtake them\n"
    "  --rate KBIT            kbit/s; what waits is at most --backlog BYTES (262144)\n"
    "  --mtu N                larger packets are dropped, with ICMP; --mtu-silent: without\n"
    "  --hop ADDR             the box is a hop with this address (one IPv4, one IPv6): it spends a TTL,\n"
    "                         answers with time exceeded, answers pings\n"
    "  --rule 'MATCH... : ACTION PARAMETER...'   up to 64, in order; drop, reset, unreach and pass end it\n"
    "  --seed N               of the dice (1)\n"
    "Of the program: --log (what rules do, to stderr), --plain IF[@NETNS] (takes segmentation and checksum\n"
    "offload from an interface; needed at both far ends of eth: lines), --check (reads the options, opens\n"
    "nothing), --stay, --help\n"
    "\n"
    "MATCH   up down tcp udp icmp v4 v6 | syn synack data fin rst ecn bare-ack, each also with ! before it\n"
    "        port=N[-M] (the server's)  option=KIND (of TCP)  size=N (payload at least)  bytes=TEXT\n"
    "        sni=NAME host=NAME (\"*.example\" for those below; !sni= for all others)\n"
    "        reassemble (bytes, sni and host over the client's segments, not each alone)\n"
    "        sent=N received=N (bytes of the flow)  packet=N (the Nth of its way)  age=SPAN  once (a flow)\n"
    "        forget=SPAN (silent for so long, once; until the next SYN)  over=N (connections open at once)\n"
    "        rate=N/SPAN (more than N)  chance=%  skip=N (matches)  times=N (at most)\n"
    "ACTION  pass  count (and go on)  drop  unreach=CODE (ICMP; RFC 792's codes, for IPv6 their like)\n"
    "        reset (in line: the packet goes no further)  inject (a tap: it does)\n"
    "        push (with forget=: RST at the very moment)  corrupt (hidden: with a right checksum)\n"
    "PARAMETER of resets: to=client|server|both|sender  count=N  gap=SPAN  wait=SPAN  seq=A,B,... (added)\n"
    "        ttl=N|copy[+-N]|trigger[+-N]  id=N|random|next|trigger  window=N|copy  ack  no-df  payload=TEXT\n"
    "        of all: mute=client|server|both (nothing more of them gets through in this flow)\n"
    "        residual=SPAN[,tuple|port|host] (for so long new ones are reset too; residual-drop: dropped)\n"
    "TEXT knows \\xNN \\n \\r \\t and \"quotes\"; SPAN is 1.5, 300ms, 2m.\n"
    "\n"
    "A reset is made as Linux' own reject makes it (TTL 64, IP-ID 0, DF, window 0, no ACK flag but for a\n"
    "SYN) as far as no parameter says otherwise.\n";
/* clang-format on */

struct program {
    struct line *lines[LINES_MAX];
    int nlines;
    int ways, stretches; /* bits: what the next shape option is for */
    bool log, check, stay;
};
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
    (void)sig;
    stop = 1;
}

static nstime now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static int usage(const char *what, const char *value)
{
    fprintf(stderr, "tunrouter: %s%s%s%s (see tunrouter --help)\n", what, value ? " '" : "",
            value ? value : "", value ? "'" : "");
    return 2;
}

static void write_out(struct line *l, enum way way, const uint8_t *ip, size_t len)
{
    int err = port_write(&l->port[way == UP], ip, len);

    if (err && err != -EAGAIN && err != -EDESTADDRREQ && err != -ENOBUFS && err != -EIO &&
        err != -ENETDOWN)
        fprintf(stderr, "tunrouter: %s: %s\n", l->port[way == UP].name, strerror(-err));
}

static void log_line(struct line *l, const char *text)
{
    const struct program *g = l->arg;
    int which = 0;

    while (g->lines[which] != l)
        which++;
    fprintf(stderr, "line %d %s\n", which + 1, text);
}

/* ---- options ---- */
static int read_ms(const char *v, nstime *out)
{
    char *end;
    double ms = strtod(v, &end);

    if (end == v || *end || !(ms >= 0 && ms <= 3600e3))
        return -EINVAL;
    *out = (nstime)(ms * NS_PER_MS);
    return 0;
}

static int read_percent(const char *v, double *out)
{
    char *end;

    *out = strtod(v, &end);
    return end == v || *end || !(*out >= 0 && *out <= 100) ? -EINVAL : 0;
}

static int shape_option(struct shape *s, const char *name, const char *v)
{
    uint64_t n;

    if (!strcmp(name, "--delay"))
        return read_ms(v, &s->delay);
    if (!strcmp(name, "--jitter"))
        return read_ms(v, &s->jitter);
    if (!strcmp(name, "--loss"))
        return read_percent(v, &s->loss);
    if (!strcmp(name, "--duplicate"))
        return read_percent(v, &s->duplicate);
    if (!strcmp(name, "--corrupt"))
        return read_percent(v, &s->corrupt);
    if (!strcmp(name, "--reorder")) {
        char percent[16];
        const char *colon = strchr(v, ':');
        if (!colon || (size_t)(colon - v) >= sizeof(percent))
            return -EINVAL;
        memcpy(percent, v, (size_t)(colon - v));
        percent[colon - v] = '\0';
        return read_percent(percent, &s->reorder) || read_ms(colon + 1, &s->reorder_by) ? -EINVAL
                                                                                        : 0;
    }
    if (!strcmp(name, "--rate")) {
        int err = parse_u64(v, 1, 100000000, &n);
        s->rate = err ? 0 : n * 1000;
        return err;
    }
    if (!strcmp(name, "--backlog")) {
        int err = parse_u64(v, 1500, 1 << 30, &n);
        s->backlog = (uint32_t)n;
        return err;
    }
    return 1; /* no option of a shape */
}

static int line_option(struct program *g, struct line *l, const char *name, const char *v)
{
    char why[512];
    uint64_t n = 0;
    struct addr a;

    if (!strcmp(name, "--seed")) {
        int err = parse_u64(v, 0, UINT64_MAX, &n);
        l->dice.state = n;
        return err;
    }
    if (!strcmp(name, "--mtu")) {
        if (parse_u64(v, 68, 65535, &n))
            return -EINVAL;
        for (int w = 0; w < 2; w++)
            if (g->ways >> w & 1)
                l->mtu[w] = (uint32_t)n;
        return 0;
    }
    if (!strcmp(name, "--hop")) {
        if (addr_parse(v, &a))
            return -EINVAL;
        *(a.family == 4 ? &l->hop4 : &l->hop6) = a;
        return 0;
    }
    if (!strcmp(name, "--rule")) {
        if (l->nrules == RULES_MAX || rule_parse(&l->rules[l->nrules], v, why, sizeof(why))) {
            fprintf(stderr, "tunrouter: %s\n", l->nrules == RULES_MAX ? "too many rules" : why);
            return -EINVAL;
        }
        l->nrules++;
        return 0;
    }
    int err = 1;
    for (int k = 0; k < 4 && err >= 0; k++)
        if (g->stretches >> (k / 2) & 1 && g->ways >> (k % 2) & 1)
            err = shape_option(&l->shape[k / 2][k % 2], name, v);
    return err;
}

static bool word_option(struct program *g, struct line *l, const char *name)
{
    if (!strcmp(name, "--up"))
        g->ways = 1;
    else if (!strcmp(name, "--down"))
        g->ways = 2;
    else if (!strcmp(name, "--both"))
        g->ways = 3;
    else if (!strcmp(name, "--near"))
        g->stretches = 1 << NEAR;
    else if (!strcmp(name, "--far"))
        g->stretches = 1 << FAR;
    else if (!strcmp(name, "--mtu-silent") && l)
        l->mtu_silent = true;
    else if (!strcmp(name, "--log"))
        g->log = true;
    else if (!strcmp(name, "--check"))
        g->check = true;
    else if (!strcmp(name, "--stay"))
        g->stay = true;
    else
        return false;
    return true;
}

static int new_line(struct program *g, const char *client, const char *server)
{
    struct line *l = NULL;

    if (g->nlines == LINES_MAX || !(l = calloc(1, sizeof(*l))) || line_init(l, 1)) {
        free(l);
        return usage(g->nlines == LINES_MAX ? "at most 8 lines" : "no memory", NULL);
    }
    g->lines[g->nlines++] = l;
    l->leave = write_out;
    l->arg = g;
    g->ways = 3;
    g->stretches = 1 << FAR;
    const char *const specs[] = {client, server};
    for (int i = 0; i < 2 && !g->check; i++) {
        int err = port_open(&l->port[i], specs[i]);
        if (err) {
            fprintf(stderr, "tunrouter: %s: %s\n", specs[i], strerror(-err));
            return 3;
        }
    }
    return 0;
}

static int options(struct program *g, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct line *l = g->nlines ? g->lines[g->nlines - 1] : NULL;
        int rc = 0;
        if (word_option(g, l, argv[i]))
            continue;
        if (!strcmp(argv[i], "--line") && i + 2 < argc) {
            if ((rc = new_line(g, argv[i + 1], argv[i + 2])))
                return rc;
            i += 2;
            continue;
        }
        if (i + 1 == argc)
            return usage("unknown option, or one without its value:", argv[i]);
        if (!strcmp(argv[i], "--plain")) {
            rc = g->check ? 0 : port_plain(argv[++i]);
            if (rc) {
                fprintf(stderr, "tunrouter: --plain %s: %s\n", argv[i], strerror(-rc));
                return 3;
            }
            continue;
        }
        if (!l)
            return usage("--line comes before", argv[i]);
        rc = line_option(g, l, argv[i], argv[i + 1]);
        if (rc > 0)
            return usage("unknown option", argv[i]);
        if (rc < 0)
            return usage("wrong value of", argv[i]);
        i++;
    }
    return g->nlines ? 0 : usage("no --line", NULL);
}

/* ---- the loop ---- */
static void read_port(struct line *l, enum way way, uint8_t *buf)
{
    struct port *p = &l->port[way == DOWN];

    for (int i = 0; i < 256; i++) { /* then the others get their turn */
        ssize_t n = port_read(p, buf, RAW_MAX);
        if (n < 0)
            return;
        if (n > 0)
            line_enter(l, way, buf, (size_t)n, now_ns());
        else
            port_pass_frame(p, &l->port[way == UP]);
    }
}

static void loop(struct program *g)
{
    static uint8_t buf[RAW_MAX];
    struct pollfd fds[2 * LINES_MAX + 1];
    int n = 2 * g->nlines;

    for (int i = 0; i < n; i++)
        fds[i] = (struct pollfd){g->lines[i / 2]->port[i % 2].fd, POLLIN, 0};
    fds[n] = (struct pollfd){g->stay ? -1 : STDIN_FILENO, POLLIN, 0};
    while (!stop) {
        nstime next = NSTIME_NONE, now = now_ns();
        for (int i = 0; i < g->nlines; i++) {
            nstime t = line_run(g->lines[i], now);
            if (t != NSTIME_NONE)
                next = next == NSTIME_NONE ? t : MIN_OF(next, t);
        }
        nstime span = next == NSTIME_NONE ? 0 : MAX_OF(next - now_ns(), 0);
        struct timespec ts = {span / NS_PER_SEC, span % NS_PER_SEC};
        if (ppoll(fds, (nfds_t)n + 1, next == NSTIME_NONE ? NULL : &ts, NULL) < 0)
            continue;
        for (int i = 0; i < n; i++)
            if (fds[i].revents)
                read_port(g->lines[i / 2], i % 2 ? DOWN : UP, buf);
        char sink[64];
        if (fds[n].revents && read(STDIN_FILENO, sink, sizeof(sink)) <= 0)
            stop = 1;
    }
}

static void say_counts(const struct program *g)
{
    for (int i = 0; i < g->nlines; i++) {
        const struct line *l = g->lines[i];
        printf("line %d up %llu down %llu lost %llu\n", i + 1, (unsigned long long)l->passed[UP],
               (unsigned long long)l->passed[DOWN], (unsigned long long)l->lost);
        for (int k = 0; k < l->nrules; k++)
            printf("line %d rule %d fired %llu: %s\n", i + 1, k + 1,
                   (unsigned long long)l->rules[k].fired, l->rules[k].text);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct program g = {.ways = 3, .stretches = 1 << FAR};
    struct sigaction sa = {.sa_handler = on_signal};

    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return fputs(help, stdout) < 0;
    int rc = options(&g, argc, argv);
    if (!rc && !g.check) {
        sigaction(SIGTERM, &sa, NULL);
        sigaction(SIGINT, &sa, NULL);
        for (int i = 0; g.log && i < g.nlines; i++)
            g.lines[i]->told = log_line;
        setvbuf(stderr, NULL, _IOLBF, 0);
        printf("ready\n");
        fflush(stdout);
        loop(&g);
        say_counts(&g);
    }
    for (int i = 0; i < g.nlines; i++) {
        line_release(g.lines[i]);
        free(g.lines[i]);
    }
    return rc;
}
