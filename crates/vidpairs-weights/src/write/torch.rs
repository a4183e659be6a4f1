//! Writes the zip that `torch.save` writes since PyTorch 1.6.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::pickle::Pickle;
use crate::error::WeightsError;
use crate::tensor::HostTensor;

/// Alignment of the records, bytes, so that storages can be mapped into memory.
const ALIGNMENT: u16 = 64;
/// Version of the format, which PyTorch increases when readers must change; 3 since 1.6.
const VERSION: &[u8] = b"3\n";

/// Object of a checkpoint.
pub enum Object<'a> {
    Text(String),
    Int(i64),
    Dict(Vec<(String, Object<'a>)>),
    Tensor(&'a HostTensor),
}

/// Bytes of a file with the object `root`.
pub fn zip_bytes(root: &Object<'_>) -> Result<Vec<u8>, WeightsError> {
    let mut pickle = Pickle::new(2);
    let mut storages = Vec::new();
    append(root, &mut pickle, &mut storages);
    packed(&pickle.finish(), &storages).map_err(WeightsError::MakeZip)
}

fn packed(pickle: &[u8], storages: &[&HostTensor]) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .with_alignment(ALIGNMENT);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut record = |name: &str, bytes: &[u8]| {
        archive.start_file(format!("archive/{name}"), options)?;
        archive.write_all(bytes)?;
        zip::result::ZipResult::Ok(())
    };
    record("data.pkl", pickle)?;
    record("byteorder", b"little")?;
    for (key, tensor) in storages.iter().enumerate() {
        record(&format!("data/{key}"), tensor.bytes())?;
    }
    record("version", VERSION)?;
    Ok(archive.finish()?.into_inner())
}

fn append<'a>(object: &Object<'a>, pickle: &mut Pickle, storages: &mut Vec<&'a HostTensor>) {
    match object {
        Object::Text(text) => pickle.text(text),
        Object::Int(int) => pickle.int(*int),
        Object::Dict(entries) => pickle.dict(|pickle| {
            for (key, value) in entries {
                pickle.text(key);
                append(value, pickle, storages);
            }
        }),
        Object::Tensor(tensor) => {
            append_tensor(tensor, storages.len(), pickle);
            storages.push(tensor);
        }
    }
}

fn append_tensor(tensor: &HostTensor, key: usize, pickle: &mut Pickle) {
    pickle.call("torch._utils", "_rebuild_tensor_v2", |pickle| {
        pickle.persistent(|pickle| {
            pickle.text("storage");
            pickle.global("torch", tensor.kind().torch_storage());
            pickle.text(&key.to_string());
            pickle.text("cpu");
            pickle.int(tensor.num_elements() as i64);
        });
        pickle.int(0); // index of the first element
        pickle.ints(tensor.shape());
        pickle.ints(&strides(tensor.shape()));
        pickle.bool(false); // no gradient
        pickle.call("collections", "OrderedDict", |_| {}); // no hooks
    });
}

/// Strides of a tensor without gaps, elements.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides: Vec<usize> = shape
        .iter()
        .rev()
        .scan(1_usize, |stride, &dim| {
            let current = *stride;
            *stride = stride.saturating_mul(dim.max(1));
            Some(current)
        })
        .collect();
    strides.reverse();
    strides
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::parse_weights;
    use crate::tensor::ElementKind;

    #[test]
    fn records_are_aligned_to_64_bytes_and_read_back() {
        let matrix = HostTensor::from_f32(vec![2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let scalar =
            HostTensor::new(Vec::new(), ElementKind::I64, vec![9, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        let entries = vec![
            ("a".to_owned(), Object::Tensor(&matrix)),
            ("b".to_owned(), Object::Tensor(&scalar)),
        ];
        let bytes = zip_bytes(&Object::Dict(entries)).unwrap();
        let weights = parse_weights(&bytes).unwrap();
        assert_eq!(
            (weights.get("a"), weights.get("b")),
            (Some(&matrix), Some(&scalar))
        );

        let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        for index in 0..archive.len() {
            let start = archive.by_index(index).unwrap().data_start().unwrap();
            assert_eq!(start % u64::from(ALIGNMENT), 0);
        }
    }

    #[test]
    fn strides_are_numbers_of_elements_between_neighbors() {
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(strides(&[]), [] as [usize; 0]);
    }
}
