// libpq, and what Swift's Glibc overlay lacks to wait for it: epoll, eventfd and pidfd.
#ifndef AIB_CLIBPQ_SHIM_H
#define AIB_CLIBPQ_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

/// One readiness report; `struct epoll_event` is packed on x86-64, which Swift does not import faithfully.
struct aib_ready {
    uint64_t key;
    uint32_t events;
};

static const uint32_t aib_epoll_in = EPOLLIN;
static const uint32_t aib_epoll_out = EPOLLOUT;

static inline int aib_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int aib_epoll_add(int poller, int descriptor, uint32_t events, uint64_t key) {
    struct epoll_event event = {.events = events, .data = {.u64 = key}};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int aib_epoll_change(int poller, int descriptor, uint32_t events, uint64_t key) {
    struct epoll_event event = {.events = events, .data = {.u64 = key}};
    return epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event);
}

static inline int aib_epoll_remove(int poller, int descriptor) {
    struct epoll_event event = {0};
    return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, &event);
}

/// Fills up to 16 reports. Returns how many, 0 after `timeout_ms` or an interrupting signal.
static inline int aib_epoll_wait(int poller, struct aib_ready *ready, int timeout_ms) {
    struct epoll_event events[16];
    int count = epoll_wait(poller, events, 16, timeout_ms);
    for (int index = 0; index < count; index++) {
        ready[index].key = events[index].data.u64;
        ready[index].events = events[index].events;
    }
    return count < 0 ? 0 : count;
}

/// A counter to wait on; with `semaphore`, each read takes one.
static inline int aib_eventfd(int semaphore) {
    return eventfd(0, EFD_CLOEXEC | (semaphore ? EFD_SEMAPHORE : EFD_NONBLOCK));
}

/// Both ends of a pipe that no child inherits.
static inline int aib_pipe(int *ends) {
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

/// A descriptor that becomes readable when the process ends, child or not.
static inline int aib_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/// Makes everything on the file system of a descriptor durable: much faster than file by file.
static inline int aib_sync_file_system(int descriptor) { return (int)syscall(SYS_syncfs, descriptor); }

/// Starts a program in a process group of its own, in `/`, with default signals and no descriptors but these three:
/// `input` read as standard input, `output` as standard output and error. Returns 0 or an errno value.
static inline int aib_spawn(
    const char *const *arguments, const char *const *environment, const char *input, int output, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int failure = posix_spawnp(
        pid, arguments[0], &actions, &attributes, (char *const *)arguments, (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

#endif
