use super::*;
use crate::pickle::{Tree, parse};
use crate::write::pickle::Pickle;

/// Reads a state dict of one entry, which `value` appends. The file has storage "0", the bytes 0 to 7.
fn read_one(value: impl FnOnce(&mut Pickle)) -> Result<Weights, WeightsError> {
    read_dict(|pickle| {
        pickle.text("w");
        value(pickle);
    })
}

fn read_dict(entries: impl FnOnce(&mut Pickle)) -> Result<Weights, WeightsError> {
    let mut pickle = Pickle::new(2);
    pickle.dict(entries);
    let bytes = pickle.finish();
    let tree: Tree<'_> = parse(&bytes).map_err(|source| WeightsError::Pickle {
        stream: "data.pkl".to_owned(),
        source,
    })?;
    let storage: Vec<u8> = (0..8).collect();
    let storages = Storages {
        by_key: [("0", storage.as_slice())].into(),
        file_bytes: bytes.len(),
    };
    read(&tree, &storages)
}

/// Appends the arguments of a tensor: the storage, offset, shape, strides, no gradient, no hooks.
fn view(pickle: &mut Pickle, class: &str, length: i64) {
    pickle.persistent(|id| {
        id.text("storage");
        id.global("torch", class);
        id.text("0");
        id.text("cpu");
        id.int(length);
    });
    pickle.int(0);
    pickle.ints(&[2]);
    pickle.ints(&[1]);
    pickle.bool(false);
    pickle.call("collections", "OrderedDict", |_| {});
}

fn byte_tensor(pickle: &mut Pickle) {
    pickle.call("torch._utils", "_rebuild_tensor_v2", |arguments| {
        view(arguments, "ByteStorage", 8)
    });
}

/// The only skipped entry, which may be weights, as the error of the file describes it.
fn refusal(value: impl FnOnce(&mut Pickle)) -> String {
    match read_one(value).unwrap_err() {
        WeightsError::NothingRead { found } => found,
        err => panic!("{err}"),
    }
}

#[test]
fn a_tensor_whose_metadata_changes_its_value_is_not_read() {
    let with_metadata = |entries: &'static [(&'static str, bool)]| {
        move |pickle: &mut Pickle| {
            pickle.call("torch._utils", "_rebuild_tensor_v2", |arguments| {
                view(arguments, "ByteStorage", 8);
                arguments.dict(|metadata| {
                    for (name, is_set) in entries {
                        metadata.text(name);
                        metadata.bool(*is_set);
                    }
                });
            });
        }
    };
    for entries in [&[][..], &[("conj", false), ("neg", false)]] {
        let weights = read_one(with_metadata(entries)).unwrap();
        assert_eq!(weights.get("w").unwrap().bytes(), [0, 1]);
    }
    for bit in ["neg", "conj", "another"] {
        let entries: &'static [_] = Box::leak(Box::new([("conj", false), (bit, true)]));
        let found = refusal(with_metadata(entries));
        assert_eq!(found, format!("w (a tensor whose bit `{bit}` is set)"));
    }
}

#[test]
fn a_tensor_of_a_class_that_computes_its_value_is_not_read() {
    let of_class = |module: &'static str, class: &'static str| {
        move |pickle: &mut Pickle| {
            pickle.call("torch._tensor", "_rebuild_from_type_v2", |arguments| {
                arguments.global("torch._utils", "_rebuild_tensor_v2");
                arguments.global(module, class);
                arguments.tuple(|inner| view(inner, "ByteStorage", 8));
                arguments.dict(|_| {});
            });
        }
    };
    let weights = read_one(of_class("torch.nn.parameter", "Parameter")).unwrap();
    assert_eq!(weights.get("w").unwrap().bytes(), [0, 1]);
    let found = refusal(of_class("torchao.dtypes", "AffineQuantizedTensor"));
    assert_eq!(found, "w (torchao.dtypes.AffineQuantizedTensor)");
}

#[test]
fn a_tensor_whose_state_is_set_afterwards_is_not_read() {
    let found = refusal(|pickle| {
        byte_tensor(pickle);
        pickle.build(|state| state.int(7));
    });
    assert_eq!(found, "w (a tensor with a state of its own)");
}

#[test]
fn float8_quantised_and_sparse_tensors_are_named_with_what_to_do() {
    let float8 = |pickle: &mut Pickle| {
        pickle.call("torch._utils", "_rebuild_tensor_v3", |arguments| {
            view(arguments, "UntypedStorage", 8);
            arguments.global("torch", "float8_e4m3fn");
        });
    };
    assert_eq!(refusal(float8), "w (torch.float8_e4m3fn)");
    let sparse = |pickle: &mut Pickle| {
        pickle.call("torch._utils", "_rebuild_sparse_tensor", |arguments| {
            arguments.int(0);
        });
    };
    assert_eq!(refusal(sparse), "w (torch._utils._rebuild_sparse_tensor)");
    let quantised = |pickle: &mut Pickle| {
        pickle.call("torch._utils", "_rebuild_tensor_v2", |arguments| {
            view(arguments, "QInt8Storage", 8);
        });
    };
    assert_eq!(refusal(quantised), "w (complex or quantised)");
    let text = read_one(float8).unwrap_err().to_string();
    assert!(text.contains("tensor.float()"), "{text}");
}

#[test]
fn a_view_beyond_its_storage_or_with_a_negative_stride_is_an_error() {
    let with = |offset: i64, stride: i64| {
        move |pickle: &mut Pickle| {
            pickle.call("torch._utils", "_rebuild_tensor_v2", |arguments| {
                arguments.persistent(|id| {
                    id.text("storage");
                    id.global("torch", "ByteStorage");
                    id.text("0");
                    id.text("cpu");
                    id.int(8);
                });
                arguments.int(offset);
                arguments.ints(&[2]);
                arguments.tuple(|strides| strides.int(stride));
            });
        }
    };
    assert_eq!(
        read_one(with(3, 4)).unwrap().get("w").unwrap().bytes(),
        [3, 7]
    );
    for (offset, stride) in [
        (7, 1),
        (8, 0),
        (0, 8),
        (i64::MAX, 1),
        (0, i64::MAX),
        (-1, 1),
        (1, -1),
    ] {
        assert!(read_one(with(offset, stride)).is_err(), "{offset} {stride}");
    }
}

#[test]
fn two_entries_of_one_name_are_an_error() {
    let err = read_dict(|pickle| {
        pickle.text("a.b");
        byte_tensor(pickle);
        pickle.text("a");
        pickle.dict(|inner| {
            inner.text("b");
            byte_tensor(inner);
        });
    });
    let text = err.unwrap_err().to_string();
    assert!(text.contains("two tensors are called a.b"), "{text}");
}

#[test]
fn a_name_longer_than_that_of_any_network_is_an_error() {
    let err = read_dict(|pickle| {
        pickle.text(&"x".repeat(5000));
        byte_tensor(pickle);
    });
    let text = err.unwrap_err().to_string();
    assert!(
        text.contains("5000 bytes; expected at most 4096") && text.len() < 200,
        "{text}"
    );
}

#[test]
fn names_are_printed_without_what_a_terminal_obeys() {
    let escape = "\u{1b}[2J";
    let err = read_dict(|pickle| {
        pickle.text(escape);
        pickle.call(escape, escape, |_| {});
    });
    let text = err.unwrap_err().to_string();
    assert!(
        !text.contains(escape) && text.contains(r"\u{1b}[2J"),
        "{text}"
    );
}
