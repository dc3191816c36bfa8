//! Where computers reach this update point.

use std::{collections::BTreeSet, net::SocketAddr};

use weir_model::policy::Address;
use weir_store::{ReadTx, StoreError};

use crate::{
    admin::{
        App,
        setting::{Current, SERVER_NAME},
    },
    config::Listen,
    start::machine_name,
};

/// Addresses that are told of one server.
pub(super) const MOST_ADDRESSES: usize = 16;

/// The addresses of this server's client plane, the name that computers should use first: `server.name`, the names of the
/// certificate, the machine's name; of a listener at one address that address, unless `server.name` is set. Each with TLS
/// and without, as far as that is on. Empty if nothing can be known.
pub(crate) fn client_addresses(app: &App, tx: &ReadTx<'_>) -> Result<Vec<Address>, StoreError> {
    let set = Current::read(tx)?.text(SERVER_NAME);
    let listen = &app.process.listen;
    let listeners = [
        (true, &listen.client_https, &app.endpoints.client_https),
        (false, &listen.client_http, &app.endpoints.client_http),
    ];
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (tls, listen, bound) in listeners {
        // port 0 took a free one: the endpoints know it
        let (Listen::At(address), Some(bound)) = (listen, bound) else { continue };
        let Some(port) = bound.rsplit(':').next().and_then(|port| port.parse().ok()) else { continue };
        for name in names(app, &set, *address) {
            if let Ok(address) = Address::new(tls, &name, port)
                && seen.insert(address.to_string())
            {
                found.push(address);
            }
        }
    }
    found.truncate(MOST_ADDRESSES);
    Ok(found)
}

fn names(app: &App, set: &str, listen: SocketAddr) -> Vec<String> {
    let mut names: Vec<String> = Some(set.to_owned()).filter(|set| !set.is_empty()).into_iter().collect();
    if listen.ip().is_unspecified() {
        names.extend(app.process.tls_names.iter().filter(|name| !name.contains('*')).cloned());
        names.extend(machine_name().filter(|name| name != "localhost"));
    } else {
        names.push(listen.ip().to_string());
    }
    names
}
