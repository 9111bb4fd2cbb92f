# What runs while the rows are measured: all of it on loopback, in $tmp, and ended by stop. Sourced by run.

servers=()
stop() {
  trap '' INT TERM
  # The last started goes first, and what was suspended has to wake up to end.
  for ((index = ${#servers[@]} - 1; index >= 0; index--)); do
    kill -TERM "${servers[index]}" 2>/dev/null && kill -CONT "${servers[index]}" 2>/dev/null || true
    wait "${servers[index]}" 2>/dev/null || true
  done
  rm -rf "$tmp"
}

# Waits until a command succeeds, for a minute at most and no longer than a server lives.
wait_for() { # PID COMMAND…
  local pid=$1 tries
  shift
  for ((tries = 0; tries < 600; tries++)); do
    "$@" >/dev/null 2>&1 && return
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

free_port() {
  "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_ours() {
  say "starting aibackend serve --sandbox with a private PostgreSQL"
  env -u DATABASE_URL "$bin/aibackend" serve --sandbox --port 0 --data-dir "$tmp/data" \
    >"$tmp/serve.out" 2>"$tmp/serve.err" &
  servers+=($!)
  wait_for $! grep -q 'api  *http' "$tmp/serve.out" || fail "the server did not start: $(tail -3 "$tmp/serve.err")"
  api=$(sed -n 's/^ *api  *//p' "$tmp/serve.out")
  socket=$tmp/data/postgres/socket
  export PGOPTIONS="-c client_min_messages=error" PGHOST=$socket PGUSER=aibackend PGDATABASE=bench
}

url() { echo "postgresql${2:-}://aibackend@/$1?host=$socket"; } # DATABASE [+DRIVER]

# One completed execution of the shipped template, and its path.
run_template() {
  local json='Content-Type: application/json' answer id
  answer=$(curl -sS "$api/v1/auth/register" -H "$json" -d '{"email":"bench@example.com"}')
  key=$(jq -re .api_key <<<"$answer") || fail "no account: $answer"
  answer=$(curl -sS "$api/v1/templates/market-brief/execute" -H "$json" -H "X-API-Key: $key" \
    -d '{"configuration":{"product_name":"Tidewatch","audience":"harbour masters"}}')
  id=$(jq -re .execution_id <<<"$answer") || fail "no execution: $answer; has scripts/build built the plugins?"
  execution=/v1/executions/$id
  has_completed() { get "$api" | jq -e '.status == "completed"'; }
  wait_for "${servers[0]}" has_completed || fail "the execution did not complete"
  mkdir -m 755 "$tmp/static"
  get "$api" >"$tmp/static/execution.json"
  chmod 644 "$tmp/static/execution.json"
}

get() { curl -sf "$1$execution" -H "X-API-Key: $key"; } # ORIGIN

start_upstream() {
  "$bin/aibackend-bench" upstream >"$tmp/upstream.out" 2>"$tmp/upstream.err" &
  servers+=($!)
  wait_for $! grep -q http "$tmp/upstream.out" || fail "the upstream did not start: $(tail -3 "$tmp/upstream.err")"
  upstream=$(cat "$tmp/upstream.out")
}

# A static file for the reads, and a proxy for the calls of models.
start_nginx() {
  local origin=${upstream%/anthropic}
  nginx_port=$(free_port)
  cat >"$tmp/nginx.conf" <<CONF
worker_processes 1;
pid $tmp/nginx.pid;
error_log $tmp/nginx.err;
events { worker_connections 256; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=16;
  default_type application/json;
  client_body_temp_path $tmp/body; proxy_temp_path $tmp/proxy; fastcgi_temp_path $tmp/fastcgi;
  uwsgi_temp_path $tmp/uwsgi; scgi_temp_path $tmp/scgi;
  upstream provider { server ${origin#http://}; keepalive 8; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:$nginx_port;
    location / { root $tmp/static; }
    location /anthropic/ {
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }
  }
}
CONF
  PATH=$PATH:/usr/sbin nginx -e "$tmp/nginx.err" -p "$tmp" -c "$tmp/nginx.conf" -g 'daemon off;' &
  servers+=($!)
  wait_for $! curl -sf "http://127.0.0.1:$nginx_port/execution.json" ||
    fail "nginx did not start: $(tail -3 "$tmp/nginx.err")"
}

# A peer that does not start costs its rows, not the run.
started() { # PEER OUTPUT URL   after the peer was started in the background
  local pid=$!
  servers+=("$pid")
  wait_for "$pid" curl -sf "$3" && return
  say "$1 did not start, and is not measured: $(tail -1 "$2")"
  unset "folder_of[$1]"
  return 1
}

start_fastapi() {
  has fastapi || return 0
  local port shown='{id, status, template_id, progress_percentage, completed_steps, result, cost_breakdown, total_cost}'
  fastapi=(env DATABASE_URL="$(url aibackend)" API_KEY_SALT="$(cat "$tmp/data/api_key_salt")"
    PYTHONPYCACHEPREFIX="$tmp/pycache" "${folder_of[fastapi]}/bin/uvicorn" main:app --app-dir benchmarks/peers/fastapi
    --host 127.0.0.1 --loop uvloop --http httptools --no-access-log --log-level warning)
  port=$(free_port)
  "${fastapi[@]}" --port "$port" --workers 2 >"$tmp/fastapi.out" 2>&1 &
  fastapi_origin=http://127.0.0.1:$port
  started fastapi "$tmp/fastapi.out" "$fastapi_origin/ready" || return 0
  [ "$(get "$fastapi_origin" | jq -S "$shown")" = "$(get "$api" | jq -S "$shown")" ] ||
    fail "FastAPI's answer is not ours: $(get "$fastapi_origin")"
  curl -so /dev/null -w '%{http_code}' "$fastapi_origin$execution" -H 'X-API-Key: unknown' | grep -q 401 ||
    fail "FastAPI's service lets an unknown key in"
}

# Suspended between its measurements: its background tasks shall cost the other rows nothing.
start_litellm() {
  has litellm || return 0
  litellm_key=sk-$(openssl rand -hex 16)
  cat >"$tmp/litellm.yaml" <<YAML
model_list:
  - model_name: claude-sonnet-5-5
    litellm_params: { model: anthropic/claude-sonnet-5-5, api_base: $upstream, api_key: bench }
litellm_settings: { telemetry: false }
YAML
  litellm=(env LITELLM_MASTER_KEY="$litellm_key" LITELLM_LOCAL_MODEL_COST_MAP=True
    "${folder_of[litellm]}/bin/litellm" --config "$tmp/litellm.yaml" --host 127.0.0.1 --telemetry False)
  litellm_port=$(free_port)
  "${litellm[@]}" --port "$litellm_port" >"$tmp/litellm.out" 2>&1 &
  litellm_pid=$!
  started litellm "$tmp/litellm.out" "http://127.0.0.1:$litellm_port/health/readiness" || return 0
  kill -STOP "$litellm_pid"
}
