//! The Windows policy of a site: rendered, and looked at.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use weir_api::{
    List,
    list::ListQuery,
    policy::{
        Policy as Shown, PolicyCheck, PolicyChecked, PolicyFinding, PolicyFormat, PolicyKnown, PolicyRender,
        PolicyScope, PolicyValue,
    },
};
use weir_model::{
    client_settings::Origin,
    ids::CollectionId,
    policy::{
        Address, Csp, Finding, Options, RenderError, Severity, Site, Source, check, file, known_values,
        registry::{Data, Entry, Root},
        render,
    },
    tls::ClientHttps,
};
use weir_store::ReadTx;

use super::{AdminError, App, collection::Tree, list, setting};
use crate::{client_settings::Table, sites};

/// Bytes of a file that is looked at.
const MOST_BYTES: usize = 2 << 20;
const CSP: &str = "./Device/Vendor/MSFT/Policy/Config/";
const URL: &str = "give the address: --url https://HOST:PORT";

/// A file and what it is.
pub(crate) struct File {
    pub(crate) media: &'static str,
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// What is known of the site that a policy is for.
struct Target {
    name: String,
    addresses: Vec<Address>,
    /// Whether its computers use TLS, as far as it is known: of this site.
    https: Option<ClientHttps>,
}

/// Renders a policy.
pub(crate) async fn rendered(app: &App, request: PolicyRender) -> Result<File, AdminError> {
    let target = target(app, request.site.as_deref(), request.url.as_deref()).await?;
    app.try_read(move |tx| file_of(tx, &target, request)).await
}

fn file_of(tx: &ReadTx<'_>, target: &Target, request: PolicyRender) -> Result<File, AdminError> {
    let server = choose(target, request.https)?;
    let (tree, current) = (Tree::read(tx)?, setting::Current::read(tx)?);
    let client_targeting = current.text("targeting") == "client";
    let mut groups: Vec<String> = Vec::new();
    for name in &request.groups {
        let group = &tree.find(name)?.name;
        // named twice it is meant once
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    let settings = Table::read(tx)?.resultant(&[within(&tree, request.collection.as_deref())?]);
    let aimed = !groups.is_empty();
    let options = Options {
        status: request.status_url.as_deref().map(|text| address("status_url", text)).transpose()?,
        alternate: request.alternate_url.as_deref().map(|text| address("alternate_url", text)).transpose()?,
        groups,
        sources: !request.no_sources,
        no_internet: request.no_internet,
        remove_conflicts: request.remove_conflicts,
        set: request.set.into_iter().collect(),
        ..Options::new(server.clone())
    };
    let mut policy = render(&options, &settings).map_err(|error| refused(&error))?;
    if aimed && !client_targeting {
        let note = "TargetGroup has no effect while administrators put computers into collections: weir settings set \
                    targeting client";
        policy.notes.push(note.to_owned());
    }
    let entries = policy.entries();
    let (profile, without_csp) = file::profile(&policy, &format!("Weir: {}", target.name));
    let unwritable =
        |error: &dyn std::error::Error| AdminError::Internal(format!("the policy: {}", super::chain(error)));
    let json = |value: serde_json::Result<Vec<u8>>| value.map_err(|error| unwritable(&error));
    Ok(match request.format {
        PolicyFormat::Intune => {
            let bytes = json(serde_json::to_vec_pretty(&profile))?;
            File { media: "application/json", name: "weir-policy.json", bytes }
        }
        PolicyFormat::Json => {
            let mut addresses = target.addresses.clone();
            addresses.push(server.clone());
            let site = Site { addresses, client_targeting, collections: names(&tree) };
            let shown = Shown {
                site: target.name.clone(),
                server: server.to_string(),
                values: policy.values.iter().map(shown_value).collect(),
                findings: check(&entries, &site, &settings).into_iter().map(shown_finding).collect(),
                notes: policy.notes,
                without_csp,
            };
            File { media: "application/json", name: "", bytes: json(serde_json::to_vec(&shown))? }
        }
        PolicyFormat::Pol => {
            let bytes = file::write_pol(&entries, Root::LocalMachine).map_err(|error| unwritable(&error))?;
            File { media: "application/octet-stream", name: "Registry.pol", bytes }
        }
        PolicyFormat::Powershell => {
            let title = format!("Policy of Weir: computers scan at {server}");
            let bytes = file::script(&entries, &title).into_bytes();
            File { media: "text/x-powershell", name: "weir-policy.ps1", bytes }
        }
        PolicyFormat::Reg => {
            let bytes = file::write_reg(&entries).map_err(|error| unwritable(&error))?;
            File { media: "text/x-ms-regedit; charset=utf-16", name: "weir-policy.reg", bytes }
        }
    })
}

fn refused(error: &RenderError) -> AdminError {
    let (code, next_step) = match error {
        RenderError::Conflict(_) | RenderError::Twice(_) => ("set", None),
        RenderError::Group(_) => ("group", Some("weir collections list")),
        RenderError::Unknown(_) | RenderError::Value { .. } => {
            ("policy_value", Some("see values and their ranges: weir policy values"))
        }
    };
    AdminError::Invalid { code, detail: super::chain(error), next_step: next_step.map(str::to_owned) }
}

fn address(field: &'static str, text: &str) -> Result<Address, AdminError> {
    text.trim().parse().map_err(|error| AdminError::Invalid {
        code: field,
        detail: format!("{field}: {:?} is no address of a server: {error}", text.chars().take(200).collect::<String>()),
        next_step: Some("give http://HOST:PORT or https://HOST:PORT".to_owned()),
    })
}

/// The site, with where computers reach it. An address that is given stands for all that is known.
async fn target(app: &App, site: Option<&str>, url: Option<&str>) -> Result<Target, AdminError> {
    let given = url.map(|url| address("url", url)).transpose()?;
    let found = match site {
        Some(name) => sites::show(app, name).await?,
        None => {
            let here = sites::list(app).await?.into_iter().find(|site| site.here);
            here.ok_or_else(|| AdminError::Internal("this server is no site of its tree".to_owned()))?
        }
    };
    let mut https = None;
    let addresses = match given {
        Some(given) => vec![given],
        None if found.here => {
            let shared = app.clone();
            let read = app.try_read(move |tx| {
                Ok((sites::client_addresses(&shared, tx)?, setting::Current::read(tx)?.clients_https()))
            });
            let (addresses, set) = read.await?;
            https = Some(set);
            addresses
        }
        // what it says of itself
        None => found.point.iter().flat_map(|point| &point.clients).filter_map(|text| text.parse().ok()).collect(),
    };
    Ok(Target { name: found.name, addresses, https })
}

/// The address that the policy names.
fn choose(target: &Target, https: Option<bool>) -> Result<Address, AdminError> {
    let refuse = |detail: String, next_step: &str| AdminError::Conflict {
        code: "address",
        detail,
        next_step: Some(next_step.to_owned()),
    };
    let name = &target.name;
    let first = |tls: bool| target.addresses.iter().find(|address| address.tls() == tls).cloned();
    match https {
        _ if target.addresses.is_empty() => Err(refuse(
            format!("it is not known where computers reach {name}"),
            &format!("{URL}, or name its server there: weir settings set server.name NAME"),
        )),
        Some(true) => first(true).ok_or_else(|| {
            refuse(
                format!("{name} has no listener with TLS for computers"),
                "start its server with --client-https ADDRESS",
            )
        }),
        Some(false) if target.https == Some(ClientHttps::Required) => Err(refuse(
            format!("computers of {name} are answered with TLS only"),
            "leave out --http, or: weir settings set clients.https on",
        )),
        Some(false) => first(false)
            .ok_or_else(|| refuse(format!("{name} has no listener without TLS for computers"), "leave out --http")),
        None => {
            let tls = target.https != Some(ClientHttps::Off);
            let preferred = first(tls).or_else(|| first(!tls));
            preferred.ok_or_else(|| refuse(format!("it is not known where computers reach {name}"), URL))
        }
    }
}

fn within(tree: &Tree, collection: Option<&str>) -> Result<CollectionId, AdminError> {
    collection.map_or(Ok(CollectionId::ALL_COMPUTERS), |name| tree.find(name).map(|row| row.id))
}

fn names(tree: &Tree) -> Vec<String> {
    tree.rows.iter().map(|row| row.name.clone()).collect()
}

fn shown_value(value: &weir_model::policy::PolicyValue) -> PolicyValue {
    let known = value.known;
    let data = |data: &Data| data.number().map_or_else(|| json!(data.to_string()), |number| json!(number));
    PolicyValue {
        key: format!("{}\\{}", Root::LocalMachine.name(), known.branch.path()),
        value: known.name.to_owned(),
        kind: known.shape.kind_name().to_owned(),
        data: value.data.as_ref().map(data),
        policy: known.policy.to_owned(),
        source: match &value.source {
            Source::Asked => "asked".to_owned(),
            Source::Policy => "policy".to_owned(),
            Source::Setting(key, origin) => match origin {
                Origin::BuiltIn => format!("setting {key} (built in)"),
                Origin::DefaultSet => format!("setting {key} (default set)"),
                Origin::Custom { name, .. } => format!("setting {key} ({name})"),
            },
        },
    }
}

fn shown_finding(finding: Finding) -> PolicyFinding {
    PolicyFinding {
        severity: finding.severity.word().to_owned(),
        code: finding.code.to_owned(),
        key: finding.key,
        value: finding.value,
        found: finding.found,
        breaks: finding.breaks,
        next_step: finding.next_step,
    }
}

/// Looks at a file.
pub(crate) async fn checked(app: &App, request: PolicyCheck) -> Result<PolicyChecked, AdminError> {
    let target = target(app, request.site.as_deref(), request.url.as_deref()).await?;
    app.try_read(move |tx| {
        let (format, entries) = read(&request)?;
        let tree = Tree::read(tx)?;
        let settings = Table::read(tx)?.resultant(&[within(&tree, request.collection.as_deref())?]);
        let client_targeting = setting::Current::read(tx)?.text("targeting") == "client";
        let site = Site { addresses: target.addresses, client_targeting, collections: names(&tree) };
        let findings = check(&entries, &site, &settings);
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
        Ok(PolicyChecked {
            format,
            site: target.name,
            addresses: site.addresses.iter().map(ToString::to_string).collect(),
            instructions: entries.len() as u64,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            findings: findings.into_iter().map(shown_finding).collect(),
        })
    })
    .await
}

fn read(request: &PolicyCheck) -> Result<(PolicyFormat, Vec<Entry>), AdminError> {
    let invalid = |detail: String| AdminError::Invalid {
        code: "content",
        detail,
        next_step: Some("give a .reg file (reg export), or a Registry.pol of a Group Policy object".to_owned()),
    };
    let bytes = STANDARD.decode(request.content.trim());
    let bytes = bytes.map_err(|error| invalid(format!("content: it is no base64: {error}")))?;
    if bytes.len() > MOST_BYTES {
        return Err(AdminError::TooLarge(format!("the file has {} bytes; at most {MOST_BYTES} are read", bytes.len())));
    }
    if file::is_pol(&bytes) {
        let root = match request.scope {
            PolicyScope::Computer => Root::LocalMachine,
            PolicyScope::User => Root::CurrentUser,
        };
        let entries = file::read_pol(&bytes, root);
        let entries =
            entries.map_err(|error| invalid(format!("the Registry.pol cannot be read: {}", super::chain(&error))));
        return Ok((PolicyFormat::Pol, entries?));
    }
    let entries = file::read_reg(&bytes);
    let entries = entries.map_err(|error| invalid(format!("the .reg file cannot be read: {}", super::chain(&error))));
    Ok((PolicyFormat::Reg, entries?))
}

/// Every value that is known.
pub(crate) fn values(query: &ListQuery) -> Result<List<PolicyKnown>, AdminError> {
    let limit = list::limit(query.limit)?;
    let shown = |known: &weir_model::policy::Known| {
        let (csp, without_csp) = match known.csp {
            Csp::None(why) => (None, Some(why.to_owned())),
            Csp::Setting(setting, _) => (Some(format!("{CSP}{setting}")), None),
        };
        PolicyKnown {
            name: known.name.to_owned(),
            key: format!("{}\\{}", Root::LocalMachine.name(), known.branch.path()),
            kind: known.shape.kind_name().to_owned(),
            values: known.shape.describe(),
            policy: known.policy.to_owned(),
            meaning: known.meaning.to_owned(),
            windows: known.windows.to_owned(),
            csp,
            without_csp,
            evidence: known.evidence.word().to_owned(),
        }
    };
    list::page(known_values().map(shown), |row| row.name.clone(), query.cursor.as_deref(), limit)
}
