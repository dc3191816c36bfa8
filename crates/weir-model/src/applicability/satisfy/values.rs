//! Values that satisfy a comparison.

use crate::document::rules::{Scalar, Version};

/// The comparison that holds where this one does not; for `EqualTo` one of the two.
pub(super) fn contrary(comparison: Scalar) -> Scalar {
    match comparison {
        Scalar::EqualTo | Scalar::LessThanOrEqualTo => Scalar::GreaterThan,
        Scalar::GreaterThan => Scalar::LessThanOrEqualTo,
        Scalar::GreaterThanOrEqualTo => Scalar::LessThan,
        Scalar::LessThan => Scalar::GreaterThanOrEqualTo,
    }
}

/// The comparison as wanted, or the contrary.
pub(super) fn wanted(comparison: Scalar, wanted: bool) -> Scalar {
    if wanted { comparison } else { contrary(comparison) }
}

/// The value nearest to the stated one that compares to it so; none if there is none.
pub(super) fn number<T: Copy>(
    comparison: Scalar,
    stated: T,
    next: impl Fn(T) -> Option<T>,
    previous: impl Fn(T) -> Option<T>,
) -> Option<T> {
    match comparison {
        Scalar::EqualTo | Scalar::GreaterThanOrEqualTo | Scalar::LessThanOrEqualTo => Some(stated),
        Scalar::GreaterThan => next(stated),
        Scalar::LessThan => previous(stated),
    }
}

/// The same for versions of which so many numbers count.
pub(super) fn version(comparison: Scalar, stated: Version, numbers: usize) -> Option<Version> {
    number(comparison, stated, |version| next(version, numbers), |version| previous(version, numbers))
}

/// The next version; numbers stay below 65,535, the most that version resources hold.
pub(super) fn next(mut version: Version, numbers: usize) -> Option<Version> {
    version.written = version.written.max(numbers as u8);
    for part in version.parts.iter_mut().take(numbers).rev() {
        if *part < u32::from(u16::MAX) {
            *part += 1;
            return Some(version);
        }
        *part = 0;
    }
    None
}

pub(super) fn previous(mut version: Version, numbers: usize) -> Option<Version> {
    version.written = version.written.max(numbers as u8);
    for part in version.parts.iter_mut().take(numbers).rev() {
        if *part > 0 {
            *part -= 1;
            return Some(version);
        }
        *part = u32::from(u16::MAX);
    }
    None
}
