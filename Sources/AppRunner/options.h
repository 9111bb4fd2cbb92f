// The runner's command line.
#ifndef AIB_APP_RUNNER_OPTIONS_H
#define AIB_APP_RUNNER_OPTIONS_H

#include <stdint.h>
#include <sys/types.h>

enum { MAXIMUM_CONNECT_PORTS = 8 };

struct options {
    /// Who the application runs as; the runner's own where it is not root.
    uid_t uid;
    gid_t gid;
    /// The process that the application must not outlive.
    pid_t parent;
    /// The one TCP port it may listen on; 0 for none.
    uint16_t bind_port;
    /// Those it may connect to: its databases'.
    uint16_t connect_ports[MAXIMUM_CONNECT_PORTS];
    int connect_port_count;
    /// Where it starts, and what alone it may write to: absolute paths.
    const char *workdir;
    const char *data;
    /// Its program and arguments, ended by NULL.
    char **command;
};

/// Reads the arguments, or says what is wrong with them and ends the process with EXIT_USAGE.
struct options read_options(int count, char **arguments);

#endif
