//! Answers of three values.

use std::ops::Not;

use super::Gap;

/// What an evaluation may do at most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bounds {
    /// Steps: one per expression that is entered (those in loops each time), one per subkey of a loop, one per condition of
    /// a WMI query and instance, one per character that `LIKE` looks at.
    pub steps: usize,
    /// Subkeys of one key that a loop goes over.
    pub subkeys: usize,
    /// Reasons that an unknown answer keeps.
    pub gaps: usize,
    /// Changes that [`satisfy`](super::satisfy()) may propose.
    pub changes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { steps: 1_000_000, subkeys: 10_000, gaps: 16, changes: 64 }
    }
}

/// Whether something holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Truth {
    /// It does not.
    False,
    /// It does.
    True,
    /// It is not known, for these reasons.
    Unknown(Gaps),
}

impl Truth {
    /// Unknown for one reason.
    pub fn gap(gap: Gap) -> Self {
        Self::Unknown(Gaps::from(gap))
    }

    /// It holds, for certain.
    pub fn is_true(&self) -> bool {
        *self == Self::True
    }

    /// It does not hold, for certain.
    pub fn is_false(&self) -> bool {
        *self == Self::False
    }

    /// True or false, if it is known.
    pub fn known(&self) -> Option<bool> {
        match self {
            Self::False => Some(false),
            Self::True => Some(true),
            Self::Unknown(_) => None,
        }
    }

    /// Why it is not known; empty if it is.
    pub fn gaps(&self) -> &[Gap] {
        match self {
            Self::Unknown(gaps) => &gaps.kept,
            _ => &[],
        }
    }

    /// Both hold. False if one does not, whatever the other is (Kleene's strong logic).
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, other) => other,
            (other, Self::True) => other,
            (Self::Unknown(gaps), Self::Unknown(more)) => Self::Unknown(gaps.with(more, Bounds::default().gaps)),
        }
    }

    /// One of them holds. True if one does, whatever the other is.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        !(!self).and(!other)
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::True => Self::False,
            unknown @ Self::Unknown(_) => unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl From<Result<bool, Gap>> for Truth {
    fn from(value: Result<bool, Gap>) -> Self {
        value.map_or_else(Self::gap, Self::from)
    }
}

/// Why something is not known: distinct reasons in the order in which they were met, not all of them if there are many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gaps {
    kept: Vec<Gap>,
    more: bool,
}

impl Gaps {
    /// The reasons that were kept, at least one.
    pub fn kept(&self) -> &[Gap] {
        &self.kept
    }

    /// Whether there were more than were kept.
    pub fn more(&self) -> bool {
        self.more
    }

    /// These reasons and others.
    #[must_use]
    pub(super) fn with(mut self, others: Self, limit: usize) -> Self {
        self.more |= others.more;
        for gap in others.kept {
            if self.kept.contains(&gap) {
                continue;
            }
            if self.kept.len() >= limit {
                self.more = true;
                break;
            }
            self.kept.push(gap);
        }
        self
    }
}

impl From<Gap> for Gaps {
    fn from(gap: Gap) -> Self {
        Self { kept: vec![gap], more: false }
    }
}
