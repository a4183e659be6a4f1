//! Runs the workers, watches them, and puts their outputs in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::job::{Job, Loss, PieceJob, Planned, Sink, Whole};
use super::shared::{Place, Running, Shared, Task};
use super::{Cancel, caught};

/// Period of the watchdog and of [`Sink::tick`].
const TICK: Duration = Duration::from_millis(50);
/// Time for a worker to stop before it is left behind.
const GRACE: Duration = Duration::from_millis(800);
/// Maximum number of threads that hang inside a library: each may keep a core and hundreds of megabytes until the program ends.
const MAX_HUNG: usize = 16;
/// Threads of this process that hang.
static NUM_HUNG: AtomicUsize = AtomicUsize::new(0);

/// The threads of one run.
#[derive(Debug, Clone)]
pub struct Crew {
    /// Number of worker threads, at least 1.
    pub workers: usize,
    /// Maximum number of tasks in flight: the ceiling on memory. At least 1.
    pub window: usize,
    /// Time without a heartbeat after which a task is given up.
    pub patience: Duration,
    /// Stops the run from outside.
    pub cancel: Arc<Cancel>,
}

/// Why a run ended before every output was handed over.
#[derive(Debug)]
pub enum Broken<E> {
    /// [`Crew::cancel`] was set.
    Cancelled,
    /// The sink failed.
    Sink(E),
    /// A thread could not be started.
    Thread(io::Error),
    /// Too many threads hang inside a library: most inputs are hostile, or a disk does not respond.
    Hung {
        /// Threads that hang.
        num_threads: usize,
    },
}

enum Message<O> {
    Output(Place, O),
    /// An item was cut: the head may move past it.
    Cut,
    /// A worker panicked outside a task: in the list of items, or in what stands for a lost item.
    Broken(Box<dyn Any + Send>),
}

/// Does `job` for every item on `crew.workers` threads and hands the outputs to `sink` in the order of the items.
///
/// An item that panics, or shows no heartbeat for `crew.patience`, becomes an output of [`Job::lost`]. A thread that hangs inside a C
/// library cannot be stopped: it is left behind, and a new worker takes its place. If more than 16 threads of the process hang, the run
/// ends. Every other thread is joined before this returns.
///
/// # Errors
/// [`Broken`]; outputs before that were handed over.
///
/// # Panics
/// If the sink, the iterator, or [`Job::lost`] panics; the workers are stopped first.
pub fn run_ordered<J: Job, S: Sink<J::Output>>(
    items: impl Iterator<Item = J::Item> + Send + 'static,
    job: Arc<J>,
    crew: &Crew,
    sink: &mut S,
) -> Result<(), Broken<S::Error>> {
    run_in_pieces(items, Arc::new(Whole(job)), crew, sink)
}

/// As [`run_ordered`], for a job that cuts items into pieces: the outputs of an item's pieces come in their order.
///
/// # Errors
/// As [`run_ordered`].
///
/// # Panics
/// As [`run_ordered`].
pub fn run_in_pieces<J: PieceJob, S: Sink<J::Output>>(
    items: impl Iterator<Item = J::Item> + Send + 'static,
    job: Arc<J>,
    crew: &Crew,
    sink: &mut S,
) -> Result<(), Broken<S::Error>> {
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
        run.spawn_workers(crew.workers.max(1))
            .map_err(Broken::Thread)?;
        run.supervise(&output_rx, sink)
    }));
    run.shared.close();
    run.stop_workers(matches!(supervised, Ok(Ok(()))));
    supervised.unwrap_or_else(|panic| resume_unwind(panic))
}

struct Run<J: PieceJob> {
    job: Arc<J>,
    shared: Arc<Shared<J::Item, J::Piece>>,
    output_tx: Sender<Message<J::Output>>,
    threads: Vec<JoinHandle<()>>,
    crew: Crew,
}

impl<J: PieceJob> Run<J> {
    fn spawn_workers(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            let (job, shared) = (Arc::clone(&self.job), Arc::clone(&self.shared));
            let output_tx = self.output_tx.clone();
            let name = format!("worker-{}", self.threads.len());
            let thread = thread::Builder::new().name(name).spawn(move || {
                let worked = AssertUnwindSafe(|| work_until_closed(&*job, &shared, &output_tx));
                if let Err(panic) = catch_unwind(worked) {
                    // Nobody listens any more once the run has ended.
                    let _ = output_tx.send(Message::Broken(panic));
                }
            })?;
            self.threads.push(thread);
        }
        Ok(())
    }

    /// Puts the outputs in order and watches the workers, until all is done or somebody stops.
    fn supervise<S: Sink<J::Output>>(
        &mut self,
        output_rx: &Receiver<Message<J::Output>>,
        sink: &mut S,
    ) -> Result<(), Broken<S::Error>> {
        let mut waiting = BTreeMap::new();
        let mut watch = Watch::default();
        let mut next_look = Instant::now() + TICK;
        loop {
            match output_rx.recv_timeout(TICK) {
                Ok(Message::Output(place, output)) => {
                    waiting.insert(place, output);
                }
                Ok(Message::Broken(panic)) => resume_unwind(panic),
                Ok(Message::Cut) | Err(_) => {}
            }
            while let Some(output) = waiting.remove(&self.shared.head()) {
                if self.crew.cancel.is_set() {
                    return Err(Broken::Cancelled);
                }
                sink.push(output).map_err(Broken::Sink)?;
                self.shared.emitted();
            }
            if self.crew.cancel.is_set() {
                return Err(Broken::Cancelled);
            }
            if self.shared.is_done() {
                return Ok(());
            }
            if Instant::now() >= next_look {
                let stuck = watch.look(&self.shared, self.crew.patience);
                // All at once, and before any return: each of these threads counts itself off when it wakes.
                let num_threads = NUM_HUNG.fetch_add(stuck.len(), Ordering::Relaxed) + stuck.len();
                if !stuck.is_empty() && num_threads > MAX_HUNG {
                    return Err(Broken::Hung { num_threads });
                }
                for stuck in stuck {
                    // Its thread hangs inside a library: another one must take its place.
                    self.spawn_workers(1).map_err(Broken::Thread)?;
                    let loss = stuck.heartbeat.loss();
                    waiting.insert(stuck.place, lost(&*self.job, stuck.task, loss));
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

fn work_until_closed<J: PieceJob>(
    job: &J,
    shared: &Shared<J::Item, J::Piece>,
    output_tx: &Sender<Message<J::Output>>,
) {
    while let Some((number, task, heartbeat)) = shared.take() {
        let planned = caught(|| match task {
            Task::Item(item) => job.plan(item, &heartbeat),
            Task::Piece(piece) => Planned::Done(job.work(piece, &heartbeat)),
        });
        let message = match planned {
            Ok(Planned::Pieces(pieces)) if !heartbeat.is_given_up() => {
                shared.split(number, pieces).map(|()| Message::Cut)
            }
            planned => shared.finish(number).map(|running| {
                let output = match planned {
                    Ok(Planned::Done(output)) if !heartbeat.is_given_up() => output,
                    Ok(_) => lost(job, running.task, heartbeat.loss()),
                    Err(panic) => lost(job, running.task, Loss::Panicked(panic)),
                };
                Message::Output(running.place, output)
            }),
        };
        let Some(message) = message else {
            // Without an assignment of its own this thread was given up, and replaced.
            NUM_HUNG.fetch_sub(1, Ordering::Relaxed);
            return;
        };
        if output_tx.send(message).is_err() {
            return;
        }
    }
}

fn lost<J: PieceJob>(job: &J, task: Task<J::Item, J::Piece>, loss: Loss) -> J::Output {
    match task {
        Task::Item(item) => job.lost_item(item, loss),
        Task::Piece(piece) => job.lost_piece(piece, loss),
    }
}

/// For how long each assignment has been seen, and seen without a heartbeat.
///
/// Time counts only while it is watched: when the whole process was stopped (Ctrl-Z, a frozen
/// container, a laptop asleep) or the sink blocked, no worker is to blame.
#[derive(Default)]
struct Watch {
    seen: BTreeMap<u64, Seen>,
    last_look: Option<Instant>,
}

#[derive(Default)]
struct Seen {
    beats: u64,
    /// Time since the last beat.
    still: Duration,
    /// Time since the first look.
    total: Duration,
}

impl Watch {
    /// Asks tasks that have stalled for `patience`, or overrun their time, to stop, and takes away those that don't answer.
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
            let seen = self.seen.entry(number).or_insert_with(|| Seen {
                beats,
                ..Seen::default()
            });
            seen.total += watched;
            if seen.beats == beats {
                seen.still += watched;
            } else {
                (seen.beats, seen.still) = (beats, Duration::ZERO);
            }
            let allowed = running.heartbeat.allowed().unwrap_or(Duration::MAX);
            if seen.still >= patience {
                running.heartbeat.give_up();
            } else if seen.total >= allowed {
                running.heartbeat.give_up_overrun();
            }
            if seen.still >= patience + GRACE || seen.total >= allowed.saturating_add(GRACE) {
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

    use super::super::Heartbeat;
    use super::*;

    /// Items are numbers; item `i` is cut into `pieces(i)` pieces, or done at once for `None`.
    struct Numbers<W> {
        pieces: fn(u64) -> Option<usize>,
        work: W,
    }

    impl<W: Fn(u64, usize, &Heartbeat) + Send + Sync + 'static> PieceJob for Numbers<W> {
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

    impl<F: FnMut(usize) -> Result<(), &'static str>> Sink<String> for Collect<F> {
        type Error = &'static str;

        fn push(&mut self, output: String) -> Result<(), &'static str> {
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
            let mut sink = Collect(Vec::new(), |_| Ok(()));
            run_in_pieces(0..120u64, job, &crew(workers, window), &mut sink).unwrap();
            assert_eq!(sink.0, expected(120), "{workers} {window}");
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
            Ok(())
        });
        run_in_pieces(0..60u64, job, &crew(8, 10), &mut sink).unwrap();
        // One over: the output that the sink waits for needs no room.
        assert!(
            WORST.load(Ordering::SeqCst) <= 12,
            "{}",
            WORST.load(Ordering::SeqCst)
        );
    }

    #[test]
    fn a_sink_that_fails_stops_all_workers_and_its_error_is_returned() {
        let job = Arc::new(Numbers {
            pieces: mixed,
            work: |_, _, _: &Heartbeat| {},
        });
        let stop_at_6 = |n| {
            if n == 6 { Err("full disk") } else { Ok(()) }
        };
        let mut sink = Collect(Vec::new(), stop_at_6);
        let broken = run_in_pieces(0.., job, &crew(4, 8), &mut sink).unwrap_err();
        assert!(matches!(broken, Broken::Sink("full disk")), "{broken:?}");
        assert_eq!(sink.0.len(), 6);
    }

    #[test]
    #[should_panic(expected = "full disk")]
    fn a_sink_that_panics_ends_the_run_instead_of_hanging_it() {
        let job = Arc::new(Numbers {
            pieces: mixed,
            work: |_, _, _: &Heartbeat| {},
        });
        let mut sink = Collect(Vec::new(), |_| panic!("full disk"));
        let _ = run_in_pieces(0.., job, &crew(4, 8), &mut sink);
    }

    /// Ends within a minute whatever it is given, or fails.
    fn within_a_minute(work: impl FnOnce() + Send + 'static) {
        let ended = thread::spawn(move || catch_unwind(AssertUnwindSafe(work)).is_err());
        let start = Instant::now();
        while !ended.is_finished() {
            assert!(start.elapsed() < Duration::from_secs(60), "the run hangs");
            thread::sleep(Duration::from_millis(5));
        }
        assert!(ended.join().unwrap(), "the panic was lost");
    }

    #[test]
    fn a_list_that_panics_ends_the_run_instead_of_hanging_it() {
        within_a_minute(|| {
            let job = Arc::new(Numbers {
                pieces: |_| None,
                work: |_, _, _: &Heartbeat| {},
            });
            let items = (0..20u64).inspect(|&item| assert!(item < 5, "no such item"));
            let mut sink = Collect(Vec::new(), |_| Ok(()));
            let _ = run_in_pieces(items, job, &crew(3, 6), &mut sink);
        });
    }

    /// A job that cannot even say what it lost.
    struct Speechless;

    impl Job for Speechless {
        type Item = u64;
        type Output = String;

        fn work(&self, item: u64, _: &Arc<Heartbeat>) -> String {
            assert!(item != 5, "bad luck");
            format!("{item}")
        }

        fn lost(&self, item: u64, loss: Loss) -> String {
            panic!("{item}: {loss:?}")
        }
    }

    #[test]
    fn a_panic_about_a_lost_item_ends_the_run_instead_of_hanging_it() {
        within_a_minute(|| {
            let mut sink = Collect(Vec::new(), |_| Ok(()));
            let _ = run_ordered(0..20u64, Arc::new(Speechless), &crew(2, 4), &mut sink);
        });
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
        let mut sink = Collect(Vec::new(), |_| Ok(()));
        run_in_pieces(0..20u64, job, &crew(3, 6), &mut sink).unwrap();
        let lost: Vec<_> = sink
            .0
            .iter()
            .filter(|output| output.contains("Panicked"))
            .collect();
        let is_named = |(lost, item): (&&String, &str)| {
            lost.starts_with(&format!("{item} Panicked(\"bad luck (vidpairs-types/src/"))
        };
        assert!(
            lost.len() == 2 && lost.iter().zip(["7", "10.3"]).all(is_named),
            "{lost:?}"
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
        let mut sink = Collect(Vec::new(), |_| Ok(()));
        let broken = run_in_pieces(0.., job, &crew, &mut sink).unwrap_err();
        assert!(matches!(broken, Broken::Cancelled), "{broken:?}");
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
        let mut sink = Collect(Vec::new(), |_| Ok(()));
        run_in_pieces(0..12u64, job, &crew, &mut sink).unwrap();
        assert_eq!(
            (&*sink.0[3], &*sink.0[4], &*sink.0[8]),
            ("3 Stalled", "4 Stalled", "8")
        );
        assert_eq!(sink.0.len(), 12);
    }

    #[test]
    fn a_task_that_beats_forever_is_lost_when_its_time_is_over_whether_it_listens_or_not() {
        let work = |item: u64, _: usize, heartbeat: &Heartbeat| {
            heartbeat.allow(Duration::from_millis(200));
            heartbeat.allow(Duration::from_millis(200));
            while item == 4 && !heartbeat.should_stop() {
                thread::sleep(Duration::from_millis(1));
                heartbeat.beat();
            }
            if item == 3 {
                loop {
                    thread::sleep(Duration::from_millis(1)); // deaf
                    heartbeat.beat();
                }
            }
        };
        let job = Arc::new(Numbers {
            pieces: |_| None,
            work,
        });
        let mut sink = Collect(Vec::new(), |_| Ok(()));
        run_in_pieces(0..8u64, job, &crew(2, 4), &mut sink).unwrap();
        let overran = ["3 Overran(400ms)", "4 Overran(400ms)"];
        assert_eq!(sink.0[3..5], overran);
        assert_eq!((&*sink.0[2], &*sink.0[5], sink.0.len()), ("2", "5", 8));
    }
}
