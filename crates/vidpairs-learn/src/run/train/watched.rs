//! Statistics of the embeddings of a batch.

use tch::{Device, Kind, Tensor};

use crate::train::{Rows, WatchError, alignment, effective_dimensions, mean_std, uniformity};

/// Maximum number of vectors for alignment and uniformity.
const MAX_WATCHED: i64 = 512;

/// Statistics of the embeddings of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched {
    /// Mean squared distance of query and key.
    pub alignment: f64,
    /// Log of the mean Gaussian potential of pairs of queries.
    pub uniformity: f64,
    /// Mean standard deviation of a dimension of the queries.
    pub std: f64,
    /// `std` relative to that of uniformly distributed unit vectors, `1 / sqrt(D)`.
    pub spread: f64,
    /// Effective number of dimensions of the queries.
    pub effective_dimensions: f64,
    /// Dimensions of a vector.
    pub num_dims: usize,
}

impl Watched {
    /// Statistics of `N x E` queries and their keys; 0 for a figure that cannot be computed.
    pub fn new(queries: &Tensor, keys: &Tensor) -> Self {
        let host = |vectors: &Tensor| -> Vec<f32> {
            let num = vectors.size()[0].min(MAX_WATCHED);
            let vectors = vectors.narrow(0, 0, num).to_kind(Kind::Float);
            let flat = vectors.to_device(Device::Cpu).contiguous().view(-1);
            Vec::<f32>::try_from(&flat).expect("it is one row of f32 on the CPU")
        };
        let num_dims = usize::try_from(queries.size()[1]).unwrap_or(1).max(1);
        let (queries, keys) = (host(queries), host(keys));
        let rows = |values| Rows::new(values, num_dims).ok();
        let queries = rows(&queries);
        let of_queries = |figure: fn(Rows<'_>) -> _| {
            let found: Option<f64> = queries.and_then(|rows| {
                let figure: Result<f64, WatchError> = figure(rows);
                figure.ok()
            });
            found.unwrap_or(0.0)
        };
        let std = of_queries(mean_std);
        let aligned = queries.zip(rows(&keys));
        Self {
            alignment: aligned
                .and_then(|(queries, keys)| alignment(queries, keys).ok())
                .unwrap_or(0.0),
            uniformity: of_queries(uniformity),
            effective_dimensions: of_queries(effective_dimensions),
            std,
            spread: std * (num_dims as f64).sqrt(),
            num_dims,
        }
    }
}
