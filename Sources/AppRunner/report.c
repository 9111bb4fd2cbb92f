#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// One write a line: three processes share the descriptor.
static void say(const char *line) {
    if (write(STDERR_FILENO, line, strlen(line)) < 0) return;
}

void report_unconfined(const char *what, const char *why) {
    char line[512];
    snprintf(line, sizeof line - 1, "aibackend-app-runner: not confined: %s: %s", what, why);
    strcat(line, "\n");
    say(line);
}

void fail(int status, int error, const char *what) {
    char line[512];
    snprintf(
        line, sizeof line - 1, "aibackend-app-runner: %s%s%s", what, error ? ": " : "", error ? strerror(error) : "");
    strcat(line, "\n");
    say(line);
    _exit(status);
}
