//! `weir schedule`.

use anyhow::Result;
use clap::Subcommand;
use jiff::tz::TimeZone;
use reqwest::Method;
use weir_api::sync::{Schedule, ScheduleChange};

use super::Nothing;
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer},
};

const FORMS: &str = "Forms:\n  every N hours|days|weeks|months, daily, weekly [DAYS], monthly DAY|NTH WEEKDAY [+-N]\n  \
                     then at HH:MM, and if wanted from YYYY-MM-DD and a time zone\n\n\
                     Examples:\n  weir schedule set \"every 7 days at 02:00\"\n  weir schedule set \"every 6 hours\"\n  \
                     weir schedule set \"weekly monday,thursday at 22:30\"\n  \
                     weir schedule set \"monthly 31 at 02:00\"\n  \
                     weir schedule set \"monthly second tuesday +1 at 02:00 Europe/Amsterdam\"\n\n\
                     The 31st is the last day of shorter months. A time that the clocks leave out comes at the end of the \
                     gap, one that comes twice runs once. Without a zone the site's holds: weir settings set \
                     site.time_zone ZONE.";

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Show when synchronization runs by itself, with the next times.
    #[command(after_help = "Examples:\n  weir schedule show\n  weir schedule show --json")]
    Show,
    /// Set when synchronization runs by itself.
    #[command(after_help = FORMS)]
    Set {
        /// The schedule; quotation marks may be left out.
        #[arg(required = true, num_args = 1.., allow_hyphen_values = true, value_name = "SCHEDULE")]
        text: Vec<String>,
    },
    /// Run it only when an administrator starts it.
    #[command(after_help = "Examples:\n  weir schedule off")]
    Off,
}

pub(crate) async fn run(command: ScheduleCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let path = ["sync", "schedule"];
    let schedule: Schedule = match command {
        ScheduleCommand::Show => connection.read(&path, &Nothing {}).await?,
        ScheduleCommand::Set { text } => {
            connection.change(Method::PUT, &path, &ScheduleChange { text: text.join(" ") }).await?
        }
        ScheduleCommand::Off => connection.call_method(Method::DELETE, &path).await?,
    };
    printer.show(&schedule, |page| show(page, &schedule))?;
    Ok(Outcome::Done)
}

fn show(page: &mut Page, schedule: &Schedule) {
    page.line(format!("{}.", schedule.description));
    page.field("schedule", &schedule.text);
    if schedule.next.is_empty() {
        if schedule.text == "off" {
            page.line("Next: weir schedule set \"every 7 days at 02:00\", or weir sync now");
        }
        return;
    }
    page.field("zone", &schedule.zone);
    // the times are those of the schedule's zone, not of this machine's
    let zone = TimeZone::get(&schedule.zone).unwrap_or_else(|_| TimeZone::system());
    for (at, label) in schedule.next.iter().zip(["next times"].into_iter().chain(std::iter::repeat(""))) {
        page.field(label, at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M %Z"));
    }
}
