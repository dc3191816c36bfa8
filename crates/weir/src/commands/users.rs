//! `weir users`.

use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use weir_api::{
    List,
    access::Role,
    user::{
        CertificateAdd, Granted, GroupMapping, PasswordReset, PasswordWasReset, User, UserCertificate, UserChange,
        UserCreate, UserCreated,
    },
};

use super::{Nothing, Paging, names};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List users.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a user.
    Show {
        /// Its name.
        name: String,
    },
    /// Make a user. It gets a password that is shown once, and chooses another when it signs in first.
    #[command(after_help = "Examples:\n  weir users create alice --role operator\n  \
                            weir users create bob --role software-update-manager --collection 'Ring 1' --collection Servers")]
    Create(CreateArguments),
    /// Change a user.
    #[command(after_help = "Examples:\n  weir users change alice --role read-only-analyst\n  \
                            weir users change bob --everywhere")]
    Change(ChangeArguments),
    /// Let a user sign in again.
    Enable {
        /// Its name.
        name: String,
    },
    /// Keep a user from signing in. Its sessions end, and its tokens rest.
    Disable {
        /// Its name.
        name: String,
    },
    /// Give a user another password. It is shown once, and has to be changed.
    Password {
        /// Its name.
        name: String,
        /// Read the password from standard input instead of making one.
        #[arg(long)]
        stdin: bool,
    },
    /// Delete users with their sessions, tokens and certificates. What they did stays in the audit log.
    Delete {
        /// Their names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Certificates by which users are known.
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// List what groups of the identity provider may do.
    Mappings {
        #[command(flatten)]
        paging: Paging,
    },
    /// Decide what members of a group of the identity provider may do.
    #[command(after_help = "Example:\n  weir users map patch-team --role software-update-manager --collection Servers")]
    Map {
        /// The group, exactly as the provider names it.
        group: String,
        /// What its members may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// Only there, and below: name or id of a collection.
        #[arg(long = "collection", value_name = "NAME")]
        collections: Vec<String>,
    },
    /// Forget what members of a group may do.
    Unmap {
        /// The group.
        group: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// List certificates of a user.
    List {
        /// Its name.
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Register a certificate of a user.
    Add {
        /// Its name.
        name: String,
        /// The certificate, PEM, without its key.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Forget a certificate of a user.
    Remove {
        /// Its name.
        name: String,
        /// SHA-256 of the certificate, as the list shows it.
        fingerprint: String,
    },
}

/// A role, by the word of the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleName {
    /// Sees everything, changes nothing.
    ReadOnlyAnalyst,
    /// Also runs synchronization, jobs and client actions.
    Operator,
    /// Also deploys.
    SoftwareUpdateManager,
    /// Everything.
    FullAdministrator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::ReadOnlyAnalyst => Self::ReadOnlyAnalyst,
            RoleName::Operator => Self::Operator,
            RoleName::SoftwareUpdateManager => Self::SoftwareUpdateManager,
            RoleName::FullAdministrator => Self::FullAdministrator,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name.
    name: String,
    /// What it may do.
    #[arg(long, value_enum)]
    role: RoleName,
    /// Only there, and below: name or id of a collection.
    #[arg(long = "collection", value_name = "NAME")]
    collections: Vec<String>,
    /// What to call it.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Read the password from standard input instead of making one.
    #[arg(long)]
    stdin: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    /// Its name.
    name: String,
    /// Another role.
    #[arg(long, value_enum)]
    role: Option<RoleName>,
    /// Other collections: only there, and below.
    #[arg(long = "collection", value_name = "NAME", conflicts_with = "everywhere")]
    collections: Vec<String>,
    /// Take the limit to collections away.
    #[arg(long)]
    everywhere: bool,
    /// What to call it.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
}

pub(crate) async fn run(command: UsersCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        UsersCommand::List { paging } => {
            let list: List<User> = paging.read(connection, &["users"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|user| {
                    vec![
                        user.name.clone(),
                        role(user.role).to_owned(),
                        limit(user.limited, &user.collections),
                        state(user).to_owned(),
                        time_or(user.signed_in_at, "never"),
                    ]
                });
                let empty = "No users. Next: weir users create NAME --role ROLE";
                page.table(&["Name", "Role", "Where", "State", "Signed in"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        UsersCommand::Show { name } => {
            let user: User = connection.read(&["users", &name], &Nothing {}).await?;
            printer.show(&user, |page| show(page, &user))?;
        }
        UsersCommand::Create(arguments) => {
            let CreateArguments { name, role, collections, display_name, stdin } = arguments;
            let password = given(stdin)?;
            let new = UserCreate { name, display_name, role: role.into(), collections, password };
            let made: UserCreated = connection.change(Method::POST, &["users"], &new).await?;
            printer.show(&made, |page| {
                show(page, &made.user);
                password_line(page, made.password.as_deref());
            })?;
        }
        UsersCommand::Change(arguments) => {
            let ChangeArguments { name, role, collections, everywhere, display_name } = arguments;
            let collections = (everywhere || !collections.is_empty()).then_some(collections);
            let change = UserChange { display_name, role: role.map(Into::into), collections, enabled: None };
            changed(connection, printer, &name, &change).await?;
        }
        UsersCommand::Enable { name } => {
            changed(connection, printer, &name, &UserChange { enabled: Some(true), ..UserChange::default() }).await?;
        }
        UsersCommand::Disable { name } => {
            changed(connection, printer, &name, &UserChange { enabled: Some(false), ..UserChange::default() }).await?;
        }
        UsersCommand::Password { name, stdin } => {
            let reset = PasswordReset { password: given(stdin)? };
            let path = ["users", name.as_str(), "password"];
            let was: PasswordWasReset = connection.change(Method::PUT, &path, &reset).await?;
            printer.show(&was, |page| {
                page.line(format!("{name} has another password, and no session any more."));
                password_line(page, was.password.as_deref());
            })?;
        }
        UsersCommand::Delete { names } => {
            for name in &names {
                connection.delete(&["users", name]).await?;
            }
            printer.done(&format!("deleted {}", names.join(", ")))?;
        }
        UsersCommand::Certificate(command) => certificate(command, connection, printer).await?,
        UsersCommand::Mappings { paging } => {
            let list: List<GroupMapping> = paging.read(connection, &["group-mappings"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|one| {
                    let place = limit(one.limited, &one.collections);
                    vec![one.group.clone(), role(one.role).to_owned(), place, one.created_by.clone()]
                });
                let empty = "No group may do anything. Next: weir users map GROUP --role ROLE";
                page.table(&["Group", "Role", "Where", "By"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        UsersCommand::Map { group, role, collections } => {
            let granted = Granted { role: role.into(), collections };
            let path = ["group-mappings", group.as_str()];
            let mapped: GroupMapping = connection.change(Method::PUT, &path, &granted).await?;
            printer.show(&mapped, |page| {
                page.line(format!("Members of {:?} may do this from their next sign-in on:", mapped.group));
                page.field("role", self::role(mapped.role));
                page.field("where", limit(mapped.limited, &mapped.collections));
            })?;
        }
        UsersCommand::Unmap { group } => {
            connection.delete(&["group-mappings", &group]).await?;
            printer.done(&format!("members of {group} may do nothing any more, from their next sign-in on"))?;
        }
    }
    Ok(Outcome::Done)
}

async fn changed(connection: &Connection, printer: &Printer, name: &str, change: &UserChange) -> Result<()> {
    let user: User = connection.change(Method::PATCH, &["users", name], change).await?;
    printer.show(&user, |page| show(page, &user))
}

async fn certificate(command: CertificateCommand, connection: &Connection, printer: &Printer) -> Result<()> {
    match command {
        CertificateCommand::List { name, paging } => {
            let path = ["users", name.as_str(), "certificates"];
            let list: List<UserCertificate> = paging.read(connection, &path, &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|one| {
                    vec![one.fingerprint.clone(), one.subject.clone(), time(one.ends_at), one.created_by.clone()]
                });
                let empty = "No certificates. Next: weir users certificate add NAME FILE";
                page.table(&["Fingerprint", "Subject", "Ends", "By"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })
        }
        CertificateCommand::Add { name, file } => {
            let reading = || format!("cannot read {}", file.display());
            let pem =
                String::from_utf8(weir_server::file::small(&file).with_context(reading)?).with_context(reading)?;
            let path = ["users", name.as_str(), "certificates"];
            let added: UserCertificate = connection.change(Method::POST, &path, &CertificateAdd { pem }).await?;
            printer.show(&added, |page| {
                page.line(format!("{name} is known by this certificate."));
                page.field("fingerprint", &added.fingerprint);
                page.field("subject", &added.subject);
                page.field("ends", time(added.ends_at));
            })
        }
        CertificateCommand::Remove { name, fingerprint } => {
            connection.delete(&["users", &name, "certificates", &fingerprint]).await?;
            printer.done(&format!("{name} is not known by that certificate any more"))
        }
    }
}

/// A password from standard input, if it was asked for: without the line end.
fn given(stdin: bool) -> Result<Option<String>> {
    if !stdin {
        return Ok(None);
    }
    if std::io::stdin().is_terminal() {
        bail!("--stdin reads the password from a pipe or a file, so that nobody reads it from the screen");
    }
    let mut text = String::new();
    std::io::stdin().take(4_096).read_to_string(&mut text).context("cannot read the password")?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("standard input holds no password");
    }
    Ok(Some(password.to_owned()))
}

/// The word of a role.
pub(crate) fn role(role: Role) -> &'static str {
    weir_model::rights::Role::from(role).word()
}

/// Where somebody may act.
pub(crate) fn limit(limited: bool, collections: &[weir_api::Reference]) -> String {
    match (limited, collections.is_empty()) {
        (false, _) => "everywhere".to_owned(),
        (true, true) => "nowhere".to_owned(),
        (true, false) => names(collections),
    }
}

fn state(user: &User) -> &'static str {
    match user {
        User { enabled: false, .. } => "disabled",
        User { built_in: true, .. } => "built in",
        User { must_change_password: true, .. } => "must change its password",
        User { issuer: Some(_), .. } => "of the provider",
        _ => "enabled",
    }
}

fn show(page: &mut Page, user: &User) {
    page.line(&user.name);
    page.field("called", &user.display_name);
    page.field("role", role(user.role));
    page.field("where", limit(user.limited, &user.collections));
    page.field("state", state(user));
    page.field("provider", user.issuer.clone().unwrap_or_default());
    page.field("subject", user.subject.clone().unwrap_or_default());
    page.field("signed in", time_or(user.signed_in_at, "never"));
    page.field("made", format!("{} by {}", time(user.created_at), user.created_by));
}

fn password_line(page: &mut Page, password: Option<&str>) {
    if let Some(password) = password {
        page.line("");
        page.field("password", password);
        page.line("It is not shown again, and has to be changed at the first sign-in.");
    }
}
