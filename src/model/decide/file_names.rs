//! Names of backing objects: a volume's is `<resource>_<volume, five digits>`, a snapshot's has `_<snapshot>` behind it.
//! Two names of the model could so mean one object on a disk: the later of the two is refused.

use super::draft::Draft;
use crate::model::code::{FAIL_EXISTS_RSC_DFN, FAIL_EXISTS_SNAPSHOT_DFN};
use crate::model::names::{RscName, SnapName};
use crate::model::refusal::Refusal;

/// Digits of a volume's number in a backing object's name, and the mark before them.
const SUFFIX: usize = 6;

/// Takes `_<five digits>` off the end of a text.
fn without_number(text: &str) -> Option<&str> {
    let at = text.len().checked_sub(SUFFIX)?;
    let (head, tail) = (text.get(..at)?, text.get(at..)?);
    let digits = tail.strip_prefix('_')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(head)
}

/// Refuses a snapshot whose object would have the name of another resource's volume.
pub(super) fn refuse_snapshot(draft: &Draft, rsc: &RscName, snapshot: &SnapName) -> Result<(), Refusal> {
    let definition = draft.cluster.definitions.get(rsc);
    for number in definition.into_iter().flat_map(|definition| definition.volumes.keys()) {
        let object = format!("{rsc}_{:05}_{snapshot}", number.get());
        let other = without_number(&object).and_then(|name| RscName::parse(name).ok());
        if let Some(other) = other.filter(|other| draft.cluster.definitions.contains_key(other)) {
            return Err(Refusal::new(
                FAIL_EXISTS_SNAPSHOT_DFN,
                format!("Snapshot '{snapshot}' of '{rsc}' cannot be named so"),
            )
            .because(format!("On disk it would be '{object}', the volume of resource '{other}'"))
            .cure("Choose another name"));
        }
    }
    Ok(())
}

/// Refuses a definition one of whose volumes would have the name of a snapshot's object.
pub(super) fn refuse_definition(draft: &Draft, name: &RscName) -> Result<(), Refusal> {
    let text = name.as_str();
    for (at, _) in text.match_indices('_') {
        let Some((rsc, rest)) = without_number(text.get(..at + SUFFIX).unwrap_or("")).zip(text.get(at + SUFFIX..))
        else {
            continue;
        };
        let Some(start) = rest.strip_prefix('_') else {
            continue;
        };
        let Ok(rsc) = RscName::parse(rsc) else {
            continue;
        };
        let meant = |snapshot: &str| without_number(snapshot).is_some_and(|head| head.eq_ignore_ascii_case(start));
        if let Some(found) = draft.cluster.snapshots_of(&rsc).find(|found| meant(found.key.name.as_str())) {
            return Err(Refusal::new(FAIL_EXISTS_RSC_DFN, format!("A resource definition cannot be named '{name}'"))
                .because(format!("On disk its volume would be snapshot '{}' of '{rsc}'", found.key.name))
                .cure("Choose another name"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::moment::{EpochMs, Moment};
    use crate::model::testkit::{cluster, rsc};

    fn snap(text: &str) -> SnapName {
        SnapName::parse(text).expect("legal")
    }

    fn draft(text: &str) -> Draft {
        Draft::new(&cluster(text), Moment::repeatable(EpochMs(0), 1))
    }

    #[test]
    fn a_snapshot_never_means_another_resources_volume() {
        let draft =
            draft("node alpha\npool alpha data FILE_THIN 90/100\nrsc web 10 alpha/data\nrsc web_00000_s 10 alpha/data");
        assert!(refuse_snapshot(&draft, &rsc("web"), &snap("s_00000")).is_err());
        for good in ["st", "s_0000", "s_000000", "t_00000", "s_0000x"] {
            assert!(refuse_snapshot(&draft, &rsc("web"), &snap(good)).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_definition_never_means_a_snapshot() {
        let draft =
            draft("node alpha\npool alpha data FILE_THIN 90/100\nrsc web 10 alpha/data\nsnap web s_00000 alpha/data");
        assert!(refuse_definition(&draft, &rsc("web_00000_s")).is_err());
        for good in ["web_00000", "web_00000_t", "web_0000_s", "other_00000_s", "web_00000_s_00000"] {
            assert!(refuse_definition(&draft, &rsc(good)).is_ok(), "{good}");
        }
    }
}
