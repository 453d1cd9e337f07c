/*
 * rstconsole-capture: the one program that may hold cap_net_raw, and the whole of it.
 *
 * Opens the capture, gives every right away, then writes a plain pcap stream (nanoseconds) on
 * stdout and lines on stderr:
 *   ready LINKTYPE IF...        the ring is live: what happens from now on is in the stream
 *   stats SEEN DROPPED [asked]  records put on stdout, packets the kernel had no room for; each
 *                               second, on SIGUSR1 (`asked`, once all that came before the signal
 *                               is on stdout) and last
 *   error CODE TEXT             PERM, NOIF, FILTER, DOWN or INTERNAL
 *   end                         the stream is complete
 * It reads nothing but its options. It uses libpcap, libcap and libseccomp only.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define IF_MAX      64
#define OUT_SIZE    (256 * 1024)
#define RING_BYTES  (32 * 1024 * 1024) /* a block goes with each 20 ms, however little is in it */
#define RING_MS     20                 /* the kernel hands a block over after this time */
#define SETTLE_NS   (60 * 1000000LL)   /* by then every block open at the signal was handed over */
#define SECOND_NS   1000000000LL
#define SNAPLEN_MAX 262144 /* libpcap's own maximum: a loopback frame is 65550 bytes */
#define SLL2_HEADER 20

enum { EXIT_ENDED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
    const char *ifs[IF_MAX];
    int nifs;
    const char *filter;
    int snaplen;
    bool no_promisc;
};

/* Waits until what had arrived at a moment is on stdout. */
struct settle {
    bool on;
    int64_t wall;  /* the moment; packets bear the wall clock */
    int64_t until; /* monotonic: the ring's timeout has handed all over by then */
};

struct helper {
    pcap_t *pcap;
    int signals; /* signalfd */
    uint32_t linktype;
    unsigned ifindex[IF_MAX]; /* several interfaces: those of `any` that are wanted */
    int nifindex;
    uint64_t written, dropped;
    uint32_t kernel_drop; /* libpcap's 32-bit count as last read */
    int64_t last_packet;  /* wall clock of the newest record */
    int64_t next_stats;
    bool empty;   /* the ring had nothing at the last look */
    bool no_peer; /* nobody reads stdout any more */
    bool again;   /* SIGUSR1 came while one was being answered */
    struct settle asked, ending;
    uint8_t *out;
    size_t nout;
};

/* The test program puts its attempts here; the shipped program has nothing. */
#ifndef HELPER_LOCKED
#define HELPER_LOCKED(h) ((void)(h))
#endif

/* One line on stderr in one write, so that it is never torn between two writers. */
static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    size_t len = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    line[len++] = '\n';
    ssize_t r = write(STDERR_FILENO, line, len);
    (void)r; /* nobody listens: the stream itself still counts */
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

/* ---- stdout ---- */

static void put_bytes(struct helper *h, const uint8_t *p, size_t n)
{
    while (n > 0 && !h->no_peer) {
        ssize_t r = write(STDOUT_FILENO, p, n);
        if (r > 0) {
            p += r;
            n -= (size_t)r;
        } else if (r < 0 && errno == EAGAIN) {
            struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};
            poll(&out, 1, -1);
        } else if (r < 0 && errno != EINTR) {
            if (errno != EPIPE)
                say("error INTERNAL cannot write to stdout: %s", strerror(errno));
            h->no_peer = true;
        }
    }
}

static void flush_out(struct helper *h)
{
    put_bytes(h, h->out, h->nout);
    h->nout = 0;
}

static void put(struct helper *h, const void *p, size_t n)
{
    if (n > OUT_SIZE - h->nout)
        flush_out(h);
    if (n > OUT_SIZE) {
        put_bytes(h, p, n);
        return;
    }
    memcpy(h->out + h->nout, p, n);
    h->nout += n;
}

/* With several interfaces the capture is on `any`: the SLL2 header bears the interface's index. */
static bool wanted(const struct helper *h, const uint8_t *data, uint32_t caplen)
{
    if (h->nifindex == 0)
        return true;
    if (caplen < SLL2_HEADER)
        return false;
    unsigned index = (unsigned)data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7];
    for (int i = 0; i < h->nifindex; i++)
        if (h->ifindex[i] == index)
            return true;
    return false;
}

static void on_packet(u_char *arg, const struct pcap_pkthdr *ph, const u_char *data)
{
    struct helper *h = (struct helper *)arg;

    /* tv_usec holds nanoseconds, as asked for (pcap_set_tstamp_precision). */
    h->last_packet = ph->ts.tv_sec * SECOND_NS + ph->ts.tv_usec;
    if (!wanted(h, data, ph->caplen))
        return;
    uint32_t head[4] = {(uint32_t)ph->ts.tv_sec, (uint32_t)ph->ts.tv_usec, ph->caplen, ph->len};
    put(h, head, sizeof head);
    put(h, data, ph->caplen);
    h->written++;
}

/* The file header as libpcap writes it: it alone maps DLT_ values to LINKTYPE_ values. */
static int put_header(struct helper *h)
{
    char *buf = NULL;
    size_t len = 0;
    int err = -ENOMEM;
    FILE *f = open_memstream(&buf, &len);

    if (!f)
        return err;
    pcap_dumper_t *d = pcap_dump_fopen(h->pcap, f);
    if (!d) {
        fclose(f);
        goto out;
    }
    pcap_dump_close(d);
    if (len == 24) {
        memcpy(&h->linktype, buf + 20, sizeof h->linktype);
        put(h, buf, len);
        err = 0;
    }
out:
    free(buf);
    return err;
}

/* ---- rights ---- */

static bool file_has_capability(void)
{
    cap_flag_value_t v = CAP_CLEAR;
    cap_t c = cap_get_file("/proc/self/exe");

    if (c) {
        cap_get_flag(c, CAP_NET_RAW, CAP_PERMITTED, &v);
        cap_free(c);
    }
    return v == CAP_SET;
}

/* Says exactly which of the ways to cap_net_raw is closed. */
static void explain_permission(void)
{
    char exe[512];
    struct statvfs fs;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

    exe[n > 0 ? n : 0] = '\0';
    if (cap_get_bound(CAP_NET_RAW) == 0)
        say("error PERM capturing needs cap_net_raw, which this container or service may not use"
            " (it is not in the bounding set): start it with that capability"
            " (docker: --cap-add NET_RAW)");
    else if (geteuid() == 0)
        say("error PERM capturing needs cap_net_raw, which this root user was stripped of");
    else if (!file_has_capability())
        say("error PERM capturing needs cap_net_raw: sudo setcap cap_net_raw=p %s", exe);
    else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        say("error PERM %s has cap_net_raw, but was started with no_new_privs, which voids it",
            exe);
    else if (statvfs(exe, &fs) == 0 && (fs.f_flag & ST_NOSUID))
        say("error PERM %s has cap_net_raw, but lies on a file system mounted nosuid, which voids"
            " it",
            exe);
    else
        say("error PERM %s has cap_net_raw, but did not get it (is it being traced?)", exe);
}

static int set_net_raw(cap_flag_value_t effective)
{
    const cap_value_t want = CAP_NET_RAW;
    cap_flag_value_t permitted = CAP_CLEAR;
    cap_t c = cap_get_proc();

    if (!c)
        return -errno;
    int err = 0;
    if (cap_get_flag(c, want, CAP_PERMITTED, &permitted) < 0 || permitted != CAP_SET)
        err = -EPERM;
    else if (cap_clear(c) < 0 || cap_set_flag(c, CAP_PERMITTED, 1, &want, CAP_SET) < 0 ||
             cap_set_flag(c, CAP_EFFECTIVE, 1, &want, effective) < 0 || cap_set_proc(c) < 0)
        err = -errno;
    cap_free(c);
    return err;
}

/* Started by root for somebody (sudo, pkexec): becomes that user, so that the console, which does
 * the same, may signal it. Capabilities are kept until drop_rights(). */
static int become_user(void)
{
    const char *uid_text = getenv("SUDO_UID") ? getenv("SUDO_UID") : getenv("PKEXEC_UID");
    const char *gid_text = getenv("SUDO_UID") ? getenv("SUDO_GID") : NULL;
    char *end;

    if (geteuid() != 0 || !uid_text || !*uid_text)
        return 0;
    unsigned long uid = strtoul(uid_text, &end, 10);
    if (*end || uid == 0 || uid >= UINT32_MAX)
        return 0;
    const struct passwd *pw = getpwuid((uid_t)uid);
    gid_t gid = pw ? pw->pw_gid : (gid_t)uid;
    if (!pw && gid_text && *gid_text) {
        unsigned long n = strtoul(gid_text, &end, 10);
        gid = !*end && n < UINT32_MAX ? (gid_t)n : gid;
    }
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
        setresgid(gid, gid, gid) < 0 || setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
        return -errno;
    return 0;
}

static int drop_rights(void)
{
    cap_t none = cap_init(); /* all clear */
    int err = 0;

    if (!none)
        return -errno;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
          0); /* needless, and old kernels lack it */
    if (cap_set_proc(none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        err = -errno;
    cap_free(none);
    return err;
}

/* Allows what the loop below needs and nothing else. An AF_PACKET descriptor sends by a plain
 * write(), so write is bound to stdout and stderr; memory never becomes executable. */
static int lock_down(const struct helper *h)
{
    static const int plain[] = {
        SCMP_SYS(poll),          SCMP_SYS(ppoll),           SCMP_SYS(getsockopt),
        SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(munmap),
        SCMP_SYS(brk),           SCMP_SYS(madvise),         SCMP_SYS(futex),
        SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),  SCMP_SYS(restart_syscall),
        SCMP_SYS(exit),          SCMP_SYS(exit_group),
    };
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int err = ctx ? 0 : -ENOMEM;

    for (size_t i = 0; !err && i < sizeof plain / sizeof plain[0]; i++)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, plain[i], 0);
    for (int fd = STDOUT_FILENO; !err && fd <= STDERR_FILENO; fd++)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
                               SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd));
    if (!err)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(read), 1,
                               SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)h->signals));
    if (!err)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                               SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
    /* libpcap asks so whether an interface that went down is gone altogether. */
    if (!err)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                               SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS));
    if (!err)
        err = seccomp_load(ctx);
    seccomp_release(ctx);
    return err;
}

/* ---- opening ---- */

static const char *activate_code(int r)
{
    switch (r) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED: return "PERM";
    case PCAP_ERROR_NO_SUCH_DEVICE: return "NOIF";
    case PCAP_ERROR_IFACE_NOT_UP: return "DOWN";
    default: return "INTERNAL";
    }
}

static int open_ring(struct helper *h, const char *name, const struct options *o)
{
    char err[PCAP_ERRBUF_SIZE] = "";

    h->pcap = pcap_create(name, err);
    if (!h->pcap) {
        say("error INTERNAL %s: %s", name, err);
        return -1;
    }
    pcap_set_snaplen(h->pcap, o->snaplen);
    pcap_set_promisc(h->pcap, !o->no_promisc && strcmp(name, "any") != 0);
    pcap_set_timeout(h->pcap, RING_MS);
    pcap_set_buffer_size(h->pcap, RING_BYTES);
    pcap_set_tstamp_precision(h->pcap, PCAP_TSTAMP_PRECISION_NANO);
    int r = pcap_activate(h->pcap);
    if (r < 0) {
        const char *why = pcap_geterr(h->pcap);
        say("error %s %s: %s", activate_code(r), name, why[0] ? why : pcap_statustostr(r));
        return -1;
    }
    if (pcap_get_tstamp_precision(h->pcap) != PCAP_TSTAMP_PRECISION_NANO) {
        say("error INTERNAL %s: the kernel gives no nanosecond times", name);
        return -1;
    }
    if (strcmp(name, "any") == 0) /* SLL2 tells the interface and the direction of a packet */
        pcap_set_datalink(h->pcap, DLT_LINUX_SLL2);
    return 0;
}

/* One interface is opened by its name. Several share one capture on `any`, from which their
 * packets are picked by interface index: one ring, one order, one link type, and a new link type
 * never has to be squeezed into a pcap stream that can hold only one. */
static int choose_device(struct helper *h, struct options *o, const char **device)
{
    for (int i = 0; i < o->nifs; i++) {
        if (strcmp(o->ifs[i], "any") == 0) {
            o->ifs[0] = "any";
            o->nifs = 1;
        }
    }
    if (o->nifs == 0)
        o->ifs[o->nifs++] = "any";
    *device = o->nifs == 1 ? o->ifs[0] : "any";
    for (int i = 0; o->nifs > 1 && i < o->nifs; i++) {
        h->ifindex[i] = if_nametoindex(o->ifs[i]);
        if (h->ifindex[i] == 0) {
            say("error NOIF %s: no such interface", o->ifs[i]);
            return -1;
        }
        h->nifindex++;
    }
    return 0;
}

static int set_filter(struct helper *h, const char *expr)
{
    struct bpf_program prog;

    if (!expr || !expr[0])
        return 0;
    if (pcap_compile(h->pcap, &prog, expr, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        say("error FILTER %s", pcap_geterr(h->pcap));
        return -1;
    }
    int r = pcap_setfilter(h->pcap, &prog);
    if (r < 0)
        say("error FILTER %s", pcap_geterr(h->pcap));
    pcap_freecode(&prog);
    return r;
}

static int watch_signals(struct helper *h)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    h->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return h->signals < 0 ? -errno : 0;
}

/* Raises the one capability for the moment of opening; before the filter is even parsed it is gone
 * for good. */
static int open_capture(struct helper *h, struct options *o)
{
    const char *device;
    char err[PCAP_ERRBUF_SIZE] = "";

    if (choose_device(h, o, &device) < 0)
        return -1;
    int r = become_user();
    if (r < 0) {
        say("error INTERNAL cannot become the user it was started for: %s", strerror(-r));
        return -1;
    }
    if (set_net_raw(CAP_SET) < 0) {
        explain_permission();
        return -1;
    }
    r = open_ring(h, device, o);
    int drop = drop_rights();
    if (drop < 0)
        say("error INTERNAL cannot give up capabilities: %s", strerror(-drop));
    if (r < 0 || drop < 0 || set_filter(h, o->filter) < 0)
        return -1;
    if (pcap_setnonblock(h->pcap, 1, err) < 0) {
        say("error INTERNAL %s: %s", device, err);
        return -1;
    }
    r = put_header(h);
    if (r == 0)
        r = lock_down(h);
    if (r < 0)
        say("error INTERNAL cannot confine itself: %s", strerror(-r));
    return r;
}

/* ---- the loop ---- */

static void say_stats(struct helper *h, bool asked)
{
    struct pcap_stat st;

    flush_out(h); /* the count must never run ahead of the bytes */
    if (pcap_stats(h->pcap, &st) == 0) {
        h->dropped += (uint32_t)(st.ps_drop - h->kernel_drop);
        h->kernel_drop = st.ps_drop;
    }
    say("stats %llu %llu%s", (unsigned long long)h->written, (unsigned long long)h->dropped,
        asked ? " asked" : "");
    h->next_stats = clock_ns(CLOCK_MONOTONIC) + SECOND_NS;
}

static void settle_begin(struct settle *s)
{
    s->on = true;
    s->wall = clock_ns(CLOCK_REALTIME);
    s->until = clock_ns(CLOCK_MONOTONIC) + SETTLE_NS;
}

/* A block that was open at the moment is handed over by its timeout at the latest; a packet
 * clearly newer means the same sooner. */
static bool settled(const struct helper *h, const struct settle *s, int64_t now)
{
    if (!s->on)
        return false;
    if (h->last_packet > s->wall + 2000000)
        return true;
    return now >= s->until && h->empty;
}

static void take_signals(struct helper *h)
{
    struct signalfd_siginfo si;

    while (read(h->signals, &si, sizeof si) == sizeof si) {
        if (si.ssi_signo != SIGUSR1) {
            if (!h->ending.on)
                settle_begin(&h->ending);
        } else if (h->asked.on) {
            h->again = true;
        } else {
            settle_begin(&h->asked);
        }
    }
}

static void attend(struct helper *h)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC);

    if (settled(h, &h->asked, now)) {
        say_stats(h, true);
        h->asked.on = false;
        if (h->again)
            settle_begin(&h->asked);
        h->again = false;
    }
    if (now >= h->next_stats)
        say_stats(h, false);
}

static int next_timeout(const struct helper *h)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC), at = h->next_stats;

    if (!h->empty)
        return 0;
    if (h->asked.on && h->asked.until < at)
        at = h->asked.until;
    if (h->ending.on && h->ending.until < at)
        at = h->ending.until;
    return at <= now ? 0 : (int)((at - now) / 1000000 + 1);
}

/* Ends when told to, when nobody reads, or when the interface is gone. */
static int run(struct helper *h)
{
    h->next_stats = clock_ns(CLOCK_MONOTONIC) + SECOND_NS;
    h->empty = true;
    for (;;) {
        struct pollfd fds[] = {
            {h->signals, POLLIN, 0},
            {STDOUT_FILENO, 0, 0}, /* POLLERR: the reader is gone */
            {pcap_get_selectable_fd(h->pcap), POLLIN, 0},
        };
        poll(fds, 3, next_timeout(h));
        take_signals(h);
        int n = pcap_dispatch(h->pcap, 4096, on_packet, (u_char *)h);
        h->empty = n <= 0;
        flush_out(h);
        if (h->no_peer || (fds[1].revents & POLLERR))
            return EXIT_ENDED;
        if (n < 0) {
            say_stats(h, false);
            say("error DOWN %s", pcap_geterr(h->pcap));
            return EXIT_FAILED;
        }
        attend(h);
        if (settled(h, &h->ending, clock_ns(CLOCK_MONOTONIC))) {
            say_stats(h, false);
            say("end");
            return EXIT_ENDED;
        }
    }
}

/* ---- the command line ---- */

static void usage(FILE *to)
{
    fprintf(to,
            "Usage: rstconsole-capture [OPTION]...\n"
            "Writes packets on stdout as pcap, and lines on stderr:\n"
            "ready LINKTYPE INTERFACE...  |  stats SEEN DROPPED  |  error CODE TEXT  |  end\n"
            "  -i, --interface IF     repeatable; any (default); several: one LINUX_SLL2 stream\n"
            "  -f, --filter EXPR      pcap-filter(7)\n"
            "  -s, --snaplen BYTES    kept of a packet (%d)\n"
            "  -p, --no-promiscuous   only what the interface would receive anyway\n"
            "  -h, --help             this text\n"
            "  -V, --version          the version\n"
            "SIGUSR1 asks for a stats line, SIGTERM ends. Try:\n"
            "rstconsole-capture -i lo | tcpdump -r -\n",
            SNAPLEN_MAX);
}

static int usage_error(const char *text, const char *what)
{
    say("error INTERNAL %s%s (rstconsole-capture -h tells more)", text, what);
    return EXIT_USAGE;
}

static int add_interface(struct options *o, const char *name)
{
    for (int i = 0; i < o->nifs; i++)
        if (strcmp(o->ifs[i], name) == 0)
            return 0;
    if (o->nifs == IF_MAX)
        return -1;
    o->ifs[o->nifs++] = name;
    return 0;
}

static int parse_snaplen(struct options *o, const char *s)
{
    char *end;

    errno = 0;
    long v = strtol(s, &end, 10);
    if (errno || end == s || *end || v < 64 || v > SNAPLEN_MAX)
        return -1;
    o->snaplen = (int)v;
    return 0;
}

/* -1: go on; else the exit status. */
static int parse_options(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"interface", required_argument, NULL, 'i'},
        {"filter", required_argument, NULL, 'f'},
        {"snaplen", required_argument, NULL, 's'},
        {"no-promiscuous", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "i:f:s:phV", longs, NULL)) != -1) {
        switch (c) {
        case 'i':
            if (add_interface(o, optarg) < 0)
                return usage_error("too many interfaces", "");
            break;
        case 'f': o->filter = optarg; break;
        case 's':
            if (parse_snaplen(o, optarg) < 0)
                return usage_error("-s takes 64 to 262144 bytes, not ", optarg);
            break;
        case 'p': o->no_promisc = true; break;
        case 'h': usage(stdout); return fflush(stdout) ? EXIT_FAILED : EXIT_ENDED;
        case 'V':
            printf("rstconsole-capture %s (%s)\n", PACKAGE_VERSION, pcap_lib_version());
            return fflush(stdout) ? EXIT_FAILED : EXIT_ENDED;
        default: return usage_error("wrong option", "");
        }
    }
    if (optind < argc)
        return usage_error("unexpected argument ", argv[optind]);
    return -1;
}

/* Were 1 or 2 closed, the packet socket could become one of them, and a write to it would send. */
static bool standard_descriptors_open(void)
{
    if (fcntl(STDIN_FILENO, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != STDIN_FILENO)
        return false;
    return fcntl(STDOUT_FILENO, F_GETFD) >= 0 && fcntl(STDERR_FILENO, F_GETFD) >= 0;
}

static void say_ready(const struct helper *h, const struct options *o)
{
    char names[IF_MAX * (IFNAMSIZ + 1)] = "";
    size_t len = 0;

    for (int i = 0; i < o->nifs && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, " %s", o->ifs[i]);
    say("ready %u%s", (unsigned)h->linktype, names);
}

int main(int argc, char **argv)
{
    static struct helper h; /* never freed: the process ends with it */
    struct options o = {.snaplen = SNAPLEN_MAX};

    if (!standard_descriptors_open())
        return EXIT_USAGE;
    int r = parse_options(&o, argc, argv);
    if (r >= 0)
        return r;
    if (isatty(STDOUT_FILENO))
        return usage_error("packets are not written to a terminal: pipe them into a program", "");
    h.out = malloc(OUT_SIZE);
    if (!h.out || watch_signals(&h) < 0) {
        say("error INTERNAL no memory or no descriptors left");
        return EXIT_FAILED;
    }
    if (open_capture(&h, &o) < 0)
        return EXIT_FAILED;
    flush_out(&h);
    HELPER_LOCKED(&h);
    say_ready(&h, &o);
    r = run(&h);
    /* Nothing to tidy up, and an orderly exit would want system calls that are gone now: so does
     * even _exit() where sanitizers stand before it. */
    syscall(SYS_exit_group, r);
    return r;
}
