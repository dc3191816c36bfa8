//! What every part of the server shares.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who decides about the target groups of a computer (MS-WUSP 3.1.5.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetingMode {
    /// The computer names its groups; groups that exist are joined, else Unassigned Computers.
    Client,
    /// The administrator assigns; what the computer names is ignored.
    #[default]
    Server,
}

/// The site settings that the client plane reads, as one immutable value. The administrator's side makes a new one
/// after each change of the database's settings and swaps it in with [`SettingsCell::replace`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientSettings {
    /// Who assigns target groups.
    pub targeting: TargetingMode,
    /// New entries per SyncUpdates answer (WSUS: 30). At least 1.
    pub page_entries: u32,
    /// Bytes of escaped Core text per SyncUpdates answer; 0 is no limit. One entry is always sent.
    pub page_bytes: u64,
    /// Entries that do not fit a page are skipped and later ones tried, instead of ending the page.
    pub page_filling: bool,
    /// Raw entries of InstalledNonLeafUpdateIDs above which a scan faults (WSUS: 400).
    pub installed_limit: usize,
    /// Raw entries of OtherCachedUpdateIDs, CachedDriverIDs and RefreshCache identities above which a call faults.
    pub cached_limit: usize,
    /// MaxExtendedUpdatesPerRequest of GetConfig (MS-WUSP 2.2.2.2.1).
    pub extended_limit: u32,
    /// IsRegistrationRequired of GetConfig.
    pub registration_required: bool,
    /// PackageServerShare of GetConfig, a UNC path.
    pub package_share: String,
    /// Where content is fetched from: `http://host:port`, without a slash at the end. None: the host that the request
    /// names, with the content port.
    pub content_base: Option<String>,
    /// How long a cookie lives from GetCookie on; NewCookies do not prolong it.
    pub cookie_lifetime: Duration,
    /// Folder that holds `wuident.cab` and what it names; None answers 404 below `/SelfUpdate`.
    pub self_update: Option<PathBuf>,
    /// Computers never seen before that may appear within an hour.
    pub new_computers_per_hour: u32,
    /// Calls without a cookie that one address may make at once; a quarter of that comes back each second.
    pub anonymous_burst: u32,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            targeting: TargetingMode::default(),
            page_entries: 100,
            page_bytes: 5 << 20,
            page_filling: true,
            installed_limit: 4_000,
            cached_limit: 22_000,
            extended_limit: 50,
            registration_required: true,
            package_share: String::new(),
            content_base: None,
            cookie_lifetime: Duration::from_secs(3_600),
            self_update: None,
            new_computers_per_hour: 100_000,
            anonymous_burst: 8_000,
        }
    }
}

/// [`ClientSettings`] with the time of the last change that clients can see in GetConfig.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Configuration {
    /// The settings.
    pub settings: ClientSettings,
    /// `LastChange` of GetConfig in milliseconds since 1970. Kept in the database by the administrator's side and moved
    /// whenever `extended_limit`, `registration_required` or `package_share` changes; a cookie made before is answered
    /// with ConfigChanged.
    pub last_change_ms: i64,
}

/// Holds the current [`Configuration`]; readers take a snapshot.
#[derive(Debug)]
pub struct SettingsCell(ArcSwap<Configuration>);

impl SettingsCell {
    /// Starts with this configuration.
    pub fn new(configuration: Configuration) -> Self {
        Self(ArcSwap::from_pointee(configuration))
    }

    /// The current configuration.
    pub fn load(&self) -> Arc<Configuration> {
        self.0.load_full()
    }

    /// Swaps in another one; calls under way finish with the old.
    pub fn replace(&self, configuration: Configuration) {
        self.0.store(Arc::new(configuration));
    }
}

/// What a listener knows about a connection; the listener puts it into the extensions of each request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Connection {
    /// The other side.
    pub peer: SocketAddr,
    /// Came in over TLS.
    pub tls: bool,
}

impl Connection {
    /// The address that limits are counted by: an IPv6 address by its /64 network, an IPv4 address as it is.
    pub fn limit_key(&self) -> IpAddr {
        match self.peer.ip().to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

/// Who this server is. The id is renewed after a restore from a backup, so that computers refresh their revision ids.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerIdentity(pub Uuid);
