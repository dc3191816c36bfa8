//! What the name of a product says of where it runs.

/// Where a product runs, as far as its name tells.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Platform {
    /// A release of Windows itself. A computer runs one of these and no other.
    Windows,
    /// Something that a computer with Windows may have.
    OnWindows,
    /// Something that does not run on Windows.
    Elsewhere,
}

/// Parts of names of products that do not run on Windows, as MSRC writes them.
const ELSEWHERE: [&str; 8] =
    ["azure linux", "cbl-mariner", "cbl mariner", " for android", " for ios", " for mac", "for mac os", "(macos)"];

impl Platform {
    /// Reads the name of a product. `Windows` counts as the operating system where a release follows: `Windows 10 Version
    /// 1809 for x64-based Systems`, `Windows Server 2022`; not in `Windows Defender` or `Microsoft .NET Framework 4.8 on
    /// Windows 10`.
    pub fn of(product: &str) -> Self {
        let name = product.trim().to_lowercase();
        if ELSEWHERE.iter().any(|part| name.contains(part)) {
            return Self::Elsewhere;
        }
        let rest = name.strip_prefix("microsoft ").unwrap_or(&name);
        let release = rest.strip_prefix("windows ").and_then(|rest| rest.split_whitespace().next());
        match release {
            Some("server" | "server," | "rt" | "vista" | "xp") => Self::Windows,
            Some(word) if word.starts_with(|c: char| c.is_ascii_digit()) => Self::Windows,
            _ => Self::OnWindows,
        }
    }
}
