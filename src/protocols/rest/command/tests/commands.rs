//! One row a request.
use super::*;
#[test]
fn dump() {
    for line in include_str!("rows.txt").lines().filter(|l| !l.trim().is_empty()) {
        let (req, body) = line.split_once(" :: ").unwrap_or((line, ""));
        let (_, got) = ask(req, body);
        match got {
            Ok(o) => println!("{line}\n    {}", brief(&o)),
            Err(e) => println!("{line}\n    ERR {e:?}"),
        }
    }
}
