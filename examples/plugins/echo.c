/* A whole plugin in C: it serves ai.generate by saying back what it was asked. Nothing but the header is needed:
 *
 *   gcc -std=c11 -Wall -Wextra -shared -fPIC -I Sources/PluginABI/include examples/plugins/echo.c -o echo_c.so
 */
#define _POSIX_C_SOURCE 200809L
#include "aib_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the host knows before it calls anything. "ai_provider" is the word that a template's step names. "cost_class"
 * is "free" because nobody bills for an echo; without it each call needs a model with a price. */
static const char MANIFEST[] =
    "{\"id\":\"echo-c\",\"name\":\"Echo in C\",\"version\":\"0.1.0\",\"license\":\"Apache-2.0\","
    "\"abi\":{\"major\":0,\"min_host_minor\":1},"
    "\"operations\":[{\"name\":\"ai.generate\",\"streaming\":true,\"idempotent\":true,\"cost_class\":\"free\"}],"
    "\"serves\":[{\"ai_provider\":\"echo_c\",\"operation\":\"ai.generate\"}],"
    "\"config\":{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\",\"default\":\"you said: \"}},"
    "\"additionalProperties\":false}}";

/* One instance. The host calls all its functions on one thread, so it needs no lock. */
typedef struct echo {
  const aib_host *host;
  const aib_svc_log *log;
  char *config; /* the greeting lies in it, as JSON has it */
  aib_span greeting;
} echo;

static aib_span span(const char *text, size_t length) { return (aib_span){(const uint8_t *)text, length}; }

/* The last string member of this name, as it stands between its quotes; ptr is NULL where there is none. Enough for an
 * echo, which puts it into JSON again: a plugin that works with its input brings a JSON library. */
static aib_span last_string(const char *json, const char *name) {
  aib_span found = {NULL, 0};
  char key[64];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  for (const char *at = json; (at = strstr(at, key)) != NULL;) {
    const char *end = at += strlen(key);
    while (*end != '\0' && *end != '"') end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    found = span(at, (size_t)(end - at));
    at = end;
  }
  return found;
}

/* Streams a JSON string's text, at most 64 KiB a chunk. The host escapes " and \ and, as \n \r \t \u00XX, control
 * characters. A full window ends the preview here, for the result carries everything; a plugin that must not skip any
 * of it goes on at AIB_EV_WRITABLE. */
static void stream(const aib_host *host, aib_id call, aib_span json) {
  const char *in = (const char *)json.ptr, *end = in + json.len;
  char chunk[4096];
  while (in < end) {
    size_t length = 0;
    while (in < end && length < sizeof chunk) {
      char c = *in++;
      if (c == '\\') {
        c = *in++;
        if (c == 'u') c = (char)strtol((char[]){in[2], in[3], '\0'}, NULL, 16), in += 4;
        else if (c == 'n' || c == 'r' || c == 't') c = c == 'n' ? '\n' : c == 'r' ? '\r' : '\t';
      }
      chunk[length++] = c;
    }
    if (host->emit(host->ctx, call, AIB_CHUNK_TEXT, span(chunk, length)) != AIB_OK) return;
  }
}

/* The configuration was checked against the manifest, and has its defaults filled in. A span ends without a NUL. */
static aib_status create(const aib_host *host, aib_span config, void **out_instance) {
  echo *self = calloc(1, sizeof *self);
  char *json = strndup((const char *)config.ptr, config.len);
  if (self == NULL || json == NULL) {
    free(self), free(json);
    return AIB_E_LIMIT;
  }
  *self = (echo){host, host->get_service(host->ctx, AIB_SVC_LOG), json, last_string(json, "greeting")};
  *out_instance = self;
  return AIB_OK;
}

static void destroy(void *instance) { free(((echo *)instance)->config), free(instance); }

/* Has a millisecond. An echo is complete by then; a plugin that asks a provider starts its request, returns AIB_OK, and
 * completes from on_event. */
static aib_status start(void *instance, const aib_call *call) {
  const echo *self = instance;
  const aib_host *host = self->host;
  char *input = strndup((const char *)call->input.ptr, call->input.len), *result = NULL;
  size_t size = 0;
  FILE *out = input != NULL ? open_memstream(&result, &size) : NULL;
  if (out == NULL) {
    free(input);
    return AIB_E_LIMIT; /* refused: complete must not be called */
  }
  aib_span said = last_string(input, "content");
  if (said.ptr != NULL) {
    if (AIB_HAS(self->log, aib_svc_log, log))
      self->log->log(host->ctx, call->call, AIB_LOG_INFO, span("echoing", 7), span("{\"from\":\"c\"}", 12));
    stream(host, call->call, self->greeting);
    stream(host, call->call, said);
    /* A step asks for an object with "summary" and "files". Usage is what the call consumed, and never left out. */
    const char *greeting = (const char *)self->greeting.ptr, *text = (const char *)said.ptr;
    int g = (int)self->greeting.len, t = (int)said.len;
    fprintf(out, "{\"text\":\"%.*s%.*s\",\"structured\":", g, greeting, t, text);
    if (strstr(input, "\"output_schema\":") == NULL) fputs("null", out);
    else fprintf(out, "{\"summary\":\"%.*s%.*s\",\"files\":[]}", g, greeting, t, text);
    fprintf(out, ",\"model\":\"echo-1\",\"stop_reason\":\"end_turn\",\"provider_request_id\":\"echo-%.*s\"",
            (int)call->trace.len, (const char *)call->trace.ptr);
    fprintf(out, ",\"usage\":{\"input_tokens\":%d,\"output_tokens\":%d}}", (int)call->input.len / 4, (g + t) / 4);
  } else {
    fputs("{\"message\":\"the input has no message to echo\",\"retryable\":false}", out);
  }
  if (fclose(out) != 0) size = 0; /* no memory: what is left is no JSON, which the host takes as an internal error */
  host->complete(host->ctx, call->call, said.ptr != NULL ? AIB_OK : AIB_E_INVALID, span(result, size));
  free(result), free(input);
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
    .on_event = on_event, /* health may be absent */
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
