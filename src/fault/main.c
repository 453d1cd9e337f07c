/* rstfault: starts the demo's misbehaving servers and prints a targets-file line for each. */
#include "config.h"
#include "fault/fault.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct demo {
    struct loop *loop;
    const struct fault **chosen; /* in the order they are started and printed */
    struct server **servers;
    size_t nr, chosen_alloc;
    struct signal_watch *term, *interrupt;
    struct watch *in, *out;
};

static const struct option options[] = {
    {"list", no_argument, NULL, 'l'},
    {"entry", required_argument, NULL, 'e'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static void usage(FILE *to)
{
    fputs(_("Usage: rstfault [--entry NAME]... | --list\n"
            "Servers on loopback that each misbehave in one way, for rstconsole --demo.\n"
            "\n"
            "  -e, --entry NAME   start only this entry (may be repeated)\n"
            "  -l, --list         list the entries and end\n"
            "  -h, --help         show this help and end\n"
            "  -V, --version      show the version and end\n"
            "\n"
            "Prints a line of a targets file for each entry, then \"ready\"; ends at SIGTERM,\n"
            "when the reader of its output goes away, or with the process that started it.\n"),
          to);
}

static void list_faults(void)
{
    for (size_t i = 0; i < faults_nr; i++)
        printf("%-10s %s\n", faults[i]->name, _(faults[i]->about));
}

static int choose(struct demo *d, const struct fault *f)
{
    int rc = ARRAY_GROW(d->chosen, d->nr + 1, d->chosen_alloc);

    if (rc < 0)
        return rc;
    d->chosen[d->nr++] = f;
    return 0;
}

/* Fisher-Yates: neither the order nor the ports shall tell which entry is which. */
static void shuffle(struct demo *d)
{
    for (size_t i = d->nr; i > 1; i--) {
        uint64_t r = 0;
        if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
            return;
        size_t j = (size_t)(r % i);
        const struct fault *f = d->chosen[i - 1];
        d->chosen[i - 1] = d->chosen[j];
        d->chosen[j] = f;
    }
}

static int start(struct demo *d)
{
    d->servers = calloc(d->nr, sizeof(struct server *));
    if (!d->servers)
        return -ENOMEM;
    for (size_t i = 0; i < d->nr; i++) {
        int rc = server_new(d->loop, d->chosen[i], &d->servers[i]);
        if (rc < 0) {
            fprintf(stderr, _("rstfault: %1$s does not start: %2$s\n"), d->chosen[i]->name,
                    strerror(-rc));
            return rc;
        }
    }
    return 0;
}

static int announce(const struct demo *d)
{
    for (size_t i = 0; i < d->nr; i++) {
        const struct server *s = d->servers[i];
        bool tcp = !strcmp(s->fault->scheme, "tcp");
        printf("target %s://127.0.0.1:%u%s name=%s%s\n", s->fault->scheme, s->port, tcp ? "" : "/",
               s->fault->name, s->fault->options);
    }
    printf("ready\n");
    return fflush(stdout) ? -errno : 0;
}

static void on_signal(void *arg, int signo)
{
    struct demo *d = arg;

    (void)signo;
    loop_quit(d->loop);
}

static void on_stdin(void *arg, int events)
{
    struct demo *d = arg;
    char buf[512];
    ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

    (void)events;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        loop_quit(d->loop);
}

/* The write end of a pipe is never readable: an event on it means that its reader has gone. */
static void on_stdout(void *arg, int events)
{
    struct demo *d = arg;

    (void)events;
    loop_quit(d->loop);
}

static bool is_pipe(int fd)
{
    struct stat st;

    return !fstat(fd, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static int watch_ends(struct demo *d)
{
    d->term = loop_signal(d->loop, SIGTERM, on_signal, d);
    d->interrupt = loop_signal(d->loop, SIGINT, on_signal, d);
    if (is_pipe(STDIN_FILENO))
        d->in = loop_watch(d->loop, STDIN_FILENO, LOOP_READ, on_stdin, d);
    if (is_pipe(STDOUT_FILENO))
        d->out = loop_watch(d->loop, STDOUT_FILENO, LOOP_READ, on_stdout, d);
    return d->term && d->interrupt ? 0 : -ENOMEM;
}

static void release(struct demo *d)
{
    for (size_t i = 0; d->servers && i < d->nr; i++)
        server_free(d->servers[i]);
    free(d->servers);
    free(d->chosen);
    watch_stop(d->in);
    watch_stop(d->out);
    signal_watch_stop(d->term);
    signal_watch_stop(d->interrupt);
    loop_free(d->loop);
}

static int serve(struct demo *d)
{
    bool all = !d->nr;
    int rc = 0;

    for (size_t i = 0; all && i < faults_nr && !rc; i++)
        rc = choose(d, faults[i]);
    d->loop = loop_new();
    if (rc || !d->loop)
        return -ENOMEM;
    shuffle(d);
    rc = watch_ends(d);
    if (!rc)
        rc = start(d);
    if (!rc)
        rc = announce(d);
    if (!rc)
        rc = loop_run(d->loop);
    return rc;
}

/* 0: go on; else the exit status plus one. */
static int parse(struct demo *d, int argc, char **argv)
{
    const struct fault *f;
    int opt;

    while ((opt = getopt_long(argc, argv, "e:lhV", options, NULL)) != -1) {
        switch (opt) {
        case 'l': list_faults(); return 1;
        case 'h': usage(stdout); return 1;
        case 'V': printf("rstfault %s\n", PACKAGE_VERSION); return 1;
        case 'e':
            f = fault_by_name(optarg);
            if (f && !choose(d, f))
                break;
            fprintf(stderr, _("rstfault: no entry is called '%s' (see --list)\n"), optarg);
            return 3;
        default: usage(stderr); return 3;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 3;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct demo d = {0};
    int rc;

    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    textdomain(PACKAGE);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    rc = parse(&d, argc, argv);
    if (rc) {
        free(d.chosen);
        return rc - 1;
    }
    rc = serve(&d);
    if (rc < 0 && rc != -EPIPE)
        fprintf(stderr, "rstfault: %s\n", strerror(-rc));
    release(&d);
    return rc < 0 ? 3 : 0;
}
