//! Names, words of kinds, UUIDs and numbers of volumes. What is taken comes back as it was written, means the same in
//! another case of letters, compares as its key does, and can neither leave a folder nor be taken for an option.
#![no_main]

use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;
use zea::model::kinds::{
    DefinitionFlags, EncryptionKind, LayerKind, NodeFlags, NodeKind, ProviderKind, ResourceFlags, SnapshotFlags,
    VolumeDefinitionFlags, VolumeFlags, VolumeGroupFlags,
};
use zea::model::moment::Uuid;
use zea::model::names::{
    GroupName, KvsName, NetIfName, NodeName, PoolName, RscName, SharedSpaceName, SnapName, VolumeNumber,
};

/// Longest text of a refusal: it repeats 64 characters of what it refuses.
const MAX_REFUSAL_BYTES: usize = 64 * 4 + 256;

macro_rules! names {
    ($a:ident, $b:ident: $($ty:ident)*) => {$(
        match $ty::parse($a) {
            Err(error) => assert!(error.to_string().len() <= MAX_REFUSAL_BYTES, "{error}"),
            Ok(name) => {
                assert_eq!(name.as_str(), $a);
                assert!(is_harmless($a), "{} {:?}", stringify!($ty), $a);
                let key = $ty::parse(&name.key()).expect("a key is a name too");
                assert!(key == name && key.key() == name.key(), "{name} and its key are one");
                zea_fuzz::prints_the_same(&name);
                if let Ok(other) = $ty::parse($b) {
                    assert_eq!(name == other, name.key() == other.key(), "{name} {other}");
                    assert_eq!(name.cmp(&other), name.key().cmp(&other.key()), "{name} {other}");
                }
            }
        }
    )*};
}

macro_rules! words {
    ($a:ident: $($ty:ident)*) => {$(
        if let Some(kind) = $ty::parse($a) {
            assert_eq!($ty::parse(&$a.to_ascii_lowercase()), Some(kind));
            zea_fuzz::prints_the_same(&kind);
        }
    )*};
}

/// One part of a path, and no option of a command.
fn is_harmless(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
        && !name.starts_with('-')
        && !name.contains(|c: char| c.is_whitespace() || c.is_control())
}

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    let (a, b) = zea_fuzz::first_line(text);
    names!(a, b: NodeName NetIfName PoolName SharedSpaceName RscName GroupName SnapName KvsName);
    words!(a: NodeKind ProviderKind LayerKind EncryptionKind NodeFlags DefinitionFlags VolumeDefinitionFlags);
    words!(a: VolumeGroupFlags ResourceFlags VolumeFlags SnapshotFlags);
    if let Ok(uuid) = a.parse::<Uuid>() {
        assert!(uuid.to_string().eq_ignore_ascii_case(a), "{a} is taken for {uuid}");
    }
    if let Ok(number) = a.parse().map_err(|_| ()).and_then(|number| VolumeNumber::new(number).map_err(|_| ())) {
        assert!(number.get() <= VolumeNumber::MAX);
        zea_fuzz::prints_the_same(&number);
    }
});
