//! Changes of properties: the first line picks the class of object, blank lines part requests, and in a request `key=value`
//! sets, `-key` removes and `/namespace` removes all below. What is refused changes nothing; what is taken is stored in its
//! normal form, within the limits, and asked for again changes nothing. Values are read as sizes and options as well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::model::props::{MAX_PROPS, MAX_PROPS_BYTES, PropertyOwner, Props, PropsModify, apply, check, key_path};
use zea::model::size::{Cryptsetup, Kib, luks_header, share_or_absolute, split_options, stripes};

/// Most that one request of 2 KiB may make the program hold: the catalogue and its patterns, compiled once, among it.
const MAX_BYTES: usize = 64 << 20;

fn modify(request: &str) -> PropsModify {
    let mut modify = PropsModify::default();
    for line in request.lines() {
        if let Some(key) = line.strip_prefix('-') {
            modify.delete_props.push(key.to_owned());
        } else if let Some(namespace) = line.strip_prefix('/') {
            modify.delete_namespaces.push(if namespace.is_empty() { "/" } else { namespace }.to_owned());
        } else if let Some((key, value)) = line.split_once('=') {
            modify.override_props.insert(key.to_owned(), value.to_owned());
        }
    }
    modify
}

fn carry_out(request: &PropsModify, owner: PropertyOwner, props: &mut Props) {
    let before = props.clone();
    match apply(request, owner, props) {
        Err(error) => {
            assert!(*props == before, "a refusal changes nothing: {error}");
            assert!(!error.correction().is_empty(), "{error}");
        }
        Ok(change) => {
            assert_eq!(change.is_empty(), *props == before, "{change:?}");
            assert!(props.len() <= MAX_PROPS && props.bytes() <= MAX_PROPS_BYTES);
            let mut again = props.clone();
            match apply(request, owner, &mut again) {
                Ok(second) => assert!(second.is_empty() && again == *props, "asked for twice: {second:?}"),
                Err(error) => panic!("taken once, refused the second time: {error}"),
            }
        }
    }
}

fn are_normal(owner: PropertyOwner, props: &Props) {
    for (key, value) in props.iter() {
        assert_eq!(key_path(key).as_deref(), Ok(key), "a key in its canonical form");
        // What the system itself notes is not allowed to people.
        if let Ok(normal) = check(owner, key, value) {
            assert_eq!(normal, value, "the value of {key} in its normal form");
        }
    }
    assert_eq!(props.namespace("/").count(), props.len());
    zea_fuzz::prints_the_same(props);
}

/// Quotes an argument as a shell does.
fn quoted(argument: &String) -> String {
    format!("'{}'", argument.replace('\'', r"'\''"))
}

fn read_value(value: &str) {
    let arguments = split_options(value);
    let joined = arguments.iter().map(quoted).collect::<Vec<_>>().join(" ");
    assert_eq!(split_options(&joined), arguments, "quoted and split again");
    let _ = stripes(value).map(|stripes| assert!(stripes > 0));
    let _ = luks_header(value, Cryptsetup { major: 2, minor: 6 }, 0);
    let net = Kib(10 << 20);
    if let Ok(size) = share_or_absolute("size", value, net) {
        assert!(size > Kib::ZERO && (size <= net || !value.ends_with('%')), "{value}: {size}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    let (class, requests) = zea_fuzz::first_line(text);
    let owner = *zea_fuzz::pick(&PropertyOwner::ALL, |owner| owner.name(), class);
    let props = zea_fuzz::memory::within(MAX_BYTES, || {
        let mut props = Props::new();
        requests.split("\n\n").for_each(|request| carry_out(&modify(request), owner, &mut props));
        props
    });
    are_normal(owner, &props);
    props.iter().for_each(|(_, value)| read_value(value));
});
