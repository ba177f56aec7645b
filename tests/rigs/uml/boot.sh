#!/bin/bash
# Boots a node as one user-mode Linux kernel and stays until it ends: `boot.sh NODE WORK LOGS TAP DISK...`. WORK is what the
# node sees as /run/rig, LOGS is where its console (console.NODE) and its satellite's log (satellite.NODE.log) go; a DISK is a
# sparse file: the node's /dev/ubda, ubdb and so on. What the node has written to a disk survives its end, as on a disk without
# a cache; what it only meant to write is lost. The kernel is the first process of a process space of its own: with it go all
# its helpers, and it goes with this script, or with the thread that started it.
set -eu
node="$1" work="$2" logs="$3" tap="$4"
shift 4
rig="$(cd "$(dirname "$0")" && pwd)"
disks=()
for disk in "$@"; do
    # d: never taken for a copy-on-write file, whatever is written to its beginning.
    disks+=("ubd${#disks[@]}d=$disk")
done
# A killed kernel leaves its number here, which every kernel of a process space of its own has.
rm -rf "$work/kernels/$node"
mkdir -p "$work/kernels"
exec setpriv --pdeathsig KILL unshare --pid --fork --kill-child=KILL \
    linux.uml mem="${ZEA_NODE_MEMORY:-320M}" quiet \
    rootfstype=hostfs rootflags=/ ro init="$rig/init.sh" panic=0 \
    "${disks[@]}" "vec0:transport=tap,ifname=$tap,depth=64" \
    con=null con0=null,fd:1 con1=null,fd:5 \
    umid="$node" uml_dir="$work/kernels" \
    zea_node="$node" zea_work="$work" \
    </dev/null >>"$logs/console.$node" 2>&1 5>>"$logs/satellite.$node.log"
