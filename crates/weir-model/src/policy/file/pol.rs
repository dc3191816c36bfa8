//! `Registry.pol` ([MS-GPREG] 2.2.1; "Registry Policy File Format" of the Group Policy reference).
//!
//! A header (`PReg`, version 1) and instructions `[key;value;type;size;data]`: the five marks are UTF-16 characters, key and
//! value are UTF-16 text ended by NUL, type and size are 32-bit numbers, all little endian. Names of values that begin with
//! `**` are instructions of their own. The predefined key is not in the file: it is that of the half of the Group Policy
//! object in which the file lies.

use super::{
    super::registry::{
        Change, Data, Entry, EntryError, LONGEST_DATA, LONGEST_KEY, LONGEST_NAME, Root, from_utf16, utf16,
    },
    MOST_BYTES, MOST_ENTRIES,
};

const SIGNATURE: [u8; 4] = *b"PReg";
const VERSION: u32 = 1;
const SZ: u32 = 1;
/// Bytes of data that an instruction may have ([MS-GPREG] 2.2.1: size is at most 0xFFFF).
const MOST_DATA: usize = 0xFFFF;

/// Why a file cannot be read or written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolError {
    /// What an instruction says is not possible.
    #[error("at byte {at}: {source}")]
    Entry {
        /// Where it begins.
        at: usize,
        /// Why.
        source: EntryError,
    },
    /// It is no such file.
    #[error("it does not begin as a Registry.pol does (PReg, version 1)")]
    Header,
    /// Longer than any.
    #[error("it has more than {MOST_BYTES} bytes or {MOST_ENTRIES} instructions")]
    Long,
    /// A character is missing where one must be, or the file ends.
    #[error("at byte {at}: {expected} was expected")]
    Syntax {
        /// Where.
        at: usize,
        /// What.
        expected: &'static str,
    },
    /// The form has no way to say it.
    #[error("{key}: {why}")]
    Unwritable {
        /// The key.
        key: String,
        /// Why not.
        why: &'static str,
    },
}

/// Whether bytes begin as such a file does.
pub fn is_pol(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// Writes the instructions of one predefined key.
pub fn write_pol(entries: &[Entry], root: Root) -> Result<Vec<u8>, PolError> {
    let mut file = SIGNATURE.to_vec();
    file.extend(VERSION.to_le_bytes());
    for entry in entries {
        let no = |why| PolError::Unwritable { key: entry.key().to_owned(), why };
        if entry.root() != root {
            return Err(no("the file holds another predefined key"));
        }
        // a blank is what the editor of Group Policy writes where the data say nothing
        let blank = Data::Text(" ".to_owned());
        match entry.change() {
            Change::CreateKey => instruction(&mut file, entry.key(), "", 0, &[]),
            Change::DeleteKey => {
                let (above, name) = entry.key().rsplit_once('\\').ok_or_else(|| no("a top key cannot be deleted"))?;
                if name.contains(';') || name.trim() != name {
                    return Err(no("a name with a semicolon, or with blanks around it, cannot be in a list"));
                }
                instruction(&mut file, above, "**DeleteKeys", SZ, &Data::Text(name.to_owned()).bytes());
            }
            Change::DeleteValue(name) => {
                instruction(&mut file, entry.key(), &format!("**del.{name}"), SZ, &blank.bytes());
            }
            Change::DeleteValues => instruction(&mut file, entry.key(), "**delvals.", SZ, &blank.bytes()),
            Change::Set(name, _) if name.starts_with("**") => {
                return Err(no("the name of a value that begins with ** means something else"));
            }
            Change::Set(name, data) => {
                let bytes = data.bytes();
                if bytes.len() > MOST_DATA {
                    return Err(no("a value has more than 65,535 bytes"));
                }
                if name.is_empty() && data.kind() == 0 && bytes.is_empty() {
                    return Err(no("an empty default value without a kind cannot be told from a key"));
                }
                instruction(&mut file, entry.key(), name, data.kind(), &bytes);
            }
        }
    }
    Ok(file)
}

fn instruction(file: &mut Vec<u8>, key: &str, name: &str, kind: u32, data: &[u8]) {
    let mark = |file: &mut Vec<u8>, mark: u8| file.extend([mark, 0]);
    mark(file, b'[');
    file.extend(utf16(key, true));
    mark(file, b';');
    file.extend(utf16(name, true));
    mark(file, b';');
    file.extend(kind.to_le_bytes());
    mark(file, b';');
    file.extend((data.len() as u32).to_le_bytes());
    mark(file, b';');
    file.extend(data);
    mark(file, b']');
}

/// Reads a file; `root` is the predefined key of the half in which it lay.
pub fn read_pol(bytes: &[u8], root: Root) -> Result<Vec<Entry>, PolError> {
    if bytes.len() > MOST_BYTES {
        return Err(PolError::Long);
    }
    let version = bytes.strip_prefix(&SIGNATURE).and_then(|rest| rest.first_chunk::<4>());
    if version.map(|version| u32::from_le_bytes(*version)) != Some(VERSION) {
        return Err(PolError::Header);
    }
    let mut reader = Reader { bytes, at: 8 };
    let mut entries = Vec::new();
    while reader.at < bytes.len() {
        reader.entry(root, &mut entries)?;
        if entries.len() > MOST_ENTRIES {
            return Err(PolError::Long);
        }
    }
    Ok(entries)
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn wrong(&self, expected: &'static str) -> PolError {
        PolError::Syntax { at: self.at, expected }
    }

    fn take(&mut self, count: usize, expected: &'static str) -> Result<&'b [u8], PolError> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..count)).ok_or_else(|| self.wrong(expected))?;
        self.at += count;
        Ok(taken)
    }

    fn mark(&mut self, mark: u8, expected: &'static str) -> Result<(), PolError> {
        if self.take(2, expected)? == [mark, 0] {
            return Ok(());
        }
        self.at -= 2;
        Err(self.wrong(expected))
    }

    fn number(&mut self, expected: &'static str) -> Result<u32, PolError> {
        let bytes = self.take(4, expected)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    /// Text up to its NUL.
    fn text(&mut self, most: usize, expected: &'static str) -> Result<String, PolError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (pairs, _) = rest.as_chunks::<2>();
        let length =
            pairs.iter().take(most + 1).position(|pair| *pair == [0, 0]).ok_or_else(|| self.wrong(expected))?;
        let text = rest.get(..2 * length).and_then(from_utf16).ok_or_else(|| self.wrong(expected))?;
        self.at += 2 * length + 2;
        Ok(text)
    }

    fn entry(&mut self, root: Root, entries: &mut Vec<Entry>) -> Result<(), PolError> {
        let at = self.at;
        self.mark(b'[', "[")?;
        let key = self.text(LONGEST_KEY, "the path of a key, ended by NUL,")?;
        self.mark(b';', "; after the key")?;
        // the longest name, with the longest of the prefixes
        let name = self.text(LONGEST_NAME + 16, "the name of a value, ended by NUL,")?;
        self.mark(b';', "; after the name")?;
        let kind = self.number("a type")?;
        self.mark(b';', "; after the type")?;
        let size = self.number("a size")? as usize;
        self.mark(b';', "; after the size")?;
        if size > LONGEST_DATA {
            return Err(self.wrong("a size of at most 1 MiB"));
        }
        let data = self.take(size, "as many bytes of data as the size says")?;
        self.mark(b']', "]")?;
        let mut add = |key: String, change| {
            entries.push(Entry::new(root, key, change).map_err(|source| PolError::Entry { at, source })?);
            Ok(())
        };
        let Some(special) = name.strip_prefix("**") else {
            let change = if name.is_empty() && kind == 0 && size == 0 {
                Change::CreateKey
            } else {
                Change::Set(name, Data::from_bytes(kind, data))
            };
            return add(key, change);
        };
        let after = |prefix: &str| match special.split_at_checked(prefix.len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case(prefix) => Some(rest.to_owned()),
            _ => None,
        };
        let listed = || -> Vec<String> {
            let text = Data::from_bytes(SZ, data).text().unwrap_or_default().to_owned();
            text.split(';').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        if after("delvals").is_some() {
            return add(key, Change::DeleteValues);
        }
        if let Some(name) = after("del.") {
            return add(key, Change::DeleteValue(name));
        }
        if let Some(name) = after("soft.") {
            // set if it is not there yet
            return add(key, Change::Set(name, Data::from_bytes(kind, data)));
        }
        if after("deletevalues").is_some() {
            return listed().into_iter().try_for_each(|name| add(key.clone(), Change::DeleteValue(name)));
        }
        if after("deletekeys").is_some() {
            return listed().into_iter().try_for_each(|name| add(format!("{key}\\{name}"), Change::DeleteKey));
        }
        // **SecureKey, comments and what comes later change no value
        Ok(())
    }
}
