#define _GNU_SOURCE
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"

// The kernel's interface in own words, for the headers of older systems lack it or its later parts; the numbers are
// the same on every architecture. Documentation/userspace-api/landlock.rst.
enum { SYS_CREATE_RULESET = 444, SYS_ADD_RULE = 445, SYS_RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

#define BIT(n) (UINT64_C(1) << (n))
#define FS_EXECUTE BIT(0)
#define FS_WRITE_FILE BIT(1)
#define FS_READ_FILE BIT(2)
#define FS_READ_DIR BIT(3)
/// Removing and making files and directories of every kind: ABI 1 ends here.
#define FS_ALL_OF_1 (BIT(13) - 1)
#define FS_REFER BIT(13)     // ABI 2
#define FS_TRUNCATE BIT(14)  // ABI 3
#define FS_IOCTL_DEV BIT(15) // ABI 5
#define NET_BIND_TCP BIT(0)  // ABI 4
#define NET_CONNECT_TCP BIT(1)
#define SCOPE_ABSTRACT_UNIX_SOCKET BIT(0) // ABI 6
#define SCOPE_SIGNAL BIT(1)

/// What one may do with a file; the rest is for directories.
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_MAKE_DEVICES (BIT(6) | BIT(11))
#define FS_READ (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)

struct ruleset {
    uint64_t files;
    uint64_t ports;  // ABI 4
    uint64_t scopes; // ABI 6
};

struct path_rule {
    uint64_t allowed;
    int32_t directory;
} __attribute__((packed));

struct port_rule {
    uint64_t allowed;
    uint64_t port;
};

_Static_assert(sizeof(struct ruleset) == 24, "as the kernel has it");
_Static_assert(sizeof(struct path_rule) == 12, "as the kernel has it");
_Static_assert(sizeof(struct port_rule) == 16, "as the kernel has it");

// Programs, libraries and their settings. Where a system keeps secrets in /etc, their permissions guard them.
static const char *const readable[] = {
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/dev/urandom", "/dev/random",
    "/dev/zero",
    // Its own process only: what others run with is not its business.
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory",
};

static struct ruleset everything(int abi) {
    struct ruleset rules = {.files = FS_ALL_OF_1};
    if (abi >= 2) rules.files |= FS_REFER;
    if (abi >= 3) rules.files |= FS_TRUNCATE;
    if (abi >= 4) rules.ports = NET_BIND_TCP | NET_CONNECT_TCP;
    if (abi >= 5) rules.files |= FS_IOCTL_DEV;
    if (abi >= 6) rules.scopes = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    return rules;
}

static void report_gaps(int abi) {
    if (abi < 3) report_unconfined("cutting files short", "this kernel's Landlock is older than version 3");
    if (abi < 4) report_unconfined("TCP ports", "this kernel's Landlock is older than version 4");
    if (abi < 5) report_unconfined("device control", "this kernel's Landlock is older than version 5");
    if (abi < 6) report_unconfined("signals to processes of its user", "this kernel's Landlock is older than version 6");
}

static void allow_path(int ruleset, const char *path, uint64_t allowed, uint64_t handled) {
    int directory = open(path, O_PATH | O_CLOEXEC);
    if (directory < 0) return;
    struct stat status;
    if (fstat(directory, &status) == 0) {
        if (!S_ISDIR(status.st_mode)) allowed &= FS_OF_FILES;
        struct path_rule rule = {.allowed = allowed & handled, .directory = directory};
        if (syscall(SYS_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0) fail(EXIT_SYSTEM, errno, path);
    }
    close(directory);
}

static void allow_port(int ruleset, uint16_t port, uint64_t allowed) {
    struct port_rule rule = {.allowed = allowed, .port = port};
    if (syscall(SYS_ADD_RULE, ruleset, RULE_NET_PORT, &rule, 0) != 0) {
        fail(EXIT_SYSTEM, errno, "a TCP port cannot be allowed");
    }
}

void confine_access(const struct options *options) {
    long abi = syscall(SYS_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
    if (abi < 1) {
        report_unconfined("files and TCP ports", "this kernel has no Landlock, or it is off");
        return;
    }
    report_gaps((int)abi);
    struct ruleset rules = everything((int)abi);
    size_t size = abi < 4 ? 8 : abi < 6 ? 16 : sizeof rules;
    int ruleset = (int)syscall(SYS_CREATE_RULESET, &rules, size, 0);
    if (ruleset < 0) fail(EXIT_SYSTEM, errno, "Landlock refused the rules");
    for (size_t index = 0; index < sizeof readable / sizeof *readable; index++) {
        allow_path(ruleset, readable[index], FS_READ, rules.files);
    }
    allow_path(ruleset, "/dev/null", FS_READ | FS_WRITE_FILE | FS_TRUNCATE, rules.files);
    allow_path(ruleset, options->data, rules.files & ~(FS_MAKE_DEVICES | FS_IOCTL_DEV), rules.files);
    if (rules.ports != 0) {
        if (options->bind_port != 0) allow_port(ruleset, options->bind_port, NET_BIND_TCP);
        for (int index = 0; index < options->connect_port_count; index++) {
            allow_port(ruleset, options->connect_ports[index], NET_CONNECT_TCP);
        }
    }
    if (syscall(SYS_RESTRICT_SELF, ruleset, 0) != 0) fail(EXIT_SYSTEM, errno, "Landlock cannot be applied");
    close(ruleset);
}
