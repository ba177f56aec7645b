//! Actors, by role, and the runtime that they live in.

pub mod controller;
pub mod system;

use crate::protocols::wire::{FromSatellite, ReportsTaken, SatelliteAnswer, ToSatellite};
use system::Message;

impl Message for ToSatellite {
    type Answer = SatelliteAnswer;
}

impl Message for FromSatellite {
    type Answer = ReportsTaken;
}
