//! Tests of what is decided from a listing of LVM.

use std::collections::VecDeque;

use super::*;
use crate::model::size::Kib;
use crate::protocols::lvm::parse_volumes;
use tokio::sync::oneshot;

/// What a look finds.
type Found = Result<BTreeMap<String, Listed>, Problem>;

/// Answers in order, each given when the test says so.
#[derive(Default)]
struct Told {
    looks: Mutex<Vec<Vec<String>>>,
    answers: Mutex<VecDeque<oneshot::Receiver<Found>>>,
}

type Answer = oneshot::Sender<Found>;

impl Told {
    fn expect(&self) -> Answer {
        let (tell, told) = oneshot::channel();
        self.answers.lock().unwrap().push_back(told);
        tell
    }

    fn looks(&self) -> Vec<Vec<String>> {
        self.looks.lock().unwrap().clone()
    }
}

impl Look for Told {
    fn look(&self, groups: Vec<String>) -> Looking {
        self.looks.lock().unwrap().push(groups);
        let told = self.answers.lock().unwrap().pop_front().expect("an answer");
        Box::pin(async move { told.await.expect("told") })
    }
}

const AGE: Duration = Duration::from_secs(3600);

fn listing(groups: &[&str], common_ms: u64, own_ms: u64) -> (Arc<Listing>, Arc<Told>) {
    let told = Arc::new(Told::default());
    let mut listing = Listing::new(Arc::clone(&told) as Arc<dyn Look>);
    listing.waits = Waits { common: Duration::from_millis(common_ms), own: Duration::from_millis(own_ms) };
    groups.iter().for_each(|group| listing.add(group));
    (Arc::new(listing), told)
}

/// Groups, each with these volumes of 4 KiB.
fn found(groups: &[(&str, &[&str])]) -> BTreeMap<String, Listed> {
    let lines = groups.iter().flat_map(|(group, names)| {
        names.iter().map(move |name| format!("{group};{name};4096;-wi-a-----;;;;;0;1;;u;;v;4096;4096;0;wz--n-;0;\n"))
    });
    parse_volumes(&lines.collect::<String>()).unwrap()
}

fn names(listing: &Listing, group: &str) -> Result<Vec<String>, Problem> {
    listing.read(group, AGE, |listed| listed.volumes.keys().cloned().collect())
}

fn bad() -> Problem {
    problem("bad", "on purpose", "none")
}

/// Reads on a thread that may block.
async fn read(listing: &Arc<Listing>, group: &'static str) -> Result<Vec<String>, Problem> {
    let listing = Arc::clone(listing);
    tokio::task::spawn_blocking(move || names(&listing, group)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_look_serves_all_groups_and_all_who_ask() {
    let (listing, told) = listing(&["a", "b"], 60_000, 60_000);
    let answer = told.expect();
    let readers: Vec<_> = (0..8)
        .map(|n| {
            let listing = Arc::clone(&listing);
            tokio::task::spawn_blocking(move || names(&listing, if n % 2 == 0 { "a" } else { "b" }))
        })
        .collect();
    answer.send(Ok(found(&[("a", &["x"]), ("b", &["y", "z"])]))).unwrap();
    for (n, reader) in readers.into_iter().enumerate() {
        let wanted: &[&str] = if n % 2 == 0 { &["x"] } else { &["y", "z"] };
        assert_eq!(reader.await.unwrap().unwrap(), wanted);
    }
    assert_eq!(told.looks(), [["a", "b"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_common_look_that_hangs_holds_up_only_the_sick_group() {
    let (listing, told) = listing(&["sick", "well"], 10, 300);
    let (_hanging, well, _sick) = (told.expect(), told.expect(), told.expect());
    well.send(Ok(found(&[("well", &["x"])]))).unwrap();
    assert_eq!(read(&listing, "well").await.unwrap(), ["x"]);
    let error = read(&listing, "sick").await.unwrap_err();
    assert!(error.cause.contains("`lvs sick` has been running"), "{error:?}");
    assert_eq!(told.looks(), [vec!["sick", "well"], vec!["well"], vec!["sick"]]);
    assert_eq!(read(&listing, "well").await.unwrap(), ["x"], "without another look");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_common_look_that_fails_is_done_one_by_one() {
    let (listing, told) = listing(&["sick", "well"], 60_000, 60_000);
    let answers = [Err(bad()), Ok(found(&[("well", &["x"])])), Err(bad())];
    answers.into_iter().for_each(|answer| told.expect().send(answer).unwrap());
    assert_eq!(read(&listing, "well").await.unwrap(), ["x"]);
    assert_eq!(read(&listing, "sick").await, Err(bad()));
    assert_eq!(read(&listing, "sick").await, Err(bad()), "told again without a look");
    assert_eq!(told.looks().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_failed_is_left_out_of_the_look_for_all() {
    let (listing, told) = listing(&["sick", "well", "other"], 60_000, 60_000);
    let answers = [Err(bad()), Err(bad()), Ok(found(&[("well", &["x"]), ("other", &["y"])]))];
    answers.into_iter().for_each(|answer| told.expect().send(answer).unwrap());
    assert_eq!(read(&listing, "sick").await, Err(bad()));
    listing.inner.lock().apart_until = None;
    assert_eq!(read(&listing, "well").await.unwrap(), ["x"]);
    assert_eq!(read(&listing, "other").await.unwrap(), ["y"]);
    assert_eq!(told.looks(), [vec!["other", "sick", "well"], vec!["sick"], vec!["other", "well"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_not_there_is_said_to_be_absent() {
    let (listing, told) = listing(&["gone"], 60_000, 60_000);
    told.expect().send(Ok(BTreeMap::new())).unwrap();
    let error = read(&listing, "gone").await.unwrap_err();
    assert!(error.cause.contains("no volume group gone"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_count_also_for_a_look_that_began_before_them() {
    let (listing, told) = listing(&["a"], 60_000, 60_000);
    told.expect().send(Ok(found(&[("a", &["old", "kept"])]))).unwrap();
    assert_eq!(read(&listing, "a").await.unwrap().len(), 2);
    let answer = told.expect();
    let reader = {
        let listing = Arc::clone(&listing);
        tokio::task::spawn_blocking(move || {
            listing.read("a", Duration::ZERO, |l| l.volumes.keys().cloned().collect::<Vec<_>>())
        })
    };
    while told.looks().len() < 2 {
        tokio::task::yield_now().await;
    }
    let made = found(&[("a", &["new"])]).remove("a").unwrap();
    let new = made.volumes["new"].clone();
    listing.patch("a", vec![("new".to_owned(), Some(new)), ("old".to_owned(), None)], Some(&made.group));
    answer.send(Ok(found(&[("a", &["old", "kept"])]))).unwrap();
    assert_eq!(reader.await.unwrap().unwrap(), ["kept", "new"]);
    assert!(listing.is_room_stale("a"), "the look may not have seen it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_is_looked_at_anew_and_not_believed_of_an_older_look() {
    let (listing, told) = listing(&["a"], 60_000, 60_000);
    let (old, new) = (told.expect(), told.expect());
    let reader = {
        let listing = Arc::clone(&listing);
        tokio::task::spawn_blocking(move || names(&listing, "a"))
    };
    while told.looks().is_empty() {
        tokio::task::yield_now().await;
    }
    listing.forget("a");
    old.send(Ok(found(&[("a", &["stale"])]))).unwrap();
    new.send(Ok(found(&[("a", &["fresh"])]))).unwrap();
    assert_eq!(reader.await.unwrap().unwrap(), ["fresh"]);
    assert_eq!(told.looks().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn room_is_stale_after_a_removal_until_it_is_told() {
    let (listing, told) = listing(&["a"], 60_000, 60_000);
    told.expect().send(Ok(found(&[("a", &["x"])]))).unwrap();
    read(&listing, "a").await.unwrap();
    listing.patch("a", vec![("x".to_owned(), None)], None);
    assert!(listing.is_room_stale("a"));
    let group = Group { free: Kib(7), ..Group::default() };
    listing.patch("a", Vec::new(), Some(&group));
    assert!(!listing.is_room_stale("a"));
    assert_eq!(listing.read("a", AGE, |listed| listed.group.free), Ok(Kib(7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_a_look() {
    struct Panics;
    impl Look for Panics {
        fn look(&self, _: Vec<String>) -> Looking {
            Box::pin(async { panic!("on purpose") })
        }
    }
    let listing = Arc::new(Listing::new(Arc::new(Panics)));
    listing.add("a");
    let error = read(&listing, "a").await.unwrap_err();
    assert!(error.cause.contains("broken off"), "{error:?}");
}
