//! dm-cache (facts: `satellite.md` §2.11): blocks that are used often lie on a fast device, too.
//!
//! Where it writes back, everything dirty is written before it is closed or held still: a table with the policy `cleaner`
//! takes the place of the usual one for that time.

use std::time::Duration;

use super::super::devices;
use super::{Runner, Site, dm, io_error, problem};
use crate::model::plan::LayerAct;
use crate::model::report::Problem;
use crate::model::stack::cache_block;
use crate::protocols::dm::is_cleaner;
use crate::protocols::headers::{BLANK_BYTES, Head};

/// `Cache/FlushTimeout` where nothing is set.
const FLUSH_LIMIT: Duration = Duration::from_secs(180);
const DEFAULT_MODE: &str = "writethrough";
const DEFAULT_POLICY: &str = "smq";
/// The policy that writes everything back and caches nothing more.
const CLEANER: &str = "cleaner";

pub(super) fn act(site: &Site<'_>, act: LayerAct, runner: Runner<'_>) -> Result<(), Problem> {
    match act {
        LayerAct::Format => format(site),
        LayerAct::Open => dm::create(site, &table(site)?, runner),
        LayerAct::Resize => dm::reload(site, &table(site)?, runner),
        LayerAct::Resume => resume(site, runner),
        LayerAct::Close | LayerAct::Drop if !dm::is_open(site) => Ok(()),
        LayerAct::Close => {
            dm::assert_unused(site)?;
            clean(site, runner)?;
            dm::remove(site, runner)?;
            // Or it would answer with what the volume was, when that has become another.
            blank(site)
        }
        LayerAct::Drop => {
            dm::assert_unused(site)?;
            dm::remove(site, runner)
        }
        LayerAct::Reset => blank(site),
        LayerAct::ChangeKey | LayerAct::WipeHeader => Ok(()),
    }
}

/// Holds it still with nothing dirty.
pub(super) fn suspend(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    clean(site, runner)?;
    dm::suspend(site, runner)
}

/// Ends [`suspend`], or what was cut off on its way there: with the usual table.
pub(super) fn resume(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let loaded = match writes_back(site) {
        true => table(site).and_then(|table| {
            dm::run(site, "cannot be resumed", &dm::dmsetup(["load", &site.name, "--table", &table]), runner)
        }),
        false => Ok(String::new()),
    };
    dm::resume(site, runner)?;
    loaded.map(drop)
}

/// Gives caches that were being flushed when their process ended a policy that caches. The one that is wanted comes with
/// the next time that they are opened.
pub(super) fn leave_cleaning(runner: Runner<'_>) {
    let Ok(output) = runner.run(&dm::dmsetup(["table", "--target", "cache"])) else { return };
    for line in output.stdout.lines().filter(|line| is_cleaner(line)) {
        let Some((name, table)) = line.split_once(": ") else { continue };
        let usual = table.replace(" 0 cleaner 0", " 1 writeback smq 0");
        let steps = [vec!["suspend", name], vec!["load", name, "--table", &usual], vec!["resume", name]];
        let done = steps.into_iter().all(|args| runner.run(&dm::dmsetup(args)).is_ok());
        tracing::warn!(layer = name, done, "an earlier process ended while it flushed a cache");
    }
}

fn clean(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    if !writes_back(site) {
        return Ok(());
    }
    let millis = site.option("Cache/FlushTimeout").and_then(|text| text.parse().ok());
    let limit = millis.map_or(FLUSH_LIMIT, Duration::from_millis);
    let cleaned = dm::reload(site, &table_with(site, &[], CLEANER, &[])?, runner)
        .and_then(|()| dm::wait_until_clean(site, limit, runner));
    if cleaned.is_err() {
        // It shall go on as a cache.
        let _ = dm::reload(site, &table(site)?, runner);
    }
    cleaned
}

fn mode<'a>(site: &'a Site<'_>) -> &'a str {
    site.option("Cache/OpMode").unwrap_or(DEFAULT_MODE)
}

fn writes_back(site: &Site<'_>) -> bool {
    mode(site).eq_ignore_ascii_case("writeback")
}

/// The target takes zeros at the beginning of the metadata for a new cache.
fn format(site: &Site<'_>) -> Result<(), Problem> {
    let metadata = site.cache(0)?;
    let head = devices::head(metadata).map_err(|error| io_error(site, "cannot be made", metadata, &error))?;
    if matches!(head, Head::Cache | Head::Blank) { Ok(()) } else { blank(site) }
}

fn blank(site: &Site<'_>) -> Result<(), Problem> {
    let metadata = site.cache(0)?;
    let done = devices::blank(metadata, BLANK_BYTES as u64);
    done.map_err(|error| io_error(site, "cannot be emptied", metadata, &error))
}

fn table(site: &Site<'_>) -> Result<String, Problem> {
    let mode = mode(site).to_ascii_lowercase();
    let more = below(site, "Cache/Features/").filter(|(_, value)| !value.eq_ignore_ascii_case("false"));
    let features: Vec<&str> = std::iter::once(mode.as_str()).chain(more.map(|(name, _)| name)).collect();
    let arguments: Vec<&str> = below(site, "Cache/Policy/").flat_map(|(name, value)| [name, value]).collect();
    table_with(site, &features, site.option("Cache/Policy").unwrap_or(DEFAULT_POLICY), &arguments)
}

fn below<'a>(site: &'a Site<'_>, namespace: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let pairs = site.props.iter();
    pairs.filter_map(move |(key, value)| Some((key.strip_prefix(namespace)?, value.as_str())))
}

fn table_with(site: &Site<'_>, features: &[&str], policy: &str, arguments: &[&str]) -> Result<String, Problem> {
    let (metadata, cache, data) = (site.cache(0)?, site.cache(1)?, site.base()?);
    let block = cache_block(&|key| site.option(key)).map_err(|error| {
        problem(site.message("cannot be opened"), error.to_string(), "Correct the property Cache/Blocksize.")
    })?;
    let counted = |words: &[&str]| {
        let count = words.len().to_string();
        let mut all = vec![count.as_str()];
        all.extend(words);
        all.join(" ")
    };
    Ok(format!(
        "0 {} cache {} {} {} {block} {} {policy} {}",
        dm::sectors(site),
        metadata.display(),
        cache.display(),
        data.display(),
        counted(features),
        counted(arguments)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{site, with};
    use super::*;
    use crate::model::stack::Layer;

    #[test]
    fn tables() {
        let props = with(&[]);
        let mut site = site(Layer::Cache, &props);
        let usual = "0 2048 cache /dev/cache0 /dev/cache1 /dev/data 4096 1 writethrough smq 0";
        assert_eq!(table(&site).expect("all there"), usual);
        let props = with(&[
            ("Cache/OpMode", "writeback"),
            ("Cache/Blocksize", "512"),
            ("Cache/Features/metadata2", "True"),
            ("Cache/Policy", "mq"),
            ("Cache/Policy/migration_threshold", "4096"),
        ]);
        site.props = &props;
        assert!(writes_back(&site));
        assert_eq!(
            table(&site).expect("all there"),
            "0 2048 cache /dev/cache0 /dev/cache1 /dev/data 512 2 writeback metadata2 mq 2 migration_threshold 4096"
        );
        let cleaner = table_with(&site, &[], CLEANER, &[]).expect("all there");
        assert!(cleaner.ends_with("/dev/data 512 0 cleaner 0"), "{cleaner}");
        let props = with(&[("Cache/Blocksize", "x")]);
        site.props = &props;
        assert!(table(&site).expect_err("no number").cause.contains("Cache/Blocksize"));
    }
}
