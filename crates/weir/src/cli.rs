//! The arguments. What a command takes stands beside what it does, below [`crate::commands`].

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    admin::AdminCommand,
    agent::AgentCommand,
    alerts::AlertsCommand,
    approvals::ApprovalsCommand,
    audit::AuditCommand,
    backup::BackupCommand,
    bench::BenchArguments,
    bundle::BundleCommand,
    cleanup::CleanupCommand,
    client_settings::ClientSettingsCommand,
    collections::CollectionsCommand,
    completions::CompletionsArguments,
    compliance::ComplianceCommand,
    computers::ComputersCommand,
    content::ContentCommand,
    criteria::CriteriaCommand,
    deployments::DeploymentsCommand,
    doctor::DoctorArguments,
    downstream::DownstreamCommand,
    export::ExportArguments,
    exposure::ExposureCommand,
    groups::GroupsCommand,
    import::ImportArguments,
    lab::LabArguments,
    messages::MessagesCommand,
    migrate::MigrateArguments,
    phased::PhasedCommand,
    policy::PolicyCommand,
    reports::ReportsCommand,
    restore::RestoreArguments,
    rules::RulesCommand,
    schedule::ScheduleCommand,
    searches::SearchesCommand,
    selection::{LanguagesCommand, SelectionCommand},
    serve::ServeArguments,
    sessions::SessionsCommand,
    settings::SettingsCommand,
    simulate::SimulateArguments,
    sites::SitesCommand,
    sync::SyncCommand,
    tls::TlsCommand,
    tokens::TokensCommand,
    updates::UpdatesCommand,
    users::UsersCommand,
    windows::WindowsCommand,
};

/// An open software update point: serves updates to Windows Update Agents, decides what each computer is offered, and
/// shows which updates computers need.
#[derive(Debug, Parser)]
#[command(
    name = "weir",
    version,
    arg_required_else_help = true,
    after_help = "Start with `weir serve`, then in another terminal `weir status`.\n\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done (some files of an\nimport or upload were rejected, parts of a bundle are missing), or weir doctor found something."
)]
pub(crate) struct Cli {
    /// Data folder of the server. Without it WEIR_URL, WEIR_TOKEN and WEIR_CA (a PEM file) name a server, else WEIR_DATA
    /// the folder, else it is ./weir-data.
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(crate) data: Option<PathBuf>,

    /// Print JSON instead of tables; a failure as {"problem": {"code", "detail", "next_step"}}.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a software update point.
    Serve(ServeArguments),
    /// See all of it at work on this machine: servers, a tree of sites, modelled computers.
    Lab(LabArguments),
    /// Show what the server holds, where it listens and what to do next.
    #[command(after_help = "Examples:\n  weir status\n  weir status --json")]
    Status,
    /// Import update metadata: a wsusutil package (.cab), a Weir bundle, or folders of update documents.
    Import(ImportArguments),
    /// Export the catalogue for a site without a network: a wsusutil package (.cab) or a signed Weir bundle.
    Export(ExportArguments),
    /// Bundles from and for sites without a network: keys, trust, what came.
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Files of updates: add, check, fetch, clean up.
    #[command(subcommand)]
    Content(ContentCommand),
    /// Products to synchronize.
    #[command(subcommand)]
    Products(SelectionCommand),
    /// Classifications to synchronize.
    #[command(subcommand)]
    Classifications(SelectionCommand),
    /// Languages to synchronize.
    #[command(subcommand)]
    Languages(LanguagesCommand),
    /// Rules by which updates are skipped or declined.
    #[command(subcommand)]
    Criteria(CriteriaCommand),
    /// Keep the catalogue clean: decline what is superseded, remove what nobody needs.
    #[command(subcommand)]
    Cleanup(CleanupCommand),
    /// Synchronization: start, follow, stop.
    #[command(subcommand)]
    Sync(SyncCommand),
    /// When synchronization runs by itself.
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// The catalogue: list, show, decline.
    #[command(subcommand)]
    Updates(UpdatesCommand),
    /// Saved searches over updates.
    #[command(subcommand)]
    Searches(SearchesCommand),
    /// Collections of computers (WSUS: target groups).
    #[command(subcommand)]
    Collections(CollectionsCommand),
    /// Update groups: lists of updates that are deployed as one.
    #[command(subcommand)]
    Groups(GroupsCommand),
    /// Deployments (WSUS: approvals): which update goes to which collection.
    #[command(subcommand)]
    Deployments(DeploymentsCommand),
    /// Maintenance windows: when computers of a collection may install.
    #[command(subcommand)]
    Windows(WindowsCommand),
    /// Automatic deployment rules: what is deployed by itself, when, and to whom.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Phased deployments: one collection after another, with gates between.
    #[command(subcommand)]
    Phased(PhasedCommand),
    /// Servers that synchronize from this one.
    #[command(subcommand)]
    Downstream(DownstreamCommand),
    /// Computers that scan here.
    #[command(subcommand)]
    Computers(ComputersCommand),
    /// Who needs what.
    #[command(subcommand)]
    Compliance(ComplianceCommand),
    /// Which computers are open to which vulnerability: CVE data, service levels, exceptions.
    #[command(subcommand)]
    Exposure(ExposureCommand),
    /// Reports: named questions with a table as the answer, now or by schedule.
    #[command(subcommand)]
    Reports(ReportsCommand),
    /// Settings of this site.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// What agents of computers are told: sets of settings, deployed to collections.
    #[command(subcommand)]
    ClientSettings(ClientSettingsCommand),
    /// Windows policy: point computers at a site, and find what keeps them from it.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Certificates of the listeners: what is shown, what clients make of it, and who comes without TLS.
    #[command(subcommand)]
    Tls(TlsCommand),
    /// The tree of sites: servers below this one.
    #[command(subcommand)]
    Sites(SitesCommand),
    /// What an administrator should see to, and who is told of it.
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// What happened at this site.
    #[command(subcommand)]
    Messages(MessagesCommand),
    /// Links that sign the built-in administrator in.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Who may do what: users, their roles and collections.
    #[command(subcommand)]
    Users(UsersCommand),
    /// API tokens for programs.
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Sessions of the console.
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Acts that wait for a second person.
    #[command(subcommand)]
    Approvals(ApprovalsCommand),
    /// What was changed by whom.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Backups: make, list, follow, verify. Made while the server runs, or of a folder whose server does not.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Restore a backup into a data folder that no server uses.
    Restore(RestoreArguments),
    /// Look for damage in a data folder, whether its server runs or not.
    Doctor(DoctorArguments),
    /// Move a site from the database in its data folder to PostgreSQL.
    Migrate(MigrateArguments),
    /// The client side, without Windows: what a computer is like, as files and disks tell.
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Simulate a fleet of Windows computers against a server: load, with figures.
    Simulate(SimulateArguments),
    /// Measure this program on this machine: figures as ratios against stated baselines.
    Bench(BenchArguments),
    /// The load generator of `bench`: reads commands from standard input.
    #[command(hide = true)]
    BenchLoad,
    /// The measured server of `bench`.
    #[command(hide = true)]
    BenchServer,
    /// Print the completion script of a shell, or the manual pages.
    Completions(CompletionsArguments),
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn document(name: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Splits as a shell does, as far as the documents need it: without remarks, and without where the output goes.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for character in line.chars() {
            match (quote, character) {
                (None, '#' | '>') if words.last().is_some_and(String::is_empty) => break,
                (None, '\'' | '"') => quote = Some(character),
                (Some(open), _) if open == character => quote = None,
                (None, ' ') => words.push(String::new()),
                _ => words.last_mut().expect("one at least").push(character),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    /// The guides below a folder.
    fn guides(folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        for entry in std::fs::read_dir(path).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().expect("a type").is_dir() {
                found.extend(guides(&name));
            } else {
                found.push(name);
            }
        }
        found.sort();
        found
    }

    #[test]
    fn every_command_in_the_documents_exists() {
        let mut count = 0;
        for name in guides("docs").into_iter().chain(["README.md".to_owned()]) {
            let text = document(&name);
            let mut inside = false;
            for line in text.lines() {
                inside ^= line.starts_with("```");
                let line = line.strip_prefix("sudo -u weir ").unwrap_or(line);
                if !inside || !line.starts_with("weir ") {
                    continue;
                }
                count += 1;
                let parsed = Cli::try_parse_from(words(line));
                assert!(parsed.is_ok(), "{name}: {line}: {}", parsed.expect_err("just seen"));
            }
        }
        assert!(count > 300, "only {count} commands were found");
    }

    #[test]
    fn every_variable_is_documented() {
        let text = document("docs/operations.md");
        for variable in weir_server::config::VARIABLES {
            assert!(text.contains(variable.name), "{} is not in docs/operations.md", variable.name);
            assert!(text.contains(variable.key), "{} is not in docs/operations.md", variable.key);
        }
    }

    #[test]
    fn arguments_are_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
