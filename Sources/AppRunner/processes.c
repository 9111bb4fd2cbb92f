#define _GNU_SOURCE
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

void die_with_parent(pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(EXIT_SYSTEM, errno, "it cannot be tied to its parent");
    // It may have ended before that.
    if (parent != 0 && getppid() != parent) _exit(128 + SIGKILL);
}

static bool write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    bool written = write(file, text, strlen(text)) == (ssize_t)strlen(text);
    close(file);
    return written;
}

/// A user namespace that holds this one user, as itself, is what those who are not root need for any other.
static bool keep_identity(uid_t uid, gid_t gid) {
    char users[64], groups[64];
    snprintf(users, sizeof users, "%u %u 1", (unsigned)uid, (unsigned)uid);
    snprintf(groups, sizeof groups, "%u %u 1", (unsigned)gid, (unsigned)gid);
    return write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", users)
        && write_file("/proc/self/gid_map", groups);
}

bool isolate_children(void) {
    static const char *const what = "processes that leave its group";
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (uid == 0 ? unshare(CLONE_NEWPID) == 0 : unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0) {
        if (uid == 0 || keep_identity(uid, gid)) return true;
        fail(EXIT_SYSTEM, errno, "the user of a new namespace cannot be set");
    }
    report_unconfined(what, strerror(errno));
    return false;
}

static void fill(sigset_t *signals) {
    sigemptyset(signals);
    const int taken[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    for (size_t index = 0; index < sizeof taken / sizeof *taken; index++) sigaddset(signals, taken[index]);
}

void take_signals(void) {
    sigset_t signals;
    fill(&signals);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

void give_signals_back(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int supervise(pid_t child, pid_t target) {
    sigset_t signals;
    fill(&signals);
    for (;;) {
        int status = 0;
        pid_t ended;
        // Whatever the child leaves behind comes to the first process of its namespace.
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
            if (ended != child) continue;
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
        if (ended < 0 && errno == ECHILD) return EXIT_SYSTEM;
        int signal = sigwaitinfo(&signals, NULL);
        if (signal == SIGQUIT) kill(target, SIGKILL);
        if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP) kill(target, signal);
    }
}
