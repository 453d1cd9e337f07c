/* What a peer says to our ClientHello: { shape of the hello in 8 bits, bytes in pieces }. */
#include "fuzz.h"

#include "probe/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {NULL, "a.example"};
    static const char *const alpns[] = {NULL, "h2,http/1.1"};
    struct talk_options o = {0};
    struct talk_seen seen;
    struct talk *t;
    const void *out;
    char buf[512];

    if (!size)
        return 0;
    o.name = names[data[0] & 1];
    o.alpn = alpns[data[0] >> 1 & 1];
    o.max = data[0] & 4 ? 0x0303 : 0;
    o.pad = data[0] & 8 ? 1400 : 0;
    MUST(talk_new(&t, &o) == 0);
    talk_input(t, NULL, 0);
    MUST(talk_output(t, &out) > 40); /* the hello */
    size_t piece = 1 + (data[0] >> 4) * 37u;
    for (size_t at = 1; at < size; at += piece) {
        size_t n = MIN_OF(piece, size - at);
        /* A copy of the exact size shows a step beyond its end. */
        uint8_t *copy = malloc(n);
        MUST(copy != NULL);
        memcpy(copy, data + at, n);
        enum talk_state st = talk_input(t, copy, n);
        free(copy);
        talk_sent(t, talk_output(t, &out));
        MUST(talk_output(t, &out) == 0);
        if (st == TALK_BROKEN)
            break;
        if (st == TALK_STANDS)
            MUST(talk_read(t, buf, sizeof(buf)) <= (ssize_t)sizeof(buf));
    }
    talk_look(t, &seen);
    MUST(!seen.stands || seen.server_hello);
    talk_free(t);
    return 0;
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    /* An alert (RFC 8446 6), a ServerHello of TLS 1.2 (RFC 5246 7.4.1.3), and no TLS at all. */
    static const char alert[] = "\x01\x15\x03\x03\x00\x02\x02\x28";
    static const char hello[] = "\x75\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03"
                                "0123456789abcdef0123456789abcdef\x00\xc0\x2f\x00"
                                "\x16\x03\x03\x00\x04\x0e\x00\x00\x00";
    static const char plain[] = "\xf2HTTP/1.1 400 Bad Request\r\n\r\n";

    add(arg, alert, sizeof(alert) - 1);
    add(arg, hello, sizeof(hello) - 1);
    add(arg, plain, sizeof(plain) - 1);
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    (void)file;
    (void)len;
    (void)add;
    (void)arg;
}
