//! Passwords: argon2id, off the asynchronous threads and few at once.

use std::{sync::Arc, time::Duration};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use subtle::ConstantTimeEq as _;
use tokio::{sync::Semaphore, time::timeout};
use weir_model::password;

use crate::admin::{AdminError, blocking};

/// KiB that one hash fills, and how often it passes over them: the parameters that OWASP names first.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of a hash and of its salt.
const HASH: usize = 32;
const SALT: usize = 16;
/// Hashes that are computed at once: 40 MiB together.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bounds of what a stored hash may ask for.
const MOST: (u32, u32, u32) = (1 << 20, 64, 16);

/// Hashes passwords.
#[derive(Debug)]
pub(crate) struct Hasher(Arc<Semaphore>);

impl Default for Hasher {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Hasher {
    /// The hash of a new password, with a salt of its own.
    pub(crate) async fn hash(&self, password: String) -> Result<String, AdminError> {
        let salt: [u8; SALT] = crate::start::random().map_err(|error| AdminError::Internal(error.to_string()))?;
        self.work(move || {
            let cost = Cost { memory: MEMORY_KIB, passes: PASSES, lanes: LANES };
            let hash = cost.hash(&password, &salt)?;
            let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
            Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}"))
        })
        .await
    }

    /// Whether a password is the one of a stored hash. Without one it is not, and that takes as long to say: who has no
    /// password cannot be told from who has another.
    pub(crate) async fn verify(&self, stored: Option<String>, password: String) -> Result<bool, AdminError> {
        self.work(move || {
            let parsed = stored.as_deref().map(parse);
            let (cost, salt, hash) = match parsed {
                Some(Some(parsed)) => parsed,
                Some(None) => return Err(AdminError::Internal("the hash of a password is damaged".to_owned())),
                None => (Cost { memory: MEMORY_KIB, passes: PASSES, lanes: LANES }, vec![0; SALT], [0; HASH]),
            };
            let same: bool = cost.hash(&password, &salt)?.ct_eq(&hash).into();
            Ok(same && stored.is_some())
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let busy = || AdminError::Unavailable("too many passwords are checked at once".to_owned());
        let turn = timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await.map_err(|_| busy())?;
        let turn = turn.map_err(|_| busy())?;
        blocking(move || {
            // held to the end of the work, also if nobody waits for it any more
            let _turn = turn;
            work()
        })
        .await
    }
}

struct Cost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    fn hash(&self, password: &str, salt: &[u8]) -> Result<[u8; HASH], AdminError> {
        let failed = |error: argon2::Error| AdminError::Internal(format!("a password could not be hashed: {error}"));
        let params = Params::new(self.memory, self.passes, self.lanes, Some(HASH)).map_err(failed)?;
        let mut out = [0; HASH];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), salt, &mut out)
            .map_err(failed)?;
        Ok(out)
    }
}

/// Reads a hash in PHC form, as [`Hasher::hash`] writes it.
fn parse(text: &str) -> Option<(Cost, Vec<u8>, [u8; HASH])> {
    let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
    let (cost, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut numbers = cost.split(',');
    let mut number = |key: &str, most: u32| {
        let number: u32 = numbers.next()?.strip_prefix(key)?.parse().ok()?;
        (1..=most).contains(&number).then_some(number)
    };
    let cost = Cost { memory: number("m=", MOST.0)?, passes: number("t=", MOST.1)?, lanes: number("p=", MOST.2)? };
    let hash = STANDARD_NO_PAD.decode(hash).ok()?.try_into().ok()?;
    parts.next().is_none().then_some(())?;
    Some((cost, STANDARD_NO_PAD.decode(salt).ok()?, hash))
}

/// Refuses a password that is too weak for who has these names.
pub(crate) fn checked(password: &str, names: &[&str]) -> Result<(), AdminError> {
    password::check(password, names).map_err(|weakness| AdminError::Invalid {
        code: "password",
        detail: format!("the password is not taken: {weakness}"),
        next_step: Some(format!("choose one of {} characters at least, such as four words", password::SHORTEST)),
    })
}

/// A password that is not to be remembered: 100 bits in groups that can be read aloud.
pub(crate) fn made() -> Result<String, AdminError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes: [u8; 20] = crate::start::random().map_err(|error| AdminError::Internal(error.to_string()))?;
    let mut text = String::with_capacity(24);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % 5 == 0 {
            text.push('-');
        }
        text.extend(LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_of_its_password_only() {
        let hasher = Hasher::default();
        let hash = hasher.hash("correct horse battery".to_owned()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify =
            |stored: Option<&str>, password: &str| hasher.verify(stored.map(str::to_owned), password.to_owned());
        assert!(verify(Some(&hash), "correct horse battery").await.expect("verified"));
        assert!(!verify(Some(&hash), "correct horse batterz").await.expect("verified"));
        assert!(!verify(None, "correct horse battery").await.expect("verified"), "nobody has none");
        assert!(verify(Some("$argon2id$v=19$m=1"), "x").await.is_err(), "damaged");
        let other = hasher.hash("correct horse battery".to_owned()).await.expect("hashed");
        assert_ne!(hash, other, "each has a salt of its own");
    }

    #[test]
    fn a_stored_hash_cannot_ask_for_everything() {
        let of = |cost: &str| parse(&format!("$argon2id$v=19${cost}$AAAAAAAAAAAAAAAAAAAAAA${}", "A".repeat(43)));
        assert!(of("m=19456,t=2,p=1").is_some());
        for cost in ["m=4294967295,t=2,p=1", "m=8,t=0,p=1", "m=8,t=1", "t=1,m=8,p=1", "m=8,t=1,p=99"] {
            assert!(of(cost).is_none(), "{cost}");
        }
    }

    #[test]
    fn made_passwords_are_taken_and_differ() {
        let (one, two) = (made().expect("random"), made().expect("random"));
        assert_eq!(one.len(), 23);
        assert_ne!(one, two);
        checked(&one, &["alice"]).expect("strong enough");
    }
}
