/* Packets: the input is link types and packets in a row, so that fragments can meet:
 * { link type 16 bits, wire length beyond what is here 8 bits, length 16 bits, bytes }... */
#include "fuzz.h"

static void check(const struct packet *p, const struct record *rec)
{
    const uint8_t *end = rec->data + rec->caplen;
    char text[64], flags[9];
    bool ok;

    MUST(p->payload_caplen <= p->payload_len || p->payload_caplen == 0);
    if (p->payload && !p->reassembled && p->payload_caplen)
        MUST(p->payload >= rec->data && p->payload + p->payload_caplen <= end);
    for (uint32_t i = 0; i < p->payload_caplen; i++) /* every byte promised can be read */
        ok = *(volatile const uint8_t *)&p->payload[i];
    packet_tcp_checksum(p, &ok);
    if (p->l4 == L4_TCP) {
        MUST(p->tcp.header_len >= 20 && p->tcp.header_len <= 60);
        MUST(p->tcp.nsack <= TCP_SACK_MAX && p->tcp.wscale <= 14);
        tcp_flags_text(flags, p->tcp.flags);
    }
    if (p->l4 == L4_ICMP || p->l4 == L4_ICMP6)
        icmp_text(text, sizeof(text), p->l4 == L4_ICMP6, p->icmp.type, p->icmp.code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(data, size);
    struct defrag *d = defrag_new(16384);
    struct packet p;

    for (int i = 1; d && cur_left(&c) >= 5; i++) {
        struct record rec = {.number = (uint64_t)i, .time = i * NS_PER_MS};
        rec.link = cur_be16(&c);
        uint32_t beyond = cur_u8(&c);
        struct cursor bytes = cur_sub(&c, cur_be16(&c));
        rec.caplen = (uint32_t)cur_left(&bytes);
        rec.len = rec.caplen + beyond;
        rec.data = bytes.p;
        if (packet_decode(&p, &rec, d))
            check(&p, &rec);
        MUST(link_name(rec.link)[0]);
    }
    defrag_free(d);
    return 0;
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    /* IPv4 SYN with options; an IPv6 one behind hop-by-hop and fragment; GRE; ICMP quoting. */
    static const uint8_t v4[] = "\x45\0\0\x3c\0\1\0\0\x40\6\0\0\xc0\0\2\1\xc0\0\2\2\x9c\x40\0\x50"
                                "\1\2\3\4\0\0\0\0\xa0\2\4\0\0\0\0\0\2\4\5\xb4\4\2\x8\xa\0\0\0\1\0\0"
                                "\0\0\1\3\3\7";
    static const uint8_t v6[] = "\x60\0\0\0\0\x24\0\x40\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1"
                                "\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2\x2c\0\1\4\0\0\0\0\6\0\0\0\0\0\0\1"
                                "\x9c\x40\0\x50\1\2\3\4\0\0\0\0\x50\4\4\0\0\0\0\0";
    static const uint8_t gre[] = "\x45\0\0\x54\0\1\0\0\x40\x2f\0\0\xc0\0\2\1\xc0\0\2\2\0\0\x8\0";
    static const uint8_t icmp[] = "\x45\0\0\x58\0\1\0\0\x40\1\0\0\xc0\0\2\1\xc0\0\2\2\3\4\0\0\0\0"
                                  "\5\x78";
    static const uint8_t ether[] = "\2\0\0\0\0\2\2\0\0\0\0\1\x81\0\0\x64\x8\0";
    struct strbuf b = STRBUF_INIT, one = STRBUF_INIT;

    put_packet(&b, LINK_RAW, v4, sizeof(v4) - 1);
    put_packet(&b, LINK_IPV6, v6, sizeof(v6) - 1);
    add(arg, b.buf, b.len);
    strbuf_reset(&b);
    const uint8_t *outer[] = {gre, icmp, ether};
    const size_t len[] = {sizeof(gre) - 1, sizeof(icmp) - 1, sizeof(ether) - 1};
    for (int i = 0; i < 3; i++) {
        strbuf_reset(&one);
        strbuf_add(&one, outer[i], len[i]);
        strbuf_add(&one, v4, sizeof(v4) - 1);
        put_packet(&b, i == 2 ? LINK_EN10MB : LINK_RAW, (const uint8_t *)one.buf, one.len);
    }
    add(arg, b.buf, b.len);
    strbuf_reset(&b);
    for (unsigned i = 0; i < 3; i++) { /* three fragments of one packet */
        uint8_t piece[36];
        memcpy(piece, v4, sizeof(piece));
        piece[3] = sizeof(piece);
        piece[6] = i < 2 ? 0x20 : 0;
        piece[7] = (uint8_t)(i * 2);
        put_packet(&b, LINK_RAW, piece, sizeof(piece));
    }
    add(arg, b.buf, b.len);
    strbuf_release(&b);
    strbuf_release(&one);
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    add_first_packets(file, len, 400, add, arg);
}
