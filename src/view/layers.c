/*
 * layers.c: the layers of a packet as "name" lines with indented fields, and its bytes.
 */
#include "view/view.h"

#include <ctype.h>
#include <string.h>

static void add_mac(struct strbuf *out, const char *name, const uint8_t mac[6])
{
    strbuf_addf(out, "  %s  %02x:%02x:%02x:%02x:%02x:%02x\n", name, mac[0], mac[1], mac[2], mac[3],
                mac[4], mac[5]);
}

static void frame_layer(struct strbuf *out, const struct kept_packet *k, const struct packet *p)
{
    char date[TIME_TEXT_MAX], t[TIME_TEXT_MAX];

    time_rfc3339(date, k->time);
    date[MIN_OF(strcspn(date, "T"), sizeof(date) - 1)] = '\0';
    strbuf_addf(out, _("Packet %llu"), (unsigned long long)k->number);
    strbuf_addf(out, "\n  %s  %s\n", _("date"), date);
    strbuf_addf(out, "  %s  %s UTC\n", _("time"), time_clock(t, k->time, 9, true));
    strbuf_addf(out, _("  length  %u bytes, %u captured\n"), k->len, k->caplen);
    strbuf_addf(out, "  %s  %s\n", _("link"), link_name(k->link));
    if (p->mac_seen) {
        add_mac(out, _("from"), p->mac_src);
        add_mac(out, _("to"), p->mac_dst);
    }
    if (p->vlan)
        strbuf_addf(out, "  VLAN  %u\n", p->vlan);
}

static void ip_layer(struct strbuf *out, const struct packet *p)
{
    char a[ADDR_TEXT_MAX];

    strbuf_addf(out, "IPv%u\n", p->src.family);
    strbuf_addf(out, "  %s  %s\n", _("from"), addr_text(a, &p->src));
    strbuf_addf(out, "  %s  %s\n", _("to"), addr_text(a, &p->dst));
    strbuf_addf(out, p->src.family == 6 ? _("  hop limit  %u\n") : _("  ttl  %u\n"), p->ttl);
    strbuf_addf(out, _("  length  %u\n"), p->ip_len);
    if (p->src.family == 4) {
        strbuf_addf(out, _("  id  0x%04x%s\n"), p->ip_id, p->df ? _(", do not fragment") : "");
        if (!p->ip_checksum_ok)
            strbuf_addf(out, "  %s\n", _("checksum wrong, or not here"));
    } else if (p->flow_label) {
        strbuf_addf(out, _("  flow label  0x%05x\n"), p->flow_label);
    }
    if (p->tos)
        strbuf_addf(out, _("  traffic class  0x%02x\n"), p->tos);
    if (p->tunnelled)
        strbuf_addf(out, "  %s\n", _("inside a tunnel"));
    if (p->fragment)
        strbuf_addf(out, "  %s\n",
                    p->reassembled ? _("put together from fragments") : _("a fragment"));
}

static void tcp_options(struct strbuf *out, const struct tcp_header *t)
{
    if (t->has_mss)
        strbuf_addf(out, _("  option  maximum segment size %u\n"), t->mss);
    if (t->wscale >= 0)
        strbuf_addf(out, _("  option  window scale %d\n"), t->wscale);
    if (t->sack_ok)
        strbuf_addf(out, "  %s\n", _("option  SACK permitted"));
    for (int i = 0; i < t->nsack && i < TCP_SACK_MAX; i++)
        strbuf_addf(out, "  option  SACK %u-%u\n", t->sack[i].left, t->sack[i].right);
    if (t->has_ts)
        strbuf_addf(out, _("  option  timestamps %u, echo %u\n"), t->tsval, t->tsecr);
    if (t->has_tfo)
        strbuf_addf(out, "  %s\n", _("option  TCP Fast Open"));
    if (t->mptcp_rst >= 0)
        strbuf_addf(out, _("  option  MP_TCPRST reason %d\n"), t->mptcp_rst);
    if (t->bad_options)
        strbuf_addf(out, "  %s\n", _("option  damaged"));
}

static void tcp_layer(struct strbuf *out, const struct packet *p)
{
    static const struct {
        uint8_t flag;
        const char *name;
    } names[] = {{TCP_SYN, "SYN"}, {TCP_FIN, "FIN"},    {TCP_RST, "RESET"}, {TCP_PSH, "PUSH"},
                 {TCP_ACK, "ACK"}, {TCP_URG, "URGENT"}, {TCP_ECE, "ECE"},   {TCP_CWR, "CWR"}};
    const struct tcp_header *t = &p->tcp;

    strbuf_addf(out, "TCP\n  %s  %u\n  %s  %u\n", _("from port"), t->sport, _("to port"), t->dport);
    strbuf_addf(out, "  %s ", _("flags"));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (t->flags & names[i].flag)
            strbuf_addf(out, " %s", names[i].name);
    strbuf_addf(out, t->flags ? "\n" : " %s\n", _("none"));
    strbuf_addf(out, _("  seq  %u\n"), t->seq);
    strbuf_addf(out, t->flags & TCP_ACK ? _("  ack  %u\n") : _("  ack  %u (flag not set)\n"),
                t->ack);
    strbuf_addf(out, _("  window  %u\n"), t->window);
    strbuf_addf(out, _("  payload  %u bytes\n"), p->payload_len);
    strbuf_addf(out, "  %s  %s\n", _("checksum"),
                !t->checksum_seen ? _("not checked (segment not all here)")
                : t->checksum_ok  ? _("right")
                                  : _("not valid: made wrong, or left to the network card"));
    tcp_options(out, t);
}

static void icmp_layer(struct strbuf *out, const struct packet *p)
{
    char words[100], ep[ENDPOINT_TEXT_MAX];

    strbuf_addf(out, "%s\n  %s  %s (%u/%u)\n", p->l4 == L4_ICMP6 ? "ICMPv6" : "ICMP", _("says"),
                icmp_text(words, sizeof(words), p->l4 == L4_ICMP6, p->icmp.type, p->icmp.code),
                p->icmp.type, p->icmp.code);
    if (!p->icmp.quoted)
        return;
    strbuf_addf(out, "  %s  %s", _("about"), endpoint_text(ep, &p->icmp.src, p->icmp.sport));
    strbuf_addf(out, " > %s\n", endpoint_text(ep, &p->icmp.dst, p->icmp.dport));
    if (p->icmp.mtu)
        strbuf_addf(out, "  MTU  %u\n", p->icmp.mtu);
}

static void app_layer(struct strbuf *out, const struct packet *p)
{
    uint16_t sport = p->l4 == L4_UDP ? p->udp_sport : p->tcp.sport;
    uint16_t dport = p->l4 == L4_UDP ? p->udp_dport : p->tcp.dport;
    struct app app;
    char words[160];

    if (!p->payload_caplen)
        return;
    if (p->l4 == L4_TCP && p->tcp.flags & TCP_RST) {
        if (rst_payload_text(words, sizeof(words), p->payload, p->payload_caplen))
            strbuf_addf(out, "%s\n  %s\n", _("What the reset says"), words);
        return;
    }
    if (!app_decode(&app, p->payload, p->payload_caplen, sport, dport))
        return;
    strbuf_addf(out, "%s\n  %s\n", app_name(app.kind), app.text);
    if (app.name[0])
        strbuf_addf(out, "  %s  %s\n", _("name"), app.name);
    if (app.alpn[0])
        strbuf_addf(out, "  ALPN  %s\n", app.alpn);
    if (app.tls_version)
        strbuf_addf(out, "  %s  %s\n", _("version"), tls_version_name(app.tls_version));
    if (app.status)
        strbuf_addf(out, "  %s  %u\n", _("status"), app.status);
    if (app.partial)
        strbuf_addf(out, "  %s\n", _("continues in the next segment"));
}

int packet_layers(struct strbuf *out, const struct kept_packet *k)
{
    struct record rec = kept_record(k);
    struct packet p;
    int ip = packet_decode(&p, &rec, NULL);

    frame_layer(out, k, &p);
    if (ip > 0) {
        ip_layer(out, &p);
        if (p.l4 == L4_TCP)
            tcp_layer(out, &p);
        else if (p.l4 == L4_UDP)
            strbuf_addf(out, "UDP\n  %s  %u\n  %s  %u\n", _("from port"), p.udp_sport, _("to port"),
                        p.udp_dport);
        else if (p.l4 == L4_ICMP || p.l4 == L4_ICMP6)
            icmp_layer(out, &p);
        if (p.l4 == L4_TCP || p.l4 == L4_UDP)
            app_layer(out, &p);
    } else {
        strbuf_addf(out, "%s\n", _("Not IP, or too damaged to decode"));
    }
    return out->err;
}

void packet_hex(struct strbuf *out, const struct kept_packet *k)
{
    for (uint32_t at = 0; at < k->caplen; at += 16) {
        uint32_t n = MIN_OF(k->caplen - at, 16u);
        strbuf_addf(out, "%04x  ", at);
        for (uint32_t i = 0; i < 16; i++) {
            if (i < n)
                strbuf_addf(out, "%02x ", k->data[at + i]);
            else
                strbuf_addstr(out, "   ");
            if (i == 7)
                strbuf_addch(out, ' ');
        }
        strbuf_addch(out, ' ');
        for (uint32_t i = 0; i < n; i++) {
            uint8_t c = k->data[at + i];
            strbuf_addch(out, c >= 0x20 && c < 0x7f ? (char)c : '.');
        }
        strbuf_addch(out, '\n');
    }
    if (k->caplen < k->len)
        strbuf_addf(out, _("%u more bytes were on the wire, not in the capture\n"),
                    k->len - k->caplen);
}
