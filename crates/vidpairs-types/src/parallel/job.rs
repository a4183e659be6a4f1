//! The contracts between the work, the workers and the writer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::Heartbeat;

/// Reason why a task gave no output of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// No heartbeat for [`Crew::patience`](super::Crew::patience).
    Stalled,
    /// Not finished within the time that [`Heartbeat::allow`] gave it.
    Overran(Duration),
    /// The task panicked, with this message.
    Panicked(String),
}

/// Work on items that are each done by one thread.
pub trait Job: Send + Sync + 'static {
    /// Unit of work.
    type Item: Clone + Send + 'static;
    /// Result of an item, for the sink.
    type Output: Send + 'static;

    /// Does one item.
    fn work(&self, item: Self::Item, heartbeat: &Arc<Heartbeat>) -> Self::Output;

    /// The output that stands for a lost item.
    fn lost(&self, item: Self::Item, loss: Loss) -> Self::Output;
}

/// Result of planning an item.
pub enum Planned<P, O> {
    /// The item is done.
    Done(O),
    /// Pieces for any worker; an item without pieces has no output.
    Pieces(Vec<P>),
}

/// Work on items that may be cut into pieces for several threads.
pub trait PieceJob: Send + Sync + 'static {
    /// Unit of the list.
    type Item: Clone + Send + 'static;
    /// Part of an item.
    type Piece: Clone + Send + 'static;
    /// Result of a piece, or of an item done at once, for the sink.
    type Output: Send + 'static;

    /// Cuts an item into pieces, or does it at once if cutting does not pay.
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

/// A [`Job`] as a [`PieceJob`] without pieces.
pub(super) struct Whole<J>(pub Arc<J>);

impl<J: Job> PieceJob for Whole<J> {
    type Item = J::Item;
    type Piece = Infallible;
    type Output = J::Output;

    fn plan(&self, item: J::Item, heartbeat: &Arc<Heartbeat>) -> Planned<Infallible, J::Output> {
        Planned::Done(self.0.work(item, heartbeat))
    }

    fn work(&self, piece: Infallible, _: &Arc<Heartbeat>) -> J::Output {
        match piece {}
    }

    fn lost_item(&self, item: J::Item, loss: Loss) -> J::Output {
        self.0.lost(item, loss)
    }

    fn lost_piece(&self, piece: Infallible, _: Loss) -> J::Output {
        match piece {}
    }
}

/// Receiver of the outputs, on the caller's thread.
pub trait Sink<O> {
    /// Reason to stop the run.
    type Error;

    /// Takes the next output in order.
    ///
    /// # Errors
    /// An error stops the run: [`Broken::Sink`](super::Broken::Sink).
    fn push(&mut self, output: O) -> Result<(), Self::Error>;

    /// Called a few times a second.
    fn tick(&mut self) {}
}
