/* What a streamed call of a model costs a client that only reads it: the request is sent over one kept connection and
 * the answer read to its last event. Prints the median of the calls in microseconds.
 *
 * usage: upstream_call URL KEY REQUEST_FILE CALLS
 */
#define _POSIX_C_SOURCE 200809L
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char answer[1 << 20];
static size_t length;

static size_t receive(char *bytes, size_t size, size_t count, void *context) {
  (void)context;
  if (length + size * count >= sizeof answer) return 0;
  memcpy(answer + length, bytes, size * count);
  length += size * count;
  return size * count;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Whether the answer is a complete stream. */
static int call(CURL *handle) {
  long status = 0;
  length = 0;
  CURLcode code = curl_easy_perform(handle);
  answer[length] = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK && status == 200 && strstr(answer, "\"message_stop\"") != NULL) return 1;
  fprintf(stderr, "upstream_call: %s, status %ld: %.300s\n", curl_easy_strerror(code), status, answer);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "usage: upstream_call URL KEY REQUEST_FILE CALLS\n"), 2;
  static char request[1 << 16];
  FILE *file = fopen(argv[3], "r");
  if (file == NULL) return perror(argv[3]), 1;
  size_t size = fread(request, 1, sizeof request, file);
  fclose(file);
  char key[256];
  snprintf(key, sizeof key, "x-api-key: %s", argv[2]);
  struct curl_slist *headers = curl_slist_append(NULL, "content-type: application/json");
  headers = curl_slist_append(headers, "accept: text/event-stream");
  headers = curl_slist_append(headers, "anthropic-version: 2023-06-01");
  headers = curl_slist_append(headers, key);
  CURL *handle = curl_easy_init();
  curl_easy_setopt(handle, CURLOPT_URL, argv[1]);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, (long)size);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, 30L);
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");

  int calls = atoi(argv[4]), warmup = calls / 10;
  double *times = calloc((size_t)calls, sizeof *times);
  if (calls < 1 || times == NULL) return 2;
  for (int number = -warmup; number < calls; number++) {
    double start = now();
    if (!call(handle)) return 1;
    if (number >= 0) times[number] = now() - start;
  }
  qsort(times, (size_t)calls, sizeof *times, ascending);
  printf("%.1f\n", times[calls / 2]);
  curl_easy_cleanup(handle);
  curl_slist_free_all(headers);
  free(times);
  return 0;
}
