/* SPDX-License-Identifier: Apache-2.0 */
/* Float16 and bfloat16: every pattern, and every place where rounding turns from one number to the next. What a pattern
 * means is computed here from its fields in double. */
#include "test.h"

#include "base/half.h"

#include <fenv.h>
#include <stdbool.h>

/* A 16-bit type: sign, exponent of `exponent` bits, fraction of `fraction` bits. */
typedef struct type {
    int exponent, fraction;
    float (*to_float)(uint16_t);
    uint16_t (*from_float)(float);
} type;

static const type types[2] = {{5, 10, half_to_float, float_to_half}, {8, 7, bfloat16_to_float, float_to_bfloat16}};

static uint32_t exponent_of(const type *t, uint32_t bits)
{
    return bits >> t->fraction & ((1u << t->exponent) - 1);
}

static bool is_special(const type *t, uint32_t bits)
{
    return exponent_of(t, bits) == (1u << t->exponent) - 1;
}

/* The value of a pattern that is neither NaN nor infinite. */
static double value_of(const type *t, uint32_t bits)
{
    int bias = (1 << (t->exponent - 1)) - 1;
    int exponent = (int)exponent_of(t, bits);
    double fraction = (double)(bits & ((1u << t->fraction) - 1));
    double magnitude = exponent == 0 ? ldexp(fraction, 1 - bias - t->fraction)
                                     : ldexp(fraction + ldexp(1.0, t->fraction), exponent - bias - t->fraction);
    return bits & 0x8000 ? -magnitude : magnitude;
}

START_TEST(every_pattern_has_its_value_as_a_float)
{
    const type *t = &types[_i];
    for (uint32_t bits = 0; bits < 65536; bits++) {
        float value = t->to_float((uint16_t)bits);
        bool right;
        if (!is_special(t, bits)) {
            right = (double)value == value_of(t, bits);
        } else if ((bits & ((1u << t->fraction) - 1)) == 0) {
            right = isinf(value);
        } else {
            right = isnan(value);
        }
        if (!right || (signbit(value) != 0) != (bits >> 15 != 0)) { /* Check takes note of every assertion, which is slow */
            ck_abort_msg("pattern 0x%04x is %.9g", (unsigned)bits, (double)value);
        }
    }
}
END_TEST

START_TEST(every_pattern_comes_back_from_float)
{
    const type *t = &types[_i];
    uint32_t quiet = 1u << (t->fraction - 1);
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint32_t back = t->from_float(t->to_float((uint16_t)bits));
        bool nan = is_special(t, bits) && (bits & ((1u << t->fraction) - 1)) != 0;
        if (back != (nan ? bits | quiet : bits)) {
            ck_abort_msg("pattern 0x%04x comes back as 0x%04x", (unsigned)bits, (unsigned)back);
        }
    }
}
END_TEST

/* Between each two neighbours: the middle goes to the even one, the floats beside it to the nearer. */
START_TEST(rounding_turns_exactly_half_way)
{
    const type *t = &types[_i];
    uint32_t largest = ((1u << t->exponent) - 1) << t->fraction; /* infinity: for rounding, the next number */
    for (uint32_t sign = 0; sign <= 0x8000; sign += 0x8000) {
        for (uint32_t low = 0; low < largest; low++) {
            double below = fabs(value_of(t, low));
            double above = fabs(value_of(t, low + 1));
            float middle = (float)((below + above) / 2); /* exact: one bit more than the type has */
            ck_assert(low + 1 == largest || (double)middle == (below + above) / 2);
            float less = nextafterf(middle, 0.0f);
            float more = nextafterf(middle, INFINITY);
            float flip = sign ? -1.0f : 1.0f;
            uint32_t even = low + (low & 1);
            if (t->from_float(flip * less) != (sign | low) || t->from_float(flip * more) != (sign | (low + 1)) ||
                t->from_float(flip * middle) != (sign | even)) {
                ck_abort_msg("around %.12g: 0x%04x 0x%04x 0x%04x, not 0x%04x 0x%04x 0x%04x", (double)middle,
                             t->from_float(flip * less), t->from_float(flip * middle), t->from_float(flip * more),
                             (unsigned)(sign | low), (unsigned)(sign | even), (unsigned)(sign | (low + 1)));
            }
        }
    }
}
END_TEST

START_TEST(numbers_beyond_the_range_become_infinite_or_zero)
{
    ck_assert_uint_eq(float_to_half(65504.0f), 0x7bff);
    ck_assert_uint_eq(float_to_half(65519.996f), 0x7bff);
    ck_assert_uint_eq(float_to_half(65520.0f), 0x7c00);
    ck_assert_uint_eq(float_to_half(65536.0f), 0x7c00);
    ck_assert_uint_eq(float_to_half(-3.4028235e38f), 0xfc00);
    ck_assert_uint_eq(float_to_half(INFINITY), 0x7c00);
    ck_assert_uint_eq(float_to_half(0x1p-25f), 0x0000); /* half of the least: to even */
    ck_assert_uint_eq(float_to_half(0x1.000002p-25f), 0x0001);
    ck_assert_uint_eq(float_to_half(-1e-45f), 0x8000);
    ck_assert_uint_eq(float_to_bfloat16(3.4028235e38f), 0x7f80);
    ck_assert_uint_eq(float_to_bfloat16(0x1.fep127f), 0x7f7f);
    ck_assert_uint_eq(float_to_bfloat16(-INFINITY), 0xff80);
    ck_assert_uint_eq(float_to_bfloat16(-1e-45f), 0x8000);
    ck_assert_uint_eq(float_to_bfloat16(0x1p-133f), 0x0001); /* the least */
}
END_TEST

/* A NaN whose payload is all in the bits that are cut off must not turn into an infinity, nor into a number. */
START_TEST(every_nan_stays_a_nan_of_its_sign)
{
    for (uint32_t payload = 1; payload < 1u << 23; payload += 1 + payload / 64) {
        for (uint32_t sign = 0; sign <= 1; sign++) {
            float nan = float_of_bits(sign << 31 | 0x7f800000u | payload);
            ck_assert(isnan(half_to_float(float_to_half(nan))) && float_to_half(nan) >> 15 == sign);
            ck_assert(isnan(bfloat16_to_float(float_to_bfloat16(nan))) && float_to_bfloat16(nan) >> 15 == sign);
        }
    }
}
END_TEST

START_TEST(the_hosts_rounding_mode_changes_nothing)
{
    const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    /* Not known to the compiler, which would compute with them in its own mode. */
    volatile float tie = 1.0f + 0x1p-11f, small = 0x1.8p-24f, wide = 1.0f + 0x1p-8f;
    volatile uint16_t least = 0x0001;
    for (int m = 0; m < 3; m++) {
        ck_assert_int_eq(fesetround(modes[m]), 0);
        uint16_t halves[2] = {float_to_half(tie), float_to_half(small)};
        uint16_t upper = float_to_bfloat16(wide);
        float value = half_to_float(least);
        fesetround(FE_TONEAREST);
        ck_assert_uint_eq(halves[0], 0x3c00);
        ck_assert_uint_eq(halves[1], 0x0002);
        ck_assert_uint_eq(upper, 0x3f80);
        ck_assert_float_eq(value, 0x1p-24f);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("half");
    TCase *c = tcase_create("half");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, every_pattern_has_its_value_as_a_float, 0, 2);
    tcase_add_loop_test(c, every_pattern_comes_back_from_float, 0, 2);
    tcase_add_loop_test(c, rounding_turns_exactly_half_way, 0, 2);
    tcase_add_test(c, numbers_beyond_the_range_become_infinite_or_zero);
    tcase_add_test(c, every_nan_stays_a_nan_of_its_sign);
    tcase_add_test(c, the_hosts_rounding_mode_changes_nothing);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
