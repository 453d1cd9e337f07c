/*
 * The only content that experiments send and nobody typed. It is documented (rstconsole(1)), and
 * nothing else may be added without being documented there: never a word that could itself be the
 * reason for a block.
 */
#include "experiment/trial.h"

const char neutral_name[] = "example.com";
const char neutral_bytes[] = "\r\n";

/* A name under the neutral one that nobody can have listed. */
const char *neutral_random_name(struct trial *t)
{
    const struct symptom *y = trial_symptom(t);
    uint64_t h = hash_bytes(trial_salt(t), &y->address, sizeof(y->address));

    return trial_printf(t, "x%08x.%s", (unsigned)(h & 0xffffffff), neutral_name);
}
