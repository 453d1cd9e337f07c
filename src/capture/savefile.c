#include "capture/source.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A savefile that libpcap alone can read: old and patched forms of pcap. */
struct savefile {
    struct turn *turn;
    pcap_t *pcap;
    uint64_t number;
    uint32_t link;
};

static void savefile_close(struct capture *c)
{
    struct savefile *s = c->source;

    if (!s)
        return;
    turn_stop(s->turn);
    s->turn = NULL;
    if (c->depth > 0 && !c->doomed)
        return;
    if (s->pcap)
        pcap_close(s->pcap);
    free(s);
    c->source = NULL;
}

static void savefile_pause(struct capture *c, bool pause)
{
    struct savefile *s = c->source;

    c->halted = pause;
    turn_set(s->turn, !pause);
}

static void savefile_stop(struct capture *c)
{
    capture_finish(c, CAPTURE_ENDED, CAPERR_NONE, "%s", "");
}

static const struct source_ops savefile_ops = {
    .pause = savefile_pause, .stop = savefile_stop, .close = savefile_close};

/* As capture_walk(): 1 more to come, 0 the end, -1 damage. */
static int walk(struct capture *c, struct savefile *s)
{
    nstime until = loop_clock() + SLICE_NS;
    struct pcap_pkthdr *h;
    const u_char *data;
    int r;

    while ((r = pcap_next_ex(s->pcap, &h, &data)) == 1) {
        struct record rec = {
            .number = ++s->number,
            .time = h->ts.tv_sec * NS_PER_SEC + h->ts.tv_usec, /* nanoseconds, as asked for */
            .caplen = MIN_OF(h->caplen, h->len),
            .len = h->len,
            .link = s->link,
            .data = data,
        };
        c->stats.seen = s->number;
        c->reader.records = s->number;
        if (!capture_deliver(c, &rec) || ((s->number & 63) == 0 && loop_clock() >= until))
            break;
    }
    return r == PCAP_ERROR_BREAK ? 0 : r;
}

static void on_savefile_turn(void *arg)
{
    struct capture *c = arg;
    struct savefile *s = c->source;

    capture_enter(c);
    capture_ready(c);
    if (!c->halted) {
        int r = walk(c, s);
        if (r < 0) {
            snprintf(c->reader.error, sizeof c->reader.error, "%.*s", CAPREAD_ERR_MAX - 1,
                     pcap_geterr(s->pcap));
            capture_finish_damage(c);
        } else if (r == 0) {
            c->reader.format = CAPREAD_PCAP;
            capture_finish_bytes(c, 0);
        }
    }
    capture_leave(c);
}

int savefile_open(struct capture *c, int fd, char *err, size_t errlen, enum capture_error *kind)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    struct savefile *s = calloc(1, sizeof(*s));
    FILE *f = s && lseek(fd, 0, SEEK_SET) == 0 ? fdopen(fd, "rb") : NULL;

    *kind = CAPERR_FORMAT;
    if (!f) {
        close(fd);
        free(s);
        return -EPROTONOSUPPORT;
    }
    c->source = s;
    c->ops = &savefile_ops;
    s->pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!s->pcap) {
        fclose(f);
        return -EPROTONOSUPPORT;
    }
    int dlt = pcap_datalink(s->pcap);
    s->link = dlt == DLT_RAW ? LINK_RAW : (uint32_t)dlt;
    int r = capture_check_link(c, s->link, err, errlen, kind);
    if (r < 0)
        return r;
    c->link_checked = true;
    s->turn = turn_start(c->loop, on_savefile_turn, c);
    if (s->turn)
        return 0;
    *kind = CAPERR_FILE;
    snprintf(err, errlen, "%s", strerror(ENOMEM));
    return -ENOMEM;
}
