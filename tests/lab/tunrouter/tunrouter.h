/*
 * tunrouter: a line between two interfaces with a box on it, for tests: what netem and the
 * middleboxes of the world do to packets.
 *
 * Owns: struct line its ports, queue, flows and rules; one process holds several lines.
 * Frees: line_release().
 * Invariants: packets are read through wire's packet_decode; everything kept is capped (QUEUE_MAX,
 *   FLOWS_MAX, RESIDUAL_MAX). The clock is handed in. One seed fixes every dice roll.
 */
#ifndef TUNROUTER_H
#define TUNROUTER_H

#include <sys/types.h>

#include "wire/wire.h"

/* UP is from the client's port to the server's, DOWN the other way. */
enum way { UP, DOWN };
enum { RAW_MAX = 65536, QUEUE_MAX = 16384, FLOWS_MAX = 4096, RESIDUAL_MAX = 256, RULES_MAX = 64 };

/* ---- dice (splitmix64) ---- */
struct dice {
    uint64_t state;
};
uint64_t dice_next(struct dice *d);
bool dice_hit(struct dice *d, double percent);
nstime dice_span(struct dice *d, nstime below); /* 0 <= result < below; 0 for below <= 0 */

/* ---- port: one end of the line ---- */
struct port {
    int fd; /* -1: none, as in tests */
    bool ethernet;
    bool knows_frame; /* frame: the header to send with, learned from what came in */
    uint8_t frame[14];
    char name[16];
};
/* spec: [tun:|eth:]NAME[@NETNS], NETNS a pid or a path. 0 or -errno. */
int port_open(struct port *p, const char *spec);
void port_close(struct port *p);
ssize_t port_read(struct port *p, uint8_t *ip, size_t size); /* an IP packet; 0: nothing for us */
int port_write(struct port *p, const uint8_t *ip, size_t len);
int port_pass_frame(struct port *from, struct port *to); /* what is no IP (ARP) */
int port_plain(const char *spec); /* NAME[@NETNS]: checksums and segmentation by software */

/* ---- shape: what a stretch of line does to packets, one a way ---- */
struct shape {
    nstime delay, jitter, reorder_by;
    double loss, duplicate, reorder, corrupt; /* percent */
    uint64_t rate;                            /* bit/s, 0 unlimited */
    uint32_t backlog;                         /* bytes that may wait for the rate, 0: 256 KiB */
    nstime last_due, free_at;                 /* running: keeps the order; the rate's own clock */
};
struct shaped { /* when the copies of a packet come out; copies 0: lost */
    int copies;
    nstime due[2];
    bool flip; /* a bit of it is turned over */
};
void shape_packet(struct shape *s, struct dice *d, nstime now, size_t len, struct shaped *out);

/* ---- forge: the RSTs a rule makes ---- */
enum forge_ttl { TTL_FIXED, TTL_COPY /* of the address it claims */, TTL_TRIGGER };
enum forge_id {
    ID_FIXED,
    ID_RANDOM,
    ID_NEXT /* counts on from the last of that address */,
    ID_TRIGGER
};
enum { TO_CLIENT = 1, TO_SERVER = 2, TO_SENDER = 4 };
#define FORGE_OFFSETS 8
struct forge {
    int to; /* TO_ bits */
    int count;
    nstime gap, wait;
    int64_t seq[FORGE_OFFSETS]; /* added to the right number, one after the other */
    int nseq;
    enum forge_ttl ttl_from;
    int ttl; /* fixed, or added to what is copied */
    enum forge_id id_from;
    int id;
    bool with_ack, no_df, window_copy;
    uint16_t window;
    char payload[256];
    size_t payload_len;
};
extern const struct forge forge_default; /* as the kernel's own reject: 64, id 0, DF, window 0 */

/* ---- flow: what the box has seen of a connection ---- */
struct flow_side {
    uint32_t next, ack; /* the next byte of it as far as seen; its last ack */
    uint64_t bytes, packets;
    uint16_t window, id;
    uint8_t ttl;
    bool seen;
};
struct flow {
    struct addr client, server;
    uint16_t cport, sport;
    bool used, forgotten, pushed, muted[2];
    bool closed; /* a RST, or a FIN each way, has passed */
    uint8_t fins;
    nstime born, last;
    struct flow_side side[2]; /* UP: what the client sent */
    uint64_t fired;           /* rules that have fired on it, a bit each */
    uint8_t *head;            /* the client's first bytes, for rules that reassemble */
    size_t head_len;
    uint32_t head_next;
};
#define FLOW_HEAD_MAX 4096
struct flows {
    struct flow *all; /* FLOWS_MAX, used or not */
    size_t top;       /* no used one at or above */
};
int flows_init(struct flows *f);
void flows_release(struct flows *f);
/* The flow of a TCP packet; a SYN without ACK begins it anew. */
struct flow *flows_see(struct flows *f, const struct packet *p, enum way way, nstime now);
void flow_count(struct flow *f, const struct packet *p, enum way way, nstime now);
int flows_open(const struct flows *f, const struct flow *like); /* alive, same client and server */

/* ---- rule: which packets, and what is done ---- */
enum action {
    ACT_PASS,
    ACT_COUNT,
    ACT_DROP,
    ACT_RESET,
    ACT_INJECT,
    ACT_UNREACH,
    ACT_CORRUPT,
    ACT_PUSH
};
enum residual_key { RES_NONE, RES_TUPLE, RES_PORT, RES_HOST };
enum flag_match {
    WANT_SYN = 1,
    WANT_SYNACK = 2,
    WANT_DATA = 4,
    WANT_FIN = 8,
    WANT_RST = 16,
    WANT_ECN = 32,
    WANT_V4 = 64,
    WANT_V6 = 128,
    WANT_ACK = 256
};
struct rule {
    char text[256]; /* as written */
    int ways;       /* 1 up, 2 down; 0 both */
    int proto;      /* enum packet_l4, L4_NONE any */
    int want, unwant;
    uint16_t port_low, port_high; /* of the server; high 0: any */
    char sni[256], host[256];
    bool not_name; /* the name must be another */
    bool reassemble, once;
    uint8_t bytes[256];
    size_t nbytes;
    bool not_bytes;
    uint32_t size; /* of the payload, at least */
    uint64_t sent, received, nth;
    nstime age, forget, per;
    int over, rate;       /* connections open at once; SYNs within per */
    int option;           /* TCP option kind, -1 none */
    double chance;        /* percent */
    uint64_t skip, times; /* not before the skip-th match; fires so often at most (0: no end) */
    enum action act;
    uint8_t unreach; /* ICMP code */
    bool hidden;     /* a corrupted packet gets a right checksum */
    int mute;        /* TO_ bits: whose packets go no further from then on */
    enum residual_key residual;
    nstime residual_for;
    bool residual_drop;
    struct forge forge;
    /* running */
    uint64_t matched, fired;
    nstime window_start;
    int window_count;
};
/* text: "MATCH... : ACTION PARAMETER...". 0, or -EINVAL with a sentence in why. */
int rule_parse(struct rule *r, const char *text, char *why, size_t whylen);
bool rule_match(struct rule *r, int index, const struct packet *p, enum way way, struct flow *f,
                const struct flows *flows, struct dice *d, nstime now);
/* The next word of *s into out (quotes, \xNN): its length, -1 at the end, -EINVAL. */
int word_next(const char **s, char *out, size_t outlen);

/* ---- craft: packets of our own and changed ones; each gives the length or 0 ---- */
struct rst_numbers {
    uint32_t seq, ack;
    bool ack_flag;
};
size_t craft_rst(uint8_t *out, const struct forge *g, const struct flow *f, const struct packet *p,
                 enum way toward, const struct rst_numbers *n, int nth, struct dice *d);
/* type 0 unreachable with code, 1 too big with mtu, 2 time exceeded; quotes the packet. */
enum craft_icmp { CRAFT_UNREACH, CRAFT_TOO_BIG, CRAFT_EXCEEDED, CRAFT_ECHO };
size_t craft_icmp(uint8_t *out, enum craft_icmp what, uint8_t code, uint32_t mtu,
                  const struct addr *from, const struct packet *p, const uint8_t *raw, size_t len);
bool craft_spend_ttl(uint8_t *ip, size_t len);                          /* false: it was the last */
void craft_flip(uint8_t *ip, size_t len, struct dice *d, bool fix_sum); /* a bit of the payload */
void craft_sums(uint8_t *ip, size_t len); /* IP header's and TCP's or UDP's or ICMPv6's */

/* ---- line ---- */
enum stretch { NEAR, FAR }; /* between client and box, between box and server */
struct waiting {
    nstime due;
    uint64_t order;
    uint8_t at; /* 0: it reaches the box, 1: it leaves */
    uint8_t way;
    size_t len;
    uint8_t *data;
};
struct residual {
    nstime until;
    struct addr client, server;
    uint16_t cport, sport;
    const struct rule *rule;
};
struct line {
    struct port port[2];      /* 0 the client's, 1 the server's */
    struct shape shape[2][2]; /* [stretch][way] */
    uint32_t mtu[2];          /* a way; 0 none */
    bool mtu_silent;
    struct addr hop4, hop6; /* family 0: no hop, TTLs are left alone */
    struct rule rules[RULES_MAX];
    int nrules;
    struct dice dice;
    struct flows flows;
    struct residual residual[RESIDUAL_MAX];
    struct waiting *heap;
    size_t nheap, heap_alloc;
    uint64_t order, passed[2], lost;
    void (*leave)(struct line *l, enum way way, const uint8_t *ip, size_t len); /* writes it out */
    void (*told)(struct line *l, const char *line); /* a rule fired; NULL: nobody listens */
    void *arg;
};
int line_init(struct line *l, uint64_t seed);
void line_release(struct line *l);
void line_enter(struct line *l, enum way way, const uint8_t *ip, size_t len, nstime now);
/* Does what is due; the moment of what comes next, NSTIME_NONE for nothing. */
nstime line_run(struct line *l, nstime now);
void line_send(struct line *l, enum way way, const uint8_t *ip, size_t len, nstime when);

#endif
