//! The command lines of LVM (facts: `satellite.md` §1.4, §1.5), each with its filter. Runs nothing.

use std::path::Path;

use crate::model::size::{Kib, split_options};
use crate::protocols::lvm::{DISK_COLUMNS, FORMAT, GROUP_COLUMNS, TIME_CONFIG, VOLUME_COLUMNS};
use crate::storage::exec::CommandLine;

/// Devices that LVM never looks at when it looks for disks: those that stand on volumes, and may be suspended.
const NEVER_SCANNED: [&str; 3] = ["^/dev/drbd.*", "^/dev/mapper/Linstor-Crypt-.*", "^/dev/mapper/linstor_.*"];
/// Where udev's daemon listens.
const UDEV_SOCKET: &str = "/run/udev/control";
/// Variables that say that this is a container: its udev is another's, whose semaphores it does not see.
const CONTAINER_VARIABLES: [&str; 2] = ["container", "KUBERNETES_SERVICE_HOST"];

/// Who makes device nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nodes {
    /// udev's daemon.
    Udev,
    /// LVM itself.
    Lvm,
}

impl Nodes {
    /// As it is on this machine.
    pub(super) fn here() -> Self {
        let contained = CONTAINER_VARIABLES.iter().any(|name| std::env::var_os(name).is_some());
        if Path::new(UDEV_SOCKET).exists() && !contained { Self::Udev } else { Self::Lvm }
    }
}

/// A part of LVM's configuration that a command gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config(String);

impl Config {
    /// Only these disks.
    pub(super) fn of_disks<'a>(disks: impl IntoIterator<Item = &'a String>, nodes: Nodes) -> Self {
        let mut patterns: Vec<String> = disks.into_iter().map(|disk| format!("a|^{}$|", escaped(disk))).collect();
        patterns.push("r|.*|".to_owned());
        Self::filtered(&patterns, nodes)
    }

    /// All disks but those that are never looked at. No entry accepts: it would take a forbidden one by another name.
    pub(super) fn of_machine(nodes: Nodes) -> Self {
        let patterns: Vec<String> = NEVER_SCANNED.iter().map(|pattern| format!("r|{pattern}|")).collect();
        Self::filtered(&patterns, nodes)
    }

    fn filtered(patterns: &[String], nodes: Nodes) -> Self {
        let quoted: Vec<String> = patterns.iter().map(|pattern| quoted(pattern)).collect();
        // A devices file would take the filter's place.
        let mut text = format!("devices{{filter=[{}] use_devicesfile=0}}", quoted.join(","));
        if nodes == Nodes::Lvm {
            text.push_str(" activation{udev_sync=0 udev_rules=0 monitoring=0}");
        }
        Self(text)
    }

    /// With more; what stands in both keeps its first value.
    fn and(&self, more: &str) -> Self {
        Self(format!("{} {more}", self.0))
    }
}

/// As a pattern that fits nothing else.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if r"\.+*?^$()[]{}|".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// As a string of LVM's configuration.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn line<'a>(program: &str, config: &Config, args: impl IntoIterator<Item = &'a str>) -> CommandLine {
    let head = ["--config".to_owned(), config.0.clone()];
    CommandLine::new(program, head.into_iter().chain(args.into_iter().map(str::to_owned)))
}

/// Options of `lvcreate` that a property gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    args: Vec<String>,
    config: Vec<String>,
}

impl Options {
    /// Splits like a shell. Configuration goes into the one that every command has, for there can be only one.
    pub(super) fn parse(text: &str) -> Self {
        let mut options = Self::default();
        let mut words = split_options(text).into_iter();
        while let Some(word) = words.next() {
            if word == "--config" {
                options.config.extend(words.next());
            } else if let Some(config) = word.strip_prefix("--config=") {
                options.config.push(config.to_owned());
            } else {
                options.args.push(word);
            }
        }
        options
    }

    fn with(&self, config: &Config) -> Config {
        self.config.iter().fold(config.clone(), |config, more| config.and(more))
    }

    fn args(&self) -> impl Iterator<Item = &str> {
        self.args.iter().map(String::as_str)
    }
}

/// Volumes of whole groups, or of `group/volume` names.
pub(super) fn list(config: &Config, names: &[String]) -> CommandLine {
    let columns = ["-o", VOLUME_COLUMNS];
    let args = columns.into_iter().chain(FORMAT).chain(names.iter().map(String::as_str));
    line("lvs", &config.and(TIME_CONFIG), args)
}

/// Groups.
pub(super) fn groups(config: &Config, names: &[String]) -> CommandLine {
    let columns = ["-o", GROUP_COLUMNS];
    line("vgs", config, columns.into_iter().chain(FORMAT).chain(names.iter().map(String::as_str)))
}

/// All disks of the machine with their groups.
pub(super) fn disks(nodes: Nodes) -> CommandLine {
    line("pvs", &Config::of_machine(nodes), ["-o", DISK_COLUMNS, "--separator", ";", "--noheadings"])
}

/// Disks of a group in the order in which new volumes take them, by the property's options.
pub(super) fn disks_in_order(config: &Config, group: &str, selection: &Options) -> CommandLine {
    let select = format!("vg_name={group}");
    let args = selection.args().chain(["-o", DISK_COLUMNS, "-S", &select, "--separator", ";", "--noheadings"]);
    line("pvs", config, args.collect::<Vec<_>>())
}

/// What a new volume is called and carries.
#[derive(Debug, Clone, Copy)]
pub(super) struct New<'a> {
    pub(super) group: &'a str,
    pub(super) name: &'a str,
    pub(super) tags: &'a [&'a str],
    pub(super) options: &'a Options,
}

impl New<'_> {
    fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().flat_map(|tag| ["--addtag", *tag])
    }
}

/// A volume with extents of its own, on these disks or wherever there is room.
pub(super) fn create_thick(config: &Config, new: New<'_>, size: Kib, disks: &[String]) -> CommandLine {
    let size = format!("{}k", size.0);
    let head = ["--size", &size, new.group, "-n", new.name, "-y"];
    let args = head.into_iter().chain(new.tags()).chain(new.options.args()).chain(disks.iter().map(String::as_str));
    line("lvcreate", &new.options.with(config), args)
}

/// A volume in a thin pool.
pub(super) fn create_thin(config: &Config, new: New<'_>, size: Kib, pool: &str) -> CommandLine {
    let size = format!("{}k", size.0);
    let head = ["--virtualsize", &size, new.group, "--thinpool", pool, "--name", new.name, "-y"];
    line("lvcreate", &new.options.with(config), head.into_iter().chain(new.tags()).chain(new.options.args()))
}

/// A read-only snapshot; of a thick volume with so many extents of its own.
pub(super) fn snapshot(config: &Config, new: New<'_>, of: &str, own: Option<Kib>) -> CommandLine {
    let origin = format!("{}/{of}", new.group);
    let size = own.map(|size| format!("{}k", size.0));
    let sized = size.iter().flat_map(|size| ["--size", size.as_str()]);
    let skip = ["--setactivationskip", "y", "--ignoreactivationskip", "--activate", "y", "--name", new.name, &origin];
    let args = sized.chain(["--snapshot"]).chain(skip).chain(new.tags()).chain(new.options.args()).chain(["-pr", "-y"]);
    line("lvcreate", &new.options.with(config), args)
}

/// A writable thin volume with the content of a snapshot, without the flag that keeps snapshots from being activated.
pub(super) fn restore_thin(config: &Config, new: New<'_>, of: &str) -> CommandLine {
    let origin = format!("{}/{of}", new.group);
    let head = ["--snapshot", "--setactivationskip", "n", "--activate", "y", "--name", new.name, &origin];
    let args = head.into_iter().chain(new.tags()).chain(new.options.args()).chain(["-prw", "-y"]);
    line("lvcreate", &new.options.with(config), args)
}

/// Gives a volume another size, smaller or larger.
pub(super) fn resize(config: &Config, volume: &str, size: Kib) -> CommandLine {
    line("lvresize", config, ["--size", &format!("{}k", size.0), volume, "-f"])
}

/// Removes a volume.
pub(super) fn remove(config: &Config, volume: &str) -> CommandLine {
    line("lvremove", config, ["-f", volume])
}

/// Renames a volume.
pub(super) fn rename(config: &Config, group: &str, (from, to): (&str, &str)) -> CommandLine {
    line("lvrename", config, [group, from, to])
}

/// Makes a volume's device, whatever flag keeps it from being activated.
pub(super) fn activate(config: &Config, volume: &str) -> CommandLine {
    line("lvchange", config, ["-ay", "-K", "-y", volume])
}

/// Removes a volume's device.
pub(super) fn deactivate(config: &Config, volume: &str) -> CommandLine {
    line("lvchange", config, ["-an", "-y", volume])
}

/// Loads a volume's device anew.
pub(super) fn refresh(config: &Config, volume: &str) -> CommandLine {
    line("lvchange", config, ["--refresh", volume])
}

/// Makes nodes of a device that are missing.
pub(super) fn make_nodes(config: &Config, volume: &str) -> CommandLine {
    line("vgmknodes", config, [volume])
}

/// Adds tags to a volume.
pub(super) fn tag(config: &Config, volume: &str, tags: &[&str]) -> CommandLine {
    let args = tags.iter().flat_map(|tag| ["--addtag", *tag]).chain([volume]);
    line("lvchange", config, args.collect::<Vec<_>>())
}

/// Makes a copy of a snapshot's content what a snapshot is: read-only, and activated by nobody.
pub(super) fn seal(config: &Config, volume: &str, tags: &[&str]) -> CommandLine {
    let tags = tags.iter().flat_map(|tag| ["--addtag", *tag]);
    let args = ["-pr", "--setactivationskip", "y"].into_iter().chain(tags).chain([volume]);
    line("lvchange", config, args.collect::<Vec<_>>())
}

/// Changes a group's tags.
pub(super) fn tag_group(config: &Config, group: &str, (gone, new): (&[String], Option<&str>)) -> CommandLine {
    let gone = gone.iter().flat_map(|tag| ["--deltag", tag.as_str()]);
    let args = gone.chain(new.iter().flat_map(|tag| ["--addtag", *tag])).chain([group]);
    line("vgchange", config, args.collect::<Vec<_>>())
}

/// Lets a thin pool zero what it gives out.
pub(super) fn zero(config: &Config, pool: &str) -> CommandLine {
    line("lvchange", config, ["--zero", "y", pool])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTER: &str = r#"devices{filter=["a|^/dev/sda1$|","r|.*|"] use_devicesfile=0}"#;

    fn config() -> Config {
        Config::of_disks(&["/dev/sda1".to_owned()], Nodes::Udev)
    }

    fn new<'a>(name: &'a str, options: &'a Options) -> New<'a> {
        New { group: "vg", name, tags: &["zea.volume.00000007"], options }
    }

    /// Without the configuration, which all have.
    fn shown(line: &CommandLine) -> String {
        assert_eq!(line.args[0], "--config");
        format!("{} {}", line.program, line.args[2..].join(" "))
    }

    #[test]
    fn golden_lines() {
        let (config, none, two) = (config(), Options::default(), Options::parse("-i 2 -I64"));
        let disks = ["/dev/sdb".to_owned(), "/dev/sda1".to_owned()];
        let web = "vg/web_00000";
        let table = [
            (
                create_thick(&config, new("web_00000", &two), Kib(102_400), &disks),
                "lvcreate --size 102400k vg -n web_00000 -y --addtag zea.volume.00000007 -i 2 -I64 /dev/sdb /dev/sda1",
            ),
            (
                create_thin(&config, new("web_00000", &none), Kib(102_400), "thin"),
                "lvcreate --virtualsize 102400k vg --thinpool thin --name web_00000 -y --addtag zea.volume.00000007",
            ),
            (
                snapshot(&config, new("web_00000_s", &none), "web_00000", None),
                "lvcreate --snapshot --setactivationskip y --ignoreactivationskip --activate y --name web_00000_s \
                 vg/web_00000 --addtag zea.volume.00000007 -pr -y",
            ),
            (
                snapshot(&config, new("web_00000_s", &two), "web_00000", Some(Kib(8))),
                "lvcreate --size 8k --snapshot --setactivationskip y --ignoreactivationskip --activate y --name \
                 web_00000_s vg/web_00000 --addtag zea.volume.00000007 -i 2 -I64 -pr -y",
            ),
            (
                restore_thin(&config, new("copy_00000", &none), "web_00000_s"),
                "lvcreate --snapshot --setactivationskip n --activate y --name copy_00000 vg/web_00000_s --addtag \
                 zea.volume.00000007 -prw -y",
            ),
            (resize(&config, web, Kib(5)), "lvresize --size 5k vg/web_00000 -f"),
            (remove(&config, web), "lvremove -f vg/web_00000"),
            (rename(&config, "vg", ("a", "b")), "lvrename vg a b"),
            (activate(&config, web), "lvchange -ay -K -y vg/web_00000"),
            (deactivate(&config, web), "lvchange -an -y vg/web_00000"),
            (refresh(&config, web), "lvchange --refresh vg/web_00000"),
            (make_nodes(&config, web), "vgmknodes vg/web_00000"),
            (tag(&config, web, &["a", "b"]), "lvchange --addtag a --addtag b vg/web_00000"),
            (seal(&config, web, &["a"]), "lvchange -pr --setactivationskip y --addtag a vg/web_00000"),
            (tag_group(&config, "vg", (&["x".to_owned()], Some("y"))), "vgchange --deltag x --addtag y vg"),
            (zero(&config, "vg/thin"), "lvchange --zero y vg/thin"),
            (
                disks_in_order(&config, "vg", &Options::parse("--sort pv_used")),
                "pvs --sort pv_used -o pv_name,vg_name -S vg_name=vg --separator ; --noheadings",
            ),
        ];
        for (line, wanted) in table {
            assert_eq!(shown(&line), wanted);
            assert_eq!(line.args[1], FILTER, "always with its filter");
        }
    }

    #[test]
    fn lists_have_their_columns_and_filter() {
        let line = list(&config(), &["vg".to_owned(), "other".to_owned()]);
        assert_eq!(line.args[1], format!("{FILTER} {TIME_CONFIG}"));
        assert!(shown(&line).starts_with("lvs -o vg_name,lv_name,"), "{line}");
        assert!(shown(&line).ends_with("--separator ; --units b --noheadings --nosuffix vg other"), "{line}");
        assert!(
            shown(&groups(&config(), &["vg".to_owned()]))
                .ends_with("vg_tags --separator ; --units b --noheadings --nosuffix vg")
        );
    }

    #[test]
    fn looking_for_disks_never_looks_at_what_stands_on_volumes() {
        let line = disks(Nodes::Lvm);
        let filter = &line.args[1];
        assert!(filter.contains(r#""r|^/dev/drbd.*|""#) && !filter.contains("\"a|"), "{filter}");
        assert!(filter.contains("udev_sync=0 udev_rules=0 monitoring=0"), "{filter}");
        assert_eq!(shown(&line), "pvs -o pv_name,vg_name --separator ; --noheadings");
    }

    #[test]
    fn odd_names_of_disks_stay_themselves() {
        let config = Config::of_disks(&["/dev/disk/by-id/a.b+c\"d".to_owned()], Nodes::Udev);
        assert!(config.0.contains(r#""a|^/dev/disk/by-id/a\\.b\\+c\"d$|""#), "{}", config.0);
    }

    #[test]
    fn configuration_among_the_options_joins_the_other() {
        for text in ["-W n --config 'a{b=1}'", "--config=a{b=1} -W n"] {
            let options = Options::parse(text);
            let line = create_thin(&config(), new("x", &options), Kib(4), "thin");
            assert_eq!(line.args[1], format!("{FILTER} a{{b=1}}"));
            assert!(shown(&line).ends_with("-W n") && line.args.iter().filter(|arg| *arg == "--config").count() == 1);
        }
    }
}
