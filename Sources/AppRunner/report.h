// What the runner says on standard error, each line under its own name.
#ifndef AIB_APP_RUNNER_REPORT_H
#define AIB_APP_RUNNER_REPORT_H

enum {
    /// The arguments are wrong (EX_USAGE).
    EXIT_USAGE = 64,
    /// The system refused what the runner cannot do without (EX_OSERR).
    EXIT_SYSTEM = 71,
    /// The command cannot be run, or is not there: as a shell says it.
    EXIT_CANNOT_RUN = 126,
    EXIT_NOT_FOUND = 127,
};

/// Says what the application will not be kept from, and why; the runner goes on.
void report_unconfined(const char *what, const char *why);

/// Says why the runner cannot go on, with the system's reason where `error` is not 0, and ends the process.
_Noreturn void fail(int status, int error, const char *what);

#endif
