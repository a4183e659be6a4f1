//! Arrays of numpy, pickled.

use super::super::tensor::{ElementKind, HostTensor};
use super::pickle::Pickle;

/// Appends `tensor` as numpy pickles an array: an empty one that is given its contents. numpy has no `bfloat16`:
/// such tensors become `float32`, which holds the same numbers.
pub fn append_array(tensor: &HostTensor, pickle: &mut Pickle) {
    let widened = tensor.widened_from_bf16();
    let tensor = widened.as_ref().unwrap_or(tensor);
    pickle.call("numpy.core.multiarray", "_reconstruct", |pickle| {
        pickle.global("numpy", "ndarray");
        pickle.ints(&[0]);
        pickle.bytes(b"b");
    });
    pickle.build(|pickle| {
        pickle.int(1); // version of the state
        pickle.ints(tensor.shape());
        append_dtype(tensor.kind(), pickle);
        pickle.bool(false); // not in Fortran's order
        pickle.bytes(tensor.bytes());
    });
}

fn append_dtype(kind: ElementKind, pickle: &mut Pickle) {
    let code = match kind {
        ElementKind::F64 => "f8",
        ElementKind::F32 | ElementKind::BF16 => "f4",
        ElementKind::F16 => "f2",
        ElementKind::I64 => "i8",
        ElementKind::I32 => "i4",
        ElementKind::I16 => "i2",
        ElementKind::I8 => "i1",
        ElementKind::U8 => "u1",
        ElementKind::Bool => "b1",
    };
    pickle.call("numpy", "dtype", |pickle| {
        pickle.text(code);
        pickle.bool(false); // no alignment
        pickle.bool(true); // a copy
    });
    pickle.build(|pickle| {
        pickle.int(3); // version of the state
        pickle.text(if kind.size_bytes() == 1 { "|" } else { "<" });
        for _ in 0..3 {
            pickle.none(); // neither a subarray nor fields
        }
        pickle.int(-1);
        pickle.int(-1);
        pickle.int(0);
    });
}
