// What Swift's Glibc overlay lacks to start a program that inherits nothing, and to hear of its end.
#ifndef AIB_SPAWN_H
#define AIB_SPAWN_H

/// Both ends of a pipe that no child inherits. Returns 0, or -1 with `errno`.
int aib_pipe(int *ends);

/// Starts a program, by its path or by a name that `PATH` leads to, in a directory and in a session of its own, with
/// default signals and no descriptors but `standard[0...2]` as standard input, output and error. `arguments` and
/// `environment` end with a null pointer. Returns 0 or an errno value.
int aib_spawn(
    const char *const *arguments, const char *const *environment, const char *directory, const int *standard,
    int *process);

/// A descriptor that becomes readable when the process ends, child or not. Returns -1 with `errno`.
int aib_pidfd_open(int process);

#endif
