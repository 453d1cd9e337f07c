/* What the files of the dns probe share: c-ares on the loop, the reading of answers, the survey of
 * every server. */
#ifndef PROBE_DNS_H
#define PROBE_DNS_H

#include "probe/internal.h"
#include <ares.h>

enum {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_OPT = 41,
    DNS_SVCB = 64,
    DNS_HTTPS = 65,
    DNS_CAA = 257
};

/* ---- asker.c: one c-ares channel on the loop ---- */
struct watched_fd;
struct asker {
    struct loop *l;
    ares_channel channel;
    bool open;
    struct timer *timer;
    struct watched_fd *fds;
};
/* servers: as ares_set_servers_ports_csv() wants them; NULL: the system's. */
int asker_open(struct asker *a, struct loop *l, const char *servers, int flags, int tries);
void asker_close(struct asker *a); /* not from inside an answer */
void asker_search(struct asker *a, const char *name, int type, ares_callback fn, void *arg);
enum failure failure_of_dns(int status); /* of ARES_ */

/* ---- answer.c: pure ---- */
struct answer { /* one message */
    struct addr addrs[ADDRESSES_MAX];
    size_t naddr, left_out, records; /* records: of the type that was asked for */
    bool damaged, truncated;
    uint8_t rcode;
    char name[256];  /* of the first record */
    char why[160];   /* RFC 8914: extended errors, clean */
    char first[300]; /* the first record of the asked type as text */
};
void answer_read(struct answer *a, const uint8_t *msg, size_t len, uint16_t type);
/* "SRV 1 5 5060 host ttl 30": the data as zone files have it; false: damaged. */
bool record_text(struct strbuf *out, const struct dns_record *rr, const uint8_t *msg, size_t len);
uint16_t dns_type_by_name(const char *name);     /* 0 unknown */
uint16_t start_dns_type(const struct start *st); /* dns://name/TYPE; 0: the addresses */

/* ---- survey.c: every server on its own, and what getaddrinfo(3) says ---- */
struct survey;
struct survey *survey_begin(struct prober *p, const struct start *st, ares_channel servers,
                            void (*done)(void *arg), void *arg);
bool survey_over(const struct survey *s);
/* Fields: against what the lookup found. */
void survey_put(const struct survey *s, struct result *r, const struct addr *found, size_t n);
void survey_free(struct survey *s);
void survey_facts(struct facts *out, const struct result *r);

#endif
