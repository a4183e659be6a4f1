//! What was given, by key: the file first, the overrides over it. Values are not checked yet.

use std::ops::Range;

use toml_edit::{Document, InlineTable, Item, TableLike, Value};

use super::accept::Accept;
use super::error::{PipelineError, Place, shortened};
use super::keys::{AnyKey, Key, keys_of, tables};
use super::suggest::{hint_for_key, hint_for_table, names};

/// One setting as given.
#[derive(Debug, Clone)]
pub(super) struct Given {
    item: Item,
    /// As written, for messages.
    text: String,
    /// Where it was given.
    pub(super) place: Place,
}

/// Every setting that was given, and where.
#[derive(Debug)]
pub(super) struct Settings {
    /// The file's name, for messages.
    file: String,
    /// By table and key. A few dozen at most.
    given: Vec<((&'static str, &'static str), Given)>,
}

impl Settings {
    /// Reads `text`, the contents of `file`, then each `table.key=value` of `overrides`.
    ///
    /// # Errors
    /// Text that is not TOML, an override of another form, a table or key that does not exist.
    pub(super) fn read(
        text: &str,
        file: &str,
        overrides: &[String],
    ) -> Result<Self, PipelineError> {
        let origin = Origin::File { text, file };
        let document = Document::parse(text).map_err(|error| {
            let start = error.span().map_or(text.len(), |span| span.start);
            let line = line_around(text, start);
            let message = || error.message().trim().replace('\n', ", ");
            PipelineError::Syntax {
                place: origin.place(Some(start..start)),
                what: unquoted(line).unwrap_or_else(message),
                text: shortened(line),
            }
        })?;
        let mut settings = Self {
            file: file.to_owned(),
            given: Vec::new(),
        };
        settings.add_tables(document.as_table(), &origin)?;
        for entry in overrides {
            settings.add_tables(&parsed_override(entry)?, &Origin::Override)?;
        }
        Ok(settings)
    }

    /// The checked value of `key`, or of its default.
    ///
    /// # Errors
    /// A value that `key` does not accept; a key without default that was not given.
    pub(super) fn get<A: Accept>(&self, key: &Key<A>) -> Result<A::Checked, PipelineError> {
        if let Some(given) = self.given(key) {
            let value = given.item.as_value();
            return value.and_then(|v| key.accepts.check(v)).ok_or_else(|| {
                let hint = value.and_then(|v| key.accepts.hint(v));
                let hint = hint.map_or(String::new(), |hint| format!("; {hint}"));
                self.refusal(key, key.accepts.expected() + &hint)
            });
        }
        let default = key.default().and_then(|text| text.parse::<Value>().ok());
        default
            .and_then(|value| key.accepts.check(&value))
            .ok_or_else(|| PipelineError::Missing {
                place: Place::File(self.file.clone()),
                key: key.path(),
                table: key.table(),
                expected: key.expected(),
            })
    }

    /// What was given for `key`.
    pub(super) fn given(&self, key: &dyn AnyKey) -> Option<&Given> {
        let path = (key.table(), key.name());
        let found = self.given.iter().find(|(given, _)| *given == path);
        found.map(|(_, given)| given)
    }

    /// The refusal of what was given for `key`.
    pub(super) fn refusal(&self, key: &dyn AnyKey, expected: String) -> PipelineError {
        let given = self.given(key);
        let place = given.map(|given| given.place.clone());
        let value = given.map_or("not given", |given| &given.text);
        PipelineError::Refused {
            place: place.unwrap_or_else(|| Place::File(self.file.clone())),
            key: key.path(),
            value: value.to_owned(),
            expected,
        }
    }

    fn add_tables(
        &mut self,
        tables_given: &dyn TableLike,
        origin: &Origin<'_>,
    ) -> Result<(), PipelineError> {
        for (name, _) in tables_given.iter() {
            let Some((key, item)) = tables_given.get_key_value(name) else {
                continue;
            };
            let place = origin.place(key.span());
            let known_table = tables().find(|table| *table == name);
            match (known_table, item.as_table_like()) {
                (Some(table), Some(keys_given)) => self.add_keys(table, keys_given, origin)?,
                (Some(table), None) => {
                    return Err(PipelineError::Refused {
                        place,
                        key: table.to_owned(),
                        value: origin.text_of(item),
                        expected: format!("a table [{table}] of the keys {}", names(table)),
                    });
                }
                (None, Some(_)) if keys_of("").all(|top| top.name() != name) => {
                    return Err(PipelineError::UnknownTable {
                        place,
                        table: shown_key(name),
                        hint: hint_for_table(name),
                    });
                }
                (None, _) => self.add_key("", name, item, place, origin)?,
            }
        }
        Ok(())
    }

    fn add_keys(
        &mut self,
        table: &'static str,
        keys_given: &dyn TableLike,
        origin: &Origin<'_>,
    ) -> Result<(), PipelineError> {
        for (name, _) in keys_given.iter() {
            if let Some((key, item)) = keys_given.get_key_value(name) {
                self.add_key(table, name, item, origin.place(key.span()), origin)?;
            }
        }
        Ok(())
    }

    fn add_key(
        &mut self,
        table: &'static str,
        name: &str,
        item: &Item,
        place: Place,
        origin: &Origin<'_>,
    ) -> Result<(), PipelineError> {
        let Some(key) = keys_of(table).find(|key| key.name() == name) else {
            let shown = shown_key(name);
            return Err(PipelineError::UnknownKey {
                place,
                key: match table {
                    "" => shown,
                    _ => format!("{table}.{shown}"),
                },
                hint: hint_for_key(table, name),
            });
        };
        let path = (table, key.name());
        self.given.retain(|(given, _)| *given != path);
        let given = Given {
            item: item.clone(),
            text: origin.text_of(item),
            place,
        };
        self.given.push((path, given));
        Ok(())
    }
}

/// What a parsed table was parsed from.
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

/// `table.key=value` as the tables that a file would have given. A value that is not TOML is taken
/// as a string, so that `images.codec=jpeg` needs no quotes.
fn parsed_override(entry: &str) -> Result<InlineTable, PipelineError> {
    let refused = || PipelineError::Override {
        text: shortened(entry),
    };
    let (path, text) = entry.split_once('=').ok_or_else(refused)?;
    let path = toml_edit::Key::parse(path.trim()).map_err(|_| refused())?;
    let text = text.trim();
    let value = text.parse().unwrap_or_else(|_| Value::from(text));
    let mut root = InlineTable::new();
    match path.as_slice() {
        [key] => root.insert(key.get(), value),
        [table, key] => {
            let mut keys = InlineTable::new();
            keys.insert(key.get(), value);
            root.insert(table.get(), Value::InlineTable(keys))
        }
        _ => return Err(refused()),
    };
    Ok(root)
}

/// The line, from 1, that holds byte `offset`.
pub(super) fn line_at(text: &[u8], offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

fn line_around(text: &str, offset: usize) -> &str {
    text.lines()
        .nth(line_at(text.as_bytes(), offset) - 1)
        .unwrap_or_default()
}

/// What is wrong with `key = word`. The parser's own words depend on the first letter, and for
/// `frames` they are "invalid boolean".
fn unquoted(line: &str) -> Option<String> {
    let (_, value) = line.split_once('=')?;
    let word = value.split('#').next()?.trim();
    let of_a_word = |c: char| c.is_ascii_alphanumeric() || "_-.%".contains(c);
    let is_word = word.contains(|c: char| c.is_ascii_alphabetic() || c == '%')
        && word.chars().all(of_a_word)
        && word.parse::<Value>().is_err();
    is_word.then(|| format!("text stands in quotes: \"{}\"", shortened(word)))
}

/// `name` as it would be written in TOML: quoted where it has to be.
fn shown_key(name: &str) -> String {
    shortened(&toml_edit::Key::new(name).display_repr())
}
