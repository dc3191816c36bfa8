//! How a code is put together ([MS-ERREF] 2.1 and 2.3).

/// The parts of a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Layout {
    /// The whole code.
    pub code: u32,
    /// It says that something failed (bit S).
    pub failed: bool,
    /// It was defined by somebody else than Microsoft (bit C).
    pub customer: bool,
    /// It is an NTSTATUS that was made an HRESULT (bit N).
    pub ntstatus: bool,
    /// Which part of the system, 0 to 2,047 (0 to 4,095 for the form that the agent's database has).
    pub facility: u16,
    /// The number within it.
    pub number: u16,
}

/// A part of the system that gives codes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Facility {
    /// Its number.
    pub number: u16,
    /// Its symbolic name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
}

macro_rules! facilities {
    ($($number:literal $name:ident $about:literal;)+) => {
        /// By number ([MS-ERREF] 2.1, table of facilities; winerror.h for those that came later).
        const FACILITIES: &[Facility] = &[$(Facility { number: $number, name: stringify!($name), about: $about }),+];
    };
}

facilities! {
    0 FACILITY_NULL "no special part of the system";
    1 FACILITY_RPC "remote procedure calls";
    2 FACILITY_DISPATCH "COM dispatch";
    3 FACILITY_STORAGE "OLE storage";
    4 FACILITY_ITF "an interface of its own, whose codes mean what that interface says";
    7 FACILITY_WIN32 "Win32 errors of Windows";
    8 FACILITY_WINDOWS "Windows";
    9 FACILITY_SECURITY "security and cryptography";
    10 FACILITY_CONTROL "control mechanisms";
    11 FACILITY_CERT "certificates";
    12 FACILITY_INTERNET "Internet functions";
    15 FACILITY_SETUPAPI "setup, device installation and servicing";
    16 FACILITY_SCARD "smart cards";
    17 FACILITY_COMPLUS "COM+";
    19 FACILITY_URT ".NET";
    22 FACILITY_SXS "side-by-side assemblies";
    25 FACILITY_HTTP "HTTP";
    32 FACILITY_BACKGROUNDCOPY "BITS";
    33 FACILITY_CONFIGURATION "configuration services";
    34 FACILITY_STATE_MANAGEMENT "state management";
    36 FACILITY_WINDOWSUPDATE "the Windows Update Agent";
    37 FACILITY_DIRECTORYSERVICE "directory services";
    49 FACILITY_FVE "BitLocker";
    50 FACILITY_FWP "the Windows filtering platform";
    51 FACILITY_WINRM "Windows remote management";
    61 FACILITY_WEBSERVICES "Windows Web Services";
    81 FACILITY_WINDOWS_STORE "app packages";
    208 FACILITY_DELIVERY_OPTIMIZATION "Delivery Optimization";
}

/// The facility of that number, if it is known.
pub fn facility(number: u16) -> Option<&'static Facility> {
    FACILITIES.iter().find(|facility| facility.number == number)
}

/// Parts of the agent by the highest four bits of the number (wuerror.h has a range for each).
const AGENT_PARTS: [&str; 16] = [
    "the agent itself",
    "Windows Installer in scans",
    "update handlers, which install",
    "the user interface",
    "the network layer (HTTP and SOAP)",
    "the redirector",
    "the download manager",
    "offline scans",
    "the data store",
    "the inventory",
    "Automatic Updates",
    "an unnamed part",
    "drivers",
    "set-up of the agent",
    "the evaluator of rules",
    "reporting",
];

impl Layout {
    /// Takes a code apart.
    pub fn of(code: u32) -> Self {
        Self {
            code,
            failed: code >> 31 == 1,
            customer: code >> 29 & 1 == 1,
            ntstatus: code >> 28 & 1 == 1,
            facility: (code >> 16 & 0x07FF) as u16,
            number: code as u16,
        }
    }

    /// The facility, if it is known and the code is an HRESULT.
    pub fn facility(&self) -> Option<&'static Facility> {
        if self.ntstatus || self.customer { None } else { facility(self.facility) }
    }

    /// `error` or `success`.
    pub fn severity(&self) -> &'static str {
        if self.failed { "error" } else { "success" }
    }

    /// All of it in a sentence.
    pub fn describe(&self) -> String {
        let Self { code, number, .. } = *self;
        if code == 0 {
            return "It says that all went well.".to_owned();
        }
        if !self.failed && code <= 0xFFFF {
            return format!("It is no HRESULT: perhaps Win32 error or exit code {code} (net helpmsg {code}).");
        }
        if code >> 16 == 0xC800 {
            return format!("It has the form of error -{number} of the agent's database (Extensible Storage Engine).");
        }
        if self.customer && self.failed {
            return format!(
                "It is a code of the vendor or an NTSTATUS (bit C is set): facility {}, number {number}.",
                self.facility
            );
        }
        if self.ntstatus {
            // [MS-ERREF] 2.1: bit N marks an NTSTATUS, which is the rest
            return format!("It is the NTSTATUS 0x{:08x}, made an HRESULT.", code & !0x1000_0000);
        }
        let of = match self.facility() {
            Some(facility) => format!("{} ({})", facility.name, facility.about),
            None => format!("facility {}, which is not known here", self.facility),
        };
        let more = match self.facility {
            7 if (12_000..13_000).contains(&number) => format!(": WinHTTP or WinINet error {number}"),
            7 => format!(": Win32 error {number} (net helpmsg {number})"),
            25 if (100..600).contains(&number) => format!(": HTTP status {number}"),
            36 => {
                let part = AGENT_PARTS.get(usize::from(number >> 12)).copied().unwrap_or("an unnamed part");
                format!(": {part}, number 0x{number:04x}")
            }
            _ => format!(", number {number} (0x{number:04x})"),
        };
        format!(
            "By its layout it is an {} of {of}{more}.",
            if self.failed { "error" } else { "outcome without failure" }
        )
    }
}
