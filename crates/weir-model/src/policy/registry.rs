//! Registry values, and what is done to them.

use std::fmt;

/// Characters of a key's path that are taken.
pub const LONGEST_KEY: usize = 2_048;
/// Characters of a value's name ("Registry element size limits": 16,383).
pub const LONGEST_NAME: usize = 16_383;
/// Bytes of a value that are taken.
pub const LONGEST_DATA: usize = 1 << 20;

const SZ: u32 = 1;
const EXPAND_SZ: u32 = 2;
const BINARY: u32 = 3;
const DWORD: u32 = 4;
const MULTI_SZ: u32 = 7;
const QWORD: u32 = 11;

/// A predefined key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Root {
    /// `HKEY_CLASSES_ROOT`
    ClassesRoot,
    /// `HKEY_CURRENT_CONFIG`
    CurrentConfig,
    /// `HKEY_CURRENT_USER`
    CurrentUser,
    /// `HKEY_LOCAL_MACHINE`
    LocalMachine,
    /// `HKEY_USERS`
    Users,
}

const ROOTS: [(Root, &str, &str); 5] = [
    (Root::ClassesRoot, "HKEY_CLASSES_ROOT", "HKCR"),
    (Root::CurrentConfig, "HKEY_CURRENT_CONFIG", "HKCC"),
    (Root::CurrentUser, "HKEY_CURRENT_USER", "HKCU"),
    (Root::LocalMachine, "HKEY_LOCAL_MACHINE", "HKLM"),
    (Root::Users, "HKEY_USERS", "HKU"),
];

impl Root {
    /// Its full name.
    pub fn name(self) -> &'static str {
        ROOTS.iter().find(|(root, ..)| *root == self).map_or("", |(_, name, _)| name)
    }

    /// Its short name.
    pub fn short(self) -> &'static str {
        ROOTS.iter().find(|(root, ..)| *root == self).map_or("", |(.., short)| short)
    }

    /// The key of a full or short name.
    pub fn read(text: &str) -> Option<Self> {
        let is = |name: &str| name.eq_ignore_ascii_case(text);
        ROOTS.iter().find(|(_, name, short)| is(name) || is(short)).map(|(root, ..)| *root)
    }
}

/// The data of a value. Text has no NUL in it; bytes that are no such text are [`Data::Raw`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Data {
    /// `REG_BINARY`
    Binary(Vec<u8>),
    /// `REG_DWORD`
    Dword(u32),
    /// `REG_EXPAND_SZ`
    Expand(String),
    /// `REG_MULTI_SZ`
    Multi(Vec<String>),
    /// `REG_QWORD`
    Qword(u64),
    /// Any other kind, or bytes that do not fit their kind.
    Raw {
        /// Number of the kind (winnt.h).
        kind: u32,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// `REG_SZ`
    Text(String),
}

impl Data {
    /// The number of its kind.
    pub fn kind(&self) -> u32 {
        match self {
            Self::Binary(_) => BINARY,
            Self::Dword(_) => DWORD,
            Self::Expand(_) => EXPAND_SZ,
            Self::Multi(_) => MULTI_SZ,
            Self::Qword(_) => QWORD,
            Self::Raw { kind, .. } => *kind,
            Self::Text(_) => SZ,
        }
    }

    /// The name of its kind.
    pub fn kind_name(&self) -> String {
        match self.kind() {
            0 => "REG_NONE".to_owned(),
            SZ => "REG_SZ".to_owned(),
            EXPAND_SZ => "REG_EXPAND_SZ".to_owned(),
            BINARY => "REG_BINARY".to_owned(),
            DWORD => "REG_DWORD".to_owned(),
            5 => "REG_DWORD_BIG_ENDIAN".to_owned(),
            6 => "REG_LINK".to_owned(),
            MULTI_SZ => "REG_MULTI_SZ".to_owned(),
            QWORD => "REG_QWORD".to_owned(),
            other => format!("kind {other}"),
        }
    }

    /// Its bytes as the registry keeps them: text in UTF-16, little endian, ended by NUL.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Binary(bytes) | Self::Raw { bytes, .. } => bytes.clone(),
            Self::Dword(number) => number.to_le_bytes().to_vec(),
            Self::Qword(number) => number.to_le_bytes().to_vec(),
            Self::Expand(text) | Self::Text(text) => utf16(text, true),
            Self::Multi(texts) => {
                let mut bytes: Vec<u8> = texts.iter().flat_map(|text| utf16(text, true)).collect();
                bytes.extend([0, 0]);
                bytes
            }
        }
    }

    /// The data of these bytes: typed if they are exactly what [`Data::bytes`] gives back, else raw.
    pub fn from_bytes(kind: u32, bytes: &[u8]) -> Self {
        let typed = match kind {
            BINARY => Some(Self::Binary(bytes.to_vec())),
            DWORD => bytes.try_into().ok().map(|bytes| Self::Dword(u32::from_le_bytes(bytes))),
            QWORD => bytes.try_into().ok().map(|bytes| Self::Qword(u64::from_le_bytes(bytes))),
            SZ => from_utf16(bytes).and_then(ended).map(Self::Text),
            EXPAND_SZ => from_utf16(bytes).and_then(ended).map(Self::Expand),
            MULTI_SZ => from_utf16(bytes).and_then(|text| {
                let texts = text.strip_suffix('\0')?;
                let texts: Vec<String> = texts.split_terminator('\0').map(str::to_owned).collect();
                texts.iter().all(|text| !text.is_empty()).then_some(Self::Multi(texts))
            }),
            _ => None,
        };
        typed.filter(|data| data.bytes() == bytes).unwrap_or_else(|| Self::Raw { kind, bytes: bytes.to_vec() })
    }

    /// The number of a DWORD.
    pub fn number(&self) -> Option<u32> {
        match self {
            Self::Dword(number) => Some(*number),
            _ => None,
        }
    }

    /// The text of a `REG_SZ`.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dword(number) => number.fmt(f),
            Self::Qword(number) => number.fmt(f),
            Self::Expand(text) | Self::Text(text) => f.write_str(text),
            Self::Multi(texts) => f.write_str(&texts.join("; ")),
            Self::Binary(bytes) | Self::Raw { bytes, .. } => {
                let shown: Vec<String> = bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
                write!(f, "{}{}", shown.join(" "), if bytes.len() > 32 { " ..." } else { "" })
            }
        }
    }
}

/// UTF-16 little endian, with a NUL at its end if asked for.
pub(super) fn utf16(text: &str, ended: bool) -> Vec<u8> {
    text.encode_utf16().chain(ended.then_some(0)).flat_map(u16::to_le_bytes).collect()
}

/// The text of UTF-16 little endian; none if it is not that.
pub(super) fn from_utf16(bytes: &[u8]) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))).collect::<Result<String, _>>().ok()
}

fn ended(mut text: String) -> Option<String> {
    (text.pop() == Some('\0') && !text.contains('\0')).then_some(text)
}

/// What is done below a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// The key is made, if it is not there.
    CreateKey,
    /// The key goes with everything below it.
    DeleteKey,
    /// A value goes.
    DeleteValue(String),
    /// All values of the key go.
    DeleteValues,
    /// A value is set; the empty name is the key's default value.
    Set(String, Data),
}

/// One instruction of a policy: a key and what is done to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    root: Root,
    key: String,
    change: Change,
}

/// Why something cannot be an [`Entry`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryError {
    /// The data.
    #[error("a value has more than {LONGEST_DATA} bytes")]
    Data,
    /// The path of the key.
    #[error("a key needs a path of 1 to {LONGEST_KEY} characters, without empty parts and control characters")]
    Key,
    /// The name of the value.
    #[error("the name of a value has at most {LONGEST_NAME} characters and no control characters")]
    Name,
}

impl Entry {
    /// An instruction, if its key and name can be written in every form.
    pub fn new(root: Root, key: impl Into<String>, change: Change) -> Result<Self, EntryError> {
        let key = key.into();
        let plain = |text: &str| !text.chars().any(char::is_control);
        if key.encode_utf16().count() > LONGEST_KEY || !plain(&key) || key.split('\\').any(str::is_empty) {
            return Err(EntryError::Key);
        }
        match &change {
            Change::DeleteValue(name) | Change::Set(name, _)
                if name.encode_utf16().count() > LONGEST_NAME || !plain(name) =>
            {
                return Err(EntryError::Name);
            }
            Change::Set(_, data) if data.bytes().len() > LONGEST_DATA => return Err(EntryError::Data),
            _ => {}
        }
        Ok(Self { root, key, change })
    }

    /// The predefined key that it is below.
    pub fn root(&self) -> Root {
        self.root
    }

    /// The path below that.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is done.
    pub fn change(&self) -> &Change {
        &self.change
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn bytes_that_fit_their_kind_are_typed_and_others_stay() {
        for (kind, bytes, data) in [
            (1, &b"h\0i\0\0\0"[..], Data::Text("hi".to_owned())),
            (1, b"\0\0", Data::Text(String::new())),
            (1, b"h\0i\0", Data::Raw { kind: 1, bytes: b"h\0i\0".to_vec() }),
            (1, b"h\0\0\0i\0\0\0", Data::Raw { kind: 1, bytes: b"h\0\0\0i\0\0\0".to_vec() }),
            (1, b"h", Data::Raw { kind: 1, bytes: b"h".to_vec() }),
            (1, b"\x00\xd8\0\0", Data::Raw { kind: 1, bytes: b"\x00\xd8\0\0".to_vec() }),
            (4, b"\x01\x02\0\0", Data::Dword(0x201)),
            (4, b"\x01\x02\0", Data::Raw { kind: 4, bytes: b"\x01\x02\0".to_vec() }),
            (7, b"\0\0", Data::Multi(Vec::new())),
            (7, b"a\0\0\0b\0\0\0\0\0", Data::Multi(vec!["a".to_owned(), "b".to_owned()])),
            (7, b"a\0\0\0", Data::Raw { kind: 7, bytes: b"a\0\0\0".to_vec() }),
            (11, b"\x01\0\0\0\0\0\0\0", Data::Qword(1)),
            (0, b"", Data::Raw { kind: 0, bytes: Vec::new() }),
        ] {
            let read = Data::from_bytes(kind, bytes);
            assert_eq!(read, data, "{kind} {bytes:?}");
            assert_eq!((read.kind(), read.bytes()), (kind, bytes.to_vec()));
        }
    }

    #[test]
    fn keys_and_names_that_no_file_can_hold_are_refused() {
        let entry =
            |key: &str, name: &str| Entry::new(Root::LocalMachine, key, Change::Set(name.to_owned(), Data::Dword(1)));
        assert!(entry("SOFTWARE\\A", "").is_ok());
        for key in ["", "\\A", "A\\", "A\\\\B", "A\nB", &"x".repeat(LONGEST_KEY + 1)] {
            assert_eq!(entry(key, "v"), Err(EntryError::Key), "{key:?}");
        }
        assert_eq!(entry("A", "a\rb"), Err(EntryError::Name));
        let large = Change::Set(String::new(), Data::Binary(vec![0; LONGEST_DATA + 1]));
        assert_eq!(Entry::new(Root::Users, "A", large), Err(EntryError::Data));
    }
}
