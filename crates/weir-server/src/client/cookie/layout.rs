//! What is inside the two cookies, byte for byte. All numbers are little-endian; texts have a length of two bytes.
//! A layout that changes gets another version byte; cookies of an unknown version are InvalidCookie.

use uuid::Uuid;
use weir_model::{
    catalogue::Decided,
    ids::{ChangeNumber, ComputerId},
};

/// Version byte of the authorization cookie, and of a cookie without timed deployments.
const VERSION: u8 = 1;
/// Version byte of a cookie whose anchors say what they know of timed deployments. Written only where one does: servers
/// of an older version read the others.
const TIMED: u8 = 2;
/// Version byte of a cookie whose anchors say what was decided for their scopes, too. It has only those anchors that there are.
/// Computers whose cookies are of an older version count as moved where their groups differ; servers of an older version ask the
/// computer to get a new cookie.
const DECIDED: u8 = 3;
/// A fingerprint that no scope has but by chance.
const NO_GROUPS: u64 = 0;
/// Bound on the names that travel inside, in bytes altogether.
const TEXT_LIMIT: usize = 4_096;

/// The names to put in are longer than a cookie carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the names of a computer take at most {TEXT_LIMIT} bytes")]
pub struct CookieTooLong;

/// Protocol version a client said in GetCookie, compared as two integers.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct ProtocolVersion {
    /// Before the point.
    pub major: u16,
    /// After it.
    pub minor: u16,
}

impl ProtocolVersion {
    /// Reads `x.y`; None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.')?;
        let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        Some(Self { major: number(major)?, minor: number(minor)? })
    }
}

/// How far a computer has followed the changes of one pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Anchor {
    /// Changes up to this one are known to the computer.
    pub change: ChangeNumber,
    /// Which groups (and with them which deployments) that was true for: the fingerprint of the scope. Another
    /// fingerprint means that everything may have changed, if `decided` does not say otherwise.
    pub groups: u64,
    /// What was decided for these groups; unknown in cookies of servers before it was kept.
    pub decided: Decided,
    /// What the computer was told of deployments that depend on the time of day.
    pub timed: TimedAnchor,
}

/// What a computer was told of deployments whose action or deadline depends on the time. All zero if none did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TimedAnchor {
    /// Mark of the calendar, windows and zone, that they were resolved with; 0 for none. With another one, deployments are
    /// told again.
    pub mark: u64,
    /// The instant that they were resolved for, milliseconds since 1970.
    pub at_ms: i64,
}

impl TimedAnchor {
    /// A mark that no calendar has.
    pub const UNKNOWN: u64 = u64::MAX - 1;
}

impl Anchor {
    /// What it means once a scan of a part of the catalogue told entries as of `other`: the next full scan cannot know which.
    fn mixed_with(self, other: Self) -> Self {
        let groups = if self.groups == other.groups { self.groups } else { NO_GROUPS };
        let timed = if self.timed.mark == other.timed.mark {
            self.timed
        } else {
            TimedAnchor { mark: TimedAnchor::UNKNOWN, at_ms: 0 }
        };
        Self { change: self.change, groups, decided: self.decided.common(other.decided), timed }
    }
}

/// The anchors of the passes. A scan restricted to categories has its own two, with a hash of the categories: it must
/// not move the others, or changes outside of it were lost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Anchors {
    /// Full software scans.
    pub software: Option<Anchor>,
    /// Full driver scans.
    pub driver: Option<Anchor>,
    /// Printer catalogues.
    pub printer: Option<Anchor>,
    /// Hash of the categories that the next two are for.
    pub filter: u64,
    /// Software scans of those categories.
    pub filtered_software: Option<Anchor>,
    /// Driver scans of those categories.
    pub filtered_driver: Option<Anchor>,
}

impl Anchors {
    /// The anchor a software (or driver) scan starts from. `filter` is None for a full scan. A filtered scan may also
    /// start from the full scan's anchor, whichever is newer.
    pub fn scan(&self, driver: bool, filter: Option<u64>) -> Option<Anchor> {
        let full = if driver { self.driver } else { self.software };
        let filtered = if driver { self.filtered_driver } else { self.filtered_software };
        match filter {
            Some(filter) if filter == self.filter => match (full, filtered) {
                (Some(a), Some(b)) => {
                    let place = |anchor: Anchor| (anchor.change, anchor.timed.at_ms);
                    Some(if place(a) > place(b) { a } else { b })
                }
                (one, other) => other.or(one),
            },
            _ => full,
        }
    }

    /// The newest change that the computer knows of.
    pub fn newest(&self) -> Option<ChangeNumber> {
        let all = [self.software, self.driver, self.printer, self.filtered_software, self.filtered_driver];
        all.into_iter().flatten().map(|anchor| anchor.change).max()
    }

    /// Notes that a scan reached `anchor`.
    pub fn advance(&mut self, driver: bool, filter: Option<u64>, anchor: Anchor) {
        let Some(filter) = filter else {
            *(if driver { &mut self.driver } else { &mut self.software }) = Some(anchor);
            // it told what a part of it told before, perhaps as other groups have it
            *(if driver { &mut self.filtered_driver } else { &mut self.filtered_software }) = None;
            return;
        };
        if filter != self.filter {
            self.filter = filter;
            self.filtered_software = None;
            self.filtered_driver = None;
        }
        let full = if driver { &mut self.driver } else { &mut self.software };
        *full = full.map(|full| full.mixed_with(anchor));
        *(if driver { &mut self.filtered_driver } else { &mut self.filtered_software }) = Some(anchor);
    }
}

/// Inside the cookie of GetAuthorizationCookie.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorizationCookie {
    /// Server that made it.
    pub server: Uuid,
    /// Milliseconds since 1970 from which it is void.
    pub expires_ms: i64,
    /// The computer.
    pub computer: ComputerId,
    /// Its DNS name, as it said.
    pub dns_name: String,
    /// Target groups it asked for, as it said.
    pub requested_groups: Vec<String>,
}

/// Inside the cookie of GetCookie and of every NewCookie.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cookie {
    /// Server that made it.
    pub server: Uuid,
    /// Milliseconds since 1970 from which it is void. NewCookies do not move it.
    pub expires_ms: i64,
    /// LastChange of the configuration the computer knows, milliseconds since 1970.
    pub last_change_ms: i64,
    /// What the client speaks.
    pub protocol: ProtocolVersion,
    /// How far it has followed changes.
    pub anchors: Anchors,
    /// The computer.
    pub computer: ComputerId,
    /// Its DNS name, as it said.
    pub dns_name: String,
    /// Target groups it asked for, as it said.
    pub requested_groups: Vec<String>,
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_names(out: &mut Vec<u8>, computer: &ComputerId, dns_name: &str, groups: &[String]) -> Result<(), CookieTooLong> {
    let total = dns_name.len() + groups.iter().map(|group| group.len() + 2).sum::<usize>();
    if total > TEXT_LIMIT {
        return Err(CookieTooLong);
    }
    put_text(out, computer.as_str());
    put_text(out, dns_name);
    out.extend_from_slice(&(groups.len() as u16).to_le_bytes());
    for group in groups {
        put_text(out, group);
    }
    Ok(())
}

fn put_anchor(out: &mut Vec<u8>, anchor: Option<Anchor>, version: u8) {
    let (flag, change, groups) = anchor.map_or((0, 0, 0), |anchor| (1, anchor.change.0, anchor.groups));
    out.push(flag);
    if version == DECIDED && anchor.is_none() {
        return;
    }
    out.extend_from_slice(&change.to_le_bytes());
    out.extend_from_slice(&groups.to_le_bytes());
    if version >= TIMED {
        let timed = anchor.map(|anchor| anchor.timed).unwrap_or_default();
        out.extend_from_slice(&timed.mark.to_le_bytes());
        out.extend_from_slice(&timed.at_ms.to_le_bytes());
    }
    if version == DECIDED {
        let decided = anchor.map(|anchor| anchor.decided).unwrap_or_default();
        out.extend_from_slice(&decided.branches.to_le_bytes());
        out.extend_from_slice(&decided.winners.to_le_bytes());
    }
}

/// Reads from the front; None as soon as something is missing.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.u16()?;
        std::str::from_utf8(self.bytes(usize::from(length))?).ok()
    }

    fn names(&mut self) -> Option<(ComputerId, String, Vec<String>)> {
        let computer = self.text()?.parse().ok()?;
        let dns_name = self.text()?.to_owned();
        let count = self.u16()?;
        let groups = (0..count).map(|_| self.text().map(str::to_owned)).collect::<Option<_>>()?;
        Some((computer, dns_name, groups))
    }

    /// An anchor, with whether it counts.
    fn anchor(&mut self, version: u8) -> Option<(bool, Anchor)> {
        let (decided, timed) = (Decided::default(), TimedAnchor::default());
        let mut anchor = Anchor { change: ChangeNumber(0), groups: NO_GROUPS, decided, timed };
        let counts = self.u8()? == 1;
        if version == DECIDED && !counts {
            return Some((false, anchor));
        }
        (anchor.change, anchor.groups) = (ChangeNumber(self.u64()?), self.u64()?);
        if version >= TIMED {
            anchor.timed = TimedAnchor { mark: self.u64()?, at_ms: self.i64()? };
        }
        if version == DECIDED {
            anchor.decided = Decided { branches: self.u64()?, winners: self.u64()? };
        }
        Some((counts, anchor))
    }

    fn end<T>(&self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

impl AuthorizationCookie {
    /// The bytes to seal.
    pub fn encode(&self) -> Result<Vec<u8>, CookieTooLong> {
        let mut out = Vec::with_capacity(128);
        out.push(VERSION);
        out.extend_from_slice(self.server.as_bytes());
        out.extend_from_slice(&self.expires_ms.to_le_bytes());
        put_names(&mut out, &self.computer, &self.dns_name, &self.requested_groups)?;
        Ok(out)
    }

    /// Reads opened bytes; None if they are not of this layout.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.u8()? != VERSION {
            return None;
        }
        let server = Uuid::from_bytes(reader.array()?);
        let expires_ms = reader.i64()?;
        let (computer, dns_name, requested_groups) = reader.names()?;
        reader.end(Self { server, expires_ms, computer, dns_name, requested_groups })
    }
}

impl Cookie {
    /// The bytes to seal.
    pub fn encode(&self) -> Result<Vec<u8>, CookieTooLong> {
        let Anchors { software, driver, printer, filter, filtered_software, filtered_driver } = self.anchors;
        let anchors = [software, driver, printer, filtered_software, filtered_driver];
        let any = |is: fn(&Anchor) -> bool| anchors.iter().flatten().any(is);
        let version = if any(|anchor| anchor.decided != Decided::default()) {
            DECIDED
        } else if any(|anchor| anchor.timed != TimedAnchor::default()) {
            TIMED
        } else {
            VERSION
        };
        let mut out = Vec::with_capacity(256);
        out.push(version);
        out.extend_from_slice(self.server.as_bytes());
        out.extend_from_slice(&self.expires_ms.to_le_bytes());
        out.extend_from_slice(&self.last_change_ms.to_le_bytes());
        out.extend_from_slice(&self.protocol.major.to_le_bytes());
        out.extend_from_slice(&self.protocol.minor.to_le_bytes());
        for anchor in anchors {
            put_anchor(&mut out, anchor, version);
        }
        out.extend_from_slice(&filter.to_le_bytes());
        put_names(&mut out, &self.computer, &self.dns_name, &self.requested_groups)?;
        Ok(out)
    }

    /// Reads opened bytes; None if they are not of this layout.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let version = reader.u8()?;
        if ![VERSION, TIMED, DECIDED].contains(&version) {
            return None;
        }
        let server = Uuid::from_bytes(reader.array()?);
        let (expires_ms, last_change_ms) = (reader.i64()?, reader.i64()?);
        let protocol = ProtocolVersion { major: reader.u16()?, minor: reader.u16()? };
        let known = |(counts, anchor): (bool, Anchor)| counts.then_some(anchor);
        let [software, driver, printer] =
            [reader.anchor(version)?, reader.anchor(version)?, reader.anchor(version)?].map(known);
        let [filtered_software, filtered_driver] = [reader.anchor(version)?, reader.anchor(version)?].map(known);
        let filter = reader.u64()?;
        let anchors = Anchors { software, driver, printer, filter, filtered_software, filtered_driver };
        let (computer, dns_name, requested_groups) = reader.names()?;
        reader.end(Self { server, expires_ms, last_change_ms, protocol, anchors, computer, dns_name, requested_groups })
    }
}
