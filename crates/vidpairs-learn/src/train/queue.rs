//! Queue of keys of past batches, the negatives of MoCo.

use tch::{Device, Tensor};
use vidpairs_types::Seed;

use crate::model::{normal, unit_rows};

/// The last K keys; new ones replace the oldest.
#[derive(Debug)]
pub struct Queue {
    /// Keys, `K x E`, unit rows.
    keys: Tensor,
    /// Row of the next key.
    next: i64,
    /// Keys enqueued since the start of training.
    num_enqueued: i64,
}

impl Queue {
    /// Queue of `len` random unit vectors, as at the start of MoCo, drawn from `seed`.
    pub fn random(len: i64, embedding: i64, seed: Seed, device: Device) -> Self {
        let noise = normal(seed, &[len, embedding]);
        Self {
            keys: unit_rows(&noise).to_device(device),
            next: 0,
            num_enqueued: 0,
        }
    }

    /// Keys, `K x E`, unit rows.
    pub fn keys(&self) -> &Tensor {
        &self.keys
    }

    /// Number of rows, K.
    pub(super) fn len(&self) -> i64 {
        self.keys.size()[0]
    }

    /// Share of rows that hold keys of images instead of the initial noise, 0 to 1.
    pub fn fill(&self) -> f64 {
        (self.num_enqueued as f64 / self.len() as f64).min(1.0)
    }

    /// Replaces the oldest keys by `keys`, `N x E`, in order. Of more than K keys the last K stay.
    pub fn enqueue(&mut self, keys: &Tensor) {
        tch::no_grad(|| {
            let len = self.len();
            let num_keys = keys.size()[0];
            self.num_enqueued += num_keys;
            let kept = num_keys.min(len);
            let keys = keys.detach().narrow(0, num_keys - kept, kept);
            let before_end = kept.min(len - self.next);
            let first = keys.narrow(0, 0, before_end);
            self.keys.narrow(0, self.next, before_end).copy_(&first);
            let rest = kept - before_end;
            if rest > 0 {
                let last = keys.narrow(0, before_end, rest);
                self.keys.narrow(0, 0, rest).copy_(&last);
            }
            self.next = (self.next + kept) % len;
        });
    }

    /// Row of the next key, and number of keys enqueued so far.
    pub fn position(&self) -> (i64, i64) {
        (self.next, self.num_enqueued)
    }

    /// Restores the [`position`](Self::position) of a stopped run; `next` must be below K. Keys are restored separately.
    pub(super) fn resume_at(&mut self, next: i64, num_enqueued: i64) {
        self.next = next;
        self.num_enqueued = num_enqueued;
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    fn rows(first: i64, num: i64) -> Tensor {
        Tensor::arange_start(first, first + num, (Kind::Float, Device::Cpu)).view([num, 1])
    }

    fn values(queue: &Queue) -> Vec<f32> {
        queue.keys().view(-1).try_into().unwrap()
    }

    #[test]
    fn new_keys_replace_the_oldest_across_the_end_of_the_queue() {
        let mut queue = Queue::random(5, 1, Seed::of_run(1), Device::Cpu);
        queue.enqueue(&rows(10, 3));
        assert!((queue.fill() - 0.6).abs() < 1e-9);
        queue.enqueue(&rows(20, 3));
        assert_eq!(values(&queue), [22.0, 11.0, 12.0, 20.0, 21.0]);
        assert_eq!((queue.position(), queue.fill()), ((1, 6), 1.0));
    }

    #[test]
    fn the_last_keys_stay_of_more_than_the_queue_holds() {
        let mut queue = Queue::random(2, 1, Seed::of_run(1), Device::Cpu);
        queue.enqueue(&rows(1, 5));
        assert_eq!(values(&queue), [4.0, 5.0]);
    }

    #[test]
    fn a_new_queue_holds_unit_vectors() {
        let lengths: Vec<f32> = Queue::random(9, 16, Seed::of_run(1), Device::Cpu)
            .keys()
            .norm_scalaropt_dim(2.0, [1i64].as_slice(), false)
            .try_into()
            .unwrap();
        assert!(lengths.iter().all(|length| (length - 1.0).abs() < 1e-5));
    }
}
