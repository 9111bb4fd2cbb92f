#define _GNU_SOURCE
#include "environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

// The kernel takes no more than about 2 MiB with the arguments.
enum { LIMIT = 1 << 20 };

static size_t read_all(char *buffer) {
    size_t length = 0;
    for (;;) {
        ssize_t count = read(STDIN_FILENO, buffer + length, LIMIT - length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(EXIT_SYSTEM, errno, "the environment cannot be read from standard input");
        if (count == 0) return length;
        length += (size_t)count;
        if (length == LIMIT) fail(EXIT_USAGE, 0, "the environment is larger than 1 MiB");
    }
}

char **read_environment(void) {
    char *buffer = malloc(LIMIT);
    if (buffer == NULL) fail(EXIT_SYSTEM, errno, "no memory for the environment");
    size_t length = read_all(buffer);
    if (length > 0 && buffer[length - 1] != '\0') fail(EXIT_USAGE, 0, "the environment's last entry has no end");
    size_t entries = 0;
    for (size_t index = 0; index < length; index++) entries += buffer[index] == '\0';
    char **environment = calloc(entries + 1, sizeof *environment);
    if (environment == NULL) fail(EXIT_SYSTEM, errno, "no memory for the environment");
    char *entry = buffer;
    for (size_t index = 0; index < entries; index++, entry += strlen(entry) + 1) {
        if (entry[0] == '=' || strchr(entry, '=') == NULL) {
            fail(EXIT_USAGE, 0, "an entry of the environment is not NAME=value");
        }
        environment[index] = entry;
    }
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    // dup2 leaves the copy open over exec.
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) fail(EXIT_SYSTEM, errno, "/dev/null cannot be opened");
    if (nothing != STDIN_FILENO) close(nothing);
    return environment;
}
