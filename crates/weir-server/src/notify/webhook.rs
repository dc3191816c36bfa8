//! Webhooks: one signed POST.

use std::time::Duration;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use uuid::Uuid;
use weir_model::message::tidy;

use super::Outcome;
use crate::{
    admin::{App, chain},
    sync::outbound::{self, Purpose},
};

/// The whole exchange ends by then.
const WHOLE: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const ANSWER: usize = 1_000;

/// What is sent where.
pub(super) struct Call<'c> {
    pub(super) url: &'c str,
    pub(super) event: &'c str,
    pub(super) id: Uuid,
    /// The secrets that are valid now.
    pub(super) secrets: Vec<&'c str>,
    pub(super) body: &'c str,
}

/// The value of `Weir-Signature`: the time in seconds, and for each valid secret the HMAC-SHA256 of `TIME.BODY` in
/// hexadecimal. A receiver accepts one that it can compute itself, and refuses old times.
pub(super) fn signature(secrets: &[&str], at: Timestamp, body: &str) -> String {
    let signed = format!("{}.{body}", at.as_second());
    let mut value = format!("t={}", at.as_second());
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        value.push_str(",v1=");
        for byte in hmac::sign(&key, signed.as_bytes()).as_ref() {
            value.push_str(&format!("{byte:02x}"));
        }
    }
    value
}

/// Sends it once.
pub(super) async fn send(app: &App, call: &Call<'_>) -> Outcome {
    let client = match outbound::client(app, Purpose::Alert).await {
        Ok(client) => client,
        Err(error) => return Outcome::again(chain(&error)),
    };
    let request = client
        .post(call.url)
        .header("Content-Type", "application/json")
        .header("Weir-Event", call.event)
        .header("Weir-Delivery", call.id.to_string())
        .header("Weir-Signature", signature(&call.secrets, Timestamp::now(), call.body))
        .body(call.body.to_owned());
    match tokio::time::timeout(WHOLE, exchange(request)).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::again(format!("the receiver did not come to an end within {} s", WHOLE.as_secs())),
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Outcome {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            // the address of a webhook is often a secret itself
            return Outcome::again(format!("the receiver cannot be reached: {}", chain(&error.without_url())));
        }
    };
    let status = response.status();
    let mut body = Vec::new();
    while body.len() < ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend(chunk.iter().take(ANSWER - body.len())),
            Ok(None) | Err(_) => break,
        }
    }
    let answer = tidy(&String::from_utf8_lossy(&body), ANSWER);
    match status.as_u16() {
        200..=299 => Outcome::delivered(format!("{status} {answer}")),
        410 => Outcome { gone: true, ..Outcome::refused("the receiver answered 410 Gone") }.answered(answer),
        300..=399 => Outcome::again(format!("the receiver answered {status}; redirects are not followed"))
            .answered(answer)
            .advise("weir alerts subscriptions change NAME --url URL"),
        _ => Outcome::again(format!("the receiver answered {status}")).answered(answer),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// RFC 2104, from the hash alone.
    fn mac(secret: &str, text: &str) -> String {
        let mut key = if secret.len() > 64 { Sha256::digest(secret).to_vec() } else { secret.as_bytes().to_vec() };
        key.resize(64, 0);
        let pad = |with: u8| key.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
        let inner = Sha256::digest([pad(0x36), text.as_bytes().to_vec()].concat());
        let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
        outer.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[test]
    fn every_valid_secret_signs_time_and_body() {
        let at = Timestamp::from_second(1_767_225_600).expect("in range");
        let long = "x".repeat(100);
        let value = signature(&["new secret", &long], at, "{\"a\":1}");
        let signed = "1767225600.{\"a\":1}";
        let expected = format!("t=1767225600,v1={},v1={}", mac("new secret", signed), mac(&long, signed));
        assert_eq!(value, expected);
        assert_ne!(signature(&["new secret"], at, "{\"a\":2}"), signature(&["new secret"], at, "{\"a\":1}"));
    }
}
