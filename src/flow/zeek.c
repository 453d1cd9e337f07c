/*
 * Zeek's record of a connection: conn_state and history, letter for letter, cut where Zeek cuts.
 * A view beside the flow itself: it sees copies too, believes the first SYN, and forgets the
 * connection some seconds after a reset, while the flow lives on.
 * Sources: docs.zeek.org, base/protocols/conn (the letters and states) and its tcp_* timeouts.
 */
#include "flow/internal.h"

#include <ctype.h>
#include <string.h>

#define CLOSE_DELAY    (5 * NS_PER_SEC) /* tcp_close_delay */
#define ATTEMPT_DELAY  (5 * NS_PER_SEC) /* tcp_attempt_delay */
#define PARTIAL_DELAY  (3 * NS_PER_SEC) /* tcp_partial_close_delay */
#define EMBRYONIC_IDLE (60 * NS_PER_SEC)
#define IDLE_DEFAULT   (300 * NS_PER_SEC)  /* tcp_inactivity_timeout */
#define IDLE_LONG      (3600 * NS_PER_SEC) /* of interactive services */
#define SEQ_DELTA_MAX  1048576
#define ONCE_MULTIPLE  10

enum { L_SYN = 1, L_FIN = 2, L_RST = 4, L_FINRST = 8, L_DATA = 16, L_ACK = 32, L_MULTI = 64 };

/* base/protocols and base/frameworks: likely_server_ports, the TCP ones. */
static const uint16_t server_ports[] = {
    21,   22,   25,   53,   80,   81,   88,   102,  110,  135,  137,  139,  143,
    389,  443,  445,  502,  563,  585,  587,  614,  631,  636,  989,  990,  992,
    993,  995,  1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5060, 5222, 5223,
    5269, 5353, 5355, 5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000};
static const uint16_t long_lived_ports[] = {21, 22, 23, 513};

static bool listed(const uint16_t *ports, size_t n, uint16_t port)
{
    for (size_t i = 0; i < n; i++)
        if (ports[i] == port)
            return true;
    return false;
}

bool zeek_likely_server_port(uint16_t port)
{
    return listed(server_ports, ARRAY_SIZE(server_ports), port);
}

static bool zeek_guess_flip(const struct packet *p)
{
    bool syn = p->tcp.flags & TCP_SYN;
    if ((syn && !(p->tcp.flags & TCP_ACK)) || !zeek_likely_server_port(p->tcp.sport))
        return false;
    if (!zeek_likely_server_port(p->tcp.dport))
        return true;
    return !syn && p->tcp.sport < p->tcp.dport;
}

/* The flow's own originator: Zeek's guess, and where that has none what the segment itself says. */
bool zeek_flips(const struct packet *p)
{
    uint16_t from = p->tcp.sport, to = p->tcp.dport;
    if (p->tcp.flags & TCP_SYN)
        return p->tcp.flags & TCP_ACK; /* a SYN-ACK's sender is the responder */
    if (zeek_likely_server_port(from) || zeek_likely_server_port(to))
        return zeek_guess_flip(p);
    return (from < 1024 && to >= 1024) || (from < 32768 && to >= 32768);
}

/* ---- history ---- */
/* The record's originator (0) or responder (1): its roles are guessed as Zeek does. */
static const struct zeek_end *end_of(const struct flow *f, int i)
{
    enum side s = i ? other(f->zeek.orig) : (enum side)f->zeek.orig;
    return &f->side[s].zeek;
}

static void add_letter(struct zeek *z, const struct zeek_end *e, char letter)
{
    size_t n = strlen(z->history);
    if (n + 1 < sizeof(z->history))
        z->history[n] = e->orig ? letter : (char)tolower(letter);
}

static bool letter_seen(struct zeek *z, struct zeek_end *e, uint16_t bit, char letter)
{
    if (e->letters & bit)
        return true;
    e->letters |= bit;
    add_letter(z, e, letter);
    return false;
}

/* At 1, 10, 100, ... of a kind. */
static void scaled_letter(struct zeek *z, const struct zeek_end *e, uint32_t n, char letter)
{
    while (n >= ONCE_MULTIPLE && n % ONCE_MULTIPLE == 0)
        n /= ONCE_MULTIPLE;
    if (n == 1)
        add_letter(z, e, letter);
}

static void again_letter(struct zeek *z, struct zeek_end *e, uint16_t bit, char letter,
                         uint32_t *last, uint32_t now)
{
    if (letter_seen(z, e, bit, letter) && *last != now)
        add_letter(z, e, letter);
    *last = now;
}

void zeek_letter(struct zeek *z, struct zeek_end *e, bool data)
{
    letter_seen(z, e, data ? L_DATA : L_ACK, data ? 'D' : 'A');
}

/* What is kept of an end that sent payload or FIN; NULL on ENOMEM. */
static struct zeek_more *more_of(struct flow_table *t, struct flow *f, const struct zeek_end *e)
{
    struct flow_more *m = flow_need_more(t, f);
    return m ? &m->zeek[e == &f->side[SIDE_RESP].zeek] : NULL;
}

static void note_fin(struct flow_table *t, struct flow *f, struct zeek_end *e, uint32_t end)
{
    struct zeek_more *m = more_of(t, f, e);
    if (m)
        again_letter(&f->zeek, e, L_FIN, 'F', &m->last_fin, end);
}

static void note_letters(struct flow_table *t, struct flow *f, struct zeek_end *e,
                         const struct packet *p, uint32_t rel)
{
    struct zeek *z = &f->zeek;
    uint8_t flags = p->tcp.flags;
    int controls = !!(flags & TCP_SYN) + !!(flags & TCP_FIN) + !!(flags & TCP_RST);
    if (controls > 1) {
        if (flags & TCP_FIN && flags & TCP_RST)
            letter_seen(z, e, L_FINRST, 'I');
        else
            letter_seen(z, e, L_MULTI, 'Q');
    } else if (flags & TCP_SYN) {
        again_letter(z, e, L_SYN, flags & TCP_ACK ? 'H' : 'S', &e->last_syn, rel);
    } else if (flags & TCP_FIN) {
        note_fin(t, f, e, rel + p->payload_len);
    } else if (flags & TCP_RST) {
        again_letter(z, e, L_RST, 'R', &e->last_rst, rel);
    } else if (p->payload_len || flags & TCP_ACK) {
        zeek_letter(z, e, p->payload_len);
    }
}

/* ---- sequence numbers, relative to the start ---- */
static int64_t rel_of(const struct zeek_end *e, uint32_t seq, int64_t near)
{
    return near + seq_diff(seq, e->start + (uint32_t)near);
}

static void end_start(struct zeek_end *e, uint32_t start, uint32_t last)
{
    e->start = start;
    e->ack = 0;
    e->last = seq_diff(last, start);
}

static void end_init(struct zeek_end *e, const struct packet *p)
{
    uint32_t seq = p->tcp.seq, last = seq + segment_len(p);
    bool syn = p->tcp.flags & TCP_SYN;
    switch (e->state) {
    case Z_INACTIVE:
        if (syn)
            end_start(e, seq, last);
        else
            end_start(e, seq - 1, seq); /* as though a SYN had been seen */
        break;
    case Z_SYN_SENT:
    case Z_SYN_ACK_SENT:
        if (syn && seq != e->start)
            end_start(e, seq, last);
        break;
    case Z_ESTABLISHED:
    case Z_PARTIAL:
        if (syn)
            end_start(e, seq, last);
        break;
    case Z_RESET:
        if (syn && e->prev == Z_INACTIVE)
            end_start(e, seq, last);
        break;
    default: break;
    }
}

static void note_ack(struct zeek_end *peer, const struct packet *p)
{
    int64_t rel = rel_of(peer, p->tcp.ack, peer->ack);
    if (p->tcp.flags & TCP_RST || rel < 0)
        return;
    if (p->tcp.ack == 0 && rel - peer->ack > SEQ_DELTA_MAX)
        return; /* more likely a broken ACK */
    if (rel > peer->ack)
        peer->ack = rel;
}

static void note_repeat(struct flow_table *t, struct flow *f, struct zeek_end *e)
{
    struct zeek_more *m = more_of(t, f, e);
    if (m)
        scaled_letter(&f->zeek, e, ++m->retransmits, 'T');
}

static void note_last(struct flow_table *t, struct flow *f, struct zeek_end *e,
                      const struct packet *p)
{
    int64_t rel = rel_of(e, p->tcp.seq + segment_len(p), e->last), ahead = rel - e->last;
    if (p->tcp.flags & (TCP_SYN | TCP_RST) && (ahead > SEQ_DELTA_MAX || ahead < -SEQ_DELTA_MAX))
        return;
    if (p->tcp.flags & TCP_FIN && e->last == 1)
        e->last = rel;
    else if (e->state == Z_RESET)
        return;
    else if (ahead > 0)
        e->last = rel;
    else if (p->payload_len)
        note_repeat(t, f, e);
}

static bool clean(const struct zeek_end *e)
{
    return e->state == Z_ESTABLISHED || (e->state == Z_CLOSED && e->prev == Z_ESTABLISHED);
}

/* Not where the record's roles or ends are in doubt: there gaps are mostly false. */
void zeek_note_gap(struct flow_table *t, struct flow *f, struct zeek_end *e)
{
    if (!clean(&f->side[0].zeek) || !clean(&f->side[1].zeek))
        return;
    struct zeek_more *m = more_of(t, f, e);
    if (m)
        scaled_letter(&f->zeek, e, ++m->gaps, 'G');
}

/* ---- the state machine ---- */
static void set_state(struct zeek_end *e, enum zeek_state s)
{
    if (e->state == (uint8_t)s)
        return;
    e->prev = e->state;
    e->state = (uint8_t)s;
}

static void set_due(struct zeek *z, enum zeek_due due, nstime at)
{
    z->due = (uint8_t)due;
    z->due_at = at;
}

/* The SYN-ACK was captured before its SYN (two interfaces): the roles were guessed wrongly. */
static bool reversed(const struct zeek_end *e, const struct zeek_end *peer, const struct packet *p)
{
    return !e->orig && e->state == Z_INACTIVE && peer->state == Z_SYN_ACK_SENT &&
           (p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && p->tcp.seq == e->start;
}

static void swap_roles(struct zeek *z, struct zeek_end *e, struct zeek_end *peer)
{
    size_t n = strlen(z->history);
    e->orig = true;
    peer->orig = false;
    z->orig = (uint8_t)other(z->orig);
    z->partial = false;
    if (n + 1 < sizeof(z->history))
        z->history[n] = '^';
    set_state(peer, Z_ESTABLISHED);
    set_state(e, Z_ESTABLISHED);
}

static void inactive_syn(struct zeek *z, struct zeek_end *e, struct zeek_end *peer,
                         const struct packet *p)
{
    if (e->orig) {
        set_state(e, p->tcp.flags & TCP_ACK ? Z_SYN_ACK_SENT : Z_SYN_SENT);
        set_due(z, DUE_ATTEMPT, p->time + ATTEMPT_DELAY);
        return;
    }
    if (peer->state == Z_SYN_SENT)
        set_state(peer, Z_ESTABLISHED);
    set_state(e, Z_ESTABLISHED);
}

static bool state_inactive(struct zeek *z, struct zeek_end *e, struct zeek_end *peer,
                           const struct packet *p)
{
    bool close = false;
    if (p->tcp.flags & TCP_SYN)
        inactive_syn(z, e, peer, p);
    if (p->tcp.flags & TCP_FIN) {
        set_state(e, Z_CLOSED);
        close = true;
    }
    if (p->tcp.flags & TCP_RST) {
        set_state(e, Z_RESET);
        close = true;
    }
    if (e->state != Z_INACTIVE)
        return close;
    if (!e->orig && !p->payload_len && peer->state == Z_SYN_SENT)
        return close; /* some acknowledge a SYN before they answer it */
    if (p->tcp.flags & TCP_ACK && peer->state == Z_ESTABLISHED) {
        set_state(e, Z_ESTABLISHED);
        z->partial = false;
    } else {
        set_state(e, Z_PARTIAL);
    }
    return close;
}

static bool state_established(struct zeek_end *e, struct zeek_end *peer, const struct packet *p)
{
    uint8_t f = p->tcp.flags;
    bool close = false;
    if (f & TCP_SYN && !(f & TCP_ACK) && e->state == Z_PARTIAL && peer->state == Z_INACTIVE)
        set_state(e, Z_SYN_SENT);
    if (f & TCP_FIN && !(f & TCP_RST)) {
        set_state(e, Z_CLOSED);
        if (peer->state == Z_RESET && peer->prev == Z_CLOSED)
            set_state(peer, Z_CLOSED); /* FIN, RST, FIN is a normal end */
        close = true;
    }
    if (f & TCP_RST) {
        set_state(e, Z_RESET);
        close = true;
    }
    return close;
}

/* True: the end closes with this segment. */
static bool state_machine(struct zeek *z, struct zeek_end *e, struct zeek_end *peer,
                          const struct packet *p)
{
    switch (e->state) {
    case Z_INACTIVE: return state_inactive(z, e, peer, p);
    case Z_SYN_SENT:
    case Z_SYN_ACK_SENT:
        if (p->tcp.flags & TCP_FIN)
            set_state(e, Z_CLOSED);
        if (p->tcp.flags & TCP_RST)
            set_state(e, Z_RESET);
        return p->tcp.flags & (TCP_FIN | TCP_RST);
    case Z_ESTABLISHED:
    case Z_PARTIAL: return state_established(e, peer, p);
    case Z_CLOSED:
        if (p->tcp.flags & TCP_RST && peer->state != Z_CLOSED) {
            set_state(e, Z_RESET);
            return !e->did_close;
        }
        return false;
    default: return false;
    }
}

static void end_closed(struct zeek *z, struct zeek_end *e, struct zeek_end *peer)
{
    if (e->did_close)
        return;
    e->did_close = true;
    if (e->state == Z_RESET || peer->did_close || peer->state == Z_INACTIVE)
        set_due(z, DUE_CLOSE, z->last + CLOSE_DELAY);
    else if (e->prev == Z_INACTIVE)
        set_due(z, DUE_PARTIAL, z->last + PARTIAL_DELAY);
}

/* ---- the record ---- */
static uint64_t end_size(const struct zeek_end *e, const struct zeek_end *peer)
{
    if (e->prev == Z_SYN_SENT && e->state == Z_RESET && peer->state == Z_INACTIVE && e->ack > 1)
        return 0;
    int64_t size = MAX_OF(e->last, e->ack);
    size -= size > 0;
    size -= e->fin && size > 0;
    return size > 0 ? (uint64_t)size : 0;
}

/* The history of a client that gave up before any answer: S, then nothing of HAFGIQ before R. */
static bool syn_then_rst(const char *h)
{
    h += *h == '^';
    if (*h++ != 'S')
        return false;
    return h[strcspn(h, "HAFGIQR")] == 'R';
}

enum conn_state zeek_conn_state(const struct flow *f)
{
    const struct zeek_end *o = end_of(f, 0), *r = end_of(f, 1);
    bool o_inactive = o->state == Z_INACTIVE || o->state == Z_PARTIAL;
    bool r_inactive = r->state == Z_INACTIVE || r->state == Z_PARTIAL;
    if (r->state == Z_RESET) {
        if (o->state == Z_SYN_SENT || o->state == Z_SYN_ACK_SENT ||
            (o->state == Z_RESET && !end_size(o, r) && !end_size(r, o)))
            return CONN_REJ;
        return o_inactive ? CONN_RSTRH : CONN_RSTR;
    }
    if (o->state == Z_RESET) {
        if (r_inactive)
            return syn_then_rst(f->zeek.history) ? CONN_RSTOS0 : CONN_OTH;
        return CONN_RSTO;
    }
    if (r->state == Z_CLOSED && o->state == Z_CLOSED)
        return CONN_SF;
    if (o->state == Z_CLOSED)
        return r_inactive ? CONN_SH : CONN_S2;
    if (r->state == Z_CLOSED)
        return o_inactive ? CONN_SHR : CONN_S3;
    if (o->state == Z_SYN_SENT && r->state == Z_INACTIVE)
        return CONN_S0;
    if (o->state == Z_ESTABLISHED && r->state == Z_ESTABLISHED)
        return CONN_S1;
    return CONN_OTH;
}

enum conn_state flow_conn_state(const struct flow *f)
{
    return f->zeek.start == NSTIME_NONE ? CONN_NONE : zeek_conn_state(f);
}

const char *flow_history(const struct flow *f)
{
    return f->zeek.history;
}

void zeek_cut(struct flow_table *t, struct flow *f)
{
    struct zeek *z = &f->zeek;
    z->open = false;
    struct grown *g = table_grown(t, f->reset);
    if (g)
        g->record_open = false;
    if (!t->st.on_record)
        return;
    struct flow_record rec = {.flow = f->id,
                              .key = f->key,
                              .start = z->start,
                              .duration = MAX_OF(z->last - z->start, 0), /* clocks step back */
                              .state = zeek_conn_state(f)};
    if (z->orig == SIDE_RESP)
        rec.key = (struct flow_key){f->key.dst, f->key.src, f->key.dport, f->key.sport};
    memcpy(rec.history, z->history, sizeof(rec.history));
    for (int i = 0; i < 2; i++) {
        rec.packets[i] = end_of(f, i)->packets;
        rec.bytes[i] = end_size(end_of(f, i), end_of(f, !i));
    }
    t->st.on_record(t->st.arg, &rec);
}

static void zeek_open(struct flow *f, enum side s, const struct packet *p)
{
    bool flip = zeek_guess_flip(p);
    f->zeek = (struct zeek){.open = true,
                            .quick = true,
                            .orig = (uint8_t)(flip ? other(s) : s),
                            .start = p->time,
                            .last = p->time};
    if (flip)
        f->zeek.history[0] = '^';
    for (int i = 0; i < 2; i++)
        f->side[i].zeek = (struct zeek_end){.delivered = 1, .orig = f->zeek.orig == i};
    if (f->more) {
        f->more->zeek_blocks[0] = f->more->zeek_blocks[1] = 0;
        memset(f->more->zeek, 0, sizeof(f->more->zeek));
    }
}

static nstime idle_limit(const struct flow_table *t, const struct flow *f)
{
    uint16_t port = f->zeek.orig == SIDE_ORIG ? f->key.dport : f->key.sport;
    if (f->zeek.quick)
        return EMBRYONIC_IDLE;
    if (t->st.zeek_inactivity)
        return t->st.zeek_inactivity;
    return listed(long_lived_ports, ARRAY_SIZE(long_lived_ports), port) ? IDLE_LONG : IDLE_DEFAULT;
}

/* Would Zeek have forgotten the connection by now? */
static bool expired(const struct flow_table *t, const struct flow *f, nstime now)
{
    const struct zeek *z = &f->zeek;
    const struct zeek_end *o = end_of(f, 0), *r = end_of(f, 1);
    if (now - z->last >= idle_limit(t, f))
        return true;
    if (z->due == DUE_NEVER || now < z->due_at)
        return false;
    if (z->due == DUE_ATTEMPT)
        return r->state == Z_INACTIVE && (o->state == Z_SYN_SENT || o->state == Z_SYN_ACK_SENT);
    if (z->due == DUE_PARTIAL)
        return o->state != Z_INACTIVE && r->state != Z_INACTIVE &&
               !(o->did_close && r->did_close) && o->state != Z_RESET && r->state != Z_RESET;
    return true;
}

static bool reused(const struct flow *f, const struct packet *p)
{
    const struct zeek_end *o = end_of(f, 0), *r = end_of(f, 1);
    if (!(p->tcp.flags & TCP_SYN))
        return false;
    if (p->tcp.flags & TCP_ACK && o->state != Z_INACTIVE)
        return false;
    if (o->did_close && r->did_close)
        return true;
    if (p->tcp.seq == (p->tcp.flags & TCP_ACK ? r->start : o->start))
        return false;
    return p->tcp.flags & TCP_ACK || o->state != Z_SYN_ACK_SENT || r->state != Z_INACTIVE;
}

static void note_segment(struct flow_table *t, struct flow *f, struct zeek_end *e,
                         const struct zeek_end *peer, const struct packet *p, int64_t rel)
{
    struct zeek *z = &f->zeek;
    note_letters(t, f, e, p, (uint32_t)rel);
    if (!p->tcp.window && !(p->tcp.flags & TCP_RST) && peer->state != Z_CLOSED &&
        e->state != Z_RESET)
        scaled_letter(z, e, count16(&e->zero_windows), 'W');
    if (!e->did_close || !peer->did_close)
        z->last = p->time;
    struct zeek_more *m = p->tcp.flags & TCP_FIN ? more_of(t, f, e) : NULL;
    if (m) {
        e->fin = true;
        m->fin_seq = (uint32_t)rel + segment_len(p);
    }
}

static void zeek_segment(struct flow_table *t, struct flow *f, struct zeek_end *e,
                         struct zeek_end *peer, const struct packet *p)
{
    struct zeek *z = &f->zeek;
    int64_t acked = 0;
    if (!e->seen)
        z->partial = e->orig ? (p->tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN
                             : z->partial || !(p->tcp.flags & TCP_SYN);
    end_init(e, p);
    int64_t rel = rel_of(e, p->tcp.seq, e->last);
    note_segment(t, f, e, peer, p, rel);
    if (p->tcp.flags & TCP_ACK && peer->state == Z_INACTIVE) {
        acked = 1;
        end_start(peer, p->tcp.ack - 1, p->tcp.ack - 1);
    } else if (p->tcp.flags & TCP_ACK) {
        acked = rel_of(peer, p->tcp.ack, peer->ack);
        note_ack(peer, p);
    }
    note_last(t, f, e, p);
    if (reversed(e, peer, p))
        swap_roles(z, e, peer);
    bool close = state_machine(z, e, peer, p);
    if (e->state >= Z_PARTIAL || peer->state >= Z_PARTIAL)
        z->quick = false; /* past the handshake */
    if (p->tcp.flags & TCP_ACK)
        zeek_acked(t, f, peer, acked);
    e->seen = true;
    zeek_data(t, f, e, p, rel);
    if (close)
        end_closed(z, e, peer);
}

void zeek_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p,
                 bool corrupt)
{
    struct zeek *z = &f->zeek;
    if (z->open && (expired(t, f, p->time) || (!corrupt && reused(f, p))))
        zeek_cut(t, f);
    if (!z->open)
        zeek_open(f, s, p);
    struct zeek_end *e = &f->side[s].zeek;
    if (corrupt) {
        scaled_letter(z, e, count16(&e->checksums), 'C');
        return;
    }
    e->packets++;
    zeek_segment(t, f, e, &f->side[other(s)].zeek, p);
}
