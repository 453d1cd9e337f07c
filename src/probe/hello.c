/* Variants of the ClientHello: larger by an unassigned extension, or in two segments. */
#include "probe/internal.h"
#include <errno.h>
#include <openssl/bio.h>
#include <stdlib.h>
#include <string.h>

#define PAD_TYPE  0xff7a /* in the range for private use (RFC 8446 11) */
#define SPLIT_MIN 32
#define SPLIT_GAP (20 * NS_PER_MS) /* so that no stack puts the two together again */

static int on_pad(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *len,
                  X509 *x, size_t chain_index, int *alert, void *arg)
{
    static const unsigned char zeros[16384];
    const struct chain *c = arg;
    (void)ssl;
    (void)type;
    (void)context;
    (void)x;
    (void)chain_index;
    (void)alert;
    *out = zeros;
    *len = (size_t)MIN_OF(c->st->t->opt.hello_pad, (int)sizeof(zeros));
    return 1;
}

int hello_pad(struct chain *c, SSL_CTX *ctx)
{
    return SSL_CTX_add_custom_ext(ctx, PAD_TYPE, SSL_EXT_CLIENT_HELLO, on_pad, NULL, c, NULL, c)
               ? 0
               : -ENOMEM;
}

/* ---- a filter that parts the first thing written ---- */
struct split {
    size_t first; /* bytes of the first segment, 0: the next write decides */
    bool parted;  /* the first is out, the rest waits */
    bool over;
    nstime at;
};

/* Inside the name, where a filter that reads one segment alone cannot read it. */
static size_t where(const char *sni, const char *data, size_t len)
{
    const char *name = sni && *sni ? memmem(data, len, sni, strlen(sni)) : NULL;
    if (name)
        return (size_t)(name - data) + strlen(sni) / 2;
    return len > SPLIT_MIN ? SPLIT_MIN : 1;
}

static int split_write(BIO *b, const char *data, int len)
{
    struct chain *c = BIO_get_data(b);
    struct split *s = c->split;
    BIO *next = BIO_next(b);
    BIO_clear_retry_flags(b);
    if (s->parted && !s->over && loop_clock() < s->at + SPLIT_GAP) {
        BIO_set_retry_write(b);
        return -1;
    }
    s->over = s->over || s->parted;
    size_t n = (size_t)len;
    if (!s->over)
        n = MIN_OF(n, where(chain_sni(c), data, (size_t)len));
    int rc = BIO_write(next, data, (int)n);
    BIO_copy_next_retry(b);
    if (rc > 0 && !s->over) {
        s->parted = true;
        s->at = loop_clock();
    }
    return rc;
}

static int split_read(BIO *b, char *data, int len)
{
    BIO_clear_retry_flags(b);
    int rc = BIO_read(BIO_next(b), data, len);
    BIO_copy_next_retry(b);
    return rc;
}

static long split_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    return BIO_ctrl(BIO_next(b), cmd, num, ptr);
}

static int split_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

/* One for the process, as OpenSSL has it with its own. */
static BIO_METHOD *split_method(void)
{
    static BIO_METHOD *m;
    if (m)
        return m;
    m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "split hello");
    if (m && (!BIO_meth_set_write(m, split_write) || !BIO_meth_set_read(m, split_read) ||
              !BIO_meth_set_ctrl(m, split_ctrl) || !BIO_meth_set_create(m, split_create))) {
        BIO_meth_free(m);
        m = NULL;
    }
    return m;
}

int hello_split(struct chain *c)
{
    BIO_METHOD *m = split_method();
    BIO *filter = m ? BIO_new(m) : NULL, *sock = SSL_get_wbio(c->ssl);
    c->split = calloc(1, sizeof(*c->split));
    if (!filter || !c->split || !BIO_up_ref(sock)) {
        BIO_free(filter);
        return -ENOMEM;
    }
    BIO_set_data(filter, c);
    SSL_set0_wbio(c->ssl, BIO_push(filter, sock));
    return 0;
}

/* How long the rest of the hello waits; 0: it does not. */
nstime hello_wait(const struct chain *c)
{
    const struct split *s = c->split;
    if (!s || !s->parted || s->over)
        return 0;
    return MAX_OF(s->at + SPLIT_GAP - loop_clock(), NS_PER_MS);
}
