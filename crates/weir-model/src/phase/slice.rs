//! Gradual availability: which computer of a phase comes when.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Deadline;

/// When a deployment that becomes available over some days is so for one computer, and its deadline. Slices are whole days,
/// chosen by a hash of the computer and the deployment: the same on every server, even over many computers, and another
/// for another deployment, so that nobody is always last. The span from available to deadline is the same for all
/// computers (PHA-4).
pub fn slice(
    computer: &str,
    deployment: Uuid,
    started_at: Timestamp,
    spread_days: u8,
    deadline: Deadline,
) -> (Timestamp, Timestamp) {
    // FNV-1a of 64 bits: small, stable for good, and even enough for at most 31 slices
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for byte in deployment.as_bytes().iter().copied().chain(computer.to_ascii_lowercase().into_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    // the low bits of the product depend on the low bits of the input alone
    let day = (hash >> 32) % (u64::from(spread_days) + 1);
    let plus =
        |from: Timestamp, days: i64| from.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX);
    let available = plus(started_at, day as i64);
    let span = match deadline {
        Deadline::AsSoonAsPossible => 0,
        Deadline::Days(days) => i64::from(days),
    };
    (available, plus(available, span))
}
