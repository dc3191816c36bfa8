//! Seals and opens cookies with AES-256-GCM under keys that live in the database.
//!
//! Layout: kind (1 byte), key id (4 bytes, little-endian), nonce (12), ciphertext, tag (16). Kind and key id are
//! authenticated with the rest, so an authorization cookie never passes as a cookie.

use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};

/// Header: kind and key id.
const HEADER: usize = 5;
const TAG: usize = 16;
/// Longer than any cookie this server makes.
const SEALED_LIMIT: usize = 8_192;

/// Which of the cookies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Kind {
    /// Of GetAuthorizationCookie.
    Authorization = 1,
    /// Of GetCookie and NewCookie.
    Cookie = 2,
    /// Of a downstream server's GetAuthorizationCookie.
    DownstreamAuthorization = 3,
    /// Of a downstream server's GetCookie.
    Downstream = 4,
}

/// Why a cookie could not be sealed or a key not be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There is no key at all.
    #[error("no cookie key is loaded; the keys are made when the server starts")]
    NoKey,
    /// A stored key has the wrong length.
    #[error("cookie key {0} is not 32 bytes long; remove it from the database and restart")]
    Key(u32),
    /// The random generator or the cipher failed.
    #[error("the system's random generator or cipher failed")]
    Cipher,
}

struct SealKey {
    id: u32,
    key: LessSafeKey,
}

/// All usable keys; the one with the highest id seals, any opens.
pub struct KeyRing(ArcSwap<Vec<SealKey>>);

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KeyRing").field(&self.0.load().iter().map(|key| key.id).collect::<Vec<_>>()).finish()
    }
}

impl KeyRing {
    /// Takes keys of 32 bytes with their ids.
    pub fn new(keys: impl IntoIterator<Item = (u32, Vec<u8>)>) -> Result<Self, SealError> {
        let ring = Self(ArcSwap::from_pointee(Vec::new()));
        ring.replace(keys)?;
        Ok(ring)
    }

    /// Swaps in other keys, after a rotation. Keys that were read before others are known stay out: two may read them at once.
    pub fn replace(&self, keys: impl IntoIterator<Item = (u32, Vec<u8>)>) -> Result<(), SealError> {
        let mut ready = Vec::new();
        for (id, bytes) in keys {
            let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::Key(id))?;
            ready.push(SealKey { id, key: LessSafeKey::new(key) });
        }
        ready.sort_by_key(|key| key.id);
        let (ready, newest) = (Arc::new(ready), |keys: &[SealKey]| keys.last().map(|key| key.id));
        self.0.rcu(|known| {
            let is_older = !ready.is_empty() && newest(known) > newest(&ready);
            Arc::clone(if is_older { known } else { &ready })
        });
        Ok(())
    }

    /// A fresh key of 32 bytes.
    pub fn generate() -> Result<[u8; 32], SealError> {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|_| SealError::Cipher)?;
        Ok(key)
    }

    /// Seals `plain` under the newest key.
    pub fn seal(&self, kind: Kind, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let keys = self.0.load();
        let newest = keys.last().ok_or(SealError::NoKey)?;
        let mut header = [kind as u8; HEADER];
        if let Some(id) = header.get_mut(1..) {
            id.copy_from_slice(&newest.id.to_le_bytes());
        }
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| SealError::Cipher)?;
        let mut sealed = Vec::with_capacity(HEADER + NONCE_LEN + plain.len() + TAG);
        sealed.extend_from_slice(&header);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let body = sealed.get_mut(HEADER + NONCE_LEN..).unwrap_or_default();
        let tag = newest
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), body)
            .map_err(|_| SealError::Cipher)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Whether something may have been sealed under a key that was made since the ring was filled: by another front end. Nothing of
    /// it was checked.
    pub fn may_be_newer(&self, sealed: &[u8]) -> bool {
        let Some((header, _)) = sealed.split_first_chunk::<HEADER>() else { return false };
        let [_, id @ ..] = *header;
        let keys = self.0.load();
        keys.last().is_none_or(|newest| u32::from_le_bytes(id) > newest.id)
    }

    /// Opens what [`Self::seal`] made with any key of the ring; None for everything else.
    pub fn open(&self, kind: Kind, sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.len() > SEALED_LIMIT {
            return None;
        }
        let (header, rest) = sealed.split_first_chunk::<HEADER>()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let [wanted, id @ ..] = *header;
        if wanted != kind as u8 {
            return None;
        }
        let keys = self.0.load();
        let id = u32::from_le_bytes(id);
        let key = keys.get(keys.binary_search_by_key(&id, |key| key.id).ok()?)?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = key.key.open_in_place(nonce, Aad::from(*header), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}
