//! The keys of past batches, which stand as negatives.

use tch::{Device, Tensor};
use vidpairs_types::Seed;

use crate::model::{normal, unit_rows};

/// The last `K` keys, the oldest replaced first.
#[derive(Debug)]
pub struct Queue {
    /// `K x E`, unit rows.
    keys: Tensor,
    /// Row that the next key takes.
    next: i64,
    /// Keys that were put in since the beginning.
    num_enqueued: u64,
}

impl Queue {
    /// `len` random unit vectors, as MoCo begins: Gaussian noise from `seed`.
    pub fn random(len: i64, embedding: i64, seed: Seed, device: Device) -> Self {
        let noise = normal(seed, &[len, embedding]);
        Self {
            keys: unit_rows(&noise).to_device(device),
            next: 0,
            num_enqueued: 0,
        }
    }

    /// `K x E`.
    pub fn keys(&self) -> &Tensor {
        &self.keys
    }

    /// K.
    pub fn len(&self) -> i64 {
        self.keys.size()[0]
    }

    /// Whether there is no room at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The share that are keys of images, no longer noise: 0 to 1.
    pub fn fill(&self) -> f64 {
        (self.num_enqueued as f64 / self.len() as f64).min(1.0)
    }

    /// Puts `N x E` keys in the place of the oldest, in their order. Of more than K, the last K stay.
    pub fn enqueue(&mut self, keys: &Tensor) {
        tch::no_grad(|| {
            let len = self.len();
            let num_keys = keys.size()[0];
            self.num_enqueued = self.num_enqueued.saturating_add(num_keys.unsigned_abs());
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

    /// Where the queue stands: row of the next key, and keys put in so far.
    pub fn position(&self) -> (i64, u64) {
        (self.next, self.num_enqueued)
    }

    /// Goes on where a stopped run stood; the keys are copied apart.
    pub fn resume_at(&mut self, next: i64, num_enqueued: u64) {
        self.next = next.rem_euclid(self.len().max(1));
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
    fn new_keys_take_the_place_of_the_oldest_around_the_end() {
        let mut queue = Queue::random(5, 1, Seed::of_run(1), Device::Cpu);
        queue.enqueue(&rows(10, 3));
        assert!((queue.fill() - 0.6).abs() < 1e-9);
        queue.enqueue(&rows(20, 3));
        assert_eq!(values(&queue), [22.0, 11.0, 12.0, 20.0, 21.0]);
        assert_eq!((queue.position(), queue.fill()), ((1, 6), 1.0));
    }

    #[test]
    fn of_more_keys_than_there_is_room_for_the_last_stay() {
        let mut queue = Queue::random(2, 1, Seed::of_run(1), Device::Cpu);
        queue.enqueue(&rows(1, 5));
        assert_eq!(values(&queue), [4.0, 5.0]);
    }

    #[test]
    fn a_queue_begins_with_unit_vectors() {
        let lengths: Vec<f32> = Queue::random(9, 16, Seed::of_run(1), Device::Cpu)
            .keys()
            .norm_scalaropt_dim(2.0, [1i64].as_slice(), false)
            .try_into()
            .unwrap();
        assert!(lengths.iter().all(|length| (length - 1.0).abs() < 1e-5));
    }
}
