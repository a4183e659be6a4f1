//! Encodes events for TensorBoard: protocol buffers in TFRecord frames.

/// Version in the first event of a file; readers understand `START` from version 2 on.
const FILE_VERSION: &[u8] = b"brain.Event:2";

/// Fields of the messages, of `event.proto` and `summary.proto` of TensorBoard.
mod field {
    pub const EVENT_WALL_TIME: u8 = 1;
    pub const EVENT_STEP: u8 = 2;
    pub const EVENT_FILE_VERSION: u8 = 3;
    pub const EVENT_SUMMARY: u8 = 5;
    pub const EVENT_SESSION_LOG: u8 = 7;
    pub const SUMMARY_VALUE: u8 = 1;
    pub const VALUE_TAG: u8 = 1;
    pub const VALUE_SIMPLE_VALUE: u8 = 2;
    pub const SESSION_LOG_STATUS: u8 = 1;
}

/// `SessionLog.SessionStatus.START`.
const START: u64 = 1;

/// Wire types of protocol buffers.
const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const BYTES: u8 = 2;
const FIXED_32: u8 = 5;

/// First event of a file.
pub fn file_version(wall_time: f64) -> Vec<u8> {
    let mut event = Message::event(wall_time, 0);
    event.bytes(field::EVENT_FILE_VERSION, FILE_VERSION);
    event.0
}

/// Event that voids all earlier values of `step` and later steps.
pub fn start(wall_time: f64, step: u64) -> Vec<u8> {
    let mut log = Message::default();
    log.number(field::SESSION_LOG_STATUS, START);
    let mut event = Message::event(wall_time, step);
    event.bytes(field::EVENT_SESSION_LOG, &log.0);
    event.0
}

/// Event with these tags and values.
pub fn scalars(wall_time: f64, step: u64, values: &[(&str, f32)]) -> Vec<u8> {
    let mut summary = Message::default();
    for (tag, value) in values {
        let mut message = Message::default();
        if !tag.is_empty() {
            message.bytes(field::VALUE_TAG, tag.as_bytes());
        }
        // One of several kinds of value, so 0 is written too.
        message.tag(field::VALUE_SIMPLE_VALUE, FIXED_32);
        message.0.extend(value.to_le_bytes());
        summary.bytes(field::SUMMARY_VALUE, &message.0);
    }
    let mut event = Message::event(wall_time, step);
    event.bytes(field::EVENT_SUMMARY, &summary.0);
    event.0
}

/// `event` as a TFRecord: length, its checksum, the bytes, their checksum.
pub fn framed(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    let mut frame = Vec::with_capacity(event.len() + 16);
    frame.extend(length);
    frame.extend(masked_crc(&length).to_le_bytes());
    frame.extend(event);
    frame.extend(masked_crc(event).to_le_bytes());
    frame
}

/// CRC-32C, rotated and shifted by a constant, as TFRecord masks it: a plain checksum over bytes that hold checksums is weak.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// A message of protocol buffers (encoding of proto3: a field that is 0 is left out).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn event(wall_time: f64, step: u64) -> Self {
        let mut event = Self::default();
        // By its bits: -0.0 is not left out.
        if wall_time.to_bits() != 0 {
            event.tag(field::EVENT_WALL_TIME, FIXED_64);
            event.0.extend(wall_time.to_le_bytes());
        }
        event.number(field::EVENT_STEP, step);
        event
    }

    fn tag(&mut self, field: u8, wire_type: u8) {
        self.0.push(field << 3 | wire_type);
    }

    fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.tag(field, VARINT);
            self.varint(value);
        }
    }

    fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.tag(field, BYTES);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// Varint: seven bits a byte, the lowest first; the top bit marks that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_the_bytes_that_tensorboard_writes() {
        let golden = include_bytes!("../../../../../tests/golden/tensorboard/events");
        let long_tag = "é".repeat(150);
        let events = [
            file_version(1_500_000_000.25),
            start(1_500_000_001.0, 0),
            start(1_500_000_001.0, 300),
            scalars(1_500_000_002.5, 0, &[("loss", 0.0)]),
            scalars(
                1_500_000_003.0,
                u64::from(u32::MAX) * 16,
                &[("loss/train", 11.09), ("lr", 0.03), (&long_tag, -1e-30)],
            ),
            scalars(0.0, 1, &[("", f32::NAN), ("x", f32::INFINITY)]),
            scalars(1.0, i64::MAX as u64, &[]),
        ];
        let written: Vec<u8> = events.iter().flat_map(|event| framed(event)).collect();
        assert!(written == golden, "{written:02x?}");
    }
}
