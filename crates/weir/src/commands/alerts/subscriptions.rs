//! `weir alerts subscriptions` and `weir alerts deliveries`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::subscription::{
    Channel, Delivery, DeliveryQuery, Subscription, SubscriptionChange, SubscriptionCreate, SubscriptionCreated,
    SubscriptionTested,
};

use crate::{
    Outcome,
    commands::{Nothing, Paging},
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum SubscriptionsCommand {
    /// List subscriptions, and how their deliveries go.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a subscription.
    #[command(after_help = "Example:\n  weir alerts subscriptions show Operators")]
    Show {
        /// Its name.
        name: String,
    },
    /// Tell somebody of alerts that open from now on.
    #[command(after_help = "Examples:\n  weir alerts subscriptions create Operators --email ops@example.org\n  \
                            weir alerts subscriptions create Content --email a@example.org b@example.org --kind content --on-close\n  \
                            weir alerts subscriptions create Pager --url https://hooks.example.org/weir --severity critical --repeat-minutes 60\n\n\
                            E-mail needs a mail server: weir settings set mail.host SERVER, and mail.from. A webhook is \
                            signed; its secret is shown once.")]
    Create(CreateArguments),
    /// Change a subscription.
    #[command(after_help = "Examples:\n  weir alerts subscriptions change Operators --severity critical\n  \
                            weir alerts subscriptions change Pager --new-secret\n  \
                            weir alerts subscriptions change Pager --disable")]
    Change(ChangeArguments),
    /// Delete subscriptions, with what waits for their receivers.
    #[command(after_help = "Example:\n  weir alerts subscriptions delete Operators")]
    Delete {
        /// Names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Send a message now, and say how that went.
    #[command(after_help = "Example:\n  weir alerts subscriptions test Operators")]
    Test {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveriesCommand {
    /// List messages to subscribers, newest first.
    #[command(after_help = "Examples:\n  weir alerts deliveries list --state waiting\n  \
                            weir alerts deliveries list --subscription Pager")]
    List {
        /// Of this subscription.
        #[arg(long, value_name = "NAME")]
        subscription: Option<String>,
        /// `waiting`, `delivered`, `given_up` or `dropped`.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name.
    name: String,
    /// Send e-mail to these addresses.
    #[arg(long, value_name = "ADDRESS", num_args = 1.., conflicts_with = "url", required_unless_present = "url")]
    email: Vec<String>,
    /// Call this URL.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The URL may be plain http: what is sent there passes in clear.
    #[arg(long, requires = "url")]
    allow_http: bool,
    /// Read the secret that signs from this file, in place of a new one.
    #[arg(long, value_name = "FILE", requires = "url")]
    secret_file: Option<std::path::PathBuf>,
    /// Only these kinds, or what they begin with: content means content.mismatch, too. All by default.
    #[arg(long, value_name = "KIND", num_args = 1..)]
    kind: Vec<String>,
    /// The mildest severity: information, warning (the default), critical.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Tell again of an open alert that nobody acknowledged, every so many minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    repeat_minutes: u32,
    /// Tell that alerts closed, too.
    #[arg(long)]
    on_close: bool,
    /// Let news rest for so long, so that they are told together; 30 by default.
    #[arg(long, value_name = "SECONDS")]
    group_seconds: Option<u32>,
    /// Messages within any hour; 20 by default. What is beyond comes in one digest.
    #[arg(long, value_name = "N")]
    most_per_hour: Option<u32>,
    /// Keep it without telling anybody.
    #[arg(long)]
    disabled: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Its name.
    name: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// Other addresses, in place of all.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    email: Option<Vec<String>>,
    /// Another URL.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Whether the URL may be plain http.
    #[arg(long, value_name = "BOOL")]
    allow_http: Option<bool>,
    /// Read another secret from this file; the one before stays valid for a while.
    #[arg(long, value_name = "FILE", conflicts_with = "new_secret")]
    secret_file: Option<std::path::PathBuf>,
    /// Make another secret and show it; the one before stays valid for a while.
    #[arg(long)]
    new_secret: bool,
    /// How long the secret before stays valid; 24 by default.
    #[arg(long, value_name = "HOURS")]
    overlap_hours: Option<u32>,
    /// Other kinds, in place of all.
    #[arg(long, value_name = "KIND", num_args = 1.., conflicts_with = "all_kinds")]
    kind: Option<Vec<String>>,
    /// All kinds.
    #[arg(long)]
    all_kinds: bool,
    /// Another mildest severity.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Tell again every so many minutes; 0 is never.
    #[arg(long, value_name = "MINUTES")]
    repeat_minutes: Option<u32>,
    /// Whether closings are told.
    #[arg(long, value_name = "BOOL")]
    on_close: Option<bool>,
    /// Let news rest for so long.
    #[arg(long, value_name = "SECONDS")]
    group_seconds: Option<u32>,
    /// Messages within any hour.
    #[arg(long, value_name = "N")]
    most_per_hour: Option<u32>,
    /// Tell somebody again, of alerts that open from now on.
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Tell nobody; what waits is dropped.
    #[arg(long)]
    disable: bool,
}

/// Bytes of a file with a secret.
fn secret(file: Option<std::path::PathBuf>) -> Result<Option<String>> {
    use anyhow::Context as _;
    let Some(file) = file else { return Ok(None) };
    let text = weir_server::file::small_text(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

pub(crate) async fn run(command: SubscriptionsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        SubscriptionsCommand::List { paging } => {
            let list = paging.read::<Subscription>(connection, &["subscriptions"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let empty = "Nobody is told of alerts. Next: weir alerts subscriptions create NAME --email ADDRESS";
                let header = ["Name", "To", "Kinds", "Severity", "State", "Waiting", "Last success", "Last failure"];
                page.table(&header, list.items.iter().map(row).collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        SubscriptionsCommand::Show { name } => {
            let shown: Subscription = connection.read(&["subscriptions", &name], &Nothing {}).await?;
            printer.show(&shown, |page| show(page, &shown))?;
        }
        SubscriptionsCommand::Create(arguments) => {
            let new = SubscriptionCreate {
                name: arguments.name,
                kinds: arguments.kind,
                severity: arguments.severity,
                addresses: arguments.email,
                url: arguments.url,
                allow_http: arguments.allow_http,
                secret: secret(arguments.secret_file)?,
                repeat_minutes: arguments.repeat_minutes,
                on_close: arguments.on_close,
                group_seconds: arguments.group_seconds,
                most_per_hour: arguments.most_per_hour,
                enabled: !arguments.disabled,
            };
            let created: SubscriptionCreated = connection.change(Method::POST, &["subscriptions"], &new).await?;
            printer.show(&created, |page| changed(page, &created))?;
        }
        SubscriptionsCommand::Change(arguments) => {
            let change = SubscriptionChange {
                name: arguments.rename,
                kinds: if arguments.all_kinds { Some(Vec::new()) } else { arguments.kind },
                severity: arguments.severity,
                addresses: arguments.email,
                url: arguments.url,
                allow_http: arguments.allow_http,
                secret: secret(arguments.secret_file)?,
                new_secret: arguments.new_secret,
                secret_overlap_hours: arguments.overlap_hours,
                repeat_minutes: arguments.repeat_minutes,
                on_close: arguments.on_close,
                group_seconds: arguments.group_seconds,
                most_per_hour: arguments.most_per_hour,
                enabled: (arguments.enable || arguments.disable).then_some(arguments.enable),
            };
            let path = ["subscriptions", arguments.name.as_str()];
            let created: SubscriptionCreated = connection.change(Method::PATCH, &path, &change).await?;
            printer.show(&created, |page| changed(page, &created))?;
        }
        SubscriptionsCommand::Delete { names } => {
            for name in &names {
                connection.delete(&["subscriptions", name]).await?;
            }
            printer.done(&format!("deleted {}", names.join(", ")))?;
        }
        SubscriptionsCommand::Test { name } => {
            let path = ["subscriptions", name.as_str(), "test"];
            let tested: SubscriptionTested = connection.call_method(Method::POST, &path).await?;
            printer.show(&tested, |page| {
                if tested.delivered {
                    page.line(format!("The receiver took it, after {} s.", tested.seconds));
                } else {
                    page.line(format!(
                        "It did not arrive: {}",
                        tested.error.as_deref().unwrap_or("no reason is known")
                    ));
                }
                page.field("answer", tested.answer.clone().unwrap_or_default());
                if let Some(next) = &tested.next_step {
                    page.line(format!("Next: {next}"));
                }
            })?;
            return Ok(if tested.delivered { Outcome::Done } else { Outcome::Failed });
        }
    }
    Ok(Outcome::Done)
}

pub(crate) async fn deliveries(command: DeliveriesCommand, connection: &Connection, printer: &Printer) -> Result<()> {
    let DeliveriesCommand::List { subscription, state, paging } = command;
    let query = DeliveryQuery { subscription, state, ..DeliveryQuery::default() };
    let list = paging.read::<Delivery>(connection, &["deliveries"], &query).await?;
    printer.show(&list, |page| {
        let rows = list.items.iter().map(|row| {
            vec![
                time(row.created_at),
                row.subscription.clone(),
                row.event.clone(),
                row.state.replace('_', " "),
                row.attempts.to_string(),
                time_or(row.next_at, ""),
                row.last_error.clone().unwrap_or_default(),
            ]
        });
        let header = ["Made", "Subscription", "Event", "State", "Attempts", "Next", "Why it failed"];
        page.table(&header, rows.collect(), "No messages. They are made when alerts open: weir alerts list");
        page.more(list.next.as_deref());
    })
}

fn receiver(subscription: &Subscription) -> String {
    match subscription.channel {
        Channel::Mail => subscription.addresses.join(", "),
        Channel::Webhook => subscription.url.clone().unwrap_or_default(),
    }
}

fn kinds(subscription: &Subscription) -> String {
    if subscription.kinds.is_empty() { "all".to_owned() } else { subscription.kinds.join(", ") }
}

fn state(subscription: &Subscription) -> String {
    match (&subscription.disabled_because, subscription.enabled, subscription.failures) {
        (Some(why), false, _) => format!("off: {why}"),
        (_, false, _) => "off".to_owned(),
        (_, true, 0) => "on".to_owned(),
        (_, true, failures) => format!("{failures} failed"),
    }
}

fn row(subscription: &Subscription) -> Vec<String> {
    vec![
        subscription.name.clone(),
        receiver(subscription),
        kinds(subscription),
        subscription.severity.clone(),
        state(subscription),
        subscription.waiting.to_string(),
        time_or(subscription.last_success_at, "never"),
        time_or(subscription.last_failure_at, "never"),
    ]
}

fn show(page: &mut Page, shown: &Subscription) {
    page.field("name", &shown.name);
    page.field("id", shown.id);
    page.field("to", receiver(shown));
    page.field("kinds", kinds(shown));
    page.field("severity", format!("{} and worse", shown.severity));
    page.field("state", state(shown));
    page.field("on close", if shown.on_close { "told" } else { "not told" });
    let repeat = shown.repeat_minutes;
    page.field("repeat", if repeat == 0 { "never".to_owned() } else { format!("every {repeat} minutes") });
    page.field("grouping", format!("{} s, at most {} messages an hour", shown.group_seconds, shown.most_per_hour));
    page.field("old secret until", time_or(shown.secret_before_until, ""));
    page.field("waiting", shown.waiting);
    page.field("last success", time_or(shown.last_success_at, "never"));
    page.field("last failure", time_or(shown.last_failure_at, "never"));
    page.field("last error", shown.last_error.clone().unwrap_or_default());
    page.field("changed", format!("{} by {}", time(shown.changed_at), shown.changed_by));
}

fn changed(page: &mut Page, created: &SubscriptionCreated) {
    show(page, &created.subscription);
    if let Some(secret) = &created.secret {
        page.line(format!("\nThe secret that signs, shown this once:\n  {secret}"));
    }
    page.line(format!("\nNext: {}", created.next_step));
}
