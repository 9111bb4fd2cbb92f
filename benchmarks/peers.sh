# The peers that are Python programs: each in a virtual environment of its own below a cache, made once. Sourced by run.
#
#   PYTHON  what makes the environments (default: Debian's /usr/bin/python3, or the python3 on PATH)
#   PEERS   which to install (default: all four); rows beside another are not measured

peers=${PEERS-"fastapi dbos litellm prefect"}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/aibackend-bench
python=${PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=$(command -v python3)
declare -A folder_of=()                # of the peers that are there

has() { [ -n "${folder_of[$1]:-}" ]; }

install_peers() {
  local peer
  mkdir -p "$cache"
  exec {lock}>"$cache/lock"
  flock "$lock"                        # another run may be installing the same
  for peer in $peers; do install_peer "$peer"; done
  exec {lock}>&-
}

# A folder is named for what is in it, so that a changed list or interpreter makes a new one; `complete` is the last
# thing written, so that an install which was cut short is made anew.
install_peer() { # PEER
  local list=benchmarks/peers/$1/requirements.txt folder version old
  [ -e "$list" ] || fail "$list is missing; PEERS may name: $(cd benchmarks/peers && echo *)"
  version=$({ cat "$list"; "$python" --version; } | sha256sum | cut -c1-12)
  folder=$cache/$1-$version
  if [ ! -e "$folder/complete" ]; then
    say "installing $(sed -n "s/^\($1==[^ ]*\).*/\1/p" "$list") and what it needs into $folder"
    for old in "$cache/$1"-*; do rm -rf "$old"; done
    if ! { "$python" -m venv "$folder" &&
      "$folder/bin/pip" install --quiet --no-input --disable-pip-version-check --retries 2 \
        --require-hashes --only-binary :all: -r "$list"; } >"$tmp/pip.out" 2>&1; then
      tail -3 "$tmp/pip.out" >&2
      say "$1 could not be installed (is PyPI reachable?): rows beside it will say \"not measured\""
      rm -rf "$folder"
      return
    fi
    touch "$folder/complete"
  fi
  folder_of[$1]=$folder
}
