/* SPDX-License-Identifier: Apache-2.0 */
/* What every program shares: messages, and names shown to people. There is one standard error, so what its lines begin
 * with is the program's. */
#include "messages.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES 4096

static const char *name_of_program = "";
static void (*before_message)(void);

void messages_begin(const char *program, void (*before)(void))
{
    name_of_program = program;
    before_message = before;
}

const char *program_name(void)
{
    return name_of_program;
}

/* ---- messages ---- */

/* One line in one write, whatever the text holds. */
static void print_line(const char *prefix, const char *format, va_list arguments)
{
    char line[MESSAGE_BYTES];
    size_t start = (size_t)snprintf(line, sizeof line, "%.80s: %s", name_of_program, prefix);
    vsnprintf(line + start, sizeof line - start - 1, format, arguments);
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        line[i] = c < 0x20 || c == 0x7f ? '?' : line[i];
    }
    line[length] = '\n';
    if (before_message) {
        before_message();
    }
    fwrite(line, 1, length + 1, stderr);
}

int failed(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
    return EXIT_FAILED;
}

int usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
    return EXIT_USAGE;
}

void warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("warning: ", format, arguments);
    va_end(arguments);
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
}

int out_of_memory(void)
{
    return failed("out of memory");
}

int finish_output(int code)
{
    errno = 0;
    bool broken = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || broken) {
        return failed("cannot write to the standard output: %s", errno ? strerror(errno) : "write error");
    }
    return code;
}

/* ---- names ---- */

size_t utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] < 0xc2 || s[0] > 0xf4) {
        return 0;
    }
    size_t n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    unsigned char least = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < least || s[1] > most) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

void print_shown(const char *text)
{
    while (*text != '\0') {
        unsigned char c = (unsigned char)*text;
        size_t n = utf8_length(text);
        bool control = c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0); /* U+0080 to U+009F too */
        if (n > 0 && !control) {
            fwrite(text, 1, n, stdout);
            text += n;
        } else {
            printf(c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\x%02x", c);
            text++;
        }
    }
}
