/* A plugin that breaks one rule, chosen with -DRULE=…. The values are those of HostileRule in the tests. */
#define _DEFAULT_SOURCE
#include "aib_plugin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  NONE, NO_SYMBOL, WRONG_MAGIC, WRONG_MAJOR, WRONG_MINOR, HIGH_MINIMUM, SMALL_ENTRY, NULL_MANIFEST, BAD_MANIFEST,
  OTHER_ABI_IN_MANIFEST, NO_INTERFACE, SMALL_TABLE, NO_START_FUNCTION, NULL_ENTRY, REFUSES_CREATE, COMPLETES_TWICE,
  COMPLETES_LATE, NEVER_COMPLETES, FLOODS, UNKNOWN_KIND, SPINS_IN_START, REFUSES_START, BAD_RESULT, LEAKS_SECRET,
  UNKNOWN_IDS, REFUSES_AFTER_COMPLETION, HUGE_CHUNK, UNGRANTED, SPLITS_TEXT, BAD_LOG,
  MISALIGNED_ENTRY, MISALIGNED_TABLE, HUGE_MANIFEST, MISSING_BYTES, NO_GET_INTERFACE, NO_FUNCTIONS, HUGE_SIZES
};
#ifndef RULE
#define RULE NONE
#endif

#define SAYS(minor) \
  "{\"id\":\"hostile\",\"name\":\"Hostile\",\"version\":\"1.0.0\",\"license\":\"MIT\"," \
  "\"abi\":{\"major\":0,\"min_host_minor\":" #minor "},\"operations\":[{\"name\":\"ai.generate\"}]," \
  "\"serves\":[{\"ai_provider\":\"hostile\",\"operation\":\"ai.generate\"}]," \
  "\"secrets\":[{\"name\":\"HOSTILE_KEY\",\"uses\":[\"http\"]}],\"limits\":{\"concurrency\":2}}"
static const char GOOD[] = SAYS(1);
static const char OTHER[] = SAYS(0);
static const char BAD[] = "{\"id\":\"Hostile!\",\"nam\":\"x\"}";

static const aib_host *host;
static aib_id held;

static aib_span span(const char *text) {
  aib_span result = {(const uint8_t *)text, strlen(text)};
  return result;
}

static aib_status done(aib_id call) { return host->complete(host->ctx, call, AIB_OK, span("{\"text\":\"done\"}")); }

static aib_status create(const aib_host *table, aib_span config, void **out) {
  (void)config;
  host = table;
  *out = &held;
  if (RULE == REFUSES_CREATE) {
    const aib_svc_log *log = host->get_service(host->ctx, AIB_SVC_LOG);
    log->log(host->ctx, 0, AIB_LOG_ERROR, span("the moon is in the wrong phase"), span(""));
    return AIB_E_DENIED;
  }
  if (RULE == UNGRANTED && host->get_service(host->ctx, AIB_SVC_HTTP) != NULL) return AIB_E_INTERNAL;
  if (RULE == UNGRANTED && host->get_service(host->ctx, "aib.unheard_of/9") != NULL) return AIB_E_INTERNAL;
  return AIB_OK;
}

static void destroy(void *instance) { (void)instance; }

/* Emits without ever waiting, as much as the window takes and a little more, from a thread of its own. */
static void *flood(void *argument) {
  static uint8_t block[65536];
  aib_id call = *(aib_id *)argument;
  free(argument);
  memset(block, 'x', sizeof block);
  aib_span chunk = {block, sizeof block};
  int taken = 0, refused = 0;
  while (refused == 0) {
    aib_status status = host->emit(host->ctx, call, AIB_CHUNK_TEXT, chunk);
    if (status == AIB_OK) taken++;
    else if (status == AIB_E_AGAIN) refused++;
    else break;
  }
  char result[64] = "{\"text\":\"0\"}";
  result[9] = (char)('0' + taken);
  host->complete(host->ctx, call, AIB_OK, span(result));
  return NULL;
}

static aib_status start(void *instance, const aib_call *call) {
  (void)instance;
  aib_id id = call->call;
  switch (RULE) {
  case COMPLETES_TWICE: done(id); return done(id) == AIB_E_STALE ? AIB_OK : AIB_E_INTERNAL;
  case COMPLETES_LATE: held = id; return AIB_OK;
  case NEVER_COMPLETES: host->emit(host->ctx, id, AIB_CHUNK_TEXT, span("mine")); return AIB_OK;
  case FLOODS: {
    pthread_t thread;
    aib_id *argument = malloc(sizeof *argument);
    *argument = id;
    pthread_create(&thread, NULL, flood, argument);
    pthread_detach(thread);
    return AIB_OK;
  }
  case UNKNOWN_KIND:
    if (host->emit(host->ctx, id, 77, span("?")) != AIB_E_UNSUPPORTED) return AIB_E_INTERNAL;
    break;
  case BAD_LOG: {
    static const char *const lines[] = {"", "line", "[]", "{\"message\":\"x\"}", "{\"stream\":\"build\"}",
                                        "{\"stream\":\"run\",\"message\":\"x\"}", "{\"stream\":1,\"message\":\"x\"}",
                                        "{\"stream\":\"build\",\"message\":[\"x\"]}"};
    for (size_t at = 0; at < sizeof lines / sizeof *lines; at++)
      if (host->emit(host->ctx, id, AIB_CHUNK_LOG, span(lines[at])) != AIB_E_INVALID) return AIB_E_INTERNAL;
    if (host->emit(host->ctx, id, AIB_CHUNK_LOG, span("{\"stream\":\"build\",\"message\":\"bad \xFF\\u0000\"}")))
      return AIB_E_INTERNAL;
    break;
  }
  case HUGE_CHUNK: {
    aib_span chunk = {(const uint8_t *)GOOD, 65537};
    if (host->emit(host->ctx, id, AIB_CHUNK_TEXT, chunk) != AIB_E_INVALID) return AIB_E_INTERNAL;
    aib_span null = {NULL, 5};
    if (host->emit(host->ctx, id, AIB_CHUNK_TEXT, null) != AIB_E_INVALID) return AIB_E_INTERNAL;
    break;
  }
  case SPLITS_TEXT: {
    static const char text[] = "a\xF0\x9F\x99\x82z";
    for (size_t at = 0; at < sizeof text - 1; at++) {
      aib_span piece = {(const uint8_t *)text + at, 1};
      if (host->emit(host->ctx, id, AIB_CHUNK_TEXT, piece) != AIB_OK) return AIB_E_INTERNAL;
    }
    break;
  }
  case SPINS_IN_START: {
    struct timespec now, begun;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec < begun.tv_sec + 10);
    break;
  }
  case REFUSES_START: return AIB_E_INVALID;
  case REFUSES_AFTER_COMPLETION: done(id); return AIB_E_INVALID;
  case BAD_RESULT: host->complete(host->ctx, id, AIB_OK, span("<html>")); return AIB_OK;
  case LEAKS_SECRET: {
    static char json[9000];
    strcpy(json, "{\"message\":\"the key s3cr3t-value is bad ");
    memset(json + strlen(json), '-', 4000);
    strcat(json, "\",\"retryable\":true,\"retry_after_ms\":1500,\"status\":429,"
                 "\"provider_request_id\":\"req-s3cr3t-value\",\"usage\":{\"input_tokens\":3}}");
    host->complete(host->ctx, id, AIB_E_LIMIT, span(json));
    return AIB_OK;
  }
  case UNKNOWN_IDS:
    if (done(987654321) != AIB_E_STALE || host->emit(host->ctx, 0, AIB_CHUNK_TEXT, span("x")) != AIB_E_STALE)
      return AIB_E_INTERNAL;
    break;
  default: break;
  }
  done(id);
  return AIB_OK;
}

static void cancel(void *instance, aib_id call) { (void)instance, (void)call; }

static void on_event(void *instance, const aib_event *event) { (void)instance, (void)event; }

/* The host calls it on demand: COMPLETES_LATE completes here what it should have completed long ago. */
static aib_status health(void *instance) {
  (void)instance;
  if (RULE == COMPLETES_LATE && held != 0) return done(held) == AIB_E_STALE ? AIB_E_DENIED : AIB_OK;
  return AIB_OK;
}

static const aib_provider PROVIDER = {
    .struct_size = RULE == SMALL_TABLE ? 16 : RULE == HUGE_SIZES ? UINT32_MAX : sizeof(aib_provider),
    .create = RULE == NO_FUNCTIONS ? NULL : create, .destroy = RULE == NO_FUNCTIONS ? NULL : destroy,
    .start = RULE == NO_START_FUNCTION || RULE == NO_FUNCTIONS ? NULL : start,
    .cancel = RULE == NO_FUNCTIONS ? NULL : cancel, .on_event = RULE == NO_FUNCTIONS ? NULL : on_event,
    .health = RULE == NO_FUNCTIONS ? NULL : health,
};

static const void *get_interface(const char *id) {
  static uint64_t room[sizeof PROVIDER / 8 + 2];
  if (RULE == NO_INTERFACE || strcmp(id, AIB_IF_PROVIDER) != 0) return NULL;
  if (RULE != MISALIGNED_TABLE) return &PROVIDER;
  memcpy((uint8_t *)room + 1, &PROVIDER, sizeof PROVIDER);
  return (uint8_t *)room + 1;
}

static const aib_entry ENTRY = {
    .magic = RULE == WRONG_MAGIC ? 0x4B434148u : AIB_MAGIC,
    .struct_size = RULE == SMALL_ENTRY ? 24 : RULE == HUGE_SIZES ? UINT32_MAX : sizeof(aib_entry),
    .abi_major = RULE == WRONG_MAJOR ? 7 : AIB_ABI_MAJOR,
    .abi_minor = RULE == WRONG_MINOR ? 9 : AIB_ABI_MINOR,
    .min_host_minor = RULE == HIGH_MINIMUM ? 5 : 1,
    .ptr_bits = 64,
    .manifest = {RULE == NULL_MANIFEST || RULE == MISSING_BYTES ? NULL
                 : (const uint8_t *)(RULE == BAD_MANIFEST            ? BAD
                                     : RULE == OTHER_ABI_IN_MANIFEST ? OTHER
                                                                     : GOOD),
                 RULE == BAD_MANIFEST ? sizeof BAD - 1 : RULE == HUGE_MANIFEST ? UINT64_MAX : sizeof GOOD - 1},
    .get_interface = RULE == NO_GET_INTERFACE ? NULL : get_interface,
};

#if RULE == 1
AIB_EXPORT const aib_entry *another_symbol(void);
const aib_entry *another_symbol(void) { return &ENTRY; }
#else
const aib_entry *aib_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_major, (void)host_minor;
  static uint64_t room[sizeof ENTRY / 8 + 2];
  if (RULE != MISALIGNED_ENTRY) return RULE == NULL_ENTRY ? NULL : &ENTRY;
  memcpy((uint8_t *)room + 1, &ENTRY, sizeof ENTRY);
  return (const aib_entry *)(const void *)((uint8_t *)room + 1);
}
#endif
