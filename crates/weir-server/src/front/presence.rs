//! Being there: the row of this front end, its duties, and who else is there.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;
use weir_api::status::Endpoints;
use weir_store::{
    Actor, Store, StoreError,
    content::ContentStore,
    front_end::{FrontEnd, FrontEndRow},
};

use super::{
    Duties, Duty,
    duty::{BEAT, LEASE},
};
use crate::{
    admin::{self, AdminError, App, chain},
    export::package::hex,
    file, start,
    state::{AppState, blocking},
};

/// The file in the data folder that says which front end was the last one on it.
const NOTE: &str = "front-end";
/// How a place for files begins that no other machine reaches.
const FOLDER: &str = "folder ";
/// How long the end of a server waits for what it gives back.
const FAREWELL: Duration = Duration::from_secs(3);

/// What differs between front ends, or is in the way of having several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Trouble {
    /// A word for it: the subject of its alert.
    pub(crate) code: &'static str,
    /// In one sentence.
    pub(crate) detail: String,
    /// What to do.
    pub(crate) next_step: &'static str,
}

fn actor() -> Actor {
    Actor::system("front ends", Timestamp::now())
}

/// What this front end is called: its machine, and the port where computers come.
pub(crate) fn name(endpoints: &Endpoints) -> String {
    let machine = start::machine_name().unwrap_or_else(|| "unnamed".to_owned());
    let first = [&endpoints.client_https, &endpoints.client_http, &endpoints.admin].into_iter().flatten().next();
    match first.and_then(|url| url.rsplit_once(':')) {
        Some((_, port)) => format!("{machine}:{}", port.trim_end_matches('/')),
        None => machine,
    }
}

/// Where files are: equal texts are one place.
fn place(content: &ContentStore) -> String {
    match content.objects() {
        Some(objects) => objects.url().to_owned(),
        None => format!("{FOLDER}{}", content.folder().display()),
    }
}

/// Whether files are where no other front end reaches them.
fn is_local(place: &str) -> bool {
    place.starts_with(FOLDER)
}

fn describe(app: &App) -> FrontEnd {
    // what signs it is what computers and sites below were told to trust
    let authority = app.hub().pin().map(|pin| match &pin.authority {
        Some(authority) => hex(&admin::secret_hash(authority).0),
        None => hex(&pin.fingerprint),
    });
    FrontEnd {
        id: app.state.live.duties.id(),
        name: name(&app.endpoints),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        content: place(&app.state.content),
        authority: authority.unwrap_or_default(),
        admin: app.endpoints.admin.clone(),
        started_at: app.started_at,
    }
}

/// Says so if a newer release has changed the schema, which is how it is within an upgrade of several servers, and after one that was
/// taken back.
pub(crate) async fn tell_of_newer(store: &Store) -> Result<(), StoreError> {
    let store = store.clone();
    if let Some(schema) = blocking(move || store.read(|tx| tx.schema_of_newer())).await? {
        tracing::warn!(
            schema,
            "a newer release has changed the database; this one works with it as far as it knows it"
        );
    }
    Ok(())
}

/// Says once that this front end is there, prolongs what it has, and takes what nobody has. Blocks.
fn beat(store: &Store, duties: &Duties, front: &FrontEnd) -> Result<(), StoreError> {
    let told = Instant::now();
    // after a doubt everything is taken anew: work that was given up may still be ending, and writes nothing in the name of before
    let anew = !duties.is_sure();
    let (actor, missing) = (actor(), if anew { Duty::ALL.to_vec() } else { duties.missing() });
    let (mine, rows) = store.write_aside(&actor, |tx| {
        tx.front_end_put(front)?;
        if anew {
            tx.duty_give_up(front.id)?;
        } else {
            tx.duty_renew(front.id, LEASE)?;
        }
        for duty in missing {
            tx.duty_take(duty.name(), front.id, LEASE)?;
        }
        let had = tx.duty_list(actor.at)?;
        let term = |duty: Duty| {
            let row = had.iter().find(|row| row.name == duty.name())?;
            (row.front == front.id && row.left.is_positive()).then_some((duty, row.term))
        };
        let mine: BTreeMap<Duty, u64> = Duty::ALL.into_iter().filter_map(term).collect();
        Ok((mine, tx.front_end_list(actor.at)?))
    })?;
    duties.told(told, mine);
    duties.set_front_ends(rows.iter().filter(|row| row.silent < LEASE).count());
    if rows.iter().any(|row| row.silent >= LEASE) {
        // beside the other: two may do it at once, and wait for each other
        store.write_aside(&actor, |tx| tx.front_end_prune(LEASE))?;
    }
    Ok(())
}

/// Says for the first time that this front end is there, and then again and again until `stop` turns true. Nothing on a database of
/// its own.
pub(crate) async fn begin(app: &App, stop: &watch::Receiver<bool>) -> Result<Option<JoinHandle<()>>, StoreError> {
    let duties = Arc::clone(&app.state.live.duties);
    if duties.is_alone() {
        return Ok(None);
    }
    let (store, front) = (app.state.store.clone(), describe(app));
    let first = {
        let (store, duties, front) = (store.clone(), Arc::clone(&duties), front.clone());
        let note = app.process.data.join(NOTE);
        blocking(move || {
            let before = file::small_text(&note).ok().and_then(|text| text.trim().parse::<Uuid>().ok());
            if let Some(before) = before {
                // the lock of the data folder says that it is gone: nobody need wait for the end of its lease
                store.write_aside(&actor(), |tx| tx.front_end_leave(before))?;
            }
            beat(&store, &duties, &front)?;
            if let Err(error) = start::write_private(&note, format!("{}\n", front.id).as_bytes()) {
                tracing::warn!(
                    error = chain(&error),
                    "after a crash, what this front end does waits for the end of its lease"
                );
            }
            Ok(())
        })
    };
    first.await?;
    tracing::info!(front_end = front.name, id = %front.id, others = duties.front_ends() - 1, "this front end is there");
    let mut stop = stop.clone();
    let told = async move {
        let mut is_fine = true;
        loop {
            tokio::select! {
                () = tokio::time::sleep(BEAT) => {}
                () = async { let _ = stop.wait_for(|stop| *stop).await; } => return,
            }
            let (store, mine, front) = (store.clone(), Arc::clone(&duties), front.clone());
            match blocking(move || beat(&store, &mine, &front)).await {
                Ok(()) => is_fine = true,
                Err(error) => {
                    if std::mem::replace(&mut is_fine, false) {
                        tracing::warn!(
                            error = chain(&error),
                            "the database does not hear that this front end is there"
                        );
                    }
                    duties.doubt();
                }
            }
        }
    };
    Ok(Some(tokio::spawn(told)))
}

/// Gives everything back, so that others need not wait. To be called when no work is under way any more.
pub(crate) async fn leave(state: &AppState) {
    let duties = &state.live.duties;
    if duties.is_alone() {
        return;
    }
    duties.forget();
    let (store, id) = (state.store.clone(), duties.id());
    let left = blocking(move || store.write_aside(&actor(), |tx| tx.front_end_leave(id)));
    match tokio::time::timeout(FAREWELL, left).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = chain(&error), "others take over when the lease of this front end ends");
        }
        Err(_) => {
            tracing::warn!("others take over when the lease of this front end ends: the database does not answer");
        }
    }
}

/// The front ends that are there, by name; none on a database of one server.
pub(crate) async fn list(app: &App) -> Result<Vec<FrontEndRow>, AdminError> {
    if app.state.live.duties.is_alone() {
        return Ok(Vec::new());
    }
    let mut rows = app.read(|tx| tx.front_end_list(Timestamp::now())).await?;
    rows.retain(|row| row.silent < LEASE);
    Ok(rows)
}

/// Whether a file that is taken in here could not be had from the front ends that are there beside this one. The database is asked:
/// what was known of them is as old as the last beat, and a file that came since one of them did would stay here for good.
pub(crate) async fn keeps_files_apart(app: &App) -> Result<bool, AdminError> {
    if app.state.content.objects().is_some() {
        return Ok(false);
    }
    let own = app.state.live.duties.id();
    Ok(list(app).await?.iter().any(|row| row.front.id != own))
}

/// What is wrong with the front ends together.
pub(crate) fn troubles(rows: &[FrontEndRow]) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if rows.len() < 2 {
        return troubles;
    }
    let differ = |of: fn(&FrontEnd) -> &str| {
        let first = rows.first().map(|row| of(&row.front)).unwrap_or_default();
        rows.iter().any(|row| of(&row.front) != first)
    };
    let named = |is: &dyn Fn(&FrontEnd) -> bool| {
        let names: Vec<&str> =
            rows.iter().map(|row| &row.front).filter(|front| is(front)).map(|it| &*it.name).collect();
        names.join(", ")
    };
    let apart = named(&|front| is_local(&front.content));
    if !apart.is_empty() {
        troubles.push(Trouble {
            code: "content",
            detail: format!(
                "there are {} front ends, and {apart} would have files that the others do not have",
                rows.len()
            ),
            next_step: "give all of them one object store: content = \"s3://BUCKET/PREFIX\" in weir.toml, or --content",
        });
    } else if differ(|front| &front.content) {
        troubles.push(Trouble {
            code: "content",
            detail: "the front ends have files in different object stores".to_owned(),
            next_step: "give all of them the same one: content in weir.toml, or --content",
        });
    }
    if differ(|front| &front.authority) {
        troubles.push(Trouble {
            code: "certificate",
            detail: "the front ends show certificates of different authorities to computers and to sites below".to_owned(),
            next_step: "give all of them one certificate (tls in weir.toml), or copy the folder tls of one data folder to the others",
        });
    }
    troubles
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn row(name: &str, content: &str, authority: &str) -> FrontEndRow {
        let front = FrontEnd {
            id: Uuid::new_v4(),
            name: name.to_owned(),
            version: "1".to_owned(),
            content: content.to_owned(),
            authority: authority.to_owned(),
            admin: None,
            started_at: Timestamp::UNIX_EPOCH,
        };
        FrontEndRow { front, silent: SignedDuration::ZERO }
    }

    fn codes(rows: &[FrontEndRow]) -> Vec<&'static str> {
        troubles(rows).iter().map(|trouble| trouble.code).collect()
    }

    #[test]
    fn what_front_ends_must_have_in_common_is_compared() {
        let good = row("a", "s3://bucket/weir", "01");
        assert!(codes(&[row("a", "folder /srv/content", "01")]).is_empty(), "one is alone");
        assert!(codes(&[good.clone(), row("b", "s3://bucket/weir", "01")]).is_empty());
        assert_eq!(codes(&[good.clone(), row("b", "s3://other", "01")]), ["content"]);
        assert_eq!(codes(&[good.clone(), row("b", "s3://bucket/weir", "02")]), ["certificate"]);
        // the same path is another folder on another machine
        let folders = [row("a", "folder /srv", "01"), row("b", "folder /srv", "02")];
        assert_eq!(codes(&folders), ["content", "certificate"]);
        assert!(troubles(&folders)[0].detail.contains("a, b would have files"), "{:?}", troubles(&folders));
    }

    #[test]
    fn a_front_end_is_called_by_its_machine_and_port() {
        let endpoints = Endpoints {
            pid: 1,
            client_http: Some("http://127.0.0.1:8530".to_owned()),
            client_https: None,
            server: None,
            admin: Some("https://127.0.0.1:8540".to_owned()),
        };
        assert!(name(&endpoints).ends_with(":8530"), "{}", name(&endpoints));
    }
}
