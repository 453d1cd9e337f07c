/* -w: every packet, as pcapng, while it comes. */
#include "session/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct write_file {
    int fd, err;
    struct strbuf blocks;
    struct map interfaces;
    uint32_t ninterfaces;
};

int write_file_open(struct write_file **out, const char *path)
{
    struct write_file *w = calloc(1, sizeof(*w));

    if (!w)
        return -ENOMEM;
    strbuf_init(&w->blocks);
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (w->fd < 0) {
        int err = -errno;
        free(w);
        return err;
    }
    pcapng_add_section(&w->blocks, NULL);
    *out = w;
    return 0;
}

static int write_out(struct write_file *w)
{
    const char *p = w->blocks.buf;
    size_t left = w->blocks.len;

    if (!w->err)
        w->err = w->blocks.err;
    while (left && !w->err) {
        ssize_t n = write(w->fd, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            w->err = -errno;
            break;
        }
        p += n;
        left -= (size_t)n;
    }
    strbuf_reset(&w->blocks);
    return w->err;
}

int write_file_add(struct write_file *w, const struct record *rec, const char *interface)
{
    uint64_t key = (uint64_t)rec->link << 32 | (rec->interface + 1ULL);
    struct record mine = *rec;

    if (w->err)
        return w->err;
    if (!map_get(&w->interfaces, key)) {
        pcapng_add_interface(&w->blocks, interface, rec->link, 0);
        w->err = map_set(&w->interfaces, key, ++w->ninterfaces);
    }
    mine.interface = (uint32_t)map_get(&w->interfaces, key) - 1;
    pcapng_add_packet(&w->blocks, &mine, NULL);
    return w->blocks.len > 65536 ? write_out(w) : w->err;
}

int write_file_close(struct write_file *w)
{
    int err;

    if (!w)
        return 0;
    err = write_out(w);
    if (close(w->fd) < 0 && !err)
        err = -errno;
    strbuf_release(&w->blocks);
    map_release(&w->interfaces);
    free(w);
    return err;
}
