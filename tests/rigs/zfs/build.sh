#!/bin/bash
# Makes what a guest with ZFS boots from, out of this Debian's packages alone: its kernel, OpenZFS' modules compiled for it, ZFS'
# programs and udev. Three to four minutes, once; nothing when all is there and of today's recipe. ZFS' modules are under
# another licence than the kernel: they are compiled where the tests run, and never leave that machine.
#
# `build.sh [FOLDER]`: FOLDER is $ZEA_ZFS_RIG or target/rigs/zfs. Afterwards it holds vmlinuz, initrd.gz, system/ (what the guest
# has over the machine's own files) and the sums of what they were made by. It needs no root, and leaves apt's own settings and lists alone:
# the component contrib, which ZFS is in, stands in a source of this folder.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
rig="${1:-${ZEA_ZFS_RIG:-$here/../../../target/rigs/zfs}}"
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
# What the guest's init loads before it can read the machine's files.
boot_modules=(virtio_pci virtio_blk virtio_console virtio_net 9pnet_virtio 9p overlay)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() { echo "zfs rig: $*" >&2; exit 1; }

mkdir -p "$rig"
rig="$(cd "$rig" && pwd)"
exec 9>"$rig/lock"
flock 9 # Several runs may want it at once: the first one makes it.

# sum_of FILE...: by what a part was made.
sum_of() { cat "$@" | sha256sum | cut -d' ' -f1; }
made_by() { [ "$(cat "$rig/$1.made" 2>/dev/null)" = "$(sum_of "${@:2}")" ]; }

# The first file system: busybox, the modules that reach the machine's files, and init.
initrd() {
    made_by initrd "$here/init" "$rig/system.made" && return
    local first="$rig/first" version module file
    version="$(ls "$rig/system/usr/lib/modules")"
    rm -rf "$first"
    mkdir -p "$first"/{bin,modules,machine,system,upper,whole}
    cp "$(type -P busybox)" "$first/bin/busybox"
    cp "$here/init" "$first/init"
    chmod 755 "$first/init"
    for module in "${boot_modules[@]}"; do modprobe -S "$version" -d "$rig/system" --show-depends "$module"; done \
        | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' \
        | while read -r file; do
            cp "$file" "$first/modules/"
            basename "$file"
        done >"$first/modules/order"
    (cd "$first" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$rig/initrd.gz"
    rm -rf "$first"
    sum_of "$here/init" "$rig/system.made" >"$rig/initrd.made"
}

if made_by system "$here/build.sh"; then
    initrd
    exit 0
fi
for program in apt-get dpkg-deb gcc make depmod busybox strip; do
    type -P "$program" >/dev/null || fail "$program is missing: tests/rigs/install.sh soak"
done
echo "zfs rig: compiling ZFS for a guest's kernel, once: three to four minutes; what it says lies in $rig/log"
work="$rig/work"
log="$rig/log"
rm -rf "$work" "$rig"/*.made
mkdir -p "$work"/{apt/lists/partial,apt/cache/archives/partial,apt/sources,debs,build}
: >"$log"
trap 'code=$?; [ $code -eq 0 ] || { tail -n 15 "$log"; echo "zfs rig: failed, see $log"; } >&2; rm -rf "$work"' EXIT

apt=(-o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o Dir::Etc::SourceList=/dev/null
    -o "Dir::Etc::SourceParts=$work/apt/sources" -o Debug::NoLocking=1 -o APT::Sandbox::User=root)

# The machine's own Debian sources with contrib added.
sources() {
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME)' 'Created-By: Packages' | sed -n 's/^Debian //p' | sort -u \
        | while read -r uri codename; do
            echo "deb [signed-by=$keyring] $uri $codename main contrib"
        done
}

# The packages that a package depends on, as far as their names fit.
depends() { apt-cache "${apt[@]}" depends "$1" | sed -n 's/^ *Depends: //p' | grep -E "$2"; }

fetch() {
    sources >"$work/apt/sources/zfs.list"
    [ -s "$work/apt/sources/zfs.list" ] || fail "apt has no source of Debian here"
    apt-get "${apt[@]}" update
    version="$(depends linux-image-amd64 '^linux-image-' | sed 's/linux-image-//')"
    local headers="linux-headers-$version" libraries
    libraries="$(depends zfsutils-linux 'linux$')"
    # shellcheck disable=SC2046,SC2086
    (cd "$work/debs" && apt-get "${apt[@]}" download "linux-image-$version" "$headers" $(depends "$headers" '^linux-(headers|kbuild)-') \
        zfs-dkms zfsutils-linux $libraries udev)
}

# Modules for the kernel, from its headers in a folder of our own.
compile() {
    local deb sources="$work/build/usr/src"
    for deb in "$work"/debs/{linux-headers,linux-kbuild,zfs-dkms}*; do dpkg-deb -x "$deb" "$work/build"; done
    sed -i "s#include /usr/src/#include $sources/#" "$sources/linux-headers-$version/Makefile"
    cd "$sources"/zfs-*/
    # Without debug information: half the time and a tenth of the room.
    export KCFLAGS=-g0
    ./configure --with-config=kernel --with-linux="$sources/linux-headers-${version%-amd64}-common" \
        --with-linux-obj="$sources/linux-headers-$version"
    make -j"$(nproc)"
}

# What lies over the machine's files in a guest; folders as on a machine with everything under /usr.
overlay() {
    local deb folder extra="$work/system/usr/lib/modules/$version/extra"
    mkdir -p "$work/system/usr"/{bin,sbin,lib}
    for folder in bin sbin lib; do ln -sfn "usr/$folder" "$work/system/$folder"; done
    for deb in "$work"/debs/{linux-image,zfsutils,lib,udev}*; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner --keep-directory-symlink -C "$work/system"
    done
    mkdir -p "$extra"
    find "$work"/build/usr/src/zfs-*/module -name '*.ko' -exec cp {} "$extra/" \;
    strip --strip-debug "$extra"/*.ko
    depmod -b "$work/system" "$version"
    mv "$work/system/boot/vmlinuz-$version" "$work/vmlinuz"
    rm -rf "$work/system/boot" "$work/system/usr/share"/{doc,man,locale}
}

began=$SECONDS
{
    fetch
    (compile)
    overlay
} >>"$log" 2>&1
rm -rf "$rig/system"
mv "$work/system" "$work/vmlinuz" "$rig/"
sum_of "$here/build.sh" >"$rig/system.made"
initrd
echo "zfs rig: made in $((SECONDS - began)) s, $(du -sh "$rig/system" | cut -f1)"
