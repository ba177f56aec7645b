//! `dmsetup status` and `dmsetup table` of the caching targets, with or without the name in front of a line.

/// How far a caching target is from having written everything back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cached {
    /// Everything is written back.
    Clean,
    /// So many blocks are not.
    Dirty(u64),
    /// The target failed, and what it holds is lost or locked in.
    Failed,
}

/// Reads the status of dm-writecache or dm-cache; `None` for another target's, or a text that is none.
#[must_use]
pub fn cached(status: &str) -> Option<Cached> {
    let (target, fields) = fields(status)?;
    match target {
        "writecache" => writecache(&fields),
        "cache" => cache(&fields),
        _ => None,
    }
}

/// `<error> <blocks> <free blocks> <blocks under writeback> ...`
fn writecache(fields: &[&str]) -> Option<Cached> {
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let (error, blocks, free) = (number(0)?, number(1)?, number(2)?);
    Some(match (error, blocks.saturating_sub(free)) {
        (0, 0) => Cached::Clean,
        (0, dirty) => Cached::Dirty(dirty),
        _ => Cached::Failed,
    })
}

/// `<metadata block> <used>/<all> <block> <used>/<all> <read hits> <misses> <write hits> <misses> <demotions> <promotions>
/// <dirty> ...`
fn cache(fields: &[&str]) -> Option<Cached> {
    const DIRTY: usize = 10;
    if matches!(fields.first(), Some(&"Fail" | &"Error")) {
        return Some(Cached::Failed);
    }
    Some(match fields.get(DIRTY)?.parse().ok()? {
        0 => Cached::Clean,
        dirty => Cached::Dirty(dirty),
    })
}

/// Whether a table is dm-cache's with the policy that writes everything back and caches nothing more.
#[must_use]
pub fn is_cleaner(table: &str) -> bool {
    fields(table).is_some_and(|(target, fields)| target == "cache" && fields.contains(&"cleaner"))
}

/// Target and what stands behind it.
fn fields(line: &str) -> Option<(&str, Vec<&str>)> {
    let line = line.split_once(": ").map_or(line, |(_, line)| line);
    let mut words = line.split_whitespace();
    let (_, _) = (words.next()?.parse::<u64>().ok()?, words.next()?.parse::<u64>().ok()?);
    Some((words.next()?, words.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_states() {
        let text = include_str!("../../tests/fixtures/dmsetup-status.txt");
        let found: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(cached).collect();
        let wanted = [Cached::Dirty(768), Cached::Clean, Cached::Dirty(1), Cached::Clean].map(Some);
        assert_eq!(found, wanted);
        let without_name = text.lines().nth(1).and_then(|line| line.split_once(": ")).expect("a name").1;
        assert_eq!(cached(without_name), Some(Cached::Dirty(768)));
    }

    #[test]
    fn failures_and_what_is_none() {
        assert_eq!(cached("0 8 cache Fail"), Some(Cached::Failed));
        assert_eq!(cached("0 8 writecache 5 10 10 0"), Some(Cached::Failed));
        for text in ["", "x", "0 8", "0 8 linear 7:0 0", "0 8 cache 8", "0 8 writecache 0 x", "0 8 writecache"] {
            assert_eq!(cached(text), None, "{text}");
        }
    }

    #[test]
    fn cleaners_are_known() {
        assert!(is_cleaner("linstor_cache_x: 0 163840 cache 7:2 7:1 7:0 4096 0 cleaner 0"));
        assert!(!is_cleaner("0 163840 cache 7:2 7:1 7:0 4096 1 writeback smq 0"));
        assert!(!is_cleaner(""));
    }
}
