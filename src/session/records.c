/*
 * Zeek's records until the report prints them. Those of a large capture wait in a file without a
 * name, so that memory stays flat however many there are; where no file can be made they are held
 * in memory up to a limit, and what is left out is counted.
 */
#include "session/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS_HELD 8192     /* in memory before they are written */
#define RECORDS_MAX  1000000  /* in memory where they cannot be */
#define SPILL_MAX    10000000 /* in the file */

void records_init(struct records *r)
{
    *r = (struct records){.fd = -1};
}

void records_release(struct records *r)
{
    free(r->held);
    free(r->block);
    if (r->fd >= 0)
        close(r->fd);
    records_init(r);
}

/* Not /tmp first: that is often memory. */
static int open_nameless(void)
{
    const char *dirs[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};

    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        struct strbuf path = STRBUF_INIT;
        if (!dirs[i] || !*dirs[i])
            continue;
        int fd = open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
        strbuf_addf(&path, "%s/rstconsole.XXXXXX", dirs[i]); /* a file system without O_TMPFILE */
        fd = path.err ? -1 : mkostemp(path.buf, O_CLOEXEC);
        if (fd >= 0)
            unlink(path.buf);
        strbuf_release(&path);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static bool write_all(int fd, const void *data, size_t len, off_t at)
{
    const char *p = data;

    while (len) {
        ssize_t n = pwrite(fd, p, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static void spill(struct records *r)
{
    const size_t size = sizeof(*r->held);

    if (r->fd < 0)
        r->fd = open_nameless();
    if (r->fd < 0 || !write_all(r->fd, r->held, r->nheld * size, (off_t)(r->spilled * size))) {
        r->no_file = true;
        return;
    }
    r->spilled += r->nheld;
    r->nheld = 0;
}

bool records_add(struct records *r, const struct flow_record *rec)
{
    if (r->nheld >= RECORDS_HELD && !r->no_file)
        spill(r);
    if (r->spilled >= SPILL_MAX || r->nheld >= RECORDS_MAX ||
        ARRAY_GROW(r->held, r->nheld + 1, r->alloc))
        return false;
    r->held[r->nheld++] = *rec;
    return true;
}

/* The records come in the order of the file: a block is read at a time. */
static bool read_block(struct records *r, uint64_t i)
{
    const size_t size = sizeof(*r->block);
    size_t want = (size_t)MIN_OF(r->spilled - i, (uint64_t)RECORDS_HELD);

    if (!r->block && !(r->block = malloc(RECORDS_HELD * size)))
        return false;
    ssize_t n = pread(r->fd, r->block, want * size, (off_t)(i * size));
    r->block_first = i;
    r->nblock = n > 0 ? (size_t)n / size : 0;
    return r->nblock > 0;
}

uint64_t session_flow_records(const struct session *s)
{
    return s->priv->records.spilled + s->priv->records.nheld;
}

bool session_flow_record(const struct session *s, uint64_t i, struct flow_record *out)
{
    struct records *r = &s->priv->records;

    if (i >= r->spilled) {
        if (i - r->spilled >= r->nheld)
            return false;
        *out = r->held[i - r->spilled];
        return true;
    }
    if ((i < r->block_first || i - r->block_first >= r->nblock) && !read_block(r, i))
        return false;
    *out = r->block[i - r->block_first];
    return true;
}
