/*
 * Content gaps of Zeek's record: what one end acknowledged and the capture has never seen. Only
 * ranges are kept, never the bytes.
 */
#include "flow/internal.h"

static void blocks_absorb(struct flow_more *m, int i, struct zeek_end *e)
{
    for (bool moved = true; moved && m;) {
        moved = false;
        for (int b = 0; b < m->zeek_blocks[i]; b++) {
            if (seq_gt(m->zeek_block[i][b].left, e->delivered))
                continue;
            if (seq_gt(m->zeek_block[i][b].right, e->delivered))
                e->delivered = m->zeek_block[i][b].right;
            m->zeek_block[i][b] = m->zeek_block[i][--m->zeek_blocks[i]];
            moved = true;
            break;
        }
    }
}

/* The peer acknowledged what was never seen: one gap before each block that lies in between. */
static void undelivered(struct flow_table *t, struct flow *f, struct zeek_end *e, uint32_t upto)
{
    struct flow_more *m = f->more;
    int i = !e->orig;
    if (upto <= 2 && f->zeek.partial)
        return;
    for (;;) {
        uint32_t lowest = upto;
        for (int b = 0; m && b < m->zeek_blocks[i]; b++)
            if (seq_gt(lowest, m->zeek_block[i][b].left))
                lowest = m->zeek_block[i][b].left;
        if (lowest == upto)
            break;
        zeek_note_gap(t, f, e);
        e->delivered = lowest;
        blocks_absorb(m, i, e);
    }
    if (seq_gt(upto, e->delivered)) {
        zeek_note_gap(t, f, e);
        e->delivered = upto;
    }
}

void zeek_acked(struct flow_table *t, struct flow *f, struct zeek_end *e, int64_t rel)
{
    uint32_t seq = (uint32_t)rel;
    if (e->fin) {
        uint32_t fin = f->more->zeek[e == &f->side[SIDE_RESP].zeek].fin_seq;
        if (seq_ge(seq, fin))
            seq = fin - 1;
    }
    if (rel <= 0 || !seq_gt(seq, e->trimmed))
        return;
    if (seq_gt(seq, e->delivered))
        undelivered(t, f, e, seq);
    e->trimmed = seq;
}

void zeek_data(struct flow_table *t, struct flow *f, struct zeek_end *e, const struct packet *p,
               int64_t rel)
{
    int i = !e->orig;
    if (!p->payload_len || p->payload_caplen < p->payload_len || p->tcp.flags & TCP_RST || rel < 0)
        return;
    uint32_t left = (uint32_t)rel + !!(p->tcp.flags & TCP_SYN), right = left + p->payload_len;
    if (!seq_gt(right, e->delivered))
        return;
    struct flow_more *m = flow_need_more(t, f);
    if (!seq_gt(left, e->delivered)) {
        e->delivered = right;
        if (m && m->zeek_blocks[i])
            blocks_absorb(m, i, e);
    } else if (m && m->zeek_blocks[i] < HOLES_MAX) {
        for (int b = 0; b < m->zeek_blocks[i]; b++)
            if (m->zeek_block[i][b].right == left) {
                m->zeek_block[i][b].right = right;
                return;
            }
        m->zeek_block[i][m->zeek_blocks[i]].left = left;
        m->zeek_block[i][m->zeek_blocks[i]++].right = right;
    }
}
