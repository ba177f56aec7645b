//! Lists that are written piece by piece while they go out, so that a large one never stands in memory as a whole.
//! A listing works on a snapshot of its own: what changes meanwhile does not show.

use std::ops::Bound;

use imbl::OrdMap;

use crate::protocols::rest::query::Page;
use crate::protocols::rest::render::json::Json;

/// Bytes after which a piece goes out: large enough to compress and send well, small enough to let other requests in.
const PIECE_BYTES: usize = 64 * 1024;
/// By how much a piece commonly exceeds that: it ends after a whole batch.
const OVERSHOOT_BYTES: usize = 8 * 1024;
/// Records between two looks at the piece's size.
const BATCH: usize = 16;

type Step = Box<dyn FnMut(&mut Json) -> More + Send>;

/// Whether a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    Perhaps,
    No,
}

/// A list on its way out.
pub struct Listing {
    step: Step,
    json: Json,
    done: bool,
    /// The first piece is over: the next ones are likely to be full.
    further: bool,
}

impl Listing {
    /// The elements of `map`, in its order: `write` writes none, one or several for each record, as `window` admits.
    pub fn of<K, V>(
        map: OrdMap<K, V>,
        page: Page,
        mut write: impl FnMut(&mut Json, &K, &V, &mut Window) + Send + 'static,
    ) -> Self
    where
        K: Ord + Clone + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        let mut window = Window::of(page);
        let mut last: Option<K> = None;
        let step = move |json: &mut Json| {
            let from = last.take().map_or(Bound::Unbounded, Bound::Excluded);
            for (key, value) in map.range((from, Bound::Unbounded)).take(BATCH) {
                write(json, key, value, &mut window);
                if window.is_closed() {
                    return More::No;
                }
                last = Some(key.clone());
            }
            if last.is_some() { More::Perhaps } else { More::No }
        };
        let mut json = Json::with_capacity(0);
        json.open_list();
        Self { step: Box::new(step), json, done: false, further: false }
    }

    /// The next piece; `None` after the last one.
    pub fn piece(&mut self) -> Option<Vec<u8>> {
        if self.done {
            return None;
        }
        if self.further {
            self.json.reserve(PIECE_BYTES + OVERSHOOT_BYTES);
        }
        self.further = true;
        while self.json.len() < PIECE_BYTES {
            if (self.step)(&mut self.json) == More::No {
                self.json.close_list();
                self.done = true;
                break;
            }
        }
        Some(self.json.take())
    }

    /// Whether the last piece was taken.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }
}

/// The part of a list that is wanted, as it is passed by.
#[derive(Debug)]
pub struct Window {
    skip: usize,
    left: usize,
}

impl Window {
    fn of(page: Page) -> Self {
        match page.limit {
            0 => Self { skip: 0, left: usize::MAX },
            limit => Self { skip: page.offset, left: limit },
        }
    }

    /// Whether the next element that fits is to be written.
    pub fn admit(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let open = self.left > 0;
        self.left = self.left.saturating_sub(1);
        open
    }

    fn is_closed(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(count: u32, limit: usize, offset: usize) -> Vec<u8> {
        let map: OrdMap<u32, u32> = (0..count).map(|n| (n, n)).collect();
        let mut listing = Listing::of(map, Page { limit, offset }, |json, key, _, window| {
            if window.admit() {
                json.number((*key).into());
            }
        });
        std::iter::from_fn(|| listing.piece()).flatten().collect()
    }

    fn numbers(bytes: &[u8]) -> Vec<u32> {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn every_element_once_and_in_order() {
        for count in [0, 1, 15, 16, 17, 100, 40_000] {
            assert_eq!(numbers(&list(count, 0, 0)), (0..count).collect::<Vec<_>>(), "{count}");
        }
    }

    #[test]
    fn pages() {
        assert_eq!(numbers(&list(100, 3, 50)), [50, 51, 52]);
        assert_eq!(numbers(&list(100, 10, 98)), [98, 99]);
        assert_eq!(numbers(&list(100, 10, 100)), [0_u32; 0]);
        assert_eq!(numbers(&list(20, 0, 5)).len(), 20);
    }

    #[test]
    fn a_large_list_comes_in_pieces() {
        let map: OrdMap<u32, u32> = (0_u32..40_000).map(|n| (n, n)).collect();
        let mut listing = Listing::of(map, Page::default(), |json, key, _, _| json.number((*key).into()));
        let first = listing.piece().unwrap();
        assert!(first.len() >= PIECE_BYTES && first.len() < PIECE_BYTES + 1024 && !listing.is_done());
    }
}
