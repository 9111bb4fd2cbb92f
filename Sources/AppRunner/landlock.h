// What the application may do with files and TCP ports, by the kernel's Landlock.
#ifndef AIB_APP_RUNNER_LANDLOCK_H
#define AIB_APP_RUNNER_LANDLOCK_H

#include "options.h"

/// Confines the calling process and all it starts, for ever: system directories are read and run, the data directory
/// is the application's, and there is nothing else; of TCP ports it has its own and its databases'. Says what this
/// kernel cannot confine. Needs PR_SET_NO_NEW_PRIVS.
void confine_access(const struct options *options);

#endif
