//! What downstream servers report of themselves, and whose computers are meant.

use std::collections::BTreeMap;

use weir_api::rollup::{DownstreamReport, ServerFigures, ServerReport, SystemCount};
use weir_model::rollup::ServerSummary;
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER, rollup::RolledServer};

use super::{AdminError, App, downstream};

/// The name that means this server where one of its downstream servers could be named.
const THIS: &str = "this";

/// One server with what it reported.
pub(crate) async fn show(app: &App, name: String) -> Result<DownstreamReport, AdminError> {
    app.try_read(move |tx| {
        let (no, server) = downstream::one(tx, &name)?;
        let rolled = tx.rollup_servers()?;
        let report = rolled.iter().find(|row| row.no == no).map(|row| report(tx, row)).transpose()?;
        let below = rolled.iter().filter(|row| row.parent_no == no).map(|row| row.name.clone()).collect();
        Ok(DownstreamReport { server, report, below })
    })
    .await
}

/// The number of a server by the name or id of its site, by GUID or by its own name; `this` is this one.
pub(crate) fn site(tx: &ReadTx<'_>, name: &str) -> Result<u32, AdminError> {
    if name.trim().eq_ignore_ascii_case(THIS) { Ok(THIS_SERVER) } else { Ok(downstream::one(tx, name)?.0) }
}

/// The number of a server that a list is to be narrowed to.
pub(crate) fn narrowed(tx: &ReadTx<'_>, name: Option<&str>) -> Result<Option<u32>, AdminError> {
    name.map(|name| site(tx, name)).transpose()
}

fn report(tx: &ReadTx<'_>, row: &RolledServer) -> Result<ServerReport, StoreError> {
    let mut systems: BTreeMap<(String, String), i64> = BTreeMap::new();
    for kind in tx.rollup_clients(row.no)?.into_iter().filter(|kind| kind.computers > 0) {
        let os = kind.os;
        let version = format!("{}.{}.{}", os.os_major_version, os.os_minor_version, os.os_build_number);
        *systems.entry((version, os.processor_architecture)).or_default() += i64::from(kind.computers);
    }
    let system = |((version, architecture), computers)| SystemCount { version, architecture, computers };
    let mut systems: Vec<SystemCount> = systems.into_iter().map(system).collect();
    systems.sort_by_key(|system| std::cmp::Reverse(system.computers));
    let (installations, failures) = tx.rollup_activity_total(row.no)?;
    Ok(ServerReport {
        received_at: row.received_at,
        last_sync: row.last_sync,
        figures: figures(&row.summary),
        systems,
        installations,
        failures,
    })
}

macro_rules! figures {
    ($($figure:ident,)*) => {
        fn figures(from: &ServerSummary) -> ServerFigures {
            ServerFigures { $($figure: from.$figure,)* }
        }
    };
}

figures! {
    updates,
    declined,
    approved,
    not_approved,
    stale_approvals,
    expired,
    critical_or_security_not_approved,
    infrastructure_not_approved,
    with_client_errors,
    with_server_errors,
    needing_files,
    needed_by_computers,
    up_to_date,
    custom_groups,
    computers,
    computers_needing,
    computers_with_errors,
    computers_up_to_date,
}
