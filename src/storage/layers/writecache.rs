//! dm-writecache (facts: `satellite.md` §2.11): writes go to a fast device first, and to the volume later.
//!
//! It is flushed before it is closed or held still, so that the volume below is whole without it.

use std::time::Duration;

use super::super::devices;
use super::{Runner, Site, dm, io_error};
use crate::model::plan::LayerAct;
use crate::model::report::Problem;
use crate::model::size::split_options;
use crate::protocols::headers::Head;

/// How long writing a whole cache back may take: some 100 GiB to a disk of 100 MiB/s, with room to spare.
const FLUSH_LIMIT: Duration = Duration::from_secs(3600);
/// Size of a cached block.
const BLOCK_BYTES: u32 = 4096;
const SECTOR_BYTES: u64 = 512;
const START_SECTOR: &str = "Writecache/Options/StartSector";

/// Options with a value, by their property's last part.
const OPTIONS: &[(&str, &str)] = &[
    (START_SECTOR, "start_sector"),
    ("Writecache/Options/HighWatermark", "high_watermark"),
    ("Writecache/Options/LowWatermark", "low_watermark"),
    ("Writecache/Options/WritebackJobs", "writeback_jobs"),
    ("Writecache/Options/AutocommitBlocks", "autocommit_blocks"),
    ("Writecache/Options/AutocommitTime", "autocommit_time"),
];

pub(super) fn act(site: &Site<'_>, act: LayerAct, runner: Runner<'_>) -> Result<(), Problem> {
    match act {
        LayerAct::Format => format(site),
        LayerAct::Open => dm::create(site, &table(site)?, runner),
        LayerAct::Resize => dm::reload(site, &table(site)?, runner),
        LayerAct::Resume => dm::resume(site, runner),
        LayerAct::Close | LayerAct::Drop if !dm::is_open(site) => Ok(()),
        LayerAct::Close => {
            dm::assert_unused(site)?;
            dm::message(site, "flush", FLUSH_LIMIT, runner)?;
            dm::wait_until_clean(site, Duration::ZERO, runner)?;
            dm::remove(site, runner)
        }
        LayerAct::Drop => {
            dm::assert_unused(site)?;
            dm::remove(site, runner)
        }
        LayerAct::Reset => blank(site),
        LayerAct::ChangeKey | LayerAct::WipeHeader => Ok(()),
    }
}

/// Holds it still with nothing in the cache.
pub(super) fn suspend(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    // What is in the cache goes first, while writers may go on; the rest when they are held.
    dm::message(site, "flush", FLUSH_LIMIT, runner)?;
    dm::message(site, "flush_on_suspend", FLUSH_LIMIT, runner)?;
    dm::suspend(site, runner)?;
    dm::wait_until_clean(site, Duration::ZERO, runner)
}

/// The target takes what is no superblock of its own for a mistake, but for zeros.
fn format(site: &Site<'_>) -> Result<(), Problem> {
    let cache = site.cache(0)?;
    let head = devices::head(cache).map_err(|error| io_error(site, "cannot be made", cache, &error))?;
    if matches!(head, Head::Writecache | Head::Blank) { Ok(()) } else { blank(site) }
}

fn blank(site: &Site<'_>) -> Result<(), Problem> {
    let cache = site.cache(0)?;
    let start = site.option(START_SECTOR).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let bytes = start.saturating_mul(SECTOR_BYTES).saturating_add(u64::from(BLOCK_BYTES));
    devices::blank(cache, bytes).map_err(|error| io_error(site, "cannot be emptied", cache, &error))
}

fn table(site: &Site<'_>) -> Result<String, Problem> {
    let (data, cache) = (site.base()?, site.cache(0)?);
    let kind = if is_pmem(cache) { 'p' } else { 's' };
    let options = options(site);
    let count = options.len();
    let mut table = format!(
        "0 {} writecache {kind} {} {} {BLOCK_BYTES} {count}",
        dm::sectors(site),
        data.display(),
        cache.display()
    );
    for option in options {
        table.push(' ');
        table.push_str(&option);
    }
    Ok(table)
}

fn is_pmem(device: &std::path::Path) -> bool {
    let name = devices::kernel_name(device);
    name.and_then(|name| devices::attribute(&name, "queue/dax")).is_some_and(|dax| dax == "1")
}

fn options(site: &Site<'_>) -> Vec<String> {
    let mut options = Vec::new();
    for (key, name) in OPTIONS {
        if let Some(value) = site.option(key) {
            options.extend([(*name).to_owned(), value.to_owned()]);
        }
    }
    match site.option("Writecache/Options/Fua") {
        Some(value) if value.eq_ignore_ascii_case("on") => options.push("fua".to_owned()),
        Some(_) => options.push("nofua".to_owned()),
        None => {}
    }
    options.extend(split_options(site.option("Writecache/Options/Additional").unwrap_or_default()));
    options
}

#[cfg(test)]
mod tests {
    use super::super::tests::{site, with};
    use super::*;
    use crate::model::stack::Layer;

    #[test]
    fn tables() {
        let props = with(&[]);
        let mut site = site(Layer::Writecache, &props);
        assert_eq!(table(&site).expect("all there"), "0 2048 writecache s /dev/data /dev/cache0 4096 0");
        let props = with(&[
            ("Writecache/Options/HighWatermark", "60"),
            ("Writecache/Options/Fua", "Off"),
            ("Writecache/Options/Additional", "cleaner 'max_age 5'"),
        ]);
        site.props = &props;
        assert_eq!(
            table(&site).expect("all there"),
            "0 2048 writecache s /dev/data /dev/cache0 4096 5 high_watermark 60 nofua cleaner max_age 5"
        );
        site.caches.clear();
        assert!(table(&site).is_err());
    }
}
