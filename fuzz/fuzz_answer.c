/* DNS answers as the dns probe tells them: { type in 8 bits, message }. */
#include "fuzz.h"

#include "probe/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t asked[] = {DNS_A,   DNS_AAAA, DNS_HTTPS, DNS_SVCB, DNS_SRV,
                                     DNS_TXT, DNS_MX,   DNS_CNAME, DNS_SOA,  DNS_CAA};
    struct answer a;

    if (!size)
        return 0;
    /* A copy of the exact size shows a step behind its end. */
    uint8_t *copy = malloc(size);
    MUST(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    answer_read(&a, copy, size - 1, asked[data[0] % ARRAY_SIZE(asked)]);
    MUST(a.naddr <= ARRAY_SIZE(a.addrs) && a.naddr + a.left_out <= a.records);
    must_be_clean(a.name, sizeof(a.name));
    must_be_clean(a.why, sizeof(a.why));
    must_be_clean(a.first, sizeof(a.first));
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
#define HEAD    "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\1a\7example\0"
        SEED("\x00" HEAD "\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\4"),
        SEED("\x02" HEAD "\0\x41\0\1\xc0\x0c\0\x41\0\1\0\0\0\1\0\x1b\0\1\0\0\1\0\6\2h2\2h3\0\3\0\2"
             "\x20\xfb\0\4\0\4\1\2\3\4"),
        SEED("\x04" HEAD "\0\x21\0\1\xc0\x0c\0\x21\0\1\0\0\0\1\0\x0a\0\1\0\5\x13\xc4\1b\xc0\x0e"),
        SEED("\x05" HEAD "\0\x10\0\1\xc0\x0c\0\x10\0\1\0\0\0\1\0\4\3abc"),
        SEED(
            "\x00\x12\x34\x81\x82\0\1\0\0\0\0\0\1\1a\7example\0\0\1\0\1\0\0\x29\4\xd0\0\0\0\0\0\x0a"
            "\0\x0f\0\6\0\6sig!"),
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
