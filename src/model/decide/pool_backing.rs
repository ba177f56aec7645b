//! Where a pool's volumes are: folder, volume group, thin pool or zpool. Judges the form and that no two pools of a node
//! name the same; never whether it exists, which the satellite tells.

use crate::model::code::*;
use crate::model::kinds::ProviderKind;
use crate::model::node::{BACKING_PROP, Node, StoragePool};
use crate::model::props::PropsModify;
use crate::model::refusal::Refusal;

/// Older keys, one for each kind, that mean [`BACKING_PROP`].
const OLD_KEYS: [&str; 4] = ["StorDriver/ZPool", "StorDriver/ZPoolThin", "StorDriver/FileDir", "StorDriver/LvmVg"];
/// The thin pool, beside its volume group in `StorDriver/LvmVg`.
const OLD_THIN_KEY: &str = "StorDriver/ThinPool";

/// Folds the older keys into [`BACKING_PROP`]; what is given under that name itself goes before.
pub(super) fn fold(request: &PropsModify) -> PropsModify {
    let mut request = request.clone();
    let props = &mut request.override_props;
    let old: Vec<String> = OLD_KEYS.iter().filter_map(|key| props.remove(*key)).collect();
    let thin = props.remove(OLD_THIN_KEY);
    let backing = match (old.into_iter().next(), thin) {
        (Some(group), Some(thin)) if !thin.contains('/') => Some(format!("{group}/{thin}")),
        (group, thin) => thin.or(group),
    };
    if let Some(backing) = backing {
        props.entry(BACKING_PROP.to_owned()).or_insert(backing);
    }
    request
}

/// Judges the backing of a pool that is to be made or changed.
///
/// # Errors
/// It is missing, of the wrong form for the pool's kind, or taken by another pool of the node.
pub(super) fn check(node: &Node, pool: &StoragePool) -> Result<(), Refusal> {
    if !pool.provider.needs_backing() {
        return Ok(());
    }
    let backing = pool.backing();
    let (fits, form) = form(pool.provider, backing);
    if backing.is_empty() {
        return Err(Refusal::new(FAIL_MISSING_PROPS, format!("Storage pool '{}' has no {BACKING_PROP}", pool.name))
            .because(format!("The volumes of a {} pool need a place", pool.provider))
            .cure(format!("Set {BACKING_PROP} to {form}"))
            .about("StorPool", &pool.name));
    }
    if !fits {
        return Err(Refusal::new(
            FAIL_STOR_POOL_CONFIGURATION_ERROR,
            format!("'{backing}' is no place for a {} pool", pool.provider),
        )
        .because(format!("{BACKING_PROP} of such a pool is {form}"))
        .cure(format!("Set {BACKING_PROP} to {form}"))
        .about("StorPool", &pool.name));
    }
    refuse_taken(node, pool)
}

/// Whether the text has the form that the kind wants, and that form in words.
fn form(kind: ProviderKind, backing: &str) -> (bool, &'static str) {
    use ProviderKind as P;
    let parts: Vec<&str> = backing.split('/').collect();
    let full = parts.iter().all(|part| !part.is_empty());
    match kind {
        P::File | P::FileThin => {
            let climbs = parts.contains(&"..");
            (backing.starts_with('/') && !climbs && canonical(backing) != "/", "the absolute path of a folder")
        }
        P::Lvm => (full && parts.len() == 1, "the name of a volume group"),
        P::LvmThin => (full && parts.len() == 2, "<volume group>/<thin pool>"),
        P::Zfs | P::ZfsThin => (full, "the name of a zpool or data set"),
        _ => (full, "the name of the pool in its storage"),
    }
}

fn refuse_taken(node: &Node, pool: &StoragePool) -> Result<(), Refusal> {
    let place = canonical(pool.backing());
    let same = |other: &&StoragePool| {
        let kinds = family(other.provider) == family(pool.provider);
        other.name != pool.name && kinds && canonical(other.backing()) == place
    };
    match node.pools.values().find(same) {
        None => Ok(()),
        Some(other) => Err(Refusal::new(
            FAIL_STOR_POOL_CONFIGURATION_ERROR,
            format!("Storage pool '{}' of node '{}' has its volumes in '{place}' already", other.name, node.name),
        )
        .because("Two pools in one place would count its room twice and take each other's volumes")
        .cure("Use the pool that is there, or give this one a place of its own")
        .about("Node", &node.name)
        .about("StorPool", &other.name)),
    }
}

/// Kinds that name places in the same way.
fn family(kind: ProviderKind) -> ProviderKind {
    match kind {
        ProviderKind::FileThin => ProviderKind::File,
        ProviderKind::ZfsThin => ProviderKind::Zfs,
        ProviderKind::StorageSpacesThin => ProviderKind::StorageSpaces,
        other => other,
    }
}

/// The same place, written in one way: no doubled slash, no `.`, none at the end.
fn canonical(backing: &str) -> String {
    let root = if backing.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = backing.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProviderKind as P;

    #[test]
    fn each_kind_has_its_form() {
        for (kind, backing, fits) in [
            (P::FileThin, "/var/lib/pool", true),
            (P::FileThin, "var/lib/pool", false),
            (P::File, "/", false),
            (P::File, "//", false),
            (P::File, "/a/../b", false),
            (P::Lvm, "vg", true),
            (P::Lvm, "vg/thin", false),
            (P::LvmThin, "vg/thin", true),
            (P::LvmThin, "vg", false),
            (P::LvmThin, "vg/", false),
            (P::LvmThin, "vg/a/b", false),
            (P::Zfs, "tank", true),
            (P::ZfsThin, "tank/set/sub", true),
            (P::Zfs, "/tank", false),
        ] {
            assert_eq!(form(kind, backing).0, fits, "{kind} {backing}");
        }
    }

    #[test]
    fn older_keys_are_folded() {
        let request = |pairs: &[(&str, &str)]| PropsModify {
            override_props: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..PropsModify::default()
        };
        for (given, folded) in [
            (&[("StorDriver/LvmVg", "vg")][..], &[(BACKING_PROP, "vg")][..]),
            (&[("StorDriver/LvmVg", "vg"), ("StorDriver/ThinPool", "t")], &[(BACKING_PROP, "vg/t")]),
            (&[("StorDriver/ThinPool", "vg/t")], &[(BACKING_PROP, "vg/t")]),
            (&[("StorDriver/ZPool", "tank")], &[(BACKING_PROP, "tank")]),
            (&[("StorDriver/ZPoolThin", "tank")], &[(BACKING_PROP, "tank")]),
            (&[("StorDriver/FileDir", "/a"), (BACKING_PROP, "/b")], &[(BACKING_PROP, "/b")]),
            (&[("Aux/a", "1")], &[("Aux/a", "1")]),
        ] {
            assert_eq!(fold(&request(given)), request(folded), "{given:?}");
        }
    }

    #[test]
    fn one_place_is_written_in_many_ways() {
        assert_eq!(canonical("/a//b/./"), canonical("/a/b"));
        assert_ne!(canonical("/a"), canonical("a"));
    }
}
