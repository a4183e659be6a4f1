//! Collects the settings of a pipeline file and of overrides, and refuses unknown keys. Values are checked later.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use toml_edit::{Document, InlineTable, Item, TableLike, Value};
use vidpairs_types::open_regular;

use super::error::{PipelineError, Place, shortened};
use super::rule::nearest;

/// Size limit of pipeline files, bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Table and name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyPath {
    /// Empty for a key above every table.
    pub table: &'static str,
    pub name: &'static str,
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.table {
            "" => f.write_str(self.name),
            table => write!(f, "{table}.{}", self.name),
        }
    }
}

/// One setting as given.
#[derive(Debug)]
pub(crate) struct Given {
    item: Item,
    /// The value as written, for messages.
    text: String,
    pub place: Place,
}

impl Given {
    /// The value; `None` for a table.
    pub fn value(&self) -> Option<&Value> {
        self.item.as_value()
    }

    pub fn is_override(&self) -> bool {
        self.place == Place::Override
    }
}

/// All settings that were given.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Name of the file, for messages.
    file: String,
    /// All keys that exist.
    known: Vec<KeyPath>,
    given: Vec<(KeyPath, Given)>,
}

impl Settings {
    /// Parses `text`, the contents of `file`, then each `table.key=value` of `overrides`. `known` lists all keys, those of
    /// a table next to each other.
    ///
    /// # Errors
    /// Text that is not TOML, an override of another form, an unknown table or key.
    pub fn parse(
        text: &str,
        file: &str,
        overrides: &[String],
        known: Vec<KeyPath>,
    ) -> Result<Self, PipelineError> {
        let origin = Origin::File { text, file };
        let document = Document::parse(text).map_err(|error| {
            let start = error.span().map_or(text.len(), |span| span.start);
            let line_index = line_at(text.as_bytes(), start) - 1;
            // Past the last line if the text ends early.
            let line = text.lines().nth(line_index).unwrap_or_default();
            let message = || error.message().trim().replace('\n', ", ");
            PipelineError::Syntax {
                place: origin.place(Some(start..start)),
                problem: missing_quotes(line).unwrap_or_else(message),
                text: shortened(line),
            }
        })?;
        let mut settings = Self {
            file: file.to_owned(),
            known,
            given: Vec::new(),
        };
        settings.add_tables(document.as_table(), &origin)?;
        for entry in overrides {
            settings.add_tables(&parsed_override(entry)?, &Origin::Override)?;
        }
        Ok(settings)
    }

    /// The setting given for `key`.
    pub fn given(&self, key: KeyPath) -> Option<&Given> {
        let found = self.given.iter().find(|(path, _)| *path == key);
        found.map(|(_, given)| given)
    }

    /// The error for a required key that was not given.
    pub fn missing(&self, key: KeyPath, expected: String) -> PipelineError {
        PipelineError::Missing {
            place: Place::File(self.file.clone()),
            key: key.to_string(),
            table: key.table,
            expected,
        }
    }

    /// The error for a refused value of `key`.
    pub fn refusal(&self, key: KeyPath, expected: impl Into<String>) -> PipelineError {
        let (place, value) = match self.given(key) {
            Some(given) => (given.place.clone(), given.text.as_str()),
            None => (Place::File(self.file.clone()), "not given"),
        };
        PipelineError::Refused {
            place,
            key: key.to_string(),
            value: value.to_owned(),
            expected: expected.into(),
        }
    }

    /// Refuses each given key of `keys`, because the value of the key `choice` leaves it without effect.
    ///
    /// Settings of the file are ignored instead if an override sets `choice`: the file was written for another choice.
    ///
    /// # Errors
    /// The first given key, with the reason `why`.
    pub fn refuse_unused(
        &self,
        keys: &[KeyPath],
        choice: KeyPath,
        why: &str,
    ) -> Result<(), PipelineError> {
        let is_choice_overridden = self.given(choice).is_some_and(Given::is_override);
        let is_refused = |given: &Given| given.is_override() || !is_choice_overridden;
        let mut refused = keys
            .iter()
            .filter(|key| self.given(**key).is_some_and(is_refused));
        match refused.next() {
            Some(key) => Err(self.refusal(*key, format!("it to be left out, since {why}"))),
            None => Ok(()),
        }
    }

    fn add_tables(
        &mut self,
        root: &dyn TableLike,
        origin: &Origin<'_>,
    ) -> Result<(), PipelineError> {
        for (key, item) in entries(root) {
            let name = key.get();
            let known_table = self.tables().find(|table| *table == name);
            match (known_table, item.as_table_like()) {
                (Some(table), Some(keys)) => {
                    for (key, item) in entries(keys) {
                        self.add_key(table, key, item, origin)?;
                    }
                }
                (Some(table), None) => {
                    return Err(PipelineError::Refused {
                        place: origin.place(key.span()),
                        key: table.to_owned(),
                        value: origin.text_of(item),
                        expected: format!("a table [{table}] of the keys {}", self.names(table)),
                    });
                }
                (None, Some(_)) if self.keys_of("").all(|key| key.name != name) => {
                    return Err(PipelineError::UnknownTable {
                        place: origin.place(key.span()),
                        table: quoted_if_needed(name),
                        hint: match nearest(name, self.tables()) {
                            Some(near) => format!("did you mean [{near}]?"),
                            None => self.all_names(),
                        },
                    });
                }
                (None, _) => self.add_key("", key, item, origin)?,
            }
        }
        Ok(())
    }

    fn add_key(
        &mut self,
        table: &str,
        key: &toml_edit::Key,
        item: &Item,
        origin: &Origin<'_>,
    ) -> Result<(), PipelineError> {
        let name = key.get();
        let place = origin.place(key.span());
        let Some(path) = self.keys_of(table).find(|path| path.name == name) else {
            let name_shown = quoted_if_needed(name);
            return Err(PipelineError::UnknownKey {
                place,
                key: match table {
                    "" => name_shown,
                    _ => format!("{table}.{name_shown}"),
                },
                hint: self.hint_for_key(table, name),
            });
        };
        let given = Given {
            item: item.clone(),
            text: origin.text_of(item),
            place,
        };
        self.given.retain(|(earlier, _)| *earlier != path);
        self.given.push((path, given));
        Ok(())
    }

    /// The keys of `table`; with an empty name, those above every table.
    fn keys_of(&self, table: &str) -> impl Iterator<Item = KeyPath> {
        self.known
            .iter()
            .copied()
            .filter(move |key| key.table == table)
    }

    /// The names of the tables, each once. The keys of a table are adjacent.
    fn tables(&self) -> impl Iterator<Item = &'static str> {
        let adjacent = self.known.chunk_by(|a, b| a.table == b.table);
        let tables = adjacent.filter_map(|keys| keys.first().map(|key| key.table));
        tables.filter(|table| !table.is_empty())
    }

    /// The names of the keys of `table`.
    fn names(&self, table: &str) -> String {
        let names: Vec<&str> = self.keys_of(table).map(|key| key.name).collect();
        names.join(", ")
    }

    /// The names of the tables, and of the keys above them.
    fn all_names(&self) -> String {
        let tables: Vec<String> = self.tables().map(|table| format!("[{table}]")).collect();
        format!(
            "a pipeline has {} and {}",
            self.names(""),
            tables.join(", ")
        )
    }

    /// The hint for an unknown key `name` in `table`.
    fn hint_for_key(&self, table: &str, name: &str) -> String {
        if let Some(near) = nearest(name, self.keys_of(table).map(|key| key.name)) {
            return format!("did you mean {near}?");
        }
        let elsewhere = self.known.iter().filter(|key| key.name == name);
        let paths: Vec<String> = elsewhere
            .map(|key| match key.table {
                "" => format!("{name}, above every table"),
                _ => key.to_string(),
            })
            .collect();
        match (paths.as_slice(), table) {
            ([], "") => self.all_names(),
            ([], _) => format!("[{table}] has {}", self.names(table)),
            _ => format!("did you mean {}?", paths.join(" or ")),
        }
    }
}

/// Reads the text of a pipeline file.
///
/// # Errors
/// A file that cannot be read, is larger than 1 MiB or is not UTF-8.
pub(crate) fn read_file(path: &Path) -> Result<String, PipelineError> {
    let unreadable = |source| PipelineError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // `/dev/stdin`, `/dev/fd/63`: the user's own pipe. A FIFO elsewhere could wait for a writer for ever.
    let opened = match path.starts_with("/dev") {
        true => File::open(path),
        false => open_regular(path),
    };
    let file = opened.map_err(unreadable)?;
    let mut bytes = Vec::new();
    // Reads up to the limit instead of asking for the size: a pipe or a device has none.
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(PipelineError::TooLarge {
            path: path.to_owned(),
            max_bytes: MAX_FILE_BYTES,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let num_valid = error.utf8_error().valid_up_to();
        PipelineError::NotUtf8 {
            place: Place::Line {
                file: path.display().to_string(),
                line: line_at(error.as_bytes(), num_valid),
            },
        }
    })
}

/// Source of a parsed table.
enum Origin<'a> {
    File { text: &'a str, file: &'a str },
    Override,
}

impl Origin<'_> {
    fn place(&self, span: Option<Range<usize>>) -> Place {
        match (self, span) {
            (Self::Override, _) => Place::Override,
            (Self::File { file, .. }, None) => Place::File((*file).to_owned()),
            (Self::File { text, file }, Some(span)) => Place::Line {
                file: (*file).to_owned(),
                line: line_at(text.as_bytes(), span.start),
            },
        }
    }

    fn text_of(&self, item: &Item) -> String {
        match (item, self) {
            (Item::Value(value), Self::File { text, .. }) => {
                let written = value.span().and_then(|span| text.get(span));
                written.map_or_else(|| "a table".to_owned(), shortened)
            }
            (Item::Value(value), Self::Override) => shortened(&value.to_string()),
            (Item::ArrayOfTables(_), _) => "an array of tables".to_owned(),
            (Item::Table(_) | Item::None, _) => "a table".to_owned(),
        }
    }
}

/// Parses `table.key=value` to the tables that a file would contain. A value that is not TOML becomes a string, so
/// that `images.codec=jpeg` needs no quotes.
fn parsed_override(entry: &str) -> Result<InlineTable, PipelineError> {
    let malformed = || PipelineError::Override {
        text: shortened(entry),
    };
    let (path, text) = entry.split_once('=').ok_or_else(malformed)?;
    let path = toml_edit::Key::parse(path.trim()).map_err(|_| malformed())?;
    let value = text
        .trim()
        .parse()
        .unwrap_or_else(|_| Value::from(text.trim()));
    let mut root = InlineTable::new();
    match path.as_slice() {
        [key] => root.insert(key.get(), value),
        [table, key] => {
            let mut keys = InlineTable::new();
            keys.insert(key.get(), value);
            root.insert(table.get(), Value::InlineTable(keys))
        }
        _ => return Err(malformed()),
    };
    Ok(root)
}

/// The keys of a table with their items. `TableLike::iter` has no spans of keys.
fn entries(table: &dyn TableLike) -> impl Iterator<Item = (&toml_edit::Key, &Item)> {
    table
        .iter()
        .filter_map(|(name, _)| table.get_key_value(name))
}

/// The line that contains byte `offset`, from 1.
fn line_at(text: &[u8], offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// The message for a line `key = word` whose word lacks quotes. The parser's own message depends on the first letter:
/// for `frames` it is "invalid boolean".
fn missing_quotes(line: &str) -> Option<String> {
    let (_, value) = line.split_once('=')?;
    let word = value.split('#').next()?.trim();
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "_-.%".contains(c);
    let is_word = word.contains(|c: char| c.is_ascii_alphabetic() || c == '%')
        && word.chars().all(is_of_word)
        // A number that TOML does not take, such as 1e400 or 007.
        && !(word.contains(|c: char| c.is_ascii_digit()) && word.parse::<f64>().is_ok())
        && word.parse::<Value>().is_err();
    is_word.then(|| format!("text needs quotes: \"{}\"", shortened(word)))
}

/// `name` as TOML writes it: in quotes if needed.
fn quoted_if_needed(name: &str) -> String {
    shortened(&toml_edit::Key::new(name).display_repr())
}
