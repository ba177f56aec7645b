//! Whether a volume may be made smaller: never where something of its content would be cut off.

use super::observed::Extent;
use crate::model::names::{RscName, VolumeNumber};
use crate::model::report::Problem;
use crate::model::size::Kib;

/// A volume that is to be made smaller.
#[derive(Debug, Clone, Copy)]
pub struct Cut<'a> {
    /// Its resource.
    pub rsc: &'a RscName,
    /// Its number.
    pub number: VolumeNumber,
    /// What it would have.
    pub size: Kib,
    /// Path of its device, where it has one.
    pub device: Option<&'a str>,
}

impl Cut<'_> {
    /// Why it is not made smaller; `None` when nothing of its content is lost.
    #[must_use]
    pub fn refusal(&self, extent: &Extent) -> Option<Problem> {
        let fits = |needs: Kib| needs <= self.size;
        let (cause, cure) = match extent {
            Extent::Content { needs: Some(needs), .. } if fits(*needs) => return None,
            Extent::Data { end } if fits(*end) => return None,
            Extent::Content { kind, needs: Some(needs) } => {
                (format!("the {kind} on it needs {needs}, and {} would be left", self.size), self.how_to_shrink(kind))
            }
            Extent::Content { kind, needs: None } => {
                (format!("it holds {kind}, and how much of it that needs cannot be told"), self.how_to_empty())
            }
            Extent::Data { end } => {
                (format!("data is written up to {end}, and {} would be left", self.size), self.how_to_discard())
            }
            Extent::Unknown => {
                ("up to where its data reaches cannot be told in this storage pool".to_owned(), self.how_to_copy())
            }
        };
        Some(Problem {
            message: format!("Volume {} of resource {} is not made smaller", self.number, self.rsc),
            cause,
            correction: format!("Nothing was changed. {cure}"),
            details: String::new(),
        })
    }

    fn device(&self) -> &str {
        self.device.unwrap_or("its device")
    }

    fn how_to_shrink(&self, kind: &str) -> String {
        let (device, size) = (self.device(), self.size.0);
        match kind {
            "btrfs" => format!(
                "Make the file system smaller first (btrfs filesystem resize {size}K, where it is mounted), unmount it, \
                 and ask again."
            ),
            "xfs" => format!("An xfs cannot be made smaller. {}", self.how_to_empty()),
            _ => format!(
                "Make the file system smaller first: unmount it, run e2fsck -f {device} and resize2fs {device} {size}K, \
                 and ask again."
            ),
        }
    }

    fn how_to_empty(&self) -> String {
        format!(
            "{} Or, if what is on it is not needed any more, empty it with blkdiscard -f {}, and ask again.",
            self.how_to_copy(),
            self.device()
        )
    }

    fn how_to_discard(&self) -> String {
        let (device, from) = (self.device(), self.size.bytes());
        format!(
            "{} Or, if what lies behind that is not needed any more, discard it with blkdiscard -f -o {from} {device}, \
             and ask again.",
            self.how_to_copy()
        )
    }

    fn how_to_copy(&self) -> String {
        "Make a smaller volume and copy the data to it.".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(extent: &Extent) -> Option<Problem> {
        let rsc = RscName::parse("web").expect("legal");
        let number = VolumeNumber::new(0).expect("legal");
        Cut { rsc: &rsc, number, size: Kib(50 << 10), device: Some("/dev/loop7") }.refusal(extent)
    }

    fn content(kind: &str, needs: Option<u64>) -> Extent {
        Extent::Content { kind: kind.to_owned(), needs: needs.map(Kib) }
    }

    #[test]
    fn what_fits_may_be_cut_and_nothing_else() {
        let size = 50 << 10;
        let table = [
            (content("ext4", Some(size)), None),
            (content("ext4", Some(size + 1)), Some(("ext4", "resize2fs /dev/loop7 51200K"))),
            (content("btrfs", Some(size * 2)), Some(("100 MiB", "btrfs filesystem resize 51200K"))),
            (content("xfs", Some(size + 1)), Some(("xfs", "cannot be made smaller"))),
            (content("crypto_LUKS", None), Some(("crypto_LUKS", "blkdiscard -f /dev/loop7"))),
            (Extent::Data { end: Kib(0) }, None),
            (Extent::Data { end: Kib(size) }, None),
            (Extent::Data { end: Kib(size + 1) }, Some(("written up to", "blkdiscard -f -o 52428800 /dev/loop7"))),
            (Extent::Unknown, Some(("cannot be told", "copy"))),
        ];
        for (extent, wanted) in table {
            let problem = refusal(&extent);
            let Some((cause, cure)) = wanted else {
                assert_eq!(problem, None, "{extent:?}");
                continue;
            };
            let problem = problem.expect("refused");
            assert!(problem.cause.contains(cause), "{problem:?}");
            assert!(problem.correction.starts_with("Nothing was changed.") && problem.correction.contains(cure));
        }
    }
}
