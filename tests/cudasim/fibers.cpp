/* SPDX-License-Identifier: Apache-2.0 */
/* Fibers: a stack for each thread of a block, switched by hand on x86-64, by ucontext elsewhere (and
 * with CUDASIM_UCONTEXT defined). */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if !defined(__x86_64__) || defined(CUDASIM_UCONTEXT)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace cudasim {

#if defined(__SANITIZE_ADDRESS__)
const size_t stack_bytes = 256 << 10;
#else
const size_t stack_bytes = 64 << 10;
#endif
static const size_t GUARD = 4096;

thread_local device_thread *current;

/* Stacks of all threads of a block, one after the other, each above bytes that cannot be touched. */
static char *stacks()
{
    static char *base;
    if (base == nullptr) {
        size_t room = (GUARD + stack_bytes) * MOST_THREADS;
        void *p = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) {
            perror("cudasim: stacks");
            abort();
        }
        base = (char *)p;
        for (size_t i = 0; i < MOST_THREADS; i++) {
            mprotect(base + i * (GUARD + stack_bytes), GUARD, PROT_NONE);
        }
    }
    return base;
}

static void set_stack(device_thread *t)
{
    t->stack = stacks() + t->linear * (GUARD + stack_bytes) + GUARD;
    if (t->cut_off) {
        CUDASIM_UNPOISON(t->stack, stack_bytes);
        t->cut_off = false;
    }
}

#if defined(__x86_64__) && !defined(CUDASIM_UCONTEXT)

/* Saves what a function must preserve and the stack pointer in *from, and takes both from `to`. */
extern "C" void cudasim_switch(void **from, void *to);
__asm__(".text\n"
        ".local cudasim_switch\n"
        ".type cudasim_switch, @function\n"
        "cudasim_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size cudasim_switch, .-cudasim_switch\n");

static void *scheduler;

/* Stacks begin at different places of a page, else they would share few lines of the first cache. */
void prepare_fiber(device_thread *t, void (*entry)())
{
    set_stack(t);
    void **top = (void **)(void *)(t->stack + stack_bytes - 56 - t->linear % 32 * 128);
    top[0] = nullptr; /* where the entry would return to: 8 bytes off a multiple of 16, as after a call */
    top[-1] = (void *)(uintptr_t)entry;
    for (int i = 2; i <= 7; i++) {
        top[-i] = nullptr;
    }
    t->stack_pointer = top - 7;
}

static void switch_to(device_thread *t)
{
    cudasim_switch(&scheduler, t->stack_pointer);
}

static void switch_back(device_thread *t)
{
    cudasim_switch(&t->stack_pointer, scheduler);
}

[[maybe_unused]] static void switch_over(device_thread *from, device_thread *to)
{
    cudasim_switch(&from->stack_pointer, to->stack_pointer);
}

#else

static ucontext_t scheduler, contexts[MOST_THREADS];

void prepare_fiber(device_thread *t, void (*entry)())
{
    set_stack(t);
    getcontext(&contexts[t->linear]);
    contexts[t->linear].uc_stack.ss_sp = t->stack;
    contexts[t->linear].uc_stack.ss_size = stack_bytes;
    contexts[t->linear].uc_link = nullptr;
    makecontext(&contexts[t->linear], entry, 0);
}

static void switch_to(device_thread *t)
{
    swapcontext(&scheduler, &contexts[t->linear]);
}

static void switch_back(device_thread *t)
{
    swapcontext(&contexts[t->linear], &scheduler);
}

[[maybe_unused]] static void switch_over(device_thread *from, device_thread *to)
{
    swapcontext(&contexts[from->linear], &contexts[to->linear]);
}

#endif

#if defined(__SANITIZE_ADDRESS__)

static const void *host_stack;
static size_t host_stack_bytes;
static void *fake_stacks[MOST_THREADS], *host_fake_stack;

void run_fiber(device_thread *t)
{
    current = t;
    t->cut_off = true;
    __sanitizer_start_switch_fiber(&host_fake_stack, t->stack, stack_bytes);
    switch_to(t);
    __sanitizer_finish_switch_fiber(host_fake_stack, nullptr, nullptr);
    current = nullptr;
}

void leave_fiber(bool for_good)
{
    device_thread *t = current;
    t->cut_off = !for_good || run_now.abandoned;
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stacks[t->linear], host_stack, host_stack_bytes);
    switch_back(t);
    __sanitizer_finish_switch_fiber(fake_stacks[t->linear], &host_stack, &host_stack_bytes);
}

void fiber_began()
{
    __sanitizer_finish_switch_fiber(nullptr, &host_stack, &host_stack_bytes);
}

#else

void run_fiber(device_thread *t)
{
    current = t;
    switch_to(t);
    current = nullptr;
}

/* Straight to the next thread, where there is one: it saves half of the switches. */
void leave_fiber(bool for_good)
{
    (void)for_good;
    device_thread *t = current, *next = next_to_run();
    if (next == nullptr) {
        switch_back(t);
    } else {
        current = next;
        switch_over(t, next);
    }
}

void fiber_began() {}

#endif

} /* namespace cudasim */
