// The load that benchmarks/load offers: requests on a timetable (open loop), or log streams that are read as they come.
// One thread, epoll. Prints one line of JSON.
//
// usage: load_client get PORT PATH,PATH KEY RATE SECONDS CONNECTIONS      the paths take turns
//        load_client streams PORT SECONDS FILE       FILE has a line "KEY EXECUTION" for each stream
//
// A request is due at its place in the timetable, whatever became of those before it: what it waits for a free
// connection counts. One that waits for longer than `patience` is not sent, and counted as such.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { buffer_size = 64 * 1024, maximum_connections = 20000, statuses = 600 };
static const long long patience = 1000 * 1000; // in microseconds

struct connection {
  int fd, is_busy, is_over;
  char *bytes;
  size_t count;
  long long due, sent, body; // body: bytes still to come; -1 while the head is incomplete
};

static struct connection *all;
static int poller, port, open_connections;
static char requests[2][1024];
static long long answered[statuses], without_retry_after, broken;
static unsigned *latencies, *services;
static size_t measured, capacity;

static void fail(const char *what) { perror(what), exit(1); }

static long long now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static void record(long long latency, long long service) {
  if (measured == capacity) {
    capacity = capacity ? capacity * 2 : 65536;
    latencies = realloc(latencies, capacity * sizeof *latencies);
    services = realloc(services, capacity * sizeof *services);
    if (!latencies || !services) fail("realloc");
  }
  latencies[measured] = (unsigned)(latency < 0 ? 0 : latency);
  services[measured++] = (unsigned)(service < 0 ? 0 : service);
}

static int by_size(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return (x > y) - (x < y);
}

static void print_latencies(const char *name, unsigned *values) {
  qsort(values, measured, sizeof *values, by_size);
  static const double shares[] = {0.5, 0.99, 0.999, 1};
  static const char *names[] = {"p50", "p99", "p999", "max"};
  printf(",\"%s\":{", name);
  for (int i = 0; i < 4; i++) {
    size_t place = (size_t)(shares[i] * (double)(measured ? measured - 1 : 0));
    printf("%s\"%s\":%.3f", i ? "," : "", names[i], measured ? values[place] / 1000.0 : 0.0);
  }
  printf("}");
}

static void print_answers(void) {
  const char *comma = "";
  printf("\"statuses\":{");
  for (int status = 0; status < statuses; status++) {
    if (!answered[status]) continue;
    printf("%s\"%d\":%lld", comma, status, answered[status]);
    comma = ",";
  }
  printf("},\"refused_without_retry_after\":%lld,\"broken_connections\":%lld", without_retry_after, broken);
}

// ---------------------------------------------------------------- connections

static void dial(struct connection *one) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (one->fd < 0) fail("socket");
  if (connect(one->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, one->fd, &event) != 0) fail("epoll_ctl");
  one->is_busy = 0;
  one->count = 0;
  open_connections++;
}

static void hang_up(struct connection *one) { close(one->fd), open_connections--; }

/// Writes a whole request; a socket whose buffer cannot take so few bytes is broken, or still connecting.
static int ask(struct connection *one, const char *text) {
  size_t length = strlen(text);
  ssize_t wrote = send(one->fd, text, length, MSG_NOSIGNAL);
  if (wrote < 0 && (errno == EAGAIN || errno == ENOTCONN)) return 0;
  return wrote == (ssize_t)length ? 1 : -1;
}

/// Reads a head that is complete: the status, and the length of the body (-1 where it is chunked).
static int read_head(struct connection *one, size_t length, long long *body) {
  char end = one->bytes[length];
  one->bytes[length] = 0;
  int status = length > 12 ? atoi(one->bytes + 9) : 0;
  if (status <= 0 || status >= statuses) status = 0;
  const char *size = strcasestr(one->bytes, "\r\ncontent-length:");
  *body = size ? atoll(size + 17) : -1;
  answered[status]++;
  if ((status == 429 || status == 503) && !strcasestr(one->bytes, "\r\nretry-after:")) without_retry_after++;
  one->bytes[length] = end;
  return status;
}

/// Takes what has come. Answers whether the connection still stands.
static int receive(struct connection *one) {
  ssize_t got = recv(one->fd, one->bytes + one->count, buffer_size - 1 - one->count, 0);
  if (got < 0 && errno == EAGAIN) return 1;
  if (got <= 0) return 0;
  one->count += (size_t)got;
  return 1;
}

// ---------------------------------------------------------------- requests on a timetable

static void take_answer(struct connection *one) {
  if (!receive(one)) {
    if (one->is_busy) broken++;
    hang_up(one);
    dial(one);
    return;
  }
  if (one->body < 0) {
    char *end = memmem(one->bytes, one->count, "\r\n\r\n", 4);
    if (!end) return;
    size_t head = (size_t)(end - one->bytes) + 4;
    long long body;
    read_head(one, head, &body);
    one->body = (body < 0 ? 0 : body) - (long long)(one->count - head);
  } else {
    one->body -= (long long)one->count;
  }
  one->count = 0;
  if (one->body > 0) return;
  long long time = now(CLOCK_MONOTONIC);
  record(time - one->due, time - one->sent);
  one->is_busy = 0;
}

static int get(int rate, int seconds, int connections) {
  struct epoll_event ready[256];
  for (int i = 0; i < connections; i++) dial(&all[i]);
  long long start = now(CLOCK_MONOTONIC), total = (long long)rate * seconds, next = 0, late = 0;
  long long end = start + seconds * 1000000LL;
  int busy = 0, turn = 0;
  do {
    int count = epoll_wait(poller, ready, 256, 1);
    for (int i = 0; i < count; i++) {
      struct connection *one = ready[i].data.ptr;
      int was_busy = one->is_busy;
      take_answer(one);
      busy -= was_busy - one->is_busy;
    }
    long long time = now(CLOCK_MONOTONIC), due = (time - start) * rate / 1000000;
    if (due > total) due = total;
    for (; next < due && start + next * 1000000LL / rate < time - patience; next++) late++;
    for (int tried = 0; next < due && tried < connections; tried++) {
      struct connection *one = &all[turn];
      turn = (turn + 1) % connections;
      if (one->is_busy) continue;
      int outcome = ask(one, requests[next % 2]);
      if (outcome < 0) {
        broken++;
        hang_up(one);
        dial(one);
      }
      if (outcome <= 0) continue;
      *one = (struct connection){one->fd, 1, 0, one->bytes, 0, start + next * 1000000LL / rate, time, -1};
      next++;
      busy++;
    }
  } while ((next < total && now(CLOCK_MONOTONIC) < end + patience) || (busy && now(CLOCK_MONOTONIC) < end + 10000000));
  double lasted = (double)(now(CLOCK_MONOTONIC) - start) / 1e6;
  printf("{\"offered\":%lld,\"not_sent\":%lld,\"unanswered\":%d,\"per_second\":%.0f,", total, late + total - next, busy,
         (double)measured / lasted);
  print_answers();
  print_latencies("since_due_ms", latencies);
  print_latencies("since_sent_ms", services);
  printf("}\n");
  return 0;
}

// ---------------------------------------------------------------- log streams

static long long begun, events, ended;

/// The time of an event's line against the clock, where the line was written after the stream had begun.
static void take_line(struct connection *one, char *line, size_t length) {
  line[length] = 0;
  if (strncmp(line, "event: end", 10) == 0) {
    ended++;
    one->is_over = 1;
  }
  const char *stamp = strncmp(line, "data: ", 6) == 0 ? strstr(line, "\"timestamp\":\"") : NULL;
  if (!stamp) return;
  struct tm parts = {0};
  int milliseconds = 0;
  if (sscanf(stamp + 13, "%d-%d-%dT%d:%d:%d.%3dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
             &parts.tm_min, &parts.tm_sec, &milliseconds) != 7)
    return;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  long long written = timegm(&parts) * 1000000LL + milliseconds * 1000LL;
  if (written < begun) return;
  events++;
  long long latency = now(CLOCK_REALTIME) - written;
  record(latency, latency);
}

static void take_events(struct connection *one) {
  if (!receive(one)) return broken++, hang_up(one);
  if (one->body < 0) {
    char *end = memmem(one->bytes, one->count, "\r\n\r\n", 4);
    if (!end) return;
    size_t head = (size_t)(end - one->bytes) + 4;
    if (read_head(one, head, &one->body) != 200) one->is_over = 1;
    one->body = 0;
    memmove(one->bytes, one->bytes + head, one->count -= head);
  }
  // The sizes of the chunks stand on lines of their own, which are no events.
  char *line = one->bytes, *rest = one->bytes + one->count, *end;
  for (; (end = memchr(line, '\n', (size_t)(rest - line))); line = end + 1) take_line(one, line, (size_t)(end - line));
  one->count = (size_t)(rest - line);
  memmove(one->bytes, line, one->count);
  if (one->count == buffer_size - 1) one->count = 0;
  if (one->is_over) hang_up(one);
}

static int streams(int seconds, const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail(path);
  char key[128], execution[64], text[512];
  int count = 0;
  begun = now(CLOCK_REALTIME);
  for (; count < maximum_connections && fscanf(file, "%127s %63s", key, execution) == 2; count++) {
    struct connection *one = &all[count];
    dial(one);
    one->body = -1;
    snprintf(text, sizeof text, "GET /v1/executions/%s/logs?stream=true HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n",
             execution, key);
    int outcome;
    while ((outcome = ask(one, text)) == 0) usleep(100);
    if (outcome < 0) fail("send");
  }
  struct epoll_event ready[256];
  long long end = now(CLOCK_MONOTONIC) + seconds * 1000000LL;
  while (open_connections > 0 && now(CLOCK_MONOTONIC) < end) {
    int arrived = epoll_wait(poller, ready, 256, 100);
    for (int i = 0; i < arrived; i++) take_events(ready[i].data.ptr);
  }
  printf("{\"streams\":%d,\"events\":%lld,\"ended\":%lld,", count, events, ended);
  print_answers();
  print_latencies("since_written_ms", latencies);
  printf("}\n");
  return 0;
}

int main(int argc, char **argv) {
  int is_get = argc == 8 && strcmp(argv[1], "get") == 0;
  if (!is_get && !(argc == 5 && strcmp(argv[1], "streams") == 0)) {
    fprintf(stderr, "usage: load_client get PORT PATHS KEY RATE SECONDS CONNECTIONS | streams PORT SECONDS FILE\n");
    return 2;
  }
  port = atoi(argv[2]);
  all = calloc(maximum_connections, sizeof *all);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (!all || poller < 0) fail("start");
  int connections = is_get ? atoi(argv[7]) : maximum_connections;
  if (connections < 1 || connections > maximum_connections) return fprintf(stderr, "too many connections\n"), 2;
  for (int i = 0; i < connections; i++) {
    // Untouched memory costs nothing.
    all[i].bytes = malloc(buffer_size);
    if (!all[i].bytes) fail("malloc");
  }
  if (!is_get) return streams(atoi(argv[3]), argv[4]);
  char *rest = argv[3], *path = argv[3];
  for (int i = 0; i < 2; i++) {
    if (rest) path = strsep(&rest, ",");
    snprintf(requests[i], sizeof requests[i], "GET %s HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", path, argv[4]);
  }
  return get(atoi(argv[5]), atoi(argv[6]), connections);
}
