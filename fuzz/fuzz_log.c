/* Lines of a log: { any bytes, lines apart by \n }, read one by one and told as facts. */
#include "fuzz.h"

#include "evidence/evidence.h"

#include <string.h>

static void line_is_sound(const struct log_line *l)
{
    MUST(l->error > LOGGED_NOTHING && l->error < LOGGED_COUNT);
    MUST(logged_name(l->error)[0] && logged_title(l->error)[0]);
    must_be_clean(l->words, sizeof(l->words));
    must_be_clean(l->host, sizeof(l->host));
    must_be_clean(l->flags, sizeof(l->flags));
    must_be_clean(l->stage, sizeof(l->stage));
    MUST(l->duration == NSTIME_NONE || l->duration >= 0);
    MUST(l->sent >= -1 && l->received >= -1 && l->alert >= 0 && l->alert < 256);
    MUST(!l->status || (l->status >= 100 && l->status < 600));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data, *end = p + size;
    struct log_digest d = {.nr = 0};
    struct log_line l;
    uint64_t n = 0;

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((nl ? nl : end) - p);
        if (log_line_read(&l, p, len))
            line_is_sound(&l);
        log_digest_add(&d, p, len, ++n);
        p += len + 1;
    }
    MUST(d.lines == n && d.errors <= n && d.nr <= LOG_GROUPS_MAX);
    for (size_t i = 0; i < d.nr; i++) {
        struct facts f;
        facts_init(&f);
        facts_of_log(&f, d.groups[i], "log");
        MUST(f.err || f.nr);
        facts_release(&f);
    }
    log_digest_release(&d);
    return 0;
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    static const char *const seeds[] = {
        "2026/11/22 14:05:12 [error] 31#31: *77 recv() failed (104: Connection reset by peer) "
        "while "
        "reading response header from upstream, client: 10.1.2.3, server: _, request: \"GET / "
        "HTTP/1.1\", upstream: \"http://10.0.0.7:8080/a\", host: \"x\"\n",
        "Nov 22 14:05:12 lb haproxy[314]: 10.0.1.2:33317 [22/Nov/2026:12:14:14.655] in be/srv1 "
        "10/0/30/69/5109 200 2750 - - SD-- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"\n",
        "[2026-04-15T20:17:00.310Z] \"POST /a HTTP/2\" 503 UC 154 0 226 100 \"-\" "
        "\"10.0.0.9:80\"\n",
        "read tcp [::1]:5->[2001:db8::7]:9200: read: connection reset by peer\n",
        "HTTPSConnectionPool(host='es.lan', port=9200): [Errno 104] after 10.5s (100 bytes sent)\n",
        "x: SSL alert number 70 after 3 ms\nbroken pipe to a:1\nbroken pipe to b:2\nEOF\n: EOF\n",
    };

    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
        add(arg, seeds[i], strlen(seeds[i]));
}

/* A capture holds no log; its bytes are as good as any others. */
void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    add(arg, file, len < 4096 ? len : 4096);
}
