//! Makes reports when their schedules say so, and brings them to whom they are for: as a file in a folder, by e-mail, or both.
//!
//! What is due follows from what is stored ([`weir_model::report::schedule`]), so that a restart forgets nothing: an occurrence
//! that was missed is made up for once. Whoever makes a report holds its row's lease. A failure opens an alert and is tried again
//! three times; then the next occurrence is waited for. The alert closes with the next report that is made.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{
    alert::AlertSeverity,
    message::tidy,
    report::{
        Format, Table,
        file::{self, Folder},
        schedule::{Decision, SoFar, again, due},
        text,
    },
    rights::Scope,
};
use weir_store::report_schedule::ReportScheduleRow;

use crate::{
    admin::{
        AdminError, App, Caller, blocking, chain,
        report::{self, schedule::FAILED},
        setting::Current,
    },
    notify::{Enclosure, Parcel, send_parcel},
    telemetry::{self, Job},
};

/// A clock that was set forward must not delay a report for longer than this.
const LONGEST: Duration = Duration::from_secs(30);
/// After a failure of the job itself.
const PAUSE: Duration = Duration::from_secs(30);
/// The lease of a report outlives every attempt: the largest one and a slow mail server.
const LEASE: SignedDuration = SignedDuration::from_hours(1);
/// Bytes of an enclosure: more than that mail servers do not take once it is encoded.
const LARGEST_ENCLOSURE: usize = 15 << 20;
/// Characters of a reason that are kept.
const REASON: usize = 1_000;
/// A schedule that is done until further ahead than this was noted by a clock that has been set back since.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

fn caller() -> Caller {
    Caller::system("reports")
}

/// Runs until the process ends.
pub(super) async fn serve(app: &App) {
    let given_back = app.write(&caller(), |tx| Ok(tx.report_schedule_give_back()?)).await;
    if let Err(error) = given_back {
        tracing::warn!(error = chain(&error), "reports of an earlier process are made only when their leases end");
    }
    loop {
        let wait = match turn(app).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(error = chain(&error), "it could not be seen which reports are due; it is tried again");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.shared().reports.nudged.notified() => {}
        }
    }
}

/// Makes what is due, and says for how long there is nothing to do.
async fn turn(app: &App) -> Result<Duration, AdminError> {
    let now = Timestamp::now();
    let (rows, zone) = app.read(|tx| Ok((tx.report_schedule_list()?, Current::read(tx)?.zone()))).await?;
    let mut next: Option<Timestamp> = None;
    for row in rows.into_iter().filter(|row| row.wanted.enabled) {
        if row.since.duration_since(now) > AHEAD {
            let id = row.id;
            app.write(&caller(), move |tx| Ok(tx.report_schedule_since(id, now)?)).await?;
            continue;
        }
        let so_far = SoFar { since: row.since, again_at: row.again_at };
        match due(&row.wanted.recurrence, so_far, now, &zone) {
            Decision::Wait { until } => next = [next, until].into_iter().flatten().min(),
            Decision::Run { base } => {
                let name = row.wanted.name.clone();
                if let Err(error) = Box::pin(attempt(app, row, base, true)).await {
                    // the others are due all the same
                    tracing::warn!(schedule = name, error = chain(&error), "a scheduled report could not be handled");
                }
            }
        }
    }
    let wait = next.and_then(|next| Duration::try_from(next.duration_since(Timestamp::now())).ok());
    Ok(wait.map_or(LONGEST, |wait| wait.min(LONGEST)))
}

/// Makes the report of a schedule now because somebody asked for it.
pub(crate) async fn now(app: &App, row: ReportScheduleRow) -> Result<(), AdminError> {
    let since = row.since;
    Box::pin(attempt(app, row, since, false)).await
}

/// One attempt for an occurrence; `again_later`: a failure is tried again.
async fn attempt(app: &App, row: ReportScheduleRow, base: Timestamp, again_later: bool) -> Result<(), AdminError> {
    // whoever makes reports next gives back what is made in the name of the duty, and not what somebody asked another front end for
    let owner = if again_later { Uuid::new_v4().to_string() } else { app.state.live.duties.owner() };
    let (id, mine) = (row.id, owner.clone());
    let taken = app.write(&caller(), move |tx| Ok(tx.report_schedule_take(id, &mine, tx.actor().at + LEASE)?)).await?;
    if !taken {
        if again_later {
            return Ok(());
        }
        return Err(AdminError::Conflict {
            code: "running",
            detail: format!("the report of the schedule {:?} is made right now", row.wanted.name),
            next_step: Some("weir reports schedules list shows when it is done".to_owned()),
        });
    }
    // a retry is for the same occurrence, whose file is there already if only the sending failed
    let (failed, earlier) = if base == row.since { (row.attempts, row.last.file.clone()) } else { (0, None) };
    let earlier = earlier.filter(|_| failed > 0);
    let outcome = telemetry::job(Job::Report, make(app, &row, earlier)).await;
    let name = row.wanted.name.clone();
    match outcome {
        Ok(made) => {
            metrics::counter!("weir_reports_total", "result" => "done").increment(1);
            tracing::info!(schedule = name, rows = made.rows, total = made.total, "a scheduled report was made");
            app.write(&caller(), move |tx| {
                tx.report_schedule_done(id, &owner, base, made.rows, made.total, made.file.as_deref())?;
                tx.alert_close(FAILED, &name)?;
                Ok(())
            })
            .await
        }
        Err(Unmade { why, file }) => {
            metrics::counter!("weir_reports_total", "result" => "failed").increment(1);
            let why = tidy(&why, REASON);
            tracing::warn!(schedule = name, error = why, "a scheduled report was not made");
            let next = if again_later { again(failed + 1, Timestamp::now()) } else { None };
            app.write(&caller(), move |tx| {
                if !tx.report_schedule_failed(id, &owner, base, next, &why, file.as_deref())? {
                    return Ok(());
                }
                let then = match next {
                    Some(at) => format!("It is tried again at {}.", at.round(jiff::Unit::Second).unwrap_or(at)),
                    None => "It is made again by its schedule.".to_owned(),
                };
                let message = format!(
                    "the scheduled report {name} was not made or not delivered: {why} {then} Try it: weir reports schedules \
                     run {name:?}"
                );
                tx.alert_open(FAILED, &name, AlertSeverity::Warning, &message)?;
                Ok(())
            })
            .await
        }
    }
}

/// A report that was made.
struct Made {
    rows: u64,
    total: u64,
    file: Option<String>,
}

/// A report that was not made, or not brought to everybody.
struct Unmade {
    why: String,
    /// The file of the occurrence, if there is one all the same.
    file: Option<String>,
}

/// Makes a report and delivers it; else says why not, with what helps. `earlier` is the file that a failed attempt for the same
/// occurrence wrote: it is not written twice.
async fn make(app: &App, row: &ReportScheduleRow, earlier: Option<String>) -> Result<Made, Unmade> {
    let mut file = earlier;
    match deliver(app, row, &mut file).await {
        Ok((rows, total)) => Ok(Made { rows, total, file }),
        Err(why) => Err(Unmade { why, file }),
    }
}

/// The same; `file` is set as soon as it is there. How many rows the report has, and how many there are.
async fn deliver(app: &App, row: &ReportScheduleRow, file: &mut Option<String>) -> Result<(u64, u64), String> {
    let wanted = &row.wanted;
    let given: Vec<(String, String)> =
        wanted.parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let table = report::run(app, Scope::Everything, &wanted.report, &given, Some(wanted.limit))
        .await
        .map_err(|error| told(&error))?;
    let text = report::written(&table, wanted.format).map_err(|error| told(&error))?;
    let earlier = file.as_deref().and_then(|path| Path::new(path).file_name()?.to_str());
    // two reports may be of the same state, and each has its file
    let made_at = Timestamp::now();
    let name =
        earlier.map_or_else(|| file::name(&file::stem(&wanted.name, row.id), made_at, wanted.format), str::to_owned);
    if let Some(folder) = &wanted.folder {
        let folder: Folder = folder.parse().map_err(|error: file::FolderError| error.to_string())?;
        let (root, id, keep) = (app.process.reports.clone(), row.id, wanted.keep);
        let (bytes, name) = (text.clone(), name.clone());
        let kept = blocking(move || Ok(keep_file(&root, &folder, &name, bytes.as_bytes(), id, keep))).await;
        *file = Some(kept.map_err(|error| told(&error))??);
    }
    if !wanted.addresses.is_empty() {
        send(app, row, &table, &name, &text).await?;
    }
    Ok((table.rows.len() as u64, table.total))
}

fn told(error: &AdminError) -> String {
    let problem = error.problem();
    // what is ours stands in the log; who reads the alert is to know it, too
    let detail = if problem.status == 500 { chain(error) } else { problem.detail };
    match problem.next_step {
        Some(step) => format!("{detail}. Next: {step}."),
        None => format!("{detail}."),
    }
}

/// Writes a file into a folder below `root`, whole or not at all, and takes away the oldest ones of the schedule. Its path. A
/// file of that name stays as it is: an earlier attempt for the same occurrence wrote it.
fn keep_file(
    root: &Path,
    folder: &Folder,
    name: &str,
    bytes: &[u8],
    schedule: Uuid,
    keep: u32,
) -> Result<String, String> {
    let failed = |path: &Path, error: &std::io::Error| {
        format!(
            "{} cannot be written: {error}. Next: see that the server may write there (reports.folder).",
            path.display()
        )
    };
    let target: PathBuf = folder.parts().iter().fold(root.to_owned(), |path, part| path.join(part));
    fs::create_dir_all(&target).map_err(|error| failed(&target, &error))?;
    // a link in the folder must not lead out of it
    let real = |path: &Path| path.canonicalize().map_err(|error| failed(path, &error));
    let (real_root, real_target) = (real(root)?, real(&target)?);
    if !real_target.starts_with(&real_root) {
        return Err(format!(
            "{} leads out of {}. Next: take the link away, or set reports.folder to where it leads.",
            target.display(),
            root.display()
        ));
    }
    let path = real_target.join(name);
    if path.is_file() {
        return Ok(path.display().to_string());
    }
    let written = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".report-").tempfile_in(&real_target)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // a temporary file is for its owner alone; who else may read a report the folder decides
            file.as_file().set_permissions(fs::Permissions::from_mode(0o640))?;
        }
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    written().map_err(|error| failed(&path, &error))?;
    let entries = fs::read_dir(&real_target).map_err(|error| failed(&real_target, &error))?;
    let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    for old in file::surplus(schedule, names.iter().map(String::as_str), keep) {
        if let Err(error) = fs::remove_file(real_target.join(old)) {
            tracing::warn!(file = old, %error, "an old report could not be deleted; it is tried again with the next one");
        }
    }
    Ok(path.display().to_string())
}

/// Sends a report by e-mail.
async fn send(app: &App, row: &ReportScheduleRow, table: &Table, name: &str, file: &str) -> Result<(), String> {
    if file.len() > LARGEST_ENCLOSURE {
        return Err(format!(
            "the report has {} bytes, and at most {LARGEST_ENCLOSURE} are sent by e-mail. Next: weir reports schedules change \
             {:?} --limit N, or --folder FOLDER with --no-mail.",
            file.len(),
            row.wanted.name
        ));
    }
    let mut plain = String::new();
    text::write_head(table, &mut plain).map_err(|error| error.to_string())?;
    plain.push_str("\nThe report is in the enclosed file.\n");
    let media = match row.wanted.format {
        Format::Csv => "text/csv; charset=utf-8",
        other => other.media(),
    };
    let parcel = Parcel {
        id: Uuid::new_v4(),
        to: &row.wanted.addresses,
        subject: &format!("{}: {}", table.report.title, row.wanted.name),
        text: &plain,
        enclosure: Enclosure { name, media, bytes: file.as_bytes() },
        at: Timestamp::now(),
        from_name: &format!("Weir {}", table.server),
    };
    send_parcel(app, &parcel).await.map_err(|error| told(&error))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_in_their_folder_and_old_ones_go() {
        let scratch = tempfile::tempdir().expect("folder");
        let root = scratch.path().join("reports");
        let id = Uuid::from_u128(7 << 96);
        let keep = |folder: &str, day: u32| {
            let folder: Folder = folder.parse().expect("a folder");
            let at: Timestamp = format!("2026-03-{day:02}T06:00:00Z").parse().expect("a time");
            let name = file::name(&file::stem("Weekly", id), at, Format::Csv);
            keep_file(&root, &folder, &name, b"a,b\r\n", id, 2)
        };
        fs::create_dir_all(root.join("a/b")).expect("folder");
        fs::write(root.join("a/b/notes.csv"), "mine").expect("file");
        for day in 1..=4 {
            let path = keep("a/b", day).expect("written");
            assert_eq!(fs::read(path).expect("file"), b"a,b\r\n");
        }
        let mut names: Vec<String> = fs::read_dir(root.join("a/b"))
            .expect("folder")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["notes.csv", "weekly-00000007-20260303T060000000Z.csv", "weekly-00000007-20260304T060000000Z.csv"]
        );
        assert!(keep("", 5).expect("written").ends_with("reports/weekly-00000007-20260305T060000000Z.csv"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out_of_the_folder() {
        let scratch = tempfile::tempdir().expect("folder");
        let (root, outside) = (scratch.path().join("reports"), scratch.path().join("outside"));
        fs::create_dir_all(&root).expect("folder");
        fs::create_dir_all(&outside).expect("folder");
        std::os::unix::fs::symlink(&outside, root.join("away")).expect("a link");
        let folder: Folder = "away".parse().expect("a folder");
        let refused = keep_file(&root, &folder, "x.csv", b"", Uuid::nil(), 1).expect_err("it leads out");
        assert!(refused.contains("leads out of"), "{refused}");
        assert_eq!(fs::read_dir(outside).expect("folder").count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_says_so() {
        let scratch = tempfile::tempdir().expect("folder");
        let root = scratch.path().join("reports");
        fs::write(&root, "a file").expect("file");
        let refused = keep_file(&root, &Folder::default(), "x.csv", b"", Uuid::nil(), 1).expect_err("no folder");
        assert!(refused.contains("cannot be written") && refused.contains("reports.folder"), "{refused}");
    }
}
