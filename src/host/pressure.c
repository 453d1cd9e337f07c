/* Memory and CPU pressure: /proc/pressure (PSI, Documentation/accounting/psi.rst) and the limits of
 * our own cgroup. */
#include "host/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "some avg10=0.12 avg60=...": hundredths of a percent of the last ten seconds. */
static int avg10(const char *what, unsigned *out)
{
    char path[64], line[256], digits[16];
    uint64_t whole, part;

    snprintf(path, sizeof(path), "/proc/pressure/%s", what);
    int err = source_line(line, sizeof(line), path);
    if (err)
        return err;
    const char *at = strstr(line, "avg10=");
    size_t n = at ? strspn(at + 6, "0123456789") : 0;
    if (!n || n > 3 || at[6 + n] != '.')
        return -EINVAL;
    snprintf(digits, sizeof(digits), "%.*s", (int)n, at + 6);
    err = parse_u64(digits, 0, 100, &whole);
    snprintf(digits, sizeof(digits), "%.2s", at + 7 + n);
    if (err || parse_u64(digits, 0, 99, &part))
        return -EINVAL;
    *out = (unsigned)(whole * 100 + part);
    return 0;
}

int host_pressure_read(struct host_pressure *out)
{
    memset(out, 0, sizeof(*out));
    int err = avg10("cpu", &out->cpu);
    if (!err)
        err = avg10("memory", &out->memory);
    out->available = !err;
    return err;
}

/* A tenth of the time lost is what people notice; less says nothing. */
#define NOTABLE 1000

void facts_of_pressure(struct facts *out, const struct host_pressure *p)
{
    if (!p->available)
        return;
    facts_put(out, FACT_HOST_CPU_SHORT, p->cpu >= NOTABLE, SRC_HOST, 0, "/proc/pressure/cpu",
              v_real(p->cpu / 100.0), v_none(), v_none());
    facts_put(out, FACT_HOST_MEMORY_SHORT, p->memory >= NOTABLE, SRC_HOST, 0,
              "/proc/pressure/memory", v_real(p->memory / 100.0), v_none(), v_none());
}

static int look_pressure(struct strbuf *found, struct strbuf *remedy)
{
    struct host_pressure p;
    int err = host_pressure_read(&p);

    if (err == -EOPNOTSUPP || err == -ENOENT)
        strbuf_addstr(remedy, _("boot with psi=1"));
    if (!err)
        strbuf_addf(found, _("of the last 10 s tasks waited %.2f %% for CPU, %.2f %% for memory"),
                    p.cpu / 100.0, p.memory / 100.0);
    return err;
}
const struct host_source source_pressure = {
    .name = "pressure",
    .title = N_("memory and CPU pressure (PSI)"),
    .look = look_pressure,
};
