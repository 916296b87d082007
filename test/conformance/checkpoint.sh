#!/bin/sh
# Checkpoints and restores containers with the flags that change what CRIU does, and prints what comes of it: for Galley and for runc that must
# be the same.
#
#   test/conformance/checkpoint.sh RUNTIME
#
# RUNTIME is a path or a name that is found in PATH. Needs root, a CRIU that works with this kernel (criu check), busybox-static and jq.
set -u

runtime=$(command -v "${1:?usage: test/conformance/checkpoint.sh RUNTIME}")
scratch=$(mktemp -d)
id=galley-checkpoint-$$
port=$((20000 + $$ % 10000))
runc() { "$runtime" --root "$scratch/state" "$@"; }
trap 'runc delete --force $id >/dev/null 2>&1; rm -rf --one-file-system "$scratch"' EXIT

said() { echo "status $?"; }
section() { echo "== $1"; }
# until_true WORDS...: a command that will succeed, within ten seconds.
until_true() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "in vain: $*"; }

# begin SCRIPT [JQ]: a bundle of busybox, whose process has no stream that lies outside of it, runs.
begin() {
  cd "$scratch" && rm -rf bundle images pre
  mkdir -p "$scratch/bundle/rootfs/bin" "$scratch/bundle/rootfs/root"
  cp "$(command -v busybox)" "$scratch/bundle/rootfs/bin/busybox"
  for name in sh cat sleep nc rm; do ln -s busybox "$scratch/bundle/rootfs/bin/$name"; done
  # busybox has none.
  cp --parents -L "$(command -v flock)" $(ldd "$(command -v flock)" | grep -o '/[^ ]*') "$scratch/bundle/rootfs"
  cd "$scratch/bundle" && runc spec || exit 1
  jq --arg script "$1" ".process.terminal = false | .root.readonly = false | .process.args = [\"sh\", \"-c\", \$script] | ${2:-.}" config.json > changed
  mv changed config.json
  runc run -d "$id" </dev/null >/dev/null 2>&1; said
  until_true test -e rootfs/ready
}
state() { runc state "$id" 2>/dev/null | jq -r .status; }
checkpoint() { runc checkpoint --image-path "$scratch/images" --work-path "$scratch/work" "$@" "$id" >"$scratch/said" 2>&1 </dev/null; said; }
restore() { runc restore -d --image-path "$scratch/images" --work-path "$scratch/work" "$@" "$id" >"$scratch/said" 2>&1 </dev/null; said; }
removed() { runc delete --force "$id"; said; }
# on: what was in the process's memory is written once it is asked for.
on() { touch rootfs/again; until_true test -s rootfs/second; cmp -s rootfs/first rootfs/second; said; }
remembers='secret=$(cat /proc/sys/kernel/random/uuid); echo $secret > /first; : > /ready; while ! [ -e /again ]; do sleep 0.05; done; echo $secret > /second; exec sleep 1000'

section 'modes for cgroups'
for mode in soft full strict ignore; do
  echo "$mode"; begin "$remembers"; checkpoint --manage-cgroups-mode $mode; restore --manage-cgroups-mode $mode; state; on; removed
done

section 'an empty network namespace, deduplication'
begin "$remembers"; checkpoint --empty-ns network; restore --empty-ns network --auto-dedup; on; removed
begin "$remembers"; checkpoint --empty-ns pid; state; removed

section 'memory in pieces'
begin "$remembers"
runc checkpoint --pre-dump --image-path "$scratch/pre" --work-path "$scratch/work" "$id" >/dev/null 2>&1; said; state
checkpoint --parent-path ../pre; [ -e "$scratch/images/parent" ]; said; restore; on; removed

section 'a page server'
begin "$remembers"
mkdir "$scratch/images"
criu page-server --images-dir "$scratch/images" --port $port >/dev/null 2>&1 </dev/null & server=$!
sleep 1; checkpoint --page-server "127.0.0.1:$port"; wait $server; said; restore; on; removed
begin "$remembers"; for bad in here :1 1.2.3.4: 127.0.0.1:x; do checkpoint --page-server "$bad"; done; state; removed

section 'file locks'
locked=': > /lock; exec /usr/bin/flock /lock sh -c ": > /ready; while :; do sleep 0.05; done"'
begin "$locked"; checkpoint; state; checkpoint --file-locks; restore --file-locks; state
runc exec "$id" /usr/bin/flock -n /lock sh -c :; said; removed

section 'open connections'
own='.linux.namespaces |= map(select(.type != "network"))'
talks="while :; do sleep 1; done | nc -l -p $port > /heard & sleep 0.5; (echo one; : > /ready; while ! [ -e /again ]; do sleep 0.05; done; echo two) | nc 127.0.0.1 $port & while :; do sleep 1; done"
begin "$talks" "$own"; until_true grep one rootfs/heard; checkpoint; removed
begin "$talks" "$own"; until_true grep one rootfs/heard; checkpoint --tcp-established; state; restore --tcp-established; state
touch rootfs/again; until_true grep two rootfs/heard; cat rootfs/heard; removed

section 'a socket of somebody else'
# A daemon of busybox keeps its connection to the log; the log's own daemon has this directory for its /dev.
mkdir "$scratch/dev"
unshare -m sh -c 'mount --bind "$1" /dev && exec "$2" syslogd -n -O /heard' sh "$scratch/dev" "$(command -v busybox)" >/dev/null 2>&1 </dev/null & logs=$!
until_true test -S "$scratch/dev/log"
logged="$own | .mounts += [{destination: \"/dev/log\", type: \"bind\", source: \"$scratch/dev/log\", options: [\"bind\"]}]"
daemon='mkdir /jobs; busybox crond -b -S -l 0 -c /jobs; sleep 1; : > /ready; while :; do sleep 1; done'
begin "$daemon" "$logged"; checkpoint; removed
begin "$daemon" "$logged"; checkpoint --ext-unix-sk; restore --ext-unix-sk; state; removed
kill $logs

section "a caller's terminal"
# of COMMAND: a shell with a terminal of its own runs it, and lives on.
of() { script -qc "$1; sleep 1000" /dev/null >/dev/null 2>&1 </dev/null & terminal=$!; }
waits=': > /ready; while ! [ -e /again ]; do sleep 0.05; done; : > /second; exec sleep 1000'
begin "$waits"; removed; rm rootfs/ready
of "$runtime --root '$scratch/state' run -d $id"
until_true test -e rootfs/ready
checkpoint; state; checkpoint --shell-job; state
kill $terminal
of "$runtime --root '$scratch/state' restore -d --shell-job --image-path '$scratch/images' --work-path '$scratch/work' $id >'$scratch/said' 2>&1; echo status \$? >'$scratch/status'"
until_true test -s "$scratch/status"; cat "$scratch/status"; state; runc delete --force "$id" 2>/dev/null
kill $terminal

section 'a file that is open and has no name'
begin 'exec 3> /gone; rm /gone; : > /ready; while ! [ -e /again ]; do sleep 0.05; done; exec sleep 1000'; checkpoint --link-remap; restore; state; removed

section 'labels'
begin "$remembers"; checkpoint; restore --lsm-mount-context nothing; restore --lsm-profile nosuch:profile; state; runc delete --force "$id" 2>/dev/null; restore; on; removed

section 'the process waits, and its caller with it'
begin "$remembers"; checkpoint --leave-running; state; removed
touch rootfs/again; sed -i 's/exec sleep 1000/exit 5/' config.json
runc restore --image-path "$scratch/images" --work-path "$scratch/work" --pid-file "$scratch/pid" "$id" >/dev/null 2>&1 </dev/null & waiting=$!
until_true test -s "$scratch/pid"; runc kill "$id" KILL; wait $waiting; said; state
