//! The vocabulary of drivers (`UpdateHandlers/WindowsDriver`). These rules speak of the hardware ids of the update's
//! `WindowsDriverMetaData`.

/// A `drv:*` rule.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DriverRule {
    /// `WindowsDriverInstallable`: better than the installed driver.
    Installable,
    /// `WindowsDriverInstalled`: as good as the installed driver.
    Installed,
    /// `WindowsDriverSuperseded`: worse than the installed driver.
    Superseded,
}

impl DriverRule {
    pub(super) fn read(name: &str) -> Option<Self> {
        Some(match name {
            "WindowsDriverInstallable" => Self::Installable,
            "WindowsDriverInstalled" => Self::Installed,
            "WindowsDriverSuperseded" => Self::Superseded,
            _ => return None,
        })
    }
}
