//! Lists the objects of a folder, a page at a time.

use std::borrow::Cow;
use std::vec;

use object_store::list::PaginatedListOptions;

use crate::error::{Action, StoreError};
use crate::key::decode_listed_key;
use crate::runtime::{Moved, Watch, run};
use crate::store::Store;
use crate::version::Version;

/// Object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name below the store's folder. A name that ends in `/` is an object too, by which some programs mark an empty folder.
    pub name: String,
    /// Size in bytes.
    pub num_bytes: u64,
    /// Version.
    pub version: Version,
}

/// Object or folder, in a listing of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LevelEntry {
    /// Name of a folder below the store's folder, without the slash at its end.
    Folder(String),
    /// Object of the level itself.
    Object(Entry),
}

impl Store {
    /// All objects below a folder, in the order of the store (S3: by the bytes of the keys). A page of at most 1,000 is held at a time.
    ///
    /// - `folder`: name below the store's folder, or empty for all. A folder that does not exist is an empty one.
    /// - After an error the iterator ends.
    ///
    /// # Errors
    /// All that a request can meet; [`StoreError::NoSuchBucket`].
    pub fn list<'a>(
        &'a self,
        folder: &str,
        watch: &'a dyn Watch,
    ) -> impl Iterator<Item = Result<Entry, StoreError>> + 'a {
        let pages = Pages::new(self, folder, None, watch);
        pages.filter_map(|entry| match entry {
            Ok(LevelEntry::Object(entry)) => Some(Ok(entry)),
            Ok(LevelEntry::Folder(_)) => None,
            Err(err) => Some(Err(err)),
        })
    }

    /// The objects and folders of one level: those whose names have no further slash. Otherwise like [`Self::list`].
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub fn list_level<'a>(
        &'a self,
        folder: &str,
        watch: &'a dyn Watch,
    ) -> impl Iterator<Item = Result<LevelEntry, StoreError>> + 'a {
        Pages::new(self, folder, Some(Cow::Borrowed("/")), watch)
    }
}

struct Pages<'a> {
    store: &'a Store,
    /// What the keys begin with, and how much of it is the store's own folder.
    prefix: String,
    root_len: usize,
    delimiter: Option<Cow<'static, str>>,
    watch: &'a dyn Watch,
    page: vec::IntoIter<LevelEntry>,
    /// `None` before the first page.
    token: Option<String>,
    is_done: bool,
}

impl<'a> Pages<'a> {
    fn new(
        store: &'a Store,
        folder: &str,
        delimiter: Option<Cow<'static, str>>,
        watch: &'a dyn Watch,
    ) -> Self {
        let location = store.location();
        Self {
            store,
            prefix: match folder {
                "" => location.prefix(),
                folder => location.join(folder).prefix(),
            },
            root_len: location.prefix().len(),
            delimiter,
            watch,
            page: Vec::new().into_iter(),
            token: None,
            is_done: false,
        }
    }

    fn turn(&mut self) -> Result<(), StoreError> {
        let context = &self.store.context;
        let url = match self.prefix.len() == self.root_len {
            true => context.location.to_string(),
            false => self.store.url(&self.prefix[self.root_len..]),
        };
        let answer = run(self.watch, &Moved::default(), async {
            let mut trial = context.trial(Action::List, url.clone());
            let request = async || {
                let prefix = (!self.prefix.is_empty()).then_some(self.prefix.as_str());
                let options = PaginatedListOptions {
                    delimiter: self.delimiter.clone(),
                    page_token: self.token.clone(),
                    ..Default::default()
                };
                self.store.backend.list_paginated(prefix, options).await
            };
            context.retry(&mut trial, request).await
        })?;
        let refused = |reason: String| StoreError::Refused {
            url: url.clone(),
            action: Action::List,
            reason,
        };
        // The name below the root; `None` for the marker of the listed folder itself.
        let name_of = |key: String| match key.strip_prefix(&self.prefix) {
            Some("") => Ok(None),
            Some(_) => Ok(Some(key[self.root_len..].to_owned())),
            None => Err(refused(format!(
                "the answer has `{key}`, which is not below it"
            ))),
        };
        let mut page = Vec::new();
        for folder in &answer.result.common_prefixes {
            let key = decode_listed_key(folder);
            if let Some(mut name) = name_of(key)? {
                name.pop();
                page.push(LevelEntry::Folder(name));
            }
        }
        for object in &answer.result.objects {
            if let Some(name) = name_of(decode_listed_key(&object.location))? {
                page.push(LevelEntry::Object(Entry {
                    name,
                    num_bytes: object.size,
                    version: Version::of_meta(object),
                }));
            }
        }
        if answer.page_token.is_some() && answer.page_token == self.token {
            return Err(refused("the store answered the same page twice".into()));
        }
        self.is_done = answer.page_token.is_none();
        self.token = answer.page_token;
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<LevelEntry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(Ok(entry));
            }
            if self.is_done {
                return None;
            }
            if let Err(err) = self.turn() {
                self.is_done = true;
                return Some(Err(err));
            }
        }
    }
}
