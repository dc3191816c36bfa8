//! `weir tokens`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use weir_api::{
    List,
    token::{Token, TokenCreate, TokenCreated},
};

use super::{
    Nothing, Paging,
    users::{RoleName, limit, role},
};
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time_or},
};

#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// List API tokens: your own, or all of them for a full administrator.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Make an API token. Its secret is shown once; programs send it as "Authorization: Bearer", or have it in WEIR_TOKEN.
    #[command(after_help = "Examples:\n  weir tokens create monitoring --role read-only-analyst\n  \
                            weir tokens create ring1 --role software-update-manager --collection 'Ring 1' --days 30")]
    Create(CreateArguments),
    /// Revoke API tokens.
    Revoke {
        /// Their names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// Its name.
    name: String,
    /// What it may do; no more than you.
    #[arg(long, value_enum)]
    role: RoleName,
    /// Only there, and below: name or id of a collection.
    #[arg(long = "collection", value_name = "NAME")]
    collections: Vec<String>,
    /// Days until it expires, 1 to 730; default 90.
    #[arg(long, value_name = "N", conflicts_with = "never_expires")]
    days: Option<u32>,
    /// It does not expire; only full administrators may say so.
    #[arg(long)]
    never_expires: bool,
}

pub(crate) async fn run(command: TokensCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        TokensCommand::List { paging } => {
            let list: List<Token> = paging.read(connection, &["tokens"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|token| {
                    vec![
                        token.name.clone(),
                        token.principal.clone(),
                        role(token.role).to_owned(),
                        limit(token.limited, &token.collections),
                        time_or(token.expires_at, "never"),
                        time_or(token.used_at, "never"),
                    ]
                });
                let empty = "No tokens. Next: weir tokens create NAME --role ROLE";
                page.table(&["Name", "Of", "Role", "Where", "Expires", "Used"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        TokensCommand::Create(arguments) => {
            let CreateArguments { name, role, collections, days, never_expires } = arguments;
            let new = TokenCreate { name, role: role.into(), collections, days, never_expires };
            let made: TokenCreated = connection.change(Method::POST, &["tokens"], &new).await?;
            printer.show(&made, |page| {
                page.line(&made.secret);
                page.line(format!(
                    "It is not shown again. {} may do what the role {} may, {}, and expires: {}.",
                    made.token.name,
                    self::role(made.token.role),
                    limit(made.token.limited, &made.token.collections),
                    time_or(made.token.expires_at, "never")
                ));
            })?;
        }
        TokensCommand::Revoke { names } => {
            for name in &names {
                connection.delete(&["tokens", name]).await?;
            }
            printer.done(&format!("revoked {}", names.join(", ")))?;
        }
    }
    Ok(Outcome::Done)
}
