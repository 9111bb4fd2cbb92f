/* aib_plugin.h: the boundary between the aibackend host and its plugins, version 0.1.
 *
 * A plugin is a shared library with one exported symbol, aib_plugin_entry. Nothing crosses this boundary that a pipe
 * could not carry: flat spans, fixed-width integers, 64-bit ids, tables that start with their size. No exception,
 * panic, trap, object or ownership of memory crosses it.
 *
 * C11 or C++17, no dependencies, UTF-8. Every declaration states:
 *   [any]     may be called from any thread, concurrently.
 *   [serial]  the host never overlaps two such calls on one instance.
 *   [nb]      must return without blocking; budget 1 ms.
 * Spans are borrowed: the bytes are valid until the callee returns; the receiver copies what it keeps. Nothing is
 * ever freed across the boundary. Functions that the host offers never call back into the plugin before they return.
 *
 * Versions: the major number must be equal on both sides. Within a major number, tables only grow at their end;
 * test a function with AIB_HAS before calling one that is younger than your min_host_minor. While the major number
 * is 0, a minor number may change anything, so a 0.x host accepts its own minor number alone.
 */
#ifndef AIB_PLUGIN_H
#define AIB_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AIB_MAGIC 0x31424941u /* "AIB1", little-endian */
#define AIB_ABI_MAJOR 0u
#define AIB_ABI_MINOR 1u

#define AIB_EXPORT __attribute__((visibility("default")))

/* Whether function f lies within the peer's table t of type T and is set. */
#define AIB_HAS(t, T, f) ((t) && (t)->struct_size >= offsetof(T, f) + sizeof((t)->f) && (t)->f)

/* ---------------------------------------------------------------- values */

/* Borrowed bytes. ptr may be NULL only where len is 0. */
typedef struct aib_span {
  const uint8_t *ptr;
  uint64_t len;
} aib_span;

/* Names a call, transfer or timer. Never a pointer and never used twice: one that is over answers AIB_E_STALE. 0 names
 * nothing. */
typedef uint64_t aib_id;

typedef int32_t aib_status;
enum {
  AIB_OK = 0,
  AIB_E_INVALID = -1,     /* the request is wrong; repeating it cannot help */
  AIB_E_UNSUPPORTED = -2, /* no such operation, interface or service */
  AIB_E_STALE = -3,       /* the id names nothing any more */
  AIB_E_AGAIN = -4,       /* a window is full; wait for AIB_EV_WRITABLE */
  AIB_E_CANCELLED = -5,
  AIB_E_TIMEOUT = -6,
  AIB_E_DENIED = -7,   /* key, permission, egress */
  AIB_E_UPSTREAM = -8, /* the provider answered with an error or not at all */
  AIB_E_INTERNAL = -9,
  AIB_E_LIMIT = -10 /* a limit of host or provider: rate, quota, size */
};

/* ---------------------------------------------------------------- host side */

/* Kinds of chunk for aib_host.emit. Unknown kinds are refused with AIB_E_UNSUPPORTED. */
enum {
  AIB_CHUNK_TEXT = 1, /* UTF-8, a piece of generated text; may end inside a character */
  AIB_CHUNK_USAGE = 2, /* JSON, the call's consumption so far; each replaces the one before */
  /* JSON, one line of what the provider does for the call: {"stream":"build"|"deploy","message":"…"}. The host keeps 8
   * KiB of the message and marks the cut. */
  AIB_CHUNK_LOG = 3
};

/* Given to aib_provider.create; valid until aib_provider.destroy returns. */
typedef struct aib_host {
  uint32_t struct_size, abi_minor; /* abi_minor: what this host implements */
  void *ctx;                       /* pass back as the first argument, also of every service function */

  /* The service's table, or NULL where it is unknown or not granted to this plugin. Same lifetime as this table.
   * Fetch services in create and keep them. [any][nb] */
  const void *(*get_service)(void *ctx, const char *service_id);

  /* Pushes one output chunk of a call, at most 65536 bytes. AIB_E_AGAIN: the call's window (256 KiB) is full and
   * nothing was taken; AIB_EV_WRITABLE follows. AIB_E_STALE: the call is over. [any][nb] */
  aib_status (*emit)(void *ctx, aib_id call, uint32_t kind, aib_span chunk);

  /* Ends a call, exactly once. With AIB_OK the span is the operation's result, JSON. With an error it is a JSON
   * object: "message" (no secrets), and where known "retryable" (boolean), "retry_after_ms", "status" (HTTP, where the
   * provider answered with an error and charges nothing; leave it out of the failure of an answer that began well),
   * "provider_request_id", "usage", "raw_usage" (the provider's own object), and "usage_is_final" (boolean: the answer
   * was complete and could not be used, so "usage" is all that will be charged). A second completion answers
   * AIB_E_STALE and is counted as misbehaviour. [any][nb] */
  aib_status (*complete)(void *ctx, aib_id call, aib_status status, aib_span result_or_error);
} aib_host;

#define AIB_SVC_LOG "aib.log/1"
#define AIB_SVC_HTTP "aib.http/1"
#define AIB_SVC_TIMER "aib.timer/1"
#define AIB_SVC_HMAC "aib.hmac/1"
#define AIB_SVC_BLOB "aib.blob/1"

enum { AIB_LOG_DEBUG = 1, AIB_LOG_INFO = 2, AIB_LOG_WARNING = 3, AIB_LOG_ERROR = 4 };

typedef struct aib_svc_log {
  uint32_t struct_size, reserved;
  /* Non-zero where a line of this level would be kept. [any][nb] */
  int32_t (*enabled)(void *ctx, int32_t level);
  /* Writes one line to the operator's log. call may be 0. fields_json may be empty or a flat JSON object of strings.
   * [any][nb] */
  void (*log)(void *ctx, aib_id call, int32_t level, aib_span message, aib_span fields_json);
} aib_svc_log;

/* Frozen. */
typedef struct aib_header {
  aib_span name, value;
} aib_header;

enum {
  AIB_HTTP_STREAM_BODY = 1u, /* the body follows through aib_svc_http.write; body and body_blob are empty */
  /* "{{secret:ID}}" in body is filled in too, as it stands inside a JSON string, where ID is of a secret that the
   * call's input carries ({"$secret":"ID"}); any other mark stays as it is. Not with body_blob or
   * AIB_HTTP_STREAM_BODY. */
  AIB_HTTP_FILL_BODY = 2u
};

typedef struct aib_http_req {
  uint32_t struct_size;
  uint32_t timeout_ms; /* of the whole transfer, capped by the call's deadline; 0: the deadline alone */
  aib_span method;
  aib_span url;       /* its host must match the manifest's egress, or its origin a base URL the operator configured */
  aib_span body;      /* at most one of body, body_blob, stream */
  aib_span body_blob; /* digest of a blob to send */
  /* "{{secret:NAME}}" in a value is filled in by the host after the egress check, for the secret's own hosts alone.
   * NAME is of a secret of the manifest, or the id of one that the call's input carries.
   * Content-Length is the host's: give it with a streamed body, whose length it announces (else it is chunked). */
  const aib_header *headers;
  uint64_t n_headers;
  uint64_t flags; /* AIB_HTTP_… */
} aib_http_req;

/* Answers come as events with the same user: one HEAD, any DATA, then END; or FAIL at any point, after which nothing
 * follows; DATA before it has arrived and counts. Redirects are not followed. The host queues at most 256 KiB of a
 * transfer that the plugin has not seen. Below that queue, kernel and HTTP client hold what was under way when the peer
 * was held back: of an HTTP/2 stream up to its window, 32 MiB. */
typedef struct aib_svc_http {
  uint32_t struct_size, reserved;
  /* The request is copied before this returns. A refusal (AIB_E_DENIED, AIB_E_INVALID, AIB_E_STALE, AIB_E_LIMIT) is
   * final and no event follows. [any][nb] */
  aib_status (*start)(void *ctx, aib_id call, const aib_http_req *request, uint64_t user, aib_id *out_http);
  /* Non-zero stops reading from the peer, zero goes on; DATA already queued still arrives. [any][nb] */
  aib_status (*pause)(void *ctx, aib_id http, int32_t paused);
  /* Hands over a piece of a streamed body. AIB_E_AGAIN: nothing was taken, AIB_EV_WRITABLE with this transfer's
   * handle follows. AIB_E_STALE: the transfer is over; why, its FAIL says or has said. [any][nb] */
  aib_status (*write)(void *ctx, aib_id http, aib_span piece);
  /* Ends a streamed body. [any][nb] */
  aib_status (*finish)(void *ctx, aib_id http);
  /* Ends the transfer. Called within a function that the host calls, no event of it begins after this returns. Called
   * on a thread of the plugin's own, one event may be entering on_event meanwhile: look its user up under a lock of
   * your own, and pass over what you no longer know. [any][nb] */
  aib_status (*abort)(void *ctx, aib_id http);
} aib_svc_http;

typedef struct aib_svc_timer {
  uint32_t struct_size, reserved;
  /* AIB_EV_TIMER arrives once, delay_ms from now or later. [any][nb] */
  aib_status (*start)(void *ctx, aib_id call, uint64_t delay_ms, uint64_t user, aib_id *out_timer);
  /* [any][nb] */
  aib_status (*cancel)(void *ctx, aib_id timer);
} aib_svc_timer;

typedef struct aib_svc_hmac {
  uint32_t struct_size, reserved;
  /* HMAC-SHA256 of data under the named secret. AIB_EV_HMAC carries the 32 bytes. AIB_E_DENIED where the secret is
   * unknown or not bound to this use. [any][nb] */
  aib_status (*sha256)(void *ctx, aib_id call, aib_span secret_name, aib_span data, uint64_t user);
} aib_svc_hmac;

typedef struct aib_svc_blob {
  uint32_t struct_size, reserved;
  /* Keeps bytes (at most 16 MiB) by content. AIB_EV_BLOB carries the digest: 64 lower-case hexadecimal digits.
   * [any][nb] */
  aib_status (*put)(void *ctx, aib_id call, aib_span bytes, uint64_t user);
  /* AIB_EV_BLOB carries the bytes from offset on, at most length of them; AIB_EV_FAIL where there is no such blob.
   * [any][nb] */
  aib_status (*get)(void *ctx, aib_id call, aib_span digest, uint64_t offset, uint64_t length, uint64_t user);
} aib_svc_blob;

/* ---------------------------------------------------------------- plugin side */

/* One call of one operation. Valid until start returns. */
typedef struct aib_call {
  uint32_t struct_size;
  uint32_t attempt; /* from 1 */
  aib_id call;
  aib_span operation;       /* "ai.generate" */
  aib_span input;           /* JSON */
  aib_span tenant;          /* opaque */
  aib_span trace;           /* the call's id in the host's ledger, a UUID: send it to the provider in a header */
  aib_span idempotency_key; /* the same over all attempts of one step */
  uint64_t deadline_unix_ms;
} aib_call;

enum {
  AIB_EV_HTTP_HEAD = 1, /* data: {"status":200,"version":"2","headers":[["name","value"],…]}, names in lower case */
  AIB_EV_HTTP_DATA = 2, /* data: bytes */
  AIB_EV_HTTP_END = 3,
  AIB_EV_HMAC = 6,
  AIB_EV_TIMER = 7,
  AIB_EV_BLOB = 8,
  AIB_EV_WRITABLE = 9, /* handle: the transfer, or 0 for the call's output window */
  AIB_EV_FAIL = 10     /* data: {"code":"timeout","message":"…","retryable":true}; code as in aib_status, lower case */
};

/* Valid until on_event returns. */
typedef struct aib_event {
  uint32_t struct_size, kind;
  uint64_t user;         /* as given to the service */
  aib_id call, handle;   /* handle: the transfer or timer, else 0 */
  aib_span data;
} aib_event;

#define AIB_IF_PROVIDER "aib.provider/1"

typedef struct aib_provider {
  uint32_t struct_size, reserved;
  /* Makes one instance. config is a JSON object, checked against the manifest's config_schema. Of the host's services
   * only log may be called. On AIB_OK *out_instance is the plugin's; it is passed back and never read. [serial] */
  aib_status (*create)(const aib_host *host, aib_span config, void **out_instance);
  /* After the last completion. Join threads; nothing of the instance may run afterwards. [serial] */
  void (*destroy)(void *instance);
  /* AIB_OK: accepted, complete follows exactly once, possibly before start returns. Anything else: refused, complete
   * must not be called. [serial][nb] */
  aib_status (*start)(void *instance, const aib_call *call);
  /* Asks for an early end; idempotent; complete is still due (AIB_E_CANCELLED). After 2 s the host ends the call
   * itself. [serial][nb] */
  void (*cancel)(void *instance, aib_id call);
  /* Where complete is called within a function that the host calls, none of the call's events begins after complete
   * returned, nor does cancel. Where it is called on a thread of the plugin's own, one on_event or cancel may be
   * entering meanwhile: look the call up under a lock of your own, and pass over one you no longer know.
   * [serial][nb] */
  void (*on_event)(void *instance, const aib_event *event);
  /* AIB_OK, or why calls would fail now. May be NULL. [serial][nb] */
  aib_status (*health)(void *instance);
} aib_provider;

/* What the one exported symbol leads to. The first 24 bytes never change. */
typedef struct aib_entry {
  uint32_t magic, struct_size;
  uint16_t abi_major, abi_minor, min_host_minor, ptr_bits;
  uint64_t flags;    /* none defined: 0 */
  aib_span manifest; /* JSON, static; the same bytes as the file plugin.json beside the library */
  /* The interface's table, static, or NULL where the plugin has no such interface. [any][nb] */
  const void *(*get_interface)(const char *interface_id);
} aib_entry;

/* The one exported symbol. Static storage, the same at each call; NULL refuses this host. Must not log, block or start
 * a thread. [any][nb] */
AIB_EXPORT const aib_entry *aib_plugin_entry(uint32_t host_major, uint32_t host_minor);

/* ---------------------------------------------------------------- layout */

#if defined(__cplusplus)
#define AIB_ASSERT(c) static_assert(c, #c)
#else
#define AIB_ASSERT(c) _Static_assert(c, #c)
#endif
AIB_ASSERT(sizeof(void *) == 8);
AIB_ASSERT(sizeof(aib_span) == 16 && offsetof(aib_span, len) == 8);
AIB_ASSERT(sizeof(aib_header) == 32);
AIB_ASSERT(offsetof(aib_entry, manifest) == 24 && sizeof(aib_entry) == 48);
AIB_ASSERT(offsetof(aib_host, get_service) == 16 && offsetof(aib_host, emit) == 24 && offsetof(aib_host, complete) == 32 && sizeof(aib_host) == 40);
AIB_ASSERT(offsetof(aib_call, call) == 8 && offsetof(aib_call, operation) == 16 && offsetof(aib_call, input) == 32 && offsetof(aib_call, deadline_unix_ms) == 96 && sizeof(aib_call) == 104);
AIB_ASSERT(offsetof(aib_event, user) == 8 && offsetof(aib_event, call) == 16 && offsetof(aib_event, data) == 32 && sizeof(aib_event) == 48);
AIB_ASSERT(offsetof(aib_http_req, method) == 8 && offsetof(aib_http_req, headers) == 72 && offsetof(aib_http_req, flags) == 88 && sizeof(aib_http_req) == 96);
AIB_ASSERT(offsetof(aib_provider, create) == 8 && offsetof(aib_provider, health) == 48 && sizeof(aib_provider) == 56);
AIB_ASSERT(sizeof(aib_svc_log) == 24 && sizeof(aib_svc_http) == 48 && sizeof(aib_svc_timer) == 24 && sizeof(aib_svc_hmac) == 16 && sizeof(aib_svc_blob) == 24);

#ifdef __cplusplus
}
#endif
#endif
