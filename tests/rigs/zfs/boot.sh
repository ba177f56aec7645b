#!/bin/bash
# Boots a node as a guest of QEMU under plain emulation, with a kernel that has ZFS, and stays until it ends:
# `boot.sh NODE WORK LOGS TAP DISK...`. WORK is what the node sees as /run/rig, LOGS is where its console (console.NODE) and its
# satellite's log (satellite.NODE.log) go; a DISK is a sparse file: the node's /dev/vda, vdb and so on. What the node has written
# to a disk survives its end; what it only meant to write is lost. It goes with the thread that started it. What it boots from is
# made by build.sh, in $ZEA_ZFS_RIG or target/rigs/zfs.
set -eu
node="$1" work="$2" logs="$3" tap="$4"
shift 4
rigs="$(cd "$(dirname "$0")/.." && pwd)"
made="${ZEA_ZFS_RIG:-$rigs/../../target/rigs/zfs}"

# shared TAG FOLDER OPTIONS: a folder of the machine for the node.
shared() {
    arguments+=(-fsdev "local,id=$1,path=$2,security_model=none,readonly=on$3"
        -device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}

arguments=(-accel tcg,thread=multi -cpu max,la57=off -smp "${ZEA_ZFS_PROCESSORS:-2}" -m "${ZEA_ZFS_MEMORY:-1024}"
    -nodefaults -display none -no-reboot -kernel "$made/vmlinuz" -initrd "$made/initrd.gz"
    -append "console=ttyS0 quiet panic=-1 mitigations=off net.ifnames=0 zea_node=$node zea_rig=$rigs"
    -chardev "file,id=console,path=$logs/console.$node,append=on" -serial chardev:console
    -chardev "file,id=satellite,path=$logs/satellite.$node.log,append=on" -serial chardev:satellite
    -netdev "tap,id=net,ifname=$tap,script=no,downscript=no" -device "virtio-net-pci,netdev=net,mac=52:54:00:00:00:0${tap: -1}")
shared machine / ,multidevs=remap
shared system "$made/system" ""
shared work "$work" ""
number=0
for disk in "$@"; do
    arguments+=(-drive "file=$disk,format=raw,if=none,id=disk$number,cache=unsafe,discard=unmap"
        -device "virtio-blk-pci,drive=disk$number,serial=disk$number")
    number=$((number + 1))
done
exec setpriv --pdeathsig KILL qemu-system-x86_64 "${arguments[@]}" </dev/null >>"$logs/console.$node" 2>&1
