# From the samples of a run, given as an array, to its rows. What a row means is told in docs/benchmarks.md.

def times($factor): if . == null then null else . * $factor end;
# What a call takes beyond the direct one; none where noise hides it.
def beyond($direct): if . == null or $direct == null or . <= $direct then null else . - $direct end;
def ratio($least; $most): { figure: "ratio", $least, $most };
def ours($most): { figure: "ours", least: null, $most };

# The rows of one round, an object of its sides' figures.
def rows:
  def row($name; $unit; $goal; $ours; $peer_name; $peer): { $name, $peer_name, $unit, $goal, $ours, $peer };
  "durable steps, 10-step chains, 64 at once" as $steps
  | "one 10-step chain alone, from request to end, p50" as $whole
  | "GET /v1/executions/{id} with key check, 32 connections" as $read
  | "a model's call, streamed, through its plugin: added p50" as $call
  | "a model's call, streamed and metered durably: added p50" as $metered
  | "cold start to /ready, database up" as $cold
  | "resident memory, idle" as $memory
  | [
    row($steps; "1/s"; ratio(1.0; null); .steps_ours[0];
      "pgbench, one-row inserts, 8 clients"; .steps_pgbench[0]),
    row($steps; "1/s"; ratio(20; null); .steps_ours[0]; "DBOS, two processes"; .steps_dbos[0]),
    row("one 10-step chain alone, from claim to end, p50"; "ms"; ratio(null; 1.3); .chain_ours[0];
      "11 × pgbench, one client, p50"; .chain_pgbench[0] | times(11)),
    row($whole; "ms"; null; .chain_ours[1]; "13 × pgbench, one client, p50"; .chain_pgbench[0] | times(13)),
    row($whole; "ms"; null; .chain_ours[1]; "DBOS, one workflow of ten steps, p50"; .chain_dbos[0]),
    row($read; "1/s"; ratio(6; null); .read_ours[0];
      "FastAPI + asyncpg + pydantic, 2 workers"; .read_fastapi[0]),
    row($read; "1/s"; ratio(0.3; null); .read_ours[0];
      "nginx, a static file of the same size, 1 worker"; .read_nginx[0]),
    (.model_direct[0] as $direct
      | (.model_nginx[0] | beyond($direct)) as $nginx
      | (.model_litellm[0] | beyond($direct)) as $litellm
      | (.model_ours[0] | beyond($direct)) as $through
      | (.model_ours[1] | beyond($direct)) as $whole
      | row($call; "µs"; null; $through; "nginx as a proxy, unbuffered"; $nginx),
        row($metered; "µs"; ratio(null; 3); $whole; "nginx as a proxy, unbuffered"; $nginx),
        row($metered; "µs"; null; $whole; "nginx as a proxy, and 2 × pgbench, one client, p50";
          if $nginx == null or .chain_pgbench[0] == null then null else $nginx + 2000 * .chain_pgbench[0] end),
        row($metered; "µs"; null; $whole; "LiteLLM's proxy, without a database"; $litellm)),
    row("plugin call, one at a time"; "µs"; null; .plugin_ours[0] | times(0.001);
      "the same C code on a woken thread, in C"; .plugin_c[0] | times(0.001)),
    row("plugin calls, 64 at once"; "1/s"; null; 1e9 / .plugins_ours[0];
      "the same C code called in a loop, one thread"; 1e9 / .plugins_c[0]),
    row($cold; "ms"; ours(300); .cold_ours[0]; "the FastAPI service, one worker"; .cold_fastapi[0]),
    row($cold; "ms"; ours(300); .cold_ours[0]; "DBOS"; .cold_dbos[0]),
    row($cold; "ms"; ours(300); .cold_ours[0]; "LiteLLM's proxy, without a database"; .cold_litellm[0]),
    row($cold; "ms"; ours(300); .cold_ours[0]; "Prefect's server"; .cold_prefect[0]),
    row($memory; "MiB"; ours(60); .cold_ours[1]; "the FastAPI service, one worker"; .cold_fastapi[1]),
    row($memory; "MiB"; ours(60); .cold_ours[1]; "DBOS"; .cold_dbos[1]),
    row($memory; "MiB"; ours(60); .cold_ours[1]; "LiteLLM's proxy, without a database"; .cold_litellm[1]),
    row($memory; "MiB"; ours(60); .cold_ours[1]; "Prefect's server"; .cold_prefect[1])
  ];

def median:
  sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def digits:
  if . == null then null elif . >= 1000 then round
  elif . >= 10 then . * 10 | round / 10 else . * 1000 | round / 1000 end;
def spread: if length == 0 then null else [(min | digits), (max | digits)] end;

# One row of all rounds. A round counts where both sides were measured.
def summary:
  [.[] | select(.ours != null and .peer != null) | .ours / .peer] as $ratios
  | [.[].ours | values] as $ours
  | [.[].peer | values] as $peer
  | .[0] | { name, peer_name, unit, ours: ($ours | median | digits), peer: ($peer | median | digits),
      ratio: ($ratios | median | digits), spread: ($ratios | spread), ours_spread: ($ours | spread),
      peer_spread: ($peer | spread), rounds: ($ratios | length), goal }
  | .met = (.goal as $goal | if $goal == null or .[$goal.figure] == null then null
      else .[$goal.figure] as $figure | $figure >= ($goal.least // $figure) and $figure <= ($goal.most // $figure) end)
  | .goal |= if . == null then null
      else (if .figure == "ours" then "ours " else "" end)
        + if .least != null then ">= \(.least)" else "<= \(.most)" end end;

def results:
  map(select(.round > 0)) | group_by(.round) | map(map({ key: .side, value: .figures }) | from_entries)
  | map(rows) | transpose | map(summary);

def cell: if . == null then "" else tostring end;
def table:
  "| measured | ours | beside | peer | unit | ratio | min–max | goal | |",
  "|---|--:|---|--:|---|--:|---|---|---|",
  (.[] | "| \(.name) | \(.ours | cell) | \(.peer_name) | \(.peer // "not measured") | \(.unit) "
    + "| \(if .ratio == null then "" else "**\(.ratio)**" end) "
    + "| \(.spread | if . == null then "" else join("–") end) "
    + "| \(.goal | cell | sub(">="; "≥") | sub("<="; "≤")) "
    + "| \(.met | if . == null then "" elif . then "met" else "missed" end) |");
