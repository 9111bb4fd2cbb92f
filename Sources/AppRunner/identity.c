#define _GNU_SOURCE
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "report.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

struct limit {
    __rlimit_resource_t resource;
    rlim_t value;
    const char *what;
};

static const struct limit limits[] = {
    {RLIMIT_CORE, 0, "core files"},
    {RLIMIT_NOFILE, 1024, "open files"},
    {RLIMIT_FSIZE, 512 * MIB, "the size of a file"},
    // What it really fills; programs like node reserve far more addresses than they use.
    {RLIMIT_DATA, 2 * GIB, "memory"},
    {RLIMIT_AS, 64 * GIB, "addresses"},
};

/// The system counts all processes of a user, so only a user of its own can be bounded.
static const struct limit processes = {RLIMIT_NPROC, 128, "the number of processes"};

static void set(const struct limit *limit) {
    struct rlimit now;
    if (getrlimit(limit->resource, &now) != 0) fail(EXIT_SYSTEM, errno, limit->what);
    rlim_t value = limit->value < now.rlim_max ? limit->value : now.rlim_max;
    struct rlimit bound = {.rlim_cur = value, .rlim_max = value};
    if (setrlimit(limit->resource, &bound) != 0) fail(EXIT_SYSTEM, errno, limit->what);
}

void confine_resources(const struct options *options) {
    for (size_t index = 0; index < sizeof limits / sizeof *limits; index++) set(&limits[index]);
    if (options->uid != getuid()) {
        set(&processes);
    } else {
        report_unconfined(processes.what, "it runs as the user that starts it");
    }
}

void confine_identity(const struct options *options) {
    if (geteuid() != 0 || options->uid == 0) {
        if (options->uid != geteuid() || options->gid != getegid()) {
            fail(EXIT_SYSTEM, EPERM, "only root can run it as another user");
        }
        report_unconfined("what its user's rights allow", "it runs as the user that starts it");
        return;
    }
    if (setgroups(0, NULL) != 0) fail(EXIT_SYSTEM, errno, "its groups cannot be taken away");
    if (setresgid(options->gid, options->gid, options->gid) != 0) fail(EXIT_SYSTEM, errno, "its group cannot be set");
    if (setresuid(options->uid, options->uid, options->uid) != 0) fail(EXIT_SYSTEM, errno, "its user cannot be set");
    // Without this nothing else would hold.
    if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0) fail(EXIT_SYSTEM, 0, "it could become root again");
}
