//! Single values of the command line and how they are read. Names of things that are to be made are checked here; names
//! of things that should be there only have to be something.

use std::ffi::OsStr;

use clap::Args;
use clap::builder::{PossibleValue, TypedValueParser};

use crate::model::kinds::{EncryptionKind, LayerKind, NodeKind, ProviderKind};
use crate::model::names::{GroupName, KvsName, NameError, NetIfName, NodeName, PoolName, RscName, SnapName};
use crate::protocols::rest::shape::Props;

/// The last number that a volume can have.
const LAST_NUMBER: u16 = 65_534;

/// Reads the name of something that should be there.
pub fn given(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("give a name that is not empty".to_owned()) } else { Ok(text.to_owned()) }
}

macro_rules! new_names {
    ($($(#[$doc:meta])* $function:ident: $name:ident,)*) => { $(
        $(#[$doc])*
        pub fn $function(text: &str) -> Result<String, NameError> {
            $name::parse(text).map(String::from)
        }
    )* };
}

new_names! {
    /// Reads the name of a new node.
    new_node: NodeName,
    /// Reads the name of a new network interface.
    new_interface: NetIfName,
    /// Reads the name of a new storage pool.
    new_pool: PoolName,
    /// Reads the name of a new resource.
    new_resource: RscName,
    /// Reads the name of a new resource group.
    new_group: GroupName,
    /// Reads the name of a new snapshot.
    new_snapshot: SnapName,
    /// Reads the name of a key-value store, which is made by writing to it.
    new_kvs: KvsName,
}

/// Reads a kind in any spelling, and has the words that help and a shell's completions offer.
#[derive(Clone)]
pub struct Words {
    read: fn(&str) -> Result<String, String>,
    words: &'static [&'static str],
}

impl TypedValueParser for Words {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        self.read.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.words.iter().map(|word| PossibleValue::new(*word))))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $words:ident $function:ident: $kind:ident, $noun:literal, $offered:expr;)*) => { $(
        $(#[$doc])*
        pub const $words: Words = Words { read: $function, words: $offered };

        $(#[$doc])*
        pub fn $function(text: &str) -> Result<String, String> {
            let known = || $kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
            let text = text.replace('-', "_");
            $kind::parse(&text).map(|kind| kind.to_string()).ok_or_else(|| format!("there are these {}: {}", $noun, known()))
        }
    )* };
}

kinds! {
    /// Reads a kind of node.
    NODE_KIND node_kind: NodeKind, "kinds of node", &["satellite", "combined", "controller", "auxiliary"];
    /// Reads a kind of storage pool.
    PROVIDER provider: ProviderKind, "kinds of storage pool",
        &["diskless", "lvm", "lvm-thin", "zfs", "zfs-thin", "file", "file-thin"];
    /// Reads a layer.
    LAYER layer: LayerKind, "layers", &["drbd", "writecache", "cache", "luks", "nvme", "storage"];
    /// Reads how a satellite's link is protected.
    ENCRYPTION encryption: EncryptionKind, "kinds of encryption", &["plain", "ssl"];
}

/// Reads a size into KiB.
pub fn size(text: &str) -> Result<i64, String> {
    let kib = crate::cli::size::parse(text).map_err(|error| error.to_string())?;
    i64::try_from(kib.get()).map_err(|_| format!("'{text}' is too large"))
}

/// Reads the number of a volume.
pub fn number(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| *number <= LAST_NUMBER);
    number.ok_or_else(|| match crate::cli::size::parse(text) {
        Ok(_) => format!("'{text}' is a size; the volume's number stands before it, such as 0 {text}"),
        Err(_) => {
            format!("'{text}' is no volume's number: they go from 0 to {LAST_NUMBER}, and zea volume list shows them")
        }
    })
}

/// Reads `key=value`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("'{text}' is not KEY=VALUE")),
    }
}

/// Reads `key=number`.
pub fn count(text: &str) -> Result<(String, i32), String> {
    let (key, value) = pair(text)?;
    let number = value.parse().ok().filter(|number| *number > 0);
    number.map(|number| (key, number)).ok_or_else(|| format!("'{value}' is no number of replicas above 0"))
}

/// Properties of something that is made.
#[derive(Debug, Default, Args)]
pub struct Properties {
    /// A property of it; can be repeated.
    #[arg(long = "property", value_name = "KEY=VALUE", value_parser = pair)]
    pub properties: Vec<(String, String)>,
}

impl Properties {
    /// As they go over the wire.
    pub fn props(&self) -> Props {
        self.properties.iter().cloned().collect()
    }
}

/// One property to set or to remove.
#[derive(Debug, Args)]
pub struct PropertyChange {
    /// The property's full key, such as Aux/site; `zea property keys` lists those that are known.
    #[arg(value_parser = given)]
    pub key: String,
    /// Its value; none removes it.
    pub value: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_in_any_spelling() {
        assert_eq!(provider("file-thin"), Ok("FILE_THIN".to_owned()));
        assert_eq!(layer("drbd"), Ok("DRBD".to_owned()));
        assert_eq!(node_kind("Combined"), Ok("COMBINED".to_owned()));
        assert!(provider("floppy").unwrap_err().contains("LVM_THIN"));
        assert!(encryption("rot13").unwrap_err().contains("PLAIN, SSL"));
    }

    #[test]
    fn every_word_that_is_offered_is_read() {
        for kinds in [NODE_KIND, PROVIDER, LAYER, ENCRYPTION] {
            for word in kinds.words {
                assert_eq!((kinds.read)(word), Ok(word.replace('-', "_").to_ascii_uppercase()));
            }
        }
    }

    #[test]
    fn numbers_of_volumes() {
        assert_eq!((number("0"), number("65534")), (Ok(0), Ok(65_534)));
        assert!(number("2G").unwrap_err().contains("such as 0 2G"));
        for text in ["65535", "-1", "x", ""] {
            assert!(number(text).unwrap_err().contains("from 0 to 65534"), "{text}");
        }
    }

    #[test]
    fn pairs_and_counts() {
        assert_eq!(pair("Aux/a=b=c"), Ok(("Aux/a".to_owned(), "b=c".to_owned())));
        assert_eq!(pair("a="), Ok(("a".to_owned(), String::new())));
        assert!(pair("=b").is_err() && pair("ab").is_err());
        assert_eq!(count("site=2"), Ok(("site".to_owned(), 2)));
        assert!(count("site=0").is_err() && count("site=x").is_err());
    }
}
