//! Orders of lists of computers.

use super::AdminError;

/// By what computers are sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum Sort {
    Address,
    FirstSeen,
    LastContact,
    LastReport,
    Name,
}

impl Sort {
    /// Reads `FIELD`, `FIELD:asc` or `FIELD:desc`; true is descending.
    pub(in super::super) fn parse(text: &str) -> Result<(Self, bool), AdminError> {
        let wrong = || AdminError::Invalid {
            code: "sort",
            detail: format!("computers cannot be sorted by {text:?}"),
            next_step: Some(
                "use one of name, address, first_seen, last_contact, last_report, with :asc or :desc".to_owned(),
            ),
        };
        let (name, direction) = text.split_once(':').map_or((text, None), |(name, direction)| (name, Some(direction)));
        let sort = match name {
            "address" => Self::Address,
            "first_seen" => Self::FirstSeen,
            "last_contact" => Self::LastContact,
            "last_report" => Self::LastReport,
            "name" => Self::Name,
            _ => return Err(wrong()),
        };
        let descending = match direction {
            None => !matches!(sort, Self::Address | Self::Name),
            Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(wrong()),
        };
        Ok((sort, descending))
    }
}
