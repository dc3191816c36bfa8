//! `weir exposure levels`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::exposure_level::{Levels, LevelsChange};

use crate::{
    commands::Nothing,
    connection::Connection,
    print::{Page, Printer, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum LevelsCommand {
    /// Show within how many days computers have to be fixed.
    #[command(after_help = "Example:\n  weir exposure levels show")]
    Show,
    /// Set days, 1 to 3650, or 0 for no level; what is not given stays.
    #[command(after_help = "Examples:\n  weir exposure levels set --critical 7 --exploited 3\n  \
                            weir exposure levels set --low 0\n  weir exposure levels set --proposed\n\n\
                            A clock starts at the later of publication and arrival of the first update here that fixes it. \
                            Known exploitation counts from when it became known, if that is later.")]
    Set(SetArguments),
}

#[derive(Args, Debug)]
pub(crate) struct SetArguments {
    /// Rated critical.
    #[arg(long, value_name = "DAYS")]
    critical: Option<u16>,
    /// Rated important (high).
    #[arg(long, value_name = "DAYS")]
    important: Option<u16>,
    /// Rated moderate (medium).
    #[arg(long, value_name = "DAYS")]
    moderate: Option<u16>,
    /// Rated low.
    #[arg(long, value_name = "DAYS")]
    low: Option<u16>,
    /// Neither rated nor scored.
    #[arg(long, value_name = "DAYS")]
    unrated: Option<u16>,
    /// Known to be exploited, whatever the rating.
    #[arg(long, value_name = "DAYS")]
    exploited: Option<u16>,
    /// So many days before the end it is due soon.
    #[arg(long, value_name = "DAYS")]
    due_soon: Option<u16>,
    /// Go back to the proposed days.
    #[arg(long, conflicts_with_all = ["critical", "important", "moderate", "low", "unrated", "exploited", "due_soon"])]
    proposed: bool,
}

pub(super) async fn run(command: LevelsCommand, connection: &Connection, printer: &Printer) -> Result<()> {
    let path = ["exposure", "levels"];
    let levels: Levels = match command {
        LevelsCommand::Show => connection.read(&path, &Nothing {}).await?,
        LevelsCommand::Set(arguments) if arguments.proposed => connection.call_method(Method::DELETE, &path).await?,
        LevelsCommand::Set(arguments) => {
            let change = LevelsChange {
                critical: arguments.critical,
                important: arguments.important,
                moderate: arguments.moderate,
                low: arguments.low,
                unrated: arguments.unrated,
                exploited: arguments.exploited,
                due_soon: arguments.due_soon,
            };
            connection.change(Method::PATCH, &path, &change).await?
        }
    };
    printer.show(&levels, |page| show(page, &levels))
}

fn show(page: &mut Page, levels: &Levels) {
    let days = |days: Option<u16>| days.map_or_else(|| "no level".to_owned(), |days| format!("{days} days"));
    page.field("critical", days(levels.critical));
    page.field("important", days(levels.important));
    page.field("moderate", days(levels.moderate));
    page.field("low", days(levels.low));
    page.field("unrated", days(levels.unrated));
    page.field("exploited", days(levels.exploited));
    page.field("due soon", format!("{} days before the end", levels.due_soon));
    if levels.proposed {
        page.line("These are proposals: nobody set service levels yet. Next: weir exposure levels set --critical DAYS");
    } else {
        page.field("changed", time_or(levels.changed_at, ""));
        page.field("by", levels.changed_by.as_deref().unwrap_or_default());
    }
}
