#!/bin/bash
# Installs what a build (`install.sh build`), the tests (`install.sh test`) or the long series (`install.sh soak`) need and this
# machine has not: Debian's packages, a Rust among them where there is none of today, python-linstor in .venv, for the long series
# guests with ZFS. Says in a line what it installs; says nothing when all is there. Without root it says what is missing and how
# to install it. It starts and changes nothing else.
set -u
cd "$(dirname "$0")/../.."
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
what="${1:-build}"
linstor="python-linstor==1.29.1"
packages=()

say() { echo "install: $*"; }
fail() { echo "install: $*" >&2; exit 1; }

# need PACKAGE COMMAND...: the package, when one of its commands is not there.
need() {
    local package="$1" command
    shift
    for command in "$@"; do
        if ! type -P "$command" >/dev/null; then
            packages+=("$package")
            return
        fi
    done
}

# need_file PACKAGE FILE: the package, when its file is not there.
need_file() { [ -e "$2" ] || packages+=("$1"); }

# A python that can make an environment with pip in it.
python() {
    local candidate
    for candidate in python3 /usr/bin/python3; do
        if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

has_linstor() {
    .venv/bin/python -c "import importlib.metadata as m, linstor; assert m.version('${linstor%%==*}') == '${linstor##*==}'" 2>/dev/null
}

for_build() {
    need gcc cc
    need_file libc6-dev /usr/include/stdlib.h
    need_file ca-certificates /etc/ssl/certs/ca-certificates.crt
    tests/rigs/cargo.sh --find >/dev/null 2>&1 || packages+=(rustc-web cargo-web)
}

for_tests() {
    need git git
    need curl curl
    need e2fsprogs mkfs.ext4 resize2fs dumpe2fs
    need xfsprogs mkfs.xfs xfs_growfs xfs_io
    need btrfs-progs mkfs.btrfs
    need util-linux blkid lsblk fsfreeze flock
    need mount mount umount losetup
    need procps ps
    # Nodes with kernels of their own (tests/disks). User-mode Linux is there for x86-64 alone.
    if [ "$(uname -m)" = x86_64 ]; then
        need user-mode-linux linux.uml
        need lvm2 lvm pvcreate vgcreate lvs
        need dmsetup dmsetup
        need thin-provisioning-tools thin_check
        need cryptsetup-bin cryptsetup
        need bcache-tools make-bcache
        need iproute2 ip
        need kmod modprobe
    fi
    # For libFuzzer, which is C++.
    need g++ c++
    has_linstor || python >/dev/null || packages+=(python3-venv)
    # rustup brings its own; beside Debian's cargo they are packages.
    case "$(tests/rigs/cargo.sh --find 2>/dev/null || echo /usr/bin/cargo)" in
        /usr/bin/cargo)
            need rustfmt-web rustfmt cargo-fmt
            need rust-web-clippy cargo-clippy clippy-driver
            ;;
    esac
}

# What compiles ZFS for a guest's kernel, and what runs the guest (tests/rigs/zfs). For x86-64 alone.
for_guests() {
    [ "$(uname -m)" = x86_64 ] || return
    need qemu-system-x86 qemu-system-x86_64
    need busybox-static busybox
    need kmod depmod modprobe
    need make make
    need file file
    need binutils strip
    need iproute2 ip
}

# Compiles it, once. Where it cannot be, the tests say that they did not run, and why.
make_guests() {
    [ "$(uname -m)" = x86_64 ] || return
    tests/rigs/zfs/build.sh || say "no guests with ZFS on this machine"
}

install_packages() {
    [ "${#packages[@]}" -eq 0 ] && return
    local command="apt-get install -y --no-install-recommends ${packages[*]}"
    [ "$(id -u)" -eq 0 ] || fail "missing on this machine: ${packages[*]}. As root: apt-get update && $command"
    type -P apt-get >/dev/null || fail "missing on this machine: ${packages[*]} (Debian's names). Here is no apt-get: install them by hand"
    say "from Debian: ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local log
    log="$(mktemp)"
    # A foreign source that does not answer is no matter, as long as the packages are found.
    apt-get update >"$log" 2>&1 </dev/null || say "apt-get update met errors: $(grep -m 1 '^[EW]:' "$log")"
    if ! $command >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "this failed: $command"
    fi
    rm -f "$log"
}

install_linstor() {
    has_linstor && return
    say "$linstor into .venv"
    local made_by
    made_by="$(python)" || fail "no python3 here can make a virtual environment"
    # The environment may be of a python that is gone.
    .venv/bin/python -c '' 2>/dev/null || { rm -rf .venv && "$made_by" -m venv .venv; } || fail "$made_by -m venv .venv failed"
    .venv/bin/python -m pip install --quiet "$linstor" </dev/null || fail "pip could not install $linstor"
    has_linstor || fail "$linstor is installed but does not load: remove .venv and try again"
}

case "$what" in
    build) for_build ;;
    test) for_build && for_tests ;;
    soak) for_build && for_tests && for_guests ;;
    *) fail "unknown: $what; say build, test or soak" ;;
esac
install_packages
tests/rigs/cargo.sh --find >/dev/null || fail "the newest Rust of this Debian is too old: its security archive holds a newer rustc-web"
if [ "$what" != build ]; then
    install_linstor
    [ "$what" != soak ] || make_guests
    # Where the nodes have their modules: over the machine's own, which need not have any.
    [ -d /lib/modules ] || mkdir -p /lib/modules 2>/dev/null
fi
