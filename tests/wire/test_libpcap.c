/* Every corpus file that libpcap can read: the same records, lengths, times and bytes. */
#include <pcap.h>
#include "wire/wire.h"
#include "corpus.h"

static int failures, compared, stopped_early;
static uint64_t total;

#define COMPLAIN(...) (failures++, fprintf(stderr, __VA_ARGS__))

/* One record of each: 1 alike, 0 libpcap is at its end, -1 different. */
static int compare_one(pcap_t *p, struct capread *r, const uint8_t *bytes, size_t len, size_t *at,
                       const char *name)
{
    struct pcap_pkthdr *h;
    const u_char *data;
    struct record rec;
    size_t used;
    int theirs = pcap_next_ex(p, &h, &data);
    int ours = capread_next(r, bytes + *at, len - *at, &used, &rec);

    *at += used;
    if (theirs != 1) {
        /* An error of libpcap's may be a torn tail, damage, or a rule of its own. */
        if (theirs == PCAP_ERROR_BREAK && ours == 1)
            COMPLAIN("%s: record %llu is ours alone\n", name, (unsigned long long)r->records);
        if (theirs == PCAP_ERROR && ours == 1) {
            fprintf(stderr, "note: %s: libpcap ends at record %llu: %s\n", name,
                    (unsigned long long)r->records, pcap_geterr(p));
            stopped_early++;
        }
        return 0;
    }
    if (ours != 1) {
        COMPLAIN("%s: after record %llu ours says %d %s\n", name, (unsigned long long)r->records,
                 ours, r->error);
        return -1;
    }
    /* Seconds are unsigned 32 bits in a pcap file, libpcap's are signed; a fraction of more than
     * a second overflows there; simple blocks bear no time, where libpcap says 1970. */
    int64_t sec = r->format == CAPREAD_PCAP ? (uint32_t)h->ts.tv_sec : h->ts.tv_sec;
    nstime t = sec * NS_PER_SEC + h->ts.tv_usec;
    bool timed = rec.time != NSTIME_NONE && h->ts.tv_usec >= 0 && h->ts.tv_usec < NS_PER_SEC;
    uint32_t snap = (uint32_t)pcap_snapshot(p), here = MIN_OF(rec.caplen, MAX_OF(snap, 1));
    uint32_t wire = MAX_OF(h->len, h->caplen);
    if (h->caplen != rec.caplen && h->caplen != here)
        COMPLAIN("%s: record %llu: caplen %u, ours %u\n", name, (unsigned long long)rec.number,
                 h->caplen, rec.caplen);
    else if (memcmp(data, rec.data, h->caplen) != 0)
        COMPLAIN("%s: record %llu: other bytes\n", name, (unsigned long long)rec.number);
    else if (wire != rec.len && rec.len != rec.caplen)
        COMPLAIN("%s: record %llu: len %u, ours %u\n", name, (unsigned long long)rec.number, h->len,
                 rec.len);
    else if (timed && t != rec.time)
        COMPLAIN("%s: record %llu: time %lld, ours %lld\n", name, (unsigned long long)rec.number,
                 (long long)t, (long long)rec.time);
    else
        return 1;
    return -1;
}

static void compare_file(const char *path, const char *name)
{
    char err[PCAP_ERRBUF_SIZE];
    size_t len = 0, at = 0;
    uint8_t *bytes = file_read(path, &len);
    FILE *f = fopen(path, "rb");
    pcap_t *p =
        f ? pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, err) : NULL;

    if (p && bytes) {
        struct capread r;
        capread_init(&r);
        while (compare_one(p, &r, bytes, len, &at, name) == 1)
            total++;
        compared++;
        capread_release(&r);
    }
    free(bytes);
    if (p)
        pcap_close(p);
    else if (f)
        fclose(f);
}

int main(void)
{
    if (corpus_walk(compare_file) == 0) {
        printf("skipped: no corpus (set CORPUS to a folder with rst/, control/, hostile/)\n");
        return 77;
    }
    printf("%d files, %llu records as libpcap reads them; in %d files ours reads on\n", compared,
           (unsigned long long)total, stopped_early);
    return failures ? 1 : 0;
}
