/* A whole plugin in C: it answers every ai.generate call with what it was asked. Built with
 *   gcc -std=c11 -shared -fPIC -I <the folder of aib_plugin.h> echo.c -o echo.so
 */
#define _POSIX_C_SOURCE 200809L
#include "aib_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MANIFEST[] =
    "{\"id\":\"echo-c\",\"name\":\"Echo in C\",\"version\":\"0.1.0\",\"license\":\"Apache-2.0\","
    "\"abi\":{\"major\":0,\"min_host_minor\":1},"
    "\"operations\":[{\"name\":\"ai.generate\",\"streaming\":true,\"idempotent\":true,\"cost_class\":\"free\"}],"
    "\"serves\":[{\"ai_provider\":\"echo_c\",\"operation\":\"ai.generate\"}],"
    "\"config\":{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\",\"default\":\"you said: \"}},"
    "\"additionalProperties\":false}}";

typedef struct echo {
  const aib_host *host;
  const aib_svc_log *log;
  char greeting[256];
} echo;

static aib_span span(const char *text, size_t length) {
  aib_span result = {(const uint8_t *)text, length};
  return result;
}

/* The raw JSON text of the last string member of this name, without its quotes; its escapes are left alone. */
static aib_span last_string(const char *json, const char *name) {
  aib_span found = {NULL, 0};
  char key[64];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  for (const char *at = json; (at = strstr(at, key)) != NULL;) {
    at += strlen(key);
    const char *end = at;
    while (*end != '\0' && *end != '"') end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    found = span(at, (size_t)(end - at));
    at = end;
  }
  return found;
}

static aib_status create(const aib_host *host, aib_span config, void **out_instance) {
  echo *self = calloc(1, sizeof *self);
  if (self == NULL) return AIB_E_LIMIT;
  self->host = host;
  self->log = host->get_service(host->ctx, AIB_SVC_LOG);
  char *json = strndup((const char *)config.ptr, config.len);
  aib_span greeting = json != NULL ? last_string(json, "greeting") : span(NULL, 0);
  snprintf(self->greeting, sizeof self->greeting, "%.*s", (int)greeting.len, greeting.len ? (const char *)greeting.ptr : "");
  free(json);
  *out_instance = self;
  return AIB_OK;
}

static void destroy(void *instance) { free(instance); }

static aib_status start(void *instance, const aib_call *call) {
  echo *self = instance;
  char *input = strndup((const char *)call->input.ptr, call->input.len);
  if (input == NULL) return AIB_E_LIMIT;
  aib_span said = last_string(input, "content");
  int wants_schema = strstr(input, "\"output_schema\":") != NULL;
  if (AIB_HAS(self->log, aib_svc_log, log))
    self->log->log(self->host->ctx, call->call, AIB_LOG_INFO, span("echoing", 7), span("{\"from\":\"c\"}", 12));
  self->host->emit(self->host->ctx, call->call, AIB_CHUNK_TEXT, span(self->greeting, strlen(self->greeting)));
  self->host->emit(self->host->ctx, call->call, AIB_CHUNK_TEXT, said);

  size_t size = said.len + strlen(self->greeting) + 512;
  char *result = malloc(size);
  if (result == NULL) {
    free(input);
    return AIB_E_LIMIT;
  }
  int length = snprintf(
      result, size,
      "{\"text\":\"%s%.*s\",\"structured\":%s,\"model\":\"echo-1\",\"stop_reason\":\"end_turn\","
      "\"usage\":{\"input_tokens\":%llu,\"output_tokens\":%llu},\"raw_usage\":{\"bytes\":%llu},"
      "\"provider_request_id\":\"echo-%.*s\"}",
      self->greeting, (int)said.len, said.len ? (const char *)said.ptr : "",
      wants_schema ? "{\"summary\":\"an echo\",\"files\":[]}" : "null", (unsigned long long)call->input.len / 4 + 1,
      (unsigned long long)said.len / 4 + 1, (unsigned long long)call->input.len, (int)call->trace.len,
      (const char *)call->trace.ptr);
  self->host->complete(self->host->ctx, call->call, AIB_OK, span(result, (size_t)length));
  free(result);
  free(input);
  return AIB_OK;
}

/* Every call is complete before start returns, so there is nothing to cancel and no event to wait for. */
static void cancel(void *instance, aib_id call) { (void)instance, (void)call; }
static void on_event(void *instance, const aib_event *event) { (void)instance, (void)event; }

static const aib_provider PROVIDER = {
    .struct_size = sizeof(aib_provider),
    .create = create,
    .destroy = destroy,
    .start = start,
    .cancel = cancel,
    .on_event = on_event,
};

static const void *get_interface(const char *id) { return strcmp(id, AIB_IF_PROVIDER) == 0 ? &PROVIDER : NULL; }

static const aib_entry ENTRY = {
    .magic = AIB_MAGIC,
    .struct_size = sizeof(aib_entry),
    .abi_major = AIB_ABI_MAJOR,
    .abi_minor = AIB_ABI_MINOR,
    .min_host_minor = 1,
    .ptr_bits = 64,
    .manifest = {(const uint8_t *)MANIFEST, sizeof MANIFEST - 1},
    .get_interface = get_interface,
};

const aib_entry *aib_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_major, (void)host_minor;
  return &ENTRY;
}
