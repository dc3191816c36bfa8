//! What kind of work a request is, as its headers say.

/// A class of work. Each has places of its own, so that a flood of one kind does not stand in the way of another.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Configuration and cookies: answered from memory.
    Cheap,
    /// Files.
    Content,
    /// What is asked of updates that a computer needs: read from the database.
    Details,
    /// What is made durable before the answer: registrations and reports.
    Reports,
    /// Scans.
    Scan,
    /// Everything that downstream servers ask and tell.
    Servers,
}

impl Class {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Cheap, Self::Content, Self::Details, Self::Reports, Self::Scan, Self::Servers];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cheap => "cheap",
            Self::Content => "content",
            Self::Details => "details",
            Self::Reports => "reports",
            Self::Scan => "scan",
            Self::Servers => "servers",
        }
    }

    /// The class of a call of the client service by its `SOAPAction`. Nothing is believed of that but which places the call
    /// takes: who gives a wrong one takes those of another class, of which there are only so many, too.
    pub fn of_client(action: Option<&str>) -> Self {
        match operation(action) {
            "GetAuthorizationCookie" | "GetConfig" | "GetCookie" | "StartCategoryScan" => Self::Cheap,
            "GetExtendedUpdateInfo" | "GetExtendedUpdateInfo2" | "GetFileLocations" => Self::Details,
            "RegisterComputer" => Self::Reports,
            _ => Self::Scan,
        }
    }

    /// The class of a call of the reporting service, which computers and downstream servers share.
    pub fn of_reporting(action: Option<&str>) -> Self {
        match operation(action) {
            "GetOutOfSyncComputers"
            | "GetRollupConfiguration"
            | "RollupComputerStatus"
            | "RollupComputers"
            | "RollupDownstreamServers" => Self::Servers,
            _ => Self::Reports,
        }
    }
}

/// The operation that an action names: what follows its last slash.
fn operation(action: Option<&str>) -> &str {
    let action = action.unwrap_or_default().trim().trim_matches('"');
    action.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_have_their_class() {
        let base = "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService";
        let cases = [
            ("GetConfig", Class::Cheap),
            ("GetCookie", Class::Cheap),
            ("StartCategoryScan", Class::Cheap),
            ("RegisterComputer", Class::Reports),
            ("SyncUpdates", Class::Scan),
            ("RefreshCache", Class::Scan),
            ("SyncPrinterCatalog", Class::Scan),
            ("GetExtendedUpdateInfo", Class::Details),
            ("GetExtendedUpdateInfo2", Class::Details),
            ("GetFileLocations", Class::Details),
            ("Nonsense", Class::Scan),
        ];
        for (name, class) in cases {
            assert_eq!(Class::of_client(Some(&format!("\"{base}/{name}\""))), class, "{name}");
            assert_eq!(Class::of_client(Some(&format!("{base}/{name}"))), class, "{name}, without quotes");
        }
        assert_eq!(Class::of_client(None), Class::Scan, "the dearest of what it may be");
    }

    #[test]
    fn roll_ups_are_of_servers() {
        let base = "http://www.microsoft.com/SoftwareDistribution";
        assert_eq!(Class::of_reporting(Some(&format!("\"{base}/ReportEventBatch\""))), Class::Reports);
        assert_eq!(Class::of_reporting(Some(&format!("\"{base}/RollupComputerStatus\""))), Class::Servers);
        assert_eq!(Class::of_reporting(None), Class::Reports);
    }

    #[test]
    fn names_differ() {
        let names: std::collections::BTreeSet<_> = Class::ALL.into_iter().map(Class::name).collect();
        assert_eq!(names.len(), Class::ALL.len());
    }
}
