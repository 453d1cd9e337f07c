/*
 * capdump: what capture/ makes of a source, as lines. For the tests, and by hand.
 *
 *   capdump [-f FILTER] [-q] [-n N] [-x N] FILE      a file, or - for stdin; -n stops at record N,
 *                                                    -x frees the capture there
 *   capdump -L [-f FILTER] [-i IF]... [-q]           live; settles at each line of stdin, stops at
 *                                                    its end
 *   capdump -l | -H | -P                             interfaces, the hint, the helper's path
 *
 * Prints `record NUMBER TIME CAPLEN/LEN LINK` each (not with -q), `state NAME KIND TEXT`, and last
 * `total PACKETS BYTES seen N dropped N|? truncated N`.
 */
#include "capture/capture.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dump {
    struct loop *loop;
    struct capture *capture;
    bool quiet;
    uint64_t stop_after, frees_after;
    enum capture_state state;
    enum capture_error kind;
    struct watch *in;
    uint64_t checksum; /* of all bytes handed out, so that -q reads them too */
};

static const char *const states[] = {"STARTING", "READY", "ENDED", "FAILED"};
static const char *const kinds[] = {"NONE", "PERMISSION", "NO_INTERFACE", "FILTER",
                                    "FILE", "FORMAT",     "HELPER"};

static void say_total(const struct capture_stats *s)
{
    char dropped[24] = "?";

    if (s->dropped_known)
        snprintf(dropped, sizeof dropped, "%llu", (unsigned long long)s->dropped);
    printf("total %llu %llu seen %llu dropped %s truncated %llu\n", (unsigned long long)s->packets,
           (unsigned long long)s->bytes, (unsigned long long)s->seen, dropped,
           (unsigned long long)s->truncated);
    fflush(stdout);
}

static void on_record(void *arg, const struct record *rec, void *made)
{
    struct dump *d = arg;

    (void)made;

    d->checksum += rec->caplen ? rec->data[0] + rec->data[rec->caplen - 1] : 1;
    if (!d->quiet)
        printf("record %llu %lld %u/%u %s\n", (unsigned long long)rec->number, (long long)rec->time,
               rec->caplen, rec->len, link_name(rec->link));
    if (rec->number == d->stop_after)
        capture_stop(d->capture);
    if (rec->number == d->frees_after) {
        capture_free(d->capture);
        d->capture = NULL;
        loop_quit(d->loop);
    }
}

static void on_state(void *arg, enum capture_state state, enum capture_error err, const char *text)
{
    struct dump *d = arg;

    d->state = state;
    d->kind = err;
    printf("state %s %s %s\n", states[state], kinds[err], text);
    for (size_t i = 0; state == CAPTURE_READY && i < capture_interfaces(d->capture); i++)
        printf("interface %s\n", capture_interface(d->capture, i));
    fflush(stdout);
    if (state == CAPTURE_ENDED || state == CAPTURE_FAILED)
        loop_quit(d->loop);
}

static void on_settled(void *arg)
{
    struct dump *d = arg;

    printf("settled %llu\n", (unsigned long long)capture_get_stats(d->capture)->packets);
    fflush(stdout);
}

/* Each line of stdin settles; its end stops. */
static void on_input(void *arg, int events)
{
    struct dump *d = arg;
    char buf[256];

    (void)events;
    ssize_t n = read(STDIN_FILENO, buf, sizeof buf);
    for (ssize_t i = 0; i < n; i++)
        if (buf[i] == '\n')
            capture_settle(d->capture, on_settled, d);
    if (n <= 0) {
        watch_stop(d->in);
        d->in = NULL;
        capture_stop(d->capture);
    }
}

static int list(char what)
{
    struct strbuf sb = STRBUF_INIT;
    char err[256] = "", path[4096];
    int r = 0;

    if (what == 'l')
        r = capture_list_interfaces(&sb, err, sizeof err);
    else if (what == 'H')
        capture_permission_hint(&sb);
    else
        r = capture_helper_path(path, sizeof path);
    printf("%s%s\n", what == 'P' && r == 0 ? path : sb.buf, err);
    strbuf_release(&sb);
    return r < 0 ? 3 : 0;
}

static int run(struct dump *d, const char *file, const char *const *ifs, size_t nifs,
               const char *filter)
{
    struct capture_callbacks cb = {.on_record = on_record, .on_state = on_state, .arg = d};
    char err[1024] = "";
    int r;

    if (file)
        r = capture_open_file(&d->capture, d->loop, file, filter, &cb, err, sizeof err, &d->kind);
    else
        r = capture_open_live(&d->capture, d->loop, ifs, nifs, filter, &cb);
    if (r < 0) {
        printf("refused %s %s\n", kinds[d->kind], err);
        return 3;
    }
    if (!file)
        d->in = loop_watch(d->loop, STDIN_FILENO, LOOP_READ, on_input, d);
    loop_run(d->loop);
    watch_stop(d->in);
    if (d->capture)
        say_total(capture_get_stats(d->capture));
    capture_free(d->capture);
    return d->state == CAPTURE_FAILED ? 3 : 0;
}

int main(int argc, char **argv)
{
    struct dump d = {.loop = loop_new()};
    const char *ifs[16], *filter = NULL, *file = NULL;
    size_t nifs = 0;
    bool live = false;
    uint64_t n = 0;
    int c;

    while ((c = getopt(argc, argv, "f:i:qn:x:LlHP")) != -1) {
        switch (c) {
        case 'f': filter = optarg; break;
        case 'i':
            if (nifs < ARRAY_SIZE(ifs))
                ifs[nifs++] = optarg;
            break;
        case 'q': d.quiet = true; break;
        case 'n':
        case 'x':
            if (parse_u64(optarg, 1, UINT64_MAX, &n) < 0)
                return 2;
            *(c == 'n' ? &d.stop_after : &d.frees_after) = n;
            break;
        case 'L': live = true; break;
        case 'l':
        case 'H':
        case 'P': loop_free(d.loop); return list((char)c);
        default: return 2;
        }
    }
    file = live ? NULL : argv[optind];
    if (!d.loop || (!live && !file))
        return 2;
    int r = run(&d, file, ifs, nifs, filter);
    loop_free(d.loop);
    return r;
}
