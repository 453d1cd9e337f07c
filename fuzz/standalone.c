/*
 * Runs a fuzz target without libFuzzer.
 *   fuzz_X FILE...                    each file once (to see a finding again)
 *   fuzz_X [--seconds N] [--seed S]   mutates the target's own inputs, and those from the captures
 *                                     of $CORPUS where there is one; N is 8, or $FUZZ_SECONDS
 *   fuzz_X --seed S --only I          the I-th input of such a run alone
 * The same seed and the same corpus give the same inputs: a finding names both numbers.
 */
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX   8192
#define SEEDS_BYTES ((size_t)16 << 20)

static struct {
    uint8_t **data;
    size_t *len, n, cap, bytes;
} pool;
static uint64_t seed = 1, iteration;

static void note(void)
{
    char line[120];
    int n = snprintf(line, sizeof(line), "\nagain: --seed %llu --only %llu\n",
                     (unsigned long long)seed, (unsigned long long)iteration);

    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        _exit(2);
}

static void on_signal(int sig)
{
    note();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* A sanitizer ends the program without a signal; where one is linked in it calls back. */
void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));

static void watch_death(void)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    bool sanitized = __sanitizer_set_death_callback != NULL;

    if (sanitized)
        __sanitizer_set_death_callback(note);
    for (size_t i = 0; i < (sanitized ? 1 : ARRAY_SIZE(signals)); i++) /* abort() stays ours */
        signal(signals[i], on_signal);
}

static void add_seed(void *arg, const void *data, size_t len)
{
    (void)arg;
    len = MIN_OF(len, INPUT_MAX);
    if (pool.bytes + len > SEEDS_BYTES)
        return;
    if (pool.n == pool.cap) {
        pool.cap = pool.cap ? pool.cap * 2 : 64;
        pool.data = realloc(pool.data, pool.cap * sizeof(*pool.data));
        pool.len = realloc(pool.len, pool.cap * sizeof(*pool.len));
        MUST(pool.data && pool.len);
    }
    pool.data[pool.n] = malloc(len + 1);
    MUST(pool.data[pool.n]);
    memcpy(pool.data[pool.n], data, len);
    pool.len[pool.n++] = len;
    pool.bytes += len;
}

static uint8_t *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *bytes = NULL;

    if (f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode)) {
        *len = (size_t)st.st_size;
        bytes = malloc(*len + 1);
        if (bytes && fread(bytes, 1, *len, f) != *len) {
            free(bytes);
            bytes = NULL;
        }
    }
    if (f)
        fclose(f);
    return bytes;
}

static void add_corpus(void)
{
    static const char *const folders[] = {"hostile", "rst", "control"};
    const char *corpus = getenv("CORPUS");

    for (size_t i = 0; corpus && i < ARRAY_SIZE(folders); i++) {
        char path[4096];
        struct dirent **names;
        snprintf(path, sizeof(path), "%s/%s", corpus, folders[i]);
        int n = scandir(path, &names, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            size_t len;
            snprintf(path, sizeof(path), "%s/%s/%s", corpus, folders[i], names[k]->d_name);
            uint8_t *bytes = names[k]->d_name[0] == '.' ? NULL : file_read(path, &len);
            if (bytes)
                fuzz_seeds_of_capture(bytes, len, add_seed, NULL);
            free(bytes);
            free(names[k]);
        }
        if (n >= 0)
            free(names);
    }
}

static uint64_t rng;
static uint64_t next_random(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}
static size_t below(size_t n)
{
    return n ? (size_t)(next_random() % n) : 0;
}

/* One change: a bit, a byte, a telling number, a cut, a copy within, a piece of another input. */
static size_t mutate(uint8_t *b, size_t len)
{
    static const uint32_t telling[] = {0,       1,          4,          0x7f,       0x80,
                                       0xff,    0x100,      0x7fff,     0x8000,     0xffff,
                                       0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    size_t at = below(len), n = 1 + below(16);

    if (len == 0)
        return 0;
    switch (below(7)) {
    case 0: b[at] ^= (uint8_t)(1U << below(8)); return len;
    case 1: b[at] = (uint8_t)next_random(); return len;
    case 2: {
        uint32_t v = telling[below(ARRAY_SIZE(telling))];
        size_t bytes = (size_t)1 << below(3);
        bool big = next_random() & 1;
        for (size_t i = 0; i < bytes && at + i < len; i++)
            b[at + i] = (uint8_t)(v >> (big ? bytes - 1 - i : i) * 8);
        return len;
    }
    case 3: return at;
    case 4: /* a piece once more */
        n = MIN_OF(n, MIN_OF(len - at, INPUT_MAX - len));
        memmove(b + at + n, b + at, len - at);
        return len + n;
    case 5: /* a piece less */
        n = MIN_OF(n, len - at);
        memmove(b + at, b + at + n, len - at - n);
        return len - n;
    default: {
        size_t other = below(pool.n), from = below(pool.len[other]);
        n = below(256);
        n = MIN_OF(n, MIN_OF(pool.len[other] - from, len - at));
        memcpy(b + at, pool.data[other] + from, n);
        return len;
    }
    }
}

static void run_exact(const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);

    MUST(exact);
    memcpy(exact, data, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static void run_iteration(uint64_t i)
{
    uint8_t b[INPUT_MAX];

    rng = hash_mix(seed, i) | 1;
    size_t which = i < pool.n ? (size_t)i : below(pool.n), len = pool.len[which];
    memcpy(b, pool.data[which], len);
    if (i >= pool.n)
        for (size_t k = 1 + below(8); k > 0; k--)
            len = mutate(b, len);
    run_exact(b, len);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_file(const char *path)
{
    size_t len = 0;
    uint8_t *bytes = file_read(path, &len);

    if (!bytes) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    run_exact(bytes, len);
    free(bytes);
    return 0;
}

static uint64_t number(const char *text)
{
    uint64_t v = 0;

    if (parse_u64(text, 0, UINT64_MAX, &v) < 0) {
        fprintf(stderr, "%s: not a number\n", text);
        exit(2);
    }
    return v;
}

static void fuzz(uint64_t seconds, uint64_t only)
{
    fuzz_seeds(add_seed, NULL);
    size_t own = pool.n;
    add_corpus();
    double end = now() + (double)seconds;
    if (only != UINT64_MAX) {
        iteration = only;
        run_iteration(only);
        return;
    }
    for (iteration = 0; iteration < pool.n || iteration % 256 || now() < end; iteration++)
        run_iteration(iteration);
    printf("%llu inputs from %zu of its own and %zu of the corpus, seed %llu\n",
           (unsigned long long)iteration, own, pool.n - own, (unsigned long long)seed);
    for (size_t i = 0; i < pool.n; i++)
        free(pool.data[i]);
    free(pool.data);
    free(pool.len);
}

int main(int argc, char **argv)
{
    const char *env = getenv("FUZZ_SECONDS");
    uint64_t seconds = env ? number(env) : 8, only = UINT64_MAX;
    bool files = false;
    int rc = 0;

    watch_death();
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            files = true;
            rc |= run_file(argv[i]);
        } else if (i + 1 == argc) {
            fprintf(stderr, "usage: %s [--seconds N] [--seed S] [--only I] [FILE]...\n", argv[0]);
            return 2;
        } else if (strcmp(argv[i], "--seconds") == 0)
            seconds = number(argv[++i]);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = number(argv[++i]);
        else if (strcmp(argv[i], "--only") == 0)
            only = number(argv[++i]);
        else
            return 2;
    }
    if (!files)
        fuzz(seconds, only);
    return rc;
}
