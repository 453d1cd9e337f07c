/* Reading pcapng blocks (draft-ietf-opsawg-pcapng). */
#include "wire/capread.h"

#include <errno.h>
#include <string.h>

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2,
    BLOCK_SIMPLE = 3,
    BLOCK_STATS = 5,
    BLOCK_ENHANCED = 6,
};
enum {
    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_IF_NAME = 2,
    OPT_IF_TSRESOL = 9,
    OPT_IF_TSOFFSET = 14,
    OPT_EPB_FLAGS = 2,
    OPT_ISB_IFDROP = 5,
    OPT_ISB_OSDROP = 7,
};
#define BLOCK_MAX        (RECORD_MAX + (64U << 10))
#define INTERFACES_MAX   65536
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU

/* A block's body, or its options, read in the section's byte order. */
struct reader {
    struct cursor c;
    bool big;
};

static uint16_t get16(struct reader *b)
{
    const uint8_t *at = cur_take(&b->c, 2);

    return at ? rd16(at, b->big) : 0;
}

static uint32_t get32(struct reader *b)
{
    const uint8_t *at = cur_take(&b->c, 4);

    return at ? rd32(at, b->big) : 0;
}

static uint64_t get64(struct reader *b)
{
    uint64_t first = get32(b), second = get32(b);

    return b->big ? first << 32 | second : second << 32 | first;
}

/* The next option; false at the end of the list, or where it is damaged (a damaged option takes
 * nothing with it but the options after it). */
static bool next_option(struct reader *b, uint16_t *code, struct reader *value)
{
    if (cur_left(&b->c) < 4)
        return false;
    *code = get16(b);
    uint16_t len = get16(b);
    if (*code == OPT_END || len > cur_left(&b->c))
        return false;
    *value = (struct reader){cur_sub(&b->c, len), b->big};
    cur_sub(&b->c, MIN_OF((size_t)(-len & 3), cur_left(&b->c)));
    return true;
}

static bool section_big(const struct capread *r)
{
    return r->swapped != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* 4.1 Section Header Block: a new byte order, and a new numbering of interfaces. */
static int read_section(struct capread *r, struct reader b)
{
    struct reader value;
    uint16_t code;

    cur_sub(&b.c, 4); /* the magic: read when the length was */
    uint16_t major = get16(&b), minor = get16(&b);
    cur_sub(&b.c, 8); /* section length: never needed */
    if (b.c.bad)
        return cap_fail(r, -EBADMSG, "a pcapng section header is cut short");
    if (major != 1 || (minor != 0 && minor != 2))
        return cap_fail(r, -EBADMSG, "pcapng version %u.%u is not known", major, minor);
    r->section_first = r->nifs;
    while (next_option(&b, &code, &value))
        if (code == OPT_COMMENT)
            text_clean(r->comment, sizeof(r->comment), value.c.p, cur_left(&value.c));
    return 0;
}

/* if_tsresol: 10^-n seconds, or 2^-n with the top bit set. */
static int set_resolution(struct capread *r, struct capread_if *f, uint8_t resol)
{
    uint8_t n = resol & 0x7f;

    if (n > ((resol & 0x80) ? 63 : 19))
        return cap_fail(r, -EBADMSG, "interface %zu has a time resolution of %s^-%u s", r->nifs,
                        (resol & 0x80) ? "2" : "10", n);
    if (resol & 0x80) {
        f->tick_den = (uint64_t)1 << n;
        return 0;
    }
    for (f->tick_den = 1; n > 0; n--)
        f->tick_den *= 10;
    return 0;
}

/* 4.2 Interface Description Block. */
static int read_interface(struct capread *r, struct reader b)
{
    struct capread_if f = {.drops = -1, .tick_num = 1, .tick_den = 1000000};
    struct reader value;
    uint16_t code;
    int err = 0;

    f.link = get16(&b);
    cur_sub(&b.c, 2);
    f.snaplen = get32(&b);
    if (b.c.bad)
        return cap_fail(r, -EBADMSG, "a pcapng interface block is cut short");
    if (r->nifs >= INTERFACES_MAX)
        return cap_fail(r, -EBADMSG, "more than %d interfaces", INTERFACES_MAX);
    while (err == 0 && next_option(&b, &code, &value)) {
        if (code == OPT_IF_NAME)
            text_clean(f.name, sizeof(f.name), value.c.p, cur_left(&value.c));
        else if (code == OPT_IF_TSRESOL && cur_left(&value.c) >= 1)
            err = set_resolution(r, &f, cur_u8(&value.c));
        else if (code == OPT_IF_TSOFFSET && cur_left(&value.c) >= 8)
            f.offset_s = (int64_t)get64(&value);
    }
    if (err < 0)
        return err;
    if (ARRAY_GROW(r->ifs, r->nifs + 1, r->ifs_alloc) < 0)
        return cap_fail(r, -ENOMEM, "out of memory");
    if (r->nifs == 0) {
        r->link = f.link;
        r->snaplen = f.snaplen;
    }
    r->ifs[r->nifs++] = f;
    return 0;
}

static struct capread_if *interface_of(struct capread *r, uint32_t id)
{
    return id < r->nifs - r->section_first ? &r->ifs[r->section_first + id] : NULL;
}

/* 4.6 Interface Statistics Block: later ones replace earlier ones. */
static void read_stats(struct capread *r, struct reader b)
{
    struct capread_if *f = interface_of(r, get32(&b));
    struct reader value;
    uint16_t code;

    cur_sub(&b.c, 8);
    if (b.c.bad || !f)
        return;
    while (next_option(&b, &code, &value))
        if ((code == OPT_ISB_IFDROP || code == OPT_ISB_OSDROP) && cur_left(&value.c) >= 8) {
            uint64_t n = get64(&value);
            if (n <= INT64_MAX && (code == OPT_ISB_IFDROP || (int64_t)n > f->drops))
                f->drops = (int64_t)n;
        }
}

/* The years 1897 to 2116, so that any two times have a difference; what lies beyond is none. */
#define TIME_FIRST (-((nstime)1 << 61))
#define TIME_LAST  ((nstime)1 << 62)

static nstime tick_time(const struct capread_if *f, uint64_t ticks)
{
    __int128 ns;

    if (f->tick_den == 1000000000)
        ns = ticks;
    else if (f->tick_den == 1000000)
        ns = (__int128)ticks * 1000;
    else
        ns = (__int128)((unsigned __int128)ticks * NS_PER_SEC / f->tick_den);
    ns += (__int128)f->offset_s * NS_PER_SEC;
    return ns > TIME_LAST || ns < TIME_FIRST ? NSTIME_NONE : (nstime)ns;
}

/* epb_flags, bits 0 and 1: inbound 1, outbound 2. */
static uint8_t option_direction(struct reader b)
{
    struct reader value;
    uint16_t code;

    while (next_option(&b, &code, &value))
        if (code == OPT_EPB_FLAGS && cur_left(&value.c) >= 4) {
            uint32_t way = get32(&value) & 3;
            return way == 1 ? DIR_IN : way == 2 ? DIR_OUT : DIR_UNKNOWN;
        }
    return DIR_UNKNOWN;
}

/* 4.3 Enhanced, 4.4 Simple and the obsolete Packet Block. */
static int read_packet(struct capread *r, uint32_t type, struct reader b, struct record *rec)
{
    uint32_t id = 0;
    uint64_t ticks = 0;

    *rec = (struct record){.time = NSTIME_NONE};
    if (type == BLOCK_ENHANCED)
        id = get32(&b);
    else if (type == BLOCK_PACKET_OLD) {
        id = get16(&b);
        cur_sub(&b.c, 2); /* drops since the last packet */
    }
    const struct capread_if *f = interface_of(r, id);
    if (!f)
        return cap_fail(r, -EBADMSG,
                        "packet %llu is of interface %u, which the file does not describe",
                        (unsigned long long)r->records + 1, id);
    if (type == BLOCK_SIMPLE) {
        rec->len = get32(&b);
        rec->caplen = f->snaplen ? MIN_OF(rec->len, f->snaplen) : rec->len;
        rec->caplen = (uint32_t)MIN_OF(rec->caplen, cur_left(&b.c));
    } else {
        ticks = (uint64_t)get32(&b) << 32;
        ticks |= get32(&b);
        rec->time = tick_time(f, ticks);
        rec->caplen = get32(&b);
        rec->len = get32(&b);
    }
    if (b.c.bad || rec->caplen > cap_limit(f->snaplen) || rec->caplen > cur_left(&b.c))
        return cap_fail(r, -EBADMSG, "packet %llu claims %u bytes: the file is damaged here",
                        (unsigned long long)r->records + 1, rec->caplen);
    rec->data = cur_take(&b.c, rec->caplen);
    rec->link = f->link;
    rec->interface = (uint32_t)(f - r->ifs);
    if (type == BLOCK_ENHANCED && cur_left(&b.c) >= 4) {
        cur_sub(&b.c, MIN_OF((size_t)(-rec->caplen & 3), cur_left(&b.c)));
        rec->dir = option_direction(b);
    }
    cap_deliver(r, rec);
    return 1;
}

/* The type and length of the block at the front; a section header first tells the byte order, so
 * it needs 12 bytes. 1, 0 more bytes needed, -EBADMSG. */
static int block_head(struct capread *r, const uint8_t *buf, size_t len, uint32_t *type,
                      uint32_t *total)
{
    if (len < 12)
        return 0;
    if (rd32(buf, true) == PCAPNG_SECTION) { /* reads the same in both orders */
        bool big = rd32(buf + 8, true) == BYTE_ORDER_MAGIC;
        if (!big && rd32(buf + 8, false) != BYTE_ORDER_MAGIC)
            return cap_fail(r, -EBADMSG, "a pcapng section without its byte-order magic");
        r->swapped = big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    }
    *type = rd32(buf, section_big(r));
    *total = rd32(buf + 4, section_big(r));
    if (*total < 12 || *total % 4 || *total > BLOCK_MAX)
        return cap_fail(r, -EBADMSG,
                        "a pcapng block after packet %llu claims %u bytes: the file is "
                        "damaged here",
                        (unsigned long long)r->records, *total);
    return 1;
}

static bool is_packet(uint32_t type)
{
    return type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET_OLD;
}

static int read_block(struct capread *r, uint32_t type, struct reader body, struct record *rec)
{
    if (is_packet(type))
        return read_packet(r, type, body, rec);
    switch (type) {
    case PCAPNG_SECTION: return read_section(r, body);
    case BLOCK_INTERFACE: return read_interface(r, body);
    case BLOCK_STATS: read_stats(r, body); return 0;
    default: return 0; /* name resolution, secrets, what others invent */
    }
}

int pcapng_next(struct capread *r, const uint8_t *buf, size_t len, size_t *used, struct record *rec)
{
    uint32_t type = 0, total = 0;

    while (*used < len) {
        const uint8_t *at = buf + *used;
        size_t left = len - *used;
        int got = block_head(r, at, left, &type, &total);
        if (got < 0)
            return got;
        if (got == 0 || left < total) {
            r->torn = got == 0 || is_packet(type);
            return 0;
        }
        if (rd32(at + total - 4, section_big(r)) != total)
            return cap_fail(r, -EBADMSG,
                            "the two lengths of a block after packet %llu differ: the "
                            "file is damaged here",
                            (unsigned long long)r->records);
        struct reader body = {cursor_of(at + 8, total - 12), section_big(r)};
        got = read_block(r, type, body, rec);
        if (got < 0)
            return got;
        *used += total;
        if (got > 0)
            return 1;
    }
    return 0;
}
