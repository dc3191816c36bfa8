//! Addresses of servers and files, as the agent gets them from servers: split, put together and split the same.

use weir_agent::address::Address;

pub(super) fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let Ok(address) = Address::parse(&text) else { return false };
    assert!(!address.host.is_empty() && address.path.starts_with('/'), "{address:?}");
    let whole = format!("{}{}", address.server(), address.path);
    assert_eq!(Address::parse(&whole).as_ref(), Ok(&address), "{whole}");
    true
}
