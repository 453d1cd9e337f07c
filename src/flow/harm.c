/*
 * Did the reset hurt? (causes.md 0.7) The harmless look-alikes first: most resets of a healthy
 * network end connections that were over already. What is left hurts if something was outstanding.
 */
#include "flow/internal.h"

#define SCAN_SERVICES 3 /* a client refused by so many services is looking for open ports */

static bool no_harm(const char **why, const char *text)
{
    *why = text;
    return false;
}

static bool harm(const char **why, const char *text)
{
    *why = text;
    return true;
}

static bool all_acked(const struct reset *r, enum side s)
{
    return r->bytes[s].acked >= r->bytes[s].sent;
}

static bool scanning(const struct flow_table *t, const struct grown *g)
{
    struct services *sv = (struct services *)(uintptr_t)&t->services;
    const struct client *c = client_get(t, sv, &g->client, false);
    if (!c)
        return false;
    return c->served ? c->probed >= SCAN_SERVICES && c->probed > c->served
                     : c->probed >= SCAN_SERVICES || c->sweeps;
}

static bool judge_syn(const struct flow_table *t, const struct grown *g, const char **why)
{
    const struct reset *r = &g->r;
    if (r->from == SIDE_ORIG) {
        if (r->synack_bad_ack && r->retry_worked)
            return no_harm(why, N_("the client's next SYN was answered properly"));
        if (r->synack_bad_ack)
            return harm(why, N_("the SYN met a connection that was forgotten on one side"));
        return no_harm(why, N_("the client itself took its connection attempt back"));
    }
    if (r->syn_repeats)
        return harm(why, N_("the connection was refused again and again"));
    if (scanning(t, g))
        return no_harm(why, N_("the client is trying many ports: a scan found a closed one"));
    if (r->retried)
        return harm(why, N_("the connection was refused and the client tried again"));
    struct services *sv = (struct services *)(uintptr_t)&t->services;
    const struct service *s = service_get(sv, service_key(t, &r->key), false);
    if (s && s->connected)
        return harm(why, N_("a service that this client had used before refused it"));
    if (t->st.nlocal) /* live there is always some program that asks in vain, and goes elsewhere */
        return no_harm(why, N_("a single connection was refused and not tried again"));
    return harm(why, N_("the connection was refused"));
}

/* RFC 8446 6: every alert but close_notify and user_canceled ends the connection in failure. */
static bool fatal_alert(const struct reset *r)
{
    for (int s = 0; s < 2; s++)
        if (r->alert_seen[s] && r->alert[s] != 0 && r->alert[s] != 90)
            return true;
    return false;
}

#define SHORTEST_REQUEST 18 /* "GET / HTTP/1.0", two line ends */

/* A HTTP request went out on a connection that the server was closing. */
static bool request_lost(const struct reset *r)
{
    return r->first_orig.kind == APP_HTTP_REQUEST && r->last_data_from == SIDE_ORIG &&
           r->turns > 1 && r->fin_seen[SIDE_RESP] &&
           r->bytes[SIDE_ORIG].sent >= r->bytes[SIDE_ORIG].acked + SHORTEST_REQUEST;
}

static bool judge_close(const struct reset *r, const char **why)
{
    if (fatal_alert(r))
        return harm(why, N_("the TLS handshake failed before the reset"));
    if (request_lost(r))
        return harm(why, N_("a request met a server that was closing, and got no answer"));
    if (r->response_complete)
        return no_harm(why, N_("the response was complete before the reset"));
    if (r->fin_seen[SIDE_ORIG] && r->fin_seen[SIDE_RESP])
        return no_harm(why, N_("both sides had closed before the reset"));
    if (r->request_seen && !r->response_started && r->fin_seen[SIDE_RESP])
        return harm(why, N_("the server closed without an answer to the request"));
    if (r->status && r->fin_seen[SIDE_RESP] && !r->fin_seen[SIDE_ORIG])
        return harm(why, N_("the response was cut short"));
    if (r->fin_seen[r->from])
        return no_harm(why, N_("the side that reset had closed before"));
    return no_harm(why, N_("the connection was being closed"));
}

static bool judge_client(const struct grown *g, const char **why)
{
    const struct reset *r = &g->r;
    if (!r->handshake_done && !r->midstream && !r->request_seen && !r->response_started)
        return no_harm(why, N_("the client itself took its connection attempt back"));
    if (g->side_spoke && !g->peer_spoke)
        return harm(why, N_("the client went on as if it had never sent the reset"));
    if (fatal_alert(r))
        return harm(why, N_("the TLS handshake failed before the reset"));
    if (r->response_complete)
        return no_harm(why, N_("the client closed with a reset after a complete response"));
    if (!r->request_seen && !r->response_started)
        return no_harm(why, N_("the client itself let go right after the handshake"));
    if (r->status)
        return harm(why, N_("the client gave up before the response was complete"));
    if (r->request_seen && r->last_data_from == SIDE_ORIG && !r->midstream)
        return harm(why, N_("the client gave up before an answer came"));
    if (!all_acked(r, SIDE_RESP) || !all_acked(r, SIDE_ORIG))
        return harm(why, N_("the client let go while data was on its way"));
    return no_harm(why, N_("the client closed with a reset, everything was acknowledged"));
}

static bool judge_server(const struct reset *r, const char **why)
{
    if (r->one_sided && r->synack_seen && !r->request_seen && !r->response_started)
        return no_harm(why, N_("only answers to a SYN that was not seen: nothing was open here"));
    if (r->own_retransmits)
        return harm(why, N_("the server gave up: what it sent was never acknowledged"));
    if (r->response_complete && all_acked(r, SIDE_ORIG))
        return no_harm(why, N_("the response was complete and the request acknowledged"));
    if (r->stage == STAGE_MIDSTREAM && !r->request_seen && !r->response_started)
        return no_harm(why, N_("a segment without a connection drew the reset"));
    if (r->stage == STAGE_ACK)
        return harm(why, N_("the connection was reset before anything was sent"));
    if (r->status)
        return harm(why, N_("the response was cut short"));
    if (r->request_seen && !r->response_started)
        return harm(why, N_("the request was sent and no answer came"));
    if (r->stage == STAGE_IDLE)
        return harm(why, N_("an open connection was reset after a silence"));
    if (!all_acked(r, SIDE_ORIG) || r->last_data_from == SIDE_ORIG)
        return harm(why, N_("what the client had sent last was not answered"));
    return no_harm(why, N_("everything that was sent had been answered and acknowledged"));
}

void harm_judge(const struct flow_table *t, const struct grown *g, bool *harmful, const char **why)
{
    const struct reset *r = &g->r;
    if (r->lived_on)
        *harmful = no_harm(why, N_("both sides spoke on: the reset was ignored"));
    else if (r->checksum_bad && !r->vantage_by_checksum)
        *harmful = no_harm(why, N_("its checksum is wrong: a receiver drops it"));
    else if (r->stage == STAGE_NONE)
        *harmful = no_harm(why, N_("nothing else of the connection was seen"));
    else if (r->stage == STAGE_SYN)
        *harmful = judge_syn(t, g, why);
    else if (r->stage == STAGE_CLOSE)
        *harmful = judge_close(r, why);
    else if (r->from == SIDE_ORIG)
        *harmful = judge_client(g, why);
    else
        *harmful = judge_server(r, why);
}
