//! One row a request: the bodies that known clients send, and the orders that they come to.

use super::*;

const ROWS: &str = include_str!("commands.txt");

/// A row: request line, body, order.
fn rows() -> Vec<(&'static str, &'static str, &'static str)> {
    let comments = |block: &&str| !block.starts_with('#');
    let row = |block: &'static str| {
        let (request, order) = block.trim_end().split_once("\n=> ").expect("an order");
        let (line, body) = request.split_once('\n').unwrap_or((request, ""));
        (line, body, order)
    };
    ROWS.split("\n\n").filter(comments).map(row).collect()
}

#[test]
fn requests_come_to_orders() {
    let rows = rows();
    assert!(rows.len() > 80, "{}", rows.len());
    for (line, body, expected) in rows {
        let order = ask(line, body).1.unwrap_or_else(|error| panic!("{line} {body}: {error}"));
        assert_eq!(brief(&order), expected, "{line} {body}");
    }
}

#[test]
fn every_call_has_a_row() {
    let seen: BTreeSet<&str> = rows().iter().map(|(line, body, _)| ask(line, body).0).collect();
    for call in all() {
        assert!(seen.contains(call.operation), "{} has no row", call.operation);
    }
}
