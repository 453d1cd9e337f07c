/* What history.c and history_read.c share. */
#ifndef SESSION_HISTORY_PRIVATE_H
#define SESSION_HISTORY_PRIVATE_H

#include "session/session.h"

#include <limits.h>
#include <sqlite3.h>

#include "config.h"

#define STATEMENTS    11
#define CHECKED_PAGES 8192 /* 32 MiB */
#define DAY           (86400 * NS_PER_SEC)

struct history_db {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    int err; /* the first of a transaction */
    struct {
        char text[48];
        int64_t id;
    } words[200];
    size_t nwords;
};
int history_error(int rc); /* SQLite's code as -errno */
int history_prepare(struct history_db *h, sqlite3_stmt **out, const char *sql);

#endif
