//! Declares the keys of tables. One entry of [`table!`] gives a key, its struct field, its serialized form, the reading
//! with the default, and the row of `pipelines/README.md`.

use toml_edit::Value;

use super::error::PipelineError;
use super::rule::Rule;
use super::settings::{KeyPath, Settings};

/// A key whose values become a `T`.
pub(crate) struct Key<T: 'static> {
    pub path: KeyPath,
    pub rule: &'static dyn Rule<T>,
    pub default: DefaultValue<T>,
    #[cfg(test)]
    pub documentation: Documentation,
}

/// Value of a key that is not given.
pub(crate) enum DefaultValue<T> {
    /// None: the key must be given.
    Required,
    /// Fixed value, as written in TOML.
    Toml(&'static str),
    /// Value that depends on other keys.
    Computed(fn(&Settings) -> Result<T, PipelineError>),
}

impl<T> Key<T> {
    /// The checked value of this key, or its default.
    ///
    /// # Errors
    /// A value that the rule rejects; a required key that was not given.
    pub fn get(&self, settings: &Settings) -> Result<T, PipelineError> {
        let Some(given) = settings.given(self.path) else {
            return self.default(settings);
        };
        let value = given.value();
        value
            .and_then(|value| self.rule.check(value))
            .ok_or_else(|| {
                let hint = value.and_then(|value| self.rule.hint(value));
                let hint = hint.map_or(String::new(), |hint| format!("; {hint}"));
                settings.refusal(self.path, self.rule.expected() + &hint)
            })
    }

    /// This key, if it was given another value than its default.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn if_changed(&self, settings: &Settings) -> Result<Option<KeyPath>, PipelineError>
    where
        T: PartialEq,
    {
        let is_changed = self.get(settings)? != self.default(settings)?;
        Ok(is_changed.then_some(self.path))
    }

    /// The value of this key if it is not given.
    ///
    /// # Errors
    /// A required key; a refused setting from which the default is computed.
    pub fn default(&self, settings: &Settings) -> Result<T, PipelineError> {
        match self.default {
            DefaultValue::Required => Err(settings.missing(self.path, self.rule.expected())),
            DefaultValue::Toml(text) => {
                let value: Option<Value> = text.parse().ok();
                let checked = value.and_then(|value| self.rule.check(&value));
                Ok(checked.expect("the rule of a key accepts its declared default"))
            }
            DefaultValue::Computed(compute) => compute(settings),
        }
    }
}

/// A field that combines other keys, such as a nested struct.
pub(crate) struct Part<T>(pub fn(&Settings) -> Result<T, PipelineError>);

impl<T> Part<T> {
    /// The value of the field.
    ///
    /// # Errors
    /// The first refused setting.
    pub fn get(&self, settings: &Settings) -> Result<T, PipelineError> {
        self.0(settings)
    }
}

/// The keys of one [`table!`].
pub(crate) struct Group {
    pub keys: &'static [KeyPath],
    /// Name of the Rust type.
    #[cfg(test)]
    pub name: &'static str,
    /// Writes the rows of `pipelines/README.md`.
    #[cfg(test)]
    pub readme_rows: fn() -> String,
}

/// What `pipelines/README.md` says of a key, beside its rule.
#[cfg(test)]
pub(crate) struct Documentation {
    pub lines: &'static [&'static str],
    pub unit: &'static str,
    pub default: &'static str,
}

/// Declares a table of the pipeline file as a struct:
///
/// ```text
/// table! {
///     /// Documentation of the struct.
///     #[derive(Debug)]
///     "images" struct Images {
///         /// Documentation of the key, for rustdoc and pipelines/README.md.
///         short_side_px as "short_side": u32 = 256, Whole(16..=4096), "px";
///         /// Documentation of a field that the function `codec` reads from other keys.
///         #[serde(flatten)]
///         codec: Codec => codec;
///     }
/// }
/// ```
///
/// - A key is declared by `field: Type = DEFAULT, RULE, "unit";`. The unit may be left out.
/// - `field as "name"` gives the key another name than the field.
/// - `DEFAULT` is a TOML value, `required`, or `(function, "description")` for a default that depends on other keys.
/// - `#[serde(...)]` may stand before the field.
///
/// The struct serializes in the order of its fields. It gets a function `from_settings`, and a constant for each key
/// with the name of the field: `Images::short_side_px` is the [`Key`] of that field.
macro_rules! table {
    (
        $(#[$attribute:meta])+
        $table:literal struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $(#[serde($($serde:tt)+)])?
                $field:ident $(as $key:literal)?: $type:ty
                    $(= $default:tt, $rule:expr $(, $unit:literal)?)?
                    $(=> $part:expr)?;
            )+
        }
    ) => {
        $(#[$attribute])+
        #[derive(serde::Serialize)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                $(#[serde($($serde)+)])?
                $(#[serde(rename = $key)])?
                pub $field: $type,
            )+
        }

        impl $name {
            pub(crate) fn from_settings(
                settings: &$crate::settings::Settings,
            ) -> Result<Self, $crate::error::PipelineError> {
                Ok(Self { $($field: Self::$field.get(settings)?,)+ })
            }
        }

        keys! {
            $table $name {
                $(
                    $(#[doc = $doc])+
                    $field $(as $key)?: $type
                        $(= $default, $rule $(, $unit)?)?
                        $(=> $part)?;
                )+
            }
        }
    };
}

/// Declares only the keys, as constants of an existing type. Entries are as in [`table!`].
macro_rules! keys {
    (
        $table:literal $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(as $key:literal)?: $type:ty
                    $(= $default:tt, $rule:expr $(, $unit:literal)?)?
                    $(=> $part:expr)?;
            )+
        }
    ) => {
        // A key has the name of its field. A struct of parts has no keys to list.
        #[allow(non_upper_case_globals, dead_code)]
        impl $name {
            $(
                entry! {
                    [$($doc)+] $table, [$($key,)? stringify!($field)][0],
                    $field: $type $(= $default, $rule $(, $unit)?)? $(=> $part)?
                }
            )+
            pub(crate) const GROUP: $crate::key::Group = $crate::key::Group {
                keys: &[$($(first!(Self::$field.path, $default),)?)+],
                #[cfg(test)]
                name: stringify!($name),
                #[cfg(test)]
                readme_rows: || {
                    let rows: &[String] = &[$($(first!(Self::$field.readme_row(), $default),)?)+];
                    rows.concat()
                },
            };
        }
    };
}

/// Declares one constant of [`keys!`].
macro_rules! entry {
    (
        [$($doc:literal)+] $table:literal, $key:expr,
        $field:ident: $type:ty = $default:tt, $rule:expr $(, $unit:literal)?
    ) => {
        pub(crate) const $field: $crate::key::Key<$type> = $crate::key::Key {
            path: $crate::settings::KeyPath { table: $table, name: $key },
            rule: &$rule,
            default: default!($default),
            #[cfg(test)]
            documentation: $crate::key::Documentation {
                lines: &[$($doc),+],
                unit: concat!($($unit)?),
                default: default_text!($default),
            },
        };
    };
    ([$($doc:literal)+] $table:literal, $key:expr, $field:ident: $type:ty => $part:expr) => {
        const $field: $crate::key::Part<$type> = $crate::key::Part($part);
    };
}

macro_rules! default {
    (required) => {
        $crate::key::DefaultValue::Required
    };
    (($compute:expr, $description:literal)) => {
        $crate::key::DefaultValue::Computed($compute)
    };
    ($toml:tt) => {
        $crate::key::DefaultValue::Toml(stringify!($toml))
    };
}

#[cfg(test)]
macro_rules! default_text {
    (required) => {
        "required"
    };
    (($compute:expr, $description:literal)) => {
        $description
    };
    ($toml:tt) => {
        concat!("`", stringify!($toml), "`")
    };
}

/// The first argument. The second one only says in which repetitions the first one stands.
macro_rules! first {
    ($first:expr, $second:tt) => {
        $first
    };
}
