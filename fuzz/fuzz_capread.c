/* Capture files: any bytes, read at once and in pieces: the same records, the same end. */
#include "fuzz.h"

#include <errno.h>

struct outcome {
    uint64_t records, truncated, hash;
    int end;
};

static void read_in_steps(const uint8_t *data, size_t size, size_t step, struct outcome *o)
{
    struct capread r;
    struct record rec;
    size_t at = 0, have = step ? MIN_OF(step, size) : size, used;

    *o = (struct outcome){0};
    capread_init(&r);
    for (;;) {
        o->end = capread_next(&r, data + at, have - at, &used, &rec);
        MUST(used <= have - at);
        at += used;
        if (o->end == 1) {
            MUST(rec.caplen <= rec.len);
            MUST(rec.caplen == 0 || (rec.data >= data && rec.data + rec.caplen <= data + at));
            MUST(rec.interface < r.nifs);
            MUST(rec.number == r.records);
            o->hash = hash_mix(o->hash ^ (uint64_t)rec.time, rec.len);
            o->hash = hash_bytes(o->hash, rec.data, rec.caplen);
            continue;
        }
        if (o->end < 0 || have == size)
            break;
        have = MIN_OF(have + step, size);
    }
    MUST(o->end >= 0 || o->end == -EBADMSG || o->end == -EPROTONOSUPPORT);
    MUST(o->end >= 0 || r.error[0]);
    must_be_clean(r.error, sizeof(r.error));
    must_be_clean(r.comment, sizeof(r.comment));
    for (size_t i = 0; i < r.nifs; i++)
        must_be_clean(r.ifs[i].name, sizeof(r.ifs[i].name));
    o->records = r.records;
    o->truncated = r.truncated;
    capread_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, pieces;

    read_in_steps(data, size, 0, &whole);
    read_in_steps(data, size, 1 + size % 61, &pieces);
    MUST(whole.records == pieces.records && whole.end == pieces.end && whole.hash == pieces.hash);
    MUST(whole.truncated == pieces.truncated);
    MUST(pcapng_whole(data, size) <= size);
    return 0;
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    struct record rec = {
        .time = 1700000000123456789LL, .caplen = 5, .len = 60, .data = (const uint8_t *)"bytes"};
    struct strbuf b = STRBUF_INIT;

    pcap_add_header(&b, LINK_EN10MB, 65535);
    pcap_add_record(&b, &rec);
    pcap_add_record(&b, &rec);
    add(arg, b.buf, b.len);
    b.buf[0] = (char)0xd4; /* microseconds, other order of the same */
    b.buf[1] = (char)0xc3;
    add(arg, b.buf, b.len);
    strbuf_reset(&b);
    for (int i = 0; i < 2; i++) {
        pcapng_add_section(&b, "comment");
        pcapng_add_interface(&b, "eth0", LINK_EN10MB, 0);
        pcapng_add_packet(&b, &rec, i ? "why" : NULL);
        rec.dir = DIR_OUT;
        pcapng_add_stats(&b, 0, rec.time, 10, 1);
    }
    add(arg, b.buf, b.len);
    strbuf_release(&b);
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    add(arg, file, MIN_OF(len, 4096));
}
