/* SPDX-License-Identifier: Apache-2.0 */
/* Text, numbers and marks: see page_svg.h. The program never calls setlocale, so printf writes a decimal point. */
#include "page_svg.h"

#include "../common/messages.h"

#include <math.h>
#include <string.h>

/* ---- text ---- */

/* The code point of a sequence that utf8_length found to be one. */
static unsigned long code_point(const unsigned char *s, size_t n)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned long c = s[0] & first_bits[n];
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (s[i] & 0x3fu);
    }
    return c;
}

/* Controls, what XML does not allow, and what turns the direction of the text around it. */
static bool is_shown(unsigned long c)
{
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff;
    bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c;
    return !control && !turns && c != 0x2028 && c != 0x2029;
}

static void put_character(FILE *f, const char *s, size_t n)
{
    unsigned long c = n > 0 ? code_point((const unsigned char *)s, n) : 0;
    if (!is_shown(c)) {
        fputs("\xef\xbf\xbd", f);
        return;
    }
    switch (c) {
    case '&': fputs("&amp;", f); break;
    case '<': fputs("&lt;", f); break;
    case '>': fputs("&gt;", f); break;
    case '"': fputs("&quot;", f); break;
    case '\'': fputs("&#39;", f); break;
    default: fwrite(s, 1, n, f);
    }
}

void put_cut_text(FILE *f, const char *text, size_t most)
{
    size_t characters = 0;
    for (const char *s = text; *s; characters++) {
        size_t n = utf8_length(s);
        size_t step = n > 0 ? n : 1;
        if (characters + 1 == most && s[step] != '\0') {
            fputs("\xe2\x80\xa6", f);
            return;
        }
        put_character(f, s, n);
        s += step;
    }
}

void put_text(FILE *f, const char *text)
{
    put_cut_text(f, text, (size_t)-1);
}

/* ---- numbers ---- */

static const char minus[] = "\xe2\x88\x92";

const char *number_text(char buffer[NUMBER_BYTES], double value, int decimals)
{
    char digits[NUMBER_BYTES - sizeof minus];
    if (!isfinite(value)) {
        snprintf(buffer, NUMBER_BYTES, "n/a");
        return buffer;
    }
    if (fabs(value) >= 1e15) {
        snprintf(digits, sizeof digits, "%.3e", fabs(value));
    } else {
        snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
    }
    bool zero = strspn(digits, "0.") == strlen(digits);
    snprintf(buffer, NUMBER_BYTES, "%s%s", value < 0.0 && !zero ? minus : "", digits);
    return buffer;
}

const char *significant_text(char buffer[NUMBER_BYTES], double value, int digits)
{
    double size = fabs(value);
    if (isfinite(value) && size > 0.0 && (size < 1e-4 || size >= 1e7)) {
        snprintf(buffer, NUMBER_BYTES, "%s%.*e", value < 0.0 ? minus : "", digits - 1, size);
        return buffer;
    }
    int whole = size >= 1.0 ? (int)floor(log10(size)) + 1 : size > 0.0 ? (int)ceil(log10(size) + 1e-12) : 1;
    return number_text(buffer, value, digits > whole ? digits - whole : 0);
}

const char *grouped_text(char buffer[NUMBER_BYTES], double value)
{
    char plain[NUMBER_BYTES];
    size_t at = 0;
    if (!isfinite(value) || fabs(value) >= 1e12) {
        return significant_text(buffer, value, 4);
    }
    snprintf(plain, sizeof plain, "%.0f", value);
    size_t n = strlen(plain);
    for (size_t i = 0; i < n; i++) {
        bool space = n > 4 && i > 0 && (n - i) % 3 == 0 && plain[i - 1] != '-';
        at += (size_t)snprintf(buffer + at, NUMBER_BYTES - at, "%s%c", space ? "\xe2\x80\xaf" : "", plain[i]);
    }
    return buffer;
}

void put_number(FILE *f, double value, int decimals)
{
    char text[NUMBER_BYTES];
    fputs(number_text(text, value, decimals), f);
}

void put_significant(FILE *f, double value, int digits)
{
    char text[NUMBER_BYTES];
    fputs(significant_text(text, value, digits), f);
}

/* ---- shapes ---- */

void svg_text(FILE *f, double x, double y, const char *anchor, const char *class_name)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor, class_name);
}

void svg_text_end(FILE *f)
{
    fputs("</text>\n", f);
}

void svg_line(FILE *f, double x1, double y1, double x2, double y2, const char *class_name)
{
    fprintf(f, "<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class_name);
}

void svg_mark(FILE *f, size_t style, double x, double y)
{
    const char *kind = style % 2 ? "hollow" : "solid";
    fprintf(f, "<path class=\"mark %s c%zu\" d=\"", kind, style);
    switch (style / 2 % 4) {
    case 0: fprintf(f, "M%.1f %.1fa3 3 0 1 0 6 0a3 3 0 1 0 -6 0z", x - 3, y); break;
    case 1: fprintf(f, "M%.1f %.1fh5.4v5.4h-5.4z", x - 2.7, y - 2.7); break;
    case 2: fprintf(f, "M%.1f %.1fl3.6 6.2h-7.2z", x, y - 3.8); break;
    default: fprintf(f, "M%.1f %.1fl3.8 3.8l-3.8 3.8l-3.8 -3.8z", x, y - 3.8);
    }
    fputs("\"/>\n", f);
}
