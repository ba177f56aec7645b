//! Clients: each has one command after another, and sends the very same one again until somebody answers. What was sent
//! before may still arrive, and be carried out late.

use std::collections::VecDeque;
use std::time::Duration;

use zea::model::code::{FAIL_IN_USE, FAIL_RSC_BUSY, Kind};
use zea::model::command::Command;
use zea::model::conduct::writer::{Answer, Outcome};

use super::controller::{ControlEvent, Input};
use super::script::command;
use super::world::{Event, World};

/// Attempts before a client gives up, as long as the world is not at rest.
const ATTEMPTS: u32 = 8;
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_secs(2);

/// What happens to a client.
#[derive(Debug)]
pub enum ClientEvent {
    /// The next line, or the same one again.
    Send,
    /// The request of this number comes to the controller.
    Arrives(u64),
    /// Its answer comes back.
    Answered(u64, Box<Outcome>),
    /// The connection of it is lost, or nothing was heard for too long.
    Lost(u64),
}

/// One command of a client.
#[derive(Debug)]
pub struct Order {
    /// Which line of the script; the same for all attempts.
    pub line: usize,
    pub text: String,
    pub command: Command,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Client {
    waiting: VecDeque<Order>,
    /// The request that is under way.
    ticket: Option<u64>,
    attempts: u32,
    sending: bool,
}

impl Client {
    /// Whether it has nothing to do and waits for nothing.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn current(&self) -> Option<&Order> {
        self.waiting.front()
    }
}

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    pub client: u8,
    pub line: usize,
    pub answer: Answer,
}

impl World {
    /// A client is given something to do.
    pub fn give(&mut self, number: u8, line: usize, text: &str) {
        let command = command(text).expect("the script was read");
        let client = self.clients.entry(number).or_default();
        client.waiting.push_back(Order { line, text: text.to_owned(), command });
        self.wake(number, Duration::ZERO);
    }

    fn wake(&mut self, number: u8, delay: Duration) {
        let client = self.clients.entry(number).or_default();
        if !client.sending && client.ticket.is_none() && !client.waiting.is_empty() {
            client.sending = true;
            self.queue.after(delay, Event::Client(number, ClientEvent::Send));
        }
    }

    pub fn client(&mut self, number: u8, event: ClientEvent) {
        match event {
            ClientEvent::Send => self.send_request(number),
            ClientEvent::Arrives(ticket) => self.request_arrives(number, ticket),
            ClientEvent::Answered(ticket, outcome) => self.request_answered(number, ticket, &outcome),
            ClientEvent::Lost(ticket) => {
                if self.clients.get(&number).is_some_and(|client| client.ticket == Some(ticket)) {
                    self.tell(|| format!("c{number} hears nothing of request {ticket}"));
                    self.again(number);
                }
            }
        }
    }

    fn send_request(&mut self, number: u8) {
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        let client = self.clients.entry(number).or_default();
        client.sending = false;
        let Some(order) = client.waiting.front() else {
            return;
        };
        client.ticket = Some(ticket);
        client.attempts += 1;
        let (line, text, attempt) = (order.line, order.text.clone(), client.attempts);
        let answer = if self.random.permille(100) { Answer::WhenDurable } else { Answer::WhenCarriedOut };
        self.requests.insert(ticket, Request { client: number, line, answer });
        self.tell(|| format!("c{number} asks ({ticket}, attempt {attempt}): {text}"));
        let delay = self.way();
        self.queue.after(delay, Event::Client(number, ClientEvent::Arrives(ticket)));
        let patience = Duration::from_secs(self.random.between(20, 90));
        self.queue.after(patience, Event::Client(number, ClientEvent::Lost(ticket)));
    }

    fn request_arrives(&mut self, number: u8, ticket: u64) {
        let Some(request) = self.requests.get(&ticket).copied() else { return };
        let process = self.controller.process;
        if !self.controller.runs {
            return self.queue.after(Duration::ZERO, Event::Client(number, ClientEvent::Lost(ticket)));
        }
        // A late one of a line that is over was kept for this.
        let Some(command) = self.commands.get(&request.line).cloned() else { return };
        let input = Input::Execute(ticket, Box::new(command), request.answer);
        self.queue.after(Duration::ZERO, Event::Control(process, ControlEvent::Input(input)));
    }

    /// The controller answers: the answer is on its way, or gets lost.
    pub fn answer_client(&mut self, ticket: u64, outcome: Outcome) {
        let Some(request) = self.requests.get(&ticket).copied() else { return };
        if self.random.permille(self.weather.answer_lost) {
            return self.tell(|| format!("the answer to request {ticket} is lost"));
        }
        let delay = self.way();
        self.queue.after(delay, Event::Client(request.client, ClientEvent::Answered(ticket, Box::new(outcome))));
    }

    fn request_answered(&mut self, number: u8, ticket: u64, outcome: &Outcome) {
        let Some(client) = self.clients.get_mut(&number).filter(|client| client.ticket == Some(ticket)) else {
            return;
        };
        let attempts = client.attempts;
        self.tell(|| format!("c{number} is answered ({ticket}): {}", super::text::outcome(outcome)));
        let retry = match outcome {
            Outcome::Done(notes) => notes.iter().any(|note| note.kind == Kind::Error && note.code == FAIL_RSC_BUSY),
            Outcome::Busy => true,
            Outcome::Refused(refusal) => [FAIL_RSC_BUSY, FAIL_IN_USE].contains(&refusal.note.code) && attempts < 4,
        };
        if retry {
            return self.again(number);
        }
        self.over(number, ticket, Some(outcome));
    }

    fn again(&mut self, number: u8) {
        let client = self.clients.entry(number).or_default();
        let ticket = client.ticket.take().unwrap_or_default();
        if client.attempts >= ATTEMPTS && !self.calm {
            self.tell(|| format!("c{number} gives up"));
            return self.over(number, ticket, None);
        }
        self.wake(number, PAUSE);
    }

    fn over(&mut self, number: u8, ticket: u64, outcome: Option<&Outcome>) {
        let client = self.clients.entry(number).or_default();
        client.ticket = None;
        client.attempts = 0;
        let order = client.waiting.pop_front();
        if let (Some(order), Some(outcome)) = (&order, outcome) {
            self.judge.client_heard(order, (ticket, outcome));
        }
        self.wake(number, Duration::from_millis(5));
    }

    /// Every connection to the controller's API breaks.
    pub fn clients_lose_controller(&mut self) {
        let lost: Vec<(u8, u64)> =
            self.clients.iter().filter_map(|(number, client)| Some((*number, client.ticket?))).collect();
        for (number, ticket) in lost {
            let delay = self.way();
            self.queue.after(delay, Event::Client(number, ClientEvent::Lost(ticket)));
        }
    }
}
