//! What there is to measure.

use crate::row::SizeOf;

/// What to measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suite {
    /// Evaluation of applicability rules.
    Applicability,
    /// Counts of compliance.
    Compliance,
    /// Every screen of the console.
    Console,
    /// Content downloads against nginx, or against a handler that streams the same bytes.
    Content,
    /// Three front ends on one PostgreSQL against one.
    FrontEnds,
    /// Import of packages and documents.
    Import,
    /// Members of collections that rules define.
    Membership,
    /// Every computer of a fleet reports once.
    Morning,
    /// Declining and removing revisions while computers scan.
    Purge,
    /// Resolving offers after a change of a deployment.
    Offers,
    /// What else is asked of stored compliance.
    Records,
    /// A server that was killed starts again.
    Recovery,
    /// Status reports.
    Report,
    /// Automatic deployment rules.
    Rules,
    /// Scans of all kinds.
    Scan,
    /// Lists and searches of updates.
    Search,
    /// First scans of a fleet that arrives within a minute.
    Storm,
    /// Synchronization between servers, down a tree, and by bundle.
    Sync,
}

impl Suite {
    /// All of them, cheapest first.
    pub const ALL: [Self; 18] = [
        Self::Applicability,
        Self::Search,
        Self::Rules,
        Self::Membership,
        Self::Compliance,
        Self::Import,
        Self::Content,
        Self::Offers,
        Self::Report,
        Self::Records,
        Self::Recovery,
        Self::FrontEnds,
        Self::Console,
        Self::Morning,
        Self::Purge,
        Self::Sync,
        Self::Scan,
        Self::Storm,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Applicability => "applicability",
            Self::Compliance => "compliance",
            Self::Console => "console",
            Self::Content => "content",
            Self::FrontEnds => "front-ends",
            Self::Import => "import",
            Self::Membership => "membership",
            Self::Morning => "morning",
            Self::Purge => "purge",
            Self::Offers => "offers",
            Self::Records => "records",
            Self::Recovery => "recovery",
            Self::Report => "report",
            Self::Rules => "rules",
            Self::Scan => "scan",
            Self::Search => "search",
            Self::Storm => "storm",
            Self::Sync => "sync",
        }
    }

    /// Suites that a run of all suites measures on both databases, if there is PostgreSQL: what is asked of a database most. The others
    /// can be measured on it one by one.
    pub const ON_BOTH: [Self; 7] =
        [Self::Compliance, Self::Import, Self::Report, Self::Recovery, Self::Console, Self::Morning, Self::Storm];

    /// Whether it has stores or servers that have them.
    pub fn has_database(self) -> bool {
        !matches!(self, Self::Applicability | Self::Rules | Self::Search)
    }

    /// What the sizes of its rows count, unless a row says otherwise.
    pub fn size_of(self) -> SizeOf {
        match self {
            Self::Applicability | Self::Import | Self::Purge | Self::Scan | Self::Sync => SizeOf::Revisions,
            Self::Compliance
            | Self::Console
            | Self::Membership
            | Self::Morning
            | Self::Offers
            | Self::Records
            | Self::Recovery
            | Self::Report
            | Self::Storm => SizeOf::Computers,
            Self::Content => SizeOf::Megabytes,
            Self::FrontEnds => SizeOf::FrontEnds,
            Self::Rules | Self::Search => SizeOf::Updates,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_suites_have_names_of_their_own() {
        let names: BTreeSet<_> = Suite::ALL.iter().map(|suite| suite.name()).collect();
        assert_eq!(names.len(), Suite::ALL.len());
    }

    #[test]
    fn what_is_measured_on_both_databases_has_one() {
        assert!(Suite::ON_BOTH.iter().all(|suite| suite.has_database() && Suite::ALL.contains(suite)));
        assert!(!Suite::Rules.has_database());
    }
}
