//! `weir exposure computers`.

use anyhow::Result;
use clap::Args;
use weir_api::exposure::{Computer, ComputerCve, ComputerCveQuery, ComputerQuery, CveComputer, Standing};

use super::{Narrowed, level, state};
use crate::{
    commands::Paging,
    connection::Connection,
    print::{Printer, time_or},
};

/// What stands below the help.
pub(super) const HELP: &str = "Examples:\n  weir exposure computers --level breached\n  \
    weir exposure computers --cve CVE-2024-21302 --state exposed --collection Servers\n  \
    weir exposure computers --computer 3b241101-e2bb-4255-8caf-4136c566a962 --json";

#[derive(Args, Debug)]
pub(crate) struct ComputersArguments {
    /// Where computers stand towards this vulnerability.
    #[arg(long, value_name = "CVE", conflicts_with = "computer")]
    cve: Option<String>,
    /// What this computer is exposed to.
    #[arg(long, value_name = "ID", conflicts_with = "collection")]
    computer: Option<String>,
    #[command(flatten)]
    narrowed: Narrowed,
    /// Computers of this collection and of those below it.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// Part of the name, id or address; with --computer, of the id or title of a vulnerability.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Order: breached, due_soon, excepted, exploited, exposed, fixed, name or no_data; with --cve: due, name or state; with --computer:
    /// cve, due, severity, state or title. With :asc or :desc.
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn run(arguments: ComputersArguments, connection: &Connection, printer: &Printer) -> Result<()> {
    let ComputersArguments { cve, computer, narrowed, collection, text, sort, paging } = arguments;
    let (wanted, wanted_level) = (narrowed.state(), narrowed.level());
    if let Some(id) = computer {
        let query = ComputerCveQuery { state: wanted, level: wanted_level, text, sort, ..ComputerCveQuery::default() };
        let list = paging.read::<ComputerCve>(connection, &["exposure", "computers", &id], &query).await?;
        return printer.show(&list, |page| {
            let rows = list.items.iter().map(|it| {
                let own = [it.cve.clone(), it.severity.clone().unwrap_or_default(), yes(it.exploited)];
                own.into_iter().chain(standing(&it.standing)).collect()
            });
            let header = ["CVE", "Severity", "Exploited", "State", "Level", "Due", "Because"];
            page.table(&header, rows.collect(), "No vulnerability is so.");
            page.more(list.next.as_deref());
        });
    }
    if let Some(cve) = cve {
        let query =
            ComputerQuery { state: wanted, level: wanted_level, text, collection, sort, ..ComputerQuery::default() };
        let path = ["exposure", "cves", &cve, "computers"];
        let list = paging.read::<CveComputer>(connection, &path, &query).await?;
        return printer.show(&list, |page| {
            let rows = list
                .items
                .iter()
                .map(|it| [it.name.clone(), it.id.clone()].into_iter().chain(standing(&it.standing)).collect());
            let header = ["Computer", "Id", "State", "Level", "Due", "Because"];
            page.table(&header, rows.collect(), "No computer is so.");
            page.more(list.next.as_deref());
        });
    }
    let query =
        ComputerQuery { state: wanted, level: wanted_level, text, collection, sort, ..ComputerQuery::default() };
    let list = paging.read::<Computer>(connection, &["exposure", "computers"], &query).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|it| {
            vec![
                it.name.clone(),
                it.id.clone(),
                it.cves.exposed.to_string(),
                it.exploited.to_string(),
                it.levels.breached.to_string(),
                it.levels.due_soon.to_string(),
                it.levels.excepted.to_string(),
                it.cves.no_data.to_string(),
            ]
        });
        let header = ["Computer", "Id", "Exposed", "Exploited", "Breached", "Due soon", "Excepted", "No data"];
        let empty = if wanted.is_none() && wanted_level.is_none() && query.text.is_none() {
            "No computers yet. Next: weir policy"
        } else {
            NO_COMPUTER
        };
        page.table(&header, rows.collect(), empty);
        page.more(list.next.as_deref());
    })
}

const NO_COMPUTER: &str = "No computer is so. What is known: weir exposure summary";

fn yes(flag: bool) -> String {
    if flag { "yes" } else { "" }.to_owned()
}

fn standing(it: &Standing) -> [String; 4] {
    let update = it.update.as_ref().map(|update| format!(": {}", update.name)).unwrap_or_default();
    [state(it.state).to_owned(), level(it.level).to_owned(), time_or(it.due_at, ""), format!("{}{update}", it.text)]
}
