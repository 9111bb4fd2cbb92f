// Which sockets the application may make, by a seccomp filter.
#ifndef AIB_APP_RUNNER_SOCKETS_H
#define AIB_APP_RUNNER_SOCKETS_H

/// Leaves the calling process and all it starts plain TCP, for ever: Landlock knows the ports of that alone. Unix
/// sockets would lead to servers that trust this machine's users, UDP out of it. Says so where this kernel cannot.
/// Needs PR_SET_NO_NEW_PRIVS.
void confine_sockets(void);

#endif
