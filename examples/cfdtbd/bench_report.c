/* SPDX-License-Identifier: Apache-2.0 */
/* Measured values: how they lie, and how they are shown. */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- spread ---- */

spread spread_of(double *values, size_t n)
{
    sort_ascending(values, n);
    return (spread){values[0], quantile(values, n, 0.25), quantile(values, n, 0.5), quantile(values, n, 0.75),
                    values[n - 1]};
}

void spread_json(json *j, const char *key, const spread *s)
{
    char name[64];
    json_number(j, key, s->median);
    snprintf(name, sizeof name, "%s_spread", key);
    json_open(j, name, '{');
    json_number(j, "least", s->least);
    json_number(j, "lower_quartile", s->lower);
    json_number(j, "upper_quartile", s->upper);
    json_number(j, "most", s->most);
    json_close(j, '}');
}

/* ---- lines ---- */

void report_line(const char *name, const char *format, ...)
{
    va_list arguments;
    printf("%-17s  ", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

void report_spread(const char *name, const spread *s, const char *unit, int digits)
{
    report_line(name, "%.*f %s (quartiles %.*f and %.*f, all from %.*f to %.*f)", digits, s->median, unit, digits, s->lower,
                digits, s->upper, digits, s->least, digits, s->most);
}

void report_machine(cfd_context *context)
{
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    (void)cfd_context_get_info(context, &info);
    report_line("device", "%s, %d threads, %s loops, %s", info.device, (int)info.threads, info.instruction_set, info.gemm);
}

void machine_json(json *j, cfd_context *context)
{
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    (void)cfd_context_get_info(context, &info);
    json_text(j, "version", cfd_version());
    json_text(j, "device", info.device);
    json_text(j, "instruction_set", info.instruction_set);
    json_text(j, "gemm", info.gemm);
    json_text(j, "bfloat16", info.bfloat16);
    json_signed(j, "threads", info.threads);
}

void report_synthetic(const synthetic *s)
{
    report_line("data", "%d users, %d items, %d interactions", (int)s->users, (int)s->items, (int)s->interactions);
    for (size_t k = 0; k < s->n; k++) {
        const synthetic_modality *m = &s->modalities[k];
        if (m->per_item) {
            report_line(k ? "" : "modalities", "%s: %d tags, %d an item", m->role, (int)m->columns, (int)m->per_item);
        } else {
            report_line(k ? "" : "modalities", "%s: %d columns", m->role, (int)m->columns);
        }
    }
}

void synthetic_json(json *j, const synthetic *s)
{
    json_signed(j, "users", s->users);
    json_signed(j, "items", s->items);
    json_signed(j, "interactions", s->interactions);
    json_unsigned(j, "seed", s->seed);
    json_open(j, "modalities", '[');
    for (size_t k = 0; k < s->n; k++) {
        const synthetic_modality *m = &s->modalities[k];
        json_open(j, NULL, '{');
        json_text(j, "role", m->role);
        json_signed(j, "columns", m->columns);
        json_bool(j, "sparse", m->per_item > 0);
        json_signed(j, "nonzeros_per_item", m->per_item ? m->per_item : m->columns);
        json_close(j, '}');
    }
    json_close(j, ']');
}
