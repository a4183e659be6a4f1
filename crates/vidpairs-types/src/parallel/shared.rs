//! What the workers of one crew share: the tasks not yet taken, and how much is in flight.

use std::collections::BTreeMap;
use std::iter::{Enumerate, Fuse};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Cancel, Heartbeat};

/// Place of an output: item, then piece within the item.
pub(super) type Place = (usize, usize);

/// A unit of work: an item to plan, or a piece that planning made.
#[derive(Clone)]
pub(super) enum Task<I, P> {
    Item(I),
    Piece(P),
}

/// What one worker is doing.
pub(super) struct Running<I, P> {
    pub place: Place,
    pub task: Task<I, P>,
    pub heartbeat: Arc<Heartbeat>,
}

pub(super) struct State<I, P> {
    items: Fuse<Enumerate<Box<dyn Iterator<Item = I> + Send>>>,
    exhausted: bool,
    pieces: BTreeMap<Place, P>,
    /// By assignment number, which is never used twice: a worker that was given up finds its own
    /// number gone, and leaves.
    pub running: BTreeMap<u64, Running<I, P>>,
    num_assignments: u64,
    /// Tasks taken whose output the sink has not had.
    in_flight: usize,
    /// The place whose output the sink waits for.
    head: Place,
    /// Of items that were cut and not yet handed over.
    num_pieces: BTreeMap<usize, usize>,
    closed: bool,
}

pub(super) struct Shared<I, P> {
    state: Mutex<State<I, P>>,
    moved: Condvar,
    window: usize,
    cancel: Arc<Cancel>,
}

impl<I: Clone, P: Clone> Shared<I, P> {
    pub fn new(
        items: Box<dyn Iterator<Item = I> + Send>,
        window: usize,
        cancel: Arc<Cancel>,
    ) -> Self {
        let state = State {
            items: items.enumerate().fuse(),
            exhausted: false,
            pieces: BTreeMap::new(),
            running: BTreeMap::new(),
            num_assignments: 0,
            in_flight: 0,
            head: (0, 0),
            num_pieces: BTreeMap::new(),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            moved: Condvar::new(),
            window,
            cancel,
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State<I, P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task and its assignment number, once there is one and the window has room; `None`
    /// when there is no more to do.
    pub fn take(&self) -> Option<(u64, Task<I, P>, Arc<Heartbeat>)> {
        let mut state = self.lock();
        loop {
            if state.closed || self.cancel.is_set() {
                return None;
            }
            if let Some((place, task)) = state.next_task(self.window) {
                return Some(self.assign(&mut state, place, task));
            }
            if state.is_drained() {
                state.closed = true;
                self.moved.notify_all();
                return None;
            }
            state = self
                .moved
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn assign(
        &self,
        state: &mut State<I, P>,
        place: Place,
        task: Task<I, P>,
    ) -> (u64, Task<I, P>, Arc<Heartbeat>) {
        let number = state.num_assignments;
        let heartbeat = Arc::new(Heartbeat::new(Arc::clone(&self.cancel)));
        state.num_assignments += 1;
        state.in_flight += 1;
        let running = Running {
            place,
            task: task.clone(),
            heartbeat: Arc::clone(&heartbeat),
        };
        state.running.insert(number, running);
        (number, task, heartbeat)
    }

    /// Ends an assignment and gives what it was; `None` if it was given up meanwhile.
    pub fn finish(&self, number: u64) -> Option<Running<I, P>> {
        let running = self.lock().running.remove(&number);
        self.moved.notify_all();
        running
    }

    /// Replaces a planned item by its pieces; `None` if it was given up meanwhile.
    pub fn split(&self, number: u64, pieces: Vec<P>) -> Option<()> {
        let mut state = self.lock();
        let (item, _) = state.running.remove(&number)?.place;
        state.in_flight -= 1;
        state.num_pieces.insert(item, pieces.len());
        let places = (0..).map(|piece| (item, piece));
        state.pieces.extend(places.zip(pieces));
        self.moved.notify_all();
        Some(())
    }

    /// The place whose output comes next.
    pub fn head(&self) -> Place {
        let mut state = self.lock();
        while state.num_pieces.get(&state.head.0) == Some(&state.head.1) {
            let done = state.head.0;
            state.num_pieces.remove(&done);
            state.head = (done + 1, 0);
            self.moved.notify_all();
        }
        state.head
    }

    /// Moves on after the output of the head was handed over.
    pub fn emitted(&self) {
        let mut state = self.lock();
        let (item, piece) = state.head;
        state.in_flight -= 1;
        state.head = if state.num_pieces.contains_key(&item) {
            (item, piece + 1)
        } else {
            (item + 1, 0)
        };
        self.moved.notify_all();
    }

    /// Whether nothing is left to take, to do or to hand over.
    pub fn is_done(&self) -> bool {
        let state = self.lock();
        state.exhausted && state.pieces.is_empty() && state.in_flight == 0
    }

    /// Asks all running tasks to stop.
    pub fn give_up_all(&self) {
        for running in self.lock().running.values() {
            running.heartbeat.give_up();
        }
    }

    /// No task is handed out any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.moved.notify_all();
    }
}

impl<I, P> State<I, P> {
    /// Pieces before items, earliest first. The one that the sink waits for needs no room, so the
    /// window can be full of later ones without a deadlock.
    fn next_task(&mut self, window: usize) -> Option<(Place, Task<I, P>)> {
        let has_room = self.in_flight < window;
        if let Some(entry) = self.pieces.first_entry() {
            if !has_room && *entry.key() != self.head {
                return None;
            }
            let (place, piece) = entry.remove_entry();
            return Some((place, Task::Piece(piece)));
        }
        if self.exhausted || !has_room {
            return None;
        }
        let next = self.items.next();
        self.exhausted = next.is_none();
        next.map(|(index, item)| ((index, 0), Task::Item(item)))
    }

    /// Whether no task is left and no running one can make more.
    fn is_drained(&self) -> bool {
        let is_planning = |running: &Running<I, P>| matches!(running.task, Task::Item(_));
        self.exhausted && self.pieces.is_empty() && !self.running.values().any(is_planning)
    }
}
