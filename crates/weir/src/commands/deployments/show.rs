//! How deployments, simulations and explanations are printed.

use weir_api::{
    Reference,
    deployment::{
        Action, Deployment, DeploymentList, DeploymentPreview, DeploymentSettings, DeploymentStage, DeploymentState,
        ListedDeployment,
    },
    simulation::{Explanation, Simulation},
};

use crate::{
    commands::content,
    print::{Page, bytes, time, time_or},
};

pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Block => "block",
        Action::Detect => "detect",
        Action::Install => "install",
        Action::Optional => "optional",
        Action::Uninstall => "uninstall",
    }
}

/// Title of the update, or name of the group.
pub(super) fn what(deployment: &Deployment) -> String {
    let name = |reference: &Reference| reference.name.trim().to_owned();
    match (&deployment.update, &deployment.group) {
        (Some(update), _) => name(update),
        (None, Some(group)) => format!("group {}", name(group)),
        (None, None) => String::new(),
    }
}

/// A list. Where compliance was asked for it is in the place of what is less urgent.
pub(super) fn list(page: &mut Page, list: &DeploymentList, compliance: bool, narrowed: bool) {
    let row = |listed: &ListedDeployment| {
        let deployment = &listed.deployment;
        let mut row = vec![
            deployment.id.to_string(),
            action(deployment.action).to_owned(),
            deployment.collection.name.clone(),
            time_or(deployment.deadline, ""),
            if listed.stage == DeploymentStage::Expired { "deadline over".to_owned() } else { state(deployment) },
        ];
        if compliance {
            let counts = listed.compliance.unwrap_or_default();
            row.extend([
                listed.percent.map(|percent| format!("{percent:.1} %")).unwrap_or_default(),
                counts.computers.to_string(),
                counts.error.to_string(),
                counts.unknown.to_string(),
            ]);
        }
        row.extend([what(deployment), deployment.name.clone()]);
        row
    };
    let mut header = vec!["Id", "Action", "Collection", "Deadline", "State"];
    if compliance {
        header.extend(["Compliant", "Computers", "Error", "Unknown"]);
    }
    header.extend(["What", "Name"]);
    let empty = if narrowed {
        "No deployment is so."
    } else {
        "No deployments. Next: weir deployments create --update ID --collection NAME --action install"
    };
    page.table(&header, list.items.iter().map(row).collect(), empty);
    if list.total > list.items.len() as u64 {
        page.line(format!("{} of {} deployments", list.items.len(), list.total));
    }
    page.more(list.next.as_deref());
}

/// How it stands, short enough for a table.
fn state(deployment: &Deployment) -> String {
    let content = &deployment.content;
    match (deployment.state, &deployment.members) {
        (DeploymentState::Active, Some(members)) => format!("active ({} of {})", members.active, members.updates),
        (DeploymentState::Active, None) => "active".to_owned(),
        (DeploymentState::Disabled, _) => "switched off".to_owned(),
        (DeploymentState::NotSent, _) => "not sent".to_owned(),
        (DeploymentState::WaitingForAvailableTime, _) => format!("from {}", time(deployment.available)),
        (DeploymentState::WaitingForContent, Some(members)) => {
            format!("waiting for content ({} of {} updates)", members.waiting_for_content, members.updates)
        }
        (DeploymentState::WaitingForContent, None) => {
            format!("waiting for content ({} of {} files)", content.files_present, content.files)
        }
    }
}

pub(super) fn show(page: &mut Page, deployment: &Deployment) {
    page.field("deployment", deployment.id);
    if !deployment.name.is_empty() {
        page.field("name", &deployment.name);
    }
    if !deployment.description.is_empty() {
        page.field("description", &deployment.description);
    }
    page.field("state", &deployment.state_text);
    let revision = deployment.revision.map_or_else(|| " (newest revision)".to_owned(), |number| format!("@{number}"));
    if let Some(update) = &deployment.update {
        page.field("update", format!("{}{revision} {}", update.id, update.name.trim()));
    }
    if let Some(group) = &deployment.group {
        page.field("group", group.name.trim());
    }
    page.field("collection", &deployment.collection.name);
    page.field("action", action(deployment.action));
    page.field("available", time(deployment.available));
    page.field("deadline", time_or(deployment.deadline, "none"));
    let settings = settings(&deployment.settings);
    if !settings.is_empty() {
        page.field("settings", settings.join(", "));
    }
    let content = &deployment.content;
    page.field(
        "content",
        format!(
            "{} of {} files, {} of {} here",
            content.files_present,
            content.files,
            bytes(content.bytes_present),
            bytes(content.bytes)
        ),
    );
    if let Some(members) = &deployment.members {
        page.field(
            "updates",
            format!(
                "{}: {} active, {} waiting for content, {} waiting for their time, {} not sent",
                members.updates,
                members.active,
                members.waiting_for_content,
                members.waiting_for_available_time,
                members.not_sent
            ),
        );
        for reason in &members.reasons {
            page.line(format!("{} not sent: {}", reason.updates, reason.reason));
        }
        page.line(format!("Each of them: weir deployments members {}", deployment.id));
    }
    page.field("made", format!("{} by {} ({})", time(deployment.created_at), deployment.created_by, deployment.origin));
    if content.without_source > 0 {
        page.line(format!("{} files have no known source. Next: weir content add PATH", content.without_source));
    }
}

/// Settings that are not the default, as they are given on the command line.
pub(super) fn settings(settings: &DeploymentSettings) -> Vec<String> {
    let mut named = Vec::new();
    let value = serde_json::to_value(settings).unwrap_or_default();
    for (name, value) in value.as_object().into_iter().flatten() {
        let name = name.replace('_', "-");
        match value {
            serde_json::Value::Bool(true) if name != "commit-write-filter" => named.push(name),
            serde_json::Value::Bool(false) if name == "commit-write-filter" => named.push(format!("{name}=false")),
            serde_json::Value::String(text) if !matches!(text.as_str(), "all" | "success_and_error") => {
                named.push(format!("{name} {}", text.replace('_', "-")));
            }
            serde_json::Value::Number(number) => named.push(format!("{name} {number}")),
            _ => {}
        }
    }
    named
}

pub(super) fn preview(page: &mut Page, preview: &DeploymentPreview) {
    content::room(page, &preview.room);
    if preview.files_elsewhere > 0 {
        page.line(format!("{} files are fetched by computers elsewhere", preview.files_elsewhere));
    }
    if preview.files_left_out > 0 {
        page.line(format!("{} files are of other languages, or express, and are not kept", preview.files_left_out));
    }
    if preview.without_source > 0 {
        page.line(format!("{} files have no source: weir content add PATH", preview.without_source));
    }
    match &preview.room.problem {
        Some(problem) => page.line(format!("No room: {problem}")),
        None => page.line("There is room. Next: the same without --preview"),
    }
}

pub(super) fn simulation(page: &mut Page, it: &Simulation) {
    page.field("updates", it.updates);
    page.field("computers", format!("{} (in {} sets of collections looked at)", it.computers, it.sets));
    page.field("answers that change", format!("for {} computers", it.changes));
    page.field(
        "need it",
        format!("{} computers, {} to fetch by them at most", it.needing, bytes(it.bytes_for_computers)),
    );
    for reason in &it.not_sent {
        page.line(format!("{} updates not sent: {}", reason.updates, reason.reason));
    }
    let rows = it.answers.iter().map(|row| {
        vec![
            row.answers.to_string(),
            row.changed.to_string(),
            action(row.action).to_owned(),
            time_or(row.from, "at once"),
            time_or(row.deadline, ""),
            if row.new { "new".to_owned() } else { "existing".to_owned() },
            row.reason.clone(),
        ]
    });
    let header = ["Answers", "Changed", "Action", "From", "Deadline", "By", "Why"];
    page.table(&header, rows.collect(), "Nobody would be told anything.");
    if !it.overruled_by.is_empty() {
        let rows = it.overruled_by.iter().map(|row| {
            vec![
                row.deployment.to_string(),
                action(row.action).to_owned(),
                row.collection.name.clone(),
                row.answers.to_string(),
            ]
        });
        page.line("Decided by others:");
        page.table(&["Id", "Action", "Collection", "Answers"], rows.collect(), "");
    }
    for branch in it.branches.iter().take(5) {
        let names: Vec<&str> = branch.collections.iter().map(|it| it.name.as_str()).collect();
        page.line(format!("{} computers in {}:", branch.computers, names.join(", ")));
        for line in branch.why.lines() {
            page.line(format!("  {line}"));
        }
    }
    for computer in it.sample.iter().take(10) {
        page.line(format!("changes for {} ({}): {}", computer.name, computer.id, computer.changes));
    }
    content::room(page, &it.room);
    for warning in &it.warnings {
        page.line(format!("warning: {warning}"));
    }
    page.line("Nothing was made. Next: weir deployments create with the same arguments");
}

pub(super) fn explanation(page: &mut Page, it: &Explanation) {
    page.field("computer", &it.computer);
    page.field("update", format!("{} {}", it.update.id, it.update.name.trim()));
    page.field("sent", &it.sent);
    if let Some(id) = it.deployment {
        let of = it.group_deployment.map(|id| format!(", of deployment {id}")).unwrap_or_default();
        page.field("deployment", format!("{id}{of}"));
    }
    page.field("deadline", time_or(it.deadline, "none"));
    for line in it.why.lines() {
        page.line(line);
    }
}
