# shellcheck shell=bash disable=SC2034
# What the scripts in bench/ share; sourced by them. Sets: root, out (results and logs), server_cpu, load_cpu, quick.
# A script that needs more than its name and --quick parses its own arguments.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=$root/target/bench server_cpu=0 load_cpu=1 quick=''
mkdir -p "$out"

fail() { printf '%s: %s\n' "bench/$(basename "$0")" "$*" >&2; exit 1; }

# parse_quick "$@": the only option most of these scripts have.
parse_quick() {
  local argument
  for argument in "$@"; do
    case $argument in
      --quick) quick=yes ;;
      *) printf 'bench/%s: unknown option %s (expected --quick or nothing)\n' "$(basename "$0")" "$argument" >&2; exit 2 ;;
    esac
  done
}

# two_cores: the server runs on one, what loads it on the other; with one core no figure means anything.
two_cores() {
  local cores
  cores=$(nproc)
  ((cores >= 2)) || fail "cores: $cores (expected at least 2: one for the server, one for the load)"
}

# Everything that a script started ends with it.
children=() folders=()
end_children() {
  local child
  for child in ${children[@]+"${children[@]}"}; do kill "$child" 2>/dev/null || true; done
  for child in ${children[@]+"${children[@]}"}; do wait "$child" 2>/dev/null || true; done
  if ((${#folders[@]})); then rm -rf "${folders[@]}"; fi
}
trap end_children EXIT
trap 'exit 130' INT TERM

# temporary_folder NAME: sets the variable NAME to a new folder that is deleted at the end.
temporary_folder() {
  local made
  made=$(mktemp -d "${TMPDIR:-/tmp}/beckon-bench.XXXXXX")
  folders+=("$made")
  printf -v "$1" %s "$made"
}

# start LOG CMD…: starts it in the background; its process ID is in $started, its output in the file.
start() {
  local log=$1
  shift
  : >"$log"
  "$@" >"$log" 2>&1 </dev/null &
  started=$!
  children+=("$started")
}

# stop PID [SIGNAL]: ends what start started, and waits for it.
stop() {
  local child kept=()
  kill "-${2:-TERM}" "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  for child in ${children[@]+"${children[@]}"}; do [[ $child == "$1" ]] || kept+=("$child"); done
  children=(${kept[@]+"${kept[@]}"})
}

# wait_for PATTERN LOG PID SECONDS: until the log has a line with the pattern; prints that line.
wait_for() {
  local i
  for ((i = 0; i < $4 * 20; i++)); do
    if grep -m1 -e "$1" "$2"; then return; fi
    kill -0 "$3" 2>/dev/null || break
    sleep 0.05
  done
  tail -n 20 "$2" >&2
  fail "no '$1' within $4 s (its output: $2)"
}

# cpu_millis PID: CPU time that a process has used, all of its threads.
cpu_millis() {
  local hertz line
  hertz=$(getconf CLK_TCK)
  line=$(<"/proc/$1/stat")
  # The program's name, in brackets, may hold blanks.
  # shellcheck disable=SC2086
  set -- ${line##*) }
  echo $(((${12} + ${13}) * 1000 / hertz))
}

# resident_kb PID: memory that is the process's alone, and its part of what it shares.
resident_kb() { awk '$1 == "Pss:" { print $2 }' "/proc/$1/smaps_rollup"; }

# median NUMBER…
median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# ratio A B: A / B with two digits; - if B is nothing.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f\n", a / b; else print "-" }'; }

# field NAME: of a flat JSON object on standard input; nothing if it is not there.
field() { python3 -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$1"; }

# write_json FILE KEY=VALUE…: a flat object; numbers as numbers.
write_json() {
  python3 - "$@" <<'PYTHON'
import json, sys
def value(text):
    try:
        number = float(text)
        return int(number) if number.is_integer() and "e" not in text.lower() else number
    except ValueError:
        return text
pairs = dict(argument.split("=", 1) for argument in sys.argv[2:])
with open(sys.argv[1], "w") as file:
    json.dump({key: value(text) for key, text in pairs.items() if text != ""}, file, indent=2)
    file.write("\n")
PYTHON
}

# packages NAME…: installs Debian packages where that is allowed; their services are not started.
packages() {
  command -v dpkg-query >/dev/null || return 0
  local name missing=() policy=/usr/sbin/policy-rc.d own_policy=''
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null) == *' installed' ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    fail "missing: ${missing[*]} (to install: sudo apt-get install ${missing[*]})"
  fi
  echo "installing: ${missing[*]}" >&2
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && own_policy=yes
  fi
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
  { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
    >"$out/apt.log" 2>&1 </dev/null || echo "apt-get failed (see $out/apt.log)" >&2
  if [[ $own_policy ]]; then rm -f "$policy"; fi
  for name in "${missing[@]}"; do
    [[ $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null) == *' installed' ]] || fail "$name could not be installed (see $out/apt.log)"
  done
}

# build_java: the programs of module bench, if their sources are newer; sets java and bench_jars.
build_java() {
  local jdk stamp=$root/target/bench/java-built
  jdk=$("$root/beckon" --find-jdk 25 999)
  [[ $jdk ]] || fail "no JDK 25 or newer found (looked in JAVA_HOME, PATH and the usual folders)"
  java=$jdk/bin/java bench_jars=$root/bench/target/dist-build/lib
  exec 9>"$root/target/dist.lock"
  flock 9 # the launcher builds in the same folders
  if [[ ! -f $stamp || $(find "$root/pom.xml" "$root"/{protocol,device,agent,server,lab,bench}/{pom.xml,src/main} \
    -newer "$stamp" -print -quit 2>/dev/null) ]]; then
    echo "building the programs of module bench …" >&2
    touch "$stamp.next"
    (cd "$root" && JAVA_HOME=$jdk mvn -q -B -Ddist -Dbuild.folder=target/dist-build -Dmaven.test.skip=true \
      '-Dsdk.test.range=[25,)' -pl bench -am package) >"$out/build.log" 2>&1 9>&- || fail "the build failed (see $out/build.log)"
    mv "$stamp.next" "$stamp"
  fi
  exec 9>&-
}

# machine: one line about what the figures were measured on.
machine() {
  local model
  model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  printf '%s, %s cores, %s MB; Linux %s; %s; load %s before the start\n' "${model:-$(uname -m)}" "$(nproc)" \
    "$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)" "$(uname -r)" \
    "$("$("$root/beckon" --find-jdk 25 999)/bin/java" -version 2>&1 | sed -n 's/.*Runtime Environment //p;' | head -n 1)" \
    "$(cut -d' ' -f1 /proc/loadavg)"
}
