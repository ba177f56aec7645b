//! The words of `protocols::wire` as messages of actors, so that they go to a mailbox or over a link alike.

use super::system::Message;
use crate::protocols::wire::{FromSatellite, ReportsTaken, SatelliteAnswer, ToSatellite};

impl Message for ToSatellite {
    type Answer = SatelliteAnswer;
}

impl Message for FromSatellite {
    type Answer = ReportsTaken;
}
