// The application's environment. It comes by standard input, for what the runner has in its own would work on the
// runner too, which is root: LD_PRELOAD.
#ifndef AIB_APP_RUNNER_ENVIRONMENT_H
#define AIB_APP_RUNNER_ENVIRONMENT_H

/// Reads `NAME=value` entries, each ended by a zero byte, up to the end of standard input, which is /dev/null
/// thereafter. Returns them as `environ` holds them; they stay for as long as the process.
char **read_environment(void);

#endif
