//! The crew: workers, the watchdog over them, and the order of their outputs.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::shared::{Place, Running, Shared, Task};
use super::{Cancel, Heartbeat};

/// How often the caller's thread looks at the heartbeats and lets the sink redraw.
const TICK: Duration = Duration::from_millis(50);
/// How long a worker that was asked to stop may take before it is left behind.
const GRACE: Duration = Duration::from_millis(800);

/// The threads of one run.
#[derive(Debug, Clone)]
pub struct Crew {
    /// Number of worker threads, at least 1.
    pub workers: usize,
    /// Tasks taken whose outputs the sink has not had: the ceiling on memory. At least 1.
    pub window: usize,
    /// A task without a heartbeat for this long is given up.
    pub patience: Duration,
    /// Ends the run from outside.
    pub cancel: Arc<Cancel>,
}

/// Why a task gave no output of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// No heartbeat for [`Crew::patience`].
    Stalled,
    /// The task panicked, with this message.
    Panicked(String),
}

/// What planning made of an item.
pub enum Planned<P, O> {
    /// All its work is done already.
    Done(O),
    /// Pieces that any worker may take; none means that the item has no output.
    Pieces(Vec<P>),
}

/// The work of a crew.
pub trait Job: Send + Sync + 'static {
    /// What is listed.
    type Item: Clone + Send + 'static;
    /// What an item is cut into.
    type Piece: Clone + Send + 'static;
    /// What the sink gets.
    type Output: Send + 'static;

    /// Cuts an item into pieces, or does it at once where cutting is not worth it.
    fn plan(
        &self,
        item: Self::Item,
        heartbeat: &Arc<Heartbeat>,
    ) -> Planned<Self::Piece, Self::Output>;

    /// Does one piece.
    fn work(&self, piece: Self::Piece, heartbeat: &Arc<Heartbeat>) -> Self::Output;

    /// The output that stands for an item whose planning was lost.
    fn lost_item(&self, item: Self::Item, loss: Loss) -> Self::Output;

    /// The output that stands for a lost piece.
    fn lost_piece(&self, piece: Self::Piece, loss: Loss) -> Self::Output;
}

/// Where outputs go, on the caller's thread.
pub trait Sink<O> {
    /// Takes the next output in order. `Break` ends the run.
    fn push(&mut self, output: O) -> ControlFlow<()>;

    /// Called a few times a second.
    fn tick(&mut self) {}
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every item's output was handed over.
    Complete,
    /// [`Crew::cancel`] was set.
    Cancelled,
    /// The sink broke off.
    Broken,
}

enum Message<O> {
    Output(Place, O),
    /// An item was cut: the head may move past it.
    Cut,
}

/// Does `job` for every item on `crew.workers` threads and hands the outputs to `sink` in the order
/// of the items, pieces of an item in their order.
///
/// A task that panics, or shows no heartbeat for `crew.patience`, becomes an output of
/// [`Job::lost_item`] or [`Job::lost_piece`]. A thread that hangs inside a C library cannot be
/// stopped: it is left behind, a new worker takes its place, and it ends with the program. Every
/// other thread is joined before this returns.
///
/// # Errors
/// An [`io::Error`] if a thread cannot be started.
///
/// # Panics
/// If the sink panics; the workers are stopped first.
pub fn run_ordered<J: Job>(
    items: impl Iterator<Item = J::Item> + Send + 'static,
    job: Arc<J>,
    crew: &Crew,
    sink: &mut impl Sink<J::Output>,
) -> io::Result<Ended> {
    let shared = Arc::new(Shared::new(
        Box::new(items),
        crew.window.max(1),
        Arc::clone(&crew.cancel),
    ));
    let (output_tx, output_rx) = unbounded(); // bounded by the window, not by the channel
    let mut run = Run {
        job,
        shared,
        output_tx,
        threads: Vec::new(),
        crew: crew.clone(),
    };
    let supervised = catch_unwind(AssertUnwindSafe(|| {
        run.spawn_workers(crew.workers.max(1))?;
        run.supervise(&output_rx, sink)
    }));
    run.shared.close();
    run.stop_workers(matches!(supervised, Ok(Ok(Ended::Complete))));
    supervised.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

struct Run<J: Job> {
    job: Arc<J>,
    shared: Arc<Shared<J::Item, J::Piece>>,
    output_tx: Sender<Message<J::Output>>,
    threads: Vec<JoinHandle<()>>,
    crew: Crew,
}

impl<J: Job> Run<J> {
    fn spawn_workers(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            let (job, shared) = (Arc::clone(&self.job), Arc::clone(&self.shared));
            let output_tx = self.output_tx.clone();
            let name = format!("worker-{}", self.threads.len());
            let thread = thread::Builder::new()
                .name(name)
                .spawn(move || work_until_closed(&*job, &shared, &output_tx))?;
            self.threads.push(thread);
        }
        Ok(())
    }

    /// Puts the outputs in order and watches the workers, until all is done or somebody stops.
    fn supervise(
        &mut self,
        output_rx: &Receiver<Message<J::Output>>,
        sink: &mut impl Sink<J::Output>,
    ) -> io::Result<Ended> {
        let mut waiting = BTreeMap::new();
        let mut watch = Watch::default();
        let mut next_look = Instant::now() + TICK;
        loop {
            if let Ok(Message::Output(place, output)) = output_rx.recv_timeout(TICK) {
                waiting.insert(place, output);
            }
            while let Some(output) = waiting.remove(&self.shared.head()) {
                if self.crew.cancel.is_set() {
                    return Ok(Ended::Cancelled);
                }
                if sink.push(output).is_break() {
                    return Ok(Ended::Broken);
                }
                self.shared.emitted();
            }
            if self.crew.cancel.is_set() {
                return Ok(Ended::Cancelled);
            }
            if self.shared.is_done() {
                return Ok(Ended::Complete);
            }
            if Instant::now() >= next_look {
                for stuck in watch.look(&self.shared, self.crew.patience) {
                    // Its thread hangs inside a library: another one must take its place.
                    self.spawn_workers(1)?;
                    waiting.insert(stuck.place, lost(&*self.job, stuck.task, Loss::Stalled));
                }
                sink.tick();
                next_look = Instant::now() + TICK;
            }
        }
    }

    /// Joins the workers. After a stop they get [`GRACE`]; one that does not answer is left behind.
    fn stop_workers(&mut self, complete: bool) {
        if !complete {
            self.shared.give_up_all();
        }
        let deadline = Instant::now() + GRACE;
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(2));
            }
            if thread.is_finished() {
                let _ = thread.join(); // its panics became losses
            }
        }
    }
}

fn work_until_closed<J: Job>(
    job: &J,
    shared: &Shared<J::Item, J::Piece>,
    output_tx: &Sender<Message<J::Output>>,
) {
    while let Some((number, task, heartbeat)) = shared.take() {
        let planned = catch_unwind(AssertUnwindSafe(|| match task {
            Task::Item(item) => job.plan(item, &heartbeat),
            Task::Piece(piece) => Planned::Done(job.work(piece, &heartbeat)),
        }));
        let message = match planned {
            Ok(Planned::Pieces(pieces)) if !heartbeat.is_given_up() => {
                shared.split(number, pieces).map(|()| Message::Cut)
            }
            planned => shared.finish(number).map(|running| {
                let output = match planned {
                    Ok(Planned::Done(output)) if !heartbeat.is_given_up() => output,
                    Ok(_) => lost(job, running.task, Loss::Stalled),
                    Err(panic) => lost(job, running.task, Loss::Panicked(panic_message(&*panic))),
                };
                Message::Output(running.place, output)
            }),
        };
        // Without an assignment of its own this thread was given up, and replaced.
        let Some(message) = message else { return };
        if output_tx.send(message).is_err() {
            return;
        }
    }
}

fn lost<J: Job>(job: &J, task: Task<J::Item, J::Piece>, loss: Loss) -> J::Output {
    match task {
        Task::Item(item) => job.lost_item(item, loss),
        Task::Piece(piece) => job.lost_piece(piece, loss),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// For how long each assignment has been seen without a heartbeat.
///
/// Time counts only while it is watched: when the whole process was stopped (Ctrl-Z, a frozen
/// container, a laptop asleep) or the sink blocked, no worker is to blame.
#[derive(Default)]
struct Watch {
    seen: BTreeMap<u64, (u64, Duration)>,
    last_look: Option<Instant>,
}

impl Watch {
    /// Asks tasks that have stalled for `patience` to stop, and takes away those that don't answer.
    fn look<I: Clone, P: Clone>(
        &mut self,
        shared: &Shared<I, P>,
        patience: Duration,
    ) -> Vec<Running<I, P>> {
        let now = Instant::now();
        let since_last = now.duration_since(self.last_look.replace(now).unwrap_or(now));
        let watched = since_last.min(2 * TICK);
        let mut state = shared.lock();
        self.seen
            .retain(|number, _| state.running.contains_key(number));
        let mut stuck = Vec::new();
        for (&number, running) in &state.running {
            let beats = running.heartbeat.beats();
            let (last_beats, still) = self.seen.entry(number).or_insert((beats, Duration::ZERO));
            if *last_beats == beats {
                *still += watched;
            } else {
                (*last_beats, *still) = (beats, Duration::ZERO);
            }
            if *still >= patience {
                running.heartbeat.give_up();
            }
            if *still >= patience + GRACE {
                stuck.push(number);
            }
        }
        stuck
            .iter()
            .filter_map(|number| state.running.remove(number))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Items are numbers; item `i` is cut into `pieces(i)` pieces, or done at once for `None`.
    struct Numbers<W> {
        pieces: fn(u64) -> Option<usize>,
        work: W,
    }

    impl<W: Fn(u64, usize, &Heartbeat) + Send + Sync + 'static> Job for Numbers<W> {
        type Item = u64;
        type Piece = (u64, usize);
        type Output = String;

        fn plan(&self, item: u64, heartbeat: &Arc<Heartbeat>) -> Planned<(u64, usize), String> {
            match (self.pieces)(item) {
                Some(count) => Planned::Pieces((0..count).map(|piece| (item, piece)).collect()),
                None => {
                    (self.work)(item, 0, heartbeat);
                    Planned::Done(format!("{item}"))
                }
            }
        }

        fn work(&self, (item, piece): (u64, usize), heartbeat: &Arc<Heartbeat>) -> String {
            (self.work)(item, piece, heartbeat);
            format!("{item}.{piece}")
        }

        fn lost_item(&self, item: u64, loss: Loss) -> String {
            format!("{item} {loss:?}")
        }

        fn lost_piece(&self, (item, piece): (u64, usize), loss: Loss) -> String {
            format!("{item}.{piece} {loss:?}")
        }
    }

    struct Collect<F>(Vec<String>, F);

    impl<F: FnMut(usize) -> ControlFlow<()>> Sink<String> for Collect<F> {
        fn push(&mut self, output: String) -> ControlFlow<()> {
            self.0.push(output);
            (self.1)(self.0.len())
        }
    }

    fn crew(workers: usize, window: usize) -> Crew {
        Crew {
            workers,
            window,
            patience: Duration::from_secs(600),
            cancel: Arc::default(),
        }
    }

    fn mixed(item: u64) -> Option<usize> {
        match item % 5 {
            0 => Some((item % 17) as usize),
            1 => Some(0),
            _ => None,
        }
    }

    fn expected(items: u64) -> Vec<String> {
        let pieces = |item| match mixed(item) {
            Some(count) => (0..count).map(|piece| format!("{item}.{piece}")).collect(),
            None => vec![format!("{item}")],
        };
        (0..items).flat_map(pieces).collect()
    }

    #[test]
    fn outputs_come_in_order_whatever_the_number_of_workers_and_the_window() {
        for (workers, window) in [(1, 1), (2, 1), (2, 4), (8, 10), (24, 3)] {
            let jitter = |item: u64, piece: usize, _: &Heartbeat| {
                thread::sleep(Duration::from_micros(
                    (item * 7919 + piece as u64 * 613) % 700,
                ));
            };
            let job = Arc::new(Numbers {
                pieces: mixed,
                work: jitter,
            });
            let mut sink = Collect(Vec::new(), |_| ControlFlow::Continue(()));
            let ended = run_ordered(0..120u64, job, &crew(workers, window), &mut sink).unwrap();
            assert_eq!(
                (ended, sink.0),
                (Ended::Complete, expected(120)),
                "{workers} {window}"
            );
        }
    }

    #[test]
    fn no_more_than_the_window_is_in_flight() {
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        static WORST: AtomicUsize = AtomicUsize::new(0);
        static EMITTED: AtomicUsize = AtomicUsize::new(0);
        let work = |item: u64, _: usize, _: &Heartbeat| {
            let taken = TAKEN.fetch_add(1, Ordering::SeqCst) + 1;
            WORST.fetch_max(taken - EMITTED.load(Ordering::SeqCst), Ordering::SeqCst);
            thread::sleep(Duration::from_micros((item * 7919) % 900));
        };
        let job = Arc::new(Numbers {
            pieces: |item| (item % 3 == 0).then_some(9),
            work,
        });
        let mut sink = Collect(Vec::new(), |_| {
            EMITTED.fetch_add(1, Ordering::SeqCst);
            ControlFlow::Continue(())
        });
        run_ordered(0..60u64, job, &crew(8, 10), &mut sink).unwrap();
        // One over: the output that the sink waits for needs no room.
        assert!(
            WORST.load(Ordering::SeqCst) <= 12,
            "{}",
            WORST.load(Ordering::SeqCst)
        );
    }

    #[test]
    fn a_sink_that_breaks_stops_all_workers() {
        let job = Arc::new(Numbers {
            pieces: mixed,
            work: |_, _, _: &Heartbeat| {},
        });
        let stop_at_6 = |n| {
            if n == 6 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let mut sink = Collect(Vec::new(), stop_at_6);
        let ended = run_ordered(0.., job, &crew(4, 8), &mut sink).unwrap();
        assert_eq!((ended, sink.0.len()), (Ended::Broken, 6));
    }

    #[test]
    #[should_panic(expected = "full disk")]
    fn a_sink_that_panics_ends_the_run_instead_of_hanging_it() {
        let job = Arc::new(Numbers {
            pieces: mixed,
            work: |_, _, _: &Heartbeat| {},
        });
        let mut sink = Collect(Vec::new(), |_| panic!("full disk"));
        let _ = run_ordered(0.., job, &crew(4, 8), &mut sink);
    }

    #[test]
    fn a_task_that_panics_becomes_an_output_that_says_so_and_the_run_goes_on() {
        let work = |item: u64, piece: usize, _: &Heartbeat| {
            assert!(item != 7 && (item, piece) != (10, 3), "bad luck");
        };
        let job = Arc::new(Numbers {
            pieces: mixed,
            work,
        });
        let mut sink = Collect(Vec::new(), |_| ControlFlow::Continue(()));
        run_ordered(0..20u64, job, &crew(3, 6), &mut sink).unwrap();
        let lost: Vec<_> = sink
            .0
            .iter()
            .filter(|output| output.contains("Panicked"))
            .collect();
        assert_eq!(
            lost,
            ["7 Panicked(\"bad luck\")", "10.3 Panicked(\"bad luck\")"]
        );
        assert_eq!(sink.0.len(), expected(20).len());
    }

    #[test]
    fn cancel_from_outside_ends_an_endless_run_within_a_second() {
        let crew = crew(8, 8);
        let cancel = Arc::clone(&crew.cancel);
        let work = move |item: u64, _: usize, heartbeat: &Heartbeat| {
            if item == 60 {
                cancel.set();
            }
            if item == 61 {
                thread::sleep(Duration::from_secs(3600)); // deaf
            }
            while item > 62 && !heartbeat.should_stop() {
                thread::sleep(Duration::from_millis(1));
            }
        };
        let job = Arc::new(Numbers {
            pieces: mixed,
            work,
        });
        let start = Instant::now();
        let mut sink = Collect(Vec::new(), |_| ControlFlow::Continue(()));
        assert_eq!(
            run_ordered(0.., job, &crew, &mut sink).unwrap(),
            Ended::Cancelled
        );
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_task_that_stalls_is_lost_whether_it_listens_or_not_and_the_others_go_on() {
        let work = |item: u64, _: usize, heartbeat: &Heartbeat| match item {
            3 => thread::sleep(Duration::from_secs(3600)),
            4 => {
                while !heartbeat.should_stop() {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            8 => {
                for _ in 0..10 {
                    thread::sleep(Duration::from_millis(60));
                    heartbeat.beat(); // slow, but alive
                }
            }
            _ => {}
        };
        let job = Arc::new(Numbers {
            pieces: |_| None,
            work,
        });
        let crew = Crew {
            patience: Duration::from_millis(300),
            ..crew(2, 4)
        };
        let mut sink = Collect(Vec::new(), |_| ControlFlow::Continue(()));
        assert_eq!(
            run_ordered(0..12u64, job, &crew, &mut sink).unwrap(),
            Ended::Complete
        );
        assert_eq!(
            (&*sink.0[3], &*sink.0[4], &*sink.0[8]),
            ("3 Stalled", "4 Stalled", "8")
        );
        assert_eq!(sink.0.len(), 12);
    }
}
