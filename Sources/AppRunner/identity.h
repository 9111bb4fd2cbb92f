// Who the application is, and what it may use up.
#ifndef AIB_APP_RUNNER_IDENTITY_H
#define AIB_APP_RUNNER_IDENTITY_H

#include "options.h"

/// Bounds files, processes and memory of the calling process and all it starts.
void confine_resources(const struct options *options);

/// Becomes the application's user for good, with no other group; or says that the application is this user. Ends the
/// process where the system refuses.
void confine_identity(const struct options *options);

#endif
