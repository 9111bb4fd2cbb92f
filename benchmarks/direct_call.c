/* What a call into the echo plugin costs without a host: its start called in a loop, either directly or on a thread of
 * its own that is woken for each call and wakes the caller. Prints nanoseconds a call.
 *
 * usage: direct_call LIBRARY direct|handoff CALLS
 */
#define _POSIX_C_SOURCE 200809L
#include "aib_plugin.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const aib_provider *provider;
static void *instance;
static uint64_t completed;
static char kept[4096];

/* The least a host does with what it is given: it copies it. */
static void keep(aib_span span) { memcpy(kept, span.ptr, span.len < sizeof kept ? span.len : sizeof kept); }

static const void *get_service(void *ctx, const char *id) { return (void)ctx, (void)id, NULL; }
static aib_status emit(void *ctx, aib_id call, uint32_t kind, aib_span chunk) {
  (void)ctx, (void)call, (void)kind;
  keep(chunk);
  return AIB_OK;
}
static aib_status complete(void *ctx, aib_id call, aib_status status, aib_span result) {
  (void)ctx, (void)call;
  keep(result);
  completed += status == AIB_OK;
  return AIB_OK;
}

static aib_span span(const char *text) {
  aib_span result = {(const uint8_t *)text, strlen(text)};
  return result;
}

static void call(uint64_t number) {
  aib_call one = {
      .struct_size = sizeof one,
      .attempt = 1,
      .call = number,
      .operation = span("ai.generate"),
      .input = span("{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"max_output_tokens\":16}"),
      .tenant = span("bench"),
      .trace = span("019d1c2a-7c00-7d3e-9b3a-0d5d3f1f2a44"),
      .idempotency_key = span("bench"),
      .deadline_unix_ms = UINT64_MAX,
  };
  provider->start(instance, &one);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER, answered = PTHREAD_COND_INITIALIZER;
static uint64_t wanted, done;

static void *serve(void *argument) {
  uint64_t calls = *(uint64_t *)argument;
  for (uint64_t number = 1; number <= calls; number++) {
    pthread_mutex_lock(&lock);
    while (wanted < number) pthread_cond_wait(&asked, &lock);
    pthread_mutex_unlock(&lock);
    call(number);
    pthread_mutex_lock(&lock);
    done = number;
    pthread_cond_signal(&answered);
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

static void hand_over(uint64_t number) {
  pthread_mutex_lock(&lock);
  wanted = number;
  pthread_cond_signal(&asked);
  while (done < number) pthread_cond_wait(&answered, &lock);
  pthread_mutex_unlock(&lock);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: direct_call LIBRARY direct|handoff CALLS\n"), 2;
  uint64_t calls = strtoull(argv[3], NULL, 10);
  int by_thread = strcmp(argv[2], "handoff") == 0;
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return fprintf(stderr, "direct_call: %s\n", dlerror()), 1;
  const aib_entry *(*entry)(uint32_t, uint32_t);
  *(void **)&entry = dlsym(library, "aib_plugin_entry");
  if (entry == NULL) return fprintf(stderr, "direct_call: %s\n", dlerror()), 1;
  provider = entry(AIB_ABI_MAJOR, AIB_ABI_MINOR)->get_interface(AIB_IF_PROVIDER);
  aib_host host = {sizeof host, AIB_ABI_MINOR, NULL, get_service, emit, complete};
  if (provider->create(&host, span("{\"greeting\":\"you said: \"}"), &instance) != AIB_OK) return 1;

  pthread_t thread;
  if (by_thread && pthread_create(&thread, NULL, serve, &calls) != 0) return 1;
  double start = now();
  for (uint64_t number = 1; number <= calls; number++) by_thread ? hand_over(number) : call(number);
  double elapsed = now() - start;
  if (by_thread) pthread_join(thread, NULL);
  if (completed != calls) return fprintf(stderr, "direct_call: not every call was completed\n"), 1;
  printf("%.0f\n", elapsed / (double)calls);
  return 0;
}
