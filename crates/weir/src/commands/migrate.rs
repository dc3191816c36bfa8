//! `weir migrate`.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;
use clap::Args;
use tokio::runtime::Runtime;
use weir_server::{
    Options, start,
    transfer::{self, Phase, Progress as Told, Transferred},
};

use super::backup::refused;
use crate::{
    Outcome,
    print::{Page, Printer, bytes},
    progress::Progress,
};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  weir migrate --from /var/lib/weir --to postgres://weir@db.example.org/weir?sslmode=verify-full --dry-run\n  \
                        weir migrate --from /var/lib/weir --config /etc/weir/weir.toml\n  \
                        weir migrate --from /var/lib/weir --to postgres://weir@/weir?host=/run/postgresql --json\n\n\
                        Stop the server before, and run it as the server's user. The database must be there, and empty; the password is \
                        that of the address, of database.password_file, of PGPASSWORD or of ~/.pgpass. All tables are copied in one \
                        transaction, read again and compared before it ends; what is interrupted leaves nothing. The data folder stays as \
                        it is. Back leads a backup (weir backup create) that is restored without --database. See docs/postgresql.md."
)]
pub(crate) struct MigrateArguments {
    /// Data folder of the site that is moved [default: as with --data].
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Address of the database that it goes to, as postgres://USER@HOST/NAME [default: database.url of the configuration file].
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Change nothing: read everything, and look whether the database can take it.
    #[arg(long)]
    dry_run: bool,
    /// Configuration file that the server uses [default: weir.toml of the data folder].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Moves a site; Ctrl-C is heard on the runtime.
pub(crate) fn run(
    runtime: &Runtime,
    data: Option<PathBuf>,
    arguments: MigrateArguments,
    printer: &Printer,
) -> Result<Outcome> {
    let MigrateArguments { from, to, dry_run, config } = arguments;
    let options = Options { data: from.or(data), config, database: to, ..Options::default() };
    let settings = start::settings(&options)?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let listening = runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
        }
    });
    let mut bar = Bar::default();
    let moved = transfer::transfer(&settings, dry_run, &mut |told| {
        bar.show(&told);
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    listening.abort();
    drop(bar);
    let moved = moved.map_err(|error| refused(&error.failure()))?;
    printer.show(&moved, |page| show(page, &moved))?;
    Ok(Outcome::Done)
}

/// How far the work is, phase by phase.
#[derive(Default)]
struct Bar(Option<(Phase, Progress)>);

impl Bar {
    fn show(&mut self, told: &Told<'_>) {
        if self.0.as_ref().is_none_or(|(phase, _)| *phase != told.phase) {
            // the last one disappears before the next one is there
            self.0 = None;
            self.0 = Some((told.phase, Progress::of_bytes(verb(told.phase), told.bytes_total)));
        }
        if let Some((_, progress)) = &mut self.0
            && told.bytes_total > 0
        {
            progress.set(told.bytes, told.bytes_total);
        }
    }
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Looking => "reading",
        Phase::Copying => "copying",
        Phase::Finishing => "checking references",
        Phase::Comparing => "comparing",
    }
}

fn show(page: &mut Page, moved: &Transferred) {
    let tables = &moved.moved.tables;
    let rows = tables.iter().filter(|table| table.rows > 0).map(|table| {
        let digest: String = table.digest.chars().take(16).collect();
        let compared = if moved.moved.compared { "equal" } else { "" };
        vec![table.name.clone(), table.rows.to_string(), bytes(table.bytes), digest, compared.to_owned()]
    });
    page.table(&["Table", "Rows", "Bytes", "Digest", "Both sides"], rows.collect(), "No table has a row.");
    page.line("");
    page.field("from", &moved.moved.from);
    page.field("to", &moved.moved.to);
    page.field("schema", moved.moved.schema_version);
    let empty = tables.iter().filter(|table| table.rows == 0).count();
    page.field(
        "in all",
        format!(
            "{} rows, {}, in {} tables; {empty} tables have none; {} s",
            moved.rows,
            bytes(moved.bytes),
            tables.len() - empty,
            moved.seconds
        ),
    );
    for text in &moved.moved.replaced {
        page.line(format!(
            "warning: {} rows of {}.{} have the character U+0000, which PostgreSQL cannot keep: U+FFFD stands for it",
            text.rows, text.table, text.column
        ));
    }
    if moved.dry_run {
        page.line("Nothing was changed. Without --dry-run it is moved.");
        return;
    }
    page.line("All of it is there, and was compared. Nothing was changed in the data folder.");
    page.line("");
    page.line("Next:");
    for step in &moved.next_steps {
        page.line(format!("* {step}"));
    }
}
