//! How long an update may take to install (features, CRI-9 and UPD-5).

use uuid::{Uuid, uuid};

/// Least and most minutes of an update.
pub const LEAST: u32 = 5;
/// See [`LEAST`].
pub const MOST: u32 = 9_999;

/// Upgrades, Update Rollups and Service Packs.
const FEATURE_CLASSIFICATIONS: [Uuid; 3] = [
    uuid!("3689bdc8-b205-4af4-8d4a-a63924c5e9d5"),
    uuid!("28bc880e-0592-4cbf-8f95-c79b17911d5f"),
    uuid!("68c5b0a3-d1a6-4553-ae49-01d3a7827828"),
];

/// Beginnings of titles of products whose updates are counted with Windows: Windows 10 and 11 in all their names, servers
/// from 2012 R2 on, Microsoft 365 Apps under both of its names. The text of the documentation ends with Server 2019; newer
/// servers are serviced in the same way and count, too.
const WINDOWS: [&str; 11] = [
    "windows 10",
    "windows 11",
    "windows server 2012 r2",
    "windows server 2016",
    "windows server 2019",
    "windows server 2022",
    "windows server 2025",
    "windows server, version",
    "microsoft server operating system",
    "office 365 client",
    "microsoft 365 apps",
];

/// Which default holds for an update.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Feature updates, update rollups and service packs.
    Feature,
    /// Other updates for current Windows, and for Microsoft 365 Apps.
    Windows,
    /// Everything else.
    Other,
}

/// The class of an update, by the ids of its categories and the English titles of its products.
pub fn class<'t>(categories: &[Uuid], products: impl IntoIterator<Item = &'t str>) -> Class {
    if categories.iter().any(|id| FEATURE_CLASSIFICATIONS.contains(id)) {
        return Class::Feature;
    }
    let is_windows = products.into_iter().any(|title| {
        let title = title.trim().to_lowercase();
        // "Windows 10" is no beginning of a "Windows 100"
        WINDOWS.iter().any(|name| {
            title.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
        })
    });
    if is_windows { Class::Windows } else { Class::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECURITY: Uuid = uuid!("0fa1201d-4330-4fa8-8ae9-b877473b6441");

    #[test]
    fn three_classes_have_defaults_of_their_own() {
        for id in FEATURE_CLASSIFICATIONS {
            assert_eq!(class(&[SECURITY, id], ["Windows 11"]), Class::Feature);
            assert_eq!(class(&[id], ["SQL Server 2022"]), Class::Feature, "the classification alone decides");
        }
        for title in [
            "Windows 11",
            "windows 10, version 1903 and later",
            "Windows 10 LTSB",
            "Windows Server 2012 R2",
            "Windows Server 2016",
            "Windows Server 2019",
            "Microsoft Server operating system-21H2",
            "Microsoft Server Operating System-24H2",
            "Office 365 Client",
            "Microsoft 365 Apps/Office 2019/Office LTSC",
        ] {
            assert_eq!(class(&[SECURITY], [title]), Class::Windows, "{title}");
        }
        for title in ["Windows Server 2012", "Windows 8.1", "Windows 100", "Office 2016", "SQL Server 2022", ""] {
            assert_eq!(class(&[SECURITY], [title]), Class::Other, "{title}");
        }
        assert_eq!(class(&[], ["Office 2016", "Windows 11"]), Class::Windows);
        assert_eq!(class(&[], []), Class::Other);
    }
}
