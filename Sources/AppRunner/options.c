#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static const char usage[] =
    "usage: aibackend-app-runner --uid N --gid N --parent PID --workdir DIR --data DIR [--bind PORT] "
    "[--connect PORT …] -- COMMAND [ARGUMENT …] < ENVIRONMENT";

static _Noreturn void refuse(const char *what, const char *value) {
    char text[512];
    snprintf(text, sizeof text, "%s %.60s\n%s", what, value, usage);
    fail(EXIT_USAGE, 0, text);
}

static unsigned long number(const char *name, const char *text, unsigned long minimum, unsigned long maximum) {
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    // strtoul takes signs and white space.
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < minimum || value > maximum) {
        refuse(name, "is not a number that is possible there");
    }
    return value;
}

static const char *absolute(const char *name, const char *path) {
    if (path[0] != '/') refuse(name, "needs an absolute path");
    return path;
}

struct options read_options(int count, char **arguments) {
    struct options options = {0};
    bool has_uid = false, has_gid = false;
    int index = 1;
    for (; index < count && strcmp(arguments[index], "--") != 0; index += 2) {
        const char *name = arguments[index];
        if (index + 1 >= count) refuse("no value for", name);
        const char *value = arguments[index + 1];
        if (strcmp(name, "--uid") == 0) {
            // The largest number means "unchanged" to the system.
            options.uid = (uid_t)number(name, value, 0, UINT32_MAX - 1UL);
            has_uid = true;
        } else if (strcmp(name, "--gid") == 0) {
            options.gid = (gid_t)number(name, value, 0, UINT32_MAX - 1UL);
            has_gid = true;
        } else if (strcmp(name, "--parent") == 0) {
            options.parent = (pid_t)number(name, value, 1, INT_MAX);
        } else if (strcmp(name, "--bind") == 0) {
            options.bind_port = (uint16_t)number(name, value, 1, UINT16_MAX);
        } else if (strcmp(name, "--connect") == 0) {
            if (options.connect_port_count == MAXIMUM_CONNECT_PORTS) refuse("too many:", name);
            options.connect_ports[options.connect_port_count++] = (uint16_t)number(name, value, 1, UINT16_MAX);
        } else if (strcmp(name, "--workdir") == 0) {
            options.workdir = absolute(name, value);
        } else if (strcmp(name, "--data") == 0) {
            options.data = absolute(name, value);
        } else {
            refuse("unknown option", name);
        }
    }
    if (!has_uid || !has_gid) refuse("missing:", "--uid and --gid");
    if (options.parent == 0) refuse("missing:", "--parent");
    if (options.workdir == NULL || options.data == NULL) refuse("missing:", "--workdir and --data");
    if (index + 1 >= count) refuse("missing:", "-- and a command");
    options.command = arguments + index + 1;
    return options;
}
