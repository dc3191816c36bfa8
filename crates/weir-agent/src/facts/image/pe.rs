//! The version resource of a program file.
//!
//! Followed here: *PE Format* (Windows documentation; sections "Signature", "COFF File Header", "Optional Header", "Section
//! Table", "The .rsrc Section") and the structures `VS_VERSIONINFO`, `VS_FIXEDFILEINFO` and `Var`. Only heads and the one
//! resource are read, whatever the size of the file. A library would want the whole file.

use std::io::{self, Read, Seek, SeekFrom};

use weir_model::document::rules::Version;

use super::bytes::{place_at, u16_at, u32_at, utf16};

/// Heads and section table fit into this, or the file is no program that Windows would load.
const HEADS: usize = 64 * 1024;
/// Directories of resources, in bytes and entries: genuine files have a few thousand.
const DIRECTORIES: usize = 1024 * 1024;
const MOST_ENTRIES: usize = 20_000;
/// Longest version resource: lengths in it have 16 bits.
const LONGEST: usize = 64 * 1024;
/// Version resources of one file, one for each language.
const MOST_RESOURCES: usize = 200;

/// What a version resource says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileVersion {
    /// `VS_FIXEDFILEINFO.dwFileVersionMS` and `dwFileVersionLS`.
    pub version: Version,
    /// The first language of `VarFileInfo\Translation`, else that of the resource (LCID).
    pub language: u16,
}

/// Why the version of a file is not known.
#[derive(Debug, thiserror::Error)]
pub enum PeError {
    /// It is not what its head promises.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    /// It cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] io::Error),
}

/// Reads the version of a file; none if it has no version resource.
pub fn file_version(file: &mut (impl Read + Seek)) -> Result<Option<FileVersion>, PeError> {
    let size = file.seek(SeekFrom::End(0)).map_err(PeError::Read)?;
    let heads = range(file, 0, HEADS)?;
    if heads.get(..2) != Some(b"MZ") {
        // No program at all.
        return Ok(None);
    }
    let cut = || PeError::Damaged("its head is cut off");
    let pe = place_at(&heads, 0x3C).ok_or_else(cut)?;
    match heads.get(pe..pe.saturating_add(4)) {
        Some(b"PE\0\0") => {}
        // Programs of 16-bit Windows have version resources of another form.
        Some([b'N' | b'L', b'E', ..]) => return Err(PeError::Damaged("a program of 16-bit Windows")),
        // A program of DOS ends before; one of Windows does not.
        _ if pe < 0x40 => return Ok(None),
        _ => return Err(cut()),
    }
    let sections = usize::from(u16_at(&heads, pe + 6).ok_or_else(cut)?);
    let optional = pe + 24;
    let table = optional + usize::from(u16_at(&heads, pe + 20).ok_or_else(cut)?);
    let directories = match u16_at(&heads, optional).ok_or_else(cut)? {
        0x10B => optional + 92,
        0x20B => optional + 108,
        _ => return Err(PeError::Damaged("its head is of no known kind")),
    };
    // The third directory is that of resources.
    if place_at(&heads, directories).ok_or_else(cut)? < 3 || directories + 28 > table {
        return Ok(None);
    }
    let root = u32_at(&heads, directories + 20).ok_or_else(cut)?;
    if root == 0 {
        return Ok(None);
    }
    let section = (0..sections)
        .map(|index| Section::read(&heads, table + index * 40).ok_or_else(cut))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .find(|section| section.holds(root))
        .ok_or(PeError::Damaged("no section has its resources"))?;
    if section.end() > size {
        return Err(PeError::Damaged("its resources are cut off"));
    }
    Resources { file, section, root }.version()
}

/// Bytes of a file, fewer at its end.
fn range(file: &mut (impl Read + Seek), from: u64, length: usize) -> Result<Vec<u8>, PeError> {
    file.seek(SeekFrom::Start(from)).map_err(PeError::Read)?;
    let mut bytes = Vec::new();
    file.take(length as u64).read_to_end(&mut bytes).map_err(PeError::Read)?;
    Ok(bytes)
}

/// Where a section is in the file and in memory.
#[derive(Clone, Copy)]
struct Section {
    address: u32,
    bytes: u32,
    place: u32,
}

impl Section {
    fn read(heads: &[u8], at: usize) -> Option<Self> {
        Some(Self { address: u32_at(heads, at + 12)?, bytes: u32_at(heads, at + 16)?, place: u32_at(heads, at + 20)? })
    }

    fn holds(self, address: u32) -> bool {
        address.checked_sub(self.address).is_some_and(|inside| inside < self.bytes)
    }

    fn end(self) -> u64 {
        u64::from(self.place) + u64::from(self.bytes)
    }

    /// Where an address is in the file, and how much of the section follows.
    fn locate(self, address: u32) -> Option<(u64, usize)> {
        let inside = address.checked_sub(self.address).filter(|inside| *inside < self.bytes)?;
        Some((u64::from(self.place) + u64::from(inside), (self.bytes - inside) as usize))
    }
}

struct Resources<'a, F> {
    file: &'a mut F,
    section: Section,
    root: u32,
}

impl<F: Read + Seek> Resources<'_, F> {
    fn version(self) -> Result<Option<FileVersion>, PeError> {
        let wrong = || PeError::Damaged("its resources lead nowhere");
        let (from, length) = self.section.locate(self.root).ok_or_else(wrong)?;
        let tree = range(self.file, from, length.min(DIRECTORIES))?;
        // RT_VERSION is 16; below it are names, below them languages.
        let Some(kind) = entries(&tree, 0)?.into_iter().find(|(id, _)| *id == 16) else { return Ok(None) };
        let mut found: Option<FileVersion> = None;
        let mut count = 0;
        for (_, name) in entries(&tree, directory(kind.1).ok_or_else(wrong)?)? {
            for (language, leaf) in entries(&tree, directory(name).ok_or_else(wrong)?)? {
                count += 1;
                if count > MOST_RESOURCES {
                    return Err(PeError::Damaged("too many version resources"));
                }
                let leaf = leaf as usize;
                let address = u32_at(&tree, leaf).ok_or_else(wrong)?;
                let size = place_at(&tree, leaf + 4).ok_or_else(wrong)?;
                let (from, length) = self.section.locate(address).ok_or_else(wrong)?;
                if size > length {
                    return Err(wrong());
                }
                let resource = range(self.file, from, size.min(LONGEST))?;
                let version = read(&resource, language as u16)?;
                match found {
                    // Which of them a program sees depends on its language.
                    Some(first) if first.version != version.version => {
                        return Err(PeError::Damaged("its version resources differ"));
                    }
                    Some(_) => {}
                    None => found = Some(version),
                }
            }
        }
        found.map(Some).ok_or_else(wrong)
    }
}

/// The entries of a directory: id (names have the high bit) and what follows.
fn entries(tree: &[u8], at: usize) -> Result<Vec<(u32, u32)>, PeError> {
    let cut = || PeError::Damaged("its resources are cut off");
    let named = usize::from(u16_at(tree, at + 12).ok_or_else(cut)?);
    let numbered = usize::from(u16_at(tree, at + 14).ok_or_else(cut)?);
    let count = named + numbered;
    if count > MOST_ENTRIES {
        return Err(PeError::Damaged("too many resources"));
    }
    (0..count)
        .map(|index| {
            let entry = at + 16 + index * 8;
            Some((u32_at(tree, entry)?, u32_at(tree, entry + 4)?))
        })
        .collect::<Option<_>>()
        .ok_or_else(cut)
}

/// Where the directory is that an entry leads to; none if it leads to data.
fn directory(entry: u32) -> Option<usize> {
    (entry & 0x8000_0000 != 0).then_some((entry & 0x7FFF_FFFF) as usize)
}

/// Reads `VS_VERSIONINFO`.
fn read(resource: &[u8], language: u16) -> Result<FileVersion, PeError> {
    let wrong = PeError::Damaged("its version resource is none");
    let Some((root, fixed, children)) = block(resource) else { return Err(wrong) };
    if root != "VS_VERSION_INFO" || u32_at(fixed, 0) != Some(0xFEEF_04BD) {
        return Err(wrong);
    }
    let (Some(high), Some(low)) = (u32_at(fixed, 8), u32_at(fixed, 12)) else { return Err(wrong) };
    let version = Version { parts: [high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF], written: 4 };
    let translation = find(children, "VarFileInfo")
        .and_then(|(_, variables)| find(variables, "Translation"))
        .and_then(|(languages, _)| u16_at(languages, 0));
    Ok(FileVersion { version, language: translation.unwrap_or(language) })
}

/// A block of a version resource: its key, its value, its children.
fn block(bytes: &[u8]) -> Option<(String, &[u8], &[u8])> {
    let length = usize::from(u16_at(bytes, 0)?);
    let bytes = bytes.get(..length)?;
    let value_length = usize::from(u16_at(bytes, 2)?);
    // Texts are counted in characters.
    let value_length = if u16_at(bytes, 4)? == 1 { value_length * 2 } else { value_length };
    let rest = bytes.get(6..)?;
    let (pairs, _) = rest.as_chunks::<2>();
    let key_length = pairs.iter().position(|pair| *pair == [0, 0])? * 2;
    let value = (6 + key_length + 2).next_multiple_of(4);
    let children = (value + value_length).next_multiple_of(4).min(bytes.len());
    Some((utf16(rest.get(..key_length)?), bytes.get(value..value + value_length)?, bytes.get(children..)?))
}

/// The value and the children of the first block of a name among siblings.
fn find<'a>(mut siblings: &'a [u8], name: &str) -> Option<(&'a [u8], &'a [u8])> {
    loop {
        let length = usize::from(u16_at(siblings, 0).filter(|length| *length > 0)?);
        if let Some((key, value, children)) = block(siblings) {
            if key == name {
                return Some((value, children));
            }
        }
        siblings = siblings.get(length.next_multiple_of(4)..)?;
    }
}
