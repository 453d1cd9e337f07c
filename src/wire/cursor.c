#include "wire/wire.h"

struct cursor cur_sub(struct cursor *c, size_t n)
{
    size_t here = MIN_OF(n, cur_left(c));
    struct cursor sub = {c->p, c->p + here, here < n};

    c->p += here;
    c->bad |= here < n;
    return sub;
}
