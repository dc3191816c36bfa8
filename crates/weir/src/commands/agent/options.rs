//! What `agent scan` and `agent run` have in common: the computer, the server, the state.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use clap::Args;
use uuid::Uuid;
use weir_agent::{
    address::Address,
    download::{Download, Keep},
    facts::{FactsFile, OfflineImage},
    http::HttpSettings,
    library::Library,
    link::Link,
    source::FactsComputer,
    store::{Saved, StateFile},
    tls,
};
use weir_model::ids::{ComputerId, UpdateId};

use super::facts::Source;

#[derive(Args, Debug)]
pub(super) struct AgentOptions {
    #[command(flatten)]
    pub(super) source: Source,

    /// What the agent remembers between scans: the client id, the cookie, the updates it knows. One file per computer; by
    /// default it is beside the facts or the image, with ".agent-state" added to the name.
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,

    /// A PEM file of authorities to trust with https, instead of the system's.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,

    /// Target group that the computer asks for; several are separated by ";".
    #[arg(long, value_name = "NAME")]
    pub(super) target_group: Option<String>,

    /// Scan for this category only (repeatable): a product, a product family or a classification.
    #[arg(long, value_name = "ID")]
    pub(super) category: Vec<UpdateId>,

    /// Download what is to be installed: into DIR, or beside the state if none is named.
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "the form that the argument parser gives an optional value")]
    pub(super) download: Option<Option<PathBuf>>,

    /// Do not report to the server.
    #[arg(long, overrides_with = "report")]
    pub(super) no_report: bool,

    /// Report to the server (the default).
    #[arg(long, overrides_with = "no_report", hide = true)]
    pub(super) report: bool,
}

impl AgentOptions {
    /// Where the state is.
    pub(super) fn state_path(&self) -> PathBuf {
        self.state.clone().unwrap_or_else(|| beside(self.origin(), ".agent-state"))
    }

    /// Takes the state file; says so if it was damaged.
    pub(super) fn open_state(&self, library: &Library) -> Result<(StateFile, Saved, ComputerId)> {
        let (file, saved, damaged) = StateFile::open(&self.state_path(), library)?;
        if let Some(damaged) = damaged {
            anstream::eprintln!(
                "warning: the state was damaged ({}) and is now {}; a full scan follows",
                damaged.reason,
                damaged.aside.display()
            );
        }
        let id = match &saved.client_id {
            Some(id) => id.clone(),
            None => Uuid::new_v4().to_string().parse().context("a fresh client id")?,
        };
        Ok((file, saved, id))
    }

    /// The file or the folder that the facts are from.
    fn origin(&self) -> &Path {
        self.source.facts.as_deref().or(self.source.image.as_deref()).unwrap_or(Path::new("computer"))
    }

    /// The computer, from its facts as they are now.
    pub(super) fn computer(&self, id: &ComputerId) -> Result<FactsComputer> {
        let origin = self.origin();
        let name = origin.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let group = self.target_group.clone();
        if self.source.image.is_some() {
            let image = OfflineImage::open(origin)?;
            for warning in image.warnings() {
                anstream::eprintln!("warning: not read: {warning}");
            }
            let told = image.document().computer.clone();
            return Ok(FactsComputer::new(Box::new(image), told.as_ref(), id.clone(), &name, group));
        }
        let facts = FactsFile::read(origin).with_context(|| origin.display().to_string())?;
        let told = facts.document().computer.clone();
        Ok(FactsComputer::new(Box::new(facts), told.as_ref(), id.clone(), &name, group))
    }

    /// How connections are made.
    pub(super) fn http(&self) -> Result<Arc<HttpSettings>> {
        let pem = match &self.ca {
            Some(file) => Some(fs::read(file).with_context(|| format!("cannot read {}", file.display()))?),
            None => None,
        };
        let trusted = match (tls::trust(pem.as_deref()), &self.ca) {
            (Ok(trusted), _) => Some(trusted),
            (Err(error), Some(file)) => return Err(error).with_context(|| file.display().to_string()),
            // without roots of the system only https is impossible; connecting says so
            (Err(_), None) => None,
        };
        Ok(Arc::new(HttpSettings { tls: trusted, ..HttpSettings::default() }))
    }

    /// How downloads are made, if they are wanted.
    pub(super) fn downloads(&self, http: &Arc<HttpSettings>) -> Option<Download> {
        let folder = self.download.as_ref()?.clone();
        let folder = folder.unwrap_or_else(|| beside(&self.state_path(), ".files"));
        Some(Download::new(Keep::Folder(folder), Arc::clone(http)))
    }
}

/// The link to a server.
pub(super) fn link(server: &str, http: &Arc<HttpSettings>) -> Result<Link> {
    Ok(Link::new(Address::parse(server)?, Arc::clone(http)))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
