// What Swift's Glibc overlay lacks to start a program that inherits nothing.
#ifndef AIB_SPAWN_SHIM_H
#define AIB_SPAWN_SHIM_H

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

/// Both ends of a pipe that no child inherits. Returns 0, or -1 with `errno`.
static inline int aib_private_pipe(int *ends) {
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

/// Starts a program, found at an absolute path, in a directory and in a process group of its own, with default
/// signals and no descriptors but `standard[0...2]` as standard input, output and error. `arguments` and `environment`
/// end with a null pointer. Returns 0 or an errno value.
static inline int aib_spawn_program(
    const char *const *arguments, const char *const *environment, const char *directory, const int *standard,
    pid_t *pid) {
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
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int failure = posix_spawn(
        pid, arguments[0], &actions, &attributes, (char *const *)arguments, (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

#endif
