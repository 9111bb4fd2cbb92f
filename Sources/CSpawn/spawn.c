#define _GNU_SOURCE
#include "aib_spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

int aib_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

int aib_pidfd_open(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int aib_spawn(
    const char *const *arguments, const char *const *environment, const char *directory, const int *standard,
    int *process) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int index = 0; index < 3; index++) posix_spawn_file_actions_adddup2(&actions, standard[index], index);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, directory);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    // A session, not only a group: no terminal either.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    int failure = posix_spawnp(
        process, arguments[0], &actions, &attributes, (char *const *)arguments, (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure;
}
