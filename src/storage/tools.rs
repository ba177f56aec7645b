//! What a node has of the programs and kernel parts that providers and layers need, and why not (facts:
//! `satellite.md` §1.1, §2.1, §6.3). Looks at files; runs no process.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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

use Sign::{Kernel, Program};

/// The kernel's device mapper, built in or loaded.
const DEVICE_MAPPER: Sign = Kernel(&["/sys/class/misc/device-mapper", "/sys/module/dm_mod"]);

const TOOLS: &[Tool] = &[
    Tool { name: "DRBD9_KERNEL", signs: &[Kernel(&["/sys/module/drbd"])], version: Some("/sys/module/drbd/version") },
    tool("DRBD9_UTILS", &[Program("drbdadm"), Program("drbdsetup"), Program("drbdmeta")]),
    tool("CRYPT_SETUP", &[Program("cryptsetup")]),
    tool("LVM", &[Program("lvm"), Program("dmsetup"), DEVICE_MAPPER]),
    // LVM goes on without thin_check, and activates a damaged pool as if it were whole.
    tool("LVM_THIN", &[Program("lvm"), Program("dmsetup"), DEVICE_MAPPER, Program("thin_check")]),
    tool("THIN_SEND_RECV", &[Program("thin_send")]),
    Tool { name: "ZFS_KMOD", signs: &[Kernel(&["/sys/module/zfs"])], version: Some("/sys/module/zfs/version") },
    tool("ZFS_UTILS", &[Program("zfs"), Program("zpool")]),
    tool("NVME", &[Program("nvme")]),
    tool("SPDK", &[Program("rpc.py")]),
    tool("DM_WRITECACHE", &[Kernel(&["/sys/module/dm_writecache"])]),
    tool("DM_CACHE", &[Kernel(&["/sys/module/dm_cache"])]),
    tool("BCACHE_TOOLS", &[Program("make-bcache"), Kernel(&["/sys/module/bcache"])]),
    // Loop devices are driven by ioctl: the program is not needed.
    tool("LOSETUP", &[Kernel(&["/dev/loop-control"])]),
    tool("ZSTD", &[Program("zstd")]),
    tool("SOCAT", &[Program("socat")]),
    tool("COREUTILS", &[Program("timeout")]),
    tool("UDEVADM", &[Program("udevadm")]),
    tool("MKFS_EXT4", &[Program("mkfs.ext4"), Program("blkid")]),
    tool("MKFS_XFS", &[Program("mkfs.xfs"), Program("blkid")]),
];

/// Facts about this machine.
pub(super) fn facts(version: &str) -> SatelliteFacts {
    let folders = folders();
    let tools: Vec<ToolReport> = TOOLS.iter().map(|tool| look(tool, &folders)).collect();
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
        LayerKind::Nvme => &["NVME"],
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

fn look(tool: &Tool, folders: &[PathBuf]) -> ToolReport {
    let mut reasons: Vec<String> = tool
        .signs
        .iter()
        .filter_map(|sign| match sign {
            Program(name) => (!is_installed(name, folders)).then(|| format!("the program {name} is not installed")),
            Kernel(paths) => (!paths.iter().any(|path| Path::new(path).exists()))
                .then(|| format!("the kernel has no {}", paths.join(" or "))),
        })
        .collect();
    let version = tool.version.and_then(|path| std::fs::read_to_string(path).ok());
    let version = version.map(|text| text.trim().to_owned());
    if tool.name == "DRBD9_KERNEL" {
        reasons.extend(version.as_deref().and_then(too_old));
    }
    ToolReport { name: tool.name.to_owned(), version: version.filter(|_| reasons.is_empty()), reasons }
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
        let tools = vec![report("LOSETUP", &[]), report("LVM", &["no lvm"])];
        let facts = assemble("1", String::new(), tools);
        let built = driver::BUILT.iter().copied().filter(|kind| *kind != ProviderKind::Lvm);
        assert_eq!(facts.providers, built.collect::<Vec<_>>());
        assert_eq!(facts.layers, [LayerKind::Storage]);
        assert_eq!(facts.providers.len() + facts.unsupported_providers.len(), ProviderKind::ALL.len());
        assert_eq!(facts.layers.len() + facts.unsupported_layers.len(), LayerKind::ALL.len());
        let lvm = facts.unsupported_providers.iter().find(|(kind, _)| *kind == ProviderKind::Lvm);
        assert_eq!(lvm.expect("unsupported").1.first().map(String::as_str), Some("no lvm"));
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
        let zfs = look(&tool("ZFS_UTILS", &[Program("zfs")]), &folders);
        assert_eq!(zfs.reasons, ["the program zfs is not installed"]);
    }

    #[test]
    fn old_drbd() {
        assert_eq!(too_old("9.2.16"), None);
        assert!(too_old("8.4.11").expect("old").contains("8.4.11"));
    }
}
