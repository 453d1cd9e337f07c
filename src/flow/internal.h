/*
 * What the files of flow/ share. Only flow/ includes this.
 *
 * A packet goes table.c (find or make its flow in pool.c) -> zeek.c (the record's view, duplicates
 * and all) -> reset.c (a RST makes or extends a struct reset) -> track.c (the two halves move on).
 */
#ifndef FLOW_INTERNAL_H
#define FLOW_INTERNAL_H

#include "flow/flow.h"

#define NO_INDEX       UINT32_MAX
#define FIRST_KEPT_MAX 4096 /* first bytes kept of a direction */
#define STORE_CLASSES  7    /* 64 bytes to that */
#define LAST_KEPT_MAX  128  /* of its last segment */
#define SEEN_RING      3    /* recent packets of a side, to know an exact copy */
#define COPY_SPAN      (8 * NS_PER_MS)
#define COPY_SPAN_ID                                                                               \
    (50 * NS_PER_MS) /* of a side whose IP-IDs count: a retransmission has its own */
#define HOLES_MAX  4
#define CACHE_LINE 64
#define AHEAD_MAX  16 /* a power of two */

/* ---- sequence numbers, modulo 2^32 (RFC 9293 3.4) ---- */
static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}
static inline bool seq_gt(uint32_t a, uint32_t b)
{
    return seq_diff(a, b) > 0;
}
static inline bool seq_ge(uint32_t a, uint32_t b)
{
    return seq_diff(a, b) >= 0;
}
static inline enum side other(enum side s)
{
    return s == SIDE_ORIG ? SIDE_RESP : SIDE_ORIG;
}
/* Counts that stop at their type's end. */
static inline uint16_t count16(uint16_t *n)
{
    *n = (uint16_t)(*n + (*n < UINT16_MAX));
    return *n;
}
static inline uint32_t segment_len(const struct packet *p) /* a RST's text is no part of it */
{
    uint32_t len = p->tcp.flags & TCP_RST ? 0 : p->payload_len;
    return len + !!(p->tcp.flags & TCP_SYN) + !!(p->tcp.flags & TCP_FIN);
}

/* ---- Zeek's view of one end ---- */
enum zeek_state {
    Z_INACTIVE,
    Z_SYN_SENT,
    Z_SYN_ACK_SENT,
    Z_PARTIAL,
    Z_ESTABLISHED,
    Z_CLOSED,
    Z_RESET
};
struct zeek_end {
    int64_t last, ack; /* relative to start; Zeek keeps wraps instead */
    uint32_t start, last_syn, last_rst, packets;
    uint32_t delivered, trimmed;      /* relative; delivered starts at 1 */
    uint16_t checksums, zero_windows; /* saturating: letters to 10,000 */
    uint8_t state : 4, prev : 4;      /* enum zeek_state */
    uint8_t letters;                  /* once-only letters already in the history */
    bool did_close : 1, seen : 1, fin : 1;
    bool orig : 1; /* the record's originator */
};
struct zeek_more { /* of an end that sent payload, FIN or RST */
    uint32_t last_fin, fin_seq, retransmits, gaps;
};
enum zeek_due { DUE_NEVER, DUE_CLOSE, DUE_ATTEMPT, DUE_PARTIAL };
struct zeek {
    nstime last, due_at, start;
    char history[HISTORY_MAX];
    uint8_t due : 2;  /* enum zeek_due */
    uint8_t orig : 1; /* enum side of the flow that is the record's originator */
    bool open : 1, partial : 1, quick : 1; /* quick: in the handshake, shorter inactivity */
};

/* The last packet of a side: what a RST may answer. */
struct heard {
    uint64_t packet;
    nstime time;
    uint32_t end, ack, gap_ms; /* gap: silence of the stream before it */
    uint8_t flags;
    bool data : 1, keepalive : 1, repeat : 1;
};

/* Everything of one sender. */
struct flow_side {
    struct flow_half half;
    struct heard heard;
    uint32_t seen[SEEN_RING]; /* hashes of its latest packets */
    uint8_t seen_ttl[SEEN_RING], seen_at;
    struct zeek_end zeek;
};

struct kept {
    uint8_t *data;
    uint16_t alloc;
    uint16_t early, early_end; /* one segment that came before its turn, in place */
    uint16_t len : 15;
    uint16_t stopped : 1; /* the cap, or enough */
};
/* Parts that only flows with payload, FIN or RST need, in the order of their use: an ordinary
 * segment touches the first three cache lines. */
struct flow_more {
    _Alignas(CACHE_LINE) nstime probe_time[2];
    uint32_t probe_end[2], repeats[2]; /* repeats: of the last data, unanswered */
    uint32_t max_seg[2];
    uint8_t zeek_blocks[2], holes[2];
    bool tls[2], alert_seen[2], close_notify[2], maybe_notify[2];
    uint8_t alert[2];
    uint8_t last_from, last_len; /* of last[]; last_from: enum side */
    uint16_t status;
    bool linked : 1, http : 1, upgraded : 1, http_open : 1, http_chunked : 1, http_to_fin : 1;
    bool http_complete : 1;
    bool cut : 1; /* payload that the capture does not hold whole */

    struct heard burst[2]; /* the first packet since the other side last spoke */

    struct kept first[2];
    nstime rtt_min[2];
    nstime last_request; /* of the originator's payload */
    uint64_t http_end;   /* stream offset where the responder's message ends */

    uint32_t turns;              /* how often the originator began to speak */
    uint8_t last[LAST_KEPT_MAX]; /* the responder's last segment, the originator's before */
    uint32_t retransmits[2], dup_acks[2];
    struct flow_more *prev, *next; /* among those that keep first bytes; next: of the free ones */
    struct flow *owner;
    struct app *app[2]; /* decoded on demand */
    nstime fin_time[2];
    struct zeek_more zeek[2];
    /* from here on only what is counted above has a value */
    struct {
        uint32_t left, right;
    } hole[2][HOLES_MAX], zeek_block[2][HOLES_MAX];
    struct flow_icmp icmp;
};

struct flow { /* the third cache line an ordinary segment does without */
    _Alignas(CACHE_LINE) struct flow_key key;
    bool synack_seen : 1, synack_bad_ack : 1, handshake_done : 1, tfo : 1, syn_list : 1, in_use : 1;
    uint8_t last_data_from : 2; /* enum side */
    bool served : 1;            /* the responder sent payload */
    uint8_t synack_repeats : 7; /* stops at its end */
    uint32_t next;              /* in its bucket */
    uint32_t reset;             /* id of its latest reset, 0 */
    struct flow_more *more;
    nstime last_real; /* last packet that is no keep-alive */

    struct zeek zeek;
    uint32_t touched; /* the second in which it went to the end of its list */
    uint32_t index;

    uint64_t id;
    nstime start;      /* of its first packet */
    nstime opened;     /* the SYN, once it is answered the SYN-ACK; NONE: sent more than once */
    nstime rtt_to[2];  /* handshake: from the vantage to that side and back */
    uint32_t retry_of; /* id of the reset this flow is a new attempt after, 0 */
    uint32_t id_next, older, newer, lru_prev, lru_next;

    struct flow_side side[2];
};
_Static_assert(sizeof(struct flow) <= 512, "a flow is half a kilobyte at most");

/* A reset and what is needed to let it grow. */
struct grown {
    struct reset r;
    uint32_t next_of_flow;         /* id of the next in its bucket */
    uint32_t from_next, peer_next; /* next of either side when it came */
    bool over;                   /* plainly lived on, or a new attempt works: the next RST is new */
    bool record_open;            /* its Zeek record still grows */
    bool peer_spoke, side_spoke; /* after it */
    struct addr client;
};

/* ---- who asked for what before: service.c ---- */
struct service {
    uint64_t key; /* 0: free */
    uint32_t reset;
    bool connected, refused;
    uint8_t ttl; /* of a host's own entry: what its packets came with last, 0 unknown */
};
struct client {
    uint64_t key;
    uint32_t probed, served; /* services probed in vain; connections that worked */
    nstime last;
    bool sweeps;
};
struct services {
    struct service *now, *before;
    struct client *cnow, *cbefore;
    size_t n, cn;
};

/* ---- store.c: room for first bytes ---- */
struct store {
    struct store_block *idle[STORE_CLASSES];
    uint8_t *at, **pieces;
    size_t left, npieces, pieces_alloc;
    void *(*block)(size_t size); /* flow_settings.block */
};
size_t store_size(size_t size); /* what size takes up */
void *store_get(struct store *s, size_t size);
void store_put(struct store *s, void *block, size_t size);
void store_release(struct store *s);

struct lru {
    uint32_t first, last;
    size_t n;
};
struct flow_table {
    struct flow_settings st;
    struct addr *local;
    uint64_t hash_key;
    struct flow **slabs;
    size_t nslabs, slabs_alloc, next_fresh;
    uint32_t free_list;
    struct flow_more **more_slabs, *free_more;
    size_t nmore_slabs, more_slabs_alloc, more_left; /* more_left: in the last slab */
    struct {
        uint64_t hash;
        uint32_t index;
    } ahead[AHEAD_MAX]; /* packets to come, a ring: flow_table_soon() */
    unsigned ahead_at;
    uint32_t *buckets, *id_buckets;
    size_t nbuckets; /* power of two, both arrays */
    struct lru syn_lru, lru;
    uint64_t next_id;
    struct flow_more *more_first, *more_last;
    struct store store;
    size_t kept_bytes;
    struct grown **resets; /* slabs of RESET_SLAB */
    size_t nresets, reset_slabs, reset_slabs_alloc;
    uint32_t *reset_buckets;
    size_t nreset_buckets;
    struct services services;
    struct flow_counts counts;
    struct flow_limits_hit limits;
    nstime now;
};

/* pool.c */
struct flow *table_find_tuple(const struct flow_table *t, const struct addr *src, uint16_t sport,
                              const struct addr *dst, uint16_t dport, enum side *s);
struct flow *table_find_packet(const struct flow_table *t, const struct packet *p, uint64_t hash,
                               enum side *s);
uint64_t table_hash(uint64_t key, const struct packet *p);
enum side table_side(const struct flow *f, const struct packet *p); /* who sends it */
struct flow *table_make_flow(struct flow_table *t, const struct packet *p, struct flow *old);
void table_touch(struct flow_table *t, struct flow *f, bool syn_only);
uint32_t *table_id_bucket(const struct flow_table *t, uint64_t id);
void table_fill_empty(uint32_t *a, size_t n);
struct flow *table_flow(const struct flow_table *t, uint32_t index);
struct flow_more *flow_need_more(struct flow_table *t, struct flow *f); /* NULL on ENOMEM */
void flow_drop_more(struct flow_table *t, struct flow *f);
void flow_link_words(struct flow_table *t, struct flow_more *m);
void flow_forget_words(struct flow_table *t, struct flow *f);
/* track.c */
void track_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p);
uint32_t track_mark(const struct packet *p); /* equal for exact copies */
bool track_is_copy(struct flow *f, enum side s, const struct packet *p, uint32_t mark);
/* quick.c: true: it was an ordinary segment, and all is done */
bool quick_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p,
                  uint32_t mark);
uint64_t half_acked_bytes(const struct flow_half *h);
/* zeek.c */
void zeek_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p,
                 bool corrupt);
void zeek_cut(struct flow_table *t, struct flow *f);
enum conn_state zeek_conn_state(const struct flow *f);
void zeek_letter(struct zeek *z, struct zeek_end *e, bool data); /* D or A, once */
bool zeek_likely_server_port(uint16_t port);
bool zeek_flips(const struct packet *p); /* the originator is the packet's receiver */
void zeek_note_gap(struct flow_table *t, struct flow *f, struct zeek_end *e);
/* zeek_gap.c: rel is relative to the end's start */
void zeek_acked(struct flow_table *t, struct flow *f, struct zeek_end *e, int64_t rel);
void zeek_data(struct flow_table *t, struct flow *f, struct zeek_end *e, const struct packet *p,
               int64_t rel);
/* words.c */
void words_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p);
bool words_of_store(const struct flow *f);
void words_last(const struct flow *f, char *out, size_t outlen);
const struct app *words_app(struct flow *f, enum side s);
/* reset.c */
void reset_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p);
void reset_after(struct flow_table *t, struct flow *f, enum side s, const struct packet *p);
void reset_tell(struct flow_table *t, struct grown *g);
void reset_settle(struct flow_table *t, struct grown *g);
struct grown *table_grown(const struct flow_table *t, uint64_t id); /* NULL */
struct grown *table_add_reset(struct flow_table *t, uint64_t flow);
/* stage.c: pure readings of flow and segment */
enum stage stage_of(const struct flow *f, const struct reset *r);
enum rst_class class_of(const struct flow *f, const struct reset *r);
void seq_fit_of(const struct flow *f, struct reset *r);
/* harm.c */
void harm_judge(const struct flow_table *t, const struct grown *g, bool *harmful, const char **why);
/* vantage.c */
void vantage_of(const struct flow_table *t, const struct flow *f, struct reset *r,
                const struct packet *p);
/* service.c */
int services_init(struct services *s);
void services_release(struct services *s);
uint64_t service_key(const struct flow_table *t, const struct flow_key *k);
/* Both tables' lines for a client's SYN that comes soon. */
void service_ahead(const struct flow_table *t, const struct addr *client, const struct addr *server,
                   uint16_t port);
uint64_t host_key(const struct flow_table *t, const struct addr *a); /* a host's own entry */
struct service *service_get(struct services *s, uint64_t key, bool add);
struct client *client_get(const struct flow_table *t, struct services *s, const struct addr *a,
                          bool add);

#endif
