/*
 * filter.h: the display filter: key:value words or a pcap filter, checked as it is typed.
 */
#ifndef UI_FILTER_H
#define UI_FILTER_H

#include "view/view.h"

#define FILTER_WORDS 8
#define FILTER_LINKS 4
enum filter_key {
    FK_HOST,
    FK_PORT,
    FK_FLAGS,
    FK_STAGE,
    FK_CAUSE,
    FK_HARMFUL,
    FK_PROCESS,
    FK_COUNT
};
struct filter_word {
    enum filter_key key;
    char value[80];
    uint64_t port;
    bool yes;
};
struct filter_box {
    char text[400]; /* what is in force, "" none */
    struct filter_word words[FILTER_WORDS];
    size_t nwords;
    struct {
        uint32_t link;
        struct filter *f;
    } pcap[FILTER_LINKS];
    size_t npcap;
    bool is_pcap;
    uint64_t generation; /* goes up when it changes */
};
void filter_box_release(struct filter_box *f);
/* 0 and the filter is in force, or -EINVAL with what is wrong and the old one stays. */
int filter_box_set(struct filter_box *f, const char *text, char *err, size_t errlen);
int filter_box_check(const char *text, char *err, size_t errlen);
/* Puts the word in, or takes it out if it is there (presets). */
int filter_box_toggle(struct filter_box *f, const char *word, char *err, size_t errlen);
bool filter_box_packet(struct filter_box *f, const struct session *s, const struct kept_packet *k);
bool filter_box_incident(struct filter_box *f, const struct session *s, const struct incident *i);
/* Words, and after their colon the values there are in this session. */
struct candidates;
void filter_complete(const struct filter_box *f, const struct session *s, struct candidates *c,
                     const char *word);
bool filter_box_target(const struct filter_box *f, const struct target *t);

#endif
