#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Starts a program as several processes on this machine, the way torchrun does, and waits for them.
#   processes.sh COUNT PROGRAM [ARGUMENT]...
#     Status 0 when every process ended with 0.
#   LOSE=RANK:SIGNAL FILE=PATH processes.sh COUNT PROGRAM [ARGUMENT]...
#     Sends the signal (KILL, STOP) to one process a second after process 0 said that all are ready. Status 0 when every
#     other one ended with an error within 30 seconds and neither PATH nor a part of it is there.
set -u
count=$1
shift
logs=$(mktemp -d) || exit 2
pids=()
finish() {
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  rm -rf "$logs"
}
trap finish EXIT

# A port that nobody listens on: state 0A in the table of sockets.
while :; do
  port=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
  grep -q "$(printf ':%04X [0-9A-F:]* 0A' "$port")" /proc/net/tcp || break
done

for ((rank = 0; rank < count; ++rank)); do
  RANK=$rank WORLD_SIZE=$count LOCAL_RANK=$rank LOCAL_WORLD_SIZE=$count MASTER_ADDR=127.0.0.1 MASTER_PORT=$port \
    OMP_NUM_THREADS=1 "$@" >"$logs/$rank.out" 2>"$logs/$rank.err" &
  pids+=($!)
done

show() {
  for ((rank = 0; rank < count; ++rank)); do
    tail -n "${LINES_SHOWN:-8}" "$logs/$rank.out" "$logs/$rank.err" 2>/dev/null
  done
}

if [ -z "${LOSE:-}" ]; then
  failed=0
  for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
  show
  echo "$((count - failed)) of $count processes ended well"
  exit $((failed > 0))
fi

lost=${LOSE%:*} signal=${LOSE#*:}
for ((i = 0; i < 600; ++i)); do
  grep -q 'processes are ready' "$logs/0.out" && break
  sleep 0.2
done
grep -q 'processes are ready' "$logs/0.out" || { show; echo "the processes were never ready"; exit 1; }
sleep 1
kill "-$signal" "${pids[$lost]}" || { show; echo "process $lost had ended by itself"; exit 1; }
begin=$SECONDS
bad=0
for ((rank = 0; rank < count; ++rank)); do
  [ "$rank" = "$lost" ] && continue
  while kill -0 "${pids[$rank]}" 2>/dev/null && [ $((SECONDS - begin)) -le 30 ]; do sleep 0.2; done
  if kill -0 "${pids[$rank]}" 2>/dev/null; then
    echo "process $rank still runs"
    bad=1
    continue
  fi
  wait "${pids[$rank]}"
  status=$?
  [ "$status" = 1 ] && [ -s "$logs/$rank.err" ] || { echo "process $rank ended with $status"; bad=1; }
done
show
echo "after $((SECONDS - begin)) s"
for file in "$FILE"*; do
  [ -e "$file" ] && { echo "$file is there"; bad=1; }
done
exit $bad
