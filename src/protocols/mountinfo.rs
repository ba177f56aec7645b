//! `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Device number, `major:minor`. File systems such as btrfs show one of their own.
    pub device: String,
    /// Where it is mounted.
    pub point: String,
    /// What was mounted, mostly a device's path.
    pub source: String,
}

/// Reads all lines; those that are none of a mount are left out.
#[must_use]
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

/// Mounts of a block device.
#[must_use]
pub fn of_device(text: &str, device: &str, path: &str) -> Vec<Mount> {
    let mut mounts = parse(text);
    mounts.retain(|mount| mount.device == device || mount.source == path);
    mounts
}

fn parse_line(line: &str) -> Option<Mount> {
    let mut fields = line.split(' ');
    let device = fields.nth(2)?.to_owned();
    let point = unescape(fields.nth(1)?);
    // Options, and then optional fields up to a hyphen; a hyphen before that is a name.
    fields.next()?;
    fields.find(|field| *field == "-")?;
    let source = unescape(fields.nth(1)?);
    Some(Mount { device, point, source })
}

/// Undoes `\040` and the like.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = (*first == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            // A number of Rust's may begin with a plus.
            .filter(|digits| digits[0] != b'+')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &tail[3..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURED: &str = include_str!("../../tests/fixtures/mountinfo.txt");

    #[test]
    fn a_hyphen_may_be_a_name() {
        let mounts = parse("36 35 98:0 / - rw,noatime shared:1 - ext3  rw");
        assert_eq!(mounts, [Mount { device: "98:0".to_owned(), point: "-".to_owned(), source: String::new() }]);
    }

    #[test]
    fn captured_lines() {
        let loops = of_device(CAPTURED, "7:16", "/dev/loop2");
        let points: Vec<&str> = loops.iter().map(|mount| mount.point.as_str()).collect();
        assert_eq!(points, ["/tmp/zea a\tb"]);
        assert!(of_device(CAPTURED, "7:8", "/dev/loop1").is_empty());
        assert!(parse(CAPTURED).len() > 5);
    }

    #[test]
    fn nonsense_is_left_out() {
        for text in ["", "x", " - ", "1 2 3 - x", "\\04"] {
            assert!(parse(text).is_empty(), "{text:?}");
        }
        assert_eq!(unescape("a\\134b\\04\\"), "a\\b\\04\\");
        assert_eq!(unescape("\\+40\\777\\049"), "\\+40\\777\\049");
    }
}
