//! Licence values, which Windows keeps in one value of the registry (`ProductPolicy`).
//!
//! The form is not documented by its maker; followed here is G. Chappell, *The License Value Data*: a head of five numbers
//! (size of all, size of the entries, size of the end mark, flags, version 1), then entries of size, size of the name, type,
//! size of the data (16 bits each), two numbers, name, data.

use weir_model::applicability::{Fact, facts::RegistryData};

use super::{
    bytes::{place_at, u16_at, u32_at, utf16},
    registry::Registry,
    system::CONTROL,
};
use crate::facts::file::{Document, Licence, Section};

/// Bytes of the head, and of an entry before its name.
const HEAD: usize = 20;
const ENTRY: usize = 16;

/// Collects the licence values.
pub(super) fn collect(registry: &Registry, document: &mut Document) -> Fact<()> {
    let value = registry.value(&format!(r"{CONTROL}\ProductOptions"), "ProductPolicy")?;
    let Some(RegistryData::Binary(3, bytes)) = value else { return Ok(()) };
    match read(&bytes) {
        Some(section) => document.licences = Some(section),
        None => document.warnings.push("licences: ProductPolicy is not understood".to_owned()),
    }
    Ok(())
}

/// Reads all values; none if they are not of the known form. What is absent is absent: Windows answers from the same list.
fn read(bytes: &[u8]) -> Option<Section<crate::facts::file::Text, Option<Licence>>> {
    let (size, values) = (place_at(bytes, 0)?, place_at(bytes, 4)?);
    if size > bytes.len() || u32_at(bytes, 16)? != 1 || HEAD.checked_add(values)? > size {
        return None;
    }
    let mut section = Section::empty(true);
    let mut rest = bytes.get(HEAD..HEAD + values)?;
    while !rest.is_empty() {
        let (size, name_size) = (usize::from(u16_at(rest, 0)?), usize::from(u16_at(rest, 2)?));
        let (kind, data_size) = (u16_at(rest, 4)?, usize::from(u16_at(rest, 6)?));
        if size < ENTRY + name_size + data_size {
            return None;
        }
        let (entry, after) = rest.split_at_checked(size)?;
        let name = utf16(entry.get(ENTRY..ENTRY + name_size)?);
        let data = entry.get(ENTRY + name_size..ENTRY + name_size + data_size)?;
        // Types are those of the registry.
        let value = if kind == 4 && data.len() == 4 { Licence::Dword(u32_at(data, 0)?) } else { Licence::Other };
        section.entries.insert(name.trim_end_matches('\0'), Some(value)).ok()?;
        rest = after;
    }
    Some(section)
}
