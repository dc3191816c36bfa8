//! Where the database of a site is, if it is on a server of PostgreSQL: its address, which may have a password.

use tokio_postgres::config::Host;

use crate::{StoreError, pg};

/// The port of PostgreSQL.
const PORT: u16 = 5432;
/// The name that stands for every Unix socket of the usual folder in files of passwords.
const LOCAL: &str = "localhost";

/// An address that was read and can be used, such as `postgres://weir@db.example/weir`. Printed in any way it has no password; only
/// [`Url::expose`] gives the whole.
#[derive(Clone, Eq, PartialEq)]
pub struct Url(String);

impl Url {
    /// Reads an address, in the form that [`database_place`](crate::database_place) describes. [`StoreError::DatabaseAddress`] says
    /// what is wrong with it, without the password.
    pub fn read(text: &str) -> Result<Self, StoreError> {
        pg::place(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The whole address, with the password if it has one: for [`Options::database`](crate::Options::database) and nothing that is
    /// shown or stored.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Where the database is: `postgres://user@host/name`.
    pub fn place(&self) -> String {
        pg::without_password(&self.0)
    }

    /// Whether the address itself has a password.
    pub fn has_password(&self) -> bool {
        pg::config(&self.0).is_ok_and(|config| config.get_password().is_some())
    }

    /// The same address with a password.
    #[must_use]
    pub fn with_password(&self, password: &str) -> Self {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        let mut whole = format!("{}{separator}password=", self.0);
        for byte in password.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                whole.push(char::from(byte));
            } else {
                whole.push_str(&format!("%{byte:02X}"));
            }
        }
        Self(whole)
    }

    /// The password for this database in the text of a password file of libpq: lines `host:port:database:user:password`, in which
    /// `*` stands for anything, and a backslash keeps `:` and `\` from meaning something. The first line that fits counts; of
    /// several hosts, the first that a line fits.
    pub fn password_in(&self, passfile: &str) -> Option<String> {
        let config = pg::config(&self.0).ok()?;
        let user = config.get_user()?;
        let name = config.get_dbname().unwrap_or(user);
        let ports = config.get_ports();
        let lines: Vec<[String; 5]> = passfile.lines().filter_map(fields).collect();
        config.get_hosts().iter().enumerate().find_map(|(at, host)| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(PORT).to_string();
            let hosts = match host {
                Host::Tcp(host) => [host.clone(), host.clone()],
                #[cfg(unix)]
                Host::Unix(folder) => [folder.display().to_string(), LOCAL.to_owned()],
            };
            let fits = |[host, of_port, of_name, of_user, _]: &&[String; 5]| {
                let is = |wanted: &str, given: &str| wanted == "*" || wanted == given;
                hosts.iter().any(|given| is(host, given))
                    && is(of_port, &port)
                    && is(of_name, name)
                    && is(of_user, user)
            };
            lines.iter().find(fits).map(|[.., password]| password.clone())
        })
    }
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place())
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place())
    }
}

/// The fields of a line of a password file; none for a remark and for what has another form.
fn fields(line: &str) -> Option<[String; 5]> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields: [String; 5] = Default::default();
    let (mut at, mut characters) = (0, line.chars());
    while let Some(character) = characters.next() {
        match character {
            ':' if at == 4 => return None,
            ':' => at += 1,
            '\\' => fields.get_mut(at)?.extend(characters.next()),
            other => fields.get_mut(at)?.push(other),
        }
    }
    (at == 4).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn nothing_that_is_printed_has_the_password() {
        let url = url("postgres://weir:s3cret@db.example/weir?sslmode=disable");
        assert!(url.has_password() && url.expose().contains("s3cret"));
        for shown in [format!("{url:?}"), url.to_string(), url.place(), format!("{:?}", Some(&url))] {
            assert!(shown.contains("postgres://weir@db.example/weir") && !shown.contains("s3cret"), "{shown}");
        }
        let wrong = Url::read("postgres://weir:s3cret@h:port/weir").expect_err("no port");
        assert!(!wrong.to_string().contains("s3cret"), "{wrong}");
    }

    #[test]
    fn a_password_is_added_whatever_it_has() {
        for text in ["postgres://weir@h", "postgres://weir@h/weir", "postgres://weir@h/weir?sslmode=disable"] {
            let bare = url(text);
            assert!(!bare.has_password());
            let with = bare.with_password("a b&c=d%+ß/?#@:");
            let config = pg::config(with.expose()).expect("an address");
            assert_eq!(config.get_password(), Some("a b&c=d%+ß/?#@:".as_bytes()), "{text}");
            assert_eq!(with.place(), bare.place());
        }
    }

    #[test]
    fn files_of_passwords_are_read_as_libpq_does() {
        let file = "# a remark\n\
                    nonsense\n\
                    other:5432:weir:weir:wrong\n\
                    db.example:5432:weir:weir:first\n\
                    db.example:*:*:weir:second\n\
                    localhost:*:*:*:local\n\
                    *:6000:we\\:ir:*:with \\\\ and \\:\n\
                    a:b:c:d:e:f\n";
        for (text, wanted) in [
            ("postgres://weir@db.example/weir", Some("first")),
            ("postgres://weir@db.example:5433/weir", Some("second")),
            ("postgres://weir@db.example/elsewhere", Some("second")),
            ("postgres://root@db.example/weir", None),
            ("postgres://weir@none,db.example/weir", Some("first")),
            ("postgres://weir@x:6000/we%3Air", Some("with \\ and :")),
            ("postgres://weir@/weir?host=/run/postgresql", Some("local")),
        ] {
            assert_eq!(url(text).password_in(file).as_deref(), wanted, "{text}");
        }
    }
}
