/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of the page writes with: escaped text, numbers, marks of series. Writes to a stream, allocates nothing. */
#ifndef PAGE_SVG_H
#define PAGE_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Series are told apart by colour, dash and mark; so many are. */
enum { SERIES = 8, NUMBER_BYTES = 32 };

/* Text as content or attribute: what XML gives a meaning is escaped; control characters, and those that turn the direction
 * of writing, become U+FFFD. At most `most` characters, then an ellipsis. */
void put_text(FILE *f, const char *text);
void put_cut_text(FILE *f, const char *text, size_t most);

/* With so many decimals, a true minus sign; "n/a" for what is not finite. Returns buffer. */
const char *number_text(char buffer[NUMBER_BYTES], double value, int decimals);
/* With about so many significant digits, without an exponent where that is short. */
const char *significant_text(char buffer[NUMBER_BYTES], double value, int digits);
/* Whole numbers with thin spaces between thousands. */
const char *grouped_text(char buffer[NUMBER_BYTES], double value);
void put_number(FILE *f, double value, int decimals);
void put_significant(FILE *f, double value, int digits);

/* "<text ...>" up to its content, which the caller writes, and "</text>". anchor: "start", "middle", "end". */
void svg_text(FILE *f, double x, double y, const char *anchor, const char *class_name);
void svg_text_end(FILE *f);
void svg_line(FILE *f, double x1, double y1, double x2, double y2, const char *class_name);
/* The mark of a series, filled for even styles, hollow for odd ones. */
void svg_mark(FILE *f, size_t style, double x, double y);

#endif
