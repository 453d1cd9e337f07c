/*
 * flow: packets -> flows; on a RST a snapshot of what it ended: struct reset.
 *
 * Owns: a struct flow_table owns its flows, resets and the first bytes it keeps. Pointers it hands
 *   out stay valid until flow_table_free(), flows until they are evicted (resets never are, up to
 *   max_resets; their flow's facts are copied into them).
 * Invariants: pure: no I/O, no clock (time comes from the packets), no globals. Nothing is
 *   allocated for a packet of a known flow without payload worth keeping. Sequence numbers are
 *   compared modulo 2^32 (RFC 9293 3.4). Every cap that bites is counted in struct flow_limits_hit.
 * The flow outlives its reset and any silence; Zeek's record is a view of it (design.md 4).
 * Sources: RFC 9293, 5961, 7323, 2018, 2883, 7413; Zeek conn_state and history semantics
 *   (docs.zeek.org, base/protocols/conn); causes.md 0.1, 0.7, B1.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "wire/wire.h"

enum side { SIDE_ORIG, SIDE_RESP, SIDE_NONE };
static inline enum side side_other(enum side s)
{
    return s == SIDE_ORIG ? SIDE_RESP : s == SIDE_RESP ? SIDE_ORIG : SIDE_NONE;
}
struct flow_key { /* by the originator's view, as in Zeek */
    struct addr src, dst;
    uint16_t sport, dport;
};
bool flow_key_equal(const struct flow_key *a, const struct flow_key *b);
bool flow_key_reverse_equal(const struct flow_key *a, const struct flow_key *b);
#define FLOW_KEY_TEXT_MAX (2 * ENDPOINT_TEXT_MAX + 8)
const char *flow_key_text(char out[FLOW_KEY_TEXT_MAX], const struct flow_key *k); /* "a:1 > b:2" */

/* Zeek's conn_state; CONN_NONE: no packet seen. */
enum conn_state {
    CONN_S0, CONN_S1, CONN_SF, CONN_REJ, CONN_S2, CONN_S3, CONN_RSTO, CONN_RSTR, CONN_RSTOS0,
    CONN_RSTRH, CONN_SH, CONN_SHR, CONN_OTH, CONN_NONE
};
const char *conn_state_name(enum conn_state s); /* "RSTO"; NULL for CONN_NONE */
#define HISTORY_MAX 24 /* letters kept, with the NUL */

/* design.md 6 */
enum stage {
    STAGE_SYN, STAGE_ACK, STAGE_PSH, STAGE_DATA, STAGE_IDLE, STAGE_CLOSE, STAGE_MIDSTREAM,
    STAGE_NONE, STAGE_UNKNOWN
};
const char *stage_name(enum stage s); /* "syn" ...; NULL for STAGE_UNKNOWN */
enum rst_class { RST_ACTIVE, RST_PASSIVE, RST_REFUSE, RST_FOREIGN, RST_CLASS_UNKNOWN };
const char *rst_class_name(enum rst_class c); /* NULL for unknown */
enum direction { DIRECTION_INBOUND, DIRECTION_OUTBOUND, DIRECTION_TRANSIT, DIRECTION_UNKNOWN };
const char *direction_name(enum direction d);
enum vantage_end { VANTAGE_ORIG, VANTAGE_RESP, VANTAGE_MIDDLE, VANTAGE_UNKNOWN };
const char *vantage_end_name(enum vantage_end v);
enum seq_fit { SEQ_EXACT, SEQ_IN_WINDOW, SEQ_OUT_OF_WINDOW, SEQ_UNKNOWN };

/* One direction of a flow, named by who sends. Narrow on purpose: a flow is half a kilobyte. */
struct flow_half {
    uint32_t next;             /* highest seq + len (+SYN/FIN) seen from this side */
    uint32_t acked;            /* highest ack number the other side sent */
    uint32_t isn;
    uint32_t window;           /* last, scaled; bytes */
    uint16_t window_raw, mss;  /* last; of the SYN */
    uint16_t ip_id_last;
    uint8_t ttl;               /* baseline: of the SYN or SYN-ACK, else the commonest so far */
    uint8_t ttl_max;
    uint32_t flow_label;
    uint32_t packets;
    uint64_t bytes;            /* payload by sequence number, each once */
    nstime last;               /* NSTIME_NONE */
    bool seen : 1, isn_known : 1, fin_seen : 1, fin_acked : 1;
    bool has_ts : 1, sack_ok : 1, mac_seen : 1, df : 1;
    bool ip_id_counts : 1;     /* IP-IDs of data/ACK segments go up by small steps */
    bool unfilled : 1;         /* it has left checksums to its own network card */
    bool keepalive : 1, zero_window : 1; /* it has sent one */
    uint8_t wscale : 4;        /* WSCALE_NONE: not offered */
    uint8_t mac[6];
    uint32_t bad_checksums;
    uint16_t good_checksums, syns; /* they stop at their end */
};
#define WSCALE_NONE 15 /* RFC 7323 2.3: 14 is the most */
/* What the payload of a direction has told; of a flow that never had any all 0. */
struct flow_data {
    uint32_t retransmits, dup_acks; /* dup_acks: that this side sent */
    uint32_t max_seg;          /* largest payload seen in one packet */
};

struct flow; /* opaque but for these */
uint64_t flow_id(const struct flow *f); /* from 1 */
const struct flow_key *flow_get_key(const struct flow *f);
const struct flow_half *flow_get_half(const struct flow *f, enum side s);
struct flow_data flow_get_data(const struct flow *f, enum side s);
nstime flow_start(const struct flow *f);
nstime flow_last(const struct flow *f);
nstime flow_rtt(const struct flow *f); /* handshake RTT between the vantage and back; NSTIME_NONE */
bool flow_midstream(const struct flow *f); /* picked up without its SYN */
enum conn_state flow_conn_state(const struct flow *f); /* of its current Zeek record */
const char *flow_history(const struct flow *f);
/* The first bytes of a direction (at most 4 KiB, in sequence order, no gaps); 0 if none kept. */
size_t flow_first_bytes(const struct flow *f, enum side s, const uint8_t **out);
/* What the first bytes, or the last segment, of a direction say; kind APP_NONE if nothing. */
const struct app *flow_first_app(const struct flow *f, enum side s);

/* An ICMP error that quoted the flow. */
struct flow_icmp {
    bool seen;
    bool v6;
    uint8_t type, code;
    struct addr from;
    nstime time;
    uint64_t packet;
};

#define RESET_WORDS_MAX 160
#define RESET_NOTES_MAX 4
/* Everything known of one reset: a flow ends in at most one; later RSTs of the same flow are
 * counted in it (rst_count, others[]), unless the flow plainly lived on between them. Grows while
 * packets still come (what the peer says after it is evidence): rev goes up on each change. */
struct reset {
    uint64_t id;               /* from 1, in order of first sight */
    uint32_t rev;
    uint64_t flow;             /* flow_id() */
    struct flow_key key;
    nstime time;               /* of the first RST that counts */
    uint64_t packet;
    enum side from;            /* whose address it bears */
    enum stage stage;
    enum rst_class class;
    enum vantage_end vantage_end; /* live: from packet_dir or local addresses */
    enum direction direction;
    bool vantage_by_ttl, vantage_by_checksum, vantage_by_offload; /* why, for a file */

    /* the segment */
    uint8_t flags, ttl;
    bool has_ts, df, v6, mac_seen, mac_differs; /* mac_differs: from the same side's other packets */
    bool checksum_bad;
    uint16_t window_raw, ip_id;
    uint32_t seq, ack, flow_label, payload_len;
    int8_t mptcp_reason;       /* -1 */
    char payload_text[RESET_WORDS_MAX]; /* decoded, "" none */
    enum seq_fit seq_fit;
    int32_t seq_off;           /* seq minus the expected; 0 when exact */
    bool ack_matches;          /* its ack is what the other side's next is (or 0 without ACK) */

    /* the trains */
    uint32_t rst_count;        /* RSTs in this flow from the same side, retransmissions of the wire
                                  (exact duplicates) once */
    uint32_t rst_other_side;   /* RSTs from the other side afterwards */
    uint32_t rst_burst;        /* within 5 ms of the first */
    bool rst_seq_fan;          /* several with different seq */
    bool rst_ack_differs, rst_flags_differ, rst_ttl_differs;
    bool rst_window_differs; /* of those with the flags of the first, neither 0 */
    bool rst_ts_differs;     /* one with timestamps, one without, flags alike */
    bool rst_id_repeats;     /* IPv4: another segment with the first one's IP-ID, not 0 */
    struct { nstime time; uint64_t packet; enum side from; uint8_t flags, ttl; uint32_t seq, ack; }
        others[RESET_NOTES_MAX];

    /* against the flow's own features (causes.md B1); -1 or NONE where not comparable */
    int16_t ttl_baseline;      /* of the same side's SYN/SYN-ACK or data */
    int16_t ttl_other;         /* the other side's */
    bool ip_id_constant_zero;  /* id 0 */
    bool ip_id_follows;        /* the side's last data/ACK id + small step */
    bool ip_id_comparable;
    bool ip_id_copies_other;   /* equals the other side's last id */
    bool window_same;          /* as the side's last real window, or what is left of it */
    uint16_t window_last;      /* of its last segment, as on the wire */
    bool ts_expected;          /* timestamps were negotiated */
    bool label_same, label_comparable;
    bool df_lost;   /* IPv4: without the DF bit that the side's other packets bear */
    bool tunnelled; /* read out of a tunnel: TTL and IP-ID are the inner packet's */

    /* timing */
    nstime rtt;                /* handshake RTT seen from the vantage to the RST's side, NONE */
    nstime rtt_min;            /* smallest of handshake and data->ack to that side, NONE */
    nstime trigger_delay;      /* after the segment from the other side it answers, NONE */
    uint64_t trigger_packet;
    bool trigger_has_data, trigger_is_syn, trigger_is_fin, trigger_is_keepalive;
    nstime last_delay;         /* after the last segment from the other side, NONE */
    nstime since_last;         /* since the last packet of the flow before it, NONE */
    nstime idle;               /* silence before it, or before the segment it answers, NONE */
    nstime age;                /* since the flow's first packet */
    nstime since_request;      /* since the last payload from the originator, NONE */
    nstime since_fin;          /* since the FIN of the other side, NONE */

    /* what was in flight */
    struct { uint64_t sent, acked; bool known; } bytes[2]; /* by side; payload by sequence */
    uint64_t data_after[2];    /* payload bytes each side sent after the RST */
    uint32_t packets_after[2];
    bool lived_on;             /* both sides spoke on: the RST was ignored */
    bool fin_seen[2], fin_acked[2];
    nstime fin_time[2];
    uint32_t retransmits_before; /* retransmissions of the other side's last data, just before */
    uint32_t own_retransmits;    /* retransmissions by the resetting side of its own last data, SYN or
                                    FIN, unanswered, just before: it gave up */
    uint32_t synack_repeats;     /* repeated SYN-ACKs after the handshake (accept queue) */
    uint32_t syn_repeats;
    bool handshake_done, synack_seen, synack_bad_ack; /* bad: challenge ACK, half-open */
    bool midstream, one_sided; /* start not seen; only one direction seen */
    bool payload_cut;          /* the capture holds only the front of some of its payload */
    uint32_t gaps;             /* stretches that were acknowledged but never captured */
    bool zero_window, keepalives_before, tfo, mptcp;
    bool retried;              /* a later SYN of the same client to the same service */
    bool retry_worked;
    bool accepted_before;      /* the same client's connections to the service stood before */
    bool refused_after;        /* the next one after this reset was refused */

    /* words */
    struct app first_orig, first_resp; /* APP_NONE if none */
    enum side last_data_from;
    bool store;                /* the answer bears an object store's headers (x-amz-) */
    uint32_t turns;            /* how often the originator began to speak: its requests so far */
    char last_words[RESET_WORDS_MAX];  /* the last the responder (or the resetter's peer) said */
    bool alert_seen[2];        /* by side: a readable TLS alert */
    uint8_t alert[2];
    bool close_notify[2];      /* alert 0, or an encrypted alert-sized record just before its FIN */
    bool response_complete;    /* a complete HTTP response was parsed, or TLS/other: FIN or
                                  close_notify after data from the responder */
    bool response_started;
    bool request_seen;
    uint16_t status;           /* last HTTP status, 0 none */

    struct flow_icmp icmp;
    enum conn_state conn_state; /* of the Zeek record it ends */
    char history[HISTORY_MAX];
    bool harmful;               /* causes.md 0.7, and its look-alikes */
    const char *harmful_why;    /* N_() text, one sentence, never NULL */
};

/* Zeek's record, for --flows. */
struct flow_record {
    uint64_t flow;
    struct flow_key key;
    nstime start, duration;
    enum conn_state state;
    char history[HISTORY_MAX];
    uint64_t packets[2], bytes[2];
};

#define FLOW_RESETS_DEFAULT 100000 /* about 2 KiB each */
struct flow_settings {
    size_t max_flows;          /* 0: 1,000,000 */
    size_t max_resets;         /* 0: FLOW_RESETS_DEFAULT */
    size_t max_kept_bytes;     /* first bytes over all flows; 0: 64 MiB */
    nstime zeek_inactivity;    /* 0: 300 s */
    const struct addr *local;  /* this host's addresses, live; NULL for a file */
    size_t nlocal;
    void (*on_record)(void *arg, const struct flow_record *rec); /* NULL */
    /* A reset was found (rev 1) or changed (rev > 1). NULL: poll flow_table_reset(). */
    void (*on_reset)(void *arg, const struct reset *r);
    void *arg;
    /* Where the large pieces come from that flows are cut from, FLOW_BLOCK bytes each and aligned to
     * a cache line; free() takes them. NULL: the C library. */
    void *(*block)(size_t size);
    bool plodding; /* no short way for ordinary segments: for the test that compares the two */
};
#define FLOW_BLOCK ((size_t)2 << 20)
struct flow_limits_hit {
    uint64_t flows_evicted, resets_dropped, bytes_refused;
};
struct flow_counts {
    uint64_t packets, ip_packets, tcp_packets, rsts, duplicates, undecoded, flows, live_flows;
    uint64_t ordinary;         /* segments that went the short way */
};

struct flow_table;
struct flow_table *flow_table_new(const struct flow_settings *st); /* copies; NULL on ENOMEM */
void flow_table_free(struct flow_table *t);
/* The packet's flow (NULL: none, an ICMP error returns the flow it quotes). */
const struct flow *flow_table_packet(struct flow_table *t, const struct packet *pkt);
/* A packet made ready before its turn: what needs no other packet and, but for its key, no table,
 * so that another thread may do it. */
struct flow_ready {
    uint64_t hash; /* 0: only packet_decode() can tell what it is, in its turn */
    uint32_t mark; /* by which an exact copy is known */
    struct packet pkt;
};
uint64_t flow_table_key(const struct flow_table *t); /* never changes */
void flow_make_ready(struct flow_ready *out, const struct record *rec, uint64_t key);
/* One comes soon: its flow is fetched into the cache, nothing else happens. */
void flow_table_soon(struct flow_table *t, const struct flow_ready *r);
/* flow_table_packet() for one that is plain. */
const struct flow *flow_table_ready(struct flow_table *t, const struct flow_ready *r);
/* End of input, or `now` for a live table: records are cut, pending resets settle. */
void flow_table_finish(struct flow_table *t);
size_t flow_table_resets(const struct flow_table *t); /* ids 1..n */
const struct reset *flow_table_reset(const struct flow_table *t, uint64_t id);
const struct flow *flow_table_by_id(const struct flow_table *t, uint64_t id); /* NULL: evicted */
/* The newest flow with this 5-tuple (either way round) that lived at time t +- slack. */
const struct flow *flow_table_find(const struct flow_table *tb, const struct flow_key *k, nstime t,
                                   nstime slack);
const struct reset *flow_table_reset_of(const struct flow_table *t, uint64_t flow); /* NULL */
const struct flow_counts *flow_table_counts(const struct flow_table *t);
const struct flow_limits_hit *flow_table_limits(const struct flow_table *t);

#endif
