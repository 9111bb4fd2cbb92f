/* libcurl as Swift can call it. Its option functions are variadic, which Swift does not import: each argument type
 * that Outbound uses has a static inline function here. Glibc's Swift module lacks epoll, eventfd and prctl. */
#ifndef AIB_CLIBCURL_SHIM_H
#define AIB_CLIBCURL_SHIM_H

/* The type-checking macros want a constant option. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static inline CURLcode aib_curl_easy_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode aib_curl_easy_set_offset(CURL *easy, CURLoption option, int64_t value) {
  return curl_easy_setopt(easy, option, (curl_off_t)value);
}

static inline CURLcode aib_curl_easy_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode aib_curl_easy_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

/* The shape that libcurl's header, write and read callbacks share. */
typedef size_t (*aib_curl_data_callback)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode aib_curl_easy_set_callback(CURL *easy, CURLoption option, aib_curl_data_callback callback) {
  return curl_easy_setopt(easy, option, callback);
}

static inline CURLcode aib_curl_easy_set_prerequest(CURL *easy, curl_prereq_callback callback, void *context) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PREREQDATA, context);
  return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback) : code;
}

/* libcurl 7.88 opens sockets that processes started later would inherit, and so keep open. */
static inline curl_socket_t aib_curl_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)context;
  (void)purpose;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static inline CURLcode aib_curl_easy_set_close_on_exec(CURL *easy) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, aib_curl_open_socket);
}

/* The callback opens the socket with aib_curl_open_socket, or answers CURL_SOCKET_BAD: libcurl then tries the next
 * address of the host. */
static inline CURLcode aib_curl_easy_set_open_socket(CURL *easy, curl_opensocket_callback callback, void *context) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, context);
  return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback) : code;
}

/* The bytes of the IP address a socket is wanted for, count of them in network order; NULL for any other family. */
static inline const uint8_t *aib_curl_address(const struct curl_sockaddr *address, size_t *count) {
  /* libcurl keeps more room behind addr than its type says. */
  const void *socket_address = &address->addr;
  switch (address->family) {
  case AF_INET: *count = 4; return (const uint8_t *)&((const struct sockaddr_in *)socket_address)->sin_addr;
  case AF_INET6: *count = 16; return (const uint8_t *)&((const struct sockaddr_in6 *)socket_address)->sin6_addr;
  default: *count = 0; return NULL;
  }
}

static inline CURLcode aib_curl_easy_get_offset(CURL *easy, CURLINFO info, int64_t *value) {
  curl_off_t offset = 0;
  CURLcode code = curl_easy_getinfo(easy, info, &offset);
  *value = offset;
  return code;
}

static inline CURLcode aib_curl_easy_get_pointer(CURL *easy, CURLINFO info, void **value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode aib_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode aib_curl_multi_set_socket_callback(CURLM *multi, curl_socket_callback callback, void *context) {
  CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
  return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback) : code;
}

static inline CURLMcode aib_curl_multi_set_timer_callback(CURLM *multi, curl_multi_timer_callback callback,
                                                          void *context) {
  CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
  return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback) : code;
}

/* Macros with casts and initialisers that Swift does not import. */
static inline long aib_curl_global_all(void) { return CURL_GLOBAL_ALL; }
static const size_t aib_curl_read_pause = CURL_READFUNC_PAUSE;
static const size_t aib_curl_read_abort = CURL_READFUNC_ABORT;
static const size_t aib_curl_write_pause = CURL_WRITEFUNC_PAUSE;
static const size_t aib_curl_write_error = CURL_WRITEFUNC_ERROR;

static inline curl_version_info_data *aib_curl_version(void) { return curl_version_info(CURLVERSION_NOW); }

#endif
