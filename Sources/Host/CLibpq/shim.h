// libpq, and what Swift's Glibc overlay lacks to wait for it: epoll and eventfd.
#ifndef AIB_CLIBPQ_SHIM_H
#define AIB_CLIBPQ_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
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

/// Makes everything on the file system of a descriptor durable: much faster than file by file.
static inline int aib_sync_file_system(int descriptor) { return (int)syscall(SYS_syncfs, descriptor); }

#endif
