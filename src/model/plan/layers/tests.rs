//! Every rule about layers as a row of a table: the stack, what was found of it, which steps follow.

use super::super::tests::{desired, nr, observed, said, snap, snapshot, volume};
use super::*;
use crate::model::desired::Rollback;
use crate::model::moment::Uuid;
use crate::model::plan::observed::{Extent, ObservedDevice, ObservedLeaf};
use crate::model::plan::plan;
use crate::model::report::Refused;
use crate::model::secret::Secret;
use LayerKind as L;

const HEADER: u64 = 16_384;
const GROSS: u64 = 1000 + HEADER;

fn known(previous: Option<&str>) -> Option<LuksKey> {
    Some(LuksKey::Known { passphrase: Secret::new("new"), previous: previous.map(Secret::new) })
}

fn web(layers: &[L], order: Order) -> DesiredResource {
    let mut web = desired(vec![volume(0, order)]);
    web.layers = layers.to_vec();
    web.volumes[0].luks = known(None);
    web
}

fn device(size: u64) -> Option<ObservedDevice> {
    Some(ObservedDevice { path: format!("/dev/of-{size}"), size: Kib(size) })
}

/// A volume of that gross size; each layer as `<size>`, `-` closed with its header, `blank`, `foreign` or `unknown`, with
/// `!` behind it when it is suspended.
fn found(storage: &str, layers: &[(Layer, &str)]) -> ObservedResource {
    let mut found = observed(&[(0, storage)]);
    let state = found.volumes.get_mut(&nr(0)).expect("there").as_mut().expect("seen");
    for (layer, text) in layers {
        let (text, suspended) = text.strip_suffix('!').map_or((*text, false), |text| (text, true));
        let own = Header::Own { offset: (layer.kind() == L::Luks).then_some(Kib(HEADER)) };
        let (device, header) = match text {
            "-" => (None, own),
            "blank" => (None, Header::Blank),
            "unknown" => (None, Header::Unknown),
            "foreign" => (None, Header::Foreign("xfs".to_owned())),
            size => (device(size.parse().expect("a size")), own),
        };
        state.layers.insert(*layer, ObservedLayer { device, suspended, header });
    }
    found
}

const LUKS: Layer = Layer::Luks(Leaf::Data);

#[test]
fn one_encrypted_volume() {
    use Order::{Keep, Make, Remove};
    let lost = "!its LUKS header is not there any more: there are zeros instead";
    let foreign = "!it holds xfs where its LUKS header should be";
    let there = format!("{GROSS}/{GROSS}");
    let table: &[(Order, bool, &str, &str, &str)] = &[
        // order, active, storage, layer, plan
        (Make, true, "-", "unknown", "create 0=17384, attach 0, format 0 luks, open 0 luks"),
        (Make, false, "-", "unknown", "create 0=17384"),
        (Make, true, "17384", "unknown", "attach 0, format 0 luks, open 0 luks"),
        (Keep, true, "17384", "unknown", "attach 0, open 0 luks"),
        (Make, true, &there, "blank", "format 0 luks, open 0 luks"),
        (Make, true, &there, "-", "open 0 luks"),
        (Make, true, &there, "foreign", foreign),
        (Keep, true, &there, "-", "open 0 luks"),
        (Keep, true, &there, "blank", lost),
        (Keep, true, &there, "foreign", foreign),
        (Keep, true, &there, "1000", ""),
        (Keep, true, &there, "1000!", "resume 0 luks"),
        (Keep, true, &there, "900", "resize 0 luks"),
        (Keep, true, "17000/17000", "616", "grow 0=17384, refresh 0, resize 0 luks"),
        (Keep, true, "17384/17000", "616", "refresh 0, resize 0 luks"),
        (Keep, false, &there, "1000", "unused 0, close 0 luks, detach 0"),
        (Keep, false, &there, "1000!", "resume 0 luks, unused 0, close 0 luks, detach 0"),
        (Keep, false, "17384", "unknown", ""),
        (Remove, true, &there, "1000", "unused 0, drop 0 luks, wipeheader 0 luks, detach 0, unlink 0"),
        (Remove, true, &there, "-", "unused 0, wipeheader 0 luks, detach 0, unlink 0"),
        (Remove, true, &there, "foreign", "unused 0, detach 0, unlink 0"),
        (Remove, true, "17384", "unknown", "unused 0, unlink 0"),
        (Remove, true, "-", "1000", "unused 0, drop 0 luks, wipeheader 0 luks"),
    ];
    for (order, active, storage, layer, wanted) in table {
        let mut web = web(&[L::Luks, L::Storage], *order);
        web.active = *active;
        let text = said(&web, &found(storage, &[(LUKS, layer)]));
        assert_eq!(text, *wanted, "{order:?} active={active} {storage} {layer}");
    }
}

#[test]
fn what_needs_the_key_waits_for_it_and_nothing_else_does() {
    use Order::{Keep, Make, Remove};
    let locked = "!its key is locked until the master passphrase is entered";
    let table: &[(Order, bool, &str, &str, String)] = &[
        (Make, true, "-", "unknown", locked.to_owned()),
        (Make, false, "-", "unknown", locked.to_owned()),
        (Keep, true, "17384/17384", "-", locked.to_owned()),
        (Keep, true, "17384", "unknown", format!("attach 0, {locked}")),
        (Keep, true, "17384/17384", "1000", String::new()),
        (Keep, false, "17384/17384", "1000", "unused 0, close 0 luks, detach 0".to_owned()),
        (Keep, true, "17000/17000", "616", format!("grow 0=17384, refresh 0, {locked}")),
        (Remove, true, "17384/17384", "-", "unused 0, wipeheader 0 luks, detach 0, unlink 0".to_owned()),
    ];
    for (order, active, storage, layer, wanted) in table {
        let mut web = web(&[L::Luks, L::Storage], *order);
        (web.active, web.volumes[0].luks) = (*active, Some(LuksKey::Locked));
        let seen = found(storage, &[(LUKS, layer)]);
        assert_eq!(said(&web, &seen), *wanted, "{order:?} {storage} {layer}");
        let problems = plan(&web, &seen).problems;
        let cured = problems.iter().all(|(_, problem)| problem.correction.contains("enter-passphrase"));
        assert!(cured, "{problems:?}");
    }
    let mut unset = web(&[L::Luks, L::Storage], Make);
    unset.volumes[0].luks = None;
    assert_eq!(said(&unset, &found("-", &[])), "!the controller has no key for it");
}

#[test]
fn what_comes_from_a_snapshot_is_never_given_a_header() {
    let mut web = web(&[L::Luks, L::Storage], Order::Make);
    web.volumes[0].origin = Origin::Snapshot { rsc: web.rsc.clone(), snapshot: snap("then"), volume: nr(0) };
    let mut absent = found("-", &[(LUKS, "unknown")]);
    absent.origins.insert(nr(0), Kib(20_000));
    assert_eq!(said(&web, &absent), "restore 0=20000 from web/then/0, attach 0, open 0 luks");
    web.volumes[0].luks = known(Some("of the origin"));
    assert_eq!(said(&web, &absent), "restore 0=20000 from web/then/0, attach 0, changekey 0 luks, open 0 luks");
    let blank = said(&web, &found("20000/20000", &[(LUKS, "blank")]));
    assert!(blank.starts_with("!its LUKS header is not there"), "{blank}");
}

#[test]
fn a_new_key_is_put_into_force_open_or_closed() {
    let table = [
        (true, "17384/17384", "1000", "changekey 0 luks"),
        (true, "17384/17384", "-", "changekey 0 luks, open 0 luks"),
        (false, "17384", "unknown", "attach 0, changekey 0 luks, detach 0"),
    ];
    for (active, storage, layer, wanted) in table {
        let mut web = web(&[L::Luks, L::Storage], Order::Keep);
        (web.active, web.volumes[0].luks) = (active, known(Some("old")));
        assert_eq!(said(&web, &found(storage, &[(LUKS, layer)])), wanted);
    }
}

#[test]
fn a_shrink_looks_through_the_layers_and_closes_them_first() {
    let table = [
        (
            "20000/20000",
            "3616",
            Some(900),
            true,
            "unused 0, close 0 luks, shrink 0=17384, refresh 0, open 0 luks",
            false,
        ),
        ("20000/20000", "3616", Some(1001), true, "!the ext4 on it needs 1001 KiB, and 1000 KiB would be left", true),
        ("20000/20000", "3616", None, true, "!up to where its data reaches cannot be told in this storage pool", true),
        (
            "20000/20000",
            "-",
            None,
            true,
            "open 0 luks, !its layers are not open, and its content can only be looked at through them",
            false,
        ),
        (
            "20000",
            "unknown",
            None,
            false,
            "!the resource is not active, so its layers are closed and its content cannot be looked at",
            true,
        ),
    ];
    for (storage, layer, needs, active, wanted, refused) in table {
        let mut web = web(&[L::Luks, L::Storage], Order::Keep);
        (web.active, web.volumes[0].shrink) = (active, true);
        let mut seen = found(storage, &[(LUKS, layer)]);
        let state = seen.volumes.get_mut(&nr(0)).expect("there").as_mut().expect("seen");
        state.extent =
            needs.map_or(Extent::Unknown, |needs| Extent::Content { kind: "ext4".to_owned(), needs: Some(Kib(needs)) });
        assert_eq!(said(&web, &seen), wanted, "{storage} {layer}");
        let expected = if refused { vec![Refused::Shrink(nr(0))] } else { Vec::new() };
        assert_eq!(plan(&web, &seen).refused, expected);
    }
}

#[test]
fn a_rollback_closes_opens_again_and_does_not_begin_without_the_key() {
    let mut web = web(&[L::Luks, L::Storage], Order::Keep);
    web.rollback = Some(Rollback { snapshot: snap("then"), token: Uuid(7) });
    let mut seen = found("17384/17384", &[(LUKS, "1000")]);
    seen.rollback_parts.insert(nr(0), Kib(GROSS));
    assert_eq!(said(&web, &seen), "unused 0, stage 0=17384 then, release 0, swap 0, record 0, attach 0, open 0 luks");
    web.volumes[0].luks = known(Some("of then"));
    let changed = said(&web, &seen);
    assert!(changed.ends_with("attach 0, changekey 0 luks, open 0 luks, changekey 0 luks"), "{changed}");
    web.volumes[0].luks = Some(LuksKey::Locked);
    assert_eq!(said(&web, &seen), "!its key is locked until the master passphrase is entered");
}

fn with_cache(mut seen: ObservedResource, leaf: Leaf, device_size: Option<u64>) -> ObservedResource {
    let state = seen.volumes.get_mut(&nr(0)).expect("there").as_mut().expect("seen");
    state.caches.insert(leaf, ObservedLeaf { size: Kib(52), device: device_size.and_then(device) });
    seen
}

#[test]
fn caches_are_made_once_and_never_in_place_of_one_that_was_used() {
    let stack = [L::Writecache, L::Storage];
    let made =
        "create 0=1000, attach 0, create(kib(52)) 0.cache, attach 0.cache, format 0 writecache, open 0 writecache";
    assert_eq!(said(&web(&stack, Order::Make), &found("-", &[])), made);
    let closed = found("1000/1000", &[(Layer::Writecache, "unknown")]);
    let lost = said(&web(&stack, Order::Keep), &closed);
    assert!(lost.starts_with("!its cache .cache is not there any more"), "{lost}");
    let detached = with_cache(closed, Leaf::Writecache, None);
    assert_eq!(said(&web(&stack, Order::Keep), &detached), "attach 0.cache, open 0 writecache");
    let open = with_cache(found("1000/1000", &[(Layer::Writecache, "1000")]), Leaf::Writecache, Some(52));
    assert_eq!(said(&web(&stack, Order::Keep), &open), "");
    let mut inactive = web(&stack, Order::Keep);
    inactive.active = false;
    assert_eq!(said(&inactive, &open), "unused 0, close 0 writecache, detach 0, detach 0.cache");
    assert_eq!(
        said(&web(&stack, Order::Remove), &open),
        "unused 0, drop 0 writecache, detach 0, detach 0.cache, unlink 0, remove 0.cache"
    );
}

#[test]
fn an_encrypted_cache_opens_from_the_bottom_up() {
    let stack = [L::Writecache, L::Luks, L::Storage];
    let mut web = web(&stack, Order::Make);
    web.props.insert("Writecache/Size".to_owned(), "400".to_owned());
    assert_eq!(
        said(&web, &found("-", &[])),
        "create 0=17384, attach 0, create(kib(16784)) 0.cache, attach 0.cache, format 0 luks, open 0 luks, \
         format 0 luks.cache, open 0 luks.cache, format 0 writecache, open 0 writecache"
    );
    web.props.insert("Writecache/Size".to_owned(), "nonsense".to_owned());
    let refused = said(&web, &found("-", &[]));
    assert!(refused.starts_with("!The value 'nonsense' of Writecache/Size"), "{refused}");
}

#[test]
fn a_snapshot_of_bcache_is_refused() {
    let mut web = web(&[L::Bcache, L::Storage], Order::Keep);
    web.snapshots.push(snapshot("now", Order::Make, &[0]));
    let open = with_cache(found("1008/1008", &[(Layer::Bcache, "1000")]), Leaf::Bcache, Some(52));
    let refused = said(&web, &open);
    assert!(refused.starts_with("!bcache cannot be held still"), "{refused}");
}
