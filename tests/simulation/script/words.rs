//! A line of a script as words: plain ones, options `key=value`, properties `Key=value`, and `-Key` for one that goes.
//! Knows no command.

use std::str::FromStr;

use zea::model::group::SelectFilter;
use zea::model::kinds::{LayerKind, ProviderKind};
use zea::model::names::{NodeName, PoolName};
use zea::model::props::PropsModify;

/// What stands in one line.
#[derive(Debug, Default)]
pub struct Words<'a> {
    plain: Vec<&'a str>,
    options: Vec<(&'a str, &'a str)>,
    pub props: PropsModify,
}

impl<'a> Words<'a> {
    pub fn of(text: &'a str) -> Self {
        let mut words = Self::default();
        for word in text.split_whitespace() {
            let upper = |text: &str| text.starts_with(|c: char| c.is_ascii_uppercase());
            match word.split_once('=') {
                Some((key, value)) if upper(key) => {
                    words.props.override_props.insert(key.to_owned(), value.to_owned());
                }
                Some(pair) => words.options.push(pair),
                None if word.strip_prefix('-').is_some_and(upper) => {
                    words.props.delete_props.push(word[1..].to_owned())
                }
                None => words.plain.push(word),
            }
        }
        words
    }

    /// The plain words.
    pub fn plain(&self) -> &[&'a str] {
        &self.plain
    }

    /// Whether the word stands there, after the first `from` plain words.
    pub fn has(&self, from: usize, word: &str) -> bool {
        self.plain.iter().skip(from).any(|plain| *plain == word)
    }

    /// The plain word of that place, read.
    pub fn at<T>(&self, place: usize, read: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
        read(self.plain.get(place).ok_or_else(|| format!("word {place} is missing in {:?}", self.plain))?)
    }

    /// An option, read.
    pub fn option<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
        self.options.iter().find(|(known, _)| *known == key).map(|(_, value)| read(value)).transpose()
    }

    /// An option with several values.
    pub fn list<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<Vec<T>>, String> {
        let all = |text: &str| text.split(',').filter(|part| !part.is_empty()).map(&read).collect();
        self.option(key, all)
    }

    /// A placement filter out of the options.
    pub fn filter(&self) -> Result<SelectFilter, String> {
        let pairs = |text: &str| {
            let (key, limit) = text.split_once(':').ok_or("key:limit is wanted")?;
            Ok((key.replace('~', "="), number(limit)?))
        };
        // A value in a rule is written `key~value`, for `=` parts an option from its value.
        let rule = |text: &str| Ok(text.replace('~', "="));
        Ok(SelectFilter {
            place_count: self.option("count", number)?,
            additional_place_count: self.option("more", number)?,
            nodes: self.list("nodes", name::<NodeName>)?,
            pools: self.list("pools", name::<PoolName>)?,
            diskless_pools: self.list("diskless-pools", name::<PoolName>)?,
            not_with: self.list("not-with", rule)?,
            not_with_regex: self.option("not-with-regex", rule)?,
            same: self.list("same", rule)?,
            different: self.list("different", rule)?,
            x_different: self.list("x-different", pairs)?.map(|pairs| pairs.into_iter().collect()),
            layers: self.layers()?,
            providers: self.list("providers", provider)?,
            diskless_on_remaining: self.option("remaining", |text| Ok(text == "yes"))?,
            port_count: None,
        })
    }

    pub fn layers(&self) -> Result<Option<Vec<LayerKind>>, String> {
        self.list("layers", |text| LayerKind::parse(text).ok_or_else(|| format!("no layer: {text}")))
    }
}

/// Names that are read by their own rules.
pub trait Name: Sized {
    fn read(text: &str) -> Result<Self, String>;
}

macro_rules! names {
    ($($name:ident),+) => {$(
        impl Name for zea::model::names::$name {
            fn read(text: &str) -> Result<Self, String> {
                Self::parse(text).map_err(|error| error.to_string())
            }
        }
    )+};
}
names!(NodeName, PoolName, RscName, GroupName, SnapName, KvsName, NetIfName, SharedSpaceName);

pub fn name<T: Name>(text: &str) -> Result<T, String> {
    T::read(text)
}

pub fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

pub fn provider(text: &str) -> Result<ProviderKind, String> {
    ProviderKind::parse(text).ok_or_else(|| format!("no kind of pool: {text}"))
}

pub fn volume(text: &str) -> Result<zea::model::names::VolumeNumber, String> {
    zea::model::names::VolumeNumber::new(number(text)?).map_err(|error| error.to_string())
}
