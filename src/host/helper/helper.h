/* The parts of rstconsole-host: what each source opens, what it answers, what it watches. */
#ifndef HOST_HELPER_HELPER_H
#define HOST_HELPER_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct json_t;

/* A line on stdout; takes the object over. */
void put_line(struct json_t *line);
/* The last line of an answer: how many there were, and how many were left out. */
void put_end(const char *of, size_t n, size_t left_out);
/* A decimal number, all of the text; false if it is none or greater than max. */
bool take_number(const char *text, uint64_t max, uint64_t *out);

bool may(int capability); /* it is effective now */

/* Opens what it takes: 0, or -errno and in why what a person may do about it. */
int rules_open(char *why, size_t len);
void rules_answer(void);

int entries_open(char *why, size_t len);
int entries_fd(void); /* -1: not open */
void entries_readable(void);
/* "SRC SPORT DST DPORT" */
void entries_answer(char *request);

int trace_open(char *why, size_t len);
int trace_fd(void);
void trace_readable(void);

int owners_open(char *why, size_t len);
/* Numbers of sockets (inodes), at most 64. */
void owners_answer(char *request);

#endif
