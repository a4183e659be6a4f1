use super::*;

fn root(bytes: &[u8]) -> Result<Node<'_>, PickleError> {
    parse(bytes).map(|tree| tree.node(tree.root).clone())
}

#[test]
fn integers_of_every_width_are_read_with_their_sign() {
    for (bytes, expected) in [
        (&b"\x80\x02K\xff."[..], 255),
        (b"\x80\x02M\xff\xff.", 65_535),
        (b"\x80\x02J\xfe\xff\xff\xff.", -2),
        (b"\x80\x02\x8a\x00.", 0),
        (b"\x80\x02\x8a\x02\x00\x80.", -32_768),
        (b"\x80\x02\x8b\x01\x00\x00\x00\x7f.", 127),
    ] {
        assert_eq!(root(bytes).unwrap(), Node::Int(expected));
    }
    assert!(matches!(
        root(b"\x80\x02\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09."),
        Ok(Node::Long(_))
    ));
}

#[test]
fn an_unknown_function_is_described_and_not_called() {
    let tree = parse(b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.").unwrap();
    assert_eq!(tree.describe(tree.root), "posix.system");
    assert!(matches!(tree.node(tree.root), Node::Opaque(_)));
}

#[test]
fn a_list_that_holds_itself_is_read() {
    assert_eq!(
        root(b"\x80\x02]q\x00h\x00a.").unwrap(),
        Node::Sequence(vec![0])
    );
}

#[test]
fn an_error_states_opcode_and_offset() {
    let err = parse(b"\x80\x02}K\x01s.").unwrap_err();
    assert_eq!(
        err.to_string(),
        "at byte 5, opcode SETITEM: the stack is empty"
    );
    let err = parse(b"\x80\x02X\xff\xff\xff\x7fab.").unwrap_err();
    assert_eq!(
        err.fault,
        PickleFault::Truncated {
            needed: 0x7fff_ffff,
            left: 3
        }
    );
}

#[test]
fn a_million_nested_tuples_do_not_overflow_the_stack() {
    let mut bytes = b"\x80\x02N".to_vec();
    bytes.extend(std::iter::repeat_n(op::TUPLE1, 1_000_000));
    bytes.push(op::STOP);
    assert!(parse(&bytes).is_ok());
}

#[test]
fn repeated_copies_of_a_long_list_are_an_error() {
    // OrderedDict([pair, pair, ...]), many times of one list of 100,000 pairs.
    let mut bytes = b"\x80\x02ccollections\nOrderedDict\nq\x00]q\x01(NN\x86q\x02".to_vec();
    bytes.extend(b"h\x02".repeat(100_000));
    bytes.extend(b"e\x85q\x030");
    bytes.extend(b"h\x00h\x03R0".repeat(100_000));
    bytes.extend(b"N.");
    assert!(matches!(
        parse(&bytes).unwrap_err().fault,
        PickleFault::TooLong { .. }
    ));
}

#[test]
fn a_pickle_with_too_many_opcodes_is_an_error() {
    let bytes = vec![op::NONE; MAX_OPCODES + 10];
    assert!(matches!(
        parse(&bytes).unwrap_err().fault,
        PickleFault::TooLong { .. }
    ));
}
