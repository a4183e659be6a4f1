//! Split of the objects into training and held-out objects.

use serde::{Deserialize, Serialize};

/// Half of a catalogue. The id of an object alone decides which half it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Half {
    /// Objects to train on.
    Training,
    /// Objects to evaluate on; never in a training image.
    HeldOut,
}

impl Half {
    /// Half of the object `id`. It is held out if the CRC-32 of the id's UTF-8 is a multiple of 4: about one object in
    /// four.
    ///
    /// The split depends neither on seeds nor on other objects, and other programs can compute it; in Python:
    /// `zlib.crc32(id.encode()) % 4 == 0`.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_synth::catalog::Half;
    ///
    /// assert_eq!(Half::of("Scopia#suv"), Half::of("Scopia#suv"));
    /// ```
    pub fn of(id: &str) -> Self {
        const ONE_IN: u32 = 4;
        if crc32fast::hash(id.as_bytes()).is_multiple_of(ONE_IN) {
            Self::HeldOut
        } else {
            Self::Training
        }
    }

    /// Name in `truth.jsonl`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::HeldOut => "held-out",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_agree_with_pythons_zlib() {
        // python3 -c 'import sys, zlib; print(zlib.crc32(sys.argv[1].encode()) % 4)' ID
        let halves = [
            ("Scopia#bathroom3", Half::Training),
            ("Scopia#suv", Half::HeldOut),
            ("Scopia#bus", Half::HeldOut),
            ("Kator Legaz#bench", Half::Training),
            ("Reallusion#female01", Half::HeldOut),
            ("Reallusion#female02", Half::Training),
            ("Blend Swap CC-0#bed1", Half::HeldOut),
            ("Blend Swap CC-BY#bike", Half::Training),
            ("", Half::HeldOut),
            ("a", Half::Training),
            ("chairs/windsor", Half::Training),
            ("café", Half::Training),
            ("椅子", Half::HeldOut),
        ];
        for (id, half) in halves {
            assert_eq!(Half::of(id), half, "{id}");
        }
    }

    #[test]
    fn the_name_equals_the_serialized_value() {
        for half in [Half::Training, Half::HeldOut] {
            let written = serde_json::to_string(&half).unwrap();
            assert_eq!(written, format!("\"{}\"", half.name()));
        }
    }
}
