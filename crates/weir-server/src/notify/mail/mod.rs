//! E-mail: the settings of the mail server, and one conversation with it.

mod message;

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use lettre::{
    Address,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail as MailCommand, Rcpt},
        extension::ClientId,
    },
};
use tokio::time::timeout;
use uuid::Uuid;
use weir_api::notice::Notice;
use weir_model::{alert::address::EmailAddress, message::tidy};
use weir_store::{ReadTx, StoreError};

pub(crate) use self::message::Enclosure;
use self::message::{Mail, Thread};
use super::{Outcome, text};
use crate::{
    admin::{
        AdminError, App, chain,
        setting::{Current, MAIL_CA_FILE, MAIL_FROM, MAIL_HOST, MAIL_PASSWORD, MAIL_PORT, MAIL_TLS, MAIL_USER},
    },
    file,
    sync::outbound,
};

/// A server that does not answer for so long counts as dead.
const CONNECT: Duration = Duration::from_secs(20);
/// The whole conversation ends by then.
const WHOLE: Duration = Duration::from_secs(60);
/// The same with a large file.
const WHOLE_PARCEL: Duration = Duration::from_mins(10);
/// Answers about who may send rather than about this message: an administrator changes a setting, and it succeeds.
const ACCESS: [&str; 4] = ["530", "534", "535", "538"];

/// How the mail server is called.
pub(crate) struct MailSettings {
    host: String,
    port: u16,
    tls: String,
    user: String,
    password: String,
    from: String,
    ca_file: Option<PathBuf>,
    /// The name by which this server introduces itself.
    own_name: String,
}

/// What goes out.
pub(super) struct Letter<'l> {
    pub(super) id: Uuid,
    pub(super) subscription: Uuid,
    pub(super) to: &'l [String],
    pub(super) alert: Option<i64>,
    pub(super) notice: &'l Notice,
    pub(super) at: Timestamp,
}

/// A file on its way to somebody.
pub(crate) struct Parcel<'p> {
    /// Makes the `Message-ID`.
    pub(crate) id: Uuid,
    /// Who gets it.
    pub(crate) to: &'p [String],
    /// The name shown beside the sender's address.
    pub(crate) from_name: &'p str,
    /// What it is about.
    pub(crate) subject: &'p str,
    /// What stands in the message.
    pub(crate) text: &'p str,
    /// The file.
    pub(crate) enclosure: Enclosure<'p>,
    /// When it was made.
    pub(crate) at: Timestamp,
}

/// Sends a file by the settings of now.
pub(crate) async fn send(app: &App, parcel: &Parcel<'_>) -> Result<Result<(), String>, AdminError> {
    let settings = app.read(MailSettings::read).await?;
    let outcome = settings.send_parcel(parcel).await;
    Ok(match outcome.error {
        None => match outcome.answer.filter(|answer| answer.starts_with("not for ")) {
            // some got it and some did not: who made the schedule is to know
            Some(answer) => Err(format!("it went out, but {answer}")),
            None => Ok(()),
        },
        Some(why) => Err(match outcome.advice {
            Some(advice) => format!("{why}. Next: {advice}."),
            None => format!("{why}."),
        }),
    })
}

impl MailSettings {
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let current = Current::read(tx)?;
        let tls = current.text(MAIL_TLS);
        let port = match (current.number(MAIL_PORT) as u16, tls.as_str()) {
            (0, "implicit") => 465,
            (0, "none") => 25,
            (0, _) => 587,
            (port, _) => port,
        };
        Ok(Self {
            host: current.text(MAIL_HOST),
            port,
            tls,
            user: current.text(MAIL_USER),
            password: current.text(MAIL_PASSWORD),
            from: current.text(MAIL_FROM),
            ca_file: Some(current.text(MAIL_CA_FILE)).filter(|path| !path.is_empty()).map(PathBuf::from),
            own_name: outbound::Terms::read(tx)?.host_name(),
        })
    }

    /// What is missing before anything can be sent, as the command that sets it.
    fn lacks(&self) -> Option<&'static str> {
        if self.host.is_empty() {
            Some("weir settings set mail.host SERVER")
        } else if self.from.is_empty() {
            Some("weir settings set mail.from weir@example.org")
        } else {
            None
        }
    }

    /// Sends a letter.
    pub(super) async fn send(&self, letter: &Letter<'_>) -> Outcome {
        let (from, to) = match self.ready(letter.to) {
            Ok(ready) => ready,
            Err(outcome) => return outcome,
        };
        let subject = text::subject(letter.notice);
        let mail = Mail {
            from: &from,
            from_name: &format!("Weir {}", letter.notice.site),
            to: &to,
            subject: &subject,
            at: letter.at,
            id: letter.id,
            domain: from.domain(),
            thread: letter.alert.map(|alert| Thread {
                alert,
                subscription: letter.subscription,
                begins: letter.notice.event == super::OPENED,
            }),
            text: &text::plain(letter.notice),
            html: &text::html(letter.notice),
            enclosure: None,
        };
        self.hand(&from, &to, &mail.written(), WHOLE).await
    }

    /// Sends a file.
    async fn send_parcel(&self, parcel: &Parcel<'_>) -> Outcome {
        let (from, to) = match self.ready(parcel.to) {
            Ok(ready) => ready,
            Err(outcome) => return outcome,
        };
        let mut html = String::from("<pre>");
        // a string takes everything
        let _ = weir_model::report::html::escape_lines(&mut html, parcel.text);
        html.push_str("</pre>");
        let mail = Mail {
            from: &from,
            from_name: parcel.from_name,
            to: &to,
            subject: parcel.subject,
            at: parcel.at,
            id: parcel.id,
            domain: from.domain(),
            thread: None,
            text: parcel.text,
            html: &html,
            enclosure: Some(&parcel.enclosure),
        };
        self.hand(&from, &to, &mail.written(), WHOLE_PARCEL).await
    }

    /// From whom to whom, if anything can be sent.
    fn ready(&self, to: &[String]) -> Result<(EmailAddress, Vec<EmailAddress>), Outcome> {
        if let Some(command) = self.lacks() {
            return Err(Outcome::again("the mail server is not set up").advise(command));
        }
        if self.tls == "none" && !self.user.is_empty() {
            return Err(Outcome::again("a password is not sent to a mail server without TLS")
                .advise("weir settings set mail.tls starttls, or weir settings set mail.user \"\""));
        }
        let parsed = |text: &str| text.parse::<EmailAddress>().map_err(|error| error.to_string());
        let from = parsed(&self.from)
            .map_err(|why| Outcome::again(why).advise("weir settings set mail.from weir@example.org"))?;
        let to = to.iter().map(|text| parsed(text)).collect::<Result<Vec<_>, _>>().map_err(Outcome::refused)?;
        Ok((from, to))
    }

    /// One conversation that ends in time.
    async fn hand(&self, from: &EmailAddress, to: &[EmailAddress], message: &str, within: Duration) -> Outcome {
        match timeout(within, self.converse(from, to, message)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::again(format!(
                "the mail server {} did not come to an end within {} s",
                self.host,
                within.as_secs()
            )),
        }
    }

    async fn converse(&self, from: &EmailAddress, to: &[EmailAddress], message: &str) -> Outcome {
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(outcome) => return outcome,
        };
        let outcome = hand_over(&mut connection, from, to, message).await;
        // what was accepted stays accepted, however the farewell goes
        connection.abort().await;
        outcome
    }

    /// A connection that is encrypted and signed in as the settings want it.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Outcome> {
        let failed = |what: &str| {
            let what = format!("{what} ({}:{})", self.host, self.port);
            move |error: lettre::transport::smtp::Error| told(&what, &error)
        };
        let hello = ClientId::Domain(self.own_name.clone());
        let server = (self.host.as_str(), self.port);
        let implicit = if self.tls == "implicit" { Some(self.trust().await?) } else { None };
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &hello, implicit, None)
            .await
            .map_err(failed("the mail server cannot be reached"))?;
        if self.tls != "none" && self.tls != "implicit" {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(Outcome::again(format!("the mail server {} offers no STARTTLS", self.host))
                    .advise("weir settings set mail.tls implicit (or none: then all passes in clear)"));
            }
            let trust = self.trust().await?;
            connection.starttls(trust, &hello).await.map_err(failed("STARTTLS failed"))?;
        }
        if !self.user.is_empty() {
            let credentials = Credentials::new(self.user.clone(), self.password.clone());
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await
                .map_err(failed("the mail server does not accept mail.user and mail.password"))?;
        }
        Ok(connection)
    }

    /// Whose certificates are trusted: the system's roots and those of `mail.ca_file`.
    async fn trust(&self) -> Result<TlsParameters, Outcome> {
        let (host, ca_file) = (self.host.clone(), self.ca_file.clone());
        let made = tokio::task::spawn_blocking(move || {
            let mut builder = TlsParameters::builder(host);
            if let Some(path) = ca_file {
                let unusable = |why: String| format!("{} (mail.ca_file) cannot be used: {why}", path.display());
                let pem = file::small(&path).map_err(|error| unusable(error.to_string()))?;
                let roots = Certificate::from_pem(&pem).map_err(|error| unusable(chain(&error)))?;
                builder = builder.add_root_certificate(roots);
            }
            builder.build_rustls().map_err(|error| chain(&error))
        });
        match made.await {
            Ok(Ok(parameters)) => Ok(parameters),
            Ok(Err(why)) => Err(Outcome::again(why).advise("weir settings set mail.ca_file FILE")),
            Err(error) => Err(Outcome::again(error.to_string())),
        }
    }
}

/// Hands a message over to a server for those receivers that it takes.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    from: &EmailAddress,
    to: &[EmailAddress],
    message: &str,
) -> Outcome {
    let address = |address: &EmailAddress| address.as_str().parse::<Address>();
    let Ok(sender) = address(from) else { return Outcome::refused(format!("{from} is no sender")) };
    if let Err(error) = connection.command(MailCommand::new(Some(sender), Vec::new())).await {
        return told("the mail server does not take the sender", &error);
    }
    let (mut taken, mut refused, mut passing) = (0, Vec::new(), None);
    for receiver in to {
        let Ok(parsed) = address(receiver) else { continue };
        match connection.command(Rcpt::new(parsed, Vec::new())).await {
            Ok(_) => taken += 1,
            Err(error) if error.is_permanent() => refused.push(format!("{receiver}: {}", chain(&error))),
            Err(error) => {
                let broken = error.status().is_none();
                passing = Some(told(&format!("the mail server does not take {receiver} now"), &error));
                if broken {
                    break;
                }
            }
        }
    }
    if let Some(outcome) = passing.filter(|_| taken == 0) {
        return outcome;
    }
    if taken == 0 {
        return Outcome::refused(format!("the mail server takes none of the receivers: {}", refused.join("; ")));
    }
    let sent = match connection.command(Data).await {
        Ok(_) => connection.message(message.as_bytes()).await,
        Err(error) => Err(error),
    };
    match sent {
        Ok(response) => {
            let mut answer = response.message().collect::<Vec<_>>().join(" ");
            if !refused.is_empty() {
                answer = format!("not for {}; {answer}", refused.join("; "));
            }
            Outcome::delivered(answer)
        }
        Err(error) => told("the mail server does not take the message", &error),
    }
}

/// A failure of the library in words, and whether it is tried again.
fn told(what: &str, error: &lettre::transport::smtp::Error) -> Outcome {
    let words = tidy(&format!("{what}: {}", chain(error)), 500);
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    if error.is_permanent() && !ACCESS.contains(&code.as_str()) {
        Outcome::refused(words)
    } else {
        Outcome::again(words)
    }
}
