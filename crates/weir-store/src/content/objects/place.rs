//! Where an object store is, and how it is reached.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use object_store::{
    BackoffConfig, Certificate, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
    signer::Signer,
};

use crate::StoreError;

/// Bytes of a file with credentials or certificates.
const LARGEST_FILE: u64 = 1 << 20;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a store may be silent, and a part may take to be sent.
const SILENT: Duration = Duration::from_secs(120);
/// A request that fails for a reason that may pass is sent again so often, and so long.
const RETRIES: usize = 4;
const RETRY_FOR: Duration = Duration::from_secs(15);
/// A proxy that no address goes through: a client that was given one does not look at variables such as `HTTPS_PROXY`, which
/// say nothing elsewhere in this program either.
const NO_PROXY: (&str, &str) = ("http://127.0.0.1:9", "*,0.0.0.0/0,::/0");
/// Characters of bucket names and prefixes besides letters and digits: nothing that an address would have to escape.
const MARKS: &str = "-_.";

/// Which interface a store speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Amazon S3, and the many that speak the same: `s3`.
    Amazon,
    /// Azure Blob Storage: `az`.
    Azure,
    /// Google Cloud Storage: `gs`.
    Google,
}

/// The address of an object store: `s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// Which interface it speaks.
    pub kind: Kind,
    /// The bucket or container.
    pub bucket: String,
    /// What comes before the names of files, without slashes at its ends; may be empty.
    pub prefix: String,
}

impl Address {
    /// Reads an address; none if it is none. Names are made of letters, digits, `-`, `_` and `.` only.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let kind = match scheme {
            "s3" => Kind::Amazon,
            "az" => Kind::Azure,
            "gs" => Kind::Google,
            _ => return None,
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let plain = |name: &str| {
            !name.is_empty()
                && name != "."
                && name != ".."
                && name.chars().all(|character| character.is_ascii_alphanumeric() || MARKS.contains(character))
        };
        let fits = plain(bucket) && (prefix.is_empty() || prefix.split('/').all(plain));
        fits.then(|| Self { kind, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// As it is written.
    pub fn text(&self) -> String {
        let scheme = match self.kind {
            Kind::Amazon => "s3",
            Kind::Azure => "az",
            Kind::Google => "gs",
        };
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("{scheme}://{}{slash}{}", self.bucket, self.prefix)
    }
}

/// Where an object store is, and how it is reached. It holds no secret: those are in the environment, come from the machine's
/// own identity, or are in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// Its address.
    pub address: Address,
    /// Where its interface is, as a URL; none is the provider's own.
    pub endpoint: Option<String>,
    /// The region that requests to S3 are signed for.
    pub region: Option<String>,
    /// Plain HTTP is good enough.
    pub allow_http: bool,
    /// A file with lines `NAME=VALUE`, the names those of the environment variables; none takes the environment itself.
    pub credentials: Option<PathBuf>,
    /// Authorities (PEM) that are trusted besides the system's.
    pub authorities: Option<PathBuf>,
    /// How long signed addresses are good for, if files are fetched from the store itself; none passes them through.
    pub redirect: Option<Duration>,
}

/// The two sides of a store.
pub(super) struct Connected {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) signer: Arc<dyn Signer>,
}

impl Connected {
    fn new(store: impl ObjectStore + Signer) -> Self {
        let store = Arc::new(store);
        let signer = Arc::clone(&store);
        Self { store, signer }
    }
}

/// Makes a client of a store. Nothing is asked yet.
pub(super) fn connect(place: &Place) -> Result<Connected, StoreError> {
    let refused = |why: String| StoreError::ObjectsRefused { place: place.address.text(), why };
    let built = |error: object_store::Error| refused(error.to_string());
    let options = options(place)?;
    let given = match &place.credentials {
        Some(path) => Some(credentials(path).map_err(|why| refused(format!("{} {why}", path.display())))?),
        None => None,
    };
    let unknown =
        |line: usize| refused(format!("line {line} of the file with credentials names nothing that is known"));
    let bucket = place.address.bucket.as_str();
    match place.address.kind {
        Kind::Amazon => {
            let base = if given.is_some() { AmazonS3Builder::new() } else { AmazonS3Builder::from_env() };
            let mut builder = base.with_client_options(options).with_retry(retry()).with_disable_bulk_delete(true);
            for (line, name, value) in given.into_iter().flatten() {
                builder = builder.with_config(name.parse::<AmazonS3ConfigKey>().map_err(|_| unknown(line))?, value);
            }
            if let Some(endpoint) = &place.endpoint {
                builder = builder.with_endpoint(endpoint.as_str());
            }
            if let Some(region) = &place.region {
                builder = builder.with_region(region.as_str());
            }
            Ok(Connected::new(builder.with_bucket_name(bucket).build().map_err(built)?))
        }
        Kind::Azure => {
            let base = if given.is_some() { MicrosoftAzureBuilder::new() } else { MicrosoftAzureBuilder::from_env() };
            let mut builder = base.with_client_options(options).with_retry(retry());
            for (line, name, value) in given.into_iter().flatten() {
                builder = builder.with_config(name.parse::<AzureConfigKey>().map_err(|_| unknown(line))?, value);
            }
            if let Some(endpoint) = &place.endpoint {
                builder = builder.with_endpoint(endpoint.clone());
            }
            Ok(Connected::new(builder.with_container_name(bucket).build().map_err(built)?))
        }
        Kind::Google => {
            let base =
                if given.is_some() { GoogleCloudStorageBuilder::new() } else { GoogleCloudStorageBuilder::from_env() };
            // a machine's own identity is asked for over plain HTTP; the store itself is at an https address
            let mut builder = base.with_client_options(options.with_allow_http(true)).with_retry(retry());
            for (line, name, value) in given.into_iter().flatten() {
                builder = builder.with_config(name.parse::<GoogleConfigKey>().map_err(|_| unknown(line))?, value);
            }
            if let Some(endpoint) = &place.endpoint {
                builder = builder.with_base_url(endpoint);
            }
            Ok(Connected::new(builder.with_bucket_name(bucket).build().map_err(built)?))
        }
    }
}

fn retry() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(3), base: 2.0 };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_FOR }
}

fn options(place: &Place) -> Result<ClientOptions, StoreError> {
    // a whole answer may take as long as its reader does
    let mut options = ClientOptions::new()
        .with_allow_http(place.allow_http)
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENT)
        .with_proxy_url(NO_PROXY.0)
        .with_proxy_excludes(NO_PROXY.1);
    if let Some(path) = &place.authorities {
        let refused = |why: String| StoreError::ObjectsRefused {
            place: place.address.text(),
            why: format!("{}: {why}", path.display()),
        };
        let text = small(path).map_err(refused)?;
        let authorities = Certificate::from_pem_bundle(text.as_bytes()).map_err(|error| refused(error.to_string()))?;
        for authority in authorities {
            options = options.with_root_certificate(authority);
        }
    }
    Ok(options)
}

/// Lines of a file with credentials: the line's number, the name in lower case, the value. No message tells what is in it.
fn credentials(path: &Path) -> Result<Vec<(usize, String, String)>, String> {
    let text = small(path)?;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .strip_prefix("export ")
            .unwrap_or(line)
            .split_once('=')
            .ok_or_else(|| format!("has a line {number} that is not NAME=VALUE"))?;
        let value = value.trim();
        let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        found.push((number, name.trim().to_ascii_lowercase(), bare.unwrap_or(value).to_owned()));
    }
    if found.is_empty() { Err("has no line NAME=VALUE".to_owned()) } else { Ok(found) }
}

fn small(path: &Path) -> Result<String, String> {
    // before it is opened: opening a pipe waits for whoever writes to it
    let is_file = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.is_file();
    if !is_file {
        return Err("is no regular file".to_owned());
    }
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_string(&mut text));
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if text.len() as u64 > LARGEST_FILE { Err("is too large".to_owned()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_bucket_and_a_plain_prefix() {
        let read = |text: &str| Address::parse(text).map(|address| (address.kind, address.bucket, address.prefix));
        assert_eq!(read("s3://weir"), Some((Kind::Amazon, "weir".to_owned(), String::new())));
        assert_eq!(read("az://files/site-1/"), Some((Kind::Azure, "files".to_owned(), "site-1".to_owned())));
        assert_eq!(read("gs://b.example/a/b_c"), Some((Kind::Google, "b.example".to_owned(), "a/b_c".to_owned())));
        for wrong in [
            "weir",
            "/srv/weir",
            "s3://",
            "s3:///x",
            "http://b/x",
            "s3://b/../x",
            "s3://b//x",
            "s3://b/a b",
            "s3://u:p@b/x",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        for text in ["s3://weir", "az://files/site-1", "gs://b/a/b"] {
            assert_eq!(Address::parse(text).expect("an address").text(), text);
        }
    }

    #[test]
    fn what_is_wrong_with_credentials_is_said_without_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.env");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            credentials(&path)
        };
        let good =
            read("# of the bucket\n\nexport AWS_ACCESS_KEY_ID=\"key\"\nAWS_SECRET_ACCESS_KEY = a=b \n").expect("read");
        let expected = [(3, "aws_access_key_id", "key"), (4, "aws_secret_access_key", "a=b")];
        assert_eq!(good, expected.map(|(line, name, value)| (line, name.to_owned(), value.to_owned())));
        let error = read("AWS_ACCESS_KEY_ID=key\nhunter2\n").expect_err("no pair");
        assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
        assert!(read("").is_err());
        assert!(credentials(folder.path()).expect_err("a folder").contains("regular"));

        let place = Place {
            address: Address::parse("s3://weir").expect("an address"),
            endpoint: None,
            region: None,
            allow_http: false,
            credentials: Some(path.clone()),
            authorities: None,
            redirect: None,
        };
        std::fs::write(&path, "hunter2=hunter3\n").expect("written");
        let error = connect(&place).err().expect("an unknown name").to_string();
        assert!(error.contains("line 1") && !error.contains("hunter"), "{error}");
    }
}
