//! `.reg` files of the registry editor ("How to add, modify, or delete registry subkeys and values by using a .reg file").
//!
//! Version 5 is UTF-16 with a byte order mark and carriage returns, its texts in hexadecimal are UTF-16. `REGEDIT4` is in
//! the system's code page, its texts in hexadecimal, too; bytes above 127 that are no UTF-8 are read as Latin-1 here.

use std::fmt::Write as _;

use super::{
    super::registry::{Change, Data, Entry, EntryError, Root},
    MOST_BYTES, MOST_ENTRIES,
    reg_text::{Lines, hex, quoted, text},
};

const VERSION_5: &str = "Windows Registry Editor Version 5.00";
const VERSION_4: &str = "REGEDIT4";

/// Why a file cannot be read or written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RegError {
    /// What a line says is not possible.
    #[error("line {line}: {source}")]
    Entry {
        /// Which.
        line: usize,
        /// Why.
        source: EntryError,
    },
    /// It is no such file.
    #[error("it begins with neither {VERSION_5:?} nor {VERSION_4:?}")]
    Header,
    /// Longer than any.
    #[error("it has more than {MOST_BYTES} bytes or {MOST_ENTRIES} instructions")]
    Long,
    /// Something else belongs there.
    #[error("line {line}: {expected} was expected")]
    Syntax {
        /// Which.
        line: usize,
        /// What.
        expected: &'static str,
    },
    /// Neither UTF-16 nor anything else.
    #[error("its characters are not UTF-16, although it begins so")]
    Text,
    /// The form has no way to say it.
    #[error("{key}: all values of a key cannot be removed by a .reg file; remove the key, or each value")]
    Unwritable {
        /// The key.
        key: String,
    },
}

/// Writes a file of version 5, as the registry editor exports it.
pub fn write_reg(entries: &[Entry]) -> Result<Vec<u8>, RegError> {
    let mut out = format!("{VERSION_5}\r\n");
    let mut open: Option<(Root, &str)> = None;
    for entry in entries {
        let here = (entry.root(), entry.key());
        match entry.change() {
            Change::DeleteKey => {
                let _ = write!(out, "\r\n[-{}\\{}]\r\n", entry.root().name(), entry.key());
                open = None;
                continue;
            }
            Change::DeleteValues => return Err(RegError::Unwritable { key: entry.key().to_owned() }),
            _ => {}
        }
        if open != Some(here) {
            let _ = write!(out, "\r\n[{}\\{}]\r\n", entry.root().name(), entry.key());
            open = Some(here);
        }
        match entry.change() {
            Change::DeleteValue(name) => {
                let _ = write!(out, "{}=-\r\n", value_name(name));
            }
            Change::Set(name, data) => assignment(&mut out, &value_name(name), data),
            Change::CreateKey | Change::DeleteKey | Change::DeleteValues => {}
        }
    }
    out.push_str("\r\n");
    let mut file = vec![0xFF, 0xFE];
    file.extend(out.encode_utf16().flat_map(u16::to_le_bytes));
    Ok(file)
}

fn value_name(name: &str) -> String {
    if name.is_empty() { "@".to_owned() } else { quoted(name) }
}

fn assignment(out: &mut String, name: &str, data: &Data) {
    let bytes = match data {
        Data::Dword(number) => {
            let _ = write!(out, "{name}=dword:{number:08x}\r\n");
            return;
        }
        // a line break would end the line: such text goes as bytes
        Data::Text(text) if !text.chars().any(char::is_control) => {
            let _ = write!(out, "{name}={}\r\n", quoted(text));
            return;
        }
        data => data.bytes(),
    };
    let kind = match data.kind() {
        3 => "hex:".to_owned(),
        kind => format!("hex({kind:x}):"),
    };
    let mut line = format!("{name}={kind}");
    // the registry editor breaks lines at 80 characters
    let mut column = line.chars().count();
    for (number, byte) in bytes.iter().enumerate() {
        let last = number + 1 == bytes.len();
        let _ = write!(line, "{byte:02x}{}", if last { "" } else { "," });
        column += 3;
        if column > 76 && !last {
            line.push_str("\\\r\n  ");
            column = 2;
        }
    }
    out.push_str(&line);
    out.push_str("\r\n");
}

/// Reads a file of version 5 or 4.
pub fn read_reg(bytes: &[u8]) -> Result<Vec<Entry>, RegError> {
    if bytes.len() > MOST_BYTES {
        return Err(RegError::Long);
    }
    let text = text(bytes).ok_or(RegError::Text)?;
    let mut lines = Lines::new(&text);
    let header = lines.next_filled().ok_or(RegError::Header)?;
    let wide = match header.trim() {
        header if header.eq_ignore_ascii_case(VERSION_5) => true,
        header if header.eq_ignore_ascii_case(VERSION_4) => false,
        _ => return Err(RegError::Header),
    };
    let mut work = Work { entries: Vec::new(), open: None, wide };
    while let Some(line) = lines.next_filled() {
        let number = lines.number();
        let start = line.trim_start();
        if start.starts_with(';') {
            continue;
        }
        if start.starts_with('[') {
            work.key(start, number)?;
        } else {
            work.value(start, &mut lines, number)?;
        }
        if work.entries.len() > MOST_ENTRIES {
            return Err(RegError::Long);
        }
    }
    work.close()?;
    Ok(work.entries)
}

/// A key whose values follow.
struct Open {
    root: Root,
    key: String,
    line: usize,
    empty: bool,
}

struct Work {
    entries: Vec<Entry>,
    open: Option<Open>,
    wide: bool,
}

impl Work {
    fn add(&mut self, root: Root, key: String, change: Change, line: usize) -> Result<(), RegError> {
        self.entries.push(Entry::new(root, key, change).map_err(|source| RegError::Entry { line, source })?);
        Ok(())
    }

    /// A key without values is made.
    fn close(&mut self) -> Result<(), RegError> {
        match self.open.take() {
            Some(Open { root, key, line, empty: true }) => self.add(root, key, Change::CreateKey, line),
            _ => Ok(()),
        }
    }

    fn key(&mut self, line: &str, number: usize) -> Result<(), RegError> {
        self.close()?;
        let wrong = |expected| RegError::Syntax { line: number, expected };
        let inner = line.trim_end().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inner = inner.ok_or_else(|| wrong("] at the end of a key"))?;
        let (delete, path) = match inner.strip_prefix('-') {
            Some(path) => (true, path),
            None => (false, inner),
        };
        let (root, key) = path.split_once('\\').unwrap_or((path, ""));
        let root = Root::read(root.trim()).ok_or_else(|| wrong("a predefined key such as HKEY_LOCAL_MACHINE"))?;
        if delete {
            return self.add(root, key.to_owned(), Change::DeleteKey, number);
        }
        if key.is_empty() {
            return Err(wrong("the path of a key below the predefined one"));
        }
        self.open = Some(Open { root, key: key.to_owned(), line: number, empty: true });
        Ok(())
    }

    fn value(&mut self, line: &str, lines: &mut Lines<'_>, number: usize) -> Result<(), RegError> {
        let wrong = |expected| RegError::Syntax { line: number, expected };
        let (name, rest) = match line.strip_prefix('@') {
            Some(rest) => (String::new(), rest.to_owned()),
            None => lines.unquote(line).ok_or_else(|| wrong("a key, or a name in quotes, or @"))?,
        };
        let rest = rest.trim_start().strip_prefix('=').ok_or_else(|| wrong("= after the name"))?.trim_start();
        let change = if rest.starts_with('"') {
            let (text, rest) = lines.unquote(rest).ok_or_else(|| wrong("a quote at the end of the text"))?;
            end(&rest).ok_or_else(|| wrong("nothing more"))?;
            Change::Set(name, Data::Text(text))
        } else if let Some(rest) = rest.strip_prefix('-') {
            end(rest).ok_or_else(|| wrong("nothing more"))?;
            Change::DeleteValue(name)
        } else if let Some(digits) = word(rest, "dword:") {
            let digits = digits.split(';').next().unwrap_or_default().trim();
            let fits = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = if fits { u32::from_str_radix(digits, 16).ok() } else { None };
            Change::Set(name, Data::Dword(number.ok_or_else(|| wrong("1 to 8 hexadecimal digits"))?))
        } else if let Some(rest) = word(rest, "hex") {
            let kind = "hex: or hex(KIND):";
            let (kind, bytes) = rest.split_once(':').ok_or_else(|| wrong(kind))?;
            let kind = match kind.strip_prefix('(').and_then(|kind| kind.strip_suffix(')')) {
                Some(kind) if kind.len() <= 8 => {
                    u32::from_str_radix(kind, 16).map_err(|_| wrong("a kind in digits"))?
                }
                None if kind.is_empty() => 3,
                _ => return Err(wrong("hex: or hex(KIND):")),
            };
            let bytes =
                hex(bytes, lines).ok_or_else(|| wrong("bytes of two hexadecimal digits, with commas between"))?;
            Change::Set(name, self.data(kind, bytes))
        } else {
            return Err(wrong("a text in quotes, dword:, hex: or -"));
        };
        let open = self.open.as_mut().ok_or_else(|| wrong("a key before its values"))?;
        open.empty = false;
        let (root, key) = (open.root, open.key.clone());
        self.add(root, key, change, number)
    }

    /// Texts of version 4 are bytes of a code page.
    fn data(&self, kind: u32, bytes: Vec<u8>) -> Data {
        if self.wide || !matches!(kind, 1 | 2 | 7) {
            return Data::from_bytes(kind, &bytes);
        }
        let wide: Vec<u8> = bytes.iter().flat_map(|byte| [*byte, 0]).collect();
        match Data::from_bytes(kind, &wide) {
            Data::Raw { .. } => Data::Raw { kind, bytes },
            data => data,
        }
    }
}

/// The rest of a line after a word, without regard to case.
fn word<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    let (head, rest) = line.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// Whether a line has nothing more, a comment aside.
fn end(rest: &str) -> Option<()> {
    let rest = rest.trim();
    (rest.is_empty() || rest.starts_with(';')).then_some(())
}
