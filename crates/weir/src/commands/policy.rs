//! `weir policy`.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use weir_api::policy::{
    Policy, PolicyCheck, PolicyChecked, PolicyFinding, PolicyFormat, PolicyKnown, PolicyRender, PolicyScope,
};

use super::{Nothing, Paging};
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer},
};

/// Bytes of a file that the server looks at.
const MOST_BYTES: u64 = 2 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Make the policy by which Windows computers scan at a site.
    #[command(after_help = "Examples:\n  weir policy render --output weir.reg\n  \
                            weir policy render --format pol --output Registry.pol --collection Laptops --group Laptops\n  \
                            weir policy render --format powershell --url https://wsus.example.org:8531 --output weir.ps1\n  \
                            weir policy render --set AUOptions=4 --set ScheduledInstallTime=3 --set DisableDualScan=-\n\n\
                            Without --format and --output the values are shown. `NAME=-` removes a value; weir policy \
                            values lists names and ranges.")]
    Render(Box<RenderArguments>),
    /// Say what of a policy keeps computers from scanning here, or makes them scan elsewhere.
    #[command(
        after_help = "Examples:\n  reg export HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate found.reg   (on the computer)\n  \
                            weir policy check found.reg\n  weir policy check Registry.pol --collection Laptops\n\n\
                            Exit code 1 if there is an error, 3 if there are warnings only."
    )]
    Check(CheckArguments),
    /// List the registry values that are known: key, range, meaning.
    Values {
        /// Only those whose name or meaning has this text.
        text: Option<String>,
    },
}

/// The form of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// A file of the registry editor.
    Reg,
    /// Registry.pol of a Group Policy object's computer half.
    Pol,
    /// A PowerShell script; -WhatIf shows what it would change.
    Powershell,
    /// A custom profile of Intune.
    Intune,
}

impl From<Format> for PolicyFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Intune => Self::Intune,
            Format::Pol => Self::Pol,
            Format::Powershell => Self::Powershell,
            Format::Reg => Self::Reg,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct RenderArguments {
    /// Name or id of the site whose server is scanned; this one by default.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// With the client settings of computers in this collection; without it those of all computers.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// The form; by the name of the file if there is one (.reg, .pol, .ps1, .json).
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file to write; "-" is standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Collection that the computers ask to be in (client-side targeting).
    #[arg(long, value_name = "NAME", num_args = 1..)]
    group: Vec<String>,
    /// With TLS or not at all; by default with TLS if the site has it.
    #[arg(long)]
    https: bool,
    /// Without TLS.
    #[arg(long, conflicts_with = "https")]
    http: bool,
    /// The address of the server, in place of what is known of the site.
    #[arg(long, value_name = "URL", conflicts_with_all = ["https", "http"])]
    url: Option<String>,
    /// Where reports go, if not to the same server.
    #[arg(long, value_name = "URL")]
    status_url: Option<String>,
    /// Another server for files.
    #[arg(long, value_name = "URL")]
    alternate_url: Option<String>,
    /// Leave out the values of sources per class of updates.
    #[arg(long)]
    no_sources: bool,
    /// Keep computers from public services of updates. The Store and others may stop.
    #[arg(long)]
    no_internet: bool,
    /// Remove values of others that are against this server.
    #[arg(long)]
    remove_conflicts: bool,
    /// A registry value in place of what would be there otherwise; - removes it.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// A .reg file or a Registry.pol.
    file: PathBuf,
    /// The Registry.pol is of the user's half.
    #[arg(long)]
    user: bool,
    /// Name or id of the site that the computers should scan at; this one by default.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// With the client settings of computers in this collection; without it those of all computers.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// The address of the server, in place of what is known of the site.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(crate) async fn run(command: PolicyCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        PolicyCommand::Render(arguments) => render(*arguments, connection, printer).await,
        PolicyCommand::Check(arguments) => check(arguments, connection, printer).await,
        PolicyCommand::Values { text } => {
            let mut list = Paging::all().read::<PolicyKnown>(connection, &["policy", "values"], &Nothing {}).await?;
            if let Some(text) = text.map(|text| text.to_lowercase()) {
                list.items.retain(|one| {
                    [&one.name, &one.meaning, &one.policy].iter().any(|field| field.to_lowercase().contains(&text))
                });
            }
            printer.show(&list, |page| {
                let rows = list.items.iter().map(|one| {
                    let key = one.key.strip_prefix("HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\");
                    vec![
                        one.name.clone(),
                        key.unwrap_or(&one.key).to_owned(),
                        one.kind.clone(),
                        one.values.clone(),
                        one.meaning.clone(),
                        one.windows.clone(),
                    ]
                });
                let empty = "No value has that in its name or meaning. Next: weir policy values";
                page.table(&["Name", "Key", "Kind", "Values", "What it does", "Windows"], rows.collect(), empty);
            })?;
            Ok(Outcome::Done)
        }
    }
}

fn set(pairs: &[String]) -> Result<BTreeMap<String, Option<String>>> {
    let mut set = BTreeMap::new();
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=') else {
            bail!("{pair:?} is not NAME=VALUE\nnext: see names and ranges: weir policy values")
        };
        let value = if value.trim() == "-" { None } else { Some(value.to_owned()) };
        if set.insert(name.trim().to_owned(), value).is_some() {
            bail!("{name} is given twice");
        }
    }
    Ok(set)
}

/// The form that a file's name says.
fn by_name(file: &Path) -> Option<Format> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Intune),
        "pol" => Some(Format::Pol),
        "ps1" => Some(Format::Powershell),
        "reg" => Some(Format::Reg),
        _ => None,
    }
}

async fn render(arguments: RenderArguments, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let mut request = PolicyRender {
        format: PolicyFormat::Json,
        site: arguments.site,
        collection: arguments.collection,
        url: arguments.url,
        https: (arguments.https || arguments.http).then_some(arguments.https),
        status_url: arguments.status_url,
        alternate_url: arguments.alternate_url,
        groups: arguments.group,
        no_sources: arguments.no_sources,
        no_internet: arguments.no_internet,
        remove_conflicts: arguments.remove_conflicts,
        set: set(&arguments.set)?,
    };
    let policy: Policy = connection.change(Method::POST, &["policy", "render"], &request).await?;
    let format = match (arguments.format, &arguments.output) {
        (Some(format), _) => Some(format),
        (None, Some(file)) if file.as_os_str() != "-" => match by_name(file) {
            Some(format) => Some(format),
            None => bail!("{} says no form: give --format, or name it .reg, .pol, .ps1 or .json", file.display()),
        },
        (None, Some(_)) => Some(Format::Reg),
        (None, None) => None,
    };
    let Some(format) = format else {
        printer.show(&policy, |page| shown(page, &policy))?;
        return Ok(Outcome::Done);
    };
    request.format = format.into();
    let call = connection.request(Method::POST, &["policy", "render"])?.json(&request);
    let bytes = connection.send(call).await?.bytes().await.context("the answer of the server broke off")?;
    match arguments.output.filter(|file| file.as_os_str() != "-") {
        Some(file) => {
            fs::write(&file, &bytes).with_context(|| format!("cannot write {}", file.display()))?;
            printer.show(&policy, |page| {
                page.line(format!(
                    "wrote {} with {} values for {}",
                    file.display(),
                    policy.values.len(),
                    policy.server
                ));
                remarks(page, &policy, format);
                page.line(next(format));
            })?;
        }
        None => {
            if format == Format::Pol && io::stdout().is_terminal() {
                bail!("a Registry.pol is no text for a terminal: name a file with --output");
            }
            let mut out = io::stdout().lock();
            out.write_all(&bytes)?;
            out.flush()?;
        }
    }
    Ok(Outcome::Done)
}

fn next(format: Format) -> &'static str {
    match format {
        Format::Intune => "Next: post it to deviceManagement/deviceConfigurations of Microsoft Graph, and assign it.",
        Format::Pol => {
            "Next: put it into the Machine folder of the Group Policy object, and raise its version (gpt.ini), or import it \
             with LGPO /m."
        }
        Format::Powershell => "Next: run it on the computers as administrator, first with -WhatIf.",
        Format::Reg => "Next: on a computer, as administrator: reg import FILE",
    }
}

fn shown(page: &mut Page, policy: &Policy) {
    page.field("site", &policy.site);
    page.field("server", &policy.server);
    let rows = policy.values.iter().map(|value| {
        let key = value.key.rsplit('\\').next().unwrap_or_default().to_owned();
        let data = match &value.data {
            None => "removed".to_owned(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        vec![key, value.value.clone(), data, value.source.clone()]
    });
    page.table(&["Key", "Value", "Data", "From"], rows.collect(), "Nothing is in it.");
    remarks(page, policy, Format::Reg);
    page.line("Next: weir policy render --output FILE.reg (or .pol, .ps1, .json)");
}

fn remarks(page: &mut Page, policy: &Policy, format: Format) {
    for note in &policy.notes {
        page.line(format!("note: {note}"));
    }
    if format == Format::Intune {
        for value in &policy.without_csp {
            page.line(format!("left out: {value}"));
        }
    }
    for finding in policy.findings.iter().filter(|finding| finding.severity != "note") {
        page.line(said(finding));
    }
}

fn said(finding: &PolicyFinding) -> String {
    let found = finding.found.as_ref().map(|found| format!(" = {found}")).unwrap_or_default();
    format!("{}: {}{found}: {}; next: {}", finding.severity, finding.value, finding.breaks, finding.next_step)
}

async fn check(arguments: CheckArguments, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let file = &arguments.file;
    let size = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    if size > MOST_BYTES {
        bail!("{} has {size} bytes; a policy has at most {MOST_BYTES}", file.display());
    }
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let request = PolicyCheck {
        content: STANDARD.encode(bytes),
        scope: if arguments.user { PolicyScope::User } else { PolicyScope::Computer },
        site: arguments.site,
        collection: arguments.collection,
        url: arguments.url,
    };
    let checked: PolicyChecked = connection.change(Method::POST, &["policy", "check"], &request).await?;
    printer.show(&checked, |page| {
        page.field("site", &checked.site);
        page.field("addresses", checked.addresses.join(", "));
        if checked.addresses.is_empty() {
            page.line("Where computers reach the site is not known, so that addresses were not compared: give --url");
        }
        page.field("instructions", checked.instructions);
        let rows = checked.findings.iter().map(|finding| {
            vec![
                finding.severity.clone(),
                if finding.value.is_empty() { finding.key.clone() } else { finding.value.clone() },
                finding.found.clone().unwrap_or_else(|| "absent".to_owned()),
                finding.breaks.clone(),
                finding.next_step.clone(),
            ]
        });
        let empty = "Nothing is wrong with it: computers with it scan here.";
        page.table(&["Severity", "Value", "Is", "What it breaks", "Next"], rows.collect(), empty);
    })?;
    Ok(match (checked.errors, checked.warnings) {
        (0, 0) => Outcome::Done,
        (0, _) => Outcome::Partly,
        _ => Outcome::Failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_pairs_and_a_dash_removes() {
        let read = set(&["AUOptions=4".to_owned(), "TargetGroup=-".to_owned(), "WUServer=http://a:1/?x=y".to_owned()]);
        let expected = [("AUOptions", Some("4")), ("TargetGroup", None), ("WUServer", Some("http://a:1/?x=y"))];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        assert_eq!(read.expect("pairs"), expected.into_iter().collect());
        assert!(set(&["AUOptions".to_owned()]).is_err());
        assert!(set(&["A=1".to_owned(), "A=2".to_owned()]).is_err());
    }

    #[test]
    fn the_name_of_a_file_says_its_form() {
        for (name, format) in [
            ("a.REG", Some(Format::Reg)),
            ("Registry.pol", Some(Format::Pol)),
            ("x.ps1", Some(Format::Powershell)),
            ("x.json", Some(Format::Intune)),
            ("x.txt", None),
            ("reg", None),
        ] {
            assert_eq!(by_name(Path::new(name)), format, "{name}");
        }
    }
}
