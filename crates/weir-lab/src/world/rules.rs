//! Applicability rules as text, in the forms of genuine documents. The prefixes `lar`, `bar` and `mar` are bound by the document.

use std::fmt::Write as _;

use uuid::Uuid;

/// Windows' own version key.
pub(super) const CURRENT_VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
/// `Csidl` of the Windows folder.
pub(super) const WINDOWS: u8 = 36;
/// `Csidl` of the system folder.
pub(super) const SYSTEM: u8 = 37;
/// `Csidl` of the folder of 32-bit programs.
pub(super) const PROGRAMS_X86: u8 = 42;

/// All of these hold.
pub(super) fn all(rules: &[String]) -> String {
    join("And", rules)
}

/// One of these holds.
pub(super) fn any(rules: &[String]) -> String {
    join("Or", rules)
}

fn join(name: &str, rules: &[String]) -> String {
    match rules {
        [one] => one.clone(),
        rules => format!("<lar:{name}>{}</lar:{name}>", rules.concat()),
    }
}

/// It does not hold.
pub(super) fn not(rule: &str) -> String {
    format!("<lar:Not>{rule}</lar:Not>")
}

/// `Processor`: 0 x86, 6 Itanium, 9 x64, 12 ARM64.
pub(super) fn processor(architecture: u16) -> String {
    format!("<bar:Processor Architecture=\"{architecture}\" />")
}

/// A version of Windows from here on.
pub(super) fn windows_from(major: u32, minor: u32, build: u32) -> String {
    format!(
        "<bar:WindowsVersion Comparison=\"GreaterThanOrEqualTo\" MajorVersion=\"{major}\" MinorVersion=\"{minor}\" \
         BuildNumber=\"{build}\" />"
    )
}

/// A workstation: neither a server nor a domain controller.
pub(super) fn workstation() -> String {
    "<bar:WindowsVersion ProductType=\"1\" />".to_owned()
}

/// `CurrentBuild` is this build.
pub(super) fn build(number: u32) -> String {
    text(CURRENT_VERSION, "CurrentBuild", &number.to_string())
}

/// `UBR` is this revision of the build, or a later one.
pub(super) fn revision_from(number: u32) -> String {
    number_from(CURRENT_VERSION, "UBR", number)
}

/// A text in the registry of the machine.
pub(super) fn text(subkey: &str, value: &str, data: &str) -> String {
    registry("RegSz", subkey, value, "EqualTo", data)
}

/// A number in the registry of the machine, or a greater one.
pub(super) fn number_from(subkey: &str, value: &str, data: u32) -> String {
    registry("RegDword", subkey, value, "GreaterThanOrEqualTo", &data.to_string())
}

/// A version as text in the registry of the machine, or a later one.
pub(super) fn version_from(subkey: &str, value: &str, data: &str) -> String {
    registry("RegSzToVersion", subkey, value, "GreaterThanOrEqualTo", data)
}

fn registry(rule: &str, subkey: &str, value: &str, comparison: &str, data: &str) -> String {
    format!(
        "<bar:{rule} Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"{subkey}\" Value=\"{value}\" Comparison=\"{comparison}\" \
         Data=\"{data}\" />"
    )
}

/// There is such a key.
pub(super) fn key(subkey: &str) -> String {
    format!("<bar:RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"{subkey}\" />")
}

/// There is such a value.
pub(super) fn value(subkey: &str, value: &str) -> String {
    format!("<bar:RegValueExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"{subkey}\" Value=\"{value}\" />")
}

/// A file of a special folder has this version, or a later one.
pub(super) fn file_from(csidl: u8, path: &str, version: &str) -> String {
    format!(
        "<bar:FileVersion Csidl=\"{csidl}\" Path=\"{path}\" Comparison=\"GreaterThanOrEqualTo\" Version=\"{version}\" />"
    )
}

/// One of these products of Windows Installer is installed.
pub(super) fn msi_products(codes: &[Uuid]) -> String {
    let mut rules = String::new();
    for code in codes {
        // writing to a String cannot fail
        let _ = write!(rules, "<mar:MsiProductInstalled ProductCode=\"{{{code}}}\" />");
    }
    if codes.len() == 1 { rules } else { format!("<lar:Or>{rules}</lar:Or>") }
}

/// A package of component based servicing is installed.
pub(super) fn package(identity: &str) -> String {
    format!(
        "<cbsar:CbsPackageInstalledByIdentity \
         xmlns:cbsar=\"http://schemas.microsoft.com/msus/2002/12/CbsApplicabilityRules\" PackageIdentity=\"{identity}\" />"
    )
}
