/* Every corpus file: read whole, decode each packet, and of the first packets of a file every
 * prefix, each in a block of its own size, so that a sanitizer sees a read past the end. With
 * PREFIX_ALL set (make campaign) every prefix of every packet. */
#include "wire/wire.h"
#include "corpus.h"

#define PREFIX_PACKETS 200
#define PREFIX_EVERY   160 /* up to here every length, beyond in steps */
#define PREFIX_STEP    97

static uint64_t packets, ip, tcp, resets, prefixes, unread, damaged;
static int failures;
static bool all; /* every packet, every length */

#define CHECK(cond, name, n)                                                                       \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            failures++;                                                                            \
            fprintf(stderr, "%s: packet %llu: not true: %s\n", name, (unsigned long long)(n),      \
                    #cond);                                                                        \
        }                                                                                          \
    } while (0)

static void check_packet(const struct packet *pkt, const struct record *rec, const char *name)
{
    const uint8_t *end = rec->data + rec->caplen;

    CHECK(pkt->caplen <= pkt->len, name, rec->number);
    CHECK(pkt->payload_caplen <= pkt->payload_len, name, rec->number);
    if (pkt->payload && !pkt->reassembled)
        CHECK(pkt->payload >= rec->data && pkt->payload + pkt->payload_caplen <= end, name,
              rec->number);
    if (pkt->l4 == L4_TCP)
        CHECK(pkt->tcp.header_len >= 20 && pkt->tcp.header_len <= 60, name, rec->number);
}

static void read_words(const struct packet *pkt)
{
    bool is_tcp = pkt->l4 == L4_TCP;
    struct app a;
    char text[160];

    app_decode(&a, pkt->payload, pkt->payload_caplen, is_tcp ? pkt->tcp.sport : pkt->udp_sport,
               is_tcp ? pkt->tcp.dport : pkt->udp_dport);
    rst_payload_text(text, sizeof(text), pkt->payload, pkt->payload_caplen);
    dns_decode(&a, pkt->payload, pkt->payload_caplen);
}

static void decode_prefixes(const struct record *rec, const char *name)
{
    struct packet pkt;
    bool ok;

    for (uint32_t n = 0; n < rec->caplen; n += all || n < PREFIX_EVERY ? 1 : PREFIX_STEP) {
        uint8_t *exact = malloc(n ? n : 1);
        if (!exact)
            return;
        memcpy(exact, rec->data, n);
        struct record cut = *rec;
        cut.caplen = n;
        cut.data = exact;
        if (packet_decode(&pkt, &cut, NULL))
            check_packet(&pkt, &cut, name);
        packet_tcp_checksum(&pkt, &ok);
        if (pkt.payload_caplen && (pkt.l4 == L4_TCP || pkt.l4 == L4_UDP))
            read_words(&pkt);
        free(exact);
        prefixes++;
    }
}

static void read_file(const char *path, const char *name)
{
    size_t len = 0, at = 0, used;
    uint8_t *bytes = file_read(path, &len);
    struct defrag *d = defrag_new(0);
    struct capread r;
    struct record rec;
    struct packet pkt;
    int got = -1;

    capread_init(&r);
    while (bytes && d && (got = capread_next(&r, bytes + at, len - at, &used, &rec)) == 1) {
        at += used;
        CHECK(rec.data >= bytes && rec.data + rec.caplen <= bytes + at, name, rec.number);
        packets++;
        if (packet_decode(&pkt, &rec, d)) {
            check_packet(&pkt, &rec, name);
            ip++;
            tcp += pkt.l4 == L4_TCP;
            resets += pkt.l4 == L4_TCP && (pkt.tcp.flags & TCP_RST);
        }
        if (all || rec.number <= PREFIX_PACKETS)
            decode_prefixes(&rec, name);
    }
    unread += got == -EPROTONOSUPPORT;
    damaged += got == -EBADMSG;
    if (got < 0 && !r.error[0])
        CHECK(r.error[0], name, r.records);
    capread_release(&r);
    defrag_free(d);
    free(bytes);
}

int main(void)
{
    all = getenv("PREFIX_ALL") != NULL;
    int files = corpus_walk(read_file);

    if (files == 0) {
        printf("skipped: no corpus (set CORPUS to a folder with rst/, control/, hostile/)\n");
        return 77;
    }
    printf("%d files (%llu not captures, %llu damaged), %llu packets, %llu IP, %llu TCP, %llu RST, "
           "%llu prefixes\n",
           files, (unsigned long long)unread, (unsigned long long)damaged,
           (unsigned long long)packets, (unsigned long long)ip, (unsigned long long)tcp,
           (unsigned long long)resets, (unsigned long long)prefixes);
    return failures || packets == 0 ? 1 : 0;
}
