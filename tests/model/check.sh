#!/bin/sh
# check.sh PRINT_STATES: the model holds, for all that may happen, and each of its mutants fails. Exit 77: spin is not there.
set -eu
table=$(realpath "$1")
model=$(realpath "$(dirname "$0")/approval.pml")
command -v spin >/dev/null || { echo "SKIP: the model of approvals is not checked: spin (Debian package) is not installed"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
{ "$table"; cat "$model"; } >model.pml

# verify safety|ends [-DMUTANT...]: quiet when it holds
verify() {
    how=$1
    shift
    spin "$@" -a model.pml >spin.log 2>&1 || { cat spin.log; exit 2; }
    if [ "$how" = safety ]; then
        ${CC:-cc} -w -O2 -DCOLLAPSE -DSAFETY -DNOCLAIM -o pan pan.c
        ./pan -m200000 -w22 -E >pan.log
    else
        ${CC:-cc} -w -O2 -DCOLLAPSE -DNFAIR=3 -o pan pan.c
        ./pan -m200000 -w22 -a -f -E >pan.log
    fi
    grep -q "errors: 0" pan.log && ! grep -q "max search depth too small" pan.log
}

holds() {
    verify "$@" || { cat pan.log; echo "FAIL: the model does not hold ($*)"; exit 1; }
    echo "ok: $*: $(grep 'states, stored' pan.log | head -n 1)"
}

fails() {
    ! verify "$@" || { echo "FAIL: the mutant was not found ($*)"; exit 1; }
    grep -q "assertion violated\|acceptance cycle" pan.log || { cat pan.log; echo "FAIL: $*: another error"; exit 1; }
    echo "ok: found: $*"
}

holds safety
holds ends -DCRASHES=1 -DFAILS=0
holds safety -DESCALATION
holds safety -DGLASS -DCRASHES=1 -DFAILS=0
holds safety -DGLASS -DCRASHES=0 -DFAILS=1
holds ends -DESCALATION -DCRASHES=1 -DFAILS=0
fails safety -DMUTANT_TOLD_BEFORE_WRITTEN
fails safety -DMUTANT_LOOKS_BEFORE_IT_LOCKS
fails safety -DMUTANT_TAKES_UP_AGAIN
fails safety -DMUTANT_KILL_ANSWERED_AT_ONCE
fails safety -DESCALATION -DMUTANT_ESCALATED_BEFORE_WRITTEN
fails safety -DGLASS -DCRASHES=0 -DFAILS=0 -DMUTANT_GLASS_ENDED_AT_ONCE
fails ends -DCRASHES=1 -DFAILS=0 -DMUTANT_NO_TIMEOUT
