//! Servers that synchronize from this one: who they are, how far they are, and who may.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    downstream::{Admission, DownstreamKind, DownstreamServer},
    list::ListQuery,
};
use weir_store::{
    ReadTx, StoreError,
    downstream::{self as stored, DownstreamContact, DownstreamRow},
};

use super::{AdminError, App, Caller, list};
use crate::{
    rollup::CLAIM,
    sites,
    upstream::{IDENTITY, Policy, WAITING, is_served},
};

const LIST: &str = "weir downstream list";

/// All of them, in the order in which they came.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<DownstreamServer>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let parents = Parents::read(tx)?;
        let page = list::page(tx.downstream_list()?, |row| row.no.to_string(), query.cursor.as_deref(), limit)?;
        let items = page.items.iter().map(|row| describe(tx, row, &parents));
        Ok(List { items: items.collect::<Result<_, _>>()?, next: page.next })
    })
    .await
}

/// The number of a server, and what is known of it.
pub(crate) fn one(tx: &ReadTx<'_>, name: &str) -> Result<(u32, DownstreamServer), AdminError> {
    let row = find(tx, name)?.ok_or_else(|| missing(name))?;
    Ok((row.no, describe(tx, &row, &Parents::read(tx)?)?))
}

/// Lets a server synchronize. A GUID that is not known is noted, so that its server is served when it comes.
pub(crate) async fn allow(app: &App, caller: &Caller, name: String) -> Result<DownstreamServer, AdminError> {
    decide(app, caller, name, stored::Admission::Allowed).await
}

/// Lets a server synchronize no longer; it is told so with its next call.
pub(crate) async fn refuse(app: &App, caller: &Caller, name: String) -> Result<DownstreamServer, AdminError> {
    decide(app, caller, name, stored::Admission::Refused).await
}

async fn decide(
    app: &App,
    caller: &Caller,
    name: String,
    admission: stored::Admission,
) -> Result<DownstreamServer, AdminError> {
    app.write(caller, move |tx| {
        let row = match (find(tx, &name)?, name.trim().parse::<Uuid>()) {
            (Some(row), _) => row,
            (None, Ok(id)) => {
                let contact = DownstreamContact { id, name: "", address: "", is_weir: false };
                let no = tx.downstream_add(&contact, stored::Admission::Waiting)?;
                tx.downstream_show(no)?.ok_or_else(|| missing(&name))?
            }
            (None, Err(_)) => return Err(missing(&name)),
        };
        if admission == stored::Admission::Refused {
            refuse_enrolled(tx, &row)?;
        }
        if tx.downstream_admit(row.no, admission)? {
            let word = |admission| json!({ "name": row.name, "admission": shown(admission) });
            let action = if admission == stored::Admission::Allowed { "downstream.allow" } else { "downstream.refuse" };
            tx.audit(action, &row.id.to_string(), Some(&word(row.admission)), Some(&word(admission)))?;
        }
        for alert in [WAITING, IDENTITY, CLAIM] {
            tx.alert_close(alert, &row.id.to_string())?;
        }
        let row = tx.downstream_show(row.no)?.ok_or_else(|| missing(&name))?;
        Ok(describe(tx, &row, &Parents::read(tx)?)?)
    })
    .await
}

/// Forgets a server, the servers below it and the computers that they report. If it calls again it is a new one.
pub(crate) async fn remove(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        let row = find(tx, &name)?.ok_or_else(|| missing(&name))?;
        refuse_enrolled(tx, &row)?;
        let removed = tx.downstream_remove(row.no)?;
        for alert in [WAITING, IDENTITY, CLAIM] {
            tx.alert_close(alert, &row.id.to_string())?;
        }
        let before = json!({ "name": row.name, "servers": removed.servers, "computers": removed.computers });
        tx.audit("downstream.remove", &row.id.to_string(), Some(&before), None)?;
        Ok(())
    })
    .await?;
    app.publish().await
}

/// What enrolled as a site is served as long as it is one.
fn refuse_enrolled(tx: &ReadTx<'_>, row: &DownstreamRow) -> Result<(), AdminError> {
    let Some(site) = sites::enrolled(tx, row.id)? else { return Ok(()) };
    Err(AdminError::Conflict {
        code: "enrolled",
        detail: format!("{} enrolled as a site and is served as long as it is one", row.name),
        next_step: Some(format!("remove the site first: weir sites remove {}", site_name(tx, site.site)?)),
    })
}

/// By GUID of the server or of its site, by the name of its site, else by its own name if that is one server's.
fn find(tx: &ReadTx<'_>, name: &str) -> Result<Option<DownstreamRow>, AdminError> {
    let name = name.trim();
    let id: Option<Uuid> = name.parse().ok();
    if let Some(row) = id.map(|id| tx.downstream_find(id)).transpose()?.flatten() {
        return Ok(Some(row));
    }
    let lower = name.to_lowercase();
    let is_meant = |site: &Uuid, called: &str| Some(*site) == id || called.to_lowercase() == lower;
    let of_site = sites::servers(tx)?.into_iter().find(|(_, (site, called))| is_meant(site, called));
    if let Some(row) = of_site.map(|(server, _)| tx.downstream_find(server)).transpose()?.flatten() {
        return Ok(Some(row));
    }
    let mut found = tx.downstream_list()?.into_iter().filter(|row| row.name.eq_ignore_ascii_case(name));
    let first = found.next();
    if let (Some(one), Some(other)) = (&first, found.next()) {
        return Err(AdminError::Conflict {
            code: "ambiguous",
            detail: format!("servers {} and {} are both called {name}", one.id, other.id),
            next_step: Some("name it by its GUID, or by the site that it enrolled as".to_owned()),
        });
    }
    Ok(first)
}

fn missing(name: &str) -> AdminError {
    AdminError::missing("downstream server", name, LIST)
}

/// The names of the servers to which others report.
struct Parents(HashMap<u32, String>);

impl Parents {
    fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let numbers = tx.rollup_server_numbers()?;
        let names: HashMap<u32, &String> = numbers.iter().map(|(no, _, name, _)| (*no, name)).collect();
        let of = |(no, _, _, parent): &(u32, Uuid, String, u32)| Some((*no, (*names.get(parent)?).clone()));
        Ok(Self(numbers.iter().filter_map(of).collect()))
    }
}

fn site_name(tx: &ReadTx<'_>, site: Uuid) -> Result<String, StoreError> {
    let found = tx.sites_list()?.into_iter().find(|row| row.node.id == site);
    Ok(found.map_or_else(|| site.to_string(), |row| row.node.name))
}

fn shown(admission: stored::Admission) -> Admission {
    match admission {
        stored::Admission::Allowed => Admission::Allowed,
        stored::Admission::Refused => Admission::Refused,
        stored::Admission::Reported => Admission::Reported,
        stored::Admission::Waiting => Admission::Waiting,
    }
}

fn describe(tx: &ReadTx<'_>, row: &DownstreamRow, parents: &Parents) -> Result<DownstreamServer, StoreError> {
    let enrolment = sites::enrolled(tx, row.id)?;
    Ok(DownstreamServer {
        id: row.id,
        name: row.name.clone(),
        address: row.address.clone(),
        admission: shown(row.admission),
        served: is_served(row.admission, Policy::read(tx)?, enrolment.is_some()),
        kind: if row.is_weir { DownstreamKind::Weir } else { DownstreamKind::Other },
        replica: row.is_replica,
        site: enrolment.map(|enrolment| site_name(tx, enrolment.site)).transpose()?,
        reported_by: parents.0.get(&row.no).cloned(),
        protocol: row.protocol.clone(),
        version: row.software_version.clone(),
        first_contact: row.first_contact_at,
        last_contact: row.last_contact_at,
        last_sync: row.last_sync_at,
        behind: row.sync_change.map(|change| tx.revision_count_after(change)).transpose()?,
        computers: tx.downstream_computers(row.no)?,
    })
}
