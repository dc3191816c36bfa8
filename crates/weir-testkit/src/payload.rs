//! Content files made up for tests.

use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use weir_model::ids::{ContentDigest, Sha256Digest};

use crate::Random;

/// One content file: a name as update documents give it, and its bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payload {
    /// `File/@FileName`.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Payload {
    /// A file of this content.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into() }
    }

    /// A file of `size` incompressible bytes, the same for the same seed.
    pub fn random(name: &str, size: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut bytes = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            bytes.extend_from_slice(&random.bits().to_le_bytes());
        }
        bytes.truncate(size);
        Self::new(name, bytes)
    }

    /// Its SHA-1: what names it in the protocols.
    pub fn sha1(&self) -> ContentDigest {
        ContentDigest(Sha1::digest(&self.bytes).into())
    }

    /// Its SHA-256.
    pub fn sha256(&self) -> Sha256Digest {
        Sha256Digest(Sha256::digest(&self.bytes).into())
    }

    /// Its path below `/Content/`: last two hex digits, the 40 upper-case digits, extension (MS-WUSP 2.2.2.5).
    pub fn content_path(&self) -> String {
        let hex = self.sha1().to_hex();
        let extension = self.name.rsplit_once('.').map(|(_, extension)| format!(".{extension}")).unwrap_or_default();
        format!("{}/{hex}{extension}", &hex[38..])
    }

    /// Writes it into `folder` under its own name.
    pub fn write_to(&self, folder: &Path) -> std::io::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(&self.name);
        std::fs::write(&path, &self.bytes)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_bytes() {
        let payload = Payload::new("abc.CAB", "abc");
        assert_eq!(payload.sha1().to_hex(), "A9993E364706816ABA3E25717850C26C9CD0D89D");
        assert_eq!(payload.sha256().to_hex(), "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
        assert_eq!(payload.content_path(), "9D/A9993E364706816ABA3E25717850C26C9CD0D89D.CAB");
        assert_eq!(Payload::random("a", 1_000_003, 5).bytes.len(), 1_000_003);
    }
}
