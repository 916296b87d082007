#!/bin/sh
# Drives a runtime through a manager with docker's commands, and prints what comes of it: for Galley and for runc that must be the same.
#
#   test/conformance/manager.sh docker 'docker run --runtime galley' IMAGE
#   test/conformance/manager.sh 'podman --runtime PATH --cgroup-manager cgroupfs' 'podman --runtime PATH --cgroup-manager cgroupfs run' IMAGE
#
# The first argument is the manager, the second how it runs a container with the runtime, the third a busybox image that it has.
# dockerd knows a runtime by its name: dockerd --add-runtime galley=/path/galley-runtime. Needs root. Nothing is printed that differs from
# one run to the next: no IDs, process numbers or times. No network is needed. NAME is the name of its containers.
set -u

usage='usage: test/conformance/manager.sh MANAGER RUN IMAGE'
manager=${1:?$usage}
how=${2:?$usage}
image=${3:?$usage}
name=${NAME:-galley-conformance}
scratch=$(mktemp -d)
trap '$manager rm -f "$name" >/dev/null 2>&1; rm -rf "$scratch"' EXIT

case $($manager --version) in podman*) kind=podman ;; *) kind=docker ;; esac
said() { echo "status $?"; }
section() { echo "== $1"; }
run() { $how --network none "$@"; }
once() { run --rm "$@"; said; }
# What the manager itself says differs in words that are not the runtime's.
refused() { run --rm "$@" >/dev/null 2>"$scratch/refused"; said; sed -n 's/.*\(exec: "[^:]*:\).*/\1/p' "$scratch/refused" | head -n 1; }
started() { run -d --name "$name" --stop-timeout 1 "$@" >/dev/null; said; }
status() { $manager inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$name"; }
removed() { $manager rm -f "$name" >/dev/null; said; }
# until WORDS...: a command that will succeed, within ten seconds.
until_true() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "in vain: $*"; }
logged() { $manager logs "$name" 2>&1 | grep -q "$1"; }
is() { [ "$($manager inspect -f '{{.State.Status}}' "$name")" = "$1" ]; }

$manager rm -f "$name" >/dev/null 2>&1

section 'output and exit status'
once "$image" echo hello
once "$image" sh -c 'echo out; echo err >&2; exit 7' 2>/dev/null
run --rm "$image" sh -c 'echo out; echo err >&2' 2>&1 >/dev/null
echo input | once -i --entrypoint /bin/cat "$image" -
once "$image" sh -c 'sh -c "kill -KILL \$\$"'

section 'errors'
refused "$image" nosuchcommand
refused "$image" /etc
refused "$image" /no/such/file
refused --workdir /etc/passwd "$image" true
refused --user nosuchuser "$image" true
refused --device /dev/nosuch "$image" true

section 'terminals'
once -t "$image" sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && test -c /dev/console && stat -c %t /dev/console'

section 'users and places'
once --user 1:1 --read-only --cap-drop all "$image" sh -c 'exec 2>&1; id -u; grep Cap /proc/self/status; touch /file'
once --user daemon --group-add 77 "$image" sh -c 'echo "$(id -u):$(id -g) $(id -G)"'
once --user 12345 --hostname box --workdir /tmp --env A=b --env C "$image" sh -c 'id -u; hostname; pwd; echo "$A-${C:-none}-$HOME-$PATH"'
once --init "$image" sh -c '[ $$ != 1 ] && (sleep 0.1 &) && sleep 0.3 && set -- /proc/[0-9]* && echo $#'

section 'file systems'
echo host > "$scratch/file"
once -v "$scratch:/data:ro" "$image" sh -c 'exec 2>&1; cat /data/file; touch /data/new; grep -c " /data ro," /proc/self/mountinfo'
once -v "$scratch:/data" "$image" touch /data/new; ls "$scratch"
once --tmpfs /scratch:size=1m,mode=1777 --shm-size 2m "$image" sh -c 'stat -c "%a" /scratch; for at in /scratch /dev/shm; do df -k $at | tail -n 1 | tr -s " " | cut -d " " -f 2; done'
once --device /dev/null:/dev/sink --device /dev/zero:/dev/readonly:r "$image" \
  sh -c 'exec 2>&1; ls /dev | sort | tr "\n" " "; stat -c "%t %T %a" /dev/sink; echo x > /dev/sink; head -c 3 /dev/readonly | wc -c; mknod /tmp/kmsg c 1 11 && cat /tmp/kmsg'
once "$image" sh -c 'exec 2>&1; cat /proc/keys | wc -c; ls /proc/scsi /sys/firmware 2>/dev/null | wc -w; echo x > /proc/sysrq-trigger'

section 'limits'
once --ulimit nofile=100:200 --ulimit nproc=500:600 --sysctl net.ipv4.ip_unprivileged_port_start=7 --sysctl kernel.msgmax=4096 --oom-score-adj 77 --cpuset-cpus 0 \
  "$image" sh -c 'ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax /proc/self/oom_score_adj; grep Cpus_allowed_list /proc/self/status'
once --pids-limit 10 "$image" sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done 2>/dev/null; true' 2>/dev/null
started --memory 20m --memory-swap 20m "$image" sh -c 'exec tail /dev/zero'; $manager wait "$name"; status; removed

section 'security'
once "$image" grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
once --security-opt no-new-privileges --security-opt seccomp=unconfined "$image" grep -E '^(NoNewPrivs|Seccomp:)' /proc/self/status
echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}' > "$scratch/seccomp.json"
once --security-opt "seccomp=$scratch/seccomp.json" "$image" sh -c 'exec 2>&1; grep Seccomp: /proc/self/status; mkdir /made'
once --privileged "$image" sh -c 'grep -E "^(CapEff|Seccomp:)" /proc/self/status; [ -e /dev/kmsg ]'
once --cap-add net_admin --cap-drop chown "$image" grep CapBnd /proc/self/status

section 'namespaces'
# Which namespaces of this script the container shares.
shared='for type in cgroup ipc mnt net pid user uts; do [ "$(readlink /proc/self/ns/$type)" = "$(eval echo \$$type)" ] && echo -n "$type "; done; echo; '
own=
for type in cgroup ipc mnt net pid user uts; do own="$own --env $type=$(readlink /proc/self/ns/$type)"; done
once $own "$image" sh -c "$shared"
once $own --pid host --ipc host --uts host "$image" sh -c "$shared [ -d /proc/2 ]"
once $own --cgroupns host "$image" sh -c "$shared"
once $own --cgroupns private "$image" sh -c "$shared sed -n 's/.*:pids:/pids /p' /proc/self/cgroup"
$how --rm $own --network host --userns host "$image" sh -c "$shared"; said
started "$image" sleep 1000
run --rm --pid "container:$name" "$image" ps -o args | grep -c 'sleep 1000'
$how --rm --network "container:$name" "$image" ip -o link | grep -c LOOPBACK
removed
[ $kind = docker ] || once --uidmap 0:100000:5000 "$image" sh -c 'tr -s " " < /proc/self/uid_map; id -u; touch /file; stat -c %u /file'

section 'a life'
started "$image" sleep 1000
status
echo input | $manager exec -i "$name" sh -c 'cat; echo err >&2; exit 3' 2>/dev/null; said
$manager exec -t "$name" tty; said
$manager exec -u 5:6 -w /tmp -e A=b "$name" sh -c 'id -u; id -g; pwd; echo $A'; said
$manager exec --privileged "$name" grep CapEff /proc/self/status 2>/dev/null | grep ^Cap; said
$manager exec "$name" nosuchcommand >/dev/null 2>&1; said
$manager exec "$name" /etc >/dev/null 2>&1; said
$manager exec "$name" sh -c 'kill -9 $$'; said
$manager exec -d "$name" sh -c 'exec sleep 2000' >/dev/null; said
shown() { $manager top "$name" | grep -q 'sleep 2000'; }
until_true shown; $manager top "$name" | grep -c 'sleep [12]000'
$manager stats --no-stream --format '{{.Name}}' "$name" | grep -c "$name"; said
$manager pause "$name" >/dev/null; status
$manager exec "$name" true >/dev/null 2>&1; [ $? != 0 ]; said
$manager unpause "$name" >/dev/null; status
$manager update --memory 100m --memory-swap 200m --cpu-shares 512 "$name" >/dev/null; said
$manager exec "$name" sh -c 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.shares 2>/dev/null || cat memory.max'
echo copied > "$scratch/copied"
$manager cp "$scratch/copied" "$name:/copied" >/dev/null 2>&1; $manager exec "$name" sh -c 'cat /copied; echo back > /back'
$manager cp "$name:/back" - 2>/dev/null | tar -xO
$manager restart -t 0 "$name" >/dev/null; said
status
$manager exec "$name" cat /back
$manager kill "$name" >/dev/null; $manager wait "$name"; status
$manager start "$name" >/dev/null; $manager stop -t 1 "$name" >/dev/null; status
removed

section 'signals and stops'
trapping='trap "echo hup" HUP; trap "echo usr1" USR1; trap "echo term; exit 5" TERM; trap "echo int; exit 6" INT; echo ready; while :; do sleep 0.1; done'
started "$image" sh -c "$trapping"; until_true logged ready
$manager kill -s HUP "$name" >/dev/null; until_true logged hup
$manager kill --signal SIGUSR1 "$name" >/dev/null; until_true logged usr1
$manager stop "$name" >/dev/null; status; $manager logs "$name"; $manager logs --tail 1 "$name"
removed
started --init --stop-signal INT "$image" sh -c "$trapping"; until_true logged ready
$manager stop "$name" >/dev/null; status; removed
started --restart on-failure:1 "$image" sh -c 'echo again; exit 3'; over() { is exited && [ "$($manager logs "$name" | wc -l)" = 2 ]; }; until_true over
$manager logs "$name"; $manager inspect -f '{{.RestartCount}}' "$name"; removed

section 'attached'
printf 'echo typed; exit 4\n' | run --name "$name" -i "$image" sh; said; status; removed
started -i "$image" sh -c 'read line; echo "got $line"; exit 8'
# Until the end, as docker closes the output with the input.
{ echo words; until_true is exited; } | $manager attach "$name"; said; status; removed
$manager create --network none --name "$name" "$image" sh -c 'echo created; exit 9' >/dev/null; status
$manager start -a "$name"; said; removed

section 'health'
started --health-cmd 'test -e /healthy' --health-interval 1s --health-retries 1 "$image" sh -c 'touch /healthy; exec sleep 1000' 2>/dev/null
if [ $kind = podman ]; then
  $manager healthcheck run "$name" >/dev/null; said
  $manager exec "$name" rm /healthy; $manager healthcheck run "$name" >/dev/null; said
else
  healthy() { [ "$($manager inspect -f '{{.State.Health.Status}}' "$name")" = "$1" ]; }
  until_true healthy healthy; $manager exec "$name" rm /healthy; until_true healthy unhealthy
  $manager inspect -f '{{.State.Health.Status}}' "$name"
fi
removed 2>/dev/null
