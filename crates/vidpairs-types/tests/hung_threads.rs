//! Threads that hang inside a library are given up, but not without end. The only test of its process: the count is the process's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use vidpairs_types::parallel::{Broken, Crew, Heartbeat, Job, Loss, Sink, run_ordered};

/// Items below `num_deaf` hang until they are released; they don't listen.
struct Hangs {
    num_deaf: u64,
    is_released: Arc<AtomicBool>,
    num_left: Arc<AtomicU64>,
}

impl Job for Hangs {
    type Item = u64;
    type Output = bool;

    fn work(&self, item: u64, _: &Arc<Heartbeat>) -> bool {
        while item < self.num_deaf && !self.is_released.load(Ordering::Acquire) {
            thread::sleep(Duration::from_millis(2));
        }
        self.num_left
            .fetch_add(u64::from(item < self.num_deaf), Ordering::Release);
        true
    }

    fn lost(&self, _: u64, _: Loss) -> bool {
        false
    }
}

struct Count(u64);

impl Sink<bool> for Count {
    type Error = ();

    fn push(&mut self, is_done: bool) -> Result<(), ()> {
        self.0 += u64::from(is_done);
        Ok(())
    }
}

fn run(num_deaf: u64) -> (Result<(), Broken<()>>, u64) {
    let job = Arc::new(Hangs {
        num_deaf,
        is_released: Arc::default(),
        num_left: Arc::default(),
    });
    let crew = Crew {
        workers: 4,
        window: 8,
        patience: Duration::from_millis(20),
        cancel: Arc::default(),
    };
    let mut sink = Count(0);
    let ended = run_ordered(0..60, Arc::clone(&job), &crew, &mut sink);
    job.is_released.store(true, Ordering::Release);
    while job.num_left.load(Ordering::Acquire) < num_deaf.min(17) {
        thread::sleep(Duration::from_millis(2));
    }
    // The threads report that they are back just after they left.
    thread::sleep(Duration::from_millis(200));
    (ended, sink.0)
}

#[test]
fn a_run_ends_when_more_than_sixteen_threads_hang_and_threads_that_come_back_do_not_count() {
    for _ in 0..2 {
        let (ended, num_done) = run(16);
        assert!(ended.is_ok(), "{ended:?}");
        assert_eq!(num_done, 44);
    }
    let (ended, num_done) = run(60);
    let Err(Broken::Hung { num_threads }) = ended else {
        panic!("{ended:?}")
    };
    // Up to one for each worker is noticed at once.
    assert!((17..=20).contains(&num_threads), "{num_threads}");
    assert_eq!(num_done, 0);
    // Each is counted once when it hangs and once when it comes back.
    let (ended, num_done) = run(16);
    assert!(ended.is_ok(), "{ended:?}");
    assert_eq!(num_done, 44);
}
