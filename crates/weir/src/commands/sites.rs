//! `weir sites`.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use weir_api::site::{
    ConfigurationState, EnrolmentCode, EnrolmentRequest, LeaveQuery, Left, Point, PointProgress, Site, SiteCreate,
    SiteCreated, SiteKind, SyncState,
};

use super::{Nothing, Paging, sync::duration};
use crate::{
    Outcome,
    connection::{Connection, answer},
    print::{Page, Printer, time, time_or},
};

/// What a site is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// The top of a tree with several primary sites: this server.
    Central,
    /// Has computers; below a central site.
    Primary,
    /// For thin links; below a primary site.
    Secondary,
    /// A further update point of the site that it stands below.
    Replica,
}

impl From<Kind> for SiteKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Central => Self::Central,
            Kind::Primary => Self::Primary,
            Kind::Replica => Self::Replica,
            Kind::Secondary => Self::Secondary,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum SitesCommand {
    /// List the sites of the tree with the state of their update points.
    #[command(after_help = "Examples:\n  weir sites list\n  weir sites list --json")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one site.
    Show {
        /// Name or id.
        name: String,
    },
    /// Define a site, at the top of the tree. The first one below decides what this server is: with a primary site below
    /// it, it is the central site, else a stand-alone primary site.
    #[command(
        after_help = "Examples:\n  weir sites add HQ --kind central\n  weir sites add EMEA --kind primary\n  weir sites add \
                      OSLO --kind secondary --under EMEA"
    )]
    Add {
        /// Its name: letters, digits and . _ -, unique without regard to case.
        name: String,
        /// What it is.
        #[arg(long)]
        kind: Kind,
        /// Name or id of the site above it; this server by default.
        #[arg(long, value_name = "NAME", conflicts_with = "here")]
        under: Option<String>,
        /// It is this server itself: names the top, and makes a central or a stand-alone primary site of it.
        #[arg(long)]
        here: bool,
    },
    /// Make a code that a server enrols with: once, within 24 hours. A code made before for the site is void then.
    #[command(after_help = "On the new server:\n  weir serve --enrol CODE\n\nExample:\n  weir sites enrol EMEA")]
    Enrol {
        /// Name or id of a site directly below this server.
        name: String,
        /// Where the new server reaches this one, as https://HOST:PORT, in place of what this server knows itself.
        #[arg(long = "address", value_name = "URL")]
        addresses: Vec<String>,
    },
    /// Remove a site, at the top of the tree. Its server is shut out at once.
    Remove {
        /// Name or id.
        name: String,
    },
    /// Take this server out of the tree above it. What came from there stays, and is its own from then on.
    #[command(after_help = "Examples:\n  weir sites leave\n  weir sites leave --force")]
    Leave {
        /// Although servers are enrolled below this one (the top is lost, for example): the tree below is forgotten, too, and
        /// its servers are shut out until they enrol again.
        #[arg(long)]
        force: bool,
    },
}

pub(crate) async fn run(command: SitesCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        SitesCommand::List { paging } => {
            let list = paging.read::<Site>(connection, &["sites"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let now = Timestamp::now();
                let rows = list.items.iter().map(|site| row(site, now)).collect();
                page.table(
                    &[
                        "Site",
                        "Kind",
                        "Configuration",
                        "Synchronization",
                        "Since",
                        "Catalogue",
                        "Last contact",
                        "Problem",
                    ],
                    rows,
                    "No sites. Next: weir sites add NAME --kind primary",
                );
                page.more(list.next.as_deref());
                if let [only] = list.items.as_slice() {
                    if only.here && only.under.is_none() {
                        let below =
                            if only.kind == SiteKind::Central { SiteKind::Primary } else { SiteKind::Secondary };
                        page.line(format!(
                            "This server stands alone. A site below it: weir sites add NAME --kind {below}"
                        ));
                    }
                }
            })?;
        }
        SitesCommand::Show { name } => {
            let site: Site = connection.read(&["sites", &name], &Nothing {}).await?;
            printer.show(&site, |page| show(page, &site))?;
        }
        SitesCommand::Add { name, kind, under, here } => {
            let new = SiteCreate { name, kind: kind.into(), under, here };
            let created: SiteCreated = connection.change(Method::POST, &["sites"], &new).await?;
            printer.show(&created, |page| {
                match &created.under {
                    Some(above) => page.line(format!("added {} ({}) below {}", created.name, created.kind, above.name)),
                    None => page.line(format!("added {} ({})", created.name, created.kind)),
                }
                if let Some(note) = &created.note {
                    page.line(note);
                }
                page.line(format!("next: {}", created.next_step));
            })?;
        }
        SitesCommand::Enrol { name, addresses } => {
            let request = EnrolmentRequest { addresses };
            let code: EnrolmentCode = connection.change(Method::POST, &["sites", &name, "enrolment"], &request).await?;
            printer.show(&code, |page| {
                page.line(format!("On the server of {}, once, before {}:", code.site.name, time(code.expires_at)));
                page.line("");
                page.line(format!("  {}", code.command));
                page.line("");
                page.line(format!("It reaches this server at {}.", code.addresses.join(", ")));
                page.line("The code is a secret. Other addresses: --address https://HOST:PORT");
                if code.replaces {
                    page.line("The site has a server already; it is shut out when the new one enrols.");
                }
            })?;
        }
        SitesCommand::Remove { name } => {
            connection.delete(&["sites", &name]).await?;
            printer.done(&format!("removed {name}"))?;
        }
        SitesCommand::Leave { force } => {
            let request = connection.request(Method::DELETE, &["parent"])?.query(&LeaveQuery { force });
            let left: Left = answer(connection.send(request).await?).await?;
            printer.show(&left, |page| {
                page.line(format!("left {}", left.parent));
                page.line(&left.note);
            })?;
        }
    }
    Ok(Outcome::Done)
}

fn row(site: &Site, now: Timestamp) -> Vec<String> {
    let point = site.point.as_ref();
    let name = format!("{}{}{}", "  ".repeat(site.depth as usize), site.name, if site.here { " *" } else { "" });
    vec![
        name,
        site.kind.to_string(),
        configured(site),
        point.map(synchronization).unwrap_or_default(),
        time_or(point.and_then(|point| point.sync.at), ""),
        point.map(|point| version(point, site.behind)).unwrap_or_default(),
        last_contact(site, now),
        point.and_then(|point| point.sync.error.clone()).unwrap_or_default().chars().take(60).collect(),
    ]
}

fn configuration(state: ConfigurationState) -> &'static str {
    match state {
        ConfigurationState::Configured => "configured",
        ConfigurationState::Defined => "no server yet",
        ConfigurationState::Invited => "code waits",
        ConfigurationState::Pending => "pending",
        ConfigurationState::Refused => "refused",
        ConfigurationState::Unknown => "not known here",
    }
}

/// The same, with whether it has what the site above decided.
fn configured(site: &Site) -> String {
    let state = configuration(site.configuration);
    match site.point.as_ref().and_then(|point| point.drift.as_deref()) {
        None => state.to_owned(),
        Some([]) => format!("{state}, in step"),
        Some(_) => format!("{state}, drifted"),
    }
}

fn decisions(point: &Point) -> String {
    match point.drift.as_deref() {
        None => String::new(),
        Some([]) => "in step with the site above".to_owned(),
        Some(kinds) => format!("drifted from the site above: {} (see its log)", kinds.join(", ")),
    }
}

/// A server tells of itself, and of those below it, at least once a minute: after so long something is wrong.
const SILENT: SignedDuration = SignedDuration::from_mins(3);

fn last_contact(site: &Site, now: Timestamp) -> String {
    match (site.configuration, site.last_contact) {
        _ if site.here => "this server".to_owned(),
        // it never calls here, whatever it does
        (ConfigurationState::Unknown, at) => time_or(at, ""),
        (_, None) => "never".to_owned(),
        (_, Some(at)) => match now.duration_since(at) {
            quiet if quiet >= SILENT => format!("not heard of for {}", since(quiet)),
            _ if site.connected == Some(true) => "connected".to_owned(),
            _ => time(at),
        },
    }
}

/// A while in one unit.
fn since(quiet: SignedDuration) -> String {
    match quiet.as_secs() / 60 {
        minutes @ ..120 => format!("{minutes} min"),
        minutes @ 120..2_880 => format!("{} h", minutes / 60),
        minutes => format!("{} days", minutes / 1_440),
    }
}

fn synchronization(point: &Point) -> String {
    let percent = point.sync.percent.map(|percent| format!(" {percent:.0} %")).unwrap_or_default();
    match point.sync.state {
        SyncState::Never => "never".to_owned(),
        SyncState::Started => "started".to_owned(),
        SyncState::Metadata | SyncState::Storing => {
            let phase = point.sync.phase.as_deref().unwrap_or("running");
            format!("{phase}{percent}{}", point.sync.progress.as_ref().map(pace).unwrap_or_default())
        }
        SyncState::Replicas => "replicas".to_owned(),
        SyncState::Done if point.sync.warnings > 0 => "done, with warnings".to_owned(),
        SyncState::Done => "done".to_owned(),
        SyncState::Failed => "failed".to_owned(),
        SyncState::Cancelled => "cancelled".to_owned(),
    }
}

/// How fast it goes, and how long it takes yet.
fn pace(progress: &PointProgress) -> String {
    let left = progress.seconds_left.map(|left| format!(", {} left", duration(left as f64))).unwrap_or_default();
    if progress.per_second > 0 { format!(", {}/s{left}", progress.per_second) } else { left }
}

fn version(point: &Point, behind: bool) -> String {
    match point.catalogue_version {
        0 => "none".to_owned(),
        version if behind => format!("{version}, behind"),
        version => version.to_string(),
    }
}

fn show(page: &mut Page, site: &Site) {
    page.field("name", &site.name);
    page.field("id", site.id);
    page.field("kind", site.kind);
    page.field("below", site.under.as_ref().map(|above| above.name.clone()).unwrap_or_default());
    page.field("configuration", configuration(site.configuration));
    page.field("code until", time_or(site.code_expires_at, ""));
    page.field("enrolled", time_or(site.enrolled_at, ""));
    page.field("connected", site.connected.map(|yes| if yes { "yes" } else { "no" }).unwrap_or_default());
    page.field("last contact", last_contact(site, Timestamp::now()));
    let Some(point) = &site.point else {
        page.line(match site.configuration {
            ConfigurationState::Configured | ConfigurationState::Unknown => {
                "Its state is told to the sites above it, not here: ask at the top.".to_owned()
            }
            ConfigurationState::Pending | ConfigurationState::Refused => {
                "Its server has not told its state.".to_owned()
            }
            ConfigurationState::Defined | ConfigurationState::Invited => {
                format!("Nothing is known of its server. Next: weir sites enrol {}", site.name)
            }
        });
        return;
    };
    page.field("server", format!("{} ({}), version {}", point.host, point.server_id, point.version));
    page.field("decisions", decisions(point));
    page.field("running since", time(point.started_at));
    page.field("source", &point.source);
    page.field("synchronization", synchronization(point));
    if let Some(progress) = &point.sync.progress {
        let of = if progress.total > 0 { format!(" of {}", progress.total) } else { String::new() };
        page.field("done", format!("{}{of}", progress.done));
    }
    page.field("since", time_or(point.sync.at, ""));
    page.field("last success", time_or(point.sync.succeeded_at, "never"));
    page.field("catalogue", version(point, site.behind));
    page.field("complete since", time_or(point.catalogue_at, ""));
    if site.behind {
        page.field("behind for", format!("{} s", site.lag_seconds));
    }
    page.field("revisions", point.revisions);
    page.field("computers", point.computers);
    page.field("alerts", point.alerts);
    page.field("last error", point.sync.error.clone().unwrap_or_default());
    page.field("which means", point.sync.explanation.clone().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_shown_with_its_rate_and_the_time_that_is_left() {
        let mut point: Point = serde_json::from_value(serde_json::json!({
            "server_id": "b3f0a1de-0000-4000-8000-000000000001", "host": "oslo", "version": "0.2.0",
            "started_at": "2026-11-20T00:00:00Z", "source": "parent", "catalogue_version": 1, "configured": true,
            "sync": { "state": "metadata", "phase": "updates", "percent": 45.0, "progress":
                { "done": 4500, "total": 10_000, "per_second": 61, "seconds_left": 90 } },
            "revisions": 1, "computers": 2, "alerts": 0
        }))
        .expect("a point of an earlier version says nothing of drift");
        assert_eq!(synchronization(&point), "updates 45 %, 61/s, 1 min 30 s left");
        point.sync.progress = None;
        assert_eq!(synchronization(&point), "updates 45 %", "as an earlier version tells");
        assert_eq!(decisions(&point), "");
        point.drift = Some(Vec::new());
        assert!(decisions(&point).contains("in step"));
        point.drift = Some(vec!["collection".into()]);
        assert!(decisions(&point).contains("drifted") && decisions(&point).contains("collection"));
    }

    #[test]
    fn a_silent_site_does_not_look_alive() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let site = |connected: bool| -> Site {
            serde_json::from_value(serde_json::json!({
                "id": "5cc25303-143f-40f3-a2ff-803a1db69955", "name": "EMEA", "kind": "primary", "under": null, "depth": 1,
                "here": false, "configuration": "configured", "code_expires_at": null, "enrolled_at": null,
                "connected": connected, "last_contact": "2026-01-01T10:00:00Z", "point": null, "behind": false,
                "lag_seconds": 0,
            }))
            .expect("a site")
        };
        assert_eq!(last_contact(&site(true), at("2026-01-01T10:01:00Z")), "connected");
        assert_eq!(last_contact(&site(false), at("2026-01-01T10:20:30Z")), "not heard of for 20 min");
        // a connection that nobody has noticed to be gone
        assert_eq!(last_contact(&site(true), at("2026-01-02T10:00:00Z")), "not heard of for 24 h");
    }
}
