/* First words of STARTTLS protocols: { scheme and step in 8 bits, what the server says }. */
#include "fuzz.h"

#include "probe/dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t ports[] = {0, 21, 25, 110};
    uint8_t said[128];
    struct addr self = {.family = 4, .b = {127, 0, 0, 1}};
    struct talk t = {0};

    if (!size)
        return 0;
    enum scheme s = (enum scheme)(SCHEME_SMTP + data[0] % (SCHEME_COUNT - SCHEME_SMTP));
    const struct dialogue *d = dialogue_of(s);
    MUST(d != NULL);
    t.step = (unsigned)(data[0] >> 4) % 3;
    uint16_t port = ports[(data[0] >> 6) % ARRAY_SIZE(ports)];
    /* What lies behind the end is somebody else's: a copy of the exact size shows a step too far.
     */
    uint8_t *copy = malloc(size);
    MUST(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    size_t len = MIN_OF(size - 1, (size_t)WORDS_MAX);
    enum said a = d->hear(&t, copy, len);
    MUST(a <= SAID_FOREIGN && t.used <= len);
    MUST(a != SAID_TLS || t.step || !d->greets);
    must_be_clean(t.version, sizeof(t.version));
    must_be_clean(t.text, sizeof(t.text));
    must_be_clean(t.able, sizeof(t.able));
    MUST(d->say(&t, &self, said, sizeof(said)) <= sizeof(said));
    dialogue_guess(copy, len, port);
    free(copy);
    return 0;
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    static const struct {
        const char *bytes;
        size_t len;
    } seeds[] = {
#define SEED(s) {s, sizeof(s) - 1}
        SEED("\x00"
             "220-mail ESMTP\r\n220 ready\r\n"),
        SEED("\x12"
             "250-a\r\n250-STARTTLS\r\n250 HELP\r\n"),
        SEED("\x24"
             "220 go\r\n"),
        SEED("\x01* OK IMAP4rev1\r\n"),
        SEED("\x13* CAPABILITY STARTTLS\r\na1 OK done\r\n"),
        SEED("\x02+OK pop\r\n"),
        SEED("\x14+OK\r\nUSER\r\nSTLS\r\n.\r\n"),
        SEED("\x03"
             "220 FTP\r\n"),
        SEED("\x04S"),
        SEED("\x05\x37\0\0\0\x0a"
             "8.0.33\0aaaaSALTSALT\0\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
             "\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        SEED("\x06\x30\x0c\2\1\1\x78\7\x0a\1\0\4\0\4\0"),
        SEED("\x07-NOAUTH x\r\n"),
        SEED("\x08hello\r\nSSH-2.0-x\r\n"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
        add(arg, seeds[i].bytes, seeds[i].len);
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    (void)file;
    (void)len;
    (void)add;
    (void)arg;
}
