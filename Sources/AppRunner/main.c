// aibackend-app-runner: confines itself, then becomes an application that somebody deployed.
//
//     runner, as whoever starts it: waits
//     └─ first process of a namespace of its own: waits, and takes everything with it when it ends
//        └─ the application: another user, bounded, with its own files, its port and its database's
//
// Each dies with the one above, and the first with the thread that started it. SIGTERM asks the application to end;
// SIGQUIT ends it. Where the system lacks a part of the confinement a line on standard error says which.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "environment.h"
#include "identity.h"
#include "landlock.h"
#include "options.h"
#include "processes.h"
#include "report.h"
#include "sockets.h"

extern char **environ;

static void close_from(int first) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
    long limit = sysconf(_SC_OPEN_MAX);
    for (int descriptor = first; descriptor < limit; descriptor++) close(descriptor);
}

/// Never returns.
static _Noreturn void become_application(const struct options *options, char **environment, pid_t parent) {
    // A group of its own, for signals to reach what it starts and not those who wait for it.
    setpgid(0, 0);
    confine_resources(options);
    confine_identity(options);
    die_with_parent(parent);
    if (chdir(options->workdir) != 0) fail(EXIT_SYSTEM, errno, options->workdir);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(EXIT_SYSTEM, errno, "its rights cannot be frozen");
    confine_access(options);
    confine_sockets();
    umask(077);
    give_signals_back();
    environ = environment;
    execvp(options->command[0], options->command);
    int error = errno;
    fail(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, error, options->command[0]);
}

/// Starts the application and waits for it. Ends what it leaves in its group; the rest ends with the namespace.
static int run_application(const struct options *options, char **environment) {
    pid_t self = getpid();
    pid_t child = fork();
    if (child < 0) fail(EXIT_SYSTEM, errno, "a process cannot be started");
    if (child == 0) become_application(options, environment, self);
    // The child does the same: whoever is first, the group is there before a signal is passed on to it.
    setpgid(child, child);
    int status = supervise(child, -child);
    kill(-child, SIGKILL);
    return status;
}

/// Runs the application below a first process of a new namespace.
static int run_isolated(const struct options *options, char **environment) {
    // The first process cannot see its parent by number; it sees the end of this pipe.
    int alive[2];
    if (pipe2(alive, O_CLOEXEC | O_NONBLOCK) != 0) fail(EXIT_SYSTEM, errno, "a pipe cannot be made");
    pid_t first = fork();
    if (first < 0) fail(EXIT_SYSTEM, errno, "a process cannot be started");
    if (first == 0) {
        close(alive[1]);
        die_with_parent(0);
        char nothing;
        if (read(alive[0], &nothing, 1) == 0) _exit(128 + SIGKILL);
        close(alive[0]);
        _exit(run_application(options, environment));
    }
    close(alive[0]);
    int status = supervise(first, first);
    close(alive[1]);
    return status;
}

int main(int count, char **arguments) {
    struct options options = read_options(count, arguments);
    close_from(STDERR_FILENO + 1);
    char **environment = read_environment();
    setsid();
    take_signals();
    bool isolated = isolate_children();
    die_with_parent(options.parent);
    return isolated ? run_isolated(&options, environment) : run_application(&options, environment);
}
