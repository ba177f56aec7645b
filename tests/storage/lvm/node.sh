#!/bin/bash
# One user-mode Linux kernel with device mapper and three disks, for as long as a test of this binary runs in it:
# `node.sh WORK BINARY TEST`. WORK gets `output` and `console`; the node's root is this machine's, seen read-only.
# As the kernel's first process it does the same from inside.
set -u
if [ "$$" != 1 ]; then
    work="$1" binary="$2" test="$3"
    for disk in a b c; do truncate -s "${ZEA_DISK_SIZE:-1G}" "$work/disk-$disk"; done
    exec setpriv --pdeathsig KILL unshare --pid --fork --kill-child=KILL \
        linux.uml mem="${ZEA_NODE_MEMORY:-512M}" quiet rootfstype=hostfs rootflags=/ ro init="$0" panic=0 \
        ubd0d="$work/disk-a" ubd1d="$work/disk-b" ubd2d="$work/disk-c" con=null con0=null,fd:1 \
        umid=node uml_dir="$work" zea_work="$work" zea_binary="$binary" zea_test="$test" \
        ZEA_SEED="${ZEA_SEED:-1}" ZEA_SOAK="${ZEA_SOAK:-0}" \
        </dev/null >"$work/console" 2>&1
fi
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run RUST_BACKTRACE=1
mount -t proc proc /proc
mount -t hostfs -o "$zea_work" work /media
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mkdir -p /run/lock /run/lvm /run/modules
for folder in backup archive; do mount -t tmpfs none "/etc/lvm/$folder"; done
# A place for modules: /lib/modules may not be there, and the root cannot be written.
for module in dm-mod dm-bufio dm-persistent-data dm-bio-prison dm-thin-pool dm-snapshot dm-flakey dm-delay xfs; do
    file="$(find "/usr/lib/uml/modules/$(uname -r)" -name "$module.ko")"
    [ -z "$file" ] || insmod "$file" || echo "node: $module cannot be loaded"
done
ZEA_LVM_DISKS="/dev/ubda /dev/ubdb /dev/ubdc" "$zea_binary" --exact "$zea_test" --nocapture >/media/output 2>&1
echo "node: ended with $?" >>/media/output
sync
echo o >/proc/sysrq-trigger
sleep 10
