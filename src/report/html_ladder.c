/* The ladder of a connection as inline SVG, and the normal close it is to be held against. */
#include "report/html.h"

#include <stdio.h>
#include <string.h>

#define ROW       27
#define TOP       34
#define ROWS_MAX  32 /* drawn; the rest is told as a number */
#define ROWS_HEAD 5
#define ROWS_TAIL 6 /* after the reset */
#define CHAR_WIDE 6.3

struct drawing {
    struct html *h;
    int width, left, right; /* the two lifelines */
    int y;
    bool slim;  /* no packet numbers */
    bool quick; /* all of it in less than a second: told in milliseconds */
};

/* At most so many columns of it, with an ellipsis where it is cut. */
static void fitted(struct html *h, const char *s, int cols)
{
    size_t n = text_fit(s, cols);

    while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    html_textn(h, s, n);
    if (s[n])
        html_raw(h, "\xe2\x80\xa6");
}

static int columns_of(const struct drawing *d)
{
    return (int)((d->right - d->left - 20) / CHAR_WIDE);
}

static void draw_time(const struct drawing *d, const struct ladder_row *row)
{
    double t = (double)row->time / (d->quick ? NS_PER_MS : NS_PER_SEC);

    html_rawf(d->h, "<text class=\"t\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%.*f&#160;%s</text>",
              d->left - 8, d->y + 4, d->quick ? 2 : 3, t, d->quick ? "ms" : "s");
    if (!d->slim && row->packet)
        html_rawf(d->h, "<text class=\"t\" x=\"%d\" y=\"%d\">#%llu</text>", d->right + 8, d->y + 8,
                  (unsigned long long)row->packet);
}

static void draw_arrow(const struct drawing *d, bool to_right)
{
    int from = to_right ? d->left : d->right, to = to_right ? d->right : d->left;
    int back = to_right ? -9 : 9, y = d->y, end = d->y + 5;

    html_rawf(d->h, "<line class=\"a\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", from, y,
              to + back / 2, end);
    html_rawf(d->h, "<polygon class=\"h\" points=\"%d,%d %d,%d %d,%d\"/>", to, end, to + back,
              end - 5, to + back, end + 4);
}

static void draw_packet(struct drawing *d, const struct ladder_row *row)
{
    bool quiet = !row->len && !(row->flags & (TCP_SYN | TCP_FIN | TCP_RST));
    char size[32] = "";

    if (row->len && !row->is_reset)
        snprintf(size, sizeof(size), " \xc2\xb7 %u B", row->len);
    html_rawf(d->h, "<g class=\"%s\">", row->is_reset ? "rst" : quiet ? "quiet" : "pkt");
    if (row->is_cause_reset)
        html_rawf(d->h,
                  "<rect class=\"band\" x=\"4\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>",
                  d->y - 18, d->width - 8, ROW + 1);
    html_rawf(d->h, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (d->left + d->right) / 2,
              d->y - 4);
    fitted(d->h, row->label, columns_of(d) - (int)strlen(size));
    if (size[0])
        html_rawf(d->h, "<tspan class=\"t\">%s</tspan>", size);
    html_raw(d->h, "</text>");
    draw_arrow(d, row->from != SIDE_RESP);
    draw_time(d, row);
    html_raw(d->h, "</g>\n");
}

static void draw_between(struct drawing *d, const struct ladder_row *row)
{
    bool gap = row->kind == LADDER_GAP;

    html_rawf(d->h, "<g class=\"%s\">", gap ? "gap" : "note");
    if (gap)
        html_rawf(d->h, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"20\" rx=\"10\"/>",
                  d->left - 6, d->y - 13, d->right - d->left + 12);
    html_rawf(d->h, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (d->left + d->right) / 2,
              d->y + 1);
    fitted(d->h, row->label, columns_of(d) + 8);
    html_raw(d->h, "</text></g>\n");
}

static void draw_ends(const struct drawing *d, const char *left, const char *right, int height)
{
    html_rawf(d->h, "<text class=\"end\" x=\"8\" y=\"16\">");
    html_text(d->h, left);
    html_rawf(d->h, "</text><text class=\"end\" x=\"%d\" y=\"16\" text-anchor=\"end\">",
              d->width - 8);
    html_text(d->h, right);
    html_rawf(d->h,
              "</text><line class=\"life\" x1=\"%d\" y1=\"24\" x2=\"%d\" y2=\"%d\"/>"
              "<line class=\"life\" x1=\"%d\" y1=\"24\" x2=\"%d\" y2=\"%d\"/>\n",
              d->left, d->left, height - 6, d->right, d->right, height - 6);
}

static void draw_left_out(struct drawing *d, size_t n)
{
    struct ladder_row row = {.kind = LADDER_NOTE};

    snprintf(row.label, sizeof(row.label), _("%zu packets are not drawn here"), n);
    draw_between(d, &row);
    d->y += ROW;
}

/* Of a long one the beginning and what led to the reset. */
static void draw(struct drawing *d, const struct ladder *l, const char *left, const char *right,
                 const char *label)
{
    size_t at = l->nr, from, to;

    d->quick = !l->nr || l->rows[l->nr - 1].time < NS_PER_SEC;
    for (size_t i = l->nr; i-- > 0;)
        if (l->rows[i].is_cause_reset)
            at = i;
    to = MIN_OF(at + ROWS_TAIL, l->nr);
    from = to > ROWS_MAX ? to - ROWS_MAX + ROWS_HEAD : 0;
    size_t rows = to - from + (from ? ROWS_HEAD + 1 : 0) + (to < l->nr);
    int height = TOP + (int)rows * ROW + 10;

    html_rawf(d->h, "<svg class=\"ladder%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
              d->slim ? " slim" : "", d->width, height);
    html_text(d->h, label);
    html_raw(d->h, "\">");
    draw_ends(d, left, right, height);
    d->y = TOP + 16;
    for (size_t i = 0; i < to; i++) {
        if (from && i == ROWS_HEAD) {
            draw_left_out(d, from - i);
            i = from;
        }
        if (l->rows[i].kind == LADDER_PACKET)
            draw_packet(d, &l->rows[i]);
        else
            draw_between(d, &l->rows[i]);
        d->y += ROW;
    }
    if (to < l->nr)
        draw_left_out(d, l->nr - to);
    html_raw(d->h, "</svg>");
}

static void draw_flow(struct html *h, const struct ladder *l)
{
    struct drawing d = {.h = h, .width = 640, .left = 76, .right = 576};
    char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];

    html_raw(h, "<figure><div class=\"scroll\">");
    draw(&d, l, endpoint_text(a, &l->key.src, l->key.sport),
         endpoint_text(b, &l->key.dst, l->key.dport), _("the connection as a ladder"));
    html_raw(h, "</div><figcaption>");
    html_text(h, _("The connection, packet by packet: the time since its first packet on the left, "
                   "packet numbers on the right."));
    if (l->cut) {
        html_raw(h, " ");
        html_text(h, _("Packets of it are missing: they were no longer kept."));
    }
    html_raw(h, "</figcaption></figure>\n");
}

static void draw_normal(struct html *h)
{
    struct drawing d = {.h = h, .width = 400, .left = 62, .right = 388, .slim = true};
    struct ladder l;

    memset(&l, 0, sizeof(l));
    if (ladder_normal_close(&l) == 0) {
        html_raw(h, "<figure><div class=\"scroll\">");
        draw(&d, &l, _("client"), _("server"), _("a normal close"));
        html_raw(h, "</div><figcaption>");
        html_text(h, _("For comparison: a connection that is closed normally. Each side says FIN, "
                       "and each FIN is acknowledged."));
        html_raw(h, "</figcaption></figure>\n");
    }
    ladder_release(&l);
}

void html_ladder(struct html *h, const struct incident *i)
{
    uint64_t flow = i->reset ? i->reset->flow : 0;
    struct ladder l;

    memset(&l, 0, sizeof(l));
    if (!flow && i->flow_known) {
        const struct flow *f = flow_table_find(h->s->flows, &i->flow, i->time, 10 * NS_PER_SEC);
        flow = f ? flow_id(f) : 0;
    }
    if (flow && ladder_build(&l, h->s, flow) == 0 && l.nr) {
        bool normal = h->normal_beside == i->id;
        html_raw(h, normal ? "<div class=\"pair\">" : "<div>");
        draw_flow(h, &l);
        if (normal)
            draw_normal(h);
        html_raw(h, "</div>\n");
    }
    ladder_release(&l);
    out_some(h->out);
}
