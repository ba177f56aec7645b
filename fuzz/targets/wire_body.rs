//! Bodies of messages between controller and satellite: the first line names one, the rest is JSON. What is read and printed
//! is read again as the same; what a satellite reports is taken in, committed and shown without harm.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::model::decide::observe;
use zea::model::plan::{self, ObservedResource};
use zea::protocols::wire::{FromSatellite, ReportsTaken, SatelliteAnswer, ToSatellite};
use zea::store::{Memory, Store};
use zea_fuzz::cluster;

/// Most that a body of 2 KiB may make the program hold.
const MAX_BYTES: usize = 16 << 20;

fn told(json: &str) {
    let Ok(message) = serde_json::from_str::<ToSatellite>(json) else { return };
    zea_fuzz::prints_the_same(&message);
    if let ToSatellite::FullSync { resources, .. } | ToSatellite::Apply(resources) = message {
        for desired in resources {
            let _ = plan::plan(&desired, &ObservedResource::default());
        }
    }
}

fn reported(json: &str) {
    let Ok(message) = serde_json::from_str::<FromSatellite>(json) else { return };
    zea_fuzz::prints_the_same(&message);
    let mut view = cluster::small();
    let store = Memory::new();
    store.load().expect("an empty store loads");
    for (number, report) in (100..).zip(&message.reports) {
        let seen = observe(&view, &message.node, report, cluster::moment(number));
        seen.sightings.into_iter().for_each(|sighting| view.sight(sighting));
        cluster::commit(&mut view, &store, &seen.changes);
    }
    cluster::look_at(&view);
}

fn answered(json: &str) {
    let Ok(message) = serde_json::from_str::<SatelliteAnswer>(json) else { return };
    zea_fuzz::prints_the_same(&message);
}

fn taken(json: &str) {
    let _ = serde_json::from_str::<ReportsTaken>(json).map(|message| zea_fuzz::prints_the_same(&message));
}

const MESSAGES: [(&str, fn(&str)); 4] =
    [("ToSatellite", told), ("FromSatellite", reported), ("SatelliteAnswer", answered), ("ReportsTaken", taken)];

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    let (name, json) = zea_fuzz::first_line(text);
    let (_, read) = zea_fuzz::pick(&MESSAGES, |(name, _)| name, name);
    drop(cluster::small());
    zea_fuzz::memory::within(MAX_BYTES, || read(json));
});
