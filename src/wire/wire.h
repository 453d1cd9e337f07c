/*
 * wire: bytes <-> structs. Capture records, link, IPv4/IPv6, TCP, ICMP, the first bytes of
 * TLS, HTTP, DNS, SSH and friends.
 *
 * Owns: nothing; decoded structs point into the caller's bytes (valid as long as those are).
 *   struct defrag owns the fragments it keeps, struct capread its interface table.
 * Invariants: pure, no I/O, no clock, no globals. Every byte is read through struct cursor, which
 *   never reads past its end: a short read sets cur->bad and yields zeros. Lengths on the wire
 *   are never believed beyond the bytes that are there; caplen <= len.
 * Errors: 1 one thing read, 0 nothing (more bytes needed, or no such thing), -errno with text.
 * Sources: RFC 9293 (TCP), 791, 8200, 792, 4443, 8446, 1035; pcap-savefile(5); the pcapng draft
 *   (draft-ietf-opsawg-pcapng); LINKTYPE_ list of tcpdump.org.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "base/base.h"

/* ---- cursor ---- */
struct cursor {
    const uint8_t *p, *end;
    bool bad; /* a read went past the end */
};
static inline struct cursor cursor_of(const void *data, size_t len)
{
    return (struct cursor){data, (const uint8_t *)data + len, false};
}
static inline size_t cur_left(const struct cursor *c)
{
    return (size_t)(c->end - c->p);
}
static inline const uint8_t *cur_take(struct cursor *c, size_t n) /* NULL and bad when short */
{
    if (n > cur_left(c)) {
        c->bad = true;
        c->p = c->end;
        return NULL;
    }
    const uint8_t *at = c->p;
    c->p += n;
    return at;
}
static inline uint8_t cur_u8(struct cursor *c)
{
    const uint8_t *b = cur_take(c, 1);
    return b ? b[0] : 0;
}
static inline uint16_t cur_be16(struct cursor *c)
{
    const uint8_t *b = cur_take(c, 2);
    return b ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}
static inline uint32_t cur_be24(struct cursor *c)
{
    const uint8_t *b = cur_take(c, 3);
    return b ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}
static inline uint32_t cur_be32(struct cursor *c)
{
    const uint8_t *b = cur_take(c, 4);
    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}
/* The next n bytes as a cursor of their own (what is there of them; bad if short). */
struct cursor cur_sub(struct cursor *c, size_t n);

/* ---- link types (values of LINKTYPE_, as in files) ---- */
enum {
    LINK_NULL = 0, LINK_EN10MB = 1, LINK_RAW_12 = 12, LINK_PPP = 9, LINK_RAW = 101,
    LINK_LOOP = 108, LINK_LINUX_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_LINUX_SLL2 = 276,
    LINK_NFLOG = 239, LINK_IEEE802_11 = 105, LINK_IEEE802_11_RADIO = 127, LINK_PPP_ETHER = 51,
    LINK_RAW_14 = 14, LINK_PPP_SERIAL = 50, LINK_C_HDLC = 104, LINK_FRELAY = 107,
    LINK_FDDI = 10,
};
bool link_known(uint32_t linktype);
const char *link_name(uint32_t linktype); /* "EN10MB", "LINUX_SLL2", or "type 147" */

/* ---- capture records ---- */
enum packet_dir { DIR_UNKNOWN, DIR_IN, DIR_OUT }; /* from cooked headers and pcapng flags */
struct record {
    uint64_t number;     /* from 1, in the file or session */
    nstime time;         /* 1897 to 2116; NSTIME_NONE where the block bears none, or nonsense */
    uint32_t caplen, len; /* bytes here, bytes on the wire */
    uint32_t link;       /* LINKTYPE_ */
    uint32_t interface;  /* index into the file's interfaces */
    uint8_t dir;         /* enum packet_dir, where the block says it (pcapng epb_flags) */
    const uint8_t *data; /* caplen bytes, the reader's */
};

#define CAPREAD_ERR_MAX 160
enum capread_format { CAPREAD_UNKNOWN, CAPREAD_PCAP, CAPREAD_PCAPNG };
struct capread_if {
    char name[32]; /* cleaned, "" if the file names none */
    uint32_t link, snaplen;
    int64_t drops; /* if_drop of its latest statistics block, -1 unknown */
    uint64_t tick_num, tick_den; /* a timestamp tick is num/den seconds */
    int64_t offset_s;
};
struct capread { /* walks a capture held in memory, or arriving in pieces */
    enum capread_format format;
    bool swapped, nanos;
    uint32_t snaplen, link;
    uint64_t records, truncated; /* so far; truncated: caplen < len, and a torn last record */
    bool torn;                   /* what was handed in last ends within a record */
    uint8_t record_header;       /* pcap: 16 bytes, 24 in Kuznetzov's variant */
    uint16_t version_minor;      /* pcap 2.0 to 2.2 swap the two lengths, 2.3 may */
    struct capread_if *ifs;
    size_t nifs, ifs_alloc, section_first; /* interfaces of earlier sections stay */
    char comment[256]; /* the section's opt_comment, cleaned */
    char error[CAPREAD_ERR_MAX]; /* English, set with a negative return */
};
void capread_init(struct capread *r);
void capread_release(struct capread *r);
/* Looks at buf[0..len) and takes one packet record off its front (skipping other blocks).
 * 1: *rec filled (points into buf), *used bytes are done with. 0: more bytes are needed, *used may
 * still be > 0 (blocks skipped). -EPROTONOSUPPORT: not a pcap or pcapng file. -EBADMSG: damaged,
 * no record can follow. r->error says what. */
int capread_next(struct capread *r, const uint8_t *buf, size_t len, size_t *used,
                 struct record *rec);

/* pcapng writing: blocks are appended to out, each complete. Times in nanoseconds. */
void pcapng_add_section(struct strbuf *out, const char *comment /* or NULL */);
void pcapng_add_interface(struct strbuf *out, const char *name, uint32_t link, uint32_t snaplen);
void pcapng_add_packet(struct strbuf *out, const struct record *rec, const char *comment);
void pcapng_add_stats(struct strbuf *out, uint32_t interface, nstime t, uint64_t seen,
                      uint64_t dropped);
/* A name resolution block of one address; names with a NUL or too long are left out. */
void pcapng_add_name(struct strbuf *out, const struct addr *a, const char *name);
/* The length of the whole blocks at the front of a pcapng file, so a torn tail can be cut. */
size_t pcapng_whole(const uint8_t *buf, size_t len);
/* A classic pcap header and record (nanosecond magic), for generators and tests. */
void pcap_add_header(struct strbuf *out, uint32_t link, uint32_t snaplen);
void pcap_add_record(struct strbuf *out, const struct record *rec);

/* ---- a decoded packet ---- */
enum tcp_flag {
    TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64,
    TCP_CWR = 128
};
#define TCP_SACK_MAX 4
struct tcp_header {
    uint32_t seq, ack;
    uint32_t tsval, tsecr;
    uint16_t sport, dport, window;
    uint8_t flags, header_len; /* header_len in bytes, as far as believable */
    uint8_t options_len;
    uint8_t nsack;
    int8_t wscale; /* -1 absent; only meaningful on SYN */
    bool has_mss : 1, sack_ok : 1, has_ts : 1, has_tfo : 1, bad_options : 1;
    bool checksum_seen : 1;    /* false: the segment is not all here, or a fragment */
    bool checksum_ok : 1;      /* right, or plainly unfilled by offload counts as not ok */
    bool checksum_partial : 1; /* not ok, but the pseudo header's sum: left to the sender's own NIC
                                */
    int8_t mptcp_rst;          /* MP_TCPRST reason (RFC 8684 3.6), -1 absent */
    uint16_t urgent, mss;
    struct {
        uint32_t left, right;
    } sack[TCP_SACK_MAX];
};
enum packet_l4 { L4_NONE, L4_TCP, L4_UDP, L4_ICMP, L4_ICMP6, L4_OTHER };
struct icmp_info {
    uint8_t type, code;
    bool quoted;               /* an IP packet is quoted, the fields below are its */
    struct addr src, dst;
    uint8_t quoted_l4;         /* enum packet_l4 */
    bool ports_seen, seq_seen;
    uint16_t sport, dport;
    uint32_t seq;
    uint16_t mtu;              /* fragmentation needed / packet too big */
};
/* What is asked of every segment comes first: it is handed from one processor to another. */
struct packet {
    uint64_t number;
    nstime time;
    const uint8_t *payload;
    uint32_t payload_len;      /* on the wire, by the IP length */
    uint32_t payload_caplen;   /* of it here */
    uint32_t flow_label;       /* IPv6 only */
    uint16_t ip_id;            /* IPv4 only */
    uint8_t ttl, tos;
    struct addr src, dst; /* family 0: not IP */
    uint8_t mac_src[6];
    uint8_t dir : 3; /* enum packet_dir */
    uint8_t l4 : 3;  /* enum packet_l4 */
    bool df : 1, ip_checksum_ok : 1;
    bool mac_seen : 1, truncated : 1, fragment : 1, reassembled : 1, tunnelled : 1, bad_ip : 1;
    bool sum_void : 1;         /* routing header: checksums are over another destination */
    struct tcp_header tcp;     /* written only with l4 == L4_TCP: no clearing a packet twice */
    uint32_t caplen, len, link;
    uint32_t ip_len; /* IP packet length, headers included (jumbo, TSO 0 resolved) */
    uint16_t vlan;   /* outermost id, 0 none */
    uint16_t udp_sport, udp_dport;
    uint8_t mac_dst[6];
    struct icmp_info icmp;     /* written only with L4_ICMP, L4_ICMP6 */
};
/* IPv4 and IPv6 fragments waiting for their siblings; capped, the oldest goes first. */
struct defrag;
struct defrag *defrag_new(size_t max_bytes); /* 0: 1 MiB. NULL on ENOMEM */
void defrag_free(struct defrag *d);
/* Decodes as far as the bytes go: 1 an IP packet, 0 not IP or undecodable (pkt->src.family 0).
 * d may be NULL: fragments are then decoded alone. Reassembled payload lives in d until the next
 * call. Never fails otherwise. */
int packet_decode(struct packet *pkt, const struct record *rec, struct defrag *d);
/* The same for a plain TCP segment: Ethernet, IP without options or extension headers, no fragment.
 * No other packet matters to it, so it may be read before its turn. false: packet_decode() must. */
bool packet_decode_plain(struct packet *pkt, const struct record *rec);
/* packet_decode itself sums only where it is cheap or matters: SYN, FIN, RST, or up to 64 bytes of
 * payload. This sums any segment that is all here; false: it is not, or not TCP. */
bool packet_tcp_checksum(const struct packet *pkt, bool *ok);
/* tcpdump's letters, upper case order "SFPRUEW." -> "PA", "R", "RA", "S": our own order is
 * S F R P A U E C; out holds 9 bytes. */
const char *tcp_flags_text(char out[9], uint8_t flags);
const char *icmp_text(char *out, size_t outlen, bool v6, uint8_t type, uint8_t code);
uint16_t inet_checksum(uint32_t sum, const uint8_t *data, size_t len); /* folded, not inverted */

/* ---- the first bytes of a stream, or of a segment ---- */
enum app_kind {
    APP_NONE, APP_TLS_CLIENT_HELLO, APP_TLS_SERVER_HELLO, APP_TLS_ALERT, APP_TLS_OTHER,
    APP_HTTP_REQUEST, APP_HTTP_RESPONSE, APP_H2_PREFACE, APP_H2_GOAWAY, APP_H2_RST_STREAM,
    APP_H2_OTHER, APP_DNS_QUERY, APP_DNS_ANSWER, APP_SSH, APP_SMTP, APP_FTP, APP_IMAP, APP_POP3,
    APP_TEXT /* printable, nothing known */, APP_BINARY
};
const char *app_name(enum app_kind kind); /* "ClientHello", "HTTP request", ... English */
struct app {
    enum app_kind kind;
    char text[160];        /* one clean line: "ClientHello sni=a.example alpn=h2", "GET /x HTTP/1.1",
                              "alert fatal protocol_version (70)", "A example.com", "SSH-2.0-..." */
    char name[256];        /* SNI, Host or query name, clean; "" none */
    char alpn[32];         /* first offered */
    uint16_t tls_version;  /* highest offered or chosen: 0x0304 ... */
    uint8_t alert_level, alert; /* alert description (RFC 8446 6) */
    bool alert_encrypted;  /* an alert record whose content cannot be read */
    bool ech;              /* encrypted_client_hello extension present */
    uint16_t status;       /* HTTP response status */
    char method[16];       /* HTTP request method */
    int64_t content_length; /* -1 none */
    bool chunked, connection_close;
    uint32_t header_len;   /* HTTP head incl. the blank line, 0 if not all here */
    uint32_t hello_len;    /* the whole TLS record(s) of the hello on the wire */
    bool partial;          /* more bytes would say more (a hello over several segments) */
    uint32_t h2_error;     /* GOAWAY, RST_STREAM */
};
/* Decodes the front of data. client: sent by the connection's originator. -> true: a->kind set to
 * something but APP_NONE. Ports are hints only (53). */
bool app_decode(struct app *a, const uint8_t *data, size_t len, uint16_t sport, uint16_t dport);
bool dns_decode(struct app *a, const uint8_t *msg, size_t len); /* a whole DNS message */
/* The records of a DNS message, for those who read answers themselves (HTTPS, SVCB). */
enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };
struct dns_walk {
    const uint8_t *msg;
    size_t len;
    struct cursor c;
    uint16_t id, flags, questions, left[3]; /* left: records to come, by section */
    uint8_t rcode;
};
struct dns_record {
    char name[256]; /* clean, without the last dot; "." for the root */
    enum dns_section section;
    uint16_t type, class;
    uint32_t ttl;
    struct cursor data;
};
bool dns_walk_init(struct dns_walk *w, const uint8_t *msg, size_t len); /* skips the questions */
bool dns_walk_next(struct dns_walk *w, struct dns_record *rr); /* false: no more, or damaged */
/* A name at c, compression followed (RFC 1035 4.1.4; backwards only, so no loop). */
bool dns_name(struct cursor *c, const uint8_t *msg, size_t len, char *out, size_t outlen);
const char *dns_type_name(char out[16], uint16_t type); /* "AAAA", "TYPE4711" */
const char *dns_rcode_name(char out[16], uint8_t rcode);

const char *tls_alert_name(uint8_t alert);      /* RFC 8446 6: "protocol_version"; NULL unknown */
const char *tls_version_name(uint16_t version); /* "TLS 1.3" */
/* What a RST's payload says (causes.md 0.6: CBOR diagnostic, device text, quoted packet). */
bool rst_payload_text(char *out, size_t outlen, const uint8_t *data, size_t len);

/* RFC 9113 7: "REFUSED_STREAM"; "unknown error" beyond the last. */
const char *h2_error_name(uint32_t code);

#endif
