//! How the server is, for administrators: what is on its disks, in its memory and under way, and what needs somebody.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use weir_api::{
    health::{
        BackupHealth, CertificateHealth, DatabaseHealth, DiskHealth, FrontEndHealth, HealthFinding, HealthReport,
        HealthState, MemoryHealth,
    },
    job::{Job, JobQuery, JobState},
    status::{CA_FILE, SnapshotStatus},
};
use weir_store::{Engine, content::objects::Trouble};
use x509_parser::{parse_x509_certificate, pem::parse_x509_pem};

use super::{AdminError, App, alert, app::blocking, backup, job, status::VERSION};
use crate::{
    admission::Refusals,
    content::{Space, objects},
    front::presence,
};

/// A certificate with fewer days left is a warning, and with fewer of these critical.
const CERTIFICATE_DAYS: (i64, i64) = (30, 7);
/// A disk with fewer bytes left is a warning, and with fewer of these critical.
const DISK_BYTES: (u64, u64) = (5 << 30, 1 << 30);
/// Bytes of a file of certificates.
const LARGEST_PEM: u64 = 1 << 20;

/// How the server is.
pub(crate) async fn show(app: &App) -> Result<HealthReport, AdminError> {
    let now = Timestamp::now();
    let (store, content, live) = (app.state.store.clone(), app.state.content.clone(), app.state.live.clone());
    let (alerts, waiting, space, compliance_bytes, (backup, too_old)) = app
        .read(move |tx| {
            let waiting: u64 = tx.delivery_waiting()?.iter().map(|(_, count)| count).sum();
            let bytes = live.compliance(tx)?.bytes() as u64;
            Ok((alert::open_count(tx)?, waiting, Space::read(tx, &content)?, bytes, backup::health(tx, now)?))
        })
        .await?;
    let files = files(app);
    let (certificates, database, data_free) = blocking(move || {
        let certificates: Vec<_> =
            files.iter().map(|(name, file, shown)| certificate(name, file, shown, now)).collect();
        let (unused_bytes, can_give_back) = store.free()?;
        let server = (store.engine() == Engine::Postgres).then(|| store.place());
        let database = DatabaseHealth { server, bytes: store.size()?, unused_bytes, can_give_back };
        Ok((certificates, database, store.disk_free()?))
    })
    .await?;
    let mut jobs = job::list(app, JobQuery::default()).await?.items;
    jobs.retain(|job| matches!(job.state, JobState::Failed | JobState::Running | JobState::Waiting));
    let disks = vec![
        DiskHealth { name: "data".to_owned(), free_bytes: data_free, reserve_bytes: 0 },
        DiskHealth { name: "content".to_owned(), free_bytes: space.free, reserve_bytes: space.reserve },
    ];
    let objects = objects::trouble(&app.state);
    let refusals = app.state.admission.refusals();
    let mut findings = findings(&certificates, &disks, (&backup, too_old), &jobs, alerts, refusals, objects);
    let (front_ends, troubles) = front_ends(app).await?;
    findings.extend(troubles);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.state));
    let published = app.state.live.current();
    Ok(HealthReport {
        state: findings.first().map(|finding| finding.state).unwrap_or_default(),
        findings,
        version: VERSION.to_owned(),
        started_at: app.started_at,
        as_of: now,
        endpoints: app.endpoints(),
        certificates,
        database,
        backup,
        disks,
        memory: MemoryHealth {
            computers: app.state.live.directory.len() as u64,
            fragment_bytes: app.state.live.fragments.weight(),
            compliance_bytes,
        },
        snapshot: SnapshotStatus {
            change: published.change().0,
            revisions: published.snapshot.len() as u64,
            live: published.snapshot.live_len() as u64,
        },
        alerts,
        deliveries_waiting: waiting,
        jobs,
        front_ends,
    })
}

/// The servers that share the database, and what is wrong with them together.
async fn front_ends(app: &App) -> Result<(Vec<FrontEndHealth>, Vec<HealthFinding>), AdminError> {
    let rows = presence::list(app).await?;
    if rows.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let found = presence::troubles(&rows).into_iter().map(|trouble| HealthFinding {
        code: "front_ends".to_owned(),
        state: HealthState::Critical,
        detail: trouble.detail,
        next_step: trouble.next_step.to_owned(),
    });
    let had = app.read(|tx| tx.duty_list(Timestamp::now())).await?;
    let here = app.state.live.duties.id();
    let shown = rows.iter().map(|row| FrontEndHealth {
        name: row.front.name.clone(),
        version: row.front.version.clone(),
        admin: row.front.admin.clone(),
        started_at: row.front.started_at,
        here: row.front.id == here,
        silent_seconds: row.silent.as_secs().unsigned_abs(),
        duties: had
            .iter()
            .filter(|duty| duty.front == row.front.id && duty.left.is_positive())
            .map(|duty| duty.name.clone())
            .collect(),
    });
    Ok((shown.collect(), found.collect()))
}

/// Files with certificates: what each is for, where it is, and how that is told.
fn files(app: &App) -> Vec<(&'static str, PathBuf, String)> {
    let mut files = vec![("authority", app.process.data.join(CA_FILE), CA_FILE.to_owned())];
    let process = &app.process;
    for (name, own) in [("clients", &process.tls), ("administrators", &process.tls_admin)] {
        if let Some(own) = own {
            files.push((name, own.certificate.clone(), own.certificate.display().to_string()));
        }
    }
    files
}

/// The first certificate of a file.
fn certificate(name: &str, file: &Path, shown: &str, now: Timestamp) -> CertificateHealth {
    let mut health = CertificateHealth {
        name: name.to_owned(),
        file: shown.to_owned(),
        subject: None,
        ends_at: None,
        days_left: None,
        error: None,
    };
    match read(file) {
        Ok((subject, ends_at)) => {
            health.subject = Some(subject);
            health.ends_at = Some(ends_at);
            health.days_left = Some((ends_at.as_second() - now.as_second()).div_euclid(24 * 60 * 60));
        }
        Err(error) => health.error = Some(error),
    }
    health
}

fn read(file: &Path) -> Result<(String, Timestamp), String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > LARGEST_PEM {
        return Err(format!("the file has {size} bytes"));
    }
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let (_, pem) = parse_x509_pem(&text).map_err(|error| format!("it is not PEM: {error}"))?;
    let (_, parsed) =
        parse_x509_certificate(&pem.contents).map_err(|error| format!("it is no certificate: {error}"))?;
    let ends_at = Timestamp::from_second(parsed.validity().not_after.timestamp()).map_err(|error| error.to_string())?;
    Ok((parsed.subject().to_string(), ends_at))
}

/// What needs somebody, worst first.
fn findings(
    certificates: &[CertificateHealth],
    disks: &[DiskHealth],
    (backup, too_old): (&BackupHealth, Option<u64>),
    jobs: &[Job],
    alerts: u64,
    refusals: Refusals,
    objects: Option<(String, Trouble)>,
) -> Vec<HealthFinding> {
    let mut findings = Vec::new();
    let mut find = |code: &str, state: HealthState, detail: String, next_step: &str| {
        if state != HealthState::Good {
            let (code, next_step) = (code.to_owned(), next_step.to_owned());
            findings.push(HealthFinding { code, state, detail, next_step });
        }
    };
    for certificate in certificates {
        let file = &certificate.file;
        match (certificate.days_left, &certificate.error) {
            (Some(days), _) => find(
                "certificate",
                below(days, CERTIFICATE_DAYS),
                format!("the certificate {file} ends in {days} days"),
                "replace it; one that was made here is made anew when the server starts",
            ),
            (None, error) => find(
                "certificate",
                HealthState::Warning,
                format!("the certificate {file} cannot be read: {}", error.as_deref().unwrap_or("it is not there")),
                "look at the file",
            ),
        }
    }
    for disk in disks {
        find(
            "disk",
            below(disk.free_bytes, DISK_BYTES),
            format!("the disk with the {} folder has {} bytes left", disk.name, disk.free_bytes),
            "make room: weir content gc, weir cleanup run, or a larger disk",
        );
    }
    let next_step = "make one: weir backup create; see when they are made: weir backup status";
    if let Some(hours) = too_old {
        let detail = format!("backups are scheduled, and there was no good one for {hours} hours");
        find("backup", HealthState::Critical, detail, next_step);
    } else if let Some(error) = &backup.error {
        find("backup", HealthState::Warning, format!("the last backup failed: {error}"), next_step);
    }
    if let Some((store, trouble)) = objects {
        find(
            "object_store",
            HealthState::Critical,
            format!("the object store {store} cannot be used since {}: {}", trouble.since, trouble.message),
            "computers get files again as soon as it answers; is it the right place, with the right credentials?",
        );
    }
    let failed = jobs.iter().filter(|job| job.state == JobState::Failed).count();
    let state = if failed > 0 { HealthState::Warning } else { HealthState::Good };
    find("jobs", state, format!("{failed} of the latest jobs failed"), "see why: GET /api/v1/jobs?state=failed");
    let state = if alerts > 0 { HealthState::Warning } else { HealthState::Good };
    find("alerts", state, format!("{alerts} alerts are open"), "weir alerts list --state open");
    let state = match refusals {
        Refusals { minutes: Some(_), .. } => HealthState::Critical,
        Refusals { count: 1.., .. } => HealthState::Warning,
        Refusals { .. } => HealthState::Good,
    };
    let lasting = refusals.minutes.map(|minutes| format!(", for {minutes} minutes")).unwrap_or_default();
    find(
        "admission",
        state,
        format!("{} requests were refused since there is too much to do{lasting}; they come again", refusals.count),
        "if it does not end: more processors or memory, or sites below; weir_admission_ in /metrics says what is short",
    );
    findings.sort_by_key(|finding: &HealthFinding| std::cmp::Reverse(finding.state));
    findings
}

/// How something is of which there must be enough.
fn below<N: PartialOrd>(value: N, (warning, critical): (N, N)) -> HealthState {
    if value < critical {
        HealthState::Critical
    } else if value < warning {
        HealthState::Warning
    } else {
        HealthState::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first() {
        let disks = vec![DiskHealth { name: "data".to_owned(), free_bytes: 7, reserve_bytes: 0 }];
        let certificate = CertificateHealth {
            name: "authority".to_owned(),
            file: CA_FILE.to_owned(),
            subject: None,
            ends_at: None,
            days_left: Some(20),
            error: None,
        };
        let fine = BackupHealth::default();
        let found =
            findings(std::slice::from_ref(&certificate), &disks, (&fine, None), &[], 3, Refusals::default(), None);
        let codes: Vec<_> = found.iter().map(|finding| (finding.code.as_str(), finding.state)).collect();
        let warning = HealthState::Warning;
        assert_eq!(codes, [("disk", HealthState::Critical), ("certificate", warning), ("alerts", warning)]);
        let roomy = vec![DiskHealth { free_bytes: u64::MAX, ..disks[0].clone() }];
        let far = CertificateHealth { days_left: Some(400), ..certificate };
        assert!(
            findings(std::slice::from_ref(&far), &roomy, (&fine, None), &[], 0, Refusals::default(), None).is_empty()
        );
        let failed = BackupHealth { error: Some("the disk is full".to_owned()), ..BackupHealth::default() };
        let states = |backup: &BackupHealth, too_old| -> Vec<HealthState> {
            findings(std::slice::from_ref(&far), &roomy, (backup, too_old), &[], 0, Refusals::default(), None)
                .iter()
                .map(|it| it.state)
                .collect()
        };
        assert_eq!(states(&failed, None), [warning]);
        assert_eq!(states(&failed, Some(49)), [HealthState::Critical]);
        assert_eq!(states(&fine, Some(49)), [HealthState::Critical]);
        let trouble = Trouble { since: Timestamp::UNIX_EPOCH, message: "refused".to_owned() };
        let found = findings(
            &[far],
            &roomy,
            (&fine, None),
            &[],
            0,
            Refusals::default(),
            Some(("s3://weir".to_owned(), trouble)),
        );
        assert_eq!((found[0].code.as_str(), found[0].state), ("object_store", HealthState::Critical));
        assert!(found[0].detail.contains("s3://weir") && found[0].detail.ends_with("refused"), "{}", found[0].detail);
    }

    #[test]
    fn refusals_are_a_warning_and_critical_when_they_go_on() {
        let found = |count, minutes| {
            let found = findings(&[], &[], (&BackupHealth::default(), None), &[], 0, Refusals { count, minutes }, None);
            found.first().map(|finding| (finding.code.clone(), finding.state))
        };
        let code = || "admission".to_owned();
        assert_eq!(found(0, None), None);
        assert_eq!(found(1, None), Some((code(), HealthState::Warning)));
        assert_eq!(found(70, Some(12)), Some((code(), HealthState::Critical)));
    }

    #[test]
    fn a_file_that_is_no_certificate_is_said_to_be_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        let now = Timestamp::UNIX_EPOCH;
        assert!(certificate("authority", &file, "ca.pem", now).error.is_some());
        std::fs::write(&file, "nothing").expect("written");
        let read = certificate("authority", &file, "ca.pem", now);
        assert!(read.error.is_some() && read.days_left.is_none());
    }
}
