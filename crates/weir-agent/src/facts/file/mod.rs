//! A file of facts: JSON, documented in `docs/facts-format.md`.
//!
//! Each section says whether what is absent from it does not exist or was not collected. Nothing is guessed: a key that is
//! not known, a value of another type or a contradiction is an error that names its place.

mod document;
mod error;
mod lookup;
mod table;
mod value;

#[cfg(test)]
mod tests;

use std::{fs::File as Disk, io::Read as _, path::Path};

use weir_model::applicability::facts;

pub(super) use self::lookup::{gap, stored};
pub use self::{
    document::{
        Architecture, Classes, Description, Device, Document, Driver, FORMAT, File, GenericQuery, Namespaces, Product,
        ProductType, Section, System, Values,
    },
    error::FactsFileError,
    table::{FilePaths, Guids, KeyPaths, MOST_ENTRIES, Names, Numbers, Table, Text},
    value::{Coverage, Covered, Data, Hex, Licence, Package, Property, Version},
};

/// Largest facts file in bytes. The whole registry of a computer takes about 300 MB as JSON; what rules ask is far less.
pub const LARGEST: u64 = 256 * 1024 * 1024;

/// Facts from a file.
#[derive(Clone, Debug)]
pub struct FactsFile {
    document: Document,
    system: facts::System,
    devices: Option<Vec<facts::Device>>,
}

impl FactsFile {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, FactsFileError> {
        let unreadable = |source| FactsFileError::Read { path: path.to_owned(), source };
        let file = Disk::open(path).map_err(unreadable)?;
        let mut text = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut text).map_err(unreadable)?;
        if text.len() as u64 > LARGEST {
            return Err(FactsFileError::TooLarge);
        }
        Self::parse(&text)
    }

    /// Reads the text of a file.
    pub fn parse(text: &[u8]) -> Result<Self, FactsFileError> {
        if text.len() as u64 > LARGEST {
            return Err(FactsFileError::TooLarge);
        }
        // Editors on Windows begin files with a byte order mark.
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let json = &mut serde_json::Deserializer::from_slice(text);
        let document: Result<Document, _> = serde_path_to_error::deserialize(&mut *json);
        let document = document.map_err(|error| FactsFileError::json(text, error.path().to_string(), error.inner()))?;
        json.end().map_err(|error| FactsFileError::json(text, String::new(), &error))?;
        Self::new(document)
    }

    /// Facts from a document in memory.
    pub fn new(document: Document) -> Result<Self, FactsFileError> {
        if document.weir_facts != FORMAT {
            return Err(FactsFileError::Format { found: document.weir_facts.into() });
        }
        if let Some(section) = &document.registry {
            consistent("registry", &section.entries)?;
        }
        if let Some(section) = &document.files {
            consistent("files", &section.entries)?;
        }
        let system = document.system.as_ref().map(System::as_fact).unwrap_or_default();
        let devices = document.devices.as_ref().map(|devices| devices.iter().map(Device::as_fact).collect());
        Ok(Self { document, system, devices })
    }

    /// The file as it was read.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The file as it was read.
    pub fn into_document(self) -> Document {
        self.document
    }

    /// The text of a document, as it is read again.
    pub fn write(document: &Document) -> Result<String, FactsFileError> {
        serde_json::to_string_pretty(document)
            .map_err(|error| FactsFileError::Read { path: "facts".into(), source: error.into() })
    }
}

/// Nothing exists below what does not exist.
fn consistent<N, V>(section: &'static str, entries: &Table<N, Option<V>>) -> Result<(), FactsFileError> {
    for (form, name, _) in entries.forms().filter(|(_, _, value)| value.is_none()) {
        if let Some(below) = entries.first_below(form, Option::is_some) {
            return Err(FactsFileError::Contradiction { section, name: name.to_owned(), below: below.to_owned() });
        }
    }
    Ok(())
}
