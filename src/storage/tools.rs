//! What a node has of the programs and kernel parts that providers and layers need, and why not (facts:
//! `satellite.md` §1.1, §2.1, §6.3). Looks at files; runs no process but modprobe, for modules that are not there yet.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::exec::{Breaker, CommandLine, Exec};
use super::{driver, layer};
use crate::model::kinds::{LayerKind, ProviderKind};
use crate::model::report::{SatelliteFacts, ToolReport};

/// Where programs are looked for beyond `PATH`, which a service may have without them.
const MORE_PATHS: &str = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin";

/// What a tool is known by.
enum Sign {
    /// A program.
    Program(&'static str),
    /// A kernel part: any of these files or folders.
    Kernel(&'static [&'static str]),
    /// A kernel part that is a module, as modprobe calls it; built in, it shows nothing of itself.
    Module(&'static str),
}

struct Tool {
    name: &'static str,
    signs: &'static [Sign],
    /// File that says the version.
    version: Option<&'static str>,
}

const fn tool(name: &'static str, signs: &'static [Sign]) -> Tool {
    Tool { name, signs, version: None }
}

use Sign::{Kernel, Module, Program};

/// The kernel's device mapper, built in or loaded.
const DEVICE_MAPPER: Sign = Kernel(&["/sys/class/misc/device-mapper", "/sys/module/dm_mod"]);

const TOOLS: &[Tool] = &[
    Tool { name: "DRBD9_KERNEL", signs: &[Kernel(&["/sys/module/drbd"])], version: Some("/sys/module/drbd/version") },
    tool("DRBD9_UTILS", &[Program("drbdadm"), Program("drbdsetup"), Program("drbdmeta")]),
    tool("CRYPT_SETUP", &[Program("cryptsetup"), Program("dmsetup"), Module("dm-crypt")]),
    tool("LVM", &[Program("lvm"), Program("dmsetup"), DEVICE_MAPPER]),
    // LVM goes on without thin_check, and activates a damaged pool as if it were whole.
    tool("LVM_THIN", &[Program("lvm"), Program("dmsetup"), DEVICE_MAPPER, Program("thin_check")]),
    tool("THIN_SEND_RECV", &[Program("thin_send")]),
    Tool { name: "ZFS_KMOD", signs: &[Kernel(&["/sys/module/zfs"])], version: Some("/sys/module/zfs/version") },
    tool("ZFS_UTILS", &[Program("zfs"), Program("zpool")]),
    tool("NVME", &[Program("nvme")]),
    tool("SPDK", &[Program("rpc.py")]),
    tool("DM_WRITECACHE", &[Program("dmsetup"), Module("dm-writecache")]),
    tool("DM_CACHE", &[Program("dmsetup"), Module("dm-cache"), Module("dm-cache-smq")]),
    tool("BCACHE_TOOLS", &[Program("make-bcache"), Module("bcache")]),
    // Loop devices are driven by ioctl: the program is not needed.
    tool("LOSETUP", &[Kernel(&["/dev/loop-control"])]),
    tool("ZSTD", &[Program("zstd")]),
    tool("SOCAT", &[Program("socat")]),
    tool("COREUTILS", &[Program("timeout")]),
    tool("UDEVADM", &[Program("udevadm")]),
    tool("MKFS_EXT4", &[Program("mkfs.ext4"), Program("blkid")]),
    tool("MKFS_XFS", &[Program("mkfs.xfs"), Program("blkid")]),
];

/// Facts about this machine. `exec` runs modprobe; without a runtime it cannot, and a module that is not loaded is missing.
pub(super) fn facts(version: &str, exec: &Exec) -> SatelliteFacts {
    let folders = folders();
    let load = |module: &str| load(module, exec);
    let tools: Vec<ToolReport> = TOOLS.iter().map(|tool| look(tool, &folders, &load)).collect();
    assemble(version, uname(), tools)
}

/// Facts about a simulated machine of this name, or of the real one's: everything works.
pub(super) fn simulated_facts(version: &str, name: Option<&str>) -> SatelliteFacts {
    SatelliteFacts {
        uname: name.map_or_else(uname, str::to_owned),
        version: version.to_owned(),
        providers: ProviderKind::ALL.to_vec(),
        layers: LayerKind::ALL.to_vec(),
        unsupported_providers: Vec::new(),
        unsupported_layers: Vec::new(),
        tools: Vec::new(),
    }
}

fn assemble(version: &str, uname: String, tools: Vec<ToolReport>) -> SatelliteFacts {
    let mut facts = SatelliteFacts {
        uname,
        version: version.to_owned(),
        providers: Vec::new(),
        layers: Vec::new(),
        unsupported_providers: Vec::new(),
        unsupported_layers: Vec::new(),
        tools,
    };
    for kind in ProviderKind::ALL.iter().copied() {
        let mut reasons = missing(provider_gates(kind), &facts.tools);
        if !driver::BUILT.contains(&kind) {
            reasons.push(driver::not_built_reason(kind));
        }
        match reasons.is_empty() {
            true => facts.providers.push(kind),
            false => facts.unsupported_providers.push((kind, reasons)),
        }
    }
    for kind in LayerKind::ALL.iter().copied() {
        let mut reasons = missing(layer_gates(kind), &facts.tools);
        if !layer::BUILT.contains(&kind) {
            reasons.push(layer::not_built_reason(kind));
        }
        match reasons.is_empty() {
            true => facts.layers.push(kind),
            false => facts.unsupported_layers.push((kind, reasons)),
        }
    }
    facts
}

fn provider_gates(kind: ProviderKind) -> &'static [&'static str] {
    use ProviderKind as P;
    match kind {
        P::Lvm => &["LVM"],
        P::LvmThin => &["LVM_THIN"],
        P::Zfs | P::ZfsThin => &["ZFS_KMOD", "ZFS_UTILS"],
        P::File | P::FileThin => &["LOSETUP"],
        P::Spdk => &["SPDK"],
        P::Diskless | P::RemoteSpdk | P::EbsInit | P::EbsTarget | P::StorageSpaces | P::StorageSpacesThin => &[],
    }
}

fn layer_gates(kind: LayerKind) -> &'static [&'static str] {
    match kind {
        LayerKind::Drbd => &["DRBD9_KERNEL", "DRBD9_UTILS"],
        LayerKind::Writecache => &["DM_WRITECACHE"],
        LayerKind::Cache => &["DM_CACHE"],
        LayerKind::Bcache => &["BCACHE_TOOLS"],
        LayerKind::Luks => &["CRYPT_SETUP"],
        // It is refused whatever the node has: the reason that counts is that it is not built.
        LayerKind::Nvme => &[],
        LayerKind::Storage => &[],
    }
}

fn missing(gates: &[&str], tools: &[ToolReport]) -> Vec<String> {
    tools
        .iter()
        .filter(|tool| gates.contains(&tool.name.as_str()))
        .flat_map(|tool| tool.reasons.iter().cloned())
        .collect()
}

/// Loads a kernel module that does not show itself; the reason where it cannot be had.
fn load(module: &str, exec: &Exec) -> Option<String> {
    if Path::new("/sys/module").join(module.replace('-', "_")).exists() {
        return None;
    }
    let how =
        format!("load it on the host with `modprobe {module}`, and at every start by a file in /etc/modules-load.d");
    if tokio::runtime::Handle::try_current().is_err() {
        return Some(format!("the kernel module {module} is not loaded: {how}"));
    }
    let line = CommandLine::new("modprobe", [module]);
    let error = exec.run_blocking(&line, &Breaker::default()).err()?;
    let cause = error.into_problem("").cause;
    Some(format!("the kernel module {module} is not loaded and cannot be ({cause}): {how}"))
}

fn look(tool: &Tool, folders: &[PathBuf], load: &dyn Fn(&str) -> Option<String>) -> ToolReport {
    let mut reasons: Vec<String> = tool
        .signs
        .iter()
        .filter_map(|sign| match sign {
            Program(name) => (!is_installed(name, folders)).then(|| format!("the program {name} is not installed")),
            Module(module) => load(module),
            Kernel(paths) => (!paths.iter().any(|path| Path::new(path).exists())).then(|| without(paths)),
        })
        .collect();
    let version = tool.version.and_then(|path| std::fs::read_to_string(path).ok());
    let version = version.map(|text| text.trim().to_owned());
    if tool.name == "DRBD9_KERNEL" {
        reasons.extend(version.as_deref().and_then(too_old));
    }
    ToolReport { name: tool.name.to_owned(), version: version.filter(|_| reasons.is_empty()), reasons }
}

fn without(paths: &[&str]) -> String {
    let module = paths.first().and_then(|path| path.strip_prefix("/sys/module/"));
    let load = module.map(|module| format!(" (load it: modprobe {module})")).unwrap_or_default();
    format!("the kernel has no {}{load}", paths.join(" or "))
}

/// DRBD 8 is another program with the same name.
fn too_old(version: &str) -> Option<String> {
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (major < 9).then(|| format!("the kernel has DRBD {version}, 9.0 or newer is needed"))
}

fn folders() -> Vec<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let all = path.split(':').chain(MORE_PATHS.split(':'));
    all.filter(|folder| folder.starts_with('/')).map(PathBuf::from).collect()
}

fn is_installed(name: &str, folders: &[PathBuf]) -> bool {
    folders.iter().any(|folder| {
        std::fs::metadata(folder.join(name)).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}

fn uname() -> String {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, reasons: &[&str]) -> ToolReport {
        ToolReport {
            name: name.to_owned(),
            version: None,
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        }
    }

    #[test]
    fn every_kind_is_either_supported_or_has_a_reason() {
        let tools =
            vec![report("LOSETUP", &[]), report("LVM", &["no lvm"]), report("ZFS_KMOD", &[]), report("ZFS_UTILS", &[])];
        let facts = assemble("1", String::new(), tools);
        let built = driver::BUILT.iter().copied().filter(|kind| *kind != ProviderKind::Lvm);
        assert_eq!(facts.providers, built.collect::<Vec<_>>());
        assert!(!facts.layers.contains(&LayerKind::Nvme) && facts.layers.contains(&LayerKind::Storage));
        assert_eq!(facts.providers.len() + facts.unsupported_providers.len(), ProviderKind::ALL.len());
        assert_eq!(facts.layers.len() + facts.unsupported_layers.len(), LayerKind::ALL.len());
        let lvm = facts.unsupported_providers.iter().find(|(kind, _)| *kind == ProviderKind::Lvm);
        assert_eq!(lvm.expect("unsupported").1.first().map(String::as_str), Some("no lvm"));
    }

    #[test]
    fn without_zfs_there_are_no_pools_of_it_and_both_reasons_are_told() {
        let tools = vec![report("ZFS_KMOD", &["no module"]), report("ZFS_UTILS", &["no zfs", "no zpool"])];
        let facts = assemble("1", String::new(), tools);
        for kind in [ProviderKind::Zfs, ProviderKind::ZfsThin] {
            let found = facts.unsupported_providers.iter().find(|(unsupported, _)| *unsupported == kind);
            assert_eq!(found.expect("unsupported").1, ["no module", "no zfs", "no zpool"]);
        }
    }

    #[test]
    fn without_loop_devices_there_are_no_file_pools() {
        let facts = assemble("1", String::new(), vec![report("LOSETUP", &["no loop"])]);
        assert!(!facts.providers.contains(&ProviderKind::File) && !facts.providers.contains(&ProviderKind::FileThin));
        assert!(facts.providers.contains(&ProviderKind::Diskless));
    }

    #[test]
    fn programs_are_executable_files() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("lvm");
        std::fs::write(&file, "").expect("written");
        let folders = [folder.path().to_owned()];
        assert!(!is_installed("lvm", &folders));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("set");
        assert!(is_installed("lvm", &folders));
        let none = |module: &str| Some(format!("no {module}"));
        let zfs = look(&tool("ZFS_UTILS", &[Program("zfs"), Module("zfs")]), &folders, &none);
        assert_eq!(zfs.reasons, ["the program zfs is not installed", "no zfs"]);
    }

    #[test]
    fn what_the_kernel_lacks() {
        assert_eq!(without(&["/sys/module/zfs"]), "the kernel has no /sys/module/zfs (load it: modprobe zfs)");
        assert_eq!(without(&["/dev/loop-control"]), "the kernel has no /dev/loop-control");
    }

    #[test]
    fn old_drbd() {
        assert_eq!(too_old("9.2.16"), None);
        assert!(too_old("8.4.11").expect("old").contains("8.4.11"));
    }
}
