//! Tables of a facts file: names that are compared without regard to case, each once.

use std::{collections::BTreeMap, fmt, marker::PhantomData, ops::Bound};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
};
use uuid::Uuid;

use crate::facts::names::{LONGEST, check_file_path, check_key_path, fold};

/// Most entries of one table.
pub const MOST_ENTRIES: usize = 2_000_000;

/// What the names of a table are.
pub trait Names {
    /// The form in which a name is compared, or why it is no such name.
    fn form(name: &str) -> Result<String, String>;
}

/// Any text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Text;

/// Paths of registry keys that begin with a root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyPaths;

/// Full paths of files and folders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilePaths;

/// GUIDs, with braces or without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guids;

/// Whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Numbers;

impl Names for Text {
    fn form(name: &str) -> Result<String, String> {
        if name.chars().count() > LONGEST {
            return Err(format!("a name has at most {LONGEST} characters"));
        }
        Ok(fold(name))
    }
}

impl Names for KeyPaths {
    fn form(name: &str) -> Result<String, String> {
        check_key_path(name).map(|()| fold(name))
    }
}

impl Names for FilePaths {
    fn form(name: &str) -> Result<String, String> {
        check_file_path(name).map(|()| fold(name))
    }
}

impl Names for Guids {
    fn form(name: &str) -> Result<String, String> {
        Uuid::try_parse(name).map(|guid| guid.to_string()).map_err(|_| format!("{name:?} is no GUID"))
    }
}

impl Names for Numbers {
    fn form(name: &str) -> Result<String, String> {
        name.parse::<i32>().map(|number| number.to_string()).map_err(|_| format!("{name:?} is no whole number"))
    }
}

/// Entries by name, in the order of their folded names.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<N, V>(BTreeMap<String, (String, V)>, PhantomData<N>);

impl<N, V> Default for Table<N, V> {
    fn default() -> Self {
        Self(BTreeMap::new(), PhantomData)
    }
}

impl<N: Names, V> Table<N, V> {
    /// Adds an entry. An error says why the name is none, or that it is there already.
    pub fn insert(&mut self, name: impl Into<String>, value: V) -> Result<(), String> {
        let name = name.into();
        let form = N::form(&name)?;
        if self.0.len() >= MOST_ENTRIES {
            return Err(format!("more than {MOST_ENTRIES} entries"));
        }
        if let Some((before, _)) = self.0.get(&form) {
            return Err(format!("{name:?} is there twice (case does not matter): {before:?}"));
        }
        self.0.insert(form, (name, value));
        Ok(())
    }

    /// An entry, if the name is in the table.
    pub fn find(&self, name: &str) -> Option<&V> {
        self.by_form(&N::form(name).ok()?)
    }
}

impl<N, V> Table<N, V> {
    /// An entry by the form in which its name is compared.
    pub(super) fn by_form(&self, form: &str) -> Option<&V> {
        self.0.get(form).map(|(_, value)| value)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names as they were written, and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.values().map(|(name, value)| (name.as_str(), value))
    }

    /// All entries: the form of the name, the name as written, the value.
    pub(super) fn forms(&self) -> impl Iterator<Item = (&str, &str, &V)> {
        self.0.iter().map(|(form, (name, value))| (form.as_str(), name.as_str(), value))
    }

    /// Entries below a path: their forms, their names as written, their values.
    pub(super) fn below(&self, form: &str) -> impl Iterator<Item = (&str, &str, &V)> {
        let start = if form.ends_with('\\') { form.to_owned() } else { format!("{form}\\") };
        let range: (Bound<&str>, Bound<&str>) = (Bound::Included(&start), Bound::Unbounded);
        let from_there = self.0.range::<str, _>(range);
        from_there
            .take_while(move |(form, _)| form.starts_with(&start))
            .map(|(form, (name, value))| (form.as_str(), name.as_str(), value))
    }

    /// The name of the first entry below a path that meets a condition.
    pub(super) fn first_below(&self, form: &str, meets: impl Fn(&V) -> bool) -> Option<&str> {
        self.below(form).find(|(_, _, value)| meets(value)).map(|(_, name, _)| name)
    }
}

impl<N, V: Serialize> Serialize for Table<N, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, N: Names, V: Deserialize<'de>> Deserialize<'de> for Table<N, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<N, V>(PhantomData<(N, V)>);

        impl<'de, N: Names, V: Deserialize<'de>> Visitor<'de> for Entries<N, V> {
            type Value = Table<N, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of named entries")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut table = Table::default();
                while let Some(name) = map.next_key::<String>()? {
                    // The name is judged before its value, so that the message stands at the right place.
                    N::form(&name).map_err(A::Error::custom)?;
                    let value = map.next_value()?;
                    table.insert(name, value).map_err(A::Error::custom)?;
                }
                Ok(table)
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
