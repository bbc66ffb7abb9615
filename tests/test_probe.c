/* SPDX-License-Identifier: Apache-2.0 */
/* Probes: times of bare operations, what they refuse, what they leave behind; and the bare product that they time. */
#include "limited_memory.h"
#include "ops/cpu/gemm.h"
#include "ops_support.h"
#include "test_api_world.h"

#include <stdatomic.h>

enum { REPETITIONS = 5 };

static const char *const devices[] = {"cpu", "reference"};

static cfd_context *open_device(const char *device, int32_t threads)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = device;
    options.threads = threads;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    return context;
}

static cfd_probe probe_of(int32_t kind, const char *precision, int64_t rows, int64_t inner, int64_t columns)
{
    cfd_probe probe = CFD_PROBE_INIT;
    probe.kind = kind;
    probe.precision = precision;
    probe.rows = rows;
    probe.inner = inner;
    probe.columns = columns;
    return probe;
}

static double median_seconds(cfd_context *context, const cfd_probe *probe)
{
    double seconds[REPETITIONS];
    OK(cfd_context_probe(context, probe, seconds, REPETITIONS));
    double least = INFINITY;
    for (int i = 0; i < REPETITIONS; i++) { /* the median of five: two are smaller */
        int smaller = 0;
        for (int k = 0; k < REPETITIONS; k++) {
            smaller += seconds[k] < seconds[i] || (seconds[k] == seconds[i] && k < i);
        }
        least = smaller == REPETITIONS / 2 ? seconds[i] : least;
    }
    return least;
}

/* ---- times ---- */

START_TEST(every_kind_gives_as_many_times_as_were_asked_for)
{
    cfd_context *context = open_device(devices[_i], 2);
    for (int32_t kind = CFD_PROBE_COPY; kind <= CFD_PROBE_SCORES; kind++) {
        cfd_probe probe = probe_of(kind, kind == CFD_PROBE_COPY ? NULL : "float32", 70, 50, 30);
        double seconds[REPETITIONS + 1];
        for (int k = 0; k <= REPETITIONS; k++) {
            seconds[k] = -1;
        }
        OK(cfd_context_probe(context, &probe, seconds, REPETITIONS));
        for (int k = 0; k < REPETITIONS; k++) {
            ck_assert_double_ge(seconds[k], 0);
            ck_assert_double_lt(seconds[k], 10);
        }
        ck_assert_double_eq(seconds[REPETITIONS], -1);
    }
    cfd_context_destroy(context);
}
END_TEST

/* Twenty times as long and wide in every direction is 8000 times the work; a tenth of that ratio must show. */
START_TEST(more_work_takes_longer)
{
    cfd_context *context = open_device("reference", 1);
    for (int32_t kind = CFD_PROBE_PROJECT; kind <= CFD_PROBE_SCORES; kind++) {
        cfd_probe little = probe_of(kind, NULL, 10, 10, 10);
        cfd_probe much = probe_of(kind, NULL, 200, 200, 200);
        ck_assert_double_gt(median_seconds(context, &much), 20 * median_seconds(context, &little));
        /* Each size counts. */
        const cfd_probe longer[] = {probe_of(kind, NULL, 4000, 10, 10), probe_of(kind, NULL, 10, 4000, 10),
                                    probe_of(kind, NULL, 10, 10, 4000)};
        for (int k = 0; k < 3; k++) {
            ck_assert_double_gt(median_seconds(context, &longer[k]), 10 * median_seconds(context, &little));
        }
    }
    cfd_context_destroy(context);
    for (int d = 0; d < 2; d++) {
        context = open_device(devices[d], 2);
        cfd_probe little = probe_of(CFD_PROBE_COPY, NULL, 1 << 12, 0, 0);
        cfd_probe much = probe_of(CFD_PROBE_COPY, NULL, 1 << 26, 0, 0);
        ck_assert_double_gt(median_seconds(context, &much), 10 * median_seconds(context, &little));
        cfd_context_destroy(context);
    }
}
END_TEST

START_TEST(bfloat16_is_timed_where_it_is_multiplied)
{
    cfd_context *context = open_device(devices[_i], 2);
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    const char *const names[] = {"bf16", "bf16x3"};
    for (int k = 0; k < 2; k++) {
        for (int32_t kind = CFD_PROBE_PROJECT; kind <= CFD_PROBE_SCORES; kind++) {
            cfd_probe probe = probe_of(kind, names[k], 33, 65, 17);
            double seconds[2] = {-1, -1};
            cfd_status status = cfd_context_probe(context, &probe, seconds, 2);
            ck_assert(status == CFD_OK || status == CFD_ERROR_DEVICE);
            ck_assert(status == CFD_OK || strcmp(info.bfloat16, "none") == 0);
            ck_assert((seconds[0] >= 0) == (status == CFD_OK) && (seconds[1] >= 0) == (status == CFD_OK));
            if (status == CFD_ERROR_DEVICE) {
                ck_assert_ptr_nonnull(strstr(cfd_last_error(), "bfloat16"));
            }
        }
    }
    cfd_context_destroy(context);
}
END_TEST

/* ---- refusals ---- */

START_TEST(probes_that_make_no_sense_are_refused)
{
    cfd_context *context = open_device(devices[_i], 1);
    const struct {
        cfd_probe probe;
        const char *part;
        cfd_status status;
    } cases[] = {
        {probe_of(-1, NULL, 1, 1, 1), "no such probe", CFD_ERROR_ARGUMENT},
        {probe_of(4, NULL, 1, 1, 1), "no such probe", CFD_ERROR_ARGUMENT},
        {probe_of(1, "half", 1, 1, 1), "\"half\": float32, bf16x3, bf16 or tf32", CFD_ERROR_ARGUMENT},
        {probe_of(1, "", 1, 1, 1), "probe.precision", CFD_ERROR_ARGUMENT},
        {probe_of(0, NULL, 0, 1, 1), "probe.rows is 0", CFD_ERROR_ARGUMENT},
        {probe_of(1, NULL, -5, 1, 1), "probe.rows is -5", CFD_ERROR_ARGUMENT},
        {probe_of(2, NULL, 1, 0, 1), "probe.inner is 0", CFD_ERROR_ARGUMENT},
        {probe_of(3, NULL, 1, 1, (int64_t)INT32_MAX + 1), "probe.columns is 2147483648", CFD_ERROR_ARGUMENT},
        {probe_of(1, NULL, INT32_MAX, INT32_MAX, INT32_MAX), "out of memory", CFD_ERROR_MEMORY},
        {probe_of(0, NULL, INT64_MAX, 0, 0), "out of memory", CFD_ERROR_MEMORY},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        double seconds = -1;
        FAILS(cases[k].status, cases[k].part, cfd_context_probe(context, &cases[k].probe, &seconds, 1));
        ck_assert_double_eq(seconds, -1);
    }
    cfd_probe good = probe_of(1, NULL, 2, 3, 4);
    double seconds = -1;
    FAILS(CFD_ERROR_ARGUMENT, "n is 0", cfd_context_probe(context, &good, &seconds, 0));
    FAILS(CFD_ERROR_ARGUMENT, "n is 1001", cfd_context_probe(context, &good, &seconds, CFD_MAX_PROBE_REPETITIONS + 1));
    FAILS(CFD_ERROR_ARGUMENT, "context is NULL", cfd_context_probe(NULL, &good, &seconds, 1));
    FAILS(CFD_ERROR_ARGUMENT, "probe is NULL", cfd_context_probe(context, NULL, &seconds, 1));
    FAILS(CFD_ERROR_ARGUMENT, "seconds is NULL", cfd_context_probe(context, &good, NULL, 1));
    good.reserved = 1;
    FAILS(CFD_ERROR_ARGUMENT, "reserved", cfd_context_probe(context, &good, &seconds, 1));
    good = probe_of(1, NULL, 2, 3, 4);
    good.struct_size = 0;
    FAILS(CFD_ERROR_ARGUMENT, "_INIT", cfd_context_probe(context, &good, &seconds, 1));
    ck_assert_double_eq(seconds, -1);
    cfd_context_destroy(context);
}
END_TEST

/* ---- memory ---- */

START_TEST(every_allocation_may_fail_and_all_is_given_back)
{
    limited l;
    limited_init(&l, 1000);
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = devices[_i];
    options.threads = 1;
    options.profile = 1;
    options.allocate = limited_allocate;
    options.release = limited_release;
    options.allocator_user = &l;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    long before = atomic_load(&l.live);
    for (int32_t kind = CFD_PROBE_COPY; kind <= CFD_PROBE_SCORES; kind++) {
        cfd_probe probe = probe_of(kind, "float32", 20, 30, 40);
        double seconds = -1;
        int failures = 0;
        for (long n = 0;; n++) {
            atomic_store(&l.left, n);
            cfd_status status = cfd_context_probe(context, &probe, &seconds, 1);
            ck_assert_int_eq(atomic_load(&l.live), before);
            if (status == CFD_OK) {
                break;
            }
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);
            ck_assert_double_eq(seconds, -1);
            failures++;
        }
        ck_assert_double_ge(seconds, 0);
        ck_assert_int_ge(failures, 4); /* an instance, its wrapper, two buffers at least */
    }
    ck_assert_uint_eq(cfd_context_profile_count(context), 0); /* no part of the profile */
    cfd_context_destroy(context);
    ck_assert_int_eq(atomic_load(&l.live), 0);
}
END_TEST

/* ---- the bare product ---- */

static double element(const float *x, bool transposed, int64_t rows, int64_t columns, int64_t r, int64_t c)
{
    return transposed ? x[c * rows + r] : x[r * columns + c];
}

static uint16_t upper_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)(bits >> 16);
}

START_TEST(bare_products_are_products)
{
    const int64_t sizes[][3] = {{1, 1, 1}, {5, 3, 7}, {64, 33, 130}, {2, 200, 9}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
        float *a = get_memory((size_t)(m * k), sizeof *a), *b = get_memory((size_t)(k * n), sizeof *b);
        uint16_t *short_a = get_memory((size_t)(m * k), 2), *short_b = get_memory((size_t)(k * n), 2);
        for (int64_t i = 0; i < m * k; i++) { /* eighths: exact in bfloat16 */
            a[i] = (float)(random_below(33) - 16) / 8;
            short_a[i] = upper_half(a[i]);
        }
        for (int64_t i = 0; i < k * n; i++) {
            b[i] = (float)(random_below(33) - 16) / 8;
            short_b[i] = upper_half(b[i]);
        }
        for (int form = 0; form < 24; form++) {
            bool ta = form & 1, tb = form & 2, shorter = form & 4;
            int32_t threads = 1 + form / 8;
            float *c = unset_floats((size_t)(m * n));
            cfd_status status = shorter ? gemm_bare(GEMM_BFLOAT16, ta, tb, m, n, k, short_a, short_b, c, threads)
                                        : gemm_bare(GEMM_FLOAT32, ta, tb, m, n, k, a, b, c, threads);
            ck_assert(status == CFD_OK || (shorter && status == CFD_ERROR_DEVICE));
            for (int64_t r = 0; r < m && status == CFD_OK; r++) {
                for (int64_t j = 0; j < n; j++) {
                    double sum = 0;
                    for (int64_t i = 0; i < k; i++) {
                        sum += element(a, ta, m, k, r, i) * element(b, tb, k, n, i, j);
                    }
                    near(sum, c[r * n + j], 1e-4);
                }
            }
            free(c);
        }
        free(a);
        free(b);
        free(short_a);
        free(short_b);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("probe");
    TCase *t = tcase_create("probe");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_kind_gives_as_many_times_as_were_asked_for, 0, 2);
    tcase_add_test(t, more_work_takes_longer);
    tcase_add_loop_test(t, bfloat16_is_timed_where_it_is_multiplied, 0, 2);
    tcase_add_loop_test(t, probes_that_make_no_sense_are_refused, 0, 2);
    tcase_add_loop_test(t, every_allocation_may_fail_and_all_is_given_back, 0, 2);
    tcase_add_test(t, bare_products_are_products);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
