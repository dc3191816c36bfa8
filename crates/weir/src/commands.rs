//! One module per resource: what its commands take, call and print.

pub(crate) mod admin;
pub(crate) mod agent;
pub(crate) mod alerts;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod bundle;
pub(crate) mod cleanup;
pub(crate) mod client_settings;
pub(crate) mod collections;
pub(crate) mod completions;
pub(crate) mod compliance;
pub(crate) mod computers;
pub(crate) mod content;
pub(crate) mod criteria;
pub(crate) mod deployments;
pub(crate) mod doctor;
pub(crate) mod downstream;
pub(crate) mod export;
pub(crate) mod exposure;
pub(crate) mod groups;
pub(crate) mod import;
mod import_bundle;
pub(crate) mod lab;
pub(crate) mod messages;
pub(crate) mod migrate;
pub(crate) mod phased;
pub(crate) mod policy;
pub(crate) mod reports;
pub(crate) mod restore;
pub(crate) mod rules;
pub(crate) mod schedule;
pub(crate) mod searches;
pub(crate) mod selection;
pub(crate) mod serve;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod simulate;
pub(crate) mod sites;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod tls;
pub(crate) mod tokens;
pub(crate) mod updates;
pub(crate) mod users;
pub(crate) mod windows;

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use weir_api::List;

use crate::{
    Outcome,
    cli::{Cli, Command},
    connection::Connection,
    print::Printer,
};

/// Runs one command.
pub(crate) fn run(cli: Cli, printer: &Printer) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match cli.command {
        Command::Admin(admin::AdminCommand::Reset { config, database }) => {
            runtime.block_on(admin::reset(cli.data, config, database, printer))
        }
        Command::Backup(command) => runtime.block_on(backup::run(cli.data, command, printer)),
        Command::Doctor(arguments) => doctor::run(cli.data, arguments, &runtime, printer),
        Command::Migrate(arguments) => migrate::run(&runtime, cli.data, arguments, printer),
        Command::Restore(arguments) => restore::run(cli.data, arguments, &runtime, printer),
        Command::Serve(arguments) => runtime.block_on(serve::run(cli.data, arguments)),
        Command::Agent(command) => agent::run(command, &runtime, printer),
        Command::Bench(arguments) => runtime.block_on(bench::run(arguments, printer)),
        Command::Lab(arguments) => runtime.block_on(lab::run(arguments, printer, cli.json)),
        Command::BenchLoad => bench::run_load(),
        Command::BenchServer => runtime.block_on(bench::run_server(cli.data)),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Simulate(arguments) => runtime.block_on(simulate::run(arguments, printer)),
        command => {
            let connection = Connection::open(cli.data.as_deref())?;
            runtime.block_on(call(command, &connection, printer))
        }
    }
}

async fn call(command: Command, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        Command::Admin(command) => admin::run(command, connection, printer).await,
        Command::Alerts(command) => alerts::run(command, connection, printer).await,
        Command::Approvals(command) => approvals::run(command, connection, printer).await,
        Command::Audit(command) => audit::run(command, connection, printer).await,
        Command::Bundle(command) => bundle::run(command, connection, printer).await,
        Command::Classifications(command) => {
            selection::run(selection::Kind::Classifications, command, connection, printer).await
        }
        Command::ClientSettings(command) => client_settings::run(command, connection, printer).await,
        Command::Collections(command) => collections::run(command, connection, printer).await,
        Command::Compliance(command) => compliance::run(command, connection, printer).await,
        Command::Computers(command) => computers::run(command, connection, printer).await,
        Command::Content(command) => content::run(command, connection, printer).await,
        Command::Cleanup(command) => cleanup::run(command, connection, printer).await,
        Command::Criteria(command) => criteria::run(command, connection, printer).await,
        Command::Deployments(command) => deployments::run(command, connection, printer).await,
        Command::Downstream(command) => downstream::run(command, connection, printer).await,
        Command::Groups(command) => groups::run(command, connection, printer).await,
        Command::Export(arguments) => export::run(arguments, connection, printer).await,
        Command::Exposure(command) => exposure::run(command, connection, printer).await,
        Command::Import(arguments) => import::run(arguments, connection, printer).await,
        Command::Languages(command) => selection::languages(command, connection, printer).await,
        Command::Messages(command) => messages::run(command, connection, printer).await,
        Command::Phased(command) => phased::run(command, connection, printer).await,
        Command::Reports(command) => reports::run(command, connection, printer).await,
        Command::Rules(command) => rules::run(command, connection, printer).await,
        Command::Policy(command) => policy::run(command, connection, printer).await,
        Command::Products(command) => selection::run(selection::Kind::Products, command, connection, printer).await,
        Command::Schedule(command) => schedule::run(command, connection, printer).await,
        Command::Searches(command) => searches::run(command, connection, printer).await,
        Command::Sessions(command) => sessions::run(command, connection, printer).await,
        Command::Settings(command) => settings::run(command, connection, printer).await,
        Command::Sites(command) => sites::run(command, connection, printer).await,
        Command::Status => status::run(connection, printer).await,
        Command::Sync(command) => sync::run(command, connection, printer).await,
        Command::Tls(command) => tls::run(command, connection, printer).await,
        Command::Tokens(command) => tokens::run(command, connection, printer).await,
        Command::Updates(command) => updates::run(command, connection, printer).await,
        Command::Users(command) => users::run(command, connection, printer).await,
        Command::Windows(command) => windows::run(command, connection, printer).await,
        Command::Agent(_)
        | Command::Backup(_)
        | Command::Bench(_)
        | Command::BenchLoad
        | Command::BenchServer
        | Command::Completions(_)
        | Command::Doctor(_)
        | Command::Lab(_)
        | Command::Migrate(_)
        | Command::Restore(_)
        | Command::Serve(_)
        | Command::Simulate(_) => Ok(Outcome::Failed),
    }
}

/// How much of a list to show.
#[derive(Args, Clone, Debug)]
pub(crate) struct Paging {
    /// Show at most this many entries.
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "all")]
    limit: u64,
    /// Show every entry.
    #[arg(long)]
    all: bool,
    /// Go on where a list ended: its "next".
    #[arg(long, value_name = "NEXT")]
    cursor: Option<String>,
}

/// Largest page that the server gives.
const PAGE: u64 = 1000;

/// A query, without cursor and limit of its own, with the page it asks for.
#[derive(Serialize)]
struct Paged<'a, Q> {
    #[serde(flatten)]
    query: &'a Q,
    cursor: Option<&'a str>,
    limit: u64,
}

impl Paging {
    /// Everything.
    fn all() -> Self {
        Self { limit: 0, all: true, cursor: None }
    }

    /// Reads pages of a list until there are enough entries.
    async fn read<T: DeserializeOwned>(
        &self,
        connection: &Connection,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<List<T>> {
        let mut all = List { items: Vec::new(), next: self.cursor.clone() };
        loop {
            let limit = self.room(all.items.len());
            let paged = Paged { query, cursor: all.next.as_deref(), limit };
            let page: List<T> = connection.read(path, &paged).await?;
            all.items.extend(page.items);
            all.next = page.next;
            if all.next.is_none() || self.room(all.items.len()) == 0 {
                return Ok(all);
            }
        }
    }

    /// The same of a list that says more than its entries: what its first page says of all of them stays. `parts` are its entries
    /// and its `next`.
    async fn whole<L: DeserializeOwned, T>(
        &self,
        connection: &Connection,
        path: &[&str],
        query: &impl Serialize,
        parts: fn(&mut L) -> (&mut Vec<T>, &mut Option<String>),
    ) -> Result<L> {
        let paged = Paged { query, cursor: self.cursor.as_deref(), limit: self.room(0) };
        let mut all: L = connection.read(path, &paged).await?;
        loop {
            let (items, next) = parts(&mut all);
            let limit = self.room(items.len());
            if next.is_none() || limit == 0 {
                return Ok(all);
            }
            let paged = Paged { query, cursor: next.as_deref(), limit };
            let mut page: L = connection.read(path, &paged).await?;
            let (more, after) = parts(&mut page);
            items.append(more);
            *next = after.take();
        }
    }

    /// How many entries the next page may have.
    fn room(&self, have: usize) -> u64 {
        if self.all { PAGE } else { self.limit.saturating_sub(have as u64).min(PAGE) }
    }
}

/// A query without parameters.
#[derive(Debug, Deserialize, Serialize)]
struct Nothing {}

/// Names of references, joined; the id of what has none.
fn names(references: &[weir_api::Reference]) -> String {
    let name = |reference: &weir_api::Reference| match reference.name.trim() {
        // it is not in the catalogue
        "" => reference.id.to_string(),
        name => name.to_owned(),
    };
    references.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Knowledge base articles as administrators write them.
fn kb(articles: &[String]) -> String {
    articles.iter().map(|article| format!("KB{article}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use weir_api::computer::ComputerQuery;

    use super::*;

    #[test]
    fn queries_become_parameters_without_absent_ones() {
        let query = ComputerQuery { collection: Some("A & B".into()), ..ComputerQuery::default() };
        let paged = Paged { query: &query, cursor: None, limit: 7 };
        let request = reqwest::Client::new().get("http://localhost/").query(&paged).build().expect("a request");
        assert_eq!(request.url().query(), Some("collection=A+%26+B&limit=7"));
        let request = reqwest::Client::new().get("http://localhost/").query(&Nothing {}).build().expect("a request");
        assert_eq!(request.url().query().unwrap_or_default(), "");
    }

    #[test]
    fn pages_ask_for_what_is_left() {
        let paging = |limit, all| Paging { limit, all, cursor: None };
        assert_eq!(paging(100, false).room(0), 100);
        assert_eq!(paging(2500, false).room(2000), 500);
        assert_eq!(paging(2500, false).room(0), 1000);
        assert_eq!(paging(100, true).room(5000), 1000);
    }
}
