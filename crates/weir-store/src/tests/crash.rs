//! A process that is killed leaves a unit of work whole or not at all, and everything acknowledged: in the file of the embedded
//! database, whatever engine was chosen. (PostgreSQL sees to that itself; `tests/system/postgres.rs` of the program kills it.)

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use weir_model::ids::{CollectionId, RevisionId};

use super::{actor, software, update};
use crate::{
    Options, Store,
    computer::Contact,
    deployment::{Deployed, NewDeployment},
    event::EventRow,
    revision::PackedRevision,
};

const FOLDER: &str = "WEIR_STORE_CRASH_FOLDER";
/// Revisions of one import, computers of one batch.
const BATCH: u128 = 200;

/// What the parent starts and kills: imports, approvals and report batches without end, each acknowledged on a line.
#[test]
#[ignore = "the other tests of this module start it as a process of its own"]
fn child() {
    let folder = std::env::var_os(FOLDER).expect("only started by its parent");
    let store = Store::open(Path::new(&folder), &Options::default()).expect("opens");
    let mut done = std::io::stdout();
    for round in 0_u128.. {
        let first = round * BATCH;
        let revisions: Vec<_> = (first..first + BATCH)
            .map(|number| {
                let mut revision = software(number, 1);
                revision.text.push_str(&"text ".repeat(2_000));
                PackedRevision::pack(revision).expect("packs")
            })
            .collect();
        store.write(&actor(0), |tx| tx.revision_import(&revisions)).expect("imports");
        writeln!(done, "\nimport {round}").expect("says so");
        store.write(&actor(0), |tx| approve(tx, first)).expect("approves");
        writeln!(done, "\napproval {round}").expect("says so");
        store.write(&actor(0), |tx| report(tx, first)).expect("reports");
        writeln!(done, "\nreport {round}").expect("says so");
        done.flush().expect("says so");
    }
}

/// Deploys a batch; all of its deployments are one act.
fn approve(tx: &crate::WriteTx<'_>, first: u128) -> Result<(), crate::StoreError> {
    for number in first..first + BATCH {
        tx.deployment_create(&NewDeployment {
            guid: uuid::Uuid::from_u128(number),
            deployed: Deployed::Update { id: update(number), revision: None },
            collection: CollectionId::ALL_COMPUTERS,
            action: weir_model::targeting::DeploymentAction::Install,
            available_at: super::time(0),
            deadline_at: None,
            origin: weir_model::targeting::DeploymentOrigin::Local,
            active: true,
            terms: weir_model::deployment::Terms::default(),
        })?;
    }
    Ok(())
}

fn report(tx: &crate::WriteTx<'_>, first: u128) -> Result<(), crate::StoreError> {
    for number in first..first + BATCH {
        let contact = Contact {
            id: format!("c-{number}").parse().expect("an id"),
            dns_name: String::new(),
            ip_address: None,
            plain_http: false,
            requested_groups: None,
        };
        let (computer, _) = tx.computer_contact(&contact)?;
        let status = crate::computer::StatusRow { status: vec![1; 500], ..Default::default() };
        tx.computer_status_put(computer, &status)?;
        tx.event_insert(&EventRow {
            instance_id: uuid::Uuid::from_u128(number),
            computer,
            update: Some(weir_model::ids::UpdateIdentity::new(update(number), 1)),
            event_id: 183,
            source_id: 101,
            at_target: super::time(0),
            received_at: super::time(0),
            hresult: 0,
            detail: None,
        })?;
    }
    Ok(())
}

#[test]
fn a_killed_process_leaves_whole_units_only() {
    for after in [15_u64, 40, 90] {
        let folder = tempfile::TempDir::new().expect("a scratch folder");
        let mut process = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "tests::crash::child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let reader = std::thread::spawn(move || {
            let mut acknowledged = Vec::new();
            for line in lines.map_while(Result::ok) {
                if ["import ", "approval ", "report "].iter().any(|kind| line.starts_with(kind)) {
                    acknowledged.push(line);
                }
            }
            acknowledged
        });
        let database = folder.path().join("weir.db-wal");
        let started = std::time::Instant::now();
        while std::fs::metadata(&database).map_or(0, |file| file.len()) < 300_000 {
            assert!(started.elapsed() < Duration::from_mins(1), "the child does not begin to write");
            assert!(process.try_wait().expect("asks").is_none(), "the child ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        // Not a wait for a state: the kill is to come at some point in the middle of the work.
        std::thread::sleep(Duration::from_millis(after));
        process.kill().expect("SIGKILL");
        process.wait().expect("ends");
        check(folder.path(), &reader.join().expect("no panic"));
    }
}

fn check(folder: &Path, acknowledged: &[String]) {
    let store = Store::open(folder, &Options::default()).expect("opens after the kill, the lock is free");
    let count = |kind: &str| acknowledged.iter().filter(|line| line.starts_with(kind)).count() as u128;
    let (revisions, targeting, computers, events) = store
        .read(|tx| {
            let revisions = tx.catalogue_revisions(RevisionId(0))?;
            for row in &revisions {
                let text = tx.document_text(row.id)?.expect("every revision has its text");
                assert!(text.contains(&row.identity.to_string()));
                assert!(tx.core_escaped(row.id)?.is_some() && tx.localized_fragments(row.id)?.len() == 2);
            }
            let computers = tx.computer_count()?;
            let mut statuses = 0;
            tx.computer_status_each(&mut |_, row| {
                statuses += u64::from(row.status.len() == 500);
                Ok(())
            })?;
            assert_eq!(statuses, computers);
            Ok((
                revisions.len() as u128,
                tx.catalogue_targeting()?.deployments.len() as u128,
                computers,
                tx.event_count()?,
            ))
        })
        .expect("reads");
    for (what, found, said) in [
        ("import", revisions, count("import")),
        ("approval", targeting, count("approval")),
        ("report", u128::from(computers), count("report")),
    ] {
        assert_eq!(found % BATCH, 0, "half of a unit: {what}");
        assert!(found >= said * BATCH, "acknowledged and lost: {what}, {found} rows after {said} units");
    }
    assert_eq!(computers, events);
    drop(store);
    let connection = rusqlite::Connection::open(folder.join("weir.db")).expect("opens");
    let damage: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
    assert_eq!(damage, "ok");
}
