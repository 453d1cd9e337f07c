/*
 * view: pure layouts that screens and reports share: the ladder of a flow, bars, sparklines, cells.
 *
 * Owns: what it fills belongs to the caller (X_release).
 * Invariants: const session -> rows of text and numbers; no colours, no terminal, no clock.
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include "session/session.h"
#include "view/compare.h"

/* One line of a flow's ladder. */
enum ladder_kind { LADDER_PACKET, LADDER_GAP /* a silence, folded */, LADDER_NOTE };
struct ladder_row {
    enum ladder_kind kind;
    uint64_t packet;
    nstime time, gap; /* since the flow's first packet; gap: silence before */
    enum side from;
    uint8_t flags, ttl;
    uint32_t seq, ack, len; /* seq and ack relative to each side's ISN where known */
    bool relative, is_reset, is_cause_reset;
    char label[160]; /* "SYN", "ClientHello sni=a", "RESET seq 1", "12 s of silence" */
};
struct ladder {
    struct flow_key key;
    struct ladder_row *rows;
    size_t nr, alloc;
    bool cut; /* packets of it are no longer kept */
};
int ladder_build(struct ladder *l, const struct session *s, uint64_t flow);
int ladder_normal_close(struct ladder *l); /* the model: a normal close, for comparison */
void ladder_release(struct ladder *l);

/* One line about a packet, as the list shows it; decoded from the kept bytes. */
struct packet_line {
    char time[TIME_TEXT_MAX], from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX], flags[9];
    char info[200];
    uint32_t seq, ack, len;
    uint8_t ttl;
    bool reset;
};
void packet_line_fill(struct packet_line *out, const struct session *s,
                      const struct kept_packet *k);
struct record kept_record(const struct kept_packet *k); /* points into k */
/* The layers of a packet as "name" lines with indented fields, for the Packet screen. */
int packet_layers(struct strbuf *out, const struct kept_packet *k);
void packet_hex(struct strbuf *out, const struct kept_packet *k); /* offset, hex, text */

/* What several resets have in common (session->patterns): the n-th of those that share it; the
 * cause that comes first for most of them, and for how many; one line of all that. */
const struct incident *pattern_incident(const struct session *s, const struct pattern *p, size_t n);
const struct cause *pattern_cause(const struct session *s, const struct pattern *p, size_t *of);
bool pattern_tells(const struct pattern *p); /* more than that there are several */
void pattern_line(struct strbuf *out, const struct session *s, const struct pattern *p,
                  translate_fn tr);

/* "████▌" of width cells for v in 0..1; ascii: "####-". */
void bar_text(char *out, size_t outlen, double v, int width, bool ascii);
/* Recent rounds as blocks: 0 unknown, 1..8 the time it took (log scale), -1 failed: a cross. */
void spark_text(char *out, size_t outlen, const int *v, size_t n, bool ascii);
/* ---- pictures made of characters (ui/chart.h frames them with axes) ----
 * A grid of dots: 2 x 4 a cell in braille, 1 x 2 in half blocks (fonts without braille: the Linux
 * console) and in ASCII. Dots are counted from the bottom left; what falls outside is not drawn.
 * An ink (1 ... 7, 0 none) is the caller's: the screens paint it. */
enum plot_kind { PLOT_BRAILLE, PLOT_BLOCK, PLOT_ASCII };
#define PLOT_TEXT_MAX 8
struct plot_cell {
    uint8_t dots, ink;
    char mark[6]; /* "": the dots */
};
struct plot {
    int cols, rows;
    enum plot_kind kind;
    struct plot_cell *cells;
};
int plot_init(struct plot *p, int cols, int rows, enum plot_kind kind);
void plot_release(struct plot *p);
int plot_width(const struct plot *p); /* in dots */
int plot_height(const struct plot *p);
void plot_dot(struct plot *p, int x, int y, int ink);
void plot_line(struct plot *p, int x0, int y0, int x1, int y1, int ink);
void plot_column(struct plot *p, int x, double v, int ink); /* v in 0..1 of the height, filled */
/* The same over whole cells [from, to), in solid blocks, as smooth as the font lets it. */
void plot_bar(struct plot *p, int from, int to, double v, int ink);
void plot_mark(struct plot *p, int x, int y, const char *text, int ink); /* one column wide */
/* What cell (col, row from the top) shows, and in which ink. */
void plot_text(const struct plot *p, int col, int row, char out[PLOT_TEXT_MAX], int *ink);

/* From values to 0..1 of an axis. */
struct plot_scale {
    double min, max;
    bool log, set;
};
void plot_fit(struct plot_scale *s, const double *v, size_t n); /* widens it to hold them */
double plot_place(const struct plot_scale *s, double v);        /* clamped; NAN: has no place */
size_t plot_ticks(const struct plot_scale *s, double *out, size_t max); /* round numbers in it */
/* How many values fall into each of nbins equal parts of the axis; returns the most of one. */
size_t plot_bins(const struct plot_scale *s, const double *v, size_t n, double *bins, size_t nbins);
double plot_quantile(double *v, size_t n, double p); /* sorts v; NAN of none */

/* "4 ms", "RESET", "403", "-": a target's stage cell for its latest round. */
struct stage_cell {
    char text[20];
    enum outcome outcome;
    bool known, running;
};
void stage_cell_fill(struct stage_cell *out, const struct session *s, uint32_t target,
                     const char *probe, translate_fn tr);
void result_cell_fill(struct stage_cell *out, const struct result *r, translate_fn tr);
nstime result_span(const struct result *r); /* what its own stage took; NSTIME_NONE */
/* A target's recent rounds for spark_text(), oldest first; returns how many (at most n). */
size_t target_rounds(const struct session *s, uint32_t target, int *v, size_t n);
/* The failed result of a target's latest round, NULL: none failed. */
const struct result *target_failure(const struct session *s, uint32_t target);
/* A target's harmful ones day by day, in width columns; all of it in one line. */
void history_trend(char *out, size_t outlen, const struct history_target *t, unsigned days,
                   int width, bool ascii);
void history_line(struct strbuf *out, const struct history_target *t, unsigned days,
                  translate_fn tr);
/* What the history says of an incident's target; nothing where nobody looked. */
void seen_before_text(struct strbuf *out, const struct facts *f, translate_fn tr);
/* One sentence: what happened, for a list line and the top of the diagnosis. */
void incident_line(struct strbuf *out, const struct session *s, const struct incident *i,
                   translate_fn tr);
/* To be pasted into a ticket: what happened, who sent it, the cause, what to do, retry. */
void incident_summary(struct strbuf *out, const struct session *s, const struct incident *i,
                      translate_fn tr);
void packet_summary(struct strbuf *out, const struct session *s, const struct kept_packet *k);
void incident_stage_words(struct strbuf *out, const struct incident *i, translate_fn tr);
/* As above, with a probe's own failure and stage where no packet was seen. */
void incident_stage_line(struct strbuf *out, const struct session *s, const struct incident *i,
                         translate_fn tr);
void incident_who(struct strbuf *out, const struct session *s, const struct incident *i);
/* Who made the reset, a msgid: sender_title(), but the host itself by its part in the flow. */
const char *incident_sender(const struct incident *i);

#endif
