//! How much of anything a peer may send.

/// Bounds of the reader. Whatever exceeds one is refused before it is stored anywhere.
///
/// These protect the process; the limits that the protocol itself knows (such as how many ids a scan may name) are
/// smaller and are checked after the cookie, see [`crate::wusp::Bounds`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of a whole body.
    pub body: usize,
    /// Elements open at one time, the envelope included.
    pub depth: usize,
    /// Elements in a body, those not counted that are skipped or read by the id scanner.
    pub elements: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Namespace declarations in force at one place.
    pub namespaces: usize,
    /// Bytes of one text or binary value.
    pub text: usize,
    /// Entries of a list of numbers or identities (cached revisions of a computer).
    pub ids: usize,
    /// Entries of any other list: devices, hardware ids of a device, events, strings of an event.
    pub list: usize,
}

impl Limits {
    /// Entries of a list of numbers or identities.
    pub const IDS: usize = 100_000;
}

impl Default for Limits {
    /// Room for several times what real agents send: scans of 50 kB with 1,500 ids and 70 devices, batches of some
    /// hundred events.
    fn default() -> Self {
        Self {
            body: 16 << 20,
            depth: 24,
            elements: 500_000,
            attributes: 32,
            namespaces: 64,
            text: 256 << 10,
            ids: Self::IDS,
            list: 10_000,
        }
    }
}
