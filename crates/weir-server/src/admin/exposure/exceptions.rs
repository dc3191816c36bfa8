//! Exceptions from service levels.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::{
    List,
    exposure_level::{Exception as Shown, ExceptionCreate, ExceptionQuery},
};
use weir_model::{
    exposure::{Cve, Exception, ExceptionError, Place, Subject},
    ids::{ComputerId, UpdateId},
    rights::Scope,
};
use weir_store::{ReadTx, StoreError, exposure::ExceptionRow};

use super::{
    super::{AdminError, App, Caller, collection::Tree, list},
    base::Base,
};

/// Exceptions that a site may have at once, those that are over aside.
const MOST: usize = 2_000;

/// Exceptions, by their end.
pub(crate) async fn list(app: &App, scope: Scope, query: ExceptionQuery) -> Result<List<Shown>, AdminError> {
    let limit = list::limit(query.limit)?;
    let base = Base::current(app).await?;
    let (now, expired) = (Timestamp::now(), query.expired.unwrap_or(false));
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let mut rows = Vec::new();
        for row in tx.exposure_exceptions()? {
            if (expired || row.exception.counts(now)) && sees(tx, &tree, &row.exception.place)? {
                rows.push(row);
            }
        }
        let rows = rows.into_iter();
        let rows = rows.map(|row| shown(row, &tree, &base, now));
        list::page(rows, |row| row.id.to_string(), query.cursor.as_deref(), limit)
    })
    .await
}

/// Whether an exception is about what lies within the scope of who asks.
fn sees(tx: &ReadTx<'_>, tree: &Tree, place: &Place) -> Result<bool, StoreError> {
    match place {
        _ if !tree.is_limited() => Ok(true),
        Place::Collection(id) => Ok(tree.sees(*id)),
        Place::Computer(id) => match tx.computer_find(id)? {
            Some(row) => Ok(tree.sees_any(&tx.computer_collections(row.no)?)),
            None => Ok(false),
        },
    }
}

fn shown(row: ExceptionRow, tree: &Tree, base: &Base, now: Timestamp) -> Shown {
    let expired = !row.exception.counts(now);
    let Exception { subject, place, owner, reason, expires } = row.exception;
    let (cve, update) = match subject {
        Subject::Cve(cve) => (Some(cve.to_string()), None),
        Subject::Update(update) => (None, Some(base.named(update))),
    };
    let (collection, computer) = match place {
        Place::Collection(collection) => (Some(tree.reference(collection)), None),
        Place::Computer(computer) => (None, Some(computer.to_string())),
    };
    Shown {
        id: row.id,
        cve,
        update,
        collection,
        computer,
        owner,
        reason,
        expires_at: expires,
        expired,
        created_at: row.created_at,
        created_by: row.created_by,
    }
}

/// Makes an exception.
pub(crate) async fn create(app: &App, caller: &Caller, new: ExceptionCreate) -> Result<Shown, AdminError> {
    let base = Base::current(app).await?;
    let now = Timestamp::now();
    let subject = match (&new.cve, new.update) {
        (Some(cve), None) => {
            let cve: Cve = cve.parse().map_err(|error| invalid("cve", &error))?;
            if !base.known.vulnerabilities.contains_key(&cve) {
                return Err(AdminError::missing("CVE", &cve, "weir exposure cves list"));
            }
            Subject::Cve(cve)
        }
        (None, Some(update)) => {
            let update = UpdateId(update);
            if !base.has(update) {
                return Err(AdminError::missing("update", update, "weir updates list"));
            }
            Subject::Update(update)
        }
        _ => return Err(AdminError::invalid("cve", "give either cve or update: an exception is about one of both")),
    };
    let expires = new.expires_at.ok_or_else(|| {
        AdminError::invalid("expires_at", "expires_at is missing: an exception ends, after two years at most")
    })?;
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let place = match (&new.collection, &new.computer) {
            (Some(name), None) => {
                let id = tree.find(name)?.id;
                tree.check_target(id)?;
                Place::Collection(id)
            }
            (None, Some(id)) => {
                let id: ComputerId = id.trim().parse().map_err(|error| invalid("computer", &error))?;
                let row = tx.computer_find(&id)?;
                let row = row.ok_or_else(|| AdminError::missing("computer", &id, "weir computers list"))?;
                tree.check_computer(&id, &tx.computer_collections(row.no)?)?;
                Place::Computer(id)
            }
            _ => {
                let detail = "give either collection or computer: an exception holds on one of both";
                return Err(AdminError::invalid("collection", detail));
            }
        };
        let exception = Exception {
            subject,
            place,
            owner: new.owner.trim().to_owned(),
            reason: new.reason.trim().to_owned(),
            expires,
        };
        exception.check(now).map_err(|error| {
            let field = match &error {
                ExceptionError::Text { field, .. } => *field,
                ExceptionError::Expired(_) | ExceptionError::Long(_) => "expires_at",
            };
            AdminError::invalid(field, error.to_string())
        })?;
        let counting = tx.exposure_exceptions()?.iter().filter(|row| row.exception.counts(now)).count();
        if counting >= MOST {
            return Err(AdminError::Conflict {
                code: "too_many",
                detail: format!("the site has {MOST} exceptions already"),
                next_step: Some("remove some: weir exposure exceptions remove ID".to_owned()),
            });
        }
        let id = Uuid::new_v4();
        tx.exposure_exception_put(id, &exception)?;
        tx.audit("exposure.exception.create", &id.to_string(), None, Some(&audited(&exception)))?;
        let row = tx.exposure_exception_show(id)?;
        let row = row.ok_or_else(|| AdminError::Internal("an exception vanished while it was stored".to_owned()))?;
        Ok(shown(row, &tree, &base, now))
    })
    .await
}

/// Removes an exception.
pub(crate) async fn remove(app: &App, caller: &Caller, id: Uuid) -> Result<(), AdminError> {
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let row = match tx.exposure_exception_show(id)? {
            Some(row) if sees(tx, &tree, &row.exception.place)? => Some(row),
            _ => None,
        };
        let row = row.ok_or_else(|| AdminError::missing("exception", id, "weir exposure exceptions list"))?;
        tx.exposure_exception_delete(id)?;
        tx.audit("exposure.exception.remove", &id.to_string(), Some(&audited(&row.exception)), None)?;
        Ok(())
    })
    .await
}

fn invalid(field: &'static str, error: &dyn std::fmt::Display) -> AdminError {
    AdminError::invalid(field, error.to_string())
}

fn audited(exception: &Exception) -> Value {
    let (cve, update) = match &exception.subject {
        Subject::Cve(cve) => (Some(cve.to_string()), None),
        Subject::Update(update) => (None, Some(update.to_string())),
    };
    let (collection, computer) = match &exception.place {
        Place::Collection(collection) => (Some(collection.to_string()), None),
        Place::Computer(computer) => (None, Some(computer.to_string())),
    };
    json!({
        "cve": cve, "update": update, "collection": collection, "computer": computer,
        "owner": exception.owner, "reason": exception.reason, "expires_at": exception.expires,
    })
}
