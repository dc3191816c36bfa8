//! Error codes that servers answer with: names in the detail of a SOAP fault, which no computer reports. An agent tells
//! WU_E_PT_SOAPCLIENT_SOAPFAULT (0x80244007) of most of them, and the name stands in its log and in that of the server.

/// What is known of such a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerCode {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Why it mostly happens.
    pub cause: &'static str,
    /// What to do about it.
    pub next_step: &'static str,
    /// Where it is published.
    pub source: &'static str,
}

const CLIENTS: &str = "[MS-WUSP] 2.2.2.4";
const SERVERS: &str = "[MS-WSUSSS] 2.2.9.2";
const BY_ITSELF: &str =
    "Nothing for one computer: it begins anew by itself. If many tell it again and again, look at the server's log.";

macro_rules! codes {
    ($($name:ident $source:ident $meaning:literal, $cause:literal, $next:expr;)+) => {
        /// By name.
        const CODES: &[ServerCode] = &[$(ServerCode {
            name: stringify!($name),
            meaning: $meaning,
            cause: $cause,
            next_step: $next,
            source: $source,
        }),+];
    };
}

codes! {
    ConfigChanged CLIENTS "The server's configuration has changed since the cookie was made; the client reads it again and gets a new one.",
        "A setting that agents are told was changed.", BY_ITSELF;
    CookieExpired CLIENTS "The cookie is genuine and too old; the client gets a new one.",
        "The setting cookie.minutes passed between two calls.", BY_ITSELF;
    FileDigestsMissing SERVERS "A downstream server asked for files that this server does not know; the message lists their digests.",
        "Updates of which this server does not have the metadata, or has it no longer.",
        "Synchronize both servers (weir sync now), the upper one first; weir content status shows what is missing.";
    FileLocationChanged CLIENTS "Files have moved; the client asks where they are.",
        "The address of the content was changed.", BY_ITSELF;
    IncompatibleProtocolVersion SERVERS "The two servers speak versions of the protocol that do not go together.",
        "A server that is much older than the other one.",
        "Upgrade the older server; weir downstream show tells the version of a server below this one.";
    InternalServerError CLIENTS "Something failed in the server while it dealt with the call.",
        "A full disk, a database that cannot be written, or a defect.",
        "Look at weir status and at the server's log for the time of the call: the id in the fault is there, too.";
    InvalidAuthorizationCookie CLIENTS "The authorization cookie with which a client asks for a cookie is missing, is not a single one, or is not of this \
         server.",
        "The client was sent to another server, or the keys of this one were replaced, as after a restore of an older copy.",
        BY_ITSELF;
    InvalidCookie CLIENTS "The cookie is missing, empty, damaged, of another kind or of another server.",
        "The client was sent from one server to another one behind the same name, or a proxy changed the message.", BY_ITSELF;
    InvalidParameters CLIENTS "A parameter of the call is missing, wrong or too large; the message names it.",
        "A client that is no Windows Update Agent, a damaged list in the agent's store, or more entries than this server takes.",
        "Look up the parameter in the server's log. If it is one agent: stop wuauserv, rename C:\\Windows\\SoftwareDistribution, start it.";
    RegistrationNotRequired CLIENTS "A client registered although it was not asked to.",
        "A setting that was changed between two calls, or a client that is no Windows Update Agent.", BY_ITSELF;
    RegistrationRequired CLIENTS "The computer has to register before it goes on.",
        "It is new here, or it was deleted, and calls with a cookie from before.", BY_ITSELF;
    ServerBusy CLIENTS "The server has too much to do; the client comes back later.",
        "More calls at once than the server takes, or reports that wait for a slow or full disk.",
        "Nothing if it passes. If it stays, look at weir status, at the disk, and at the limits in weir.toml.";
    ServerChanged CLIENTS "The server behind the address is another one, or was restored from an older copy; the client forgets what it was sent.",
        "A new server under the same name, or a restored data folder.",
        "Nothing: clients repair themselves with their next scan, which is a long one. If it stays, several servers share one name.";
    TooManyIds SERVERS "A downstream server asked for more driver sets at once than this one answers.",
        "Another product, or another limit, at the server below.",
        "Compare the limits that both servers state; weir downstream list names the server.";
    UssInternalError SERVERS "Something failed in the other server; other products send it in place of InternalServerError.",
        "A failure in the upstream server.",
        "Look at the log of the other server; weir sync status shows the run that got it.";
}

/// All of them, by name.
pub fn server_codes() -> &'static [ServerCode] {
    CODES
}

/// The one of that name, without regard to case, also as `FileLocationsChanged` ([MS-WUSP] 3.1.5.10).
pub fn find_server(name: &str) -> Option<&'static ServerCode> {
    let name = name.trim();
    let name = if name.eq_ignore_ascii_case("FileLocationsChanged") { "FileLocationChanged" } else { name };
    CODES.iter().find(|code| code.name.eq_ignore_ascii_case(name))
}
