//! Error codes that Windows Update Agents report: what each means, why it mostly happens and what to do.
//!
//! [`explain`] answers for every 32-bit number: from the table, or from the layout of an HRESULT alone ([`Layout`],
//! [MS-ERREF] 2.1) where the table has nothing. Names and numbers are those of the published headers and documents that
//! [`Source`] names; meaning, cause and next step are written for people who run this server.
//!
//! Codes that servers answer with are names and no numbers: [`find_server`].
//!
//! *Invariant:* a code that is not known is said to be unknown; nothing is made up for it.

mod layout;
mod parse;
mod server;
mod table;
#[cfg(test)]
mod tests;

pub use layout::{Facility, Layout, facility};
pub use parse::{CodeError, parse};
pub use server::{ServerCode, find_server, server_codes};

/// What is known of a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ErrorCode {
    /// The code as an unsigned number.
    pub code: u32,
    /// Its symbolic name; empty where none is published.
    pub name: &'static str,
    /// What it says, one sentence or two.
    pub meaning: &'static str,
    /// Why it mostly happens.
    pub cause: &'static str,
    /// What to do about it.
    pub next_step: &'static str,
    /// Where its name and number are published.
    pub source: Source,
}

/// Where names and numbers are from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Source {
    /// The Windows Update Agent.
    Agent,
    /// BITS and its HTTP statuses.
    Bits,
    /// The agent's database.
    Database,
    /// Delivery Optimization.
    DeliveryOptimization,
    /// HRESULTs of no special facility, COM, RPC and WMI.
    Hresult,
    /// Certificates, signatures and TLS.
    Security,
    /// Component-based servicing and device installation.
    Servicing,
    /// Windows Setup.
    Setup,
    /// Windows Web Services.
    WebServices,
    /// Win32 errors and exit codes of Windows Installer, as HRESULTs of facility 7.
    Win32,
    /// WinHTTP and WinINet.
    WinHttp,
}

impl Source {
    /// The document, for people to look it up.
    pub fn document(self) -> &'static str {
        match self {
            Self::Agent => {
                "Microsoft Learn, \"Windows Update error codes by component\"; Windows SDK, wuerror.h; [MS-WUSP] for the protocol"
            }
            Self::Bits => "Microsoft Learn, \"BITS Return Values\"; Windows SDK, bitsmsg.h",
            Self::Database => {
                "Microsoft Learn, \"Extensible Storage Engine Error Codes\"; the agent writes them as 0xC800 and the number"
            }
            Self::DeliveryOptimization => {
                "Delivery Optimization client (open source), delivery optimization error header; Microsoft Learn, \
                 \"Troubleshoot Delivery Optimization\""
            }
            Self::Hresult => "[MS-ERREF] 2.1.1, HRESULT Values; Microsoft Learn, \"WMI Error Constants\"",
            Self::Security => "[MS-ERREF] 2.1.1, HRESULT Values; Windows SDK, winerror.h",
            Self::Servicing => {
                "Names as servicing writes them to CBS.log; Microsoft Learn, \"Fix Windows Update errors\"; Windows SDK, \
                 winerror.h for device installation"
            }
            Self::Setup => "Microsoft Learn, \"Windows upgrade error codes\"",
            Self::WebServices => "Microsoft Learn, \"Windows Web Services Return Values\"",
            Self::Win32 => "[MS-ERREF] 2.2, Win32 Error Codes; Microsoft Learn, \"Windows Installer Error Codes\"",
            Self::WinHttp => "Microsoft Learn, \"Error Messages (Winhttp.h)\" and \"WinINet Error Codes\"",
        }
    }
}

/// What can be said of a code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The code as it was reported.
    pub code: u32,
    /// How it is put together.
    pub layout: Layout,
    /// The entry of the table, if it is known.
    pub known: Option<&'static ErrorCode>,
    /// The code under which the table knows it, if that is another one: a bare Win32 error or exit code is looked up as
    /// the HRESULT that is made of it.
    pub as_hresult: Option<u32>,
}

impl Explanation {
    /// Its symbolic name; none if it is unknown or has none.
    pub fn name(&self) -> Option<&'static str> {
        self.known.map(|known| known.name).filter(|name| !name.is_empty())
    }

    /// What it says, always something.
    pub fn meaning(&self) -> String {
        match self.known {
            Some(known) => known.meaning.to_owned(),
            None if self.code == 0 => "Success: nothing failed.".to_owned(),
            None => format!("Unknown code. {}", self.layout.describe()),
        }
    }
}

/// The entry of exactly this code.
pub fn find(code: u32) -> Option<&'static ErrorCode> {
    table::find(code)
}

/// The entry of that symbolic name, without regard to case. Of several with one name the lowest code.
pub fn find_name(name: &str) -> Option<&'static ErrorCode> {
    let name = name.trim();
    all().filter(|entry| !name.is_empty() && entry.name.eq_ignore_ascii_case(name)).min_by_key(|entry| entry.code)
}

/// All entries, in no order that means anything.
pub fn all() -> impl Iterator<Item = &'static ErrorCode> {
    table::all()
}

/// What can be said of a code.
pub fn explain(code: u32) -> Explanation {
    let layout = Layout::of(code);
    let exact = find(code);
    // HRESULT_FROM_WIN32 ([MS-ERREF] 2.1.2): installers and agents report both forms
    let converted = || (1..=0xFFFF).contains(&code).then_some(0x8007_0000 | code);
    let as_hresult = if exact.is_some() { None } else { converted().filter(|code| find(*code).is_some()) };
    Explanation { code, layout, known: exact.or_else(|| as_hresult.and_then(find)), as_hresult }
}

/// A code as this server writes it: `0x80240022`.
pub fn text(code: u32) -> String {
    format!("0x{code:08x}")
}
