//! `weir bundle`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::json;
use weir_api::{
    List,
    bundle::{Bundle, BundleKey, BundleState, TrustAdd, TrustedSigner},
};
use weir_server::file;

use super::Nothing;
use crate::{
    Outcome,
    connection::Connection,
    print::{self, Printer, bytes},
};

#[derive(Debug, Subcommand)]
pub(crate) enum BundleCommand {
    /// Show the key that this site signs bundles with: receivers trust its fingerprint.
    #[command(after_help = "Examples:\n  weir bundle key\n  weir bundle key --out central.key\n\n\
                            Take the file, or the fingerprint over the telephone, to the receiving site: weir bundle \
                            trust add central.key")]
    Key {
        /// Write the public key to this file.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Sites whose bundles are taken.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Bundles that came here, and which parts of them are awaited.
    List,
    /// Forget a bundle of which nothing was applied, with the parts that came.
    Forget {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Write what this site has, so that the sending site can leave it out: weir export --since FILE.
    #[command(after_help = "Examples:\n  weir bundle inventory plant.inventory")]
    Inventory {
        /// The file to write. One that exists is not overwritten.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Take bundles signed by this key.
    #[command(
        after_help = "Examples:\n  weir bundle trust add central.key --name \"Central site\"\n  weir bundle trust add \
                            66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    )]
    Add {
        /// A file that `weir bundle key --out` wrote, or a fingerprint.
        #[arg(value_name = "KEYFILE|FINGERPRINT")]
        key: String,
        /// What to call the signer.
        #[arg(long)]
        name: Option<String>,
    },
    /// Show whose bundles are taken.
    List,
    /// Take bundles of this signer no longer.
    Remove {
        /// Its fingerprint.
        #[arg(value_name = "FINGERPRINT")]
        fingerprint: String,
    },
}

pub(crate) async fn run(command: BundleCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        BundleCommand::Key { out } => {
            let key: BundleKey = connection.read(&["bundles", "key"], &Nothing {}).await?;
            if let Some(out) = &out {
                let writing = || format!("cannot write {}", out.display());
                let mut file = fs::File::create_new(out).with_context(writing)?;
                std::io::Write::write_all(&mut file, format!("{}\n", key.public).as_bytes()).with_context(writing)?;
            }
            printer.show(&key, |page| {
                page.field("fingerprint", &key.fingerprint);
                page.field("public key", &key.public);
                page.field("made", print::time(key.created_at));
                page.line(format!("Next, at the receiving site: weir bundle trust add {}", key.fingerprint));
            })?;
        }
        BundleCommand::Trust(command) => trust(command, connection, printer).await?,
        BundleCommand::List => {
            let list: List<Bundle> = connection.read(&["bundles"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|bundle| {
                    let missing = if bundle.missing.is_empty() {
                        String::new()
                    } else {
                        format!("{} of {} parts", bundle.missing.len(), bundle.parts.len())
                    };
                    let signer = if bundle.signer_name.is_empty() {
                        bundle.signer.get(..16)
                    } else {
                        Some(bundle.signer_name.as_str())
                    };
                    vec![
                        bundle.sequence.to_string(),
                        state(bundle.state).to_owned(),
                        signer.unwrap_or_default().to_owned(),
                        bytes(bundle.bytes),
                        missing,
                        print::time(bundle.received_at),
                        bundle.id.to_string(),
                    ]
                });
                let empty = "No bundle has come here. Bring one: weir import FOLDER";
                page.table(&["No", "State", "From", "Size", "Missing", "Came", "Id"], rows.collect(), empty);
            })?;
        }
        BundleCommand::Forget { id } => {
            connection.delete(&["bundles", &id]).await?;
            printer.show(&json!({ "forgotten": id }), |page| page.line(format!("{id} is forgotten")))?;
        }
        BundleCommand::Inventory { file } => {
            let writing = || format!("cannot write {}", file.display());
            let mut sink = fs::File::create_new(&file).with_context(writing)?;
            let request = connection.request(Method::GET, &["bundles", "inventory"])?;
            let mut response = connection.send(request).await?;
            let mut size = 0;
            while let Some(piece) = response.chunk().await.context("the connection to the server broke off")? {
                std::io::Write::write_all(&mut sink, &piece).with_context(writing)?;
                size += piece.len() as u64;
            }
            sink.sync_all().with_context(writing)?;
            printer.show(&json!({ "path": file, "bytes": size }), |page| {
                page.line(format!("{}: {}", file.display(), bytes(size)));
                page.line(format!("Next, at the sending site: weir export FOLDER --since {}", file.display()));
            })?;
        }
    }
    Ok(Outcome::Done)
}

/// A state in words.
pub(crate) fn state(state: BundleState) -> &'static str {
    match state {
        BundleState::Applied => "applied",
        BundleState::Applying => "applying",
        BundleState::Committed => "content awaited",
        BundleState::Failed => "failed",
        BundleState::Receiving => "receiving",
    }
}

async fn trust(command: TrustCommand, connection: &Connection, printer: &Printer) -> Result<()> {
    match command {
        TrustCommand::Add { key, name } => {
            let path = Path::new(&key);
            let text = match path.exists().then(|| file::small_text(path)) {
                Some(Ok(text)) if text.len() <= 1_000 => text,
                Some(_) => bail!("{key} is no key file"),
                None => key,
            };
            let add = TrustAdd { key: text, name };
            let signer: TrustedSigner = connection.change(Method::POST, &["bundles", "trust"], &add).await?;
            printer.show(&signer, |page| {
                page.line(format!("bundles signed by {} are taken from now on", signer.fingerprint));
            })
        }
        TrustCommand::List => {
            let list: List<TrustedSigner> = connection.read(&["bundles", "trust"], &Nothing {}).await?;
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|signer| {
                    vec![
                        signer.name.clone(),
                        print::time(signer.added_at),
                        signer.added_by.clone(),
                        signer.fingerprint.clone(),
                    ]
                });
                let empty =
                    "Nobody is trusted. At the sending site: weir bundle key; here: weir bundle trust add FINGERPRINT";
                page.table(&["Name", "Since", "By", "Fingerprint"], rows.collect(), empty);
            })
        }
        TrustCommand::Remove { fingerprint } => {
            connection.delete(&["bundles", "trust", &fingerprint]).await?;
            printer.show(&json!({ "removed": fingerprint }), |page| {
                page.line("bundles of this signer are refused from now on");
            })
        }
    }
}
