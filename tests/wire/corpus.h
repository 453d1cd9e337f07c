/* Walking the corpus of captures ($CORPUS), for the tests that have one. */
#ifndef TESTS_WIRE_CORPUS_H
#define TESTS_WIRE_CORPUS_H

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static inline uint8_t *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *bytes = NULL;

    if (f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode)) {
        *len = (size_t)st.st_size;
        bytes = malloc(*len ? *len : 1);
        if (bytes && fread(bytes, 1, *len, f) != *len) {
            free(bytes);
            bytes = NULL;
        }
    }
    if (f)
        fclose(f);
    return bytes;
}

/* Calls fn for every file of rst/, control/ and hostile/; the number of files, 0: no corpus. */
static inline int corpus_walk(void (*fn)(const char *path, const char *name))
{
    static const char *const folders[] = {"rst", "control", "hostile"};
    const char *corpus = getenv("CORPUS");
    int files = 0;

    for (size_t i = 0; corpus && i < 3; i++) {
        char path[4096];
        struct dirent **names;
        snprintf(path, sizeof(path), "%s/%s", corpus, folders[i]);
        int n = scandir(path, &names, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            snprintf(path, sizeof(path), "%s/%s/%s", corpus, folders[i], names[k]->d_name);
            if (names[k]->d_name[0] != '.') {
                fn(path, names[k]->d_name);
                files++;
            }
            free(names[k]);
        }
        if (n >= 0)
            free(names);
    }
    return files;
}

#endif
