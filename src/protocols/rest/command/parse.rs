//! Reads names, kinds, flags and addresses of requests. A refusal names the rule and the known words. Never looks
//! anything up.

use std::fmt::Display;
use std::net::IpAddr;

use crate::model::code::*;
use crate::model::command::Naming;
use crate::model::kinds::{EncryptionKind, LayerKind, NodeKind, ProviderKind};
use crate::model::names::{
    GroupName, KvsName, NameError, NetIfName, NodeName, PoolName, RscName, SharedSpaceName, SnapName,
};
use crate::model::props::PropsModify;
use crate::model::refusal::Refusal;
use crate::protocols::rest;
use crate::protocols::rest::shape::Props;

/// Longest part of a bad value that a refusal repeats.
const SHOWN_CHARS: usize = 64;

const WORD_2: &str = "Use 2 to 48 letters, digits, '_' or '-', the first a letter or '_'";
const WORD_3: &str = "Use 3 to 48 letters, digits, '_' or '-', the first a letter or '_'";

macro_rules! names {
    ($($function:ident $ty:ident $code:ident $cure:expr;)*) => {$(
        pub(super) fn $function(text: &str) -> Result<$ty, Refusal> {
            $ty::parse(text).map_err(|error| illegal($code, &error, $cure))
        }
    )*};
}

names! {
    node NodeName FAIL_INVLD_NODE_NAME "Use a host name: 2 to 255 letters, digits, '-' or '.'";
    net_if NetIfName FAIL_INVLD_NET_NAME "Use 3 to 32 letters, digits, '_' or '-', the first a letter or '_'";
    pool PoolName FAIL_INVLD_STOR_POOL_NAME WORD_3;
    shared_space SharedSpaceName FAIL_INVLD_FREE_SPACE_MGR_NAME "Use 1 to 48 letters, digits, '_', '-' or '.'";
    rsc RscName FAIL_INVLD_RSC_NAME WORD_2;
    group GroupName FAIL_INVLD_RSC_GRP_NAME WORD_2;
    snap SnapName FAIL_INVLD_SNAPSHOT_NAME WORD_2;
    kvs KvsName FAIL_INVLD_KVS_NAME WORD_2;
}

pub(super) fn illegal(code: u16, error: &NameError, cure: &str) -> Refusal {
    Refusal::new(code, format!("'{}' is no valid {}", error.text, error.noun))
        .because(format!("The rule is broken: {}", error.rule))
        .cure(cure)
}

/// Reads every text of a list.
pub(super) fn each<T>(list: &[String], read: fn(&str) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
    list.iter().map(|text| read(text)).collect()
}

/// Reads every text of a list that may not have been given.
pub(super) fn each_given<T>(
    list: Option<&Vec<String>>,
    read: fn(&str) -> Result<T, Refusal>,
) -> Result<Option<Vec<T>>, Refusal> {
    list.map(|list| each(list, read)).transpose()
}

/// Reads a text that may be absent or empty, both of which mean that it was not given.
pub(super) fn given<T>(text: Option<&String>, read: fn(&str) -> Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    text.filter(|text| !text.is_empty()).map(|text| read(text)).transpose()
}

/// A refusal of a word that is none of the known ones.
pub(super) fn unknown_word(code: u16, noun: &str, text: &str, known: &[impl Display]) -> Refusal {
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    Refusal::new(code, format!("'{}' is no {noun}", shown(text)))
        .because(format!("Only a known {noun} can be used"))
        .cure(format!("Use one of: {}", known.join(", ")))
}

/// A bad value as far as a refusal repeats it.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

macro_rules! words {
    ($($function:ident $ty:ident $code:ident $noun:literal;)*) => {$(
        pub(super) fn $function(text: &str) -> Result<$ty, Refusal> {
            $ty::parse(text).ok_or_else(|| unknown_word($code, $noun, text, $ty::ALL))
        }
    )*};
}

words! {
    node_kind NodeKind FAIL_INVLD_NODE_TYPE "type of node";
    provider ProviderKind FAIL_INVLD_PROVIDER "kind of storage pool";
    layer LayerKind FAIL_INVLD_LAYER_KIND "kind of layer";
    encryption EncryptionKind FAIL_INVLD_ENCRYPT_TYPE "encryption type";
}

/// Layers that a request names; an empty list names none.
pub(super) fn layers(list: Option<&Vec<String>>) -> Result<Option<Vec<LayerKind>>, Refusal> {
    each_given(list.filter(|list| !list.is_empty()), layer)
}

/// A literal address.
pub(super) fn address(text: &str) -> Result<IpAddr, Refusal> {
    text.trim().parse().map_err(|_| {
        Refusal::new(FAIL_INVLD_NET_ADDR, format!("'{}' is no IP address", shown(text)))
            .because("Clients read addresses of nodes as numbers, so a host name cannot stand here")
            .cure("Give a literal IPv4 or IPv6 address, for example 10.0.0.1 or fd00::1")
    })
}

/// How something is to be called: exactly one of the two is given and not empty.
pub(super) fn naming(name: Option<&String>, external: Option<&String>) -> Result<Naming, Refusal> {
    let filled = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    match (filled(name), filled(external)) {
        (Some(name), None) => Ok(Naming::Name(rsc(&name)?)),
        (None, Some(external)) => Ok(Naming::External(external)),
        (Some(_), Some(_)) => Err(Refusal::new(FAIL_INVLD_EXT_NAME, "A name and an external name are given")
            .because("A name is made from an external name, so only one of them counts")
            .cure("Give one of the two")),
        (None, None) => Err(Refusal::new(FAIL_INVLD_RSC_NAME, "Neither a name nor an external name is given")
            .because("Both are absent or empty")
            .cure("Give one of the two")),
    }
}

/// Flags that a request may name, with the one that each stands for.
type Words<'a, F> = &'a [(&'static str, F)];

/// The flags of a list.
pub(super) fn flags<F: Copy>(list: &[String], known: Words<F>, join: fn(F, F) -> F, none: F) -> Result<F, Refusal> {
    list.iter().try_fold(none, |sum, text| Ok(join(sum, flag(text, known)?)))
}

fn flag<F: Copy>(text: &str, known: Words<F>) -> Result<F, Refusal> {
    let found = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, flag)| *flag).ok_or_else(|| {
        let words: Vec<_> = known.iter().map(|(word, _)| word).collect();
        unknown_word(FAIL_INVLD_REQUEST, "flag that a request can set here", text, &words)
    })
}

/// Splits a list of flags into those to set and those, with a leading `-`, to clear.
pub(super) fn set_and_clear(list: &[String]) -> (Vec<String>, Vec<String>) {
    let (clear, set): (Vec<_>, Vec<_>) = list.iter().cloned().partition(|text| text.starts_with('-'));
    (set, clear.iter().map(|text| text[1..].to_owned()).collect())
}

/// A change of properties.
pub(super) fn props(change: rest::props::PropsModify) -> PropsModify {
    PropsModify {
        override_props: change.override_props,
        delete_props: change.delete_props,
        delete_namespaces: change.delete_namespaces,
    }
}

/// The properties of something new.
pub(super) fn new_props(props: Props) -> PropsModify {
    PropsModify { override_props: props, ..PropsModify::default() }
}
