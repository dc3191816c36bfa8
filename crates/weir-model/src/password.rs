//! What passwords are taken, and how long to wait after wrong ones.

use std::time::Duration;

use crate::name;

/// Characters of the shortest password.
pub const SHORTEST: usize = 12;
/// Bytes of the longest: hashing takes all of them.
pub const LONGEST: usize = 1_024;
/// Fewer different characters than this are one or two keys held down.
const DIFFERENT: usize = 5;
/// Characters of a part of a name that a password is searched for.
const PART: usize = 4;

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Weakness {
    /// Too short.
    #[error("it has fewer than {SHORTEST} characters")]
    Short,
    /// Too long.
    #[error("it has more than {LONGEST} bytes")]
    Long,
    /// Of few characters.
    #[error("it has fewer than {DIFFERENT} different characters")]
    Monotonous,
    /// It holds the name of its user.
    #[error("it holds the name of the user")]
    Name,
}

/// Checks a new password of a user, by the names that the user has. Length counts more than kinds of characters
/// (NIST SP 800-63B 5.1.1.2), so that nothing is asked of those.
pub fn check(password: &str, names: &[&str]) -> Result<(), Weakness> {
    if password.len() > LONGEST {
        return Err(Weakness::Long);
    }
    if password.chars().count() < SHORTEST {
        return Err(Weakness::Short);
    }
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT {
        return Err(Weakness::Monotonous);
    }
    let key = name::key(password);
    for of in names {
        let whole = name::key(of);
        let mut parts = whole.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() >= PART);
        if parts.any(|part| key.contains(part)) {
            return Err(Weakness::Name);
        }
    }
    Ok(())
}

/// Wrong passwords after which an account has to wait.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long an account has to wait after so many wrong passwords in a row: not at all after the first five, then twice as long
/// each time, five minutes at most. So who guesses gets 300 attempts a day, and who is kept out by another's guesses waits no
/// longer than that.
pub fn pause(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1_u64 << more.min(10)).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_not_the_name() {
        assert_eq!(check("correct horse", &["alice"]), Ok(()));
        assert_eq!(check("short", &["alice"]), Err(Weakness::Short));
        assert_eq!(check("\u{e4}\u{f6}\u{fc}\u{e4}\u{f6}\u{fc}", &["alice"]), Err(Weakness::Short), "characters count");
        assert_eq!(check(&"x1y2z3".repeat(200), &["alice"]), Err(Weakness::Long));
        assert_eq!(check("aaaabbbbaaaabbbb", &["alice"]), Err(Weakness::Monotonous));
        assert_eq!(check("I am ALICE today", &["alice"]), Err(Weakness::Name));
        assert_eq!(check("smith-2026-autumn", &["j.smith@example.org"]), Err(Weakness::Name), "a part of it");
        assert_eq!(check("bob bob bob and more", &["bob"]), Ok(()), "short names occur in words");
    }

    #[test]
    fn waits_grow_to_a_bound() {
        let seconds: Vec<u64> = (0..16).map(|failures| pause(failures).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
