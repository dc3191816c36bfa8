//! Changes of one or many updates: declines, run times, severities.

use anyhow::Result;
use clap::Args;
use reqwest::Method;
use weir_api::update_edit::{UpdatesChange, UpdatesChanged};

use crate::{connection::Connection, print::Printer};

#[derive(Args, Debug)]
struct Selected {
    /// GUIDs.
    #[arg(value_name = "ID", conflicts_with = "filter")]
    ids: Vec<uuid::Uuid>,
    /// Which updates instead, as in weir updates list.
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
    /// Change nothing, and show how many would be changed.
    #[arg(long)]
    preview: bool,
}

#[derive(Args, Debug)]
pub(crate) struct WhichArguments {
    #[command(flatten)]
    selected: Selected,
    /// Only those that a newer update supersedes.
    #[arg(long)]
    superseded: bool,
    /// With --superseded: for so many days, such as 90d.
    #[arg(long, value_name = "DAYS", requires = "superseded", value_parser = days)]
    older_than: Option<u32>,
}

#[derive(Args, Debug)]
pub(crate) struct SetArguments {
    #[command(flatten)]
    selected: Selected,
    /// Minutes that an installation may take, 5 to 9999, or default.
    #[arg(long, value_name = "MINUTES", value_parser = run_time)]
    run_time: Option<RunTime>,
    /// critical, important, moderate, low or none.
    #[arg(long, value_name = "SEVERITY", required_unless_present = "run_time")]
    severity: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum RunTime {
    Default,
    Minutes(u32),
}

fn run_time(text: &str) -> Result<RunTime, String> {
    if text.eq_ignore_ascii_case("default") {
        return Ok(RunTime::Default);
    }
    text.parse().map(RunTime::Minutes).map_err(|_| "give minutes from 5 to 9999, or default".to_owned())
}

fn days(text: &str) -> Result<u32, String> {
    text.strip_suffix('d').unwrap_or(text).parse().map_err(|_| "give days such as 90d".to_owned())
}

impl Selected {
    fn asked(self) -> UpdatesChange {
        UpdatesChange { ids: self.ids, filter: self.filter, preview: self.preview, ..UpdatesChange::default() }
    }
}

impl WhichArguments {
    pub(super) async fn change(self, declined: bool, connection: &Connection, printer: &Printer) -> Result<()> {
        let superseded_for_days = self.older_than.or(self.superseded.then_some(0));
        let change = UpdatesChange { declined: Some(declined), superseded_for_days, ..self.selected.asked() };
        changed(&change, if declined { "declined" } else { "no longer declined" }, connection, printer).await
    }
}

impl SetArguments {
    pub(super) async fn change(self, connection: &Connection, printer: &Printer) -> Result<()> {
        let (run_time_minutes, default_run_time) = match self.run_time {
            Some(RunTime::Minutes(minutes)) => (Some(minutes), false),
            Some(RunTime::Default) => (None, true),
            None => (None, false),
        };
        let change = UpdatesChange {
            run_time_minutes,
            default_run_time,
            custom_severity: self.severity,
            ..self.selected.asked()
        };
        changed(&change, "changed", connection, printer).await
    }
}

async fn changed(change: &UpdatesChange, done: &str, connection: &Connection, printer: &Printer) -> Result<()> {
    let answer: UpdatesChanged = connection.change(Method::POST, &["updates-change"], change).await?;
    printer.show(&answer, |page| {
        let would = if answer.preview { "would be " } else { "" };
        for update in &answer.samples {
            page.line(format!("{would}{done}: {} {}", update.id, update.name));
        }
        let more = answer.changed - answer.samples.len() as u64;
        if more > 0 {
            page.line(format!("... and {more} more"));
        }
        let before = answer.matched - answer.changed;
        page.line(format!("{} of {} updates {would}{done}; {before} are so already", answer.changed, answer.matched));
        if answer.left_out > 0 {
            let left_out = answer.left_out;
            page.line(format!("{left_out} categories and detectoids are left out: other updates need them"));
        }
    })
}
