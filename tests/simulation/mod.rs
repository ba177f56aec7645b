//! A whole cluster in one thread: the real machines of controller and satellites over a simulated network, disks, store and
//! clocks, from one seed. No tokio, no wall clock: the same seed gives the same story, byte for byte.
//!
//! ```text
//! workload    a seed -> a script: what clients ask, what goes wrong
//! script      lines of text; also read from tests/scenarios
//! world       queue of events, network, controller, node, machine, client: carries out what the machines want
//! judge       the oracles
//! run         from a blank cluster through the script to rest; shrinks what fails
//! plants      defects, to prove that the oracles find them
//! reached     which arms of the model were reached
//! ```

mod client;
mod controller;
mod disk;
mod excused;
mod judge;
mod lines;
mod machine;
mod network;
mod node;
mod plants;
mod queue;
mod random;
mod reached;
mod run;
mod script;
mod seeds;
mod story;
mod text;
mod workload;
mod world;
