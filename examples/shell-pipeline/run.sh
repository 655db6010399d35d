#!/usr/bin/env bash
# A shell pipeline that goes through a TypeScript process:
#
#   find ─▶ fanga send names ─▶ service.ts ─▶ fanga recv counts ─▶ sort
#
# The service is killed with kill -9 in the middle of its twentieth message, and started again. The queues live in the kernel, so
# `fanga send` and `fanga recv` do not notice, save that one answer is missing: a message that was received is gone with its
# receiver. The shell sees which, and asks once more.
#
# Usage: examples/shell-pipeline/run.sh [DIRECTORY]      (after npm run build)
set -euo pipefail
export LC_ALL=C

project=$(cd "$(dirname "$0")/../.." && pwd)
directory=${1:-$project/src}
work=$(mktemp -d)
export FANGA_KERNEL=shell-pipeline-$$

# Where the package is installed: npx fanga.
fanga() { node "$project/dist/src/cli/main.js" "$@"; }

trap 'rm -rf "$work"; fanga rm --force "kernel:$FANGA_KERNEL"' EXIT

service() {
  until node "$project/dist/examples/shell-pipeline/service.js"; do
    echo "the service has died; it is started again" >&2
    unset DIES_AT
  done
}

# Sends the names on standard input, each ended by a NUL byte, through the service, and prints its answers.
ask() {
  fanga send --create names </dev/null
  fanga send --create counts </dev/null
  service &
  fanga recv --follow counts &
  local receiver=$!
  # Until somebody waits there: with the last answer the service removes the queue, also before who comes late has opened it.
  until fanga ls | awk '$3 == "counts" && $NF > 0 { found = 1 } END { exit !found }'; do kill -0 "$receiver"; done
  fanga send --null names
  fanga send --type 2 names end
  wait
}

find "$directory" -name '*.ts' -print0 | sort -z >"$work/names"
DIES_AT=20 ask <"$work/names" >"$work/counts"

tr '\0' '\n' <"$work/names" | comm -23 - <(cut -d' ' -f2- "$work/counts" | sort) >"$work/missing"
echo "answers missing after the service's death: $(wc -l <"$work/missing")"
tr '\n' '\0' <"$work/missing" | ask >>"$work/counts"

echo "the longest files:"
sort -rn "$work/counts" | head -3
xargs -0 wc -l <"$work/names" | grep -v ' total$' | sed 's/^ *//' | sort >"$work/expected"
if ! diff <(sort "$work/counts") "$work/expected"; then
  echo "the answers differ from those of wc" >&2
  exit 1
fi
echo ok
