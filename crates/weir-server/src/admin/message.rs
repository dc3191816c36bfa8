//! Status messages.

use jiff::Timestamp;
use weir_api::{
    List,
    message::{About, StatusMessage, StatusMessageMeaning, StatusMessageQuery},
};
use weir_model::message::{Component, MEANINGS, MessageSeverity};
use weir_store::status_message::{StatusMessageFilter, StatusMessageRow};

use super::{AdminError, App, list, when};

/// Characters of a text that is looked for.
const LONGEST: usize = 200;

/// Messages, newest first.
pub(crate) async fn list(app: &App, query: StatusMessageQuery) -> Result<List<StatusMessage>, AdminError> {
    let limit = list::limit(query.limit)?;
    let filter = StatusMessageFilter {
        component: query.component.as_deref().map(component).transpose()?,
        least: query.severity.as_deref().map(severity).transpose()?,
        since: query.since.as_deref().map(|text| when::past("since", text, Timestamp::now())).transpose()?,
        text: match query.text {
            Some(text) if text.chars().count() > LONGEST => {
                return Err(AdminError::invalid("text", format!("text has more than {LONGEST} characters")));
            }
            text => text.filter(|text| !text.is_empty()),
        },
        code: query.code,
    };
    let page = app.read(move |tx| tx.status_message_page(&filter, query.cursor.as_deref(), limit)).await?;
    Ok(List { items: page.items.into_iter().map(shown).collect(), next: page.next })
}

/// What the numbers mean.
pub(crate) fn meanings() -> List<StatusMessageMeaning> {
    let items = MEANINGS.iter().map(|meaning| StatusMessageMeaning {
        code: meaning.id,
        component: meaning.component.to_string(),
        severity: meaning.severity.word().to_owned(),
        text: meaning.template.to_owned(),
        similar_to: Some(meaning.similar_to).filter(|number| *number > 0),
    });
    List { items: items.collect(), next: None }
}

fn component(text: &str) -> Result<Component, AdminError> {
    text.parse().map_err(|_| AdminError::Invalid {
        code: "component",
        detail: format!("component is {text:?}"),
        next_step: Some(format!("take one of {}", words(Component::ALL.iter().map(|known| known.word())))),
    })
}

fn severity(text: &str) -> Result<MessageSeverity, AdminError> {
    text.parse().map_err(|_| AdminError::Invalid {
        code: "severity",
        detail: format!("severity is {text:?}"),
        next_step: Some(format!("take one of {}", words(MessageSeverity::ALL.iter().map(|known| known.word())))),
    })
}

/// Words that may be chosen.
pub(crate) fn words<'w>(known: impl Iterator<Item = &'w str>) -> String {
    known.collect::<Vec<_>>().join(", ")
}

fn shown(row: StatusMessageRow) -> StatusMessage {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let parameters = row.parameters.as_object();
    StatusMessage {
        id: row.no,
        at: row.at,
        severity: row.severity.word().to_owned(),
        component: row.component,
        code: row.code,
        text: row.text,
        parameters: parameters.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect(),
        about: row.about.map(|(kind, id)| About { kind, id }),
    }
}
