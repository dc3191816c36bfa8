//! The signature file: magic, public key, signature.

use super::BundleError;

const MAGIC: &[u8; 8] = b"WEIRSIG1";
/// What is signed begins with this, so that no signature of something else fits.
const CONTEXT: &[u8] = b"weir bundle manifest 1\0";

/// The bytes that a signature of a manifest is over.
pub fn signed(manifest: &[u8]) -> Vec<u8> {
    [CONTEXT, manifest].concat()
}

/// An Ed25519 signature (RFC 8032) with the key that it claims to be made with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signature {
    /// The public key.
    pub key: [u8; 32],
    /// The signature.
    pub signature: [u8; 64],
}

impl Signature {
    /// Length of a signature file.
    pub const LENGTH: usize = 8 + 32 + 64;

    /// Reads a signature file.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(BundleError::Signature("it does not begin with WEIRSIG1"))?;
        let (key, signature) = rest.split_first_chunk().ok_or(BundleError::Signature("it is cut off"))?;
        let signature = signature.try_into().map_err(|_| BundleError::Signature("it has a wrong length"))?;
        Ok(Self { key: *key, signature })
    }

    /// Writes a signature file.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&MAGIC[..], &self.key, &self.signature].concat()
    }
}
