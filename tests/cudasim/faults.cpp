/* SPDX-License-Identifier: Apache-2.0 */
/* Faults: kept where a test expects them, else printed, and the process ends. */
#include "races.h"
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

namespace cudasim {

struct fault {
    const char *kind;
    std::string message;
};
static const size_t MOST_FAULTS = 1000;
static std::vector<fault> &faults = *new std::vector<fault>;
static bool expected;

static std::string format_text(const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    std::string result((size_t)vsnprintf(nullptr, 0, format, again), '\0');
    va_end(again);
    vsnprintf(&result[0], result.size() + 1, format, arguments);
    return result;
}

std::string text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    std::string result = format_text(format, arguments);
    va_end(arguments);
    return result;
}

static void report(const char *kind, const std::string &message)
{
    if (!expected) {
        fprintf(stderr, "cudasim: %s: %s\n", kind, message.c_str());
        abort();
    }
    if (faults.size() < MOST_FAULTS) {
        faults.push_back({kind, message});
    }
}

CUDASIM_PUBLIC void violation(const char *kind, const char *format, ...)
{
    guard hold(lock);
    va_list arguments;
    va_start(arguments, format);
    report(kind, format_text(format, arguments));
    va_end(arguments);
}

void kernel_fault(const char *kind, cudaError_t error, bool abandon, const std::string &message)
{
    report(kind, message);
    if (abandon && sticky_error == cudaSuccess) {
        sticky_error = error;
    }
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

void cudasim_expect_faults(int are)
{
    guard hold(lock);
    expected = are != 0;
}

size_t cudasim_faults(void)
{
    guard hold(lock);
    return faults.size();
}

const char *cudasim_fault_kind(size_t index)
{
    guard hold(lock);
    return index < faults.size() ? faults[index].kind : nullptr;
}

const char *cudasim_fault_message(size_t index)
{
    guard hold(lock);
    return index < faults.size() ? faults[index].message.c_str() : nullptr;
}

void cudasim_forget_faults(void)
{
    guard hold(lock);
    faults.clear();
    forget_reports();
    sticky_error = cudaSuccess;
    this_thread().last = cudaSuccess;
    this_thread().unseen.clear();
}

} /* extern "C" */
