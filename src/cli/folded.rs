//! Equal reasons of many nodes as one line that names them all. Never drops a node, nor changes a reason.

use std::collections::BTreeMap;

/// What a line about a node begins with.
const NODE: &str = "node ";
/// Fewer equal lines than that read as well one by one.
const LEAST_FOLDED: usize = 3;
/// Fewer numbers in a row than that are written out.
const LEAST_RANGE: usize = 3;
/// What stands before a moment that may differ from node to node, and how long a moment is.
const SINCE: &str = " since ";
const MOMENT: &str = "0000-00-00 00:00:00 UTC";

/// Lines of one node each that say the same, but for the moment since when it holds.
struct Group<'a> {
    /// What stands behind the node's name.
    reason: &'a str,
    nodes: Vec<&'a str>,
    /// The first line of the group, as it came.
    lines: Vec<&'a str>,
    /// The moments, each once.
    moments: std::collections::BTreeSet<&'a str>,
}

/// Lines of a placement's account, where lines with one reason have become one; the order is that of first lines.
pub fn folded<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in lines {
        let (node, reason) = divided(line).unwrap_or(("", line));
        let (before, moment, after) = timed(reason);
        // A line of no node stands alone.
        let at = if node.is_empty() { groups.len() } else { *known.entry((before, after)).or_insert(groups.len()) };
        if at == groups.len() {
            groups.push(Group { reason, nodes: Vec::new(), lines: Vec::new(), moments: Default::default() });
        }
        groups[at].nodes.push(node);
        groups[at].lines.push(line);
        groups[at].moments.extend(moment);
    }
    groups.iter().flat_map(Group::written).collect()
}

impl Group<'_> {
    fn written(&self) -> Vec<String> {
        if self.nodes.len() < LEAST_FOLDED {
            return self.lines.iter().map(|line| (*line).to_owned()).collect();
        }
        let (before, _, after) = timed(self.reason);
        let reason = match (self.moments.first(), self.moments.last()) {
            (Some(first), Some(last)) if first != last => format!("{before}{SINCE}{first} to {last}{after}"),
            _ => self.reason.to_owned(),
        };
        vec![format!("{} nodes ({}){reason}", self.nodes.len(), names(&self.nodes))]
    }
}

/// The node that a line is about, and the rest: `: reason`, or `, pool …: reason`.
fn divided(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix(NODE)?;
    let end = rest.find([':', ','])?;
    (end > 0).then(|| rest.split_at(end))
}

/// What stands before and after the first moment, if there is one.
fn timed(reason: &str) -> (&str, Option<&str>, &str) {
    let found = reason.match_indices(SINCE).find_map(|(at, _)| {
        let moment = reason.get(at + SINCE.len()..)?.get(..MOMENT.len())?;
        is_moment(moment).then_some((&reason[..at], Some(moment), &reason[at + SINCE.len() + MOMENT.len()..]))
    });
    found.unwrap_or((reason, None, ""))
}

fn is_moment(text: &str) -> bool {
    text.bytes().zip(MOMENT.bytes()).all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
}

/// Names in the order of their numbers, those that are numbered without a gap as the first to the last.
fn names(nodes: &[&str]) -> String {
    let mut nodes: Vec<(&str, Option<u64>, &str)> = nodes.iter().map(|node| numbered(node)).collect();
    nodes.sort_unstable();
    let follows = |a: &(&str, Option<u64>, &str), b: &(&str, Option<u64>, &str)| {
        a.0 == b.0 && a.1.and_then(|number| number.checked_add(1)).is_some_and(|next| Some(next) == b.1)
    };
    let runs = nodes.chunk_by(follows).flat_map(|run| match run {
        [first, .., last] if run.len() >= LEAST_RANGE => vec![format!("{} to {}", first.2, last.2)],
        few => few.iter().map(|node| node.2.to_owned()).collect(),
    });
    runs.collect::<Vec<_>>().join(", ")
}

/// A name's beginning, its number where it ends in one that is written without leading zeros, and the whole name.
fn numbered(name: &str) -> (&str, Option<u64>, &str) {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = &name[stem.len()..];
    match digits.parse() {
        Ok(number) if digits == "0" || !digits.starts_with('0') => (stem, Some(number), name),
        _ => (name, None, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(lines: &[&str]) -> Vec<String> {
        folded(lines.iter().copied())
    }

    #[test]
    fn a_hundred_nodes_are_one_line_that_names_them_all() {
        let lines: Vec<String> = (1..=100).map(|n| format!("node sim-{n}: its satellite is not connected")).collect();
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        lines.sort_unstable();
        assert_eq!(fold(&lines), ["100 nodes (sim-1 to sim-100): its satellite is not connected"]);
        let gap: Vec<&str> = lines.iter().copied().filter(|line| !line.starts_with("node sim-51:")).collect();
        assert_eq!(fold(&gap), ["99 nodes (sim-1 to sim-50, sim-52 to sim-100): its satellite is not connected"]);
    }

    #[test]
    fn other_reasons_other_pools_and_other_lines_stay_apart() {
        let lines = [
            "node a, pool p (LVM): full",
            "node b, pool p (LVM): full",
            "node c: away",
            "node d, pool p (LVM): full",
            "node d, pool q (LVM): full",
            "Warning: nothing",
            "Warning: nothing",
            "Warning: nothing",
            "alpha/ssd: chosen",
        ];
        let expected = [
            "3 nodes (a, b, d), pool p (LVM): full",
            "node c: away",
            "node d, pool q (LVM): full",
            "Warning: nothing",
            "Warning: nothing",
            "Warning: nothing",
            "alpha/ssd: chosen",
        ];
        assert_eq!(fold(&lines), expected);
        assert_eq!(fold(&["node a: x", "node b: x"]), ["node a: x", "node b: x"]);
        assert_eq!(fold(&[]), Vec::<String>::new());
    }

    #[test]
    fn moments_become_a_span() {
        let line =
            |node: &str, second: u32| format!("node {node}: away since 2026-01-01 00:00:{second:02} UTC; start it");
        let lines = [line("b", 7), line("a", 5), line("c", 59)];
        let span = "3 nodes (a, b, c): away since 2026-01-01 00:00:05 UTC to 2026-01-01 00:00:59 UTC; start it";
        assert_eq!(fold(&lines.each_ref().map(String::as_str)), [span]);
        let lines = [line("a", 5), line("b", 5), line("c", 5)];
        let one = "3 nodes (a, b, c): away since 2026-01-01 00:00:05 UTC; start it";
        assert_eq!(fold(&lines.each_ref().map(String::as_str)), [one]);
        assert_eq!(timed(": away since yesterday, ä"), (": away since yesterday, ä", None, ""));
    }

    #[test]
    fn names_in_the_order_of_their_numbers() {
        assert_eq!(names(&["n10", "n9", "n8", "m", "n1", "n01", "n2"]), "m, n1, n2, n8 to n10, n01");
        assert_eq!(
            names(&["99999999999999999999", "18446744073709551615"]),
            "18446744073709551615, 99999999999999999999"
        );
    }
}
