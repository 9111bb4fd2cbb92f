// The processes of an application, none of which outlives the runner.
#ifndef AIB_APP_RUNNER_PROCESSES_H
#define AIB_APP_RUNNER_PROCESSES_H

#include <stdbool.h>
#include <sys/types.h>

/// Has the kernel kill this process when the thread that started it ends. Ends it at once where `parent` has ended
/// already; 0 where that is not to be seen. A change of user takes this back: call it after.
void die_with_parent(pid_t parent);

/// Opens a namespace of processes for the children of this one, so that what they start cannot escape. false, and
/// said, where the system refuses.
bool isolate_children(void);

/// Blocks the signals that `supervise` takes, before there is a child that may end.
void take_signals(void);

/// Gives a child back what `take_signals` took.
void give_signals_back(void);

/// Waits for the child to end. SIGTERM, SIGINT and SIGHUP are passed on to `target` (as `kill` takes it), SIGQUIT as
/// SIGKILL. Returns the child's exit status, or 128 and the signal that ended it.
int supervise(pid_t child, pid_t target);

#endif
