//! A subscription as it is filled in: words as they were typed.

use weir_api::{
    Problem,
    subscription::{Channel, Subscription, SubscriptionChange, SubscriptionCreate},
};

use crate::{
    cx::Cx,
    screens::settings::{field, given, lines},
    texts::notifications as t,
    ui::form::Errors,
};

/// The fields.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Filled {
    pub(super) name: String,
    /// It goes to a URL, not to addresses.
    pub(super) webhook: bool,
    pub(super) kinds: String,
    pub(super) severity: String,
    pub(super) addresses: String,
    pub(super) url: String,
    pub(super) allow_http: bool,
    pub(super) secret: String,
    pub(super) repeat: String,
    pub(super) on_close: bool,
    pub(super) group: String,
    pub(super) most: String,
}

impl Filled {
    /// A new one.
    pub(super) fn fresh(webhook: bool) -> Self {
        Self {
            webhook,
            severity: "warning".to_owned(),
            repeat: "0".to_owned(),
            group: "30".to_owned(),
            most: "20".to_owned(),
            ..Self::default()
        }
    }

    /// One that is there.
    pub(super) fn of(one: &Subscription) -> Self {
        Self {
            name: one.name.clone(),
            webhook: one.channel == Channel::Webhook,
            kinds: one.kinds.join("\n"),
            severity: one.severity.clone(),
            addresses: one.addresses.join("\n"),
            url: one.url.clone().unwrap_or_default(),
            allow_http: one.allow_http,
            secret: String::new(),
            repeat: one.repeat_minutes.to_string(),
            on_close: one.on_close,
            group: one.group_seconds.to_string(),
            most: one.most_per_hour.to_string(),
        }
    }

    /// What a form sent.
    pub(super) fn sent(pairs: &[(String, String)]) -> Self {
        let text = |name: &str| field(pairs, name).trim().to_owned();
        let on = |name: &str| field(pairs, name) == "1";
        Self {
            name: text("name"),
            webhook: on("webhook"),
            kinds: text("kinds"),
            severity: text("severity"),
            addresses: text("addresses"),
            url: text("url"),
            allow_http: on("allow_http"),
            // a secret may begin or end with a blank
            secret: field(pairs, "secret").to_owned(),
            repeat: text("repeat"),
            on_close: on("on_close"),
            group: text("group"),
            most: text("most"),
        }
    }

    /// The numbers, or the errors of those that are none.
    fn numbers(&self, cx: &Cx) -> Result<(u32, Option<u32>, Option<u32>), Errors> {
        let mut errors = Errors::default();
        let mut number = |name: &'static str, text: &str| {
            let read = given(text).map(|text| text.parse::<u32>());
            if matches!(read, Some(Err(_))) {
                errors = std::mem::take(&mut errors).field(name, t::no_number(cx));
            }
            read.and_then(Result::ok)
        };
        let (repeat, group, most) =
            (number("repeat", &self.repeat), number("group", &self.group), number("most", &self.most));
        if errors.is_empty() { Ok((repeat.unwrap_or_default(), group, most)) } else { Err(errors) }
    }

    fn addressed(&self) -> Vec<String> {
        let words = self.addresses.split([',', ';', ' ', '\n', '\r', '\t']);
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// The new subscription for REST.
    pub(super) fn create(&self, cx: &Cx) -> Result<SubscriptionCreate, Errors> {
        let (repeat_minutes, group_seconds, most_per_hour) = self.numbers(cx)?;
        Ok(SubscriptionCreate {
            name: self.name.clone(),
            kinds: lines(&self.kinds),
            severity: given(&self.severity),
            addresses: if self.webhook { Vec::new() } else { self.addressed() },
            url: given(&self.url).filter(|_| self.webhook),
            allow_http: self.webhook && self.allow_http,
            secret: Some(self.secret.clone()).filter(|secret| self.webhook && !secret.is_empty()),
            repeat_minutes,
            on_close: self.on_close,
            group_seconds,
            most_per_hour,
            enabled: true,
        })
    }

    /// What makes of a subscription what is filled in.
    pub(super) fn change(&self, cx: &Cx, one: &Subscription) -> Result<SubscriptionChange, Errors> {
        let (repeat, group_seconds, most_per_hour) = self.numbers(cx)?;
        let webhook = one.channel == Channel::Webhook;
        Ok(SubscriptionChange {
            name: Some(self.name.clone()).filter(|name| *name != one.name),
            kinds: Some(lines(&self.kinds)),
            severity: given(&self.severity),
            addresses: (!webhook).then(|| self.addressed()),
            url: webhook.then(|| self.url.clone()),
            allow_http: webhook.then_some(self.allow_http),
            repeat_minutes: Some(repeat),
            on_close: Some(self.on_close),
            group_seconds,
            most_per_hour,
            ..SubscriptionChange::default()
        })
    }
}

/// Where a refusal goes.
pub(super) fn errors(problem: &Problem) -> Errors {
    const FIELDS: [&str; 9] = [
        "kinds",
        "kinds=kind",
        "severity",
        "addresses",
        "url",
        "secret",
        "repeat=repeat_minutes",
        "group=group_seconds",
        "most=most_per_hour",
    ];
    match problem.code.as_str() {
        field @ ("url" | "secret" | "name" | "addresses" | "kinds" | "severity") => {
            Errors::default().field(field, &problem.detail)
        }
        "exists" => Errors::default().field("name", &problem.detail),
        _ => Errors::of(problem, &FIELDS),
    }
}
