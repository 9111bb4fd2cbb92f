#include "sockets.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "report.h"

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

enum { PLAIN_TCP = 6, SOCKET_TYPE_MASK = 0xF, FAST_OPEN = 0x20000000, FIRST_X32_CALL = 0x40000000 };
enum { SYS_IO_URING_SETUP = 425 };

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define LOAD_ARGUMENT(n) LOAD(offsetof(struct seccomp_data, args) + 8 * (n))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
/// Jumps count the instructions to pass over.
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define IF_AT_LEAST(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), (yes), (no))
#define IF_ANY_BIT(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (value), (yes), (no))

#ifdef OWN_ARCHITECTURE
static const struct sock_filter filter[] = {
    LOAD(offsetof(struct seccomp_data, arch)),
    // Another architecture's calls have other numbers.
    IF_EQUAL(OWN_ARCHITECTURE, 1, 0),
    REFUSE(ENOSYS),
    LOAD(offsetof(struct seccomp_data, nr)),
    IF_AT_LEAST(FIRST_X32_CALL, 0, 1),
    REFUSE(ENOSYS),
    // A ring makes sockets without the call.
    IF_EQUAL(SYS_IO_URING_SETUP, 0, 1),
    REFUSE(ENOSYS),

    // Sending with fast open connects past Landlock.
    IF_EQUAL(SYS_sendmsg, 0, 4),
    LOAD_ARGUMENT(2),
    IF_ANY_BIT(FAST_OPEN, 0, 1),
    REFUSE(EOPNOTSUPP),
    ALLOW,
    IF_EQUAL(SYS_sendto, 1, 0),
    IF_EQUAL(SYS_sendmmsg, 0, 4),
    LOAD_ARGUMENT(3),
    IF_ANY_BIT(FAST_OPEN, 0, 1),
    REFUSE(EOPNOTSUPP),
    ALLOW,

    // A pair of datagram sockets could be pointed at any Unix socket; one of streams leads nowhere else.
    IF_EQUAL(SYS_socketpair, 0, 5),
    LOAD_ARGUMENT(1),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE_MASK),
    IF_EQUAL(SOCK_STREAM, 1, 0),
    REFUSE(EACCES),
    ALLOW,

    IF_EQUAL(SYS_socket, 1, 0),
    ALLOW,
    LOAD_ARGUMENT(0),
    IF_EQUAL(AF_INET, 1, 0),
    IF_EQUAL(AF_INET6, 0, 6),
    LOAD_ARGUMENT(1),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE_MASK),
    IF_EQUAL(SOCK_STREAM, 0, 3),
    // Of the protocols of a stream Landlock may know TCP only.
    LOAD_ARGUMENT(2),
    IF_EQUAL(0, 2, 0),
    IF_EQUAL(PLAIN_TCP, 1, 0),
    REFUSE(EACCES),
    ALLOW,
};
#endif

void confine_sockets(void) {
    static const char *const what = "sockets other than TCP";
#ifdef OWN_ARCHITECTURE
    struct sock_fprog program = {
        .len = sizeof filter / sizeof *filter, .filter = (struct sock_filter *)(uintptr_t)filter};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) report_unconfined(what, strerror(errno));
#else
    report_unconfined(what, "there is no filter for this architecture");
#endif
}
