//! Where 32-bit programs look on 64-bit Windows.
//!
//! After *Registry Keys Affected by WOW64* (Windows documentation, column "Windows 7 and Windows Server 2008 R2", which
//! holds for later versions): `SOFTWARE` is redirected, what is named here is shared again, and parts of `Classes` are
//! redirected below it. A key behaves as the nearest key above it that the table names.

/// The node that the 32-bit parts stand below.
const NODE: &str = "WOW6432Node";

/// Below `HKEY_LOCAL_MACHINE\SOFTWARE\Classes`: redirected.
const CLASSES: [&str; 5] = ["CLSID", "DirectShow", "Interface", "Media Type", "MediaFoundation"];

/// Below `HKEY_LOCAL_MACHINE\SOFTWARE`: one copy for both.
const SHARED: [&str; 43] = [
    r"Clients",
    r"Microsoft\COM3",
    r"Microsoft\Cryptography\Calais\Current",
    r"Microsoft\Cryptography\Calais\Readers",
    r"Microsoft\Cryptography\Services",
    r"Microsoft\CTF\SystemShared",
    r"Microsoft\CTF\TIP",
    r"Microsoft\DFS",
    r"Microsoft\Driver Signing",
    r"Microsoft\EnterpriseCertificates",
    r"Microsoft\EventSystem",
    r"Microsoft\MSMQ",
    r"Microsoft\Non-Driver Signing",
    r"Microsoft\Notepad\DefaultFonts",
    r"Microsoft\OLE",
    r"Microsoft\RAS",
    r"Microsoft\RPC",
    r"Microsoft\Shared Tools\MSInfo",
    r"Microsoft\SystemCertificates",
    r"Microsoft\TermServLicensing",
    r"Microsoft\Transaction Server",
    r"Microsoft\Windows\CurrentVersion\Control Panel\Cursors\Schemes",
    r"Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers",
    r"Microsoft\Windows\CurrentVersion\Explorer\DriveIcons",
    r"Microsoft\Windows\CurrentVersion\Explorer\KindMap",
    r"Microsoft\Windows\CurrentVersion\Group Policy",
    r"Microsoft\Windows\CurrentVersion\Policies",
    r"Microsoft\Windows\CurrentVersion\PreviewHandlers",
    r"Microsoft\Windows\CurrentVersion\Setup",
    r"Microsoft\Windows\CurrentVersion\Telephony\Locations",
    r"Microsoft\Windows NT\CurrentVersion\FontDpi",
    r"Microsoft\Windows NT\CurrentVersion\FontMapper",
    r"Microsoft\Windows NT\CurrentVersion\Fonts",
    r"Microsoft\Windows NT\CurrentVersion\FontSubstitutes",
    r"Microsoft\Windows NT\CurrentVersion\Gre_Initialize",
    r"Microsoft\Windows NT\CurrentVersion\Image File Execution Options",
    r"Microsoft\Windows NT\CurrentVersion\Language Pack",
    r"Microsoft\Windows NT\CurrentVersion\NetworkCards",
    r"Microsoft\Windows NT\CurrentVersion\Perflib",
    r"Microsoft\Windows NT\CurrentVersion\Ports",
    r"Microsoft\Windows NT\CurrentVersion\Print",
    r"Microsoft\Windows NT\CurrentVersion\ProfileList",
    r"Microsoft\Windows NT\CurrentVersion\Time Zones",
];

/// More of the same, whose names stand directly below `SOFTWARE`.
const SHARED_ROOTS: [&str; 2] = ["Policies", "RegisteredApplications"];

/// Where a path of the 32-bit view is kept on 64-bit Windows; the path itself if both views share it.
pub(super) fn physical(path: &str) -> String {
    let Some(below) = after(path, r"HKEY_LOCAL_MACHINE\SOFTWARE") else {
        return user_classes(path).unwrap_or_else(|| path.to_owned());
    };
    if below.is_empty() || after(below, NODE).is_some() {
        // The node is not redirected once more.
        let node = if below.is_empty() { format!("\\{NODE}") } else { String::new() };
        return format!("{path}{node}");
    }
    if let Some(class) = after(below, "Classes") {
        let redirected = CLASSES.iter().any(|redirected| after(class, redirected).is_some());
        return if redirected {
            format!(r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\{NODE}\{class}")
        } else {
            path.to_owned()
        };
    }
    if SHARED.iter().chain(&SHARED_ROOTS).any(|shared| after(below, shared).is_some()) {
        return path.to_owned();
    }
    format!(r"HKEY_LOCAL_MACHINE\SOFTWARE\{NODE}\{below}")
}

/// `HKEY_CURRENT_USER` is shared, but for the same parts of `Classes`.
fn user_classes(path: &str) -> Option<String> {
    let class = after(path, r"HKEY_CURRENT_USER\SOFTWARE\Classes")?;
    let redirected = CLASSES.iter().any(|redirected| after(class, redirected).is_some());
    redirected.then(|| format!(r"HKEY_CURRENT_USER\SOFTWARE\Classes\{NODE}\{class}"))
}

/// What stands below a key, empty for the key itself; none if the path is elsewhere.
fn after<'a>(path: &'a str, key: &str) -> Option<&'a str> {
    let (head, tail) = path.split_at_checked(key.len())?;
    if !head.eq_ignore_ascii_case(key) {
        return None;
    }
    if tail.is_empty() { Some(tail) } else { tail.strip_prefix('\\') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_where_the_table_says() {
        for (asked, kept) in [
            (r"SOFTWARE", r"SOFTWARE\WOW6432Node"),
            (r"SOFTWARE\Contoso\App", r"SOFTWARE\WOW6432Node\Contoso\App"),
            (r"software\wow6432node\Contoso", r"software\wow6432node\Contoso"),
            (r"SOFTWARE\Classes\.txt", r"SOFTWARE\Classes\.txt"),
            (r"SOFTWARE\Classes\clsid\{1}", r"SOFTWARE\Classes\WOW6432Node\clsid\{1}"),
            (r"SOFTWARE\Classes\CLSIDs", r"SOFTWARE\Classes\CLSIDs"),
            (r"SOFTWARE\Policies\Microsoft", r"SOFTWARE\Policies\Microsoft"),
            (r"SOFTWARE\PoliciesX", r"SOFTWARE\WOW6432Node\PoliciesX"),
            (
                r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Fonts",
                r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Fonts",
            ),
            (
                r"SOFTWARE\Microsoft\Windows NT\CurrentVersion",
                r"SOFTWARE\WOW6432Node\Microsoft\Windows NT\CurrentVersion",
            ),
            (r"SYSTEM\CurrentControlSet", r"SYSTEM\CurrentControlSet"),
        ] {
            assert_eq!(physical(&format!(r"HKEY_LOCAL_MACHINE\{asked}")), format!(r"HKEY_LOCAL_MACHINE\{kept}"));
        }
        assert_eq!(physical(r"HKEY_CURRENT_USER\Software\Contoso"), r"HKEY_CURRENT_USER\Software\Contoso");
        assert_eq!(
            physical(r"HKEY_CURRENT_USER\Software\Classes\CLSID"),
            r"HKEY_CURRENT_USER\SOFTWARE\Classes\WOW6432Node\CLSID"
        );
    }
}
