/* Reading captures: the classic pcap file and all its magics, and what both formats share. */
#include "wire/capread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCAP_FILE_HEADER 24
#define PCAP_USEC        0xa1b2c3d4U
#define PCAP_NSEC        0xa1b23c4dU
#define PCAP_KUZNETZOV   0xa1b2cd34U /* Linux 2.x patches: 8 more bytes a record header */
#define PCAP_NAVTEL      0xa12b3c4dU

void capread_init(struct capread *r)
{
    *r = (struct capread){.format = CAPREAD_UNKNOWN};
}

void capread_release(struct capread *r)
{
    free(r->ifs);
    capread_init(r);
}

int cap_fail(struct capread *r, int err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->error, sizeof(r->error), fmt, ap);
    va_end(ap);
    return err;
}

uint32_t cap_limit(uint32_t snaplen)
{
    if (snaplen == 0 || snaplen > RECORD_MAX)
        return RECORD_MAX;
    return MAX_OF(snaplen, RECORD_PLAIN);
}

void cap_deliver(struct capread *r, struct record *rec)
{
    rec->number = ++r->records;
    if (rec->len < rec->caplen)
        rec->len = rec->caplen;
    r->truncated += rec->caplen < rec->len;
}

/* Says what a file is that is none of ours, where its first bytes are well known. */
static int not_a_capture(struct capread *r, const uint8_t *b)
{
    static const struct {
        uint32_t magic, mask;
        const char *what;
    } known[] = {
        {0x1f8b0000, 0xffff0000, "gzip-compressed: decompress it first"},
        {0x28b52ffd, 0xffffffff, "zstd-compressed: decompress it first"},
        {0xfd377a58, 0xffffffff, "xz-compressed: decompress it first"},
        {0x04224d18, 0xffffffff, "lz4-compressed: decompress it first"},
        {0x425a6800, 0xffffff00, "bzip2-compressed: decompress it first"},
        {0x504b0304, 0xffffffff, "a zip archive: unpack it first"},
        {0x736e6f6f, 0xffffffff, "a snoop file, not pcap or pcapng"},
    };
    uint32_t magic = rd32(b, true);

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if ((magic & known[i].mask) == known[i].magic)
            return cap_fail(r, -EPROTONOSUPPORT, "the file is %s", known[i].what);
    return cap_fail(r, -EPROTONOSUPPORT,
                    "not a pcap or pcapng file (it begins with the bytes %02x %02x %02x %02x)",
                    b[0], b[1], b[2], b[3]);
}

static bool pcap_magic(struct capread *r, uint32_t magic)
{
    r->record_header = 16;
    switch (magic) {
    case PCAP_USEC:
    case PCAP_NAVTEL: return true;
    case PCAP_NSEC: return r->nanos = true;
    case PCAP_KUZNETZOV: r->record_header = 24; return true;
    default: return false;
    }
}

/* The format, from the first four bytes; r->swapped is "not this host's order": big-endian files
 * on the little-endian machines this runs on. Only rd32's order is ever asked for. */
static int find_format(struct capread *r, const uint8_t *buf, size_t len)
{
    if (len < 4)
        return 0;
    if (rd32(buf, true) == PCAPNG_SECTION) {
        r->format = CAPREAD_PCAPNG;
        return 1;
    }
    for (int big = 0; big < 2; big++)
        if (pcap_magic(r, rd32(buf, big))) {
            r->swapped = big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
            r->format = CAPREAD_PCAP;
            return 1;
        }
    return not_a_capture(r, buf);
}

static bool is_big(const struct capread *r)
{
    return r->swapped != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

static int pcap_file_header(struct capread *r, const uint8_t *b)
{
    bool big = is_big(r);
    uint16_t major = rd16(b + 4, big);

    r->version_minor = rd16(b + 6, big);
    if (major != 2 && major != 543)
        return cap_fail(r, -EBADMSG, "pcap version %u.%u is not known", major, r->version_minor);
    if (major == 543) /* DG/UX, with the lengths of pcap 2.0 */
        r->version_minor = 0;
    r->snaplen = rd32(b + 16, big);
    r->link = rd32(b + 20, big) & 0x03ffffff; /* above: length of the frame check sequence */
    if (ARRAY_GROW(r->ifs, 1, r->ifs_alloc) < 0)
        return cap_fail(r, -ENOMEM, "out of memory");
    r->ifs[0] = (struct capread_if){
        .link = r->link,
        .snaplen = r->snaplen,
        .drops = -1,
        .tick_num = 1,
        .tick_den = r->nanos ? 1000000000 : 1000000,
    };
    r->nifs = 1;
    return 0;
}

/* pcap-savefile(5): seconds, fraction, length here, length on the wire. */
static int pcap_next(struct capread *r, const uint8_t *buf, size_t len, size_t *used,
                     struct record *rec)
{
    bool big = is_big(r);

    if (len < r->record_header) {
        r->torn = len > 0;
        return 0;
    }
    uint32_t sec = rd32(buf, big), frac = rd32(buf + 4, big);
    uint32_t caplen = rd32(buf + 8, big), wire = rd32(buf + 12, big);
    if (r->version_minor < 3 || (r->version_minor == 3 && caplen > wire)) {
        uint32_t t = caplen;
        caplen = wire;
        wire = t;
    }
    if (caplen > cap_limit(r->snaplen))
        return cap_fail(r, -EBADMSG, "record %llu claims %u bytes: the file is damaged here",
                        (unsigned long long)r->records + 1, caplen);
    if (len - r->record_header < caplen) {
        r->torn = true;
        return 0;
    }
    *rec = (struct record){
        .time = sec * NS_PER_SEC + (r->nanos ? frac : frac * NS_PER_US),
        .caplen = caplen,
        .len = wire,
        .link = r->link,
        .data = buf + r->record_header,
    };
    *used += r->record_header + caplen;
    cap_deliver(r, rec);
    return 1;
}

static int walk(struct capread *r, const uint8_t *buf, size_t len, size_t *used, struct record *rec)
{
    if (r->format == CAPREAD_UNKNOWN) {
        int found = find_format(r, buf, len);
        if (found <= 0) {
            r->torn = found == 0 && len > 0;
            return found;
        }
    }
    if (r->format == CAPREAD_PCAPNG)
        return pcapng_next(r, buf, len, used, rec);
    if (r->nifs == 0) {
        if (len < PCAP_FILE_HEADER) {
            r->torn = true;
            return 0;
        }
        int err = pcap_file_header(r, buf);
        if (err < 0)
            return err;
        *used = PCAP_FILE_HEADER;
    }
    return pcap_next(r, buf + *used, len - *used, used, rec);
}

int capread_next(struct capread *r, const uint8_t *buf, size_t len, size_t *used,
                 struct record *rec)
{
    *used = 0;
    /* A record that was torn until now may be whole with what came since. */
    r->truncated -= r->torn;
    r->torn = false;
    int got = walk(r, buf, len, used, rec);
    r->truncated += r->torn;
    return got;
}
