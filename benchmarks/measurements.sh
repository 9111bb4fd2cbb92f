# The measurements. A side is a function that prints one figure or several; sides of one group run one right after the
# other. What the figures mean beside each other is in results.jq. Sourced by run.

groups=(
  "steps_ours steps_pgbench steps_dbos"
  "chain_ours chain_pgbench chain_dbos"
  "read_ours read_nginx read_fastapi"
  "model_ours model_direct model_nginx model_litellm"
  "plugin_ours plugin_c"
  "plugins_ours plugins_c"
  "cold_ours cold_fastapi cold_dbos cold_litellm cold_prefect"
)

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

# ---------------------------------------------------------------- durable steps a second
pgbench_insert() { pgbench -n -M prepared -f "$tmp/insert.sql" "$@" 2>>"$tmp/pgbench.err"; }
dbos() { "${folder_of[dbos]}/bin/python" benchmarks/peers/dbos/chains.py "$(url dbos +psycopg)" "$@"; }

steps_ours() { "$bin/aibackend-bench" steps --url "$(url bench)" --executions 2000; }
steps_pgbench() { pgbench_insert -c 8 -j 2 -T 3 | sed -n 's/^tps = \([0-9.]*\).*/\1/p'; }
steps_dbos() { dbos throughput 240; }

# ---------------------------------------------------------------- one chain alone: milliseconds
# Two figures of one run: from claim to end, and from request to end.
chain_ours() { "$bin/aibackend-bench" lone-chain --url "$(url bench)" | awk '{ print $1 / 1000, $2 / 1000 }'; }
chain_pgbench() {
  (cd "$tmp" && rm -f one.* && pgbench_insert -c 1 -j 1 -T 3 -l --log-prefix=one >/dev/null)
  cut -d' ' -f3 "$tmp"/one.* | median | awk '{ print $1 / 1000 }'
}
chain_dbos() { dbos alone 40; }

# ---------------------------------------------------------------- GET /v1/executions/{id}: requests a second
requests() { # ORIGIN [PATH]
  local answer
  answer=$(wrk -t1 -c32 -d"${seconds:-3}s" -H "X-API-Key: $key" "$1${2:-$execution}")
  case $answer in *"Non-2xx"* | *"Socket errors"*) fail "wrk on $1: $answer" ;; esac
  awk '/^Requests\/sec/ { print $2 }' <<<"$answer"
}
read_ours() { requests "$api"; }
read_nginx() { requests "http://127.0.0.1:$nginx_port" /execution.json; }
read_fastapi() { requests "$fastapi_origin"; }

# ---------------------------------------------------------------- one call of a model, streamed: microseconds
# Two figures: the call through the plugin, and the whole metered call.
model_ours() {
  "$bin/aibackend-bench" metered-calls --url "$(url bench)" --library "$bin/libClaude.so" --upstream "$upstream"
}
model() { "$tmp/upstream_call" "$1/v1/messages" "$2" benchmarks/peers/request.json "$3"; } # BASE KEY CALLS
model_direct() { model "$upstream" bench 400; }
model_nginx() { model "http://127.0.0.1:$nginx_port/anthropic" bench 400; }
model_litellm() {
  local status=0
  kill -CONT "$litellm_pid"
  model "http://127.0.0.1:$litellm_port" "$litellm_key" 150 || status=$?
  kill -STOP "$litellm_pid"
  return "$status"
}

# ---------------------------------------------------------------- plugin calls: nanoseconds
plugin_calls() { "$bin/aibackend-bench" plugin-calls --library "$tmp/echo.so" --concurrency "$1"; }
plugin_ours() { plugin_calls 1; }
plugin_c() { "$tmp/direct_call" "$tmp/echo.so" handoff 200000; }
plugins_ours() { plugin_calls 64; }
plugins_c() { "$tmp/direct_call" "$tmp/echo.so" direct 2000000; }

# ---------------------------------------------------------------- cold start: milliseconds, and MiB when idle
cold() { # PORT PATH COMMAND…
  "$python" benchmarks/cold_start.py --url "http://127.0.0.1:$1$2" -- "${@:3}" 2>>"$tmp/cold.err"
}
cold_ours() {
  local port salt
  port=$(free_port) salt=$(cat "$tmp/data/api_key_salt")
  cold "$port" /ready env DATABASE_URL="$(url cold)" API_KEY_SALT="$salt" \
    ENCRYPTION_KEY="$(cat "$tmp/data/encryption_key")" ANTHROPIC_API_KEY="$salt" OPENAI_API_KEY="$salt" \
    RAILWAY_TOKEN="$salt" "$bin/aibackend" serve --port "$port" --data-dir "$tmp/cold"
}
cold_fastapi() {
  local port
  port=$(free_port)
  cold "$port" /ready "${fastapi[@]}" --port "$port"
}
cold_dbos() {
  "$python" benchmarks/cold_start.py --line ready -- \
    "${folder_of[dbos]}/bin/python" benchmarks/peers/dbos/chains.py "$(url dbos +psycopg)" idle 2>>"$tmp/cold.err"
}
cold_litellm() {
  local port
  port=$(free_port)
  cold "$port" /health/readiness "${litellm[@]}" --port "$port"
}
cold_prefect() {
  local port
  port=$(free_port)
  cold "$port" /api/ready env PREFECT_HOME="$tmp/prefect" PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1 \
    PREFECT_API_DATABASE_CONNECTION_URL="$(url prefect +asyncpg)" \
    "${folder_of[prefect]}/bin/prefect" server start --no-ui --host 127.0.0.1 --port "$port"
}

# ---------------------------------------------------------------- rounds
# Appends {"round", "side", "figures"} to the samples. A peer from PyPI that is not there has none, and one that fails
# is told of and left out; anything else that fails ends the run.
measure() { # ROUND SIDE
  local figures peer=${2#*_} status=0 figure='[0-9.]*[1-9][0-9.]*'
  case $peer in fastapi | dbos | litellm | prefect) has "$peer" || return 0 ;; esac
  figures=$("$2") || status=$?
  if ((status)) || ! [[ $figures =~ ^$figure(\ $figure)*$ ]]; then
    if ((status > 128)); then exit "$status"; fi
    has "$peer" || fail "$2 failed: ${figures:-no figure}"
    say "$2 failed, and is not measured in this round: ${figures:-no figure}"
    return
  fi
  jq -nc --argjson round "$1" --arg side "$2" --arg figures "$figures" \
    '{ $round, $side, figures: ($figures | split(" ") | map(tonumber)) }' >>"$tmp/samples"
}

measure_group() { # ROUND SIDE…
  local round=$1 sides=("${@:2}") index
  say "round $round of $rounds: ${sides[0]%_*}"
  if ((round % 2)); then
    for index in "${!sides[@]}"; do measure "$round" "${sides[index]}" </dev/null; done
  else
    for ((index = ${#sides[@]} - 1; index >= 0; index--)); do measure "$round" "${sides[index]}" </dev/null; done
  fi
}

# A database of the same age for every round and both sides, with statistics, as one in use has them. DBOS makes its
# own when it starts.
fresh_databases() {
  psql -qX -d aibackend -c "DROP DATABASE IF EXISTS bench" -c "CREATE DATABASE bench" -c "DROP DATABASE IF EXISTS dbos"
  psql -qX -c "CREATE TABLE peer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value integer NOT NULL)"
  "$bin/aibackend-bench" steps --url "$(url bench)" --executions 200 >/dev/null
  pgbench_insert -c 8 -j 2 -t 250 >/dev/null
  psql -qX -c ANALYZE
}

# What only happens once: schemas are made, byte code is written, connections are opened.
warm_up() {
  local side seconds=1
  psql -qX -d aibackend -c "CREATE DATABASE cold" -c "CREATE DATABASE prefect"
  cat >"$tmp/insert.sql" <<'SQL'
\set value random(1, 1000000000)
INSERT INTO peer (value) VALUES (:value);
SQL
  say "warming up"
  fresh_databases
  for side in cold_ours cold_fastapi cold_dbos cold_litellm cold_prefect read_ours read_nginx read_fastapi; do
    measure 0 "$side" </dev/null
  done
}
