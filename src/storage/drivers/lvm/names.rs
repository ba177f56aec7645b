//! Names and tags that the driver gives, beside LINSTOR's names of volumes and snapshots. Runs nothing.
//!
//! What is not complete is called `.new_<name>`; it is renamed when it is. A volume that is to be removed while snapshots
//! still need its extents is called `.old_<number>_<name>` and has a tag, too. So no name of a volume or snapshot is ever
//! given to something half made.

use crate::protocols::lvm::Volume;
use crate::storage::driver::Owner;

/// A snapshot's part.
pub(super) const SNAPSHOT: &str = "zea.snapshot";
/// What is under a `.new_` name and is complete: the volume of that name, when there is none.
pub(super) const COMPLETE: &str = "zea.complete";
/// A volume that is gone for its user and lives on for its snapshots.
pub(super) const REMAINS: &str = "zea.remains";
/// Begin of the tag that says whose a volume is.
const VOLUME: &str = "zea.volume.";
/// Begin of the tag that says when a snapshot was taken, in seconds since the epoch, where the volume itself is younger.
const TAKEN: &str = "zea.taken.";
/// Begin of the tag of a group that remembers a rollback.
const ROLLBACK: &str = "zea.rollback:";
/// Begin of the name of what is not in place yet.
pub(super) const NEW: &str = ".new_";
/// Begin of the name of remains.
const OLD: &str = ".old_";
/// Characters of an identity that make names of remains differ.
const OLD_CHARS: usize = 8;

/// The tag that says whose a volume is.
pub(super) fn owner_tag(owner: Owner) -> String {
    format!("{VOLUME}{owner}")
}

/// Whether a volume was made by this project at all.
pub(super) fn is_ours(volume: &Volume) -> bool {
    volume.tags.iter().any(|tag| tag.starts_with(VOLUME) || tag == SNAPSHOT)
}

/// Name of something until it is in place.
pub(super) fn staged(name: &str) -> String {
    format!("{NEW}{name}")
}

/// Whether a name is one of [`staged`].
pub(super) fn is_staged(name: &str) -> bool {
    name.starts_with(NEW)
}

/// Name of a volume's remains.
pub(super) fn remains(name: &str, volume: &Volume) -> String {
    let number: String = volume.uuid.chars().take(OLD_CHARS).collect();
    format!("{OLD}{number}_{name}")
}

/// Whether a volume lives on for its snapshots only.
pub(super) fn is_remains(name: &str, volume: &Volume) -> bool {
    name.starts_with(OLD) && volume.has_tag(REMAINS)
}

/// The tag that says when a snapshot was taken.
pub(super) fn taken_tag(seconds: i64) -> String {
    format!("{TAKEN}{seconds}")
}

/// When a snapshot was taken, in seconds since the epoch.
pub(super) fn taken_s(volume: &Volume) -> Option<i64> {
    let told = volume.tags.iter().find_map(|tag| tag.strip_prefix(TAKEN)?.parse().ok());
    told.or(volume.made_s)
}

/// The tag of a group that remembers a rollback of a resource.
pub(super) fn rollback_tag(rsc: &str, token: &str) -> String {
    format!("{ROLLBACK}{rsc}:{token}")
}

/// The token of a tag that remembers a rollback of a resource, whatever the case of its name.
pub(super) fn rollback_token<'a>(tag: &'a str, rsc: &str) -> Option<&'a str> {
    let (of, token) = tag.strip_prefix(ROLLBACK)?.split_once(':')?;
    of.eq_ignore_ascii_case(rsc).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::lvm::parse_volumes;

    fn volume(tags: &str) -> Volume {
        let line = format!("vg;a;4096;-wi-a-----;;;;;0;1;100;abcd-efghij;{tags};v;4096;4096;0;wz--n-;0;");
        parse_volumes(&line).expect("readable").remove("vg").expect("listed").volumes.remove("a").expect("listed")
    }

    #[test]
    fn names_and_tags() {
        let owner = Owner::of(&crate::model::conduct::tests::desired("web", 7 << 32));
        assert_eq!(owner_tag(owner), "zea.volume.00000007");
        assert!(
            is_ours(&volume("x,zea.volume.00000007")) && is_ours(&volume("zea.snapshot")) && !is_ours(&volume("x"))
        );
        assert_eq!(staged("web_00000"), ".new_web_00000");
        let old = remains("web_00000", &volume(""));
        assert_eq!(old, ".old_abcdefgh_web_00000");
        assert!(is_remains(&old, &volume("zea.remains")) && !is_remains(&old, &volume("")));
        assert!(is_staged(".new_x") && !is_staged("new_x"));
    }

    #[test]
    fn when_a_snapshot_was_taken() {
        assert_eq!(taken_s(&volume("")), Some(100));
        assert_eq!(taken_s(&volume(&taken_tag(50))), Some(50));
    }

    #[test]
    fn rollbacks_by_resource() {
        let tag = rollback_tag("Web", "0123-45");
        assert_eq!(rollback_token(&tag, "web"), Some("0123-45"));
        assert_eq!(rollback_token(&tag, "we"), None);
        assert_eq!(rollback_token("other", "web"), None);
    }
}
