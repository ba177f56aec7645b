//! Which kinds of pool may stand beside one another in one resource.

use super::request::Request;
use super::standing::StandingReplica;
use crate::model::kinds::ProviderKind;
use crate::model::names::NodeName;
use crate::model::observed::NodeStatus;

/// The property that allows mixing (definition, group, controller).
pub(super) const ALLOW_MIXING: &str = "AllowMixingStoragePoolDriver";
/// The tool under which satellites report DRBD's kernel module.
const DRBD_TOOL: &str = "DRBD9_KERNEL";
/// First version of DRBD 9.1 that copes with mixed kinds.
const DRBD_91: (u32, u32, u32) = (9, 1, 18);
/// First version after 9.1 that does.
const DRBD_92: (u32, u32, u32) = (9, 2, 7);

/// A pool, as far as mixing minds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mixable {
    pub(super) provider: ProviderKind,
    /// Its node's DRBD copes with mixed kinds.
    pub(super) copes: bool,
}

/// Whether the property allows more than what always goes.
pub(super) fn allowed(request: &Request, standing: &[StandingReplica]) -> bool {
    let on = request.inherited(ALLOW_MIXING).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let status =
        |replica: &StandingReplica| copes(request.cluster.node_status.get(&replica.node.name).map(AsRef::as_ref));
    on && standing.iter().all(status)
}

/// Whether replicas on the two may be beside one another.
pub(super) fn may_mix(a: Mixable, b: Mixable) -> bool {
    a.provider.mixes_with(b.provider) || (a.copes && b.copes && is_block(a.provider) && is_block(b.provider))
}

/// A number that is equal exactly for kinds that go together, where mixing is an equivalence; `None` where it is not.
pub(super) fn family(provider: ProviderKind) -> Option<u8> {
    use ProviderKind as P;
    match provider {
        P::StorageSpaces | P::StorageSpacesThin => None,
        P::Diskless => Some(0),
        P::Lvm => Some(1),
        P::LvmThin => Some(2),
        P::Zfs | P::ZfsThin => Some(3),
        P::File | P::FileThin => Some(4),
        P::Spdk => Some(5),
        P::RemoteSpdk => Some(6),
        P::EbsInit | P::EbsTarget => Some(7),
    }
}

/// Whether a node's DRBD copes with mixed kinds.
pub(super) fn copes(status: Option<&NodeStatus>) -> bool {
    let facts = status.and_then(|status| status.facts.as_deref());
    let mut tools = facts.into_iter().flat_map(|facts| &facts.tools);
    let drbd = tools.find(|tool| tool.name == DRBD_TOOL);
    let version = drbd.and_then(|tool| version(tool.version.as_deref()?));
    version.is_some_and(|version| version >= DRBD_92 || (version >= DRBD_91 && version < (9, 2, 0)))
}

fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.trim().split(['.', '-', '+', '~']).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

fn is_block(provider: ProviderKind) -> bool {
    use ProviderKind as P;
    matches!(provider, P::Lvm | P::LvmThin | P::Zfs | P::ZfsThin)
}

/// Why two pools do not go together, if so.
pub(super) fn reason(has: ProviderKind, node: &NodeName, other: ProviderKind) -> super::Reason {
    super::Reason::MixesProviders { has, node: node.clone(), other }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Candidates of different families are never looked at together.
    #[test]
    fn families_part_what_may_not_stand_together_and_nothing_else() {
        let with_disk = || ProviderKind::ALL.iter().filter(|kind| **kind != ProviderKind::Diskless);
        for a in with_disk() {
            for b in with_disk() {
                if let (Some(one), Some(other)) = (family(*a), family(*b)) {
                    assert_eq!(one == other, a.mixes_with(*b), "{a} {b}");
                }
            }
        }
        // Those that go with kinds of several families are in none.
        let without: Vec<_> = ProviderKind::ALL.iter().filter(|kind| family(**kind).is_none()).collect();
        assert_eq!(without, [&ProviderKind::StorageSpaces, &ProviderKind::StorageSpacesThin]);
    }

    #[test]
    fn versions() {
        for (text, read) in [
            ("9.2.7", Some((9, 2, 7))),
            (" 9.1.18-1.el9 ", Some((9, 1, 18))),
            ("9.2.7+b1", Some((9, 2, 7))),
            ("9.3.0~rc1", Some((9, 3, 0))),
            ("9.2", None),
            ("9.2.x", None),
            ("", None),
        ] {
            assert_eq!(version(text), read, "{text}");
        }
    }
}
