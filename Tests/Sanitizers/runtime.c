/* Linked into every program and plugin that scripts/sanitize builds, with a sanitizer's name as SANITIZER_…: the
 * sanitizer's options, what it keeps silent about, and what ThreadSanitizer cannot see by itself.
 *
 * Options are compiled in, for programs that the tests start get an environment of their own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Programs that tests kill, or whose output they read, still leave their reports where scripts/sanitize looks, and
 * nothing that the symbolizer says gets into that output. */
#define REPORTED "log_path=" BUILD "/reports/report:log_exe_name=1:" \
    "external_symbolizer_path=" BUILD "/llvm-symbolizer:"

#ifdef SANITIZER_ADDRESS

const char *__asan_default_options(void) { return REPORTED "detect_leaks=1"; }

/* Leaks are looked for where a program ends, in all but two. The tests' own: its doubles of the host are kept for ever, as
 * the host's table is, and others refer to themselves; what runs for long is `aibackend`, and the tests start that. And
 * the one that stands in a namespace of its own, where LeakSanitizer cannot stop it and read, until it becomes another
 * program. */
int __lsan_is_turned_off(void) {
    return strcmp(program_invocation_short_name, "aibackendPackageTests.xctest") == 0
        || strcmp(program_invocation_short_name, "aibackend-app-runner") == 0;
}

const char *__lsan_default_options(void) { return "print_suppressions=0"; }

const char *__lsan_default_suppressions(void) {
    static const char lines[] = {
#embed "leaks.suppressions" suffix(, )
        0};
    return lines;
}

#endif

#ifdef SANITIZER_THREAD

const char *__tsan_default_options(void) { return REPORTED "second_deadlock_stack=1:history_size=4:print_suppressions=0"; }

const char *__tsan_default_suppressions(void) {
    static const char lines[] = {
#embed "races.suppressions" suffix(, )
        0};
    return lines;
}

/* ThreadSanitizer sees what code does that was compiled for it; Swift's libraries were not. Swift's runtime tells it of
 * tasks that are suspended and resumed, but not of the two cases below, and each would make it report races where there
 * are none. The functions stand before the libraries' own, and say what happens. */
#define SWIFT __attribute__((swiftcall))
#define SWIFT_ASYNC __attribute__((swiftasynccall))
#define HANDLE __attribute__((swift_context)) void *handle

void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* A Mutex that is free is taken by an atomic exchange in its user's own code. A contended one is taken by
 * libswiftSynchronization.so and the kernel. */
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

static SWIFT void (*library_lock_slow)(uint32_t, HANDLE);
static SWIFT bool (*library_try_lock_slow)(HANDLE);
static SWIFT void (*library_unlock_slow)(HANDLE);

SWIFT void lock_slow(uint32_t thread, HANDLE) __asm__(LOCK_SLOW);
SWIFT void lock_slow(uint32_t thread, HANDLE) {
    library_lock_slow(thread, handle);
    __tsan_acquire(handle);
}

SWIFT bool try_lock_slow(HANDLE) __asm__(TRY_LOCK_SLOW);
SWIFT bool try_lock_slow(HANDLE) {
    bool taken = library_try_lock_slow(handle);
    if (taken) __tsan_acquire(handle);
    return taken;
}

SWIFT void unlock_slow(HANDLE) __asm__(UNLOCK_SLOW);
SWIFT void unlock_slow(HANDLE) {
    __tsan_release(handle);
    library_unlock_slow(handle);
}

/* Whoever resumes a continuation releases its task, which acquires when it is run. But a task whose continuation is
 * resumed before it came to wait goes on at once, by the function in the continuation, and acquires nothing. Therefore
 * whoever resumes puts a function there that does, and then goes on by the one that stood there. A task that is
 * suspended already has that one too, and never looks into the continuation again. */
struct continuation;
typedef SWIFT_ASYNC void resume_function(__attribute__((swift_async_context)) struct continuation *continuation);

/* The beginning of a ContinuationAsyncContext of Swift's ABI. */
struct continuation {
    void *parent;
    resume_function *resume;
    uint64_t flags; /* Swift uses the lowest three bits */
};

/* The beginning of an AsyncTask of Swift's ABI that waits for a continuation. */
struct task {
    void *job[8];
    struct continuation *continuation;
};

#define FLAG_BITS 8

static SWIFT void *(*current_task)(void);

/* The functions that resume a continuation. Nothing else of Swift's runtime that releases a task may be mistaken. */
static struct { const char *name, *start, *end; } resuming[] = {
    {.name = "swift_continuation_resume"},
    {.name = "swift_continuation_throwingResume"},
    {.name = "swift_continuation_throwingResumeWithError"},
};

static SWIFT_ASYNC void go_on(__attribute__((swift_async_context)) struct continuation *continuation) {
    resume_function *resume = (resume_function *)(continuation->flags >> FLAG_BITS);
    __tsan_acquire(current_task());
    __attribute__((musttail)) return resume(continuation);
}

/* Called by Swift's runtime, before it says that the continuation is resumed. */
static void release(void *address) {
    const char *caller = __builtin_return_address(0);
    for (size_t index = 0; index < sizeof resuming / sizeof *resuming; index++) {
        if (caller < resuming[index].start || caller >= resuming[index].end) continue;
        struct continuation *continuation = ((struct task *)address)->continuation;
        continuation->flags |= (uint64_t)(uintptr_t)continuation->resume << FLAG_BITS;
        continuation->resume = go_on;
    }
    __tsan_release(address);
}

/* Before there is a second thread. By the libraries' names, for what is "next" differs between the program and its
 * plugins; a program in C alone has neither library. */
__attribute__((constructor)) static void find_libraries(void) {
    void *library = dlopen("libswiftSynchronization.so", RTLD_LAZY | RTLD_NOLOAD);
    if (library) {
        library_lock_slow = dlsym(library, LOCK_SLOW);
        library_try_lock_slow = dlsym(library, TRY_LOCK_SLOW);
        library_unlock_slow = dlsym(library, UNLOCK_SLOW);
    }
    library = dlopen("libswift_Concurrency.so", RTLD_LAZY | RTLD_NOLOAD);
    if (!library) return;
    current_task = dlsym(library, "swift_task_getCurrent");
    for (size_t index = 0; index < sizeof resuming / sizeof *resuming; index++) {
        Dl_info information;
        const ElfW(Sym) *symbol = NULL;
        resuming[index].start = dlsym(library, resuming[index].name);
        if (!dladdr1(resuming[index].start, &information, (void **)&symbol, RTLD_DL_SYMENT) || !symbol) abort();
        resuming[index].end = resuming[index].start + symbol->st_size;
    }
    /* The first of the program and its plugins. */
    void (**hook)(void *) = dlsym(library, "_swift_tsan_release");
    if (*hook == __tsan_release) *hook = release;
}

#endif
