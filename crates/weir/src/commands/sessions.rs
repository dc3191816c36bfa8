//! `weir sessions`.

use anyhow::Result;
use clap::Subcommand;
use weir_api::{
    List,
    access::{OpenSession, SessionQuery},
};

use super::Paging;
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, time},
};

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List sessions of the console that have not ended: your own, or everybody's.
    List {
        /// Those of all users; needs a full administrator.
        #[arg(long)]
        everybody: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// End sessions.
    End {
        /// Their ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

pub(crate) async fn run(command: SessionsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        SessionsCommand::List { everybody, paging } => {
            let query = SessionQuery { all: everybody.then_some(true), ..SessionQuery::default() };
            let list: List<OpenSession> = paging.read(connection, &["sessions"], &query).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|session| {
                    vec![
                        session.id.to_string(),
                        session.principal.clone(),
                        time(session.created_at),
                        time(session.used_at),
                        time(session.expires_at),
                        session.from.clone().unwrap_or_default(),
                    ]
                });
                let empty = "No sessions. Next: weir admin sign-in";
                page.table(&["Id", "Of", "Began", "Used", "Ends", "From"], rows.collect(), empty);
                page.more(list.next.as_deref());
            })?;
        }
        SessionsCommand::End { ids } => {
            for id in &ids {
                connection.delete(&["sessions", id]).await?;
            }
            printer.done(&format!("ended {}", ids.join(", ")))?;
        }
    }
    Ok(Outcome::Done)
}
