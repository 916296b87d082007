#!/bin/sh
# Drives a runtime through containerd and its shim for runc, and prints what comes of it: for Galley and for runc that must be the same.
#
#   test/conformance/containerd.sh 'ctr --address SOCKET --namespace NAME' RUNTIME IMAGE
#
# The first argument is ctr, the second the runtime's path or name, the third a busybox image that containerd has. Needs root and script(1).
set -u

usage='usage: test/conformance/containerd.sh CTR RUNTIME IMAGE'
ctr=${1:?$usage}
runtime=${2:?$usage}
image=${3:?$usage}
name=galley-conformance

said() { echo "status $?"; }
section() { echo "== $1"; }
run() { $ctr run --runc-binary "$runtime" "$@"; }
once() { run --rm "$@"; said; }
started() { run -d "$@"; said; }
status() { $ctr task ls | tr -s ' ' | sed -n "s/^$name [0-9]* //p"; }
until_true() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "in vain: $*"; }
is() { [ "$(status)" = "$1" ]; }
removed() { $ctr task delete -f "$name" >/dev/null 2>&1; said; $ctr container rm "$name"; said; }
# ctr says so where a process has ended before it could be told the size of the terminal.
on_terminal() { script -qec "$*" /dev/null < /dev/null | tr -d '\r\b\0' | sed 's/\^[@D]//g' | grep -v -e 'resize pty' -e '^$'; }

section 'output and exit status'
once "$image" "$name" echo hello
once "$image" "$name" sh -c 'echo out; echo err >&2; exit 7' 2>/dev/null
once "$image" "$name" sh -c 'echo out; echo err >&2; exit 7' 2>&1 >/dev/null
# ctr leaves the container's standard input open.
echo input | once "$image" "$name" head -n 1
once "$image" "$name" nosuchcommand 2>&1 | sed -n -e 's/.*\(exec: .*not found in [$]PATH\).*/\1/p' -e '/status/p'
$ctr container ls -q | grep -c "$name"
on_terminal "$ctr run --runc-binary $runtime -t --rm $image $name sh -c 'tty; sleep 0.2; exit 3'"

section 'what a container is given'
once --memory-limit 20971520 "$image" "$name" sh -c 'exec tail /dev/zero'
once --env A=b --cwd /tmp "$image" "$name" sh -c 'echo $A; pwd'
once --privileged "$image" "$name" grep -E '^(CapEff|Seccomp:)' /proc/self/status
once --seccomp "$image" "$name" grep -E '^(CapEff|Seccomp:|NoNewPrivs)' /proc/self/status
once --net-host --env "net=$(readlink /proc/self/ns/net)" "$image" "$name" sh -c '[ "$(readlink /proc/self/ns/net)" = "$net" ]'
once --read-only --mount type=bind,src=/proc/self,dst=/mnt,options=rbind:ro "$image" "$name" sh -c 'touch /file || ls -d /mnt/status' 2>/dev/null
once --cap-add CAP_NET_ADMIN --cap-drop CAP_CHOWN "$image" "$name" grep CapBnd /proc/self/status
once --device /dev/null "$image" "$name" sh -c 'stat -c "%t %T" /dev/null; ls /dev | sort | tr "\n" " "'

section 'a life'
# ctr may leave before it has copied what an exec wrote last, so each stays for a moment.
started "$image" "$name" sleep 1000
status
$ctr task exec --exec-id one "$name" sh -c 'echo inside; echo err >&2; sleep 0.2; exit 3' 2>/dev/null; said
echo input | $ctr task exec --exec-id two "$name" sh -c 'head -n 1; sleep 0.2'; said
$ctr task exec --exec-id three --cwd /tmp --user 5:6 "$name" sh -c 'pwd; id -u; sleep 0.2'; said
on_terminal "$ctr task exec --exec-id four -t $name sh -c 'tty; sleep 0.2; exit 5'"
$ctr task exec --exec-id five "$name" nosuchcommand 2>&1 | grep -c nosuchcommand
$ctr task exec --exec-id six -d "$name" sleep 2000; said
$ctr task ps "$name" | grep -vc PID
$ctr task pause "$name"; said; status
$ctr task resume "$name"; said; status
$ctr task metrics "$name" | grep -o -E 'pids.current|memory.usage_in_bytes|cpuacct.usage |memory.usage ' | sort -u
$ctr task kill -s USR1 --exec-id six "$name"; said
$ctr task kill -s HUP "$name"; said
# The first of a pid namespace has no handler, so the signal is not for it.
status
$ctr task kill -s KILL "$name"; until_true is STOPPED; status
$ctr task delete "$name" >/dev/null 2>&1; said
$ctr container rm "$name"; said
started "$image" "$name" sh -c 'trap "exit 9" TERM; touch /ready; while :; do sleep 0.1; done'
ready() { $ctr task exec --exec-id "ready-$(date +%N)" "$name" test -e /ready; }
until_true ready
$ctr task kill "$name"; until_true is STOPPED; $ctr task delete "$name" 2>/dev/null; said; $ctr container rm "$name"; said
started "$image" "$name" sh -c 'exec sleep 1000'; removed
$ctr task ls -q; $ctr container ls -q
